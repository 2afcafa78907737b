//! Windows of time in the programme document: days and hours, periods, around a birthday.

use std::collections::HashSet;

use chrono::{Weekday, WeekdaySet};
use domain::time::Instant;
use domain::window::{Around, DAY_MINUTES, Hours, Occasion, Times, Validity};

use crate::fault::code;
use crate::programme::names::unique;
use crate::read::{Node, Object};

const MAX_WINDOWS: usize = 24;
/// Beyond, a window would reach from one birthday towards the next.
pub(super) const MAX_DAYS: u32 = 180;

const WEEKDAYS: [(&str, Option<Weekday>); 7] = [
    ("mon", Some(Weekday::Mon)),
    ("tue", Some(Weekday::Tue)),
    ("wed", Some(Weekday::Wed)),
    ("thu", Some(Weekday::Thu)),
    ("fri", Some(Weekday::Fri)),
    ("sat", Some(Weekday::Sat)),
    ("sun", Some(Weekday::Sun)),
];

/// Days and hours: `{"days": ["mon", "tue"], "hours": [["08:00", "12:00"]]}`.
pub(super) fn times(node: &Node<'_>) -> Option<Times> {
    let fields = node.object(&["days", "hours"])?;
    let times = days_and_hours(&fields);
    if is_empty(&fields, &["days", "hours"]) {
        node.fault(code::REQUIRED, "must have days, hours or both");
    }
    times
}

/// A period in which an offer is valid; all that is given must hold.
pub(super) fn validity(node: &Node<'_>) -> Option<Validity> {
    let known = &["from", "to", "days", "hours", "around"];
    let fields = node.object(known)?;
    let (from, to) = ends(node, &fields);
    let times = days_and_hours(&fields);
    let around = fields.optional("around").and_then(|around| read_around(&around));
    if is_empty(&fields, known) {
        let message = "says nothing: it must have from, to, days, hours or around; leave the \
                       period out for an offer that is always valid";
        node.fault(code::REQUIRED, message);
    }
    Some(Validity { from, to, times, around })
}

/// From an instant to another, either of them open.
pub(super) fn ends(node: &Node<'_>, fields: &Object<'_>) -> (Option<Instant>, Option<Instant>) {
    let from = fields.optional("from").and_then(|from| from.instant());
    let to = fields.optional("to").and_then(|to| to.instant());
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        node.fault(code::RANGE, "ends before it begins");
    }
    (from, to)
}

/// Whether none of the fields says anything.
pub(super) fn is_empty(fields: &Object<'_>, names: &[&'static str]) -> bool {
    let says = |node: Node<'_>| node.value.as_array().is_none_or(|list| !list.is_empty());
    !names.iter().any(|name| fields.optional(name).is_some_and(says))
}

fn days_and_hours(fields: &Object<'_>) -> Option<Times> {
    let mut seen = HashSet::new();
    let listed = fields.list("days", WEEKDAYS.len(), |node| {
        let day = node.choice(&WEEKDAYS)?;
        unique(node, node.text()?, &mut seen).map(|_| day)
    });
    let mut days = WeekdaySet::EMPTY;
    for day in listed {
        days.insert(day);
    }
    let hours = fields.list("hours", MAX_WINDOWS, read_hours);
    (!days.is_empty() || !hours.is_empty()).then_some(Times { days, hours })
}

/// The names of the days, in order.
pub(crate) fn day_names(times: &Times) -> Vec<&'static str> {
    let named =
        |(_, day): &(&str, Option<Weekday>)| day.is_some_and(|day| times.days.contains(day));
    WEEKDAYS.into_iter().filter(named).map(|(name, _)| name).collect()
}

/// Minutes since midnight as a time of day.
pub(crate) fn show_clock(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn read_hours(node: &Node<'_>) -> Option<Hours> {
    let listed = node.value.as_array().map(Vec::len);
    let ends = node.list(2, |end| Some(end.clone()));
    let [from, to] = ends.as_slice() else {
        if listed.is_some_and(|count| count < 2) {
            node.fault(code::LENGTH, "must be a beginning and an end: [\"08:00\", \"12:00\"]");
        }
        return None;
    };
    let (from_minute, to) = (from.parsed(parse_clock), to.parsed(parse_clock));
    let (from_minute, to) = (from_minute?, to?);
    if from_minute == DAY_MINUTES {
        from.fault(code::RANGE, "must begin on its day: midnight is \"00:00\"");
    } else if from_minute == to {
        let message = "begins when it ends; all day is [\"00:00\", \"24:00\"]";
        node.fault(code::RANGE, message);
    }
    Some(Hours { from: from_minute, to })
}

/// Minutes since midnight.
fn parse_clock(text: &str) -> Result<u16, &'static str> {
    let number = |digits: &str| {
        let plain = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let minutes = || {
        let (hour, minute) = text.split_once(':')?;
        let (hour, minute) = (number(hour)?, number(minute)?);
        let minutes = hour * 60 + minute;
        (minute < 60 && minutes <= DAY_MINUTES).then_some(minutes)
    };
    minutes().ok_or("must be a time of day from 00:00 to 24:00: 08:30")
}

/// Days around a birthday or name day: `{"birthday": {"before": "P3D", "after": "P7D"}}`.
fn read_around(node: &Node<'_>) -> Option<Around> {
    let fields = node.object(&["birthday", "name_day"])?;
    let (what, days) = match (fields.optional("birthday"), fields.optional("name_day")) {
        (Some(days), None) => (Occasion::Birthday, days),
        (None, Some(days)) => (Occasion::NameDay, days),
        (None, None) | (Some(_), Some(_)) => {
            node.fault(code::EXCLUSIVE, "must have either birthday or name_day");
            return None;
        }
    };
    let days = days.object(&["before", "after"])?;
    let count = |name| days.optional(name).map_or(Some(0), |node| whole_days(&node, 0, MAX_DAYS));
    let (before, after) = (count("before"), count("after"));
    Some(Around { what, before: before?, after: after? })
}

/// A duration of whole days within a range.
pub(super) fn whole_days(node: &Node<'_>, least: u32, most: u32) -> Option<u32> {
    let days = node.duration()?.as_days().filter(|days| (least..=most).contains(days));
    if days.is_none() {
        node.fault(code::RANGE, format!("must be {least} to {most} days: P7D"));
    }
    days
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fault::BodyFault;
    use crate::read::read;

    /// `pointer code` of every violation.
    fn faults<T: std::fmt::Debug>(
        value: &Value,
        reader: fn(&Node<'_>) -> Option<T>,
    ) -> Vec<String> {
        let violations = match read(value, reader) {
            Err(BodyFault::Invalid(violations)) => violations,
            other => panic!("{value}: {other:?}"),
        };
        let told = violations.iter().map(|fault| format!("{} {}", fault.pointer, fault.code));
        told.collect()
    }

    #[test]
    fn r42_days_and_hours_are_read() {
        let sent =
            json!({ "days": ["mon", "sun"], "hours": [["08:00", "12:30"], ["22:00", "24:00"]] });
        let want = Times {
            days: WeekdaySet::from_array([Weekday::Mon, Weekday::Sun]),
            hours: vec![Hours { from: 480, to: 750 }, Hours { from: 1_320, to: 1_440 }],
        };
        assert_eq!(read(&sent, times).unwrap(), want);
        let night = read(&json!({ "hours": [["22:00", "02:00"]] }), times).unwrap();
        assert_eq!(night.hours, [Hours { from: 1_320, to: 120 }]);
    }

    #[test]
    fn r42_what_is_wrong_with_days_and_hours_is_told() {
        let cases = [
            (json!([]), " type"),
            (json!({}), " required"),
            (json!({ "days": [], "hours": null }), " required"),
            (json!({ "days": "mon" }), "/days type"),
            (json!({ "days": ["monday"] }), "/days/0 unknown_value"),
            (json!({ "days": ["mon", 2] }), "/days/1 type"),
            (json!({ "days": ["mon", "mon"] }), "/days/1 duplicate"),
            (json!({ "hours": ["08:00"] }), "/hours/0 type"),
            (json!({ "hours": [["08:00"]] }), "/hours/0 length"),
            (json!({ "hours": [["08:00", "09:00", "10:00"]] }), "/hours/0 length"),
            (json!({ "hours": [["8:00", "09:00"]] }), "/hours/0/0 pattern"),
            (json!({ "hours": [["08:00", "09:60"]] }), "/hours/0/1 pattern"),
            (json!({ "hours": [["08:00", "24:01"]] }), "/hours/0/1 pattern"),
            (json!({ "hours": [["08:00", "+9:00"]] }), "/hours/0/1 pattern"),
            (json!({ "hours": [["24:00", "02:00"]] }), "/hours/0/0 range"),
            (json!({ "hours": [["08:00", "08:00"]] }), "/hours/0 range"),
            (json!({ "hours": [[8, "09:00"]] }), "/hours/0/0 type"),
            (json!({ "days": ["mon"], "months": ["may"] }), "/months unknown_field"),
        ];
        for (sent, want) in cases {
            assert_eq!(faults(&sent, times), [want], "{sent}");
        }
    }

    #[test]
    fn r46_a_period_is_read_with_all_that_it_gives() {
        let sent = json!({ "from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z",
            "days": ["sat"], "around": { "birthday": { "before": "P3D", "after": "P1W" } } });
        let period = read(&sent, validity).unwrap();
        assert_eq!(
            period.from.zip(period.to).map(|(from, to)| to.0 - from.0),
            Some(31_536_000_000)
        );
        let days = period.times.unwrap().days;
        assert_eq!(days.iter(Weekday::Mon).collect::<Vec<_>>(), [Weekday::Sat]);
        let want = Around { what: Occasion::Birthday, before: 3, after: 7 };
        assert_eq!(period.around, Some(want));
        let named = read(&json!({ "around": { "name_day": {} } }), validity).unwrap();
        assert_eq!(named.around, Some(Around { what: Occasion::NameDay, before: 0, after: 0 }));
        assert_eq!((named.from, named.to, named.times), (None, None, None));
    }

    #[test]
    fn r46_what_is_wrong_with_a_period_is_told() {
        let around = |around: Value| json!({ "around": around });
        let (new_year, later) = ("2026-01-01T00:00:00+01:00", "2026-01-01T00:00:00Z");
        let cases = [
            (json!({}), " required"),
            (json!({ "from": null, "days": [] }), " required"),
            (json!({ "from": new_year, "to": new_year }), " range"),
            (json!({ "from": later, "to": new_year }), " range"),
            (json!({ "from": "2026-01-01" }), "/from pattern"),
            (json!({ "from": new_year, "hours": [["09:00", "09:00"]] }), "/hours/0 range"),
            (json!({ "weekdays": ["mon"], "days": ["mon"] }), "/weekdays unknown_field"),
            (around(json!({})), "/around exclusive"),
            (around(json!({ "birthday": {}, "name_day": {} })), "/around exclusive"),
            (around(json!("birthday")), "/around type"),
            (around(json!({ "birthday": "P3D" })), "/around/birthday type"),
            (around(json!({ "birthday": { "before": 3 } })), "/around/birthday/before type"),
            (around(json!({ "birthday": { "before": "3" } })), "/around/birthday/before pattern"),
            (around(json!({ "birthday": { "before": "P1M" } })), "/around/birthday/before range"),
            (around(json!({ "name_day": { "after": "P181D" } })), "/around/name_day/after range"),
        ];
        for (sent, want) in cases {
            assert_eq!(faults(&sent, validity), [want], "{sent}");
        }
    }
}
