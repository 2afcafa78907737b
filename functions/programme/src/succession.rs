//! What the next version of a programme must leave as it is, because wallets and passes rest on it.

use domain::coupon::{Coupon, Stock};
use domain::id::CouponId;
use domain::pass::PassPlan;
use domain::programme::Programme;
use harness::{Fault, Room, violation};
use store::{Error, MAX_CHANGED_PLANS, Noun, Succession};
use wire::programme::parse_programme;

/// Compares a version that is to become active with the one that is.
///
/// # Errors
/// A violation where it changes the decimals of a balance or of the currency, a pass plan that has
/// passes, or whose a coupon with a stock is; or a failure.
pub async fn compare(room: &Room, programme: &Programme) -> Result<Succession, Fault> {
    let version = match room.store.active_programme(true).await {
        Err(Error::NotFound(Noun::Programme)) => {
            return Ok(Succession { active: Some(0), plans: Vec::new() });
        }
        known => known?,
    };
    let active = Some(version);
    let Ok(before) = parse_programme(&room.store.programme(version).await?, version) else {
        return Ok(Succession { active, plans: Vec::new() });
    };
    keeps_decimals(&before, programme)?;
    keeps_partners(room, &before, programme).await?;
    let mut plans = Vec::new();
    for plan in before.pass_plans.iter().filter(|plan| programme.pass_plan(&plan.id) != Some(plan))
    {
        if room.store.plan_start(&plan.id).await?.is_some() {
            return Err(has_passes(plan, programme));
        }
        plans.push(plan.id.clone());
    }
    if plans.len() > MAX_CHANGED_PLANS {
        let message = format!("changes or drops more than {MAX_CHANGED_PLANS} plans at once");
        return Err(violation("/pass_plans", "not_allowed", &message));
    }
    Ok(Succession { active, plans })
}

/// Other decimals of a balance or of the currency, or a gift that becomes money: what wallets hold in minor units would be worth
/// another amount.
fn keeps_decimals(before: &Programme, programme: &Programme) -> Result<(), Fault> {
    let message = "cannot change: amounts are held in its smallest unit";
    if before.currency.decimals != programme.currency.decimals {
        return Err(violation("/currency/decimals", "not_allowed", message));
    }
    let (gifts, money): (Vec<_>, Vec<_>) =
        programme.balances.iter().partition(|balance| balance.is_gift());
    for (section, balances) in [("balances", money), ("gifts", gifts)] {
        for (index, balance) in balances.iter().enumerate() {
            let Some(known) = before.balance(&balance.code) else { continue };
            if known.is_gift() != balance.is_gift() {
                let message = "cannot become a gift, or cease to be one: wallets may hold it";
                let pointer = format!("/{section}/{index}/code");
                return Err(violation(&pointer, "not_allowed", message));
            }
            if known.decimals != balance.decimals {
                let pointer = format!("/{section}/{index}/decimals");
                return Err(violation(&pointer, "not_allowed", message));
            }
        }
    }
    Ok(())
}

/// Another partner or cause of a coupon that was taken, or that has codes: what one of them gave
/// would be the other's.
async fn keeps_partners(
    room: &Room,
    before: &Programme,
    programme: &Programme,
) -> Result<(), Fault> {
    let whose = |coupon: &Coupon| (coupon.partner.clone(), coupon.cause.clone());
    let moved = |coupon: &Coupon| {
        before.coupon(&coupon.id).is_some_and(|known| whose(known) != whose(coupon))
    };
    let moved = programme.coupons.iter().enumerate().filter(|(_, coupon)| moved(coupon));
    let moved: Vec<(usize, CouponId)> = moved.map(|(at, one)| (at, one.id.clone())).collect();
    let ids: Vec<CouponId> = moved.iter().map(|(_, id)| id.clone()).collect();
    for ((index, id), stock) in moved.iter().zip(room.store.stocks(&ids).await?) {
        if stock != Stock::default() {
            let message = format!(
                "cannot change its partner or cause: \"{id}\" was taken, or has codes. Offer it \
                 under another id instead"
            );
            return Err(violation(&format!("/coupons/{index}"), "not_allowed", &message));
        }
    }
    Ok(())
}

fn has_passes(plan: &PassPlan, programme: &Programme) -> Fault {
    let id = &plan.id;
    match programme.pass_plans.iter().position(|next| next.id == *id) {
        Some(index) => {
            let message = format!(
                "cannot change: there are passes of \"{id}\". Copy it under another id instead \
                 (copy_of)"
            );
            violation(&format!("/pass_plans/{index}"), "not_allowed", &message)
        }
        None => {
            let message = format!("must keep the plan \"{id}\": there are passes of it");
            violation("/pass_plans", "not_allowed", &message)
        }
    }
}
