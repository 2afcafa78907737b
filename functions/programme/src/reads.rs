//! Reads of a participant: wallet, transactions, events.

use domain::event::{EventState, EventType};
use domain::id::TransactionCode;
use domain::time::parse_instant;
use harness::{Answer, Fault, Request, Room};
use serde_json::json;
use store::{EventsCursor, EventsFilter, Noun};
use wire::answer;

use crate::handler::participant;

/// Rows of a page that names no limit.
const LIMIT: usize = 50;
/// Most rows of a page.
const MAX_LIMIT: usize = 200;

/// `GET /v1/participants/{participant}/wallet`.
pub async fn wallet(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let id = participant(request)?;
    let programme = room.programme(request.now).await?;
    let wallet = room.store.wallet(&id).await?;
    Answer::json(200, &answer::wallet(&programme, &wallet, request.now))
}

/// `GET /v1/participants/{participant}/transactions`.
pub async fn transactions(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let (id, limit) = (participant(request)?, limit(request)?);
    let below = request.query("cursor", |text| text.parse::<u64>().ok())?;
    let programme = room.programme(request.now).await?;
    let entries = room.store.transactions(&id, below, limit).await?;
    let last = entries.last().map(|entry| entry.sequence).filter(|sequence| *sequence > 1);
    let cursor = last.filter(|_| entries.len() == limit).map(|sequence| sequence.to_string());
    Answer::json(200, &answer::transactions(&programme, &id, &entries, cursor))
}

/// `GET /v1/participants/{participant}/events`.
pub async fn events(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let (id, limit) = (participant(request)?, limit(request)?);
    let of_type = request
        .query("type", |text| EventType::ALL.into_iter().find(|known| known.name() == text))?;
    let in_state = request.query("state", |text| match text {
        "posted" => Some(EventState::Posted),
        "cancelled" => Some(EventState::Cancelled),
        _ => None,
    })?;
    let (from, to) = (request.query("from", parse_instant)?, request.query("to", parse_instant)?);
    let filter = EventsFilter { of_type, in_state, from, to };
    let after = request.query("cursor", EventsCursor::parse)?;
    let programme = room.programme(request.now).await?;
    let page = room.store.events(&id, &filter, after, limit).await?;
    let events = page.events.iter().map(|event| answer::event_only(&programme, event));
    let cursor = page.cursor.map(|cursor| cursor.to_string());
    Answer::json(200, &json!({ "events": events.collect::<Vec<_>>(), "cursor": cursor }))
}

/// `GET /v1/transactions/{code}`.
pub async fn transaction(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let code = request.path("code", TransactionCode::parse, Noun::Transaction)?;
    let programme = room.programme(request.now).await?;
    let entry = room.store.transaction(&code).await?;
    Answer::json(200, &answer::transaction(&programme, &code.participant, &entry))
}

fn limit(request: &Request) -> Result<usize, Fault> {
    let within = |text: &str| text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    Ok(request.query("limit", within)?.unwrap_or(LIMIT))
}
