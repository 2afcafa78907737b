//! Evaluation runs: what they judged, shard by shard, so that a crash repeats and loses nothing.

use domain::id::{EventId, ParticipantId, RunId};
use domain::time::Instant;
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::alert::AlertCounts;
use crate::conversion::ConversionProgress;
use crate::error::{Error, Noun, Result};
use crate::key::{self, SHARDS};
use crate::record::{from_bytes, to_bytes};
use crate::table::{Demand, Write, Written, binary, item, number, read_binary, read_number};

/// Tries to note something of a shard. Each lost race means that a worker got on.
const MAX_TRIES: u32 = 8;

/// A run that was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Milliseconds since 1970. Events accepted later are left to the next run.
    pub started_at: i64,
    /// The definition it follows; none: started by hand.
    pub definition: Option<String>,
    /// Whether it books what has expired; else it judges what is pending.
    pub books_expiry: bool,
    /// Whether it converts points; `started_at` is the scheduled time.
    pub converts: Option<Conversing>,
    /// Whether it looks for whom alerts tell of: by this version of the programme.
    pub alerts: Option<u64>,
}

/// What a run converts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversing {
    pub conversion: String,
    /// The programme that says how; a later version is for later runs.
    pub programme: u64,
    /// Whether it only tells what it would do.
    pub dry_run: bool,
}

/// How far a shard of a run has got. What is in hand is stored before it is judged, so that who
/// takes over after a crash counts it too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardProgress {
    /// Index keys up to this one are done.
    pub after: Option<String>,
    /// Participant and event ids in hand.
    pub in_hand: Vec<(String, String)>,
    /// The last index key in hand.
    pub until: Option<String>,
    pub counts: RunCounts,
    /// When a worker last took something in hand, in milliseconds since 1970.
    pub touched_at: Option<i64>,
    /// When the shard was done, in milliseconds since 1970.
    pub ended_at: Option<i64>,
    /// What a run that books expiry came to.
    pub expired: ExpiryCounts,
    /// Since when nobody goes on with the shard, in milliseconds since 1970: its message came for
    /// the last time, and no progress was stored since that another message is to continue.
    pub failed_at: Option<i64>,
    /// What a run that converts points came to.
    pub conversion: ConversionProgress,
    /// What a run of alerts came to.
    pub alerts: AlertCounts,
}

/// What a run over all wallets booked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiryCounts {
    /// Wallets that it looked at.
    pub wallets: u64,
    /// Lots whose remainder expired.
    pub lots: u64,
    /// Holds that lapsed.
    pub holds: u64,
    /// Wallets that could not be read or written; the next run tries them again.
    pub failed: u64,
    /// What expired per balance, in minor units.
    pub amounts: Vec<(String, i64)>,
}

impl ExpiryCounts {
    /// Adds up.
    pub fn add(&mut self, other: &ExpiryCounts) {
        self.wallets += other.wallets;
        self.lots += other.lots;
        self.holds += other.holds;
        self.failed += other.failed;
        for (balance, amount) in &other.amounts {
            match self.amounts.iter_mut().find(|(known, _)| known == balance) {
                Some((_, sum)) => *sum = sum.saturating_add(*amount),
                None => self.amounts.push((balance.clone(), *amount)),
            }
        }
    }
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCounts {
    /// Events that it judged.
    pub events: u64,
    /// Awards that it made.
    pub awarded: u64,
    /// Candidate offers that awarded nothing.
    pub passed_over: u64,
    /// Events that it could not judge; they stay pending.
    pub failed: u64,
}

impl RunCounts {
    /// Adds up.
    pub fn add(&mut self, other: RunCounts) {
        self.events += other.events;
        self.awarded += other.awarded;
        self.passed_over += other.passed_over;
        self.failed += other.failed;
    }
}

/// An event that waits to be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingEvent {
    /// Its place in the pending index.
    pub place: String,
    pub participant: ParticipantId,
    pub event: EventId,
    pub accepted_at: Instant,
}

impl Store {
    /// Records a run unless one of this id is recorded. Answers what is recorded, and whether it
    /// was before.
    ///
    /// # Errors
    /// A failure.
    pub async fn start_run(&self, id: &RunId, run: &Run) -> Result<(Run, bool)> {
        let key = key::job(id.as_str());
        if let Some(known) = self.table.get(key.clone(), true).await? {
            return Ok((from_bytes(read_binary(&known, "d")?)?, true));
        }
        let item = item(key.clone(), [("d", binary(to_bytes(run)?))]);
        match self.table.write(vec![Write::Put { item, demand: Demand::Absent }]).await? {
            Written::Done => Ok((run.clone(), false)),
            Written::Refused(_) | Written::Conflict => {
                let known = self.table.get(key, true).await?.ok_or(Error::Contended)?;
                Ok((from_bytes(read_binary(&known, "d")?)?, true))
            }
        }
    }

    /// A run as it was started.
    ///
    /// # Errors
    /// `NotFound` (run), or a failure.
    pub async fn run(&self, id: &RunId) -> Result<Run> {
        let item = self.table.get(key::job(id.as_str()), true).await?;
        from_bytes(read_binary(&item.ok_or(Error::NotFound(Noun::Run))?, "d")?)
    }

    /// A run with the progress of its shards.
    ///
    /// # Errors
    /// `NotFound` (run), or a failure.
    pub async fn run_progress(&self, id: &RunId) -> Result<(Run, Vec<ShardProgress>)> {
        let run = self.run(id).await?;
        let mut shards = Vec::new();
        for shard in 0..SHARDS {
            shards.push(self.shard(id, shard).await?.0);
        }
        Ok((run, shards))
    }

    /// The progress of one shard and its version.
    ///
    /// # Errors
    /// A failure.
    pub async fn shard(&self, id: &RunId, shard: u8) -> Result<(ShardProgress, u64)> {
        let item = self.table.get(key::job_shard(id.as_str(), shard), true).await?;
        let Some(item) = item else { return Ok((ShardProgress::default(), 0)) };
        Ok((from_bytes(read_binary(&item, "d")?)?, read_number(&item, "v")?))
    }

    /// Stores the progress of a shard, if nobody stored another since this version. Answers
    /// whether it is stored.
    ///
    /// # Errors
    /// A failure.
    pub async fn save_shard(
        &self,
        id: &RunId,
        shard: u8,
        progress: &ShardProgress,
        version: u64,
    ) -> Result<bool> {
        let demand = if version == 0 { Demand::Absent } else { Demand::Number("v", version) };
        let record = [("v", number(version + 1)), ("d", binary(to_bytes(progress)?))];
        self.table.put_once(item(key::job_shard(id.as_str(), shard), record), demand).await
    }

    /// Notes that nobody goes on with a shard unless this last try succeeds: noted before, so
    /// that it stands however the try ends.
    ///
    /// # Errors
    /// `Contended`, or a failure.
    pub async fn give_up_shard(&self, id: &RunId, shard: u8, now: Instant) -> Result<()> {
        self.set_failed(id, shard, Some(now.0)).await
    }

    /// Takes back that a shard was given up: it is asked for again.
    ///
    /// # Errors
    /// `Contended`, or a failure.
    pub async fn resume_shard(&self, id: &RunId, shard: u8) -> Result<()> {
        self.set_failed(id, shard, None).await
    }

    async fn set_failed(&self, id: &RunId, shard: u8, failed_at: Option<i64>) -> Result<()> {
        for _ in 0..MAX_TRIES {
            let (progress, version) = self.shard(id, shard).await?;
            if progress.ended_at.is_some() || progress.failed_at == failed_at {
                return Ok(());
            }
            let progress = ShardProgress { failed_at, ..progress };
            if self.save_shard(id, shard, &progress, version).await? {
                return Ok(());
            }
        }
        Err(Error::Contended)
    }

    /// Pending events of a shard after a place, in order: grouped by participant.
    ///
    /// # Errors
    /// A failure.
    pub async fn pending_events(
        &self,
        shard: u8,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Vec<PendingEvent>> {
        let places = self.table.index(&key::pending(shard), after, limit).await?;
        let events = places.into_iter().map(|place| {
            let (participant, accepted_at, event) =
                key::read_pending_sort(&place).ok_or(Error::Corrupt("bad pending key"))?;
            Ok(PendingEvent { place, participant, event, accepted_at })
        });
        events.collect()
    }
}
