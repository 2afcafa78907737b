//! One step over one shard of a verification: its participants one after the other. A step that a
//! crash cut off is gone again; what is recorded counts each participant once.

use domain::id::{ParticipantId, RunId};
use domain::time::Instant;
use harness::{Fault, Room};
use store::{Verification, VerificationShard, Walked};
use wire::message::VerificationMessage;

use crate::finish::finish;

/// Most participants of a step: what a worker does again after a crash, and well within the
/// function's time.
const STEP: u64 = 1_000;
/// Entries after which a step takes no other participant.
const STEP_ENTRIES: u64 = 20_000;
/// Ids of the roster that are read in one go.
const ROSTER_PAGE: i32 = 100;

/// Goes a step over a shard, and hands on what is left of it; whoever is done last ends the
/// verification.
pub async fn shard(room: &Room, now: Instant, id: &RunId, shard: u8) -> Result<(), Fault> {
    let verification = room.store.verification(id).await?;
    if verification.ended.is_some() {
        return Ok(());
    }
    match step(room, &verification, now, id, shard).await? {
        Walked::ToTheEnd => {
            finish(room, now, id).await?;
            // Whoever is done last ends it, if this did not.
            Ok(room.store.give_up_verification_shard(id, shard, None).await?)
        }
        Walked::On => room.send(&VerificationMessage { verification: id.to_string(), shard }).await,
        // Their findings count, and their message.
        Walked::Overtaken => Ok(()),
    }
}

/// Goes a step.
async fn step(
    room: &Room,
    verification: &Verification,
    now: Instant,
    id: &RunId,
    shard: u8,
) -> Result<Walked, Fault> {
    let (mut progress, version) = room.store.verification_shard(id, shard).await?;
    if progress.ended_at.is_some() {
        // So that nobody else is asked to end the verification meanwhile. A race that is lost was
        // lost to whoever touched it.
        progress.touched_at = Some(now.0);
        room.store.save_verification_shard(id, shard, &progress, version).await?;
        return Ok(Walked::ToTheEnd);
    }
    let ended = match &verification.participant {
        Some(participant) => {
            let one = ParticipantId::parse(participant);
            let one = one.map_err(|_| Fault::Internal("a verification of nobody"))?;
            progress.add(&room.store.verify_wallet(&one).await?);
            true
        }
        None => walk(room, &mut progress, shard).await?,
    };
    (progress.touched_at, progress.failed_at) = (Some(now.0), None);
    progress.ended_at = ended.then_some(now.0);
    Ok(match room.store.save_verification_shard(id, shard, &progress, version).await? {
        false => Walked::Overtaken,
        true if ended => Walked::ToTheEnd,
        true => Walked::On,
    })
}

/// Verifies the next participants of a shard; answers whether they were the last.
async fn walk(room: &Room, progress: &mut VerificationShard, shard: u8) -> Result<bool, Fault> {
    let begun = progress.counts;
    loop {
        let after = progress.after.as_deref();
        let ids = room.store.roster_of(shard, after, ROSTER_PAGE).await?;
        if ids.is_empty() {
            return Ok(true);
        }
        for id in ids {
            progress.add(&room.store.verify_wallet(&id).await?);
            progress.after = Some(id.to_string());
            let done = progress.counts.wallets - begun.wallets;
            if done >= STEP || progress.counts.entries - begun.entries >= STEP_ENTRIES {
                return Ok(false);
            }
        }
    }
}
