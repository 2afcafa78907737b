//! Cancelling: spends go back to their lots, awards are clawed back, limits are freed.

use crate::amount::Amount;
use crate::ledger::{Effect, Entry, LotId};
use crate::programme::{DebtPolicy, Programme};
use crate::refusal::Refusal;
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
        if let Effect::Take { lot, amount } | Effect::TakeHeld { lot, amount, .. } = effect {
            // What comes back only to expire pays no debt.
            let live = lot.is_live(now, programme.zone);
            let owed = if live { reversal.wallet.debt(&lot.balance) } else { Amount::ZERO };
            let debt = owed.min(*amount);
            reversal.note(Effect::Return { lot: lot.clone(), amount: *amount, debt });
        }
    }
    for effect in effects() {
        if let Effect::Award { offer, lot, amount, slot, .. } = effect {
            reversal.claw_back(lot, *amount)?;
            if let (Some(offer), Some(slot)) = (offer, slot) {
                reversal.note(Effect::Free { offer: offer.clone(), slot: *slot });
            }
        }
        if let Effect::Activity { month, purchases, amount } = effect {
            let (purchases, amount) = (-purchases, Amount(-amount.0));
            reversal.note(Effect::Activity { month: *month, purchases, amount });
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
