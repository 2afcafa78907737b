//! Cancels, whole and in part, and the credit notes that are some.

use domain::event::{Event, EventType, MAX_LINES};
use domain::id::{EventId, Key};
use domain::ledger::PayloadHash;
use domain::returns::ReturnedLine;
use serde_json::json;

use crate::event::{external_reference, external_system, payload_hash};
use crate::fault::{BodyFault, Violation, code};
use crate::read::{Object, json, read};
use crate::request::json_or_empty;

/// Most pieces of a line.
const MAX_QUANTITY: u32 = 1_000_000;
/// Most characters of a reason.
const MAX_REASON: usize = 200;

/// A cancel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelRequest {
    /// What comes back; none: all that is left.
    pub lines: Vec<ReturnedLine>,
    pub reason: Option<Box<str>>,
    pub payload: PayloadHash,
}

/// A credit note: goods of an invoice come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditNote {
    /// Its own number, which is its key.
    pub id: EventId,
    /// The invoice's purchase.
    pub invoice: EventId,
    /// What comes back; none: all that is left.
    pub lines: Vec<ReturnedLine>,
    pub reason: Option<Box<str>>,
    pub payload: PayloadHash,
}

/// Parses a cancel: a body that is empty or `{}`, or names lines or a reason.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`] with everything that is wrong.
pub fn parse_cancel(bytes: &[u8]) -> Result<CancelRequest, BodyFault> {
    let value = json_or_empty(bytes)?;
    read(&value, |node| {
        let body = node.object(&["lines", "reason"])?;
        let (lines, reason) = (lines(&body), reason(&body));
        Some(CancelRequest { lines, reason, payload: payload_hash(&value) })
    })
}

/// Parses a credit note. It is known by its own number, as an event is by its reference.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`] with everything that is wrong.
pub fn parse_credit_note(bytes: &[u8]) -> Result<CreditNote, BodyFault> {
    const FIELDS: &[&str] =
        &["external_system", "external_reference", "invoice_reference", "lines", "reason"];
    let value = json(bytes)?;
    read(&value, |node| {
        let body = node.object(FIELDS)?;
        let system = body.required("external_system").and_then(|node| external_system(&node));
        let reference = |name| body.required(name).and_then(|node| external_reference(&node));
        let (number, invoice) = (reference("external_reference"), reference("invoice_reference"));
        let of_system =
            |reference: Option<String>| EventId::of_reference(system.as_ref()?, &reference?).ok();
        let (id, invoice) = (of_system(number), of_system(invoice));
        let (reason, lines, payload) = (reason(&body), lines(&body), payload_hash(&value));
        Some(CreditNote { id: id?, invoice: invoice?, lines, reason, payload })
    })
}

/// The hash of the key under which an event is cancelled.
pub fn cancel_key(key: &Key) -> PayloadHash {
    payload_hash(&json!({ "key": key.as_str() }))
}

/// The hash of a credit note's number, which is its key.
pub fn credit_note_key(id: &EventId) -> PayloadHash {
    payload_hash(&json!({ "credit_note": id.as_str() }))
}

/// Why, in the words of whoever cancels.
pub(crate) fn reason(body: &Object<'_>) -> Option<Box<str>> {
    body.optional("reason").and_then(|reason| reason.label(MAX_REASON))
}

/// Which lines come back, each named once; where none are named, all that is left does.
fn lines(body: &Object<'_>) -> Vec<ReturnedLine> {
    let Some(node) = body.optional("lines") else { return Vec::new() };
    if node.value.as_array().is_some_and(Vec::is_empty) {
        node.fault(code::LENGTH, "must have at least one line, or be left out");
    }
    let mut known = Vec::new();
    node.list(MAX_LINES, |line| {
        let fields = line.object(&["index", "quantity"])?;
        let last = u32::try_from(MAX_LINES - 1).unwrap_or(u32::MAX);
        let index = fields.required("index").and_then(|index| index.integer(0..=last));
        let quantity = fields.required("quantity").and_then(|q| q.integer(1..=MAX_QUANTITY));
        let index = u16::try_from(index?).ok()?;
        if known.contains(&index) {
            fields.at("index").fault(code::DUPLICATE, "is named twice: add up its quantities");
        }
        known.push(index);
        Some(ReturnedLine { index, quantity: quantity? })
    })
}

/// Holds the lines that come back against the purchase: as many as it had may be named. How many of
/// them are left is for the ledger to say.
///
/// # Errors
/// [`BodyFault::Invalid`] with everything that is wrong.
pub fn check_lines(lines: &[ReturnedLine], event: &Event) -> Result<(), BodyFault> {
    let violation = |pointer: String, code, message: String| Violation { pointer, code, message };
    let mut violations = Vec::new();
    if event.event_type() != EventType::Purchase && !lines.is_empty() {
        let message = "must be left out: only a purchase has lines".to_owned();
        violations.push(violation("/lines".to_owned(), code::NOT_ALLOWED, message));
        return Err(BodyFault::Invalid(violations));
    }
    for (at, back) in lines.iter().enumerate() {
        match event.lines().get(usize::from(back.index)) {
            None => {
                let count = event.lines().len();
                let message = format!("is no line of the purchase: it has {count}, from 0");
                violations.push(violation(format!("/lines/{at}/index"), code::RANGE, message));
            }
            Some(line) if back.quantity > line.quantity => {
                let message = format!("is more than the line had: {}", line.quantity);
                violations.push(violation(format!("/lines/{at}/quantity"), code::RANGE, message));
            }
            Some(_) => {}
        }
    }
    if violations.is_empty() { Ok(()) } else { Err(BodyFault::Invalid(violations)) }
}
