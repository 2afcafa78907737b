//! What holds after every commit.

use std::collections::{BTreeMap, HashSet};

use domain::activity::{ACTIVITY_DAYS, ACTIVITY_MONTHS};
use domain::amount::Amount;
use domain::apply::{Applied, Outcome};
use domain::event::EventState;
use domain::hold::MAX_HOLDS;
use domain::id::{BalanceCode, OfferId};
use domain::ledger::{Act, Effect, Entry, EntryKey, Slot, SpendCause};
use domain::offer::{Limit, Quota};
use domain::participant::AUTOMATIC_SPEND;
use domain::programme::{DebtPolicy, ReductionMethod};
use domain::tally::Tally;
use domain::wallet::{MAX_LOTS, Wallet};

use crate::activity;
use crate::bookkeeping::Book;
use crate::fixture::{ZONE, cup, eur, points};

/// Lots less debt, of everything a balance holds.
pub fn net(wallet: &Wallet, balance: &BalanceCode) -> i64 {
    wallet.total(balance, |_| true).0 - wallet.debt(balance).0
}

/// All that a cancel restores: every change of the wallet but its length and its times.
pub fn substance(wallet: &Wallet) -> Wallet {
    let mut substance = Wallet { length: 0, last_event: None, ..wallet.clone() };
    substance.time = domain::time::Instant(0);
    let of = |tally: &Tally| (tally.offer.clone(), tally.part.clone());
    substance.tallies.sort_by_key(of);
    if substance.activity.len() == ACTIVITY_MONTHS {
        substance.activity.retain(|month| !month.is_nothing());
    }
    if substance.days.len() == ACTIVITY_DAYS {
        substance.days.retain(|(_, count)| *count > 0);
    }
    substance
}

/// Laws of what one command leads to.
pub fn of_commit(book: &Book, applied: &Applied) {
    let is_unasked = |entry: &&Entry| matches!(entry.key, EntryKey::Unasked { .. });
    let unasked = applied.entries.iter().rev().take_while(is_unasked).count();
    let (own, unasked) = applied.entries.split_at(applied.entries.len() - unasked);
    let (last, before) = own.split_last().expect("a command is always an entry");
    let settled = of_booking(book, before);
    let mut wallet = settled.clone();
    check_entry(book, &mut wallet, last);
    for entry in unasked {
        assert_eq!((&last.act, settled.blocked), (&Act::Judged, false), "R-67: {entry:?}");
        of_unasked(book, &mut wallet, entry);
    }
    assert_eq!(wallet, applied.wallet, "the entries lead to the wallet");
    if let Outcome::Refused(refusal) = applied.outcome {
        assert_eq!(last.act, Act::Refused(refusal));
        assert!(last.effects.is_empty() && last.after.is_empty(), "R-70: refused changes nothing");
        assert_eq!(substance(&wallet), substance(&settled));
    }
    if let Some(made) = last.spend() {
        let held = held(&settled, &made.balance) - held(&wallet, &made.balance);
        let usable = Amount(settled.available(&made.balance, book.now, ZONE).0 + held);
        assert!(made.spent <= usable && made.spent <= made.requested, "R-69: {made:?} {usable:?}");
        assert!(!made.spent.is_zero() && !settled.blocked);
        // What a settlement gives back pays debt first, makes up for what was written off, or has
        // expired while it was held.
        let back = last.effects.iter().map(|effect| {
            if let Effect::ClawBack { amount, .. } = effect {
                return amount.0;
            }
            let Effect::Release { lot, amount, debt, .. } = effect else { return 0 };
            if lot.is_live(book.now, ZONE) { debt.0 } else { amount.0 }
        });
        let drop = usable.0 - wallet.available(&made.balance, book.now, ZONE).0;
        assert_eq!(drop, made.spent.0 + back.sum::<i64>(), "a spend takes what it says");
    }
}

/// Laws of a spend that nobody asked for: what it takes pays its purchase.
fn of_unasked(book: &Book, wallet: &mut Wallet, entry: &Entry) {
    let made = entry.spend().expect("a spend");
    let usable = wallet.available(&made.balance, book.now, ZONE);
    check_entry(book, wallet, entry);
    let drop = usable.less(wallet.available(&made.balance, book.now, ZONE));
    assert_eq!(drop, made.spent, "a spend takes what it says: {entry:?}");
    assert!(!made.spent.is_zero() && made.spent <= made.requested, "{made:?}");
    assert!(made.covered.is_some_and(|covered| !covered.is_zero()), "for something: {made:?}");
    assert_ne!(made.cause, SpendCause::Requested);
    let merchant = made.unit.as_ref().and_then(|unit| book.programme.merchants.of(unit));
    let method = merchant.map_or(ReductionMethod::FrontEnd, |merchant| merchant.reduction_method);
    assert_eq!(made.method, method, "R-65");
    let consents = book.participant.consents_to(&AUTOMATIC_SPEND.into());
    let allowed = consents && merchant.is_some_and(|merchant| merchant.automatic_spend);
    assert!(made.cause != SpendCause::Automatic || allowed, "both consent: {made:?}");
}

/// Laws of what is booked before a command: first what lapsed, then what expired. Answers the
/// wallet after it.
pub fn of_booking(book: &Book, entries: &[Entry]) -> Wallet {
    let mut wallet = book.wallet.clone();
    let kind = |entry: &Entry| match (&entry.key, &entry.act) {
        (EntryKey::Lapse(sequence), Act::Released) if *sequence == entry.sequence => 0,
        (EntryKey::Expiry(sequence), Act::Expired) if *sequence == entry.sequence => 1,
        other => panic!("{other:?} before a command"),
    };
    assert!(entries.is_sorted_by(|a, b| kind(a) < kind(b)), "each once: {entries:?}");
    entries.iter().for_each(|entry| check_entry(book, &mut wallet, entry));
    assert!(wallet.lots.iter().all(|lot| lot.id.is_live(book.now, ZONE)));
    assert!(wallet.holds.iter().all(|hold| hold.is_open(book.now)));
    for balance in [points(), eur(), cup()] {
        let [shown, booked] =
            [&book.wallet, &wallet].map(|wallet| wallet.available(&balance, book.now, ZONE));
        assert_eq!(shown, booked, "R-78: what is shown does not wait for the ledger");
    }
    wallet
}

/// What holds set aside of a balance, lapsed or not.
fn held(wallet: &Wallet, balance: &BalanceCode) -> i64 {
    let of_balance = wallet.holds.iter().filter(|hold| hold.balance() == Some(balance));
    of_balance.map(|hold| hold.amount().0).sum()
}

fn check_entry(book: &Book, wallet: &mut Wallet, entry: &Entry) {
    assert_eq!(entry.sequence, wallet.length + 1, "no hole");
    assert!(entry.at >= wallet.time && entry.at == book.now, "time never goes back");
    let before = [points(), eur(), cup()].map(|balance| net(wallet, &balance));
    for effect in &entry.effects {
        if let Effect::Take { lot, amount }
        | Effect::ClawBack { lot, amount }
        | Effect::Expire { lot, amount }
        | Effect::Hold { lot, amount, .. } = effect
        {
            assert!(*amount <= wallet.held(lot) && amount.0 > 0, "taken is held: {effect:?}");
        }
        if let Effect::TakeHeld { hold, lot, amount } | Effect::Release { hold, lot, amount, .. } =
            effect
        {
            let hold = wallet.holds.iter().find(|known| known.sequence == *hold).unwrap();
            let aside = hold.takes.iter().find(|(of, _)| of == lot).unwrap().1;
            assert!(*amount <= aside && amount.0 > 0, "R-78: what ends was held: {effect:?}");
        }
        wallet.carry_out(effect);
    }
    wallet.length = entry.sequence;
    wallet.time = entry.at;
    for (balance, before) in [points(), eur(), cup()].into_iter().zip(before) {
        let changes = entry.effects.iter().filter_map(Effect::change);
        let changed: i64 = changes.filter(|(of, _)| **of == balance).map(|(_, by)| by.0).sum();
        assert_eq!(net(wallet, &balance), before + changed, "nothing from nothing: {entry:?}");
    }
    for (balance, after) in &entry.after {
        assert_eq!(*after, wallet.available(balance, book.now, ZONE), "after is what it was");
    }
}

/// Laws of a wallet and its whole ledger.
pub fn of_ledger(book: &Book) {
    let wallet = &book.wallet;
    assert_eq!(Wallet::replay(&book.ledger), *wallet, "replaying is the wallet");
    let sequences = book.ledger.iter().map(|entry| entry.sequence);
    assert!(sequences.eq(1..=wallet.length));
    let mut keys = HashSet::new();
    assert!(book.ledger.iter().all(|entry| keys.insert(&entry.key)), "one key, one entry");
    assert!(wallet.lots.iter().all(|lot| lot.amount.0 > 0) && wallet.lots.len() <= MAX_LOTS);
    let ids: HashSet<_> = wallet.lots.iter().map(|lot| &lot.id).collect();
    assert_eq!(ids.len(), wallet.lots.len(), "alike is one lot");
    assert!(wallet.debts.iter().all(|(_, owed)| owed.0 > 0));
    assert!(wallet.holds.len() <= MAX_HOLDS && wallet.holds.iter().all(|h| h.amount().0 > 0));
    let effects = book.ledger.iter().flat_map(|entry| &entry.effects);
    let seen = effects.filter_map(|effect| {
        if let Effect::Seen { performed_on } = effect { Some(*performed_on) } else { None }
    });
    assert_eq!(seen.max(), wallet.last_event, "R-93: the newest, whatever the order of arrival");
    assert!(wallet.activity.is_sorted_by(|a, b| a.month < b.month));
    assert!(wallet.activity.len() <= ACTIVITY_MONTHS);
    for balance in [points(), eur(), cup()] {
        let live = book.available(&balance) + book.pending(&balance);
        let changes = book.ledger.iter().flat_map(|entry| &entry.effects);
        let changes = changes.filter_map(Effect::change).filter(|(of, _)| **of == balance);
        assert_eq!(changes.map(|(_, by)| by.0).sum::<i64>(), net(wallet, &balance));
        let moves = book.ledger.iter().flat_map(|entry| &entry.effects).map(|effect| {
            if let Effect::Hold { lot, amount, .. } = effect
                && lot.balance == balance
            {
                return amount.0;
            }
            if let Effect::TakeHeld { lot, amount, .. } | Effect::Release { lot, amount, .. } =
                effect
                && lot.balance == balance
            {
                return -amount.0;
            }
            0
        });
        assert_eq!(moves.sum::<i64>(), held(wallet, &balance), "R-78: lots and holds are all");
        assert!(book.available(&balance) >= 0 && book.pending(&balance) >= 0, "R-60");
        let carries = book.programme.definition.debt_policy == DebtPolicy::Carry;
        assert!(book.debt(&balance) == 0 || (live == 0 && carries), "debt is paid first");
    }
}

/// Laws of the events and what they led to.
pub fn of_events(book: &Book) {
    let mut slots: BTreeMap<(String, Slot), u32> = BTreeMap::new();
    let mut given: BTreeMap<OfferId, (u32, i64)> = BTreeMap::new();
    for event in &book.events {
        let awards: Vec<_> = event.judgements.iter().flat_map(|j| &j.awards).collect();
        let offers: HashSet<_> = awards.iter().map(|award| &award.offer).collect();
        assert_eq!(offers.len(), awards.len(), "R-33: a pair is awarded once");
        let discounts: Vec<_> = event.discounts().collect();
        let offers: HashSet<_> = discounts.iter().map(|discount| &discount.offer).collect();
        assert_eq!(offers.len(), discounts.len(), "R-33: a discount is given once");
        let exclusive = discounts.iter().filter(|discount| discount.exclusive).count();
        let exclusive = exclusive + awards.iter().filter(|award| award.exclusive).count();
        assert!(exclusive <= 1, "R-45");
        assert!(discounts.iter().all(|discount| discount.returned <= discount.amount));
        let paid = event.covered().0 + event.discounted().0;
        assert!(paid <= event.left().total().0, "R-41, R-62, R-73: {event:?}");
        if event.state == EventState::Cancelled {
            assert_eq!((event.covered(), event.discounted()), (Amount(0), Amount(0)));
            continue;
        }
        let performed = event.event.performed_on.day(ZONE);
        let judged = event.judgements.iter();
        for (sequence, award) in judged.flat_map(|j| j.awards.iter().map(|a| (j.sequence, a))) {
            let Some(offer) = book.programme.offer(&award.offer) else { continue };
            // What was counted goes back by itself: `tallies` holds it.
            if offer.accumulates.is_some() {
                continue;
            }
            let given = given.entry(offer.id.clone()).or_default();
            let still = event.still_awarded(sequence, award);
            *given = (given.0 + 1, given.1 + still.0);
            if let Some(slot) = offer.slot(performed) {
                *slots.entry((offer.id.to_string(), slot)).or_default() += 1;
            }
        }
        for discount in event.discounts() {
            let Some(offer) = book.programme.offer(&discount.offer) else { continue };
            let given = given.entry(offer.id.clone()).or_default();
            *given = (given.0 + 1, given.1 + discount.left().0);
            if let Some(slot) = offer.slot(performed) {
                *slots.entry((offer.id.to_string(), slot)).or_default() += 1;
            }
        }
        for pass in event.passes() {
            let Some(offer) = book.programme.offer(&pass.offer) else { continue };
            let given = given.entry(offer.id.clone()).or_default();
            *given = (given.0 + 1, given.1 + 1);
            if let Some(slot) = offer.slot(performed) {
                *slots.entry((offer.id.to_string(), slot)).or_default() += 1;
            }
        }
    }
    assert!(slots.values().all(|count| *count == 1), "R-44: {slots:?}");
    let single = |id| book.programme.offer(id).is_none_or(|offer| offer.accumulates.is_none());
    let counters = book.wallet.counters.iter().filter(|counter| single(&counter.offer));
    let counters = counters.filter(|counter| counter.slot != Slot::Quota);
    let counted = counters.map(|c| ((c.offer.to_string(), c.slot), c.count));
    assert_eq!(counted.collect::<BTreeMap<_, _>>(), slots, "counters are the live awards");
    for (offer, slot) in slots.keys() {
        let limit = book.programme.offers.iter().find(|o| o.id.as_str() == offer).unwrap().limit;
        let (Limit::OncePerRolling(window), Slot::On(day)) = (limit, *slot) else { continue };
        let near = slots.keys().filter(|(other, slot)| {
            let after =
                matches!(*slot, Slot::On(other) if other >= day && other < day.plus(window));
            other == offer && after
        });
        assert_eq!(near.count(), 1, "R-44: rolling");
    }
    quotas(book, &given);
    activity::of_months(book);
}

/// places and budgets are those of the live awards, by offer; never more than there are.
fn quotas(book: &Book, given: &BTreeMap<OfferId, (u32, i64)>) {
    for offer in book.programme.offers.iter().filter(|offer| offer.accumulates.is_none()) {
        let (awards, amount) = given.get(&offer.id).copied().unwrap_or_default();
        let (all, others) = (book.quotas.used(&offer.id), book.others.used(&offer.id));
        let Quota { first, budget } = offer.quota;
        let awards = first.map_or(0, |_| awards);
        let counted = book.wallet.awarded(&offer.id, |slot| slot == Slot::Quota);
        assert_eq!(counted, awards, "{}: awards that rest on a place", offer.id);
        let places = all.places - others.places;
        assert_eq!(places, i64::from(awards > 0), "{}: one wallet, one place", offer.id);
        let want = budget.map_or(0, |_| amount);
        let own = all.budget.0 - others.budget.0;
        assert_eq!(own, want, "{}: the budget is what is awarded", offer.id);
        assert!(budget.is_none_or(|budget| all.budget <= budget), "{}: overdrawn", offer.id);
    }
}
