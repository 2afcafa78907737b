//! Codes that come with purchases, and those of passes that purchases are given.

use domain::event::RecordedEvent;
use domain::pass::{CodeShown, PassFormat};
use domain::programme::Programme;
use domain::time::Instant;
use harness::{Fault, Room};
use store::Codes;
use wire::answer::{EventAnswer, ToldCode};
use wire::event::PostedEvent;

/// What a purchase's codes are: the one that came with it, proven, and the key that makes those of
/// passes that it may be given. The secret is read for nothing else.
pub async fn codes(
    room: &Room,
    programme: &Programme,
    posted: &PostedEvent,
    now: Instant,
) -> Result<Codes, Fault> {
    let mut codes = Codes::default();
    if let Some(typed) = &posted.code {
        codes.shown = Some(shown(room, programme, &typed.0, now).await?);
    }
    if programme.offers.give_passes() && !posted.event.lines().is_empty() {
        codes.newest = room.secret()?.keys(now).await?.newest();
    }
    Ok(codes)
}

async fn shown(
    room: &Room,
    programme: &Programme,
    typed: &str,
    now: Instant,
) -> Result<CodeShown, Fault> {
    let universal = programme.pass_plans.iter().find(|plan| {
        let word = plan.promotion.as_ref().and_then(|promotion| promotion.universal.as_deref());
        word.is_some_and(|word| word.eq_ignore_ascii_case(typed.trim()))
    });
    if let Some(plan) = universal {
        return Ok(CodeShown::Universal(plan.id.clone()));
    }
    let proven = room.pass_of_code(programme, typed, now).await?;
    // A gift is redeemed; with a purchase it is nobody's code.
    let promoted = proven
        .filter(|(_, plan, _)| plan.promotion.is_some() && plan.format == PassFormat::Electronic);
    Ok(promoted.map_or(CodeShown::Unknown, |(id, _, key)| CodeShown::Pass(id, key.generation())))
}

/// Tells the codes of the passes that a purchase was given: made anew from what names them, so that
/// a repeat tells the same and nothing stores them.
pub async fn tell(
    room: &Room,
    event: &RecordedEvent,
    answer: &mut EventAnswer,
    now: Instant,
) -> Result<(), Fault> {
    for (given, view) in event.passes().zip(&mut answer.passes) {
        let key = room.secret()?.key_of(&given.pass.plan, given.generation, now).await?;
        view.code = Some(ToldCode(key.told(given.pass.serial).code));
    }
    Ok(())
}
