//! Starting exports: by hand under a key, or by schedule under a time; each once, whoever asks how
//! often.

use domain::export::{Dialect, Mode};
use domain::id::{RunId, SegmentId};
use domain::programme::Programme;
use domain::time::Instant;
use harness::{Answer, Fault, Request, Room, job_id, scheduled_job_id};
use serde_json::json;
use store::{Error, Export, ExportStatus, Noun};
use wire::event::payload_hash;
use wire::message::{ExportMessage, Tick};
use wire::request::{ExportRequest, parse_export};

/// Minutes after which a shard that nobody touches is asked for again by the schedule.
const IDLE_MINUTES: i64 = 15;
/// Minutes for which the schedule asks for what is left of an export: a day. Later it is asked for
/// by hand.
const ASKED_MINUTES: i64 = 24 * 60;
/// Exports under way that are read in one go.
const PAGE: i32 = 100;

/// Starts an export by hand.
pub async fn post(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.timely_key()?;
    let segment = request.path("segment", SegmentId::parse, Noun::Segment)?;
    let asked = parse_export(&request.body()?)?;
    let programme = room.programme(request.now).await?;
    programme.segment(&segment).ok_or(Fault::not_found(Noun::Segment))?;
    let id = RunId::parse(&job_id("export", &key)).map_err(|_| Fault::Internal("bad run id"))?;
    let export = planned(room, &programme, &segment, &asked, request.now).await?;
    let (recorded, repeated) = room.store.start_export(&id, &export).await?;
    if recorded.payload != export.payload {
        return Err(Error::KeyReused.into());
    }
    if recorded.status == ExportStatus::Running {
        ask(room, &id, None).await?;
    }
    Answer::json(202, &json!({ "export_id": id.as_str(), "repeated": repeated }))
}

/// An export as it begins. A delta with nothing before it tells of everybody.
async fn planned(
    room: &Room,
    programme: &Programme,
    segment: &SegmentId,
    asked: &ExportRequest,
    as_of: Instant,
) -> Result<Export, Fault> {
    let ExportRequest { mode, dialect, force } = *asked;
    let payload = payload_hash(&json!({ "segment": segment.as_str(), "mode": mode.name(),
        "dialect": dialect.name(), "force": force }));
    let before = room.store.last_export(segment, dialect.name()).await?;
    Ok(Export {
        segment: segment.to_string(),
        dialect: dialect.name().to_owned(),
        payload: payload.0,
        as_of: as_of.0,
        programme: programme.version,
        force,
        delta: mode == Mode::Delta && before.is_some(),
        before,
        status: ExportStatus::Running,
        manifest: None,
    })
}

/// Asks for the shards of an export that are not done, given up or not, or, with a time, for those
/// that nobody has touched since: a message may have been lost, and one too many changes nothing.
/// Once all are done, one message more makes sure that somebody ends the export.
async fn ask(room: &Room, id: &RunId, untouched_since: Option<Instant>) -> Result<(), Fault> {
    let known = room.store.export_progress(id).await?;
    let begun = Instant(known.export.as_of);
    if untouched_since.is_some_and(|since| begun < since.plus_minutes(-ASKED_MINUTES)) {
        return Ok(());
    }
    let mut asked = Vec::new();
    for (shard, progress) in (0_u8..).zip(&known.shards) {
        let touched = progress.ended_at.or(progress.failed_at).or(progress.touched_at);
        let touched = touched.unwrap_or(known.export.as_of);
        let busy = untouched_since.is_some_and(|since| touched > since.0);
        if progress.ended_at.is_none() && !busy {
            if progress.failed_at.is_some() {
                room.store.give_up_export_shard(id, shard, None).await?;
            }
            asked.push(ExportMessage { export: id.to_string(), shard });
        }
    }
    if known.shards.iter().all(|shard| shard.ended_at.is_some()) {
        asked.push(ExportMessage { export: id.to_string(), shard: 0 });
    }
    room.send_all(&asked).await
}

/// Starts the exports whose schedule was due since the last tick, each once: the time at which it
/// was due is part of its name. And asks again for what of any export was left undone.
pub async fn due(room: &Room, tick: &Tick) -> Result<(), Fault> {
    let programme = match room.programme(tick.scheduled).await {
        Err(Fault::Store(Error::NotFound(Noun::Programme))) => return Ok(()),
        known => known?,
    };
    for segment in &programme.segments {
        let Some(plan) = &segment.export.scheduled else { continue };
        let Some(due) = plan.schedule.last_due(tick.scheduled, programme.zone) else { continue };
        start_scheduled(room, &programme, &segment.id, (plan.mode, plan.dialect), due).await?;
    }
    let idle = tick.scheduled.plus_minutes(-IDLE_MINUTES);
    let mut after: Option<RunId> = None;
    loop {
        let page = room.store.open_exports(after.as_ref().map(RunId::as_str), PAGE).await?;
        let Some(last) = page.last().cloned() else { return Ok(()) };
        for id in &page {
            ask(room, id, Some(idle)).await?;
        }
        after = Some(last);
    }
}

async fn start_scheduled(
    room: &Room,
    programme: &Programme,
    segment: &SegmentId,
    (mode, dialect): (Mode, Dialect),
    due: Instant,
) -> Result<(), Fault> {
    let id = scheduled_job_id("export", segment.as_str(), due);
    let id = RunId::parse(&id).map_err(|_| Fault::Internal("bad run id"))?;
    let asked = ExportRequest { mode, dialect, force: false };
    let export = planned(room, programme, segment, &asked, due).await?;
    let (_, known) = room.store.start_export(&id, &export).await?;
    // One that is known is asked for again with all that is under way.
    if known { Ok(()) } else { ask(room, &id, None).await }
}
