//! What only one type of event has, and which fields that is.

use domain::event::{Detail, EventType, FinancialAchievement};
use domain::id::{ParticipantId, ProductId};

use crate::event::EventContext;
use crate::event::purchase::{payment_medium, purchase};
use crate::event::statement::statement;
use crate::fault::code;
use crate::read::{Node, Object};
use crate::spend::wanted;

/// Most characters of a URL.
const MAX_URL: usize = 1_000;

macro_rules! with_common {
    ($($own:literal),*) => {
        &[
            "type", "unit", "performed_on", "classification", "external_system",
            "external_reference", "process_immediately", $($own),*
        ]
    };
}

/// The fields of an event of this type; any other is a violation.
pub(super) fn known_fields(event_type: EventType) -> &'static [&'static str] {
    match event_type {
        EventType::Purchase => with_common!(
            "participant_id",
            "alias",
            "receipt_number",
            "related_transaction",
            "payment_medium",
            "lines",
            "spend",
            "pass"
        ),
        EventType::Referral => with_common!("referred_participant_id", "referrer_participant_id"),
        EventType::SocialMedia => {
            with_common!("participant_id", "alias", "network", "profile", "action")
        }
        EventType::Web => with_common!("participant_id", "alias", "url", "score"),
        EventType::Achievement => with_common!("participant_id", "alias", "score"),
        EventType::FinancialAchievement => {
            with_common!("participant_id", "alias", "product", "amount", "payment_medium")
        }
        EventType::FinancialStatement => {
            with_common!("participant_id", "alias", "period", "kpi_values")
        }
        EventType::SpendRequest => {
            with_common!("participant_id", "alias", "purchase_event_id", "amount", "balance")
        }
    }
}

/// What the type has besides the common fields.
pub(super) fn detail(
    fields: &Object<'_>,
    event_type: EventType,
    participant: Option<&ParticipantId>,
    context: &EventContext<'_>,
) -> Option<Detail> {
    let programme = context.programme;
    match event_type {
        EventType::Purchase => purchase(fields, programme).map(Detail::Purchase),
        EventType::SpendRequest => wanted(fields, programme).map(Detail::SpendRequest),
        EventType::Referral => referral(fields, participant),
        EventType::SocialMedia => social_media(fields),
        EventType::Web => {
            let url = fields.required("url").and_then(|url| read_url(&url));
            let score = score(fields);
            Some(Detail::Web { url: url?, score })
        }
        EventType::Achievement => Some(Detail::Achievement { score: score(fields) }),
        EventType::FinancialAchievement => financial_achievement(fields, context),
        EventType::FinancialStatement => statement(fields, context).map(Detail::FinancialStatement),
    }
}

/// Somebody else who was referred.
fn referral(fields: &Object<'_>, referrer: Option<&ParticipantId>) -> Option<Detail> {
    let node = fields.required("referred_participant_id")?;
    let referred = node.parsed(ParticipantId::parse)?;
    if referrer == Some(&referred) {
        node.fault(code::NOT_ALLOWED, "is who referred: nobody refers themselves");
    }
    Some(Detail::Referral { referred })
}

fn social_media(fields: &Object<'_>) -> Option<Detail> {
    let label = |name, most| fields.required(name).and_then(|text| text.label(most));
    let (network, profile) = (label("network", 100), label("profile", 200));
    let action = label("action", 100);
    Some(Detail::SocialMedia { network: network?, profile: profile?, action: action? })
}

fn financial_achievement(fields: &Object<'_>, context: &EventContext<'_>) -> Option<Detail> {
    let programme = context.programme;
    let product = fields.optional("product").and_then(|product| product.parsed(ProductId::parse));
    let amount = fields.required("amount");
    let amount = amount.and_then(|amount| amount.positive(programme.currency.decimals));
    let payment_medium = payment_medium(fields, &programme.definition.payment_medium);
    let achieved = FinancialAchievement { product, amount: amount?, payment_medium };
    Some(Detail::FinancialAchievement(achieved))
}

/// What a survey came to, as an NPS score does.
fn score(fields: &Object<'_>) -> Option<u8> {
    u8::try_from(fields.optional("score")?.integer(0..=10)?).ok()
}

/// A web address without a user or password: it is stored and shown.
fn read_url(node: &Node<'_>) -> Option<Box<str>> {
    let text = node.label(MAX_URL)?;
    node.parsed(|_| check_url(&text))?;
    Some(text)
}

fn check_url(text: &str) -> Result<(), &'static str> {
    let expected = "must be a web address: https://example.org/page";
    let (scheme, rest) = text.split_once("://").ok_or(expected)?;
    let web = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        return Err("must not have a user or password");
    }
    // Browsers read a backslash as the end of the host.
    let odd = |c: char| c.is_whitespace() || c == '\\';
    if !web || host.is_empty() || host.starts_with(':') || text.contains(odd) {
        return Err(expected);
    }
    Ok(())
}
