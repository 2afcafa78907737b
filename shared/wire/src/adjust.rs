//! Adjustments by hand, and rows of points movements from another bonus system.

use domain::adjust::Adjustment;
use domain::id::{BalanceCode, Key, ParticipantId};
use domain::ledger::PayloadHash;
use domain::programme::Programme;
use domain::time::Day;
use serde_json::Value;

use crate::event::payload_hash;
use crate::fault::{BodyFault, code};
use crate::read::{Node, Object, json, read};
use crate::spend::known_balance;

/// Most rows of one call.
const MAX_ROWS: usize = 1_000;
const MAX_REASON: usize = 200;

/// An adjustment with the hash of what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdjustRequest {
    pub adjustment: Adjustment,
    pub payload: PayloadHash,
}

/// One row of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdjustRow {
    pub participant: ParticipantId,
    /// The row's key among all adjustments of the participant.
    pub reference: Key,
    pub request: AdjustRequest,
}

/// Parses `{balance, amount, reason, expires?}`; the amount is signed.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`] with everything that is wrong.
pub fn parse_adjustment(bytes: &[u8], programme: &Programme) -> Result<AdjustRequest, BodyFault> {
    let value = json(bytes)?;
    read(&value, |node| {
        let body = node.object(&["balance", "amount", "reason", "expires"])?;
        let adjustment = adjustment(&body, programme)?;
        Some(AdjustRequest { adjustment, payload: payload_hash(&value) })
    })
}

/// Parses `{adjustments: […]}` of 1 to 1,000 rows; each is parsed on its own, so that a bad one
/// never stops a good one.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`] where there is no such list.
pub fn parse_adjustments(bytes: &[u8]) -> Result<Vec<Value>, BodyFault> {
    read(&json(bytes)?, |node| {
        let rows = node.object(&["adjustments"])?.required("adjustments")?;
        let list = rows.list(MAX_ROWS, |row| Some(row.value.clone()));
        if rows.value.as_array().is_some_and(Vec::is_empty) {
            rows.fault(code::LENGTH, "must have at least one row");
        }
        Some(list)
    })
}

/// Parses one row: an adjustment with its participant and its reference. The hash is that of the
/// adjustment alone, as if it were sent by itself under the reference as its key.
///
/// # Errors
/// [`BodyFault::Invalid`] with everything that is wrong.
pub fn parse_row(row: &Value, programme: &Programme) -> Result<AdjustRow, BodyFault> {
    read(row, |node| {
        let fields = &["participant_id", "reference", "balance", "amount", "reason", "expires"];
        let body = node.object(fields)?;
        let participant = body.required("participant_id");
        let participant = participant.and_then(|id| id.parsed(ParticipantId::parse));
        let reference = body.required("reference").and_then(|text| text.parsed(Key::parse));
        let adjustment = adjustment(&body, programme);
        let payload = payload_hash(&alone(row));
        let request = AdjustRequest { adjustment: adjustment?, payload };
        Some(AdjustRow { participant: participant?, reference: reference?, request })
    })
}

/// The payload of an adjustment, whatever stands in it.
pub fn sent_adjustment(bytes: &[u8]) -> Option<PayloadHash> {
    json(bytes).ok().map(|value| payload_hash(&value))
}

/// Whose row it is, its reference and its payload, whatever else stands in it.
pub fn sent_row(row: &Value) -> Option<(ParticipantId, Key, PayloadHash)> {
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let participant = ParticipantId::parse(text("participant_id")?).ok()?;
    let reference = Key::parse(text("reference")?).ok()?;
    Some((participant, reference, payload_hash(&alone(row))))
}

/// A row's adjustment, as if it were sent by itself.
fn alone(row: &Value) -> Value {
    let mut alone = row.clone();
    if let Some(fields) = alone.as_object_mut() {
        fields.retain(|name, _| name != "participant_id" && name != "reference");
    }
    alone
}

fn adjustment(body: &Object<'_>, programme: &Programme) -> Option<Adjustment> {
    let balance = body.required("balance").and_then(|node| {
        let code = node.parsed(BalanceCode::parse)?;
        known_balance(&node, programme, &code)
    });
    let expires = body.optional("expires");
    // Without a balance it is not known how many decimals an amount has.
    let amount = body.required("amount").and_then(|node| {
        let amount = node.signed(balance?.decimals)?;
        if amount.0 < 0 && expires.is_some() {
            node.fault(code::NOT_ALLOWED, "is a debit, which takes what expires first");
        }
        Some(amount)
    });
    let reason = body.required("reason").and_then(|reason| reason.label(MAX_REASON));
    let expires = expires.and_then(|node| last_day(&node));
    let (balance, amount) = (balance?.code.clone(), amount?);
    Some(Adjustment { balance, amount, reason: reason?, expires })
}

/// A date, or none for `"never"`.
fn last_day(node: &Node<'_>) -> Option<Day> {
    if node.value.as_str() == Some("never") { None } else { node.date().map(Day::of) }
}
