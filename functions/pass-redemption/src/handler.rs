//! Passes: issued under a key, redeemed by their code.

use std::sync::Arc;

use domain::id::PlanId;
use domain::pass::{Issue, PassCode, PassId};
use domain::refusal::Refusal;
use harness::{Answer, Fault, Invocation, Reply, Request, Room};
use store::{Noun, Redeeming};
use wire::answer;
use wire::pass::{parse_issue, parse_redemption};

/// Routes to what is asked for.
pub async fn handle(room: Arc<Room>, invocation: Invocation) -> Reply {
    let Invocation::Http(request) = invocation else { return Reply::unexpected() };
    Reply::Http(match request.route.as_str() {
        "POST /v1/pass-plans/{plan}/passes" => issue(&room, &request).await,
        "POST /v1/pass-redemptions" => redeem(&room, &request).await,
        _ => return Reply::unexpected(),
    })
}

async fn issue(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.timely_key()?;
    let plan = request.path("plan", PlanId::parse, Noun::PassPlan)?;
    let asked = parse_issue(&request.body()?)?;
    let programme = room.programme(request.now).await?;
    let plan = programme.pass_plan(&plan).ok_or(Fault::not_found(Noun::PassPlan))?;
    let keys = room.pass_keys().await?;
    let issue = Issue {
        key,
        payload: asked.payload,
        generation: keys.newest(),
        recipient: asked.recipient,
        channel: asked.channel,
    };
    let issued = room.store.issue_pass(&programme, request.now, plan, &issue).await?;
    let (pass, repeated) = issued;
    let made_by = keys.of(&pass.id.plan, pass.generation);
    let code =
        made_by.ok_or(Fault::Internal("a pass of an unknown key"))?.told(pass.id.serial).code;
    Answer::json(201, &answer::pass_issued(&programme, &code, &pass, repeated))
}

async fn redeem(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.timely_key()?;
    let asked = parse_redemption(&request.body()?)?;
    let programme = room.programme(request.now).await?;
    // A forged code answers like a pass that cannot be redeemed, and asks no table.
    let code = PassCode::read(&asked.code).ok_or(Refusal::PassNotRedeemable)?;
    let plan = programme.pass_plans.iter().find(|plan| code.names(&plan.id));
    let plan = plan.ok_or(Refusal::PassNotRedeemable)?;
    if !room.pass_keys().await?.proves(&plan.id, &code) {
        return Err(Refusal::PassNotRedeemable.into());
    }
    let pass = PassId { plan: plan.id.clone(), serial: code.serial };
    let order = Redeeming {
        programme: &programme,
        now: request.now,
        plan,
        pass: &pass,
        participant: &asked.participant,
        key: &key,
        payload: asked.payload,
    };
    let done = room.store.redeem(&order).await?;
    let redemption = done.value.redemption.as_ref();
    let redemption = redemption.ok_or(Fault::Internal("a redemption without its record"))?;
    let redeemed = answer::Redeemed {
        participant: &asked.participant,
        sequence: redemption.sequence,
        pass: &done.value,
        expires: redemption.expires,
    };
    let (wallet, now) = (&done.wallet, request.now);
    Answer::json(201, &answer::redemption(&programme, &redeemed, wallet, now, done.repeated))
}
