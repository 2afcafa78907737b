//! Taking back: spends return to their lots, awards are clawed back, limits freed.

mod part;

pub use part::TakeBack;

use crate::amount::Amount;
use crate::id::{BalanceCode, OfferId};
use crate::ledger::{Effect, Entry, LotId, Slot};
use crate::programme::{DebtPolicy, Programme};
use crate::refusal::Refusal;
use crate::tally::{Part, TallyAward};
use crate::time::Instant;
use crate::wallet::{Wallet, WrittenOff};

/// The effects that take it back; `expired` is what this command lets expire first. Spends come
/// back first, so that an award which was spent on the same purchase is found in its lot again.
pub fn take_back(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    back: &TakeBack<'_>,
    expired: &[Entry],
) -> Result<Vec<Effect>, Refusal> {
    let (wallet, entry) = (wallet.clone(), wallet.length + 1);
    let history = back.later.iter().chain(expired).collect();
    let mut reversal = Reversal { programme, wallet, now, entry, history, effects: Vec::new() };
    for entry in back.entries {
        for (taken, lot, amount) in back.spend(entry) {
            reversal.give_back(taken, lot, amount);
        }
    }
    for entry in back.entries {
        // What accumulating offers awarded goes back by what they counted, not by the event.
        let direct = |offer: &OfferId| {
            !entry
                .effects
                .iter()
                .any(|effect| matches!(effect, Effect::Tallied(award) if award.offer == *offer))
        };
        for effect in &entry.effects {
            if let Effect::Award { offer, lot, amount, slot, .. } = effect
                && offer.as_ref().is_none_or(direct)
            {
                let amount = back.award(entry, offer.as_ref(), *amount);
                reversal.claw_back(entry.sequence, lot, amount)?;
                if let (Some(offer), Some(slot), true) = (offer, slot, back.is_whole()) {
                    reversal.note(Effect::Free { offer: offer.clone(), slot: *slot });
                }
            }
            if let Effect::Discount { offer, slot: Some(slot), .. }
            | Effect::Issue { offer, slot: Some(slot), .. } = effect
                && back.is_whole()
            {
                reversal.note(Effect::Free { offer: offer.clone(), slot: *slot });
            }
            if let Effect::Activate(activation) = effect
                && back.is_whole()
            {
                reversal.note(Effect::Deactivate(activation.clone()));
            }
            if let Effect::Quota { offer, awards, budget, .. } = effect
                && direct(offer)
            {
                let awards = if back.is_whole() { *awards } else { 0 };
                let used = !budget.is_zero();
                let budget = if used { back.award(entry, Some(offer), *budget) } else { *budget };
                reversal.free_quota(offer, awards, budget);
            }
            if let Effect::Activity(activity) = effect {
                let activity = back.activity(entry, activity);
                if !activity.is_nothing() {
                    reversal.note(Effect::Activity(activity));
                }
            }
            if let Effect::Bought { day, by } = effect
                && back.is_whole()
            {
                reversal.note(Effect::Bought { day: *day, by: -by });
            }
            if let Effect::Watched { watch, month, by, lines } = effect
                && back.leaves_nothing(lines)
            {
                let (watch, month, by, lines) = (watch.clone(), *month, -by, Vec::new());
                reversal.note(Effect::Watched { watch, month, by, lines });
            }
        }
    }
    for entry in back.entries {
        for effect in &entry.effects {
            if let Effect::Counted { offer, part, by, counts, lines } = effect {
                let by = back.counted(*counts, lines, *by);
                reversal.uncount(entry.sequence, offer, part, by)?;
            }
        }
    }
    Ok(reversal.effects)
}

/// What came back to a live lot makes up for what was written off since the entry that had taken
/// it, the oldest first.
pub(crate) fn make_up(wallet: &Wallet, since: u64, lot: &LotId, amount: Amount) -> Vec<Effect> {
    let (mut open, mut effects) = (amount, Vec::new());
    let later = |known: &&WrittenOff| known.entry > since && known.balance == lot.balance;
    for known in wallet.written_off.iter().filter(later) {
        let made_up = known.amount.min(open);
        if !made_up.is_zero() {
            open = open.less(made_up);
            effects.push(Effect::ClawBack { lot: lot.clone(), amount: made_up });
            let (balance, entry) = (known.balance.clone(), known.entry);
            effects.push(Effect::WriteOff { balance, entry, amount: Amount(-made_up.0) });
        }
    }
    effects
}

struct Reversal<'a> {
    programme: &'a Programme,
    wallet: Wallet,
    now: Instant,
    /// Sequence of the entry that takes back.
    entry: u64,
    /// Entries of the ledger, as far back as they are needed, oldest first.
    history: Vec<&'a Entry>,
    effects: Vec<Effect>,
}

impl Reversal<'_> {
    fn note(&mut self, effect: Effect) {
        self.wallet.carry_out(&effect);
        self.effects.push(effect);
    }

    /// Frees a share of the budget, and the place with the last award that rests on it.
    fn free_quota(&mut self, offer: &OfferId, awards: i32, budget: Amount) {
        if awards == 0 && budget.is_zero() {
            return;
        }
        let held = self.wallet.awarded(offer, |slot| slot == Slot::Quota);
        let places = if awards > 0 && held == 1 { -1 } else { 0 };
        let (offer, budget) = (offer.clone(), Amount(-budget.0));
        self.note(Effect::Quota { offer, awards: -awards, places, budget });
    }

    /// Takes back what an event was counted for. Where too little of it is left, an award consumed
    /// it: the last awards are taken back, and what they consumed counts again.
    fn uncount(
        &mut self,
        sequence: u64,
        offer: &OfferId,
        part: &Part,
        by: i64,
    ) -> Result<(), Refusal> {
        let count =
            |part: &Part, by| Effect::Count { offer: offer.clone(), part: part.clone(), by };
        while self.wallet.counted(offer, part) < by {
            let consumed = |award: &TallyAward| {
                award.offer == *offer && award.consumed.iter().any(|(known, _)| known == part)
            };
            let Some(at) = self.wallet.tally_awards.iter().rposition(consumed) else { break };
            let award = self.wallet.tally_awards[at].clone();
            // It was awarded with this event or after it.
            self.claw_back(sequence, &award.lot, award.each)?;
            let last = award.times == 1;
            if let Some(slot) = award.slot.filter(|_| last) {
                self.note(Effect::Free { offer: offer.clone(), slot });
            }
            self.free_quota(offer, i32::from(award.place && last), award.budget);
            self.note(Effect::Untallied { at: u32::try_from(at).unwrap_or(u32::MAX) });
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

    fn is_live(&self, lot: &LotId) -> bool {
        lot.is_live(self.now, self.programme.zone)
    }

    /// Gives back what the entry with this sequence took from a lot. It pays debt, and makes up for
    /// what was written off since, the oldest first: later spends make up for what came later. What
    /// comes back only to expire does neither.
    fn give_back(&mut self, taken: u64, lot: &LotId, amount: Amount) {
        let live = self.is_live(lot);
        let owed = if live { self.wallet.debt(&lot.balance) } else { Amount::ZERO };
        let debt = owed.min(amount);
        self.note(Effect::Return { lot: lot.clone(), amount, debt });
        if live {
            let effects = make_up(&self.wallet, taken, lot, amount.less(debt));
            effects.into_iter().for_each(|effect| self.note(effect));
        }
    }

    /// Takes an award from its lot, then from the others, then as the programme says. What expired
    /// of its lot unspent is gone already, and is taken for no second award.
    fn claw_back(&mut self, sequence: u64, id: &LotId, amount: Amount) -> Result<(), Refusal> {
        let mut open = amount;
        for lot in self.homes(sequence, id) {
            open = self.take(&lot, open);
            let gone = if self.is_live(&lot) { Amount::ZERO } else { self.gone(&lot).min(open) };
            if !gone.is_zero() {
                open = open.less(gone);
                self.note(Effect::Gone { lot, amount: gone });
            }
        }
        let lots = self.wallet.lots.iter().filter(|lot| lot.id.balance == id.balance);
        let others = lots.filter(|lot| self.is_live(&lot.id)).map(|lot| lot.id.clone());
        for lot in others.collect::<Vec<LotId>>() {
            open = self.take(&lot, open);
        }
        if open.is_zero() { Ok(()) } else { self.fall_short(&id.balance, open) }
    }

    /// Takes what a lot holds; answers what is still open.
    fn take(&mut self, lot: &LotId, open: Amount) -> Amount {
        let taken = open.min(self.wallet.held(lot));
        if !taken.is_zero() {
            self.note(Effect::ClawBack { lot: lot.clone(), amount: taken });
        }
        open.less(taken)
    }

    fn fall_short(&mut self, balance: &BalanceCode, amount: Amount) -> Result<(), Refusal> {
        let balance = balance.clone();
        match self.programme.definition.debt_policy {
            DebtPolicy::Carry => self.note(Effect::Owe { balance, amount }),
            DebtPolicy::Refuse => return Err(Refusal::AwardSpent),
            DebtPolicy::WriteOff => {
                let entry = self.entry;
                self.note(Effect::WriteOff { balance, entry, amount });
            }
        }
        Ok(())
    }

    /// The lot of an award and those that it was merged into since, the newest first.
    fn homes(&self, sequence: u64, id: &LotId) -> Vec<LotId> {
        let mut homes = vec![id.clone()];
        let since = self.history.iter().filter(|entry| entry.sequence >= sequence);
        for effect in since.flat_map(|entry| &entry.effects) {
            if let Effect::Merge { from, into } = effect
                && homes.last() == Some(from)
            {
                homes.push(into.clone());
            }
        }
        homes.reverse();
        homes
    }

    /// What expired of a lot unspent, less what cancelled awards found gone before.
    fn gone(&self, id: &LotId) -> Amount {
        let earlier = self.history.iter().flat_map(|entry| &entry.effects);
        let mut gone = 0;
        for effect in earlier.chain(&self.effects) {
            if let Effect::Expire { lot, amount } = effect
                && lot == id
            {
                gone += amount.0;
            }
            if let Effect::Gone { lot, amount } = effect
                && lot == id
            {
                gone -= amount.0;
            }
        }
        Amount(gone)
    }
}
