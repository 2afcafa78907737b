//! Changes become hints, hints become deliveries; an operator may have things told again.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::time::Instant;
use futures_util::future::join_all;
use harness::{Batch, Fault, Invocation, Message, Reply, Room};
use wire::feed::{FeedHint, FeedHintMessage};

use crate::{deliver, hint, replay};

/// Takes changes of the table, messages and requests.
pub async fn handle(room: Arc<Room>, invocation: Invocation) -> Reply {
    match invocation {
        Invocation::Http(request) => Reply::Http(match request.route.as_str() {
            "POST /v1/feeds/{feed}/replay" => replay::post(&room, &request).await,
            _ => return Reply::unexpected(),
        }),
        Invocation::Changes(changes) => {
            let hinted = hint::pass_on(&room, &changes).await;
            Reply::Queue(match (hinted, changes.changes.first()) {
                (Err(fault), Some(first)) => {
                    fault.log();
                    vec![first.id.clone()]
                }
                (Ok(()) | Err(_), _) => Vec::new(),
            })
        }
        Invocation::Queue(batch) => Reply::Queue(take(&room, batch).await),
        Invocation::Tick(_) => Reply::unexpected(),
    }
}

/// Carries out hints: those for the same one after the other, in order, others side by side: a
/// target that does not answer holds up no other. The ids of the messages that failed.
async fn take(room: &Room, batch: Batch) -> Vec<String> {
    if batch.messages.iter().any(|message| message.tries > 1) {
        // Their time is that of the first try, by which what was known then would stay fresh.
        room.read_anew().await;
    }
    let mut failed = Vec::new();
    let mut groups: BTreeMap<String, Vec<(&Message, FeedHint)>> = BTreeMap::new();
    for message in &batch.messages {
        match FeedHintMessage::parse(message.body.as_bytes()) {
            Ok(hint) => groups.entry(hint::group(&hint)).or_default().push((message, hint)),
            Err(_) => {
                Fault::Internal("a message that cannot be parsed").log();
                room.put_off(message).await;
                failed.push(message.id.clone());
            }
        }
    }
    failed.extend(join_all(groups.values().map(|group| in_turn(room, group))).await.concat());
    failed
}

/// Carries out the hints of a group until one fails: those after it come again behind it.
async fn in_turn(room: &Room, group: &[(&Message, FeedHint)]) -> Vec<String> {
    for (at, (message, hint)) in group.iter().enumerate() {
        if let Err(fault) = one(room, message.now, hint).await {
            fault.log();
            let rest = group.iter().skip(at).map(|(message, _)| *message);
            join_all(rest.clone().map(|message| room.put_off(message))).await;
            return rest.map(|message| message.id.clone()).collect();
        }
    }
    Vec::new()
}

async fn one(room: &Room, now: Instant, hint: &FeedHint) -> Result<(), Fault> {
    match hint {
        FeedHint::Participant { feed, participant } => {
            deliver::participant(room, now, feed, participant).await
        }
        FeedHint::Pass { feed, pass } => deliver::pass(room, now, feed, pass).await,
        FeedHint::Replay { feed, run, shard, from, after } => {
            let step = replay::Step { feed, run, shard: *shard, from: *from };
            replay::walk(room, now, &step, after.as_deref()).await
        }
    }
}
