//! What a spend may use of each lot: one that may pay for some lines of a purchase only pays
//! no more than those, and all of them together as much as they can.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::amount::{Amount, Ratio, share_of};
use crate::event::{RecordedEvent, SpendOn};
use crate::id::{BalanceCode, MerchantId, UnitId};
use crate::ledger::LotId;
use crate::offer::shelf;
use crate::programme::Programme;
use crate::spend::flow::Flow;
use crate::spend::{SpendAsked, sum};
use crate::terms::Terms;
use crate::time::Instant;
use crate::wallet::Wallet;
use crate::window::Clock;

/// What funds are to be used for, as the terms of lots look at it.
pub(crate) struct Use<'a> {
    programme: &'a Programme,
    balance: &'a BalanceCode,
    clock: Clock,
    unit: Option<&'a UnitId>,
    merchant: Option<&'a MerchantId>,
    purchase: Option<&'a RecordedEvent>,
}

impl<'a> Use<'a> {
    /// A spend, by the time at which it is performed and at its unit, or where it names none at
    /// that of the purchase. Whose a unit is, the programme says now.
    pub(crate) fn of(
        programme: &'a Programme,
        asked: &'a SpendAsked,
        purchase: Option<&'a RecordedEvent>,
    ) -> Use<'a> {
        let bought_at = purchase.and_then(|purchase| purchase.event.unit.as_ref());
        let unit = asked.unit.as_ref().or(bought_at);
        Use {
            programme,
            balance: &asked.balance,
            clock: Clock::of(asked.performed_on, programme.zone),
            unit,
            merchant: unit.and_then(|unit| programme.merchants.units.get(unit)),
            purchase,
        }
    }

    /// The most that can be used of a wallet's lots now, in the order in which they are spent.
    /// Whoever needs less takes what comes first.
    pub(crate) fn of_wallet(&self, wallet: &Wallet, now: Instant) -> Vec<(LotId, Amount)> {
        let lots = wallet.spendable(self.balance, now, self.programme.zone);
        self.of_funds(lots.map(|lot| (&lot.id, lot.amount)))
    }

    /// The most that can be used of these funds, each going before those that come after it.
    pub(crate) fn of_funds<'f>(
        &self,
        funds: impl Iterator<Item = (&'f LotId, Amount)>,
    ) -> Vec<(LotId, Amount)> {
        let allowed = |(lot, _): &(&LotId, Amount)| match lot.terms.as_deref() {
            Some(terms) => self.suits(terms),
            None => true,
        };
        let mut funds: Vec<(LotId, Amount)> =
            funds.filter(allowed).map(|(lot, amount)| (lot.clone(), amount)).collect();
        if funds.iter().any(|(lot, _)| lot.line_terms().is_some()) {
            self.fit(&mut funds);
        }
        funds.retain(|(_, amount)| !amount.is_zero());
        funds
    }

    /// Whether terms allow the time and the place; without a purchase there are no lines.
    fn suits(&self, terms: &Terms) -> bool {
        (terms.periods.is_empty() || terms.periods.iter().any(|period| period.holds(self.clock.at)))
            && terms.times.as_ref().is_none_or(|times| times.holds(&self.clock))
            && terms.units.allows(self.unit)
            && terms.merchants.allows(self.merchant)
            && (self.purchase.is_some() || !terms.asks_lines())
    }

    /// Reduces funds to what the lines that are still open take of them.
    fn fit(&self, funds: &mut [(LotId, Amount)]) {
        let Some(purchase) = self.purchase else { return };
        let Some(ratio) = ratio(self.programme, self.balance) else { return };
        let terms = funds.iter().filter_map(|(lot, _)| lot.line_terms());
        let mut basket = Basket::new(self.programme, purchase, &purchase.spends, terms, ratio);
        for (lot, amount) in funds {
            *amount = basket.pay(lot.line_terms(), *amount);
        }
    }
}

fn ratio(programme: &Programme, balance: &BalanceCode) -> Option<Ratio> {
    let (balance, currency) = (programme.balance(balance)?, programme.currency.decimals);
    Some(Ratio::of_worth(balance.worth, balance.decimals, currency))
}

/// The parts of a spend on a purchase that takes only so much any more, because goods came back:
/// those that may pay for the lines that are left stay, in their order, and where that is too little
/// the first of the others.
pub(crate) fn parts_left(
    programme: &Programme,
    purchase: &RecordedEvent,
    at: usize,
    left: Amount,
) -> Vec<(Option<Arc<Terms>>, Amount)> {
    let (earlier, spend) = (&purchase.spends[..at], &purchase.spends[at]);
    let mut parts = spend.parts.clone();
    parts.push((None, spend.spent().less(sum(&spend.parts))));
    let mut kept = vec![Amount::ZERO; parts.len()];
    let mut open = left;
    if let Some(ratio) = ratio(programme, &spend.made.balance) {
        let terms = spend.parts.iter().filter_map(|(terms, _)| terms.as_ref());
        let mut basket = Basket::new(programme, purchase, earlier, terms, ratio);
        for (kept, (terms, amount)) in kept.iter_mut().zip(&parts) {
            *kept = basket.pay(terms.as_ref(), open.min(*amount));
            open = open.less(*kept);
        }
    }
    for (kept, (_, amount)) in kept.iter_mut().zip(&mut parts) {
        let more = open.min(amount.less(*kept));
        open = open.less(more);
        *amount = Amount(kept.0 + more.0);
    }
    parts.pop();
    parts
}

/// The lines of a purchase that are left, and who pays for them. Everything is counted in the
/// fraction of a minor unit of which both currency and balance are multiples.
struct Basket {
    /// One payer for each, and one more that may pay for anything.
    terms: Vec<Arc<Terms>>,
    flow: Flow,
    ratio: Ratio,
}

impl Basket {
    /// With what earlier spends pay for, as it suits those that come now under some terms.
    fn new<'t>(
        programme: &Programme,
        purchase: &RecordedEvent,
        spends: &'t [SpendOn],
        now: impl Iterator<Item = &'t Arc<Terms>>,
        ratio: Ratio,
    ) -> Basket {
        let mut terms: Vec<Arc<Terms>> = Vec::new();
        let earlier = spends.iter().flat_map(|spend| &spend.parts);
        for one in earlier.filter_map(|(terms, _)| terms.as_ref()).chain(now) {
            if !terms.contains(one) {
                terms.push(Arc::clone(one));
            }
        }
        // Lines that the same payers may pay for are one class.
        let mut classes: BTreeMap<Vec<bool>, i128> = BTreeMap::new();
        let left = purchase.left();
        for (line, total) in purchase.event.lines().iter().zip(left.totals()) {
            let shelf = shelf(programme, line);
            let mut payers: Vec<bool> = terms.iter().map(|terms| terms.wants(&shelf)).collect();
            payers.push(true);
            *classes.entry(payers).or_default() += ratio.of_currency(total);
        }
        let may = |payer: usize| classes.keys().map(|payers| payers[payer]).collect();
        let may = (0..=terms.len()).map(may).collect();
        let flow = Flow::new(classes.into_values().collect(), may);
        let mut basket = Basket { terms, flow, ratio };
        basket.paid_before(spends);
        basket
    }

    fn paid_before(&mut self, spends: &[SpendOn]) {
        let mut anywhere = 0;
        for (terms, covered) in spends.iter().flat_map(SpendOn::covered_parts) {
            let covered = self.ratio.of_currency(covered);
            let paid = terms.map_or(0, |terms| self.flow.pay(self.payer(Some(&terms)), covered));
            // What it paid for was returned, or belongs to others by now: it still pays as much.
            anywhere += covered - paid;
        }
        self.flow.pay(self.terms.len(), anywhere);
    }

    fn payer(&self, terms: Option<&Arc<Terms>>) -> usize {
        let known = |terms| self.terms.iter().position(|known| known == terms);
        terms.and_then(known).unwrap_or(self.terms.len())
    }

    /// Pays with so much of the balance at most, in whole minor units; answers with how much.
    fn pay(&mut self, terms: Option<&Arc<Terms>>, most: Amount) -> Amount {
        let (payer, before) = (self.payer(terms), self.flow.clone());
        let paid = self.flow.pay(payer, self.ratio.of_balance(most));
        let whole = self.ratio.to_balance(paid);
        if self.ratio.of_balance(whole) < paid {
            self.flow = before;
            self.flow.pay(payer, self.ratio.of_balance(whole));
        }
        whole
    }
}

impl SpendOn {
    /// What it still pays of the purchase in currency, by the terms that ask for certain lines.
    fn covered_parts(&self) -> Vec<(Option<Arc<Terms>>, Amount)> {
        let (spent, covered) = (self.spent(), self.covered());
        let (mut sum, mut before, mut parts) = (Amount::ZERO, Amount::ZERO, Vec::new());
        for (terms, amount) in &self.parts {
            sum = Amount(sum.0 + amount.0);
            let until = share_of(covered, sum.0, spent.0);
            parts.push((terms.clone(), until.less(before)));
            before = until;
        }
        parts.push((None, covered.less(before)));
        parts
    }
}
