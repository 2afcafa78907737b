//! Events over HTTP: parse, decide and commit, answer.

use std::sync::Arc;

use domain::event::{Due, RecordedEvent};
use domain::id::{EventId, Key};
use domain::preview::preview;
use domain::programme::Programme;
use harness::{Answer, Fault, Invocation, Reply, Request, Room};
use store::{Done, Error, Noun, Posting};
use wire::answer;
use wire::event::{EventContext, PostedEvent, parse_event, parse_json};

use crate::{bulk, cancel};

/// Routes to what is asked for.
pub async fn handle(room: Arc<Room>, invocation: Invocation) -> Reply {
    let Invocation::Http(request) = invocation else { return Reply::unexpected() };
    Reply::Http(match request.route.as_str() {
        "POST /v1/events" => post(&room, &request).await,
        "POST /v1/events/preview" => show_preview(&room, &request).await,
        "POST /v1/events/bulk" => bulk::post(&room, &request).await,
        "GET /v1/events/{event}" => get(&room, &request).await,
        "POST /v1/events/{event}/cancel" => cancel::post(&room, &request).await,
        "POST /v1/credit-notes" => cancel::post_credit_note(&room, &request).await,
        _ => return Reply::unexpected(),
    })
}

async fn post(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let (body, key) = (parse_json(&request.body()?)?, request.key()?);
    let programme = room.programme(request.now).await?;
    let context = EventContext { programme: &programme, now: request.now, key: key.as_ref() };
    let posted = parse_event(&body, &context)?;
    request.may_act_at(&programme, posted.event.unit.as_ref())?;
    if posted.event.id.reference().is_none() {
        request.timely_key()?;
    }
    let done = store_event(room, request, &programme, &posted, posted.event.immediate).await?;
    let (event, wallet) = (&done.value, Some(&done.wallet));
    let answer = answer::event(&programme, event, wallet, request.now, done.repeated);
    Answer::json(status(event), &answer)
}

/// Stores an event; `judge`: and has it judged in the same commit.
pub async fn store_event(
    room: &Room,
    request: &Request,
    programme: &Programme,
    posted: &PostedEvent,
    judge: bool,
) -> Result<Done<RecordedEvent>, Error> {
    let order = Posting {
        programme,
        now: request.now,
        event: &posted.event,
        payload: posted.payload,
        spend: posted.spend.as_ref(),
        judge,
    };
    room.store.post_event(&order).await
}

/// 202 while nothing has judged it.
pub fn status(event: &RecordedEvent) -> u16 {
    if event.due == Due::Everything { 202 } else { 201 }
}

async fn show_preview(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let body = parse_json(&request.body()?)?;
    let programme = room.programme(request.now).await?;
    // What is not posted needs no reference.
    let key = request.key()?.or(Key::parse("preview").ok());
    let context = EventContext { programme: &programme, now: request.now, key: key.as_ref() };
    let posted = parse_event(&body, &context)?;
    request.may_act_at(&programme, posted.event.unit.as_ref())?;
    let explain_all = request.query("explain", |text| (text == "all").then_some(()))?.is_some();
    let wallet = match room.store.wallet(&posted.event.participant).await {
        Err(Error::NotFound(Noun::Participant)) if programme.definition.enrols => {
            domain::wallet::Wallet::default()
        }
        known => known?,
    };
    let now = request.now.max(wallet.time);
    let events = std::iter::once(&posted.event);
    let known = room.store.facts(&programme, &posted.event.participant, events).await?;
    let event = RecordedEvent::accepted(posted.event, posted.payload, now);
    let spend = posted.spend.as_ref();
    let preview = preview(&programme, &wallet, now, event, spend, known.facts())?;
    Answer::json(200, &answer::preview(&programme, &preview, explain_all))
}

async fn get(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let id = request.path("event", EventId::parse, Noun::Event)?;
    let programme = room.programme(request.now).await?;
    let event = room.store.event(&id).await?;
    Answer::json(200, &answer::event(&programme, &event, None, request.now, false))
}
