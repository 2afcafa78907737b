//! Quotas and stocks against all ledgers: exact, wherever nobody took of one while they were read.

use std::collections::{BTreeMap, HashMap};

use domain::time::Instant;
use domain::verify::{Counts, Disagreement, Finding, Other, Shared, of_quota, of_stock};
use serde::{Deserialize, Serialize};

use super::{Verification, VerificationEnd, VerificationFinding};
use crate::Store;
use crate::error::{Error, Result};
use crate::facts::read_quota;
use crate::key;
use crate::record::decode_stock;
use crate::table::{Item, read_binary, read_number, read_text};

/// Items that are read at once.
const MANY: usize = 100;
/// Minutes for which a quota or stock must have been left alone before: until then the roster may
/// not list who took of it.
const SETTLED_MINUTES: i64 = 5;

/// How often a quota or a stock was written, and when a wallet last took of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedMark {
    /// As its partition says.
    pub of: String,
    pub version: u64,
    /// Milliseconds since 1970.
    pub touched_at: i64,
}

impl Store {
    /// All quotas and stocks, before any wallet is read. Read units: 1 each.
    ///
    /// # Errors
    /// A failure.
    pub async fn shared_marks(&self) -> Result<Vec<SharedMark>> {
        let (mut marks, mut after) = (Vec::new(), None);
        loop {
            let limit = i32::try_from(MANY).unwrap_or(i32::MAX);
            let page = self.table.index(key::SHARED, after.as_deref(), limit).await?;
            let Some(last) = page.last().cloned() else { return Ok(marks) };
            for item in self.shared(&page).await? {
                marks.push(mark(&item)?);
            }
            after = Some(last);
        }
    }

    /// Holds all quotas and stocks against what the ledgers took of them, by their partitions.
    ///
    /// # Errors
    /// A failure.
    pub async fn compare_shared(
        &self,
        verification: &Verification,
        taken: BTreeMap<String, Counts>,
        now: Instant,
    ) -> Result<VerificationEnd> {
        let mut ended = VerificationEnd { at: now.0, ..VerificationEnd::default() };
        let mut sums = taken;
        let mut before = HashMap::new();
        for mark in &verification.shared {
            sums.entry(mark.of.clone()).or_default();
            before.insert(mark.of.as_str(), mark);
        }
        let all: Vec<String> = sums.keys().cloned().collect();
        let mut there = HashMap::new();
        for some in all.chunks(MANY) {
            for item in self.shared(some).await? {
                there.insert(read_text(&item, "pk")?.to_owned(), item);
            }
        }
        let settled = Instant(verification.as_of).plus_minutes(-SETTLED_MINUTES);
        for (of, sum) in sums {
            let shared = parse(&of)?;
            let item = there.get(&of);
            let now = item.map(mark).transpose()?;
            let said = item.map_or_else(|| Ok(Counts::new()), |item| read_counts(&shared, item))?;
            let alone = before.get(of.as_str()).copied() == now.as_ref()
                && now.as_ref().is_none_or(|now| now.touched_at <= settled.0);
            if said != sum && alone {
                let found = differs(shared.clone(), &said, &sum);
                ended.findings.push(VerificationFinding::from(&found));
            }
            match shared {
                Shared::Quota(_) if said == sum || alone => ended.quotas += 1,
                Shared::Stock(_) if said == sum || alone => ended.stocks += 1,
                Shared::Quota(offer) => ended.quotas_moved.push(offer.to_string()),
                Shared::Stock(coupon) => ended.stocks_moved.push(coupon.to_string()),
            }
        }
        Ok(ended)
    }

    async fn shared(&self, partitions: &[String]) -> Result<Vec<Item>> {
        let keys = partitions.iter().map(|of| Ok(key::shared(&parse(of)?)));
        self.table.get_many(keys.collect::<Result<_>>()?, true).await
    }
}

fn parse(of: &str) -> Result<Shared> {
    key::read_shared(of).ok_or(Error::Corrupt("neither a quota nor a stock"))
}

fn mark(item: &Item) -> Result<SharedMark> {
    let touched_at = i64::try_from(read_number(item, "t")?).unwrap_or(i64::MAX);
    let (of, version) = (read_text(item, "pk")?.to_owned(), read_number(item, "v")?);
    Ok(SharedMark { of, version, touched_at })
}

fn read_counts(shared: &Shared, item: &Item) -> Result<Counts> {
    Ok(match shared {
        Shared::Quota(_) => of_quota(read_quota(item)),
        Shared::Stock(_) => of_stock(&decode_stock(read_binary(item, "d")?)?),
    })
}

fn differs(shared: Shared, said: &Counts, sum: &Counts) -> Finding {
    let kind = match shared {
        Shared::Quota(_) => Disagreement::QuotaDiffers,
        Shared::Stock(_) => Disagreement::StockDiffers,
    };
    let told = |counts: &Counts| {
        let counts = counts.iter().map(|(name, count)| format!("{count} {name}"));
        let counts = counts.collect::<Vec<_>>().join(", ");
        if counts.is_empty() { "nothing".to_owned() } else { counts }
    };
    let detail = format!("It says {}; all ledgers come to {}.", told(said), told(sum));
    Finding { kind, participant: None, entry: None, other: Some(Other::Shared(shared)), detail }
}
