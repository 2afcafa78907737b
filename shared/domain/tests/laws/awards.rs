//! What offers award, for how long, and which of them apply.

use domain::award::Mode;
use domain::event::Due;
use domain::offer::{Conditions, EvaluationMethod, Expiry, Limit, Offer};
use domain::time::{Calendar, Day};
use expect_test::{Expect, expect};

use crate::bookkeeping::{Book, told};
use crate::fixture::*;

fn best(offer: Offer) -> Offer {
    Offer { on_top: false, ..offer }
}

fn batch(offer: Offer) -> Offer {
    Offer { method: EvaluationMethod::Batch, ..offer }
}

fn book(offers: Vec<Offer>) -> Book {
    Book::with(offers, noon("2026-11-21"))
}

/// What an immediate purchase of 92.00 EUR leads to, and then a run.
fn check(offers: Vec<Offer>, want: &Expect) {
    let mut book = book(offers);
    let which = book.accept(purchase("r", 92_00, book.now));
    let now = told(&book.judge(which, Mode::Interactive));
    let due = book.events[which].due;
    let run = told(&book.judge(which, Mode::Run));
    want.assert_eq(&format!("{}\n{due:?}: {}", now.join(", "), run.join(", ")));
    assert_eq!(book.events[which].due, Due::Nothing);
    assert!(book.judge(which, Mode::Run).awards.is_empty(), "R-33: a run that comes again");
}

#[test]
fn r41_a_percentage_is_rounded_down_to_the_minor_unit_of_the_balance() {
    let cases = [
        ("10", 92_00, 9, 9_20),
        ("10", 99_99, 9, 9_99),
        ("10", 9_99, 0, 99),
        ("1.5", 66_66, 0, 99),
        ("0.1", 9_99, 0, 0),
        ("150", 1, 0, 1),
    ];
    for (percentage, total, in_points, in_eur) in cases {
        let mut book =
            book(vec![percent("p", points(), percentage), percent("e", eur(), percentage)]);
        book.buy("r", total);
        let got = (book.available(&points()), book.available(&eur()));
        assert_eq!(got, (in_points, in_eur), "{percentage} % of {total}");
    }
}

#[test]
fn r8_the_total_is_the_sum_of_quantity_times_net_and_vat() {
    let mut book = book(vec![percent("all", eur(), "100")]);
    let bought = with_lines(purchase("r", 0, book.now), vec![line(2, 4_20, 80), line(1, 5, 0)]);
    let which = book.accept(bought);
    book.judge(which, Mode::Interactive);
    assert_eq!(book.available(&eur()), 9_25);
}

#[test]
fn r31_batch_offers_await_the_run() {
    check(
        vec![fixed("now", 5), batch(fixed("later", 7))],
        &expect![[r#"
        now 5, later awaits_run
        BatchOnly: later 7"#]],
    );
}

#[test]
fn r31_what_a_batch_offer_cannot_award_awaits_nothing() {
    let large = Conditions { from: Some(domain::amount::Amount(10_000)), ..Conditions::default() };
    check(
        vec![batch(Offer { when: large, ..fixed("large", 7) })],
        &expect![[r#"
        large amount_out_of_range
        Nothing: "#]],
    );
}

#[test]
fn r31_an_exclusive_batch_offer_that_comes_too_late_awaits_nothing() {
    check(
        vec![best(fixed("now", 5)), batch(best(fixed("later", 7)))],
        &expect![[r#"
        now 5, later not_best
        Nothing: "#]],
    );
}

#[test]
fn r45_only_the_best_of_those_not_on_top_applies_by_worth() {
    // 92 points are worth 0.92 EUR, 9 % of 92.00 EUR are 8.28 EUR.
    let offers = || {
        vec![
            best(percent("points", points(), "100")),
            best(percent("money", eur(), "9")),
            fixed("top", 1),
            best(percent("as-good", eur(), "9")),
        ]
    };
    check(
        offers(),
        &expect![[r#"
        money 828, top 1, points not_best, as-good not_best
        Nothing: "#]],
    );
    check(
        offers().into_iter().map(batch).collect(),
        &expect![[r#"
        points awaits_run, money awaits_run, top awaits_run, as-good awaits_run
        BatchOnly: money 828, top 1, points not_best, as-good not_best"#]],
    );
}

#[test]
fn r45_an_offer_that_cannot_award_is_not_the_best() {
    let once = Offer { limit: Limit::Once, ..best(fixed("once", 50)) };
    let gone = Offer { expires: Expiry::On(day("2026-11-20")), ..best(fixed("gone", 40)) };
    let mut book = book(vec![once, gone, best(fixed("small", 3))]);
    let first = book.buy("a", 1_00);
    let second = book.buy("b", 1_00);
    let told = [first, second].map(|which| told(&book.events[which].judgements[0]).join(", "));
    expect![[r#"
        once 50, gone not_valid, small not_best
        small 3, once limit_reached, gone not_valid"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn r45_a_full_balance_leaves_the_place_to_the_next_best() {
    let most = domain::amount::MAX_MINOR;
    let mut book = book(vec![best(fixed("full", most)), best(percent("next", eur(), "1"))]);
    let told = ["a", "b"].map(|reference| {
        let which = book.buy(reference, 1_00);
        told(&book.events[which].judgements[0]).join(", ")
    });
    assert_eq!(told, [format!("full {most}, next not_best"), "next 1, full balance_full".into()]);
}

#[test]
fn r47_awards_expire_at_the_end_of_a_day_counted_from_the_award() {
    let cases = [
        (Expiry::Never, None),
        (Expiry::On(day("2026-11-21")), Some("2026-11-21")),
        (Expiry::After(span("P14D")), Some("2026-12-05")),
        (Expiry::After(span("P1M")), Some("2026-12-21")),
        (Expiry::EndOf(Calendar::Month, span("P1Y")), Some("2027-11-30")),
        (Expiry::EndOf(Calendar::Quarter, span("P0D")), Some("2026-12-31")),
        (Expiry::EndOf(Calendar::Year, span("P2M")), Some("2027-12-31")),
        (Expiry::EndOf(Calendar::Week, span("P1D")), Some("2026-11-22")),
    ];
    for (expires, last) in cases {
        let mut book = book(vec![Offer { expires, ..fixed("o", 5) }]);
        let which = book.accept(purchase("r", 1_00, noon("2026-10-01")));
        book.judge(which, Mode::Run);
        assert_eq!(book.wallet.lots[0].id.expires, last.map(day), "{expires:?}");
        let Some(last) = last.map(day) else { continue };
        book.now = domain::time::Instant(last.end(ZONE).0 - 1);
        assert_eq!(book.available(&points()), 5, "R-60: to the end of the day");
        book.now = last.end(ZONE);
        assert_eq!(book.available(&points()), 0);
        book.block(false);
        assert!(book.wallet.lots.is_empty(), "R-71");
    }
}

#[test]
fn r47_an_award_is_pending_until_its_first_day() {
    let mut book = book(vec![Offer { available_after: Some(span("P14D")), ..fixed("o", 5) }]);
    book.buy("r", 1_00);
    assert_eq!((book.available(&points()), book.pending(&points())), (0, 5));
    assert!(book.spend(points(), Some(1), None).is_err());
    book.now = at("2026-12-04T23:59:59+01:00");
    assert_eq!((book.available(&points()), book.pending(&points())), (0, 5));
    book.now = at("2026-12-05T00:00:00+01:00");
    assert_eq!((book.available(&points()), book.pending(&points())), (5, 0));
    assert!(book.spend(points(), Some(5), None).is_ok());
}

#[test]
fn r60_alike_awards_share_one_lot() {
    let mut book = book(vec![Offer { expires: Expiry::After(span("P2D")), ..fixed("o", 5) }]);
    book.buy("a", 1_00);
    book.buy("b", 1_00);
    book.now = noon("2026-11-22");
    book.buy("c", 1_00);
    let want = ["10 points until 2026-11-23 from -", "5 points until 2026-11-24 from -"];
    assert_eq!(book.lots(), want);
}

#[test]
fn r16_an_event_that_awards_nothing_is_an_entry() {
    let mut book = book(vec![]);
    book.buy("r", 1_00);
    assert_eq!(book.ledger.len(), 1);
    assert_eq!(book.ledger[0].after, []);
    assert_eq!(book.wallet.activity[0].month, Day::month(day("2026-11-01")));
}

#[test]
fn r67_a_blocked_participant_is_awarded() {
    let mut book = book(vec![fixed("o", 5)]);
    book.block(true);
    book.buy("r", 1_00);
    assert_eq!(book.available(&points()), 5);
}

#[test]
fn r72_new_awards_pay_debt_first() {
    let mut book = book(vec![percent("o", points(), "100")]);
    let bought = book.buy("a", 50_00);
    book.spend(points(), Some(50), None).unwrap();
    book.cancel_event(bought).unwrap();
    let mut seen = vec![(book.debt(&points()), book.available(&points()))];
    for total in [30_00, 30_00, 5_00] {
        book.buy(&format!("r-{}", book.ledger.len()), total);
        seen.push((book.debt(&points()), book.available(&points())));
    }
    assert_eq!(seen, [(50, 0), (20, 0), (0, 10), (0, 15)]);
}

#[test]
fn a_balance_holds_no_more_than_its_most() {
    let most = domain::amount::MAX_MINOR;
    let mut book = book(vec![fixed("a", most), fixed("b", 1)]);
    let which = book.buy("r", 1_00);
    let told = told(&book.events[which].judgements[0]);
    assert_eq!(told, [format!("a {most}"), "b balance_full".into()]);
}

#[test]
fn r31_the_limit_of_a_batch_offer_is_decided_by_the_run() {
    let mut book = book(vec![batch(Offer { limit: Limit::Once, ..fixed("once", 5) })]);
    let first = book.buy("a", 1_00);
    book.judge(first, Mode::Run);
    let second = book.buy("b", 1_00);
    assert_eq!(book.events[second].due, Due::BatchOnly);
    book.cancel_event(first).unwrap();
    assert_eq!(told(&book.judge(second, Mode::Run)), ["once 5"]);
}

#[test]
fn r45_once_an_exclusive_offer_awarded_no_later_one_does() {
    let mut book = book(vec![best(fixed("first", 5)), batch(fixed("run", 1))]);
    let which = book.buy("r", 1_00);
    book.revise(|offers| offers.extend([best(fixed("new", 50)), batch(best(fixed("later", 60)))]));
    let again = told(&book.judge(which, Mode::Interactive));
    assert_eq!(again, ["new not_best", "run awaits_run", "later not_best"]);
    book.revise(|offers| offers.push(best(fixed("newest", 70))));
    assert_eq!(told(&book.judge(which, Mode::Run)), ["run 1", "newest not_best"]);
}
