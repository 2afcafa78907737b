//! Spends that nobody asks for: instant ones of what a purchase was just awarded, and automatic
//! ones of what the wallet held before.

use crate::amount::{Amount, most_worth, worth_of};
use crate::event::{Event, EventType, RecordedEvent};
use crate::id::{BalanceCode, OfferId, UnitId};
use crate::ledger::{Effect, LotId, SpendCause, SpendMade};
use crate::participant::{AUTOMATIC_SPEND, Participant};
use crate::programme::{Merchant, Programme, ReductionMethod};
use crate::spend::{SpendAsked, SpendPlan, Use, first, sum};
use crate::terms::Automatic;
use crate::time::Instant;
use crate::wallet::{Lot, Wallet};

/// Most such spends on one purchase; what is left is for the next one.
const MAX_POTS: usize = 32;

/// Funds of one balance that are spent together on a purchase.
#[derive(Clone, Debug)]
pub(crate) struct Pot {
    balance: BalanceCode,
    source: Source,
    /// So much of these lots, in the order in which they are spent.
    lots: Vec<(LotId, Amount)>,
}

/// Where funds come from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// This offer just awarded them.
    Award(OfferId),
    /// They are spent automatically, within these bounds.
    Savings(Automatic),
}

/// What is spent on a purchase when it is judged, in the order in which it is spent: `instant` is
/// what it was awarded for that; then what the wallet held before. Nothing while spending is
/// blocked.
pub(crate) fn pots(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    purchase: &Event,
    instant: Vec<(OfferId, LotId, Amount)>,
    participant: &Participant,
) -> Vec<Pot> {
    let mut pots: Vec<Pot> = Vec::new();
    if wallet.blocked {
        return pots;
    }
    for (offer, lot, amount) in instant {
        if lot.is_available(now, programme.zone) {
            add(&mut pots, Source::Award(offer), lot, amount);
        }
    }
    let mut automatic = automatic_lots(programme, wallet, now, purchase).peekable();
    if automatic.peek().is_some() && participant.consents_to(&AUTOMATIC_SPEND.into()) {
        for (lot, bounds) in automatic {
            let least = bounds.minimum_balance.unwrap_or_default();
            if wallet.available(&lot.id.balance, now, programme.zone) >= least {
                add(&mut pots, Source::Savings(bounds), lot.id.clone(), lot.amount);
            }
        }
    }
    pots.truncate(MAX_POTS);
    pots
}

/// Whether the participant's consent decides about a spend on this purchase.
pub fn asks_consent(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    purchase: &Event,
) -> bool {
    let wallet = wallet.at(now, programme.zone);
    !wallet.blocked && automatic_lots(programme, &wallet, now, purchase).next().is_some()
}

/// The lots that are spent automatically on a purchase, where its merchant allows it.
fn automatic_lots<'a>(
    programme: &'a Programme,
    wallet: &'a Wallet,
    now: Instant,
    purchase: &Event,
) -> impl Iterator<Item = (&'a Lot, Automatic)> {
    let allows = merchant(programme, purchase.unit.as_ref()).is_some_and(|m| m.automatic_spend);
    // Nobody consents for a nameless wallet, nor shows its pass.
    let consents = wallet.nameless.is_none();
    let allowed = allows && consents && purchase.event_type() == EventType::Purchase;
    let lots = wallet.lots.iter().filter(move |lot| {
        let (id, zone) = (&lot.id, programme.zone);
        allowed && id.is_live(now, zone) && id.is_available(now, zone)
    });
    lots.filter_map(|lot| Some((lot, lot.id.terms.as_ref()?.automatic?)))
}

/// Adds to the funds of the same balance from the same source.
fn add(pots: &mut Vec<Pot>, source: Source, lot: LotId, amount: Amount) {
    let alike = |pot: &&mut Pot| pot.balance == lot.balance && pot.source == source;
    match pots.iter_mut().find(alike) {
        Some(pot) => pot.lots.push((lot, amount)),
        None => {
            let (balance, lots) = (lot.balance.clone(), vec![(lot, amount)]);
            pots.push(Pot { balance, source, lots });
        }
    }
}

impl Pot {
    /// The spend, as far as the wallet still holds it, its terms allow it, and the purchase takes
    /// it; none where it would pay nothing, or is less than what is spent at a time.
    pub fn plan(
        &self,
        programme: &Programme,
        wallet: &Wallet,
        purchase: &RecordedEvent,
    ) -> Option<SpendPlan> {
        let (balance, open) = (programme.balance(&self.balance)?, purchase.open());
        let (currency, event) = (programme.currency.decimals, &purchase.event);
        let requested = most_worth(open, balance.worth, balance.decimals, currency).ok()?;
        let (bounds, cause) = match &self.source {
            Source::Award(offer) => {
                (Automatic::default(), SpendCause::Instant { offer: offer.clone() })
            }
            Source::Savings(bounds) => (*bounds, SpendCause::Automatic),
        };
        let most = bounds.maximum.map_or(requested, |maximum| maximum.min(requested));
        let asked = SpendAsked {
            balance: self.balance.clone(),
            amount: None,
            classification: None,
            unit: event.unit.clone(),
            performed_on: event.performed_on,
        };
        let funds = self.lots.iter().map(|(lot, amount)| (lot, wallet.held(lot).min(*amount)));
        let funds = Use::of(programme, &asked, Some(purchase)).of_funds(funds);
        let funds: Vec<_> = first(funds, most).collect();
        let spent = sum(&funds);
        let covered = worth_of(spent, balance.worth, balance.decimals, currency).ok()?;
        if covered.is_zero() || bounds.minimum.is_some_and(|minimum| spent < minimum) {
            return None;
        }
        let made = SpendMade {
            balance: asked.balance,
            requested,
            spent,
            covered: Some(covered),
            remainder: open.less(covered),
            purchase: Some(event.id.clone()),
            method: reduction_method(programme, asked.unit.as_ref()),
            unit: asked.unit,
            performed_on: asked.performed_on,
            classification: None,
            request: None,
            cause,
        };
        let takes = funds.into_iter().map(|(lot, amount)| Effect::Take { lot, amount });
        Some(SpendPlan { made, takes: takes.collect() })
    }
}

/// How a spend that nobody asked for is deducted: as the unit's merchant says, at the till where
/// there is none.
fn reduction_method(programme: &Programme, unit: Option<&UnitId>) -> ReductionMethod {
    merchant(programme, unit).map_or(ReductionMethod::FrontEnd, |m| m.reduction_method)
}

fn merchant<'a>(programme: &'a Programme, unit: Option<&UnitId>) -> Option<&'a Merchant> {
    unit.and_then(|unit| programme.merchants.of(unit))
}
