//! Coupons: what is offered, taken and used.

use std::collections::BTreeMap;

use domain::amount::Amount;
use domain::coupon::{Codes, Cost, Coupon, CouponTaken, Stock};
use domain::id::{BalanceCode, CouponId, ParticipantId, UnitId};
use domain::ledger::SpendMade;
use domain::programme::Programme;
use domain::time::{Instant, show_instant};
use domain::wallet::Wallet;
use serde::Serialize;

use crate::answer::{AmountAnswer, BalanceAnswer, amounts, balances, day_end, transaction_code};

/// The answer to whoever took a coupon: it may have a code, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct CouponAnswer {
    pub transaction: String,
    pub coupon: String,
    pub balance: String,
    /// What was paid, in the balance.
    pub spent: String,
    /// What the partner wants to see; absent where the coupon has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The instant from which it cannot be used any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redeemable_until: Option<String>,
    pub balances: Vec<BalanceAnswer>,
    pub repeated: bool,
    /// It was cancelled since, so it has no code any more; absent where it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<bool>,
}

/// The answer to whoever used a coupon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CouponUsedAnswer {
    pub coupon: String,
    pub name: String,
    pub used_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    pub repeated: bool,
}

/// What is held of a coupon beside the ledger, for whoever took it: never its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CouponHeld {
    pub transaction: String,
    pub coupon: String,
    /// The instant from which it cannot be used any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redeemable_until: Option<String>,
    /// Known of codes that are made here alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Whether it was cancelled before anybody used it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub void: bool,
}

/// What a coupon costs: one of both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CostView {
    Cost(String),
    /// The giver chooses.
    Amount {
        min: String,
        max: String,
    },
}

/// A coupon as it is offered. `GET /coupons`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CouponView {
    pub coupon: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub donated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    pub balance: String,
    #[serde(flatten)]
    pub cost: CostView,
    /// Where its code comes from.
    pub codes: &'static str,
    /// Whether it can be taken now.
    pub offered: bool,
    /// How many are left; null: any number.
    pub left: Option<u64>,
    pub given: GivenTotal,
}

/// What was given for something, without what was cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GivenTotal {
    pub count: u64,
    /// In each balance that it was paid with.
    pub amounts: Vec<AmountAnswer>,
}

/// What was given to a cause, by all its coupons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CauseView {
    pub cause: String,
    pub given: GivenTotal,
}

/// `GET /coupons`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CatalogueAnswer {
    pub coupons: Vec<CouponView>,
    pub causes: Vec<CauseView>,
}

/// Answers whoever took a coupon; `sequence` is that of its ledger entry.
pub fn coupon(
    programme: &Programme,
    (participant, sequence): (&ParticipantId, u64),
    (made, taken): (&SpendMade, &CouponTaken),
    code: Option<String>,
    (wallet, now): (&Wallet, Instant),
    (repeated, cancelled): (bool, bool),
) -> CouponAnswer {
    CouponAnswer {
        transaction: transaction_code(participant, sequence),
        coupon: taken.coupon.to_string(),
        balance: made.balance.to_string(),
        spent: programme.show(&made.balance, made.spent),
        code,
        redeemable_until: taken.until.map(|day| day_end(programme, day)),
        balances: balances(programme, wallet, now),
        repeated,
        cancelled: cancelled.then_some(true),
    }
}

/// Answers whoever used a coupon.
pub fn coupon_used(
    programme: &Programme,
    coupon: &Coupon,
    (at, unit): (Instant, Option<&UnitId>),
    repeated: bool,
) -> CouponUsedAnswer {
    CouponUsedAnswer {
        coupon: coupon.id.to_string(),
        name: coupon.name.to_string(),
        used_at: show_instant(at, programme.zone),
        unit: unit.map(ToString::to_string),
        repeated,
    }
}

/// Tells whoever took a coupon what is held of it; `sequence` is that of its ledger entry, `used`
/// when and where it was.
pub fn coupon_held(
    programme: &Programme,
    (participant, sequence): (&ParticipantId, u64),
    taken: &CouponTaken,
    used: Option<(Instant, Option<&UnitId>)>,
    void: bool,
) -> CouponHeld {
    CouponHeld {
        transaction: transaction_code(participant, sequence),
        coupon: taken.coupon.to_string(),
        redeemable_until: taken.until.map(|day| day_end(programme, day)),
        used_at: used.map(|(at, _)| show_instant(at, programme.zone)),
        unit: used.and_then(|(_, unit)| unit).map(ToString::to_string),
        void,
    }
}

/// The coupons with what there is of them.
pub fn catalogue(
    programme: &Programme,
    coupons: &[(&Coupon, Stock)],
    now: Instant,
) -> CatalogueAnswer {
    let view = |(coupon, stock): &(&Coupon, Stock)| coupon_view(programme, coupon, stock, now);
    let mut causes: BTreeMap<&str, (u64, BTreeMap<BalanceCode, Amount>)> = BTreeMap::new();
    for (coupon, stock) in coupons {
        let Some(cause) = &coupon.cause else { continue };
        let (count, paid) = causes.entry(cause).or_default();
        *count += stock.kept();
        for (balance, amount) in &stock.paid {
            let paid = paid.entry(balance.clone()).or_default();
            *paid = Amount(paid.0.saturating_add(amount.0));
        }
    }
    let causes = causes.into_iter().map(|(cause, (count, paid))| CauseView {
        cause: cause.to_owned(),
        given: given(programme, count, &paid),
    });
    CatalogueAnswer { coupons: coupons.iter().map(view).collect(), causes: causes.collect() }
}

fn coupon_view(programme: &Programme, coupon: &Coupon, stock: &Stock, now: Instant) -> CouponView {
    let show = |amount| programme.show(&coupon.balance, amount);
    CouponView {
        coupon: coupon.id.to_string(),
        name: coupon.name.to_string(),
        partner: coupon.partner.as_ref().map(ToString::to_string),
        donated: coupon.donated,
        cause: coupon.cause.as_ref().map(ToString::to_string),
        balance: coupon.balance.to_string(),
        cost: match coupon.cost {
            Cost::Fixed(cost) => CostView::Cost(show(cost)),
            Cost::Chosen { min, max } => CostView::Amount { min: show(min), max: show(max) },
        },
        codes: match coupon.codes {
            Codes::None => "none",
            Codes::Uploaded => "uploaded",
            Codes::Generated => "generated",
        },
        offered: coupon.is_offered(now, programme.zone) && stock.next(coupon).is_some(),
        left: stock.left(coupon),
        given: given(programme, stock.kept(), &stock.paid),
    }
}

fn given(programme: &Programme, count: u64, paid: &BTreeMap<BalanceCode, Amount>) -> GivenTotal {
    let paid = paid.iter().filter(|(_, amount)| !amount.is_zero());
    let paid: Vec<_> = paid.map(|(balance, amount)| (balance.clone(), *amount)).collect();
    GivenTotal { count, amounts: amounts(programme, &paid) }
}

/// The coupon that a spend took, if it did.
pub(crate) fn taken_by(made: &SpendMade) -> Option<&CouponId> {
    if let domain::ledger::SpendCause::Coupon(taken) = &made.cause {
        Some(&taken.coupon)
    } else {
        None
    }
}
