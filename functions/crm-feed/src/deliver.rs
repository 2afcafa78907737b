//! Deliveries: what a target does not know yet is read, told, and noted as told.

use domain::feed::{Feed, FeedType, Target};
use domain::id::{FeedId, ParticipantId};
use domain::pass::PassId;
use domain::programme::Programme;
use domain::time::Instant;
use harness::{Fault, Room};
use store::{Due, Error, Noun};
use wire::feed::{self, FeedHint, FeedMessage};

use crate::{dataverse, hint, webhook};

/// Tells a target the next of what it does not know of a participant. A feed that left the
/// programme is told nothing.
pub async fn participant(
    room: &Room,
    now: Instant,
    id: &FeedId,
    participant: &ParticipantId,
) -> Result<(), Fault> {
    let programme = room.programme(now).await?;
    let Some(feed) = programme.feed(id) else { return Ok(()) };
    let due = room.store.due(feed, &programme.alerts_of(id), participant).await?;
    if due.is_empty() {
        return Ok(());
    }
    tell(room, now, feed, &messages(&programme, participant, &due)).await?;
    if !room.store.told(id, participant, &due).await? {
        return Err(Error::Contended.into());
    }
    if !due.more {
        return Ok(());
    }
    let hint = FeedHint::Participant { feed: id.clone(), participant: participant.clone() };
    let occasion = format!("after {}", due.moved);
    room.send_in_order(&[hint::in_order(&hint, &occasion)]).await
}

/// Who somebody is comes first, then what they did, and then what follows from it.
fn messages(programme: &Programme, id: &ParticipantId, due: &Due) -> Vec<FeedMessage> {
    let mut messages = Vec::new();
    if let Some((version, known)) = &due.participant {
        messages.push(feed::participant(programme, id, *version, known));
    }
    for (version, channel, consent) in &due.consents {
        messages.push(feed::consent(programme, id, *version, channel, consent));
    }
    messages.extend(due.entries.iter().map(|entry| feed::movement(programme, id, entry)));
    let turns = due.turns.iter().map(|(alert, turn)| feed::alert(programme, id, alert, turn));
    messages.extend(turns);
    messages
}

/// Tells a target of a pass for somebody, with the code that redeems it: it is derived here, and
/// stands in no queue.
pub async fn pass(room: &Room, now: Instant, id: &FeedId, pass: &PassId) -> Result<(), Fault> {
    let programme = room.programme(now).await?;
    let Some(feed) = programme.feed(id).filter(|feed| feed.wants(FeedType::PassIssued)) else {
        return Ok(());
    };
    let Some(plan) = programme.pass_plan(&pass.plan) else { return Ok(()) };
    let known = match room.store.pass(plan, pass).await {
        Ok(known) => known,
        Err(Error::NotFound(Noun::Pass)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if !feed::is_for_somebody(&known) {
        return Ok(());
    }
    let key = room.secret()?.key_of(&plan.id, known.generation, now).await?;
    let told = key.told(pass.serial);
    match feed::pass_issued(&programme, plan, &known, told, now) {
        Some(message) => tell(room, now, feed, &[message]).await,
        None => Ok(()),
    }
}

async fn tell(
    room: &Room,
    now: Instant,
    feed: &Feed,
    messages: &[FeedMessage],
) -> Result<(), Fault> {
    match &feed.target {
        Target::Webhook => webhook::tell(room, now, feed, messages).await,
        Target::Dataverse { token_url, client_id } => {
            dataverse::tell(room, now, feed, (token_url, client_id), messages).await
        }
    }
}
