//! Judging what is pending, one commit per participant and ten events.

use std::sync::Arc;

use domain::award::Mode;
use domain::event::{Judge, RecordedEvent};
use domain::id::{EventId, ParticipantId, RunId};
use domain::programme::Programme;
use domain::time::Instant;
use harness::{Fault, Room};
use store::{Error, Judging, PendingEvent, RunCounts, ShardProgress};
use wire::message::EvaluationMessage;

use crate::expiry;

/// Events that a shard takes in hand at once.
const IN_HAND: i32 = 100;
/// How often a message takes more in hand before it hands on to the next one. A batch of ten
/// messages that each judge so many events, one by one, ends well within the function's time.
const ROUNDS: usize = 2;
/// Events of one commit.
const FOLD: usize = 10;

/// Judges events right after they were stored, by the offers that may be interactive.
pub async fn immediate(
    room: &Room,
    now: Instant,
    participant: &ParticipantId,
    events: &[EventId],
) -> Result<(), Fault> {
    let programme = room.programme(now).await?;
    for events in events.chunks(FOLD) {
        let (mode, by) = (Mode::Queued, Judge::Interactive);
        let order = Judging { programme: &programme, now, participant, events, mode, by };
        room.store.judge(&order).await?;
    }
    Ok(())
}

/// Works on one shard of a run, by what the run does. What is taken in hand is stored first, so that whoever goes on
/// after a crash judges the rest and counts all of it; judged events are never judged again.
pub async fn shard(room: &Room, now: Instant, run: &RunId, shard: u8) -> Result<(), Fault> {
    let known = room.store.run(run).await?;
    if known.books_expiry {
        return expiry::shard(room, now, run, &known, shard).await;
    }
    let programme = room.programme(now).await?;
    let until = known.started_at;
    for _ in 0..ROUNDS {
        let (progress, version) = room.store.shard(run, shard).await?;
        if progress.ended_at.is_some() {
            return Ok(());
        }
        let mut next = ShardProgress { counts: progress.counts, ..ShardProgress::default() };
        next.counts.add(judge_in_hand(room, &programme, now, run, &progress).await?);
        next.after = progress.until.or(progress.after);
        let page = room.store.pending_events(shard, next.after.as_deref(), IN_HAND).await?;
        match page.last() {
            Some(last) => next.until = Some(last.place.clone()),
            None => next.ended_at = Some(now.0),
        }
        next.touched_at = Some(now.0);
        next.in_hand = in_hand(page, Instant(until));
        // Where another worker was faster, its progress is taken up in the next round.
        room.store.save_shard(run, shard, &next, version).await?;
    }
    room.send(&EvaluationMessage::Shard { run: run.to_string(), shard }).await
}

/// Events accepted before the run began.
fn in_hand(page: Vec<PendingEvent>, until: Instant) -> Vec<(String, String)> {
    let due = page.into_iter().filter(|event| event.accepted_at <= until);
    due.map(|event| (event.participant.to_string(), event.event.to_string())).collect()
}

async fn judge_in_hand(
    room: &Room,
    programme: &Arc<Programme>,
    now: Instant,
    run: &RunId,
    progress: &ShardProgress,
) -> Result<RunCounts, Fault> {
    let mut counts = RunCounts::default();
    for group in progress.in_hand.chunk_by(|a, b| a.0 == b.0) {
        let bad = || Fault::Internal("a run's progress that cannot be read");
        let first = group.first().map(|(participant, _)| ParticipantId::parse(participant));
        let participant = first.and_then(Result::ok).ok_or_else(bad)?;
        let events = group.iter().map(|(_, event)| EventId::parse(event));
        let events: Vec<EventId> = events.collect::<Result<_, _>>().map_err(|_| bad())?;
        for events in events.chunks(FOLD) {
            counts.add(judge(room, programme, now, run, &participant, events).await?);
        }
    }
    Ok(counts)
}

/// Judges events in one commit; where an item cannot be read, one by one, so that a broken one
/// stops no other. It stays pending and is counted as failed.
async fn judge(
    room: &Room,
    programme: &Arc<Programme>,
    now: Instant,
    run: &RunId,
    participant: &ParticipantId,
    events: &[EventId],
) -> Result<RunCounts, Fault> {
    let (mode, by) = (Mode::Run, Judge::Run(run.clone()));
    let order = Judging { programme, now, participant, events, mode, by };
    let mut counts = RunCounts::default();
    match room.store.judge(&order).await {
        Ok(done) => done.value.iter().for_each(|event| counts.add(counted(event, run))),
        Err(error @ (Error::Contended | Error::Unavailable(_))) => return Err(error.into()),
        Err(_) if events.len() > 1 => {
            for event in events {
                let one = std::slice::from_ref(event);
                counts.add(Box::pin(judge(room, programme, now, run, participant, one)).await?);
            }
        }
        Err(error) => {
            Fault::from(error).log();
            counts.failed += 1;
        }
    }
    Ok(counts)
}

/// What this run made of an event; nothing where another run was faster.
fn counted(event: &RecordedEvent, run: &RunId) -> RunCounts {
    let mut counts = RunCounts::default();
    let by_run = |judge: &Judge| matches!(judge, Judge::Run(by) if by == run);
    let judged = event.judgements.iter().filter(|judgement| by_run(&judgement.by)).count();
    counts.events += u64::try_from(judged).unwrap_or(0);
    for judgement in event.all_judgements().filter(|judgement| by_run(&judgement.by)) {
        counts.awarded += u64::try_from(judgement.awards.len()).unwrap_or(0);
        counts.passed_over += u64::try_from(judgement.passed_over.len()).unwrap_or(0);
    }
    counts
}
