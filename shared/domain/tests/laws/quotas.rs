//! The first participants and the budget of an offer, which all participants share.

use domain::amount::Amount;
use domain::award::Mode;
use domain::offer::{AwardForm, EvaluationMethod, Offer, Quota};
use domain::quota::{Quotas, Used};
use domain::refusal::Reason;

use crate::bookkeeping::{Book, told};
use crate::fixture::*;

fn used(places: i64, budget: i64) -> Used {
    Used { places, budget: Amount(budget) }
}

fn quota(first: Option<u32>, budget: Option<i64>) -> Quota {
    Quota { first, budget: budget.map(Amount) }
}

/// A participant of a programme in which others were awarded before.
fn book(offer: Offer, others: Used) -> Book {
    let id = offer.id.clone();
    let mut book = Book::with(vec![offer], noon("2026-11-21"));
    book.others.set(id, others);
    book.quotas = book.others.clone();
    book
}

fn now_used(book: &Book) -> Used {
    book.quotas.used(&offer_id("o"))
}

#[test]
fn r44_what_a_quota_lacks() {
    let (taken, empty) = (Some(Reason::PlacesTaken), Some(Reason::BudgetExhausted));
    let (first, budget) = (quota(Some(100), None), quota(None, Some(50)));
    let both = quota(Some(100), Some(50));
    let cases = [
        (Quota::default(), used(1_000, 1_000), false, 10, None),
        (first, used(0, 0), false, 10, None),
        (first, used(99, 0), false, 10, None),
        (first, used(100, 0), false, 10, taken),
        (first, used(101, 0), false, 10, taken),
        // Who has a place is awarded again.
        (first, used(100, 0), true, 10, None),
        (budget, used(0, 0), false, 50, None),
        (budget, used(0, 0), false, 51, empty),
        (budget, used(0, 40), false, 10, None),
        (budget, used(0, 40), false, 11, empty),
        (budget, used(0, 50), false, 1, empty),
        (budget, used(0, 50), true, 1, empty),
        (both, used(100, 50), false, 1, taken),
        (both, used(100, 50), true, 1, empty),
        (both, used(99, 49), false, 1, None),
    ];
    for (quota, known, has_place, amount, want) in cases {
        let offer = Offer { quota, ..fixed("o", amount) };
        let mut quotas = Quotas::default();
        quotas.set(offer.id.clone(), known);
        let got = quotas.lacks(&offer, has_place, Amount(amount));
        assert_eq!(got, want, "{quota:?} {known:?} {has_place} {amount}");
    }
}

#[test]
fn r44_the_last_place_is_given_once_and_kept() {
    let offer = || Offer { quota: quota(Some(3), None), ..fixed("o", 5) };
    let mut late = book(offer(), used(3, 0));
    let which = late.accept(purchase("a", 1_00, late.now));
    assert_eq!(told(&late.judge(which, Mode::Interactive)), ["o places_taken"]);

    let mut last = book(offer(), used(2, 0));
    let (first, second) = (last.buy("a", 1_00), last.buy("b", 1_00));
    assert_eq!((last.available(&points()), now_used(&last)), (10, used(3, 0)));
    // The place is freed with the last award that rests on it.
    last.cancel_event(first).unwrap();
    assert_eq!(now_used(&last), used(3, 0));
    last.cancel_event(second).unwrap();
    assert_eq!(now_used(&last), used(2, 0));
    last.buy("c", 1_00);
    assert_eq!(now_used(&last), used(3, 0));
}

#[test]
fn r44_a_budget_is_used_to_the_cent_and_an_award_is_given_whole_or_not() {
    let form = AwardForm::Percentage(rate("10"));
    let offer = Offer { quota: quota(None, Some(5_00)), ..offer("o", eur(), form) };
    let mut book = Book::with(vec![offer], noon("2026-11-21"));
    let steps = [
        ("a", 30_00, "o 300", 3_00),
        ("b", 20_10, "o budget_exhausted", 3_00),
        ("c", 20_09, "o 200", 5_00),
        ("d", 10, "o budget_exhausted", 5_00),
        // What rounds to nothing asks for nothing.
        ("e", 9, "o awards_nothing", 5_00),
    ];
    for (reference, total, want, spent) in steps {
        let which = book.buy(reference, total);
        assert_eq!(told(&book.events[which].judgements[0]), [want], "{reference}");
        assert_eq!(now_used(&book), used(0, spent), "{reference}");
    }
    // Cancelled, it can be given again: to the cent.
    book.cancel_event(0).unwrap();
    assert_eq!(now_used(&book), used(0, 2_00));
    let again = [book.buy("f", 30_10), book.buy("g", 30_00)];
    let told = again.map(|which| told(&book.events[which].judgements[0]).join(", "));
    assert_eq!(told, ["o budget_exhausted", "o 300"]);
}

#[test]
fn r31_the_quota_of_a_batch_offer_is_decided_by_the_run() {
    let method = EvaluationMethod::Batch;
    let offer = Offer { method, quota: quota(Some(1), None), ..fixed("o", 5) };
    let mut book = book(offer, used(1, 0));
    let which = book.accept(purchase("a", 1_00, book.now));
    assert_eq!(told(&book.judge(which, Mode::Interactive)), ["o awaits_run"]);
    // By then somebody else gave the place back.
    (book.others, book.quotas) = (Quotas::default(), Quotas::default());
    assert_eq!(told(&book.judge(which, Mode::Run)), ["o 5"]);
}

#[test]
fn r45_an_offer_without_room_leaves_the_place_to_the_next_best() {
    let best = |offer: Offer| Offer { on_top: false, ..offer };
    let full = Offer { quota: quota(None, Some(49)), ..best(fixed("full", 50)) };
    let mut book = Book::with(vec![full, best(fixed("next", 3))], noon("2026-11-21"));
    let which = book.buy("a", 1_00);
    assert_eq!(told(&book.events[which].judgements[0]), ["next 3", "full budget_exhausted"]);
}
