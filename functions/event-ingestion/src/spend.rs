//! Spend requests that come as events: carried out by the one way to spend, and kept with it.

use domain::event::{Event, SpendRequest};
use domain::id::Key;
use domain::ledger::PayloadHash;
use domain::programme::Programme;
use domain::spend::SpendAsked;
use harness::{Answer, Fault, Request, Room};
use store::{RequestKey, Spending};
use wire::answer;

/// An event that is a spend request.
pub struct SpendEvent<'a> {
    pub event: &'a Event,
    pub wanted: &'a SpendRequest,
    pub asked: &'a SpendAsked,
    pub payload: PayloadHash,
    /// Without one, its reference is the key.
    pub key: Option<&'a Key>,
}

/// Carries it out, and answers as events do.
pub async fn post(
    room: &Room,
    request: &Request,
    programme: &Programme,
    spend: &SpendEvent<'_>,
) -> Result<Answer, Fault> {
    let order = Spending {
        programme,
        now: request.now,
        participant: &spend.event.participant,
        key: spend.key.map_or(RequestKey::Reference(&spend.event.id), RequestKey::Caller),
        payload: spend.payload,
        asked: spend.asked,
        purchase: spend.wanted.purchase.as_ref(),
        request: Some(spend.event),
        bearer: None,
    };
    let done = room.store.spend(&order).await?;
    let event = done.value.request.ok_or(Fault::Internal("a spend without its event"))?;
    let (wallet, now) = (Some(&done.wallet), request.now);
    Answer::json(201, &answer::event(programme, &event, wallet, now, done.repeated))
}
