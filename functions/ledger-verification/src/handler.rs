//! Verifications: started once under their key or their time, told when asked, gone over shard by
//! shard from the queue. Nothing but their own records is written.

use std::sync::Arc;

use domain::id::RunId;
use harness::{Batch, Fault, Invocation, Message, Reply, Room};
use store::SHARDS;
use wire::message::VerificationMessage;

use crate::{answer, start, work};

/// Takes all three kinds of invocations.
pub async fn handle(room: Arc<Room>, invocation: Invocation) -> Reply {
    match invocation {
        Invocation::Http(request) => Reply::Http(match request.route.as_str() {
            "POST /v1/verifications" => start::post(&room, &request).await,
            "GET /v1/verifications/{verification}" => answer::get(&room, &request).await,
            _ => return Reply::unexpected(),
        }),
        Invocation::Queue(batch) => {
            give_up(&room, &batch).await;
            let mut failed = Vec::new();
            for message in batch.messages {
                if let Err(fault) = verify(&room, &message).await {
                    fault.log();
                    failed.push(message.id);
                }
            }
            Reply::Queue(failed)
        }
        Invocation::Tick(tick) => Reply::Done(start::due(&room, &tick).await),
        Invocation::Changes(_) => Reply::unexpected(),
    }
}

fn shard_of(message: &Message) -> Option<(RunId, u8)> {
    let parsed = VerificationMessage::parse(message.body.as_bytes()).ok();
    parsed.filter(|(_, shard)| *shard < SHARDS)
}

/// Notes which shards are asked for the last time before any message is worked on: if this process
/// dies, nobody goes on with them.
async fn give_up(room: &Room, batch: &Batch) {
    for message in batch.messages.iter().filter(|message| room.is_last_try(message)) {
        if let Some((id, shard)) = shard_of(message) {
            let now = Some(message.now);
            if let Err(error) = room.store.give_up_verification_shard(&id, shard, now).await {
                Fault::from(error).log();
            }
        }
    }
}

async fn verify(room: &Room, message: &Message) -> Result<(), Fault> {
    let (id, shard) =
        shard_of(message).ok_or(Fault::Internal("a message that cannot be parsed"))?;
    work::shard(room, message.now, &id, shard).await
}
