//! Events as they are posted: parsed, held against the programme, and rid of what is not stored.

use domain::event::{Detail, Event, EventType, Purchase};
use domain::id::{Classification, EventId, Key, ParticipantId, UnitId};
use domain::ledger::PayloadHash;
use domain::payment_medium::PaymentMedium;
use domain::programme::Programme;
use domain::spend::SpendAsked;
use domain::time::Instant;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::event::purchase::{lines, payment_medium};
use crate::fault::{BodyFault, code};
use crate::read::{self, Node, Object};
use crate::spend::asked;

mod purchase;

/// Most events of one bulk call.
const MAX_BULK: usize = 1_000;

const FIELDS: &[&str] = &[
    "type",
    "participant_id",
    "alias",
    "unit",
    "performed_on",
    "classification",
    "external_system",
    "external_reference",
    "process_immediately",
    "receipt_number",
    "related_transaction",
    "payment_medium",
    "lines",
    "spend",
];

/// What an event is parsed against.
pub struct EventContext<'a> {
    pub programme: &'a Programme,
    pub now: Instant,
    /// The `Idempotency-Key`, for an event without a reference.
    pub key: Option<&'a Key>,
}

/// An event that can be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedEvent {
    pub event: Event,
    /// Taken after the identifier adjustment.
    pub payload: PayloadHash,
    /// The spend that comes in one call with its purchase.
    pub spend: Option<SpendAsked>,
}

/// Parses one event. Once this returns, the full identifier of a
/// payment medium is nowhere but in `body`, which the caller drops.
///
/// # Errors
/// [`BodyFault::Invalid`] with everything that breaks the contract or the programme's lists.
pub fn parse_event(body: &Value, context: &EventContext<'_>) -> Result<PostedEvent, BodyFault> {
    read::read(body, |node| {
        if let Some(event_type) = node.peek("type") {
            event_type.choice(&EventType::ALL.map(|known| {
                let supported = known == EventType::Purchase;
                (known.name(), supported.then_some(known))
            }))?;
        }
        let fields = node.object(FIELDS)?;
        fields.required("type");
        posted_purchase(body, &fields, context)
    })
}

fn posted_purchase(
    body: &Value,
    fields: &Object<'_>,
    context: &EventContext<'_>,
) -> Option<PostedEvent> {
    let programme = context.programme;
    let id = event_id(fields, context.key);
    let participant = participant(fields);
    let classification = classification(fields, programme, EventType::Purchase);
    let unit = fields.optional("unit").and_then(|unit| unit.parsed(UnitId::parse));
    let performed_on = fields.required("performed_on").and_then(|at| at.past(context.now));
    let asks = fields.optional("process_immediately").and_then(|asks| asks.flag());
    let receipt_number = fields.optional("receipt_number").and_then(|text| text.label(200));
    let related_transaction =
        fields.optional("related_transaction").and_then(|text| text.label(200));
    let rules = &programme.definition.payment_medium;
    let payment_medium =
        fields.optional("payment_medium").and_then(|medium| payment_medium(&medium, rules));
    let lines = fields.required("lines").and_then(|node| lines(&node, programme));
    let spend = fields.optional("spend").and_then(|spend| {
        let fields = spend.object(&["amount", "balance", "classification"])?;
        // Without a time the event is refused; the spend is read for its own faults.
        asked(&fields, programme, unit.clone(), performed_on.unwrap_or(context.now))
    });
    let payload = payload_hash(&as_stored(body, payment_medium.as_ref()));
    let event = Event {
        id: id?,
        participant: participant?,
        classification,
        unit,
        performed_on: performed_on?,
        immediate: asks.unwrap_or(false)
            || programme.definition.immediate.contains(&EventType::Purchase),
        detail: Detail::Purchase(Purchase {
            receipt_number,
            related_transaction,
            payment_medium,
            lines: lines?,
        }),
    };
    Some(PostedEvent { event, payload, spend })
}

/// Who benefits: an id; an alias is not looked up yet.
pub(crate) fn participant(fields: &Object<'_>) -> Option<ParticipantId> {
    if let Some(alias) = fields.optional("alias") {
        alias.fault(code::NOT_SUPPORTED, "aliases are not supported yet: send the participant_id");
        let id = fields.optional("participant_id")?;
        return id.parsed(ParticipantId::parse);
    }
    fields.required("participant_id")?.parsed(ParticipantId::parse)
}

/// A classification of the programme that allows the type.
pub(crate) fn classification(
    fields: &Object<'_>,
    programme: &Programme,
    event_type: EventType,
) -> Option<Classification> {
    let node = fields.optional("classification")?;
    let name = node.parsed(Classification::parse)?;
    if !programme.classifications.contains_key(&name) {
        node.fault(code::UNKNOWN_REFERENCE, "is no classification of the programme");
    } else if !programme.allows(&name, event_type) {
        let event_type = event_type.name();
        node.fault(code::NOT_ALLOWED, format!("is no classification for a {event_type}"));
    }
    Some(name)
}

/// The event's id: its reference, or the key of the call.
fn event_id(fields: &Object<'_>, key: Option<&Key>) -> Option<EventId> {
    let system = fields.optional("external_system");
    let reference = fields.optional("external_reference");
    match (system, reference) {
        (None, None) => match key {
            Some(key) => Some(EventId::of_key(key)),
            None => {
                let message = "is required with its external_system; an Idempotency-Key header \
                               does as well";
                fields.missing("external_reference", message);
                None
            }
        },
        (Some(system), Some(reference)) => referenced(&system, &reference),
        (Some(_), None) => {
            fields.missing("external_reference", "is required where an external_system is given");
            None
        }
        (None, Some(_)) => {
            fields.missing("external_system", "is required where an external_reference is given");
            None
        }
    }
}

fn referenced(system: &Node<'_>, reference: &Node<'_>) -> Option<EventId> {
    let reference = external_reference(reference);
    EventId::of_reference(&external_system(system)?, &reference?).ok()
}

/// The name of a system that sends events.
pub(crate) fn external_system(node: &Node<'_>) -> Option<String> {
    let expected = "must have 1 to 64 of the characters A-Z a-z 0-9 _ . - and must not be \"key\"";
    let parse = |text: &str| EventId::of_reference(text, "any").map(|_| text.to_owned());
    node.parsed(|text| parse(text).map_err(|_| expected))
}

/// A reference within a system.
pub(crate) fn external_reference(node: &Node<'_>) -> Option<String> {
    node.parsed(|text| EventId::of_reference("any", text).map(|_| text.to_owned()))
}

/// The body with the identifier as it is stored; brand and type stay as they were sent, so that
/// a change of the programme's rules does not turn a repeat into another payload.
fn as_stored(body: &Value, medium: Option<&PaymentMedium>) -> Value {
    let mut body = body.clone();
    if let Some(sent) = body.get_mut("payment_medium").and_then(Value::as_object_mut) {
        let identifier = medium.and_then(|medium| medium.identifier.as_deref());
        let adjusted = identifier.map_or(Value::Null, Value::from);
        sent.insert("identifier".into(), adjusted);
    }
    body
}

/// Parses JSON, keeping the literal text of numbers.
///
/// # Errors
/// [`BodyFault::Malformed`] for what is not JSON.
pub fn parse_json(bytes: &[u8]) -> Result<Value, BodyFault> {
    read::json(bytes)
}

/// Parses `{events: […]}` of 1 to 1,000 events; each is parsed on its own, so that a bad
/// one never stops a good one.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`] where there is no such list.
pub fn parse_bulk(bytes: &[u8]) -> Result<Vec<Value>, BodyFault> {
    read::read(&read::json(bytes)?, |node| {
        let events = node.object(&["events"])?.required("events")?;
        let list = events.list(MAX_BULK, |event| Some(event.value.clone()));
        if events.value.as_array().is_some_and(Vec::is_empty) {
            events.fault(code::LENGTH, "must have at least one event");
        }
        Some(list)
    })
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
