//! Wallets and events as callers see them.

use std::fs;
use std::path::Path;

use domain::amount::Amount;
use domain::event::{Due, EventState, Judge, Judgement, RecordedEvent};
use domain::id::{BalanceCode, OfferId, ParticipantId, RunId};
use domain::ledger::LotId;
use domain::programme::Programme;
use domain::refusal::Reason;
use domain::time::{Day, Instant, parse_instant};
use domain::wallet::{Lot, Wallet};
use serde_json::{Value, json};
use wire::answer;
use wire::event::{EventContext, parse_event};
use wire::programme::parse_programme;

pub fn programme() -> Programme {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/transit/programme.json");
    parse_programme(&fs::read(file).unwrap(), 1).unwrap()
}

pub fn at(text: &str) -> Instant {
    parse_instant(text).unwrap()
}

pub fn now() -> Instant {
    at("2026-11-21T12:00:00+01:00")
}

fn day(text: &str) -> Day {
    Day::of(text.parse().unwrap())
}

pub fn participant() -> ParticipantId {
    ParticipantId::parse("c-1").unwrap()
}

pub fn lot(balance: &str, expires: Option<&str>, from: Option<&str>) -> LotId {
    LotId {
        balance: BalanceCode::parse(balance).unwrap(),
        expires: expires.map(day),
        available_from: from.map(day),
    }
}

pub fn wallet() -> Wallet {
    let lots = [
        (lot("points", Some("2026-11-20"), None), 7),
        (lot("points", Some("2026-12-31"), None), 100),
        (lot("points", Some("2026-12-31"), Some("2026-12-01")), 30),
        (lot("points", Some("2027-12-31"), None), 5),
        (lot("eur", None, None), 250),
        (lot("retired", None, None), 9),
    ];
    Wallet {
        lots: lots.map(|(id, amount)| Lot { id, amount: Amount(amount) }).to_vec(),
        debts: vec![(BalanceCode::parse("owed").unwrap(), Amount(3))],
        last_event: Some(at("2026-11-20T08:30:00+01:00")),
        ..Wallet::default()
    }
}

pub fn shown(answer: impl serde::Serialize) -> Value {
    serde_json::to_value(answer).unwrap()
}

#[test]
fn r60_a_wallet_shows_what_can_be_spent_what_waits_and_what_expires_next() {
    let end_of_year = "2027-01-01T00:00:00+01:00";
    let want = json!({
        "balances": [
            { "balance": "points", "available": "105", "pending": "30", "held": "0", "debt": "0",
              "next_expiry": { "at": end_of_year, "amount": "130" } },
            { "balance": "eur", "available": "2.50", "pending": "0.00", "held": "0.00",
              "debt": "0.00" },
            { "balance": "retired", "available": "9", "pending": "0", "held": "0", "debt": "0" },
            { "balance": "owed", "available": "0", "pending": "0", "held": "0", "debt": "3" },
        ],
        "lots": [
            { "balance": "points", "available": "100", "expires_at": end_of_year },
            { "balance": "points", "available": "30", "expires_at": end_of_year,
              "available_from": "2026-12-01T00:00:00+01:00" },
            { "balance": "points", "available": "5", "expires_at": "2028-01-01T00:00:00+01:00" },
            { "balance": "eur", "available": "2.50" },
            { "balance": "retired", "available": "9" },
        ],
        "blocked": false,
    });
    assert_eq!(shown(answer::wallet(&programme(), &wallet(), now())), want);
}

fn recorded() -> RecordedEvent {
    let programme = programme();
    let body = json!({
        "type": "purchase", "participant_id": "c-1", "performed_on": "2026-11-21T09:00:00Z",
        "external_system": "till", "external_reference": "R-1", "lines": [{ "net": "60" }]
    });
    let context = EventContext { programme: &programme, now: now(), key: None };
    let posted = parse_event(&body, &context).unwrap();
    RecordedEvent::accepted(posted.event, posted.payload, now())
}

fn judgement(sequence: u64, by: Judge, passed_over: &[(&str, Reason)]) -> Judgement {
    let offer = |(id, reason): &(&str, Reason)| (OfferId::parse(id).unwrap(), *reason);
    let passed_over = passed_over.iter().map(offer).collect();
    Judgement { sequence, by, programme: 4, awards: vec![], passed_over }
}

#[test]
fn r31_an_event_says_what_it_waits_for_and_what_became_of_it() {
    let run = || Judge::Run(RunId::parse("run-1").unwrap());
    let waits = [("monthly-bonus", Reason::AwaitsRun), ("big-basket", Reason::NotBest)];
    let pending = recorded();
    let mut awaiting = recorded();
    awaiting.due = Due::BatchOnly;
    awaiting.judgements.push(judgement(1, Judge::Interactive, &waits));
    let mut processed = awaiting.clone();
    processed.due = Due::Nothing;
    processed.judgements.push(judgement(2, run(), &[("monthly-bonus", Reason::LimitReached)]));
    let mut lapsed = awaiting.clone();
    lapsed.due = Due::Nothing;
    let mut cancelled = recorded();
    cancelled.state = EventState::Cancelled;
    cancelled.due = Due::Nothing;
    let cases: [(&RecordedEvent, &str, &str, bool, Value, Value); 5] = [
        (&pending, "posted", "pending", false, Value::Null, json!([])),
        (
            &awaiting,
            "posted",
            "processed",
            true,
            json!(4),
            json!([["monthly-bonus", "awaits_run"], ["big-basket", "not_best"]]),
        ),
        (
            &processed,
            "posted",
            "processed",
            false,
            json!(4),
            json!([["big-basket", "not_best"], ["monthly-bonus", "limit_reached"]]),
        ),
        (&lapsed, "posted", "processed", false, json!(4), json!([["big-basket", "not_best"]])),
        (&cancelled, "cancelled", "processed", false, Value::Null, json!([])),
    ];
    for (recorded, state, status, awaiting_run, version, passed) in cases {
        let answer = shown(answer::event(&programme(), recorded, None, now(), false));
        let event = &answer["event"];
        assert_eq!((&event["state"], &event["status"]), (&json!(state), &json!(status)));
        assert_eq!(event["awaiting_run"], awaiting_run, "{status}");
        assert_eq!(answer["programme_version"], version);
        assert!(answer.get("balances").is_none(), "no wallet was read");
        let shown: Value = answer["passed_over"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| json!([one["offer"], one["reason"]]))
            .collect();
        assert_eq!(shown, passed, "{status}");
    }
}
