//! What each award form gives in each scope, at every boundary and of every basket (R-41). Amounts
//! are in cents; every award is rounded down, once by transaction, or once by line.

use domain::amount::Amount;
use domain::award::Mode;
use domain::event::{Event, MAX_LINES};
use domain::offer::{AwardForm, Conditions, Offer, Scope};
use domain::refusal::Reason;

use crate::bookkeeping::Book;
use crate::fixture::*;

/// Quantity, net of a piece and VAT of each line; those of coffee are what offers ask for.
type Basket<'a> = &'a [(u32, i64, i64)];

fn basket(lines: Basket<'_>) -> Event {
    let lines = lines.iter().map(|(quantity, net, vat)| line(*quantity, *net, *vat));
    with_lines(purchase("r", 0, noon("2026-11-21")), lines.collect())
}

/// Lines without VAT of one piece each; of coffee where they are marked.
fn shelves(lines: &[(i64, bool)]) -> Event {
    let lines = lines.iter().map(|(net, is_coffee)| domain::event::Line {
        category: is_coffee.then(|| product("coffee")),
        ..line(1, *net, 0)
    });
    with_lines(purchase("r", 0, noon("2026-11-21")), lines.collect())
}

/// What the event earns in points (no decimals) and in EUR (two), and by which lines.
fn earned(
    form: &AwardForm,
    scope: Scope,
    when: &Conditions,
    event: &Event,
) -> (i64, i64, Vec<u16>) {
    let make =
        |id, balance| Offer { scope, when: when.clone(), ..offer(id, balance, form.clone()) };
    let mut book = Book::with(vec![make("p", points()), make("e", eur())], noon("2026-11-21"));
    let which = book.accept(event.clone());
    let judgement = book.judge(which, Mode::Run);
    let nothing = judgement.passed_over.iter().all(|(_, why)| *why == Reason::AwardsNothing);
    assert!(nothing, "{judgement:?}");
    let lines = judgement.awards.first().map(|award| award.lines.clone()).unwrap_or_default();
    (book.available(&points()), book.available(&eur()), lines)
}

fn percentage(text: &str) -> AwardForm {
    AwardForm::Percentage(rate(text))
}

fn of_lines(text: &str) -> AwardForm {
    AwardForm::PercentageOfAwardedLines(rate(text))
}

/// From 10.00 on 1 %, from 50.00 on 2 %, from 100.00 on 0.5 %.
fn bands() -> AwardForm {
    table(&[(10_00, "1"), (50_00, "2"), (10_000, "0.5")])
}

#[test]
fn r41_by_transaction_the_sum_is_rounded_down_once() {
    let cases: [(AwardForm, Basket<'_>, i64, i64); 22] = [
        (AwardForm::Fixed(Amount(7)), &[(1, 0, 0)], 7, 7),
        (AwardForm::Fixed(Amount(7)), &[(1, 1, 0), (2, 5, 1)], 7, 7),
        (percentage("10"), &[(1, 9_99, 0)], 0, 99),
        (percentage("10"), &[(1, 10_00, 0)], 1, 1_00),
        (percentage("10"), &[(1, 19_99, 0)], 1, 1_99),
        (percentage("10"), &[(1, 5, 0), (1, 5, 0), (1, 5, 0)], 0, 1),
        (percentage("10"), &[(1, 19, 0), (1, 19, 0), (1, 19, 0)], 0, 5),
        (percentage("100"), &[(1, 50, 0), (1, 50, 0), (1, 50, 0)], 1, 1_50),
        (percentage("0.000000001"), &[(1, 9_999_999, 0)], 0, 0),
        (percentage("33.333333333"), &[(1, 3_00, 0)], 0, 99),
        (percentage("33.333333334"), &[(1, 3_00, 0)], 1, 1_00),
        // The table: below, at and above the edge of each band.
        (bands(), &[(1, 0, 0)], 0, 0),
        (bands(), &[(1, 9_99, 0)], 0, 0),
        (bands(), &[(1, 10_00, 0)], 0, 10),
        (bands(), &[(1, 9_99, 1)], 0, 10),
        (bands(), &[(1, 10_01, 0)], 0, 10),
        (bands(), &[(1, 49_99, 0)], 0, 49),
        (bands(), &[(1, 50_00, 0)], 1, 1_00),
        (bands(), &[(1, 99_99, 0)], 1, 1_99),
        (bands(), &[(1, 10_000, 0)], 0, 50),
        (bands(), &[(1, 100_000, 0)], 5, 5_00),
        // Whose sum reaches a band that no line does.
        (bands(), &[(1, 25_00, 0), (1, 25_00, 0)], 1, 1_00),
    ];
    for (form, lines, in_points, in_eur) in cases {
        let got = earned(&form, Scope::Transaction, &Conditions::default(), &basket(lines));
        assert_eq!((got.0, got.1), (in_points, in_eur), "{form:?} of {lines:?}");
    }
}

#[test]
fn r41_by_line_each_line_is_rounded_down_by_itself() {
    let cases: [(AwardForm, Basket<'_>, i64, i64); 15] = [
        (AwardForm::Fixed(Amount(7)), &[(1, 0, 0)], 7, 7),
        // By line, not by piece.
        (AwardForm::Fixed(Amount(7)), &[(1, 1, 0), (2, 5, 1), (9, 9, 9)], 21, 21),
        (percentage("10"), &[(1, 5, 0), (1, 5, 0), (1, 5, 0)], 0, 0),
        (percentage("10"), &[(3, 5, 0)], 0, 1),
        (percentage("10"), &[(1, 19, 0), (1, 19, 0), (1, 19, 0)], 0, 3),
        (percentage("10"), &[(1, 19, 1), (1, 19, 1), (1, 19, 1)], 0, 6),
        (percentage("100"), &[(1, 50, 0), (1, 50, 0), (1, 50, 0)], 0, 1_50),
        (percentage("100"), &[(1, 1_50, 0), (1, 1_50, 0)], 2, 3_00),
        (of_lines("10"), &[(1, 19, 0), (1, 19, 0), (1, 19, 0)], 0, 3),
        // The table looks at each line.
        (bands(), &[(1, 9_99, 0), (1, 9_99, 0)], 0, 0),
        (bands(), &[(1, 9_99, 0), (1, 10_00, 0), (1, 50_00, 0)], 1, 1_10),
        (bands(), &[(1, 49_99, 0), (1, 99_99, 0), (1, 10_000, 0)], 1, 2_98),
        (bands(), &[(2, 5_00, 0), (1, 9_99, 1)], 0, 20),
        (bands(), &[(1, 25_00, 0), (1, 25_00, 0)], 0, 50),
        (bands(), &[(1, 10_01, 0), (1, 0, 0)], 0, 10),
    ];
    for (form, lines, in_points, in_eur) in cases {
        let got = earned(&form, Scope::Line, &Conditions::default(), &basket(lines));
        assert_eq!((got.0, got.1), (in_points, in_eur), "{form:?} of {lines:?}");
    }
}

#[test]
fn r41_a_percentage_of_the_awarded_lines_leaves_the_others_out() {
    let coffee = Conditions { categories: vec![product("coffee")].into(), ..Conditions::default() };
    let event = shelves(&[(19, true), (10_000, false), (19, true), (9_99, false), (10_00, true)]);
    let (whole, line) = (Scope::Transaction, Scope::Line);
    let (none, these) = (vec![], vec![0, 2, 4]);
    // Of coffee: 10.38; of everything: 120.37.
    let cases = [
        (of_lines("10"), whole, 1, 1_03, &these),
        (of_lines("10"), line, 1, 1_02, &these),
        (percentage("10"), whole, 12, 12_03, &none),
        (percentage("10"), line, 1, 1_02, &these),
        (AwardForm::Fixed(Amount(2)), whole, 2, 2, &these),
        (AwardForm::Fixed(Amount(2)), line, 6, 6, &these),
        (bands(), whole, 0, 60, &none),
        (bands(), line, 0, 10, &these),
    ];
    for (form, scope, in_points, in_eur, lines) in cases {
        let got = earned(&form, scope, &coffee, &event);
        let told = format!("{form:?} {scope:?}");
        assert_eq!((got.0, got.1), (in_points, in_eur), "{told}");
        // What awards nothing in points awards something in EUR: by the same lines.
        assert_eq!(&got.2, lines, "{told}");
    }
}

#[test]
fn r8_totals_are_sums_of_quantity_times_net_and_vat() {
    let cases: [(Basket<'_>, i64); 6] = [
        (&[(1, 1_00, 0)], 1_00),
        (&[(3, 1_00, 57)], 3_57),
        (&[(3, 1_00, 57), (1, 5, 0), (2, 0, 1)], 3_63),
        (&[(1, 0, 19)], 19),
        (&[(7, 14_28, 19_00)], 11_896),
        (&[(4_000_000_000, 1, 0)], 4_000_000_000),
    ];
    for (lines, total) in cases {
        let all = percentage("100");
        for scope in [Scope::Transaction, Scope::Line] {
            let (_, in_eur, _) = earned(&all, scope, &Conditions::default(), &basket(lines));
            assert_eq!(in_eur, total, "{lines:?}");
        }
    }
}

#[test]
fn r41_the_longest_basket_and_the_shortest() {
    let long = |net| vec![(1, net, 0); MAX_LINES];
    let cases = [
        // Half of 500 cents is 250; half of one cent is nothing.
        (percentage("50"), Scope::Transaction, long(1), 2, 2_50),
        (percentage("50"), Scope::Line, long(1), 0, 0),
        (percentage("50"), Scope::Line, long(3), 0, 5_00),
        (percentage("100"), Scope::Line, long(1), 0, 5_00),
        (AwardForm::Fixed(Amount(3)), Scope::Line, long(0), 1_500, 1_500),
        (AwardForm::Fixed(Amount(3)), Scope::Transaction, long(0), 3, 3),
        (bands(), Scope::Transaction, long(9_99), 24, 24_97),
        (bands(), Scope::Line, long(9_99), 0, 0),
        (bands(), Scope::Line, long(10_00), 0, 50_00),
        (percentage("50"), Scope::Line, vec![(1, 2, 0)], 0, 1),
        (percentage("50"), Scope::Transaction, vec![(1, 2, 0)], 0, 1),
    ];
    for (form, scope, lines, in_points, in_eur) in cases {
        let got = earned(&form, scope, &Conditions::default(), &basket(&lines));
        let told = format!("{form:?} {scope:?} {} lines of {:?}", lines.len(), lines[0]);
        assert_eq!((got.0, got.1), (in_points, in_eur), "{told}");
        let every = scope == Scope::Line && in_eur > 0;
        assert_eq!(got.2.len(), if every { lines.len() } else { 0 }, "{told}");
    }
}

#[test]
fn r41_in_line_scope_amount_and_quantity_are_those_of_each_line() {
    let range = |from: i64, to: i64| Conditions {
        from: Some(Amount(from)),
        to: Some(Amount(to)),
        ..Conditions::default()
    };
    let pieces = |from, to| Conditions { quantity: (from, to), ..Conditions::default() };
    let both = Conditions { quantity: (Some(2), None), ..range(5_00, 10_00) };
    let lines: Basket<'_> = &[(1, 4_99, 0), (1, 5_00, 0), (2, 5_00, 0), (5, 2_00, 1), (1, 4_99, 1)];
    let cases = [
        (range(5_00, 10_00), vec![1, 2, 4]),
        (range(0, 4_99), vec![0]),
        (range(10_00, 10_00), vec![2]),
        (range(10_01, 99_00), vec![3]),
        (range(10_02, 99_00), vec![]),
        (pieces(Some(1), Some(1)), vec![0, 1, 4]),
        (pieces(Some(2), Some(5)), vec![2, 3]),
        (pieces(Some(3), None), vec![3]),
        (pieces(None, Some(2)), vec![0, 1, 2, 4]),
        (pieces(Some(6), None), vec![]),
        (both, vec![2]),
    ];
    for (when, want) in cases {
        let form = AwardForm::Fixed(Amount(1));
        let (in_points, _, lines) = earned(&form, Scope::Line, &when, &basket(lines));
        assert_eq!(lines, want, "{when:?}");
        assert_eq!(in_points, i64::try_from(want.len()).unwrap(), "{when:?}");
    }
}
