//! Invoices that an ERP posts: those of a listed type are purchases.

use harness::{Answer, Fault, Request, Room};
use serde_json::json;
use store::Posting;
use wire::answer;
use wire::event::EventContext;
use wire::invoice::parse_invoice;

use crate::handler::{may_post, posting};

/// `POST /v1/invoices`.
pub async fn post(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let body = request.body()?;
    let programme = room.programme(request.now).await?;
    let context = EventContext { programme: &programme, now: request.now, key: None };
    let Some(posted) = parse_invoice(&body, &context)? else {
        let ignored = json!({ "event": null, "ignored": "invoice_type_not_listed" });
        return Answer::json(200, &ignored);
    };
    may_post(request, &programme, &posted)?;
    // Whoever an invoice names is a participant, whatever `enrol` says.
    let order = Posting { enrols: true, ..posting(request, &programme, &posted, true) };
    let (done, before) = room.store.post_invoice(&order).await?;
    let (event, after, now) = (&done.value, &done.wallet, request.now);
    Answer::json(201, &answer::invoice(&programme, event, &before, after, now, done.repeated))
}
