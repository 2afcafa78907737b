//! Conversions of points into money, one commit for each wallet, and what was paid out of them as the
//! ledgers tell it.

use domain::apply::{Command, Outcome, apply, settle_up};
use domain::conversion::{Conversion, ConversionMade, plan_conversion};
use domain::id::ParticipantId;
use domain::ledger::{Entry, EntryKey, PayloadHash};
use domain::programme::Programme;
use domain::time::Instant;
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::commit::{Done, Operation, Proposal, Step, decision_time};
use crate::error::{Error, Result};
use crate::export::ExportFile;
use crate::ledger::{Ledger, Reach, SKEW_MINUTES};
use crate::member::Member;

/// A conversion at its scheduled time.
#[derive(Clone, Copy, Debug)]
pub struct Converting<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub conversion: &'a Conversion,
    /// The scheduled time: nothing was converted for it earlier.
    pub at: Instant,
}

/// A conversion that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The ledger entry.
    pub sequence: u64,
    pub made: ConversionMade,
}

/// Money that is paid to a participant. The reference stands for an account, so it is never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Payout {
    pub participant: ParticipantId,
    /// As the profile says when it is read; none: it was withdrawn since.
    pub reference: Option<Box<str>>,
    pub converted: Converted,
}

/// What is to be done about a participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prospect {
    /// There is something to convert: so much, as things are.
    Due(ConversionMade),
    /// There would be, but nobody knows where to pay it.
    NoReference,
    /// There is nothing to convert.
    Nothing,
}

/// What a run came to in a shard, or in all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversionCounts {
    /// Wallets that it looked at.
    pub wallets: u64,
    pub converted: u64,
    /// In the minor units of the balance.
    pub points: i64,
    /// In the minor units of what they were turned into.
    pub money: i64,
    /// Participants who had enough, but no payout reference.
    pub without_reference: u64,
    /// Wallets that could not be read or written; they are left to the next scheduled time.
    pub failed: u64,
}

/// How far a shard of a conversion is, besides the participants that it has gone over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversionProgress {
    pub counts: ConversionCounts,
    /// Whether all is converted, and files are being written.
    pub paying: bool,
    pub parts: Vec<PayoutPart>,
    /// Of the whole run, noted with its first shard once all are done.
    pub manifest: Option<ExportFile>,
}

/// A part of the payout file, and the sum of its amounts in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutPart {
    pub file: ExportFile,
    pub money: i64,
}

impl ConversionCounts {
    /// Adds up.
    pub fn add(&mut self, other: &ConversionCounts) {
        self.wallets += other.wallets;
        self.converted += other.converted;
        self.points = self.points.saturating_add(other.points);
        self.money = self.money.saturating_add(other.money);
        self.without_reference += other.without_reference;
        self.failed += other.failed;
    }

    /// Counts a conversion.
    pub fn count(&mut self, made: &ConversionMade) {
        self.converted += 1;
        self.points = self.points.saturating_add(made.points.0);
        self.money = self.money.saturating_add(made.money.0);
    }
}

impl Converting<'_> {
    /// What is to be done about a participant, who may have been converted already.
    pub fn prospect(&self, member: &Member) -> Prospect {
        let Converting { programme, now, conversion, at } = *self;
        let Member { id, participant, wallet } = member;
        let segment = conversion.segment.as_ref().and_then(|id| programme.segment(id));
        let is_member = conversion.segment.is_none()
            || segment.is_some_and(|segment| {
                segment.members.holds(id, participant, wallet, at, programme.zone)
            });
        if !is_member {
            return Prospect::Nothing;
        }
        let now = decision_time(now, wallet, None);
        let settled = settle_up(programme, wallet, now, PayloadHash::default()).wallet;
        match plan_conversion(programme, &settled, now, conversion) {
            Err(_) => Prospect::Nothing,
            Ok(_)
                if conversion.into.is_none() && participant.profile.payout_reference.is_none() =>
            {
                Prospect::NoReference
            }
            Ok((made, _)) => Prospect::Due(made),
        }
    }

    /// Whether a participant may have been converted already.
    pub fn may_be_done(&self, member: &Member) -> bool {
        member.wallet.time >= self.at.plus_minutes(-SKEW_MINUTES)
    }

    fn key(&self) -> EntryKey {
        EntryKey::Convert { conversion: self.conversion.id.clone(), at: self.at }
    }
}

struct Convert<'a> {
    order: &'a Converting<'a>,
    /// Whether it is converted where it was not before.
    is_due: bool,
}

impl Store {
    /// Converts the points of a participant, once for the scheduled time; `is_due`: else it only
    /// tells what was done before. None: nothing was converted, and nothing is written. Write
    /// units: 1.17.
    ///
    /// # Errors
    /// `NotFound` (participant), or a failure.
    pub async fn convert(
        &self,
        order: &Converting<'_>,
        participant: &ParticipantId,
        is_due: bool,
    ) -> Result<Done<Option<Converted>>> {
        self.commit(participant, &mut Convert { order, is_due }).await
    }

    /// What was paid out to these participants for the scheduled time, as their ledgers tell it.
    /// Read units: 0.5 for each whose wallet changed since, up to 4 KB.
    ///
    /// # Errors
    /// A failure.
    pub async fn payouts(
        &self,
        order: &Converting<'_>,
        members: Vec<Member>,
    ) -> Result<Vec<Payout>> {
        let mut payouts = Vec::new();
        for member in members {
            if !order.may_be_done(&member) {
                continue;
            }
            let found = self.convert(order, &member.id, false).await?.value;
            let Some(converted) = found.filter(|it| it.made.into.is_none()) else { continue };
            let reference = member.participant.profile.payout_reference;
            payouts.push(Payout { participant: member.id, reference, converted });
        }
        Ok(payouts)
    }
}

impl Operation for Convert<'_> {
    type Answer = Option<Converted>;

    async fn load(&mut self, _: &Store, _: bool) -> Result<()> {
        Ok(())
    }

    fn reach(&self) -> Reach {
        Reach::Since(self.order.at)
    }

    async fn decide(&mut self, _: &Store, ledger: &Ledger) -> Result<Step<Option<Converted>>> {
        let state = match ledger.known() {
            Ok(state) => state,
            Err(unknown) => return Ok(Step::Answer(Err(unknown))),
        };
        let Converting { programme, conversion, at, .. } = *self.order;
        let wallet = &state.wallet;
        let repeated = |value| Done { value: Some(value), wallet: wallet.clone(), repeated: true };
        if let Some(entry) = ledger.search(&self.order.key()) {
            return Ok(Step::Known(read_converted(entry).map(repeated)));
        }
        let nothing =
            || Step::Answer(Ok(Done { value: None, wallet: wallet.clone(), repeated: true }));
        if !self.is_due {
            return Ok(nothing());
        }
        let now = decision_time(self.order.now, wallet, None);
        let applied = apply(programme, wallet, now, &Command::Convert { conversion, at });
        if let Outcome::Refused(_) = applied.outcome {
            return Ok(nothing());
        }
        let entry =
            applied.entries.last().ok_or(Error::Corrupt("a conversion without an entry"))?;
        let answer = read_converted(entry).map(Some);
        Ok(Step::Commit(Proposal::of(applied, Vec::new()), answer))
    }
}

fn read_converted(entry: &Entry) -> Result<Converted> {
    let made = entry.conversion().ok_or(Error::Corrupt("a conversion that is something else"))?;
    Ok(Converted { sequence: entry.sequence, made: made.clone() })
}
