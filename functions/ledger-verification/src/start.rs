//! Starting verifications: by hand under a key, or by schedule under a time; each once, whoever
//! asks how often.

use domain::id::{ParticipantId, RunId};
use domain::time::Instant;
use harness::{Answer, Fault, Request, Room, job_id, scheduled_job_id};
use serde_json::json;
use store::{Error, Noun, Verification, VerificationShard};
use wire::event::payload_hash;
use wire::message::{Tick, VerificationMessage};
use wire::request::parse_verification;

/// The schedule that begins a verification of all wallets; the other goes on with what is left.
const BEGINS: &str = "verification";
/// Minutes after which a shard that nobody touches is asked for again by the schedule.
const IDLE_MINUTES: i64 = 15;
/// Minutes for which the schedule asks for what is left: a day. Later it is asked for by hand.
const ASKED_MINUTES: i64 = 24 * 60;
/// Verifications under way that are read in one go.
const PAGE: i32 = 100;

fn parsed(id: &str) -> Result<RunId, Fault> {
    RunId::parse(id).map_err(|_| Fault::Internal("bad run id"))
}

/// Starts a verification by hand.
pub async fn post(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.timely_key()?;
    let participant = parse_verification(&request.body()?)?;
    let id = parsed(&job_id("verification", &key))?;
    if let Some(participant) = &participant
        && !room.store.has_wallet(participant).await?
    {
        return Err(Fault::not_found(Noun::Participant));
    }
    let verification = planned(room, participant.as_ref(), request.now).await?;
    let (recorded, repeated) = room.store.start_verification(&id, &verification).await?;
    if recorded.payload != verification.payload {
        return Err(Error::KeyReused.into());
    }
    if recorded.ended.is_none() {
        ask(room, &id, None).await?;
    }
    Answer::json(202, &json!({ "verification_id": id.as_str(), "repeated": repeated }))
}

/// A verification as it begins: quotas and stocks are noted before any wallet is read.
async fn planned(
    room: &Room,
    participant: Option<&ParticipantId>,
    as_of: Instant,
) -> Result<Verification, Fault> {
    let participant = participant.map(ToString::to_string);
    let payload = payload_hash(&json!({ "participant_id": participant }));
    let shared = match participant {
        Some(_) => Vec::new(),
        None => room.store.shared_marks().await?,
    };
    Ok(Verification { payload: payload.0, as_of: as_of.0, participant, shared, ended: None })
}

/// Asks for the shards of a verification that are not done, given up or not, or, with a time, for
/// those that nobody has touched since: a message may have been lost, and one too many changes
/// nothing. Where all are done and nobody tries to end it, one message more asks for that.
async fn ask(room: &Room, id: &RunId, untouched_since: Option<Instant>) -> Result<(), Fault> {
    let known = room.store.verification_progress(id).await?;
    let begun = Instant(known.verification.as_of);
    if untouched_since.is_some_and(|since| begun < since.plus_minutes(-ASKED_MINUTES)) {
        return Ok(());
    }
    let message = |shard: u8| VerificationMessage { verification: id.to_string(), shard };
    let busy = |progress: &VerificationShard| {
        let touched = [progress.ended_at, progress.failed_at, progress.touched_at];
        let touched = touched.into_iter().flatten().max().unwrap_or(begun.0);
        untouched_since.is_some_and(|since| touched > since.0)
    };
    let mut asked = Vec::new();
    for (shard, progress) in &known.shards {
        if (known.is_done() || progress.ended_at.is_none()) && !busy(progress) {
            if progress.failed_at.is_some() {
                room.store.give_up_verification_shard(id, *shard, None).await?;
            }
            asked.push(message(*shard));
        }
    }
    if known.is_done() {
        // Any of them ends it, unless another is at it.
        asked.truncate(usize::from(asked.len() == known.shards.len()));
    }
    room.send_all(&asked).await
}

/// Starts the verification whose time it is: the time is part of its name, so it is one however
/// often the schedule fires. Or asks again for what of any was left undone.
pub async fn due(room: &Room, tick: &Tick) -> Result<(), Fault> {
    if tick.source == BEGINS {
        let id = parsed(&scheduled_job_id("verification", BEGINS, tick.scheduled))?;
        let verification = planned(room, None, tick.scheduled).await?;
        let (_, known) = room.store.start_verification(&id, &verification).await?;
        // One that is known is asked for again with all that are under way.
        return if known { Ok(()) } else { ask(room, &id, None).await };
    }
    let idle = tick.scheduled.plus_minutes(-IDLE_MINUTES);
    let mut after: Option<RunId> = None;
    loop {
        let page = room.store.open_verifications(after.as_ref().map(RunId::as_str), PAGE).await?;
        let Some(last) = page.last().cloned() else { return Ok(()) };
        for id in &page {
            ask(room, id, Some(idle)).await?;
        }
        after = Some(last);
    }
}
