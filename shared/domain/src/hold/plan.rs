//! Deciding a hold and its ends.

use crate::amount::Amount;
use crate::event::RecordedEvent;
use crate::hold::{HoldTime, MAX_HOLDS, all_of, give_back};
use crate::ledger::{Effect, HoldMade, SpendMade};
use crate::programme::Programme;
use crate::refusal::Refusal;
use crate::spend::{SpendAsked, SpendPlan, Use, first, plan_spend, sum, weigh_spend};
use crate::time::Instant;
use crate::wallet::Wallet;

/// How an open hold is to be spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettleAsked {
    /// The ledger entry that made the hold.
    pub hold: u64,
    /// The spend that the funds were held for.
    pub held_for: SpendMade,
    /// Of what is held; none: all of it.
    pub amount: Option<Amount>,
}

/// A hold that can be made.
pub struct HoldPlan {
    pub made: HoldMade,
    pub effects: Vec<Effect>,
}

/// Decides a hold by the rules of a spend, all or nothing. `sequence` is that of its entry.
///
/// # Errors
/// Those of a spend, and `too_many_holds`.
pub fn plan_hold(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    asked: &SpendAsked,
    purchase: Option<&RecordedEvent>,
    time: HoldTime,
    sequence: u64,
) -> Result<HoldPlan, Refusal> {
    let SpendPlan { made, takes } = plan_spend(programme, wallet, now, asked, purchase)?;
    if made.spent < made.requested {
        return Err(Refusal::NotCovered);
    }
    if wallet.holds.len() >= MAX_HOLDS {
        return Err(Refusal::TooManyHolds);
    }
    let lapses_at = time.after(now);
    let held = takes.into_iter().filter_map(|take| {
        let Effect::Take { lot, amount } = take else { return None };
        Some(Effect::Hold { hold: sequence, lapses_at, lot, amount })
    });
    let effects = held.collect();
    Ok(HoldPlan { made: HoldMade { spend: made, lapses_at }, effects })
}

/// Spends from an open hold and gives back the rest. What is held is spent even where the last day
/// of its lot has passed meanwhile; what may not pay for the lines of this purchase comes back.
///
/// # Errors
/// `hold_not_open`, `amount_out_of_range` beyond what is held, and those of a spend.
pub fn plan_settle(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    asked: &SettleAsked,
    purchase: Option<&RecordedEvent>,
) -> Result<SpendPlan, Refusal> {
    let hold = wallet.open_hold(asked.hold, now).ok_or(Refusal::HoldNotOpen)?;
    let (held, for_spend) = (hold.amount(), &asked.held_for);
    if asked.amount.is_some_and(|amount| amount > held) {
        return Err(Refusal::AmountOutOfRange);
    }
    let classification = for_spend.classification.clone();
    let rule = programme.definition.spend.rule(classification.as_ref());
    // A rule without an amount asks for what is open of the purchase.
    let takes_amount = rule.is_none_or(|rule| rule.specific_amount.is_some());
    let on_the_same = purchase.map(|purchase| &purchase.event.id) == for_spend.purchase.as_ref();
    let spend = SpendAsked {
        balance: for_spend.balance.clone(),
        amount: asked.amount.or(takes_amount.then_some(held)),
        classification,
        unit: for_spend.unit.clone(),
        // Against a purchase that the hold did not name, it is spent now.
        performed_on: if on_the_same { for_spend.performed_on } else { now },
    };
    // The time at which it was held is the one that counts for terms, as it is for expiry.
    let timed = SpendAsked { performed_on: for_spend.performed_on, ..spend.clone() };
    let funds = hold.takes.iter().map(|(lot, amount)| (lot, *amount));
    let funds = Use::of(programme, &timed, purchase).of_funds(funds);
    let made = weigh_spend(programme, wallet.blocked, sum(&funds), &spend, purchase)?;
    let taken: Vec<_> = first(funds, made.spent).collect();
    let rest = hold.takes.iter().map(|(lot, amount)| {
        let of_lot = taken.iter().filter(|(known, _)| known == lot).map(|(_, taken)| taken.0);
        (asked.hold, lot.clone(), amount.less(Amount(of_lot.sum())))
    });
    let rest = rest.collect();
    let take = |(lot, amount)| Effect::TakeHeld { hold: asked.hold, lot, amount };
    let mut takes: Vec<Effect> = taken.into_iter().map(take).collect();
    let mut wallet = wallet.clone();
    takes.iter().for_each(|effect| wallet.carry_out(effect));
    takes.extend(give_back(&wallet, now, programme.zone, rest));
    Ok(SpendPlan { made, takes })
}

/// Gives back all that an open hold set aside.
///
/// # Errors
/// `hold_not_open`.
pub fn plan_release(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    hold: u64,
) -> Result<Vec<Effect>, Refusal> {
    let hold = wallet.open_hold(hold, now).ok_or(Refusal::HoldNotOpen)?;
    Ok(give_back(wallet, now, programme.zone, all_of(hold)))
}
