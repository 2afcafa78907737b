//! What there is of a coupon, and what was given for it: shared by all wallets.

use std::collections::BTreeMap;

use crate::amount::Amount;
use crate::coupon::{CodeTaken, Codes, Coupon, NUMBERS};
use crate::id::BalanceCode;
use crate::ledger::{SpendCause, SpendMade};

/// A coupon's stock as it was used up by all participants together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    /// How often it was taken, also what was cancelled since: no number is given twice.
    pub taken: u64,
    /// How often that was cancelled.
    pub cancelled: u64,
    /// Codes that were uploaded in all.
    pub pool: u64,
    /// Those of them that were handed out, also where that was cancelled.
    pub dealt: u64,
    /// What was paid for what is not cancelled, in each balance that it was paid with.
    pub paid: BTreeMap<BalanceCode, Amount>,
}

impl Stock {
    /// How many are taken and not cancelled.
    pub fn kept(&self) -> u64 {
        self.taken.saturating_sub(self.cancelled)
    }

    /// How many are left; none: any number.
    pub fn left(&self, coupon: &Coupon) -> Option<u64> {
        match coupon.codes {
            Codes::Uploaded => Some(self.pool.saturating_sub(self.dealt)),
            Codes::None | Codes::Generated => {
                coupon.stock.map(|stock| stock.saturating_sub(self.kept()))
            }
        }
    }

    /// The number of whoever takes the next one; none: it is sold out.
    pub fn next(&self, coupon: &Coupon) -> Option<u64> {
        let number = match coupon.codes {
            Codes::Uploaded => self.dealt,
            Codes::None | Codes::Generated => self.taken,
        };
        (number < NUMBERS && self.left(coupon) != Some(0)).then_some(number)
    }

    /// What is left after a spend took one; the same where it was for something else.
    #[must_use]
    pub fn after(mut self, made: &SpendMade) -> Stock {
        if let SpendCause::Coupon(taken) = &made.cause {
            self.taken += 1;
            self.dealt += u64::from(taken.code == CodeTaken::Uploaded);
            self.add(&made.balance, made.spent);
        }
        self
    }

    /// What is left after such a spend was cancelled. A code of the pool stays with whoever saw it.
    #[must_use]
    pub fn without(mut self, made: &SpendMade) -> Stock {
        self.cancelled += 1;
        self.add(&made.balance, Amount(made.spent.0.saturating_neg()));
        self
    }

    fn add(&mut self, balance: &BalanceCode, amount: Amount) {
        let paid = self.paid.entry(balance.clone()).or_default();
        *paid = Amount(paid.0.saturating_add(amount.0));
    }
}
