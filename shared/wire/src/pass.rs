//! Passes: bodies that issue and redeem them.

use domain::id::ParticipantId;
use domain::ledger::PayloadHash;
use serde_json::json;

use crate::event::payload_hash;
use crate::fault::BodyFault;
use crate::read::{self, read};
use crate::request::json_or_empty;

/// A request for one electronic pass of a plan; its recipient is personal, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct IssueRequest {
    /// Whom it is for: an address or a name, as the caller knows it.
    pub recipient: Option<Box<str>>,
    /// How it reaches them: `email`, `sms`, …
    pub channel: Option<Box<str>>,
    pub payload: PayloadHash,
}

/// A pass that a participant redeems.
#[derive(Clone, PartialEq, Eq)]
pub struct RedemptionRequest {
    /// As typed; a secret, so it has no `Debug`.
    pub code: String,
    pub participant: ParticipantId,
    /// Of the participant alone: the pass is the scope of the key already, and a stored hash of
    /// the code would let a reader of the table try codes against it.
    pub payload: PayloadHash,
}

/// Parses the issue of a pass; an empty body counts as `{}`.
pub fn parse_issue(bytes: &[u8]) -> Result<IssueRequest, BodyFault> {
    let value = json_or_empty(bytes)?;
    read(&value, |node| {
        let body = node.object(&["recipient", "channel", "value"])?;
        body.unsupported("value", "passes of this plan have a fixed value: leave it out");
        let recipient = body.optional("recipient").and_then(|recipient| recipient.label(200));
        let channel = body.optional("channel").and_then(|channel| channel.parsed(parse_channel));
        Some(IssueRequest { recipient, channel, payload: payload_hash(&value) })
    })
}

/// Parses a redemption.
pub fn parse_redemption(bytes: &[u8]) -> Result<RedemptionRequest, BodyFault> {
    let value = read::json(bytes)?;
    read(&value, |node| {
        let body = node.object(&["code", "pin", "participant_id"])?;
        body.unsupported("pin", "passes with a PIN are not supported yet");
        let code = body.required("code").and_then(|code| code.label(64));
        let participant = body.required("participant_id");
        let participant = participant.and_then(|id| id.parsed(ParticipantId::parse));
        let (code, participant) = (code?, participant?);
        let payload = payload_hash(&json!({ "participant_id": participant.as_str() }));
        Some(RedemptionRequest { code: code.into(), participant, payload })
    })
}

/// A channel's name.
pub(crate) fn parse_channel(text: &str) -> Result<Box<str>, &'static str> {
    let fits = |b: u8| b.is_ascii_lowercase() || b == b'_';
    if (1..=32).contains(&text.len()) && text.bytes().all(fits) {
        Ok(text.into())
    } else {
        Err("must have 1 to 32 of the characters a-z and _: email, sms, …")
    }
}
