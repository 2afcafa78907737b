//! Preview: what posting would do (R-35); `machine` holds it against posting.

use domain::award::Facts;
use domain::event::Event;
use domain::preview::{Preview, preview};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::spend::{AmountRange, SpendAsked, SpendRule};
use expect_test::expect;

use crate::bookkeeping::{Book, told};
use crate::fixture::*;

fn book() -> Book {
    let mut book = Book::with(vec![fixed("p", 300)], noon("2026-11-21"));
    book.buy("start", 1_00);
    book.programme = programme(every_offer());
    book
}

fn look(book: &Book, event: &Event, spend: Option<i64>) -> Result<Preview, Refusal> {
    let asked = spend.map(|amount| SpendAsked {
        balance: points(),
        amount: Some(domain::amount::Amount(amount)),
        classification: None,
        unit: None,
        performed_on: book.now,
    });
    let (event, facts) = (recorded(event.clone()), Facts::none());
    preview(&book.programme, &book.wallet, book.now, event, asked.as_ref(), facts)
}

fn additional(preview: &Preview) -> Vec<String> {
    preview.additional.iter().map(|(balance, amount)| format!("{} {balance}", amount.0)).collect()
}

#[test]
fn r35_every_offer_says_what_it_gives_or_why_not() {
    let book = book();
    let event = Event { unit: Some(unit("shop-2")), ..purchase("r", 9_20, book.now) };
    let seen = look(&book, &event, Some(20)).unwrap();
    let excluded = seen.excluded.iter().map(|(offer, reason)| format!("{offer} {}", reason.code()));
    let all: Vec<String> = told(&seen.event.judgements[0]).into_iter().chain(excluded).collect();
    expect![[r#"
        welcome 50
        monthly 200
        best-gone 40
        by-line 30
        table 4
        first 11
        first-budget 46
        cup 1
        tenth-off off 96
        tenth awards_nothing
        best-off amount_out_of_range
        best-small not_best
        cash awaits_run
        rolling awaits_run
        budget awaits_run
        best-grocery classification_not_included
        best-coffee no_matching_line
        autumn unit_not_included
        of-coffee no_matching_line
        each-off no_matching_line"#]]
    .assert_eq(&all.join("\n"));
    assert_eq!(seen.event.spends[0].made.spent.0, 20);
    assert_eq!(additional(&seen), ["280 points"], "not from its own award");
}

#[test]
fn r35_what_could_still_be_spent_is_bounded_by_the_purchase() {
    let event = |book: &Book| purchase("r", 2_00, book.now);
    let book = book();
    // 10.5 % are off: 0.21.
    assert_eq!(additional(&look(&book, &event(&book), None).unwrap()), ["179 points"]);
    assert_eq!(additional(&look(&book, &event(&book), Some(150)).unwrap()), ["29 points"]);
    assert_eq!(additional(&look(&book, &event(&book), Some(179)).unwrap()), [""; 0]);
    assert_eq!(look(&book, &event(&book), Some(180)).err(), Some(Refusal::AmountOutOfRange));
}

#[test]
fn r35_what_could_not_be_spent_is_not_promised() {
    let within = |days: u32| {
        move |programme: &mut Programme| {
            programme.definition.spend.within_days = days;
        }
    };
    let worth = |worth: &'static str| {
        move |programme: &mut Programme| {
            programme.balances[0].worth = rate(worth);
        }
    };
    let rule = |min: i64, max: i64, reject_if_not_covered: bool| {
        move |programme: &mut Programme| {
            let amount = |amount| Some(domain::amount::Amount(amount));
            let range =
                AmountRange { min: amount(min), max: amount(max), ..AmountRange::default() };
            let specific_amount = Some(range);
            let rule =
                SpendRule { classifications: vec![], specific_amount, reject_if_not_covered };
            programme.definition.spend.rules = vec![rule];
        }
    };
    type Change = Box<dyn Fn(&mut Programme)>;
    // 300 points are held; bought ten days ago for 5.00.
    let cases: [(&str, Change, &[&str]); 6] = [
        ("as it is", Box::new(within(30)), &["300 points"]),
        ("on the last day", Box::new(within(10)), &["300 points"]),
        ("too late", Box::new(within(9)), &[]),
        ("covers nothing", Box::new(worth("0.00001")), &[]),
        ("at most 40", Box::new(rule(1, 40, true)), &["40 points"]),
        ("at least 301", Box::new(rule(301, 400, true)), &[]),
    ];
    for (name, change, want) in cases {
        let mut book = book();
        change(&mut book.programme);
        let event = purchase("r", 5_00, noon("2026-11-11"));
        assert_eq!(additional(&look(&book, &event, None).unwrap()), want, "{name}");
    }
    let mut blocked = book();
    blocked.block(true);
    let event = purchase("r", 5_00, blocked.now);
    assert_eq!(additional(&look(&blocked, &event, None).unwrap()), [""; 0]);
}

#[test]
fn r35_an_event_that_waits_is_previewed_as_a_run_would_judge_it() {
    let book = book();
    let event = Event { immediate: false, ..purchase("r", 10_000, book.now) };
    let seen = look(&book, &event, None).unwrap();
    let awards: Vec<String> = told(&seen.event.judgements[0]);
    assert!(awards.contains(&"cash 150".to_owned()), "{awards:?}");
    assert!(book.wallet.length == 1, "it writes nothing");
}
