//! Export files to the byte, and problem details.

use domain::export::{Dialect, Mode, Op, Told};
use domain::id::{ParticipantId, RunId, SegmentId};
use domain::participant::{Consent, Participant, Profile};
use domain::programme::Programme;
use domain::segment::Segment;
use domain::wallet::Wallet;
use serde_json::{Value, json};
use wire::csv::dialect::{columns, write_header, write_row};
use wire::csv::{Counts, ExportRow, ManifestFile, Telling, manifest, parse_told, write_told};
use wire::fault::Violation;
use wire::problem::Problem;

use crate::answers::{at, now, participant, programme, shown, wallet};

pub fn segment(programme: &Programme) -> &Segment {
    programme.segment(&SegmentId::parse("mail-ready").unwrap()).unwrap()
}

/// Anna, who opted in or out.
pub fn anna(granted: bool) -> Participant {
    let mut known = Participant::default();
    let profile = Profile {
        first_name: Some("=Anna, \"A\"".into()),
        last_name: Some("Bäcker".into()),
        email: Some("anna@example.org".into()),
        locale: Some("de-DE".into()),
        ..Profile::default()
    };
    let consent = Consent {
        granted,
        at: at("2026-11-01T08:00:00Z"),
        source: Some("web".into()),
        process: None,
    };
    known.update(profile, vec![("email".into(), consent)]);
    known
}

pub fn addressed(programme: &Programme, known: &Participant, wallet: &Wallet) -> ExportRow {
    ExportRow::addressed(programme, segment(programme), &participant(), known, wallet, now())
}

pub fn suppressed(programme: &Programme, known: &Participant) -> ExportRow {
    let segment = segment(programme);
    ExportRow::suppressed(programme, &segment.id, &participant(), known, now())
}

/// A file with one row.
pub fn file(dialect: Dialect, op: Op, row: ExportRow) -> String {
    let mut file = Vec::new();
    write_header(&mut file, dialect, op).unwrap();
    write_row(&mut file, dialect, op, &row.doing(op)).unwrap();
    String::from_utf8(file).unwrap()
}

const HEADER: &str = "external_id,email,optin_email,optin_source,optin_at,optin_process,locale,\
    time_zone,first_name,last_name,segment_id,op,balance_available,balance_pending,\
    next_expiry_at,next_expiry_amount,last_event_at,as_of\n";

#[test]
fn r94_the_canonical_csv_is_what_the_contract_says_to_the_byte() {
    let programme = programme();
    let segment = segment(&programme);
    let gone = ExportRow::removed(&programme, &segment.id, &participant(), None, now());
    let cases = [
        (
            Op::Add,
            addressed(&programme, &anna(true), &wallet()),
            "c-1,anna@example.org,true,web,2026-11-01T09:00:00+01:00,,de-DE,,\
             \"'=Anna, \"\"A\"\"\",Bäcker,mail-ready,add,105,30,2027-01-01T00:00:00+01:00,130,\
             2026-11-20T08:30:00+01:00,2026-11-21T12:00:00+01:00\n",
        ),
        (
            Op::Suppress,
            suppressed(&programme, &anna(false)),
            "c-1,anna@example.org,false,web,2026-11-01T09:00:00+01:00,,,,,,mail-ready,suppress,\
             ,,,,,2026-11-21T12:00:00+01:00\n",
        ),
        (Op::Remove, gone, "c-1,,,,,,,,,,mail-ready,remove,,,,,,2026-11-21T12:00:00+01:00\n"),
    ];
    for (op, row, want) in cases {
        assert_eq!(file(Dialect::Canonical, op, row), format!("{HEADER}{want}"));
    }
}

#[test]
fn r94_a_text_that_a_spreadsheet_takes_for_a_formula_is_neutralised_and_a_number_is_not() {
    let programme = programme();
    let cases = [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("Anna=Maria", "Anna=Maria"),
        ("", ""),
    ];
    for (text, want) in cases {
        let mut known = Participant::default();
        let own = || Some(text.into());
        let profile = Profile {
            first_name: own(),
            last_name: own(),
            email: own(),
            locale: own(),
            time_zone: own(),
            ..Profile::default()
        };
        let consent = Consent { granted: true, at: now(), source: own(), process: own() };
        known.update(profile, vec![("email".into(), consent)]);
        let row = addressed(&programme, &known, &Wallet::default());
        let cells = [
            &row.first_name,
            &row.last_name,
            &row.email,
            &row.locale,
            &row.time_zone,
            &row.optin_source,
            &row.optin_process,
        ];
        assert!(cells.iter().all(|cell| *cell == want), "{text:?}: {cells:?}");
        assert_eq!(row.balance_available, "0");
    }
    // An id may begin with a hyphen, and stays the id that it is: its alphabet makes no formula.
    let id = ParticipantId::parse("-1").unwrap();
    let row = ExportRow::removed(&programme, &segment(&programme).id, &id, None, now());
    assert_eq!(row.external_id, "-1");
}

#[test]
fn r94_a_digest_tells_rows_apart_but_not_what_they_do_and_when() {
    let programme = programme();
    let row = addressed(&programme, &anna(true), &wallet());
    let later = ExportRow { op: "change", as_of: "later".into(), ..row.clone() };
    assert_eq!(row.digest(), later.digest());
    let other = |change: fn(&mut ExportRow)| {
        let mut other = row.clone();
        change(&mut other);
        other.digest()
    };
    let others = [
        other(|row| row.email.push('x')),
        other(|row| row.optin_at.clear()),
        other(|row| row.balance_available = "106".into()),
        other(|row| (row.first_name, row.last_name) = ("ab".into(), "c".into())),
        other(|row| (row.first_name, row.last_name) = ("a".into(), "bc".into())),
    ];
    for (at, digest) in others.iter().enumerate() {
        assert_ne!(*digest, row.digest(), "{at}");
        assert!(!others[..at].contains(digest), "{at}");
    }
}

#[test]
fn r94_what_an_export_told_is_read_as_it_was_written() {
    for suppressed in [false, true] {
        let told = Told { participant: participant(), suppressed, digest: 17, consent_at: -5 };
        let mut line = Vec::new();
        write_told(&mut line, &told).unwrap();
        let line = String::from_utf8(line).unwrap();
        assert_eq!(parse_told(line.strip_suffix('\n').unwrap()), Some(told));
    }
    for bad in ["", "c-1", "c-1 perhaps 0 0", "c-1 addressed x 0", "c-1 addressed 0 0 0"] {
        assert_eq!(parse_told(bad), None, "{bad}");
    }
}

#[test]
fn r94_a_manifest_says_what_the_files_hold() {
    let programme = programme();
    let run = RunId::parse("export-1").unwrap();
    let (as_of, dialect) = (now(), Dialect::Braze);
    let segment = segment(&programme);
    let file =
        |op: Op, name: &str| ManifestFile::new(dialect, op, name.to_owned(), (1, 200), "00".into());
    let files = vec![file(Op::Add, "add-0.csv.gz"), file(Op::Remove, "remove-0.csv.gz")];
    let counts = Counts { members: 1, added: 1, removed: 1, ..Counts::default() };
    let (mode, base) = (Mode::Delta, Some("export-0"));
    let telling = Telling { programme: &programme, segment, run: &run, as_of, mode, dialect, base };
    let mut manifest = shown(manifest(&telling, files, counts));
    assert_eq!(manifest["segment"]["definition_sha256"].as_str().unwrap().len(), 64);
    manifest["segment"]["definition_sha256"] = Value::Null;
    assert_eq!(manifest["columns"], json!(columns(dialect, Op::Add)));
    manifest["columns"] = Value::Null;
    let want = json!({
        "schema_version": 1, "segment": { "id": "mail-ready", "definition_sha256": null },
        "run_id": "export-1", "mode": "delta", "base_run_id": "export-0", "dialect": "braze",
        "as_of": "2026-11-21T12:00:00+01:00", "columns": null,
        "files": [
            { "name": "add-0.csv.gz", "op": "add", "rows": 1, "bytes": 200, "sha256": "00" },
            { "name": "remove-0.csv.gz", "op": "remove", "rows": 1, "bytes": 200, "sha256": "00",
              "columns": ["external_id"] },
        ],
        "counts": { "members": 1, "added": 1, "changed": 0, "removed": 1, "suppressed": 0,
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
