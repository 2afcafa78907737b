//! The terms of a lot, as the programme document says them.

use std::fmt::Display;
use std::hash::Hash;

use domain::amount::Amount;
use domain::ledger::LotId;
use domain::offer::OneOf;
use domain::programme::Programme;
use domain::terms::Terms;
use domain::time::{Instant, show_instant};
use domain::window::Times;
use serde::Serialize;

use crate::programme::{day_names, show_clock};

/// What a lot may be spent on only; what is left out does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConditionsAnswer {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub valid: Vec<PeriodAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<TimesAnswer>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub brands: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub merchants: Vec<String>,
}

/// A time in which it may be spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeriodAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// Days of the week and hours of the day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimesAnswer {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<[String; 2]>,
}

/// The bounds of automatic spending, in the balance of the lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AutomaticAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_balance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<String>,
}

/// How a lot is spent automatically; none where it is not.
pub(super) fn automatic(programme: &Programme, lot: &LotId) -> Option<AutomaticAnswer> {
    let bounds = lot.terms.as_ref()?.automatic?;
    let show = |amount: Option<Amount>| amount.map(|amount| programme.show(&lot.balance, amount));
    Some(AutomaticAnswer {
        minimum_balance: show(bounds.minimum_balance),
        minimum: show(bounds.minimum),
        maximum: show(bounds.maximum),
    })
}

/// The conditions of terms; none where they only say how it is spent.
pub(super) fn conditions(programme: &Programme, terms: &Terms) -> Option<ConditionsAnswer> {
    let instant = |at: Option<Instant>| at.map(|at| show_instant(at, programme.zone));
    let periods = terms.periods.iter();
    let shown = ConditionsAnswer {
        valid: periods
            .map(|period| PeriodAnswer { from: instant(period.from), to: instant(period.to) })
            .collect(),
        times: terms.times.as_ref().map(times),
        products: texts(&terms.products),
        categories: texts(&terms.categories),
        brands: texts(&terms.brands),
        units: texts(&terms.units),
        merchants: texts(&terms.merchants),
    };
    (shown != ConditionsAnswer::default()).then_some(shown)
}

fn times(times: &Times) -> TimesAnswer {
    let hours = times.hours.iter().map(|hours| [show_clock(hours.from), show_clock(hours.to)]);
    TimesAnswer { days: day_names(times), hours: hours.collect() }
}

fn texts<T: Ord + Hash + Display>(list: &OneOf<T>) -> Vec<String> {
    list.values().iter().map(T::to_string).collect()
}
