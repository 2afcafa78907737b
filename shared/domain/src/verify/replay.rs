//! Carrying out all entries from nothing, and what that comes to.

use super::{Check, Disagreement};
use crate::amount::Amount;
use crate::id::BalanceCode;
use crate::ledger::{Effect, Entry, LotId};
use crate::wallet::Wallet;

impl Check {
    /// Carries out an entry as [`Wallet::enter`] does, and looks at each step.
    pub(super) fn replay(&mut self, entry: &Entry) {
        let wanted = self.wallet.length + 1;
        if self.broken || entry.sequence != wanted {
            if !self.broken {
                let said = format!("After entry {} comes {}.", wanted - 1, entry.sequence);
                self.find(Disagreement::EntriesMissing, Some(wanted), None, said);
            }
            self.broken = true;
            return;
        }
        let at = Some(entry.sequence);
        if entry.at < self.wallet.time {
            let said = "It is older than the one before.";
            self.find(Disagreement::TimeGoesBack, at, None, said);
        }
        if !self.keys.insert(entry.key.clone()) {
            let said = "Another entry answers the same request.";
            self.find(Disagreement::KeyTwice, at, None, said);
        }
        self.wallet.begin(entry);
        for effect in &entry.effects {
            // Against what is there before it.
            if let Some(short) = short_of(&self.wallet, effect) {
                self.find(Disagreement::Overdrawn, at, None, short);
            }
            self.wallet.carry_out(effect);
        }
        self.verified.entries += 1;
    }

    pub(super) fn against_state(&mut self, state: &Wallet) {
        if self.broken {
            return;
        }
        if state.length != self.wallet.length {
            let (there, wanted) = (self.wallet.length, state.length);
            let said = format!("The state counts {wanted} entries, of which {there} are there.");
            let first = there.min(wanted) + 1;
            self.find(Disagreement::EntriesMissing, Some(first), None, said);
            self.broken = true;
            return;
        }
        let parts = differing(state, &self.wallet);
        if !parts.is_empty() {
            let said = format!("The entries come to other {} than the state.", parts.join(", "));
            self.find(Disagreement::StateDiffers, None, None, said);
        }
        let lots = state.lots.iter().map(|lot| lot.amount);
        if lots.chain(state.debts.iter().map(|(_, owed)| *owed)).any(|amount| amount.0 <= 0) {
            let said = "The state has a lot or a debt of nothing or less.";
            self.find(Disagreement::Overdrawn, None, None, said);
        }
    }
}

/// What an effect takes more than there is, or adds more than can be.
fn short_of(wallet: &Wallet, effect: &Effect) -> Option<String> {
    let lot = |id: &LotId, amount: &Amount| {
        let held = wallet.held(id);
        let said = || format!("It takes {} of a lot that holds {}.", amount.0, held.0);
        (!(Amount::ZERO..=held).contains(amount)).then(said)
    };
    let debt = |balance: &BalanceCode, paid: &Amount| {
        let owed = wallet.debt(balance);
        let said = || format!("It pays {} of a debt of {}.", paid.0, owed.0);
        (!(Amount::ZERO..=owed).contains(paid)).then(said)
    };
    let more = |there: Amount, by: &Amount| {
        let said = || format!("It adds {} to {}.", by.0, there.0);
        (by.0 < 0 || there.0.checked_add(by.0).is_none()).then(said)
    };
    let held = |hold: &u64, id: &LotId, amount: &Amount| {
        let open = wallet.holds.iter().find(|known| known.sequence == *hold);
        let takes = open.iter().flat_map(|open| &open.takes).filter(|(lot, _)| lot == id);
        let there = takes.fold(0_i64, |sum, (_, amount)| sum.saturating_add(amount.0));
        let said = || format!("It takes {} of a hold of {there}.", amount.0);
        (!(0..=there).contains(&amount.0)).then(said)
    };
    match effect {
        Effect::Take { lot: id, amount }
        | Effect::ClawBack { lot: id, amount }
        | Effect::Expire { lot: id, amount }
        | Effect::Hold { lot: id, amount, .. } => lot(id, amount),
        Effect::Award { lot, amount, debt: paid, .. }
        | Effect::Return { lot, amount, debt: paid } => {
            debt(&lot.balance, paid).or_else(|| more(wallet.held(lot), amount))
        }
        Effect::Owe { balance, amount } if amount.0 < 0 => {
            debt(balance, &Amount(amount.0.saturating_neg()))
        }
        Effect::Owe { balance, amount } => more(wallet.debt(balance), amount),
        Effect::TakeHeld { hold, lot, amount } => held(hold, lot, amount),
        Effect::Release { hold, lot, amount, debt: paid } => {
            let paid = || debt(&lot.balance, paid).or_else(|| more(wallet.held(lot), amount));
            held(hold, lot, amount).or_else(paid)
        }
        Effect::Free { .. }
        | Effect::Counted { .. }
        | Effect::Count { .. }
        | Effect::Tallied(_)
        | Effect::Untallied { .. }
        | Effect::Quota { .. }
        | Effect::Merge { .. }
        | Effect::Activity(_)
        | Effect::Seen { .. }
        | Effect::Block { .. }
        | Effect::Gone { .. }
        | Effect::WriteOff { .. }
        | Effect::Discount { .. }
        | Effect::Nameless { .. }
        | Effect::Registered
        | Effect::Merged { .. }
        | Effect::Activate(_)
        | Effect::Deactivate(_)
        | Effect::Issue { .. }
        | Effect::Erase
        | Effect::Watched { .. }
        | Effect::Unwatched { .. }
        | Effect::Bought { .. } => None,
    }
}

/// The parts in which two wallets are not the same, to the last bit.
fn differing(one: &Wallet, other: &Wallet) -> Vec<&'static str> {
    // All of them by name, so that none is forgotten that comes later.
    let Wallet {
        length,
        time,
        lots,
        debts,
        written_off,
        blocked,
        erased,
        counters,
        tallies,
        tally_awards,
        activity,
        last_event,
        holds,
        nameless,
        merged_into,
        activations,
        watched,
        days,
    } = one;
    let parts = [
        ("length", *length == other.length),
        ("time", *time == other.time),
        ("lots", *lots == other.lots),
        ("debts", *debts == other.debts),
        ("amounts written off", *written_off == other.written_off),
        ("block of spending", *blocked == other.blocked),
        ("mark of erasure", *erased == other.erased),
        ("counters", *counters == other.counters),
        ("tallies", *tallies == other.tallies),
        ("awards of tallies", *tally_awards == other.tally_awards),
        ("activity", *activity == other.activity),
        ("newest event", *last_event == other.last_event),
        ("holds", *holds == other.holds),
        ("nameless pass", *nameless == other.nameless),
        ("merge", *merged_into == other.merged_into),
        ("activations", *activations == other.activations),
        ("watched things", *watched == other.watched),
        ("purchases by day", *days == other.days),
    ];
    parts.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
}
