//! Quotas against all ledgers: exact, wherever nobody took of a quota while they were read.

use std::collections::{BTreeMap, HashMap};

use domain::id::OfferId;
use domain::quota::Used;
use domain::time::Instant;
use domain::verify::{Disagreement, Finding, Other};
use serde::{Deserialize, Serialize};

use super::{Verification, VerificationEnd, VerificationFinding};
use crate::Store;
use crate::error::{Error, Result};
use crate::facts::read_quota;
use crate::key;
use crate::table::{Item, read_number, read_text};

/// Quotas that are read at once.
const MANY: usize = 100;
/// Minutes for which a quota must have been left alone before: until then the roster may not list
/// who took of it.
const SETTLED_MINUTES: i64 = 5;

/// How often a quota was written, and when last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaMark {
    pub offer: String,
    pub version: u64,
    /// Milliseconds since 1970.
    pub touched_at: i64,
}

impl Store {
    /// All quotas, before any wallet is read. Read units: 1 each.
    ///
    /// # Errors
    /// A failure.
    pub async fn quota_marks(&self) -> Result<Vec<QuotaMark>> {
        let (mut marks, mut after) = (Vec::new(), None);
        loop {
            let limit = i32::try_from(MANY).unwrap_or(i32::MAX);
            let page = self.table.index(key::QUOTAS, after.as_deref(), limit).await?;
            let Some(last) = page.last().cloned() else { return Ok(marks) };
            let offers: Result<Vec<OfferId>> = page.iter().map(|text| parse(text)).collect();
            for (offer, item) in self.quotas(&offers?).await? {
                marks.push(mark(offer, &item)?);
            }
            after = Some(last);
        }
    }

    /// Holds all quotas against what the ledgers took of them.
    ///
    /// # Errors
    /// A failure.
    pub async fn compare_quotas(
        &self,
        verification: &Verification,
        taken: Vec<(OfferId, Used)>,
        now: Instant,
    ) -> Result<VerificationEnd> {
        let mut ended = VerificationEnd { at: now.0, ..VerificationEnd::default() };
        let mut sums: BTreeMap<OfferId, Used> = taken.into_iter().collect();
        let mut before = HashMap::new();
        for mark in &verification.quotas {
            sums.entry(parse(&mark.offer)?).or_default();
            before.insert(mark.offer.as_str(), mark);
        }
        let offers: Vec<OfferId> = sums.keys().cloned().collect();
        let mut there = Vec::new();
        for offers in offers.chunks(MANY) {
            there.extend(self.quotas(offers).await?);
        }
        let there: HashMap<OfferId, Item> = there.into_iter().collect();
        let settled = Instant(verification.as_of).plus_minutes(-SETTLED_MINUTES);
        for (offer, sum) in sums {
            let item = there.get(&offer);
            let now = item.map(|item| mark(offer.clone(), item)).transpose()?;
            let said = item.map(read_quota).unwrap_or_default();
            let before = before.get(offer.as_str()).copied();
            let alone = before == now.as_ref()
                && now.as_ref().is_none_or(|now| now.touched_at <= settled.0);
            if said == sum || alone {
                ended.quotas += 1;
            } else {
                ended.moved.push(offer.to_string());
            }
            if said != sum && alone {
                let found = differs(offer, said, sum);
                ended.findings.push(VerificationFinding::from(&found));
            }
        }
        Ok(ended)
    }

    async fn quotas(&self, offers: &[OfferId]) -> Result<Vec<(OfferId, Item)>> {
        if offers.is_empty() {
            return Ok(Vec::new());
        }
        let keys = offers.iter().map(key::quota).collect();
        let items = self.table.get_many(keys, true).await?;
        let items = items.into_iter().map(|item| {
            let offer = read_text(&item, "pk")?.strip_prefix("Q#").map(parse);
            Ok((offer.ok_or(Error::Corrupt("bad quota key"))??, item))
        });
        items.collect()
    }
}

fn parse(offer: &str) -> Result<OfferId> {
    OfferId::parse(offer).map_err(|_| Error::Corrupt("bad offer"))
}

fn mark(offer: OfferId, item: &Item) -> Result<QuotaMark> {
    let touched_at = i64::try_from(read_number(item, "t")?).unwrap_or(i64::MAX);
    Ok(QuotaMark { offer: offer.to_string(), version: read_number(item, "v")?, touched_at })
}

fn differs(offer: OfferId, said: Used, sum: Used) -> Finding {
    let told = |used: Used| format!("{} places and a budget of {}", used.places, used.budget.0);
    let detail = format!("It counts {}, all ledgers {}.", told(said), told(sum));
    let (kind, other) = (Disagreement::QuotaDiffers, Some(Other::Quota(offer)));
    Finding { kind, participant: None, entry: None, other, detail }
}
