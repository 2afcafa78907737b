//! Routes of passes, and what they have in common.

use std::sync::Arc;

use domain::id::PlanId;
use domain::pass::{PassId, PassPlan};
use domain::programme::Programme;
use harness::{Fault, Invocation, Reply, Request, Room};
use store::Noun;

use crate::{change, issue, nameless, redeem};

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
        "POST /v1/pass-lookups" => nameless::look_up(room, request).await,
        "POST /v1/pass-registrations" => nameless::register(room, request).await,
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
