//! The language of segments: what it says, and what a manager is told who gets it wrong.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use domain::activity::{Goods, MAX_WATCHED, Watch};
use domain::amount::Amount;
use domain::id::{AreaId, OfferId, ProductId};
use domain::programme::Programme;
use domain::segment::{Bounds, Deed, Measure, Months, Predicate};
use domain::time::Duration;
use serde_json::{Value, json};
use wire::csv::definition_sha256;
use wire::fault::{BodyFault, Violation};
use wire::programme::parse_programme;

fn sample(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/programme");
    fs::read(folder.join(name)).unwrap()
}

/// A programme with one segment.
fn parsed(predicate: &Value) -> Result<Programme, BodyFault> {
    let document = json!({
        "name": "One segment", "time_zone": "Europe/Berlin",
        "currency": { "code": "EUR", "decimals": 2 },
        "balances": [{ "code": "points", "decimals": 0 }],
        "segments": [{ "id": "s", "where": predicate }],
    });
    parse_programme(document.to_string().as_bytes(), 1)
}

fn violations(fault: Result<Programme, BodyFault>) -> Vec<Violation> {
    match fault {
        Err(BodyFault::Invalid(violations)) => violations,
        other => panic!("{other:?}"),
    }
}

#[test]
fn r93_every_violation_of_the_sample_is_told_in_its_sentence() {
    for name in ["segments", "activity"] {
        let refused = sample(&format!("programme-{name}.refused.json"));
        let told = violations(parse_programme(&refused, 1));
        let told: Vec<Value> =
            told.iter().map(|violation| serde_json::to_value(violation).unwrap()).collect();
        let want = sample(&format!("programme-{name}.violations.json"));
        let want: Vec<Value> = serde_json::from_slice(&want).unwrap();
        assert_eq!(told, want, "{}", serde_json::to_string_pretty(&told).unwrap());
    }
}

/// What the sample asks of activity: no two alike, and what wallets keep for it.
#[test]
fn r93_the_sample_asks_for_activity_in_every_way() {
    let programme = parse_programme(&sample("programme-activity.json"), 1).unwrap();
    let hashes: BTreeSet<String> = programme.segments.iter().map(definition_sha256).collect();
    assert_eq!(hashes.len(), programme.segments.len());
    let members = |id: &str| {
        let found = programme.segments.iter().find(|segment| segment.id.as_str() == id);
        found.unwrap().members.clone()
    };
    let area = || Some(AreaId::parse("old-town").unwrap());
    let id = |text: &str| ProductId::parse(text).unwrap();
    let coffee = Watch::Purchases { goods: Some(Goods::Category(id("coffee"))), area: area() };
    let espresso = Watch::Purchases { goods: Some(Goods::Product(id("espresso"))), area: None };
    let welcome = Watch::Offer(OfferId::parse("welcome").unwrap());
    let of_area = Watch::Purchases { goods: None, area: area() };
    let watched = [of_area, espresso, coffee.clone(), welcome.clone()];
    assert_eq!(programme.watched, watched, "each once, in order");
    assert!(programme.counts_days, "one of them asks for days");
    let bounds = |least: Option<i64>, most: Option<i64>| Bounds {
        at_least: least.map(Amount),
        at_most: most.map(Amount),
    };
    let months = |count, ago| Months { count, ago };
    let half = Measure::Below { percent: 50, average_of: 3 };
    let cases = [
        ("sales-fell", Predicate::Activity(Deed::Sales, months(1, 0), half)),
        ("sales-fell-last-month", Predicate::Activity(Deed::Sales, months(1, 1), half)),
        (
            "sales-rose",
            Predicate::Activity(
                Deed::Sales,
                months(3, 0),
                Measure::Above { percent: 200, average_of: 9 },
            ),
        ),
        (
            "large-sales",
            Predicate::Activity(
                Deed::Sales,
                months(2, 0),
                Measure::Within(bounds(Some(10_000), Some(49_999))),
            ),
        ),
        ("coffee-in-the-old-town", Predicate::Watched(coffee, months(3, 0), bounds(Some(2), None))),
        (
            "no-welcome-yet",
            Predicate::Not(Box::new(Predicate::Watched(
                welcome,
                months(13, 0),
                bounds(Some(1), None),
            ))),
        ),
        (
            "bought-lately-and-spent-nothing",
            Predicate::All(vec![
                Predicate::BoughtWithin(14, bounds(Some(1), None)),
                Predicate::Activity(
                    Deed::Spent,
                    months(1, 0),
                    Measure::Within(bounds(None, Some(0))),
                ),
            ]),
        ),
        ("lost", Predicate::LastEventBefore(Duration::parse("P90D").unwrap())),
    ];
    for (segment, want) in cases {
        assert_eq!(members(segment), want, "{segment}");
    }
    assert!(programme.segments.iter().all(|segment| {
        segment.members.asks_profile() == (segment.id.as_str() == "savers-with-mail")
    }));
}

/// A wallet keeps a bounded number of things: a programme that asks for more is refused.
#[test]
fn r93_a_programme_watches_a_bounded_number_of_things() {
    let bought = |number: usize| {
        let goods = json!({ "product": format!("p-{number}") });
        json!({ "bought": goods, "during": "P1M", "at_least": 1 })
    };
    // The same again is the same.
    let asks = |things: usize| json!({ "any": (0..=things).map(|at| bought(at % things)).collect::<Vec<_>>() });
    assert_eq!(parsed(&asks(MAX_WATCHED)).unwrap().watched.len(), MAX_WATCHED);
    let told = violations(parsed(&asks(MAX_WATCHED + 1)));
    let want = (
        "/segments",
        "length",
        "ask for 33 different goods, areas and offers, and wallets keep at most 32",
    );
    assert_eq!((told[0].pointer.as_str(), told[0].code, told[0].message.as_str()), want);
    assert_eq!(told.len(), 1);
}

#[test]
fn r93_the_sample_has_every_predicate_and_no_two_segments_are_alike() {
    let programme = parse_programme(&sample("programme-segments.json"), 1).unwrap();
    let hashes: BTreeSet<String> = programme.segments.iter().map(definition_sha256).collect();
    assert_eq!(hashes.len(), programme.segments.len());
    let again = parse_programme(&sample("programme-segments.json"), 2).unwrap();
    assert_eq!(hashes, again.segments.iter().map(definition_sha256).collect());
    let asks = |id: &str| {
        let found = programme.segments.iter().find(|segment| segment.id.as_str() == id).unwrap();
        found.members.asks_profile()
    };
    let of_wallets = ["everybody", "small-savers", "soon-more", "use-or-lose", "gone-quiet"];
    for segment in &programme.segments {
        let id = segment.id.as_str();
        assert_eq!(asks(id), !of_wallets.contains(&id), "{id}");
    }
}

#[test]
fn r93_a_name_that_looks_like_the_notation_is_a_name() {
    let hash = |predicate: Value| definition_sha256(&parsed(&predicate).unwrap().segments[0]);
    let alike = [
        json!({ "all": [{ "tag": "a" }, { "tag": "b" }] }),
        json!({ "all": [{ "tag": "a\"),tag(\"b" }] }),
        json!({ "all": [{ "all": [{ "tag": "a" }] }, { "tag": "b" }] }),
        json!({ "any": [{ "tag": "a" }, { "tag": "b" }] }),
        json!({ "area": ["a", "b"] }),
        json!({ "area": ["a\", \"b"] }),
        json!({ "flag": "a", "is": false }),
        json!({ "flag": "a=false" }),
        json!({ "age": { "from": 18 } }),
        json!({ "age": { "to": 18 } }),
        json!({ "balance": "points", "at_least": "1" }),
        json!({ "balance": "points", "at_most": "1" }),
        json!({ "pending": "points", "at_least": "1" }),
        json!({ "birthday_within": "P7D" }),
        json!({ "name_day_within": "P7D" }),
        json!({ "last_event_within": "P7D" }),
        json!({ "last_event_within": "P7M" }),
    ];
    let hashes: BTreeSet<String> = alike.iter().cloned().map(hash).collect();
    assert_eq!(hashes.len(), alike.len());
}

#[test]
fn r93_groups_are_bounded_in_depth_and_in_number() {
    let nested =
        |depth: usize| (1..depth).fold(json!({ "tag": "vip" }), |inner, _| json!({ "not": inner }));
    assert!(parsed(&nested(10)).is_ok());
    let told = violations(parsed(&nested(11)));
    let place = format!("/segments/0/where{}", "/not".repeat(10));
    assert_eq!((told[0].pointer.as_str(), told[0].code, told.len()), (place.as_str(), "length", 1));
    // The reader goes no deeper than it accepts.
    assert_eq!(violations(parsed(&nested(60))).len(), 1);

    let group = |members: usize| json!({ "any": vec![json!({ "tag": "vip" }); members] });
    let wide = |groups: usize, rest: usize| {
        let mut all = vec![group(49); groups];
        all.extend(vec![json!({ "blocked": false }); rest]);
        json!({ "all": all })
    };
    // 1 + 3 * 50 + 47 predicates, and one too many: 1 + 4 * 50.
    assert!(parsed(&wide(3, 47)).is_ok());
    let told = violations(parsed(&wide(4, 0)));
    let want = ("/segments/0/where", "length", "must have at most 200 predicates in all");
    assert_eq!((told[0].pointer.as_str(), told[0].code, told[0].message.as_str()), want);
    assert_eq!(told.len(), 1);
    assert_eq!(violations(parsed(&group(51)))[0].pointer, "/segments/0/where/any");
}

#[test]
fn r93_what_is_said_is_what_is_meant() {
    let read = |predicate: Value| parsed(&predicate).unwrap().segments[0].members.clone();
    let vip = || Predicate::Tag("vip".into());
    let cases = [
        (json!({ "all": [] }), Predicate::All(vec![])),
        (json!({ "any": [{ "tag": "vip" }] }), Predicate::Any(vec![vip()])),
        (json!({ "not": { "tag": "vip" } }), Predicate::Not(Box::new(vip()))),
        (json!({ "flag": "staff" }), Predicate::Flag("staff".into(), true)),
        (json!({ "flag": "staff", "is": false }), Predicate::Flag("staff".into(), false)),
        (json!({ "age": { "from": 18, "to": null } }), Predicate::Age { from: Some(18), to: None }),
        (json!({ "blocked": false }), Predicate::Blocked(false)),
    ];
    for (predicate, want) in cases {
        assert_eq!(read(predicate.clone()), want, "{predicate}");
    }
}
