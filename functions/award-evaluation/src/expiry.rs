//! Booking what has expired in all wallets, one commit for each that has something to book.

use domain::id::RunId;
use domain::time::Instant;
use harness::{Fault, Room};
use store::{Error, Expiring, ExpiryCounts, Run};
use wire::message::EvaluationMessage;

/// Wallets that are looked at together: as many as one read gives.
const TOGETHER: i32 = 100;
/// How often a message looks at more before it hands on to the next one.
const ROUNDS: usize = 2;

/// Works on one shard of a run. Nothing needs to be stored before it is booked: entries carry the
/// run's mark, so whoever goes over the same wallets again counts what was booked before.
pub async fn shard(
    room: &Room,
    now: Instant,
    run: &RunId,
    known: &Run,
    shard: u8,
) -> Result<(), Fault> {
    let programme = room.programme(now).await?;
    let started_at = Instant(known.started_at);
    let order = Expiring { programme: &programme, now, run, started_at };
    for _ in 0..ROUNDS {
        let (mut progress, version) = room.store.shard(run, shard).await?;
        if progress.ended_at.is_some() {
            return Ok(());
        }
        let ids = room.store.roster_of(shard, progress.after.as_deref(), TOGETHER).await?;
        match ids.last() {
            Some(last) => progress.after = Some(last.to_string()),
            None => progress.ended_at = Some(now.0),
        }
        progress.expired.wallets += u64::try_from(ids.len()).unwrap_or(0);
        let due = if ids.is_empty() { ids } else { room.store.to_be_booked(&order, &ids).await? };
        for participant in due {
            match room.store.book_expiry(&order, &participant).await {
                Ok(done) => progress.expired.add(&done.value),
                Err(error @ (Error::Contended | Error::Unavailable(_))) => return Err(error.into()),
                // A broken wallet stops no other.
                Err(error) => {
                    Fault::from(error).log();
                    progress.expired.add(&ExpiryCounts { failed: 1, ..ExpiryCounts::default() });
                }
            }
        }
        progress.touched_at = Some(now.0);
        // Where another worker was faster, its progress is taken up in the next round.
        room.store.save_shard(run, shard, &progress, version).await?;
    }
    room.send(&EvaluationMessage::Shard { run: run.to_string(), shard }).await
}
