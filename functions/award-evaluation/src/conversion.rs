//! Conversions of points into money: started once for each scheduled time, and told when asked.

use domain::amount::Amount;
use domain::conversion::Conversion;
use domain::id::{ConversionId, RunId};
use domain::programme::Programme;
use domain::time::{Instant, show_instant};
use harness::{Answer, Fault, Request, Room, is_job, job_id, scheduled_job_id};
use serde_json::{Value, json};
use store::{Conversing, ConversionCounts, Error, ExportFile, Noun, Run, ShardProgress};
use wire::message::{EvaluationMessage, Tick};
use wire::request::parse_conversion;

use crate::handler;

/// Starts a conversion by hand, or tells which one the key or the time has started. A scheduled time
/// has one run, so that nothing is paid out in two files.
pub async fn post(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.timely_key()?;
    let id = request.path("conversion", ConversionId::parse, Noun::Conversion)?;
    let asked = parse_conversion(&request.body()?, request.now)?;
    let programme = room.programme(request.now).await?;
    programme.conversion(&id).ok_or(Fault::not_found(Noun::Conversion))?;
    let at = asked.at.unwrap_or(request.now);
    let run = run_of(&programme, &id, at, asked.dry_run);
    // What the key stands for: asked again, at the same time.
    let named = parsed(&job_id("conversion-key", &key))?;
    let (recorded, _) = room.store.start_run(&named, &run).await?;
    let same = |recorded: &Conversing| {
        (recorded.conversion.as_str(), recorded.dry_run) == (id.as_str(), asked.dry_run)
    };
    if !recorded.converts.as_ref().is_some_and(same)
        || asked.at.is_some_and(|at| at.0 != recorded.started_at)
    {
        return Err(Error::KeyReused.into());
    }
    let run_id = match asked.dry_run {
        true => parsed(&job_id("conversion", &key))?,
        false => scheduled(&id, Instant(recorded.started_at))?,
    };
    let repeated = start(room, &run_id, recorded, None).await?;
    Answer::json(202, &json!({ "run_id": run_id.as_str(), "repeated": repeated }))
}

/// Starts the conversions whose schedule was due since the last tick, each once.
pub async fn due(
    room: &Room,
    programme: &Programme,
    tick: &Tick,
    idle_minutes: i64,
) -> Result<(), Fault> {
    for conversion in &programme.conversions {
        let Some(schedule) = &conversion.schedule else { continue };
        let Some(due) = schedule.last_due(tick.scheduled, programme.zone) else { continue };
        let run = run_of(programme, &conversion.id, due, false);
        let idle = tick.scheduled.plus_minutes(-idle_minutes);
        start(room, &scheduled(&conversion.id, due)?, run, Some(idle)).await?;
    }
    Ok(())
}

fn run_of(programme: &Programme, id: &ConversionId, at: Instant, dry_run: bool) -> Run {
    let (conversion, programme) = (id.to_string(), programme.version);
    let converts = Some(Conversing { conversion, programme, dry_run });
    Run { started_at: at.0, definition: None, books_expiry: false, converts, alerts: None }
}

fn parsed(id: &str) -> Result<RunId, Fault> {
    RunId::parse(id).map_err(|_| Fault::Internal("bad run id"))
}

fn scheduled(id: &ConversionId, at: Instant) -> Result<RunId, Fault> {
    parsed(&scheduled_job_id("conversion", id.as_str(), at))
}

/// Starts a run, or what is left of it; the last thing that may be left is its manifest.
async fn start(
    room: &Room,
    id: &RunId,
    run: Run,
    untouched_since: Option<Instant>,
) -> Result<bool, Fault> {
    let (recorded, known) = handler::start(room, id, run, untouched_since).await?;
    let (_, shards) = room.store.run_progress(id).await?;
    let ended = shards.iter().all(|shard| shard.ended_at.is_some());
    let programme = room.programme_at(version(&recorded)?).await?;
    if ended && lacks_manifest(&programme, &recorded, &shards)? {
        room.send(&EvaluationMessage::Shard { run: id.to_string(), shard: 0 }).await?;
    }
    Ok(known)
}

/// Tells of a run.
pub async fn get(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let conversion = request.path("conversion", ConversionId::parse, Noun::Conversion)?;
    let job = |text: &str| RunId::parse(text).ok().filter(|_| is_job("conversion", text)).ok_or(());
    let id = request.path("run", job, Noun::Run)?;
    let (run, shards) = room.store.run_progress(&id).await?;
    let converts = run.converts.as_ref().filter(|it| it.conversion == conversion.as_str());
    let converts = converts.ok_or(Fault::not_found(Noun::Run))?;
    let programme = room.programme_at(converts.programme).await?;
    let (mut status, mut ended) = handler::status(&shards);
    if status == "completed" && lacks_manifest(&programme, &run, &shards)? {
        (status, ended) = ("running", None);
    }
    let show = |millis: i64| show_instant(Instant(millis), programme.zone);
    let mut answer = counted(&programme, conversion_of(&programme, &run)?, &shards);
    answer["run_id"] = json!(id.as_str());
    answer["conversion"] = json!(conversion.as_str());
    answer["at"] = json!(show(run.started_at));
    answer["dry_run"] = json!(converts.dry_run);
    answer["status"] = json!(status);
    answer["shards_failed"] = json!(handler::given_up(&shards));
    answer["ended_at"] = json!(ended.map(show));
    let mut files = Vec::new();
    if status == "completed" {
        let parts = shards.iter().flat_map(|shard| &shard.conversion.parts).map(|it| &it.file);
        let manifest = shards.iter().flat_map(|shard| &shard.conversion.manifest);
        for file in parts.chain(manifest) {
            files.push(shown(room, file).await?);
        }
    }
    answer["files"] = json!(files);
    Answer::json(200, &answer)
}

async fn shown(room: &Room, file: &ExportFile) -> Result<Value, Fault> {
    Ok(json!({
        "name": file.name,
        "url": room.link(&file.name).await?,
        "rows": file.rows,
        "bytes": file.bytes,
        "sha256": file.sha256,
    }))
}

fn counted(programme: &Programme, conversion: &Conversion, shards: &[ShardProgress]) -> Value {
    let mut counts = ConversionCounts::default();
    shards.iter().for_each(|shard| counts.add(&shard.conversion.counts));
    json!({
        "wallets": counts.wallets,
        "converted": counts.converted,
        "points": programme.show(&conversion.balance, Amount(counts.points)),
        "money": Amount(counts.money).show(conversion.decimals(programme)),
        "into": conversion.into.as_ref().map(ToString::to_string),
        "without_reference": counts.without_reference,
        "failed": counts.failed,
    })
}

fn version(run: &Run) -> Result<u64, Fault> {
    let converts = run.converts.as_ref();
    converts.map(|it| it.programme).ok_or(Fault::Internal("a conversion that converts nothing"))
}

/// The conversion of a run, in the programme that it follows.
pub fn conversion_of<'a>(programme: &'a Programme, run: &Run) -> Result<&'a Conversion, Fault> {
    let id = run.converts.as_ref().and_then(|it| ConversionId::parse(&it.conversion).ok());
    let known = id.and_then(|id| programme.conversion(&id));
    known.ok_or(Fault::Internal("a conversion that its programme does not know"))
}

/// Whether a run pays out, and its payout file is not complete.
pub fn lacks_manifest(
    programme: &Programme,
    run: &Run,
    shards: &[ShardProgress],
) -> Result<bool, Fault> {
    let dry_run = run.converts.as_ref().is_some_and(|it| it.dry_run);
    let pays = !dry_run && conversion_of(programme, run)?.into.is_none();
    Ok(pays && shards.iter().all(|shard| shard.conversion.manifest.is_none()))
}
