//! Nameless wallets: looked at by whoever holds the pass, and registered.

use domain::id::ParticipantId;
use domain::participant::Participant;
use domain::pass::{Pass, PassPlan};
use domain::programme::Programme;
use domain::time::Instant;
use domain::wallet::Wallet;
use serde::Serialize;

use crate::answer::participant::{ParticipantAnswer, participant};
use crate::answer::pass::{PassView, pass_view};
use crate::answer::{BalanceAnswer, balances, transaction_code};

/// A pass with its nameless wallet, while it has one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PassSeenAnswer {
    #[serde(flatten)]
    pub pass: PassView,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balances: Option<Vec<BalanceAnswer>>,
}

/// The answer to the registration of a nameless wallet. What is known of a participant is personal,
/// so it has no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct RegisteredAnswer {
    pub transaction: String,
    #[serde(flatten)]
    pub participant: ParticipantAnswer,
    pub balances: Vec<BalanceAnswer>,
    pub repeated: bool,
}

/// Shows a pass to who holds it.
pub fn pass_seen(
    programme: &Programme,
    plan: &PassPlan,
    pass: &Pass,
    wallet: Option<(&ParticipantId, &Wallet)>,
    now: Instant,
) -> PassSeenAnswer {
    PassSeenAnswer {
        pass: pass_view(programme, plan, pass, now),
        participant_id: wallet.map(|(id, _)| id.to_string()),
        balances: wallet.map(|(_, wallet)| balances(programme, wallet, now)),
    }
}

/// Answers the registration of a nameless wallet.
pub fn registered(
    programme: &Programme,
    (id, known): (&ParticipantId, &Participant),
    sequence: u64,
    wallet: &Wallet,
    now: Instant,
    repeated: bool,
) -> RegisteredAnswer {
    RegisteredAnswer {
        transaction: transaction_code(id, sequence),
        participant: participant(id, known, programme.zone),
        balances: balances(programme, wallet, now),
        repeated,
    }
}
