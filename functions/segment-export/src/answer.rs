//! What is told of an export: how it stands, what it came to, and links to its files.

use domain::export::{Doubt, Mode};
use domain::id::RunId;
use domain::time::{Instant, show_instant};
use harness::{Answer, Fault, Request, Room, is_job};
use serde_json::{Value, json};
use store::{ExportCounts, ExportFile, ExportProgress, ExportStatus, Noun};
use wire::csv::Counts;

/// Tells of an export.
pub async fn get(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let parse = |text: &str| RunId::parse(text).ok().filter(|_| is_job("export", text)).ok_or(());
    let id = request.path("export", parse, Noun::Export)?;
    let known = room.store.export_progress(&id).await?;
    let programme = room.programme(request.now).await?;
    let mut files = Vec::new();
    if known.export.status == ExportStatus::Completed {
        let parts = known.shards.iter().flat_map(|shard| &shard.files).map(|part| &part.file);
        for file in parts.chain(&known.export.manifest) {
            files.push(shown(room, file).await?);
        }
    }
    let (status, reason) = status(&known);
    let export = &known.export;
    let base = export.before.as_ref().filter(|_| export.delta);
    let mode = if export.delta { Mode::Delta } else { Mode::Full };
    let failed = known.shards.iter().filter(|shard| shard.failed_at.is_some()).count();
    let body = json!({
        "export_id": id.as_str(),
        "segment": export.segment,
        "mode": mode.name(),
        "dialect": export.dialect,
        "base_run_id": base.map(|base| &base.export),
        "as_of": show_instant(Instant(export.as_of), programme.zone),
        "status": status,
        "reason": reason,
        "shards_failed": failed,
        "counts": counts(&total(&known)),
        "files": files,
    });
    Answer::json(200, &body)
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

/// How an export stands, and why it was refused. It has failed when nobody goes on with what is
/// left of it.
fn status(known: &ExportProgress) -> (&'static str, Option<Value>) {
    let over = |shard: &store::ExportShard| shard.ended_at.or(shard.failed_at).is_some();
    let failed = known.shards.iter().any(|shard| shard.failed_at.is_some());
    match known.export.status {
        ExportStatus::Completed => ("completed", None),
        ExportStatus::Empty => ("refused", Some(why(Doubt::Empty))),
        ExportStatus::Shrunk => ("refused", Some(why(Doubt::Shrunk))),
        ExportStatus::Running if failed && known.shards.iter().all(over) => ("failed", None),
        ExportStatus::Running => ("running", None),
    }
}

fn why(doubt: Doubt) -> Value {
    let (code, message) = match doubt {
        Doubt::Empty => ("empty", "The segment has nobody who may be written to."),
        Doubt::Shrunk => (
            "sharply_smaller",
            "The segment has far fewer who may be written to than its last export had.",
        ),
    };
    json!({ "code": code, "message": format!("{message} Export it with force if that is meant.") })
}

/// What all shards came to.
pub fn total(known: &ExportProgress) -> ExportCounts {
    let mut total = ExportCounts::default();
    known.shards.iter().for_each(|shard| total.add(&shard.counts));
    total
}

/// The counts as the contract names them.
pub fn counts(counts: &ExportCounts) -> Counts {
    Counts {
        members: counts.members,
        added: counts.added,
        changed: counts.changed,
        removed: counts.removed,
        suppressed: counts.suppressed,
        skipped_no_consent: counts.skipped_no_consent,
        skipped_no_address: counts.skipped_no_address,
    }
}
