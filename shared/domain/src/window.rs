//! Windows of time: days and hours of the week, periods, days around a birthday.

use chrono::{Datelike, NaiveDate, Timelike, Weekday, WeekdaySet};
use chrono_tz::Tz;

use crate::anniversary::Anniversary;
use crate::time::{Day, Instant};

/// Minutes of a whole day: where a window that lasts until midnight ends.
pub const DAY_MINUTES: u16 = 24 * 60;

/// Days of the week and hours of the day, by the clock of the programme's zone. In the hour
/// that comes twice in autumn both count; the one that is missing in spring never comes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Times {
    /// None: every day.
    pub days: WeekdaySet,
    /// At any of these; none: all day.
    pub hours: Vec<Hours>,
}

/// A window of the day in minutes since midnight, `from` inclusive, `to` exclusive. One that does
/// not end after it begins lasts past midnight, and belongs to the day on which it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hours {
    /// 0–1439.
    pub from: u16,
    /// 0–1440, never `from`.
    pub to: u16,
}

/// A time in which events count, by `performed_on`: all that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    /// Inclusive.
    pub from: Option<Instant>,
    /// Exclusive.
    pub to: Option<Instant>,
    pub times: Option<Times>,
    pub around: Option<Around>,
}

/// Whole days of the programme's zone around a day of the participant's, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Around {
    pub what: Occasion,
    /// 0–180 days.
    pub before: u32,
    /// 0–180 days.
    pub after: u32,
}

/// A day of the participant's that comes every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    Birthday,
    NameDay,
}

/// An instant as the clock of a zone shows it: looked up once, for many windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    pub at: Instant,
    pub day: Day,
    weekday: Weekday,
    /// Since midnight.
    minute: u32,
}

/// One of the 168 hours of a week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WeekHour {
    weekday: Weekday,
    /// 0–23.
    hour: u32,
}

impl Clock {
    /// What the clock of the zone shows.
    pub fn of(at: Instant, zone: Tz) -> Clock {
        let local = at.utc().unwrap_or_default().with_timezone(&zone).naive_local();
        let minute = local.hour() * 60 + local.minute();
        Clock { at, day: Day::of(local.date()), weekday: local.weekday(), minute }
    }

    /// The hour of the week that it shows.
    pub fn hour(&self) -> WeekHour {
        WeekHour { weekday: self.weekday, hour: self.minute / 60 }
    }
}

impl WeekHour {
    /// All of them, in order.
    pub fn all() -> impl Iterator<Item = WeekHour> {
        let days = std::iter::successors(Some(Weekday::Mon), |day| Some(day.succ())).take(7);
        days.flat_map(|weekday| (0..24).map(move |hour| WeekHour { weekday, hour }))
    }
}

impl Occasion {
    /// The day it is of a participant with these, where it is known.
    pub fn of(
        self,
        birthday: Option<NaiveDate>,
        name_day: Option<Anniversary>,
    ) -> Option<Anniversary> {
        match self {
            Occasion::Birthday => birthday.map(Anniversary::of),
            Occasion::NameDay => name_day,
        }
    }
}

impl Times {
    /// These days as bits, Monday the lowest, with these hours.
    pub fn of_bits(days: u8, hours: Vec<Hours>) -> Times {
        let week = std::iter::successors(Some(Weekday::Mon), |day| Some(day.succ())).take(7);
        let days = week.filter(|day| days & (1 << day.num_days_from_monday()) != 0);
        Times { days: days.collect(), hours }
    }

    /// The days as bits, Monday the lowest.
    pub fn day_bits(&self) -> u8 {
        self.days.iter(Weekday::Mon).map(|day| 1 << day.num_days_from_monday()).sum()
    }

    /// Whether the clock shows one of these times.
    pub fn holds(&self, clock: &Clock) -> bool {
        self.hold_within(clock.weekday, clock.minute, clock.minute)
    }

    /// Whether one of these times lies in the hour.
    pub fn touch(&self, hour: WeekHour) -> bool {
        self.hold_within(hour.weekday, hour.hour * 60, hour.hour * 60 + 59)
    }

    /// Whether one of these times lies between two minutes of a day, both inclusive.
    fn hold_within(&self, today: Weekday, first: u32, last: u32) -> bool {
        let on = |day: Weekday| self.days.is_empty() || self.days.contains(day);
        let open = |hours: &Hours| {
            let (from, to) = (u32::from(hours.from), u32::from(hours.to));
            if from < to {
                on(today) && from <= last && first < to
            } else {
                on(today) && from <= last || on(today.pred()) && first < to
            }
        };
        if self.hours.is_empty() { on(today) } else { self.hours.iter().any(open) }
    }
}

impl Validity {
    /// Whether what happened at this time may count, for some participant.
    pub fn may_hold(&self, clock: &Clock) -> bool {
        self.from.is_none_or(|from| clock.at >= from)
            && self.to.is_none_or(|to| clock.at < to)
            && self.times.as_ref().is_none_or(|times| times.holds(clock))
    }

    /// Whether what happened at this time counts. Around a day that is not known nothing does.
    pub fn holds(
        &self,
        clock: &Clock,
        birthday: Option<NaiveDate>,
        name_day: Option<Anniversary>,
    ) -> bool {
        self.may_hold(clock)
            && self.around.is_none_or(|around| {
                let known = around.what.of(birthday, name_day);
                known.is_some_and(|known| known.is_near(clock.day, around.before, around.after))
            })
    }

    /// Whether it depends on the participant's profile.
    pub fn asks_profile(&self) -> bool {
        self.around.is_some()
    }
}
