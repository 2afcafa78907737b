//! Holds and their ends.

use domain::amount::{Amount, Decimals};
use domain::hold::HoldTime;
use domain::id::{EventId, TransactionCode};
use domain::ledger::PayloadHash;
use domain::programme::Programme;
use domain::time::Instant;
use serde_json::json;

use crate::event::payload_hash;
use crate::fault::BodyFault;
use crate::read::{json, read};
use crate::request::json_or_empty;
use crate::spend::{SpendRequest, spend_payload, spend_request};

const FIELDS: &[&str] = &[
    "participant_id",
    "alias",
    "pass",
    "purchase_event_id",
    "amount",
    "balance",
    "classification",
    "unit",
    "performed_on",
    "lapses_after",
];

/// Funds that are to be set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldRequest {
    /// The spend that they are for.
    pub spend: SpendRequest,
    pub time: HoldTime,
}

/// A hold that is to be spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettleRequest {
    /// None: all that is held.
    pub amount: Option<Amount>,
    /// None: that of the hold, if it has one.
    pub purchase: Option<EventId>,
    pub payload: PayloadHash,
}

/// Parses the body of `POST /holds`: that of a spend, and how long the hold stands.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`] with everything that is wrong.
pub fn parse_hold(
    bytes: &[u8],
    programme: &Programme,
    now: Instant,
) -> Result<HoldRequest, BodyFault> {
    let value = json(bytes)?;
    read(&value, |node| {
        let body = node.object(FIELDS)?;
        let time = body.optional("lapses_after").map(|time| time.parsed(HoldTime::parse));
        let spend = spend_request(&body, programme, now, spend_payload(&value));
        let time = time.unwrap_or_else(|| Some(HoldTime::default()));
        Some(HoldRequest { spend: spend?, time: time? })
    })
}

/// Parses the settlement of a hold whose balance has these decimals.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`] with everything that is wrong.
pub fn parse_settle(
    bytes: &[u8],
    hold: &TransactionCode,
    decimals: Decimals,
) -> Result<SettleRequest, BodyFault> {
    let value = json_or_empty(bytes)?;
    read(&value, |node| {
        let body = node.object(&["amount", "purchase_event_id"])?;
        let amount = body.optional("amount").and_then(|amount| amount.positive(decimals));
        let purchase = body.optional("purchase_event_id");
        let purchase = purchase.and_then(|purchase| purchase.parsed(EventId::parse));
        let payload = payload_hash(&json!({ "settle": hold.to_string(), "body": value }));
        Some(SettleRequest { amount, purchase, payload })
    })
}

/// Parses the release of a hold: a body that is empty or `{}`.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`].
pub fn parse_release(bytes: &[u8], hold: &TransactionCode) -> Result<PayloadHash, BodyFault> {
    read(&json_or_empty(bytes)?, |node| {
        node.object(&[])?;
        Some(payload_hash(&json!({ "release": hold.to_string() })))
    })
}
