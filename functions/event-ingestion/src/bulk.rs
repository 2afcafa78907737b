//! Up to a thousand events in one call, each with its own outcome.

use std::collections::BTreeMap;

use domain::event::EventType;
use domain::id::EventId;
use domain::programme::Programme;
use domain::time::Instant;
use futures_util::{StreamExt, stream};
use harness::{Answer, Fault, Request, Room};
use serde_json::{Value, json};
use store::Error;
use wire::alias::event_names;
use wire::event::{EventContext, parse_bulk, parse_row};
use wire::message::EvaluationMessage;

use crate::handler::{may_post, posting, status};
use crate::repeat;

/// Rows that are stored at the same time.
const AT_ONCE: usize = 16;
/// Events of one message: as many as one commit folds.
const MESSAGE: usize = 10;

/// What became of a row.
struct Row {
    outcome: Value,
    /// Participant and event, where it is to be judged at once.
    immediate: Option<(String, String)>,
}

/// `POST /v1/events/bulk`.
pub async fn post(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let bodies = parse_bulk(&request.body()?)?;
    let programme = room.programme(request.now).await?;
    let rows = stream::iter(bodies.iter().enumerate())
        .map(|(index, body)| row(room, request, &programme, index, body))
        .buffered(AT_ONCE)
        .collect::<Vec<Row>>()
        .await;
    queue(room, &rows).await;
    let outcomes: Vec<&Value> = rows.iter().map(|row| &row.outcome).collect();
    Answer::json(202, &json!({ "outcomes": outcomes }))
}

async fn row(
    room: &Room,
    request: &Request,
    programme: &Programme,
    index: usize,
    body: &Value,
) -> Row {
    match store_row(room, request, programme, body).await {
        Ok((status, event, immediate)) => Row {
            outcome: json!({ "index": index, "status": status, "event_id": event.as_str() }),
            immediate,
        },
        Err(fault) => {
            let (status, problem) = Answer::row_problem(fault);
            let outcome = json!({ "index": index, "status": status, "problem": problem });
            Row { outcome, immediate: None }
        }
    }
}

type Stored = (u16, EventId, Option<(String, String)>);

/// Stores all of them as pending; those that are immediate are judged from the queue.
async fn store_row(
    room: &Room,
    request: &Request,
    programme: &Programme,
    body: &Value,
) -> Result<Stored, Fault> {
    let now: Instant = request.now;
    let body = &*room.named(now, body, &event_names(body, None)).await?;
    let posted = match parse_row(body, &EventContext { programme, now, key: None }) {
        Ok(posted) => posted,
        Err(wrong) => return repeated(room, request, programme, body, wrong.into()).await,
    };
    may_post(request, programme, &posted)?;
    let done = match room.store.post_event(&posting(request, programme, &posted, false)).await {
        Err(wrong @ Error::KeyReused) => {
            return repeated(room, request, programme, body, wrong.into()).await;
        }
        done => done?,
    };
    let (event, status) = (&done.value.event, status(&done.value));
    let waits = status == 202 && event.immediate;
    let names = || (event.participant.to_string(), event.id.to_string());
    Ok((status, event.id.clone(), waits.then(names)))
}

/// A row that was stored before the programme changed; else what is wrong with it.
async fn repeated(
    room: &Room,
    request: &Request,
    programme: &Programme,
    body: &Value,
    wrong: Fault,
) -> Result<Stored, Fault> {
    let known = repeat::find(room, request, programme, body, None).await?;
    // A spend request is not taken in bulk, whoever sent it before.
    let known = known.filter(|known| known.event.event_type() != EventType::SpendRequest);
    known.map(|known| (status(&known), known.event.id, None)).ok_or(wrong)
}

/// Asks for the judgement of what is immediate. A message that is not sent is no loss: the events
/// are stored as pending, and the next run judges them.
async fn queue(room: &Room, rows: &[Row]) {
    let mut by_participant: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (participant, event) in rows.iter().filter_map(|row| row.immediate.as_ref()) {
        by_participant.entry(participant).or_default().push(event.clone());
    }
    let mut messages = Vec::new();
    for (participant, events) in by_participant {
        messages.extend(events.chunks(MESSAGE).map(|events| {
            let participant = participant.to_owned();
            EvaluationMessage::Events { participant, events: events.to_vec() }
        }));
    }
    if let Err(fault) = room.send_all(&messages).await {
        fault.log();
    }
}
