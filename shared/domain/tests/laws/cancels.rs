//! Taking back: returned purchases, spent awards and what the programme does about them
//! (R-56, R-72).

use domain::activity::ACTIVITY_MONTHS;
use domain::award::Mode;
use domain::event::Due;
use domain::offer::{Expiry, Offer};
use domain::programme::DebtPolicy;
use domain::refusal::Refusal;

use crate::bookkeeping::Book;
use crate::fixture::*;

/// 100 points for the first purchase, 50 with an earlier expiry for the second.
fn two_awards() -> (Book, usize, usize) {
    let soon = Expiry::After(span("P9D"));
    let mut book = Book::with(vec![fixed("o", 100)], noon("2026-11-21"));
    let first = book.buy("a", 1_00);
    book.programme.offers = vec![Offer { expires: soon, ..fixed("p", 50) }].into();
    let second = book.buy("b", 1_00);
    (book, first, second)
}

#[test]
fn r56_a_returned_purchase_before_and_after_it_was_awarded() {
    let mut book = Book::with(vec![fixed("o", 5)], noon("2026-11-21"));
    let pending = book.accept(purchase("a", 1_00, book.now));
    book.cancel_event(pending).unwrap();
    assert_eq!(book.ledger[0].effects, [], "there was nothing to take back");
    let late = book.judge(pending, Mode::Run);
    assert_eq!((late.awards.len(), late.passed_over.len()), (0, 0), "in mid-run");
    assert_eq!(book.events[pending].due, Due::Nothing);
    assert!(book.wallet.activity.is_empty() && book.wallet.last_event.is_none());

    let awarded = book.buy("b", 1_00);
    assert_eq!(book.available(&points()), 5);
    book.cancel_event(awarded).unwrap();
    assert_eq!(book.available(&points()), 0);
    assert!(book.wallet.activity.is_empty());
    assert!(book.judge(awarded, Mode::Run).awards.is_empty());
    assert_eq!(book.cancel_event(awarded), Err(Refusal::AlreadyCancelled));
}

#[test]
fn r72_what_a_run_added_is_taken_back_too() {
    let batch = domain::offer::EvaluationMethod::Batch;
    let later = Offer { method: batch, ..fixed("later", 7) };
    let mut book = Book::with(vec![fixed("now", 5), later], noon("2026-11-21"));
    let which = book.buy("r", 1_00);
    book.now = noon("2026-11-22");
    book.judge(which, Mode::Run);
    assert_eq!(book.available(&points()), 12);
    book.cancel_event(which).unwrap();
    assert_eq!(book.lots(), [""; 0]);
}

#[test]
fn r72_cancelling_a_purchase_cancels_its_spends() {
    let mut book = Book::with(vec![fixed("o", 100)], noon("2026-11-21"));
    book.buy("a", 1_00);
    let which = book.buy("b", 5_00);
    book.spend(points(), Some(150), Some(which)).unwrap();
    let (early, _) = book.spend(points(), Some(20), Some(which)).unwrap();
    book.cancel_spend(early).unwrap();
    book.cancel_event(which).unwrap();
    assert_eq!((book.available(&points()), book.debt(&points())), (100, 0));
    assert_eq!(book.cancel_spend(early), Err(Refusal::AlreadyCancelled));
}

#[test]
fn r72_a_spent_award_is_taken_from_its_lot_then_from_others_then_owed() {
    // Spent of 150 -> (available, debt) once the second is cancelled, and then the first.
    let cases = [
        (0, (100, 0), (0, 0)),
        (50, (50, 0), (0, 50)),
        (70, (30, 0), (0, 70)),
        (120, (0, 20), (0, 120)),
        (150, (0, 50), (0, 150)),
    ];
    for (spent, after_second, after_first) in cases {
        let (mut book, first, second) = two_awards();
        if spent > 0 {
            book.spend(points(), Some(spent), None).unwrap();
        }
        book.cancel_event(second).unwrap();
        assert_eq!((book.available(&points()), book.debt(&points())), after_second, "{spent}");
        book.cancel_event(first).unwrap();
        assert_eq!((book.available(&points()), book.debt(&points())), after_first, "{spent}");
    }
    let (mut book, first, _) = two_awards();
    book.cancel_event(first).unwrap();
    assert_eq!(book.lots(), ["50 points until 2026-11-30 from -"], "its own lot first");
}

#[test]
fn r72_the_programme_says_what_becomes_of_a_spent_award() {
    // After 120 of 150 are spent and the first purchase, worth 100, is cancelled.
    let cases = [
        (DebtPolicy::Carry, Ok(()), 0, 70),
        (DebtPolicy::Refuse, Err(Refusal::AwardSpent), 30, 0),
        (DebtPolicy::WriteOff, Ok(()), 0, 0),
    ];
    for (policy, want, held, owed) in cases {
        let (mut book, first, _) = two_awards();
        book.programme.definition.debt_policy = policy;
        book.spend(points(), Some(120), None).unwrap();
        assert_eq!(book.cancel_event(first), want, "{policy:?}");
        assert_eq!((book.available(&points()), book.debt(&points())), (held, owed), "{policy:?}");
    }
}

#[test]
fn r72_a_spend_that_comes_back_pays_debt_first() {
    // 100 of 150 are cancelled: what was spent -> owed before the spend comes back.
    for (spent, owed) in [(50, 0), (60, 10), (100, 50), (150, 100)] {
        let (mut book, first, _) = two_awards();
        let (spend, _) = book.spend(points(), Some(spent), None).unwrap();
        book.cancel_event(first).unwrap();
        assert_eq!(book.debt(&points()), owed, "{spent}");
        book.cancel_spend(spend).unwrap();
        assert_eq!((book.available(&points()), book.debt(&points())), (50, 0), "{spent}");
    }
}

#[test]
fn r72_debts_of_two_balances_come_back_as_they_were() {
    let money = percent("e", eur(), "100");
    let mut book = Book::with(vec![fixed("p", 100), money], noon("2026-11-21"));
    let which = book.buy("a", 1_00);
    book.spend(points(), Some(100), None).unwrap();
    book.spend(eur(), Some(100), None).unwrap();
    book.cancel_event(which).unwrap();
    let owed = book.wallet.debts.clone();
    book.revise(|offers| offers.truncate(1));
    let next = book.buy("b", 1_00);
    assert_eq!((book.debt(&points()), book.debt(&eur())), (0, 1_00));
    book.cancel_event(next).unwrap();
    assert_eq!(book.wallet.debts, owed);
}

#[test]
fn r72_an_award_that_expired_unspent_is_not_taken_twice() {
    let (mut book, first, second) = two_awards();
    book.now = noon("2026-12-01");
    book.cancel_event(second).unwrap();
    assert_eq!((book.available(&points()), book.debt(&points())), (100, 0));
    book.cancel_event(first).unwrap();
    assert_eq!((book.available(&points()), book.debt(&points())), (0, 0));
}

#[test]
fn activity_keeps_thirteen_months_and_no_part_of_older_ones() {
    let mut book = Book::with(vec![], noon("2026-01-15"));
    let mut bought = vec![];
    for month in 0..14 {
        let date = format!("20{}-{:02}-15", 26 + month / 12, month % 12 + 1);
        book.now = noon(&date);
        bought.push(book.buy(&date, 1_00));
    }
    let months = |book: &Book| book.wallet.activity.iter().map(|a| a.purchases).collect::<Vec<_>>();
    assert_eq!(months(&book), [1; ACTIVITY_MONTHS]);
    book.cancel_event(bought[13]).unwrap();
    let late = book.accept(purchase("late", 1_00, noon("2026-01-20")));
    book.judge(late, Mode::Run);
    book.cancel_event(bought[0]).unwrap();
    book.cancel_event(late).unwrap();
    assert_eq!(months(&book), [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
}

#[test]
fn r72_a_redeemed_pass_pays_debt_first() {
    let (mut book, first, _) = two_awards();
    book.spend(points(), Some(65), None).unwrap();
    book.cancel_event(first).unwrap();
    assert_eq!(book.debt(&points()), 15);
    book.redeem(&pass(1, book.now));
    assert_eq!((book.available(&points()), book.debt(&points())), (5, 0));
}

#[test]
fn r72_what_comes_back_expired_does_not_pay_for_an_award() {
    let soon = Expiry::After(span("P9D"));
    let mut book =
        Book::with(vec![Offer { expires: soon, ..fixed("soon", 50) }], noon("2026-11-21"));
    book.buy("a", 1_00);
    book.programme.offers = vec![fixed("o", 100)].into();
    let which = book.buy("b", 5_00);
    book.spend(points(), Some(50), Some(which)).unwrap();
    book.spend(points(), Some(100), None).unwrap();
    book.now = noon("2026-12-15");
    book.cancel_event(which).unwrap();
    assert_eq!((book.available(&points()), book.debt(&points())), (0, 100));
}
