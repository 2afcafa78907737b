//! Events as they are posted: parsed, held against the programme, and rid of what is not stored.

use std::fmt;

use domain::event::{Event, EventType};
use domain::id::{Classification, EventId, Key, ParticipantId, UnitId};
use domain::ledger::PayloadHash;
use domain::programme::Programme;
use domain::spend::SpendAsked;
use domain::time::Instant;
use serde_json::Value;

use crate::alias::{not_both, read_alias};
use crate::event::detail::{detail, known_fields};
use crate::fault::{BodyFault, code};
use crate::read::{self, Node, Object};
use crate::spend::asked;

mod detail;
mod payload;
mod purchase;
mod statement;

pub(crate) use payload::as_stored;
pub use payload::{payload_hash, repeated_payload, sent_id};

/// Most events of one bulk call.
const MAX_BULK: usize = 1_000;

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
    /// The spend that comes in one call with its purchase, or that the event is.
    pub spend: Option<SpendAsked>,
    /// The code that comes with a purchase.
    pub code: Option<TypedCode>,
}

/// A code of a pass as typed: a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct TypedCode(pub Box<str>);

impl fmt::Debug for TypedCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("TypedCode")
    }
}

/// Parses one event with the fields of its type and no others.
/// Once this returns, the full identifier of a payment medium is nowhere but in `body`, which the
/// caller drops.
///
/// # Errors
/// [`BodyFault::Invalid`] with everything that breaks the contract or the programme's lists.
pub fn parse_event(body: &Value, context: &EventContext<'_>) -> Result<PostedEvent, BodyFault> {
    read::read(body, |node| {
        let event_type = match node.peek("type") {
            Some(named) => {
                named.choice(&EventType::ALL.map(|known| (known.name(), Some(known))))?
            }
            // That it is missing is noted below, with what else is wrong with a purchase.
            None => EventType::Purchase,
        };
        let fields = node.object(known_fields(event_type))?;
        fields.required("type");
        let id = event_id(&fields, context.key);
        let immediate = immediate(&fields, event_type, context.programme);
        let event = read_event(&fields, event_type, id, immediate, context);
        let within = (event_type == EventType::Purchase).then(|| spend_within(&fields, context));
        let purchase = event_type == EventType::Purchase;
        let code = if purchase { code_within(&fields, immediate) } else { None };
        let event = event?;
        let payload = payload_hash(&as_stored(body, event.payment_medium()));
        let spend = event.asked().or(within.flatten().map(|asked| SpendAsked {
            unit: event.unit.clone(),
            performed_on: event.performed_on,
            ..asked
        }));
        Some(PostedEvent { event, payload, spend, code })
    })
}

/// Parses one event of a bulk: any but a spend request.
///
/// # Errors
/// As of [`parse_event`].
pub fn parse_row(body: &Value, context: &EventContext<'_>) -> Result<PostedEvent, BodyFault> {
    let posted = parse_event(body, context)?;
    read::read(body, |node| {
        if posted.event.event_type() == EventType::SpendRequest {
            let message =
                "is not taken in bulk: a spend is carried out at once, in a call of its own";
            node.peek("type")?.fault(code::NOT_ALLOWED, message);
        }
        if posted.code.is_some() {
            let message = "is not taken in bulk: a code is used in the call that brings its \
                           purchase alone, which tells the till what became of it";
            node.peek("pass")?.fault(code::NOT_ALLOWED, message);
        }
        Some(posted)
    })
}

/// Reads an event of a type. What is required is noted; what can be read is read, so that
/// everything that is wrong is found.
pub(crate) fn read_event(
    fields: &Object<'_>,
    event_type: EventType,
    id: Option<EventId>,
    immediate: bool,
    context: &EventContext<'_>,
) -> Option<Event> {
    let programme = context.programme;
    let participant = match event_type {
        EventType::Referral => referrer(fields),
        EventType::Purchase
        | EventType::SocialMedia
        | EventType::Web
        | EventType::Achievement
        | EventType::FinancialAchievement
        | EventType::FinancialStatement
        | EventType::SpendRequest => participant(fields),
    };
    let classification = classification(fields, programme, event_type);
    let unit = fields.optional("unit").and_then(|unit| unit.parsed(UnitId::parse));
    let performed_on = performed_on(fields, event_type, context.now);
    let detail = detail(fields, event_type, participant.as_ref(), context);
    Some(Event {
        id: id?,
        participant: participant?,
        classification,
        unit,
        performed_on: performed_on?,
        immediate,
        detail: detail?,
    })
}

/// The spend that comes with a purchase, but for the unit and time, which are the purchase's.
fn spend_within(fields: &Object<'_>, context: &EventContext<'_>) -> Option<SpendAsked> {
    let spend = fields.optional("spend")?;
    let fields = spend.object(&["amount", "balance", "classification"])?;
    let classification = classification(&fields, context.programme, EventType::SpendRequest);
    let (balance, amount) = asked(&fields, context.programme)?;
    Some(SpendAsked { balance, amount, classification, unit: None, performed_on: context.now })
}

/// The code that comes with a purchase; no message repeats it.
fn code_within(fields: &Object<'_>, immediate: bool) -> Option<TypedCode> {
    let pass = fields.optional("pass")?;
    if !immediate {
        let message = "a code is used while the purchase is paid: say process_immediately";
        pass.fault(code::NOT_ALLOWED, message);
    }
    let typed = pass.object(&["code"])?.required("code")?.label(64)?;
    Some(TypedCode(typed))
}

/// Whether offers that may be interactive judge it in this call.
fn immediate(fields: &Object<'_>, event_type: EventType, programme: &Programme) -> bool {
    let asks = fields.optional("process_immediately");
    let flag = asks.as_ref().and_then(|asks| asks.flag()).unwrap_or(false);
    if let Some(asks) = asks.filter(|_| flag && !event_type.may_be_immediate()) {
        let name = event_type.name();
        asks.fault(code::NOT_ALLOWED, format!("events of type {name} always wait for a run"));
    }
    // Spends are always carried out at once.
    let at_once = event_type == EventType::SpendRequest;
    flag || at_once || programme.definition.immediate.contains(&event_type)
}

/// When it was performed; a spend request that does not say so is performed now.
pub(crate) fn performed_on(
    fields: &Object<'_>,
    event_type: EventType,
    now: Instant,
) -> Option<Instant> {
    match fields.optional("performed_on") {
        Some(at) => at.past(now),
        None if event_type == EventType::SpendRequest => Some(now),
        None => fields.required("performed_on").and(None),
    }
}

/// Who benefits. An alias is looked up before a body is parsed: one that stands here still is in
/// the way of an id, or none at all.
pub(crate) fn participant(fields: &Object<'_>) -> Option<ParticipantId> {
    if let Some(alias) = fields.optional("alias") {
        not_both(fields);
        let id = fields.optional("participant_id");
        if read_alias(&alias).is_some() && id.is_none() {
            alias.fault(code::UNKNOWN_REFERENCE, "is no alias of a participant");
        }
        return id?.parsed(ParticipantId::parse);
    }
    fields.required("participant_id")?.parsed(ParticipantId::parse)
}

/// Who referred somebody, and so benefits.
fn referrer(fields: &Object<'_>) -> Option<ParticipantId> {
    fields.required("referrer_participant_id")?.parsed(ParticipantId::parse)
}

/// A classification of the programme that allows the type; achievements must have one.
pub(crate) fn classification(
    fields: &Object<'_>,
    programme: &Programme,
    event_type: EventType,
) -> Option<Classification> {
    let mandatory = matches!(event_type, EventType::Achievement | EventType::FinancialAchievement);
    let node = match mandatory {
        true => fields.required("classification")?,
        false => fields.optional("classification")?,
    };
    let name = node.parsed(Classification::parse)?;
    if !programme.classifications.contains_key(&name) {
        node.fault(code::UNKNOWN_REFERENCE, "is no classification of the programme");
    } else if !programme.allows(&name, event_type) {
        let event_type = event_type.name();
        let message = format!("is no classification for events of type {event_type}");
        node.fault(code::NOT_ALLOWED, message);
    }
    Some(name)
}

/// The event's id: its reference, or the key of the call.
pub(crate) fn event_id(fields: &Object<'_>, key: Option<&Key>) -> Option<EventId> {
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

pub(crate) fn referenced(system: &Node<'_>, reference: &Node<'_>) -> Option<EventId> {
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
