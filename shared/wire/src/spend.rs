//! Spend requests.

use domain::amount::Amount;
use domain::event::{Detail, Event, EventType, SpendRequest as Wanted};
use domain::id::{BalanceCode, EventId, ParticipantId, UnitId};
use domain::ledger::PayloadHash;
use domain::programme::{Balance, Programme};
use domain::spend::SpendAsked;
use domain::time::Instant;
use serde_json::Value;

use crate::event::{classification, event_id, participant, payload_hash, performed_on};
use crate::fault::{BodyFault, code};
use crate::pass::{Credential, credential};
use crate::read::{self, Node, Object, read};

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
    "external_system",
    "external_reference",
];

/// Who spends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spender {
    Named(ParticipantId),
    /// Whoever holds a pass, from its nameless wallet.
    Holder(Credential),
}

/// A spend request, against a purchase or without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendRequest {
    pub spender: Spender,
    /// The purchase it pays.
    pub purchase: Option<EventId>,
    pub asked: SpendAsked,
    /// Of the body without the pass: a stored hash of the code would let a reader of the table try
    /// codes against it.
    pub payload: PayloadHash,
    /// Of the event that it comes as, where it has an external reference.
    pub reference: Option<EventId>,
}

impl SpendRequest {
    /// The event that it comes as, once it is known who spends.
    pub fn event(&self, participant: &ParticipantId) -> Option<Event> {
        let SpendAsked { balance, amount, classification, unit, performed_on } = self.asked.clone();
        let wanted = Wanted { balance, amount, purchase: self.purchase.clone() };
        Some(Event {
            id: self.reference.clone()?,
            participant: participant.clone(),
            classification,
            unit,
            performed_on,
            immediate: true,
            detail: Detail::SpendRequest(wanted),
        })
    }
}

/// Parses the body of `POST /spend-requests`. Without a `performed_on` the spend is
/// performed now; without a balance it takes the programme's default, or its only one.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`] with everything that is wrong.
pub fn parse_spend(
    bytes: &[u8],
    programme: &Programme,
    now: Instant,
) -> Result<SpendRequest, BodyFault> {
    let value = read::json(bytes)?;
    read(&value, |node| {
        let body = node.object(FIELDS)?;
        let given = |name| body.optional(name).is_some();
        let named = given("external_system") || given("external_reference");
        let reference = if named { event_id(&body, None) } else { None };
        let request = spend_request(&body, programme, now, spend_payload(&value))?;
        Some(SpendRequest { reference, ..request })
    })
}

/// Who sent a spend or a hold, and its payload, whatever else stands in it.
pub fn sent_spend(body: &Value) -> Option<(Spender, PayloadHash)> {
    let text = |value: &Value| Some(Box::from(value.as_str()?));
    let spender = match body.get("pass").filter(|pass| !pass.is_null()) {
        Some(pass) => Spender::Holder(Credential {
            code: pass.get("code").and_then(text)?,
            pin: pass.get("pin").and_then(text),
        }),
        None => {
            let participant = body.get("participant_id")?.as_str()?;
            Spender::Named(ParticipantId::parse(participant).ok()?)
        }
    };
    Some((spender, spend_payload(body)))
}

/// The hash of a spend or a hold, without the pass that it shows.
pub(crate) fn spend_payload(body: &Value) -> PayloadHash {
    let mut body = body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("pass");
    }
    payload_hash(&body)
}

fn spender(body: &Object<'_>) -> Option<Spender> {
    let Some(pass) = body.optional("pass") else {
        return participant(body).map(Spender::Named);
    };
    for name in ["participant_id", "alias"] {
        if let Some(named) = body.optional(name) {
            named.fault(code::EXCLUSIVE, "cannot be given where a pass is shown");
        }
    }
    credential(&pass.object(&["code", "pin"])?).map(Spender::Holder)
}

/// Reads who asks for what, of a spend or of a hold for one.
pub(crate) fn spend_request(
    body: &Object<'_>,
    programme: &Programme,
    now: Instant,
    payload: PayloadHash,
) -> Option<SpendRequest> {
    let spender = spender(body);
    let classification = classification(body, programme, EventType::SpendRequest);
    let unit = body.optional("unit").and_then(|unit| unit.parsed(UnitId::parse));
    let performed_on = performed_on(body, EventType::SpendRequest, now).unwrap_or(now);
    let wanted = wanted(body, programme);
    let (spender, Wanted { balance, amount, purchase }) = (spender?, wanted?);
    let asked = SpendAsked { balance, amount, classification, unit, performed_on };
    Some(SpendRequest { spender, purchase, asked, payload, reference: None })
}

/// What a spend asks for, and the purchase that it pays; without one it must say how much.
pub(crate) fn wanted(fields: &Object<'_>, programme: &Programme) -> Option<Wanted> {
    let purchase = fields.optional("purchase_event_id");
    let without = purchase.is_none();
    let purchase = purchase.and_then(|purchase| purchase.parsed(EventId::parse));
    let wanted = asked(fields, programme);
    let gift = wanted.as_ref().is_some_and(|(balance, _)| programme.is_gift(balance));
    if without && !gift && fields.optional("amount").is_none() {
        fields.missing("amount", "is required without a purchase_event_id");
    }
    let (balance, amount) = wanted?;
    // Of a gift, one is handed over where nothing else is said.
    let amount = amount.or(gift.then_some(Amount(1)));
    Some(Wanted { balance, amount, purchase })
}

/// How much of which balance a spend asks for, alone or within its purchase.
pub(crate) fn asked(
    fields: &Object<'_>,
    programme: &Programme,
) -> Option<(BalanceCode, Option<Amount>)> {
    let balance = balance(fields, programme)?;
    let amount = fields.optional("amount").and_then(|amount| amount.positive(balance.decimals));
    Some((balance.code.clone(), amount))
}

fn balance<'a>(fields: &Object<'_>, programme: &'a Programme) -> Option<&'a Balance> {
    let Some(node) = fields.optional("balance") else {
        let found = programme.spend_balance();
        if found.is_none() {
            fields.missing("balance", "is required: the programme names no balance for spends");
        }
        return found;
    };
    known_balance(&node, programme, &node.parsed(BalanceCode::parse)?)
}

/// A balance of the programme.
pub(crate) fn known_balance<'a>(
    node: &Node<'_>,
    programme: &'a Programme,
    code: &BalanceCode,
) -> Option<&'a Balance> {
    let balance = programme.balance(code);
    if balance.is_none() {
        node.fault(code::UNKNOWN_REFERENCE, "is no balance of the programme");
    }
    balance
}
