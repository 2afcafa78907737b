//! Spends: parse, decide and commit, answer.

use std::sync::Arc;

use harness::{Answer, Fault, Invocation, Reply, Request, Room};
use store::{RequestKey, Spending};
use wire::alias::spend_names;
use wire::answer;
use wire::spend::parse_spend;

use crate::spender::payer;
use crate::{coupons, holds, repeat};

/// Routes to what is asked for.
pub async fn handle(room: Arc<Room>, invocation: Invocation) -> Reply {
    let Invocation::Http(request) = invocation else { return Reply::unexpected() };
    Reply::Http(match request.route.as_str() {
        "POST /v1/spend-requests" => spend(&room, &request).await,
        "POST /v1/participants/{participant}/coupons" => coupons::take(&room, &request).await,
        "POST /v1/coupon-uses" => coupons::use_up(&room, &request).await,
        "POST /v1/holds" => holds::hold(&room, &request).await,
        "POST /v1/holds/{code}/settle" => holds::settle(&room, &request).await,
        "POST /v1/holds/{code}/release" => holds::release(&room, &request).await,
        _ => return Reply::unexpected(),
    })
}

async fn spend(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.required_key()?;
    let named = room.named_request(request, |body| spend_names(body, &key)).await?;
    let request = &*named;
    let programme = room.programme(request.now).await?;
    let asked = match parse_spend(&request.body()?, &programme, request.now) {
        Ok(asked) => asked,
        Err(wrong) => return repeat::spend(room, request, &programme, &key, wrong).await,
    };
    request.may_act_at(&programme, asked.asked.unit.as_ref())?;
    let payer = payer(room, &programme, &asked.spender, request.now).await?;
    let event = asked.event(&payer.participant);
    let order = Spending {
        programme: &programme,
        now: request.now,
        participant: &payer.participant,
        key: RequestKey::Caller(&key),
        payload: asked.payload,
        asked: &asked.asked,
        purchase: asked.purchase.as_ref(),
        request: event.as_ref(),
        bearer: payer.bearer(),
    };
    let done = room.store.spend(&order).await?;
    let (who, spent, now) = (&payer.participant, &done.value, request.now);
    let wallet = &done.wallet;
    let answer =
        answer::spend(&programme, who, spent.sequence, &spent.made, wallet, now, done.repeated);
    Answer::json(201, &answer)
}
