//! Quotas and stocks against all ledgers: exact, wherever nobody took of one while they were read.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::time::Instant;
use domain::verify::{Counts, Disagreement, Finding, Other, Shared, of_quota, of_stock};
use sha2::{Digest, Sha256};

use super::{Verification, VerificationEnd};
use crate::Store;
use crate::error::Result;
use crate::facts::read_quota;
use crate::key;
use crate::record::decode_stock;
use crate::table::{Item, read_binary, read_number, read_text};
use crate::verify::readable;

/// Items that are read at once.
const MANY: usize = 100;
/// Minutes for which a quota or stock must have been left alone before: until then the roster may
/// not list who took of it.
const SETTLED_MINUTES: i64 = 5;

/// By what a quota or a stock is known again as long as nobody writes it: a hash of its partition
/// and of what was [`Written`]. Eight bytes each, so that many fit into one record.
pub type SharedMark = [u8; 8];

/// How often a quota or a stock was written, and when a wallet last took of it, in milliseconds
/// since 1970.
type Written = (u64, u64);

impl Store {
    /// All quotas and stocks, before any wallet is read. What cannot be read is found at the end.
    /// Read units: 1 each.
    ///
    /// # Errors
    /// A failure.
    pub async fn shared_marks(&self) -> Result<Vec<SharedMark>> {
        let listed = self.listed().await?;
        let items = self.shared(&listed).await?;
        let mark = |(of, item): (&String, &Item)| {
            Ok(mark(of, readable(written(item))?.unwrap_or_default()))
        };
        let mut marks = items.iter().map(mark).collect::<Result<Vec<SharedMark>>>()?;
        marks.sort_unstable();
        Ok(marks)
    }

    /// Holds all quotas and stocks against what the ledgers took of them, by their partitions. One
    /// that no ledger took of and that is not there has nothing to disagree with.
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
        for of in self.listed().await? {
            sums.entry(of).or_default();
        }
        let all: Vec<String> = sums.keys().cloned().collect();
        let there = self.shared(&all).await?;
        let before: HashSet<&SharedMark> = verification.shared.iter().collect();
        let settled = Instant(verification.as_of).plus_minutes(-SETTLED_MINUTES);
        for (of, sum) in sums {
            let Some(shared) = key::read_shared(&of) else { continue };
            let (said, alone) = match there.get(&of) {
                // None is ever deleted: whoever took of it was read, and it should be there.
                None => (Counts::new(), true),
                Some(item) => match readable(read(&shared, item))? {
                    Some((said, written)) => {
                        let long = i64::try_from(written.1).is_ok_and(|at| at <= settled.0);
                        (said, long && before.contains(&mark(&of, written)))
                    }
                    None => {
                        ended.find(&unreadable(shared));
                        continue;
                    }
                },
            };
            if said != sum && alone {
                ended.find(&differs(shared.clone(), &said, &sum));
            }
            match shared {
                Shared::Quota(_) if said == sum || alone => ended.quotas += 1,
                Shared::Stock(_) if said == sum || alone => ended.stocks += 1,
                Shared::Quota(offer) => ended.quotas_moved.add(offer.to_string()),
                Shared::Stock(coupon) => ended.stocks_moved.add(coupon.to_string()),
            }
        }
        Ok(ended)
    }

    /// The partitions of all quotas and stocks.
    async fn listed(&self) -> Result<Vec<String>> {
        let limit = i32::try_from(MANY).unwrap_or(i32::MAX);
        let mut listed: Vec<String> = Vec::new();
        loop {
            let after = listed.last().map(String::as_str);
            let page = self.table.index(key::SHARED, after, limit).await?;
            if page.is_empty() {
                return Ok(listed);
            }
            listed.extend(page);
        }
    }

    /// Those of these that are there; what is neither a quota nor a stock is not.
    async fn shared(&self, partitions: &[String]) -> Result<HashMap<String, Item>> {
        let mut there = HashMap::new();
        for some in partitions.chunks(MANY) {
            let keys = some.iter().filter_map(|of| Some(key::shared(&key::read_shared(of)?)));
            for item in self.table.get_many(keys.collect(), true).await? {
                there.insert(read_text(&item, "pk")?.to_owned(), item);
            }
        }
        Ok(there)
    }
}

fn written(item: &Item) -> Result<Written> {
    Ok((read_number(item, "v")?, read_number(item, "t")?))
}

fn mark(of: &str, (version, touched_at): Written) -> SharedMark {
    let digest = Sha256::new().chain_update(version.to_be_bytes());
    let digest = digest.chain_update(touched_at.to_be_bytes()).chain_update(of).finalize();
    std::array::from_fn(|at| digest[at])
}

fn read(shared: &Shared, item: &Item) -> Result<(Counts, Written)> {
    let said = match shared {
        Shared::Quota(_) => of_quota(read_quota(item)),
        Shared::Stock(_) => of_stock(&decode_stock(read_binary(item, "d")?)?),
    };
    Ok((said, written(item)?))
}

fn unreadable(shared: Shared) -> Finding {
    let (kind, other) = (Disagreement::Unreadable, Some(Other::Shared(shared)));
    let detail = "It cannot be read.".to_owned();
    Finding { kind, participant: None, entry: None, other, detail }
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
