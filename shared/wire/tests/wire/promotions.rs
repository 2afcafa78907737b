//! Codes that come with purchases: read, kept out of what is stored, and answered.

use std::fs;
use std::path::Path;

use domain::event::RecordedEvent;
use domain::id::PlanId;
use domain::pass::PassShown;
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::{Instant, parse_instant};
use serde_json::{Value, json};
use wire::answer;
use wire::event::{EventContext, PostedEvent, parse_event, parse_row, repeated_payload};
use wire::fault::BodyFault;
use wire::programme::parse_programme;

const CODE: &str = "7080-0XDW-T5H0-CWP5-VXAX-X2YE";

fn programme() -> Programme {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/passes");
    parse_programme(&fs::read(folder.join("programme.json")).unwrap(), 1).unwrap()
}

fn now() -> Instant {
    parse_instant("2026-11-21T12:00:00+01:00").unwrap()
}

fn body(pass: Value) -> Value {
    json!({
        "type": "purchase", "participant_id": "clara", "performed_on": "2026-11-21T10:00:00Z",
        "external_system": "till", "external_reference": "R-1", "lines": [{ "net": "60" }],
        "pass": pass,
    })
}

fn parsed(pass: Value) -> PostedEvent {
    let programme = programme();
    let context = EventContext { programme: &programme, now: now(), key: None };
    parse_event(&body(pass), &context).unwrap()
}

#[test]
fn r84_neither_what_is_stored_nor_what_is_logged_has_the_code() {
    let posted = parsed(json!({ "code": CODE }));
    assert_eq!(posted.code.as_ref().map(|code| &*code.0), Some(CODE));
    assert!(!format!("{posted:?}").contains("0XDW"), "{posted:?}");
    // The hash says that a pass was shown, and not which.
    assert_eq!(posted.payload, parsed(json!({ "code": "SUMMER26" })).payload);
    assert_ne!(posted.payload, parsed(Value::Null).payload);
    let repeated = repeated_payload(&body(json!({ "code": CODE })), &posted.event);
    assert_eq!(repeated, posted.payload);
}

#[test]
fn r83_no_code_is_taken_in_bulk() {
    let programme = programme();
    let context = EventContext { programme: &programme, now: now(), key: None };
    let refused = parse_row(&body(json!({ "code": CODE })), &context).unwrap_err();
    let BodyFault::Invalid(violations) = refused else { panic!("{refused:?}") };
    let told: Vec<_> = violations.iter().map(|v| (v.pointer.as_str(), v.code)).collect();
    assert_eq!(told, [("/pass", "not_allowed")]);
}

#[test]
fn r83_the_till_is_told_what_became_of_a_code() {
    let programme = programme();
    let plan = |id| PlanId::parse(id).unwrap();
    let until = parse_instant("2026-12-22T00:00:00+01:00");
    let cases = [
        (PassShown::Unknown, json!({ "accepted": false, "reason": "pass_not_redeemable" })),
        (
            PassShown::Refused {
                plan: plan("next-visit"),
                serial: Some(7),
                refusal: Refusal::PassUsed,
            },
            json!({ "accepted": false, "reason": "pass_used", "pass_plan": "next-visit",
                "pass_id": "next-visit.7" }),
        ),
        (
            PassShown::Accepted { plan: plan("summer"), serial: None, turn: None, until },
            json!({ "accepted": true, "pass_plan": "summer",
                "active_until": "2026-12-22T00:00:00+01:00" }),
        ),
    ];
    for (shown, want) in cases {
        let posted = parsed(json!({ "code": CODE }));
        let mut event = RecordedEvent::accepted(posted.event, posted.payload, now());
        event.pass = Some(shown);
        let answer = answer::event(&programme, &event, None, now(), false);
        assert_eq!(serde_json::to_value(&answer).unwrap()["event"]["pass"], want);
    }
}
