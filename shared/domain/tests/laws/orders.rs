//! The order in which things arrive, and arriving twice, change nothing that counts.

use domain::apply::{Command, apply};
use domain::award::{Facts, Mode};
use domain::event::Judge;
use domain::ledger::EntryKey;
use domain::offer::{Expiry, Offer};
use proptest::prelude::*;

use crate::bookkeeping::Book;
use crate::fixture::*;
use crate::laws::{net, substance};

fn cases(count: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(count) }
}

/// Purchases of so many cents, a point for each whole euro, in lots of three expiries.
fn bought(totals: &[i64]) -> Book {
    let mut book = Book::with(vec![], noon("2026-11-21"));
    for (number, total) in totals.iter().enumerate() {
        let expires =
            [Expiry::Never, Expiry::After(span("P5D")), Expiry::After(span("P9D"))][number % 3];
        book.programme.offers = vec![Offer { expires, ..percent("o", points(), "100") }].into();
        book.buy(&format!("r-{number}"), *total);
    }
    book
}

proptest! {
    #![proptest_config(cases(96))]

    // R-72: the award first or the spend first; totals are equal, and with one lot all is equal.
    #[test]
    fn cancels_in_either_order_end_equal(
        totals in proptest::collection::vec(1_00..90_00_i64, 1..5),
        share in 1..=100_i64,
        which in 0..4_usize,
    ) {
        let mut book = bought(&totals);
        let which = which % totals.len();
        let amount = (book.available(&points()) * share / 100).max(1);
        let (spend, _) = book.spend(points(), Some(amount), None).unwrap();
        let (mut spend_first, mut award_first) = (book.clone(), book);
        spend_first.cancel_spend(spend).unwrap();
        spend_first.cancel_event(which).unwrap();
        award_first.cancel_event(which).unwrap();
        award_first.cancel_spend(spend).unwrap();
        let left = |book: &Book| (net(&book.wallet, &points()), book.debt(&points()));
        prop_assert_eq!(left(&spend_first), left(&award_first));
        prop_assert_eq!(left(&spend_first).1, 0);
        if totals.len() == 1 {
            prop_assert_eq!(substance(&spend_first.wallet), substance(&award_first.wallet));
        }
    }

    // R-72: events cancelled in any order after a spend end equal.
    #[test]
    fn cancels_of_events_in_any_order_end_equal(
        totals in proptest::collection::vec(1_00..90_00_i64, 3),
        share in 1..=100_i64,
        order in Just([0, 1, 2]).prop_shuffle(),
        kept in 0..3_usize,
    ) {
        let mut book = bought(&totals);
        let amount = (book.available(&points()) * share / 100).max(1);
        book.spend(points(), Some(amount), None).unwrap();
        for which in order {
            if which != kept {
                book.cancel_event(which).unwrap();
            }
        }
        prop_assert_eq!(net(&book.wallet, &points()), totals[kept] / 100 - amount);
    }
}

#[test]
fn r33_a_judgement_that_comes_twice_has_the_key_of_the_first() {
    let mut book = Book::with(every_offer(), noon("2026-11-21"));
    let which = book.accept(purchase("r", 92_00, book.now));
    for mode in [Mode::Interactive, Mode::Run] {
        let stale = book.events[which].clone();
        book.judge(which, mode);
        let (mode, by, facts) = (Mode::Run, Judge::Interactive, Facts::none());
        let late = Command::Judge { event: &stale, mode, by, facts };
        let again = apply(&book.programme, &book.wallet, book.now, &late);
        let key = &again.entries.last().unwrap().key;
        assert!(book.known(key).is_some(), "the search finds it before anything is decided");
    }
    let turns: Vec<&EntryKey> = book.ledger.iter().map(|entry| &entry.key).collect();
    let event = book.events[which].event.id.clone();
    let turn = |turn| EntryKey::Event { event: event.clone(), turn };
    assert_eq!(turns, [&turn(0), &turn(1)]);
}

#[test]
fn r7_offers_of_a_later_version_judge_what_awaits_a_run() {
    let mut book = Book::with(every_offer(), noon("2026-11-21"));
    let which = book.buy("r", 92_00);
    book.revise(|offers| offers.insert(0, fixed("new", 1)));
    let judgement = book.judge(which, Mode::Run);
    let awarded = judgement.awards.iter().map(|award| award.offer.as_str());
    assert_eq!(awarded.collect::<Vec<_>>(), ["new", "cash", "rolling", "budget"]);
}
