//! Plans get passes: printed all at once, or issued one by one.

use domain::pass::{Issue, PassFormat, PassPlan};
use harness::{Answer, Fault, Request, Room, violation};
use store::{Accessing, Activating, Noun};
use wire::answer;
use wire::pass::{parse_activation, parse_issue};

use crate::handler::plan_of;

/// Most rows of one page of the print file: some 2 MB.
const MAX_ROWS: u64 = 50_000;

/// Prints a plan's passes.
pub async fn activate(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.timely_key()?;
    let programme = room.programme(request.now).await?;
    let plan = plan_of(request, &programme)?;
    let asked = parse_activation(&request.body()?)?;
    is_of(plan, PassFormat::Printed, "are issued one by one")?;
    let order = Activating {
        programme: &programme,
        now: request.now,
        plan,
        key: &key,
        payload: asked.payload,
        count: asked.count,
        generation: room.secret()?.keys(request.now).await?.newest(),
    };
    let (printed, repeated) = room.store.activate_plan(&order).await?;
    Answer::json(201, &answer::plan_activated(&programme, plan, &printed, repeated))
}

/// Issues one electronic pass.
pub async fn issue(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.timely_key()?;
    let programme = room.programme(request.now).await?;
    let plan = plan_of(request, &programme)?;
    let asked = parse_issue(&request.body()?, &programme, plan)?;
    is_of(plan, PassFormat::Electronic, "are printed")?;
    let secret = room.secret()?;
    let issue = Issue {
        key,
        payload: asked.payload,
        generation: secret.keys(request.now).await?.newest(),
        value: asked.value,
        recipient: asked.recipient,
        channel: asked.channel,
    };
    let (pass, repeated) = room.store.issue_pass(&programme, request.now, plan, &issue).await?;
    let made_by = secret.key_of(&plan.id, pass.generation, request.now).await?;
    let told = made_by.told(pass.id.serial);
    let issued = answer::pass_issued(&programme, plan, &pass, told, request.now, repeated);
    Answer::json(201, &issued)
}

/// What became of a plan: its print, and who fetched the codes.
pub async fn plan(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let programme = room.programme(request.now).await?;
    let plan = plan_of(request, &programme)?;
    let start = room.store.plan_start(&plan.id).await?;
    let accesses = room.store.code_accesses(&plan.id).await?;
    let accesses = accesses.into_iter().map(|a| (a.now, a.who, a.from, a.rows));
    Answer::json(200, &answer::plan(&programme, plan, start.as_ref(), accesses))
}

/// A page of the print file: the same rows for ever. Every access is recorded before it is
/// answered.
pub async fn codes(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let programme = room.programme(request.now).await?;
    let plan = plan_of(request, &programme)?;
    let whole = |name| request.query(name, |text| text.parse::<u64>().ok());
    let from = whole("from")?.unwrap_or(0);
    let limit = whole("limit")?.unwrap_or(MAX_ROWS).min(MAX_ROWS);
    let printed = room.store.plan_start(&plan.id).await?.and_then(|start| start.printed);
    let printed = printed.ok_or(Fault::not_found(Noun::PassPlan))?;
    let key = room.secret()?.key_of(&plan.id, printed.generation, request.now).await?;
    let until = from.saturating_add(limit).min(printed.count);
    let rows = until.saturating_sub(from);
    let who = request.who();
    room.store.record_access(&plan.id, &Accessing { now: request.now, from, rows, who }).await?;
    Ok(Answer::csv(key.print(from..until, plan.pin).into_bytes()))
}

fn is_of(plan: &PassPlan, format: PassFormat, instead: &str) -> Result<(), Fault> {
    if plan.format == format {
        return Ok(());
    }
    Err(violation("", "not_allowed", &format!("passes of the plan \"{}\" {instead}", plan.id)))
}
