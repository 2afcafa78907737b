//! The payout file of a conversion: parts in the bucket, made of the ledgers once all of a shard is
//! converted, and the manifest last.

use domain::amount::Amount;
use domain::id::RunId;
use harness::{Fault, Room};
use sha2::{Digest, Sha256};
use store::{Converting, ExportFile, MAX_MEMBERS, PayoutPart, ShardProgress};
use wire::csv::{
    PayoutFile, PayoutTelling, hex, payout_manifest, write_payout, write_payout_header,
};

/// Participants of a part.
const STEP: i32 = 1_000;

fn broken(_: std::io::Error) -> Fault {
    Fault::Internal("a payout file cannot be written")
}

fn telling<'a>(order: &Converting<'a>) -> PayoutTelling<'a> {
    PayoutTelling { programme: order.programme, conversion: order.conversion, at: order.at }
}

/// Writes a part: what the ledgers of the next participants say was converted for the scheduled
/// time. The name says the bytes, so of two workers neither writes over the other's.
pub async fn step(
    room: &Room,
    order: &Converting<'_>,
    id: &RunId,
    shard: u8,
    progress: &ShardProgress,
    last_try: bool,
) -> Result<ShardProgress, Fault> {
    let mut next = progress.next(order.now, last_try);
    let ids = room.store.roster_of(shard, progress.after.as_deref(), STEP).await?;
    match ids.last() {
        Some(last) => next.after = Some(last.to_string()),
        None => next.end(order.now),
    }
    let (mut bytes, mut rows, mut money) = (Vec::new(), 0, 0_i64);
    write_payout_header(&mut bytes).map_err(broken)?;
    for ids in ids.chunks(MAX_MEMBERS) {
        // Whoever cannot be read stops the file: it would leave out who has money to get.
        let members = room.store.each_member_now(ids).await?;
        let members = members.into_iter().collect::<Result<Vec<_>, _>>()?;
        for payout in room.store.payouts(order, members).await? {
            let (of, made) = (&payout.participant, &payout.converted.made);
            let row = (of, payout.converted.sequence);
            let reference = payout.reference.as_deref();
            write_payout(&mut bytes, &telling(order), row, reference, made.money)
                .map_err(broken)?;
            (rows, money) = (rows + 1, money.saturating_add(made.money.0));
        }
    }
    if rows > 0 {
        let part = next.conversion.parts.len() + 1;
        let mark = hex(&Sha256::digest(&bytes)[..6]);
        let name = format!("payouts/{id}/part-{shard}-{part:05}-{mark}.csv");
        let file = described(&name, rows, &bytes);
        room.put_file(&name, "text/csv", bytes).await?;
        next.conversion.parts.push(PayoutPart { file, money });
    }
    Ok(next)
}

fn described(name: &str, rows: u64, bytes: &[u8]) -> ExportFile {
    ExportFile {
        name: name.to_owned(),
        rows,
        bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        sha256: hex(&Sha256::digest(bytes)),
    }
}

/// Writes the manifest unless a shard is left. All of it follows from what is recorded, so whoever
/// ends the run, and however often, writes the same bytes.
pub async fn finish(room: &Room, order: &Converting<'_>, id: &RunId) -> Result<(), Fault> {
    let (_, shards) = room.store.run_progress(id).await?;
    let parts = || shards.iter().flat_map(|shard| &shard.conversion.parts);
    let known = shards.iter().any(|shard| shard.conversion.manifest.is_some());
    if known || shards.iter().any(|shard| shard.ended_at.is_none()) {
        return Ok(());
    }
    let decimals = order.programme.currency.decimals;
    let files = parts().map(|part| PayoutFile {
        name: part.file.name.clone(),
        rows: part.file.rows,
        bytes: part.file.bytes,
        sha256: part.file.sha256.clone(),
        amount: Amount(part.money).show(decimals),
    });
    let money = parts().fold(0_i64, |sum, part| sum.saturating_add(part.money));
    let manifest = payout_manifest(&telling(order), id, files.collect(), Amount(money));
    let bytes = serde_json::to_vec_pretty(&manifest).map_err(|_| Fault::Internal("manifest"))?;
    let name = format!("payouts/{id}/manifest.json");
    let file = described(&name, 0, &bytes);
    room.put_file(&name, "application/json", bytes).await?;
    let (first, version) = room.store.shard(id, 0).await?;
    let mut ended = first;
    ended.conversion.manifest = Some(file);
    // Whoever was faster noted the same.
    room.store.save_shard(id, 0, &ended, version).await?;
    Ok(())
}
