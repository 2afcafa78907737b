//! Gifts and discounts as callers see them, by the programme of `events/neighbourhood`.

use std::fs;
use std::path::Path;

use domain::amount::Amount;
use domain::apply::{Command, Outcome, apply};
use domain::award::{Facts, Mode};
use domain::event::{Judge, RecordedEvent};
use domain::id::BalanceCode;
use domain::ledger::{Effect, Entry, LotId, PayloadHash};
use domain::participant::Participant;
use domain::preview::preview;
use domain::programme::Programme;
use domain::returns::{Return, ReturnedLine};
use domain::time::Instant;
use domain::wallet::Wallet;
use serde_json::{Value, json};
use wire::answer;
use wire::event::{EventContext, parse_event, parse_json};
use wire::programme::parse_programme;
use wire::spend::parse_spend;

use crate::answers::{at, shown};

fn sample(file: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/neighbourhood");
    fs::read(folder.join(file)).unwrap()
}

fn programme() -> Programme {
    parse_programme(&sample("programme.json"), 1).unwrap()
}

fn now() -> Instant {
    at("2026-11-21T12:00:00+01:00")
}

fn event(file: &str) -> RecordedEvent {
    let programme = programme();
    let context = EventContext { programme: &programme, now: now(), key: None };
    let posted = parse_event(&parse_json(&sample(file)).unwrap(), &context).unwrap();
    RecordedEvent::accepted(posted.event, posted.payload, now())
}

/// Who holds so many pieces of a gift.
fn holding(gift: &str, pieces: i64) -> Wallet {
    let balance = BalanceCode::parse(gift).unwrap();
    let lot = LotId { balance, expires: None, available_from: None, terms: None };
    let (amount, debt) = (Amount(pieces), Amount::ZERO);
    let mut wallet = Wallet::default();
    wallet.carry_out(&Effect::Award { offer: None, lot, amount, debt, slot: None });
    wallet
}

/// The event with its judgement, the wallet then, and the entry.
fn judged(wallet: &Wallet, event: &RecordedEvent) -> (RecordedEvent, Wallet, Entry) {
    let (mode, by, facts) = (Mode::Interactive, Judge::Interactive, Facts::none());
    let command = Command::Judge { event, mode, by, facts };
    let applied = apply(&programme(), wallet, now(), &command);
    let Outcome::Judged { judgement, due, .. } = applied.outcome else { panic!("not judged") };
    let judgements = vec![judgement];
    let event = RecordedEvent { judgements, due, ..event.clone() };
    (event, applied.wallet, applied.entries.last().unwrap().clone())
}

#[test]
fn r41_a_till_reads_what_a_gift_is() {
    let (event, wallet, _) = judged(&Wallet::default(), &event("web-survey.json"));
    let answer = shown(answer::event(&programme(), &event, Some(&wallet), now(), false));
    let award = &answer["awards"][0];
    assert_eq!((&award["balance"], &award["amount"]), (&json!("coffee"), &json!("1")));
    assert_eq!(award["gift"], json!({ "name": "A coffee" }));
    // Of gifts those are shown that there are; of money every balance.
    let of = |balances: &Value| -> Vec<(String, Value)> {
        let list = balances.as_array().unwrap();
        let code = |balance: &Value| balance["balance"].as_str().unwrap().to_owned();
        list.iter().map(|balance| (code(balance), balance["gift"].clone())).collect()
    };
    let want =
        [("points".to_owned(), Value::Null), ("coffee".into(), json!({ "name": "A coffee" }))];
    assert_eq!(of(&answer["balances"]), want);
    assert_eq!(of(&shown(answer::wallet(&programme(), &wallet, now()))["balances"]), want);
    let nothing = shown(answer::wallet(&programme(), &Wallet::default(), now()));
    assert_eq!(of(&nothing["balances"]), want[..1]);
}

#[test]
fn r41_a_gift_is_one_piece_where_a_spend_says_nothing_else() {
    let programme = programme();
    let amount = |body: Value| {
        let spend = parse_spend(body.to_string().as_bytes(), &programme, now());
        spend
            .map(|spend| spend.asked.amount.map(|amount| amount.0))
            .map_err(|fault| fault.to_string())
    };
    let body = |rest: Value| {
        let mut body = json!({ "participant_id": "ida" });
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        body
    };
    assert_eq!(amount(body(json!({ "balance": "coffee" }))), Ok(Some(1)));
    assert_eq!(amount(body(json!({ "balance": "coffee", "amount": "3" }))), Ok(Some(3)));
    assert!(amount(body(json!({ "balance": "coffee", "amount": "1.5" }))).is_err());
    // What takes money by default never takes a gift.
    assert!(amount(body(json!({}))).is_err());
    assert_eq!(amount(body(json!({ "amount": "1" }))), Ok(Some(1)));
    let spend =
        parse_spend(body(json!({ "amount": "1" })).to_string().as_bytes(), &programme, now());
    assert_eq!(spend.unwrap().asked.balance.as_str(), "points");
}

#[test]
fn r41_discounts_stand_beside_the_awards_and_in_the_totals() {
    // Two discounts at once: by line at the harbour, and off the purchase for who took part.
    let (wallet, ice) = (holding("stamp", 1), event("purchase-ice.json"));
    let programme = programme();
    let (mut event, after, entry) = judged(&wallet, &ice);
    let code = answer::transaction_code(&event.event.participant, entry.sequence);
    let answer = shown(answer::event(&programme, &event, Some(&after), now(), false));
    let want = json!([
        { "offer": "festival-discount", "amount": "0.70", "transaction": code },
        { "offer": "summer-at-the-harbour", "amount": "1.00", "transaction": code,
          "lines": [{ "index": 0, "amount": "1.00" }] },
    ]);
    assert_eq!(answer["discounts"], want);
    assert_eq!(answer["event"]["totals"]["discounted"], "1.70");
    assert_eq!(answer["event"]["totals"]["purchased"], "7.00", "before discounts");

    // The preview says the same, without a transaction.
    let participant = Participant::default();
    let facts = Facts { participant: &participant, ..Facts::none() };
    let seen = preview(&programme, &wallet, now(), ice, None, facts).unwrap();
    let seen = shown(answer::preview(&programme, &seen, false));
    let mut promised = want.clone();
    for discount in promised.as_array_mut().unwrap() {
        discount.as_object_mut().unwrap().remove("transaction");
    }
    assert_eq!(seen["discounts"], promised);

    // The ledger has a row for each, by its offer, of no balance.
    let rows = answer::rows(&programme, &event.event.participant, &entry);
    let told = rows.iter().map(|row| (row.kind, row.amount.as_str(), row.offer.as_deref()));
    let told: Vec<_> = told.collect();
    let by = |offer| Some(offer);
    assert_eq!(
        told,
        [
            ("award", "5", by("favourites")),
            ("discount", "0.70", by("festival-discount")),
            ("discount", "1.00", by("summer-at-the-harbour")),
        ]
    );
    assert!(rows[1].balance.is_none() && rows[1].available_after.is_none());

    // One of two ices comes back, and half of its discount with it.
    let lines = vec![ReturnedLine { index: 0, quantity: 1 }];
    let (sequence, key) = (9, PayloadHash::default());
    event = event
        .with_return(&programme, Return { sequence, key, payload: key, lines, reason: None })
        .unwrap();
    let answer = shown(answer::event(&programme, &event, None, now(), false));
    assert_eq!(answer["discounts"][1]["returned"], "0.50");
    assert_eq!(answer["discounts"][0]["returned"], "0.25", "a tenth of 4.50 is left");
    assert_eq!(answer["event"]["totals"]["discounted"], "0.95");
    // All of it.
    let whole = Return { sequence, key, payload: key, lines: vec![], reason: None };
    let answer = shown(answer::event(
        &programme,
        &event.with_return(&programme, whole).unwrap(),
        None,
        now(),
        false,
    ));
    assert_eq!(answer["event"]["totals"]["discounted"], "0.00");
    assert_eq!(answer["discounts"][1]["amount"], "1.00", "as it was given");
    assert_eq!(answer["discounts"][1]["returned"], Value::Null);
}

#[test]
fn what_was_not_discounted_says_nothing_of_discounts() {
    let (event, wallet, _) = judged(&Wallet::default(), &event("purchase-breakfast.json"));
    let answer = shown(answer::event(&programme(), &event, Some(&wallet), now(), false));
    assert_eq!(
        (&answer["discounts"], &answer["event"]["totals"]["discounted"]),
        (&Value::Null, &Value::Null)
    );
}
