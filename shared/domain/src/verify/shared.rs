//! What all wallets share, as their ledgers say: quotas of offers, and stocks of coupons.

use std::collections::BTreeMap;

use crate::coupon::Stock;
use crate::id::{CouponId, OfferId};
use crate::ledger::{Act, Entry, EntryKey, SpendMade};
use crate::quota::{Quotas, Used};

/// Something that all wallets share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shared {
    /// Of an offer.
    Quota(OfferId),
    /// Of a coupon.
    Stock(CouponId),
}

/// What is counted of it, by name; never nothing.
pub type Counts = BTreeMap<String, i64>;

/// What one ledger took of all that is shared, on the way.
#[derive(Debug, Default)]
pub(super) struct Taken {
    quotas: Quotas,
    stocks: BTreeMap<CouponId, Stock>,
    /// Coupons that may be cancelled yet, by the entry that took them.
    coupons: BTreeMap<u64, (CouponId, SpendMade)>,
}

impl Taken {
    pub fn note(&mut self, entry: &Entry) {
        entry.effects.iter().for_each(|effect| self.quotas.note(effect));
        if let (Some(made), Some(taken)) = (entry.spend(), entry.coupon()) {
            let stock = self.stocks.entry(taken.coupon.clone()).or_default();
            *stock = std::mem::take(stock).after(made);
            self.coupons.insert(entry.sequence, (taken.coupon.clone(), made.clone()));
        }
        if let (EntryKey::CancelSpend(spend), Act::Reversed(_)) = (&entry.key, &entry.act)
            && let Some((coupon, made)) = self.coupons.remove(spend)
        {
            let stock = self.stocks.entry(coupon).or_default();
            *stock = std::mem::take(stock).without(&made);
        }
    }

    pub fn into_counts(self) -> Vec<(Shared, Counts)> {
        let quotas = self.quotas.into_used().into_iter();
        let quotas = quotas.map(|(offer, used)| (Shared::Quota(offer), of_quota(used)));
        let stocks = self.stocks.into_iter();
        let stocks = stocks.map(|(coupon, stock)| (Shared::Stock(coupon), of_stock(&stock)));
        quotas.chain(stocks).collect()
    }
}

/// What a quota counts.
pub fn of_quota(used: Used) -> Counts {
    counts([("places".to_owned(), used.places), ("budget".to_owned(), used.budget.0)])
}

/// What ledgers know of a stock: not how many codes its pool has.
pub fn of_stock(stock: &Stock) -> Counts {
    let Stock { taken, cancelled, dealt, paid, pool: _ } = stock;
    let numbers = [("taken", taken), ("cancelled", cancelled), ("codes dealt", dealt)];
    let many = |number: &u64| i64::try_from(*number).unwrap_or(i64::MAX);
    let numbers = numbers.map(|(name, number)| (name.to_owned(), many(number)));
    let paid = paid.iter().map(|(balance, amount)| (format!("paid in {balance}"), amount.0));
    counts(numbers.into_iter().chain(paid))
}

fn counts(all: impl IntoIterator<Item = (String, i64)>) -> Counts {
    all.into_iter().filter(|(_, count)| *count != 0).collect()
}

/// Adds what another ledger took.
pub fn add(sum: &mut Counts, more: &Counts) {
    for (name, count) in more {
        let sum = sum.entry(name.clone()).or_default();
        *sum = sum.saturating_add(*count);
    }
    sum.retain(|_, count| *count != 0);
}
