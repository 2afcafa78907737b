//! Events, what they led to, and their cancels.

use domain::amount::Amount;
use domain::event::{Awarded, Detail, Due, Event, EventState, RecordedEvent};
use domain::id::{BalanceCode, OfferId};
use domain::programme::Programme;
use domain::refusal::Reason;
use domain::time::{Instant, show_instant};
use domain::wallet::Wallet;
use serde::Serialize;

use crate::answer::event_detail::{DetailView, detail_view};
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
    /// The fields of its type.
    #[serde(flatten)]
    pub detail: DetailView,
    pub accepted_at: String,
}

/// Read-only totals; nothing awarded and nothing spent once the event is cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Of a purchase, in currency: sums of its lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub net: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vat: Option<String>,
    /// Net and VAT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purchased: Option<String>,
    pub awarded: Vec<AmountAnswer>,
    pub spent: Vec<AmountAnswer>,
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

/// The answer to an invoice that is a purchase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InvoiceAnswer {
    #[serde(flatten)]
    pub event: EventAnswer,
    /// What the wallet held before this call and after it; a repeat changes nothing.
    pub balances_before: Vec<BalanceAnswer>,
    pub balances_after: Vec<BalanceAnswer>,
}

/// The answer to the cancel of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CancelEventAnswer {
    pub event: EventView,
    pub transaction: String,
    pub balances: Vec<BalanceAnswer>,
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
    let awards = recorded.judgements.iter().flat_map(|judgement| {
        let transaction = transaction_code(participant, judgement.sequence);
        judgement.awards.iter().map(move |award| award_answer(programme, award, &transaction))
    });
    let spends = recorded.spends.iter().map(|spend| {
        spend_view(programme, participant, spend.sequence, &spend.made, spend.cancelled)
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

/// Answers an invoice, with the wallet before and after.
pub fn invoice(
    programme: &Programme,
    recorded: &RecordedEvent,
    before: &Wallet,
    after: &Wallet,
    now: Instant,
    repeated: bool,
) -> InvoiceAnswer {
    InvoiceAnswer {
        event: event(programme, recorded, Some(after), now, repeated),
        balances_before: balances(programme, before, now),
        balances_after: balances(programme, after, now),
    }
}

fn award_answer(programme: &Programme, award: &Awarded, transaction: &str) -> AwardAnswer {
    let lot = &award.lot;
    AwardAnswer {
        offer: award.offer.to_string(),
        balance: lot.balance.to_string(),
        amount: programme.show(&lot.balance, award.amount),
        available_from: lot.available_from.map(|day| day_start(programme, day)),
        expires_at: lot.expires.map(|day| day_end(programme, day)),
        transaction: transaction.into(),
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
    let cancelled = recorded.state == EventState::Cancelled;
    let judged = recorded.due != Due::Everything || cancelled;
    let reference = event.id.reference();
    let awarded = if cancelled { Vec::new() } else { recorded.awarded() };
    let spent = if cancelled { Vec::new() } else { recorded.spent() };
    EventView {
        id: event.id.to_string(),
        event_type: event.event_type().name(),
        participant_id: event.participant.to_string(),
        state: if cancelled { "cancelled" } else { "posted" },
        status: if judged { "processed" } else { "pending" },
        awaiting_run: judged && !cancelled && recorded.due != Due::Nothing,
        totals: totals(programme, event, &awarded, &spent),
        unit: event.unit.as_ref().map(ToString::to_string),
        performed_on: show_instant(event.performed_on, programme.zone),
        classification: event.classification.as_ref().map(ToString::to_string),
        external_system: reference.map(|(system, _)| system.into()),
        external_reference: reference.map(|(_, reference)| reference.into()),
        process_immediately: event.immediate,
        detail: detail_view(programme, event),
        accepted_at: show_instant(recorded.accepted_at, programme.zone),
    }
}

fn totals(
    programme: &Programme,
    event: &Event,
    awarded: &[(BalanceCode, Amount)],
    spent: &[(BalanceCode, Amount)],
) -> Totals {
    let show = |amount: Amount| amount.show(programme.currency.decimals);
    let purchase =
        if let Detail::Purchase(purchase) = &event.detail { Some(purchase) } else { None };
    let sums = purchase.map(|purchase| purchase.net_and_vat());
    Totals {
        net: sums.map(|(net, _)| show(net)),
        vat: sums.map(|(_, vat)| show(vat)),
        purchased: purchase.map(|_| show(event.purchased())),
        awarded: amounts(programme, awarded),
        spent: amounts(programme, spent),
    }
}

/// Answers the cancel of an event; `sequence` is that of its ledger entry.
pub fn cancel_event(
    programme: &Programme,
    recorded: &RecordedEvent,
    sequence: u64,
    wallet: &Wallet,
    now: Instant,
    repeated: bool,
) -> CancelEventAnswer {
    CancelEventAnswer {
        event: event_only(programme, recorded),
        transaction: transaction_code(&recorded.event.participant, sequence),
        balances: balances(programme, wallet, now),
        repeated,
    }
}
