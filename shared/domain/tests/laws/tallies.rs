//! Accumulating offers: what is counted, awarded, consumed, and given back (R-43, R-72).

use domain::amount::Amount;
use domain::award::Mode;
use domain::event::Event;
use domain::offer::{
    Accumulation, AwardForm, Conditions, Counts, EvaluationMethod, Limit, Offer, OfferClass, Quota,
    Within,
};
use domain::time::{Calendar, Instant};
use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::bookkeeping::{Book, told};
use crate::fixture::*;
use crate::laws::{net, substance};

const DAY: i64 = 86_400_000;

fn counting(class: OfferClass, at_least: i64, within: Within, form: AwardForm) -> Offer {
    let counts = class.counts().unwrap();
    Offer {
        class,
        method: EvaluationMethod::Batch,
        accumulates: Some(Accumulation { counts, at_least, within }),
        ..offer("counts", points(), form)
    }
}

/// Five points for each 100.00.
fn hundred(within: Within) -> Offer {
    counting(OfferClass::RewardLoyaltyAmount, 10_000, within, AwardForm::Fixed(Amount(5)))
}

/// Ten points for each ten pieces of coffee.
fn ten_coffees(within: Within) -> Offer {
    let coffee = Conditions { categories: vec![product("coffee")].into(), ..Conditions::default() };
    let form = AwardForm::Fixed(Amount(10));
    Offer { when: coffee, ..counting(OfferClass::RewardLoyaltyQuantity, 10, within, form) }
}

fn coffees(book: &Book, pieces: u32, days_ago: i64) -> Event {
    let performed_on = Instant(book.now.0 - days_ago * DAY);
    let mut line = line(pieces, 2_00, 0);
    line.product = Some(product("SKU-9"));
    let other = domain::event::Line { product: None, ..line.clone() };
    let reference = format!("r-{}", book.events.len());
    with_lines(purchase(&reference, 0, performed_on), vec![line, other])
}

fn bought(book: &mut Book, event: Event) -> String {
    let which = book.accept(event);
    told(&book.judge(which, Mode::Run)).join(", ")
}

fn check(offer: Offer, events: &[(u32, i64)], want: &Expect) {
    let mut book = Book::with(vec![offer], noon("2026-11-21"));
    let mut lines = Vec::new();
    for (pieces, days_ago) in events {
        let event = coffees(&book, *pieces, *days_ago);
        let told = bought(&mut book, event);
        let left: Vec<i64> = book.wallet.tallies.iter().map(|tally| tally.sum).collect();
        lines.push(format!("{pieces} pieces {days_ago} days ago: {told} {left:?}"));
    }
    want.assert_eq(&lines.join("\n"));
}

#[test]
fn r43_an_award_consumes_what_it_was_computed_from() {
    check(
        ten_coffees(Within::Validity),
        &[(9, 0), (1, 0), (9, 0), (12, 0), (30, 0), (1, 400)],
        &expect![[r#"
            9 pieces 0 days ago: counts counted [9]
            1 pieces 0 days ago: counts 10 []
            9 pieces 0 days ago: counts counted [9]
            12 pieces 0 days ago: counts 20 [1]
            30 pieces 0 days ago: counts 30 [1]
            1 pieces 400 days ago: counts counted [2]"#]],
    );
}

#[test]
fn r43_pieces_count_within_a_month_or_a_rolling_window() {
    check(
        ten_coffees(Within::Calendar(Calendar::Month)),
        &[(9, 25), (9, 0), (1, 25), (1, 20)],
        &expect![[r#"
            9 pieces 25 days ago: counts counted [9]
            9 pieces 0 days ago: counts counted [9, 9]
            1 pieces 25 days ago: counts 10 [9]
            1 pieces 20 days ago: counts 10 []"#]],
    );
    check(
        ten_coffees(Within::Rolling(span("P10D"))),
        &[(4, 20), (4, 12), (4, 9), (3, 3), (3, 0), (2, 20)],
        &expect![[r#"
            4 pieces 20 days ago: counts counted [4]
            4 pieces 12 days ago: counts counted [4, 4]
            4 pieces 9 days ago: counts counted [4, 4, 4]
            3 pieces 3 days ago: counts 10 [4, 1]
            3 pieces 0 days ago: counts counted [4, 1, 3]
            2 pieces 20 days ago: counts counted [6, 1, 3]"#]],
    );
}

#[test]
fn r43_amounts_and_numbers_are_counted_too() {
    let percentage = AwardForm::Percentage(rate("10"));
    let amount = |within| counting(OfferClass::RewardLoyaltyAmount, 10_000, within, percentage);
    let mut book = Book::with(vec![amount(Within::Validity)], noon("2026-11-21"));
    let told: Vec<String> = [60_00, 39_99, 10_00, 99_99, 1]
        .into_iter()
        .enumerate()
        .map(|(at, cents)| {
            let event = purchase(&format!("r-{at}"), cents, book.now);
            bought(&mut book, event)
        })
        .collect();
    // A percentage is of all that was counted, and consumes all of it.
    assert_eq!(
        told,
        ["counts counted", "counts counted", "counts 10", "counts counted", "counts 10"]
    );
    assert!(book.wallet.tallies.is_empty());

    let third =
        counting(OfferClass::RewardLoyaltyNumber, 3, Within::Validity, AwardForm::Fixed(Amount(7)));
    let mut book = Book::with(vec![third], noon("2026-11-21"));
    for (number, want) in ["counts counted", "counts counted", "counts 7"].iter().enumerate() {
        let event = purchase(&format!("r-{number}"), 1, book.now);
        assert_eq!(bought(&mut book, event), *want);
    }
}

#[test]
fn r42_an_achievement_may_ask_for_each_of_a_set_of_classifications() {
    let when = Conditions {
        classifications: vec![class("counter"), class("grocery")].into(),
        ..Conditions::default()
    };
    let accumulates = Some(Accumulation {
        counts: Counts::EachClassification,
        at_least: 1,
        within: Within::Rolling(span("P30D")),
    });
    let both = Offer { when, ..hundred(Within::Validity) };
    let both = Offer { accumulates, ..both };
    let mut book = Book::with(vec![both], noon("2026-11-21"));
    let mut did = |name: &str| {
        let event = purchase(&format!("r-{}", book.events.len()), 1_00, book.now);
        bought(&mut book, Event { classification: Some(class(name)), ..event })
    };
    let told = ["grocery", "grocery", "counter", "counter", "counter", "grocery"].map(&mut did);
    let (counted, awarded) = ("counts counted", "counts 5");
    assert_eq!(told, [counted, counted, awarded, awarded, counted, awarded]);
}

#[test]
fn r44_what_a_limit_or_a_quota_holds_back_stays_counted() {
    let monthly =
        Offer { limit: Limit::OncePerCalendar(Calendar::Month), ..ten_coffees(Within::Validity) };
    check(
        monthly,
        &[(25, 0), (1, 0), (1, 30)],
        &expect![[r#"
            25 pieces 0 days ago: counts 10 [15]
            1 pieces 0 days ago: counts limit_reached [16]
            1 pieces 30 days ago: counts 10 [7]"#]],
    );
    let quota = Quota { first: Some(1), budget: Some(Amount(25)) };
    check(
        Offer { quota, ..ten_coffees(Within::Validity) },
        &[(25, 0), (5, 0), (9, 0)],
        &expect![[r#"
            25 pieces 0 days ago: counts 20 [5]
            5 pieces 0 days ago: counts budget_exhausted [10]
            9 pieces 0 days ago: counts budget_exhausted [19]"#]],
    );
}

/// R-72: counters go back, whichever of the events that made up an award is cancelled.
#[test]
fn r72_cancelling_any_event_leaves_what_the_others_earn() {
    let pieces = [9_u32, 2, 9];
    for cancelled in 0..3 {
        let mut book = Book::with(vec![ten_coffees(Within::Validity)], noon("2026-11-21"));
        for pieces in pieces {
            let event = coffees(&book, pieces, 0);
            bought(&mut book, event);
        }
        assert_eq!((book.available(&points()), book.wallet.tallies.len()), (20, 0));
        book.cancel_event(cancelled).unwrap();
        let left = 20 - i64::from(pieces[cancelled]);
        assert_eq!(book.available(&points()), left / 10 * 10);
        let counted: i64 = book.wallet.tallies.iter().map(|tally| tally.sum).sum();
        assert_eq!(counted, left % 10);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    // R-43, R-72: after any purchases and cancels a fixed award stands for each threshold that the
    // live purchases reach, up to the records that are kept; the rest is counted.
    #[test]
    fn what_is_awarded_follows_from_what_is_live(
        steps in proptest::collection::vec((1..35_u32, any::<bool>(), 0..12_usize), 1..12),
    ) {
        let mut book = Book::with(vec![ten_coffees(Within::Validity)], noon("2026-11-21"));
        let mut live: Vec<Option<u32>> = Vec::new();
        for (pieces, cancels, which) in steps {
            let event = coffees(&book, pieces, 0);
            bought(&mut book, event);
            live.push(Some(pieces));
            let which = which % live.len();
            if cancels && live[which].take().is_some() {
                book.cancel_event(which).unwrap();
            }
            let total: i64 = live.iter().flatten().map(|pieces| i64::from(*pieces)).sum();
            let counted: i64 = book.wallet.tallies.iter().map(|tally| tally.sum).sum();
            prop_assert_eq!((net(&book.wallet, &points()), counted), (total / 10 * 10, total % 10));
        }
    }

    // R-72: cancelling everything, in any order, leaves nothing, in any window.
    #[test]
    fn cancelling_everything_counted_leaves_nothing(
        events in proptest::collection::vec((1..35_u32, 0..40_i64), 1..8),
        window in 0..3_usize,
        order in Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let within = [
            Within::Validity, Within::Calendar(Calendar::Month), Within::Rolling(span("P10D")),
        ][window];
        let quota = Quota { first: Some(3), budget: Some(Amount(1_000)) };
        let offer = Offer { quota, ..ten_coffees(within) };
        let mut book = Book::with(vec![offer], noon("2026-11-21"));
        for (pieces, days_ago) in events {
            let event = coffees(&book, pieces, days_ago);
            bought(&mut book, event);
        }
        for which in order {
            if which < book.events.len() {
                book.cancel_event(which).unwrap();
            }
        }
        let left = substance(&book.wallet);
        prop_assert!(left.tallies.is_empty() && left.tally_awards.is_empty(), "{left:?}");
        prop_assert!(left.lots.is_empty() && left.debts.is_empty() && left.counters.is_empty());
        prop_assert_eq!(book.quotas.used(&offer_id("counts")), domain::quota::Used::default());
    }
}
