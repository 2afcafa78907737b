//! Adjustments by hand, and imports of points movements from another bonus system.

use std::collections::BTreeMap;

use domain::id::{Key, ParticipantId};
use domain::ledger::PayloadHash;
use domain::programme::Programme;
use domain::time::Instant;
use futures_util::{StreamExt, stream};
use harness::{Answer, Fault, Request, Room, recalled, violation};
use serde_json::{Value, json};
use store::{Adjusted, Adjusting, Done, Recalling, RequestKey};
use wire::adjust::{
    AdjustRequest, AdjustRow, parse_adjustment, parse_adjustments, parse_row, sent_adjustment,
    sent_row,
};
use wire::answer;
use wire::fault::BodyFault;

use crate::handler::participant;

/// Participants whose rows are booked at the same time.
const AT_ONCE: usize = 16;
/// Most rows of one participant in a call: they are booked one after the other, and a call has its
/// time.
const ROWS_OF_ONE: usize = 100;

/// `POST /v1/participants/{participant}/adjustments`.
pub async fn post(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let (id, key) = (participant(request)?, request.required_key()?);
    let programme = room.programme(request.now).await?;
    let (body, now) = (request.body()?, request.now);
    let asked = parse_adjustment(&body, &programme);
    // It is done at no unit.
    request.may_act_at(&programme, None)?;
    let done = match asked {
        Ok(asked) => adjust(room, now, &programme, &id, &key, &asked).await?,
        Err(wrong) => {
            let Some(payload) = sent_adjustment(&body) else { return Err(wrong.into()) };
            repeated(room, request, (&id, &key, payload), wrong).await?
        }
    };
    let (sequence, wallet) = (done.value.sequence, &done.wallet);
    let answer = answer::adjust(&programme, &id, sequence, wallet, now, done.repeated);
    Answer::json(201, &answer)
}

async fn adjust(
    room: &Room,
    now: Instant,
    programme: &Programme,
    participant: &ParticipantId,
    key: &Key,
    asked: &AdjustRequest,
) -> Result<Done<Adjusted>, Fault> {
    let AdjustRequest { adjustment, payload } = asked;
    let payload = *payload;
    let order = Adjusting { programme, now, participant, key, payload, adjustment };
    Ok(room.store.adjust(&order).await?)
}

/// `POST /v1/adjustments`: each row under its own reference, with its own outcome. Rows of one
/// participant are booked in their order.
pub async fn import(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let rows = parse_adjustments(&request.body()?)?;
    let programme = room.programme(request.now).await?;
    request.may_act_at(&programme, None)?;
    let mut outcomes: Vec<(usize, Value)> = Vec::new();
    let mut of_one: BTreeMap<ParticipantId, Vec<(usize, AdjustRow)>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        match parse_row(row, &programme) {
            Ok(row) => of_one.entry(row.participant.clone()).or_default().push((index, row)),
            Err(wrong) => {
                outcomes.push((index, sent_before(room, request, index, row, wrong).await))
            }
        }
    }
    let booked = stream::iter(of_one.into_values())
        .map(|rows| book(room, request.now, &programme, rows))
        .buffer_unordered(AT_ONCE);
    outcomes.extend(booked.collect::<Vec<_>>().await.into_iter().flatten());
    outcomes.sort_by_key(|(index, _)| *index);
    let outcomes: Vec<Value> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    Answer::json(200, &json!({ "outcomes": outcomes }))
}

/// Books the rows of one participant, one after the other.
pub async fn book(
    room: &Room,
    now: Instant,
    programme: &Programme,
    rows: Vec<(usize, AdjustRow)>,
) -> Vec<(usize, Value)> {
    let mut outcomes = Vec::new();
    for (place, (index, row)) in rows.into_iter().enumerate() {
        let AdjustRow { participant, reference, request } = &row;
        let done = if place < ROWS_OF_ONE {
            adjust(room, now, programme, participant, reference, request).await
        } else {
            let message = format!("has more than {ROWS_OF_ONE} rows in one call");
            Err(violation("/participant_id", "length", &message))
        };
        outcomes.push((index, outcome(index, participant, done)));
    }
    outcomes
}

fn outcome(
    index: usize,
    participant: &ParticipantId,
    done: Result<Done<Adjusted>, Fault>,
) -> Value {
    match done {
        Ok(done) => {
            let code = answer::transaction_code(participant, done.value.sequence);
            json!({ "index": index, "status": 201, "transaction": code })
        }
        Err(fault) => refused(index, fault),
    }
}

/// A row that was booked before the programme changed; else what is wrong with it.
pub async fn sent_before(
    room: &Room,
    request: &Request,
    index: usize,
    row: &Value,
    wrong: BodyFault,
) -> Value {
    let Some((participant, key, payload)) = sent_row(row) else {
        return refused(index, wrong.into());
    };
    let done = repeated(room, request, (&participant, &key, payload), wrong).await;
    outcome(index, &participant, done)
}

/// The adjustment that a key led to; else what is wrong with the body.
async fn repeated(
    room: &Room,
    request: &Request,
    (participant, key, payload): (&ParticipantId, &Key, PayloadHash),
    wrong: BodyFault,
) -> Result<Done<Adjusted>, Fault> {
    let (now, key) = (request.now, RequestKey::Caller(key));
    let asked = Recalling { now, participant, key, payload };
    recalled(request, room.store.recall_adjustment(&asked).await, wrong)
}

/// The outcome of a row that came to nothing.
pub fn refused(index: usize, fault: Fault) -> Value {
    let (status, problem) = Answer::row_problem(fault);
    json!({ "index": index, "status": status, "problem": problem })
}
