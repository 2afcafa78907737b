//! The record of a shard of a verification. What its ledgers took of quotas and stocks may be more
//! than an item has room for: so many stand in it, the others in items of their own beside it.

use domain::id::RunId;
use domain::verify::Counts;

use super::VerificationShard;
use crate::Store;
use crate::error::{Error, Result};
use crate::key::{self, ItemKey};
use crate::record::{from_bytes, to_bytes};
use crate::table::{Demand, Item, Write, Written, binary, item, number, read_binary, read_number};

/// Sums of quotas and stocks in one item.
const SUMS: usize = 1_000;

impl Store {
    /// The progress of one shard and its version. Read units: 1 for each 4 KB.
    ///
    /// # Errors
    /// A failure.
    pub async fn verification_shard(
        &self,
        id: &RunId,
        shard: u8,
    ) -> Result<(VerificationShard, u64)> {
        let head = self.table.get(key::job_shard(id.as_str(), shard), true).await?;
        let Some(head) = head else { return Ok((VerificationShard::default(), 0)) };
        // What somebody stored in between has another version: nothing comes of this one then.
        let sums = self.table.get_many(more(id, shard, &head)?, true).await?;
        Ok((read(&head, sums.iter())?, read_number(&head, "v")?))
    }

    /// Stores the progress of a shard, if nobody stored another since this version. Answers
    /// whether it is stored. Write units: 1 for each KB; beyond a thousand quotas and stocks, 2.
    ///
    /// # Errors
    /// A failure.
    pub async fn save_verification_shard(
        &self,
        id: &RunId,
        shard: u8,
        progress: &VerificationShard,
        version: u64,
    ) -> Result<bool> {
        let demand = if version == 0 { Demand::Absent } else { Demand::Number("v", version) };
        let sums: Vec<(&String, &Counts)> = progress.shared.iter().collect();
        let (first, others) = sums.split_at(sums.len().min(SUMS));
        let more = u64::try_from(others.len().div_ceil(SUMS)).unwrap_or(u64::MAX);
        let record = [
            ("v", number(version + 1)),
            ("d", binary(to_bytes(progress)?)),
            ("n", number(more)),
            ("s", binary(to_bytes(&first)?)),
        ];
        let head = item(key::job_shard(id.as_str(), shard), record);
        if others.is_empty() {
            return self.table.put_once(head, demand).await;
        }
        let mut parts = vec![Write::Put { item: head.clone(), demand }];
        for (sums, at) in others.chunks(SUMS).zip(1..) {
            let sums = [("v", number(version + 1)), ("s", binary(to_bytes(&sums)?))];
            let item = item(key::job_shard_sums(id.as_str(), shard, at), sums);
            // Sums never go again, so each item is written each time.
            let known = at <= progress.more;
            let demand = if known { Demand::Number("v", version) } else { Demand::Absent };
            parts.push(Write::Put { item, demand });
        }
        match self.table.write(parts).await? {
            Written::Done => Ok(true),
            // An earlier try of this very call may have lost its reply.
            Written::Refused(unmet) => Ok(unmet.iter().any(|u| u.item.as_ref() == Some(&head))),
            Written::Conflict => Err(Error::Contended),
        }
    }
}

/// The keys of the other sums of a shard.
pub(super) fn more(id: &RunId, shard: u8, head: &Item) -> Result<Vec<ItemKey>> {
    let numbers = 1..=read_number(head, "n")?;
    Ok(numbers.map(|number| key::job_shard_sums(id.as_str(), shard, number)).collect())
}

/// The progress of a shard, with its other sums.
pub(super) fn read<'a>(
    head: &'a Item,
    more: impl Iterator<Item = &'a Item>,
) -> Result<VerificationShard> {
    let mut progress: VerificationShard = from_bytes(read_binary(head, "d")?)?;
    progress.more = read_number(head, "n")?;
    let mut items = 0;
    for item in std::iter::once(head).chain(more) {
        let sums: Vec<(String, Counts)> = from_bytes(read_binary(item, "s")?)?;
        progress.shared.extend(sums);
        items += 1;
    }
    match progress.more.checked_add(1) == Some(items) {
        true => Ok(progress),
        false => Err(Error::Corrupt("a shard without all of its sums")),
    }
}
