//! Bodies: every route × every way to break it, and that nothing comes of it.

use serde_json::{Value, json};

use super::{Route, Victim, assert_problem, violations};

/// What is not JSON.
fn not_json() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a word", b"nope".to_vec()),
        ("half an object", b"{".to_vec()),
        ("no value", b"{\"a\":}".to_vec()),
        ("a comma too many", b"{\"a\":1,}".to_vec()),
        ("two documents", b"{}{}".to_vec()),
        ("more after it", b"{} x".to_vec()),
        ("other quotes", b"{'a': 1}".to_vec()),
        ("not a number", b"NaN".to_vec()),
        ("a form", b"participant_id=1&amount=2".to_vec()),
        ("a byte order mark", b"\xef\xbb\xbf{}".to_vec()),
        ("no UTF-8", b"\xff\xfe{}".to_vec()),
        ("no UTF-8 in a text", b"{\"a\": \"\xc3\x28\"}".to_vec()),
        ("half a surrogate", b"{\"a\": \"\\ud800\"}".to_vec()),
        ("a NUL", b"\0".to_vec()),
        ("a NUL in a text", b"{\"a\": \"\0\"}".to_vec()),
        ("a forged number", b"{\"$serde_json::private::Number\": \"x\"}".to_vec()),
        ("a forged text", b"{\"$serde_json::private::RawValue\": \"[\"}".to_vec()),
        ("deep lists", b"[".repeat(100_000)),
        ("deep objects", b"{\"a\":".repeat(100_000)),
    ]
}

/// Values that no field takes, whatever it is.
fn never() -> Vec<Value> {
    let digits = "9".repeat(400);
    let numbers = ["1e400", "-1", "-0.5", "1e-400", digits.as_str()];
    let mut values: Vec<Value> =
        numbers.iter().map(|number| serde_json::from_str(number).unwrap()).collect();
    values.extend([json!({ "a": { "b": [1] } }), json!([[]]), json!("\u{0}\u{1}\u{7f}")]);
    values.push(json!("x".repeat(5_000)));
    values
}

/// Replacements for the value at a place: other types, and what is beyond every limit.
fn replacements(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(_) => vec![json!([]), json!("x"), json!(true), json!(1)],
        Value::Array(_) => vec![json!({}), json!("x"), json!(true), json!(1)],
        Value::Bool(_) => never(),
        Value::Null | Value::Number(_) | Value::String(_) => [never(), vec![json!(true)]].concat(),
    }
}

/// JSON pointers of all values within a value, itself included.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| places(field, &format!("{at}/{name}"), out));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, item)| places(item, &format!("{at}/{index}"), out));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Every way to break a good body by one value, with the place that is then at fault.
fn broken(good: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let mut places_of = Vec::new();
    places(good, "", &mut places_of);
    // Of a document with hundreds of places, each is broken in three ways.
    let ways = if places_of.len() > 100 { 3 } else { usize::MAX };
    for place in places_of {
        let value = good.pointer(&place).unwrap();
        for replacement in replacements(value).into_iter().rev().take(ways) {
            // A pattern may have any character.
            if place.ends_with("/regex") && replacement.is_string() {
                continue;
            }
            let mut body = good.clone();
            *body.pointer_mut(&place).unwrap() = replacement;
            all.push((place.clone(), body));
        }
        if value.is_object() {
            let mut body = good.clone();
            body.pointer_mut(&place).unwrap()["card number"] = json!(1);
            all.push((format!("{place}/card number"), body));
            let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
            let mut body = good.clone();
            body.pointer_mut(&place).unwrap()["deep"] = deep;
            all.push((format!("{place}/deep"), body));
        }
    }
    all
}

fn names(problem: &Value, place: &str) -> bool {
    let within = format!("{place}/");
    let violations = violations(problem);
    violations.iter().any(|(pointer, _)| pointer == place || pointer.starts_with(&within))
}

async fn all_are_refused(victim: &Victim, route: &Route) {
    let of = |what: &str| format!("{} {} with {what}", route.method, route.path);
    for (what, body) in not_json() {
        assert_problem(&victim.send(route, &body).await, 400, "malformed_json", &of(what));
    }
    for empty in ["", " \n"] {
        if !route.may_be_empty {
            let answer = victim.send(route, empty.as_bytes()).await;
            let export = route.path.ends_with("/exports");
            let (status, code) = if export { (422, "invalid") } else { (400, "malformed_json") };
            assert_problem(&answer, status, code, &of("an empty body"));
        }
    }
    for (place, body) in broken(&route.body) {
        let answer = victim.send(route, body.to_string().as_bytes()).await;
        let rows = ["/events/0", "/adjustments/0"];
        let row = rows.iter().find(|row| place.starts_with(**row));
        if let Some(row) = row {
            assert_eq!(answer.status, route.good, "{}", of(&place));
            let outcome = &answer.body["outcomes"][0];
            assert_eq!(outcome["status"], json!(422), "{}: {outcome}", of(&place));
            let place = place.trim_start_matches(row);
            assert!(names(&outcome["problem"], place), "{}: {outcome}", of(place));
        } else {
            let what = format!("{}{body}", of(&place));
            assert_problem(&answer, 422, "invalid", &what);
            assert!(names(&answer.body, &place), "{}: {answer:?}", of(&place));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_broken_body_is_told_where_and_changes_nothing() {
    let victim = Victim::new().await;
    for route in victim.routes() {
        all_are_refused(&victim, &route).await;
        victim.assert_unchanged(&route.path).await;
    }
    // Each body was refused for what was broken, and for nothing else.
    for route in victim.routes() {
        let answer = victim.send(&route, route.body.to_string().as_bytes()).await;
        assert_eq!(answer.status, route.good, "{}: {answer:?}", route.path);
    }
}

/// Amounts and quantities at and beyond their limits: read from their literal text.
#[tokio::test(flavor = "multi_thread")]
async fn amounts_are_exact_or_refused() {
    let victim = Victim::new().await;
    let routes = victim.routes();
    let cases = [
        ("/v1/events", "/lines/0/net", "\"0.001\"", "precision"),
        ("/v1/events", "/lines/0/net", "0.0000000000000000000001", "precision"),
        ("/v1/events", "/lines/0/net", "1E2", "pattern"),
        ("/v1/events", "/lines/0/net", "\"1,50\"", "pattern"),
        ("/v1/events", "/lines/0/net", "\" 1\"", "pattern"),
        ("/v1/events", "/lines/0/net", "\"0x10\"", "pattern"),
        ("/v1/events", "/lines/0/net", "\"١\"", "pattern"),
        ("/v1/events", "/lines/0/net", "\"\"", "pattern"),
        ("/v1/events", "/lines/0/net", "9223372036854775807", "range"),
        ("/v1/events", "/lines/0/net", "\"92233720368547758.08\"", "range"),
        ("/v1/events", "/lines/0/quantity", "0", "range"),
        ("/v1/events", "/lines/0/quantity", "1.0", "range"),
        ("/v1/events", "/lines/0/quantity", "1000001", "range"),
        ("/v1/events", "/lines/0/quantity", "18446744073709551616", "range"),
        ("/v1/events", "/lines/0/quantity", "\"1\"", "type"),
        ("/v1/events", "/spend/amount", "\"0.5\"", "precision"),
        ("/v1/spend-requests", "/amount", "0", "range"),
        ("/v1/spend-requests", "/amount", "-5", "range"),
        ("/v1/spend-requests", "/amount", "\"-0\"", "range"),
        ("/v1/spend-requests", "/amount", "\"+5\"", "pattern"),
        ("/v1/spend-requests", "/amount", "99999999999999999999", "range"),
    ];
    for (path, place, value, code) in cases {
        let route = routes.iter().find(|route| route.path == path).unwrap();
        let mut body = route.body.clone();
        *body.pointer_mut(place).unwrap() = serde_json::from_str(value).unwrap();
        let answer = victim.send(route, body.to_string().as_bytes()).await;
        let of = format!("{path} {place} {value}");
        assert_problem(&answer, 422, "invalid", &of);
        let expected = vec![(place.to_owned(), code.to_owned())];
        assert_eq!(violations(&answer.body), expected, "{of}: {answer:?}");
    }
    victim.assert_unchanged("amounts").await;
}

/// a bad row never stops a good one.
#[tokio::test(flavor = "multi_thread")]
async fn r15_bad_rows_of_a_bulk_leave_the_good_ones_alone() {
    let victim = Victim::new().await;
    let rows = [
        (json!("nope"), 422),
        (victim.purchase(), 202),
        (json!({ "type": "lottery" }), 422),
        (json!(null), 422),
        (victim.purchase(), 202),
    ];
    let mut unknown = victim.purchase();
    unknown["participant_id"] = json!("nobody-at-all");
    let rows = rows.into_iter().chain([(unknown, 404)]).collect::<Vec<_>>();
    let events: Vec<&Value> = rows.iter().map(|(row, _)| row).collect();
    let bulk = Route { body: json!({ "events": events }), ..victim.routes().remove(2) };
    let answer = victim.send(&bulk, bulk.body.to_string().as_bytes()).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    for (index, (_, status)) in rows.iter().enumerate() {
        let outcome = &answer.body["outcomes"][index];
        assert_eq!(outcome["status"], json!(status), "{outcome}");
        assert_eq!(outcome["problem"].is_null(), *status == 202, "{outcome}");
    }
    victim.stack.idle().await.unwrap();
}

/// Times at the ends of the calendar are times; they break nothing.
#[tokio::test(flavor = "multi_thread")]
async fn times_at_the_ends_of_the_calendar_break_nothing() {
    let victim = Victim::new().await;
    let cases = [
        ("0000-01-01T00:00:00Z", 201),
        ("0001-01-01T00:00:00+23:59", 201),
        ("1969-12-31T23:59:59.999999999Z", 201),
        ("9999-12-31T23:59:59Z", 422),
        ("2026-02-29T00:00:00Z", 422),
        ("2026-01-01T24:00:00Z", 422),
        ("2026-01-01T00:00:00", 422),
        ("-0001-01-01T00:00:00Z", 422),
        ("+262142-01-01T00:00:00Z", 422),
    ];
    for (at, status) in cases {
        let mut event = victim.purchase();
        event.as_object_mut().unwrap().remove("spend");
        event["performed_on"] = json!(at);
        let answer = crate::desk::post_event(&victim.stack, &event).await;
        assert_eq!(answer.status, status, "{at}: {answer:?}");
    }
    for at in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
        let consent = json!({ "channel": "sms", "granted": true, "at": at });
        let path = format!("/v1/participants/{}", victim.id);
        let body = json!({ "consents": [consent] });
        assert_eq!(victim.stack.client.put(&path, &body).await.unwrap().status, 200, "{at}");
    }
    victim.state().await;
}
