//! Days that come every year: birthdays and name days.

use std::fmt;

use chrono::{Datelike, NaiveDate};

use crate::time::Day;

/// A month and a day, whichever the year; 29 February falls on the 28th where a year has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anniversary {
    month: u32,
    day: u32,
}

/// A year that has every day.
const LEAP_YEAR: i32 = 2_000;

impl Anniversary {
    /// A day that some year has.
    pub fn new(month: u32, day: u32) -> Option<Anniversary> {
        NaiveDate::from_ymd_opt(LEAP_YEAR, month, day).map(Anniversary::of)
    }

    /// The day that comes every year after this date.
    pub fn of(date: NaiveDate) -> Anniversary {
        Anniversary { month: date.month(), day: date.day() }
    }

    /// Month (1–12) and day (1–31).
    pub fn parts(self) -> (u32, u32) {
        (self.month, self.day)
    }

    /// Reads exactly `MM-DD`.
    pub fn parse(text: &str) -> Option<Anniversary> {
        let (month, day) = text.split_once('-')?;
        let known = Anniversary::new(month.parse().ok()?, day.parse().ok()?)?;
        (known.to_string() == text).then_some(known)
    }

    /// Where it falls in a year; none beyond the years of the calendar.
    pub fn in_year(self, year: i32) -> Option<Day> {
        let date = NaiveDate::from_ymd_opt(year, self.month, self.day);
        date.or_else(|| NaiveDate::from_ymd_opt(year, 2, 28)).map(Day::of)
    }

    /// Whether a day lies at most `before` days before one of its returns and at most `after` days
    /// after it, over New Year too.
    pub fn is_near(self, day: Day, before: u32, after: u32) -> bool {
        let year = day.date().year();
        let returns = (year - 1..=year + 1).filter_map(|year| self.in_year(year));
        let (before, after) = (i64::from(before), i64::from(after));
        returns.map(|back| i64::from(day.0) - i64::from(back.0)).any(|d| -before <= d && d <= after)
    }
}

impl fmt::Display for Anniversary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:02}-{:02}", self.month, self.day)
    }
}
