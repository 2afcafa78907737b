//! Alerts of the programme document, and what their feeds are told.

use domain::alert::{Alert, Turn};
use domain::amount::Amount;
use domain::feed::TargetUrl;
use domain::id::{AlertId, FeedId, SegmentId};
use domain::run::RunKind;
use domain::time::{Month, parse_instant};
use serde_json::Value;
use wire::fault::BodyFault;
use wire::feed::{self, FeedMessage};
use wire::programme::parse_programme;

use crate::answers::participant;

fn read(name: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
    std::fs::read(folder.join(name)).unwrap()
}

#[test]
fn r97_the_sample_says_of_whom_which_target_is_told() {
    let programme = parse_programme(&read("programme/programme-alerts.json"), 1).unwrap();
    let alert = |id, segment, feed, tells_first| Alert {
        id: AlertId::parse(id).unwrap(),
        segment: SegmentId::parse(segment).unwrap(),
        feed: FeedId::parse(feed).unwrap(),
        tells_first,
    };
    let want = [
        alert("sales-drop", "sales-halved", "managers", false),
        alert("blocked", "blocked", "crm", true),
    ];
    assert_eq!(programme.alerts, want);
    assert_eq!(programme.runs[0].does, RunKind::Alerts);
    assert_eq!(programme.alerts_of(&want[0].feed), [want[0].id.clone()]);
    let managers = programme.feed(&want[0].feed).unwrap();
    assert!(!managers.wants_participants(), "what a wallet does is nothing to whom alerts go");
}

#[test]
fn r97_every_violation_of_the_sample_is_told_in_its_sentence() {
    let refused = parse_programme(&read("programme/programme-alerts.refused.json"), 1);
    let Err(BodyFault::Invalid(violations)) = refused else { panic!("{refused:?}") };
    let told = violations.iter().map(|violation| serde_json::to_value(violation).unwrap());
    let told = Value::Array(told.collect());
    let want: Value =
        serde_json::from_slice(&read("programme/programme-alerts.violations.json")).unwrap();
    assert_eq!(told, want, "{}", serde_json::to_string_pretty(&told).unwrap());
}

/// Somebody joins by their sales, leaves again, and joins where no sales are looked at.
fn messages() -> Vec<FeedMessage> {
    let programme = parse_programme(&read("programme/programme-alerts.json"), 1).unwrap();
    let months = |list: &[(&str, i64)]| {
        list.iter().map(|(month, cents)| (Month::parse(month).unwrap(), Amount(*cents))).collect()
    };
    let turn = |sequence, joined, at, segment, sales| Turn {
        sequence,
        joined,
        is_told: true,
        at: parse_instant(at).unwrap(),
        segment: SegmentId::parse(segment).unwrap(),
        sales,
    };
    let fell = [("2026-08", 10_000), ("2026-09", 9_000), ("2026-10", 0), ("2026-11", 2_000)];
    let rose = [("2026-09", 9_000), ("2026-10", 0), ("2026-11", 2_000), ("2026-12", 8_000)];
    let turns = [
        turn(1, true, "2026-12-01T06:00:00+01:00", "sales-halved", months(&fell)),
        turn(2, false, "2027-01-01T06:00:00+01:00", "sales-halved", months(&rose)),
    ];
    let alerts = [(&programme.alerts[0].id, &turns[0]), (&programme.alerts[0].id, &turns[1])];
    let blocked = turn(7, true, "2027-01-01T06:00:00+01:00", "blocked", vec![]);
    let all = alerts.into_iter().chain([(&programme.alerts[1].id, &blocked)]);
    all.map(|(alert, turn)| feed::alert(&programme, &participant(), alert, turn)).collect()
}

#[test]
fn r97_a_webhook_is_sent_what_the_sample_shows() {
    let programme = parse_programme(&read("programme/programme-alerts.json"), 1).unwrap();
    let managers = programme.feed(&programme.alerts[0].feed).unwrap();
    let body = feed::webhook(managers, &messages()).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let want: Value = serde_json::from_slice(&read("crm-feed/webhook-alerts.json")).unwrap();
    assert_eq!(body, want, "{}", serde_json::to_string_pretty(&body).unwrap());
}

/// One row for each participant and alert: the last turn is how it stands.
#[test]
fn r97_dataverse_has_a_row_that_says_how_an_alert_stands() {
    let org = TargetUrl::parse("https://org.crm4.dynamics.com").unwrap();
    let batch = feed::dataverse::batch(&org, &messages()).unwrap();
    let text = String::from_utf8(batch.body).unwrap();
    let rows: Vec<Value> = text
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let keys: Vec<&str> = text.split("accrue_alerts(accrue_key='").skip(1).collect();
    let keys: Vec<&str> = keys.iter().map(|rest| rest.split('\'').next().unwrap()).collect();
    assert_eq!(keys, ["c-1%3Asales-drop", "c-1%3Asales-drop", "c-1%3Ablocked"]);
    let joined: Vec<&Value> = rows.iter().map(|row| &row["accrue_joined"]).collect();
    assert_eq!(joined, [true, false, true]);
    let sales: Value = serde_json::from_str(rows[1]["accrue_sales"].as_str().unwrap()).unwrap();
    assert_eq!(sales[3], serde_json::json!({ "month": "2026-12", "amount": "80.00" }));
    assert_eq!(
        (&rows[1]["accrue_currency"], &rows[1]["accrue_sequence"]),
        (&"EUR".into(), &2.into())
    );
    assert_eq!(
        (&rows[2]["accrue_currency"], &rows[2]["accrue_sales"]),
        (&Value::Null, &"[]".into())
    );
}
