//! Replays: a target is told again from a time on, of one participant or of all.

use domain::id::FeedId;
use domain::time::Instant;
use harness::{Answer, Fault, Request, Room};
use serde_json::json;
use store::{Noun, SHARDS};
use wire::feed::{FeedHint, parse_replay};

use crate::hint::{digest, in_order};

/// One shard of a replay.
pub struct Step<'a> {
    pub feed: &'a FeedId,
    pub run: &'a str,
    pub shard: u8,
    pub from: Instant,
}

/// Asks for a replay. The same key within five minutes asks once; later it is a replay again.
pub async fn post(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.timely_key()?;
    let feed = request.path("feed", FeedId::parse, Noun::Feed)?;
    let asked = parse_replay(&request.body()?)?;
    let programme = room.programme(request.now).await?;
    programme.feed(&feed).ok_or(Fault::not_found(Noun::Feed))?;
    let alerts = programme.alerts_of(&feed);
    let run = digest(&["replay", key.as_str()]);
    let hints: Vec<_> = match &asked.participant {
        Some(participant) => {
            room.store.replay(&feed, &alerts, participant, asked.from).await?;
            let (feed, participant) = (feed.clone(), participant.clone());
            vec![in_order(&FeedHint::Participant { feed, participant }, &run)]
        }
        None => (0..SHARDS)
            .map(|shard| {
                let (feed, run, from) = (feed.clone(), run.clone(), asked.from);
                let hint = FeedHint::Replay { feed, run, shard, from, after: None };
                in_order(&hint, "begin")
            })
            .collect(),
    };
    room.send_in_order(&hints).await?;
    Answer::json(202, &json!({ "feed": feed.as_str(), "replay": run }))
}

/// Moves the places of the next participants of a shard, and asks for the step after.
pub async fn walk(
    room: &Room,
    now: Instant,
    step: &Step<'_>,
    after: Option<&str>,
) -> Result<(), Fault> {
    let alerts = room.programme(now).await?.alerts_of(step.feed);
    let page = room.store.roster_page(step.shard, after).await?;
    let mut hints = Vec::new();
    for participant in &page {
        room.store.replay(step.feed, &alerts, participant, step.from).await?;
        let (feed, participant) = (step.feed.clone(), participant.clone());
        hints.push(in_order(&FeedHint::Participant { feed, participant }, step.run));
    }
    if let Some(last) = page.last() {
        let (feed, run, shard) = (step.feed.clone(), step.run.to_owned(), step.shard);
        let after = Some(last.to_string());
        let next = FeedHint::Replay { feed, run, shard, from: step.from, after };
        hints.push(in_order(&next, last.as_str()));
    }
    room.send_in_order(&hints).await
}
