//! Terms that offers and pass plans share: expiry, limits, calendar periods.

use domain::amount::Decimals;
use domain::offer::{Expiry, Limit, Quota};
use domain::time::{Calendar, Day, Duration};

use crate::fault::code;
use crate::read::{Node, Object};

pub(super) const CALENDARS: [(&str, Option<Calendar>); 5] = [
    ("day", Some(Calendar::Day)),
    ("week", Some(Calendar::Week)),
    ("month", Some(Calendar::Month)),
    ("quarter", Some(Calendar::Quarter)),
    ("year", Some(Calendar::Year)),
];

/// When something expires: `"never"`, `{after}`, `{on}` or `{end_of, after?}`; absent:
/// never.
pub(super) fn expiry(fields: &Object<'_>) -> Expiry {
    let node = fields.optional("expires");
    node.and_then(|node| read_expiry(&node)).unwrap_or(Expiry::Never)
}

fn read_expiry(node: &Node<'_>) -> Option<Expiry> {
    if node.value.is_string() {
        return node.choice(&[("never", Some(Expiry::Never))]);
    }
    let fields = node.object(&["after", "on", "end_of"])?;
    let (after, on) = (fields.optional("after"), fields.optional("on"));
    match (after, on, fields.optional("end_of")) {
        (Some(after), None, None) => after.duration().map(Expiry::After),
        (None, Some(on), None) => on.date().map(|date| Expiry::On(Day::of(date))),
        (after, None, Some(end_of)) => {
            let calendar = end_of.choice(&CALENDARS);
            let after = after.map_or(Some(Duration::days(0)), |after| after.duration());
            Some(Expiry::EndOf(calendar?, after?))
        }
        (None, None, None) | (_, Some(_), _) => {
            let message = "must be \"never\", or have one of on, after, or end_of with after";
            node.fault(code::EXCLUSIVE, message);
            None
        }
    }
}

/// How often an offer awards one participant, and how much it awards all of them; absent: as
/// often as it is earned. `first` and `budget` stand beside the limit, or within it.
pub(super) fn limit(fields: &Object<'_>, unit: Option<Decimals>) -> (Limit, Quota) {
    let mut quota = Quota::default();
    read_quota(fields, unit, &mut quota);
    let Some(node) = fields.optional("limit") else { return (Limit::Multiple, quota) };
    if node.value.is_string() {
        let kinds = [("multiple", Some(Limit::Multiple)), ("once", Some(Limit::Once))];
        return (node.choice(&kinds).unwrap_or(Limit::Multiple), quota);
    }
    let names = ["once_per", "first", "budget"];
    let Some(within) = node.object(&["once_per", "first", "budget"]) else {
        return (Limit::Multiple, quota);
    };
    if names.iter().all(|name| within.optional(name).is_none()) {
        node.fault(
            code::REQUIRED,
            "must be \"multiple\", \"once\", or have once_per, first or budget",
        );
    }
    for name in ["first", "budget"] {
        if let (Some(twice), Some(_)) = (within.optional(name), fields.optional(name)) {
            twice.fault(code::EXCLUSIVE, "stands beside the limit as well: say it once");
        }
    }
    read_quota(&within, unit, &mut quota);
    let once_per = within.optional("once_per");
    let once_per =
        once_per.and_then(|node| period(&node, Limit::OncePerCalendar, Limit::OncePerRolling));
    (once_per.unwrap_or(Limit::Multiple), quota)
}

fn read_quota(fields: &Object<'_>, unit: Option<Decimals>, quota: &mut Quota) {
    if let Some(first) = fields.optional("first") {
        quota.first = first.integer(1..=1_000_000_000);
    }
    if let (Some(budget), Some(unit)) = (fields.optional("budget"), unit) {
        quota.budget = budget.positive(unit);
    }
}

/// A calendar period, or a time that rolls: `{"calendar": "month"}`, `{"rolling": "P1Y"}`.
pub(super) fn period<T>(
    node: &Node<'_>,
    calendar: impl Fn(Calendar) -> T,
    rolling: impl Fn(Duration) -> T,
) -> Option<T> {
    let fields = node.object(&["calendar", "rolling"])?;
    match (fields.optional("calendar"), fields.optional("rolling")) {
        (Some(node), None) => node.choice(&CALENDARS).map(calendar),
        (None, Some(node)) => {
            let window = node.duration()?;
            if window.is_zero() {
                node.fault(code::RANGE, "must be at least one day");
            }
            Some(rolling(window))
        }
        (None, None) | (Some(_), Some(_)) => {
            node.fault(code::EXCLUSIVE, "must have either calendar or rolling");
            None
        }
    }
}
