//! The time that invocations carry: this machine's, moved as far as asked.

use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Days, Months, TimeDelta, Utc};

/// A clock that can be moved.
#[derive(Debug, Default)]
pub struct Clock {
    ahead_millis: AtomicI64,
}

impl Clock {
    /// The local time.
    pub fn now(&self) -> DateTime<Utc> {
        self.shifted(Utc::now())
    }

    /// A time that was read from the machine's clock, as the local time.
    pub fn shifted(&self, real: DateTime<Utc>) -> DateTime<Utc> {
        let ahead = TimeDelta::milliseconds(self.ahead_millis.load(Ordering::Relaxed));
        real.checked_add_signed(ahead).unwrap_or(real)
    }

    /// Lets the local time be `now` and go on from there.
    pub fn set(&self, now: DateTime<Utc>) {
        let ahead = now.timestamp_millis().saturating_sub(Utc::now().timestamp_millis());
        self.ahead_millis.store(ahead, Ordering::Relaxed);
    }
}

/// `from` moved by an ISO 8601 duration such as `P400D` or `P1Y2M3DT4H5M6S`.
pub fn advance(from: DateTime<Utc>, duration: &str) -> Result<DateTime<Utc>> {
    let Some(rest) = duration.strip_prefix('P').filter(|rest| !rest.is_empty()) else {
        bail!("{duration} is not an ISO 8601 duration")
    };
    let (days, time) = match rest.split_once('T') {
        Some((_, "")) => bail!("{duration} is not an ISO 8601 duration"),
        Some((days, time)) => (days, time),
        None => (rest, ""),
    };
    let mut at = Some(from);
    for (count, unit) in
        parts(days)?.into_iter().map(dated).chain(parts(time)?.into_iter().map(timed))
    {
        let months = |count: u32| Months::new(count);
        let seconds = |each: i64| TimeDelta::try_seconds(each.checked_mul(count.into())?);
        at = match unit {
            'Y' => at.and_then(|t| t.checked_add_months(months(count.checked_mul(12)?))),
            'M' => at.and_then(|t| t.checked_add_months(months(count))),
            'W' => at.and_then(|t| t.checked_add_days(Days::new(u64::from(count) * 7))),
            'D' => at.and_then(|t| t.checked_add_days(Days::new(count.into()))),
            'h' => at.and_then(|t| t.checked_add_signed(seconds(3600)?)),
            'm' => at.and_then(|t| t.checked_add_signed(seconds(60)?)),
            's' => at.and_then(|t| t.checked_add_signed(seconds(1)?)),
            _ => bail!("{duration} is not an ISO 8601 duration"),
        };
    }
    at.with_context(|| format!("{duration} is further than time goes"))
}

fn dated((count, unit): (u32, char)) -> (u32, char) {
    (count, if matches!(unit, 'Y' | 'M' | 'W' | 'D') { unit } else { '?' })
}

/// Units after the `T` are written in lower case here, so that months and minutes differ.
fn timed((count, unit): (u32, char)) -> (u32, char) {
    (count, if matches!(unit, 'H' | 'M' | 'S') { unit.to_ascii_lowercase() } else { '?' })
}

fn parts(text: &str) -> Result<Vec<(u32, char)>> {
    let mut list = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit());
        let Some((end, unit)) = end.and_then(|end| Some((end, rest[end..].chars().next()?))) else {
            bail!("{text}: a number without a unit")
        };
        let count = rest[..end].parse().with_context(|| format!("{text}: not a number"))?;
        list.push((count, unit));
        rest = &rest[end + unit.len_utf8()..];
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_move_by_the_calendar() {
        let from: DateTime<Utc> = "2026-01-31T10:00:00Z".parse().unwrap();
        for (duration, expected) in [
            ("P400D", "2027-03-07T10:00:00Z"),
            ("P1M", "2026-02-28T10:00:00Z"),
            ("P1Y", "2027-01-31T10:00:00Z"),
            ("PT5M", "2026-01-31T10:05:00Z"),
            ("P1W1DT1H2M3S", "2026-02-08T11:02:03Z"),
        ] {
            assert_eq!(
                advance(from, duration).unwrap(),
                expected.parse::<DateTime<Utc>>().unwrap()
            );
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for duration in ["", "P", "PT", "5D", "P5", "PD", "P1H", "P1h", "PT1D", "P-1D", "P1.5D"] {
            assert!(advance(Utc::now(), duration).is_err(), "{duration}");
        }
        assert!(advance(Utc::now(), "P4000000000Y").is_err());
    }
}
