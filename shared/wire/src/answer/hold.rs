//! Holds and their releases; a settled hold is answered as the spend that it is.

use domain::amount::Amount;
use domain::id::{BalanceCode, ParticipantId};
use domain::ledger::HoldMade;
use domain::programme::Programme;
use domain::time::{Instant, show_instant};
use domain::wallet::Wallet;
use serde::Serialize;

use crate::answer::{BalanceAnswer, balances, transaction_code};

/// The answer to a hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HoldAnswer {
    /// Its transaction code, by which it is settled or released.
    pub hold: String,
    pub balance: String,
    pub held: String,
    pub lapses_at: String,
    pub balances: Vec<BalanceAnswer>,
    pub repeated: bool,
}

/// The answer to the release of a hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReleaseAnswer {
    pub transaction: String,
    pub hold: String,
    pub balance: String,
    /// What came back, part of it perhaps to pay debt.
    pub released: String,
    pub balances: Vec<BalanceAnswer>,
    pub repeated: bool,
}

/// Answers a hold; `sequence` is that of its ledger entry.
pub fn hold(
    programme: &Programme,
    participant: &ParticipantId,
    sequence: u64,
    made: &HoldMade,
    wallet: &Wallet,
    now: Instant,
    repeated: bool,
) -> HoldAnswer {
    HoldAnswer {
        hold: transaction_code(participant, sequence),
        balance: made.spend.balance.to_string(),
        held: programme.show(&made.spend.balance, made.spend.spent),
        lapses_at: show_instant(made.lapses_at, programme.zone),
        balances: balances(programme, wallet, now),
        repeated,
    }
}

/// Answers a release: `sequence` is that of the release, `hold` of the hold.
pub fn release(
    programme: &Programme,
    participant: &ParticipantId,
    (sequence, hold): (u64, u64),
    (balance, released): (&BalanceCode, Amount),
    wallet: &Wallet,
    now: Instant,
    repeated: bool,
) -> ReleaseAnswer {
    ReleaseAnswer {
        transaction: transaction_code(participant, sequence),
        hold: transaction_code(participant, hold),
        balance: balance.to_string(),
        released: programme.show(balance, released),
        balances: balances(programme, wallet, now),
        repeated,
    }
}
