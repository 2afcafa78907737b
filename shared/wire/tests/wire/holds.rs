//! Holds and adjustments: bodies, answers, and their rows in the ledger.

use std::fs;
use std::path::Path;

use domain::amount::{Amount, Decimals};
use domain::hold::{Hold, HoldTime};
use domain::id::{BalanceCode, Key, TransactionCode};
use domain::ledger::{Act, Effect, Entry, EntryKey, HoldMade, PayloadHash, SpendCause, SpendMade};
use domain::programme::ReductionMethod;
use domain::time::Instant;
use domain::wallet::Wallet;
use serde_json::{Value, json};
use wire::adjust::{parse_adjustment, parse_row};
use wire::answer;
use wire::hold::{parse_hold, parse_release, parse_settle};
use wire::programme::parse_programme;

use crate::answers::{lot, now, participant, shown, wallet};

fn programme() -> domain::programme::Programme {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/transit/programme.json");
    parse_programme(&fs::read(file).unwrap(), 1).unwrap()
}

fn code(sequence: u64) -> TransactionCode {
    TransactionCode { participant: participant(), sequence }
}

fn bytes(body: &Value) -> Vec<u8> {
    serde_json::to_vec(body).unwrap()
}

#[test]
fn r78_a_hold_asks_like_a_spend_and_stands_a_quarter_of_an_hour_unless_it_says_else() {
    let mut body = json!({ "participant_id": "c-1", "amount": 3 });
    let read = |body: &Value| parse_hold(&bytes(body), &programme(), now()).unwrap();
    assert_eq!(read(&body).time, HoldTime::default());
    assert_eq!(read(&body).spend.asked.amount, Some(Amount(3)));
    assert_eq!(read(&body).spend.asked.performed_on, now());
    body["lapses_after"] = json!("P1D");
    assert_eq!(read(&body).time.after(Instant(0)), Instant(86_400_000));
}

#[test]
fn r70_r78_an_end_is_known_by_its_hold_and_by_what_it_is() {
    let settle = |sequence, body: Value| {
        parse_settle(&bytes(&body), &code(sequence), Decimals::NONE).unwrap().payload
    };
    let release = parse_release(b"", &code(7)).unwrap();
    assert_eq!(release, parse_release(b"{}", &code(7)).unwrap());
    let all = [
        release,
        parse_release(b"", &code(8)).unwrap(),
        settle(7, json!({})),
        settle(8, json!({})),
        settle(7, json!({ "amount": "1" })),
    ];
    for (at, one) in all.iter().enumerate() {
        assert!(all[at + 1..].iter().all(|other| other != one), "{at}");
    }
    assert_eq!(settle(7, json!({})), settle(7, json!({ "amount": null })));
}

#[test]
fn r74_a_row_is_the_adjustment_that_it_would_be_alone() {
    let alone = json!({ "balance": "eur", "amount": "-2.5", "reason": "credited twice" });
    let mut row = alone.clone();
    row["participant_id"] = json!("c-1");
    row["reference"] = json!("old/17");
    let read = parse_row(&row, &programme()).unwrap();
    let same = parse_adjustment(&bytes(&alone), &programme()).unwrap();
    assert_eq!(read.request, same);
    assert_eq!((same.adjustment.amount, same.adjustment.expires), (Amount(-2_50), None));
    for amount in ["0", "-0", "--1", "+1", "-", "1.001", "1e3", "99999999999999999999"] {
        let mut bad = alone.clone();
        bad["amount"] = json!(amount);
        assert!(parse_adjustment(&bytes(&bad), &programme()).is_err(), "{amount}");
    }
}

fn made() -> HoldMade {
    let spend = SpendMade {
        request: None,
        cause: SpendCause::Requested,
        balance: BalanceCode::parse("points").unwrap(),
        requested: Amount(50),
        spent: Amount(50),
        covered: None,
        remainder: Amount(0),
        purchase: None,
        method: ReductionMethod::FrontEnd,
        unit: None,
        performed_on: now(),
        classification: None,
    };
    HoldMade { spend, lapses_at: now().plus_minutes(15) }
}

#[test]
fn r78_a_wallet_shows_what_is_held_and_what_lapsed_as_available() {
    let lot = lot("points", Some("2026-12-31"), None);
    let hold =
        Hold { sequence: 7, lapses_at: now().plus_minutes(15), takes: vec![(lot, Amount(40))] };
    let wallet = Wallet { holds: vec![hold], ..wallet() };
    let at = |minutes| {
        let shown = shown(answer::wallet(&programme(), &wallet, now().plus_minutes(minutes)));
        let points = &shown["balances"][0];
        let lots = shown["lots"][0]["available"].clone();
        json!([points["available"], points["held"], points["next_expiry"]["amount"], lots])
    };
    assert_eq!(at(14), json!(["105", "40", "130", "100"]));
    assert_eq!(at(15), json!(["145", "0", "170", "140"]), "booked or not");
    let told = answer::hold(&programme(), &participant(), 7, &made(), &wallet, now(), false);
    let told = shown(told);
    assert_eq!((&told["held"], &told["balances"][0]["held"]), (&json!("50"), &json!("40")));
    assert_eq!(told["lapses_at"], "2026-11-21T12:15:00+01:00");
}

#[test]
fn r68_r78_rows_of_holds_their_ends_and_adjustments_add_up() {
    let points = || lot("points", None, None);
    let entry = |sequence, key, act, effects| {
        let after = vec![(points().balance, Amount(80))];
        Entry { sequence, at: now(), key, payload: PayloadHash::default(), act, effects, after }
    };
    let key = || Key::parse("k-1").unwrap();
    let lapses_at = made().lapses_at;
    let (lot, none) = (points, Amount(0));
    let release =
        |hold, amount| Effect::Release { hold, lot: lot(), amount: Amount(amount), debt: none };
    let spent = SpendMade { spent: Amount(30), requested: Amount(30), ..made().spend };
    let reason = || "moved here".into();
    let hold = Effect::Hold { hold: 1, lapses_at, lot: lot(), amount: Amount(50) };
    let taken = Effect::TakeHeld { hold: 1, lot: lot(), amount: Amount(30) };
    let debit = Effect::Take { lot: lot(), amount: Amount(5) };
    let entries = [
        entry(1, EntryKey::Hold(key()), Act::Held(made()), vec![hold]),
        entry(2, EntryKey::EndHold(key()), Act::Spent(spent), vec![taken, release(1, 20)]),
        entry(3, EntryKey::EndHold(key()), Act::Released, vec![release(5, 9)]),
        entry(4, EntryKey::Lapse(4), Act::Released, vec![release(6, 3), release(8, 4)]),
        entry(5, EntryKey::Adjust(key()), Act::Adjusted { reason: reason() }, vec![debit]),
    ];
    let text = |sequence| answer::transaction_code(&participant(), sequence);
    let of_first = format!("hold:{}", text(1));
    let want = [
        json!([["hold", "-50", "hold"]]),
        json!([["release", "50", of_first], ["spend", "-30", of_first]]),
        json!([["release", "9", format!("hold:{}", text(5))]]),
        json!([["release", "7", "lapse"]]),
        json!([["adjust", "-5", "adjust"]]),
    ];
    let one = |entry| shown(answer::transaction(&programme(), &participant(), entry));
    for (entry, want) in entries.iter().zip(want) {
        let rows = one(entry)["rows"].as_array().unwrap().clone();
        let brief = rows.iter().map(|row| json!([row["kind"], row["amount"], row["cause"]]));
        assert_eq!(brief.collect::<Value>(), want);
        assert!(rows.iter().all(|row| row["available_after"] == "80"), "{rows:?}");
    }
    assert_eq!(one(&entries[0])["hold"]["held"], "50");
    assert_eq!(one(&entries[1])["spend"]["spent"], "30");
    assert_eq!(one(&entries[1])["ends"], json!([text(1)]));
    assert_eq!(one(&entries[3])["ends"], json!([text(6), text(8)]));
    assert_eq!(one(&entries[4])["reason"], "moved here");
}
