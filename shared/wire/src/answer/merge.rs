//! Merges of duplicates.

use domain::id::ParticipantId;
use domain::programme::Programme;
use domain::time::Instant;
use domain::wallet::Wallet;
use serde::Serialize;

use crate::answer::{BalanceAnswer, balances, transaction_code};

/// The answer to a merge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MergeAnswer {
    /// In the duplicate's ledger.
    pub transaction: String,
    /// Who got it all.
    pub participant_id: String,
    pub duplicate: String,
    /// Of who got it all, as they are today.
    pub balances: Vec<BalanceAnswer>,
    pub repeated: bool,
}

/// Answers a merge; `sequence` is that of the entry in the duplicate's ledger, the wallet that of
/// who got it all.
pub fn merge(
    programme: &Programme,
    (duplicate, sequence): (&ParticipantId, u64),
    (into, wallet): (&ParticipantId, &Wallet),
    now: Instant,
    repeated: bool,
) -> MergeAnswer {
    MergeAnswer {
        transaction: transaction_code(duplicate, sequence),
        participant_id: into.to_string(),
        duplicate: duplicate.to_string(),
        balances: balances(programme, wallet, now),
        repeated,
    }
}
