//! Events, what they led to, and their cancels.

use domain::amount::{Amount, Decimals};
use domain::event::{Awarded, Detail, Due, EventState, Line, Purchase, RecordedEvent};
use domain::id::OfferId;
use domain::programme::Programme;
use domain::refusal::Reason;
use domain::time::{Instant, show_instant};
use domain::wallet::Wallet;
use serde::Serialize;

use crate::answer::returns::{ReturnView, return_view};
use crate::answer::spend::spend_view;
use crate::answer::{
    AmountAnswer, BalanceAnswer, SpendView, amounts, balances, day_end, day_start, transaction_code,
};

/// An event as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventView {
    pub id: String,
    #[serde(rename = "type")]
    pub event_type: &'static str,
    pub participant_id: String,
    /// `posted` or `cancelled`.
    pub state: &'static str,
    /// `pending` until a wallet was judged for it, then `processed`.
    pub status: &'static str,
    /// Whether offers that only a run applies can still award it.
    pub awaiting_run: bool,
    pub totals: Totals,
    pub unit: Option<String>,
    pub performed_on: String,
    pub classification: Option<String>,
    pub external_system: Option<String>,
    pub external_reference: Option<String>,
    pub process_immediately: bool,
    pub receipt_number: Option<String>,
    pub related_transaction: Option<String>,
    /// As it is stored, its identifier adjusted.
    pub payment_medium: Option<MediumView>,
    pub lines: Vec<LineView>,
    pub accepted_at: String,
    /// What cancelled it, in part or, at last, whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<ReturnView>,
}

/// Read-only totals: what was purchased, and what is still awarded and spent; nothing once
/// the event is cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// In currency.
    pub purchased: String,
    /// What came back of it, in currency, where it is not cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<String>,
    pub awarded: Vec<AmountAnswer>,
    pub spent: Vec<AmountAnswer>,
}

/// A payment medium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MediumView {
    pub brand: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub identifier: Option<String>,
}

/// A line of a purchase; amounts in currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineView {
    pub product: Option<String>,
    pub category: Option<String>,
    pub brand: Option<String>,
    pub quantity: u32,
    pub net: String,
    pub vat: String,
    pub total: String,
    /// Pieces that came back, where it is not cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<u32>,
}

/// One award of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AwardAnswer {
    pub offer: String,
    pub balance: String,
    pub amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    pub transaction: String,
    /// What was taken back of it with returned goods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<String>,
}

/// An offer that awarded nothing, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PassedOver {
    pub offer: String,
    /// A stable reason code.
    pub reason: &'static str,
}

/// The answer to an event that was posted, and of `GET /events/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventAnswer {
    pub event: EventView,
    pub awards: Vec<AwardAnswer>,
    pub passed_over: Vec<PassedOver>,
    pub spends: Vec<SpendView>,
    /// Absent where no wallet was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balances: Option<Vec<BalanceAnswer>>,
    /// The version that judged it last; null while it is pending.
    pub programme_version: Option<u64>,
    pub repeated: bool,
}

/// Answers an event with everything that happened to it so far.
pub fn event(
    programme: &Programme,
    recorded: &RecordedEvent,
    wallet: Option<&Wallet>,
    now: Instant,
    repeated: bool,
) -> EventAnswer {
    let participant = &recorded.event.participant;
    let posted = recorded.state == EventState::Posted;
    let awards = recorded.judgements.iter().flat_map(|judgement| {
        let transaction = transaction_code(participant, judgement.sequence);
        judgement.awards.iter().map(move |award| {
            let back = award.amount.less(recorded.still_awarded(judgement.sequence, award));
            let returned = (posted && !back.is_zero()).then_some(back);
            award_answer(programme, award, &transaction, returned)
        })
    });
    let spends = recorded.spends.iter().map(|spend| {
        let (balance, cancelled) = (&spend.made.balance, spend.cancelled);
        let view = spend_view(programme, participant, spend.sequence, &spend.made, cancelled);
        let back = Some(spend.returned).filter(|back| !cancelled && !back.is_zero());
        SpendView { returned: back.map(|back| programme.show(balance, back)), ..view }
    });
    EventAnswer {
        event: event_only(programme, recorded),
        awards: awards.collect(),
        passed_over: passed_over(&verdicts(recorded)),
        spends: spends.collect(),
        balances: wallet.map(|wallet| balances(programme, wallet, now)),
        programme_version: recorded.judgements.last().map(|judgement| judgement.programme),
        repeated,
    }
}

fn award_answer(
    programme: &Programme,
    award: &Awarded,
    transaction: &str,
    returned: Option<Amount>,
) -> AwardAnswer {
    let lot = &award.lot;
    AwardAnswer {
        offer: award.offer.to_string(),
        balance: lot.balance.to_string(),
        amount: programme.show(&lot.balance, award.amount),
        available_from: lot.available_from.map(|day| day_start(programme, day)),
        expires_at: lot.expires.map(|day| day_end(programme, day)),
        transaction: transaction.into(),
        returned: returned.map(|back| programme.show(&lot.balance, back)),
    }
}

/// What each offer that awarded nothing said last; one that waited for a run has no say any more
/// once the run judged it, or the event no longer waits.
fn verdicts(recorded: &RecordedEvent) -> Vec<(OfferId, Reason)> {
    let all = recorded.judgements.iter().flat_map(|judgement| &judgement.passed_over);
    let stands = |(offer, reason): &&(OfferId, Reason)| {
        *reason != Reason::AwaitsRun
            || (recorded.due != Due::Nothing && !recorded.has_judged(offer))
    };
    let mut verdicts: Vec<(OfferId, Reason)> = Vec::new();
    for (offer, reason) in all.filter(stands) {
        match verdicts.iter_mut().find(|(known, _)| known == offer) {
            Some((_, known)) => *known = *reason,
            None => verdicts.push((offer.clone(), *reason)),
        }
    }
    verdicts
}

pub(crate) fn passed_over(offers: &[(OfferId, Reason)]) -> Vec<PassedOver> {
    let passed = |(offer, reason): &(OfferId, Reason)| PassedOver {
        offer: offer.to_string(),
        reason: reason.code(),
    };
    offers.iter().map(passed).collect()
}

/// Shows an event alone, as lists do.
pub fn event_only(programme: &Programme, recorded: &RecordedEvent) -> EventView {
    let event = &recorded.event;
    let Detail::Purchase(purchase) = &event.detail;
    let currency = programme.currency.decimals;
    let cancelled = recorded.state == EventState::Cancelled;
    let judged = recorded.due != Due::Everything || cancelled;
    let reference = event.id.reference();
    let (left, part) = (recorded.left(), !cancelled && !recorded.returns.is_empty());
    let returned = part.then(|| event.purchased().less(left.total()).show(currency));
    let lines = purchase.lines.iter().enumerate().map(|(index, line)| {
        let back = line.quantity.saturating_sub(left.quantity(index));
        line_view(line, currency, Some(back).filter(|back| part && *back > 0))
    });
    EventView {
        id: event.id.to_string(),
        event_type: event.event_type().name(),
        participant_id: event.participant.to_string(),
        state: if cancelled { "cancelled" } else { "posted" },
        status: if judged { "processed" } else { "pending" },
        awaiting_run: judged && !cancelled && recorded.due != Due::Nothing,
        totals: Totals {
            purchased: event.purchased().show(currency),
            returned,
            awarded: amounts(programme, &recorded.awarded()),
            spent: amounts(programme, &recorded.spent()),
        },
        unit: event.unit.as_ref().map(ToString::to_string),
        performed_on: show_instant(event.performed_on, programme.zone),
        classification: event.classification.as_ref().map(ToString::to_string),
        external_system: reference.map(|(system, _)| system.into()),
        external_reference: reference.map(|(_, reference)| reference.into()),
        process_immediately: event.immediate,
        receipt_number: purchase.receipt_number.as_deref().map(Into::into),
        related_transaction: purchase.related_transaction.as_deref().map(Into::into),
        payment_medium: medium_view(purchase),
        lines: lines.collect(),
        accepted_at: show_instant(recorded.accepted_at, programme.zone),
        returns: recorded
            .returns
            .iter()
            .map(|back| return_view(&event.participant, back))
            .collect(),
    }
}

fn medium_view(purchase: &Purchase) -> Option<MediumView> {
    let medium = purchase.payment_medium.as_ref()?;
    Some(MediumView {
        brand: medium.brand.as_deref().map(Into::into),
        kind: medium.kind.as_deref().map(Into::into),
        identifier: medium.identifier.as_deref().map(Into::into),
    })
}

fn line_view(line: &Line, currency: Decimals, returned: Option<u32>) -> LineView {
    LineView {
        product: line.product.as_ref().map(ToString::to_string),
        category: line.category.as_ref().map(ToString::to_string),
        brand: line.brand.as_ref().map(ToString::to_string),
        quantity: line.quantity,
        net: line.net.show(currency),
        vat: line.vat.show(currency),
        // A line whose total is too large was never accepted.
        total: line.total().unwrap_or(Amount::ZERO).show(currency),
        returned,
    }
}
