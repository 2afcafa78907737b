//! What email platforms report: unsubscribes, bounces and complaints.

use domain::alias::Alias;
use domain::id::ParticipantId;
use domain::participant::{Channel, Consent};
use domain::time::Instant;
use serde_json::Value;

use crate::alias::{not_both, read_alias};
use crate::fault::{BodyFault, code};
use crate::pass::parse_channel;
use crate::read::{json, read};

/// Most rows of one call.
const MAX_ROWS: usize = 1_000;

/// Why a channel must not be used any more: the process of the opt-out that it comes to.
const REASONS: [(&str, Option<&str>); 3] = [
    ("unsubscribe", Some("unsubscribe")),
    ("bounce", Some("bounce")),
    ("complaint", Some("complaint")),
];

/// Whom a row is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    Id(ParticipantId),
    Alias(Alias),
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    pub who: Named,
    pub channel: Channel,
    /// An opt-out.
    pub consent: Consent,
}

/// Parses `{suppressions: […]}` of 1 to 1,000 rows; each is parsed on its own, so that a bad one
/// never stops a good one.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`] where there is no such list.
pub fn parse_suppressions(bytes: &[u8]) -> Result<Vec<Value>, BodyFault> {
    read(&json(bytes)?, |node| {
        let rows = node.object(&["suppressions"])?.required("suppressions")?;
        let list = rows.list(MAX_ROWS, |row| Some(row.value.clone()));
        if rows.value.as_array().is_some_and(Vec::is_empty) {
            rows.fault(code::LENGTH, "must have at least one row");
        }
        Some(list)
    })
}

/// Parses one row: `{participant_id or alias, channel, reason, at, source?}`. It happened already:
/// one of the future would outlast every opt-in until then.
///
/// # Errors
/// [`BodyFault::Invalid`] with everything that is wrong.
pub fn parse_suppression(row: &Value, now: Instant) -> Result<Suppression, BodyFault> {
    read(row, |node| {
        let fields = &["participant_id", "alias", "channel", "reason", "at", "source"];
        let body = node.object(fields)?;
        not_both(&body);
        let alias = body.optional("alias").map(|alias| read_alias(&alias).map(Named::Alias));
        let who = alias.unwrap_or_else(|| {
            body.required("participant_id")?.parsed(ParticipantId::parse).map(Named::Id)
        });
        let channel = body.required("channel").and_then(|channel| channel.parsed(parse_channel));
        let reason = body.required("reason").and_then(|reason| reason.choice(&REASONS));
        let at = body.required("at").and_then(|at| at.past(now));
        let source = body.optional("source").and_then(|source| source.label(200));
        let process = Some(reason?.into());
        let consent = Consent { granted: false, at: at?, source, process };
        Some(Suppression { who: who?, channel: channel?, consent })
    })
}
