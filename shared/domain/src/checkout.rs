//! A purchase and the spend that comes in one call with it: what a discount takes off is not paid.

use crate::apply::settle_up;
use crate::award::{Facts, Mode, judge};
use crate::event::{Judge, Judgement, RecordedEvent};
use crate::ledger::PayloadHash;
use crate::programme::Programme;
use crate::time::Instant;
use crate::wallet::Wallet;

/// What the spend is decided on.
pub struct Checkout {
    /// The wallet before the spend: the judgement that follows must look at this one, so that it
    /// gives the discounts that the spend relies on ([`Facts::before_spend`]).
    pub before: Wallet,
    /// The purchase with the discounts that it will be given.
    pub purchase: RecordedEvent,
}

/// Looks ahead at the discounts of a purchase that is judged in this call. Nothing of its awards is
/// in the wallet that the spend is decided on: a purchase is not paid with them.
pub fn checkout(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    purchase: &RecordedEvent,
    facts: &Facts<'_>,
) -> Checkout {
    let before = settle_up(programme, wallet, now, PayloadHash::default()).wallet;
    let judged = judge(programme, &before, now, purchase, Mode::Interactive, facts);
    let mut purchase = purchase.clone();
    purchase.judgements.push(Judgement {
        sequence: before.length,
        by: Judge::Interactive,
        programme: programme.version,
        awards: Vec::new(),
        discounts: judged.discounts,
        passes: Vec::new(),
        passed_over: Vec::new(),
    });
    Checkout { before, purchase }
}
