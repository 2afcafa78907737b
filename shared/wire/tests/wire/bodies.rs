//! Bodies as callers send them: what they come to, beyond being accepted or refused.

use std::fs;
use std::path::Path;

use domain::amount::Amount;
use domain::event::{Detail, Purchase};
use domain::id::Key;
use domain::ledger::PayloadHash;
use domain::payment_medium::Keep;
use domain::programme::Programme;
use domain::time::{Instant, parse_instant};
use serde_json::{Value, json};
use wire::event::{
    EventContext, PostedEvent, parse_bulk, parse_event, parse_json, payload_hash, repeated_payload,
    sent_id,
};
use wire::fault::BodyFault;
use wire::message::{Evaluation, EvaluationMessage, ExportMessage, ScheduleTick};
use wire::pass::{parse_issue, parse_redemption};
use wire::programme::parse_programme;
use wire::request::{parse_export, parse_run};
use wire::returns::{check_lines, parse_cancel, parse_credit_note};
use wire::spend::parse_spend;

fn programme(change: impl FnOnce(&mut Value)) -> Programme {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/transit/programme.json");
    let mut document = parse_json(&fs::read(file).unwrap()).unwrap();
    change(&mut document);
    parse_programme(&serde_json::to_vec(&document).unwrap(), 1).unwrap()
}

fn now() -> Instant {
    parse_instant("2026-11-21T12:00:00+01:00").unwrap()
}

fn base() -> Value {
    json!({
        "type": "purchase", "participant_id": "c-1", "performed_on": "2026-11-21T10:00:00+01:00",
        "external_system": "till", "external_reference": "R-1",
        "payment_medium": { "identifier": "4917610000001234" },
        "lines": [{ "net": "9.20" }]
    })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut body = base();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[name] = value;
    body
}

fn parse(programme: &Programme, body: &Value, key: Option<&Key>) -> Result<PostedEvent, BodyFault> {
    parse_event(body, &EventContext { programme, now: now(), key })
}

fn purchase(posted: &PostedEvent) -> &Purchase {
    let Detail::Purchase(purchase) = &posted.event.detail else { panic!("{posted:?}") };
    purchase
}

fn places(fault: BodyFault) -> Vec<String> {
    let BodyFault::Invalid(violations) = fault else { panic!("{fault}") };
    let shown = violations.iter().map(|fault| format!("{} {}", fault.pointer, fault.code));
    shown.collect()
}

#[test]
fn r8_numbers_are_read_from_their_literal_text() {
    let programme = programme(|_| {});
    for literal in ["9.20", "\"9.20\"", "9.2", "\"9.200\"", "0009.20"] {
        let body = String::from_utf8(serde_json::to_vec(&base()).unwrap()).unwrap();
        let Ok(body) = parse_json(body.replace("\"9.20\"", literal).as_bytes()) else {
            assert_eq!(literal, "0009.20", "JSON knows no leading zeros");
            continue;
        };
        let posted = parse(&programme, &body, None).unwrap();
        assert_eq!(posted.event.purchased(), Amount(920), "{literal}");
        assert_eq!(purchase(&posted).lines[0].quantity, 1);
    }
    let exact = with("/lines/0/net", json!("9999999999999.99"));
    assert_eq!(parse(&programme, &exact, None).unwrap().event.purchased().0, 999_999_999_999_999);
}

#[test]
fn r4_an_event_is_known_by_its_reference_or_by_the_key_of_the_call() {
    let programme = programme(|_| {});
    let key = Key::parse("0192f0c4-0000-7000-8000-000000000000").unwrap();
    let id = |body: &Value, key| parse(&programme, body, key).map(|p| p.event.id.to_string());
    assert_eq!(id(&base(), None).unwrap(), "till:R-1");
    assert_eq!(id(&base(), Some(&key)).unwrap(), "till:R-1");
    let mut bare = with("/external_reference", Value::Null);
    bare["external_system"] = Value::Null;
    assert_eq!(id(&bare, Some(&key)).unwrap(), format!("key:{key}"));
    assert_eq!(places(id(&bare, None).unwrap_err()), ["/external_reference required"]);
    let half = with("/external_system", Value::Null);
    assert_eq!(places(id(&half, Some(&key)).unwrap_err()), ["/external_system required"]);
}

#[test]
fn r30_an_event_is_immediate_where_it_or_the_definition_says_so() {
    let listed = programme(|document| document["definition"]["immediate"] = json!(["purchase"]));
    let unlisted = programme(|_| {});
    let cases = [
        (&unlisted, None, false),
        (&unlisted, Some(false), false),
        (&unlisted, Some(true), true),
        (&listed, None, true),
        (&listed, Some(false), true),
    ];
    for (programme, asked, want) in cases {
        let body = with("/process_immediately", json!(asked));
        let posted = parse(programme, &body, None).unwrap();
        assert_eq!(posted.event.immediate, want, "{asked:?}");
    }
}

#[test]
fn r20_r21_r22_a_medium_is_filled_in_and_its_identifier_adjusted_before_anything_is_kept() {
    let programme = programme(|_| {});
    let posted = parse(&programme, &base(), None).unwrap();
    let medium = purchase(&posted).payment_medium.as_ref().unwrap();
    assert_eq!(medium.brand.as_deref(), Some("Visa"));
    assert_eq!(medium.kind.as_deref(), Some("credit card"));
    assert_eq!(medium.identifier.as_deref(), Some("1234"));
    let same_end = with("/payment_medium/identifier", json!("4000000000001234"));
    let same = parse(&programme, &same_end, None).unwrap();
    assert_eq!(same.payload, posted.payload, "the hash knows only what is kept");
    let other_end = with("/payment_medium/identifier", json!("4917610000001235"));
    assert_ne!(parse(&programme, &other_end, None).unwrap().payload, posted.payload);
}

#[test]
fn r4_a_change_of_the_brand_rules_does_not_make_a_repeat_another_payload() {
    let before = programme(|_| {});
    let after = programme(|document| {
        document["definition"]["payment_medium"]["brand_rules"][0]["set"] = json!("Girocard");
    });
    let hash = |programme| parse(programme, &base(), None).unwrap().payload;
    assert_eq!(hash(&before), hash(&after));
}

#[test]
fn a_payload_hash_sees_what_was_asked_and_not_how_it_was_ordered() {
    let hash = |text: &str| payload_hash(&parse_json(text.as_bytes()).unwrap());
    let same = [r#"{"a":{"x":1.20,"y":[1,2]},"b":null}"#, r#"{ "a": {"y":[1,2], "x":1.20} }"#];
    assert_eq!(hash(same[0]), hash(same[1]));
    for other in [
        r#"{"a":{"x":1.2,"y":[1,2]}}"#,
        r#"{"a":{"x":1.20,"y":[2,1]}}"#,
        r#"{"a":{"x":"1.20","y":[1,2]}}"#,
        r#"{"a":{"x":1.20,"y":[1,2,null]}}"#,
    ] {
        assert_ne!(hash(same[0]), hash(other), "{other}");
    }
    // The form is kept for ever: stored hashes are compared with it.
    let stored = PayloadHash([0x94, 0x27, 0x4f, 0x58, 0x91, 0x35, 0x5b, 0x9e]);
    assert_eq!(hash(same[0]), stored);
}

#[test]
fn r66_a_spend_in_a_purchase_takes_its_place_and_time() {
    let programme = programme(|_| {});
    let mut body = with("/unit", json!("station-1"));
    body["spend"] = json!({ "amount": 3, "classification": "checkout" });
    let posted = parse(&programme, &body, None).unwrap();
    let spend = posted.spend.unwrap();
    assert_eq!(spend.amount, Some(Amount(3)));
    assert_eq!(spend.balance.as_str(), "points");
    assert_eq!(spend.unit, posted.event.unit);
    assert_eq!(spend.performed_on, posted.event.performed_on);
}

#[test]
fn r15_bulk_takes_1_to_1000_events() {
    let bulk = |count: usize| {
        parse_bulk(&serde_json::to_vec(&json!({ "events": vec![base(); count] })).unwrap())
    };
    assert_eq!(bulk(1_000).unwrap().len(), 1_000);
    for bad in [0, 1_001] {
        assert_eq!(places(bulk(bad).unwrap_err()), ["/events length"]);
    }
    assert_eq!(places(parse_bulk(b"{}").unwrap_err()), ["/events required"]);
}

#[test]
fn purchases_have_1_to_500_lines() {
    let programme = programme(|_| {});
    let lines = |count: usize| {
        let body = with("/lines", json!(vec![json!({ "net": "1" }); count]));
        parse(&programme, &body, None)
    };
    assert_eq!(purchase(&lines(500).unwrap()).lines.len(), 500);
    for bad in [0, 501] {
        assert_eq!(places(lines(bad).unwrap_err()), ["/lines length"]);
    }
}

#[test]
fn what_is_not_json_is_malformed() {
    let programme = programme(|_| {});
    for bad in ["", "{", "{'a': 1}", "nul", "{} {}", "\u{0}"] {
        let outcomes = [
            parse_json(bad.as_bytes()).map(drop),
            parse_bulk(bad.as_bytes()).map(drop),
            parse_spend(bad.as_bytes(), &programme, now()).map(drop),
            parse_redemption(bad.as_bytes()).map(drop),
            parse_programme(bad.as_bytes(), 1).map(drop),
        ];
        for outcome in outcomes {
            assert!(matches!(outcome, Err(BodyFault::Malformed(_))), "{bad:?}: {outcome:?}");
        }
    }
    let deep = "[".repeat(100_000);
    assert!(matches!(parse_json(deep.as_bytes()), Err(BodyFault::Malformed(_))));
}

#[test]
fn bodies_that_may_be_left_out_may_be_empty() {
    let programme = crate::answers::programme();
    for body in [&b""[..], b" \n", b"{}"] {
        assert_eq!(parse_cancel(body), parse_cancel(b"{}"));
        let issue = |body| parse_issue(body, &programme, &programme.pass_plans[0]);
        assert!(issue(body) == issue(b"{}"));
        assert_eq!(parse_run(body), Ok(None));
        assert_eq!(places(parse_export(body).unwrap_err()), ["/mode required"]);
    }
    assert!(!parse_export(br#"{"mode": "full"}"#).unwrap().force);
}

#[test]
fn a_spend_takes_the_balance_that_is_meant() {
    let two = |default: Value| {
        programme(|document| {
            document["definition"]["spend"] = json!({ "balance": default });
        })
    };
    let only = programme(|document| {
        document["definition"]["spend"] = Value::Null;
        document["balances"].as_array_mut().unwrap().truncate(1);
        document["offers"].as_array_mut().unwrap().truncate(1);
    });
    let body = |balance: Value| {
        let body = json!({ "participant_id": "c-1", "amount": "2", "balance": balance });
        serde_json::to_vec(&body).unwrap()
    };
    let taken = |programme: &Programme, balance: Value| {
        let spend = parse_spend(&body(balance), programme, now());
        spend.map(|spend| format!("{} {}", spend.asked.amount.unwrap().0, spend.asked.balance))
    };
    assert_eq!(taken(&two(json!("points")), Value::Null).unwrap(), "2 points");
    assert_eq!(taken(&two(json!("points")), json!("eur")).unwrap(), "200 eur");
    assert_eq!(taken(&only, Value::Null).unwrap(), "2 points");
    let unnamed = taken(&two(Value::Null), Value::Null).unwrap_err();
    assert_eq!(places(unnamed), ["/balance required"]);
}

#[test]
fn a_redemptions_hash_is_no_hash_of_the_code() {
    let hash = |code: &str, participant: &str| {
        let body = json!({ "code": code, "participant_id": participant });
        parse_redemption(&serde_json::to_vec(&body).unwrap()).unwrap().payload
    };
    assert_eq!(hash("AAAA", "c-1"), hash("BBBB", "c-1"));
    assert_ne!(hash("AAAA", "c-1"), hash("AAAA", "c-2"));
}

#[test]
fn messages_are_parsed_into_ids_and_say_nothing_of_what_they_held() {
    let shard = EvaluationMessage::Shard { run: "nightly-1".into(), shard: 3 };
    let text = serde_json::to_string(&shard).unwrap();
    assert_eq!(text, r#"{"kind":"shard","run":"nightly-1","shard":3}"#);
    let Ok(Evaluation::Shard { run, shard: 3 }) = EvaluationMessage::parse(text.as_bytes()) else {
        panic!("{text}");
    };
    assert_eq!(run.as_str(), "nightly-1");
    let tick =
        ScheduleTick::parse(br#"{"source": "schedule", "scheduled_time": "2026-11-21T02:00:00Z"}"#);
    assert_eq!(tick.unwrap().scheduled, parse_instant("2026-11-21T03:00:00+01:00").unwrap());
    for bad in [
        r#"{"kind":"shard","run":"s3cr3t id","shard":3}"#,
        r#"{"kind":"shard","run":"nightly-1","shard":256}"#,
        r#"{"kind":"shard","run":"nightly-1","shard":3,"s3cr3t":1}"#,
        r#"{"kind":"s3cr3t"}"#,
        r#"{"kind":"events","participant":"c-1","events":[]}"#,
        r#"{"kind":"events","participant":"c-1","events":["s3cr3t"]}"#,
        "s3cr3t",
    ] {
        let fault = EvaluationMessage::parse(bad.as_bytes()).unwrap_err();
        assert!(!fault.contains("s3cr3t"), "{fault}");
    }
    assert!(ExportMessage::parse(br#"{"export": ""}"#).is_err());
    assert!(ScheduleTick::parse(br#"{"source": "schedule", "scheduled_time": "today"}"#).is_err());
}

#[test]
fn r73_lines_that_come_back_are_held_against_the_purchase() {
    let programme = programme(|_| {});
    let lines = json!([{ "net": "1", "quantity": 3 }, { "net": "2" }]);
    let event = parse(&programme, &with("/lines", lines), None).unwrap().event;
    let check = |lines: Value| {
        let body = serde_json::to_vec(&json!({ "lines": lines })).unwrap();
        check_lines(&parse_cancel(&body).unwrap().lines, &event).map_err(places)
    };
    let all = json!([{ "index": 1, "quantity": 1 }, { "index": 0, "quantity": 3 }]);
    assert_eq!(check(all), Ok(()));
    let wrong = json!([{ "index": 0, "quantity": 4 }, { "index": 2, "quantity": 1 }]);
    let want = ["/lines/0/quantity range", "/lines/1/index range"].map(String::from).to_vec();
    assert_eq!(check(wrong), Err(want));
    assert_eq!(check_lines(&parse_cancel(b"").unwrap().lines, &event), Ok(()), "R-72: all");
}

#[test]
fn r14_a_credit_note_is_known_by_its_number_and_names_the_invoice_of_its_system() {
    let note = |body: Value| parse_credit_note(&serde_json::to_vec(&body).unwrap()).unwrap();
    let body = json!({
        "external_system": "erp", "external_reference": "CN-1", "invoice_reference": "INV-7",
        "lines": [{ "index": 1, "quantity": 2 }], "reason": "damaged"
    });
    let parsed = note(body.clone());
    assert_eq!((parsed.id.as_str(), parsed.invoice.as_str()), ("erp:CN-1", "erp:INV-7"));
    assert_eq!((parsed.lines.len(), parsed.reason.as_deref()), (1, Some("damaged")));
    let mut other = body;
    other["reason"] = Value::Null;
    assert_ne!(note(other).payload, parsed.payload, "another payload under the same number");
}

/// R-4, R-22: a repeat is the event that was stored, though the programme keeps more or less of
/// identifiers by now; another identifier, or none, is another payload.
#[test]
fn r4_r22_a_repeat_is_held_against_what_was_kept_of_its_identifier() {
    let body = |identifier: Option<&str>| {
        json!({
            "type": "purchase", "participant_id": "c-1", "performed_on": "2026-11-21T10:15:00+01:00",
            "external_system": "till", "external_reference": "R-1",
            "payment_medium": { "identifier": identifier }, "lines": [{ "net": "1.00" }],
        })
    };
    let mut programme = programme(|_| {});
    for (keep, same, other) in [
        (Keep::Last(4), "5555555555550000", "4917610000000001"),
        (Keep::First(6), "4917619999999999", "4917510000000000"),
        (Keep::All, "4917610000000000", "4917610000000001"),
    ] {
        programme.definition.payment_medium.keep = keep;
        let context = EventContext { programme: &programme, now: now(), key: None };
        let sent = body(Some("4917610000000000"));
        let posted = parse_event(&sent, &context).unwrap();
        assert_eq!(sent_id(&sent, None).as_ref(), Some(&posted.event.id));
        let agrees = |body: &Value| repeated_payload(body, &posted.event) == posted.payload;
        assert!(agrees(&sent) && agrees(&body(Some(same))), "{keep:?}");
        assert!(!agrees(&body(Some(other))) && !agrees(&body(None)), "{keep:?}");
    }
}
