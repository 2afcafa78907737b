//! Nameless wallets: seen by whoever holds the pass, and registered.

use domain::id::{Key, ParticipantId};
use domain::ledger::PayloadHash;
use domain::pass::{Pass, PassPlan, PassType};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::Instant;
use domain::wallet::Wallet;
use harness::{Answer, Fault, Request, Room, violation};
use store::{Bearer, Merging, Registering};
use wire::answer;
use wire::pass::{parse_lookup, parse_registration};

/// The participant that a redemption names, else that of the pass: gifts alone have wallets of
/// their own.
pub fn redeemer(
    named: Option<&ParticipantId>,
    plan: &PassPlan,
    own: ParticipantId,
) -> Result<ParticipantId, Fault> {
    match (named, plan.pass_type) {
        (Some(named), _) => Ok(named.clone()),
        (None, PassType::Gift) => Ok(own),
        // It comes with a purchase, and credits nothing.
        (None, PassType::Promotion) => Err(Refusal::PassNotRedeemable.into()),
        (None, PassType::TopUp) => {
            let said = "is required: a top-up is for participants that are there";
            Err(violation("/participant_id", "required", said))
        }
    }
}

/// Shows a pass to who holds it, with its nameless wallet; a PIN is tried as for a redemption.
pub async fn look_up(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let credential = parse_lookup(&request.body()?)?;
    let programme = room.programme(request.now).await?;
    let (id, plan, key) = room.proven(&programme, &credential, request.now).await?;
    let pass = room.store.look_up_pass(plan, &id, (&key, credential.pin.as_deref())).await?;
    let own = id.nameless();
    let wallet = wallet_of(room, &pass, &own).await?;
    let wallet = wallet.as_ref().map(|wallet| (&own, wallet));
    Answer::json(200, &answer::pass_seen(&programme, plan, &pass, wallet, request.now))
}

/// The nameless wallet of a pass. Once it is registered, the pass does not show it any more.
async fn wallet_of(room: &Room, pass: &Pass, own: &ParticipantId) -> Result<Option<Wallet>, Fault> {
    if !pass.redemptions.iter().any(|redemption| redemption.participant == *own) {
        return Ok(None);
    }
    let wallet = room.store.wallet(own).await?;
    Ok(Some(wallet).filter(|wallet| wallet.nameless.as_ref() == Some(&pass.id)))
}

/// Gives the nameless wallet of a pass its participant: a new one, or one that is there.
pub async fn register(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.required_key()?;
    let asked = parse_registration(&request.body()?, request.now)?;
    let programme = room.programme(request.now).await?;
    let (pass, plan, plan_key) = room.proven(&programme, &asked.credential, request.now).await?;
    let pin = asked.credential.pin.as_deref();
    room.store.prove_pass(plan, &pass, (&plan_key, pin)).await?;
    let bearer = Bearer { plan, pass: &pass, generation: plan_key.generation() };
    let own = pass.nameless();
    if let Some(into) = asked.into.as_ref().filter(|into| **into != own) {
        let merge = Merge { into, key: &key, payload: asked.payload, bearer };
        return hand_over(room, &programme, request.now, merge).await;
    }
    let order = Registering {
        programme: &programme,
        now: request.now,
        bearer,
        participant: &own,
        key: &key,
        payload: asked.payload,
        profile: asked.update.profile.as_ref(),
        consents: &asked.update.consents,
    };
    let done = room.store.register_nameless(&order).await?;
    let known = room.store.participant(&own).await?;
    let (sequence, wallet, now) = (done.value, &done.wallet, request.now);
    let who = (&own, &known);
    Answer::json(200, &answer::registered(&programme, who, sequence, wallet, now, done.repeated))
}

struct Merge<'a> {
    into: &'a ParticipantId,
    key: &'a Key,
    payload: PayloadHash,
    bearer: Bearer<'a>,
}

/// Merges the nameless wallet into one that is there.
async fn hand_over(
    room: &Room,
    programme: &Programme,
    now: Instant,
    merge: Merge<'_>,
) -> Result<Answer, Fault> {
    let Merge { into, key, payload, bearer } = merge;
    let (own, bearer, reason) = (bearer.pass.nameless(), Some(bearer), None);
    let order = Merging { programme, now, duplicate: &own, into, key, payload, bearer, reason };
    let done = room.store.merge(&order).await?;
    let (from, wallet) = ((&own, done.value.sequence), room.store.wallet(into).await?);
    let answer = answer::merge(programme, from, (into, &wallet), now, done.repeated);
    Answer::json(200, &answer)
}
