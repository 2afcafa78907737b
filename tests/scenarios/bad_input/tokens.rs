//! Tokens: missing, bad, foreign, without the scope, of another merchant.

use scenarios::client::{Call, Client};
use scenarios::stack::Stack;
use serde_json::{Value, json};

use super::{Victim, assert_problem};
use crate::desk::{own_stack, purchase};
use crate::tidy::template::{RouteOf, routes};

/// A route's path with something in place of each parameter.
fn path(route: &RouteOf) -> String {
    let part = |part: &str| if part.starts_with('{') { "x".to_owned() } else { part.to_owned() };
    route.path.split('/').map(part).collect::<Vec<_>>().join("/")
}

async fn token(stack: &Stack, claims: &Value) -> String {
    let answer = stack.local("token", &json!({ "claims": claims })).await.unwrap();
    answer.text("/token").to_owned()
}

async fn ask(caller: &Client, route: &RouteOf) -> scenarios::client::Answer {
    caller.raw(&route.method, &path(route), &[], Some(b"{}".to_vec())).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_answers_to_a_token_that_is_none() {
    let victim = Victim::new().await;
    let stack = &victim.stack;
    let foreign = Stack::start().await.unwrap();
    let good = token(stack, &json!({})).await;
    let parts: Vec<&str> = good.split('.').collect();
    let far = 4_102_444_800_u64;
    let bad = [
        ("nothing", String::new()),
        ("a word", "x".to_owned()),
        ("another stack's", foreign.ready["token"].as_str().unwrap().to_owned()),
        ("unsigned", format!("eyJhbGciOiJub25lIn0.{}.", parts[1])),
        ("unsigned, signature kept", format!("eyJhbGciOiJub25lIn0.{}.{}", parts[1], parts[2])),
        ("HS512 by its header", format!("eyJhbGciOiJIUzUxMiJ9.{}.{}", parts[1], parts[2])),
        ("signature cut", good[..good.len() - 2].to_owned()),
        ("claims of another", format!("{}.eyJzY29wZSI6Im9wZXJhdGlvbnMifQ.{}", parts[0], parts[2])),
        ("expired", token(stack, &json!({ "exp": 1 })).await),
        ("without an end", token(stack, &json!({ "exp": null })).await),
        ("another issuer's", token(stack, &json!({ "iss": "https://elsewhere" })).await),
        ("for others", token(stack, &json!({ "aud": "elsewhere" })).await),
        ("not valid yet", token(stack, &json!({ "nbf": far })).await),
        ("issued in the future", token(stack, &json!({ "iat": far })).await),
        ("very long", "x".repeat(20_000)),
    ];
    for route in routes() {
        for (what, token) in &bad {
            let answer = ask(&stack.client.with_token(token), &route).await;
            let of = format!("{} {} with a token: {what}", route.method, route.path);
            assert_problem(&answer, 401, "unauthorized", &of);
        }
    }
    for scheme in ["Basic eDp4", "Bearer", "Bearer ", "bearer x y"] {
        let headers = [("authorization", scheme)];
        let caller = stack.client.with_token("");
        let answer = caller.raw("GET", "/v1/programme", &headers, None).await.unwrap();
        assert_problem(&answer, 401, "unauthorized", scheme);
    }
    victim.assert_unchanged("bad tokens").await;
    foreign.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_needs_its_scope_and_no_other() {
    let victim = Victim::new().await;
    let stack = &victim.stack;
    let all = routes();
    let mut scopes: Vec<&str> = all.iter().map(|route| route.scope.as_str()).collect();
    scopes.sort_unstable();
    scopes.dedup();
    for route in &all {
        let others: Vec<&str> = scopes.iter().filter(|s| **s != route.scope).copied().collect();
        let spelt = [route.scope.to_uppercase(), format!("{}s", route.scope), String::new()];
        let spelt: Vec<&str> = spelt.iter().map(String::as_str).collect();
        for held in [others, spelt, vec![]] {
            let caller = stack.caller(&held, &json!({})).await.unwrap();
            let of = format!("{} {} with {held:?}", route.method, route.path);
            assert_problem(&ask(&caller, route).await, 403, "forbidden", &of);
        }
        if route.method == "GET" {
            let caller = stack.caller(&[&route.scope], &json!({})).await.unwrap();
            let answer = ask(&caller, route).await;
            assert!(matches!(answer.status, 200 | 404), "{}: {answer:?}", route.path);
        }
    }
    victim.assert_unchanged("missing scopes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchants_token_acts_at_its_own_units_only() {
    let victim = Victim::on(std::sync::Arc::new(own_stack().await)).await;
    let stack = &victim.stack;
    let kiosks = json!({ "merchant": "kiosks" });
    let scopes = ["events.write", "spend.write"];
    let caller = stack.caller(&scopes, &kiosks).await.unwrap();
    let event = |unit: Value| {
        let mut event = purchase(&victim.id, "10.00");
        event["unit"] = unit;
        event
    };
    let spend = |unit: Value| {
        json!({ "participant_id": victim.id, "amount": "1", "classification": "counter",
            "unit": unit })
    };
    let strangers = [json!(null), json!("station-1"), json!("nobody's"), json!("kiosk-10")];
    for unit in strangers.clone() {
        for (path, body) in [
            ("/v1/events", event(unit.clone())),
            ("/v1/events/preview", event(unit.clone())),
            ("/v1/spend-requests", spend(unit.clone())),
        ] {
            let of = format!("{path} at {unit}");
            let answer = caller.post(path, &scenarios::client::key(), &body).await.unwrap();
            match unit.as_str() {
                Some("nobody's") => assert_problem(&answer, 422, "invalid", &of),
                Some(_) | None => assert_problem(&answer, 403, "unit_not_allowed", &of),
            }
        }
    }
    for merchant in [json!("rail"), json!("nobody"), json!(""), json!(5), json!(["kiosks"])] {
        let other = stack.caller(&scopes, &json!({ "merchant": merchant })).await.unwrap();
        let body = event(json!("kiosk-1"));
        let answer = other.post("/v1/events", &scenarios::client::key(), &body).await.unwrap();
        assert_problem(&answer, 403, "unit_not_allowed", &merchant.to_string());
    }
    let mut rows: Vec<Value> = strangers.map(event).to_vec();
    rows.remove(2);
    let bulk = json!({ "events": rows });
    let call = Call { method: "POST", path: "/v1/events/bulk", key: None, body: Some(&bulk) };
    let answer = caller.send(&call).await.unwrap();
    assert_eq!(answer.status, 202, "{answer:?}");
    for outcome in answer.body["outcomes"].as_array().unwrap() {
        assert_eq!(outcome["status"], json!(403), "{outcome}");
        assert_eq!(outcome["problem"]["code"], json!("unit_not_allowed"), "{outcome}");
    }
    victim.assert_unchanged("other merchants' units").await;

    let own = event(json!("kiosk-1"));
    let bulk = json!({ "events": [event(json!("kiosk-1"))] });
    for (path, body, status) in [
        ("/v1/events/preview", &own, 200),
        ("/v1/events", &own, 201),
        ("/v1/events/bulk", &bulk, 202),
        ("/v1/spend-requests", &spend(json!("kiosk-1")), 201),
    ] {
        let answer = caller.post(path, &scenarios::client::key(), body).await.unwrap();
        assert_eq!(answer.status, status, "{path}: {answer:?}");
    }
}
