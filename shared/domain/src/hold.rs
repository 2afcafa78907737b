//! Holds: funds set aside for a checkout, until they are spent, given back, or lapse.

mod plan;
mod time;

pub use plan::{HoldPlan, SettleAsked, plan_hold, plan_release, plan_settle};
pub use time::{HoldTime, HoldTimeError};

use std::borrow::Cow;

use chrono_tz::Tz;

use crate::amount::Amount;
use crate::cancel::make_up;
use crate::id::BalanceCode;
use crate::ledger::{Effect, LotId};
use crate::time::Instant;
use crate::wallet::Wallet;

/// Most holds of a wallet that are open at once.
pub const MAX_HOLDS: usize = 20;

/// Funds that are set aside: they are in no lot while the hold stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The ledger entry that made it.
    pub sequence: u64,
    /// From this time on it is over, whether or not the ledger says so already.
    pub lapses_at: Instant,
    /// What was taken from which lot, in the order in which it is spent; never nothing.
    pub takes: Vec<(LotId, Amount)>,
}

impl Hold {
    /// What it sets aside.
    pub fn amount(&self) -> Amount {
        Amount(self.takes.iter().map(|(_, amount)| amount.0).sum())
    }

    /// Of which balance.
    pub fn balance(&self) -> Option<&BalanceCode> {
        self.takes.first().map(|(lot, _)| &lot.balance)
    }

    /// Whether it stands at this time.
    pub fn is_open(&self, now: Instant) -> bool {
        now < self.lapses_at
    }
}

impl Wallet {
    /// The wallet as it is at this time: what lapsed holds had set aside is back in its lots,
    /// whether or not the ledger says so already.
    pub fn at(&self, now: Instant, zone: Tz) -> Cow<'_, Wallet> {
        let lapses = lapses(self, now, zone);
        if lapses.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut wallet = self.clone();
        lapses.iter().for_each(|effect| wallet.carry_out(effect));
        Cow::Owned(wallet)
    }

    /// What is set aside of a balance at this time.
    pub fn set_aside(&self, balance: &BalanceCode, now: Instant) -> Amount {
        let of_balance = |hold: &&Hold| hold.balance() == Some(balance) && hold.is_open(now);
        Amount(self.holds.iter().filter(of_balance).map(|hold| hold.amount().0).sum())
    }

    /// Whether a hold has lapsed or a lot has expired that the ledger does not say yet.
    pub fn has_something_over(&self, now: Instant, zone: Tz) -> bool {
        self.holds.iter().any(|hold| !hold.is_open(now))
            || self.lots.iter().any(|lot| !lot.id.is_live(now, zone))
    }

    /// A hold that stands at this time, by the entry that made it.
    pub fn open_hold(&self, sequence: u64, now: Instant) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.sequence == sequence && hold.is_open(now))
    }

    pub(crate) fn hold(&mut self, sequence: u64, lapses_at: Instant, lot: &LotId, amount: Amount) {
        let take = (lot.clone(), amount);
        match self.holds.iter_mut().find(|hold| hold.sequence == sequence) {
            Some(hold) => hold.takes.push(take),
            None => self.holds.push(Hold { sequence, lapses_at, takes: vec![take] }),
        }
    }

    pub(crate) fn let_go(&mut self, sequence: u64, lot: &LotId, amount: Amount) {
        let hold = self.holds.iter_mut().find(|hold| hold.sequence == sequence);
        if let Some(hold) = hold {
            for (_, held) in hold.takes.iter_mut().filter(|(of, _)| of == lot) {
                held.0 = held.0.saturating_sub(amount.0);
            }
            hold.takes.retain(|(_, held)| !held.is_zero());
        }
        self.holds.retain(|hold| !hold.takes.is_empty());
    }
}

/// What comes back because its hold lapsed.
pub fn lapses(wallet: &Wallet, now: Instant, zone: Tz) -> Vec<Effect> {
    let lapsed = wallet.holds.iter().filter(|hold| !hold.is_open(now));
    let back: Vec<_> = lapsed.flat_map(all_of).collect();
    if back.is_empty() { Vec::new() } else { give_back(wallet, now, zone, back) }
}

fn all_of(hold: &Hold) -> Vec<(u64, LotId, Amount)> {
    hold.takes.iter().map(|(lot, amount)| (hold.sequence, lot.clone(), *amount)).collect()
}

/// What comes back pays debt first, like an award; a lot that comes back only to expire pays none.
fn give_back(
    wallet: &Wallet,
    now: Instant,
    zone: Tz,
    back: Vec<(u64, LotId, Amount)>,
) -> Vec<Effect> {
    let mut wallet = wallet.clone();
    let mut effects = Vec::new();
    for (hold, lot, amount) in back.into_iter().filter(|(_, _, amount)| !amount.is_zero()) {
        let (live, owed) = (lot.is_live(now, zone), wallet.debt(&lot.balance));
        let debt = if live { owed.min(amount) } else { Amount::ZERO };
        let released = Effect::Release { hold, lot: lot.clone(), amount, debt };
        wallet.carry_out(&released);
        effects.push(released);
        if live {
            let made_up = make_up(&wallet, hold, &lot, amount.less(debt));
            made_up.iter().for_each(|effect| wallet.carry_out(effect));
            effects.extend(made_up);
        }
    }
    effects
}
