//! Writing an export: members in the order of their ids, in parts, and the manifest last.

use std::io::Write;

use domain::id::{RunId, SegmentId};
use domain::programme::Programme;
use domain::segment::Segment;
use domain::time::Instant;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use harness::{Fault, Room};
use sha2::{Digest, Sha256};
use store::{Export, ExportCounts, ExportFile, ExportStatus, Member};
use wire::csv::{Counts, ExportRow, ManifestFile, Op, full_manifest, header, hex, write_row};

/// Rows of one part: some 10 MB before compression, all that is held in memory.
const PART_ROWS: u64 = 50_000;
/// The channel whose consent an export needs.
const CHANNEL: &str = "email";

/// Writes the parts of an export. Two workers may do so at the same time and see other wallets:
/// parts are named after their bytes, and the record decides whose count.
pub async fn parts(
    room: &Room,
    now: Instant,
    id: &RunId,
    mut export: Export,
) -> Result<Export, Fault> {
    let programme = room.programme(now).await?;
    let Some(segment) = segment_of(&programme, &export) else {
        // Its definition was removed while the export waited.
        export.status = ExportStatus::Failed;
        return Ok(export);
    };
    let as_of = Instant(export.as_of);
    let mut file = Files { room, id, parts: Vec::new(), open: None };
    let mut counts = ExportCounts::default();
    let mut roster = room.store.roster();
    loop {
        let members = room.store.next_members(&mut roster).await?;
        if members.is_empty() {
            break;
        }
        for member in &members {
            if is_addressed(&programme, segment, member, as_of, &mut counts) {
                let Member { id, participant, wallet } = member;
                let row = ExportRow::of(&programme, segment, id, participant, wallet, as_of);
                file.add(&row).await?;
            }
        }
    }
    export.counts = counts;
    if counts.added == 0 && !export.force {
        export.status = ExportStatus::Refused;
        return Ok(export);
    }
    export.files = file.close().await?;
    Ok(export)
}

/// Writes the manifest, which says that the export is whole.
pub async fn manifest(
    room: &Room,
    now: Instant,
    id: &RunId,
    mut export: Export,
) -> Result<Export, Fault> {
    let programme = room.programme(now).await?;
    let Some(segment) = segment_of(&programme, &export) else {
        export.status = ExportStatus::Failed;
        return Ok(export);
    };
    let as_of = Instant(export.as_of);
    let bytes = told(&programme, segment, id, as_of, &export.files, &export.counts)?;
    let name = format!("exports/{id}/manifest.json");
    export.files.push(described(&name, 0, &bytes));
    room.put_file(&name, "application/json", bytes).await?;
    export.status = ExportStatus::Completed;
    Ok(export)
}

/// The segment as the active programme defines it.
fn segment_of<'a>(programme: &'a Programme, export: &Export) -> Option<&'a Segment> {
    programme.segment(&SegmentId::parse(&export.segment).ok()?)
}

/// Whether a participant is a member who may be written to; counts those who are left out.
fn is_addressed(
    programme: &Programme,
    segment: &Segment,
    member: &Member,
    as_of: Instant,
    counts: &mut ExportCounts,
) -> bool {
    let participant = &member.participant;
    if !segment.members.holds(participant, &member.wallet, as_of, programme.zone) {
        return false;
    }
    counts.members += 1;
    if !participant.consents_to(&CHANNEL.into()) {
        counts.skipped_no_consent += 1;
        return false;
    }
    if participant.profile.email.is_none() {
        counts.skipped_no_address += 1;
        return false;
    }
    counts.added += 1;
    true
}

/// The counts as the contract names them.
pub fn counts(counts: &ExportCounts) -> Counts {
    Counts {
        members: counts.members,
        added: counts.added,
        removed: 0,
        suppressed: 0,
        skipped_no_consent: counts.skipped_no_consent,
        skipped_no_address: counts.skipped_no_address,
    }
}

fn told(
    programme: &Programme,
    segment: &Segment,
    id: &RunId,
    as_of: Instant,
    files: &[ExportFile],
    counted: &ExportCounts,
) -> Result<Vec<u8>, Fault> {
    let files = files.iter().map(|file| ManifestFile {
        name: file.name.clone(),
        op: Op::Add,
        rows: file.rows,
        bytes: file.bytes,
        sha256: file.sha256.clone(),
    });
    let counts = counts(counted);
    let manifest = full_manifest(programme, segment, id, as_of, files.collect(), counts);
    serde_json::to_vec_pretty(&manifest).map_err(|_| Fault::Internal("manifest"))
}

fn described(name: &str, rows: u64, bytes: &[u8]) -> ExportFile {
    ExportFile {
        name: name.to_owned(),
        rows,
        bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        sha256: hex(&Sha256::digest(bytes)),
    }
}

/// The parts of an export, one of them open.
struct Files<'a> {
    room: &'a Room,
    id: &'a RunId,
    parts: Vec<ExportFile>,
    open: Option<(GzEncoder<Vec<u8>>, u64)>,
}

impl Files<'_> {
    async fn add(&mut self, row: &ExportRow) -> Result<(), Fault> {
        let (part, rows) = match self.open.take() {
            Some(open) => open,
            None => (begin()?, 0),
        };
        let mut part = part;
        write_row(&mut part, row).map_err(|_| Fault::Internal("row"))?;
        self.open = Some((part, rows + 1));
        if rows + 1 == PART_ROWS { self.end_part().await } else { Ok(()) }
    }

    async fn end_part(&mut self) -> Result<(), Fault> {
        let Some((part, rows)) = self.open.take() else { return Ok(()) };
        let bytes = part.finish().map_err(|_| Fault::Internal("part"))?;
        let number = self.parts.len() + 1;
        let mark = hex(&Sha256::digest(&bytes)[..6]);
        let name = format!("exports/{}/part-{number:05}-{mark}.csv.gz", self.id);
        self.parts.push(described(&name, rows, &bytes));
        self.room.put_file(&name, "application/gzip", bytes).await
    }

    /// Ends the last part. A forced export of nobody is one part with a header alone.
    async fn close(mut self) -> Result<Vec<ExportFile>, Fault> {
        if self.parts.is_empty() && self.open.is_none() {
            self.open = Some((begin()?, 0));
        }
        self.end_part().await?;
        Ok(self.parts)
    }
}

/// A part with its header; it carries no time, so the same rows give the same bytes.
fn begin() -> Result<GzEncoder<Vec<u8>>, Fault> {
    let mut part = GzBuilder::new().mtime(0).write(Vec::new(), Compression::default());
    part.write_all(header().as_bytes()).map_err(|_| Fault::Internal("header"))?;
    Ok(part)
}
