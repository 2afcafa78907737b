//! Redemptions, and their cancel by an operator.

use domain::id::TransactionCode;
use harness::{Answer, Fault, Request, Room};
use store::{Noun, Redeeming, TakingBack};
use wire::answer;
use wire::pass::{parse_redemption, parse_take_back};
use wire::returns::cancel_key;

use crate::nameless::redeemer;

/// Redeems a pass into a participant's wallet, or into its own.
pub async fn redeem(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.timely_key()?;
    let asked = parse_redemption(&request.body()?)?;
    let programme = room.programme(request.now).await?;
    let (pass, plan, plan_key) = room.proven(&programme, &asked.credential, request.now).await?;
    let participant = &redeemer(asked.participant.as_ref(), plan, pass.nameless())?;
    let order = Redeeming {
        programme: &programme,
        now: request.now,
        plan,
        pass: &pass,
        proof: (&plan_key, asked.credential.pin.as_deref()),
        participant,
        key: &key,
        payload: asked.payload,
    };
    let done = room.store.redeem(&order).await?;
    let redemption = &done.value;
    let redeemed = answer::Redeemed { participant, plan, pass: &pass, redemption };
    let (wallet, now) = (&done.wallet, request.now);
    Answer::json(201, &answer::redemption(&programme, &redeemed, wallet, now, done.repeated))
}

/// Takes a redemption back.
pub async fn take_back(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.timely_key()?;
    let code = request.path("code", TransactionCode::parse, Noun::Transaction)?;
    let asked = parse_take_back(&request.body()?)?;
    let programme = room.programme(request.now).await?;
    let order = TakingBack {
        programme: &programme,
        now: request.now,
        redemption: &code,
        key: &key,
        payload: asked.payload.under(cancel_key(&key)),
        void: asked.void,
        reason: asked.reason.as_deref(),
        who: &request.who(),
    };
    let done = room.store.take_back(&order).await?;
    let (participant, wallet, now) = (&code.participant, &done.wallet, request.now);
    let back = (done.value.sequence, &done.value.pass);
    Answer::json(
        200,
        &answer::taken_back(&programme, participant, back, wallet, now, done.repeated),
    )
}
