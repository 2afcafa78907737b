//! One step over one shard of an export: participants and what was told of them before are gone
//! along together, and what has to be told is written to files.
//!
//! A step that is recorded stays as it is. One that a crash cut off is made anew as a whole, from
//! wallets as they are then: rows show the time of the run, and the wallets as they were read.

use domain::export::{Dialect, Op, Standing, Told};
use domain::id::{ParticipantId, RunId, SegmentId};
use domain::programme::Programme;
use domain::segment::Segment;
use domain::time::Instant;
use harness::{Fault, Room};
use store::{Export, ExportCounts, ExportStatus, Member, Walked};
use wire::csv::ExportRow;
use wire::message::ExportMessage;

use crate::finish::finish;
use crate::parts::Parts;
use crate::stream::{Before, Members};

/// Most participants of a step: what a worker does again after a crash, and well within the
/// function's time.
const STEP: u64 = 20_000;

/// An export that is worked on.
pub struct Work<'a> {
    pub programme: &'a Programme,
    pub segment: &'a Segment,
    pub dialect: Dialect,
    pub as_of: Instant,
}

/// Goes a step over a shard, and hands on what is left of it; whoever is done last ends the export.
pub async fn shard(room: &Room, now: Instant, id: &RunId, shard: u8) -> Result<(), Fault> {
    let export = room.store.export(id).await?;
    if export.status != ExportStatus::Running {
        return Ok(());
    }
    let programme = room.programme_at(export.programme).await?;
    let work = Work::of(&programme, &export)?;
    match step(room, &work, &export, now, id, shard).await? {
        Walked::ToTheEnd => finish(room, &work, id).await,
        Walked::On => room.send(&ExportMessage { export: id.to_string(), shard }).await,
        // Their files count, and their message.
        Walked::Overtaken => Ok(()),
    }
}

/// Goes a step.
async fn step(
    room: &Room,
    work: &Work<'_>,
    export: &Export,
    now: Instant,
    id: &RunId,
    shard: u8,
) -> Result<Walked, Fault> {
    let (mut progress, version) = room.store.export_shard(id, shard).await?;
    if progress.ended_at.is_some() {
        return Ok(Walked::ToTheEnd);
    }
    let after = progress.after.clone();
    let mut members = Members::after(room, shard, after.clone());
    let mut before = match &export.before {
        Some(before) if export.delta => {
            let base = RunId::parse(&before.export).map_err(|_| Fault::Internal("bad base"))?;
            Before::after(room, &base, shard, after).await?
        }
        _ => Before::nothing(room),
    };
    let (mut parts, mut walked, mut until) = (Parts::new(work.dialect), 0, None);
    let ended = loop {
        let Some(id) = least(members.peek().await?, before.peek().await?) else { break true };
        if walked == STEP || parts.is_full() {
            break false;
        }
        let told = before.peek().await?.is_some_and(|told| told.participant == id);
        let told = if told { before.take() } else { None };
        let member = members.peek().await?.is_some_and(|member| member.id == id);
        let member = if member { members.take() } else { None };
        work.tell(&mut parts, &mut progress.counts, &id, member.as_ref(), told.as_ref())?;
        (walked, until) = (walked + 1, Some(id.to_string()));
    };
    if let Some(until) = until {
        let part = progress.told.len() + 1;
        let (files, told) = parts.close(room, id, shard, part, until.clone()).await?;
        progress.files.extend(files);
        progress.told.push(told);
        progress.after = Some(until);
    }
    (progress.touched_at, progress.failed_at) = (Some(now.0), None);
    progress.ended_at = ended.then_some(now.0);
    Ok(match room.store.save_export_shard(id, shard, &progress, version).await? {
        false => Walked::Overtaken,
        true if ended => Walked::ToTheEnd,
        true => Walked::On,
    })
}

/// Whoever comes first of both lists.
fn least(member: Option<&Member>, told: Option<&Told>) -> Option<ParticipantId> {
    let ids = [member.map(|member| &member.id), told.map(|told| &told.participant)];
    ids.into_iter().flatten().min().cloned()
}

impl Work<'_> {
    /// An export with what its programme says of it.
    pub fn of<'a>(programme: &'a Programme, export: &Export) -> Result<Work<'a>, Fault> {
        let segment = SegmentId::parse(&export.segment).ok();
        let segment = segment.and_then(|segment| programme.segment(&segment));
        let dialect = Dialect::ALL.into_iter().find(|known| known.name() == export.dialect);
        let (Some(segment), Some(dialect)) = (segment, dialect) else {
            return Err(Fault::Internal("an export of nothing that its programme knows"));
        };
        Ok(Work { programme, segment, dialect, as_of: Instant(export.as_of) })
    }

    /// Writes what has to be told of somebody, and counts.
    fn tell(
        &self,
        parts: &mut Parts,
        counts: &mut ExportCounts,
        id: &ParticipantId,
        member: Option<&Member>,
        before: Option<&Told>,
    ) -> Result<(), Fault> {
        let Work { programme, segment, as_of, .. } = *self;
        let standing = member.map_or(Standing::Stranger, |member| self.standing(member, counts));
        let row = member.and_then(|member| self.row(standing, member));
        let consent = member.and_then(|it| it.participant.consents.get(domain::export::CHANNEL));
        let told = row.as_ref().map(|row| Told {
            participant: id.clone(),
            suppressed: standing == Standing::Suppressed,
            digest: row.digest(),
            consent_at: consent.map_or(0, |consent| consent.at.0),
        });
        if let Some(told) = &told {
            parts.note(told)?;
        }
        let Some(op) = Op::between(before, told.as_ref()) else { return Ok(()) };
        let participant = member.map(|member| &member.participant);
        let row = row
            .unwrap_or_else(|| ExportRow::removed(programme, &segment.id, id, participant, as_of));
        if parts.add(op, row)? {
            let count = match op {
                Op::Add => &mut counts.added,
                Op::Change => &mut counts.changed,
                Op::Remove => &mut counts.removed,
                Op::Suppress => &mut counts.suppressed,
            };
            *count += 1;
        }
        Ok(())
    }

    /// The row of somebody who is addressed or suppressed.
    fn row(&self, standing: Standing, member: &Member) -> Option<ExportRow> {
        let Work { programme, segment, as_of, .. } = *self;
        let Member { id, participant, wallet } = member;
        match standing {
            Standing::Addressed => {
                Some(ExportRow::addressed(programme, segment, id, participant, wallet, as_of))
            }
            Standing::Suppressed => {
                Some(ExportRow::suppressed(programme, &segment.id, id, participant, as_of))
            }
            Standing::NoConsent | Standing::NoAddress | Standing::Stranger => None,
        }
    }

    /// How somebody stands, counted.
    fn standing(&self, member: &Member, counts: &mut ExportCounts) -> Standing {
        let Member { id, participant, wallet } = member;
        let zone = self.programme.zone;
        // A duplicate is written to under the name that it was merged into.
        let is_member = wallet.merged_into.is_none()
            && self.segment.members.holds(id, participant, wallet, self.as_of, zone);
        let standing = Standing::of(participant, is_member);
        counts.members += u64::from(is_member);
        match standing {
            Standing::Addressed => counts.addressed += 1,
            Standing::Suppressed if is_member => counts.skipped_no_consent += 1,
            Standing::NoConsent => counts.skipped_no_consent += 1,
            Standing::NoAddress => counts.skipped_no_address += 1,
            Standing::Suppressed | Standing::Stranger => {}
        }
        standing
    }
}
