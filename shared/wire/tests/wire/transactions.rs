//! Ledger entries as callers see them.

use domain::amount::Amount;
use domain::id::{BalanceCode, EventId, Key, OfferId, PlanId};
use domain::ledger::{Act, Effect, Entry, EntryKey, PayloadHash, SpendCause, SpendMade, TakenBack};
use domain::programme::ReductionMethod;
use domain::refusal::Refusal;
use serde_json::{Value, json};
use wire::answer;

use crate::answers::{lot, now, participant, programme, shown};

fn entry(sequence: u64, key: EntryKey, act: Act, effects: Vec<Effect>) -> Entry {
    let payload = PayloadHash::default();
    let after = vec![(BalanceCode::parse("points").unwrap(), Amount(80))];
    Entry { sequence, at: now(), key, payload, act, effects, after }
}

fn entries() -> Vec<(Entry, Value)> {
    let points = || lot("points", None, None);
    let event = || EventId::parse("till:R-1").unwrap();
    let offer = |id: &str, amount| Effect::Award {
        offer: (!id.is_empty()).then(|| OfferId::parse(id).unwrap()),
        lot: points(),
        amount: Amount(amount),
        debt: Amount(0),
        slot: None,
    };
    let judged = || EntryKey::Event { event: event(), turn: 0 };
    let redeem = EntryKey::Redeem { plan: PlanId::parse("gift-20").unwrap(), serial: 123, turn: 0 };
    let take = |amount| Effect::Take { lot: points(), amount: Amount(amount) };
    let back = Effect::Return { lot: points(), amount: Amount(30), debt: Amount(0) };
    let claw = Effect::ClawBack { lot: points(), amount: Amount(50) };
    let owe = Effect::Owe { balance: points().balance, amount: Amount(4) };
    let seen = Effect::Seen { performed_on: now() };
    let blocked = Act::Blocked { reason: "dispute".into() };
    let spend = Key::parse("k-1").unwrap();
    let made = SpendMade {
        balance: points().balance,
        requested: Amount(50),
        spent: Amount(30),
        covered: Some(Amount(30)),
        remainder: Amount(20),
        purchase: Some(event()),
        method: ReductionMethod::FrontEnd,
        unit: None,
        performed_on: now(),
        classification: None,
        request: None,
        cause: SpendCause::Requested,
    };
    vec![
        (
            entry(1, judged(), Act::Judged, vec![offer("a", 20), offer("b", 5), seen]),
            json!([
                ["award", "points", "20", "80", "event:till:R-1", "a", null],
                ["award", "points", "5", "80", "event:till:R-1", "b", null]
            ]),
        ),
        (
            entry(2, judged(), Act::Judged, vec![]),
            json!([["event", null, "0", null, "event:till:R-1", null, null]]),
        ),
        (
            entry(3, EntryKey::Spend(spend.clone()), Act::Spent(made), vec![take(10), take(20)]),
            json!([["spend", "points", "-30", "80", "spend:till:R-1", null, null]]),
        ),
        (
            entry(4, EntryKey::Spend(spend), Act::Refused(Refusal::NotCovered), vec![]),
            json!([["refused", null, "0", null, "not_covered", null, null]]),
        ),
        (
            entry(5, redeem, Act::Redeemed, vec![offer("", 20)]),
            json!([["award", "points", "20", "80", "pass:gift-20.123", null, null]]),
        ),
        (
            entry(
                6,
                EntryKey::CancelEvent { event: event(), turn: 0 },
                Act::Reversed(TakenBack { entries: vec![1, 3], reason: Some("torn".into()) }),
                vec![back, claw, owe],
            ),
            json!([[
                "reverse",
                "points",
                "-24",
                "80",
                "cancel:till:R-1",
                null,
                [code(1), code(3)]
            ]]),
        ),
        (
            entry(
                7,
                EntryKey::CancelSpend(3),
                Act::Reversed(TakenBack { entries: vec![3], reason: None }),
                vec![],
            ),
            json!([["reverse", null, "0", null, format!("cancel:{}", code(3)), null, [code(3)]]]),
        ),
        (
            entry(
                8,
                EntryKey::Expiry(8),
                Act::Expired,
                vec![Effect::Expire { lot: points(), amount: Amount(7) }],
            ),
            json!([["expire", "points", "-7", "80", "expiry", null, null]]),
        ),
        (entry(9, EntryKey::Block(9), blocked, vec![Effect::Block { blocked: true }]), json!([])),
    ]
}

fn code(sequence: u64) -> String {
    answer::transaction_code(&participant(), sequence)
}

#[test]
fn r68_every_entry_shows_what_it_moved_and_why() {
    let programme = programme();
    for (entry, want) in entries() {
        let rows = shown(answer::rows(&programme, &participant(), &entry));
        let brief: Value = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                assert_eq!(row["code"], code(entry.sequence));
                assert_eq!(row["at"], "2026-11-21T12:00:00+01:00");
                let fields =
                    ["kind", "balance", "amount", "available_after", "cause", "offer", "reverses"];
                fields
                    .map(|field| row.get(field).cloned().unwrap_or_default())
                    .into_iter()
                    .collect::<Value>()
            })
            .collect();
        assert_eq!(brief, want);
    }
}

#[test]
fn r66_r68_a_transaction_is_looked_up_with_its_event_spend_or_pass() {
    let programme = programme();
    let all: Vec<Value> = entries()
        .iter()
        .map(|(entry, _)| shown(answer::transaction(&programme, &participant(), entry)))
        .collect();
    assert_eq!(all[0]["event"], "till:R-1");
    let reversed = all.iter().find(|one| one["cause"] == "cancel:till:R-1").unwrap();
    assert_eq!(
        (&reversed["reason"], &reversed["rows"][0]["reason"]),
        (&json!("torn"), &json!("torn"))
    );
    let spend = &all[2]["spend"];
    assert_eq!((&spend["requested"], &spend["spent"]), (&json!("50"), &json!("30")));
    assert_eq!(spend["remainder"], "0.20", "in currency against a purchase");
    assert_eq!(spend["purchase_event_id"], "till:R-1");
    assert_eq!((&spend["instant"], &spend["automatic"]), (&json!(false), &json!(false)));
    assert_eq!(all[3]["refusal"], "not_covered");
    assert_eq!(all[4]["pass"], "gift-20.123");
    assert_eq!(all[5]["reverses"], json!([code(1), code(3)]));
    assert_eq!((&all[8]["blocked"], &all[8]["reason"]), (&json!(true), &json!("dispute")));
}

#[test]
fn r66_a_spend_says_what_led_to_it_and_an_unasked_one_names_its_purchase() {
    let programme = programme();
    let (mut entry, _) = entries().swap_remove(2);
    let Act::Spent(made) = entry.act.clone() else { panic!("{entry:?}") };
    let event = made.purchase.clone().unwrap();
    entry.key = EntryKey::Unasked { event, number: 0 };
    for (cause, flags) in [
        (SpendCause::Requested, [false, false]),
        (SpendCause::Instant { offer: OfferId::parse("now").unwrap() }, [true, false]),
        (SpendCause::Automatic, [false, true]),
    ] {
        let offer = if flags[0] { json!("now") } else { Value::Null };
        entry.act = Act::Spent(SpendMade { cause, ..made.clone() });
        let told = shown(answer::transaction(&programme, &participant(), &entry));
        let spend = &told["spend"];
        assert_eq!(spend["offer"], offer);
        assert_eq!(
            [&spend["instant"], &spend["automatic"]],
            flags.map(|flag| json!(flag)).each_ref()
        );
        assert_eq!(
            (&told["event"], &told["cause"]),
            (&json!("till:R-1"), &json!("spend:till:R-1"))
        );
    }
}
