//! Keys and pass codes: what is none, what is too far ahead, what was made up.

use scenarios::client::{Call, key, key_at};
use serde_json::{Value, json};

use super::{Victim, assert_problem, judge_all, violations};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_none_is_refused_where_one_is_required() {
    let victim = Victim::new().await;
    let (long, longer) = ("k".repeat(256), "k".repeat(20_000));
    let keys = [None, Some(""), Some(" "), Some("a\tb"), Some(&long), Some(&longer)];
    for route in victim.routes().iter().filter(|route| route.keyed) {
        for key in keys {
            let (method, path, body) = (route.method, route.path.as_str(), Some(&route.body));
            let call = Call { method, path, key, body };
            let answer = victim.refused(&call, 422, "invalid").await;
            assert_eq!(violations(&answer.body), [(String::new(), "required".to_owned())]);
        }
        victim.assert_unchanged(&route.path).await;
    }
    // An event needs a reference or a key; a bad key is refused even beside a reference.
    let mut event = victim.purchase();
    let (method, path, key) = ("POST", "/v1/events", Some("a\tb"));
    victim.refused(&Call { method, path, key, body: Some(&event) }, 422, "invalid").await;
    for name in ["external_system", "external_reference"] {
        event.as_object_mut().unwrap().remove(name);
    }
    let call = Call { method, path, key: None, body: Some(&event) };
    let answer = victim.refused(&call, 422, "invalid").await;
    let expected = [("/external_reference".to_owned(), "required".to_owned())];
    assert_eq!(violations(&answer.body), expected);
    victim.assert_unchanged("events without a key").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_the_future_is_refused_and_not_remembered() {
    let victim = Victim::new().await;
    let now = victim.stack.advance("P0D").await.unwrap();
    let now = domain::time::parse_instant(now.text("/now")).unwrap();
    let ahead = |minutes| key_at(u64::try_from(now.plus_minutes(minutes).0).unwrap());
    let last = "ffffffff-ffff-7fff-bfff-ffffffffffff".to_owned();
    for route in victim.routes().iter().filter(|route| route.keyed) {
        for key in [ahead(7), ahead(1_000_000), last.clone()] {
            let key = Some(key.as_str());
            let (method, path, body) = (route.method, route.path.as_str(), Some(&route.body));
            let call = Call { method, path, key, body };
            victim.refused(&call, 422, "idempotency_key_in_future").await;
        }
        victim.assert_unchanged(&route.path).await;
    }
    let mut event = victim.purchase();
    for name in ["external_system", "external_reference"] {
        event.as_object_mut().unwrap().remove(name);
    }
    let future = ahead(7);
    let (path, key) = ("/v1/events", Some(future.as_str()));
    let call = Call { method: "POST", path, key, body: Some(&event) };
    victim.refused(&call, 422, "idempotency_key_in_future").await;
    victim.assert_unchanged("a future event").await;
}

/// the same key with another payload.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_or_reference_with_another_payload_is_refused() {
    let victim = Victim::new().await;
    let routes = victim.routes();
    let route = |path: &str| routes.iter().find(|route| route.path == path).unwrap();
    for (path, place, other) in [
        ("/v1/events", "/receipt_number", "5513"),
        ("/v1/spend-requests", "/amount", "2"),
        ("/v1/pass-plans/gift-20/passes", "/recipient", "Eve"),
    ] {
        let (route, key) = (route(path), key());
        let client = &victim.stack.client;
        let first = client.post(path, &key, &route.body).await.unwrap();
        assert_eq!(first.status, route.good, "{path}: {first:?}");
        judge_all(&victim.stack).await;
        let before = victim.state().await;
        let mut body = route.body.clone();
        *body.pointer_mut(place).unwrap() = json!(other);
        let answer = client.post(path, &key, &body).await.unwrap();
        assert_problem(&answer, 422, "idempotency_key_reused", path);
        assert_eq!(before, victim.state().await, "{path}");
    }
}

/// a forged code, a mistyped one and one of no plan answer alike, and ask no table.
#[tokio::test(flavor = "multi_thread")]
async fn r84_codes_that_are_none_answer_alike() {
    let victim = Victim::new().await;
    let code = &victim.code;
    let at = code.len() / 2;
    let at = if code.as_bytes()[at] == b'-' { at + 1 } else { at };
    let mistyped = |other: &str| format!("{}{other}{}", &code[..at], &code[at + 1..]);
    let swapped: String = code.chars().rev().collect();
    let other = if &code[at..=at] == "7" { "8" } else { "7" };
    let mut codes = vec![
        mistyped(other),
        swapped,
        code[1..].to_owned(),
        format!("{code}0"),
        "0".repeat(code.len()),
        "0AB1-C2D3-E4F5-G6H7-J8K9".to_owned(),
        "x".to_owned(),
        "' OR 1=1 --".to_owned(),
        "ü".repeat(20),
        "#/:..%00".to_owned(),
    ];
    codes.extend(
        (0..20).map(|_| key().replace('-', "").to_uppercase()[..code.len() - 4].to_owned()),
    );
    let mut answers: Vec<Value> = Vec::new();
    for forged in &codes {
        let body = json!({ "code": forged, "participant_id": victim.id });
        let answer = victim.stack.client.post("/v1/pass-redemptions", &key(), &body).await.unwrap();
        assert_problem(&answer, 409, "pass_not_redeemable", forged);
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "they answer differently: {answers:#?}");
    victim.assert_unchanged("forged codes").await;
    let body = json!({ "code": code, "participant_id": victim.id });
    let redeemed = victim.stack.client.post("/v1/pass-redemptions", &key(), &body).await.unwrap();
    assert_eq!(redeemed.status, 201, "{redeemed:?}");
}
