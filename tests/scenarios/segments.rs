//! Segments as a programme manager writes them, and exactly their members in the export.

use std::collections::BTreeMap;
use std::io::Read;

use chrono::{Datelike, Days, Months, NaiveDate, Utc};
use flate2::read::GzDecoder;
use scenarios::client::key;
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::calls::{posted, read};
use crate::desk::{built, credit, purchase, sample};

/// The transit programme with the sample's segments: gifts expire after 20 days, nothing else is
/// awarded.
async fn stack() -> Stack {
    built().await;
    let stack = Stack::start().await.unwrap();
    let mut programme = sample("transit/programme.json");
    programme["segments"] = sample("programme/programme-segments.json")["segments"].take();
    programme["offers"] = json!([]);
    programme["pass_plans"][0]["expires"] = json!({ "after": "P20D" });
    let put = stack.client.put("/v1/programme", &programme).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    stack
}

async fn register(stack: &Stack, name: &str, profile: Value, opted_in: bool) {
    let mut profile = profile;
    profile["email"] = json!(format!("{name}@example.org"));
    let consent = json!({ "channel": "email", "granted": opted_in, "at": "2026-01-01T00:00:00Z" });
    let body = json!({ "profile": profile, "consents": [consent] });
    let answer = stack.client.put(&format!("/v1/participants/{name}"), &body).await.unwrap();
    assert!(answer.status < 300, "{answer:?}");
}

/// A day of the year so many days ahead, as a birthday in a leap year.
fn birthday(ahead: u64) -> NaiveDate {
    let coming = Utc::now().date_naive() + Days::new(ahead);
    coming.with_year(1980).unwrap()
}

/// Exports these segments; for each the names in its files, and how many members there are with
/// those who did not opt in.
async fn exported(stack: &Stack, segments: &[&str]) -> BTreeMap<String, (Vec<String>, u64)> {
    let mut started = Vec::new();
    for segment in segments {
        let path = format!("/v1/segments/{segment}/exports");
        let answer = stack.client.post(&path, &key(), &json!({ "mode": "full" })).await.unwrap();
        assert_eq!(answer.status, 202, "{segment}: {answer:?}");
        started.push((segment.to_string(), answer.text("/export_id").to_owned()));
    }
    assert_eq!(stack.idle().await.unwrap().status, 200);
    let mut members = BTreeMap::new();
    for (segment, id) in started {
        let export = read(stack, &format!("/v1/exports/{id}")).await;
        let mut names = Vec::new();
        for file in export["files"].as_array().unwrap() {
            if file["name"].as_str().unwrap().contains("/add-") {
                let bytes = stack.client.fetch(file["url"].as_str().unwrap()).await.unwrap();
                let mut rows = String::new();
                GzDecoder::new(bytes.as_slice()).read_to_string(&mut rows).unwrap();
                let rows = rows.lines().skip(1);
                names.extend(rows.map(|row| row.split(',').next().unwrap().to_owned()));
            }
        }
        names.sort();
        let status = if names.is_empty() { "refused" } else { "completed" };
        assert_eq!(export["status"], status, "{segment}: {export}");
        members.insert(segment, (names, export["counts"]["members"].as_u64().unwrap()));
    }
    members
}

#[tokio::test(flavor = "multi_thread")]
async fn r93_an_export_holds_exactly_the_members_of_its_segment() {
    let stack = stack().await;
    let sixteen = Utc::now().date_naive() - Months::new(16 * 12 + 6);
    let soon = birthday(2).format("%m-%d").to_string();
    let anna = json!({ "tags": ["vip"], "flags": { "staff": true }, "area": "north",
        "locale": "de-AT", "birthday": birthday(3).to_string() });
    let ben = json!({ "tags": ["commuter"], "area": "Ostsee", "locale": "fr",
        "birthday": sixteen.to_string() });
    let cleo = json!({ "flags": { "pensioner": true }, "area": "south", "name_day": soon });
    let dora = json!({ "tags": ["vip"], "area": "north", "birthday": birthday(100).to_string() });
    let emil = json!({ "flags": { "staff": false }, "birthday": birthday(100).to_string() });
    let people = [("anna", anna, 5), ("ben", ben, 0), ("cleo", cleo, 1), ("dora", dora, 0)];
    for (name, profile, passes) in people.into_iter().chain([("emil", emil, 3)]) {
        register(&stack, name, profile, name != "dora").await;
        credit(&stack, name, passes).await;
    }
    posted(&stack, &purchase("ben", "12.00")).await;
    let blocked = json!({ "blocked": true, "reason": "dispute" });
    let path = "/v1/participants/emil/block-spending";
    assert_eq!(stack.client.post(path, &key(), &blocked).await.unwrap().status, 200);

    // Segment, who is written to, how many members there are with Dora, who did not opt in.
    let cases: [(&str, &[&str], u64); 14] = [
        ("everybody", &["anna", "ben", "cleo", "emil"], 5),
        ("mail-ready", &["anna"], 1),
        ("small-savers", &[], 0),
        ("soon-more", &[], 0),
        ("use-or-lose", &["anna"], 1),
        ("friends-of-the-house", &["anna", "cleo"], 3),
        ("guests", &["ben", "cleo", "emil"], 3),
        ("northerners", &["anna", "ben"], 3),
        ("grown-up", &["anna", "emil"], 3),
        ("young", &["ben"], 1),
        ("birthday-letter", &["anna"], 1),
        ("name-day-letter", &["cleo"], 1),
        ("ask-for-the-birthday", &["cleo"], 1),
        ("gone-quiet", &["anna", "cleo", "emil"], 4),
    ];
    let found = exported(&stack, &cases.map(|(segment, ..)| segment)).await;
    for (segment, names, members) in cases {
        let want = (names.iter().map(ToString::to_string).collect(), members);
        assert_eq!(found[segment], want, "{segment}");
    }

    // A profile that is sent again replaces the one before, and who withdraws is left out.
    register(&stack, "anna", json!({ "area": "south" }), true).await;
    let withdrawn = json!({ "consents": [
        { "channel": "email", "granted": false, "at": "2026-01-02T00:00:00Z" }] });
    stack.client.put("/v1/participants/ben", &withdrawn).await.unwrap();
    let found = exported(&stack, &["northerners", "friends-of-the-house", "guests"]).await;
    assert_eq!(found["northerners"], (vec![], 2));
    assert_eq!(found["friends-of-the-house"], (vec!["cleo".to_owned()], 2));
    assert_eq!(found["guests"], (vec!["anna".into(), "cleo".into(), "emil".into()], 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn r93_a_segment_that_says_nothing_sensible_is_refused_with_the_whole_document() {
    let stack = stack().await;
    let before = read(&stack, "/v1/programme").await;
    let refused = sample("programme/programme-segments.refused.json");
    let answer = stack.client.put("/v1/programme", &refused).await.unwrap();
    assert_eq!((answer.status, answer.text("/code")), (422, "invalid"), "{answer:?}");
    assert_eq!(answer.body["violations"], sample("programme/programme-segments.violations.json"));
    assert_eq!(read(&stack, "/v1/programme").await, before);
}
