//! Segments: predicates over consent and wallet. Further predicates join here.

use chrono_tz::Tz;

use crate::amount::Amount;
use crate::id::{BalanceCode, SegmentId};
use crate::participant::{Channel, Participant};
use crate::time::Instant;
use crate::wallet::Wallet;

/// A named set of participants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub id: SegmentId,
    pub members: Predicate,
}

/// What members have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Predicate {
    All(Vec<Predicate>),
    /// Opted in to the channel.
    Consent(Channel),
    /// At least this much available.
    BalanceAtLeast {
        balance: BalanceCode,
        amount: Amount,
    },
}

impl Predicate {
    /// Whether a participant is a member at this time.
    pub fn holds(
        &self,
        participant: &Participant,
        wallet: &Wallet,
        now: Instant,
        zone: Tz,
    ) -> bool {
        match self {
            Predicate::All(all) => all.iter().all(|p| p.holds(participant, wallet, now, zone)),
            Predicate::Consent(channel) => participant.consents_to(channel),
            Predicate::BalanceAtLeast { balance, amount } => {
                wallet.available(balance, now, zone) >= *amount
            }
        }
    }
}
