//! Ledger entries as wallet transactions.
//!
//! A row is what one entry did to one balance, of one kind and by one offer; a discount has a row
//! of no balance. An entry that moved nothing still has a row, so that what was refused, awarded
//! nothing or cancelled in vain is found; only a change of the spending block and a registration have none,
//! as they are no movements: they are seen under their own codes.

use domain::amount::Amount;
use domain::id::{BalanceCode, ParticipantId};
use domain::ledger::{Act, Effect, Entry, EntryKey, HoldMade, SpendMade};
use domain::pass::PassId;
use domain::programme::Programme;
use domain::time::show_instant;
use serde::Serialize;

use crate::answer::conversion::{ConversionDetail, conversion_detail};
use crate::answer::movement::{Movement, ends, movements};
use crate::answer::spend::spend_view;
use crate::answer::{SpendView, pass_id, transaction_code};

/// One movement of a wallet, or one entry that moved nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TransactionRow {
    pub code: String,
    pub at: String,
    /// One of the kinds of the contract.
    pub kind: &'static str,
    /// Null where nothing moved.
    pub balance: Option<String>,
    /// Signed, in the balance's major unit; of a discount in currency.
    pub amount: String,
    /// What was available of the balance after the entry; null where nothing moved.
    pub available_after: Option<String>,
    /// What led to it: `event:<event>`, `spend`, `spend:<purchase>`, `pass:<pass>`,
    /// `cancel:<event or transaction>`, `return:<event>`, `expiry`, `block`, `hold`, `hold:<hold>` of
    /// its end, `lapse`, `adjust`, `register`, `merge:<participant>` of the duplicate, `merge:<transaction>` of
    /// who got it, `convert:<conversion>`, `coupon:<coupon>`; of a refusal its code.
    pub cause: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<String>,
    /// The coupon that was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coupon: Option<String>,
    /// The transactions that a cancel took back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reverses: Vec<String>,
    /// The reason given for an adjustment or a cancel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `GET /participants/{id}/transactions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TransactionsAnswer {
    /// In the order of the entries handed in: newest first.
    pub transactions: Vec<TransactionRow>,
    /// Where the next page starts; null on the last.
    pub cursor: Option<String>,
}

/// `GET /transactions/{code}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TransactionAnswer {
    pub code: String,
    pub at: String,
    pub participant_id: String,
    pub cause: String,
    pub rows: Vec<TransactionRow>,
    /// The event it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// The pass that was redeemed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spend: Option<SpendDetail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldDetail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversion: Option<ConversionDetail>,
    /// The holds that it ended, by settling, releasing or because they lapsed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<String>,
    /// The transactions that it took back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reverses: Vec<String>,
    /// Why the programme said no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<&'static str>,
    /// Whether spending was blocked or released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<bool>,
    /// The reason given for a change of the block, an adjustment or a cancel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A spend with what only its own page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpendDetail {
    #[serde(flatten)]
    pub spend: SpendView,
    pub purchase_event_id: Option<String>,
    pub unit: Option<String>,
    pub performed_on: String,
    pub classification: Option<String>,
}

/// A hold with what only its own page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HoldDetail {
    pub balance: String,
    pub held: String,
    pub lapses_at: String,
    pub purchase_event_id: Option<String>,
    pub unit: Option<String>,
    pub performed_on: String,
    pub classification: Option<String>,
}

/// What an entry did, row by row.
pub fn rows(
    programme: &Programme,
    participant: &ParticipantId,
    entry: &Entry,
) -> Vec<TransactionRow> {
    let row = |kind, movement: Option<&Movement<'_>>| {
        let balance = movement.map(|movement| movement.balance);
        let amount = movement.map_or(Amount::ZERO, |movement| movement.amount);
        let after = |code: &BalanceCode| {
            let after = entry.after.iter().find(|(known, _)| known == code);
            after.map(|(_, available)| programme.show(code, *available))
        };
        TransactionRow {
            code: transaction_code(participant, entry.sequence),
            at: show_instant(entry.at, programme.zone),
            kind,
            balance: balance.map(ToString::to_string),
            amount: balance.map_or("0".into(), |balance| programme.show(balance, amount)),
            available_after: balance.and_then(after),
            cause: cause(participant, entry),
            offer: movement.and_then(|movement| movement.offer).map(ToString::to_string),
            coupon: entry.coupon().map(|taken| taken.coupon.to_string()),
            reverses: reverses(participant, entry),
            reason: reason(entry),
        }
    };
    let kind = match &entry.act {
        Act::Judged => "award",
        Act::Redeemed => "award",
        Act::Spent(_) => "spend",
        Act::Reversed(_) | Act::Returned(_) => "reverse",
        Act::Expired => "expire",
        Act::Refused(_) => return vec![row("refused", None)],
        Act::Held(_) => "hold",
        Act::Released => "release",
        Act::Adjusted { .. } => "adjust",
        Act::MergedInto { .. } | Act::MergedFrom { .. } => "merge",
        Act::Converted(_) => "convert",
        Act::Blocked { .. } | Act::Registered => return Vec::new(),
    };
    let movements = movements(kind, &entry.effects);
    let moved = movements.iter().map(|movement| row(movement.kind, Some(movement)));
    let discounts = entry.effects.iter().filter_map(|effect| {
        let Effect::Discount { offer, amount, .. } = effect else { return None };
        let (offer, amount) = (Some(offer.to_string()), amount.show(programme.currency.decimals));
        Some(TransactionRow { offer, amount, ..row("discount", None) })
    });
    let rows: Vec<TransactionRow> = moved.chain(discounts).collect();
    if rows.is_empty() {
        let kind = if entry.act == Act::Judged { "event" } else { kind };
        return vec![row(kind, None)];
    }
    rows
}

fn cause(participant: &ParticipantId, entry: &Entry) -> String {
    if let Act::Refused(refusal) = &entry.act {
        return refusal.code().into();
    }
    match &entry.key {
        EntryKey::Event { event, .. } => format!("event:{event}"),
        EntryKey::Spend(_) | EntryKey::SpendRequest(_) => {
            match entry.spend().and_then(|made| made.purchase.as_ref()) {
                Some(purchase) => format!("spend:{purchase}"),
                None => "spend".into(),
            }
        }
        EntryKey::SpendWithPurchase(event) | EntryKey::Unasked { event, .. } => {
            format!("spend:{event}")
        }
        EntryKey::CancelEvent { event, .. } if matches!(entry.act, Act::Returned(_)) => {
            format!("return:{event}")
        }
        EntryKey::CancelEvent { event, .. } => format!("cancel:{event}"),
        EntryKey::CancelSpend(sequence) | EntryKey::CancelRedemption(sequence) => {
            format!("cancel:{}", transaction_code(participant, *sequence))
        }
        EntryKey::Redeem { plan, serial, .. } => {
            format!("pass:{}", pass_id(&PassId { plan: plan.clone(), serial: *serial }))
        }
        EntryKey::Expiry(_) => "expiry".into(),
        EntryKey::Block(_) => "block".into(),
        EntryKey::Hold(_) => "hold".into(),
        EntryKey::EndHold(_) => match ends(participant, entry).first() {
            Some(hold) => format!("hold:{hold}"),
            None => "hold".into(),
        },
        EntryKey::Lapse(_) => "lapse".into(),
        EntryKey::Adjust(_) => "adjust".into(),
        EntryKey::Register(_) => "register".into(),
        EntryKey::Merge(_) => {
            let Act::MergedInto { participant, .. } = &entry.act else { return "merge".into() };
            format!("merge:{participant}")
        }
        EntryKey::MergeOf { duplicate, sequence } => {
            format!("merge:{}", transaction_code(duplicate, *sequence))
        }
        EntryKey::Convert { conversion, .. } => format!("convert:{conversion}"),
        EntryKey::Coupon(_) => match entry.coupon() {
            Some(taken) => format!("coupon:{}", taken.coupon),
            None => "coupon".into(),
        },
    }
}

fn reverses(participant: &ParticipantId, entry: &Entry) -> Vec<String> {
    let (Act::Reversed(back) | Act::Returned(back)) = &entry.act else { return Vec::new() };
    back.entries.iter().map(|sequence| transaction_code(participant, *sequence)).collect()
}

fn reason(entry: &Entry) -> Option<String> {
    let reason = match &entry.act {
        Act::Blocked { reason } | Act::Adjusted { reason } => Some(reason),
        Act::Reversed(back) | Act::Returned(back) => back.reason.as_ref(),
        Act::MergedInto { reason, .. } => reason.as_ref(),
        Act::Judged
        | Act::Spent(_)
        | Act::Refused(_)
        | Act::Redeemed
        | Act::Expired
        | Act::Held(_)
        | Act::Released
        | Act::MergedFrom { .. }
        | Act::Converted(_)
        | Act::Registered => None,
    };
    reason.map(ToString::to_string)
}

/// Shows a page of a ledger.
pub fn transactions(
    programme: &Programme,
    participant: &ParticipantId,
    entries: &[Entry],
    cursor: Option<String>,
) -> TransactionsAnswer {
    let rows = entries.iter().flat_map(|entry| rows(programme, participant, entry));
    TransactionsAnswer { transactions: rows.collect(), cursor }
}

/// Shows one entry with what it is about.
pub fn transaction(
    programme: &Programme,
    participant: &ParticipantId,
    entry: &Entry,
) -> TransactionAnswer {
    let pass = if let EntryKey::Redeem { plan, serial, .. } = &entry.key {
        Some(pass_id(&PassId { plan: plan.clone(), serial: *serial }))
    } else {
        None
    };
    let refusal = if let Act::Refused(refusal) = &entry.act { Some(refusal.code()) } else { None };
    let blocked = entry.effects.iter().find_map(|effect| {
        if let Effect::Block { blocked } = effect { Some(*blocked) } else { None }
    });
    let spend = entry.spend().map(|made| spend_detail(programme, participant, entry, made));
    TransactionAnswer {
        code: transaction_code(participant, entry.sequence),
        at: show_instant(entry.at, programme.zone),
        participant_id: participant.to_string(),
        cause: cause(participant, entry),
        rows: rows(programme, participant, entry),
        event: entry.event().map(ToString::to_string),
        pass,
        spend,
        hold: entry.hold().map(|made| hold_detail(programme, made)),
        conversion: conversion_detail(programme, entry),
        ends: ends(participant, entry),
        reverses: reverses(participant, entry),
        refusal,
        blocked,
        reason: reason(entry),
    }
}

fn hold_detail(programme: &Programme, made: &HoldMade) -> HoldDetail {
    let spend = &made.spend;
    HoldDetail {
        balance: spend.balance.to_string(),
        held: programme.show(&spend.balance, spend.spent),
        lapses_at: show_instant(made.lapses_at, programme.zone),
        purchase_event_id: spend.purchase.as_ref().map(ToString::to_string),
        unit: spend.unit.as_ref().map(ToString::to_string),
        performed_on: show_instant(spend.performed_on, programme.zone),
        classification: spend.classification.as_ref().map(ToString::to_string),
    }
}

fn spend_detail(
    programme: &Programme,
    participant: &ParticipantId,
    entry: &Entry,
    made: &SpendMade,
) -> SpendDetail {
    SpendDetail {
        spend: spend_view(programme, participant, entry.sequence, made, false),
        purchase_event_id: made.purchase.as_ref().map(ToString::to_string),
        unit: made.unit.as_ref().map(ToString::to_string),
        performed_on: show_instant(made.performed_on, programme.zone),
        classification: made.classification.as_ref().map(ToString::to_string),
    }
}
