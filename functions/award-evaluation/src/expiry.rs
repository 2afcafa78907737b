//! Booking what has expired in all wallets, one commit for each that has something to book.

use harness::{Fault, Room};
use store::{Error, Expiring, ExpiryCounts, Walked, Walking};

/// Wallets that are looked at together: as many as one read gives.
const TOGETHER: i32 = 100;

/// Goes a step over one shard of a run. Nothing needs to be stored before it is booked: entries
/// carry the run's mark, so whoever goes over the same wallets again counts what was booked before.
pub async fn step(room: &Room, order: &Walking<'_>) -> Result<Walked, Fault> {
    let Walking { programme, now, run, started_at, shard, last_try } = *order;
    let order = Expiring { programme, now, run, started_at };
    let (progress, version) = room.store.shard(run, shard).await?;
    if progress.ended_at.is_some() {
        return Ok(Walked::ToTheEnd);
    }
    let mut next = progress.next(now, last_try);
    let ids = room.store.roster_of(shard, progress.after.as_deref(), TOGETHER).await?;
    match ids.last() {
        Some(last) => next.after = Some(last.to_string()),
        None => next.end(now),
    }
    next.expired.wallets += u64::try_from(ids.len()).unwrap_or(0);
    let due = if ids.is_empty() { ids } else { room.store.to_be_booked(&order, &ids).await? };
    for participant in due {
        match room.store.book_expiry(&order, &participant).await {
            Ok(done) => next.expired.add(&done.value),
            Err(error @ (Error::Contended | Error::Unavailable(_))) if !last_try => {
                return Err(error.into());
            }
            // A broken wallet stops no other; one that nobody tries again is left to the next run.
            Err(error) => {
                Fault::from(error).log();
                next.expired.add(&ExpiryCounts { failed: 1, ..ExpiryCounts::default() });
            }
        }
    }
    Ok(match room.store.save_shard(run, shard, &next, version).await? {
        false => Walked::Overtaken,
        true if next.ended_at.is_some() => Walked::ToTheEnd,
        true => Walked::On,
    })
}
