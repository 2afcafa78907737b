//! Invoices that an ERP posts: those of a listed type are purchases.

use domain::programme::Programme;
use harness::{Answer, Fault, Request, Room};
use serde_json::json;
use store::{Error, Posting};
use wire::alias::event_names;
use wire::answer;
use wire::event::{EventContext, parse_json};
use wire::invoice::parse_invoice;

use crate::handler::{may_post, posting};
use crate::{promotion, repeat};

/// `POST /v1/invoices`.
pub async fn post(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let named = room.named_request(request, |body| event_names(body, None)).await?;
    let request = &*named;
    let body = request.body()?;
    let programme = room.programme(request.now).await?;
    let context = EventContext { programme: &programme, now: request.now, key: None };
    let posted = match parse_invoice(&body, &context) {
        Ok(Some(posted)) => posted,
        Ok(None) => {
            let ignored = json!({ "event": null, "ignored": "invoice_type_not_listed" });
            let ignored = Answer::json(200, &ignored);
            return repeated(room, request, &programme, &body).await?.map_or(ignored, Ok);
        }
        Err(wrong) => {
            return repeated(room, request, &programme, &body).await?.ok_or(wrong.into());
        }
    };
    may_post(request, &programme, &posted)?;
    // Whoever an invoice names is a participant, whatever `enrol` says.
    let codes = promotion::codes(room, &programme, &posted, request.now).await?;
    let order = Posting { enrols: true, codes, ..posting(request, &programme, &posted, true) };
    let (done, before) = match room.store.post_invoice(&order).await {
        // Perhaps identifiers were adjusted otherwise then.
        Err(wrong @ Error::KeyReused) => {
            return repeated(room, request, &programme, &body).await?.ok_or(wrong.into());
        }
        done => done?,
    };
    let (event, after, now) = (&done.value, &done.wallet, request.now);
    let mut answer = answer::invoice(&programme, event, &before, after, now, done.repeated);
    promotion::tell(room, event, &mut answer.event, now).await?;
    Answer::json(201, &answer)
}

/// The answer to an invoice that was posted before the programme changed: nothing is booked now.
async fn repeated(
    room: &Room,
    request: &Request,
    programme: &Programme,
    body: &[u8],
) -> Result<Option<Answer>, Fault> {
    let body = parse_json(body)?;
    let Some(event) = repeat::find(room, request, programme, &body, None).await? else {
        return Ok(None);
    };
    let (wallet, now) = (&room.store.wallet(&event.event.participant).await?, request.now);
    let mut answer = answer::invoice(programme, &event, wallet, wallet, now, true);
    promotion::tell(room, &event, &mut answer.event, now).await?;
    Answer::json(201, &answer).map(Some)
}
