//! The programme: what a version of the programme document says, compiled for deciding.

use std::collections::{HashMap, HashSet};

use chrono_tz::Tz;
use rustc_hash::FxHashMap;

use crate::activity::Watch;
use crate::alert::Alert;
use crate::amount::{Amount, Decimals, Rate};
use crate::area::Areas;
use crate::conversion::Conversion;
use crate::coupon::Coupon;
use crate::event::EventType;
use crate::feed::Feed;
use crate::id::{
    AlertId, BalanceCode, Classification, ConversionId, CouponId, FeedId, KpiId, MerchantId,
    OfferId, PlanId, ProductId, SegmentId, UnitId,
};
use crate::offer::{Offer, Offers};
use crate::pass::PassPlan;
use crate::payment_medium::PaymentMediumRules;
use crate::run::RunDefinition;
use crate::segment::Segment;
use crate::spend::SpendDefinition;

/// What every event is looked up in. Its keys are the document's, which nobody hostile writes: a
/// hash that is fast will do.
pub type Lookup<K, V> = FxHashMap<K, V>;

/// One immutable version of the programme.
#[derive(Clone, Debug)]
pub struct Programme {
    pub version: u64,
    pub name: Box<str>,
    /// Days, calendar periods and schedules follow this zone.
    pub zone: Tz,
    pub currency: Currency,
    /// Gifts come last.
    pub balances: Vec<Balance>,
    pub definition: Definition,
    pub classifications: HashMap<Classification, Vec<EventType>>,
    pub catalogue: Lookup<ProductId, Product>,
    /// The products that each KPI counts; empty: all.
    pub kpis: HashMap<KpiId, HashSet<ProductId>>,
    pub merchants: Merchants,
    pub areas: Areas,
    pub offers: Offers,
    pub pass_plans: Vec<PassPlan>,
    pub segments: Vec<Segment>,
    /// What the segments need wallets to keep, each once, at most
    /// [`crate::activity::MAX_WATCHED`].
    pub watched: Vec<Watch>,
    /// Whether a segment asks for purchases of some days, so that wallets keep them by day.
    pub counts_days: bool,
    pub runs: Vec<RunDefinition>,
    pub feeds: Vec<Feed>,
    pub alerts: Vec<Alert>,
    pub conversions: Vec<Conversion>,
    pub coupons: Vec<Coupon>,
}

/// The currency of purchases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency {
    /// ISO 4217.
    pub code: Box<str>,
    pub decimals: Decimals,
}

/// One balance that wallets have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    pub code: BalanceCode,
    pub decimals: Decimals,
    /// Currency (major unit) that one major unit of the balance is worth.
    pub worth: Rate,
    /// The name of a gift: a thing that is handed over, counted in pieces. None: money, of
    /// whatever kind, that purchases are paid with.
    pub gift: Option<Box<str>>,
}

impl Balance {
    /// Whether it counts things that are handed over.
    pub fn is_gift(&self) -> bool {
        self.gift.is_some()
    }
}

/// The rules that are not offers.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Whether an event for an unknown participant creates it.
    pub enrols: bool,
    /// Types that are always immediate.
    pub immediate: HashSet<EventType>,
    pub spend: SpendDefinition,
    pub payment_medium: PaymentMediumRules,
    /// The invoices that are purchases.
    pub invoice_types: HashSet<Box<str>>,
    pub debt_policy: DebtPolicy,
}

/// What becomes of a cancelled award that was spent already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DebtPolicy {
    /// Carried as debt that new awards pay first.
    Carry,
    /// The cancel is refused.
    Refuse,
    /// Forgiven.
    WriteOff,
}

/// What the catalogue says of a product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Product {
    pub category: Option<ProductId>,
    pub brand: Option<ProductId>,
}

/// Who owns which unit.
#[derive(Clone, Debug, Default)]
pub struct Merchants {
    pub merchants: Lookup<MerchantId, Merchant>,
    pub units: Lookup<UnitId, MerchantId>,
}

/// What a merchant says of its units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merchant {
    /// Whether its units award.
    pub awards: bool,
    pub reduction_method: ReductionMethod,
    /// Whether automatic spending is allowed.
    pub automatic_spend: bool,
}

/// How a unit deducts what was spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReductionMethod {
    FrontEnd,
    BackEnd,
}

impl ReductionMethod {
    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            ReductionMethod::FrontEnd => "front_end",
            ReductionMethod::BackEnd => "back_end",
        }
    }
}

impl Merchants {
    /// The merchant that owns a unit.
    pub fn of(&self, unit: &UnitId) -> Option<&Merchant> {
        self.merchants.get(self.units.get(unit)?)
    }

    /// Whether the unit is this merchant's.
    pub fn owns(&self, merchant: &MerchantId, unit: &UnitId) -> bool {
        self.units.get(unit) == Some(merchant)
    }

    /// Whether events at the units of a merchant are awarded; a unit of no merchant awards.
    pub fn awards(&self, merchant: Option<&MerchantId>) -> bool {
        merchant.and_then(|id| self.merchants.get(id)).is_none_or(|merchant| merchant.awards)
    }
}

impl Programme {
    /// A balance by its code.
    pub fn balance(&self, code: &BalanceCode) -> Option<&Balance> {
        self.balances.iter().find(|balance| balance.code == *code)
    }

    /// Whether a balance counts things that are handed over.
    pub fn is_gift(&self, code: &BalanceCode) -> bool {
        self.balance(code).is_some_and(Balance::is_gift)
    }

    /// The balance of a spend that names none: the one that the definition says, or the only one
    /// that is no gift.
    pub fn spend_balance(&self) -> Option<&Balance> {
        let default = self.definition.spend.balance.as_ref();
        default.and_then(|code| self.balance(code)).or_else(|| only_money(&self.balances))
    }

    /// The decimals of a balance. A wallet may hold a balance that the document no longer lists;
    /// it is shown in minor units.
    pub fn decimals(&self, code: &BalanceCode) -> Decimals {
        self.balance(code).map_or(Decimals::NONE, |balance| balance.decimals)
    }

    /// Shows an amount of a balance in its major unit.
    pub fn show(&self, code: &BalanceCode, amount: Amount) -> String {
        amount.show(self.decimals(code))
    }

    /// An offer by its id.
    pub fn offer(&self, id: &OfferId) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.id == *id)
    }

    /// A pass plan by its id.
    pub fn pass_plan(&self, id: &PlanId) -> Option<&PassPlan> {
        self.pass_plans.iter().find(|plan| plan.id == *id)
    }

    /// A feed by its id.
    pub fn feed(&self, id: &FeedId) -> Option<&Feed> {
        self.feeds.iter().find(|feed| feed.id == *id)
    }

    /// The alerts that a feed's target is told.
    pub fn alerts_of(&self, feed: &FeedId) -> Vec<AlertId> {
        let own = self.alerts.iter().filter(|alert| alert.feed == *feed);
        own.map(|alert| alert.id.clone()).collect()
    }

    /// A conversion by its id.
    pub fn conversion(&self, id: &ConversionId) -> Option<&Conversion> {
        self.conversions.iter().find(|conversion| conversion.id == *id)
    }

    /// A coupon by its id.
    pub fn coupon(&self, id: &CouponId) -> Option<&Coupon> {
        self.coupons.iter().find(|coupon| coupon.id == *id)
    }

    /// A segment by its id.
    pub fn segment(&self, id: &SegmentId) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.id == *id)
    }

    /// Whether an event of this type may carry the classification.
    pub fn allows(&self, classification: &Classification, event_type: EventType) -> bool {
        self.classifications.get(classification).is_some_and(|types| types.contains(&event_type))
    }

    /// Whether a KPI counts a product; one that lists none counts all.
    pub fn counts(&self, kpi: &KpiId, product: &ProductId) -> bool {
        let listed = self.kpis.get(kpi);
        listed.is_some_and(|listed| listed.is_empty() || listed.contains(product))
    }
}

/// The balance that is no gift, where there is one alone.
pub fn only_money(balances: &[Balance]) -> Option<&Balance> {
    let mut money = balances.iter().filter(|balance| !balance.is_gift());
    money.next().filter(|_| money.next().is_none())
}
