//! Exports: what was started, how far each shard is, and which one the next delta starts from.

use domain::id::{RunId, SegmentId};
use domain::time::Instant;
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::commit::back_off;
use crate::error::{Error, Noun, Result};
use crate::key::{self, ItemKey, SHARDS};
use crate::record::{from_bytes, to_bytes};
use crate::table::{
    Demand, Item, Write, Written, binary, item, number, read_binary, read_number, read_text, text,
};

/// Tries to note something against rivals. Each lost race means that a worker got on.
const MAX_TRIES: u32 = 8;

/// An export as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    pub segment: String,
    pub dialect: String,
    /// Of the request: the same key with another request is refused.
    pub payload: [u8; 8],
    /// Milliseconds since 1970: what the files show is judged at this time.
    pub as_of: i64,
    /// The programme that says who is a member; a later version is for later exports.
    pub programme: u64,
    /// Whether a doubtful file is wanted.
    pub force: bool,
    /// The export that was the newest completed one of the segment in the dialect.
    pub before: Option<Completed>,
    /// Whether only what changed since then is told.
    pub delta: bool,
    pub status: ExportStatus,
    /// Once it is completed.
    pub manifest: Option<ExportFile>,
}

/// An export that was completed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completed {
    pub export: String,
    pub as_of: i64,
    /// Participants whom the platform may write to after it.
    pub addressed: u64,
}

/// Where an export stands. That its shards were given up, they say themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportStatus {
    Running,
    Completed,
    /// It would have addressed nobody, and was not forced.
    Empty,
    /// It would have addressed far fewer than the one before, and was not forced.
    Shrunk,
}

/// How far a shard of an export has got. Only files that it names count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportShard {
    /// Participants up to this id are done.
    pub after: Option<String>,
    /// What was written for the platform.
    pub files: Vec<ExportPart>,
    /// What was written for the next delta, in the order of ids.
    pub told: Vec<ToldPart>,
    pub counts: ExportCounts,
    /// When a worker last got a step on, in milliseconds since 1970.
    pub touched_at: Option<i64>,
    /// When the shard was done, in milliseconds since 1970.
    pub ended_at: Option<i64>,
    /// Since when nobody goes on with the shard, in milliseconds since 1970.
    pub failed_at: Option<i64>,
}

/// A file for the platform, and what its rows do: the place among [`domain::export::Op::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportPart {
    pub op: u8,
    pub file: ExportFile,
}

/// A file for the next delta, and the last participant that it may tell of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldPart {
    pub until: String,
    pub name: String,
}

/// What an export came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportCounts {
    pub members: u64,
    /// Participants whom the platform may write to.
    pub addressed: u64,
    pub added: u64,
    pub changed: u64,
    pub removed: u64,
    pub suppressed: u64,
    pub skipped_no_consent: u64,
    pub skipped_no_address: u64,
}

impl ExportCounts {
    /// Adds up.
    pub fn add(&mut self, other: &ExportCounts) {
        self.members += other.members;
        self.addressed += other.addressed;
        self.added += other.added;
        self.changed += other.changed;
        self.removed += other.removed;
        self.suppressed += other.suppressed;
        self.skipped_no_consent += other.skipped_no_consent;
        self.skipped_no_address += other.skipped_no_address;
    }
}

/// One file of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportFile {
    pub name: String,
    pub rows: u64,
    pub bytes: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
}

/// An export with its version, and its shards in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportProgress {
    pub export: Export,
    pub version: u64,
    pub shards: Vec<ExportShard>,
}

impl Store {
    /// Records an export unless one of this id is recorded. Answers what is recorded, and whether
    /// it was before. Write units: 3, with the index of exports under way.
    ///
    /// # Errors
    /// A failure.
    pub async fn start_export(&self, id: &RunId, export: &Export) -> Result<(Export, bool)> {
        if let Some(item) = self.table.get(key::job(id.as_str()), true).await? {
            return Ok((from_bytes(read_binary(&item, "d")?)?, true));
        }
        match self.table.put_once(export_item(id, export, 1)?, Demand::Absent).await? {
            true => Ok((export.clone(), false)),
            false => Ok((self.export(id).await?, true)),
        }
    }

    /// An export as it is recorded. Read units: 1.
    ///
    /// # Errors
    /// `NotFound` (export), or a failure.
    pub async fn export(&self, id: &RunId) -> Result<Export> {
        let item = self.table.get(key::job(id.as_str()), true).await?;
        from_bytes(read_binary(&item.ok_or(Error::NotFound(Noun::Export))?, "d")?)
    }

    /// An export with the progress of all shards. Read units: 1 for each 4 KB of them.
    ///
    /// # Errors
    /// `NotFound` (export), or a failure.
    pub async fn export_progress(&self, id: &RunId) -> Result<ExportProgress> {
        let job = key::job(id.as_str());
        let items = self.table.partition(&job.pk).await?;
        let is = |item: &Item, key: &ItemKey| read_text(item, "sk").is_ok_and(|sk| sk == key.sk);
        let at = |key: &ItemKey| items.iter().find(|item| is(item, key));
        let item = at(&job).ok_or(Error::NotFound(Noun::Export))?;
        let mut shards = Vec::new();
        for shard in 0..SHARDS {
            let item = at(&key::job_shard(id.as_str(), shard));
            let known = item.map(|item| from_bytes(read_binary(item, "d")?)).transpose()?;
            shards.push(known.unwrap_or_default());
        }
        let (export, version) = (from_bytes(read_binary(item, "d")?)?, read_number(item, "v")?);
        Ok(ExportProgress { export, version, shards })
    }

    /// The progress of one shard and its version. Read units: 1 for each 4 KB.
    ///
    /// # Errors
    /// A failure.
    pub async fn export_shard(&self, id: &RunId, shard: u8) -> Result<(ExportShard, u64)> {
        let item = self.table.get(key::job_shard(id.as_str(), shard), true).await?;
        let Some(item) = item else { return Ok((ExportShard::default(), 0)) };
        Ok((from_bytes(read_binary(&item, "d")?)?, read_number(&item, "v")?))
    }

    /// Stores the progress of a shard, if nobody stored another since this version. Answers
    /// whether it is stored.
    ///
    /// # Errors
    /// A failure.
    pub async fn save_export_shard(
        &self,
        id: &RunId,
        shard: u8,
        progress: &ExportShard,
        version: u64,
    ) -> Result<bool> {
        let demand = if version == 0 { Demand::Absent } else { Demand::Number("v", version) };
        let record = [("v", number(version + 1)), ("d", binary(to_bytes(progress)?))];
        self.table.put_once(item(key::job_shard(id.as_str(), shard), record), demand).await
    }

    /// Notes since when nobody goes on with a shard unless this last try succeeds; or, with none,
    /// that it is asked for again.
    ///
    /// # Errors
    /// `Contended`, or a failure.
    pub async fn give_up_export_shard(
        &self,
        id: &RunId,
        shard: u8,
        failed_at: Option<Instant>,
    ) -> Result<()> {
        let failed_at = failed_at.map(|at| at.0);
        for _ in 0..MAX_TRIES {
            let (progress, version) = self.export_shard(id, shard).await?;
            if progress.ended_at.is_some() || progress.failed_at == failed_at {
                return Ok(());
            }
            let progress = ExportShard { failed_at, ..progress };
            if self.save_export_shard(id, shard, &progress, version).await? {
                return Ok(());
            }
        }
        Err(Error::Contended)
    }

    /// Ends an export of this version, as it says; nothing where somebody else ended it. One that
    /// is completed becomes what the next delta starts from, unless a newer one is already.
    ///
    /// # Errors
    /// `Contended`, or a failure.
    pub async fn end_export(
        &self,
        id: &RunId,
        export: &Export,
        version: u64,
        completed: Option<&Completed>,
    ) -> Result<()> {
        let ended = export_item(id, export, version + 1)?;
        for attempt in 0..MAX_TRIES {
            let demand = Demand::Number("v", version);
            let mut parts = vec![Write::Put { item: ended.clone(), demand }];
            if let Some(completed) = completed {
                let key = key::last_export(&export.segment, &export.dialect);
                let known = self.table.get(key.clone(), true).await?;
                parts.extend(follow(key, known.as_ref(), completed)?);
            }
            match self.table.write(parts).await? {
                Written::Done => return Ok(()),
                Written::Refused(unmet) if unmet.first().is_some_and(|first| first.failed) => {
                    return Ok(());
                }
                Written::Refused(_) | Written::Conflict => back_off(attempt).await,
            }
        }
        Err(Error::Contended)
    }

    /// The newest completed export of a segment in a dialect. Read units: 1.
    ///
    /// # Errors
    /// A failure.
    pub async fn last_export(
        &self,
        segment: &SegmentId,
        dialect: &str,
    ) -> Result<Option<Completed>> {
        let item = self.table.get(key::last_export(segment.as_str(), dialect), true).await?;
        item.map(|item| from_bytes(read_binary(&item, "d")?)).transpose()
    }

    /// Exports under way, in the order of ids, up to so many after a place.
    ///
    /// # Errors
    /// A failure.
    pub async fn open_exports(&self, after: Option<&str>, limit: i32) -> Result<Vec<RunId>> {
        let ids = self.table.index(key::OPEN_EXPORTS, after, limit).await?;
        let parse = |id: &String| RunId::parse(id).map_err(|_| Error::Corrupt("bad export key"));
        ids.iter().map(parse).collect()
    }
}

/// The item of an export: in the index while it is under way.
fn export_item(id: &RunId, export: &Export, version: u64) -> Result<Item> {
    let record = [("v", number(version)), ("d", binary(to_bytes(export)?))];
    let mut item = item(key::job(id.as_str()), record);
    if export.status == ExportStatus::Running {
        item.insert("ix_pk".to_owned(), text(key::OPEN_EXPORTS));
        item.insert("ix_sk".to_owned(), text(id.as_str()));
    }
    Ok(item)
}

/// Puts a completed export in the place of an older one.
fn follow(key: ItemKey, known: Option<&Item>, completed: &Completed) -> Result<Option<Write>> {
    let version = known.map(|item| read_number(item, "v")).transpose()?;
    if let Some(item) = known {
        let before: Completed = from_bytes(read_binary(item, "d")?)?;
        if before.as_of > completed.as_of {
            return Ok(None);
        }
    }
    let record = [("v", number(version.unwrap_or(0) + 1)), ("d", binary(to_bytes(completed)?))];
    let demand = version.map_or(Demand::Absent, |version| Demand::Number("v", version));
    Ok(Some(Write::Put { item: item(key, record), demand }))
}
