//! Spend requests.

use domain::event::EventType;
use domain::id::{BalanceCode, EventId, ParticipantId, UnitId};
use domain::ledger::PayloadHash;
use domain::programme::{Balance, Programme};
use domain::spend::SpendAsked;
use domain::time::Instant;

use crate::event::{classification, participant, payload_hash};
use crate::fault::{BodyFault, code};
use crate::read::{self, Node, Object, read};

const FIELDS: &[&str] = &[
    "participant_id",
    "alias",
    "purchase_event_id",
    "amount",
    "balance",
    "classification",
    "unit",
    "performed_on",
    "external_system",
    "external_reference",
];

/// A spend request, against a purchase or without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendRequest {
    pub participant: ParticipantId,
    /// The purchase it pays.
    pub purchase: Option<EventId>,
    pub asked: SpendAsked,
    pub payload: PayloadHash,
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
        for name in ["external_system", "external_reference"] {
            body.unsupported(name, "spends are known by their Idempotency-Key: leave it out");
        }
        spend_request(&body, programme, now, payload_hash(&value))
    })
}

/// Reads who asks for what, of a spend or of a hold for one.
pub(crate) fn spend_request(
    body: &Object<'_>,
    programme: &Programme,
    now: Instant,
    payload: PayloadHash,
) -> Option<SpendRequest> {
    let participant = participant(body);
    let purchase = body.optional("purchase_event_id");
    if purchase.is_none() && body.optional("amount").is_none() {
        body.missing("amount", "is required without a purchase_event_id");
    }
    let purchase = purchase.and_then(|purchase| purchase.parsed(EventId::parse));
    let unit = body.optional("unit").and_then(|unit| unit.parsed(UnitId::parse));
    let performed_on = match body.optional("performed_on") {
        Some(performed_on) => performed_on.past(now),
        None => Some(now),
    };
    let asked = asked(body, programme, unit, performed_on.unwrap_or(now));
    let (participant, asked) = (participant?, asked?);
    Some(SpendRequest { participant, purchase, asked, payload })
}

/// Reads what a spend asks for, alone or within its purchase: `amount`, `balance` and a
/// `classification` that allows spend requests.
pub(crate) fn asked(
    fields: &Object<'_>,
    programme: &Programme,
    unit: Option<UnitId>,
    performed_on: Instant,
) -> Option<SpendAsked> {
    let classification = classification(fields, programme, EventType::SpendRequest);
    let balance = balance(fields, programme)?;
    let amount = fields.optional("amount").and_then(|amount| amount.positive(balance.decimals));
    let balance = balance.code.clone();
    Some(SpendAsked { balance, amount, classification, unit, performed_on })
}

fn balance<'a>(fields: &Object<'_>, programme: &'a Programme) -> Option<&'a Balance> {
    let Some(node) = fields.optional("balance") else {
        let default = programme.definition.spend.balance.as_ref();
        let default = default.and_then(|code| programme.balance(code));
        let only = programme.balances.first().filter(|_| programme.balances.len() == 1);
        let found = default.or(only);
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
