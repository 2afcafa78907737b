//! Adjustments.

use domain::id::ParticipantId;
use domain::programme::Programme;
use domain::time::Instant;
use domain::wallet::Wallet;
use serde::Serialize;

use crate::answer::{BalanceAnswer, balances, transaction_code};

/// The answer to an adjustment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdjustAnswer {
    pub transaction: String,
    pub balances: Vec<BalanceAnswer>,
    pub repeated: bool,
}

/// Answers an adjustment; `sequence` is that of its ledger entry.
pub fn adjust(
    programme: &Programme,
    participant: &ParticipantId,
    sequence: u64,
    wallet: &Wallet,
    now: Instant,
    repeated: bool,
) -> AdjustAnswer {
    AdjustAnswer {
        transaction: transaction_code(participant, sequence),
        balances: balances(programme, wallet, now),
        repeated,
    }
}
