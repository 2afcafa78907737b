//! Instants, the programme's days and calendar periods, and ISO 8601 durations.

use std::fmt;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use thiserror::Error;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

/// A calendar day of the programme's zone, in days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// A calendar month, in months since January of the year 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(pub i32);

/// An ISO 8601 duration of whole years, months, weeks and days: `P1Y`, `P6M`, `P14D`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration {
    months: u32,
    days: u32,
}

/// The kinds of calendar periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calendar {
    Day,
    /// Monday to Sunday.
    Week,
    Month,
    Quarter,
    Year,
}

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("must be a duration of years, months, weeks and days up to a century, such as P1Y or P14D")]
pub struct DurationError;

impl Instant {
    /// The instant `minutes` later.
    pub fn plus_minutes(self, minutes: i64) -> Instant {
        Instant(self.0.saturating_add(minutes.saturating_mul(60_000)))
    }

    /// In the time scale of `chrono`; none outside the years it can show.
    pub fn utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.0)
    }

    /// The day on which this instant falls in the zone.
    pub fn day(self, zone: Tz) -> Day {
        let date = self.utc().map(|utc| utc.with_timezone(&zone).date_naive());
        date.map_or(Day(0), Day::of)
    }
}

impl Day {
    /// The day of a calendar date.
    pub fn of(date: NaiveDate) -> Day {
        Day(date.to_epoch_days())
    }

    /// The calendar date.
    pub fn date(self) -> NaiveDate {
        NaiveDate::from_epoch_days(self.0).unwrap_or_default()
    }

    /// The first instant of this day in the zone. Where a clock change skips midnight, the day
    /// starts with the first instant after the gap.
    pub fn start(self, zone: Tz) -> Instant {
        let midnight = self.date().and_time(NaiveTime::MIN);
        let mut local = midnight;
        for _ in 0..8 {
            if let Some(start) = zone.from_local_datetime(&local).earliest() {
                return Instant(start.timestamp_millis());
            }
            local += TimeDelta::minutes(30);
        }
        Instant(midnight.and_utc().timestamp_millis())
    }

    /// The end of this day in the zone: the first instant that no longer belongs to it.
    pub fn end(self, zone: Tz) -> Instant {
        Day(self.0.saturating_add(1)).start(zone)
    }

    /// Whether this day has begun in the zone.
    pub fn has_begun(self, now: Instant, zone: Tz) -> bool {
        // No clock is a whole day off: only near the day itself the zone must be asked.
        let off = now.0.saturating_sub(i64::from(self.0) * DAY_MILLIS);
        let near = (-DAY_MILLIS..DAY_MILLIS).contains(&off);
        if near { now >= self.start(zone) } else { off > 0 }
    }

    /// Whether this day has ended in the zone.
    pub fn has_ended(self, now: Instant, zone: Tz) -> bool {
        Day(self.0.saturating_add(1)).has_begun(now, zone)
    }

    /// The month of this day.
    pub fn month(self) -> Month {
        let date = self.date();
        Month(date.year() * 12 + i32::try_from(date.month0()).unwrap_or(0))
    }

    /// The day after the duration has passed; the last day of a shorter month.
    pub fn plus(self, duration: Duration) -> Day {
        let later = self
            .date()
            .checked_add_months(Months::new(duration.months))
            .and_then(|date| date.checked_add_days(Days::new(u64::from(duration.days))));
        later.map_or(self, Day::of)
    }

    /// So many days before.
    pub fn minus_days(self, days: u32) -> Day {
        Day(self.0.saturating_sub_unsigned(days))
    }

    /// Number of the calendar period that holds this day; equal for days of the same period.
    pub fn period(self, calendar: Calendar) -> i32 {
        match calendar {
            Calendar::Day => self.0,
            // Day 0 was a Thursday.
            Calendar::Week => (self.0 + 3).div_euclid(7),
            Calendar::Month => self.month().0,
            Calendar::Quarter => self.month().0.div_euclid(3),
            Calendar::Year => self.month().0.div_euclid(12),
        }
    }

    /// The last day of the calendar period that holds this day.
    pub fn period_end(self, calendar: Calendar) -> Day {
        match calendar {
            Calendar::Day => self,
            Calendar::Week => Day(self.0 + 6 - (self.0 + 3).rem_euclid(7)),
            Calendar::Month => self.month().last_day(),
            Calendar::Quarter => Month(self.month().0.div_euclid(3) * 3 + 2).last_day(),
            Calendar::Year => Month(self.month().0.div_euclid(12) * 12 + 11).last_day(),
        }
    }
}

impl Month {
    /// Parses `2026-10`.
    pub fn parse(text: &str) -> Option<Month> {
        let first: NaiveDate = format!("{text}-01").parse().ok()?;
        let month = Day::of(first).month();
        (month.to_string() == text).then_some(month)
    }

    fn last_day(self) -> Day {
        let next = self.0 + 1;
        let month = u32::try_from(next.rem_euclid(12)).unwrap_or(0) + 1;
        let first = NaiveDate::from_ymd_opt(next.div_euclid(12), month, 1);
        Day(Day::of(first.unwrap_or_default()).0 - 1)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

impl Duration {
    /// Parses `P` with years, months, weeks and days in this order; hours are not days.
    pub fn parse(text: &str) -> Result<Duration, DurationError> {
        let mut rest =
            text.strip_prefix('P').filter(|rest| !rest.is_empty()).ok_or(DurationError)?;
        let (mut months, mut days, mut designators) = (0_u32, 0_u32, "YMWD");
        while !rest.is_empty() {
            let at = rest.find(|c: char| !c.is_ascii_digit()).ok_or(DurationError)?;
            let (digits, tail) = rest.split_at(at);
            let count: u32 = digits.parse().map_err(|_| DurationError)?;
            let unit = tail.chars().next().ok_or(DurationError)?;
            let place = designators.find(unit).ok_or(DurationError)?;
            designators = &designators[place + 1..];
            rest = &tail[1..];
            let (target, factor) = match unit {
                'Y' => (&mut months, 12),
                'M' => (&mut months, 1),
                'W' => (&mut days, 7),
                _ => (&mut days, 1),
            };
            let more = count.checked_mul(factor).ok_or(DurationError)?;
            *target = target.checked_add(more).ok_or(DurationError)?;
        }
        let within = months <= 1_200 && days <= 36_600;
        if within { Ok(Duration { months, days }) } else { Err(DurationError) }
    }

    /// A number of days.
    pub fn days(days: u32) -> Duration {
        Duration { months: 0, days }
    }

    /// Its days, where it is made of days and weeks alone.
    pub fn as_days(self) -> Option<u32> {
        (self.months == 0).then_some(self.days)
    }

    /// Its months, where it is made of months and years alone.
    pub fn as_months(self) -> Option<u32> {
        (self.days == 0).then_some(self.months)
    }

    /// Whether it takes no time.
    pub fn is_zero(self) -> bool {
        self.months == 0 && self.days == 0
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "P{}M{}D", self.months, self.days)
    }
}

/// Reads an RFC 3339 time with an offset.
pub fn parse_instant(text: &str) -> Option<Instant> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(Instant(time.timestamp_millis()))
}

/// Writes an instant as RFC 3339 in the zone, to the second, or to the millisecond where it counts.
pub fn show_instant(at: Instant, zone: Tz) -> String {
    let seconds =
        if at.0 % 1_000 == 0 { chrono::SecondsFormat::Secs } else { chrono::SecondsFormat::Millis };
    at.utc().map_or_else(String::new, |utc| utc.with_timezone(&zone).to_rfc3339_opts(seconds, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Berlin;

    fn day(text: &str) -> Day {
        Day::of(text.parse().unwrap())
    }

    #[test]
    fn r12_a_month_is_four_digits_and_two() {
        for good in ["2026-10", "2026-01", "2026-12", "1999-02"] {
            assert_eq!(Month::parse(good).unwrap().to_string(), good);
        }
        assert_eq!(Month::parse("2026-10").unwrap(), day("2026-10-31").month());
        for bad in ["2026-13", "2026-00", "2026-1", "26-10", " 026-10", "2026-10-01", "+2026-10"] {
            assert_eq!(Month::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_day_ends_with_the_clock_of_the_zone() {
        let cases = [
            ("2026-03-29", "2026-03-30T00:00:00+02:00"),
            ("2026-10-25", "2026-10-26T00:00:00+01:00"),
            ("2026-12-31", "2027-01-01T00:00:00+01:00"),
            ("2028-02-28", "2028-02-29T00:00:00+01:00"),
        ];
        for (date, end) in cases {
            assert_eq!(show_instant(day(date).end(Berlin), Berlin), end);
        }
        let length = |date| (day(date).end(Berlin).0 - day(date).start(Berlin).0) / 3_600_000;
        assert_eq!(
            (length("2026-03-29"), length("2026-10-25"), length("2026-06-01")),
            (23, 25, 24)
        );
    }

    #[test]
    fn a_day_whose_midnight_is_skipped_starts_after_the_gap() {
        let zone = chrono_tz::America::Sao_Paulo;
        let start = day("2018-11-04").start(zone);
        assert_eq!(show_instant(start, zone), "2018-11-04T01:00:00-02:00");
        assert_eq!(day("2018-11-03").end(zone), start);
    }

    #[test]
    fn periods_end_where_the_calendar_says() {
        let ends = |date: &str| {
            use Calendar::{Month, Quarter, Week, Year};
            [Calendar::Day, Week, Month, Quarter, Year]
                .map(|calendar| day(date).period_end(calendar).date().to_string())
        };
        let want = ["2028-02-10", "2028-02-13", "2028-02-29", "2028-03-31", "2028-12-31"];
        assert_eq!(ends("2028-02-10"), want);
        for offset in -800..800 {
            for calendar in [Calendar::Week, Calendar::Month, Calendar::Quarter, Calendar::Year] {
                let (today, end) = (Day(offset), Day(offset).period_end(calendar));
                assert_eq!(end.period(calendar), today.period(calendar));
                assert_eq!(Day(end.0 + 1).period(calendar), today.period(calendar) + 1);
            }
        }
    }

    #[test]
    fn durations_are_read_and_counted_on_the_calendar() {
        let after = |from: &str, text: &str| {
            day(from).plus(Duration::parse(text).unwrap()).date().to_string()
        };
        assert_eq!(after("2028-02-29", "P1Y"), "2029-02-28");
        assert_eq!(after("2026-01-31", "P1M"), "2026-02-28");
        assert_eq!(after("2026-01-31", "P1M1D"), "2026-03-01");
        assert_eq!(after("2026-01-01", "P2W"), "2026-01-15");
        for bad in
            ["", "P", "1Y", "P1", "PY", "P1H", "PT5M", "P1D1Y", "P1Y1Y", "P99999999999Y", "P-1D"]
        {
            assert!(Duration::parse(bad).is_err(), "{bad}");
        }
    }
}
