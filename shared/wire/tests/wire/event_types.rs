//! Events of every type as they are sent and as they are shown, and invoices.

use domain::event::{Detail, EventType, RecordedEvent};
use domain::id::{Key, ParticipantId};
use serde_json::{Value, json};
use wire::answer;
use wire::event::{EventContext, PostedEvent, parse_event, parse_row};
use wire::fault::BodyFault;
use wire::invoice::parse_invoice;
use wire::spend::{Spender, parse_spend};

use crate::answers::{at, now, programme, shown};

fn parse(body: &Value) -> Result<PostedEvent, BodyFault> {
    parse_at(body, "2026-11-21T12:00:00+01:00")
}

fn parse_at(body: &Value, time: &str) -> Result<PostedEvent, BodyFault> {
    parse_event(body, &EventContext { programme: &programme(), now: at(time), key: None })
}

fn places(fault: BodyFault) -> Vec<String> {
    let BodyFault::Invalid(violations) = fault else { panic!("{fault}") };
    violations.iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect()
}

/// An event of a type with fields of its own.
fn event(event_type: &str, own: Value) -> Value {
    let mut body = json!({
        "type": event_type, "participant_id": "c-1", "performed_on": "2026-11-21T10:00:00+01:00",
        "external_system": "crm", "external_reference": "R-1"
    });
    body.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    body
}

fn medium(identifier: &str) -> Value {
    let own = json!({ "classification": "top-up", "amount": "100",
        "payment_medium": { "identifier": identifier } });
    event("financial_achievement", own)
}

fn statement(period: &str) -> Value {
    let values = json!([{ "kpi": "turnover", "product": "A", "value": "1.50" }]);
    event("financial_statement", json!({ "period": period, "kpi_values": values }))
}

/// Each with the fields of its type and no others.
#[test]
fn r8_to_r12_an_event_shows_what_its_type_has() {
    let mut referral = event(
        "referral",
        json!({ "referrer_participant_id": "c-1", "referred_participant_id": "c-2" }),
    );
    referral.as_object_mut().unwrap().remove("participant_id");
    let line = json!({ "quantity": 2, "net": "4.20", "vat": "0.80" });
    let cases = [
        (
            event("purchase", json!({ "receipt_number": "7", "lines": [line, { "net": "1" }] })),
            json!({ "receipt_number": "7", "totals": { "net": "9.40", "vat": "0.80",
                "purchased": "10.20", "awarded": [], "spent": [] } }),
            &["url", "period", "score", "referred_participant_id"][..],
        ),
        (
            referral,
            json!({ "participant_id": "c-1", "referrer_participant_id": "c-1",
                "referred_participant_id": "c-2", "totals": { "awarded": [], "spent": [] } }),
            &["lines", "payment_medium"],
        ),
        (
            event("social_media", json!({ "network": "n", "profile": "p", "action": "a" })),
            json!({ "network": "n", "profile": "p", "action": "a" }),
            &["lines", "url"],
        ),
        (
            event("web", json!({ "url": "https://example.org", "score": 10 })),
            json!({ "url": "https://example.org", "score": 10 }),
            &["lines"],
        ),
        (
            event("achievement", json!({ "classification": "commuter" })),
            json!({ "classification": "commuter", "score": null }),
            &["url"],
        ),
        (
            medium("4917610000001234"),
            json!({ "amount": "100.00", "product": null, "payment_medium":
                { "brand": "Visa", "type": "credit card", "identifier": "1234" } }),
            &["lines", "receipt_number"],
        ),
        (
            statement("2026-10"),
            json!({ "period": "2026-10",
                "kpi_values": [{ "kpi": "turnover", "product": "A", "value": "1.50" }] }),
            &["amount"],
        ),
        (
            event("spend_request", json!({ "amount": 5, "purchase_event_id": "till:R-9" })),
            json!({ "balance": "points", "amount": "5", "purchase_event_id": "till:R-9",
                "process_immediately": true }),
            &["lines", "spend"],
        ),
    ];
    let mut types = Vec::new();
    for (body, want, never) in cases {
        let posted = parse(&body).unwrap_or_else(|fault| panic!("{body}: {fault:?}"));
        types.push(posted.event.event_type());
        let recorded = RecordedEvent::accepted(posted.event, posted.payload, now());
        let view = shown(answer::event_only(&programme(), &recorded));
        assert_eq!((&view["type"], &view["external_reference"]), (&body["type"], &json!("R-1")));
        for (field, value) in want.as_object().unwrap() {
            assert_eq!(view[field], *value, "{field} of {view}");
        }
        for field in never {
            assert!(view.get(field).is_none(), "{field} of {view}");
        }
    }
    assert_eq!(types, EventType::ALL, "R-1");
}

#[test]
fn r30_a_type_that_waits_for_a_run_cannot_be_asked_for_at_once() {
    for (body, may) in [
        (event("social_media", json!({ "network": "n", "profile": "p", "action": "a" })), true),
        (event("web", json!({ "url": "http://a" })), true),
        (statement("2026-10"), true),
        (event("achievement", json!({ "classification": "commuter" })), false),
        (medium("4917610000001234"), false),
    ] {
        let mut asks = body.clone();
        asks["process_immediately"] = json!(true);
        match parse(&asks) {
            Ok(posted) => assert!(may && posted.event.immediate, "{asks}"),
            Err(fault) => {
                assert!(!may, "{asks}");
                assert_eq!(places(fault), ["/process_immediately not_allowed"]);
            }
        }
        asks["process_immediately"] = json!(false);
        assert!(!parse(&asks).unwrap().event.immediate);
    }
    let mut spend = event("spend_request", json!({ "amount": "1" }));
    spend["process_immediately"] = json!(false);
    assert!(parse(&spend).unwrap().event.immediate, "spends are always carried out at once");
}

/// hold for a financial achievement as for a purchase.
#[test]
fn r22_the_medium_of_a_financial_achievement_is_adjusted_before_anything_is_kept() {
    let (first, same_end) = (medium("4917610000001234"), medium("4000000000001234"));
    let hash = |body: &Value| parse(body).unwrap().payload;
    assert_eq!(hash(&first), hash(&same_end), "the hash knows only what is kept");
    assert_ne!(hash(&first), hash(&medium("4917610000001235")));
    let shown = format!("{:?}", parse(&medium("4917 6100")).unwrap_err());
    assert!(shown.contains("/payment_medium/identifier") && !shown.contains("4917"), "{shown}");
}

#[test]
fn r10_a_url_is_a_web_address_without_a_password() {
    let parsed = |url: &str| parse(&event("web", json!({ "url": url })));
    for good in [
        "https://example.org",
        "HTTP://example.org:8080/a?b=c#d",
        "https://example.org/@anna",
        "https://example.org?mail=a@b",
        "https://bücher.example/ä",
    ] {
        let Detail::Web { url, .. } = parsed(good).unwrap().event.detail else { panic!("{good}") };
        assert_eq!(&*url, good);
    }
    let long = format!("https://example.org/{}", "x".repeat(1_000));
    for (bad, code) in [
        ("ftp://example.org", "pattern"),
        ("javascript://example.org", "pattern"),
        ("example.org", "pattern"),
        ("https://", "pattern"),
        ("https:///path", "pattern"),
        ("https://:80", "pattern"),
        ("https://anna:secret@example.org", "pattern"),
        ("https://anna@example.org/", "pattern"),
        ("https://example.org\\@evil.example", "pattern"),
        ("https://exam ple.org", "pattern"),
        ("https://example.org/\n", "pattern"),
        (long.as_str(), "length"),
        ("", "length"),
    ] {
        let fault = parsed(bad).expect_err(bad);
        let told = format!("{fault:?}");
        assert!(!told.contains("secret"), "{told}");
        assert_eq!(places(fault), [format!("/url {code}")], "{bad}");
    }
}

/// the month counts in the programme's zone.
#[test]
fn r12_a_statement_is_of_a_month_that_has_begun() {
    let first = "2026-12-01T00:00:00+01:00";
    assert!(parse_at(&statement("2026-12"), first).is_ok());
    let mut body = statement("2026-12");
    body["performed_on"] = json!("2026-11-30T10:00:00+01:00");
    let fault = parse_at(&body, "2026-11-30T23:59:59+01:00").unwrap_err();
    assert_eq!(places(fault), ["/period in_future"]);
    let mut many = statement("2026-10");
    let value =
        |number: usize| json!({ "kpi": "turnover", "product": number.to_string(), "value": "1" });
    many["kpi_values"] = (0..500).map(value).collect();
    assert!(parse(&many).is_ok());
    many["kpi_values"] = (0..501).map(value).collect();
    assert_eq!(places(parse(&many).unwrap_err()), ["/kpi_values length"]);
    let large = |number: usize| {
        json!({ "kpi": "turnover", "product": number.to_string(),
        "value": "9999999999999" })
    };
    many["kpi_values"] = (0..2).map(large).collect();
    assert_eq!(places(parse(&many).unwrap_err()), ["/kpi_values range"]);
}

/// the event of a spend has its fields, and a spend without a reference is none.
#[test]
fn r66_a_spend_with_a_reference_is_an_event() {
    let body = json!({ "participant_id": "c-1", "amount": "5", "classification": "counter",
        "unit": "station-1", "external_system": "till", "external_reference": "S-1" });
    let spend = |body: &Value| {
        parse_spend(&serde_json::to_vec(body).unwrap(), &programme(), now()).unwrap()
    };
    let named = spend(&body);
    let person = ParticipantId::parse("c-1").unwrap();
    assert_eq!(named.spender, Spender::Named(person.clone()));
    let event = named.event(&person).unwrap();
    assert_eq!(event.id.as_str(), "till:S-1");
    assert_eq!(event.asked().unwrap(), named.asked);
    assert_eq!((&event.participant, event.performed_on), (&person, now()));
    let mut bare = body.clone();
    for field in ["external_system", "external_reference"] {
        bare.as_object_mut().unwrap().remove(field);
    }
    assert_eq!(spend(&bare).event(&person), None);
    let mut as_event = body;
    as_event["type"] = json!("spend_request");
    let posted = parse(&as_event).unwrap();
    assert_eq!((posted.event, posted.spend), (event, Some(named.asked)));
    let context = EventContext { programme: &programme(), now: now(), key: None };
    assert_eq!(places(parse_row(&as_event, &context).unwrap_err()), ["/type not_allowed"]);
}

/// an ERP posts all its invoices; those of a listed type are purchases.
#[test]
fn r14_an_invoice_of_a_listed_type_is_a_purchase() {
    let body = json!({ "invoice_type": "ticket", "external_system": "erp",
        "external_reference": "4711", "participant_id": "c-1",
        "performed_on": "2026-11-21T10:00:00+01:00", "lines": [{ "net": "58.00" }] });
    let key = Key::parse("k").unwrap();
    let programme = programme();
    let context = EventContext { programme: &programme, now: now(), key: Some(&key) };
    let invoice = |body: &Value| parse_invoice(&serde_json::to_vec(body).unwrap(), &context);
    let posted = invoice(&body).unwrap().unwrap();
    assert_eq!(posted.event.id.as_str(), "erp:4711");
    assert_eq!((posted.event.immediate, posted.spend), (true, None));
    assert_eq!(posted.event.purchased().0, 5_800);
    let mut other = body.clone();
    other["invoice_type"] = json!("freight");
    assert_eq!(invoice(&other).unwrap(), None);
    for (field, code) in [("invoice_type", "required"), ("external_reference", "required")] {
        let mut body = body.clone();
        body.as_object_mut().unwrap().remove(field);
        assert_eq!(places(invoice(&body).unwrap_err()), [format!("/{field} {code}")]);
    }
}
