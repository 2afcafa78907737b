//! Where days and calendar periods begin and end, by the clock of the programme's zone.

use chrono_tz::America::Sao_Paulo;
use chrono_tz::Pacific::Kiritimati;
use chrono_tz::Tz;
use domain::time::{Calendar, Duration};

use crate::fixture::{ZONE, at, day};

/// The last millisecond before each boundary is in the period before it, the boundary in the next.
fn begins(zone: Tz, calendar: Calendar, boundaries: &[&str]) {
    for boundary in boundaries {
        let period = |at: domain::time::Instant| at.day(zone).period(calendar);
        let first = at(boundary);
        let last = domain::time::Instant(first.0 - 1);
        assert_eq!(period(last) + 1, period(first), "{calendar:?} {boundary}");
    }
}

#[test]
fn r44_periods_begin_with_the_local_midnight() {
    let days = [
        "2026-03-28T23:00:00Z",
        "2026-03-29T22:00:00Z",
        "2026-10-24T22:00:00Z",
        "2026-10-25T23:00:00Z",
        "2028-02-28T23:00:00Z",
        "2028-02-29T23:00:00Z",
    ];
    begins(ZONE, Calendar::Day, &days);
    // Both clock changes are on Sundays: the week that ends with one is an hour short or long.
    begins(ZONE, Calendar::Week, &["2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z"]);
    begins(ZONE, Calendar::Week, &["2026-10-18T22:00:00Z", "2026-10-25T23:00:00Z"]);
    let months = ["2026-03-31T22:00:00Z", "2026-10-31T23:00:00Z", "2028-02-29T23:00:00Z"];
    begins(ZONE, Calendar::Month, &months);
    let quarters = [
        "2025-12-31T23:00:00Z",
        "2026-03-31T22:00:00Z",
        "2026-06-30T22:00:00Z",
        "2026-09-30T22:00:00Z",
    ];
    begins(ZONE, Calendar::Quarter, &quarters);
    begins(ZONE, Calendar::Year, &["2026-12-31T23:00:00Z", "1999-12-31T23:00:00Z"]);
    begins(Sao_Paulo, Calendar::Day, &["2018-11-04T03:00:00Z", "2018-02-18T03:00:00Z"]);
    begins(Kiritimati, Calendar::Year, &["2026-12-31T10:00:00Z"]);
}

/// Instants of one hour of the clock are in one period, whichever of its two passes they are in.
#[test]
fn r44_the_doubled_and_the_missing_hour_stay_within_their_day() {
    let cases = [
        (ZONE, "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
        (ZONE, "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"),
        (Sao_Paulo, "2018-02-18T01:30:00Z", "2018-02-18T02:30:00Z"),
    ];
    for (zone, first, second) in cases {
        assert_eq!(at(first).day(zone), at(second).day(zone), "{first} {second}");
    }
    let across = ["2018-11-04T02:59:59Z", "2018-11-04T03:00:00Z"].map(|i| at(i).day(Sao_Paulo).0);
    assert_eq!(across[0] + 1, across[1], "the missing hour is the first of its day");
}

#[test]
fn r47_last_days_of_periods_and_leap_days() {
    use Calendar::{Month, Quarter, Week, Year};
    let cases = [
        ("2027-02-01", Month, "2027-02-28"),
        ("2028-02-01", Month, "2028-02-29"),
        ("2100-02-01", Month, "2100-02-28"),
        ("2028-12-31", Month, "2028-12-31"),
        ("2028-01-01", Quarter, "2028-03-31"),
        ("2028-03-31", Quarter, "2028-03-31"),
        ("2028-04-01", Quarter, "2028-06-30"),
        ("2028-12-31", Quarter, "2028-12-31"),
        ("2028-02-29", Year, "2028-12-31"),
        // 1 January 2027 is a Friday: its week began in the year before.
        ("2026-12-28", Week, "2027-01-03"),
        ("2027-01-03", Week, "2027-01-03"),
        ("2027-01-04", Week, "2027-01-10"),
    ];
    for (today, calendar, last) in cases {
        assert_eq!(day(today).period_end(calendar), day(last), "{calendar:?} of {today}");
        assert_eq!(day(today).period(calendar), day(last).period(calendar), "{today}");
    }
    let later = [
        ("2028-02-29", "P1Y", "2029-02-28"),
        ("2028-02-29", "P4Y", "2032-02-29"),
        ("2028-01-31", "P1M", "2028-02-29"),
        ("2027-12-31", "P2M", "2028-02-29"),
        ("2028-02-28", "P1D", "2028-02-29"),
        ("2027-02-28", "P1D", "2027-03-01"),
        // Days are days of the calendar, however many hours they have.
        ("2026-03-28", "P1D", "2026-03-29"),
        ("2026-10-24", "P2D", "2026-10-26"),
    ];
    for (today, duration, want) in later {
        let duration = Duration::parse(duration).unwrap();
        assert_eq!(day(today).plus(duration), day(want), "{today} {duration:?}");
    }
}
