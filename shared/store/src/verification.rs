//! Verifications: what was started, how far each shard is, and what does not agree.

use std::collections::BTreeMap;

use domain::id::{ParticipantId, RunId};
use domain::time::Instant;
use domain::verify::{Counts, Finding, Other, Shared, add};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::error::{Error, Noun, Result};
use crate::key::{self, ItemKey, SHARDS};
use crate::record::{from_bytes, to_bytes};
use crate::table::{Demand, Item, binary, item, number, read_binary, read_number, read_text, text};
use crate::verify::VerifiedWallet;

mod shard;
mod shared;

pub use shared::SharedMark;

/// Tries to note something against rivals. Each lost race means that a worker got on.
const MAX_TRIES: u32 = 8;
/// Findings that are kept of a shard, and of quotas and stocks; the others are counted.
const MAX_FINDINGS: usize = 100;
/// Names of offers or coupons that are kept; the others are counted.
const MAX_NAMES: usize = 100;

/// A verification as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// Of the request: the same key with another request is refused.
    pub payload: [u8; 8],
    /// Milliseconds since 1970.
    pub as_of: i64,
    /// Whose wallet alone; none: everybody's.
    pub participant: Option<String>,
    /// Quotas and stocks before any wallet was read; none any more once it has ended.
    pub shared: Vec<SharedMark>,
    /// Once it has ended.
    pub ended: Option<VerificationEnd>,
}

/// How a verification ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationEnd {
    /// Milliseconds since 1970.
    pub at: i64,
    /// Offers whose quota was held against all ledgers.
    pub quotas: u64,
    /// Coupons whose stock was.
    pub stocks: u64,
    /// How many of them do not agree.
    pub findings_count: u64,
    /// The first hundred.
    pub findings: Vec<VerificationFinding>,
    /// Offers whose quota was taken from meanwhile, so that it cannot be compared.
    pub quotas_moved: Named,
    /// Coupons likewise.
    pub stocks_moved: Named,
}

/// Offers or coupons, as many as a record has room for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub count: u64,
    /// The first hundred.
    pub names: Vec<String>,
}

/// How far a shard of a verification has got.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationShard {
    /// Participants up to this id are done.
    pub after: Option<String>,
    pub counts: VerificationCounts,
    /// What its ledgers took of quotas and stocks, by their partitions; they stand beside the
    /// record.
    #[serde(skip)]
    pub shared: BTreeMap<String, Counts>,
    /// Items beside the record that held some of them when it was read.
    #[serde(skip)]
    pub more: u64,
    /// The first hundred.
    pub findings: Vec<VerificationFinding>,
    /// When a worker last got a step on, or tried to end the verification, in milliseconds since
    /// 1970.
    pub touched_at: Option<i64>,
    /// When the shard was done, in milliseconds since 1970.
    pub ended_at: Option<i64>,
    /// Since when nobody goes on with the shard, or, where it is done, since when nobody ends the
    /// verification for it; in milliseconds since 1970.
    pub failed_at: Option<i64>,
}

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationCounts {
    pub wallets: u64,
    pub entries: u64,
    pub pages: u64,
    /// Events that entries were held against.
    pub events: u64,
    /// Passes likewise.
    pub passes: u64,
    pub aliases: u64,
    /// What does not agree.
    pub findings: u64,
}

/// A finding as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationFinding {
    /// The stable code.
    pub kind: String,
    pub participant: Option<String>,
    pub entry: Option<u64>,
    pub event: Option<String>,
    /// Plan and serial.
    pub pass: Option<(String, u64)>,
    pub offer: Option<String>,
    pub coupon: Option<String>,
    pub detail: String,
}

/// A verification with its version, and its shards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationProgress {
    pub verification: Verification,
    pub version: u64,
    /// All of them, or that of the one participant.
    pub shards: Vec<(u8, VerificationShard)>,
}

impl From<&Finding> for VerificationFinding {
    fn from(finding: &Finding) -> VerificationFinding {
        let (mut event, mut pass, mut offer, mut coupon) = (None, None, None, None);
        match &finding.other {
            Some(Other::Event(id)) => event = Some(id.to_string()),
            Some(Other::Pass(id)) => pass = Some((id.plan.to_string(), id.serial)),
            Some(Other::Shared(Shared::Quota(id))) => offer = Some(id.to_string()),
            Some(Other::Shared(Shared::Stock(id))) => coupon = Some(id.to_string()),
            None => {}
        }
        VerificationFinding {
            kind: finding.kind.code().to_owned(),
            participant: finding.participant.as_ref().map(ToString::to_string),
            entry: finding.entry,
            event,
            pass,
            offer,
            coupon,
            detail: finding.detail.clone(),
        }
    }
}

impl Named {
    fn add(&mut self, name: String) {
        self.count += 1;
        if self.names.len() < MAX_NAMES {
            self.names.push(name);
        }
    }
}

impl VerificationEnd {
    fn find(&mut self, finding: &Finding) {
        self.findings_count += 1;
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(VerificationFinding::from(finding));
        }
    }
}

impl VerificationCounts {
    /// Adds up.
    pub fn add(&mut self, other: &VerificationCounts) {
        self.wallets += other.wallets;
        self.entries += other.entries;
        self.pages += other.pages;
        self.events += other.events;
        self.passes += other.passes;
        self.aliases += other.aliases;
        self.findings += other.findings;
    }
}

impl VerificationShard {
    /// Adds what a participant's verification came to.
    pub fn add(&mut self, verified: &VerifiedWallet) {
        let VerifiedWallet { findings, ledger, pages, aliases } = verified;
        self.counts.add(&VerificationCounts {
            wallets: 1,
            entries: ledger.entries,
            pages: *pages,
            events: ledger.events,
            passes: ledger.passes,
            aliases: *aliases,
            findings: u64::try_from(findings.len()).unwrap_or(u64::MAX),
        });
        let room = MAX_FINDINGS.saturating_sub(self.findings.len());
        self.findings.extend(findings.iter().take(room).map(VerificationFinding::from));
        for (shared, counts) in &ledger.shared {
            add(self.shared.entry(key::shared(shared).pk).or_default(), counts);
        }
    }
}

impl VerificationProgress {
    /// Whether no shard is left.
    pub fn is_done(&self) -> bool {
        self.shards.iter().all(|(_, shard)| shard.ended_at.is_some())
    }

    /// Whether it has not ended and nobody goes on: each shard is done or given up, and at least
    /// one is given up, or ending the verification was, after the last was done.
    pub fn has_failed(&self) -> bool {
        let shards = || self.shards.iter().map(|(_, shard)| shard);
        let over = |shard: &VerificationShard| shard.ended_at.or(shard.failed_at).is_some();
        let last = shards().filter_map(|shard| shard.ended_at).max();
        let left = |shard: &VerificationShard| match shard.ended_at {
            Some(_) => shard.failed_at >= last,
            None => shard.failed_at.is_some(),
        };
        self.verification.ended.is_none() && shards().all(over) && shards().any(left)
    }

    /// What all ledgers took of quotas and stocks, by their partitions.
    pub fn shared(&self) -> BTreeMap<String, Counts> {
        let mut sums: BTreeMap<String, Counts> = BTreeMap::new();
        for (of, counts) in self.shards.iter().flat_map(|(_, shard)| &shard.shared) {
            add(sums.entry(of.clone()).or_default(), counts);
        }
        sums
    }
}

impl Store {
    /// Records a verification unless one of this id is recorded. Answers what is recorded, and
    /// whether it was before. Write units: 3, with the index of those under way.
    ///
    /// # Errors
    /// A failure.
    pub async fn start_verification(
        &self,
        id: &RunId,
        verification: &Verification,
    ) -> Result<(Verification, bool)> {
        if let Some(item) = self.table.get(key::job(id.as_str()), true).await? {
            return Ok((from_bytes(read_binary(&item, "d")?)?, true));
        }
        let item = verification_item(id, verification, 1)?;
        match self.table.put_once(item, Demand::Absent).await? {
            true => Ok((verification.clone(), false)),
            false => Ok((self.verification(id).await?, true)),
        }
    }

    /// A verification as it is recorded. Read units: 1 for each 4 KB.
    ///
    /// # Errors
    /// `NotFound` (verification), or a failure.
    pub async fn verification(&self, id: &RunId) -> Result<Verification> {
        let item = self.table.get(key::job(id.as_str()), true).await?;
        from_bytes(read_binary(&item.ok_or(Error::NotFound(Noun::Verification))?, "d")?)
    }

    /// A verification with the progress of its shards. Read units: 1 for each 4 KB of them.
    ///
    /// # Errors
    /// `NotFound` (verification), or a failure.
    pub async fn verification_progress(&self, id: &RunId) -> Result<VerificationProgress> {
        let job = key::job(id.as_str());
        let items = self.table.partition(&job.pk).await?;
        let is = |item: &Item, key: &ItemKey| read_text(item, "sk").is_ok_and(|sk| sk == key.sk);
        let at = |key: &ItemKey| items.iter().find(|item| is(item, key));
        let item = at(&job).ok_or(Error::NotFound(Noun::Verification))?;
        let verification: Verification = from_bytes(read_binary(item, "d")?)?;
        let mut shards = Vec::new();
        for shard in shards_of(&verification)? {
            let known = match at(&key::job_shard(id.as_str(), shard)) {
                Some(head) => {
                    let more = shard::more(id, shard, head)?;
                    shard::read(head, more.iter().filter_map(at))?
                }
                None => VerificationShard::default(),
            };
            shards.push((shard, known));
        }
        Ok(VerificationProgress { verification, version: read_number(item, "v")?, shards })
    }

    /// Notes since when nobody goes on with a shard, or ends the verification for it, unless this
    /// last try succeeds; or, with none, that it is asked for again.
    ///
    /// # Errors
    /// `Contended`, or a failure.
    pub async fn give_up_verification_shard(
        &self,
        id: &RunId,
        shard: u8,
        failed_at: Option<Instant>,
    ) -> Result<()> {
        let failed_at = failed_at.map(|at| at.0);
        for _ in 0..MAX_TRIES {
            let (progress, version) = self.verification_shard(id, shard).await?;
            if progress.failed_at == failed_at {
                return Ok(());
            }
            let progress = VerificationShard { failed_at, ..progress };
            if self.save_verification_shard(id, shard, &progress, version).await? {
                return Ok(());
            }
        }
        Err(Error::Contended)
    }

    /// Ends a verification of this version. Answers whether it ends with this: not, where somebody
    /// else ended it.
    ///
    /// # Errors
    /// A failure.
    pub async fn end_verification(
        &self,
        id: &RunId,
        ended: &Verification,
        version: u64,
    ) -> Result<bool> {
        let item = verification_item(id, ended, version + 1)?;
        self.table.put_once(item, Demand::Number("v", version)).await
    }

    /// Verifications under way, in the order of ids, up to so many after a place.
    ///
    /// # Errors
    /// A failure.
    pub async fn open_verifications(&self, after: Option<&str>, limit: i32) -> Result<Vec<RunId>> {
        let ids = self.table.index(key::OPEN_VERIFICATIONS, after, limit).await?;
        let parse = |id: &String| RunId::parse(id).map_err(|_| Error::Corrupt("bad run key"));
        ids.iter().map(parse).collect()
    }
}

/// The shards that a verification goes over.
fn shards_of(verification: &Verification) -> Result<Vec<u8>> {
    let Some(participant) = &verification.participant else { return Ok((0..SHARDS).collect()) };
    let id = ParticipantId::parse(participant);
    Ok(vec![key::shard_of(&id.map_err(|_| Error::Corrupt("bad participant"))?)])
}

/// The item of a verification: in the index while it is under way.
fn verification_item(id: &RunId, verification: &Verification, version: u64) -> Result<Item> {
    let record = [("v", number(version)), ("d", binary(to_bytes(verification)?))];
    let mut item = item(key::job(id.as_str()), record);
    if verification.ended.is_none() {
        item.insert("ix_pk".to_owned(), text(key::OPEN_VERIFICATIONS));
        item.insert("ix_sk".to_owned(), text(id.as_str()));
    }
    Ok(item)
}
