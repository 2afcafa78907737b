//! Windows of time by the clock of the programme's zone, and periods of validity.

use chrono::{Datelike, Days, NaiveDate, Timelike, Weekday, WeekdaySet};
use chrono_tz::America::Sao_Paulo;
use chrono_tz::{Asia::Kathmandu, Tz};
use domain::anniversary::Anniversary;
use domain::time::{Day, Instant};
use domain::window::{Around, Clock, Hours, Occasion, Times, Validity};
use proptest::prelude::*;

use crate::fixture::{ZONE, at};

const WEEK: [(&str, Weekday); 7] = [
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];

fn clock(text: &str) -> u16 {
    let (hour, minute) = text.split_once(':').unwrap();
    hour.parse::<u16>().unwrap() * 60 + minute.parse::<u16>().unwrap()
}

/// `mon tue 08:00-12:00 22:00-02:00`: days and windows as a manager would say them.
fn times(text: &str) -> Times {
    let mut times = Times::default();
    for word in text.split_whitespace() {
        match word.split_once('-') {
            Some((from, to)) => times.hours.push(Hours { from: clock(from), to: clock(to) }),
            None => {
                times.days.insert(WEEK.iter().find(|(name, _)| *name == word).unwrap().1);
            }
        }
    }
    times
}

fn check(zone: Tz, cases: &[(&str, &str, bool)]) {
    for (window, instant, want) in cases {
        assert_eq!(
            times(window).holds(&Clock::of(at(instant), zone)),
            *want,
            "{window} at {instant}"
        );
    }
}

#[test]
fn r42_hours_begin_inclusive_and_end_exclusive() {
    check(
        ZONE,
        &[
            ("08:00-12:00", "2026-11-21T07:59:59.999+01:00", false),
            ("08:00-12:00", "2026-11-21T08:00:00+01:00", true),
            ("08:00-12:00", "2026-11-21T11:59:59.999+01:00", true),
            ("08:00-12:00", "2026-11-21T12:00:00+01:00", false),
            ("08:00-12:00 14:00-18:00", "2026-11-21T13:00:00+01:00", false),
            ("08:00-12:00 14:00-18:00", "2026-11-21T14:00:00+01:00", true),
            // The clock is the programme's, whatever offset the till sends.
            ("08:00-12:00", "2026-11-21T11:30:00Z", false),
            ("08:00-12:00", "2026-07-01T09:59:59Z", true),
            ("08:00-12:00", "2026-07-01T10:00:00Z", false),
            ("20:00-24:00", "2026-11-21T23:59:59.999+01:00", true),
            ("20:00-24:00", "2026-11-22T00:00:00+01:00", false),
            ("00:00-24:00", "2026-11-21T00:00:00+01:00", true),
            ("", "2026-11-21T00:00:00+01:00", true),
        ],
    );
}

/// 2026-11-21 is a Saturday.
#[test]
fn r42_days_of_the_week_are_those_of_the_zone() {
    check(
        ZONE,
        &[
            ("sat sun", "2026-11-20T22:59:59.999Z", false),
            ("sat sun", "2026-11-20T23:00:00Z", true),
            ("sat sun", "2026-11-22T22:59:59.999Z", true),
            ("sat sun", "2026-11-22T23:00:00Z", false),
            ("mon tue wed thu fri", "2026-11-22T23:00:00Z", true),
            ("sun 08:00-12:00", "2026-11-22T08:00:00+01:00", true),
            ("sun 08:00-12:00", "2026-11-21T08:00:00+01:00", false),
            // 29 February 2028 is a Tuesday.
            ("tue", "2028-02-29T23:59:59+01:00", true),
            ("wed", "2028-03-01T00:00:00+01:00", true),
        ],
    );
}

#[test]
fn r42_a_window_past_midnight_belongs_to_the_day_on_which_it_began() {
    check(
        ZONE,
        &[
            ("sat 22:00-02:00", "2026-11-21T01:59:59+01:00", false),
            ("sat 22:00-02:00", "2026-11-21T21:59:59+01:00", false),
            ("sat 22:00-02:00", "2026-11-21T22:00:00+01:00", true),
            ("sat 22:00-02:00", "2026-11-22T00:00:00+01:00", true),
            ("sat 22:00-02:00", "2026-11-22T01:59:59.999+01:00", true),
            ("sat 22:00-02:00", "2026-11-22T02:00:00+01:00", false),
            ("sat 22:00-02:00", "2026-11-22T22:00:00+01:00", false),
            // Over the end of the week, and of the year: 2026-12-31 is a Thursday.
            ("sun 22:00-02:00", "2026-11-23T01:00:00+01:00", true),
            ("mon 22:00-02:00", "2026-11-23T01:00:00+01:00", false),
            ("thu 22:00-02:00", "2027-01-01T00:30:00+01:00", true),
            ("fri 22:00-02:00", "2027-01-01T00:30:00+01:00", false),
            ("sat 22:00-00:00", "2026-11-21T23:59:59+01:00", true),
            ("sat 22:00-00:00", "2026-11-22T00:00:00+01:00", false),
            // Nearly a whole day.
            ("sat 12:00-11:00", "2026-11-22T10:59:00+01:00", true),
            ("sat 12:00-11:00", "2026-11-22T11:30:00+01:00", false),
        ],
    );
}

/// Clocks go from 02:00 to 03:00 on 29 March 2026, a Sunday, and from 03:00 to 02:00 on 25 October.
#[test]
fn r42_the_missing_hour_never_comes_and_the_doubled_hour_comes_twice() {
    check(
        ZONE,
        &[
            ("01:00-02:00", "2026-03-29T00:59:59.999Z", true),
            ("01:00-02:00", "2026-03-29T01:00:00Z", false),
            ("02:00-03:00", "2026-03-29T00:59:59.999Z", false),
            ("02:00-03:00", "2026-03-29T01:00:00Z", false),
            ("03:00-04:00", "2026-03-29T01:00:00Z", true),
            ("sat 23:00-02:30", "2026-03-29T00:59:59Z", true),
            ("sat 23:00-02:30", "2026-03-29T01:00:00Z", false),
            ("sat 23:00-03:30", "2026-03-29T01:29:59Z", true),
            ("02:00-03:00", "2026-10-24T23:59:59.999Z", false),
            ("02:00-03:00", "2026-10-25T00:00:00Z", true),
            ("02:00-03:00", "2026-10-25T00:59:59Z", true),
            ("02:00-03:00", "2026-10-25T01:00:00Z", true),
            ("02:00-03:00", "2026-10-25T01:59:59.999Z", true),
            ("02:00-03:00", "2026-10-25T02:00:00Z", false),
            // The second half hour of the doubled hour, both times, and not between them.
            ("02:30-03:00", "2026-10-25T00:45:00Z", true),
            ("02:30-03:00", "2026-10-25T01:15:00Z", false),
            ("02:30-03:00", "2026-10-25T01:45:00Z", true),
        ],
    );
    let sunday =
        |start: &'static str| (0..24 * 60).map(move |minute| at(start).plus_minutes(minute));
    let missing = sunday("2026-03-28T23:00:00Z")
        .filter(|at| times("02:00-03:00").holds(&Clock::of(*at, ZONE)));
    assert_eq!(missing.count(), 0);
    let doubled = sunday("2026-10-24T22:00:00Z")
        .filter(|at| times("02:00-03:00").holds(&Clock::of(*at, ZONE)));
    assert_eq!(doubled.count(), 120);
}

/// Clocks went from 00:00 to 01:00 on 4 November 2018, a Sunday, and from 24:00 to 23:00 on
/// Saturday, 17 February 2018.
#[test]
fn r42_a_zone_whose_clock_changes_at_midnight() {
    check(
        Sao_Paulo,
        &[
            ("sat 22:00-24:00", "2018-11-04T02:59:59Z", true),
            ("sat 22:00-24:00", "2018-11-04T03:00:00Z", false),
            ("sat 22:00-01:00", "2018-11-04T03:00:00Z", false),
            ("sat 22:00-02:00", "2018-11-04T03:00:00Z", true),
            ("sun 00:00-01:00", "2018-11-04T03:00:00Z", false),
            ("sun", "2018-11-04T03:00:00Z", true),
            ("sat 23:00-24:00", "2018-02-18T01:30:00Z", true),
            ("sat 23:00-24:00", "2018-02-18T02:30:00Z", true),
            ("sat 23:00-24:00", "2018-02-18T03:00:00Z", false),
            ("sun", "2018-02-18T02:59:59Z", false),
        ],
    );
    // An offset of quarters of an hour.
    check(Kathmandu, &[("08:00-08:01", "2026-11-21T02:15:30Z", true)]);
}

fn around(what: Occasion, before: u32, after: u32) -> Validity {
    Validity { around: Some(Around { what, before, after }), ..Validity::default() }
}

#[test]
fn r46_around_a_birthday_or_name_day_in_whole_days_of_the_zone() {
    let cases = [
        // Born, before, after, performed on, holds.
        ("1990-06-10", 3, 7, "2026-06-06T23:59:59+02:00", false),
        ("1990-06-10", 3, 7, "2026-06-07T00:00:00+02:00", true),
        ("1990-06-10", 3, 7, "2026-06-17T23:59:59+02:00", true),
        ("1990-06-10", 3, 7, "2026-06-18T00:00:00+02:00", false),
        ("1990-06-10", 0, 0, "2026-06-10T12:00:00+02:00", true),
        ("1990-06-10", 0, 0, "2026-06-09T22:00:00Z", true),
        ("1990-06-10", 0, 0, "2026-06-11T00:00:00+02:00", false),
        // Over New Year, both ways.
        ("1990-01-02", 5, 0, "2026-12-27T12:00:00+01:00", false),
        ("1990-01-02", 5, 0, "2026-12-28T00:00:00+01:00", true),
        ("1990-12-30", 0, 5, "2027-01-04T23:59:59+01:00", true),
        ("1990-12-30", 0, 5, "2027-01-05T00:00:00+01:00", false),
        // 29 February: on the 28th where a year has none.
        ("2000-02-29", 0, 0, "2027-02-28T12:00:00+01:00", true),
        ("2000-02-29", 0, 0, "2027-03-01T12:00:00+01:00", false),
        ("2000-02-29", 0, 0, "2028-02-28T12:00:00+01:00", false),
        ("2000-02-29", 0, 0, "2028-02-29T12:00:00+01:00", true),
        ("2000-02-29", 0, 1, "2027-03-01T12:00:00+01:00", true),
        ("2000-02-28", 0, 1, "2028-02-29T12:00:00+01:00", true),
        ("2000-03-01", 1, 0, "2028-02-29T12:00:00+01:00", true),
        ("2000-03-01", 1, 0, "2027-02-28T12:00:00+01:00", true),
        // The longest there are do not reach the next birthday.
        ("1990-06-10", 180, 180, "2026-12-07T12:00:00+01:00", true),
        ("1990-06-10", 180, 180, "2026-12-08T12:00:00+01:00", false),
        ("1990-06-10", 180, 180, "2026-12-12T12:00:00+01:00", true),
    ];
    for (born, before, after, performed_on, want) in cases {
        let date: NaiveDate = born.parse().unwrap();
        let named = Some(Anniversary::of(date));
        let told = format!("{born} -{before} +{after} at {performed_on}");
        let birthday = around(Occasion::Birthday, before, after);
        assert_eq!(
            birthday.holds(&Clock::of(at(performed_on), ZONE), Some(date), None),
            want,
            "{told}"
        );
        assert!(
            !birthday.holds(&Clock::of(at(performed_on), ZONE), None, named),
            "{told}: unknown birthday"
        );
        let name_day = around(Occasion::NameDay, before, after);
        assert_eq!(name_day.holds(&Clock::of(at(performed_on), ZONE), None, named), want, "{told}");
        assert!(
            !name_day.holds(&Clock::of(at(performed_on), ZONE), Some(date), None),
            "{told}: no name day"
        );
        assert!(birthday.asks_profile() && name_day.asks_profile());
    }
}

#[test]
fn r46_all_that_a_period_gives_must_hold() {
    let born = NaiveDate::from_ymd_opt(1990, 11, 21);
    let whole = Validity {
        from: Some(at("2026-11-01T00:00:00+01:00")),
        to: Some(at("2026-12-01T00:00:00+01:00")),
        times: Some(times("sat 08:00-12:00")),
        around: around(Occasion::Birthday, 0, 7).around,
    };
    let cases = [
        ("2026-11-21T08:00:00+01:00", true),
        ("2026-11-28T08:00:00+01:00", true),
        // Another hour, day, week; before and after the period.
        ("2026-11-21T12:00:00+01:00", false),
        ("2026-11-22T08:00:00+01:00", false),
        ("2026-11-14T08:00:00+01:00", false),
        ("2020-11-21T08:00:00+01:00", false),
        ("2027-11-27T08:00:00+01:00", false),
    ];
    for (performed_on, want) in cases {
        assert_eq!(
            whole.holds(&Clock::of(at(performed_on), ZONE), born, None),
            want,
            "{performed_on}"
        );
    }
    assert!(
        Validity::default().holds(&Clock::of(Instant(0), ZONE), None, None),
        "nothing given, nothing asked"
    );
    assert!(!Validity { around: None, ..whole }.asks_profile());
}

/// What the clock shows, one after the other, from the beginning of a window to its end.
fn shown(begun: NaiveDate, hours: Hours) -> Vec<(NaiveDate, u16)> {
    let (mut date, mut minute) = (begun, hours.from);
    let mut shown = Vec::new();
    while minute != hours.to {
        shown.push((date, minute));
        minute += 1;
        if minute == 24 * 60 && hours.to != 24 * 60 {
            (date, minute) = (date + Days::new(1), 0);
        }
    }
    shown
}

/// The same as `Times::holds`, minute by minute.
fn naive(times: &Times, at: Instant, zone: Tz) -> bool {
    let local = at.utc().unwrap().with_timezone(&zone).naive_local();
    let minute = u16::try_from(local.hour() * 60 + local.minute()).unwrap();
    let days: Vec<Weekday> = times.days.iter(Weekday::Mon).collect();
    let all_day = [Hours { from: 0, to: 24 * 60 }];
    let windows = if times.hours.is_empty() { &all_day[..] } else { &times.hours };
    let begun = [local.date(), local.date() - Days::new(1)];
    begun.iter().filter(|date| days.is_empty() || days.contains(&date.weekday())).any(|date| {
        windows.iter().any(|hours| shown(*date, *hours).contains(&(local.date(), minute)))
    })
}

/// Instants near clock changes, leap days and New Year more often than others.
fn instant() -> impl Strategy<Value = Instant> {
    let marks = [
        "2026-03-29T01:00:00Z",
        "2026-10-25T01:00:00Z",
        "2018-11-04T03:00:00Z",
        "2018-02-18T02:00:00Z",
        "2028-02-29T12:00:00Z",
        "2027-12-31T23:00:00Z",
    ];
    let near = (prop::sample::select(marks.to_vec()), -172_800_000..172_800_000_i64)
        .prop_map(|(mark, off)| Instant(at(mark).0 + off));
    prop_oneof![near, (0..4_000_000_000_000_i64).prop_map(Instant)]
}

fn zone() -> impl Strategy<Value = Tz> {
    prop::sample::select(vec![ZONE, Sao_Paulo, Kathmandu, chrono_tz::UTC])
}

fn some_times() -> impl Strategy<Value = Times> {
    let hours = (0..1_440_u16, 0..=1_440_u16)
        .prop_filter_map("a window takes time", |(from, to)| {
            (from != to).then_some(Hours { from, to })
        });
    (prop::collection::vec(0..7_usize, 0..4), prop::collection::vec(hours, 0..4)).prop_map(
        |(listed, hours)| {
            let mut days = WeekdaySet::EMPTY;
            for day in listed {
                days.insert(WEEK[day].1);
            }
            Times { days, hours }
        },
    )
}

proptest! {
    #[test]
    fn r42_windows_agree_with_a_clock_that_is_read_minute_by_minute(
        times in some_times(), at in instant(), zone in zone(),
    ) {
        prop_assert_eq!(times.holds(&Clock::of(at, zone)), naive(&times, at, zone));
    }

    #[test]
    fn r46_periods_agree_with_days_counted_one_by_one(
        at in instant(), zone in zone(), born in -20_000..20_000_i32,
        before in 0..=180_u32, after in 0..=180_u32, from in of(instant()), to in of(instant()),
        times in of(some_times()),
    ) {
        let birthday = Day(born).date();
        let near = Validity { from, to, times, around: around(Occasion::Birthday, before, after).around };
        let today = at.day(zone).date();
        let is_back = |date: NaiveDate| {
            let short = date.month() == 2 && date.day() == 28 && !date.leap_year();
            let leap = birthday.month() == 2 && birthday.day() == 29;
            (date.month(), date.day()) == (birthday.month(), birthday.day()) || (short && leap)
        };
        let counted = (0..=before).any(|days| is_back(today + Days::new(u64::from(days))))
            || (0..=after).any(|days| is_back(today - Days::new(u64::from(days))));
        let within = from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to);
        let open = near.times.as_ref().is_none_or(|times| naive(times, at, zone));
        let want = within && open && counted;
        prop_assert_eq!(near.holds(&Clock::of(at, zone), Some(birthday), None), want);
    }
}

fn of<T: std::fmt::Debug>(some: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    prop::option::weighted(0.3, some)
}
