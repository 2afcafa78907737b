//! Cancels of events, whole, in part, and before the event arrived.

use domain::event::RecordedEvent;
use domain::id::{EventId, ParticipantId};
use domain::programme::Programme;
use domain::returns::{Return, ReturnedLine};
use domain::time::Instant;
use domain::wallet::Wallet;
use serde::Serialize;

use crate::answer::{BalanceAnswer, EventView, balances, event_only, transaction_code};

/// One cancel of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReturnView {
    pub transaction: String,
    /// What came back; left out: all that was left.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<ReturnedLineView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// So many pieces of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReturnedLineView {
    pub index: u16,
    pub quantity: u32,
}

/// The answer to the cancel of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CancelEventAnswer {
    pub event: EventView,
    pub transaction: String,
    pub balances: Vec<BalanceAnswer>,
    pub repeated: bool,
}

pub(super) fn return_view(participant: &ParticipantId, back: &Return) -> ReturnView {
    let line =
        |line: &ReturnedLine| ReturnedLineView { index: line.index, quantity: line.quantity };
    ReturnView {
        transaction: transaction_code(participant, back.sequence),
        lines: back.lines.iter().map(line).collect(),
        reason: back.reason.as_deref().map(Into::into),
    }
}

/// Answers the cancel of an event; `sequence` is that of its ledger entry.
pub fn cancel_event(
    programme: &Programme,
    recorded: &RecordedEvent,
    sequence: u64,
    wallet: &Wallet,
    now: Instant,
    repeated: bool,
) -> CancelEventAnswer {
    CancelEventAnswer {
        event: event_only(programme, recorded),
        transaction: transaction_code(&recorded.event.participant, sequence),
        balances: balances(programme, wallet, now),
        repeated,
    }
}

/// The answer to the cancel of an event that has not arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CancelAheadAnswer {
    pub event_id: String,
    pub state: &'static str,
    pub repeated: bool,
}

/// Answers the cancel of an event that has not arrived, and will be refused.
pub fn cancel_ahead(event: &EventId, repeated: bool) -> CancelAheadAnswer {
    CancelAheadAnswer { event_id: event.to_string(), state: "cancelled", repeated }
}
