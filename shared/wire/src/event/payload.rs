//! What makes two bodies one: a hash of what was asked, without what is not kept.

use domain::event::Event;
use domain::id::{EventId, Key};
use domain::ledger::PayloadHash;
use domain::payment_medium::PaymentMedium;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::event::referenced;
use crate::read;

/// Which event a body is, whatever else stands in it: its reference, or the key of the call.
pub fn sent_id(body: &Value, key: Option<&Key>) -> Option<EventId> {
    let id = read::read(body, |node| {
        let (system, reference) = (node.peek("external_system"), node.peek("external_reference"));
        match (system, reference) {
            (None, None) => key.map(EventId::of_key),
            (system, reference) => referenced(&system?, &reference?),
        }
    });
    id.ok()
}

/// The payload of a body that may repeat this event: its identifier is adjusted as that of the
/// event was, so that the two agree whatever the programme says of identifiers by now.
pub fn repeated_payload(body: &Value, event: &Event) -> PayloadHash {
    let kept = event.payment_medium().map(|medium| medium.kept).unwrap_or_default();
    let sent = body.get("payment_medium").and_then(|medium| medium.get("identifier"));
    let adjusted = sent.and_then(Value::as_str).map(|identifier| kept.adjust(identifier));
    payload_hash(&with_identifier(body, adjusted.as_deref()))
}

/// The body with the identifier as it is stored, and without the code of a pass: a stored hash of it
/// would let a reader of the table try codes; brand and type stay as they were sent, so that
/// a change of the programme's rules does not turn a repeat into another payload.
pub(crate) fn as_stored(body: &Value, medium: Option<&PaymentMedium>) -> Value {
    with_identifier(body, medium.and_then(|medium| medium.identifier.as_deref()))
}

fn with_identifier(body: &Value, identifier: Option<&str>) -> Value {
    let mut body = body.clone();
    if let Some(sent) = body.get_mut("payment_medium").and_then(Value::as_object_mut) {
        let adjusted = identifier.map_or(Value::Null, Value::from);
        sent.insert("identifier".into(), adjusted);
    }
    if let Some(pass) = body.get_mut("pass").and_then(Value::as_object_mut) {
        pass.remove("code");
    }
    body
}

/// The first eight bytes of the SHA-256 over a canonical text of what was asked: fields sorted,
/// nulls left out, numbers as they were written. It does not depend on how anything is stored.
pub fn payload_hash(value: &Value) -> PayloadHash {
    let digest = Sha256::digest(canonical(value).to_string().as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    PayloadHash(first)
}

/// Sorted explicitly: whether the map type sorts depends on features that other crates choose.
fn canonical(value: &Value) -> Value {
    if let Some(map) = value.as_object() {
        let mut fields: Vec<_> = map.iter().filter(|(_, field)| !field.is_null()).collect();
        fields.sort_by_key(|(name, _)| *name);
        let fields = fields.into_iter().map(|(name, field)| (name.clone(), canonical(field)));
        return Value::Object(Map::from_iter(fields));
    }
    match value.as_array() {
        Some(items) => Value::Array(items.iter().map(canonical).collect()),
        None => value.clone(),
    }
}
