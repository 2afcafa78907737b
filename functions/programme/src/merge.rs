//! A duplicate is merged into the participant that stays.

use harness::{Answer, Fault, Request, Room};
use store::Merging;
use wire::answer;
use wire::merge::parse_merge;

use crate::handler::participant;

/// `POST /v1/participants/{participant}/merges`.
pub async fn post(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let (into, key) = (participant(request)?, request.required_key()?);
    let asked = parse_merge(&request.body()?, &into)?;
    let programme = room.programme(request.now).await?;
    // It is done at no unit.
    request.may_act_at(&programme, None)?;
    let (now, duplicate) = (request.now, &asked.duplicate);
    let order = Merging {
        programme: &programme,
        now,
        duplicate,
        into: &into,
        key: &key,
        payload: asked.payload,
        bearer: None,
        reason: asked.reason.as_deref(),
    };
    let done = room.store.merge(&order).await?;
    let (from, wallet) = ((duplicate, done.value.sequence), room.store.wallet(&into).await?);
    let answer = answer::merge(&programme, from, (&into, &wallet), now, done.repeated);
    Answer::json(201, &answer)
}
