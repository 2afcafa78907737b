//! Changes become hints, hints become deliveries; an operator may have things told again.

use std::sync::Arc;

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

/// Carries out hints side by side: a target that does not answer holds up no other. The ids of
/// the messages that failed.
async fn take(room: &Room, batch: Batch) -> Vec<String> {
    let outcomes = join_all(batch.messages.iter().map(|message| one(room, message))).await;
    let mut failed = Vec::new();
    for (message, outcome) in batch.messages.iter().zip(outcomes) {
        if let Err(fault) = outcome {
            fault.log();
            room.put_off(message).await;
            failed.push(message.id.clone());
        }
    }
    failed
}

async fn one(room: &Room, message: &Message) -> Result<(), Fault> {
    let hint = FeedHintMessage::parse(message.body.as_bytes());
    let hint = hint.map_err(|_| Fault::Internal("a message that cannot be parsed"))?;
    match &hint {
        FeedHint::Participant { feed, participant } => {
            deliver::participant(room, message.now, feed, participant).await
        }
        FeedHint::Pass { feed, pass } => deliver::pass(room, message.now, feed, pass).await,
        FeedHint::Replay { feed, run, shard, from, after } => {
            let step = replay::Step { feed, run, shard: *shard, from: *from };
            replay::walk(room, &step, after.as_deref()).await
        }
    }
}
