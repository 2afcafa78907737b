//! Discounts: what offers take off a purchase while it is paid (R-41), in cents.

use domain::amount::Amount;
use domain::award::{Mode, exclusions};
use domain::event::{Event, Line, RecordedEvent};
use domain::export::ExportPlan;
use domain::id::SegmentId;
use domain::ledger::Effect;
use domain::offer::{AwardForm, Conditions, Limit, Offer, OneOf, Quota, Scope};
use domain::refusal::Refusal;
use domain::segment::{Bounds, Predicate, Segment};
use domain::spend::SpendAsked;
use domain::time::Calendar;

use crate::bookkeeping::{Book, told};
use crate::fixture::*;

fn book(offers: Vec<Offer>) -> Book {
    Book::with(offers, noon("2026-11-21"))
}

/// Off the whole purchase.
fn off(id: &str, percentage: &str) -> Offer {
    discount(id, AwardForm::Percentage(rate(percentage)))
}

fn cents_off(id: &str, cents: i64) -> Offer {
    discount(id, AwardForm::Fixed(Amount(cents)))
}

/// Off each line by itself.
fn each(offer: Offer) -> Offer {
    Offer { scope: Scope::Line, ..offer }
}

fn best(offer: Offer) -> Offer {
    Offer { on_top: false, ..offer }
}

/// Lines of one piece each without VAT.
fn lines(cents: &[i64]) -> Vec<Line> {
    cents.iter().map(|cents| line(1, *cents, 0)).collect()
}

fn buy(book: &mut Book, lines: Vec<Line>) -> usize {
    let reference = format!("r-{}", book.events.len());
    let which = book.accept(with_lines(purchase(&reference, 0, book.now), lines));
    book.judge(which, Mode::Interactive);
    which
}

/// What each discount takes off, and what is open of the purchase then.
fn of(event: &RecordedEvent) -> (Vec<i64>, i64) {
    (event.discounts().map(|discount| discount.left().0).collect(), event.open().0)
}

fn asked(book: &Book, amount: Option<i64>) -> SpendAsked {
    SpendAsked {
        balance: points(),
        amount: amount.map(Amount),
        classification: None,
        unit: None,
        performed_on: book.now,
    }
}

#[test]
fn r41_a_discount_is_rounded_down_and_never_more_than_what_it_is_off() {
    // The offer, the lines, and what it takes off.
    let cases: [(Offer, &[i64], i64); 20] = [
        (off("o", "10"), &[9_99], 99),
        (off("o", "10"), &[10_00], 1_00),
        (off("o", "10"), &[9], 0),
        (off("o", "10"), &[5, 5], 1),
        (off("o", "33.333333333"), &[3_00], 99),
        (off("o", "100"), &[3_33, 1], 3_34),
        (off("o", "0.5"), &[1_99], 0),
        (off("o", "0.5"), &[2_00], 1),
        (cents_off("o", 2_00), &[1_99], 1_99),
        (cents_off("o", 2_00), &[2_00], 2_00),
        (cents_off("o", 2_00), &[2_01], 2_00),
        (cents_off("o", 2_00), &[1_00, 1_00], 2_00),
        (cents_off("o", 2_00), &[0], 0),
        (each(off("o", "10")), &[5, 5], 0),
        (each(off("o", "10")), &[19, 19, 20], 4),
        (each(off("o", "100")), &[3_33, 1], 3_34),
        (each(cents_off("o", 2_00)), &[1_99, 2_00, 2_01], 5_99),
        (each(cents_off("o", 2_00)), &[0, 5_00], 2_00),
        (each(cents_off("o", 2_00)), &[0], 0),
        (each(cents_off("o", 1)), &[1, 1, 1], 3),
    ];
    for (offer, bought, want) in cases {
        let told = format!("{:?} {:?} of {bought:?}", offer.scope, offer.award);
        let mut book = book(vec![offer]);
        let which = buy(&mut book, lines(bought));
        let event = &book.events[which];
        assert_eq!(event.discounted().0, want, "{told}");
        assert_eq!(event.open().0, bought.iter().sum::<i64>() - want, "{told}");
        let passed = &event.judgements[0].passed_over;
        assert_eq!(passed.len(), usize::from(want == 0), "{told}: {passed:?}");
        assert!(book.wallet.lots.is_empty(), "no balance changes");
    }
}

#[test]
fn r41_a_discount_by_line_says_what_each_line_costs_less() {
    let coffee = Conditions { categories: vec![product("coffee")].into(), ..Conditions::default() };
    let mut book = book(vec![Offer { when: coffee, ..each(cents_off("o", 2_00)) }]);
    let cup = |cents| Line { category: Some(product("coffee")), ..line(1, cents, 0) };
    let which = buy(&mut book, vec![cup(3_00), line(1, 50_00, 0), cup(1_50), cup(0)]);
    let given = &book.events[which].judgements[0].discounts[0];
    assert_eq!(given.lines, [(0, Amount(2_00)), (2, Amount(1_50))]);
    assert_eq!(given.amount, Amount(3_50));
}

#[test]
fn r41_several_together_never_take_off_more_than_a_line_or_the_purchase_costs() {
    let cases: [(Vec<Offer>, &[i64], &[i64]); 7] = [
        (vec![off("a", "10"), off("b", "10")], &[10_00], &[1_00, 1_00]),
        (vec![off("a", "60"), off("b", "60")], &[10_00], &[6_00, 4_00]),
        (vec![off("a", "100"), off("b", "60")], &[10_00], &[10_00]),
        (vec![cents_off("a", 7_00), cents_off("b", 7_00)], &[10_00], &[7_00, 3_00]),
        (
            vec![each(cents_off("a", 7_00)), each(cents_off("b", 7_00))],
            &[10_00, 5_00],
            &[12_00, 3_00],
        ),
        // By line, and then off the purchase, and the other way round.
        (vec![each(off("a", "50")), cents_off("b", 9_00)], &[6_00, 6_00], &[6_00, 6_00]),
        (vec![cents_off("a", 9_00), each(off("b", "50"))], &[6_00, 6_00], &[9_00, 3_00]),
    ];
    for (offers, bought, want) in cases {
        let told =
            format!("{:?} of {bought:?}", offers.iter().map(|o| &o.award).collect::<Vec<_>>());
        let mut book = book(offers);
        let which = buy(&mut book, lines(bought));
        assert_eq!(of(&book.events[which]).0, want, "{told}");
    }
}

#[test]
fn r41_awards_are_of_the_purchase_before_discounts() {
    let offers = [off("half", "50"), percent("tenth", eur(), "10"), cents_off("two", 2_00)];
    let mut orders = book(offers.to_vec());
    let which = orders.buy("r", 10_00);
    let want = ["tenth 100", "half off 500", "two off 200"];
    assert_eq!(told(&orders.events[which].judgements[0]), want);
    assert_eq!(orders.available(&eur()), 1_00);
    // What a purchase counts for is what it costs before them, too.
    assert_eq!(orders.wallet.activity[0].amount, Amount(10_00));
}

#[test]
fn r45_discounts_compete_with_awards_by_what_they_are_worth() {
    // 100 points are 1.00, and a coffee is 2.50.
    let coffee = || best(offer("coffee", cup(), AwardForm::Fixed(Amount(1))));
    let cases = [
        (
            vec![best(fixed("points", 100)), best(cents_off("off", 1_01))],
            vec!["off off 101", "points not_best"],
        ),
        (
            vec![best(fixed("points", 102)), best(cents_off("off", 1_01))],
            vec!["points 102", "off not_best"],
        ),
        // Of equals the first one.
        (
            vec![best(fixed("points", 101)), best(cents_off("off", 1_01))],
            vec!["points 101", "off not_best"],
        ),
        (
            vec![best(cents_off("off", 1_01)), best(fixed("points", 101))],
            vec!["off off 101", "points not_best"],
        ),
        (vec![best(cents_off("off", 2_49)), coffee()], vec!["coffee 1", "off not_best"]),
        (vec![best(cents_off("off", 2_51)), coffee()], vec!["off off 251", "coffee not_best"]),
        // It is worth no more than the purchase costs.
        (
            vec![best(cents_off("off", 99_00)), best(fixed("points", 1_001))],
            vec!["points 1001", "off not_best"],
        ),
        (
            vec![best(cents_off("off", 1_01)), cents_off("top", 50)],
            vec!["off off 101", "top off 50"],
        ),
    ];
    for (offers, want) in cases {
        let mut book = book(offers);
        let which = book.buy("r", 10_00);
        assert_eq!(told(&book.events[which].judgements[0]), want);
    }
    // Once one of them was given, a run applies no other of them.
    let late = best(Offer { method: domain::offer::EvaluationMethod::Batch, ..fixed("late", 900) });
    let mut book = book(vec![best(cents_off("off", 1_01)), late]);
    let which = book.buy("r", 10_00);
    assert_eq!(told(&book.events[which].judgements[0]), ["off off 101", "late not_best"]);
    assert_eq!(told(&book.judge(which, Mode::Run)), ["late not_best"; 0]);
}

#[test]
fn r41_only_the_call_that_brings_the_purchase_gives_a_discount() {
    for mode in [Mode::Run, Mode::Queued] {
        let mut book = book(vec![off("o", "10"), fixed("p", 5)]);
        let which = book.accept(purchase("r", 10_00, book.now));
        let got = told(&book.judge(which, mode));
        assert_eq!(got, ["p 5", "o too_late_for_discount"], "{mode:?}");
    }
    let mut book = book(vec![off("o", "10")]);
    let which = book.buy("r", 10_00);
    assert!(told(&book.judge(which, Mode::Run)).is_empty(), "R-33: judged before");
    assert_eq!(exclusions(&book.programme, &book.events[which].event), []);
}

#[test]
fn r44_limits_and_budgets_hold_for_discounts_and_a_cancel_frees_them() {
    let per_day = Limit::OncePerCalendar(Calendar::Day);
    let budget = Quota { first: None, budget: Some(Amount(2_50)) };
    let first = Quota { first: Some(1), budget: None };
    let used = |book: &Book| book.quotas.used(&offer_id("o"));
    let cases = [
        (Offer { limit: Limit::Once, ..off("o", "10") }, "o limit_reached"),
        (Offer { limit: per_day, ..off("o", "10") }, "o limit_reached"),
        (Offer { quota: budget, ..off("o", "20") }, "o budget_exhausted"),
        (Offer { quota: first, limit: Limit::Once, ..off("o", "10") }, "o limit_reached"),
    ];
    for (offer, why) in cases {
        let mut book = book(vec![offer]);
        let one = book.buy("one", 10_00);
        assert!(book.events[one].discounted().0 > 0, "{why}");
        let two = book.buy("two", 10_00);
        assert_eq!(told(&book.events[two].judgements[0]), [why]);
        book.cancel_event(one).unwrap();
        assert_eq!((used(&book).places, used(&book).budget), (0, Amount::ZERO), "{why}");
        let three = book.buy("three", 10_00);
        assert!(book.events[three].discounted().0 > 0, "{why}: freed");
    }
    // To the cent: what does not fit whole is not given.
    let mut book = book(vec![Offer { quota: budget, ..off("o", "10") }]);
    let steps = [("a", 15_00, 1_50), ("b", 10_10, 0), ("c", 10_00, 1_00), ("d", 10, 0)];
    for (reference, total, want) in steps {
        let which = book.buy(reference, total);
        assert_eq!(book.events[which].discounted().0, want, "{reference}");
    }
    assert_eq!(used(&book).budget, Amount(2_50));
}

#[test]
fn r73_a_discount_goes_back_in_proportion_and_frees_its_budget() {
    let budget = Quota { first: None, budget: Some(Amount(90_00)) };
    // The offer, and what is left of it once the first line, then a piece of the second is back.
    let cases = [
        (off("o", "10"), [2_00, 1_00, 66]),
        (cents_off("o", 5_00), [5_00, 2_50, 1_66]),
        (each(off("o", "10")), [2_00, 1_00, 66]),
        (each(cents_off("o", 99)), [1_98, 99, 65]),
    ];
    for (offer, want) in cases {
        let told = format!("{:?} {:?}", offer.scope, offer.award.form);
        let mut book = book(vec![Offer { quota: budget, ..offer }]);
        let which = buy(&mut book, vec![line(1, 10_00, 0), line(3, 3_00, 1_00)]);
        let mut seen = vec![book.events[which].discounted().0];
        for back in [(0, 1), (1, 1)] {
            book.give_back(which, &[back]).unwrap();
            seen.push(book.events[which].discounted().0);
            let used = book.quotas.used(&offer_id("o")).budget;
            assert_eq!(used, book.events[which].discounted(), "{told}");
        }
        assert_eq!(seen, want, "{told}");
        book.give_back(which, &[(1, 2)]).unwrap();
        assert_eq!(book.events[which].discounted(), Amount::ZERO, "{told}");
        assert_eq!(book.quotas.used(&offer_id("o")).budget, Amount::ZERO, "{told}");
    }
}

#[test]
fn r73_what_is_left_of_discounts_is_never_more_than_what_is_left_of_the_purchase() {
    // The first line is for free, and half of the rest is off the purchase.
    let first = Conditions { products: vec![product("FREE")].into(), ..Conditions::default() };
    let mut book = book(vec![Offer { when: first, ..each(off("free", "100")) }, off("half", "50")]);
    let free = Line { product: Some(product("FREE")), ..line(1, 10_00, 0) };
    let which = buy(&mut book, vec![free, line(1, 10_00, 0), line(1, 10_00, 0)]);
    assert_eq!(of(&book.events[which]), (vec![10_00, 15_00], 5_00));
    book.give_back(which, &[(1, 1)]).unwrap();
    assert_eq!(of(&book.events[which]), (vec![10_00, 10_00], 0), "10.00 of 20.00, and no more");
    book.give_back(which, &[(2, 1)]).unwrap();
    assert_eq!(of(&book.events[which]), (vec![10_00, 0], 0));
}

/// R-62, R-66: a spend in one call with its purchase pays what the discounts leave open.
#[test]
fn r41_a_spend_with_its_purchase_pays_what_is_open_after_discounts() {
    // Off, asked, or why it is refused; covered, remainder, open.
    let cases = [
        ("50", None, Ok((5_00, 0, 0))),
        ("50", Some(5_00), Ok((5_00, 0, 0))),
        ("50", Some(5_01), Err(Refusal::AmountOutOfRange)),
        ("50", Some(4_00), Ok((4_00, 0, 1_00))),
        ("30", None, Ok((6_00, 1_00, 1_00))),
        ("100", None, Err(Refusal::AmountOutOfRange)),
    ];
    for (percentage, amount, want) in cases {
        let mut book = book(vec![fixed("start", 6_00)]);
        book.buy("start", 1_00);
        book.revise(|offers| *offers = vec![off("o", percentage), fixed("p", 7)]);
        let which = book.accept(purchase("r", 10_00, book.now));
        let asked = asked(&book, amount);
        let made = book.check_out(&asked, which).map(|(_, made)| made);
        if made.is_ok() {
            book.judge(which, Mode::Interactive);
            assert_eq!(of(&book.events[which]).0.len(), 1, "the discount that was relied on");
        }
        let open = book.events[which].open().0;
        let got = made.map(|made| (made.covered.unwrap().0, made.remainder.0, open));
        assert_eq!(got, want, "{percentage} % off, {amount:?} asked");
    }
}

/// What a later spend may take, a hold may set aside, and a discount after spends.
#[test]
fn r62_later_spends_see_what_is_open_after_discounts() {
    let mut book = book(vec![fixed("start", 20_00)]);
    book.buy("start", 1_00);
    book.revise(|offers| *offers = vec![cents_off("o", 4_00)]);
    let which = book.buy("r", 10_00);
    assert_eq!(
        book.spend(points(), Some(6_01), Some(which)).err(),
        Some(Refusal::AmountOutOfRange)
    );
    let (_, made) = book.spend(points(), Some(2_00), Some(which)).unwrap();
    assert_eq!((made.covered, made.remainder), (Some(Amount(2_00)), Amount::ZERO));
    let (_, rest) = book.spend(points(), None, Some(which)).unwrap();
    assert_eq!((rest.requested, rest.covered), (Amount(4_00), Some(Amount(4_00))));
    assert_eq!(book.events[which].open(), Amount::ZERO);
    // Half of it comes back, and with it half of the discount and of the spends.
    let mut late = book.clone();
    late.cancel_event(which).unwrap();
    assert_eq!(late.available(&points()), 20_00);

    // What was spent before the judgement is not discounted again.
    let event = late.accept(Event { immediate: false, ..purchase("s", 10_00, late.now) });
    late.spend(points(), Some(9_00), Some(event)).unwrap();
    let judgement = late.judge(event, Mode::Interactive);
    assert_eq!(told(&judgement), ["o off 100"], "never more than what is open");
}

/// The wallet before the spend decides, so that what the spend relied on is given.
#[test]
fn r41_a_discount_for_who_has_points_is_given_though_they_are_spent_on_the_purchase() {
    let id = SegmentId::parse("rich").unwrap();
    let bounds = Bounds { at_least: Some(Amount(5_00)), at_most: None };
    let members = Predicate::Available(points(), bounds);
    let rich = Conditions { segments: OneOf::from(vec![id.clone()]), ..Conditions::default() };
    let mut book = book(vec![fixed("start", 5_00)]);
    book.buy("start", 1_00);
    book.programme.segments = vec![Segment { id, members, export: ExportPlan::default() }];
    book.revise(|offers| *offers = vec![Offer { when: rich, ..off("o", "50") }]);
    let which = book.accept(purchase("r", 10_00, book.now));
    let asked = asked(&book, None);
    book.check_out(&asked, which).unwrap();
    assert_eq!(told(&book.judge(which, Mode::Interactive)), ["o off 500"]);
    assert_eq!((book.available(&points()), book.events[which].open().0), (0, 0));
    // The next purchase has none.
    let next = book.buy("s", 10_00);
    assert_eq!(told(&book.events[next].judgements[0]), ["o not_in_segment"]);
}

/// The ledger says so, and replaying it rebuilds the limit (`laws` holds it after every commit).
#[test]
fn r41_a_discount_is_an_effect_that_changes_no_balance() {
    let mut book = book(vec![Offer { limit: Limit::Once, ..off("o", "10") }]);
    book.buy("r", 10_00);
    let effects = &book.ledger[0].effects;
    let given = effects.iter().find(|effect| matches!(effect, Effect::Discount { .. })).unwrap();
    assert_eq!(given.change(), None);
    assert!(book.ledger[0].after.is_empty());
    assert_eq!(book.wallet.counters.len(), 1);
}
