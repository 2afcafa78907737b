//! Spends that nobody asks for: instant and automatic ones (R-49, R-65).

use std::sync::Arc;

use domain::award::Mode;
use domain::event::{Event, Line};
use domain::ledger::SpendCause;
use domain::offer::{AwardForm, Conditions, Offer, Offers};
use domain::programme::DebtPolicy;
use domain::refusal::Refusal;
use domain::terms::{Automatic, Terms};

use crate::bookkeeping::Book;
use crate::fixture::*;

fn instant(offer: Offer) -> Offer {
    Offer { instant: true, ..offer }
}

fn book(offers: Vec<Offer>) -> Book {
    Book::with(offers, noon("2026-11-21"))
}

/// The spends on an event: `cause spent balance, covers, remainder`.
fn spends(book: &Book, which: usize) -> Vec<String> {
    let shown = book.events[which].spends.iter().map(|spend| {
        let made = &spend.made;
        let cause = match made.cause {
            SpendCause::Requested => "asked",
            SpendCause::Instant { .. } => "instant",
            SpendCause::Automatic => "automatic",
            SpendCause::Coupon(_) => "coupon",
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
fn r49_one_spend_an_award_in_the_order_of_the_offers() {
    let mut book = book(vec![
        instant(fixed("p", 100)),
        instant(percent("e", eur(), "10")),
        instant(Offer { expires: domain::offer::Expiry::On(day("2026-12-24")), ..fixed("q", 50) }),
        fixed("kept", 7),
    ]);
    let which = book.buy("r", 20_00);
    assert_eq!(
        spends(&book, which),
        [
            "instant 100 points pays 100 of 2000",
            "instant 200 eur pays 200 of 1900",
            "instant 50 points pays 50 of 1700"
        ]
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

/// Who consents, holds what this offer awards, and finds no offers any more.
fn saver(bounds: [Option<i64>; 3], holds: i64) -> Book {
    let mut book = book(vec![automatic(fixed("saved", holds), bounds)]);
    allow_automatic(&mut book.programme);
    let consent = automatic_consent(true, book.now);
    book.participant.consents.insert(consent.0, consent.1);
    book.buy("start", 1_00);
    book.programme.offers = Offers::default();
    book
}

/// Buys at a unit of a merchant that allows automatic spending.
fn buy_at(book: &mut Book, at: Option<&str>, total: i64) -> usize {
    let reference = format!("r-{}", book.events.len());
    let event = Event { unit: at.map(unit), ..purchase(&reference, total, book.now) };
    let which = book.accept(event);
    book.judge(which, Mode::Interactive);
    which
}

#[test]
fn r49_automatic_spending_keeps_its_bounds() {
    let bounds = |balance, minimum, maximum| [balance, minimum, maximum];
    // Bounds, points held, purchase -> spent.
    let cases = [
        (bounds(None, None, None), 300, 5_00, Some(300)),
        (bounds(None, None, None), 300, 2_00, Some(200)),
        (bounds(Some(300), None, None), 300, 5_00, Some(300)),
        (bounds(Some(301), None, None), 300, 5_00, None),
        (bounds(None, Some(300), None), 300, 5_00, Some(300)),
        (bounds(None, Some(301), None), 300, 5_00, None),
        (bounds(None, Some(200), None), 300, 2_00, Some(200)),
        (bounds(None, Some(200), None), 300, 1_99, None),
        (bounds(None, None, Some(120)), 300, 5_00, Some(120)),
        (bounds(None, None, Some(120)), 100, 5_00, Some(100)),
        (bounds(Some(50), Some(100), Some(100)), 300, 5_00, Some(100)),
        (bounds(Some(50), Some(100), Some(100)), 300, 99, None),
    ];
    for (bounds, holds, total, want) in cases {
        let mut book = saver(bounds, holds);
        let which = buy_at(&mut book, Some("shop-1"), total);
        let want = want.map(|spent| format!("automatic {spent} points pays {spent} of {total}"));
        let got = spends(&book, which);
        assert_eq!(got, want.into_iter().collect::<Vec<_>>(), "{bounds:?} {holds} {total}");
    }
}

#[test]
fn r49_both_must_consent_and_be_known() {
    let spent = |change: &dyn Fn(&mut Book), at: Option<&str>| {
        let mut book = saver([None; 3], 300);
        change(&mut book);
        let which = buy_at(&mut book, at, 5_00);
        !book.events[which].spends.is_empty()
    };
    let nothing = |_: &mut Book| {};
    assert!(spent(&nothing, Some("shop-1")) && spent(&nothing, Some("shop-2")));
    assert!(!spent(&nothing, None), "no unit, no merchant");
    assert!(!spent(&nothing, Some("kiosk")), "a unit of no merchant");
    assert!(!spent(&nothing, Some("shop-3")), "its merchant does not allow it");
    let withdraw = |book: &mut Book| {
        let consent = automatic_consent(false, book.now);
        book.participant.consents.insert(consent.0, consent.1);
    };
    assert!(!spent(&withdraw, Some("shop-1")), "the newest consent wins");
    assert!(!spent(&|book: &mut Book| book.participant.consents.clear(), Some("shop-1")));
    assert!(!spent(&|book: &mut Book| book.block(true), Some("shop-1")), "R-67");
}

#[test]
fn r49_automatic_spending_is_of_what_was_held_before_and_comes_last() {
    let mut book = saver([Some(300), None, None], 300);
    book.programme.offers = Offers::from(vec![
        automatic(fixed("again", 200), [Some(300), None, None]),
        instant(fixed("now", 50)),
    ]);
    let which = book.accept(Event { unit: Some(unit("shop-1")), ..purchase("r", 9_00, book.now) });
    book.judge(which, Mode::Interactive);
    assert_eq!(
        spends(&book, which),
        ["instant 50 points pays 50 of 900", "automatic 300 points pays 300 of 850"]
    );
    assert_eq!(book.available(&points()), 200, "its own award is for the next purchase");
    let next = buy_at(&mut book, Some("shop-1"), 9_00);
    assert_eq!(spends(&book, next), ["instant 50 points pays 50 of 900"], "200 are too few");
    assert_eq!(book.available(&points()), 400);
}

#[test]
fn r49_lots_with_the_same_bounds_act_together_and_expire_first() {
    let until =
        |offer: Offer, last: &str| Offer { expires: domain::offer::Expiry::On(day(last)), ..offer };
    let mut book = saver([None, Some(250), Some(400)], 100);
    let bounds = [None, Some(250), Some(400)];
    book.programme.offers = Offers::from(vec![
        automatic(until(fixed("late", 200), "2027-06-30"), bounds),
        automatic(until(fixed("soon", 150), "2026-12-31"), bounds),
        automatic(fixed("other", 60), [None, Some(60), None]),
        fixed("asked", 70),
    ]);
    book.buy("more", 1_00);
    book.programme.offers = Offers::default();
    let which = buy_at(&mut book, Some("shop-1"), 20_00);
    assert_eq!(
        spends(&book, which),
        ["automatic 400 points pays 400 of 2000", "automatic 60 points pays 60 of 1600"]
    );
    assert_eq!(book.lots().len(), 2);
    assert_eq!(
        book.available(&points()),
        120,
        "50 that never expire, and 70 that nobody asked for"
    );
    book.cancel_event(which).unwrap();
    assert_eq!((book.lots().len(), book.available(&points())), (5, 580), "R-72: all come back");
}

#[test]
fn r49_what_is_spent_automatically_can_be_asked_for_as_well() {
    let mut book = saver([None; 3], 300);
    let (_, made) = book.spend(points(), Some(200), None).unwrap();
    assert_eq!((made.spent.0, made.cause), (200, SpendCause::Requested));
}

/// A basket of coffee for 3.00 and bread for 5.00, at a unit.
fn breakfast(book: &mut Book, at: &str) -> usize {
    let of = |id, total| Line { product: Some(product(id)), ..line(1, total, 0) };
    let reference = format!("breakfast-{}", book.events.len());
    let lines = vec![of("coffee", 3_00), of("bread", 5_00)];
    let event = with_lines(purchase(&reference, 0, book.now), lines);
    let which = book.accept(Event { unit: Some(unit(at)), ..event });
    book.judge(which, Mode::Interactive);
    which
}

#[test]
fn r48_r49_what_is_spent_unasked_keeps_to_the_terms_of_its_lot() {
    let coffee = || Terms { products: vec![product("coffee")].into(), ..Terms::default() };
    let under = |terms, offer| Offer { terms: Some(Arc::new(terms)), ..offer };
    let mut book = saver([None; 3], 1);
    book.programme.offers = Offers::from(vec![
        instant(under(coffee(), fixed("of-coffee", 400))),
        instant(under(
            Terms { units: vec![unit("shop-2")].into(), ..Terms::default() },
            fixed("elsewhere", 20),
        )),
    ]);
    let which = breakfast(&mut book, "shop-1");
    assert_eq!(
        spends(&book, which),
        ["instant 300 points pays 300 of 800", "automatic 1 points pays 1 of 500"],
        "for the coffee alone, and nothing of what is for another shop"
    );
    book.cancel_event(which).unwrap();
    assert_eq!(book.available(&points()), 1, "R-72");

    let automatically = Terms { automatic: Some(Automatic::default()), ..coffee() };
    book.programme.offers = Offers::from(vec![under(automatically, fixed("saved", 700))]);
    book.buy("more", 1_00);
    book.programme.offers = Offers::from(vec![instant(fixed("now", 600))]);
    let which = breakfast(&mut book, "shop-1");
    assert_eq!(
        spends(&book, which),
        ["instant 600 points pays 600 of 800", "automatic 200 points pays 200 of 200"],
        "what may pay for anything makes room for what may pay for coffee alone"
    );
}

/// R-73: goods whose award paid for them in part come back; no other lot pays for that, and no debt
/// is left, also where the programme would refuse it.
#[test]
fn r49_r73_what_an_award_paid_goes_with_the_award() {
    let of_coffee =
        Conditions { products: vec![product("coffee")].into(), ..Conditions::default() };
    let lines = AwardForm::PercentageOfAwardedLines(rate("50"));
    let half = || Offer { when: of_coffee.clone(), ..offer("half", eur(), lines.clone()) };
    let mut book = book(vec![instant(half()), instant(percent("tenth", eur(), "10"))]);
    book.programme.definition.debt_policy = DebtPolicy::Refuse;
    let which = breakfast(&mut book, "shop-1");
    let spent = |book: &Book| {
        let spends = book.events[which].spends.iter().map(|spend| spend.spent().0);
        (spends.collect::<Vec<_>>(), book.available(&eur()))
    };
    assert_eq!(spent(&book), (vec![1_50, 80], 0));
    let mut other = book.clone();
    book.give_back(which, &[(0, 1)]).unwrap();
    assert_eq!(spent(&book), (vec![0, 50], 0), "coffee: its award is gone, and what it paid");
    other.give_back(which, &[(1, 1)]).unwrap();
    assert_eq!(
        spent(&other),
        (vec![56, 30], 94),
        "bread: of the award for coffee a share comes back"
    );
    for mut rest in [book, other] {
        rest.cancel_event(which).unwrap();
        assert_eq!(rest.available(&eur()), 0);
    }
}
