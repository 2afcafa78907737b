//! Points that turn into money.

use domain::amount::{Amount, Decimals};
use domain::apply::{Command, Outcome};
use domain::conversion::{
    Bands, Coefficient, Conversion, ConversionMade, is_payout_reference, plan_conversion,
};
use domain::id::{BalanceCode, ConversionId};
use domain::ledger::{Act, EntryKey};
use domain::refusal::Refusal;
use domain::time::Instant;
use proptest::prelude::*;

use crate::bookkeeping::Book;
use crate::fixture::*;

/// Of points; by hand, for everybody.
pub fn conversion(
    table: &[(i64, &str)],
    bands: Bands,
    into: Option<BalanceCode>,
    minimum: i64,
) -> Conversion {
    let coefficient =
        |(from, worth): &(i64, &str)| Coefficient { from: Amount(*from), rate: rate(worth) };
    Conversion {
        id: ConversionId::parse("cashback").unwrap(),
        balance: points(),
        into,
        table: table.iter().map(coefficient).collect(),
        bands,
        minimum: Amount(minimum),
        schedule: None,
        segment: None,
    }
}

impl Book {
    /// Converts a moment later, as the scheduled time.
    pub fn convert(&mut self, conversion: &Conversion) -> Result<ConversionMade, Refusal> {
        self.now = Instant(self.now.0 + 1);
        let told = plan_conversion(&self.programme, &self.wallet, self.now, conversion);
        let answer = match self.commit(&Command::Convert { conversion, at: self.now }) {
            Outcome::Refused(refusal) => Err(refusal),
            Outcome::Done | Outcome::Judged { .. } => {
                Ok(self.ledger.last().unwrap().conversion().unwrap().clone())
            }
        };
        assert_eq!(told.map(|(made, _)| made), answer, "a dry run tells what is done");
        answer
    }
}

const TABLE: &[(i64, &str)] = &[(100, "0.005"), (1_000, "0.01"), (5_000, "0.0125")];

#[test]
fn r75_a_table_says_what_points_come_to_whole_or_by_bands() {
    // Points, cents by the whole amount, cents by the points within each band.
    let cases = [
        (0, 0, 0),
        (99, 0, 0),
        (100, 50, 0),
        (101, 50, 0),
        (102, 51, 1),
        (999, 499, 449),
        (1_000, 1_000, 450),
        (1_001, 1_001, 451),
        (4_999, 4_999, 4_449),
        (5_000, 6_250, 4_450),
        (5_001, 6_251, 4_451),
        (10_000, 12_500, 10_700),
    ];
    let (whole, marginal) = (Bands::Whole, Bands::Marginal);
    for (points, by_whole, by_bands) in cases {
        for (bands, want) in [(whole, by_whole), (marginal, by_bands)] {
            let money = conversion(TABLE, bands, None, 0).money(
                Amount(points),
                Decimals::NONE,
                Decimals::new(2).unwrap(),
            );
            assert_eq!(money, Ok(Amount(want)), "{points} {bands:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    // more points never come to less by bands; nothing is more than the best rate gives, nor
    // less than its parts.
    #[test]
    fn what_points_come_to_grows_with_them_and_stays_below_the_best_rate(
        one in 0..20_000_i64,
        more in 0..20_000_i64,
        decimals in 0..3_u8,
    ) {
        let (balance, cents) = (Decimals::NONE, Decimals::new(decimals).unwrap());
        let by = |bands, points| {
            conversion(TABLE, bands, None, 0).money(Amount(points), balance, cents).unwrap().0
        };
        let best = |points: i64| points * 125 * 10_i64.pow(u32::from(decimals)) / 10_000;
        let marginal = |points| by(Bands::Marginal, points);
        prop_assert!(marginal(one) <= marginal(one + more));
        for points in [one, more, one + more] {
            prop_assert!(marginal(points) <= by(Bands::Whole, points));
            prop_assert!(by(Bands::Whole, points) <= best(points));
        }
        let jumps = TABLE.iter().any(|(from, _)| (one + 1..=one + more).contains(from));
        prop_assert!(jumps || by(Bands::Whole, one) <= by(Bands::Whole, one + more));
    }
}

#[test]
fn r75_all_free_points_go_and_the_money_is_paid_out_or_credited() {
    let mut book = Book::with(vec![], noon("2026-11-21"));
    book.adjust(points(), 700, None).unwrap();
    book.adjust(points(), 300, Some(day("2026-11-30"))).unwrap();
    let made = book.convert(&conversion(TABLE, Bands::Whole, None, 1_000)).unwrap();
    assert_eq!((made.points, made.money, made.into), (Amount(1_000), Amount(10_00), None));
    let last = book.ledger.last().unwrap();
    let conversion_id = ConversionId::parse("cashback").unwrap();
    assert_eq!(last.key, EntryKey::Convert { conversion: conversion_id, at: book.now });
    assert!(matches!(last.act, Act::Converted(_)));
    assert_eq!(last.effects.len(), 2, "what expires first goes first: {:?}", last.effects);
    assert_eq!((book.available(&points()), book.available(&eur())), (0, 0));

    book.adjust(points(), 1_000, None).unwrap();
    book.convert(&conversion(TABLE, Bands::Whole, Some(eur()), 0)).unwrap();
    assert_eq!((book.available(&points()), book.available(&eur())), (0, 10_00));
}

#[test]
fn r75_what_is_too_little_blocked_or_bound_stays() {
    let mut book = Book::with(vec![], noon("2026-11-21"));
    let cashback = conversion(TABLE, Bands::Whole, None, 500);
    assert_eq!(book.convert(&cashback), Err(Refusal::NotCovered));
    book.adjust(points(), 499, None).unwrap();
    assert_eq!(book.convert(&cashback), Err(Refusal::NotCovered), "below the minimum");
    let tiny = conversion(&[(0, "0.00001")], Bands::Whole, None, 0);
    assert_eq!(book.convert(&tiny), Err(Refusal::NotCovered), "comes to nothing");
    book.adjust(points(), 1, None).unwrap();
    book.block(true);
    assert_eq!(book.convert(&cashback), Err(Refusal::SpendingBlocked));
    book.block(false);
    assert_eq!(book.convert(&cashback).unwrap().money, Amount(2_50));
}

#[test]
fn r75_a_payout_reference_is_no_card_number() {
    for good in ["tok_9f2c", "550e8400-e29b-41d4-a716-446655440000", "pay:ACME.77", "1"] {
        assert!(is_payout_reference(good), "{good}");
    }
    let long = "a".repeat(65);
    for bad in [
        "",
        "4111111111111111",
        "4111-1111-1111-1111",
        "x4111111111111111y",
        "a b",
        "-1.1",
        "ä",
        &long,
    ] {
        assert!(!is_payout_reference(bad), "{bad}");
    }
}
