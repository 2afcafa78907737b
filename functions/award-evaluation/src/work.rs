//! Judging what is pending: right after it was stored, or step by step in a run.

use domain::award::Mode;
use domain::event::Judge;
use domain::id::{EventId, ParticipantId, RunId};
use domain::time::Instant;
use harness::{Fault, Room};
use store::{Judging, Walked, Walking};
use wire::message::EvaluationMessage;

use crate::{alerts, convert, expiry};

/// How often a message goes a step before it hands on to the next one. A batch of ten messages
/// that each judge two hundred events, one by one, ends well within the function's time.
const STEPS: usize = 2;
/// The same of alerts: a step makes up to three calls for each of a hundred participants, one after
/// the other, so that ten messages make three thousand of them.
const ALERT_STEPS: usize = 1;
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

/// Rids events and passes of an erased participant of what is personal, and hands on what is left
///
pub async fn erase(room: &Room, now: Instant, participant: &ParticipantId) -> Result<(), Fault> {
    let programme = room.programme(now).await?;
    for _ in 0..STEPS {
        if room.store.erase_step(&programme, participant).await? {
            return Ok(());
        }
    }
    room.send(&EvaluationMessage::Erase { participant: participant.to_string() }).await
}

/// Works on one shard of a run, by what the run does, and hands on what is left of it. On the last
/// try the shard counts as given up until whoever it is handed to goes on.
pub async fn shard(
    room: &Room,
    now: Instant,
    run: &RunId,
    shard: u8,
    last_try: bool,
) -> Result<(), Fault> {
    let known = room.store.run(run).await?;
    if known.converts.is_some() {
        return convert::shard(room, now, (run, &known), shard, last_try).await;
    }
    let programme = match known.alerts {
        Some(version) => room.programme_at(version).await?,
        None => room.programme(now).await?,
    };
    let (started_at, mut goes_on) = (Instant(known.started_at), false);
    let order = Walking { programme: &programme, now, run, started_at, shard, last_try };
    for _ in 0..if known.alerts.is_some() { ALERT_STEPS } else { STEPS } {
        let walked = match (known.books_expiry, known.alerts) {
            (true, _) => expiry::step(room, &order).await?,
            (false, Some(_)) => alerts::step(room, &order).await?,
            (false, None) => room.store.walk_shard(&order).await?,
        };
        match walked {
            Walked::ToTheEnd => return Ok(()),
            Walked::On => goes_on = true,
            Walked::Overtaken => {}
        }
    }
    // Who was overtaken at each step leaves the shard to whoever was faster: one message a shard.
    if !goes_on {
        return Ok(());
    }
    room.send(&EvaluationMessage::Shard { run: run.to_string(), shard }).await
}
