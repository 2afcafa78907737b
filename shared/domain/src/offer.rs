//! Reward offers: what an offer asks of an event, and what it would award.

use chrono_tz::Tz;

use crate::amount::{Amount, AmountError, Rate, percentage_of};
use crate::event::{Detail, Event, EventType, Line};
use crate::id::{BalanceCode, Classification, OfferId, ProductId, UnitId};
use crate::ledger::{LotId, Slot};
use crate::programme::Programme;
use crate::refusal::Reason;
use crate::time::{Calendar, Day, Duration, Instant};
use crate::wallet::Wallet;

/// A reward offer.
#[derive(Clone, Debug)]
pub struct Offer {
    pub id: OfferId,
    pub class: OfferClass,
    pub method: EvaluationMethod,
    /// Valid in any of these; always where there is none.
    pub valid: Vec<Validity>,
    pub award: Award,
    pub when: Conditions,
    pub limit: Limit,
    /// On top of others; otherwise only the best of those that are not applies.
    pub on_top: bool,
    pub expires: Expiry,
    /// How long an award is pending; none: available at once.
    pub available_after: Option<Duration>,
}

/// What kind of events an offer rewards. Further classes join here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferClass {
    IncreaseRevenueTransaction,
}

/// Who judges an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvaluationMethod {
    Batch,
    BatchAndInteractive,
}

/// A time in which events count, by `performed_on`: `from` inclusive, `to` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    pub from: Option<Instant>,
    pub to: Option<Instant>,
}

/// What is awarded, in a balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Award {
    pub balance: BalanceCode,
    pub form: AwardForm,
}

/// How an award is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwardForm {
    /// In the balance.
    Fixed(Amount),
    /// Of the transaction.
    Percentage(Rate),
}

/// What an event must be like; an empty list does not restrict.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// Purchase total, inclusive, in currency.
    pub from: Option<Amount>,
    pub to: Option<Amount>,
    pub units: Vec<UnitId>,
    pub classifications: Vec<Classification>,
    pub products: Vec<ProductId>,
    pub categories: Vec<ProductId>,
    pub brands: Vec<ProductId>,
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

/// When an award expires: always the end of a day in the programme's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    Never,
    On(Day),
    After(Duration),
    /// The end of the calendar period in which the duration has passed.
    EndOf(Calendar, Duration),
}

impl OfferClass {
    /// Which events offers of this class judge.
    pub fn judges(self, event_type: EventType) -> bool {
        match self {
            OfferClass::IncreaseRevenueTransaction => event_type == EventType::Purchase,
        }
    }
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

impl Validity {
    fn holds(&self, at: Instant) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to)
    }
}

impl Offer {
    /// Why this offer is not even a candidate for the event: its validity, unit or classification.
    pub fn excludes(&self, programme: &Programme, event: &Event) -> Option<Reason> {
        let lists = |list: &[UnitId]| event.unit.as_ref().is_some_and(|unit| list.contains(unit));
        let classified = |list: &[Classification]| {
            event.classification.as_ref().is_some_and(|name| list.contains(name))
        };
        if !self.valid.is_empty() && !self.valid.iter().any(|v| v.holds(event.performed_on)) {
            return Some(Reason::NotValid);
        }
        if !self.when.units.is_empty() && !lists(&self.when.units) {
            return Some(Reason::UnitNotIncluded);
        }
        if !programme.merchants.awards(event.unit.as_ref()) {
            return Some(Reason::UnitDoesNotAward);
        }
        let by_classification = &self.when.classifications;
        if !by_classification.is_empty() && !classified(by_classification) {
            return Some(Reason::ClassificationNotIncluded);
        }
        None
    }

    /// Why a candidate does not award the event, whatever the wallet holds.
    pub fn mismatch(&self, programme: &Programme, event: &Event) -> Option<Reason> {
        let total = event.purchased();
        let below = self.when.from.is_some_and(|from| total < from);
        if below || self.when.to.is_some_and(|to| total > to) {
            return Some(Reason::AmountOutOfRange);
        }
        match &event.detail {
            Detail::Purchase(purchase) => {
                let matches = purchase.lines.iter().any(|line| self.wants(programme, line));
                (!matches).then_some(Reason::NoMatchingLine)
            }
            // No offer of a class that judges purchases is asked of these.
            Detail::Referral { .. }
            | Detail::SocialMedia { .. }
            | Detail::Web { .. }
            | Detail::Achievement { .. }
            | Detail::FinancialAchievement(_)
            | Detail::FinancialStatement(_)
            | Detail::SpendRequest(_) => Some(Reason::NoMatchingLine),
        }
    }

    fn wants(&self, programme: &Programme, line: &Line) -> bool {
        let known = line.product.as_ref().and_then(|product| programme.catalogue.get(product));
        let category = line.category.as_ref().or(known.and_then(|known| known.category.as_ref()));
        let brand = line.brand.as_ref().or(known.and_then(|known| known.brand.as_ref()));
        let within = |list: &[ProductId], value: Option<&ProductId>| {
            list.is_empty() || value.is_some_and(|value| list.contains(value))
        };
        within(&self.when.products, line.product.as_ref())
            && within(&self.when.categories, category)
            && within(&self.when.brands, brand)
    }

    /// What the event is worth under this offer; rounded by the one rule of [`crate::amount`].
    pub fn amount(&self, programme: &Programme, event: &Event) -> Result<Amount, AmountError> {
        match self.award.form {
            AwardForm::Fixed(amount) => Ok(amount),
            AwardForm::Percentage(rate) => percentage_of(
                rate,
                event.purchased(),
                programme.currency.decimals,
                programme.decimals(&self.award.balance),
            ),
        }
    }

    /// Whether the participant was awarded as often as the offer allows.
    pub fn is_exhausted(&self, wallet: &Wallet, performed: Day) -> bool {
        match self.limit {
            Limit::Multiple => false,
            Limit::Once => wallet.awarded(&self.id, |_| true) > 0,
            Limit::OncePerCalendar(calendar) => {
                let period = performed.period(calendar);
                wallet.awarded(&self.id, |slot| slot == Slot::Period(period)) > 0
            }
            Limit::OncePerRolling(window) => {
                let near = |slot| match slot {
                    Slot::On(day) => performed < day.plus(window) && day < performed.plus(window),
                    Slot::Ever | Slot::Period(_) => false,
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

    /// The lot into which an award goes; expiry counts from the award.
    pub fn lot(&self, now: Instant, zone: Tz) -> LotId {
        let today = now.day(zone);
        LotId {
            balance: self.award.balance.clone(),
            expires: self.expires.last_day(today),
            available_from: self.available_after.map(|after| today.plus(after)),
        }
    }
}
