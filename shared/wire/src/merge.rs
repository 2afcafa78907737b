//! The merge of a duplicate into the participant that stays.

use domain::id::ParticipantId;
use domain::ledger::PayloadHash;
use serde_json::json;

use crate::event::payload_hash;
use crate::fault::{BodyFault, code};
use crate::read::{json as parse, read};

/// Who is merged, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeRequest {
    pub duplicate: ParticipantId,
    pub reason: Option<Box<str>>,
    /// Also of who stays: the key is one of the duplicate.
    pub payload: PayloadHash,
}

/// Parses `{duplicate, reason?}`.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`] with everything that is wrong.
pub fn parse_merge(bytes: &[u8], into: &ParticipantId) -> Result<MergeRequest, BodyFault> {
    read(&parse(bytes)?, |node| {
        let body = node.object(&["duplicate", "reason"])?;
        let named = body.required("duplicate");
        let duplicate = named.as_ref().and_then(|id| id.parsed(ParticipantId::parse));
        if let (Some(named), true) = (&named, duplicate.as_ref() == Some(into)) {
            named.fault(code::NOT_ALLOWED, "is the participant that it would be merged into");
        }
        let given = body.optional("reason");
        let reason = given.as_ref().map(|reason| reason.label(500));
        let duplicate = duplicate?;
        let reason = reason.map_or(Some(None), |reason| reason.map(Some))?;
        let told = json!({
            "into": into.as_str(),
            "duplicate": duplicate.as_str(),
            "reason": reason.as_deref(),
        });
        Some(MergeRequest { duplicate, reason, payload: payload_hash(&told) })
    })
}
