//! Two-phase spending: a hold, and its one end.

use domain::id::TransactionCode;
use domain::ledger::HoldMade;
use domain::programme::Programme;
use harness::{Answer, Fault, Request, Room};
use store::{Error, Holding, Noun, Releasing, Settling};
use wire::alias::hold_names;
use wire::answer;
use wire::hold::{parse_hold, parse_release, parse_settle};

use crate::repeat;
use crate::spender::payer;

/// `POST /v1/holds`.
pub async fn hold(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.required_key()?;
    let named = room.named_request(request, |_| hold_names(&key)).await?;
    let request = &*named;
    let programme = room.programme(request.now).await?;
    let asked = match parse_hold(&request.body()?, &programme, request.now) {
        Ok(asked) => asked,
        Err(wrong) => return repeat::hold(room, request, &programme, &key, wrong).await,
    };
    let spend = &asked.spend;
    request.may_act_at(&programme, spend.asked.unit.as_ref())?;
    let payer = payer(room, &programme, &spend.spender, request.now).await?;
    let order = Holding {
        programme: &programme,
        now: request.now,
        participant: &payer.participant,
        key: &key,
        payload: spend.payload,
        asked: &spend.asked,
        purchase: spend.purchase.as_ref(),
        time: asked.time,
        bearer: payer.bearer(),
    };
    let done = room.store.hold(&order).await?;
    let (who, made, now) = (&payer.participant, &done.value, request.now);
    let wallet = &done.wallet;
    let answer =
        answer::hold(&programme, who, made.sequence, &made.made, wallet, now, done.repeated);
    Answer::json(201, &answer)
}

/// `POST /v1/holds/{code}/settle`: spends what is held, or a part of it.
pub async fn settle(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let (key, code) = (request.required_key()?, code(request)?);
    let programme = room.programme(request.now).await?;
    // An amount is read in the balance of the hold.
    let made = known(room, request, &programme, &code).await?;
    let decimals = programme.decimals(&made.spend.balance);
    let asked = parse_settle(&request.body()?, &code, decimals)?;
    let order = Settling {
        programme: &programme,
        now: request.now,
        hold: &code,
        key: &key,
        payload: asked.payload,
        amount: asked.amount,
        purchase: asked.purchase.as_ref(),
    };
    let done = room.store.settle(&order).await?;
    let (who, spent, now) = (&code.participant, &done.value, request.now);
    let wallet = &done.wallet;
    let answer =
        answer::spend(&programme, who, spent.sequence, &spent.made, wallet, now, done.repeated);
    Answer::json(201, &answer)
}

/// `POST /v1/holds/{code}/release`: gives back what is held.
pub async fn release(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let (key, code) = (request.required_key()?, code(request)?);
    let payload = parse_release(&request.body()?, &code)?;
    let programme = room.programme(request.now).await?;
    if request.is_merchant() {
        known(room, request, &programme, &code).await?;
    }
    let (now, hold, key) = (request.now, &code, &key);
    let order = Releasing { programme: &programme, now, hold, key, payload };
    let done = room.store.release(&order).await?;
    let (who, back, wallet) = (&code.participant, &done.value, &done.wallet);
    let sequences = (back.sequence, code.sequence);
    let amount = (&back.balance, back.released);
    let answer = answer::release(&programme, who, sequences, amount, wallet, now, done.repeated);
    Answer::json(200, &answer)
}

fn code(request: &Request) -> Result<TransactionCode, Fault> {
    request.path("code", TransactionCode::parse, Noun::Hold)
}

/// The hold of a code, at a unit where the caller may act.
async fn known(
    room: &Room,
    request: &Request,
    programme: &Programme,
    code: &TransactionCode,
) -> Result<HoldMade, Fault> {
    let entry = match room.store.transaction(code).await {
        Err(Error::NotFound(_)) => return Err(Fault::not_found(Noun::Hold)),
        entry => entry?,
    };
    let made = entry.hold().cloned().ok_or(Fault::not_found(Noun::Hold))?;
    request.may_act_at(programme, made.spend.unit.as_ref())?;
    Ok(made)
}
