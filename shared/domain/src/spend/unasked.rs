//! Spends that nobody asks for: of what a purchase was just awarded.

use crate::amount::{Amount, most_worth, worth_of};
use crate::event::Event;
use crate::id::{BalanceCode, UnitId};
use crate::ledger::{Effect, LotId, SpendCause, SpendMade};
use crate::programme::{Programme, ReductionMethod};
use crate::spend::SpendPlan;
use crate::time::Instant;
use crate::wallet::Wallet;

/// Funds of one balance that are spent together on a purchase.
#[derive(Clone, Debug)]
pub(crate) struct Pot {
    balance: BalanceCode,
    cause: SpendCause,
    /// So much of these lots, in the order in which they are spent.
    lots: Vec<(LotId, Amount)>,
}

/// What is spent on a purchase when it is judged, in the order in which it is spent: `instant` is
/// what it was awarded for that. Nothing while spending is blocked.
pub(crate) fn pots(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    instant: Vec<(LotId, Amount)>,
) -> Vec<Pot> {
    let mut pots: Vec<Pot> = Vec::new();
    if wallet.blocked {
        return pots;
    }
    for (lot, amount) in instant {
        if lot.is_available(now, programme.zone) {
            add(&mut pots, SpendCause::Instant, lot, amount);
        }
    }
    pots
}

/// Adds to the funds of the same balance and cause; a lot stands once among them.
fn add(pots: &mut Vec<Pot>, cause: SpendCause, lot: LotId, amount: Amount) {
    let of = |pot: &&mut Pot| pot.balance == lot.balance && pot.cause == cause;
    let Some(pot) = pots.iter_mut().find(of) else {
        let (balance, lots) = (lot.balance.clone(), vec![(lot, amount)]);
        return pots.push(Pot { balance, cause, lots });
    };
    match pot.lots.iter_mut().find(|(known, _)| *known == lot) {
        Some((_, sum)) => sum.0 = sum.0.saturating_add(amount.0),
        None => pot.lots.push((lot, amount)),
    }
}

impl Pot {
    /// The spend, as far as the wallet still holds it and `open` of the purchase, in currency,
    /// takes it; none where it would pay nothing.
    pub fn plan(
        &self,
        programme: &Programme,
        wallet: &Wallet,
        purchase: &Event,
        open: Amount,
    ) -> Option<SpendPlan> {
        let balance = programme.balance(&self.balance)?;
        let currency = programme.currency.decimals;
        let requested = most_worth(open, balance.worth, balance.decimals, currency).ok()?;
        let (mut left, mut takes) = (requested, Vec::new());
        for (lot, amount) in &self.lots {
            let amount = left.min(*amount).min(wallet.held(lot));
            if !amount.is_zero() {
                left = left.less(amount);
                takes.push(Effect::Take { lot: lot.clone(), amount });
            }
        }
        let spent = requested.less(left);
        let covered = worth_of(spent, balance.worth, balance.decimals, currency).ok()?;
        if covered.is_zero() {
            return None;
        }
        let made = SpendMade {
            balance: self.balance.clone(),
            requested,
            spent,
            covered: Some(covered),
            remainder: open.less(covered),
            purchase: Some(purchase.id.clone()),
            method: reduction_method(programme, purchase.unit.as_ref()),
            unit: purchase.unit.clone(),
            performed_on: purchase.performed_on,
            classification: None,
            request: None,
            cause: self.cause,
        };
        Some(SpendPlan { made, takes })
    }
}

/// How a spend that nobody asked for is deducted: as the unit's merchant says, at the till where
/// there is none.
fn reduction_method(programme: &Programme, unit: Option<&UnitId>) -> ReductionMethod {
    let merchant = unit.and_then(|unit| programme.merchants.of(unit));
    merchant.map_or(ReductionMethod::FrontEnd, |merchant| merchant.reduction_method)
}
