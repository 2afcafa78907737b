//! Adjustments: credits and debits by hand or from another bonus system, with a reason.

use crate::amount::Amount;
use crate::apply::credit;
use crate::id::BalanceCode;
use crate::ledger::{Effect, LotId};
use crate::programme::Programme;
use crate::refusal::Refusal;
use crate::spend::{first, sum};
use crate::time::{Day, Instant};
use crate::wallet::Wallet;

/// A change of a balance that no event led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// One of the programme's balances.
    pub balance: BalanceCode,
    /// Credited, or below nothing: debited; never nothing.
    pub amount: Amount,
    /// Why, for those who look at the ledger.
    pub reason: Box<str>,
    /// The last day of what is credited; none: it never expires.
    pub expires: Option<Day>,
}

/// The effects of an adjustment: a credit is a lot and pays debt first, like an award; a debit
/// takes what expires first, whatever its terms. A block of spending stops neither.
///
/// # Errors
/// `not_covered` beyond what is available, `balance_full`, `already_expired`.
pub fn plan_adjustment(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    adjustment: &Adjustment,
) -> Result<Vec<Effect>, Refusal> {
    let Adjustment { balance, amount, expires, .. } = adjustment;
    if amount.0 < 0 {
        let debit = Amount(amount.0.saturating_neg());
        let funds = wallet.spendable(balance, now, programme.zone);
        let funds: Vec<_> = funds.map(|lot| (lot.id.clone(), lot.amount)).collect();
        if debit > sum(&funds) {
            return Err(Refusal::NotCovered);
        }
        let takes = first(funds, debit).map(|(lot, amount)| Effect::Take { lot, amount });
        return Ok(takes.collect());
    }
    let lot =
        LotId { balance: balance.clone(), expires: *expires, available_from: None, terms: None };
    if !lot.is_live(now, programme.zone) {
        return Err(Refusal::AlreadyExpired);
    }
    Ok(vec![credit(wallet, &lot, *amount)?])
}
