//! Export files to the byte, and problem details.

use domain::id::{RunId, SegmentId};
use domain::participant::{Consent, Participant, Profile};
use domain::wallet::Wallet;
use serde_json::{Value, json};
use wire::csv::{Counts, ExportRow, ManifestFile, Op, full_manifest, header, write_row};
use wire::fault::Violation;
use wire::problem::Problem;

use crate::answers::{at, now, participant, programme, shown, wallet};

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
