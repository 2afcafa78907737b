//! Small bodies: runs and exports.

use domain::id::RunId;
use serde_json::Value;

use crate::fault::BodyFault;
use crate::read::{Object, json, read};

/// A segment export that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportRequest {
    /// Export even if the segment shrank sharply or is empty.
    pub force: bool,
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

/// Parses a segment export: full, canonical, forced or not.
pub fn parse_export(bytes: &[u8]) -> Result<ExportRequest, BodyFault> {
    let value = json_or_empty(bytes)?;
    read(&value, |node| {
        let body = node.object(&["mode", "dialect", "force"])?;
        let mode = body.required("mode");
        mode.and_then(|mode| mode.choice(&[("full", Some(())), ("delta", None)]));
        dialect(&body);
        let force = body.optional("force").and_then(|force| force.flag()).unwrap_or(false);
        Some(ExportRequest { force })
    })
}

fn dialect(body: &Object<'_>) {
    let dialects = [
        ("canonical", Some(())),
        ("optimizely", None),
        ("emarsys", None),
        ("klaviyo", None),
        ("braze", None),
        ("mailchimp", None),
    ];
    if let Some(dialect) = body.optional("dialect") {
        dialect.choice(&dialects);
    }
}

/// A body that may be left out.
pub(crate) fn json_or_empty(bytes: &[u8]) -> Result<Value, BodyFault> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    json(bytes)
}
