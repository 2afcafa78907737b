//! Verification: no history has anything to find, and each single change of it is found.

use domain::amount::Amount;
use domain::apply::Outcome;
use domain::coupon::Stock;
use domain::event::EventState;
use domain::id::ParticipantId;
use domain::ledger::{Effect, Entry, EntryKey};
use domain::offer::Quota;
use domain::pass::{PassId, Redemption};
use domain::time::{Day, Instant};
use domain::verify::{
    Check, Counts, Disagreement, Finding, Items, Shared, Verified, events_of, of_quota, passes_of,
};
use domain::wallet::{Counter, Wallet};

use crate::bookkeeping::Book;
use crate::coupons::coupon;
use crate::fixture::*;

/// A ledger with all that it is held against.
#[derive(Clone)]
struct World {
    state: Wallet,
    ledger: Vec<Entry>,
    items: Items,
}

fn who() -> ParticipantId {
    purchase("R-1", 1, noon("2026-11-21")).participant
}

/// The passes that a ledger redeemed, as the store keeps them.
fn world(book: &Book) -> World {
    let events = book.events.iter();
    let events = events.map(|event| (event.event.id.clone(), Some(event.clone())));
    let mut items = Items { events: events.collect(), ..Items::default() };
    for entry in &book.ledger {
        let EntryKey::Redeem { plan, serial, .. } = &entry.key else { continue };
        let Some(Effect::Award { lot, amount, .. }) = entry.effects.first() else { continue };
        let mut pass = pass(*serial, entry.at);
        pass.id = PassId { plan: plan.clone(), serial: *serial };
        pass.redemptions = vec![Redemption {
            key: key("redeem"),
            payload: entry.payload,
            participant: who(),
            sequence: entry.sequence,
            amount: *amount,
            expires: lot.expires,
            cancelled: false,
        }];
        items.passes.insert(pass.id.clone(), Some(pass));
    }
    World { state: book.wallet.clone(), ledger: book.ledger.clone(), items }
}

impl World {
    fn verify(&self) -> Verified {
        let mut check = Check::new(who(), self.state.length);
        self.ledger.iter().for_each(|entry| check.enter(entry, &self.items));
        check.end(&self.state)
    }

    fn kinds(&self) -> Vec<Disagreement> {
        self.verify().findings.iter().map(|finding| finding.kind).collect()
    }
}

/// What is found of a history.
pub fn found(book: &Book) -> Vec<Finding> {
    let verified = world(book).verify();
    assert_eq!(verified.entries, book.wallet.length);
    for (shared, counts) in &verified.shared {
        if let Shared::Quota(offer) = shared {
            assert_eq!(of_quota(book.quotas.used(offer)), *counts, "R-44: {offer}");
        }
    }
    verified.findings
}

/// Purchases with awards, a discount and a quota; spends with and without a purchase, cancels,
/// returns, a hold, a pass and an adjustment.
fn story() -> World {
    let quota = Quota { first: Some(9), budget: Some(Amount(90_00)) };
    let ten = domain::offer::Offer { quota, ..percent("ten", points(), "1000") };
    let form = percent("off", eur(), "10").award.form;
    let mut book = Book::with(vec![ten, discount("off", form)], noon("2026-11-21"));
    let (one, two) = (book.buy("R-1", 20_00), book.buy("R-2", 30_00));
    let three = book.accept(with_lines(purchase("R-3", 0, book.now), vec![line(4, 10_00, 0)]));
    book.judge(three, domain::award::Mode::Interactive);
    book.spend(points(), Some(10), Some(one)).unwrap();
    let (free, _) = book.spend(points(), Some(20), None).unwrap();
    book.cancel_spend(free).unwrap();
    let (on_two, _) = book.spend(points(), Some(5), Some(two)).unwrap();
    book.cancel_spend(on_two).unwrap();
    book.give_back(three, &[(0, 1)]).unwrap();
    let pass = pass(7, book.now);
    assert_eq!(book.redeem(&pass), Outcome::Done);
    let asked = domain::spend::SpendAsked {
        balance: points(),
        amount: Some(Amount(30)),
        classification: None,
        unit: None,
        performed_on: book.now,
    };
    let hold = book.hold(&asked, None, "PT15M").unwrap();
    book.settle(hold, Some(10), None).unwrap();
    book.adjust(points(), -7, None).unwrap();
    book.cancel_event(two).unwrap();
    book.spend(points(), Some(3), Some(one)).unwrap();
    assert_eq!(found(&book), []);
    world(&book)
}

/// The amounts of an effect that a balance, a month or an event rests on.
fn amounts(effect: &mut Effect) -> Vec<&mut i64> {
    if let Effect::Award { amount, debt, .. }
    | Effect::Return { amount, debt, .. }
    | Effect::Release { amount, debt, .. } = effect
    {
        vec![&mut amount.0, &mut debt.0]
    } else if let Effect::Take { amount, .. }
    | Effect::ClawBack { amount, .. }
    | Effect::Expire { amount, .. }
    | Effect::Owe { amount, .. }
    | Effect::Hold { amount, .. }
    | Effect::TakeHeld { amount, .. }
    | Effect::Discount { amount, .. } = effect
    {
        vec![&mut amount.0]
    } else if let Effect::Activity(activity) = effect {
        vec![&mut activity.amount.0]
    } else {
        vec![]
    }
}

#[test]
fn r102_each_amount_of_each_entry_is_held_against_something() {
    let story = story();
    let mut tried = 0;
    for at in 0..story.ledger.len() {
        for effect in 0..story.ledger[at].effects.len() {
            for amount in 0..amounts(&mut story.ledger[at].effects[effect].clone()).len() {
                let mut altered = story.clone();
                *amounts(&mut altered.ledger[at].effects[effect])[amount] += 1;
                tried += 1;
                let altered_effect = &altered.ledger[at].effects[effect];
                assert!(!altered.kinds().is_empty(), "entry {}: {altered_effect:?}", at + 1);
            }
        }
    }
    assert!(tried > 40, "{tried}");
}

/// no damaged number stops the look at a ledger; each is found.
#[test]
fn r102_amounts_that_no_wallet_can_hold_are_found() {
    let story = story();
    for at in 0..story.ledger.len() {
        for effect in 0..story.ledger[at].effects.len() {
            for amount in 0..amounts(&mut story.ledger[at].effects[effect].clone()).len() {
                for damaged in [i64::MIN, -1, i64::MAX] {
                    let mut altered = story.clone();
                    *amounts(&mut altered.ledger[at].effects[effect])[amount] = damaged;
                    // Also where the state follows from it.
                    altered.state = Wallet::replay(&altered.ledger);
                    let altered_effect = &altered.ledger[at].effects[effect];
                    let found = !altered.kinds().is_empty();
                    let of_months = matches!(altered_effect, Effect::Activity(_));
                    assert!(found || of_months, "entry {}: {altered_effect:?}", at + 1);
                }
            }
            for damaged in [i64::MIN, i64::MAX] {
                let mut altered = story.clone();
                let damage = |effect: &mut Effect| {
                    if let Effect::Quota { budget, .. } = effect {
                        budget.0 = damaged;
                    } else if let Effect::Activity(months) = effect {
                        months.purchases = if damaged < 0 { i32::MIN } else { i32::MAX };
                        (months.spends, months.awards) = (months.purchases, months.purchases);
                    }
                };
                altered.ledger[at].effects.iter_mut().for_each(damage);
                altered.verify();
            }
        }
    }
    let mut sum: Counts = [("places".to_owned(), i64::MAX)].into();
    let more = sum.clone();
    domain::verify::add(&mut sum, &more);
    assert_eq!(sum, more);
}

#[test]
fn r102_an_entry_that_is_gone_doubled_or_moved_is_found() {
    use Disagreement::{EntriesMissing, KeyTwice, TimeGoesBack};
    let story = story();
    for at in 0..story.ledger.len() {
        let mut gone = story.clone();
        gone.ledger.remove(at);
        assert_eq!(gone.kinds(), [EntriesMissing], "without entry {}", at + 1);
        let mut twice = story.clone();
        let mut again = twice.ledger[at].clone();
        again.sequence = twice.ledger.len() as u64 + 1;
        (again.at, twice.state.length) = (twice.state.time, again.sequence);
        twice.ledger.push(again);
        assert!(twice.kinds().contains(&KeyTwice), "entry {} twice", at + 1);
        let mut earlier = story.clone();
        earlier.ledger[at].at = Instant(1);
        let wanted = if at == 0 { vec![] } else { vec![TimeGoesBack] };
        let found: Vec<_> =
            earlier.kinds().into_iter().filter(|kind| *kind == TimeGoesBack).collect();
        assert_eq!(found, wanted, "entry {}", at + 1);
    }
}

#[test]
fn r102_each_part_of_the_state_is_what_the_entries_come_to() {
    let story = story();
    let counter = || Counter { offer: offer_id("ten"), slot: domain::ledger::Slot::Ever, count: 1 };
    type Edit = Box<dyn Fn(&mut Wallet)>;
    let edits: Vec<(&str, Edit)> = vec![
        ("lots", Box::new(|state| state.lots[0].amount.0 += 1)),
        ("lots", Box::new(|state| state.lots[0].id.expires = Some(Day(1)))),
        ("debts", Box::new(|state| state.debts.push((points(), Amount(1))))),
        ("counters", Box::new(move |state| state.counters.push(counter()))),
        ("block of spending", Box::new(|state| state.blocked = true)),
        ("mark of erasure", Box::new(|state| state.erased = true)),
        ("newest event", Box::new(|state| state.last_event = None)),
        ("activity", Box::new(|state| state.activity.clear())),
        ("merge", Box::new(|state| state.merged_into = Some(who()))),
        ("time", Box::new(|state| state.time = Instant(1))),
        ("nameless pass", Box::new(|state| state.nameless = Some(pass(1, Instant(1)).id))),
    ];
    for (part, edit) in edits {
        let mut altered = story.clone();
        edit(&mut altered.state);
        let findings = altered.verify().findings;
        let told = &findings[0];
        assert_eq!(told.kind, Disagreement::StateDiffers, "{part}");
        assert!(told.detail.contains(part), "{part}: {}", told.detail);
    }
    let mut longer = story.clone();
    longer.state.length += 1;
    assert_eq!(longer.kinds(), [Disagreement::EntriesMissing]);
}

/// An entry takes more than its lot holds, and the state follows from it: replay alone sees nothing.
#[test]
fn r102_what_is_overdrawn_is_found_though_the_state_follows_from_it() {
    let story = story();
    let mut altered = story.clone();
    let last = altered.ledger.last_mut().unwrap();
    let taken = last.effects.iter_mut().flat_map(amounts).next().unwrap();
    *taken = 1_000_000;
    altered.state = Wallet::replay(&altered.ledger);
    assert!(altered.kinds().contains(&Disagreement::Overdrawn));
}

#[test]
fn r102_events_and_passes_are_held_against_their_entries_and_back() {
    use Disagreement::*;
    type Edit = Box<dyn Fn(&mut World)>;
    fn event(world: &mut World, number: usize) -> &mut domain::event::RecordedEvent {
        let id = purchase(&format!("R-{number}"), 1, noon("2026-11-21")).id;
        world.items.events.get_mut(&id).unwrap().as_mut().unwrap()
    }
    fn redeemed(world: &mut World) -> &mut domain::pass::Pass {
        world.items.passes.values_mut().next().unwrap().as_mut().unwrap()
    }
    let edits: Vec<(Disagreement, Edit)> = vec![
        (EventDiffers, Box::new(|w| event(w, 1).judgements[0].awards[0].amount.0 += 1)),
        (EventDiffers, Box::new(|w| event(w, 1).judgements[0].discounts[0].amount.0 += 1)),
        (EventDiffers, Box::new(|w| event(w, 1).spends[0].made.spent.0 += 1)),
        (EventDiffers, Box::new(|w| event(w, 2).state = EventState::Posted)),
        (EventDiffers, Box::new(|w| event(w, 3).state = EventState::Cancelled)),
        (CancelDiffers, Box::new(|w| event(w, 1).state = EventState::Cancelled)),
        (CancelDiffers, Box::new(|w| event(w, 1).spends[0].cancelled = true)),
        (CancelDiffers, Box::new(|w| event(w, 2).spends[0].cancelled = false)),
        (NotInEvent, Box::new(|w| event(w, 1).spends.clear())),
        (NotInEvent, Box::new(|w| event(w, 3).returns.clear())),
        (NotInEvent, Box::new(|w| event(w, 3).judgements.clear())),
        (NotInEvent, Box::new(|w| event(w, 1).judgements[0].sequence += 3)),
        (
            NotInLedger,
            Box::new(|w| {
                // As if the next entry, of another event, were a second judgement of this one.
                let mut more = event(w, 2).judgements[0].clone();
                more.sequence += 1;
                event(w, 2).judgements.push(more);
            }),
        ),
        (EventOfAnother, Box::new(|w| event(w, 1).event.participant = person("c-9"))),
        (EventMissing, Box::new(|w| drop(w.items.events.drain()))),
        (Unreadable, Box::new(|w| w.items.events.values_mut().for_each(|e| *e = None))),
        (PassDiffers, Box::new(|w| redeemed(w).redemptions[0].amount.0 += 1)),
        (CancelDiffers, Box::new(|w| redeemed(w).redemptions[0].cancelled = true)),
        (NotInPass, Box::new(|w| redeemed(w).redemptions.clear())),
        (PassMissing, Box::new(|w| drop(w.items.passes.drain()))),
        (Unreadable, Box::new(|w| w.items.passes.values_mut().for_each(|p| *p = None))),
    ];
    for (number, (kind, edit)) in edits.into_iter().enumerate() {
        let mut altered = story();
        edit(&mut altered);
        let kinds = altered.kinds();
        assert!(kinds.contains(&kind), "{number}: {kind:?} is not among {kinds:?}");
    }
}

fn person(id: &str) -> ParticipantId {
    ParticipantId::parse(id).unwrap()
}

/// What is read for an entry is all that it is held against.
#[test]
fn r102_entries_name_what_they_are_held_against() {
    let story = story();
    let events: Vec<_> = story.ledger.iter().flat_map(events_of).collect();
    assert!(story.items.events.keys().all(|id| events.contains(&id)));
    let passes = story.ledger.iter().flat_map(|entry| passes_of(entry, &story.items));
    let passes: Vec<PassId> = passes.collect();
    assert!(story.items.passes.keys().eq(passes.iter()));
}

#[test]
fn r102_codes_are_stable_and_told_apart() {
    let mut codes: Vec<&str> = Disagreement::ALL.iter().map(|kind| kind.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), Disagreement::ALL.len());
}

/// what a ledger took of a stock, less what was cancelled; a refusal took nothing.
#[test]
fn r102_what_a_ledger_took_of_a_stock() {
    let mut book = Book::with(vec![fixed("ten", 20)], noon("2026-11-21"));
    book.buy("R-1", 20_00);
    let (cinema, mut stock) = (coupon(8), Stock::default());
    let (first, _) = book.take_coupon(&cinema, None, &mut stock).unwrap();
    book.take_coupon(&cinema, None, &mut stock).unwrap();
    book.take_coupon(&cinema, None, &mut stock).unwrap_err();
    book.cancel_spend(first).unwrap();
    let counts = [("taken", 2), ("cancelled", 1), ("paid in points", 8)];
    let counts: Counts = counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    let verified = world(&book).verify();
    assert_eq!(verified.findings, []);
    assert_eq!(verified.shared, [(Shared::Stock(cinema.id), counts)]);
}
