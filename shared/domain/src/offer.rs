//! Reward offers: what an offer says.
//!
//! What it asks of an event is held against one in `matching`, what it gives is computed in
//! `earning`, and which offers are looked at for an event is found in `index` (by `spans` of time).

mod class;
mod earning;
mod index;
mod matching;
mod spans;

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::amount::{Amount, Decimals, Rate};
use crate::id::{
    AreaId, BalanceCode, Classification, KpiId, MerchantId, OfferId, PlanId, ProductId, SegmentId,
    UnitId,
};
use crate::ledger::{LotId, Slot};
use crate::programme::Programme;
use crate::terms::Terms;
use crate::time::{Calendar, Day, Duration};
use crate::wallet::Wallet;
use crate::window::{Times, Validity};

pub use class::OfferClass;
pub use earning::Earned;
pub use index::Offers;
pub use matching::Subject;
pub(crate) use matching::{Shelf, shelf};

/// A reward offer.
#[derive(Clone, Debug)]
pub struct Offer {
    pub id: OfferId,
    pub class: OfferClass,
    pub method: EvaluationMethod,
    /// Valid in any of these; always where there is none.
    pub valid: Vec<Validity>,
    pub award: Award,
    pub beneficiary: Beneficiary,
    pub scope: Scope,
    pub when: Conditions,
    /// Events are counted, and the award is for what was counted.
    pub accumulates: Option<Accumulation>,
    pub limit: Limit,
    pub quota: Quota,
    /// On top of others; otherwise only the best of those that are not applies.
    pub on_top: bool,
    pub expires: Expiry,
    /// How long an award is pending; none: available at once.
    pub available_after: Option<Duration>,
    /// The first day on which what is awarded can be spent; none: at once.
    pub available_from: Option<Day>,
    /// What it awards is spent at once on the purchase that it awards.
    pub instant: bool,
    /// The conditions under which what is awarded is spent; none: there are none.
    pub terms: Option<Arc<Terms>>,
}

/// Whom an offer awards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Beneficiary {
    /// The event's participant: of a referral, who referred.
    #[default]
    Participant,
    /// Whom the event's participant referred.
    Referred,
}

/// Who judges an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvaluationMethod {
    Batch,
    BatchAndInteractive,
}

/// What is awarded: in a balance, as a discount on the purchase, or as a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Award {
    /// None: a discount, in currency, which lowers what is open of the purchase; or a pass.
    pub balance: Option<BalanceCode>,
    /// The promotion of which a pass is given, where that is the award.
    pub pass: Option<PlanId>,
    pub form: AwardForm,
}

impl Award {
    /// Whether it is off the purchase, and in no wallet.
    pub fn is_discount(&self) -> bool {
        self.balance.is_none() && self.pass.is_none()
    }

    /// The decimals of what is awarded.
    pub fn decimals(&self, programme: &Programme) -> Decimals {
        self.balance.as_ref().map_or(programme.currency.decimals, |code| programme.decimals(code))
    }
}

/// How an award is computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwardForm {
    /// In the balance, or the currency of a discount.
    Fixed(Amount),
    /// Of the transaction, or of each line.
    Percentage(Rate),
    /// Of the lines that meet the conditions.
    PercentageOfAwardedLines(Rate),
    /// A coefficient table: the percentage of the last band that begins at or below the amount
    /// applies to all of it. In order; below the first band nothing is awarded.
    Table(Box<[Band]>),
}

/// A band of a coefficient table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// In currency, inclusive.
    pub from: Amount,
    pub percentage: Rate,
}

/// What an award is computed on, and what amount and quantity conditions look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// The whole transaction; quantities are of the lines that match.
    #[default]
    Transaction,
    /// Each line that matches, by itself.
    Line,
}

/// What an event must be like; an empty list does not restrict.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// Of the transaction or the line, inclusive, in currency.
    pub from: Option<Amount>,
    pub to: Option<Amount>,
    /// Pieces of what matches, inclusive.
    pub quantity: (Option<u32>, Option<u32>),
    pub units: OneOf<UnitId>,
    /// The unit lies in one of these.
    pub areas: OneOf<AreaId>,
    /// Only lines whose product or category is popular in the area of the unit.
    pub popular: bool,
    pub merchants: OneOf<MerchantId>,
    pub classifications: OneOf<Classification>,
    pub products: OneOf<ProductId>,
    pub categories: OneOf<ProductId>,
    pub brands: OneOf<ProductId>,
    pub payment_brands: OneOf<Box<str>>,
    pub payment_types: OneOf<Box<str>>,
    /// At these days and hours, by `performed_on`.
    pub times: Option<Times>,
    /// The participant is a member of one of these.
    pub segments: OneOf<SegmentId>,
    /// The participant has one of these.
    pub tags: OneOf<Box<str>>,
    /// Of a statement: the KPI whose reported value is the amount.
    pub kpi: Option<KpiId>,
    /// What a survey came to, inclusive, from 0 to 10.
    pub score: (Option<u8>, Option<u8>),
    /// A code of this promotion was shown, with the purchase or in a time before.
    pub pass_plan: Option<PlanId>,
}

/// What is counted towards an award, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accumulation {
    pub counts: Counts,
    /// What must be counted: cents, events or pieces; 1 of each classification. At least 1.
    pub at_least: i64,
    pub within: Within,
}

/// What is counted of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// The total of the lines that match, or what a statement reports of the KPI, in minor units of
    /// the currency.
    Amount,
    /// The event.
    Events,
    /// The pieces of the lines that match.
    Pieces,
    /// The event under its classification: one of each that the offer lists is asked for.
    EachClassification,
}

/// The time within which events count together, by `performed_on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// As long as the offer is valid.
    Validity,
    Calendar(Calendar),
    /// With the event that completes them, and this long before it.
    Rolling(Duration),
}

/// Values of which one is asked for; empty: any will do.
#[derive(Clone, Debug)]
pub struct OneOf<T: Eq + Hash> {
    /// In order.
    values: Box<[T]>,
    /// The same, where they are many: a list of thousands is searched in one step.
    many: FxHashSet<T>,
}

/// Values that are looked through one by one.
const FEW: usize = 8;

impl<T: Eq + Hash> PartialEq for OneOf<T> {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl<T: Eq + Hash> Eq for OneOf<T> {}

impl<T: Ord + Hash> PartialOrd for OneOf<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord + Hash> Ord for OneOf<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.values.cmp(&other.values)
    }
}

impl<T: Eq + Hash> Hash for OneOf<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.values.hash(state);
    }
}

impl<T: Eq + Hash> Default for OneOf<T> {
    fn default() -> Self {
        OneOf { values: Box::new([]), many: FxHashSet::default() }
    }
}

impl<T: Clone + Hash + Ord> From<Vec<T>> for OneOf<T> {
    fn from(mut values: Vec<T>) -> Self {
        values.sort();
        values.dedup();
        let many = values.iter().filter(|_| values.len() > FEW).cloned().collect();
        OneOf { values: values.into(), many }
    }
}

impl<T: Eq + Hash> OneOf<T> {
    /// Whether it restricts nothing.
    pub fn is_any(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether a value will do.
    #[inline(always)] // It is asked for each line by each offer.
    pub fn allows(&self, value: Option<&T>) -> bool {
        match &*self.values {
            [] => true,
            [only] => value == Some(only),
            _ => value.is_some_and(|value| self.lists(value)),
        }
    }

    fn lists(&self, value: &T) -> bool {
        if self.many.is_empty() { self.values.contains(value) } else { self.many.contains(value) }
    }

    /// The values, in order.
    pub fn values(&self) -> &[T] {
        &self.values
    }
}

/// How often an offer awards one participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Multiple,
    Once,
    OncePerCalendar(Calendar),
    /// No two awards lie within this duration of each other, by `performed_on`.
    OncePerRolling(Duration),
}

/// How much an offer awards all participants together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Only the first participants that it awards; their later awards take no further place.
    pub first: Option<u32>,
    /// In the balance, or the currency. An award that does not fit whole is not given.
    pub budget: Option<Amount>,
}

impl Quota {
    /// Whether there is none.
    pub fn is_unlimited(self) -> bool {
        self.first.is_none() && self.budget.is_none()
    }
}

/// When an award expires: always the end of a day in the programme's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    Never,
    On(Day),
    After(Duration),
    /// The end of the calendar period in which the duration has passed.
    EndOf(Calendar, Duration),
}

impl Expiry {
    /// The last day of what is awarded today.
    pub fn last_day(self, today: Day) -> Option<Day> {
        match self {
            Expiry::Never => None,
            Expiry::On(day) => Some(day),
            Expiry::After(duration) => Some(today.plus(duration)),
            Expiry::EndOf(calendar, duration) => Some(today.plus(duration).period_end(calendar)),
        }
    }
}

impl Offer {
    /// Whether the participant was awarded as often as the offer allows.
    pub fn is_exhausted(&self, wallet: &Wallet, performed: Day) -> bool {
        match self.limit {
            Limit::Multiple => false,
            Limit::Once => wallet.awarded(&self.id, |slot| slot != Slot::Quota) > 0,
            Limit::OncePerCalendar(calendar) => {
                let period = performed.period(calendar);
                wallet.awarded(&self.id, |slot| slot == Slot::Period(period)) > 0
            }
            Limit::OncePerRolling(window) => {
                let near = |slot| match slot {
                    Slot::On(day) => performed < day.plus(window) && day < performed.plus(window),
                    Slot::Ever | Slot::Period(_) | Slot::Quota => false,
                };
                wallet.awarded(&self.id, near) > 0
            }
        }
    }

    /// Where an award is counted.
    pub fn slot(&self, performed: Day) -> Option<Slot> {
        match self.limit {
            Limit::Multiple => None,
            Limit::Once => Some(Slot::Ever),
            Limit::OncePerCalendar(calendar) => Some(Slot::Period(performed.period(calendar))),
            Limit::OncePerRolling(_) => Some(Slot::On(performed)),
        }
    }

    /// Whether an award goes into the same lot as one of another offer on the same day.
    pub fn awards_into_lot_of(&self, other: &Offer) -> bool {
        self.award.balance == other.award.balance
            && self.expires == other.expires
            && self.available_after == other.available_after
            && self.available_from == other.available_from
            && self.terms == other.terms
    }

    /// The lot into which an award of a balance goes; expiry counts from the award.
    pub fn lot(&self, balance: &BalanceCode, today: Day) -> LotId {
        let waits = self.available_after.map(|after| today.plus(after)).or(self.available_from);
        LotId {
            balance: balance.clone(),
            expires: self.expires.last_day(today),
            // What is available at once is one lot with what always was.
            available_from: waits.filter(|day| *day > today),
            terms: self.terms.clone(),
        }
    }
}
