//! What callers see: wallets, events and transactions, and the files of an export.

use std::fs;
use std::path::Path;

use domain::amount::Amount;
use domain::event::{Due, EventState, Judge, Judgement, RecordedEvent};
use domain::id::{BalanceCode, EventId, Key, OfferId, ParticipantId, PlanId, RunId, SegmentId};
use domain::ledger::{Act, Effect, Entry, EntryKey, LotId, PayloadHash, SpendMade};
use domain::participant::{Consent, Participant, Profile};
use domain::programme::{Programme, ReductionMethod};
use domain::refusal::{Reason, Refusal};
use domain::time::{Day, Instant, parse_instant};
use domain::wallet::{Lot, Wallet};
use serde_json::{Value, json};
use wire::answer;
use wire::csv::{Counts, ExportRow, ManifestFile, Op, full_manifest, header, write_row};
use wire::event::{EventContext, parse_event};
use wire::fault::Violation;
use wire::problem::Problem;
use wire::programme::parse_programme;

fn programme() -> Programme {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/transit/programme.json");
    parse_programme(&fs::read(file).unwrap(), 1).unwrap()
}

fn at(text: &str) -> Instant {
    parse_instant(text).unwrap()
}

fn now() -> Instant {
    at("2026-11-21T12:00:00+01:00")
}

fn day(text: &str) -> Day {
    Day::of(text.parse().unwrap())
}

fn participant() -> ParticipantId {
    ParticipantId::parse("c-1").unwrap()
}

fn lot(balance: &str, expires: Option<&str>, from: Option<&str>) -> LotId {
    LotId {
        balance: BalanceCode::parse(balance).unwrap(),
        expires: expires.map(day),
        available_from: from.map(day),
    }
}

fn wallet() -> Wallet {
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

fn shown(answer: impl serde::Serialize) -> Value {
    serde_json::to_value(answer).unwrap()
}

#[test]
fn r60_a_wallet_shows_what_can_be_spent_what_waits_and_what_expires_next() {
    let end_of_year = "2027-01-01T00:00:00+01:00";
    let want = json!({
        "balances": [
            { "balance": "points", "available": "105", "pending": "30", "debt": "0",
              "next_expiry": { "at": end_of_year, "amount": "130" } },
            { "balance": "eur", "available": "2.50", "pending": "0.00", "debt": "0.00" },
            { "balance": "retired", "available": "9", "pending": "0", "debt": "0" },
            { "balance": "owed", "available": "0", "pending": "0", "debt": "3" },
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
    let redeem = EntryKey::Redeem { plan: PlanId::parse("gift-20").unwrap(), serial: 123 };
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
    };
    vec![
        (
            entry(1, judged(), Act::Judged, vec![offer("a", 20), take(0), offer("b", 5), seen]),
            json!([
                ["award", "points", "20", "80", "event:till:R-1", "a", null],
                ["award", "points", "0", "80", "event:till:R-1", null, null],
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
            json!([["award", "points", "20", "80", "pass:gift-20/123", null, null]]),
        ),
        (
            entry(
                6,
                EntryKey::CancelEvent(event()),
                Act::Reversed(vec![1, 3]),
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
            entry(7, EntryKey::CancelSpend(3), Act::Reversed(vec![3]), vec![]),
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
    let spend = &all[2]["spend"];
    assert_eq!((&spend["requested"], &spend["spent"]), (&json!("50"), &json!("30")));
    assert_eq!(spend["remainder"], "0.20", "in currency against a purchase");
    assert_eq!(spend["purchase_event_id"], "till:R-1");
    assert_eq!((&spend["instant"], &spend["automatic"]), (&json!(false), &json!(false)));
    assert_eq!(all[3]["refusal"], "not_covered");
    assert_eq!(all[4]["pass"], "gift-20/123");
    assert_eq!(all[5]["reverses"], json!([code(1), code(3)]));
    assert_eq!((&all[8]["blocked"], &all[8]["reason"]), (&json!(true), &json!("dispute")));
}

#[test]
fn r94_the_canonical_csv_is_what_the_contract_says_to_the_byte() {
    let programme = programme();
    let segment = programme.segment(&SegmentId::parse("mail-ready").unwrap()).unwrap();
    let mut known = Participant::default();
    let profile = Profile {
        first_name: Some("=Anna, \"A\"".into()),
        last_name: Some("Bäcker".into()),
        email: Some("anna@example.org".into()),
        locale: Some("de-DE".into()),
        ..Profile::default()
    };
    let consent = Consent {
        granted: true,
        at: at("2026-11-01T08:00:00Z"),
        source: Some("web".into()),
        process: None,
    };
    known.update(profile, vec![("email".into(), consent)]);
    let mut file = header().into_bytes();
    for (known, wallet) in [(&known, wallet()), (&Participant::default(), Wallet::default())] {
        let row = ExportRow::of(&programme, segment, &participant(), known, &wallet, now());
        write_row(&mut file, &row).unwrap();
    }
    let want = "external_id,email,optin_email,optin_source,optin_at,optin_process,locale,\
                time_zone,first_name,last_name,segment_id,op,balance_available,balance_pending,\
                next_expiry_at,next_expiry_amount,last_event_at,as_of\n\
                c-1,anna@example.org,true,web,2026-11-01T09:00:00+01:00,,de-DE,,\
                \"=Anna, \"\"A\"\"\",Bäcker,mail-ready,add,105,30,2027-01-01T00:00:00+01:00,130,\
                2026-11-20T08:30:00+01:00,2026-11-21T12:00:00+01:00\n\
                c-1,,false,,,,,,,,mail-ready,add,0,0,,,,2026-11-21T12:00:00+01:00\n";
    assert_eq!(String::from_utf8(file).unwrap(), want);
}

#[test]
fn r94_a_manifest_says_what_the_files_hold() {
    let programme = programme();
    let segment = programme.segment(&SegmentId::parse("mail-ready").unwrap()).unwrap();
    let run = RunId::parse("export-1").unwrap();
    let file = ManifestFile {
        name: "add-000.csv.gz".into(),
        op: Op::Add,
        rows: 1,
        bytes: 200,
        sha256: "00".into(),
    };
    let counts = Counts { members: 1, added: 1, ..Counts::default() };
    let manifest = full_manifest(&programme, segment, &run, now(), vec![file], counts);
    let mut manifest = shown(manifest);
    assert_eq!(manifest["segment"]["definition_sha256"].as_str().unwrap().len(), 64);
    manifest["segment"]["definition_sha256"] = Value::Null;
    assert_eq!(manifest["columns"].as_array().unwrap().len(), 18);
    manifest["columns"] = Value::Null;
    let want = json!({
        "schema_version": 1, "segment": { "id": "mail-ready", "definition_sha256": null },
        "run_id": "export-1", "mode": "full", "base_run_id": null,
        "as_of": "2026-11-21T12:00:00+01:00", "columns": null,
        "files": [{ "name": "add-000.csv.gz", "op": "add", "rows": 1, "bytes": 200, "sha256": "00" }],
        "counts": { "members": 1, "added": 1, "removed": 0, "suppressed": 0,
                    "skipped_no_consent": 0, "skipped_no_address": 0 },
    });
    assert_eq!(manifest, want);
}

#[test]
fn a_problem_has_the_members_of_rfc_9457() {
    let violation =
        Violation { pointer: "/lines".into(), code: "required", message: "is required".into() };
    let mut problem = Problem {
        kind: "about:blank".into(),
        title: "The body breaks the contract".into(),
        status: 422,
        code: "invalid".into(),
        detail: None,
        violations: vec![violation],
    };
    let want = json!({
        "type": "about:blank", "title": "The body breaks the contract", "status": 422,
        "code": "invalid",
        "violations": [{ "pointer": "/lines", "code": "required", "message": "is required" }],
    });
    assert_eq!(shown(&problem), want);
    problem.violations.clear();
    assert!(shown(&problem).get("violations").is_none());
}
