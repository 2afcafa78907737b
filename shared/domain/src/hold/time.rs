//! How long a hold stands.

use thiserror::Error;

use crate::time::Instant;

const DAY: u32 = 24 * 60;

/// How long a hold stands: whole minutes, from 1 to those of 7 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldTime(u32);

/// Why a text is not the time of a hold.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("must be a duration of 1 minute to 7 days, such as PT15M, PT2H or P1D")]
pub struct HoldTimeError;

impl Default for HoldTime {
    /// A quarter of an hour.
    fn default() -> HoldTime {
        HoldTime(15)
    }
}

impl HoldTime {
    /// Parses ISO 8601 days, hours and minutes: `P1D`, `PT2H`, `P1DT30M`.
    ///
    /// # Errors
    /// The text is none, or is not within a minute and seven days.
    pub fn parse(text: &str) -> Result<HoldTime, HoldTimeError> {
        let rest = text.strip_prefix('P').ok_or(HoldTimeError)?;
        let (days, hours) = match rest.split_once('T') {
            Some((days, hours)) if !hours.is_empty() => (days, hours),
            Some(_) => return Err(HoldTimeError),
            None => (rest, ""),
        };
        let (days, nothing) = counted(days, 'D')?;
        let (hours, minutes) = counted(hours, 'H')?;
        let (minutes, more) = counted(minutes, 'M')?;
        if !nothing.is_empty() || !more.is_empty() {
            return Err(HoldTimeError);
        }
        let sum = days.saturating_mul(DAY).saturating_add(hours.saturating_mul(60));
        let sum = sum.saturating_add(minutes);
        if (1..=7 * DAY).contains(&sum) { Ok(HoldTime(sum)) } else { Err(HoldTimeError) }
    }

    /// When a hold that is made now lapses.
    pub fn after(self, now: Instant) -> Instant {
        now.plus_minutes(i64::from(self.0))
    }
}

/// Reads `<number><unit>` where the text begins with it, and what follows.
fn counted(text: &str, unit: char) -> Result<(u32, &str), HoldTimeError> {
    let Some((digits, rest)) = text.split_once(unit) else { return Ok((0, text)) };
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let count = digits.parse().ok().filter(|_| plain);
    count.map(|count| (count, rest)).ok_or(HoldTimeError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r78_a_hold_stands_for_a_minute_to_seven_days() {
        let after =
            |text: &str| HoldTime::parse(text).map(|time| time.after(Instant(0)).0 / 60_000);
        for (text, minutes) in [
            ("PT1M", 1),
            ("PT15M", 15),
            ("PT2H", 120),
            ("PT90M", 90),
            ("P1D", 1_440),
            ("P1DT1H1M", 1_501),
            ("P7D", 10_080),
            ("PT168H", 10_080),
        ] {
            assert_eq!(after(text), Ok(minutes), "{text}");
        }
        for bad in [
            "",
            "P",
            "PT",
            "15M",
            "PT0M",
            "P0D",
            "P8D",
            "P7DT1M",
            "PT1S",
            "P1M",
            "P1Y",
            "P1W",
            "PTM",
            "PT1M1H",
            "P1DT",
            "PT-1M",
            "PT+1M",
            "PT1.5H",
            "P1H",
            "PT99999999999M",
            "pt15m",
            "PT5M ",
        ] {
            assert_eq!(after(bad), Err(HoldTimeError), "{bad}");
        }
    }
}
