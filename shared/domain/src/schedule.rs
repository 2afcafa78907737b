//! Schedules: a cron expression by the clock of the programme's zone, and when it was due.

use chrono::TimeDelta;
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use crate::time::Instant;

/// A cron expression of five fields: minute, hour, day, month, weekday.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    cron: Cron,
}

// An expression equals itself: nothing in it is not a number.
impl Eq for Schedule {}

impl Schedule {
    /// Reads an expression. None: the text is not one.
    pub fn parse(text: &str) -> Option<Schedule> {
        let parser =
            CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        Some(Schedule { cron: parser.parse(text).ok()? })
    }

    /// The last time at or before `now` at which the schedule was due in the programme's zone. A
    /// tick that came late, or not at all, is made up for by the next one within a day.
    pub fn last_due(&self, now: Instant, zone: Tz) -> Option<Instant> {
        let now = now.utc()?.with_timezone(&zone);
        let due = self.cron.find_previous_occurrence(&now, true).ok()?;
        (now - due <= TimeDelta::days(1)).then(|| Instant(due.timestamp_millis()))
    }
}
