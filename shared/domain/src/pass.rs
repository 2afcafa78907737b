//! Passes: what is kept of one.

mod code;
mod nameless;
mod plan;
mod print;
mod promotion;
mod state;
pub(crate) mod symbols;

use std::fmt;

use crate::amount::Amount;
use crate::id::{Key, ParticipantId, PlanId};
use crate::ledger::PayloadHash;
use crate::time::{Day, Instant};

pub use code::{
    CODE_LENGTH, Generation, PIN_DIGITS, PassCode, PassKeys, PlanKey, SERIALS, Told, code_prefix,
    issued_serial,
};
pub use plan::{
    MAX_USES, PassFormat, PassPlan, PassType, PassValue, PassWindow, PlanStart, Printed,
};
pub use promotion::{
    Activation, CodeShown, Issuing, PassGiven, PassShown, Promotion, Shown, purchase_key, show_code,
};
pub use state::{MAX_CHANGES, MAX_TRIES, PassState, PassUpdate, StateAsked};

/// Names a pass; unlike its code it is no secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PassId {
    pub plan: PlanId,
    /// Below [`SERIALS`].
    pub serial: u64,
}

/// A pass, as far as it differs from what its plan says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    pub id: PassId,
    /// The key that made its code.
    pub generation: Generation,
    pub origin: Origin,
    /// What it credits each time, where that was chosen for it.
    pub value: Option<Amount>,
    pub loaded: Option<Loaded>,
    /// The last day on which it can be redeemed, where that was changed.
    pub until: Option<Day>,
    pub mark: Option<Mark>,
    /// PINs that were tried since the last right one.
    pub tries: u8,
    /// The keyed hash of a PIN that was chosen for it.
    pub chosen_pin: Option<[u8; 16]>,
    /// Oldest first.
    pub redemptions: Vec<Redemption>,
    /// Who changed it, oldest first: at most [`MAX_CHANGES`].
    pub changes: Vec<Change>,
}

/// How a pass came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Issued(Issued),
    /// With its plan's others.
    Printed {
        at: Instant,
    },
}

/// The issue of an electronic pass.
#[derive(Clone, PartialEq, Eq)]
pub struct Issued {
    /// What asked for it: the same key is answered with the same pass.
    pub key: Key,
    pub payload: PayloadHash,
    pub at: Instant,
    pub recipient: Option<Box<str>>,
    pub channel: Option<Box<str>>,
}

/// Whom it is for is personal, so it is never logged.
impl fmt::Debug for Issued {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Issued").field("at", &self.at).finish_non_exhaustive()
    }
}

/// A request for a pass; whom it is for is personal, so it has no `Debug`.
#[derive(Clone)]
pub struct Issue {
    pub key: Key,
    pub payload: PayloadHash,
    /// Of the key that makes its code.
    pub generation: Generation,
    /// Where the plan lets it be chosen.
    pub value: Option<Amount>,
    pub recipient: Option<Box<str>>,
    pub channel: Option<Box<str>>,
}

/// The loading of a pass at its sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    pub key: Key,
    pub payload: PayloadHash,
    pub at: Instant,
}

/// What an operator made of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Void,
    Locked,
}

/// How a pass was redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redemption {
    pub key: Key,
    pub payload: PayloadHash,
    pub participant: ParticipantId,
    /// The ledger entry.
    pub sequence: u64,
    pub amount: Amount,
    /// The last day of the lot that was credited.
    pub expires: Option<Day>,
    /// Whether it was taken back.
    pub cancelled: bool,
}

/// A change of a pass, with who made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub at: Instant,
    /// The subject of the token.
    pub who: Box<str>,
    pub kind: ChangeKind,
}

/// What was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Loaded,
    Usable,
    Void,
    Locked,
    Until(Day),
    Value(Amount),
    Pin,
    /// The redemption with this number, from 0, was taken back.
    TakenBack(u32),
}

impl Pass {
    /// A pass that nobody touched.
    pub fn untouched(id: PassId, generation: Generation, origin: Origin) -> Pass {
        Pass {
            id,
            generation,
            origin,
            value: None,
            loaded: None,
            until: None,
            mark: None,
            tries: 0,
            chosen_pin: None,
            redemptions: Vec::new(),
            changes: Vec::new(),
        }
    }
}
