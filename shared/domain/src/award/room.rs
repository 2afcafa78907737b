//! Whether limit, quota and balance leave room for what an offer would give.

use super::Bench;
use crate::amount::{Amount, MAX_MINOR};
use crate::id::BalanceCode;
use crate::ledger::{Effect, LotId, Slot};
use crate::offer::Offer;
use crate::refusal::Reason;
use crate::wallet::Wallet;

/// The lot that an award of `amount` goes to, where nothing stands against it.
pub(super) fn lot_for(
    bench: Bench<'_>,
    wallet: &Wallet,
    offer: &Offer,
    balance: &BalanceCode,
    amount: Amount,
) -> Result<LotId, Reason> {
    let Bench { programme, now, today, .. } = bench;
    let lot = offer.lot(balance, today);
    if !amount.is_zero() && !lot.is_of_use(now, programme.zone) {
        return Err(Reason::NotValid);
    }
    has_room(bench, wallet, offer, amount)?;
    if fits(wallet, &lot, amount) { Ok(lot) } else { Err(Reason::BalanceFull) }
}

/// Whether limit and quota leave room for an award, or a discount, of `amount`.
pub(super) fn has_room(
    bench: Bench<'_>,
    wallet: &Wallet,
    offer: &Offer,
    amount: Amount,
) -> Result<(), Reason> {
    if amount.is_zero() {
        return Err(Reason::AwardsNothing);
    }
    if offer.is_exhausted(wallet, bench.subject.clock.day) {
        return Err(Reason::LimitReached);
    }
    let lacks = bench.facts.quotas.lacks(offer, has_place(wallet, offer), amount);
    lacks.map_or(Ok(()), Err)
}

/// Whether the participant is one of the first that the offer awards.
fn has_place(wallet: &Wallet, offer: &Offer) -> bool {
    offer.quota.first.is_some() && wallet.awarded(&offer.id, |slot| slot == Slot::Quota) > 0
}

pub(super) fn fits(wallet: &Wallet, lot: &LotId, amount: Amount) -> bool {
    // Where all balances together leave room, nobody needs to tell them apart.
    let all: i64 = wallet.lots.iter().map(|lot| lot.amount.0).sum();
    let held = || wallet.total(&lot.balance, |_| true).0;
    all + amount.0 <= MAX_MINOR || held() + amount.0 <= MAX_MINOR
}

/// What an award of `amount` takes of the offer's places and budget, where it has any.
pub(super) fn use_quota(wallet: &Wallet, offer: &Offer, amount: Amount) -> Option<Effect> {
    let awards = i32::from(offer.quota.first.is_some());
    let places = if has_place(wallet, offer) { 0 } else { awards };
    let budget = offer.quota.budget.map_or(Amount::ZERO, |_| amount);
    let used = Effect::Quota { offer: offer.id.clone(), awards, places, budget };
    (!offer.quota.is_unlimited()).then_some(used)
}
