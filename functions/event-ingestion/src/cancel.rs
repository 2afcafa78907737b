//! Taking back: events whole or in part, spends, and invoices by their credit notes.

use domain::id::{EventId, TransactionCode};
use domain::programme::Programme;
use domain::returns::ReturnedLine;
use harness::{Answer, Fault, Request, Room, violation};
use store::{CancelEvent, CancelSpend, Error, EventCancelled, Noun};
use wire::answer;
use wire::returns::{
    CancelRequest, cancel_key, check_lines, credit_note_key, parse_cancel, parse_credit_note,
};

/// `POST /v1/events/{event}/cancel`: an event, or a spend by its transaction code.
pub async fn post(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.timely_key()?;
    let CancelRequest { lines, reason, payload } = parse_cancel(&request.body()?)?;
    let reason = reason.as_deref();
    let programme = room.programme(request.now).await?;
    if let Ok(spend) = request.path("event", TransactionCode::parse, Noun::Transaction) {
        if !lines.is_empty() {
            let message = "must be left out: a spend is cancelled whole";
            return Err(violation("/lines", wire::fault::code::NOT_ALLOWED, message));
        }
        let payload = payload.under(cancel_key(&key));
        let (programme, now, spend) = (&*programme, request.now, &spend);
        let order = CancelSpend { programme, now, spend, payload, reason };
        return cancel_spend(room, request, &order).await;
    }
    let event = request.path("event", EventId::parse, Noun::Event)?;
    let known = known(room, request, &programme, &event, &lines).await;
    // Of an event that has not arrived nothing says whose unit it is of.
    if lines.is_empty() && matches!(known, Err(Fault::Store(Error::NotFound(Noun::Event)))) {
        request.may_act_at(&programme, None)?;
    } else {
        known?;
    }
    let (now, key, event, lines) = (request.now, cancel_key(&key), &event, lines.as_slice());
    let programme = &programme;
    let order = CancelEvent { programme, now, event, key, payload, lines, reason, ahead: true };
    cancel_event(room, &order).await
}

/// `POST /v1/credit-notes`: takes back the purchase of an invoice, or some of its lines.
pub async fn post_credit_note(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let note = parse_credit_note(&request.body()?)?;
    let programme = room.programme(request.now).await?;
    known(room, request, &programme, &note.invoice, &note.lines).await?;
    let order = CancelEvent {
        programme: &programme,
        now: request.now,
        event: &note.invoice,
        key: credit_note_key(&note.id),
        payload: note.payload,
        lines: &note.lines,
        reason: note.reason.as_deref(),
        ahead: false,
    };
    cancel_event(room, &order).await
}

/// Holds what is asked against the event, where its lines or its unit count.
async fn known(
    room: &Room,
    request: &Request,
    programme: &Programme,
    event: &EventId,
    lines: &[ReturnedLine],
) -> Result<(), Fault> {
    if request.is_merchant() || !lines.is_empty() {
        let known = room.store.event(event).await?;
        request.may_act_at(programme, known.event.unit.as_ref())?;
        check_lines(lines, &known.event)?;
    }
    Ok(())
}

async fn cancel_event(room: &Room, order: &CancelEvent<'_>) -> Result<Answer, Fault> {
    let done = room.store.cancel_event(order).await?;
    let (programme, now, wallet) = (order.programme, order.now, &done.wallet);
    match &done.value {
        EventCancelled::TakenBack(event, sequence) => {
            let answer =
                answer::cancel_event(programme, event, *sequence, wallet, now, done.repeated);
            Answer::json(200, &answer)
        }
        EventCancelled::Ahead => {
            Answer::json(202, &answer::cancel_ahead(order.event, done.repeated))
        }
    }
}

async fn cancel_spend(
    room: &Room,
    request: &Request,
    order: &CancelSpend<'_>,
) -> Result<Answer, Fault> {
    let CancelSpend { programme, now, spend, .. } = *order;
    if request.is_merchant() {
        let entry = room.store.transaction(spend).await?;
        request.may_act_at(programme, entry.spend().and_then(|made| made.unit.as_ref()))?;
    }
    let done = room.store.cancel_spend(order).await?;
    let (sequence, of) = (done.value.sequence, spend.sequence);
    let (who, wallet) = (&spend.participant, &done.wallet);
    let answer = answer::cancel_spend(programme, who, sequence, of, wallet, now, done.repeated);
    Answer::json(200, &answer)
}
