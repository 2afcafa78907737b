//! Repeats of what the programme would not take any more: a key is looked up before anybody says
//! what is wrong with the body.

use domain::id::{Key, ParticipantId};
use domain::ledger::PayloadHash;
use domain::programme::Programme;
use harness::{Answer, Fault, Request, Room, recalled};
use store::{Error, Recalling, RequestKey};
use wire::answer;
use wire::event::parse_json;
use wire::fault::BodyFault;
use wire::spend::sent_spend;

use crate::spender::payer;

/// The spend that the key led to; else what is wrong with the body.
pub async fn spend(
    room: &Room,
    request: &Request,
    programme: &Programme,
    key: &Key,
    wrong: BodyFault,
) -> Result<Answer, Fault> {
    let (who, payload) = sender(room, request, programme, &wrong).await?;
    let (now, participant, key) = (request.now, &who, RequestKey::Caller(key));
    let asked = Recalling { now, participant, key, payload };
    let done = recalled(request, room.store.recall_spend(&asked).await, wrong)?;
    let made = &done.value;
    request.may_act_at(programme, made.made.unit.as_ref())?;
    let (sequence, made, wallet) = (made.sequence, &made.made, &done.wallet);
    Answer::json(201, &answer::spend(programme, &who, sequence, made, wallet, now, true))
}

/// Likewise, the hold.
pub async fn hold(
    room: &Room,
    request: &Request,
    programme: &Programme,
    key: &Key,
    wrong: BodyFault,
) -> Result<Answer, Fault> {
    let (who, payload) = sender(room, request, programme, &wrong).await?;
    let (now, participant, key) = (request.now, &who, RequestKey::Caller(key));
    let asked = Recalling { now, participant, key, payload };
    let done = recalled(request, room.store.recall_hold(&asked).await, wrong)?;
    let made = &done.value;
    request.may_act_at(programme, made.made.spend.unit.as_ref())?;
    let (sequence, made, wallet) = (made.sequence, &made.made, &done.wallet);
    Answer::json(201, &answer::hold(programme, &who, sequence, made, wallet, now, true))
}

/// Who sent a body, and its payload; what is wrong with it where it names nobody, or shows a pass
/// that is not proven.
async fn sender(
    room: &Room,
    request: &Request,
    programme: &Programme,
    wrong: &BodyFault,
) -> Result<(ParticipantId, PayloadHash), Fault> {
    let unknown = || Fault::Body(wrong.clone());
    let (spender, payload) = sent_spend(&parse_json(&request.body()?)?).ok_or_else(unknown)?;
    match payer(room, programme, &spender, request.now).await {
        Ok(payer) => Ok((payer.participant, payload)),
        Err(Fault::Store(Error::Refused(_))) => Err(unknown()),
        Err(fault) => Err(fault),
    }
}
