//! Spends and their cancels.

use domain::amount::Amount;
use domain::id::ParticipantId;
use domain::ledger::{SpendCause, SpendMade};
use domain::programme::Programme;
use domain::time::Instant;
use domain::wallet::Wallet;
use serde::Serialize;

use crate::answer::coupon::taken_by;
use crate::answer::gift::gift_view;
use crate::answer::{BalanceAnswer, GiftView, balances, transaction_code};

/// One spend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpendView {
    pub transaction: String,
    pub balance: String,
    /// What was handed over, where it is a gift.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gift: Option<GiftView>,
    /// What was asked for, in the balance.
    pub requested: String,
    /// What was taken, in the balance.
    pub spent: String,
    /// What it paid of the purchase, in currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covered: Option<String>,
    /// What the participant must pay: in currency against a purchase, else in the balance.
    pub remainder: String,
    /// `front_end` or `back_end`.
    pub reduction_method: &'static str,
    /// Whether it was awarded and spent at once, on the purchase that it was awarded for.
    pub instant: bool,
    /// Whether the wallet paid a purchase without being asked for.
    pub automatic: bool,
    /// The offer that awarded it, where it is instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<String>,
    /// The coupon that was taken for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coupon: Option<String>,
    /// The event that it came as; absent without an external reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// Present where it was taken back.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
    /// What came back of it with returned goods, in the balance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<String>,
}

/// The answer to a spend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpendAnswer {
    #[serde(flatten)]
    pub spend: SpendView,
    pub balances: Vec<BalanceAnswer>,
    pub repeated: bool,
}

/// The answer to the cancel of a spend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CancelSpendAnswer {
    pub transaction: String,
    /// The transaction codes it took back: that of the spend.
    pub reverses: Vec<String>,
    pub balances: Vec<BalanceAnswer>,
    pub repeated: bool,
}

pub(crate) fn spend_view(
    programme: &Programme,
    participant: &ParticipantId,
    sequence: u64,
    made: &SpendMade,
    cancelled: bool,
) -> SpendView {
    let offer = if let SpendCause::Instant { offer } = &made.cause { Some(offer) } else { None };
    SpendView {
        transaction: transaction_code(participant, sequence),
        balance: made.balance.to_string(),
        gift: gift_view(programme, &made.balance),
        requested: programme.show(&made.balance, made.requested),
        spent: programme.show(&made.balance, made.spent),
        covered: made.covered.map(|covered| covered.show(programme.currency.decimals)),
        remainder: remainder(programme, made, made.remainder),
        reduction_method: made.method.name(),
        instant: offer.is_some(),
        automatic: made.cause == SpendCause::Automatic,
        offer: offer.map(ToString::to_string),
        coupon: taken_by(made).map(ToString::to_string),
        event_id: made.request.as_ref().map(ToString::to_string),
        cancelled,
        returned: None,
    }
}

fn remainder(programme: &Programme, made: &SpendMade, remainder: Amount) -> String {
    match made.covered {
        Some(_) => remainder.show(programme.currency.decimals),
        None => programme.show(&made.balance, remainder),
    }
}

/// Answers a spend; `sequence` is that of its ledger entry.
pub fn spend(
    programme: &Programme,
    participant: &ParticipantId,
    sequence: u64,
    made: &SpendMade,
    wallet: &Wallet,
    now: Instant,
    repeated: bool,
) -> SpendAnswer {
    SpendAnswer {
        spend: spend_view(programme, participant, sequence, made, false),
        balances: balances(programme, wallet, now),
        repeated,
    }
}

/// Answers the cancel of a spend: `sequence` is that of the cancel, `cancelled` of the spend.
pub fn cancel_spend(
    programme: &Programme,
    participant: &ParticipantId,
    sequence: u64,
    cancelled: u64,
    wallet: &Wallet,
    now: Instant,
    repeated: bool,
) -> CancelSpendAnswer {
    CancelSpendAnswer {
        transaction: transaction_code(participant, sequence),
        reverses: vec![transaction_code(participant, cancelled)],
        balances: balances(programme, wallet, now),
        repeated,
    }
}
