//! What a wallet knows of its months: what was bought, spent and awarded, and how often purchases
//! and offers that segments name.

use crate::amount::Amount;
use crate::award::Judged;
use crate::event::{EventState, EventType, Judgement, RecordedEvent};
use crate::id::{AreaId, OfferId, ProductId};
use crate::ledger::Effect;
use crate::offer::{Beneficiary, shelf};
use crate::programme::Programme;
use crate::time::{Day, Instant, Month};
use crate::wallet::Wallet;

/// Months of activity that a wallet keeps.
pub const ACTIVITY_MONTHS: usize = 13;

/// Days with purchases that a wallet keeps, where a segment asks for days; it asks for as many at
/// most.
pub const ACTIVITY_DAYS: usize = 31;

/// Most different things that the segments of a programme watch, and that a wallet keeps months of.
pub const MAX_WATCHED: usize = 32;

/// What was done in one month, by the time at which it was performed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity {
    pub month: Month,
    pub purchases: i32,
    /// Purchased, in currency.
    pub amount: Amount,
    pub spends: i32,
    /// Events to which offers gave something: an award, a discount or a pass.
    pub awards: i32,
}

/// What a segment asks for, so that wallets keep the months in which it was so: from the first
/// version of the programme on that names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Watch {
    /// Purchases of these goods, at units of this area; one of the two at least.
    Purchases { goods: Option<Goods>, area: Option<AreaId> },
    /// Events to which an offer gave something.
    Offer(OfferId),
}

/// What a line of a purchase is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Goods {
    Product(ProductId),
    /// As the line says, or the catalogue.
    Category(ProductId),
}

/// How often it was so in each month, oldest first, at most [`ACTIVITY_MONTHS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    pub watch: Watch,
    pub months: Vec<(Month, i32)>,
}

impl Activity {
    /// Nothing, in a month.
    pub fn none(month: Month) -> Activity {
        Activity { month, purchases: 0, amount: Amount::ZERO, spends: 0, awards: 0 }
    }

    /// A spend.
    pub fn spend(month: Month) -> Activity {
        Activity { spends: 1, ..Activity::none(month) }
    }

    /// Whether there is nothing in it.
    pub fn is_nothing(&self) -> bool {
        *self == Activity::none(self.month)
    }

    /// What takes it back.
    #[must_use]
    pub fn back(&self) -> Activity {
        Activity {
            month: self.month,
            purchases: -self.purchases,
            amount: Amount(-self.amount.0),
            spends: -self.spends,
            awards: -self.awards,
        }
    }

    fn add(&mut self, more: &Activity) {
        self.purchases = self.purchases.saturating_add(more.purchases);
        self.amount.0 = self.amount.0.saturating_add(more.amount.0);
        self.spends = self.spends.saturating_add(more.spends);
        self.awards = self.awards.saturating_add(more.awards);
    }

    fn is_less(&self) -> bool {
        self.purchases < 0 || self.amount.0 < 0 || self.spends < 0 || self.awards < 0
    }
}

/// What judging an event adds to the months, of all that and of what segments watch; a purchase is
/// activity with its first judgement.
pub(crate) fn judged(
    programme: &Programme,
    wallet: &Wallet,
    event: &RecordedEvent,
    judged: &Judged,
    whose: Beneficiary,
) -> Vec<Effect> {
    let is_new = event.judgements.is_empty() && event.state == EventState::Posted;
    let day = event.event.performed_on.day(programme.zone);
    let month = day.month();
    let mut activity = Activity::none(month);
    let gave_before = match whose {
        Beneficiary::Participant => event.judgements.iter().any(Judgement::gave_something),
        Beneficiary::Referred => event.referred.as_ref().is_some_and(Judgement::gave_something),
    };
    let gave = || {
        let offers = judged.awards.iter().map(|award| &award.offer);
        let discounts = judged.discounts.iter().map(|discount| &discount.offer);
        offers.chain(discounts).chain(judged.passes.iter().map(|given| &given.offer))
    };
    activity.awards = i32::from(!gave_before && gave().next().is_some());
    // First, so that what is named finds a place.
    let named = |known: &&Watched| programme.watched.contains(&known.watch);
    let forgotten = wallet.watched.iter().filter(|known| !named(known));
    let forgotten = forgotten.map(|known| Effect::Unwatched { watch: known.watch.clone() });
    let mut effects: Vec<Effect> = forgotten.collect();
    let mut watched = |watch: &Watch, lines| {
        let watch = watch.clone();
        effects.push(Effect::Watched { watch, month, by: 1, lines });
    };
    let is_purchase = event.event.event_type() == EventType::Purchase;
    if is_new && is_purchase {
        activity.purchases = 1;
        activity.amount = event.remaining().event.purchased();
    }
    for watch in &programme.watched {
        match watch {
            Watch::Purchases { goods, area } if is_new && is_purchase => {
                if let Some(lines) = lines_of(programme, event, goods.as_ref(), area.as_ref()) {
                    watched(watch, lines);
                }
            }
            Watch::Purchases { .. } => {}
            Watch::Offer(offer) if gave().any(|one| one == offer) => watched(watch, Vec::new()),
            Watch::Offer(_) => {}
        }
    }
    if activity.purchases != 0 && programme.counts_days {
        effects.insert(0, Effect::Bought { day, by: activity.purchases });
    }
    if !programme.counts_days {
        // So that they begin anew where a later version asks for days: with a gap they would lie.
        let kept = wallet.days.iter().filter(|(_, count)| *count > 0);
        effects.extend(kept.map(|(day, count)| Effect::Bought { day: *day, by: -count }));
    }
    if !activity.is_nothing() {
        effects.insert(0, Effect::Activity(activity));
    }
    effects
}

/// The lines of a purchase, of those that are left, that are watched for, none: all of it; nothing
/// where it is not watched for.
fn lines_of(
    programme: &Programme,
    event: &RecordedEvent,
    goods: Option<&Goods>,
    area: Option<&AreaId>,
) -> Option<Vec<u16>> {
    let lies = event.event.unit.as_ref().and_then(|unit| programme.areas.of(unit));
    if area.is_some_and(|area| lies.is_none_or(|lies| lies.id != *area)) {
        return None;
    }
    let Some(goods) = goods else { return Some(Vec::new()) };
    let left = event.left();
    let are = |(at, line)| {
        let shelf = shelf(programme, None, line);
        let wanted = match goods {
            Goods::Product(product) => shelf.line.product.as_ref() == Some(product),
            Goods::Category(category) => shelf.category == Some(category),
        };
        (wanted && left.quantity(at) > 0).then(|| u16::try_from(at).ok()).flatten()
    };
    let lines: Vec<u16> = event.event.lines().iter().enumerate().filter_map(are).collect();
    (!lines.is_empty()).then_some(lines)
}

impl Wallet {
    /// What was done in these months, both inclusive.
    pub fn active_in(&self, first: Month, last: Month) -> Activity {
        let mut sum = Activity::none(last);
        let within = |known: &&Activity| (first..=last).contains(&known.month);
        self.activity.iter().filter(within).for_each(|known| sum.add(known));
        sum
    }

    /// How often it was so in these months, both inclusive.
    pub fn watched_in(&self, watch: &Watch, first: Month, last: Month) -> i64 {
        let known = self.watched.iter().find(|known| known.watch == *watch);
        let months = known.into_iter().flat_map(|known| &known.months);
        let within = months.filter(|(month, _)| (first..=last).contains(month));
        within.map(|(_, count)| i64::from(*count)).sum()
    }

    /// Purchases of this day and all after it, of the newest [`ACTIVITY_DAYS`] that have one.
    pub fn bought_since(&self, first: Day) -> i64 {
        let since = self.days.iter().filter(|(day, _)| *day >= first);
        since.map(|(_, count)| i64::from(*count)).sum()
    }

    pub(crate) fn buy(&mut self, day: Day, by: i32) {
        count(&mut self.days, day, by, ACTIVITY_DAYS);
    }

    pub(crate) fn act(&mut self, more: &Activity) {
        let at = self.activity.partition_point(|known| known.month < more.month);
        // A full list has dropped months: it stays full, so that none of them comes back in part.
        let full = self.activity.len() == ACTIVITY_MONTHS;
        match self.activity.get_mut(at).filter(|known| known.month == more.month) {
            Some(known) => {
                known.add(more);
                if known.is_nothing() && !full {
                    self.activity.remove(at);
                }
            }
            // The month is older than what is kept.
            None if more.is_less() => {}
            None => self.activity.insert(at, *more),
        }
        let excess = self.activity.len().saturating_sub(ACTIVITY_MONTHS);
        self.activity.drain(..excess);
    }

    pub(crate) fn watch(&mut self, watch: &Watch, month: Month, by: i32) {
        let at = self.watched.partition_point(|known| known.watch < *watch);
        if self.watched.get(at).is_none_or(|known| known.watch != *watch) {
            if by <= 0 {
                return;
            }
            self.watched.insert(at, Watched { watch: watch.clone(), months: Vec::new() });
        }
        count(&mut self.watched[at].months, month, by, ACTIVITY_MONTHS);
        if self.watched[at].months.is_empty() {
            self.watched.remove(at);
        }
        let lasts = self.watched.iter().map(|known| known.months.last().map(|(month, _)| *month));
        if self.watched.len() > MAX_WATCHED
            && let Some((_, stalest)) = lasts.zip(0..).min()
        {
            self.watched.remove(stalest);
        }
    }
}

/// Counts more or less at a time, of so many times at most, as [`Wallet::act`] does it.
fn count<T: Copy + Ord>(times: &mut Vec<(T, i32)>, time: T, by: i32, most: usize) {
    let at = times.partition_point(|(known, _)| *known < time);
    let full = times.len() == most;
    match times.get_mut(at).filter(|(known, _)| *known == time) {
        Some((_, count)) => {
            *count = count.saturating_add(by).max(0);
            if *count == 0 && !full {
                times.remove(at);
            }
        }
        None if by <= 0 => {}
        None => times.insert(at, (time, by)),
    }
    let excess = times.len().saturating_sub(most);
    times.drain(..excess);
}

/// A spend is activity of the month in which it was performed.
pub(crate) fn spent(programme: &Programme, performed_on: Instant) -> Effect {
    Effect::Activity(Activity::spend(performed_on.day(programme.zone).month()))
}
