//! Routes of passes, and what they have in common.

use std::sync::Arc;

use domain::id::PlanId;
use domain::pass::{PassId, PassPlan, PlanKey};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::Instant;
use harness::{Answer, Fault, Invocation, Reply, Request, Room};
use store::Noun;
use wire::answer;
use wire::pass::{Credential, parse_lookup};

use crate::{change, issue, redeem};

/// Routes to what is asked for.
pub async fn handle(room: Arc<Room>, invocation: Invocation) -> Reply {
    let Invocation::Http(request) = invocation else { return Reply::unexpected() };
    let (room, request) = (&*room, &request);
    Reply::Http(match request.route.as_str() {
        "GET /v1/pass-plans/{plan}" => issue::plan(room, request).await,
        "POST /v1/pass-plans/{plan}/activate" => issue::activate(room, request).await,
        "POST /v1/pass-plans/{plan}/passes" => issue::issue(room, request).await,
        "GET /v1/pass-plans/{plan}/codes" => issue::codes(room, request).await,
        "GET /v1/passes/{pass}" => change::read(room, request).await,
        "PATCH /v1/passes/{pass}" => change::update(room, request).await,
        "POST /v1/passes/{pass}/load" => change::load(room, request).await,
        "POST /v1/pass-lookups" => look_up(room, request).await,
        "POST /v1/pass-redemptions" => redeem::redeem(room, request).await,
        "POST /v1/pass-redemptions/{code}/cancel" => redeem::take_back(room, request).await,
        _ => return Reply::unexpected(),
    })
}

/// The plan of the path.
pub fn plan_of<'a>(request: &Request, programme: &'a Programme) -> Result<&'a PassPlan, Fault> {
    let plan = request.path("plan", PlanId::parse, Noun::PassPlan)?;
    programme.pass_plan(&plan).ok_or(Fault::not_found(Noun::PassPlan))
}

/// The pass of the path, with its plan.
pub fn pass_of<'a>(
    request: &Request,
    programme: &'a Programme,
) -> Result<(PassId, &'a PassPlan), Fault> {
    let id = request.path("pass", |text| PassId::parse(text).ok_or(()), Noun::Pass)?;
    let plan = programme.pass_plan(&id.plan).ok_or(Fault::not_found(Noun::Pass))?;
    Ok((id, plan))
}

/// A code whose tag is right, with its plan and the key that made it. What is mistyped, forged or
/// of no plan is refused alike, and no table is asked.
pub async fn proven<'a>(
    room: &Room,
    programme: &'a Programme,
    credential: &Credential,
    now: Instant,
) -> Result<(PassId, &'a PassPlan, PlanKey), Fault> {
    let proven = room.pass_of_code(programme, &credential.code, now).await?;
    proven.ok_or(Refusal::PassNotRedeemable.into())
}

/// Shows a pass to who holds it; a PIN is tried as for a redemption.
async fn look_up(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let credential = parse_lookup(&request.body()?)?;
    let programme = room.programme(request.now).await?;
    let (id, plan, key) = proven(room, &programme, &credential, request.now).await?;
    let pass = room.store.look_up_pass(plan, &id, (&key, credential.pin.as_deref())).await?;
    Answer::json(200, &answer::pass_view(&programme, plan, &pass, request.now))
}
