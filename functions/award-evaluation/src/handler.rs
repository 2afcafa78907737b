//! Evaluation runs: started once under their name, told when asked, worked on from the queue.

use std::sync::Arc;

use chrono_tz::Tz;
use domain::amount::Amount;
use domain::id::{BalanceCode, RunId};
use domain::programme::Programme;
use domain::run::RunKind;
use domain::time::{Instant, show_instant};
use harness::{
    Answer, Batch, Fault, Invocation, Message, Reply, Request, Room, is_job, job_id, violation,
};
use serde_json::{Value, json};
use store::{AlertCounts, Error, ExpiryCounts, Noun, Run, RunCounts, SHARDS, ShardProgress};
use wire::message::{Evaluation, EvaluationMessage, Tick};
use wire::request::parse_run;

use crate::{conversion, work};

/// Minutes after which a shard that nobody touches is asked for again by the schedule.
const IDLE_MINUTES: i64 = 15;

/// Takes all three kinds of invocations.
pub async fn handle(room: Arc<Room>, invocation: Invocation) -> Reply {
    match invocation {
        Invocation::Http(request) => Reply::Http(match request.route.as_str() {
            "POST /v1/evaluation-runs" => post(&room, &request).await,
            "GET /v1/evaluation-runs/{run}" => get(&room, &request).await,
            "POST /v1/conversions/{conversion}/runs" => conversion::post(&room, &request).await,
            "GET /v1/conversions/{conversion}/runs/{run}" => conversion::get(&room, &request).await,
            _ => return Reply::unexpected(),
        }),
        Invocation::Queue(batch) => {
            give_up(&room, &batch).await;
            let mut failed = Vec::new();
            for message in batch.messages {
                if let Err(fault) = evaluate(&room, &message).await {
                    fault.log();
                    failed.push(message.id);
                }
            }
            Reply::Queue(failed)
        }
        Invocation::Tick(tick) => Reply::Done(start_due(&room, &tick).await),
        Invocation::Changes(_) => Reply::unexpected(),
    }
}

async fn post(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.timely_key()?;
    let definition = parse_run(&request.body()?)?;
    let programme = room.programme(request.now).await?;
    let does = match &definition {
        None => RunKind::Evaluation,
        Some(id) => match programme.runs.iter().find(|run| run.id == *id) {
            Some(run) => run.does,
            None => {
                let message = "must be the id of one of the programme's runs";
                return Err(violation("/definition", "unknown_reference", message));
            }
        },
    };
    let id = RunId::parse(&job_id("run", &key)).map_err(|_| Fault::Internal("bad run id"))?;
    let definition = definition.map(|id| id.to_string());
    let run = run_of(&programme, does, definition, request.now);
    let (recorded, repeated) = start(room, &id, run.clone(), None).await?;
    if recorded.definition != run.definition {
        return Err(Error::KeyReused.into());
    }
    Answer::json(202, &json!({ "run_id": id.as_str(), "repeated": repeated }))
}

fn run_of(programme: &Programme, does: RunKind, definition: Option<String>, at: Instant) -> Run {
    Run {
        started_at: at.0,
        definition,
        books_expiry: does == RunKind::Expiry,
        converts: None,
        alerts: (does == RunKind::Alerts).then_some(programme.version),
    }
}

/// What a run does.
fn does(run: &Run) -> RunKind {
    match (run.books_expiry, run.alerts) {
        (true, _) => RunKind::Expiry,
        (false, Some(_)) => RunKind::Alerts,
        (false, None) => RunKind::Evaluation,
    }
}

/// Records a run and asks for its shards. Asked again, it asks for those that are not done, given
/// up or not, or, with a time, for those that nobody has touched since: a message may have been
/// lost, and one too many changes nothing but takes up a worker.
pub async fn start(
    room: &Room,
    id: &RunId,
    run: Run,
    untouched_since: Option<Instant>,
) -> Result<(Run, bool), Fault> {
    let (recorded, known) = room.store.start_run(id, &run).await?;
    let (_, shards) = room.store.run_progress(id).await?;
    for (shard, progress) in (0..SHARDS).zip(shards) {
        let touched = progress.failed_at.or(progress.touched_at).unwrap_or(recorded.started_at);
        let busy = known && untouched_since.is_some_and(|since| touched > since.0);
        if progress.ended_at.is_none() && !busy {
            if progress.failed_at.is_some() {
                room.store.resume_shard(id, shard).await?;
            }
            room.send(&EvaluationMessage::Shard { run: id.to_string(), shard }).await?;
        }
    }
    Ok((recorded, known))
}

async fn get(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let others =
        |text: &str| ["export", "conversion", "verification"].iter().any(|kind| is_job(kind, text));
    let parse = |text: &str| RunId::parse(text).ok().filter(|_| !others(text)).ok_or(());
    let id = request.path("run", parse, Noun::Run)?;
    let programme = room.programme(request.now).await?;
    let (run, shards) = room.store.run_progress(&id).await?;
    let show = |millis: i64| show_instant(Instant(millis), programme.zone);
    let (status, ended) = status(&shards);
    let does = does(&run);
    let mut answer = match does {
        RunKind::Evaluation => judged(&shards),
        RunKind::Expiry => expired(&programme, &shards),
        RunKind::Alerts => alerted(&shards),
    };
    answer["run_id"] = json!(id.as_str());
    answer["definition"] = json!(run.definition);
    answer["does"] = json!(does.name());
    answer["status"] = json!(status);
    answer["shards_failed"] = json!(given_up(&shards));
    answer["started_at"] = json!(show(run.started_at));
    answer["ended_at"] = json!(ended.map(show));
    Answer::json(200, &answer)
}

/// How a run stands, and when its last shard came to an end; a run has failed when nobody goes on
/// with what is left of it.
pub fn status(shards: &[ShardProgress]) -> (&'static str, Option<i64>) {
    let over = |shard: &ShardProgress| shard.ended_at.or(shard.failed_at);
    let over: Option<Vec<i64>> = shards.iter().map(over).collect();
    match over.and_then(|over| over.into_iter().max()) {
        None => ("running", None),
        Some(at) if given_up(shards) > 0 => ("failed", Some(at)),
        Some(at) => ("completed", Some(at)),
    }
}

pub fn given_up(shards: &[ShardProgress]) -> usize {
    shards.iter().filter(|shard| shard.failed_at.is_some()).count()
}

/// What a run judged.
fn judged(shards: &[ShardProgress]) -> Value {
    let mut counts = RunCounts::default();
    shards.iter().for_each(|shard| counts.add(shard.counts));
    json!({
        "events": counts.events,
        "awarded": counts.awarded,
        "passed_over": counts.passed_over,
        "failed": counts.failed,
    })
}

/// What a run booked.
fn expired(programme: &Programme, shards: &[ShardProgress]) -> Value {
    let mut counts = ExpiryCounts::default();
    shards.iter().for_each(|shard| counts.add(&shard.expired));
    let amounts = counts.amounts.iter().map(|(balance, amount)| {
        let shown = BalanceCode::parse(balance).map(|code| programme.show(&code, Amount(*amount)));
        json!({ "balance": balance, "amount": shown.unwrap_or_default() })
    });
    json!({
        "wallets": counts.wallets,
        "lots_expired": counts.lots,
        "holds_lapsed": counts.holds,
        "expired": amounts.collect::<Vec<_>>(),
        "failed": counts.failed,
    })
}

/// Whom a run noted.
fn alerted(shards: &[ShardProgress]) -> Value {
    let mut counts = AlertCounts::default();
    shards.iter().for_each(|shard| counts.add(&shard.alerts));
    json!({
        "wallets": counts.wallets,
        "joined": counts.joined,
        "left": counts.left,
        "reminded": counts.reminded,
        "failed": counts.failed,
    })
}

/// Starts the runs whose schedule was due since the last tick, each once: the time at which it was
/// due is part of its name.
async fn start_due(room: &Room, tick: &Tick) -> Result<(), Fault> {
    let programme = match room.programme(tick.scheduled).await {
        Err(Fault::Store(Error::NotFound(Noun::Programme))) => return Ok(()),
        known => known?,
    };
    for definition in &programme.runs {
        let Some(due) = definition.last_due(tick.scheduled, programme.zone) else { continue };
        let id = scheduled_id(&definition.id, due, programme.zone)?;
        let name = Some(definition.id.to_string());
        let run = run_of(&programme, definition.does, name, due);
        start(room, &id, run, Some(tick.scheduled.plus_minutes(-IDLE_MINUTES))).await?;
    }
    conversion::due(room, &programme, tick, IDLE_MINUTES).await
}

/// `<definition>.<date>T<time>`; where the clock is set back, one name stands for both hours.
fn scheduled_id(definition: &RunId, due: Instant, zone: Tz) -> Result<RunId, Fault> {
    let time: String = show_instant(due, zone).chars().take(16).filter(|c| *c != ':').collect();
    let name: String = definition.as_str().chars().take(48).collect();
    RunId::parse(&format!("{name}.{time}")).map_err(|_| Fault::Internal("bad run id"))
}

/// Notes which shards are asked for the last time before any message is worked on: if this process
/// dies, nobody goes on with them.
async fn give_up(room: &Room, batch: &Batch) {
    for message in batch.messages.iter().filter(|message| room.is_last_try(message)) {
        let parsed = EvaluationMessage::parse(message.body.as_bytes());
        if let Ok(Evaluation::Shard { run, shard }) = parsed
            && let Err(error) = room.store.give_up_shard(&run, shard, message.now).await
        {
            Fault::from(error).log();
        }
    }
}

async fn evaluate(room: &Room, message: &Message) -> Result<(), Fault> {
    let evaluation = EvaluationMessage::parse(message.body.as_bytes());
    let evaluation = evaluation.map_err(|_| Fault::Internal("a message that cannot be parsed"))?;
    match evaluation {
        Evaluation::Shard { run, shard } => {
            let last_try = room.is_last_try(message);
            work::shard(room, message.now, &run, shard, last_try).await
        }
        Evaluation::Events { participant, events } => {
            work::immediate(room, message.now, &participant, &events).await
        }
        Evaluation::Erase { participant } => work::erase(room, message.now, &participant).await,
    }
}
