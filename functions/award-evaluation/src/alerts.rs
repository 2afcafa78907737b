//! Looking for whoever came into the segments of alerts, or left them: a turn for each.

use std::collections::BTreeSet;

use domain::alert::Alert;
use domain::id::{AlertId, ParticipantId};
use futures_util::future::join_all;
use harness::{Fault, Room};
use store::{
    AlertCounts, Error, MAX_MEMBERS, MAX_WATCHED_TOGETHER, Member, Walked, Walking, Watching,
};

/// What alerts know of the participants of a step.
struct Look {
    /// Who has to be looked at, member or not.
    open: BTreeSet<(ParticipantId, AlertId)>,
    /// The alerts that have gone over everybody of the shard before.
    begun: Vec<AlertId>,
}

/// Goes a step over one shard of a run. Nothing needs to be stored before it is done: a turn carries
/// the run's time, so whoever goes over the same wallets again counts what was noted before.
pub async fn step(room: &Room, order: &Walking<'_>) -> Result<Walked, Fault> {
    let Walking { programme, now, run, shard, last_try, .. } = *order;
    let (progress, version) = room.store.shard(run, shard).await?;
    if progress.ended_at.is_some() {
        return Ok(Walked::ToTheEnd);
    }
    let mut next = progress.next(now, last_try);
    let together = i32::try_from(MAX_WATCHED_TOGETHER).unwrap_or(i32::MAX);
    let ids = room.store.roster_of(shard, progress.after.as_deref(), together).await?;
    if let Some(last) = ids.last() {
        let open = room.store.open_alerts(shard, progress.after.as_deref(), last).await?;
        let begun = room.store.begun_alerts(shard, &programme.alerts).await?;
        let look = Look { open: open.into_iter().collect(), begun };
        for ids in ids.chunks(MAX_MEMBERS) {
            for member in room.store.each_member(ids).await? {
                next.alerts.add(&look_at(room, order, &look, member).await?);
            }
        }
        next.after = Some(last.to_string());
    } else {
        // Before the shard is done: who is noted from now on is told of.
        for alert in &programme.alerts {
            room.store.begin_alert(shard, &alert.id).await?;
        }
        next.end(now);
    }
    Ok(match room.store.save_shard(run, shard, &next, version).await? {
        false => Walked::Overtaken,
        true if next.ended_at.is_some() => Walked::ToTheEnd,
        true => Walked::On,
    })
}

/// What all alerts find of one participant. They look at once, for each waits for several calls:
/// one after the other, a page of participants would take longer than a message may.
async fn look_at(
    room: &Room,
    order: &Walking<'_>,
    look: &Look,
    member: Result<Member, Error>,
) -> Result<AlertCounts, Fault> {
    let mut counts = AlertCounts { wallets: 1, ..AlertCounts::default() };
    let alerts = &order.programme.alerts;
    let found = match member {
        Ok(member) => {
            join_all(alerts.iter().map(|alert| watch(room, order, look, &member, alert))).await
        }
        Err(error) => vec![Err(error)],
    };
    for found in found {
        match found {
            Ok(counted) => counts.add(&counted),
            Err(error @ (Error::Contended | Error::Unavailable(_))) if !order.last_try => {
                return Err(error.into());
            }
            // A broken item stops nothing else; it is left to the next run.
            Err(error) => {
                Fault::from(error).log();
                counts.failed += 1;
            }
        }
    }
    Ok(counts)
}

async fn watch(
    room: &Room,
    order: &Walking<'_>,
    look: &Look,
    member: &Member,
    alert: &Alert,
) -> Result<AlertCounts, Error> {
    let Walking { programme, started_at: at, .. } = *order;
    let Member { id, participant, wallet } = member;
    let Some(segment) = programme.segment(&alert.segment) else {
        return Ok(AlertCounts::default());
    };
    let is_member = wallet.gone().is_none()
        && segment.members.holds(id, participant, wallet, at, programme.zone);
    if !is_member && !look.open.contains(&(id.clone(), alert.id.clone())) {
        return Ok(AlertCounts::default());
    }
    let seen = alert.sees(&segment.members, wallet, is_member, at, programme.zone);
    let is_first = !look.begun.contains(&alert.id);
    room.store.watch(Watching { alert, is_first }, id, &seen).await
}
