//! Events over HTTP: parse, decide and commit, answer.

use std::sync::Arc;

use domain::event::{Detail, Due, EventType, RecordedEvent};
use domain::id::{EventId, Key, TransactionCode};
use domain::preview::preview;
use domain::programme::Programme;
use harness::{Answer, Fault, Invocation, Reply, Request, Room, violation};
use store::{Codes, Error, Noun, Posting};
use wire::alias::event_names;
use wire::answer;
use wire::event::{EventContext, PostedEvent, parse_event, parse_json};

use crate::spend::{self, SpendEvent};
use crate::{bulk, cancel, invoice, promotion, repeat};

/// Routes to what is asked for.
pub async fn handle(room: Arc<Room>, invocation: Invocation) -> Reply {
    let Invocation::Http(request) = invocation else { return Reply::unexpected() };
    Reply::Http(match request.route.as_str() {
        "POST /v1/events" => post(&room, &request).await,
        "POST /v1/events/preview" => show_preview(&room, &request).await,
        "POST /v1/events/bulk" => bulk::post(&room, &request).await,
        "POST /v1/invoices" => invoice::post(&room, &request).await,
        "GET /v1/events/{event}" => get(&room, &request).await,
        "POST /v1/events/{event}/cancel" => cancel::post(&room, &request).await,
        "POST /v1/credit-notes" => cancel::post_credit_note(&room, &request).await,
        _ => return Reply::unexpected(),
    })
}

async fn post(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let (sent, key) = (parse_json(&request.body()?)?, request.key()?);
    let names = event_names(&sent, key.as_ref());
    let body = room.named(request.now, &sent, &names).await?;
    let programme = room.programme(request.now).await?;
    let context = EventContext { programme: &programme, now: request.now, key: key.as_ref() };
    let posted = match parse_event(&body, &context) {
        Ok(posted) => posted,
        Err(wrong) => return repeat::event(room, request, &programme, &body, wrong.into()).await,
    };
    may_post(request, &programme, &posted)?;
    if let (Detail::SpendRequest(wanted), Some(asked)) = (&posted.event.detail, &posted.spend) {
        let (event, payload, key) = (&posted.event, posted.payload, key.as_ref());
        let spend = SpendEvent { event, wanted, asked, payload, key };
        return spend::post(room, request, &programme, &spend).await;
    }
    if posted.event.id.reference().is_none() {
        request.timely_key()?;
    }
    let codes = promotion::codes(room, &programme, &posted, request.now).await?;
    let judge = posted.event.immediate;
    let order = Posting { codes, ..posting(request, &programme, &posted, judge) };
    let done = match room.store.post_event(&order).await {
        // Perhaps identifiers were adjusted otherwise then.
        Err(wrong @ Error::KeyReused) => {
            return repeat::event(room, request, &programme, &body, wrong.into()).await;
        }
        done => done?,
    };
    let (event, wallet) = (&done.value, Some(&done.wallet));
    let mut answer = answer::event(&programme, event, wallet, request.now, done.repeated);
    promotion::tell(room, event, &mut answer, request.now).await?;
    Answer::json(status(event), &answer)
}

/// Whether the token may bring this event: at its unit, and with the spend that it comes with or
/// is, which needs the scope of spends.
pub fn may_post(
    request: &Request,
    programme: &Programme,
    posted: &PostedEvent,
) -> Result<(), Fault> {
    request.may_act_at(programme, posted.event.unit.as_ref())?;
    if posted.spend.is_some() { request.needs_scope("spend.write") } else { Ok(()) }
}

/// The order to store an event; `judge`: and to judge it in the same commit.
pub fn posting<'a>(
    request: &Request,
    programme: &'a Programme,
    posted: &'a PostedEvent,
    judge: bool,
) -> Posting<'a> {
    Posting {
        programme,
        now: request.now,
        event: &posted.event,
        payload: posted.payload,
        spend: posted.spend.as_ref(),
        judge,
        enrols: programme.definition.enrols,
        codes: Codes::default(),
    }
}

/// 202 while nothing has judged it.
pub fn status(event: &RecordedEvent) -> u16 {
    if event.due == Due::Everything { 202 } else { 201 }
}

async fn show_preview(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let sent = parse_json(&request.body()?)?;
    let body = room.named(request.now, &sent, &[]).await?;
    let programme = room.programme(request.now).await?;
    // What is not posted needs no reference.
    let key = request.key()?.or(Key::parse("preview").ok());
    let context = EventContext { programme: &programme, now: request.now, key: key.as_ref() };
    let posted = parse_event(&body, &context)?;
    request.may_act_at(&programme, posted.event.unit.as_ref())?;
    if posted.event.event_type() == EventType::SpendRequest {
        let message = "a spend is not previewed: preview the purchase that it pays";
        return Err(violation("/type", "not_allowed", message));
    }
    let explain_all = request.query("explain", |text| (text == "all").then_some(()))?.is_some();
    let wallet = match room.store.wallet(&posted.event.participant).await {
        Err(Error::NotFound(Noun::Participant)) if programme.definition.enrols => {
            domain::wallet::Wallet::default()
        }
        known => known?,
    };
    let now = request.now.max(wallet.time);
    let shown = promotion::codes(room, &programme, &posted, request.now).await?.shown;
    let events = std::iter::once(&posted.event);
    let mut known = room.store.facts(&programme, &posted.event.participant, events).await?;
    let (facts, event) = (&mut known, &posted.event);
    room.store.know_consent(facts, &programme, &wallet, now, event).await?;
    let (participant, store) = (&posted.event.participant, &room.store);
    store.know_for_code(&mut known, &programme, participant, shown.as_ref()).await?;
    let mut event = RecordedEvent::accepted(posted.event, posted.payload, now);
    let (code, facts) = (shown.as_ref(), known.facts());
    event.pass = store.preview_code(&programme, &wallet, now, &event, code, &facts).await?;
    let spend = posted.spend.as_ref();
    let preview = preview(&programme, &wallet, now, event, spend, known.facts())?;
    Answer::json(200, &answer::preview(&programme, &preview, explain_all))
}

/// An event by its id, or a spend by its transaction code.
async fn get(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let programme = room.programme(request.now).await?;
    let event = match request.path("event", TransactionCode::parse, Noun::Event) {
        Ok(spend) => room.store.spend_as_event(&spend).await?,
        Err(_) => room.store.event(&request.path("event", EventId::parse, Noun::Event)?).await?,
    };
    Answer::json(200, &answer::event(&programme, &event, None, request.now, false))
}
