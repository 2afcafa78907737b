//! Credits and debits by hand, and what is booked of wallets that nobody touches.

use domain::amount::Amount;
use domain::ledger::{Act, Effect};
use domain::refusal::Refusal;

use crate::bookkeeping::Book;
use crate::fixture::*;

#[test]
fn r74_a_credit_is_a_lot_and_a_debit_takes_what_expires_first() {
    let mut book = Book::with(vec![], noon("2026-11-21"));
    book.adjust(points(), 100, None).unwrap();
    book.adjust(points(), 30, Some(day("2026-11-30"))).unwrap();
    book.adjust(points(), 20, Some(day("2026-11-21"))).unwrap();
    let want = [
        "20 points until 2026-11-21 from -",
        "30 points until 2026-11-30 from -",
        "100 points until - from -",
    ];
    assert_eq!(book.lots(), want);
    book.adjust(points(), -45, None).unwrap();
    assert_eq!(book.lots(), ["5 points until 2026-11-30 from -", "100 points until - from -"]);
    assert_eq!(book.adjust(points(), -106, None), Err(Refusal::NotCovered));
    assert_eq!(book.adjust(eur(), -1, None), Err(Refusal::NotCovered));
    let past = book.adjust(points(), 1, Some(day("2026-11-20")));
    assert_eq!(past, Err(Refusal::AlreadyExpired));
    assert_eq!(book.available(&points()), 105);
    let reasons = book.ledger.iter().filter(|e| matches!(e.act, Act::Adjusted { .. })).count();
    assert_eq!(reasons, 4, "refusals are entries too");
}

#[test]
fn r74_an_adjustment_pays_debt_first_and_is_not_stopped_by_a_block() {
    let mut book = Book::with(vec![fixed("p", 100)], noon("2026-11-21"));
    let which = book.buy("start", 5_00);
    book.spend(points(), Some(80), None).unwrap();
    book.cancel_event(which).unwrap();
    book.block(true);
    book.adjust(points(), 50, None).unwrap();
    assert_eq!((book.available(&points()), book.debt(&points())), (0, 30));
    book.adjust(points(), 50, None).unwrap();
    assert_eq!((book.available(&points()), book.debt(&points())), (20, 0));
    book.adjust(points(), -20, None).unwrap();
    assert_eq!(book.available(&points()), 0);
    let held = domain::amount::MAX_MINOR;
    book.adjust(points(), held, None).unwrap();
    assert_eq!(book.adjust(points(), 1, None), Err(Refusal::BalanceFull));
}

#[test]
fn r71_only_the_unspent_remainder_expires_and_only_once() {
    let mut book = Book::with(vec![], noon("2026-11-21"));
    book.adjust(points(), 30, Some(day("2026-11-21"))).unwrap();
    book.adjust(eur(), 2_00, Some(day("2026-11-22"))).unwrap();
    book.spend(points(), Some(12), None).unwrap();
    assert_eq!(book.settle_up(), 0, "nothing is over");
    book.now = at("2026-11-21T23:59:59+01:00");
    assert_eq!(book.settle_up(), 0);
    book.now = at("2026-11-22T00:00:00+01:00");
    assert_eq!(book.settle_up(), 1);
    let last = book.ledger.last().unwrap();
    let lot = domain::ledger::LotId {
        balance: points(),
        expires: Some(day("2026-11-21")),
        available_from: None,
        terms: None,
    };
    assert_eq!(last.effects, [Effect::Expire { lot, amount: Amount(18) }]);
    assert_eq!(book.settle_up(), 0, "booked before");
    assert_eq!(book.available(&eur()), 2_00);
}
