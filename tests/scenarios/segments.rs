//! Segments as a programme manager writes them, and exactly their members in the export.

use std::collections::BTreeMap;
use std::io::Read;

use chrono::{Datelike, Days, Months, NaiveDate, Utc};
use flate2::read::GzDecoder;
use scenarios::client::key;
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::calls::{cancel, posted, read, set_clock, spend, spend_of};
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

/// Somebody buys at a till, at a time, for so much, of a category; answers the event's id.
async fn buys(stack: &Stack, who: &str, at: &str, net: &str, goods: &str, unit: &str) -> String {
    let mut event = purchase(who, net);
    event["performed_on"] = json!(at);
    event["lines"][0]["category"] = json!(goods);
    event["unit"] = json!(unit);
    posted(stack, &event).await
}

async fn gets(stack: &Stack, who: &str, points: u32, until: &str) {
    let path = format!("/v1/participants/{who}/adjustments");
    let amount = points.to_string();
    let body = json!({ "balance": "points", "amount": amount, "reason": "x", "expires": until });
    let answer = stack.client.post(&path, &key(), &body).await.unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
}

/// The segments by activity, at the beginning of a November of the programme's zone.
#[tokio::test(flavor = "multi_thread")]
async fn r93_segments_by_activity_follow_purchases_spends_and_cancels() {
    built().await;
    let stack = Stack::start().await.unwrap();
    let mut programme = sample("programme/programme-activity.json");
    programme["definition"] = sample("transit/programme.json")["definition"].take();
    programme["definition"]["spend"] = json!({ "requires_purchase": false, "balance": "points" });
    programme["classifications"] = sample("transit/programme.json")["classifications"].take();
    let put = stack.client.put("/v1/programme", &programme).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    set_clock(&stack, "2027-11-20T12:00:00+01:00").await;
    for name in ["ada", "bob", "cyd", "a-2"] {
        register(&stack, name, json!({}), name != "cyd").await;
    }
    // Half of what Ada bought in October fell into November, by the clock of the zone.
    for (at, net) in [
        ("2027-08-10T10:00:00Z", "100.00"),
        ("2027-09-10T10:00:00Z", "100.00"),
        ("2027-10-31T22:59:59Z", "100.00"),
        ("2027-10-31T23:00:00Z", "49.99"),
    ] {
        buys(&stack, "ada", at, net, "tea", "shop-9").await;
    }
    let last = buys(&stack, "bob", "2027-11-02T10:00:00Z", "3.00", "coffee", "shop-1").await;
    buys(&stack, "bob", "2027-10-02T10:00:00Z", "3.00", "coffee", "shop-2").await;
    buys(&stack, "cyd", "2027-11-02T10:00:00Z", "3.00", "coffee", "shop-9").await;
    assert_eq!(spend(&stack, &key(), &spend_of("bob", 5, None)).await.status, 201);
    gets(&stack, "ada", 50, "2027-12-20").await;
    gets(&stack, "bob", 50, "2027-12-21").await;
    gets(&stack, "bob", 1_000, "2028-12-31").await;
    let segments = [
        "bought-and-spent-nothing",
        "sales-fell",
        "points-expire",
        "savers-with-mail",
        "coffee-in-the-old-town",
        "jury",
        "no-welcome-yet",
    ];
    let cases: [(&str, &[&str], u64); 7] = [
        ("bought-and-spent-nothing", &["ada"], 2),
        ("sales-fell", &["ada"], 1),
        ("points-expire", &["ada"], 1),
        ("savers-with-mail", &["bob"], 1),
        ("coffee-in-the-old-town", &["bob"], 1),
        ("jury", &["a-2"], 1),
        ("no-welcome-yet", &["a-2"], 1),
    ];
    let found = exported(&stack, &segments).await;
    for (segment, names, members) in cases {
        let want = (names.iter().map(ToString::to_string).collect(), members);
        assert_eq!(found[segment], want, "{segment}");
    }

    // A cent more, and one coffee less.
    buys(&stack, "ada", "2027-11-05T10:00:00Z", "0.01", "tea", "shop-9").await;
    assert_eq!(cancel(&stack, &last, &key()).await.status, 200);
    let found = exported(&stack, &["sales-fell", "coffee-in-the-old-town"]).await;
    assert_eq!(found["sales-fell"], (vec!["bob".into()], 1), "who bought in October only");
    assert_eq!(found["coffee-in-the-old-town"], (vec![], 0));

    // Fourteen days, today included, began with the seventh; and whoever spent this month is out.
    let lately = "bought-lately-and-spent-nothing";
    buys(&stack, "bob", "2027-11-19T10:00:00Z", "3.00", "tea", "shop-9").await;
    buys(&stack, "ada", "2027-11-06T22:59:59Z", "0.01", "tea", "shop-9").await;
    assert_eq!(exported(&stack, &[lately]).await[lately], (vec![], 0));
    let bought = buys(&stack, "ada", "2027-11-06T23:00:00Z", "0.01", "tea", "shop-9").await;
    assert_eq!(exported(&stack, &[lately]).await[lately], (vec!["ada".into()], 1));
    assert_eq!(cancel(&stack, &bought, &key()).await.status, 200);
    assert_eq!(exported(&stack, &[lately]).await[lately], (vec![], 0));
    // What is kept of somebody is told to them.
    let data = read(&stack, "/v1/participants/ada/data").await;
    let days = data["activity"]["days"].as_array().unwrap();
    assert_eq!(days.last(), Some(&json!(["2027-11-06", 1])), "{data}");
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
