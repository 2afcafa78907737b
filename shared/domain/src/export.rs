//! Exports: who is told of to an email platform, and what changed since it was told last.

use crate::id::ParticipantId;
use crate::participant::Participant;
use crate::schedule::Schedule;

/// The channel whose consent an export needs.
pub const CHANNEL: &str = "email";

/// Of what an export tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Of everybody.
    #[default]
    Full,
    /// Of what changed since the newest completed export of the segment in the dialect.
    Delta,
}

impl Mode {
    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Full => "full",
            Mode::Delta => "delta",
        }
    }
}

/// Whose import format the files have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    #[default]
    Canonical,
    Optimizely,
    Emarsys,
    Klaviyo,
    Braze,
    Mailchimp,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Dialect; 6] = [
        Dialect::Canonical,
        Dialect::Optimizely,
        Dialect::Emarsys,
        Dialect::Klaviyo,
        Dialect::Braze,
        Dialect::Mailchimp,
    ];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Canonical => "canonical",
            Dialect::Optimizely => "optimizely",
            Dialect::Emarsys => "emarsys",
            Dialect::Klaviyo => "klaviyo",
            Dialect::Braze => "braze",
            Dialect::Mailchimp => "mailchimp",
        }
    }
}

/// How a segment is exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportPlan {
    /// A full export that addresses a smaller share than this of whom the one before addressed,
    /// in per cent (0–100), is refused unless forced.
    pub at_least_percent: u8,
    /// When it is exported without being asked for.
    pub scheduled: Option<ScheduledExport>,
}

/// An export that starts by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledExport {
    pub schedule: Schedule,
    pub mode: Mode,
    pub dialect: Dialect,
}

/// Half of those before: less is more likely a mistake than a change.
pub const AT_LEAST_PERCENT: u8 = 50;

impl Default for ExportPlan {
    fn default() -> ExportPlan {
        ExportPlan { at_least_percent: AT_LEAST_PERCENT, scheduled: None }
    }
}

/// How a participant stands to an export of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A member who opted in and has an address.
    Addressed,
    /// Opted out, member or not: whoever writes to them must stop (suppression wins).
    Suppressed,
    /// A member without an opt-in.
    NoConsent,
    /// A member who opted in, with no address known.
    NoAddress,
    /// None of these.
    Stranger,
}

impl Standing {
    /// How a participant stands by the newest consent; whether a member, the segment says.
    pub fn of(participant: &Participant, is_member: bool) -> Standing {
        match participant.consents.get(CHANNEL) {
            Some(consent) if !consent.granted => Standing::Suppressed,
            _ if !is_member => Standing::Stranger,
            None => Standing::NoConsent,
            Some(_) if participant.profile.email.is_none() => Standing::NoAddress,
            Some(_) => Standing::Addressed,
        }
    }
}

/// What an export told of one participant, as far as the next one needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub participant: ParticipantId,
    /// Suppressed; else addressed.
    pub suppressed: bool,
    /// Of the row that was told, without its time.
    pub digest: u64,
    /// When the newest consent was given or withdrawn, in milliseconds since 1970.
    pub consent_at: i64,
}

/// What a row does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// Told for the first time, or opted in anew since; every addressed row of a full export.
    Add,
    /// Told before, with another row.
    Change,
    /// Not told of any more: neither addressed nor suppressed.
    Remove,
    /// Opted out.
    Suppress,
}

impl Op {
    /// All of them, in the order of files.
    pub const ALL: [Op; 4] = [Op::Add, Op::Change, Op::Remove, Op::Suppress];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Op::Add => "add",
            Op::Change => "change",
            Op::Remove => "remove",
            Op::Suppress => "suppress",
        }
    }

    /// What has to be told of a participant who was told of as `before`, and would now be as
    /// `now`. A full export passes no `before`.
    pub fn between(before: Option<&Told>, now: Option<&Told>) -> Option<Op> {
        match (before, now) {
            (None, None) => None,
            (Some(_), None) => Some(Op::Remove),
            (before, Some(now)) if now.suppressed => {
                let known = before.is_some_and(|told| told.suppressed && told.digest == now.digest);
                (!known).then_some(Op::Suppress)
            }
            (None, Some(_)) => Some(Op::Add),
            (Some(before), Some(now)) => {
                if before.suppressed || before.consent_at != now.consent_at {
                    return Some(Op::Add);
                }
                (before.digest != now.digest).then_some(Op::Change)
            }
        }
    }
}

/// Why a full export is not handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It addresses nobody.
    Empty,
    /// It addresses a smaller share of whom the one before addressed than the segment allows.
    Shrunk,
}

impl ExportPlan {
    /// What speaks against a full export that addresses so many, after one that addressed
    /// `before`.
    pub fn doubt(&self, addressed: u64, before: Option<u64>) -> Option<Doubt> {
        if addressed == 0 {
            return Some(Doubt::Empty);
        }
        let least = u128::from(before?) * u128::from(self.at_least_percent);
        (u128::from(addressed) * 100 < least).then_some(Doubt::Shrunk)
    }
}
