//! Wallets and events as callers see them.

use std::fs;
use std::path::Path;

use domain::amount::Amount;
use domain::event::{Awarded, Detail, Due, EventState, Judge, Judgement, RecordedEvent};
use domain::id::{BalanceCode, OfferId, ParticipantId, RunId};
use domain::ledger::{LotId, PayloadHash};
use domain::programme::Programme;
use domain::refusal::Reason;
use domain::returns::{Return, ReturnedLine};
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
        terms: None,
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
    let (awards, discounts, passes) = (vec![], vec![], vec![]);
    Judgement { sequence, by, programme: 4, awards, discounts, passes, passed_over }
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

/// what was awarded is shown as it was, with what was taken back of it; sums are of what is
/// left.
#[test]
fn r73_an_event_shows_what_came_back_and_what_is_left() {
    let mut returned = recorded();
    returned.due = Due::Nothing;
    returned.judgements.push(judgement(1, Judge::Interactive, &[]));
    let award = Awarded {
        offer: OfferId::parse("ten-per-cent").unwrap(),
        lot: lot("points", None, None),
        amount: Amount(7),
        exclusive: false,
        counted: false,
        lines: vec![],
    };
    returned.judgements[0].awards.push(award);
    let Detail::Purchase(purchase) = &mut returned.event.detail else { panic!() };
    purchase.lines[0].quantity = 4;
    let key = PayloadHash::default();
    let reason = Some("torn".into());
    let lines = vec![ReturnedLine { index: 0, quantity: 3 }];
    let back = Return { sequence: 2, key, payload: key, lines, reason };
    let part = returned.with_return(&programme(), back.clone()).unwrap();
    let answer = shown(answer::event(&programme(), &part, None, now(), false));
    let event = &answer["event"];
    let left = json!([{ "balance": "points", "amount": "1" }]);
    let totals = json!({ "net": "240.00", "vat": "0.00", "purchased": "240.00", "returned": "180.00", "awarded": left, "spent": [] });
    assert_eq!(event["totals"], totals);
    assert_eq!((&event["state"], &event["lines"][0]["returned"]), (&json!("posted"), &json!(3)));
    let code = answer::transaction_code(&participant(), 2);
    let one =
        json!({ "transaction": code, "reason": "torn", "lines": [{ "index": 0, "quantity": 3 }] });
    assert_eq!(event["returns"], json!([one]));
    let award = &answer["awards"][0];
    assert_eq!((&award["amount"], &award["returned"]), (&json!("7"), &json!("6")));

    let whole =
        part.with_return(&programme(), Return { sequence: 3, lines: vec![], ..back }).unwrap();
    let event = &shown(answer::event(&programme(), &whole, None, now(), false))["event"];
    assert_eq!((&event["state"], &event["totals"]["awarded"]), (&json!("cancelled"), &json!([])));
    assert_eq!(event["returns"].as_array().unwrap().len(), 2);
    assert!(
        event["totals"].get("returned").is_none() && event["returns"][1].get("lines").is_none()
    );
    let ahead = shown(answer::cancel_ahead(&whole.event.id, false));
    assert_eq!(ahead, json!({ "event_id": "till:R-1", "state": "cancelled", "repeated": false }));
}

/// awards of a referral name whom it refers where it is not the event's participant.
#[test]
fn r9_a_referral_shows_what_it_awarded_to_both() {
    let body = json!({
        "type": "referral", "referrer_participant_id": "c-1", "referred_participant_id": "c-2",
        "performed_on": "2026-11-21T09:00:00Z", "external_system": "till",
        "external_reference": "F-1",
    });
    let (programme, now) = (programme(), now());
    let context = EventContext { programme: &programme, now, key: None };
    let posted = parse_event(&body, &context).unwrap();
    let mut recorded = RecordedEvent::accepted(posted.event, posted.payload, now);
    let award = |offer: &str, amount| domain::event::Awarded {
        offer: OfferId::parse(offer).unwrap(),
        lot: domain::ledger::LotId {
            balance: domain::id::BalanceCode::parse("points").unwrap(),
            expires: None,
            available_from: None,
            terms: None,
        },
        amount: domain::amount::Amount(amount),
        exclusive: false,
        lines: vec![],
        counted: false,
    };
    let by = |sequence, offer, amount, passed: &[(&str, Reason)]| Judgement {
        awards: vec![award(offer, amount)],
        ..judgement(sequence, Judge::Interactive, passed)
    };
    recorded.referred = Some(by(7, "welcome", 50, &[("second", Reason::LimitReached)]));
    recorded.judgements.push(by(3, "thanks", 100, &[]));
    recorded.due = domain::event::Due::Nothing;
    let answer = shown(answer::event(&programme, &recorded, None, now, false));
    let code = |who: &str, sequence| {
        let who = domain::id::ParticipantId::parse(who).unwrap();
        answer::transaction_code(&who, sequence)
    };
    let want = json!([
        { "offer": "welcome", "participant_id": "c-2", "balance": "points", "amount": "50",
          "transaction": code("c-2", 7) },
        { "offer": "thanks", "balance": "points", "amount": "100", "transaction": code("c-1", 3) },
    ]);
    assert_eq!(answer["awards"], want);
    assert_eq!(answer["passed_over"], json!([{ "offer": "second", "reason": "limit_reached" }]));
    let sum = json!([{ "balance": "points", "amount": "150" }]);
    assert_eq!(answer["event"]["totals"]["awarded"], sum);
    assert_eq!(answer["event"]["participant_id"], "c-1");
}
