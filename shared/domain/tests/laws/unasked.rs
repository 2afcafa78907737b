//! Spends that nobody asks for: instant ones (R-49, R-65).

use domain::award::Mode;
use domain::event::Event;
use domain::ledger::SpendCause;
use domain::offer::{Offer, Offers};
use domain::refusal::Refusal;

use crate::bookkeeping::Book;
use crate::fixture::*;

fn instant(offer: Offer) -> Offer {
    Offer { instant: true, ..offer }
}

fn book(offers: Vec<Offer>) -> Book {
    Book::with(offers, noon("2026-11-21"))
}

/// The spends on an event: `cause spent balance, covers, remainder`.
pub fn spends(book: &Book, which: usize) -> Vec<String> {
    let shown = book.events[which].spends.iter().map(|spend| {
        let made = &spend.made;
        let cause = match made.cause {
            SpendCause::Requested => "asked",
            SpendCause::Instant => "instant",
            SpendCause::Automatic => "automatic",
        };
        let (covered, balance) = (made.covered.unwrap().0, &made.balance);
        format!(
            "{cause} {} {balance} pays {covered} of {}",
            made.spent.0,
            covered + made.remainder.0
        )
    });
    shown.collect()
}

#[test]
fn r49_what_is_awarded_pays_the_purchase_that_it_is_awarded_for() {
    // Worth of a point, points awarded, purchase -> spent, paid, what is open, what is kept.
    let cases = [
        ("0.01", 300, 9_20, Some((300, 3_00, 9_20)), 0),
        ("0.01", 920, 9_20, Some((920, 9_20, 9_20)), 0),
        ("0.01", 921, 9_20, Some((920, 9_20, 9_20)), 1),
        ("0.03", 50, 1_00, Some((33, 99, 1_00)), 17),
        ("0.005", 3, 1_00, Some((3, 1, 1_00)), 0),
        ("0.005", 1, 1_00, None, 1),
        ("2.5", 10, 9_99, Some((3, 7_50, 9_99)), 7),
        ("0.01", 300, 0, None, 300),
    ];
    for (worth, award, total, want, kept) in cases {
        let mut book = book(vec![instant(fixed("p", award))]);
        book.programme.balances[0].worth = rate(worth);
        let which = book.buy("r", total);
        let want =
            want.map(|(spent, paid, open)| format!("instant {spent} points pays {paid} of {open}"));
        assert_eq!(spends(&book, which), want.into_iter().collect::<Vec<_>>(), "{worth} {award}");
        assert_eq!(book.available(&points()), kept, "{worth} {award} {total}");
    }
}

#[test]
fn r49_one_spend_a_balance_in_the_order_of_the_offers() {
    let mut book = book(vec![
        instant(fixed("p", 100)),
        instant(percent("e", eur(), "10")),
        instant(Offer { expires: domain::offer::Expiry::On(day("2026-12-24")), ..fixed("q", 50) }),
        fixed("kept", 7),
    ]);
    let which = book.buy("r", 20_00);
    assert_eq!(
        spends(&book, which),
        ["instant 150 points pays 150 of 2000", "instant 200 eur pays 200 of 1850"]
    );
    assert_eq!((book.available(&points()), book.available(&eur())), (7, 0));
    assert_eq!(book.events[which].open().0, 16_50);
}

#[test]
fn r49_what_came_with_the_purchase_pays_first() {
    let mut book = book(vec![fixed("p", 500)]);
    book.buy("start", 1_00);
    book.programme.offers = Offers::from(vec![instant(fixed("now", 300))]);
    let which = book.accept(purchase("r", 6_00, book.now));
    book.spend(points(), Some(400), Some(which)).unwrap();
    book.judge(which, Mode::Interactive);
    assert_eq!(
        spends(&book, which),
        ["asked 400 points pays 400 of 400", "instant 200 points pays 200 of 200"]
    );
    assert_eq!(book.available(&points()), 200, "100 of before and 100 of the award");
    let more = book.spend(points(), Some(1), Some(which));
    assert_eq!(more.err(), Some(Refusal::AmountOutOfRange), "R-62: nothing is open");
}

#[test]
fn r49_debt_is_paid_first_and_only_the_rest_is_spent() {
    let mut book = book(vec![fixed("p", 100)]);
    let first = book.buy("first", 1_00);
    book.spend(points(), Some(100), None).unwrap();
    book.cancel_event(first).unwrap();
    assert_eq!(book.debt(&points()), 100);
    book.programme.offers = Offers::from(vec![instant(fixed("now", 130))]);
    let which = book.buy("r", 6_00);
    assert_eq!(spends(&book, which), ["instant 30 points pays 30 of 600"]);
    assert_eq!((book.debt(&points()), book.available(&points())), (0, 0));
    book.cancel_event(which).unwrap();
    assert_eq!(book.debt(&points()), 100, "R-72: a cancel undoes it");
}

#[test]
fn r67_where_spending_is_blocked_awards_go_on_and_nothing_is_spent() {
    let mut book = book(vec![instant(fixed("p", 100))]);
    book.block(true);
    let which = book.buy("r", 6_00);
    assert_eq!(spends(&book, which), [""; 0]);
    assert_eq!(book.available(&points()), 100);
}

#[test]
fn r49_what_a_run_awards_is_spent_on_request() {
    let mut book = book(vec![instant(fixed("p", 100))]);
    let which = book.accept(purchase("r", 6_00, book.now));
    book.judge(which, Mode::Run);
    assert_eq!(spends(&book, which), [""; 0]);
    assert_eq!(book.available(&points()), 100);
}

#[test]
fn r65_the_merchant_of_the_unit_says_how_it_is_deducted() {
    let cases = [(None, "front_end"), (Some("kiosk"), "front_end"), (Some("shop-1"), "back_end")];
    for (at, want) in cases {
        let mut book = book(vec![instant(fixed("p", 100))]);
        let event = Event { unit: at.map(unit), ..purchase("r", 6_00, book.now) };
        let which = book.accept(event);
        book.judge(which, Mode::Interactive);
        let made = &book.events[which].spends[0].made;
        assert_eq!((made.method.name(), made.unit.as_ref()), (want, at.map(unit).as_ref()));
    }
}

#[test]
fn r72_the_spend_alone_is_cancelled_like_any_other() {
    let mut book = book(vec![instant(fixed("p", 100))]);
    let which = book.buy("r", 6_00);
    let sequence = book.events[which].spends[0].sequence;
    book.cancel_spend(sequence).unwrap();
    assert_eq!((book.available(&points()), book.events[which].open().0), (100, 6_00));
    assert_eq!(book.cancel_spend(sequence), Err(Refusal::AlreadyCancelled));
    book.cancel_event(which).unwrap();
    assert_eq!((book.available(&points()), book.debt(&points())), (0, 0));
}

#[test]
fn r73_a_return_takes_back_its_share_of_award_and_spend() {
    let mut book = book(vec![instant(percent("p", points(), "1000"))]);
    let lines = vec![line(4, 2_50, 0)];
    let which = book.accept(with_lines(purchase("r", 10_00, book.now), lines));
    book.judge(which, Mode::Interactive);
    let sums = |book: &Book| {
        let event = &book.events[which];
        let sum = |sums: Vec<(_, domain::amount::Amount)>| sums.iter().map(|(_, a)| a.0).sum();
        let (awarded, spent): (i64, i64) = (sum(event.awarded()), sum(event.spent()));
        (awarded, spent, book.available(&points()))
    };
    assert_eq!(sums(&book), (100, 100, 0));
    book.give_back(which, &[(0, 1)]).unwrap();
    assert_eq!(sums(&book), (75, 75, 0));
    book.give_back(which, &[(0, 3)]).unwrap();
    assert_eq!(sums(&book), (0, 0, 0));
}
