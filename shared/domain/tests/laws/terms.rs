//! Terms: what a lot may be spent on, when and where (R-48, R-60).

use std::sync::Arc;

use domain::amount::Amount;
use domain::event::{Event, Line};
use domain::id::MerchantId;
use domain::offer::{Expiry, Offer};
use domain::refusal::Refusal;
use domain::spend::SpendAsked;
use domain::terms::{Period, Terms};
use domain::time::Instant;
use domain::wallet::MAX_TERMS;
use domain::window::{Hours, Times};

use crate::bookkeeping::Book;
use crate::fixture::*;

/// So many points until a day of November, spent under these terms.
fn lot(id: &str, amount: i64, until: u32, terms: Terms) -> Offer {
    let expires = Expiry::On(day(&format!("2026-11-{until}")));
    Offer { expires, terms: Some(Arc::new(terms)), ..fixed(id, amount) }
}

pub fn on(products: &[&str]) -> Terms {
    let products: Vec<_> = products.iter().map(|id| product(id)).collect();
    Terms { products: products.into(), ..Terms::default() }
}

/// A wallet with what these offers award, and nothing else.
fn book(offers: Vec<Offer>) -> Book {
    let mut book = Book::with(offers, noon("2026-11-21"));
    book.buy("start", 1_00);
    book.revise(Vec::clear);
    book
}

fn of(id: &str, total: i64) -> Line {
    Line { product: Some(product(id)), ..line(1, total, 0) }
}

/// A purchase of products for so many cents each; nothing is awarded for it.
fn basket(book: &mut Book, lines: &[(&str, i64)]) -> usize {
    let reference = format!("basket-{}", book.events.len());
    let lines = lines.iter().map(|(id, total)| of(id, *total)).collect();
    book.accept(with_lines(purchase(&reference, 0, book.now), lines))
}

fn asked(amount: Option<i64>, performed_on: Instant) -> SpendAsked {
    let (balance, amount) = (points(), amount.map(Amount));
    SpendAsked { balance, amount, classification: None, unit: None, performed_on }
}

fn spent(book: &mut Book, amount: Option<i64>, which: Option<usize>) -> Result<i64, Refusal> {
    book.spend(points(), amount, which).map(|(_, made)| made.spent.0)
}

#[test]
fn r48_a_period_holds_from_its_beginning_to_before_its_end_by_performed_on() {
    let (from, to) = (at("2026-12-01T00:00:00+01:00"), at("2027-01-01T00:00:00+01:00"));
    let periods = vec![Period { from: Some(from), to: Some(to) }];
    let christmas = Terms { periods, ..Terms::default() };
    let offer = Offer { terms: Some(Arc::new(christmas)), ..fixed("o", 10) };
    let cases = [(from.0 - 1, false), (from.0, true), (to.0 - 1, true), (to.0, false)];
    for (performed_on, usable) in cases {
        let mut book = book(vec![offer.clone()]);
        let got =
            book.ask(&asked(Some(4), Instant(performed_on)), None).map(|(_, made)| made.spent.0);
        assert_eq!(got, if usable { Ok(4) } else { Err(Refusal::NotCovered) }, "{performed_on}");
        assert_eq!(
            book.available(&points()),
            if usable { 6 } else { 10 },
            "it counts all the same"
        );
    }
}

/// In the hour that comes twice both count; in the one that is missing nothing is performed.
#[test]
fn r48_times_follow_the_clock_of_the_programme_when_it_changes() {
    let night = Times::of_bits(0, vec![Hours { from: 120, to: 180 }]);
    let sunday = Times::of_bits(64, vec![Hours { from: 0, to: 1_440 }]);
    let cases = [
        (&night, "2026-10-25T01:59:59+02:00", false),
        (&night, "2026-10-25T02:30:00+02:00", true),
        (&night, "2026-10-25T02:30:00+01:00", true),
        (&night, "2026-10-25T03:00:00+01:00", false),
        (&night, "2027-03-28T01:59:59+01:00", false),
        (&night, "2027-03-28T03:00:00+02:00", false),
        (&sunday, "2026-10-24T23:59:59+02:00", false),
        (&sunday, "2026-10-25T23:30:00+01:00", true),
        (&sunday, "2026-10-26T00:00:00+01:00", false),
    ];
    for (times, performed_on, usable) in cases {
        let terms = Terms { times: Some(times.clone()), ..Terms::default() };
        let mut book = book(vec![Offer { terms: Some(Arc::new(terms)), ..fixed("o", 10) }]);
        let got = book.ask(&asked(Some(4), at(performed_on)), None).is_ok();
        assert_eq!(got, usable, "{performed_on}");
    }
}

#[test]
fn r48_a_lot_is_spent_at_its_units_and_merchants() {
    let shops: Vec<MerchantId> = vec![MerchantId::parse("shops").unwrap()];
    let at_shops = Terms { merchants: shops.into(), ..Terms::default() };
    let at_one = Terms { units: vec![unit("shop-1")].into(), ..Terms::default() };
    // Terms, unit of the spend, unit of the purchase.
    let cases = [
        (&at_one, Some("shop-1"), None, true),
        (&at_one, Some("shop-2"), None, false),
        (&at_one, None, None, false),
        (&at_one, None, Some("shop-1"), true),
        (&at_one, Some("shop-2"), Some("shop-1"), false),
        (&at_shops, Some("shop-2"), None, true),
        (&at_shops, Some("shop-3"), None, false),
        (&at_shops, Some("corner"), None, false),
        (&at_shops, None, Some("shop-2"), true),
    ];
    for (terms, here, bought, usable) in cases {
        let mut book = book(vec![lot("o", 10, 30, terms.clone())]);
        let bought = bought.map(|bought| {
            let event = Event { unit: Some(unit(bought)), ..purchase("r", 5_00, book.now) };
            book.accept(event)
        });
        let asked = SpendAsked { unit: here.map(unit), ..asked(Some(4), book.now) };
        assert_eq!(book.ask(&asked, bought).is_ok(), usable, "{terms:?} {here:?} {bought:?}");
    }
}

#[test]
fn r48_products_limit_a_spend_to_their_lines_of_a_purchase() {
    let mut book =
        book(vec![lot("coffee", 500, 25, on(&["coffee"])), lot("free", 100, 30, Terms::default())]);
    assert_eq!(spent(&mut book, Some(50), None), Ok(50), "what is free, without a purchase");
    let tea = basket(&mut book, &[("tea", 4_00)]);
    assert_eq!(spent(&mut book, Some(60), Some(tea)), Ok(50));
    assert_eq!(spent(&mut book, None, Some(tea)), Err(Refusal::NotCovered));
    let both = basket(&mut book, &[("coffee", 3_00), ("tea", 4_00)]);
    let made = book.spend(points(), None, Some(both)).unwrap().1;
    assert_eq!((made.requested.0, made.spent.0, made.remainder.0), (700, 300, 4_00));
    assert_eq!(spent(&mut book, None, Some(both)), Err(Refusal::NotCovered), "coffee is paid");
    assert_eq!(book.available(&points()), 200);
}

/// The category is the line's own, or what the catalogue says when it is spent.
#[test]
fn r48_a_category_is_looked_up_in_the_catalogue_of_the_day() {
    let coffee = Terms { categories: vec![product("coffee")].into(), ..Terms::default() };
    let mut book = book(vec![lot("coffee", 500, 25, coffee)]);
    let which = basket(&mut book, &[("SKU-9", 1_00), ("SKU-10", 1_00)]);
    assert_eq!(spent(&mut book.clone(), None, Some(which)), Ok(100));
    book.programme.catalogue.clear();
    assert_eq!(spent(&mut book, None, Some(which)), Err(Refusal::NotCovered));
}

/// The lot that is spent first makes room for the one that may pay for less.
#[test]
fn r48_lots_with_overlapping_products_pay_together_as_much_as_they_can() {
    let mut book = book(vec![
        lot("drinks", 300, 24, on(&["coffee", "tea"])),
        lot("coffee", 300, 25, on(&["coffee"])),
        lot("bread", 300, 26, on(&["bread", "tea"])),
    ]);
    let which = basket(&mut book, &[("coffee", 2_00), ("tea", 2_00), ("bread", 1_00)]);
    assert_eq!(spent(&mut book, None, Some(which)), Ok(500));
    // Drinks pay for tea and half of the coffee, coffee for the rest of it, bread for the bread.
    assert_eq!(book.lots()[1], "200 points until 2026-11-26 from -");
    assert_eq!(book.lots()[0], "200 points until 2026-11-25 from -");
}

/// What earlier spends used is known by their terms, and makes room where it can.
#[test]
fn r48_a_second_spend_finds_what_the_first_left_of_the_lines() {
    let drinks = lot("drinks", 300, 24, on(&["coffee", "tea"]));
    let mut book = book(vec![drinks, lot("coffee", 300, 25, on(&["coffee"]))]);
    let which = basket(&mut book, &[("coffee", 2_00), ("tea", 2_00), ("bread", 9_00)]);
    let (first, _) = book.spend(points(), Some(250), Some(which)).unwrap();
    assert_eq!(spent(&mut book, None, Some(which)), Ok(150), "50 drinks, 100 coffee");
    assert_eq!(spent(&mut book, None, Some(which)), Err(Refusal::NotCovered));
    book.cancel_spend(first).unwrap();
    assert_eq!(spent(&mut book, None, Some(which)), Ok(250));
}

#[test]
fn r48_r73_after_a_partial_return_only_the_lines_that_are_left_count() {
    let mut book = book(vec![lot("coffee", 500, 25, on(&["coffee"]))]);
    let which = basket(&mut book, &[("coffee", 2_00), ("tea", 2_00), ("coffee", 1_00)]);
    let (first, _) = book.spend(points(), Some(100), Some(which)).unwrap();
    book.give_back(which, &[(0, 1)]).unwrap();
    // A fifth and a half of the purchase is left, and so of the spend: 60 of 100.
    assert_eq!(book.events[which].covered().0, 60);
    assert_eq!(spent(&mut book.clone(), None, Some(which)), Ok(40), "a euro of coffee, 60 paid");
    book.cancel_spend(first).unwrap();
    assert_eq!(spent(&mut book, None, Some(which)), Ok(100));
    book.give_back(which, &[(2, 1)]).unwrap();
    assert_eq!(spent(&mut book, None, Some(which)), Err(Refusal::NotCovered));
}

/// What was spent under terms goes back where the lines that are left are not for it, and what is
/// free stays: a voucher for coffee never pays for tea.
#[test]
fn r48_r73_a_return_gives_back_first_what_may_not_pay_for_what_is_left() {
    let coffee = lot("coffee", 200, 25, on(&["coffee"]));
    let free = lot("free", 300, 30, Terms::default());
    let mut book = book(vec![coffee, free]);
    let which = basket(&mut book, &[("coffee", 2_00), ("tea", 2_00), ("bread", 1_00)]);
    let (spend, _) = book.spend(points(), Some(500), Some(which)).unwrap();
    book.give_back(which, &[(1, 1)]).unwrap();
    assert_eq!(book.lots(), ["200 points until 2026-11-30 from -"], "tea was paid freely");
    book.give_back(which, &[(0, 1)]).unwrap();
    let back = ["200 points until 2026-11-25 from -", "200 points until 2026-11-30 from -"];
    assert_eq!(book.lots(), back, "the voucher; the bread stays paid");
    book.cancel_spend(spend).unwrap();
    assert_eq!(book.available(&points()), 500);
    assert_eq!(spent(&mut book, Some(60), Some(which)), Ok(60));
    assert_eq!(book.lots()[0], back[0], "bread is no coffee");
}

#[test]
fn r48_r78_a_settlement_spends_what_suits_the_purchase_and_gives_back_the_rest() {
    let shop = Terms { units: vec![unit("shop-1")].into(), ..Terms::default() };
    let mut book = book(vec![
        lot("coffee", 200, 24, on(&["coffee"])),
        lot("shop", 100, 25, shop),
        lot("free", 100, 30, Terms::default()),
    ]);
    let cart = basket(&mut book, &[("coffee", 2_00), ("tea", 1_00)]);
    let here = SpendAsked { unit: Some(unit("shop-1")), ..asked(Some(300), book.now) };
    assert_eq!(book.clone().hold(&here, None, "PT15M"), Err(Refusal::NotCovered), "no lines");
    let hold = book.hold(&here, Some(cart), "PT15M").unwrap();
    assert_eq!(book.lots(), ["100 points until 2026-11-30 from -"]);
    // In the end it is another purchase, with less coffee.
    let order = basket(&mut book, &[("coffee", 50), ("tea", 9_00)]);
    let mut whole = book.clone();
    let (_, made) = whole.settle(hold, None, Some(order)).unwrap();
    assert_eq!((made.requested.0, made.spent.0), (300, 150));
    assert_eq!(whole.lots()[0], "150 points until 2026-11-24 from -");
    let (_, made) = book.settle(hold, Some(60), Some(order)).unwrap();
    assert_eq!(made.spent.0, 60, "50 of coffee, 10 of the shop");
    let back = ["150 points until 2026-11-24 from -", "90 points until 2026-11-25 from -"];
    assert_eq!(book.lots()[..2], back);
    let tea = basket(&mut book, &[("tea", 5_00)]);
    let coffee = SpendAsked { unit: None, ..here };
    let coffee = SpendAsked { amount: Some(Amount(150)), ..coffee };
    let hold = book.hold(&coffee, Some(order), "PT15M").err();
    assert_eq!(hold, Some(Refusal::NotCovered), "its coffee is paid");
    assert_eq!(spent(&mut book, Some(500), Some(tea)), Ok(100));
}

/// R-74, R-72, R-71: what the operator takes, what a cancel takes and what expires ask no terms.
#[test]
fn r48_debits_claw_backs_and_expiry_take_from_any_lot() {
    let mut book = Book::with(vec![lot("coffee", 100, 25, on(&["coffee"]))], noon("2026-11-21"));
    let which = book.buy("start", 1_00);
    book.revise(Vec::clear);
    assert_eq!(book.adjust(points(), -30, None), Ok(()));
    let mut late = book.clone();
    book.cancel_event(which).unwrap();
    assert_eq!((book.available(&points()), book.debt(&points())), (0, 30));
    late.now = noon("2026-11-26");
    late.settle_up();
    assert!(late.wallet.lots.is_empty());
}

#[test]
fn r60_awards_alike_but_for_their_terms_are_lots_of_their_own() {
    let mut book = book(vec![
        lot("free", 10, 25, Terms::default()),
        Offer { terms: None, ..lot("plain", 20, 25, Terms::default()) },
        lot("coffee", 30, 25, on(&["coffee"])),
        lot("coffee-too", 40, 25, on(&["coffee"])),
    ]);
    let amounts: Vec<i64> = book.wallet.lots.iter().map(|lot| lot.amount.0).collect();
    assert_eq!(amounts, [10, 70, 20], "with terms first, alike in one");
    let which = basket(&mut book, &[("coffee", 75)]);
    assert_eq!(spent(&mut book, None, Some(which)), Ok(75));
    assert_eq!(book.lots()[0], "5 points until 2026-11-25 from -");
}

/// Beyond so many different terms the lots that expire first lose theirs.
#[test]
fn r48_a_wallet_keeps_a_bounded_number_of_terms() {
    let count = u32::try_from(MAX_TERMS).unwrap() + 3;
    let offer = |number: u32| {
        let terms = Some(Arc::new(on(&[&format!("p-{number}")])));
        let expires = Expiry::After(span(&format!("P{}D", number + 1)));
        Offer { expires, terms, ..fixed(&format!("o-{number}"), 10) }
    };
    let mut book = book((0..count).map(offer).collect());
    let bound = book.wallet.lots.iter().filter(|lot| lot.id.terms.is_some()).count();
    assert_eq!((bound, book.wallet.lots.len()), (MAX_TERMS, MAX_TERMS + 3));
    assert_eq!(book.available(&points()), i64::from(count) * 10);
    assert!(book.wallet.lots[..3].iter().all(|lot| lot.id.terms.is_none()));
    assert_eq!(spent(&mut book, Some(100), None), Ok(30), "only what is free of terms");
}
