//! Ending an export once all shards are done: the guard, and the manifest last. All of
//! it follows from what is recorded, so whoever ends it, and however often, writes the same bytes.

use domain::export::{Doubt, Mode, Op};
use domain::id::RunId;
use harness::{Fault, Room};
use store::{Completed, Export, ExportProgress, ExportStatus};
use wire::csv::{ManifestFile, Telling, manifest};

use crate::answer::{counts, total};
use crate::parts::described;
use crate::work::Work;

/// Ends an export unless a shard is left.
pub async fn finish(room: &Room, work: &Work<'_>, id: &RunId) -> Result<(), Fault> {
    let known = room.store.export_progress(id).await?;
    let left = known.shards.iter().any(|shard| shard.ended_at.is_none());
    if left || known.export.status != ExportStatus::Running {
        return Ok(());
    }
    let addressed = total(&known).addressed;
    let (mut ended, mut completed) = (known.export.clone(), None);
    match doubt(work, &known.export, addressed) {
        Some(Doubt::Empty) => ended.status = ExportStatus::Empty,
        Some(Doubt::Shrunk) => ended.status = ExportStatus::Shrunk,
        None => {
            let bytes = told(work, id, &known)?;
            let name = format!("exports/{id}/manifest.json");
            ended.manifest = Some(described(&name, 0, &bytes));
            ended.status = ExportStatus::Completed;
            completed = Some(Completed { export: id.to_string(), as_of: ended.as_of, addressed });
            room.put_file(&name, "application/json", bytes).await?;
        }
    }
    room.store.end_export(id, &ended, known.version, completed.as_ref()).await?;
    Ok(())
}

/// What speaks against handing it over. A delta is never held back: it carries who opted out.
fn doubt(work: &Work<'_>, export: &Export, addressed: u64) -> Option<Doubt> {
    if export.force || export.delta {
        return None;
    }
    let before = export.before.as_ref().map(|before| before.addressed);
    work.segment.export.doubt(addressed, before)
}

fn told(work: &Work<'_>, id: &RunId, known: &ExportProgress) -> Result<Vec<u8>, Fault> {
    let export = &known.export;
    let mut files = Vec::new();
    for part in known.shards.iter().flat_map(|shard| &shard.files) {
        let op = Op::ALL.get(usize::from(part.op)).copied();
        let op = op.ok_or(Fault::Internal("a part that does nothing known"))?;
        let file = part.file.clone();
        let size = (file.rows, file.bytes);
        files.push(ManifestFile::new(work.dialect, op, file.name, size, file.sha256));
    }
    let base = export.before.as_ref().filter(|_| export.delta);
    let telling = Telling {
        programme: work.programme,
        segment: work.segment,
        run: id,
        as_of: work.as_of,
        mode: if export.delta { Mode::Delta } else { Mode::Full },
        dialect: work.dialect,
        base: base.map(|base| base.export.as_str()),
    };
    let manifest = manifest(&telling, files, counts(&total(known)));
    serde_json::to_vec_pretty(&manifest).map_err(|_| Fault::Internal("manifest"))
}
