//! Whether limit, quota and balance leave room for what an offer would give.
//!
//! A judgement changes no wallet: what it has given so far stands in its effects.

use super::Bench;
use crate::amount::{Amount, MAX_MINOR};
use crate::ledger::{Effect, LotId, Slot};
use crate::offer::Offer;
use crate::refusal::Reason;
use crate::wallet::Wallet;

/// Whether nothing stands against an award of `amount` to this lot after these effects.
pub(super) fn may_award(
    bench: Bench<'_>,
    offer: &Offer,
    lot: &LotId,
    amount: Amount,
    effects: &[Effect],
) -> Result<(), Reason> {
    if !amount.is_zero() && !lot.is_of_use(bench.now, bench.programme.zone) {
        return Err(Reason::NotValid);
    }
    may_give(bench, offer, amount)?;
    if fits(bench, lot, amount, effects) { Ok(()) } else { Err(Reason::BalanceFull) }
}

/// Whether limit and quota leave room for an award, or a discount, of `amount`.
pub(super) fn may_give(bench: Bench<'_>, offer: &Offer, amount: Amount) -> Result<(), Reason> {
    if amount.is_zero() {
        return Err(Reason::AwardsNothing);
    }
    if offer.is_exhausted(bench.wallet, bench.subject.clock.day) {
        return Err(Reason::LimitReached);
    }
    let lacks = bench.facts.quotas.lacks(offer, has_place(bench.wallet, offer), amount);
    lacks.map_or(Ok(()), Err)
}

/// Whether the participant is one of the first that the offer awards.
fn has_place(wallet: &Wallet, offer: &Offer) -> bool {
    offer.quota.first.is_some() && wallet.awarded(&offer.id, |slot| slot == Slot::Quota) > 0
}

/// What awards put into lots, and what of them paid debt.
pub(super) fn given(effects: &[Effect]) -> impl Iterator<Item = (&LotId, Amount, Amount)> {
    effects.iter().filter_map(|effect| {
        let Effect::Award { lot, amount, debt, .. } = effect else { return None };
        Some((lot, amount.less(*debt), *debt))
    })
}

/// Whether the balance can hold so much more after these effects.
pub(super) fn fits(bench: Bench<'_>, lot: &LotId, amount: Amount, effects: &[Effect]) -> bool {
    // Where all balances together leave room, nobody needs to tell them apart.
    let all = || given(effects).map(|(_, put, _)| put.0).sum::<i64>();
    let of_balance = given(effects).filter(|(to, ..)| to.balance == lot.balance);
    let own = || of_balance.map(|(_, put, _)| put.0).sum::<i64>();
    let room = MAX_MINOR - amount.0;
    bench.held + all() <= room || bench.wallet.total(&lot.balance, |_| true).0 + own() <= room
}

/// What an award of `amount` takes of the offer's places and budget, where it has any.
pub(super) fn use_quota(wallet: &Wallet, offer: &Offer, amount: Amount) -> Option<Effect> {
    if offer.quota.is_unlimited() {
        return None;
    }
    let awards = i32::from(offer.quota.first.is_some());
    let places = if has_place(wallet, offer) { 0 } else { awards };
    let budget = offer.quota.budget.map_or(Amount::ZERO, |_| amount);
    Some(Effect::Quota { offer: offer.id.clone(), awards, places, budget })
}
