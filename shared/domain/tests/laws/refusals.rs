//! Which refusal wins where several apply, and that a refusal changes nothing (R-70).

use domain::amount::Amount;
use domain::id::BalanceCode;
use domain::ledger::Act;
use domain::programme::DebtPolicy;
use domain::refusal::{Reason, Refusal};
use domain::spend::SpendAsked;

use crate::bookkeeping::Book;
use crate::fixture::*;

/// Everything that can be wrong with a spend, from the first refusal to the last.
const FAULTS: [(&str, Refusal); 6] = [
    ("blocked", Refusal::SpendingBlocked),
    ("cancelled purchase", Refusal::PurchaseCancelled),
    ("late", Refusal::OutsideSpendWindow),
    ("amount with a classification that takes none", Refusal::AmountNotAllowed),
    ("amount above the purchase", Refusal::AmountOutOfRange),
    ("nothing held", Refusal::NotCovered),
];

/// Spends against a purchase with the faults from number `first` on.
fn with_faults_from(first: usize) -> Result<i64, Refusal> {
    let mut programme = programme(vec![fixed("p", 100)]);
    let has = |number: usize| number >= first;
    if has(5) {
        programme.offers.clear();
    }
    let mut book = Book::new(programme, noon("2026-11-21"));
    book.buy("start", 5_00);
    let which = book.accept(purchase("r", 1_00, book.now));
    if has(1) {
        book.cancel_event(which).unwrap();
    }
    book.block(has(0));
    let performed_on = if has(2) { noon("2027-02-21") } else { book.now };
    let classification = has(3).then(|| class("total"));
    let amount = Some(Amount(if has(4) { 101 } else { 100 }));
    let asked = SpendAsked { balance: points(), amount, classification, unit: None, performed_on };
    book.ask(&asked, Some(which)).map(|(_, made)| made.spent.0)
}

#[test]
fn r70_refusals_come_in_one_order() {
    for (first, (fault, refusal)) in FAULTS.iter().enumerate() {
        assert_eq!(with_faults_from(first), Err(*refusal), "{fault}");
    }
    assert_eq!(with_faults_from(FAULTS.len()), Ok(100));
}

#[test]
fn r62_a_purchase_is_required_where_the_programme_says_so() {
    let mut programme = programme(vec![fixed("p", 100)]);
    programme.definition.spend.requires_purchase = true;
    let mut book = Book::new(programme, noon("2026-11-21"));
    let which = book.buy("r", 5_00);
    let refused = book.spend(points(), Some(5), None).map(|(_, made)| made);
    assert_eq!(refused, Err(Refusal::PurchaseRequired));
    assert!(book.spend(points(), Some(5), Some(which)).is_ok());
    book.block(true);
    let refused = book.spend(points(), Some(5), None).map(|(_, made)| made);
    assert_eq!(refused, Err(Refusal::SpendingBlocked), "before all others");
}

#[test]
fn r67_released_is_not_blocked() {
    let mut book = Book::with(vec![fixed("p", 100)], noon("2026-11-21"));
    book.buy("r", 5_00);
    book.block(true);
    assert!(book.spend(points(), Some(5), None).is_err());
    book.block(false);
    assert!(book.spend(points(), Some(5), None).is_ok());
}

#[test]
fn r67_cancels_go_on_while_spending_is_blocked() {
    let mut book = Book::with(vec![fixed("p", 100)], noon("2026-11-21"));
    let which = book.buy("r", 5_00);
    let (spend, _) = book.spend(points(), Some(5), None).unwrap();
    book.block(true);
    book.cancel_spend(spend).unwrap();
    book.cancel_event(which).unwrap();
    assert_eq!(book.available(&points()), 0);
}

#[test]
fn r70_a_refusal_is_an_entry_that_changes_nothing() {
    let mut book = Book::with(vec![fixed("p", 100)], noon("2026-11-21"));
    book.programme.definition.debt_policy = DebtPolicy::Refuse;
    let which = book.buy("r", 5_00);
    book.spend(points(), Some(60), None).unwrap();
    let unknown = BalanceCode::parse("miles").unwrap();
    let refused = [
        book.spend(unknown, Some(1), None).unwrap_err(),
        book.spend(eur(), Some(1), None).unwrap_err(),
        book.cancel_event(which).unwrap_err(),
    ];
    assert_eq!(refused, [Refusal::NotCovered, Refusal::NotCovered, Refusal::AwardSpent]);
    let acts: Vec<&Act> = book.ledger[2..].iter().map(|entry| &entry.act).collect();
    assert_eq!(acts, refused.map(Act::Refused).iter().collect::<Vec<_>>());
    assert_eq!(book.available(&points()), 40);
}

#[test]
fn codes_are_told_apart() {
    let refusals = Refusal::ALL.map(Refusal::code);
    let reasons = Reason::ALL.map(Reason::code);
    for codes in [refusals.to_vec(), reasons.to_vec()] {
        let apart: std::collections::HashSet<_> = codes.iter().collect();
        assert_eq!(apart.len(), codes.len());
        assert!(codes.iter().all(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    }
}
