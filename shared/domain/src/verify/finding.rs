//! What verification finds: which two records do not agree, and where.

use super::Shared;
use crate::id::{EventId, ParticipantId};
use crate::pass::PassId;

/// Something that does not agree. It names ids alone: nothing personal, and no code of a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub kind: Disagreement,
    /// Whose ledger; none: of all.
    pub participant: Option<ParticipantId>,
    /// Sequence of the entry.
    pub entry: Option<u64>,
    pub other: Option<Other>,
    /// A sentence.
    pub detail: String,
}

/// A finding without its sentence.
pub type About<'a> = (Disagreement, Option<&'a ParticipantId>, Option<u64>, Option<&'a Other>);

/// What a ledger does not agree with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Other {
    Event(EventId),
    Pass(PassId),
    Shared(Shared),
}

macro_rules! disagreements {
    ($($(#[$doc:meta])* $name:ident => $code:literal,)*) => {
        /// How two records do not agree.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Disagreement {
            $($(#[$doc])* $name,)*
        }

        impl Disagreement {
            /// All of them.
            pub const ALL: &[Disagreement] = &[$(Disagreement::$name,)*];

            /// The stable code.
            pub fn code(self) -> &'static str {
                match self {
                    $(Disagreement::$name => $code,)*
                }
            }
        }
    };
}

disagreements! {
    /// A record that cannot be read.
    Unreadable => "unreadable",
    /// Entries, or a page of them, are not there.
    EntriesMissing => "entries_missing",
    /// A page, or the state, carries another hash than the page before it has.
    PageHash => "page_hash",
    /// A page has other entries than the state, or begins elsewhere than its key says.
    PageDiffers => "page_differs",
    /// An entry is older than the one before.
    TimeGoesBack => "time_goes_back",
    /// Two entries answer the same request.
    KeyTwice => "key_twice",
    /// An entry takes more than there is, less than nothing, or adds more than can be.
    Overdrawn => "overdrawn",
    /// Carrying out all entries comes to another wallet.
    StateDiffers => "state_differs",
    /// An entry names an event that is not there.
    EventMissing => "event_missing",
    /// An entry names an event of somebody else.
    EventOfAnother => "event_of_another",
    /// Entry and event tell differently what was awarded, spent or returned.
    EventDiffers => "event_differs",
    /// The event does not know an entry that names it.
    NotInEvent => "not_in_event",
    /// An event or a pass names an entry that is something else.
    NotInLedger => "not_in_ledger",
    /// Of an entry and what it is about, one says that it was taken back and the other does not.
    CancelDiffers => "cancel_differs",
    /// An entry names a pass that is not there.
    PassMissing => "pass_missing",
    /// Entry and pass tell differently what was redeemed.
    PassDiffers => "pass_differs",
    /// The pass does not know a redemption.
    NotInPass => "not_in_pass",
    /// An alias of the participant leads nowhere.
    AliasMissing => "alias_missing",
    /// An alias of the participant names somebody else.
    AliasOfAnother => "alias_of_another",
    /// All ledgers together took something else of a quota than it says.
    QuotaDiffers => "quota_differs",
    /// All ledgers together took something else of a coupon's stock than it says.
    StockDiffers => "stock_differs",
}

impl Other {
    /// The word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Other::Event(_) => "event",
            Other::Pass(_) => "pass",
            Other::Shared(Shared::Quota(_)) => "quota",
            Other::Shared(Shared::Stock(_)) => "stock",
        }
    }
}

impl Finding {
    /// What two looks that found the same have in common. What changes between two looks agrees at
    /// the second.
    pub fn about(&self) -> About<'_> {
        let Finding { kind, participant, entry, other, detail: _ } = self;
        (*kind, participant.as_ref(), *entry, other.as_ref())
    }
}
