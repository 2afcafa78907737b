//! How a segment of the programme document is exported: its guard and its schedule.

use domain::export::{AT_LEAST_PERCENT, Dialect, ExportPlan, Mode, ScheduledExport};
use domain::schedule::Schedule;

use crate::fault::code;
use crate::read::{Node, Object};
use crate::request::{export_dialect, export_mode};

/// The plan of a segment: `guard` and `export`, both optional.
pub(super) fn export_plan(segment: &Object<'_>) -> Option<ExportPlan> {
    let at_least_percent = match segment.optional("guard") {
        Some(guard) => {
            let fields = guard.object(&["at_least_percent"])?;
            fields.required("at_least_percent")?.integer(0..=100)
        }
        None => Some(u32::from(AT_LEAST_PERCENT)),
    };
    let scheduled = match segment.optional("export") {
        Some(export) => scheduled(&export).map(Some),
        None => Some(None),
    };
    let at_least_percent = u8::try_from(at_least_percent?).ok()?;
    Some(ExportPlan { at_least_percent, scheduled: scheduled? })
}

fn scheduled(export: &Node<'_>) -> Option<ScheduledExport> {
    let fields = export.object(&["cron", "mode", "dialect"])?;
    let schedule = fields.required("cron").and_then(|cron| schedule(&cron));
    let mode = match fields.optional("mode") {
        Some(mode) => export_mode(&mode),
        None => Some(Mode::Full),
    };
    let dialect = match fields.optional("dialect") {
        Some(dialect) => export_dialect(&dialect),
        None => Some(Dialect::Canonical),
    };
    Some(ScheduledExport { schedule: schedule?, mode: mode?, dialect: dialect? })
}

pub(super) fn schedule(cron: &Node<'_>) -> Option<Schedule> {
    let schedule = Schedule::parse(cron.text()?);
    if schedule.is_none() {
        let message = "must be a schedule of five fields, minute hour day month weekday: 0 3 * * *";
        cron.fault(code::PATTERN, message);
    }
    schedule
}
