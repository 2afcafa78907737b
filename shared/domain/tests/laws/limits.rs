//! How often an offer awards one participant; days are those of the programme's zone.

use domain::award::Mode;
use domain::offer::{Limit, Offer};
use domain::time::Calendar;

use crate::bookkeeping::Book;
use crate::fixture::*;

/// Events in order of arrival, and whether each was awarded.
fn check(limit: Limit, events: &[(&str, bool)]) {
    let mut book = Book::with(vec![Offer { limit, ..fixed("o", 5) }], noon("2032-01-01"));
    let awarded: Vec<(&str, bool)> = events
        .iter()
        .map(|(performed_on, _)| {
            let event = purchase(&format!("r-{}", book.events.len()), 1_00, at(performed_on));
            let which = book.accept(event);
            (*performed_on, !book.judge(which, Mode::Run).awards.is_empty())
        })
        .collect();
    assert_eq!(awarded, events, "{limit:?}");
}

#[test]
fn r44_once_is_once_whatever_the_date() {
    let day = "2026-11-21T10:00:00+01:00";
    check(Limit::Once, &[(day, true), (day, false), ("2020-01-01T00:00:00Z", false)]);
    check(Limit::Multiple, &[(day, true), (day, true)]);
}

#[test]
fn r44_a_calendar_month_ends_with_the_clock_of_the_zone() {
    // Clocks go forward on 29 March and back on 25 October: 22:00Z and 23:00Z are midnight.
    let month = Limit::OncePerCalendar(Calendar::Month);
    check(
        month,
        &[
            ("2026-03-01T12:00:00+01:00", true),
            ("2026-03-31T21:59:59Z", false),
            ("2026-03-31T22:00:00Z", true),
            ("2026-04-30T23:59:59+02:00", false),
        ],
    );
    check(
        month,
        &[
            ("2026-10-31T22:59:59Z", true),
            ("2026-10-01T00:00:00+02:00", false),
            ("2026-10-31T23:00:00Z", true),
            ("2026-11-30T22:59:59Z", false),
            ("2026-09-30T23:59:59+02:00", true),
        ],
    );
}

#[test]
fn r44_calendar_periods() {
    check(
        Limit::OncePerCalendar(Calendar::Day),
        &[
            ("2026-10-25T00:00:00+02:00", true),
            ("2026-10-25T23:59:59+01:00", false),
            ("2026-10-26T00:00:00+01:00", true),
        ],
    );
    check(
        Limit::OncePerCalendar(Calendar::Week),
        &[
            ("2026-11-16T00:00:00+01:00", true),
            ("2026-11-22T23:59:59+01:00", false),
            ("2026-11-23T00:00:00+01:00", true),
        ],
    );
    check(
        Limit::OncePerCalendar(Calendar::Quarter),
        &[
            ("2026-10-01T00:00:00+02:00", true),
            ("2026-12-31T23:59:59+01:00", false),
            ("2027-01-01T00:00:00+01:00", true),
        ],
    );
    check(
        Limit::OncePerCalendar(Calendar::Year),
        &[
            ("2026-12-31T22:59:59Z", true),
            ("2026-12-31T23:00:00Z", true),
            ("2026-01-01T00:00:00+01:00", false),
        ],
    );
}

#[test]
fn r53_a_rolling_year_counts_from_day_to_day() {
    let year = Limit::OncePerRolling(span("P1Y"));
    check(
        year,
        &[
            ("2026-11-21T23:00:00+01:00", true),
            ("2027-11-20T23:59:59+01:00", false),
            ("2027-11-21T00:00:00+01:00", true),
        ],
    );
    // A year after 29 February has passed on 28 February.
    check(
        year,
        &[
            ("2028-02-29T12:00:00+01:00", true),
            ("2029-02-27T12:00:00+01:00", false),
            ("2029-02-28T12:00:00+01:00", true),
            ("2030-02-27T12:00:00+01:00", false),
        ],
    );
    check(year, &[("2027-02-28T12:00:00+01:00", true), ("2028-02-29T12:00:00+01:00", true)]);
    check(
        Limit::OncePerRolling(span("P1D")),
        &[
            ("2026-11-21T00:00:00+01:00", true),
            ("2026-11-21T23:59:59+01:00", false),
            ("2026-11-22T00:00:00+01:00", true),
        ],
    );
}

#[test]
fn r44_a_rolling_window_holds_for_events_that_arrive_out_of_order() {
    let year = Limit::OncePerRolling(span("P1Y"));
    check(
        year,
        &[
            ("2028-06-01T12:00:00+02:00", true),
            ("2027-06-02T12:00:00+02:00", false),
            ("2027-06-01T12:00:00+02:00", true),
            ("2026-06-01T12:00:00+02:00", true),
            ("2027-01-01T12:00:00+01:00", false),
            ("2029-05-31T12:00:00+02:00", false),
        ],
    );
    check(year, &[("2029-02-28T12:00:00+01:00", true), ("2028-02-29T12:00:00+01:00", true)]);
}

#[test]
fn r44_a_cancelled_award_frees_its_place_and_no_other() {
    let limits =
        [Limit::Once, Limit::OncePerCalendar(Calendar::Month), Limit::OncePerRolling(span("P1Y"))];
    for limit in limits {
        let mut book = Book::with(vec![Offer { limit, ..fixed("o", 5) }], noon("2026-11-21"));
        let first = book.buy("a", 1_00);
        let second = book.buy("b", 1_00);
        book.cancel_event(second).unwrap();
        let third = book.buy("c", 1_00);
        book.cancel_event(first).unwrap();
        let fourth = book.buy("d", 1_00);
        let awarded = [first, second, third, fourth]
            .map(|which| !book.events[which].judgements[0].awards.is_empty());
        assert_eq!(awarded, [true, false, false, true], "{limit:?}");
    }
}
