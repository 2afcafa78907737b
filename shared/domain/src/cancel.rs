//! Cancelling: spends go back to their lots, awards are clawed back, limits are freed.

use crate::amount::Amount;
use crate::id::OfferId;
use crate::ledger::{Effect, Entry, LotId, Slot};
use crate::programme::{DebtPolicy, Programme};
use crate::refusal::Refusal;
use crate::tally::{Part, TallyAward};
use crate::time::Instant;
use crate::wallet::Wallet;

/// The effects that take back what these entries did. Spends come back first, so that an award
/// which was spent on the same purchase is found in its lot again.
pub fn take_back(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    entries: &[Entry],
) -> Result<Vec<Effect>, Refusal> {
    let mut reversal = Reversal { programme, wallet: wallet.clone(), now, effects: Vec::new() };
    let effects = || entries.iter().flat_map(|entry| &entry.effects);
    for effect in effects() {
        if let Effect::Take { lot, amount } = effect {
            // What comes back only to expire pays no debt.
            let live = lot.is_live(now, programme.zone);
            let owed = if live { reversal.wallet.debt(&lot.balance) } else { Amount::ZERO };
            let debt = owed.min(*amount);
            reversal.note(Effect::Return { lot: lot.clone(), amount: *amount, debt });
        }
    }
    // What accumulating offers awarded goes back by what they counted, not by the event.
    let tallied: Vec<&OfferId> = effects()
        .filter_map(|effect| if let Effect::Tallied(award) = effect { Some(award) } else { None })
        .map(|award| &award.offer)
        .collect();
    let direct = |offer: &OfferId| !tallied.contains(&offer);
    for effect in effects() {
        if let Effect::Award { offer, lot, amount, slot, .. } = effect
            && offer.as_ref().is_none_or(direct)
        {
            reversal.claw_back(lot, *amount)?;
            if let (Some(offer), Some(slot)) = (offer, slot) {
                reversal.note(Effect::Free { offer: offer.clone(), slot: *slot });
            }
        }
        if let Effect::Quota { offer, awards, budget, .. } = effect
            && direct(offer)
        {
            reversal.free_quota(offer, *awards, *budget);
        }
        if let Effect::Activity { month, purchases, amount } = effect {
            let (purchases, amount) = (-purchases, Amount(-amount.0));
            reversal.note(Effect::Activity { month: *month, purchases, amount });
        }
    }
    for effect in effects() {
        if let Effect::Count { offer, part, by } = effect
            && *by > 0
        {
            reversal.uncount(offer, part, *by)?;
        }
    }
    Ok(reversal.effects)
}

struct Reversal<'a> {
    programme: &'a Programme,
    wallet: Wallet,
    now: Instant,
    effects: Vec<Effect>,
}

impl Reversal<'_> {
    fn note(&mut self, effect: Effect) {
        self.wallet.carry_out(&effect);
        self.effects.push(effect);
    }

    /// Frees a share of the budget, and the place with the last award that rests on it.
    fn free_quota(&mut self, offer: &OfferId, awards: i32, budget: Amount) {
        let held = self.wallet.awarded(offer, |slot| slot == Slot::Quota);
        let places = if awards > 0 && held == 1 { -1 } else { 0 };
        let (offer, budget) = (offer.clone(), Amount(-budget.0));
        self.note(Effect::Quota { offer, awards: -awards, places, budget });
    }

    /// Takes back what an event was counted for. Where too little of it is left, an award consumed
    /// it: the last awards are taken back, and what they consumed counts again.
    fn uncount(&mut self, offer: &OfferId, part: &Part, by: i64) -> Result<(), Refusal> {
        let count =
            |part: &Part, by| Effect::Count { offer: offer.clone(), part: part.clone(), by };
        while self.wallet.counted(offer, part) < by {
            let consumed = |award: &TallyAward| {
                award.offer == *offer && award.consumed.iter().any(|(known, _)| known == part)
            };
            let Some(at) = self.wallet.tally_awards.iter().rposition(consumed) else { break };
            let award = self.wallet.tally_awards[at].clone();
            self.claw_back(&award.lot, award.each)?;
            let last = award.times == 1;
            if let Some(slot) = award.slot.filter(|_| last) {
                self.note(Effect::Free { offer: offer.clone(), slot });
            }
            if award.place || !award.budget.is_zero() {
                self.free_quota(offer, i32::from(award.place && last), award.budget);
            }
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            self.note(Effect::Untallied { at });
            for (part, by) in award.last() {
                self.note(count(&part, by));
            }
        }
        let left = self.wallet.counted(offer, part).min(by);
        if left > 0 {
            self.note(count(part, -left));
        }
        Ok(())
    }

    /// Takes an award from its lot, then from the others, then as debt. An award whose lot has
    /// expired is gone already: taking it again would cost the participant twice.
    fn claw_back(&mut self, id: &LotId, amount: Amount) -> Result<(), Refusal> {
        let zone = self.programme.zone;
        if !id.is_live(self.now, zone) {
            return Ok(());
        }
        let of_balance = self.wallet.lots.iter().filter(|lot| lot.id.balance == id.balance);
        let others = of_balance.filter(|lot| lot.id != *id && lot.id.is_live(self.now, zone));
        let order: Vec<LotId> =
            std::iter::once(id.clone()).chain(others.map(|lot| lot.id.clone())).collect();
        let mut open = amount;
        for lot in order {
            let taken = open.min(self.wallet.held(&lot));
            if !taken.is_zero() {
                open = open.less(taken);
                self.note(Effect::ClawBack { lot, amount: taken });
            }
        }
        if open.is_zero() {
            return Ok(());
        }
        match self.programme.definition.debt_policy {
            DebtPolicy::Carry => {
                self.note(Effect::Owe { balance: id.balance.clone(), amount: open });
                Ok(())
            }
            DebtPolicy::Refuse => Err(Refusal::AwardSpent),
            DebtPolicy::WriteOff => Ok(()),
        }
    }
}
