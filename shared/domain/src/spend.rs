//! Spending: what a spend request may take, and from which lots.

mod cover;
mod flow;
mod unasked;

use crate::amount::{Amount, AmountError, Decimals, most_worth, worth_of};
use crate::event::{EventState, RecordedEvent};
use crate::id::{BalanceCode, Classification, UnitId};
use crate::ledger::{Effect, LotId, SpendCause, SpendMade};
use crate::programme::{Balance, Programme, ReductionMethod};
use crate::refusal::Refusal;
use crate::time::{Duration, Instant};
use crate::wallet::Wallet;

pub(crate) use cover::{Use, parts_left};
pub use unasked::asks_consent;
pub(crate) use unasked::{Pot, pots};

/// What the definition says of spending.
#[derive(Clone, Debug)]
pub struct SpendDefinition {
    /// Whether a spend must name a purchase.
    pub requires_purchase: bool,
    /// 1 to 180 days after the purchase.
    pub within_days: u32,
    /// The balance of a spend that names none.
    pub balance: Option<BalanceCode>,
    pub rules: Vec<SpendRule>,
}

/// What a classification of spends may take.
#[derive(Clone, Debug)]
pub struct SpendRule {
    /// Empty: all.
    pub classifications: Vec<Classification>,
    /// Whether the caller names the amount; else it is the purchase total.
    pub specific_amount: Option<AmountRange>,
    /// Create nothing unless all of it is covered.
    pub reject_if_not_covered: bool,
}

/// An inclusive range, in the major unit of whatever balance is spent.
#[derive(Clone, Copy, Debug, Default)]
pub struct AmountRange {
    pub min: Option<Amount>,
    pub max: Option<Amount>,
    /// The decimals in which both are given.
    pub decimals: Decimals,
}

impl AmountRange {
    /// Whether an amount of a balance with these decimals is within.
    fn contains(&self, amount: Amount, decimals: Decimals) -> bool {
        let within = |limit: Amount| limit.compare(self.decimals, amount, decimals);
        self.min.is_none_or(|min| within(min).is_le())
            && self.max.is_none_or(|max| within(max).is_ge())
    }
}

/// A spend as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendAsked {
    /// One of the programme's balances.
    pub balance: BalanceCode,
    /// In the balance; none: what is open of the purchase.
    pub amount: Option<Amount>,
    pub classification: Option<Classification>,
    pub unit: Option<UnitId>,
    pub performed_on: Instant,
}

/// A spend that can be carried out.
pub struct SpendPlan {
    pub made: SpendMade,
    pub takes: Vec<Effect>,
}

impl SpendDefinition {
    /// The first rule for the classification.
    pub fn rule(&self, classification: Option<&Classification>) -> Option<&SpendRule> {
        let applies = |rule: &&SpendRule| {
            rule.classifications.is_empty()
                || classification.is_some_and(|name| rule.classifications.contains(name))
        };
        self.rules.iter().find(applies)
    }
}

impl Programme {
    /// The rule for spends of a balance. Rules are about money: a gift is handed over without one,
    /// and whole or not at all.
    pub fn spend_rule(
        &self,
        balance: &BalanceCode,
        classification: Option<&Classification>,
    ) -> Option<&SpendRule> {
        let rule = self.definition.spend.rule(classification);
        rule.filter(|_| !self.is_gift(balance))
    }
}

/// Decides a spend on what the wallet holds now. Refusals in order of precedence: blocked,
/// purchase, amount, cover.
pub fn plan_spend(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    asked: &SpendAsked,
    purchase: Option<&RecordedEvent>,
) -> Result<SpendPlan, Refusal> {
    let funds = Use::of(programme, asked, purchase).of_wallet(wallet, now);
    let made = weigh_spend(programme, wallet.blocked, sum(&funds), asked, purchase)?;
    let takes = first(funds, made.spent).map(|(lot, amount)| Effect::Take { lot, amount });
    Ok(SpendPlan { made, takes: takes.collect() })
}

/// What a spend could take at most, whatever it asks for.
pub(crate) fn usable(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    asked: &SpendAsked,
    purchase: Option<&RecordedEvent>,
) -> Amount {
    sum(&Use::of(programme, asked, purchase).of_wallet(wallet, now))
}

/// What these come to.
pub(crate) fn sum<T>(funds: &[(T, Amount)]) -> Amount {
    Amount(funds.iter().map(|(_, amount)| amount.0).sum())
}

/// The first of these funds that come to so much.
pub(crate) fn first(
    funds: Vec<(LotId, Amount)>,
    amount: Amount,
) -> impl Iterator<Item = (LotId, Amount)> {
    let mut open = amount;
    let taken = funds.into_iter().map(move |(lot, held)| {
        let taken = open.min(held);
        open = open.less(taken);
        (lot, taken)
    });
    taken.filter(|(_, amount)| !amount.is_zero())
}

/// What a spend comes to where so much can be used of its balance.
pub(crate) fn weigh_spend(
    programme: &Programme,
    blocked: bool,
    usable: Amount,
    asked: &SpendAsked,
    purchase: Option<&RecordedEvent>,
) -> Result<SpendMade, Refusal> {
    if blocked {
        return Err(Refusal::SpendingBlocked);
    }
    let definition = &programme.definition.spend;
    match purchase {
        Some(_) if programme.is_gift(&asked.balance) => return Err(Refusal::GiftIsNoMoney),
        None if programme.is_gift(&asked.balance) => {}
        None if definition.requires_purchase => return Err(Refusal::PurchaseRequired),
        None => {}
        Some(purchase) => check_purchase(programme, asked, purchase)?,
    }
    let rule = programme.spend_rule(&asked.balance, asked.classification.as_ref());
    let demand = Demand::of(programme, asked, purchase, rule)?;
    let spent = Amount(demand.requested.0.min(usable.0));
    let all_or_nothing =
        rule.is_some_and(|rule| rule.reject_if_not_covered) || programme.is_gift(&asked.balance);
    if spent.is_zero() || (all_or_nothing && spent < demand.requested) {
        return Err(Refusal::NotCovered);
    }
    let covered = demand.covered(programme, spent)?;
    if covered.is_some_and(Amount::is_zero) {
        return Err(Refusal::NotCovered);
    }
    Ok(SpendMade {
        balance: asked.balance.clone(),
        requested: demand.requested,
        spent,
        covered,
        remainder: match covered {
            Some(covered) => demand.in_currency.less(covered),
            None => demand.requested.less(spent),
        },
        purchase: purchase.map(|purchase| purchase.event.id.clone()),
        // By API, so at the till; only instant and automatic spends follow the merchant.
        method: ReductionMethod::FrontEnd,
        unit: asked.unit.clone(),
        performed_on: asked.performed_on,
        classification: asked.classification.clone(),
        request: None,
        cause: SpendCause::Requested,
    })
}

fn check_purchase(
    programme: &Programme,
    asked: &SpendAsked,
    purchase: &RecordedEvent,
) -> Result<(), Refusal> {
    if purchase.state == EventState::Cancelled {
        return Err(Refusal::PurchaseCancelled);
    }
    let zone = programme.zone;
    let bought = purchase.event.performed_on.day(zone);
    let last = bought.plus(Duration::days(programme.definition.spend.within_days));
    let day = asked.performed_on.day(zone);
    if (bought..=last).contains(&day) { Ok(()) } else { Err(Refusal::OutsideSpendWindow) }
}

/// What is asked for: in the balance, and against a purchase in currency.
struct Demand<'a> {
    balance: &'a Balance,
    requested: Amount,
    in_currency: Amount,
    against_purchase: bool,
}

impl<'a> Demand<'a> {
    fn of(
        programme: &'a Programme,
        asked: &SpendAsked,
        purchase: Option<&RecordedEvent>,
        rule: Option<&SpendRule>,
    ) -> Result<Demand<'a>, Refusal> {
        let balance = programme.balance(&asked.balance).ok_or(Refusal::NotCovered)?;
        let open = purchase.map(RecordedEvent::open);
        let currency = programme.currency.decimals;
        let most = |open| most_worth(open, balance.worth, balance.decimals, currency);
        let allowed = rule.is_none_or(|rule| rule.specific_amount.is_some());
        if asked.amount.is_some() && !allowed {
            return Err(Refusal::AmountNotAllowed);
        }
        let (requested, in_currency) = match (asked.amount, open) {
            (None, None) => return Err(Refusal::PurchaseRequired),
            (None, Some(open)) => (most(open).map_err(out_of_range)?, open),
            (Some(amount), None) => (amount, Amount::ZERO),
            (Some(amount), Some(open)) if amount > most(open).map_err(out_of_range)? => {
                return Err(Refusal::AmountOutOfRange);
            }
            (Some(amount), Some(_)) => {
                let worth = worth_of(amount, balance.worth, balance.decimals, currency);
                (amount, worth.map_err(out_of_range)?)
            }
        };
        let range = rule.and_then(|rule| rule.specific_amount).unwrap_or_default();
        if requested.is_zero() || !range.contains(requested, balance.decimals) {
            return Err(Refusal::AmountOutOfRange);
        }
        Ok(Demand { balance, requested, in_currency, against_purchase: open.is_some() })
    }

    /// What `spent` pays of the purchase, rounded down.
    fn covered(&self, programme: &Programme, spent: Amount) -> Result<Option<Amount>, Refusal> {
        if !self.against_purchase {
            return Ok(None);
        }
        let currency = programme.currency.decimals;
        let covered = worth_of(spent, self.balance.worth, self.balance.decimals, currency);
        covered.map(Some).map_err(out_of_range)
    }
}

fn out_of_range(_: AmountError) -> Refusal {
    Refusal::AmountOutOfRange
}
