//! Unsubscribes, bounces and complaints as email platforms report them.

use std::collections::BTreeMap;

use domain::id::ParticipantId;
use domain::participant::{Channel, Consent};
use domain::refusal::Refusal;
use futures_util::{StreamExt, stream};
use harness::{Answer, Fault, Request, Room};
use serde_json::{Value, json};
use store::{Changed, Changing, Error};
use wire::suppression::{Named, Suppression, parse_suppression, parse_suppressions};

use crate::adjust::refused;

/// Rows that are looked up, and participants that are changed, at the same time.
const AT_ONCE: usize = 16;
/// Merges that are followed, one after the other.
const MAX_MERGES: usize = 8;

type Row = (usize, (Channel, Consent));

/// `POST /v1/suppressions`: each row is an opt-out at its time, which only a newer opt-in undoes.
/// The rows of one participant are taken in together, in whatever order.
pub async fn post(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let rows = parse_suppressions(&request.body()?)?;
    let found = stream::iter(rows.iter().enumerate())
        .map(|(index, row)| async move { (index, find(room, request, row).await) })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let mut outcomes: Vec<(usize, Value)> = Vec::new();
    let mut of_one: BTreeMap<ParticipantId, Vec<Row>> = BTreeMap::new();
    for (index, found) in found {
        match found {
            Ok((id, consent)) => of_one.entry(id).or_default().push((index, consent)),
            Err(fault) => outcomes.push((index, refused(index, fault))),
        }
    }
    let heard = stream::iter(of_one)
        .map(|(id, rows)| async move { hear(room, &id, rows).await })
        .buffer_unordered(AT_ONCE);
    outcomes.extend(heard.collect::<Vec<_>>().await.into_iter().flatten());
    outcomes.sort_by_key(|(index, _)| *index);
    let outcomes: Vec<Value> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    Answer::json(200, &json!({ "outcomes": outcomes }))
}

/// Whom a row is about, and what it says.
async fn find(
    room: &Room,
    request: &Request,
    row: &Value,
) -> Result<(ParticipantId, (Channel, Consent)), Fault> {
    let Suppression { who, channel, consent } = parse_suppression(row, request.now)?;
    let id = match who {
        Named::Id(id) => id,
        Named::Alias(alias) => room.who_has(request.now, &alias).await?,
    };
    Ok((id, (channel, consent)))
}

/// Takes in the rows of one participant.
async fn hear(room: &Room, id: &ParticipantId, rows: Vec<Row>) -> Vec<(usize, Value)> {
    let consents: Vec<_> = rows.iter().map(|(_, consent)| consent.clone()).collect();
    let done = take_in(room, id, &consents).await;
    let known = match done {
        Ok(changed) => changed.participant,
        Err(error) => return failed(&rows, error),
    };
    let outcome = |(index, (channel, _)): &Row| {
        let suppressed = !known.consents_to(channel);
        (*index, json!({ "index": index, "status": 200, "suppressed": suppressed }))
    };
    rows.iter().map(outcome).collect()
}

/// Platforms may know a duplicate still, whose address is that of who stays.
async fn take_in(
    room: &Room,
    id: &ParticipantId,
    consents: &[(Channel, Consent)],
) -> Result<Changed, Error> {
    let mut who = id.clone();
    for _ in 0..=MAX_MERGES {
        let order = Changing { consents: consents.to_vec(), ..Changing::of(&who) };
        let done = room.store.change_participant(&order).await;
        let Err(Error::Refused(Refusal::ParticipantMerged)) = done else { return done };
        match room.store.wallet(&who).await?.merged_into {
            Some(into) => who = into,
            None => break,
        }
    }
    Err(Error::Refused(Refusal::ParticipantMerged))
}

/// What went wrong is told of each row, and logged once.
fn failed(rows: &[Row], error: Error) -> Vec<(usize, Value)> {
    let (status, problem) = Answer::row_problem(error.into());
    let outcome = |index: usize| json!({ "index": index, "status": status, "problem": problem });
    rows.iter().map(|(index, _)| (*index, outcome(*index))).collect()
}
