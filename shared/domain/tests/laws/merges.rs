//! A duplicate's wallet moves to another, once, with all its days and terms.

use domain::amount::{Amount, MAX_MINOR};
use domain::apply::{Command, Outcome, apply};
use domain::id::{Key, ParticipantId};
use domain::ledger::{Act, PayloadHash};
use domain::merge::HandOver;
use domain::refusal::Refusal;
use domain::wallet::Wallet;
use proptest::prelude::*;

use crate::activity::watching;
use crate::bookkeeping::Book;
use crate::fixture::*;

fn who(name: &str) -> ParticipantId {
    ParticipantId::parse(name).unwrap()
}

/// Merges a book into another as the store does: the duplicate hands over and the other takes it,
/// or both stay as they are.
fn merge(duplicate: &mut Book, into: &mut Book) -> Outcome {
    let now = duplicate.now.max(into.now);
    (duplicate.now, into.now) = (now, now);
    let key = Key::parse(&format!("merge-{}", duplicate.wallet.length)).unwrap();
    let (payload, name) = (PayloadHash([7; 8]), who("c-1"));
    let asked = HandOver { into: &name, pass: None, reason: Some("twice"), refused: None };
    let given = Command::HandOver { key: &key, payload, asked };
    let tried = apply(&duplicate.programme, &duplicate.wallet, now, &given);
    if let Outcome::Refused(_) = tried.outcome {
        return duplicate.commit(&given);
    }
    let from = (tried.entries.last().unwrap(), &tried.wallet);
    let taken = Command::TakeOver { duplicate: &who("c-2"), payload, from };
    let other = apply(&into.programme, &into.wallet, now, &taken);
    if let Outcome::Refused(refusal) = other.outcome {
        let asked = HandOver { refused: Some(refusal), ..asked };
        return duplicate.commit(&Command::HandOver { key: &key, payload, asked });
    }
    duplicate.commit(&given);
    into.commit(&taken)
}

fn worth(wallet: &Wallet) -> i64 {
    let held = wallet.holds.iter().map(|hold| hold.amount().0).sum::<i64>();
    wallet.total(&points(), |_| true).0 + held - wallet.debt(&points()).0
}

#[test]
fn r77_lots_keep_their_days_and_the_duplicate_has_nothing() {
    let mut old = Book::with(vec![], noon("2026-11-21"));
    let mut new = old.clone();
    old.adjust(points(), 30, Some(day("2026-11-30"))).unwrap();
    old.adjust(points(), 100, None).unwrap();
    old.block(true);
    new.adjust(points(), 5, Some(day("2026-11-30"))).unwrap();
    new.adjust(points(), 7, Some(day("2026-12-31"))).unwrap();
    assert_eq!(merge(&mut old, &mut new), Outcome::Done);
    let want = [
        "35 points until 2026-11-30 from -",
        "7 points until 2026-12-31 from -",
        "100 points until - from -",
    ];
    assert_eq!(new.lots(), want);
    assert!(new.wallet.blocked, "a block comes along");
    assert!(old.lots().is_empty() && old.wallet.activity.is_empty());
    assert_eq!(old.wallet.merged_into, Some(who("c-1")));
    let reason = Some("twice".into());
    let act = Act::MergedInto { participant: who("c-1"), reason };
    assert_eq!(old.ledger.last().unwrap().act, act);
    assert_eq!(new.ledger.last().unwrap().act, Act::MergedFrom { participant: who("c-2") });
}

/// What was begun under the old name ends there; nothing new begins.
#[test]
fn r77_a_duplicate_that_was_merged_begins_nothing_and_ends_what_was_begun() {
    let mut old = Book::with(vec![fixed("p", 100)], noon("2026-11-21"));
    let mut new = old.clone();
    let which = old.buy("start", 5_00);
    let held = old.hold_of(points(), 40, "PT1H").unwrap();
    merge(&mut old, &mut new);
    assert_eq!((old.available(&points()), new.available(&points())), (0, 60));
    assert_eq!(new.wallet.activity.len(), 1, "what was bought counts here");
    assert_eq!(old.spend(points(), Some(1), None).unwrap_err(), Refusal::ParticipantMerged);
    assert_eq!(old.adjust(points(), 5, None).unwrap_err(), Refusal::ParticipantMerged);

    // A hold that was open is released, and the purchase cancelled; the next merge moves what that
    // came to.
    old.release(held).unwrap();
    assert_eq!(old.available(&points()), 40);
    assert_eq!(merge(&mut old, &mut new), Outcome::Done);
    assert_eq!(new.available(&points()), 100);
    old.cancel_event(which).unwrap();
    assert_eq!(old.debt(&points()), 100);
    merge(&mut old, &mut new);
    assert_eq!((old.debt(&points()), new.debt(&points())), (0, 0));
    assert_eq!(new.available(&points()), 0, "what was owed is paid by what is there");
}

#[test]
fn r77_debts_meet_what_is_there() {
    let owing = |spent| {
        let mut book = Book::with(vec![fixed("p", 100)], noon("2026-11-21"));
        let which = book.buy("start", 5_00);
        book.spend(points(), Some(spent), None).unwrap();
        book.cancel_event(which).unwrap();
        book
    };
    let with = |amount| {
        let mut book = Book::with(vec![], noon("2026-11-21"));
        book.adjust(points(), amount, None).unwrap();
        book
    };
    for (mut old, mut new, want) in [
        (owing(80), with(100), (20, 0)),
        (owing(80), with(30), (0, 50)),
        (with(100), owing(80), (20, 0)),
        (with(30), owing(80), (0, 50)),
        (owing(80), owing(15), (0, 95)),
    ] {
        merge(&mut old, &mut new);
        assert_eq!((new.available(&points()), new.debt(&points())), want);
        assert_eq!((old.available(&points()), old.debt(&points())), (0, 0));
    }
}

#[test]
fn r77_what_does_not_fit_stays_and_the_duplicate_says_why() {
    let mut old = Book::with(vec![], noon("2026-11-21"));
    let mut new = old.clone();
    old.adjust(points(), 1, None).unwrap();
    new.adjust(points(), MAX_MINOR, None).unwrap();
    let before = new.wallet.clone();
    assert_eq!(merge(&mut old, &mut new), Outcome::Refused(Refusal::BalanceFull));
    assert_eq!((old.available(&points()), new.wallet), (1, before));
    let mut third = Book::with(vec![], noon("2026-11-21"));
    assert_eq!(merge(&mut old, &mut third), Outcome::Done);
    let mut fourth = Book::with(vec![], noon("2026-11-21"));
    assert_eq!(
        merge(&mut fourth, &mut old),
        Outcome::Refused(Refusal::ParticipantMerged),
        "nothing is merged into a duplicate"
    );
}

#[derive(Clone, Debug)]
enum Deed {
    Credit(i64, Option<u8>),
    Spend(i64),
    Hold(i64),
    Buy(i64),
    Cancel(usize),
    Pass(i64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (1..500_i64, prop::option::of(0..30_u8)).prop_map(|(a, d)| Deed::Credit(a, d)),
        (1..300_i64).prop_map(Deed::Spend),
        (1..100_i64).prop_map(Deed::Hold),
        (1..50_00_i64).prop_map(Deed::Buy),
        (0..4_usize).prop_map(Deed::Cancel),
        (1..60_i64).prop_map(Deed::Pass),
    ]
}

fn carry_out(book: &mut Book, number: usize, deed: &Deed) {
    match deed {
        Deed::Credit(amount, days) => {
            let from = day("2026-11-21").0;
            let last = days.map(|days| domain::time::Day(from + i32::from(days)));
            book.adjust(points(), *amount, last).ok();
        }
        Deed::Spend(amount) => drop(book.spend(points(), Some(*amount), None)),
        Deed::Hold(amount) => drop(book.hold_of(points(), *amount, "P1D")),
        Deed::Buy(cents) => drop(book.buy(&format!("b-{number}"), *cents)),
        Deed::Cancel(which) if *which < book.events.len() => drop(book.cancel_event(*which)),
        Deed::Cancel(_) => {}
        Deed::Pass(hours) => book.now = book.now.plus_minutes(hours * 60),
    }
}

/// Purchases, spends and awards of both, and how often the offer that is watched gave something.
fn active(one: &Book, other: &Book) -> (i32, i64, i32, i32, i32) {
    let wallets = [&one.wallet, &other.wallet];
    let mut sum = (0, 0, 0, 0, 0);
    for known in wallets.iter().flat_map(|wallet| &wallet.activity) {
        sum.0 += known.purchases;
        sum.1 += known.amount.0;
        sum.2 += known.spends;
        sum.3 += known.awards;
    }
    let watched = wallets.iter().flat_map(|wallet| &wallet.watched);
    sum.4 = watched.flat_map(|known| &known.months).map(|(_, count)| count).sum();
    sum
}

/// Purchases of the days that both keep.
fn bought(one: &Book, other: &Book) -> i64 {
    let wallets = [&one.wallet, &other.wallet];
    let days = wallets.iter().flat_map(|wallet| &wallet.days);
    let newest = days.map(|(day, _)| day.minus_days(30)).max();
    wallets.iter().map(|wallet| newest.map_or(0, |first| wallet.bought_since(first))).sum()
}

proptest! {
    /// whatever happened to both, together they are worth what they were, but for what had
    /// expired by then; a second merge moves nothing more.
    #[test]
    fn r77_merging_creates_and_loses_nothing(
        old in prop::collection::vec(deed(), 0..12),
        new in prop::collection::vec(deed(), 0..12),
    ) {
        let mut start = Book::with(vec![fixed("p", 100)], noon("2026-11-21"));
        watching(&mut start.programme, &["p"]);
        let (mut duplicate, mut into) = (start.clone(), start);
        old.iter().enumerate().for_each(|(n, deed)| carry_out(&mut duplicate, n, deed));
        new.iter().enumerate().for_each(|(n, deed)| carry_out(&mut into, n, deed));
        let now = duplicate.now.max(into.now);
        let settled = |book: &Book| {
            let none = PayloadHash::default();
            domain::apply::settle_up(&book.programme, &book.wallet, now, none).wallet
        };
        let before = worth(&settled(&duplicate)) + worth(&settled(&into));
        let done = (active(&duplicate, &into), bought(&duplicate, &into));
        prop_assert_eq!(merge(&mut duplicate, &mut into), Outcome::Done);
        let after = (active(&into, &duplicate), bought(&into, &duplicate));
        prop_assert_eq!(after, done, "R-93: and what was done moves as well");
        prop_assert!(duplicate.wallet.activity.is_empty() && duplicate.wallet.watched.is_empty());
        prop_assert!(duplicate.wallet.days.is_empty());
        prop_assert_eq!(worth(&duplicate.wallet) + worth(&into.wallet), before);
        prop_assert!(duplicate.wallet.lots.is_empty() && duplicate.wallet.debts.is_empty());
        let moved = into.wallet.clone();
        merge(&mut duplicate, &mut into);
        prop_assert_eq!(&into.wallet.lots, &moved.lots);
        prop_assert_eq!(&into.wallet.activity, &moved.activity);
        prop_assert!(Amount(worth(&into.wallet)) == Amount(worth(&moved)));
    }
}
