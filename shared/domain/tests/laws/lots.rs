//! Lots: what is spent first, what expires, and how many a wallet holds (R-60, R-71).

use domain::apply::Outcome;
use domain::ledger::{Act, Effect};
use domain::offer::{Expiry, Offer};
use domain::refusal::Refusal;
use domain::time::Instant;
use domain::wallet::MAX_LOTS;

use crate::bookkeeping::Book;
use crate::fixture::*;
use crate::laws::{net, of_ledger};

const DAY: i64 = 86_400_000;

/// A wallet with a lot of 10 points for each expiry.
fn book(expiries: &[Expiry]) -> Book {
    let offer = |(at, expires): (usize, &Expiry)| Offer {
        expires: *expires,
        ..fixed(&format!("o-{at}"), 10)
    };
    let mut book = Book::with(expiries.iter().enumerate().map(offer).collect(), noon("2026-11-21"));
    book.buy("r", 1_00);
    book
}

#[test]
fn r60_what_expires_first_is_spent_first() {
    let after = |text| Expiry::After(span(text));
    let mut book = book(&[Expiry::Never, after("P9D"), after("P3D"), after("P6D")]);
    book.spend(points(), Some(25), None).unwrap();
    assert_eq!(book.lots(), ["5 points until 2026-11-30 from -", "10 points until - from -",]);
}

#[test]
fn r71_expiry_takes_exactly_what_is_left() {
    let mut book = book(&[Expiry::After(span("P3D")), Expiry::Never]);
    book.spend(points(), Some(4), None).unwrap();
    book.now = at("2026-11-25T00:00:00+01:00");
    assert_eq!(book.spend(points(), Some(11), None).unwrap().1.spent.0, 10);
    let expired = &book.ledger[2];
    assert_eq!(expired.act, Act::Expired);
    assert_eq!(expired.effects.iter().filter_map(Effect::change).next().unwrap().1.0, -6);
    assert_eq!(expired.after[0].1.0, 10);
    assert_eq!(book.lots(), [""; 0]);
}

#[test]
fn r72_a_cancelled_spend_gives_lots_back_with_their_own_expiry() {
    let mut book = book(&[Expiry::After(span("P3D")), Expiry::After(span("P6D"))]);
    let (spend, _) = book.spend(points(), Some(15), None).unwrap();
    book.now = at("2026-11-24T23:59:59+01:00");
    let mut late = book.clone();
    book.cancel_spend(spend).unwrap();
    let back = ["10 points until 2026-11-24 from -", "10 points until 2026-11-27 from -"];
    assert_eq!(book.lots(), back);
    late.now = at("2026-11-25T00:00:00+01:00");
    late.cancel_spend(spend).unwrap();
    assert_eq!(late.available(&points()), 10, "what is over is over");
    late.block(false);
    assert_eq!(late.lots(), ["10 points until 2026-11-27 from -"]);
}

#[test]
fn r82_a_pass_is_one_lot_and_redeemed_once() {
    let mut book = Book::with(vec![], noon("2026-11-21"));
    let gift = pass(1, book.now);
    assert_eq!(book.redeem(&gift), Outcome::Done);
    assert_eq!(book.lots(), ["20 points until 2026-11-28 from -"]);
    let late = pass(2, book.now);
    book.now = at("2026-12-21T23:59:59+01:00");
    assert_eq!(book.clone().redeem(&late), Outcome::Done, "to the end of its day");
    book.now = at("2026-12-22T00:00:00+01:00");
    assert_eq!(book.redeem(&late), Outcome::Refused(Refusal::PassExpired));
}

#[test]
fn r80_a_pass_that_would_credit_what_expired_is_not_used_up() {
    let mut book = Book::with(vec![], noon("2026-11-21"));
    let pass = pass(1, book.now);
    let over = domain::pass::PassPlan { expires: Expiry::On(day("2026-11-20")), ..gift() };
    let payload = domain::ledger::PayloadHash::default();
    let redeem = domain::apply::Command::Redeem { pass: &pass, plan: &over, payload, own: false };
    assert_eq!(book.commit(&redeem), Outcome::Refused(Refusal::AlreadyExpired));
}

/// 401 purchases on as many days, each with an expiry of its own.
fn crowded(expires: Expiry) -> (Book, Vec<usize>) {
    let mut programme = programme(vec![Offer { expires, ..fixed("o", 10) }]);
    programme.definition.spend.requires_purchase = false;
    let mut book = Book::new(programme, noon("2026-01-01"));
    let mut bought = vec![];
    for number in 0..401 {
        book.now = Instant(noon("2026-01-01").0 + number * DAY);
        bought.push(book.buy(&format!("r-{number}"), 1_00));
    }
    (book, bought)
}

#[test]
fn r60_lots_are_bounded_and_totals_kept() {
    let (mut book, bought) = crowded(Expiry::After(span("P3Y")));
    assert_eq!((book.wallet.lots.len(), book.available(&points())), (MAX_LOTS, 4_010));
    let lots = book.lots();
    assert_eq!(lots[0], "20 points until 2029-01-02 from -", "the later day, in their favour");
    assert_eq!(lots[399], "10 points until 2030-02-05 from -");

    let (spend, _) = book.spend(points(), Some(4_000), None).unwrap();
    assert_eq!(book.lots(), ["10 points until 2030-02-05 from -"]);
    for which in &bought[..3] {
        book.cancel_event(*which).unwrap();
    }
    assert_eq!((book.available(&points()), book.debt(&points())), (0, 20));
    book.cancel_spend(spend).unwrap();
    assert_eq!(book.available(&points()), 3_980);
    for which in &bought[3..] {
        book.cancel_event(*which).unwrap();
    }
    assert_eq!((net(&book.wallet, &points()), book.lots().len()), (0, 0));
    of_ledger(&book);
}

#[test]
fn r72_an_award_whose_lot_was_merged_is_taken_from_where_it_went() {
    let (mut book, bought) = crowded(Expiry::After(span("P3Y")));
    assert_eq!(book.lots()[0], "20 points until 2029-01-02 from -");
    book.cancel_event(bought[0]).unwrap();
    assert_eq!(
        book.lots()[..2],
        ["10 points until 2029-01-02 from -", "10 points until 2029-01-03 from -"]
    );
    // All of both is spent, and what is left has expired: nothing of the first is left to expire.
    let (mut book, bought) = crowded(Expiry::After(span("P3Y")));
    book.spend(points(), Some(20), None).unwrap();
    book.now = noon("2029-01-03");
    book.cancel_event(bought[0]).unwrap();
    assert_eq!(net(&book.wallet, &points()), 3_980, "it was spent");
    // Neither was: both expired where they went.
    let (mut book, bought) = crowded(Expiry::After(span("P3Y")));
    book.now = noon("2029-01-03");
    for (which, left) in [(0, 3_990), (1, 3_990), (2, 3_980)] {
        book.cancel_event(bought[which]).unwrap();
        assert_eq!(net(&book.wallet, &points()), left, "{which}");
    }
    of_ledger(&book);
}

#[test]
fn r71_what_has_expired_is_not_merged_into_what_has_not() {
    let (mut book, _) = crowded(Expiry::After(span("P3Y")));
    book.now = noon("2029-01-02");
    let (spend, _) = book.spend(points(), Some(20), None).unwrap();
    book.now = noon("2029-01-03");
    book.buy("one more", 1_00);
    assert_eq!((book.wallet.lots.len(), book.available(&points())), (MAX_LOTS, 4_000));
    book.cancel_spend(spend).unwrap();
    assert_eq!(book.available(&points()), 4_000, "it would have expired");
    book.block(false);
    assert_eq!(net(&book.wallet, &points()), 4_000);
    of_ledger(&book);
}

#[test]
fn r60_the_two_nearest_in_expiry_merge_and_nothing_available_is_held_back() {
    // An award each second day, and one on a day between: available at once, or pending.
    let cases = [
        (None, "20 points until 2029-01-02 from -", "10 points until 2029-01-03 from -"),
        (
            Some(span("P9M")),
            "10 points until 2029-01-01 from -",
            "20 points until 2029-01-03 from -",
        ),
    ];
    for (available_after, first, second) in cases {
        let every = Offer { expires: Expiry::After(span("P3Y")), ..fixed("o", 10) };
        let between = Offer { available_after, ..every.clone() };
        let mut book = Book::with(vec![every.clone()], noon("2026-01-01"));
        let start = noon("2024-11-27").0;
        for number in 0..401 {
            let inserted = number == 201;
            let days = if number > 201 { number - 1 } else { number } * 2 - i64::from(inserted);
            book.now = Instant(start + days * DAY);
            let offer = if inserted { &between } else { &every };
            book.programme.offers = vec![offer.clone()].into();
            book.buy(&format!("r-{number}"), 1_00);
        }
        let lots = book.lots();
        let near: Vec<&String> = lots.iter().filter(|lot| lot.contains("2029-01-0")).collect();
        assert_eq!(near[..2], [first, second]);
        assert_eq!(net(&book.wallet, &points()), 4_010);
        of_ledger(&book);
    }
}
