//! Terms that offers and pass plans share: expiry, limits, calendar periods.

use domain::offer::{Expiry, Limit};
use domain::time::{Calendar, Day, Duration};

use crate::fault::code;
use crate::read::{Node, Object};

const CALENDARS: [(&str, Option<Calendar>); 5] = [
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

/// How often an offer awards; absent: as often as it is earned.
pub(super) fn limit(fields: &Object<'_>) -> Limit {
    for name in ["first", "budget"] {
        fields.unsupported(name, UNSUPPORTED_LIMIT);
    }
    fields.optional("limit").and_then(|node| read_limit(&node)).unwrap_or(Limit::Multiple)
}

const UNSUPPORTED_LIMIT: &str = "limits by number of participants or by budget are not supported \
                                 yet";

fn read_limit(node: &Node<'_>) -> Option<Limit> {
    if node.value.is_string() {
        return node.choice(&[("multiple", Some(Limit::Multiple)), ("once", Some(Limit::Once))]);
    }
    let fields = node.object(&["once_per", "first", "budget"])?;
    for name in ["first", "budget"] {
        fields.unsupported(name, UNSUPPORTED_LIMIT);
    }
    let node = fields.required("once_per")?;
    let fields = node.object(&["calendar", "rolling"])?;
    match (fields.optional("calendar"), fields.optional("rolling")) {
        (Some(calendar), None) => calendar.choice(&CALENDARS).map(Limit::OncePerCalendar),
        (None, Some(rolling)) => {
            let window = rolling.duration()?;
            if window.is_zero() {
                rolling.fault(code::RANGE, "must be at least one day");
            }
            Some(Limit::OncePerRolling(window))
        }
        (None, None) | (Some(_), Some(_)) => {
            node.fault(code::EXCLUSIVE, "must have either calendar or rolling");
            None
        }
    }
}
