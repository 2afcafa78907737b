//! What a store call can answer instead of its value.

use domain::refusal::Refusal;
use thiserror::Error;

/// The programme's no, a caller's mistake, or a failure.
#[derive(Debug, Error)]
pub enum Error {
    /// The programme's no: an answer.
    #[error("{0}")]
    Refused(Refusal),
    #[error("there is no such {}", .0.name())]
    NotFound(Noun),
    #[error("this key or reference was used with another payload")]
    KeyReused,
    #[error("the key's time is more than five minutes ahead")]
    KeyInFuture,
    /// Rivals kept winning; safe to try again with the same key.
    #[error("too many requests for this wallet at once")]
    Contended,
    /// The table did not answer; what was asked may have happened. Safe to try again with the
    /// same key.
    #[error("the table did not answer: {0}")]
    Unavailable(String),
    /// An item is not what this code wrote. Never guessed at.
    #[error("item cannot be read: {0}")]
    Corrupt(&'static str),
}

/// What was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    Participant,
    Event,
    Transaction,
    Pass,
    PassPlan,
    Programme,
    Run,
    Segment,
    Export,
    Hold,
    Feed,
    Conversion,
    Verification,
    Coupon,
}

impl Noun {
    /// The word in codes: `participant_not_found`.
    pub fn name(self) -> &'static str {
        match self {
            Noun::Participant => "participant",
            Noun::Event => "event",
            Noun::Transaction => "transaction",
            Noun::Pass => "pass",
            Noun::PassPlan => "pass_plan",
            Noun::Programme => "programme",
            Noun::Run => "run",
            Noun::Segment => "segment",
            Noun::Export => "export",
            Noun::Hold => "hold",
            Noun::Feed => "feed",
            Noun::Conversion => "conversion",
            Noun::Verification => "verification",
            Noun::Coupon => "coupon",
        }
    }
}

/// The result of a store call.
pub type Result<T> = std::result::Result<T, Error>;
