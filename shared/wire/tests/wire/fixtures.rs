//! Every file in `events/` is read here, as what its folder and name say it is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use domain::amount::Decimals;
use domain::id::{Key, ParticipantId, PlanId, TransactionCode};
use domain::pass::PassPlan;
use domain::programme::Programme;
use domain::time::{Instant, parse_instant};
use serde_json::Value;
use wire::adjust::{parse_adjustment, parse_adjustments, parse_row};
use wire::alias::{name_participant, parse_alias_lookup, sent_alias};
use wire::coupon::{parse_codes, parse_coupon, parse_use};
use wire::event::{EventContext, parse_bulk, parse_event, parse_json};
use wire::fault::{BodyFault, code};
use wire::feed::{FeedHintMessage, parse_replay};
use wire::hold::{parse_hold, parse_release, parse_settle};
use wire::import::{parse_import, parse_import_row};
use wire::invoice::parse_invoice;
use wire::merge::parse_merge;
use wire::message::{EvaluationMessage, ExportMessage, ScheduleTick, VerificationMessage};
use wire::participant::{parse_block, parse_participant};
use wire::pass::{
    parse_activation, parse_issue, parse_load, parse_lookup, parse_pass_update, parse_redemption,
    parse_registration, parse_take_back,
};
use wire::programme::parse_programme;
use wire::request::{parse_conversion, parse_export, parse_run, parse_verification};
use wire::returns::{parse_cancel, parse_credit_note};
use wire::spend::parse_spend;
use wire::suppression::{parse_suppression, parse_suppressions};

fn events() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events")
}

/// The sample programmes with bodies of their own.
const PROGRAMMES: [&str; 5] =
    ["customer-events", "invoice-points", "bank-coalition", "neighbourhood", "passes"];

/// The programme that a folder's bodies are for: its own, or that of the story.
fn programme(folder: &str) -> Programme {
    let own = match folder {
        "pass-redemption" => "passes",
        own if PROGRAMMES.contains(&own) => own,
        _ => "transit",
    };
    let document = fs::read(events().join(own).join("programme.json")).unwrap();
    parse_programme(&document, 1).unwrap_or_else(|fault| panic!("{own}: {fault:?}"))
}

/// The programme of the bodies about coupons.
fn coupons() -> Programme {
    let document = fs::read(events().join("programme/programme-coupons.json")).unwrap();
    parse_programme(&document, 1).unwrap()
}

fn now() -> Instant {
    parse_instant("2026-11-21T12:00:00+01:00").unwrap()
}

/// The plan of the bodies about passes: printed, with a PIN and a range of values.
fn card(programme: &Programme) -> &PassPlan {
    programme.pass_plan(&PlanId::parse("gift-card").unwrap()).unwrap()
}

/// A hold of points.
fn hold() -> TransactionCode {
    TransactionCode { participant: ParticipantId::parse("c-1001").unwrap(), sequence: 7 }
}

/// A body in which an alias is looked up, as it is before one is parsed.
fn named(bytes: &[u8]) -> Vec<u8> {
    let Ok(mut body) = parse_json(bytes) else { return bytes.to_vec() };
    if sent_alias(&body).is_some() {
        name_participant(&mut body, &ParticipantId::parse("c-1001").unwrap());
    }
    body.to_string().into_bytes()
}

/// Reads one file as the kind that its name starts with.
fn read(folder: &str, kind: &str, with_key: bool, bytes: &[u8]) -> Result<(), BodyFault> {
    let by_id = named(bytes);
    let bytes = if matches!(kind, "purchase" | "spend" | "hold") { &by_id } else { bytes };
    let programme = programme(folder);
    let key = Key::parse("0192f0c4-0000-7000-8000-000000000000").unwrap();
    let key = with_key.then_some(&key);
    let context = EventContext { programme: &programme, now: now(), key };
    let message = |parsed: Result<(), String>| parsed.map_err(BodyFault::Malformed);
    let route = match kind {
        "programme" if PROGRAMMES.contains(&folder) => "programme",
        "spend" if PROGRAMMES.contains(&folder) => "spend-request",
        _ if PROGRAMMES.contains(&folder) => "event-ingestion",
        _ => folder,
    };
    match (route, kind) {
        (
            "event-ingestion",
            "purchase" | "referral" | "social" | "web" | "achievement" | "financial" | "spend",
        ) => parse_event(&parse_json(bytes)?, &context).map(drop),
        ("event-ingestion", "invoice") => parse_invoice(bytes, &context).map(drop),
        ("event-ingestion", "bulk") => {
            parse_bulk(bytes)?.iter().try_for_each(|event| parse_event(event, &context).map(drop))
        }
        ("event-ingestion", "cancel") => parse_cancel(bytes).map(drop),
        ("event-ingestion", "credit") => parse_credit_note(bytes).map(drop),
        ("award-evaluation", "run") => parse_run(bytes).map(drop),
        ("award-evaluation", "conversion") => parse_conversion(bytes, now()).map(drop),
        ("award-evaluation", "message") => message(EvaluationMessage::parse(bytes).map(drop)),
        ("award-evaluation", "tick") => message(ScheduleTick::parse(bytes).map(drop)),
        ("spend-request", "spend") => parse_spend(bytes, &programme, now()).map(drop),
        ("spend-request", "hold") => parse_hold(bytes, &programme, now()).map(drop),
        ("spend-request", "settle") => parse_settle(bytes, &hold(), Decimals::NONE).map(drop),
        ("spend-request", "coupon") => parse_coupon(bytes, &coupons()).map(drop),
        ("spend-request", "use") => parse_use(bytes).map(drop),
        ("spend-request", "release") => parse_release(bytes, &hold()).map(drop),
        ("pass-redemption", "activation") => parse_activation(bytes).map(drop),
        ("pass-redemption", "issue") => parse_issue(bytes, &programme, card(&programme)).map(drop),
        ("pass-redemption", "load") => parse_load(bytes, &programme, card(&programme)).map(drop),
        ("pass-redemption", "update") => {
            parse_pass_update(bytes, &programme, card(&programme)).map(drop)
        }
        ("pass-redemption", "lookup") => parse_lookup(bytes).map(drop),
        ("pass-redemption", "registration") => parse_registration(bytes, now()).map(drop),
        ("pass-redemption", "cancel") => parse_take_back(bytes).map(drop),
        ("pass-redemption", "redemption") => parse_redemption(bytes).map(drop),
        ("segment-export", "export") => parse_export(bytes).map(drop),
        ("segment-export", "message") => message(ExportMessage::parse(bytes).map(drop)),
        ("ledger-verification", "verification") => parse_verification(bytes).map(drop),
        ("ledger-verification", "message") => message(VerificationMessage::parse(bytes).map(drop)),
        ("ledger-verification", "tick") => message(ScheduleTick::parse(bytes).map(drop)),
        ("crm-feed", "message") => message(FeedHintMessage::parse(bytes).map(drop)),
        ("crm-feed", "replay") => parse_replay(bytes).map(drop),
        // Read by the tests of feeds.
        ("crm-feed", "webhook") => Ok(()),
        ("programme", "programme") => parse_programme(bytes, 1).map(drop),
        ("programme", "participant") => parse_participant(bytes, now()).map(drop),
        ("programme", "merge") => {
            parse_merge(bytes, &ParticipantId::parse("c-1001").unwrap()).map(drop)
        }
        ("programme", "lookup") => parse_alias_lookup(bytes).map(drop),
        ("programme", "suppressions") => parse_suppressions(bytes)?
            .iter()
            .try_for_each(|row| parse_suppression(row, now()).map(drop)),
        ("programme", "import") => parse_import(bytes)?.into_iter().try_for_each(|row| {
            let row = parse_import_row(&row?, &programme, now())?;
            row.opening.map_or(Ok(()), |opening| opening.map(drop))
        }),
        ("programme", "codes") => {
            assert!(parse_codes(bytes)?.rows.iter().all(Result::is_ok));
            Ok(())
        }
        ("programme", "block") => parse_block(bytes).map(drop),
        ("programme", "adjustment") => parse_adjustment(bytes, &programme).map(drop),
        ("programme", "adjustments") => parse_adjustments(bytes)?
            .iter()
            .try_for_each(|row| parse_row(row, &programme).map(drop)),
        // Read by the tests of the story.
        ("transit", "programme" | "participants" | "story") => Ok(()),
        _ => panic!("nothing reads {folder}/{kind}*.json"),
    }
}

fn expected(violations: &Path) -> BTreeSet<(String, String)> {
    let list: Vec<Value> = serde_json::from_slice(&fs::read(violations).unwrap()).unwrap();
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    let set: BTreeSet<_> =
        list.iter().map(|item| (text(item, "pointer"), text(item, "code"))).collect();
    assert_eq!(set.len(), list.len(), "{violations:?} names one twice");
    set
}

#[test]
fn every_sample_payload_is_accepted_or_refused_as_its_name_says() {
    let mut read_files = 0;
    let mut codes = BTreeSet::new();
    for folder in fs::read_dir(events()).unwrap().map(|folder| folder.unwrap()) {
        if folder.file_name() == "README.md" {
            continue;
        }
        let folder_name = folder.file_name().into_string().unwrap();
        for file in fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap()) {
            let name = file.file_name().into_string().unwrap();
            let place = format!("{folder_name}/{name}");
            let stem = name.strip_suffix(".json").or(name.strip_suffix(".csv"));
            let stem = stem.unwrap_or_else(|| panic!("{place}"));
            let kind = stem.split(['-', '.']).next().unwrap();
            let bytes = fs::read(file.path()).unwrap();
            read_files += 1;
            if let Some(stem) = stem.strip_suffix(".violations") {
                let refused = folder.path().join(format!("{stem}.refused.json"));
                assert!(refused.exists(), "{place} has no payload");
            } else if let Some(stem) = stem.strip_suffix(".refused") {
                let want = expected(&folder.path().join(format!("{stem}.violations.json")));
                let fault = read(&folder_name, kind, false, &bytes).expect_err(&place);
                let BodyFault::Invalid(violations) = fault else { panic!("{place}: {fault}") };
                let got: BTreeSet<_> = violations
                    .iter()
                    .map(|violation| (violation.pointer.clone(), violation.code.to_owned()))
                    .collect();
                assert_eq!(got, want, "{place}");
                assert_eq!(violations.len(), want.len(), "{place}: one is noted twice");
                codes.extend(got.into_iter().map(|(_, code)| code));
            } else {
                let with_key = stem.ends_with("-by-key");
                let outcome = read(&folder_name, kind, with_key, &bytes);
                assert_eq!(outcome, Ok(()), "{place}");
            }
        }
    }
    assert!(read_files > 40, "{read_files} files: is this the folder?");
    let missing: Vec<_> = code::ALL.iter().filter(|code| !codes.contains(**code)).collect();
    assert!(missing.is_empty(), "no sample payload is refused with {missing:?}");
}

#[test]
fn r22_no_message_repeats_an_identifier_or_a_code() {
    let secrets = ["4917", "7080-0XDW", "651242", "4711", "anna at example", "call me"];
    for place in [
        "event-ingestion/purchase-fields.refused.json",
        "event-ingestion/purchase-values.refused.json",
        "event-ingestion/purchase-pass.refused.json",
        "pass-redemption/redemption-digits.refused.json",
        "pass-redemption/update-pin.refused.json",
        "programme/participant-fields.refused.json",
        "programme/participant-aliases.refused.json",
        "programme/lookup-none.refused.json",
        "event-ingestion/purchase-alias.refused.json",
    ] {
        let (folder, name) = place.split_once('/').unwrap();
        let kind = name.split(['-', '.']).next().unwrap();
        let bytes = fs::read(events().join(place)).unwrap();
        let shown = format!("{:?}", read(folder, kind, false, &bytes).expect_err(place));
        for secret in secrets {
            assert!(!shown.contains(secret), "{place}: {shown}");
        }
    }
}

#[test]
fn every_sentence_of_a_refused_sample_is_the_one_that_is_told() {
    let mut sentences = 0;
    for folder in fs::read_dir(events()).unwrap().map(|folder| folder.unwrap().path()) {
        for file in fs::read_dir(&folder).into_iter().flatten().map(|file| file.unwrap().path()) {
            let name = file.file_name().unwrap().to_str().unwrap();
            let Some(stem) = name.strip_suffix(".violations.json") else { continue };
            let list: Vec<Value> = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
            let bytes = fs::read(folder.join(format!("{stem}.refused.json"))).unwrap();
            let folder = folder.file_name().unwrap().to_str().unwrap();
            let kind = stem.split('-').next().unwrap();
            let Err(BodyFault::Invalid(told)) = read(folder, kind, false, &bytes) else {
                panic!("{name} is not refused");
            };
            for want in list.iter().filter(|want| want.get("message").is_some()) {
                let found = told.iter().find(|violation| violation.pointer == want["pointer"]);
                let found = found.unwrap_or_else(|| panic!("{name}: {want}"));
                assert_eq!(found.message, want["message"], "{name}: {}", found.pointer);
                sentences += 1;
            }
        }
    }
    assert!(sentences >= 20, "{sentences} sentences");
}
