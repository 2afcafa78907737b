//! Segment exports: started once under their key, told when asked, written from the queue.

use std::sync::Arc;

use domain::id::{RunId, SegmentId};
use harness::{Answer, Fault, Invocation, Message, Reply, Request, Room, is_job, job_id};
use serde_json::json;
use store::{Error, Export, ExportCounts, ExportStatus, Noun};
use wire::event::payload_hash;
use wire::message::ExportMessage;
use wire::request::parse_export;

use crate::write;

/// Takes requests and messages.
pub async fn handle(room: Arc<Room>, invocation: Invocation) -> Reply {
    match invocation {
        Invocation::Http(request) => Reply::Http(match request.route.as_str() {
            "POST /v1/segments/{segment}/exports" => post(&room, &request).await,
            "GET /v1/exports/{export}" => get(&room, &request).await,
            _ => return Reply::unexpected(),
        }),
        Invocation::Queue(batch) => {
            let mut failed = Vec::new();
            for message in batch.messages {
                if let Err(fault) = export(&room, &message).await {
                    fault.log();
                    failed.push(message.id);
                }
            }
            Reply::Queue(failed)
        }
        Invocation::Changes(_) | Invocation::Tick(_) => Reply::unexpected(),
    }
}

async fn post(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.timely_key()?;
    let segment = request.path("segment", SegmentId::parse, Noun::Segment)?;
    let asked = parse_export(&request.body()?)?;
    let programme = room.programme(request.now).await?;
    programme.segment(&segment).ok_or(Fault::not_found(Noun::Segment))?;
    let id = job_id("export", &key);
    let payload = payload_hash(&json!({ "segment": segment.as_str(), "force": asked.force }));
    let export = Export {
        segment: segment.to_string(),
        payload: payload.0,
        as_of: request.now.0,
        force: asked.force,
        status: ExportStatus::Running,
        counts: ExportCounts::default(),
        files: Vec::new(),
    };
    let (recorded, repeated) = room.store.start_export(&id, &export).await?;
    if recorded.payload != export.payload {
        return Err(Error::KeyReused.into());
    }
    if recorded.status == ExportStatus::Running {
        room.send(&ExportMessage { export: id.clone() }).await?;
    }
    Answer::json(202, &json!({ "export_id": id, "repeated": repeated }))
}

async fn get(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let parse = |text: &str| RunId::parse(text).ok().filter(|_| is_job("export", text)).ok_or(());
    let id = request.path("export", parse, Noun::Export)?;
    let (export, _) = room.store.export(id.as_str()).await?;
    let mut files = Vec::new();
    for file in &export.files {
        files.push(json!({
            "name": file.name,
            "url": room.link(&file.name).await?,
            "rows": file.rows,
            "bytes": file.bytes,
            "sha256": file.sha256,
        }));
    }
    let status = match export.status {
        ExportStatus::Running => "running",
        ExportStatus::Completed => "completed",
        ExportStatus::Failed => "failed",
        ExportStatus::Refused => "refused",
    };
    let counts = write::counts(&export.counts);
    let body = json!({ "export_id": id.as_str(), "segment": export.segment, "status": status,
        "counts": counts, "files": files });
    Answer::json(200, &body)
}

async fn export(room: &Room, message: &Message) -> Result<(), Fault> {
    let id = ExportMessage::parse(message.body.as_bytes());
    let id = id.map_err(|_| Fault::Internal("a message that cannot be parsed"))?;
    let (export, version) = room.store.export(id.as_str()).await?;
    if export.status != ExportStatus::Running {
        return Ok(());
    }
    if export.files.is_empty() {
        let written = write::parts(room, message.now, &id, export).await?;
        if !room.store.save_export(id.as_str(), &written, version).await? {
            // Another worker was faster: its parts count, and whoever comes next completes them.
            return Err(Error::Contended.into());
        }
        return if written.status == ExportStatus::Running {
            complete(room, message, &id, written, version + 1).await
        } else {
            Ok(())
        };
    }
    complete(room, message, &id, export, version).await
}

/// Writes the manifest of the recorded parts, and ends the export.
async fn complete(
    room: &Room,
    message: &Message,
    id: &RunId,
    export: Export,
    version: u64,
) -> Result<(), Fault> {
    let completed = write::manifest(room, message.now, id, export).await?;
    room.store.save_export(id.as_str(), &completed, version).await?;
    Ok(())
}
