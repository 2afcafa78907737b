//! What is answered: values of the domain as JSON. No domain type serialises itself.

mod adjust;
mod conversion;
mod coupon;
mod event;
mod event_detail;
mod gift;
mod hold;
mod merge;
mod movement;
mod nameless;
mod participant;
mod pass;
mod preview;
mod promotion;
mod returns;
mod spend;
mod terms;
mod transaction;
mod wallet;

pub use adjust::{AdjustAnswer, adjust};
pub use conversion::ConversionDetail;
pub use coupon::{
    CatalogueAnswer, CauseView, CostView, CouponAnswer, CouponHeld, CouponUsedAnswer, CouponView,
    GivenTotal, catalogue, coupon, coupon_held, coupon_used,
};
pub use event::{
    AwardAnswer, EventAnswer, EventView, InvoiceAnswer, PassedOver, Totals, event, event_only,
    invoice,
};
pub use event_detail::{DetailView, KpiValueView, LineView, MediumView};
pub use gift::{DiscountAnswer, DiscountedLineView, GiftView};
pub use hold::{HoldAnswer, ReleaseAnswer, hold, release};
pub use merge::{MergeAnswer, merge};
pub use nameless::{PassSeenAnswer, RegisteredAnswer, pass_seen, registered};
pub use participant::{ChangedView, ConsentView, ParticipantAnswer, ProfileView, participant};
pub use pass::{
    AccessView, ChangeView, CreditView, PassDetail, PassIssuedAnswer, PassLoadedAnswer, PassView,
    PlanActivatedAnswer, PlanAnswer, Redeemed, RedemptionAnswer, RedemptionView, TakenBackAnswer,
    pass_detail, pass_id, pass_issued, pass_loaded, pass_view, plan, plan_activated, redemption,
    taken_back,
};
pub use preview::{PreviewAnswer, PreviewAward, preview};
pub use promotion::{ActivationView, GivenView, ShownView, ToldCode};
pub use returns::{
    CancelAheadAnswer, CancelEventAnswer, ReturnView, ReturnedLineView, cancel_ahead, cancel_event,
};
pub use spend::{CancelSpendAnswer, SpendAnswer, SpendView, cancel_spend, spend};
pub use terms::{AutomaticAnswer, ConditionsAnswer, PeriodAnswer, TimesAnswer};
pub use transaction::{
    HoldDetail, SpendDetail, TransactionAnswer, TransactionRow, TransactionsAnswer, rows,
    transaction, transactions,
};
pub use wallet::{
    BalanceAnswer, LotAnswer, NextExpiry, WalletAnswer, balance_answer, balances, wallet,
};

use domain::amount::Amount;
use domain::id::{BalanceCode, ParticipantId, TransactionCode};
use domain::programme::Programme;
use domain::time::{Day, show_instant};
use serde::Serialize;

/// An amount of a balance, as a decimal in its major unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AmountAnswer {
    pub balance: String,
    pub amount: String,
}

/// Shows amounts with the decimals of their balances.
pub(crate) fn amounts(
    programme: &Programme,
    amounts: &[(BalanceCode, Amount)],
) -> Vec<AmountAnswer> {
    let show = |(balance, amount): &(BalanceCode, Amount)| AmountAnswer {
        balance: balance.to_string(),
        amount: programme.show(balance, *amount),
    };
    amounts.iter().map(show).collect()
}

/// The code of a ledger entry.
pub fn transaction_code(participant: &ParticipantId, sequence: u64) -> String {
    TransactionCode { participant: participant.clone(), sequence }.to_string()
}

/// The first instant at which something available from this day can be spent.
fn day_start(programme: &Programme, day: Day) -> String {
    show_instant(day.start(programme.zone), programme.zone)
}

/// The instant at which something whose last day this is has expired.
pub(crate) fn day_end(programme: &Programme, day: Day) -> String {
    show_instant(day.end(programme.zone), programme.zone)
}
