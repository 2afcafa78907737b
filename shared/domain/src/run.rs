//! Runs: what a definition does, and when it is due.

use chrono_tz::Tz;

use crate::id::RunId;
use crate::schedule::Schedule;
use crate::time::Instant;

/// What a run does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunKind {
    /// Judges the events that are pending (R-33).
    #[default]
    Evaluation,
    /// Books what has expired and lapsed in all wallets (R-71).
    Expiry,
    /// Looks for whoever came into the segments of alerts, or left them (R-97).
    Alerts,
}

impl RunKind {
    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            RunKind::Evaluation => "evaluation",
            RunKind::Expiry => "expiry",
            RunKind::Alerts => "alerts",
        }
    }
}

/// A recurring run of the programme.
#[derive(Clone, Debug)]
pub struct RunDefinition {
    pub id: RunId,
    pub does: RunKind,
    schedule: Option<Schedule>,
}

impl RunDefinition {
    /// A definition with its cron expression of five fields, or one that is only started by hand.
    /// None: the expression is not one.
    pub fn new(id: RunId, does: RunKind, cron: Option<&str>) -> Option<RunDefinition> {
        let schedule = match cron {
            Some(text) => Some(Schedule::parse(text)?),
            None => None,
        };
        Some(RunDefinition { id, does, schedule })
    }

    /// When it was due last, as [`Schedule::last_due`] says.
    pub fn last_due(&self, now: Instant, zone: Tz) -> Option<Instant> {
        self.schedule.as_ref()?.last_due(now, zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{parse_instant, show_instant};
    use chrono_tz::Europe::Berlin;

    #[test]
    fn a_nightly_run_is_due_in_the_zone_of_the_programme() {
        let id = RunId::parse("nightly").unwrap();
        let nightly = RunDefinition::new(id, RunKind::Evaluation, Some("0 3 * * *")).unwrap();
        let due = |now: &str| {
            let due = nightly.last_due(parse_instant(now).unwrap(), Berlin);
            due.map(|due| show_instant(due, Berlin)).unwrap()
        };
        assert_eq!(due("2026-11-21T03:00:00+01:00"), "2026-11-21T03:00:00+01:00");
        assert_eq!(due("2026-11-21T02:59:59+01:00"), "2026-11-20T03:00:00+01:00");
        assert_eq!(due("2026-06-01T10:00:00Z"), "2026-06-01T03:00:00+02:00");
        assert_eq!(due("2026-03-29T12:00:00+02:00"), "2026-03-29T03:00:00+02:00");
    }

    #[test]
    fn what_is_no_cron_expression_is_refused() {
        for bad in ["", "every day", "0 3 * *", "61 3 * * *", "0 0 3 * * *"] {
            let id = RunId::parse("r").unwrap();
            assert!(RunDefinition::new(id, RunKind::Expiry, Some(bad)).is_none(), "{bad}");
        }
    }
}
