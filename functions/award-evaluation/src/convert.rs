//! Converting the points of a shard's participants, step by step, and then writing whom to pay.
//!
//! Nothing needs to be stored before it is done: a conversion is known by its scheduled time, so
//! whoever goes over the same wallets again counts what was converted before.

use domain::id::RunId;
use domain::time::Instant;
use harness::{Fault, Room};
use store::{
    Conversing, ConversionCounts, Converting, Error, MAX_MEMBERS, Member, Prospect, Run,
    ShardProgress,
};
use wire::message::EvaluationMessage;

use crate::conversion::conversion_of;
use crate::payout;

/// Wallets of a step: ten messages of a batch end well within the function's time.
const STEP: i32 = 200;

/// Goes a step over a shard, and hands on what is left of it; whoever is done last ends the run.
pub async fn shard(
    room: &Room,
    now: Instant,
    run: (&RunId, &Run),
    shard: u8,
    last_try: bool,
) -> Result<(), Fault> {
    let (id, known) = run;
    let Some(Conversing { programme, dry_run, .. }) = &known.converts else {
        return Err(Fault::Internal("a conversion that converts nothing"));
    };
    let programme = room.programme_at(*programme).await?;
    let (conversion, at) = (conversion_of(&programme, known)?, Instant(known.started_at));
    let order = Converting { programme: &programme, now, conversion, at };
    let pays = conversion.into.is_none() && !dry_run;
    let (progress, version) = room.store.shard(id, shard).await?;
    if progress.ended_at.is_none() {
        let next = match progress.conversion.paying {
            true => payout::step(room, &order, id, shard, &progress, last_try).await?,
            false => step(room, &order, shard, &progress, (*dry_run, pays), last_try).await?,
        };
        if !room.store.save_shard(id, shard, &next, version).await? {
            // Whoever was faster goes on, and has a message for it.
            return Ok(());
        }
        if next.ended_at.is_none() {
            return room.send(&EvaluationMessage::Shard { run: id.to_string(), shard }).await;
        }
    }
    if pays { payout::finish(room, &order, id).await } else { Ok(()) }
}

async fn step(
    room: &Room,
    order: &Converting<'_>,
    shard: u8,
    progress: &ShardProgress,
    (dry_run, pays): (bool, bool),
    last_try: bool,
) -> Result<ShardProgress, Fault> {
    let mut next = progress.next(order.now, last_try);
    let ids = room.store.roster_of(shard, progress.after.as_deref(), STEP).await?;
    match ids.last() {
        Some(last) => next.after = Some(last.to_string()),
        None if pays => next.conversion.paying = true,
        None => next.end(order.now),
    }
    for ids in ids.chunks(MAX_MEMBERS) {
        for member in room.store.each_member_now(ids).await? {
            let counts = &mut next.conversion.counts;
            counts.wallets += 1;
            let converted = match member {
                Ok(member) => convert(room, order, &member, dry_run).await,
                Err(error) => Err(error),
            };
            match converted {
                Ok(counted) => counts.add(&counted),
                Err(error @ (Error::Contended | Error::Unavailable(_))) if !last_try => {
                    return Err(error.into());
                }
                // A broken wallet stops no other; it is left to the next scheduled time.
                Err(error) => {
                    Fault::from(error).log();
                    counts.failed += 1;
                }
            }
        }
    }
    Ok(next)
}

/// What becomes of one participant.
async fn convert(
    room: &Room,
    order: &Converting<'_>,
    member: &Member,
    dry_run: bool,
) -> Result<ConversionCounts, Error> {
    let mut counts = ConversionCounts::default();
    let prospect = order.prospect(member);
    let due = matches!(prospect, Prospect::Due(_));
    if let (Prospect::Due(made), true) = (&prospect, dry_run) {
        counts.count(made);
    } else if !dry_run && (due || order.may_be_done(member)) {
        let done = room.store.convert(order, &member.id, due).await?;
        if let Some(converted) = done.value {
            counts.count(&converted.made);
            return Ok(counts);
        }
    }
    counts.without_reference += u64::from(prospect == Prospect::NoReference);
    Ok(counts)
}
