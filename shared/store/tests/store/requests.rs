//! Runs, exports, programmes and reads, as they are tried on the bad wire.

use domain::id::{ParticipantId, SegmentId, TransactionCode};
use domain::programme::Programme;
use store::{
    Completed, Error, EventsFilter, Expiring, Export, ExportCounts, ExportShard, ExportStatus,
    Recalling, RequestKey, Result, Run, RunCounts, ShardProgress, Store, ToldPart, Walked, Walking,
};

use crate::cast::{event_id, key, later, noon, payload, run_id, timed_key};

/// Where the events of `c-1` are pending.
const SHARD_OF_C1: u8 = 6;
/// Given up before anything is asked.
pub const GIVEN_UP: u8 = 5;

/// Records a run.
pub async fn start_run(store: &Store) -> Result<String> {
    Ok(format!("{:?}", store.start_run(&run_id("run-2"), &run()).await?.0))
}

pub async fn save_shard(store: &Store) -> Result<String> {
    let counts = RunCounts { events: 3, ..RunCounts::default() };
    let progress = ShardProgress { counts, ..ShardProgress::default() };
    Ok(store.save_shard(&run_id("run-1"), 3, &progress, 0).await?.to_string())
}

/// Walks the shard in which the pending events are to its end.
pub async fn walk_shard(store: &Store, programme: &Programme) -> Result<String> {
    let (run, started_at, now) = (&run_id("run-1"), later(1), later(2));
    let order = Walking { programme, now, run, started_at, shard: SHARD_OF_C1, last_try: false };
    for _ in 0..9 {
        if store.walk_shard(&order).await? == Walked::ToTheEnd {
            return Ok(format!("{:?}", store.shard(run, SHARD_OF_C1).await?));
        }
    }
    panic!("a shard without an end")
}

pub async fn give_up_shard(store: &Store) -> Result<String> {
    store.give_up_shard(&run_id("run-1"), 4, noon()).await?;
    Ok(format!("{:?}", store.shard(&run_id("run-1"), 4).await?))
}

pub async fn resume_shard(store: &Store) -> Result<String> {
    store.resume_shard(&run_id("run-1"), GIVEN_UP).await?;
    Ok(format!("{:?}", store.shard(&run_id("run-1"), GIVEN_UP).await?))
}

pub async fn start_export(store: &Store) -> Result<String> {
    Ok(format!("{:?}", store.start_export(&run_id("export-2"), &export()).await?.0))
}

pub async fn save_export_shard(store: &Store) -> Result<String> {
    let told = ToldPart { until: "c-9".to_owned(), name: "told".to_owned() };
    let counts = ExportCounts { members: 3, ..ExportCounts::default() };
    let progress = ExportShard { counts, told: vec![told], ..ExportShard::default() };
    Ok(store.save_export_shard(&run_id("export-1"), 3, &progress, 0).await?.to_string())
}

/// Gives one shard up, and asks for another again.
pub async fn give_up_export_shard(store: &Store) -> Result<String> {
    let export = &run_id("export-1");
    store.give_up_export_shard(export, 4, Some(noon())).await?;
    store.give_up_export_shard(export, GIVEN_UP, None).await?;
    Ok(format!("{:?}", store.export_progress(export).await?.shards))
}

/// Ends an export, which becomes what the next delta starts from.
pub async fn end_export(store: &Store) -> Result<String> {
    let ended = Export { status: ExportStatus::Completed, ..export() };
    store.end_export(&run_id("export-1"), &ended, 1, Some(&completed())).await?;
    let last = store.last_export(&SegmentId::parse("all").unwrap(), "canonical").await?;
    Ok(format!("{:?} {last:?}", store.open_exports(None, 9).await?))
}

/// Ends an export that is not handed over.
pub async fn refuse_export(store: &Store) -> Result<String> {
    let ended = Export { status: ExportStatus::Empty, ..export() };
    store.end_export(&run_id("export-1"), &ended, 1, None).await?;
    Ok(format!("{:?}", store.export(&run_id("export-1")).await?))
}

pub async fn read_participant(store: &Store, who: &ParticipantId) -> Result<String> {
    let (participant, wallet) = (store.participant(who).await?, store.wallet(who).await?);
    let members = store.members(std::slice::from_ref(who)).await?;
    Ok(format!("{participant:?} {wallet:?} {members:?}"))
}

pub async fn read_ledger(store: &Store, who: &ParticipantId) -> Result<String> {
    let code = TransactionCode { participant: who.clone(), sequence: 2 };
    let entries = store.transactions(who, None, 9).await?;
    Ok(format!("{entries:?} {:?}", store.transaction(&code).await?))
}

pub async fn read_events(store: &Store, who: &ParticipantId) -> Result<String> {
    let event = store.event(&event_id("p-2")).await?;
    let events = store.events(who, &EventsFilter::default(), None, 5).await?;
    let mut pending = Vec::new();
    for shard in 0..store::SHARDS {
        pending.extend(store.pending_events(shard, None, 9).await?);
    }
    Ok(format!("{event:?} {events:?} {pending:?}"))
}

pub async fn read_spend_events(store: &Store, who: &ParticipantId) -> Result<String> {
    let mut spends = Vec::new();
    for sequence in [4, 5] {
        let code = TransactionCode { participant: who.clone(), sequence };
        spends.push(store.spend_as_event(&code).await?);
    }
    Ok(format!("{spends:?}"))
}

pub async fn read_runs(store: &Store) -> Result<String> {
    let run = store.run_progress(&run_id("run-1")).await?;
    let export = store.export_progress(&run_id("export-1")).await?;
    let last = store.last_export(&SegmentId::parse("all").unwrap(), "canonical").await?;
    let open = store.open_exports(None, 9).await?;
    Ok(format!("{run:?} {export:?} {last:?} {open:?}"))
}

/// What keys led to that were used before; under a new one nothing.
pub async fn recall(store: &Store, who: &ParticipantId) -> Result<String> {
    let recalling = |key, payload| {
        let (now, participant, key) = (later(9), who, RequestKey::Caller(key));
        Recalling { now, participant, key, payload }
    };
    let (of_spend, of_hold, new) = (&timed_key(noon(), 1), &timed_key(noon(), 3), &key("k-9"));
    let spend = store.recall_spend(&recalling(of_spend, payload(1))).await?;
    let hold = store.recall_hold(&recalling(of_hold, payload(9))).await?;
    let none = store.recall_adjustment(&recalling(new, payload(1))).await?;
    assert!(spend.is_some() && hold.is_some() && none.is_none());
    let reused = store.recall_spend(&recalling(of_spend, payload(2))).await;
    match reused {
        Err(Error::KeyReused) => Ok(format!("{spend:?} {hold:?}")),
        Err(failure) => Err(failure),
        Ok(_) => panic!("another payload"),
    }
}

pub async fn read_programme(store: &Store) -> Result<String> {
    let active = store.active_programme(false).await?;
    Ok(format!("{active} {:?}", store.programme(active).await?))
}

pub async fn read_roster(store: &Store, programme: &Programme) -> Result<String> {
    let (now, run, mut all) = (later(20), &run_id("run-1"), Vec::new());
    let order = Expiring { programme, now, run, started_at: later(1) };
    for shard in 0..store::SHARDS {
        let ids = store.roster_of(shard, None, 9).await?;
        all.extend(if ids.is_empty() { ids } else { store.to_be_booked(&order, &ids).await? });
    }
    Ok(format!("{all:?}"))
}

pub fn run() -> Run {
    let (definition, converts, alerts) = (None, None, None);
    Run { started_at: noon().0, definition, books_expiry: false, converts, alerts }
}

pub fn export() -> Export {
    Export {
        segment: "all".to_owned(),
        dialect: "canonical".to_owned(),
        payload: [1; 8],
        as_of: noon().0,
        programme: 1,
        force: false,
        before: None,
        delta: false,
        status: ExportStatus::Running,
        manifest: None,
    }
}

pub fn completed() -> Completed {
    Completed { export: "export-1".to_owned(), as_of: noon().0, addressed: 7 }
}
