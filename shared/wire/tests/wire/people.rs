//! Aliases, suppressions and files of participants: what they come to, and what is told of them.

use std::fs;
use std::path::Path;

use domain::id::{Key, ParticipantId};
use domain::programme::Programme;
use domain::time::{Instant, parse_instant};
use serde_json::{Value, json};
use wire::alias::{event_names, hold_names, name_participant, sent_alias, spend_names};
use wire::fault::BodyFault;
use wire::import::{ImportRow, MAX_ROWS, parse_import, parse_import_row};
use wire::programme::parse_programme;
use wire::suppression::{Named, parse_suppression};

fn now() -> Instant {
    parse_instant("2026-11-21T12:00:00+01:00").unwrap()
}

fn programme() -> Programme {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/transit/programme.json");
    parse_programme(&fs::read(file).unwrap(), 1).unwrap()
}

fn key() -> Key {
    Key::parse("k-1").unwrap()
}

#[test]
fn r91_an_alias_stands_for_an_id_and_leaves_no_trace() {
    let alias = json!({ "kind": "card", "value": "4711 4711" });
    let mut body = json!({ "type": "purchase", "alias": alias });
    assert!(sent_alias(&body).is_some());
    name_participant(&mut body, &ParticipantId::parse("c-1").unwrap());
    assert_eq!(body, json!({ "type": "purchase", "participant_id": "c-1" }));
    for bad in [
        json!({ "alias": alias, "participant_id": "c-1" }),
        json!({ "alias": { "kind": "card", "value": "4711", "more": 1 } }),
        json!({ "alias": "4711" }),
        json!({ "alias": null }),
        json!({ "participant_id": "c-1" }),
        json!([alias]),
    ] {
        assert!(sent_alias(&bad).is_none(), "{bad}");
    }
    assert!(sent_alias(&json!({ "alias": alias, "participant_id": null })).is_some());
}

#[test]
fn r91_a_request_is_known_by_what_makes_it_one_and_the_same() {
    let reference =
        json!({ "type": "purchase", "external_system": "till", "external_reference": "R-1" });
    let bare = json!({ "type": "purchase" });
    assert_eq!(event_names(&reference, Some(&key())), ["event\ntill:R-1"]);
    assert_eq!(event_names(&bare, Some(&key())), ["event\nkey:k-1"]);
    assert!(event_names(&bare, None).is_empty());
    let mut spend = reference.clone();
    spend["type"] = json!("spend_request");
    assert_eq!(event_names(&spend, Some(&key())), ["spend\nk-1", "event\ntill:R-1"]);
    assert_eq!(event_names(&spend, None), ["event\ntill:R-1"]);
    assert_eq!(spend_names(&reference, &key()), ["spend\nk-1", "event\ntill:R-1"]);
    assert_eq!(spend_names(&bare, &key()), ["spend\nk-1"]);
    assert_eq!(hold_names(&key()), ["hold\nk-1"]);
}

#[test]
fn r90_a_suppression_is_an_opt_out_by_the_process_that_reports_it() {
    for reason in ["unsubscribe", "bounce", "complaint"] {
        let row = json!({
            "alias": { "kind": "email", "value": "anna@example.org" }, "channel": "email",
            "reason": reason, "at": "2026-11-20T09:00:00+01:00", "source": "mail 7",
        });
        let parsed = parse_suppression(&row, now()).unwrap();
        assert!(matches!(parsed.who, Named::Alias(_)) && !parsed.consent.granted);
        assert_eq!(parsed.consent.process.as_deref(), Some(reason));
        assert!(!format!("{parsed:?}").contains("anna"), "it may be logged");
    }
}

#[test]
fn r90_a_suppression_names_one_participant_and_has_happened() {
    let row = json!({
        "alias": { "kind": "email", "value": "anna@example.org" }, "participant_id": "c-1",
        "channel": "E-Mail", "reason": "dislike", "at": "2026-11-22T09:00:00+01:00",
    });
    let want = [
        ("/alias", "exclusive"),
        ("/channel", "pattern"),
        ("/reason", "unknown_value"),
        ("/at", "in_future"),
    ];
    let want = want.map(|(at, code)| (at.to_owned(), code));
    assert_eq!(places(parse_suppression(&row, now()).unwrap_err()), want);
    let nobody = json!({ "channel": "email", "reason": "bounce", "at": "2026-11-20T09:00:00Z" });
    let missing = [("/participant_id".to_owned(), "required")];
    assert_eq!(places(parse_suppression(&nobody, now()).unwrap_err()), missing);
}

fn rows(file: &str) -> Vec<Result<ImportRow, BodyFault>> {
    let rows = parse_import(file.as_bytes()).unwrap();
    let programme = programme();
    rows.into_iter().map(|row| parse_import_row(&row?, &programme, now())).collect()
}

fn places(fault: BodyFault) -> Vec<(String, &'static str)> {
    let BodyFault::Invalid(violations) = fault else { panic!("{fault:?}") };
    assert!(violations.iter().all(|told| !told.message.contains("canary")), "{violations:?}");
    violations.into_iter().map(|told| (told.pointer, told.code)).collect()
}

#[test]
fn r90_a_row_says_what_its_cells_say_and_nothing_else() {
    let file = "\u{feff}participant_id,first_name,tags,flag:staff,consent:email,consent:sms,\
                consent_at,alias:card\r\n\
                c-1,\"Anna, \"\"A\"\"\",a|b,true,true,,2026-11-01T09:00:00Z,4711 4711|4712 4712\r\n\
                c-2,,,,,,,\r\n";
    let rows: Vec<_> = rows(file).into_iter().map(Result::unwrap).collect();
    let update = &rows[0].update;
    let profile = update.profile.as_ref().unwrap();
    assert_eq!(profile.first_name.as_deref(), Some("Anna, \"A\""));
    assert_eq!(profile.tags, ["a".into(), "b".into()]);
    assert_eq!(profile.flags.get("staff"), Some(&true));
    assert_eq!((update.consents.len(), update.aliases.len()), (1, 2));
    assert!(update.consents[0].1.granted && &*update.consents[0].0 == "email");
    let nothing = &rows[1];
    assert_eq!(nothing.participant.as_str(), "c-2");
    assert!(nothing.update.consents.is_empty() && nothing.opening.is_none());
    assert_eq!(nothing.update.profile.as_ref(), Some(&Default::default()));
}

#[test]
fn r90_what_is_wrong_with_a_row_is_told_of_the_row_and_repeats_nothing() {
    let file = "participant_id,email,birthday,consent:email,alias:card,balance,amount\n\
                can ary,canary,canary,canary,canary/1,,\nc-2\nc-3,,,,,points,1\nc-4,a@b.example,,,,,\n";
    let mut rows = rows(file);
    assert!(rows.remove(3).is_ok());
    let opening = rows.remove(2).unwrap().opening.unwrap();
    let missing = [("/reference".to_owned(), "required"), ("/reason".to_owned(), "required")];
    assert_eq!(places(opening.unwrap_err()), missing);
    assert_eq!(places(rows.remove(1).unwrap_err()), [(String::new(), "length")]);
    let found = places(rows.remove(0).unwrap_err());
    for (pointer, code) in [
        ("/participant_id", "pattern"),
        ("/update/profile/email", "pattern"),
        ("/update/profile/birthday", "pattern"),
        ("/update/consents/0/granted", "type"),
        ("/update/consents/0/at", "required"),
        ("/update/aliases/0/value", "pattern"),
    ] {
        assert!(found.contains(&(pointer.to_owned(), code)), "{pointer} {code}: {found:?}");
    }
}

#[test]
fn r90_a_file_without_its_columns_or_rows_is_refused_whole() {
    let long = format!("participant_id\n{}", "c-1\n".repeat(MAX_ROWS + 1));
    let cases = [
        ("", vec![("/columns", "required")]),
        ("first_name\nAnna\n", vec![("/columns", "required")]),
        (
            "participant_id,canary,participant_id,iban:x\nc-1,,,\n",
            vec![
                ("/columns/1", "unknown_field"),
                ("/columns/2", "duplicate"),
                ("/columns/3", "unknown_field"),
            ],
        ),
        ("participant_id\n", vec![("", "length")]),
        (&long, vec![("", "length")]),
    ];
    for (file, want) in cases {
        let want: Vec<_> = want.into_iter().map(|(at, code)| (at.to_owned(), code)).collect();
        assert_eq!(places(parse_import(file.as_bytes()).unwrap_err()), want);
    }
    let broken = parse_import(b"participant_id\n\xff\nc-1\n").unwrap();
    assert!(broken[0].is_err() && broken[1] == Ok(alone("c-1")));
}

fn alone(id: &str) -> Value {
    json!({
        "participant_id": id, "opening": {},
        "update": { "profile": {}, "consents": [], "aliases": [] },
    })
}
