//! Passes: plans and issued passes.

mod code;

use std::fmt;

use chrono_tz::Tz;

use crate::amount::Amount;
use crate::id::{BalanceCode, Key, ParticipantId, PlanId};
use crate::ledger::{LotId, PayloadHash};
use crate::offer::Expiry;
use crate::refusal::Refusal;
use crate::time::{Day, Duration, Instant};

pub use code::{
    CODE_LENGTH, Generation, PIN_DIGITS, PassCode, PassKeys, PlanKey, SERIALS, Told, code_prefix,
    issued_serial,
};

/// An electronic gift plan. Further types and formats join here.
#[derive(Clone, Debug)]
pub struct PassPlan {
    pub id: PlanId,
    /// What its passes credit.
    pub balance: BalanceCode,
    pub value: Amount,
    /// How long after its issue a pass can be redeemed, to the end of the day; none: for ever.
    pub redeemable_for: Option<Duration>,
    /// When what was credited expires.
    pub expires: Expiry,
}

/// An issued pass. It carries its value and window: a later programme does not change them.
#[derive(Clone, PartialEq, Eq)]
pub struct Pass {
    pub id: PassId,
    /// What asked for it: the same key is answered with the same pass.
    pub issued_under: Key,
    pub payload: PayloadHash,
    pub issued_at: Instant,
    /// The key that made its code.
    pub generation: Generation,
    pub balance: BalanceCode,
    pub value: Amount,
    /// The last day on which it can be redeemed.
    pub redeemable_until: Option<Day>,
    pub recipient: Option<Box<str>>,
    pub channel: Option<Box<str>>,
    pub redemption: Option<Redemption>,
}

/// Whom it is for is personal, so it is never logged.
impl fmt::Debug for Pass {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Pass")
            .field("id", &self.id)
            .field("issued_at", &self.issued_at)
            .field("balance", &self.balance)
            .field("value", &self.value)
            .field("redeemable_until", &self.redeemable_until)
            .field("redemption", &self.redemption)
            .finish_non_exhaustive()
    }
}

/// Names a pass; unlike its code it is no secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PassId {
    pub plan: PlanId,
    /// Below [`SERIALS`].
    pub serial: u64,
}

/// How a pass was redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redemption {
    pub key: Key,
    pub payload: PayloadHash,
    pub participant: ParticipantId,
    /// The ledger entry.
    pub sequence: u64,
    /// The last day of the lot that was credited.
    pub expires: Option<Day>,
}

impl PassPlan {
    /// A new pass of this plan.
    pub fn issue(&self, serial: u64, asked: Issue, now: Instant, zone: Tz) -> Pass {
        Pass {
            id: PassId { plan: self.id.clone(), serial },
            issued_under: asked.key,
            payload: asked.payload,
            issued_at: now,
            generation: asked.generation,
            balance: self.balance.clone(),
            value: self.value,
            redeemable_until: self.redeemable_for.map(|time| now.day(zone).plus(time)),
            recipient: asked.recipient,
            channel: asked.channel,
            redemption: None,
        }
    }

    /// The lot that a redemption credits.
    pub fn lot(&self, pass: &Pass, now: Instant, zone: Tz) -> LotId {
        LotId {
            balance: pass.balance.clone(),
            expires: self.expires.last_day(now.day(zone)),
            available_from: None,
        }
    }
}

/// A request for a pass; whom it is for is personal, so it has no `Debug`.
#[derive(Clone)]
pub struct Issue {
    pub key: Key,
    pub payload: PayloadHash,
    /// Of the key that makes its code.
    pub generation: Generation,
    pub recipient: Option<Box<str>>,
    pub channel: Option<Box<str>>,
}

impl Pass {
    /// Whether the pass can be redeemed at this time.
    pub fn redeemable(&self, now: Instant, zone: Tz) -> Result<(), Refusal> {
        let open = self.redeemable_until.is_none_or(|day| now < day.end(zone));
        if open && self.redemption.is_none() { Ok(()) } else { Err(Refusal::PassNotRedeemable) }
    }
}
