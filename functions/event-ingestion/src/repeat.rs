//! Repeats of what the programme would not take any more: answered as they were, because an event
//! is looked up by its reference or key before anybody says what is wrong with it.

use domain::event::{EventType, RecordedEvent};
use domain::id::Key;
use domain::programme::Programme;
use harness::{Answer, Fault, Request, Room, recalled};
use serde_json::Value;
use store::{Error, Recalling, RequestKey};
use wire::answer;
use wire::event::{repeated_payload, sent_id};
use wire::fault::BodyFault;
use wire::spend::{Spender, sent_spend};

use crate::handler::status;
use crate::promotion;

/// Where an event was sent before, word for word, the answer that stands; else what is wrong.
pub async fn event(
    room: &Room,
    request: &Request,
    programme: &Programme,
    body: &Value,
    wrong: Fault,
) -> Result<Answer, Fault> {
    let key = request.key()?;
    if let Some(event) = find(room, request, programme, body, key.as_ref()).await? {
        let wallet = room.store.wallet(&event.event.participant).await?;
        let mut answer = answer::event(programme, &event, Some(&wallet), request.now, true);
        promotion::tell(room, &event, &mut answer, request.now).await?;
        return Answer::json(status(&event), &answer);
    }
    let Fault::Body(wrong) = wrong else { return Err(wrong) };
    Err(refused_spend(room, request, body, key.as_ref(), wrong).await)
}

/// The event that a body repeats, if it was stored; whoever may not bring it may not see it.
pub async fn find(
    room: &Room,
    request: &Request,
    programme: &Programme,
    body: &Value,
    key: Option<&Key>,
) -> Result<Option<RecordedEvent>, Fault> {
    let Some(id) = sent_id(body, key) else { return Ok(None) };
    let known = match room.store.event(&id).await {
        Err(Error::NotFound(_)) => return Ok(None),
        known => known?,
    };
    if repeated_payload(body, &known.event) != known.payload {
        return Ok(None);
    }
    request.may_act_at(programme, known.event.unit.as_ref())?;
    let spends = body.get("spend").is_some_and(|spend| !spend.is_null());
    if spends || known.event.event_type() == EventType::SpendRequest {
        request.needs_scope("spend.write")?;
    }
    Ok(Some(known))
}

/// A spend request that was refused has no event: its key or its reference remembers it.
async fn refused_spend(
    room: &Room,
    request: &Request,
    body: &Value,
    key: Option<&Key>,
    wrong: BodyFault,
) -> Fault {
    let is_spend = body.get("type").and_then(Value::as_str) == Some(EventType::SpendRequest.name());
    let sent = sent_spend(body).filter(|_| is_spend);
    let (Some((Spender::Named(participant), payload)), Some(id)) = (sent, sent_id(body, key))
    else {
        return wrong.into();
    };
    if let Err(forbidden) = request.needs_scope("spend.write") {
        return forbidden;
    }
    let key = key.map_or(RequestKey::Reference(&id), RequestKey::Caller);
    let asked = Recalling { now: request.now, participant: &participant, key, payload };
    let known = room.store.recall_spend(&asked).await;
    match recalled(request, known, wrong) {
        Err(fault) => fault,
        // One that was carried out has an event, written with it, which would have been found.
        Ok(_) => Fault::Internal("a spend request without its event"),
    }
}
