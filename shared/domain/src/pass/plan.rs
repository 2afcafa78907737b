//! Pass plans: what their passes are worth, and when.

use chrono_tz::Tz;

use crate::amount::Amount;
use crate::id::{BalanceCode, Classification, Key, PlanId};
use crate::ledger::{LotId, PayloadHash};
use crate::offer::Expiry;
use crate::pass::{Generation, Issue, Issued, Origin, Pass, PassId, Promotion};
use crate::refusal::Refusal;
use crate::time::{Day, Duration, Instant};

/// Most times that one pass can be redeemed.
pub const MAX_USES: u32 = 100;

/// What passes of one kind have in common; it never changes once there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassPlan {
    pub id: PlanId,
    pub pass_type: PassType,
    pub format: PassFormat,
    /// A name that reports and tills sort by.
    pub classification: Option<Classification>,
    /// What its passes credit; none: nothing, as those of a promotion.
    pub balance: Option<BalanceCode>,
    pub value: PassValue,
    pub window: PassWindow,
    /// When what was credited expires.
    pub expires: Expiry,
    /// Whether the PIN is asked for beside the code.
    pub pin: bool,
    /// How often a pass can be redeemed: 1 to [`MAX_USES`].
    pub uses: u32,
    /// Whether a pass is worth nothing until it is loaded at the sale.
    pub when_loaded: bool,
    /// Of a promotion, and of nothing else.
    pub promotion: Option<Promotion>,
}

/// What a pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassType {
    /// Credits a participant's wallet, or a new nameless one.
    Gift,
    /// Credits wallets of participants that are there, once.
    TopUp,
    /// Makes offers active for whoever shows its code with a purchase.
    Promotion,
}

/// How a pass comes to who holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassFormat {
    /// So many at once, from a file.
    Printed,
    /// One for each request.
    Electronic,
}

/// What a pass credits each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassValue {
    Fixed(Amount),
    /// Chosen within these, both inclusive: at the issue, or before the redemption of what is
    /// printed.
    Range {
        min: Amount,
        max: Amount,
    },
    /// It credits nothing.
    Nothing,
}

/// When a pass can be redeemed; what is not said does not restrict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassWindow {
    /// The first day.
    pub from: Option<Day>,
    /// The last day.
    pub until: Option<Day>,
    /// How long after the day on which it was worth something for the first time.
    pub lasts: Option<Duration>,
}

/// What the table keeps of a plan from its first pass on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanStart {
    /// The version of the programme in which the plan stood: its passes follow no older one.
    pub programme: u64,
    /// The passes that were printed.
    pub printed: Option<Printed>,
}

/// Passes 0 to `count - 1` of a plan, in one activation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// What asked for it.
    pub key: Key,
    pub payload: PayloadHash,
    pub count: u64,
    pub at: Instant,
    /// The key that makes their codes.
    pub generation: Generation,
}

impl PassValue {
    /// Whether a pass may be worth so much.
    pub fn allows(&self, value: Amount) -> bool {
        match self {
            PassValue::Fixed(fixed) => value == *fixed,
            PassValue::Range { min, max } => (*min..=*max).contains(&value),
            PassValue::Nothing => false,
        }
    }

    /// What a pass is worth for which nothing was chosen.
    pub fn fixed(&self) -> Option<Amount> {
        match self {
            PassValue::Fixed(value) => Some(*value),
            PassValue::Nothing => Some(Amount::ZERO),
            PassValue::Range { .. } => None,
        }
    }
}

impl PassWindow {
    /// Whether its days include this time, where nothing counts from an issue.
    pub fn is_open(&self, now: Instant, zone: Tz) -> Result<(), Refusal> {
        if self.until.is_some_and(|day| day.has_ended(now, zone)) {
            return Err(Refusal::PassExpired);
        }
        let early = self.from.is_some_and(|day| !day.has_begun(now, zone));
        if early { Err(Refusal::PassNotYetValid) } else { Ok(()) }
    }
}

impl PassPlan {
    /// A new electronic pass of this plan; its value must be one that the plan allows.
    pub fn issue(&self, serial: u64, asked: Issue, now: Instant) -> Pass {
        let Issue { key, payload, generation, value, recipient, channel } = asked;
        let issued = Issued { key, payload, at: now, recipient, channel };
        let id = PassId { plan: self.id.clone(), serial };
        Pass { value, ..Pass::untouched(id, generation, Origin::Issued(issued)) }
    }

    /// A pass that was printed, as it is before anybody touches it; none where no such was printed.
    pub fn printed(&self, serial: u64, start: &PlanStart) -> Option<Pass> {
        let printed = start.printed.as_ref().filter(|printed| serial < printed.count)?;
        let id = PassId { plan: self.id.clone(), serial };
        Some(Pass::untouched(id, printed.generation, Origin::Printed { at: printed.at }))
    }

    /// The lot that a redemption credits; none where the plan credits nothing.
    pub fn lot(&self, now: Instant, zone: Tz) -> Option<LotId> {
        Some(LotId {
            balance: self.balance.clone()?,
            expires: self.expires.last_day(now.day(zone)),
            available_from: None,
            terms: None,
        })
    }
}
