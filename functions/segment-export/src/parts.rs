//! The files of one step: one for each thing that rows do, and what the next delta needs.
//!
//! A name says the run, what the rows do, the shard, the part and the bytes: the same data always
//! leads to the same name, and of two workers with different data neither writes over the other's.

use domain::export::{Dialect, Op, Told};
use domain::id::RunId;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use harness::{Fault, Room};
use sha2::{Digest, Sha256};
use store::{ExportFile, ExportPart, ToldPart};
use wire::csv::dialect::{tells_of, write_header, write_row};
use wire::csv::{ExportRow, hex, write_told};

/// Most rows of a part.
const PART_ROWS: u64 = 10_000;

type Open = GzEncoder<Vec<u8>>;

/// What a step writes, compressed in memory until it ends.
pub struct Parts {
    dialect: Dialect,
    open: [Option<(Open, u64)>; 4],
    told: Open,
}

/// A file in memory carries no time, so the same rows give the same bytes.
fn begin() -> Open {
    GzBuilder::new().mtime(0).write(Vec::new(), Compression::default())
}

fn broken(_: std::io::Error) -> Fault {
    Fault::Internal("a part cannot be written")
}

impl Parts {
    /// Nothing written yet.
    pub fn new(dialect: Dialect) -> Parts {
        Parts { dialect, open: [None, None, None, None], told: begin() }
    }

    /// Adds a row; answers whether the dialect has one.
    pub fn add(&mut self, op: Op, row: ExportRow) -> Result<bool, Fault> {
        if !tells_of(self.dialect, &row) {
            return Ok(false);
        }
        let Some(open) = self.open.get_mut(place(op)) else { return Ok(false) };
        let (file, rows) = match open {
            Some(open) => open,
            None => {
                let mut file = begin();
                write_header(&mut file, self.dialect, op).map_err(broken)?;
                open.insert((file, 0))
            }
        };
        write_row(file, self.dialect, op, &row.doing(op)).map_err(broken)?;
        *rows += 1;
        Ok(true)
    }

    /// Adds what the next delta needs.
    pub fn note(&mut self, told: &Told) -> Result<(), Fault> {
        write_told(&mut self.told, told).map_err(broken)
    }

    /// Whether no file may get another row.
    pub fn is_full(&self) -> bool {
        self.open.iter().flatten().any(|(_, rows)| *rows == PART_ROWS)
    }

    /// Writes the files of a part of a shard to the bucket.
    pub async fn close(
        self,
        room: &Room,
        id: &RunId,
        shard: u8,
        part: usize,
        until: String,
    ) -> Result<(Vec<ExportPart>, ToldPart), Fault> {
        let mut files = Vec::new();
        for (op, open) in Op::ALL.into_iter().zip(self.open) {
            let Some((file, rows)) = open else { continue };
            let bytes = file.finish().map_err(broken)?;
            let name = name(("exports", id), op.name(), (shard, part), &bytes, "csv.gz");
            let file = described(&name, rows, &bytes);
            room.put_file(&name, "application/gzip", bytes).await?;
            files.push(ExportPart { op: u8::try_from(place(op)).unwrap_or(u8::MAX), file });
        }
        let bytes = self.told.finish().map_err(broken)?;
        // Not among what is handed over and removed after a while: the next delta needs it.
        let name = name(("told", id), "told", (shard, part), &bytes, "gz");
        room.put_file(&name, "application/gzip", bytes).await?;
        Ok((files, ToldPart { until, name }))
    }
}

/// The place of a file among the open ones, and in the record.
fn place(op: Op) -> usize {
    match op {
        Op::Add => 0,
        Op::Change => 1,
        Op::Remove => 2,
        Op::Suppress => 3,
    }
}

fn name(
    (folder, id): (&str, &RunId),
    what: &str,
    (shard, part): (u8, usize),
    bytes: &[u8],
    suffix: &str,
) -> String {
    let mark = hex(&Sha256::digest(bytes)[..6]);
    format!("{folder}/{id}/{what}-{shard}-{part:05}-{mark}.{suffix}")
}

/// A file as it is stored.
pub fn described(name: &str, rows: u64, bytes: &[u8]) -> ExportFile {
    ExportFile {
        name: name.to_owned(),
        rows,
        bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        sha256: hex(&Sha256::digest(bytes)),
    }
}
