//! Schedules: when they are due by the machine's clock, and what they hand to their function.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::functions::{Functions, Outcome};
use crate::template::SchedulePlan;

const SCHEDULED_TIME: &str = "<aws.scheduler.scheduled-time>";

/// A schedule that can be fired.
pub struct Schedule {
    pub plan: SchedulePlan,
    when: When,
    zone: Tz,
    pub functions: Arc<Functions>,
    pub clock: Arc<Clock>,
}

enum When {
    Every(TimeDelta),
    Cron(Box<Cron>),
}

impl Schedule {
    /// Reads the schedule's expression and zone.
    pub fn new(plan: SchedulePlan, functions: Arc<Functions>, clock: Arc<Clock>) -> Result<Self> {
        let read = || anyhow::Ok((when(&plan.expression)?, Tz::from_str(&plan.zone)?));
        let (when, zone) = read().with_context(|| format!("schedule {}", plan.id))?;
        Ok(Self { plan, when, zone, functions, clock })
    }

    /// Fires now, for the local time.
    pub async fn fire(&self) -> Outcome {
        let now = self.clock.now().to_rfc3339_opts(SecondsFormat::Secs, true);
        let input = self.plan.input.replace(SCHEDULED_TIME, &now);
        self.functions.invoke(&self.plan.function, input.into()).await
    }

    /// Fires whenever it is due, until `stop`.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut last = Utc::now();
        while let Some(next) = self.after(last) {
            let wait = next.signed_duration_since(Utc::now()).to_std().unwrap_or(Duration::ZERO);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            let schedule = Arc::clone(&self);
            tokio::spawn(async move { drop(schedule.fire().await) });
            // After the machine slept, what was missed is not made up for.
            last = next.max(Utc::now());
        }
    }

    fn after(&self, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match &self.when {
            When::Every(period) => time.checked_add_signed(*period),
            When::Cron(cron) => {
                let next =
                    cron.find_next_occurrence(&time.with_timezone(&self.zone), false).ok()?;
                Some(next.with_timezone(&Utc))
            }
        }
    }
}

fn when(expression: &str) -> Result<When> {
    let argument = |name: &str| {
        expression.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')').map(str::to_owned)
    };
    if let Some(rate) = argument("rate") {
        let (count, unit) = rate.split_once(' ').context("a rate is a number and a unit")?;
        let count = i64::from(count.parse::<u32>().context("a rate is a number and a unit")?);
        let period = match unit {
            "minute" | "minutes" => TimeDelta::try_minutes(count),
            "hour" | "hours" => TimeDelta::try_hours(count),
            "day" | "days" => TimeDelta::try_days(count),
            other => bail!("a rate cannot be in {other}"),
        };
        return match period.filter(|period| *period > TimeDelta::zero()) {
            Some(period) => Ok(When::Every(period)),
            None => bail!("a rate must be more than nothing"),
        };
    }
    if let Some(cron) = argument("cron") {
        // Minutes to years, Sunday as 1; the parser wants seconds too where it is to take years.
        let parser = CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Required)
            .alternative_weekdays(true)
            .build();
        return Ok(When::Cron(Box::new(parser.parse(&format!("0 {cron}"))?)));
    }
    bail!("the local stack does not know the expression {expression}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(expression: &str, zone: &str) -> Option<String> {
        let when = when(expression).ok()?;
        let from: DateTime<Utc> = "2026-11-21T01:30:00Z".parse().unwrap();
        let next = match when {
            When::Every(period) => from + period,
            When::Cron(cron) => {
                let zone: Tz = zone.parse().unwrap();
                let from = from.with_timezone(&zone);
                cron.find_next_occurrence(&from, false).unwrap().with_timezone(&Utc)
            }
        };
        Some(next.to_rfc3339_opts(SecondsFormat::Secs, true))
    }

    #[test]
    fn expressions_are_due_in_their_zone() {
        for (expression, zone, due) in [
            ("rate(5 minutes)", "UTC", "2026-11-21T01:35:00Z"),
            ("rate(1 day)", "UTC", "2026-11-22T01:30:00Z"),
            ("cron(0 3 * * ? *)", "Europe/Berlin", "2026-11-21T02:00:00Z"),
            ("cron(0 3 ? * 1 *)", "Europe/Berlin", "2026-11-22T02:00:00Z"),
            ("cron(0 0 1 1 ? 2027)", "UTC", "2027-01-01T00:00:00Z"),
        ] {
            assert_eq!(next(expression, zone).as_deref(), Some(due), "{expression}");
        }
        for unknown in ["rate(0 minutes)", "rate(x)", "cron(x)", "at(2026-11-21T00:00:00)", ""] {
            assert_eq!(next(unknown, "UTC"), None, "{unknown}");
        }
    }
}
