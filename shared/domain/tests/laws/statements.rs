//! Offers on what financial statements report of a KPI, alone and added up (R-13, R-34, R-43), and
//! on what surveys came to (R-54).

use std::collections::{HashMap, HashSet};

use domain::amount::Amount;
use domain::award::Mode;
use domain::event::{Detail, Event};
use domain::offer::{
    Accumulation, AwardForm, Band, Conditions, Counts, EvaluationMethod, Offer, OfferClass, Within,
};
use domain::time::{Calendar, Instant};
use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::bookkeeping::{Book, told};
use crate::event_types::{kpi, values};
use crate::fixture::*;
use crate::laws::substance;

const DAY: i64 = 86_400_000;

/// For what is reported of `deposits`.
fn on_deposits(form: AwardForm, accumulates: Option<Accumulation>) -> Offer {
    let when = Conditions { kpi: Some(kpi("deposits")), ..Conditions::default() };
    let class = OfferClass::FinancialStatement;
    let method = EvaluationMethod::Batch;
    Offer { class, method, when, accumulates, ..offer("saver", points(), form) }
}

fn thousand(form: AwardForm, within: Within) -> Offer {
    let accumulation = Accumulation { counts: Counts::Amount, at_least: 1_000_00, within };
    on_deposits(form, Some(accumulation))
}

fn book(offers: Vec<Offer>) -> Book {
    let mut book = Book::with(offers, noon("2026-11-21"));
    book.programme.kpis = HashMap::from([
        (kpi("deposits"), HashSet::from([product("savings"), product("giro")])),
        (kpi("turnover"), HashSet::new()),
    ]);
    book
}

fn statement(book: &Book, reported: &[(&str, &str, i64)], days_ago: i64) -> Event {
    let detail = Detail::FinancialStatement(values(reported));
    let performed_on = Instant(book.now.0 - days_ago * DAY);
    Event { detail, ..purchase(&format!("s-{}", book.events.len()), 0, performed_on) }
}

fn report(book: &mut Book, reported: &[(&str, &str, i64)], days_ago: i64) -> String {
    let event = statement(book, reported, days_ago);
    let which = book.accept(event);
    told(&book.judge(which, Mode::Run)).join(", ")
}

fn check(offer: Offer, want: &Expect) {
    let mut book = book(vec![offer]);
    let statements: [&[(&str, &str, i64)]; 6] = [
        &[("deposits", "savings", 999_99)],
        &[("deposits", "savings", 600_00), ("deposits", "giro", 400_00)],
        &[("deposits", "savings", 5_000_00), ("deposits", "loans", 9_000_00)],
        &[("deposits", "loans", 9_000_00)],
        &[("turnover", "savings", 9_000_00)],
        &[("deposits", "savings", 0)],
    ];
    let told: Vec<String> =
        statements.into_iter().map(|reported| report(&mut book, reported, 0)).collect();
    want.assert_eq(&told.join("\n"));
}

#[test]
fn r13_r34_a_statement_is_awarded_for_what_the_kpi_counts() {
    check(
        on_deposits(AwardForm::Percentage(rate("1")), None),
        &expect![[r#"
            saver 9
            saver 10
            saver 50
            saver awards_nothing
            saver awards_nothing
            saver awards_nothing"#]],
    );
    let bands = [(1_000_00, "1"), (5_000_00, "2")];
    let band = |(from, percentage)| Band { from: Amount(from), percentage: rate(percentage) };
    check(
        on_deposits(AwardForm::Table(bands.map(band).into()), None),
        &expect![[r#"
            saver awards_nothing
            saver 10
            saver 100
            saver awards_nothing
            saver awards_nothing
            saver awards_nothing"#]],
    );
    let offer = on_deposits(AwardForm::Fixed(Amount(7)), None);
    let from = Conditions { from: Some(Amount(1_000_00)), ..offer.when.clone() };
    check(
        Offer { when: from, ..offer },
        &expect![[r#"
            saver amount_out_of_range
            saver 7
            saver 7
            saver awards_nothing
            saver awards_nothing
            saver amount_out_of_range"#]],
    );
}

#[test]
fn r43_statements_are_added_up_within_their_window_and_consumed() {
    let fixed = AwardForm::Fixed(Amount(5));
    let mut book = book(vec![thousand(fixed, Within::Calendar(Calendar::Month))]);
    let savings = |value| [("deposits", "savings", value), ("turnover", "savings", 9_000_00)];
    assert_eq!(report(&mut book, &savings(700_00), 0), "saver counted");
    assert_eq!(report(&mut book, &savings(700_00), 30), "saver counted", "another month");
    assert_eq!(report(&mut book, &savings(299_99), 0), "saver counted");
    assert_eq!(report(&mut book, &savings(1), 0), "saver 5");
    assert_eq!(report(&mut book, &savings(2_000_00), 0), "saver 10", "twice a thousand");
    assert_eq!(report(&mut book, &[("turnover", "savings", 1)], 0), "saver awards_nothing");
    let left: Vec<i64> = book.wallet.tallies.iter().map(|tally| tally.sum).collect();
    assert_eq!(left, [700_00]);
}

/// R-43: a percentage is of all that was counted.
#[test]
fn r43_a_percentage_of_statements_is_of_all_that_was_counted() {
    let percent = AwardForm::Percentage(rate("10"));
    let mut book = book(vec![thousand(percent, Within::Validity)]);
    assert_eq!(report(&mut book, &[("deposits", "giro", 900_00)], 0), "saver counted");
    assert_eq!(report(&mut book, &[("deposits", "savings", 600_00)], 0), "saver 150");
    assert!(book.wallet.tallies.is_empty());
}

/// R-72: a statement has no lines; it counts whole or not at all.
#[test]
fn r72_a_cancelled_statement_does_not_count_and_its_award_goes_back() {
    let fixed = AwardForm::Fixed(Amount(5));
    let mut book = book(vec![thousand(fixed, Within::Validity)]);
    report(&mut book, &[("deposits", "savings", 400_00)], 0);
    report(&mut book, &[("deposits", "savings", 700_00)], 0);
    assert_eq!(book.available(&points()), 5);
    book.cancel_event(0).unwrap();
    assert_eq!(book.available(&points()), 0, "only 700.00 are left");
    assert_eq!(book.wallet.tallies[0].sum, 700_00);
    book.cancel_event(1).unwrap();
    assert!(book.wallet.tallies.is_empty() && book.wallet.tally_awards.is_empty());

    let percent = on_deposits(AwardForm::Percentage(rate("1")), None);
    let mut single = super::statements::book(vec![percent]);
    report(&mut single, &[("deposits", "savings", 400_00)], 0);
    single.cancel_event(0).unwrap();
    assert_eq!(single.available(&points()), 0);
}

proptest! {
    /// R-43, R-72: cancelling every statement, in any order, leaves nothing behind; no more of
    /// them than awards are kept to be taken back.
    #[test]
    fn r43_r72_cancelled_statements_leave_nothing(
        reported in prop::collection::vec((0..1_500_00_i64, 0..60_i64), 1..8),
        order in any::<prop::sample::Index>(),
        monthly in any::<bool>(),
    ) {
        let within = if monthly { Within::Calendar(Calendar::Month) } else { Within::Validity };
        let counting = thousand(AwardForm::Fixed(Amount(5)), within);
        let mut book = book(vec![counting]);
        let empty = substance(&book.wallet);
        for (value, days_ago) in &reported {
            report(&mut book, &[("deposits", "savings", *value)], *days_ago);
        }
        let first = order.index(reported.len());
        for step in 0..reported.len() {
            book.cancel_event((first + step) % reported.len()).unwrap();
        }
        prop_assert_eq!(substance(&book.wallet), empty);
    }
}

#[test]
fn r54_an_offer_may_ask_what_a_survey_came_to() {
    let survey = |class, from, to| {
        let when = Conditions { score: (from, to), ..Conditions::default() };
        Offer { class, when, ..fixed("survey", 5) }
    };
    let web = |score| Detail::Web { url: "https://example.org".into(), score };
    let achieved = |score| Detail::Achievement { score };
    let followed =
        Detail::SocialMedia { network: "n".into(), profile: "p".into(), action: "a".into() };
    let (behaviour, achievement) = (OfferClass::Behaviour, OfferClass::Achievement);
    for (offer, detail, want) in [
        (survey(behaviour, Some(9), None), web(Some(9)), "survey 5"),
        (survey(behaviour, Some(9), None), web(Some(8)), "survey score_out_of_range"),
        (survey(behaviour, Some(9), None), web(None), "survey score_out_of_range"),
        (survey(behaviour, Some(0), None), followed.clone(), "survey score_out_of_range"),
        (survey(behaviour, None, None), followed, "survey 5"),
        (survey(achievement, None, Some(6)), achieved(Some(6)), "survey 5"),
        (survey(achievement, None, Some(6)), achieved(Some(7)), "survey score_out_of_range"),
        (survey(achievement, Some(0), Some(0)), achieved(Some(0)), "survey 5"),
        (survey(achievement, Some(0), Some(10)), achieved(None), "survey score_out_of_range"),
    ] {
        let mut book = Book::with(vec![offer], noon("2026-11-21"));
        let event = Event { detail, ..purchase("s-1", 0, book.now) };
        let which = book.accept(event);
        assert_eq!(told(&book.judge(which, Mode::Run)), [want], "{:?}", book.events[which].event);
    }
}
