//! Coupons: what points are redeemed for, from the stock of whoever provides it; also gifts to a
//! cause.

mod code;
mod stock;

use chrono_tz::Tz;

use crate::amount::Amount;
use crate::id::{BalanceCode, CouponId, MerchantId, UnitId};
use crate::ledger::{Effect, SpendCause, SpendMade};
use crate::pass::Generation;
use crate::programme::{Programme, ReductionMethod};
use crate::refusal::Refusal;
use crate::spend::{SpendAsked, SpendPlan, Use, first, sum};
use crate::terms::Period;
use crate::time::{Day, Duration, Instant};
use crate::wallet::Wallet;

pub use code::{COUPON_LENGTH, CouponCode, CouponKey, NUMBERS, POOL_CODE, PoolCode};
pub use stock::Stock;

/// What the programme says of a coupon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coupon {
    pub id: CouponId,
    pub name: Box<str>,
    /// Who provides it; none: the programme itself.
    pub partner: Option<MerchantId>,
    /// What it is paid with.
    pub balance: BalanceCode,
    pub cost: Cost,
    /// How many there are; none: any number, or as many as there are codes in the pool.
    pub stock: Option<u64>,
    pub codes: Codes,
    /// Whether whoever provides it takes nothing for it.
    pub donated: bool,
    /// What is given for, where the participant gets nothing.
    pub cause: Option<Box<str>>,
    /// When it is offered; empty: always.
    pub valid: Vec<Period>,
    /// How long it may be used, after the day on which it was taken.
    pub lasts: Option<Duration>,
    /// The last day on which it may be used, whenever it was taken.
    pub until: Option<Day>,
}

/// What a coupon costs, in its balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    Fixed(Amount),
    /// The giver chooses, within these, both inclusive.
    Chosen {
        min: Amount,
        max: Amount,
    },
}

/// Where the codes of a coupon come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codes {
    /// It has none.
    #[default]
    None,
    /// A pool of the partner's own codes.
    Uploaded,
    /// They are made here, and used up here.
    Generated,
}

/// A coupon as it was taken: all that its code and its end follow from, for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponTaken {
    pub coupon: CouponId,
    /// From 0: which code of the pool it got, else which of the coupon's it is.
    pub number: u64,
    /// The last day on which it may be used; none: it does not end.
    pub until: Option<Day>,
    pub code: CodeTaken,
}

/// Where the code of a coupon that was taken is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeTaken {
    None,
    /// In the pool, under the coupon's number.
    Uploaded,
    /// Made by the key of this generation.
    Generated(Generation),
}

/// A coupon that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct CouponAsked<'a> {
    pub coupon: &'a Coupon,
    /// What is given, where the giver chooses.
    pub amount: Option<Amount>,
    pub unit: Option<&'a UnitId>,
    /// What there is of it.
    pub stock: &'a Stock,
    /// The newest key, which makes new codes.
    pub generation: Generation,
}

impl Coupon {
    /// Whether it can be taken at this time, as far as it is not sold out.
    pub fn is_offered(&self, now: Instant, zone: Tz) -> bool {
        let valid = self.valid.is_empty() || self.valid.iter().any(|period| period.holds(now));
        valid && self.until.is_none_or(|day| !day.has_ended(now, zone))
    }

    /// The last day on which it may be used if it is taken now; none: it does not end.
    fn last_day(&self, now: Instant, zone: Tz) -> Option<Day> {
        let lasts = self.lasts.map(|lasts| now.day(zone).plus(lasts));
        self.until.into_iter().chain(lasts).min()
    }

    fn price(&self, asked: Option<Amount>) -> Result<Amount, Refusal> {
        match (self.cost, asked) {
            (Cost::Fixed(cost), None) => Ok(cost),
            (Cost::Chosen { min, max }, Some(amount)) if (min..=max).contains(&amount) => {
                Ok(amount)
            }
            (Cost::Fixed(_), Some(_)) => Err(Refusal::AmountNotAllowed),
            (Cost::Chosen { .. }, Some(_) | None) => Err(Refusal::AmountOutOfRange),
        }
    }
}

/// Decides who takes a coupon on what the wallet holds and what there is of it. It costs what it
/// costs: the rules of spends against purchases do not apply, the terms of lots do.
///
/// # Errors
/// In this order: `pass_required` for a nameless wallet, `spending_blocked`,
/// `coupon_not_offered`, `amount_not_allowed` or `amount_out_of_range`, `not_covered`, and
/// `coupon_sold_out`, which alone rests on the stock.
pub fn plan_coupon(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    asked: &CouponAsked<'_>,
) -> Result<SpendPlan, Refusal> {
    let CouponAsked { coupon, unit, stock, .. } = *asked;
    wallet.opens_to(None)?;
    if wallet.blocked {
        return Err(Refusal::SpendingBlocked);
    }
    if !coupon.is_offered(now, programme.zone) {
        return Err(Refusal::CouponNotOffered);
    }
    let price = coupon.price(asked.amount)?;
    let spend = SpendAsked {
        balance: coupon.balance.clone(),
        amount: Some(price),
        classification: None,
        unit: unit.cloned(),
        performed_on: now,
    };
    let funds = Use::of(programme, &spend, None).of_wallet(wallet, now);
    if price.is_zero() || sum(&funds) < price {
        return Err(Refusal::NotCovered);
    }
    let number = stock.next(coupon).ok_or(Refusal::CouponSoldOut)?;
    let taken = CouponTaken {
        coupon: coupon.id.clone(),
        number,
        until: coupon.last_day(now, programme.zone),
        code: match coupon.codes {
            Codes::None => CodeTaken::None,
            Codes::Uploaded => CodeTaken::Uploaded,
            Codes::Generated => CodeTaken::Generated(asked.generation),
        },
    };
    let takes = first(funds, price).map(|(lot, amount)| Effect::Take { lot, amount });
    Ok(SpendPlan { takes: takes.collect(), made: made(spend, price, taken) })
}

fn made(spend: SpendAsked, price: Amount, taken: CouponTaken) -> SpendMade {
    SpendMade {
        balance: spend.balance,
        requested: price,
        spent: price,
        covered: None,
        remainder: Amount::ZERO,
        purchase: None,
        method: ReductionMethod::FrontEnd,
        unit: spend.unit,
        performed_on: spend.performed_on,
        classification: None,
        request: None,
        cause: SpendCause::Coupon(taken),
    }
}
