//! A single pass: shown, loaded at its sale, changed by an operator.

use domain::pass::PassUpdate;
use harness::{Answer, Fault, Request, Room};
use store::{LoadingPass, UpdatingPass};
use wire::answer;
use wire::pass::{parse_load, parse_pass_update};

use crate::handler::pass_of;

/// Shows a pass to an operator.
pub async fn read(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let programme = room.programme(request.now).await?;
    let (id, plan) = pass_of(request, &programme)?;
    let pass = room.store.pass(plan, &id).await?;
    Answer::json(200, &answer::pass_detail(&programme, plan, &pass, request.now))
}

/// Loads a pass at its sale.
pub async fn load(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.timely_key()?;
    let programme = room.programme(request.now).await?;
    let (id, plan) = pass_of(request, &programme)?;
    let asked = parse_load(&request.body()?, &programme, plan)?;
    let order = LoadingPass {
        programme: &programme,
        now: request.now,
        plan,
        pass: &id,
        key: &key,
        payload: asked.payload,
        value: asked.value,
        who: &request.who(),
    };
    let (pass, repeated) = room.store.load_pass(&order).await?;
    Answer::json(200, &answer::pass_loaded(&programme, plan, &pass, request.now, repeated))
}

/// Changes a pass.
pub async fn update(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let programme = room.programme(request.now).await?;
    let (id, plan) = pass_of(request, &programme)?;
    let asked = parse_pass_update(&request.body()?, &programme, plan)?;
    let pin = match asked.pin {
        Some(pin) => {
            let generation = room.store.pass(plan, &id).await?.generation;
            let key = room.secret()?.key_of(&plan.id, generation, request.now).await?;
            Some(key.pin_hash(id.serial, &pin))
        }
        None => None,
    };
    let update = PassUpdate { state: asked.state, until: asked.until, value: asked.value, pin };
    let (now, who) = (request.now, request.who());
    let order = UpdatingPass { now, plan, pass: &id, update: &update, who: &who };
    let pass = room.store.update_pass(&order).await?;
    Answer::json(200, &answer::pass_detail(&programme, plan, &pass, now))
}
