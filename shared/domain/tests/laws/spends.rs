//! Spends against a purchase and without one (R-61 to R-66).

use domain::award::Mode;
use domain::event::Event;
use domain::ledger::Effect;
use domain::offer::Offers;
use domain::programme::ReductionMethod;
use domain::refusal::Refusal;
use domain::spend::SpendAsked;

use crate::bookkeeping::Book;
use crate::fixture::*;

/// A wallet that holds this many points, and cents.
fn holding(of_points: i64, of_eur: i64) -> Book {
    let money = domain::offer::AwardForm::Fixed(domain::amount::Amount(of_eur));
    let mut book =
        Book::with(vec![fixed("p", of_points), offer("e", eur(), money)], noon("2026-11-21"));
    book.buy("start", 1_00);
    book.programme.offers = Offers::default();
    book
}

fn buy(book: &mut Book, total: i64) -> usize {
    let which = book.accept(purchase(&format!("r-{}", book.ledger.len()), total, book.now));
    book.judge(which, Mode::Interactive);
    which
}

fn asked(book: &Book, amount: Option<i64>, name: Option<&str>) -> SpendAsked {
    SpendAsked {
        balance: points(),
        amount: amount.map(domain::amount::Amount),
        classification: name.map(class),
        unit: None,
        performed_on: book.now,
    }
}

#[test]
fn r61_a_spend_covers_what_it_is_worth_rounded_down_and_the_rest_is_in_currency() {
    // Worth of a point, points held, purchase, amount asked -> (requested, spent, covered, rest).
    let cases = [
        ("0.01", 1_000, 9_20, None, (920, 920, 9_20, 0)),
        ("0.01", 300, 9_20, None, (920, 300, 3_00, 6_20)),
        ("0.01", 300, 9_20, Some(500), (500, 300, 3_00, 2_00)),
        ("0.01", 300, 9_20, Some(5), (5, 5, 5, 0)),
        ("0.03", 1_000, 1_00, None, (33, 33, 99, 1)),
        ("0.03", 10, 1_00, None, (33, 10, 30, 70)),
        ("0.005", 1_000, 1_01, None, (202, 202, 1_01, 0)),
        ("0.005", 101, 1_01, None, (202, 101, 50, 51)),
        ("2.5", 1_000, 9_99, None, (3, 3, 7_50, 2_49)),
        ("0.333", 1_000, 1_00, None, (3, 3, 99, 1)),
    ];
    for (worth, held, total, amount, want) in cases {
        let mut book = holding(held, 1);
        book.programme.balances[0].worth = rate(worth);
        let which = buy(&mut book, total);
        let made = book.spend(points(), amount, Some(which)).unwrap().1;
        let got = (made.requested.0, made.spent.0, made.covered.unwrap().0, made.remainder.0);
        assert_eq!(got, want, "{worth} {held} {total} {amount:?}");
    }
}

#[test]
fn r61_nothing_is_taken_for_what_covers_nothing() {
    for (worth, held, total, amount) in
        [("0.001", 9, 5_00, None), ("0.001", 100, 5_00, Some(9)), ("0.003", 100, 1, None)]
    {
        let mut book = holding(held, 1);
        book.programme.balances[0].worth = rate(worth);
        let which = buy(&mut book, total);
        let refused = book.spend(points(), amount, Some(which)).map(|(_, made)| made);
        assert_eq!(refused, Err(Refusal::NotCovered), "{worth} {held} {total} {amount:?}");
    }
}

#[test]
fn r61_balances_are_spent_apart() {
    let mut book = holding(100, 5_00);
    let which = buy(&mut book, 4_00);
    assert_eq!(book.spend(eur(), None, Some(which)).unwrap().1.remainder.0, 0);
    assert_eq!((book.available(&points()), book.available(&eur())), (100, 1_00));
}

#[test]
fn r62_spends_on_a_purchase_never_exceed_its_total() {
    let mut book = holding(1_000, 5_00);
    let which = buy(&mut book, 5_00);
    let (first, _) = book.spend(points(), Some(200), Some(which)).unwrap();
    let over = book.spend(points(), Some(301), Some(which)).map(|(_, made)| made);
    assert_eq!(over, Err(Refusal::AmountOutOfRange));
    let over = book.spend(eur(), Some(3_01), Some(which)).map(|(_, made)| made);
    assert_eq!(over, Err(Refusal::AmountOutOfRange));
    assert_eq!(book.spend(eur(), None, Some(which)).unwrap().1.spent.0, 3_00);
    let full = book.spend(points(), None, Some(which)).map(|(_, made)| made);
    assert_eq!(full, Err(Refusal::AmountOutOfRange));
    book.cancel_spend(first).unwrap();
    assert_eq!(book.spend(points(), None, Some(which)).unwrap().1.spent.0, 200);
}

#[test]
fn r62_within_n_days_of_the_purchase_both_ends_included() {
    // Bought late on 21 November; N is 30 unless said otherwise.
    let cases = [
        (30, "2026-11-20T23:59:59+01:00", false),
        (30, "2026-11-21T00:00:00+01:00", true),
        (30, "2026-11-21T23:59:59+01:00", true),
        (30, "2026-12-21T23:59:59+01:00", true),
        (30, "2026-12-22T00:00:00+01:00", false),
        (1, "2026-11-22T23:59:59+01:00", true),
        (1, "2026-11-23T00:00:00+01:00", false),
        (180, "2027-05-20T23:59:59+02:00", true),
        (180, "2027-05-21T00:00:00+02:00", false),
    ];
    for (days, performed_on, within) in cases {
        let mut book = holding(100, 1);
        book.programme.definition.spend.within_days = days;
        let which = book.accept(purchase("late", 5_00, at("2026-11-21T22:30:00+01:00")));
        let performed_on = at(performed_on);
        let asked = SpendAsked { performed_on, ..asked(&book, Some(5), None) };
        let got = book.ask(&asked, Some(which)).map(|(_, made)| made.spent.0);
        let want = if within { Ok(5) } else { Err(Refusal::OutsideSpendWindow) };
        assert_eq!(got, want, "{days} days, {asked:?}");
    }
}

#[test]
fn r63_rules_per_classification() {
    use Refusal::{AmountNotAllowed, AmountOutOfRange, NotCovered, PurchaseRequired};
    // `counter`: 1 to 500, all or nothing. `total`: no amount. Others: free. 600 points are held.
    let cases = [
        (Some("counter"), None, Some(0), Err(AmountOutOfRange)),
        (Some("counter"), None, Some(1), Ok(1)),
        (Some("counter"), None, Some(500), Ok(500)),
        (Some("counter"), None, Some(501), Err(AmountOutOfRange)),
        (Some("counter"), None, None, Err(PurchaseRequired)),
        (Some("counter"), Some(5_00), None, Ok(500)),
        (Some("counter"), Some(5_01), None, Err(AmountOutOfRange)),
        (Some("counter"), Some(5_01), Some(500), Ok(500)),
        (Some("counter"), Some(4_99), Some(500), Err(AmountOutOfRange)),
        (Some("total"), None, Some(5), Err(AmountNotAllowed)),
        (Some("total"), None, None, Err(PurchaseRequired)),
        (Some("total"), Some(4_00), Some(400), Err(AmountNotAllowed)),
        (Some("total"), Some(4_00), None, Ok(400)),
        (Some("total"), Some(9_00), None, Ok(600)),
        (Some("other"), None, Some(900), Ok(600)),
        (None, None, Some(600), Ok(600)),
        (None, None, Some(0), Err(AmountOutOfRange)),
        (None, None, None, Err(PurchaseRequired)),
        (None, Some(9_00), None, Ok(600)),
        (None, Some(0), None, Err(AmountOutOfRange)),
    ];
    for (name, total, amount, want) in cases {
        let mut book = holding(600, 1);
        let which = total.map(|total| buy(&mut book, total));
        let asked = asked(&book, amount, name);
        let got = book.ask(&asked, which).map(|(_, made)| made.spent.0);
        assert_eq!(got, want, "{name:?} {total:?} {amount:?}");
    }
    let mut poor = holding(499, 1);
    let asked = asked(&poor, Some(500), Some("counter"));
    assert_eq!(poor.ask(&asked, None).unwrap_err(), NotCovered, "R-64");
    assert_eq!(poor.available(&points()), 499);
}

#[test]
fn r64_without_a_purchase_the_rest_is_in_the_balance() {
    let mut book = holding(30, 1);
    let made = book.spend(points(), Some(50), None).unwrap().1;
    assert_eq!((made.spent.0, made.remainder.0, made.covered), (30, 20, None));
}

#[test]
fn r65_a_spend_by_api_is_deducted_at_the_till() {
    let mut book = holding(30, 1);
    let bought = Event { unit: Some(unit("shop-1")), ..purchase("r", 1_00, book.now) };
    let which = book.accept(bought);
    let asked = SpendAsked { unit: Some(unit("shop-1")), ..asked(&book, Some(5), None) };
    let made = book.ask(&asked, Some(which)).unwrap().1;
    assert_eq!((made.method, made.unit), (ReductionMethod::FrontEnd, Some(unit("shop-1"))));
}

#[test]
fn r66_the_entry_names_every_lot_and_what_is_available_then() {
    let mut book = holding(30, 5_00);
    let (sequence, _) = book.spend(points(), Some(20), None).unwrap();
    let entry = book.entry(sequence);
    let [Effect::Take { amount, .. }, Effect::Activity(_)] = &entry.effects[..] else { panic!() };
    assert_eq!(amount.0, 20);
    assert_eq!(entry.after, [(points(), domain::amount::Amount(10))]);
}
