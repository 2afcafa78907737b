//! Small bodies: runs, conversions, exports and verifications.

use domain::export::{Dialect, Mode};
use domain::id::{ParticipantId, RunId};
use domain::time::Instant;
use serde_json::Value;

use crate::fault::{BodyFault, code};
use crate::read::{Node, json, read};

/// A segment export that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportRequest {
    pub mode: Mode,
    pub dialect: Dialect,
    /// Export even if the segment shrank sharply or is empty.
    pub force: bool,
}

/// A conversion that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConversionRequest {
    /// Only tell what would be done.
    pub dry_run: bool,
    /// The scheduled time; none: now.
    pub at: Option<Instant>,
}

/// Parses the start of an evaluation run: the definition it runs, or none for all pending events.
pub fn parse_run(bytes: &[u8]) -> Result<Option<RunId>, BodyFault> {
    let value = json_or_empty(bytes)?;
    read(&value, |node| {
        let body = node.object(&["definition"])?;
        match body.optional("definition") {
            Some(definition) => definition.parsed(RunId::parse).map(Some),
            None => Some(None),
        }
    })
}

/// Parses the start of a conversion: `{dry_run?, at?}`.
pub fn parse_conversion(bytes: &[u8], now: Instant) -> Result<ConversionRequest, BodyFault> {
    let value = json_or_empty(bytes)?;
    read(&value, |node| {
        let body = node.object(&["dry_run", "at"])?;
        let dry_run = body.optional("dry_run").and_then(|dry_run| dry_run.flag());
        let at = match body.optional("at") {
            Some(node) => {
                let at = node.instant();
                if at.is_some_and(|at| at > now) {
                    node.fault(code::IN_FUTURE, "must not be in the future");
                }
                at.map(Some)
            }
            None => Some(None),
        };
        Some(ConversionRequest { dry_run: dry_run.unwrap_or(false), at: at? })
    })
}

/// Parses the start of a verification: whose wallet alone, or none for everybody's.
pub fn parse_verification(bytes: &[u8]) -> Result<Option<ParticipantId>, BodyFault> {
    let value = json_or_empty(bytes)?;
    read(&value, |node| {
        let body = node.object(&["participant_id"])?;
        match body.optional("participant_id") {
            Some(participant) => participant.parsed(ParticipantId::parse).map(Some),
            None => Some(None),
        }
    })
}

/// Parses a segment export: full or delta, in which dialect, forced or not.
pub fn parse_export(bytes: &[u8]) -> Result<ExportRequest, BodyFault> {
    let value = json_or_empty(bytes)?;
    read(&value, |node| {
        let body = node.object(&["mode", "dialect", "force"])?;
        let mode = body.required("mode").and_then(|mode| export_mode(&mode));
        let dialect = match body.optional("dialect") {
            Some(dialect) => export_dialect(&dialect),
            None => Some(Dialect::Canonical),
        };
        let force = body.optional("force").and_then(|force| force.flag()).unwrap_or(false);
        Some(ExportRequest { mode: mode?, dialect: dialect?, force })
    })
}

/// Reads `full` or `delta`.
pub(crate) fn export_mode(node: &Node<'_>) -> Option<Mode> {
    node.choice(&[Mode::Full, Mode::Delta].map(|mode| (mode.name(), Some(mode))))
}

/// Reads the name of a dialect.
pub(crate) fn export_dialect(node: &Node<'_>) -> Option<Dialect> {
    node.choice(&Dialect::ALL.map(|dialect| (dialect.name(), Some(dialect))))
}

/// A body that may be left out.
pub(crate) fn json_or_empty(bytes: &[u8]) -> Result<Value, BodyFault> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    json(bytes)
}
