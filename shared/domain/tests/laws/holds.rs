//! Two-phase spending: set aside, then spent, given back, or over at its time.

use domain::amount::Amount;
use domain::award::Facts;
use domain::event::RecordedEvent;
use domain::hold::MAX_HOLDS;
use domain::ledger::{Act, EntryKey};
use domain::offer::{Expiry, Offer};
use domain::programme::DebtPolicy;
use domain::refusal::Refusal;
use domain::spend::SpendAsked;
use domain::time::Instant;

use crate::bookkeeping::Book;
use crate::fixture::*;

/// 30 points until the 23rd, 100 for good.
fn book() -> Book {
    let soon = Offer { expires: Expiry::On(day("2026-11-23")), ..fixed("soon", 30) };
    let mut book = Book::with(vec![soon, fixed("good", 100)], noon("2026-11-21"));
    book.buy("start", 5_00);
    book.revise(Vec::clear);
    book
}

fn later(book: &mut Book, minutes: i64) {
    book.now = book.now.plus_minutes(minutes);
}

fn held(book: &Book) -> i64 {
    book.wallet.set_aside(&points(), book.now).0
}

#[test]
fn r78_a_hold_takes_first_expiring_first_and_a_settlement_gives_back_the_rest() {
    let mut book = book();
    let hold = book.hold_of(points(), 50, "PT15M").unwrap();
    assert_eq!((book.available(&points()), held(&book)), (80, 50));
    assert_eq!(book.lots(), ["80 points until - from -"]);
    assert_eq!(book.spend(points(), Some(81), None).unwrap().1.spent, Amount(80), "no more");
    let (sequence, made) = book.settle(hold, Some(35), None).unwrap();
    assert_eq!((made.requested.0, made.spent.0, made.remainder.0), (35, 35, 0));
    assert_eq!((book.available(&points()), held(&book)), (15, 0));
    assert_eq!(book.lots(), ["15 points until - from -"]);
    assert!(matches!(book.entry(sequence).key, EntryKey::EndHold(_)));
    book.cancel_spend(sequence).unwrap();
    assert_eq!(book.lots(), ["30 points until 2026-11-23 from -", "20 points until - from -"]);
}

#[test]
fn r78_a_hold_is_all_or_nothing_by_the_rules_of_a_spend() {
    let mut book = book();
    assert_eq!(book.hold_of(points(), 131, "PT15M"), Err(Refusal::NotCovered));
    assert_eq!(book.hold_of(eur(), 1, "PT15M"), Err(Refusal::NotCovered));
    book.block(true);
    assert_eq!(book.hold_of(points(), 1, "PT15M"), Err(Refusal::SpendingBlocked));
    book.block(false);
    let now = book.now;
    let late = book.accept(purchase("late", 1_00, now));
    let asked = SpendAsked {
        balance: points(),
        amount: Some(Amount(5)),
        classification: None,
        unit: None,
        performed_on: noon("2027-03-01"),
    };
    assert_eq!(book.hold(&asked, Some(late), "PT15M"), Err(Refusal::OutsideSpendWindow));
    let much = SpendAsked { amount: Some(Amount(101)), performed_on: now, ..asked };
    assert_eq!(book.hold(&much, Some(late), "PT15M"), Err(Refusal::AmountOutOfRange));
    assert_eq!(book.available(&points()), 130);
    for _ in 0..MAX_HOLDS {
        book.hold_of(points(), 1, "PT15M").unwrap();
    }
    assert_eq!(book.hold_of(points(), 1, "PT15M"), Err(Refusal::TooManyHolds));
}

#[test]
fn r78_a_hold_lapses_at_its_time_and_is_shown_so_before_it_is_booked() {
    let mut book = book();
    let hold = book.hold_of(points(), 50, "PT15M").unwrap();
    later(&mut book, 15);
    book.now = Instant(book.now.0 - 1);
    assert_eq!((book.available(&points()), held(&book)), (80, 50));
    book.now = Instant(book.now.0 + 1);
    assert_eq!((book.available(&points()), held(&book)), (130, 0), "nothing is booked yet");
    assert_eq!(book.settle(hold, None, None).err(), Some(Refusal::HoldNotOpen));
    let lapse = book.entry(3);
    assert_eq!((&lapse.key, &lapse.act), (&EntryKey::Lapse(3), &Act::Released));
    assert_eq!(book.lots(), ["30 points until 2026-11-23 from -", "100 points until - from -"]);
}

#[test]
fn r78_a_lot_that_was_over_while_it_was_held_is_spent_or_comes_back_to_expire() {
    for (amount, left) in [(Some(10), 80), (Some(30), 80), (None, 80), (Some(49), 81)] {
        let mut book = book();
        let hold = book.hold_of(points(), 50, "P7D").unwrap();
        later(&mut book, 3 * 24 * 60);
        book.settle(hold, amount, None).unwrap();
        let rest = 50 - amount.unwrap_or(50);
        let of_good = if amount.is_some_and(|a| a <= 30) { 20 } else { rest };
        assert_eq!(book.available(&points()), 80 + of_good, "{amount:?}, {left}");
        later(&mut book, 1);
        book.settle_up();
        assert!(book.lots().iter().all(|lot| lot.contains("until -")), "{:?}", book.lots());
    }
    let mut book = book();
    book.hold_of(points(), 50, "P2D").unwrap();
    later(&mut book, 3 * 24 * 60);
    assert_eq!(book.available(&points()), 100);
    assert_eq!(book.settle_up(), 2, "what lapsed, then what expired of it");
    assert_eq!(book.lots(), ["100 points until - from -"]);
}

#[test]
fn r78_settled_against_a_purchase_it_is_a_spend_of_that_purchase() {
    let mut book = book();
    let which = book.accept(purchase("cart", 1_00, book.now));
    let asked = SpendAsked {
        balance: points(),
        amount: None,
        classification: Some(class("total")),
        unit: None,
        performed_on: book.now,
    };
    let hold = book.hold(&asked, Some(which), "PT15M").unwrap();
    assert_eq!(held(&book), 100, "what is open of it");
    // Another spend pays a part of it meanwhile.
    book.spend(points(), Some(20), Some(which)).unwrap();
    let (_, made) = book.settle(hold, None, None).unwrap();
    assert_eq!((made.requested.0, made.spent.0, made.covered), (80, 80, Some(Amount(80))));
    assert_eq!(book.events[which].covered(), Amount(1_00));
    book.cancel_event(which).unwrap();
    assert_eq!(book.available(&points()), 130, "R-72: its spends come back");

    // A checkout holds before there is a purchase.
    let hold = book.hold_of(points(), 60, "PT15M").unwrap();
    later(&mut book, 5);
    let order = book.accept(purchase("order", 50, book.now));
    assert_eq!(book.settle(hold, None, Some(order)).err(), Some(Refusal::AmountOutOfRange));
    let (_, made) = book.settle(hold, Some(50), Some(order)).unwrap();
    assert_eq!((made.covered, made.performed_on), (Some(Amount(50)), book.now));
    let hold = book.hold_of(points(), 5, "PT15M").unwrap();
    book.cancel_event(order).unwrap();
    assert_eq!(book.settle(hold, None, Some(order)).err(), Some(Refusal::PurchaseCancelled));
    book.block(true);
    assert_eq!(book.settle(hold, None, None).err(), Some(Refusal::SpendingBlocked));
    assert_eq!(book.release(hold), Ok(()));
}

/// what is held cannot be clawed back; when it comes back, it pays what is owed first.
#[test]
fn r72_r78_what_comes_back_from_a_hold_pays_debt_first() {
    for end in ["release", "lapse", "settle"] {
        let mut book = Book::with(vec![fixed("p", 100)], noon("2026-11-21"));
        let which = book.buy("start", 5_00);
        let hold = book.hold_of(points(), 70, "PT15M").unwrap();
        let mut strict = book.clone();
        strict.programme.definition.debt_policy = DebtPolicy::Refuse;
        assert_eq!(strict.cancel_event(which), Err(Refusal::AwardSpent));
        book.cancel_event(which).unwrap();
        assert_eq!((book.available(&points()), book.debt(&points())), (0, 70));
        match end {
            "release" => book.release(hold).unwrap(),
            "lapse" => {
                later(&mut book, 20);
                assert_eq!(book.available(&points()), 0, "not even before it is booked");
                book.settle_up();
            }
            _ => drop(book.settle(hold, Some(50), None).unwrap()),
        }
        let owed = if end == "settle" { 50 } else { 0 };
        assert_eq!((book.available(&points()), book.debt(&points())), (0, owed), "{end}");
    }
}

/// what was written off while its points were held is made up for when they come back, by
/// whichever end of the hold, and by a cancel of what was spent from it.
#[test]
fn r72_r78_what_was_written_off_during_a_hold_is_made_up_when_it_comes_back() {
    for spent in [None, Some(1), Some(50), Some(70)] {
        let mut book = Book::with(vec![fixed("p", 100)], noon("2026-11-21"));
        book.programme.definition.debt_policy = DebtPolicy::WriteOff;
        let which = book.buy("start", 5_00);
        let hold = book.hold_of(points(), 70, "PT15M").unwrap();
        book.cancel_event(which).unwrap();
        match spent {
            None => book.release(hold).unwrap(),
            Some(spent) => {
                let (sequence, _) = book.settle(hold, Some(spent), None).unwrap();
                book.cancel_spend(sequence).unwrap();
            }
        }
        assert_eq!(book.available(&points()), 0, "{spent:?}");
        assert!(book.wallet.written_off.is_empty(), "{spent:?}");
    }
}

/// a preview sees what has lapsed.
#[test]
fn r35_a_preview_spends_what_a_lapsed_hold_set_aside() {
    let mut book = book();
    book.hold_of(points(), 130, "PT15M").unwrap();
    later(&mut book, 15);
    let event = RecordedEvent::accepted(
        purchase("next", 9_00, book.now),
        domain::ledger::PayloadHash::default(),
        book.now,
    );
    let told = domain::preview::preview(
        &book.programme,
        &book.wallet,
        book.now,
        event,
        None,
        Facts::none(),
    )
    .unwrap();
    assert_eq!(told.additional[0], (points(), Amount(130)));
}
