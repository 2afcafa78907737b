//! Paths and queries: forged ids, things that are not there, routes that are none.

use domain::id::{ParticipantId, TransactionCode};
use scenarios::client::{Call, key};
use serde_json::{Value, json};

use super::{Victim, assert_problem, violations};

/// Ids that would mean something to a key, a path or a log; percent-encoded.
fn forged() -> Vec<String> {
    let mut all: Vec<String> = [
        "%23",
        "a%23S",
        "P%23x",
        "a%2Fwallet",
        "%2F",
        "a%3Ab",
        "a%3A%3Ab%23c",
        "a%20b",
        "%20",
        "a%00",
        "%0d%0aX-Evil%3A%201",
        "a%0a",
        "%C3%BC",
        "%F0%9F%98%80",
        "%7F",
        "%2523",
        "*",
        "a,b",
        "%7Bparticipant%7D",
        "a%5C..",
        "'%20OR%201=1",
        "%22",
        "a%E2%80%8B",
    ]
    .map(str::to_owned)
    .to_vec();
    all.extend(["x".repeat(65), "x".repeat(30_000), "%23".repeat(5_000)]);
    all
}

const GETS: [(&str, &str); 10] = [
    ("/v1/participants/{}", "participant_not_found"),
    ("/v1/participants/{}/wallet", "participant_not_found"),
    ("/v1/participants/{}/transactions", "participant_not_found"),
    ("/v1/participants/{}/events", "participant_not_found"),
    ("/v1/events/{}", "event_not_found"),
    ("/v1/transactions/{}", "transaction_not_found"),
    ("/v1/evaluation-runs/{}", "run_not_found"),
    ("/v1/exports/{}", "export_not_found"),
    ("/v1/conversions/cashback/runs/{}", "run_not_found"),
    ("/v1/programme/versions/{}", "programme_not_found"),
];

/// Routes that write below something, with a body that is in order.
fn posts() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    let blocked = json!({ "blocked": true, "reason": "test" });
    let full = json!({ "mode": "full" });
    let back = json!({ "lines": [{ "index": 0, "quantity": 1 }] });
    let adjustment = json!({ "balance": "points", "amount": "1", "reason": "test" });
    let trees = json!({ "coupon": "trees", "amount": "10" });
    vec![
        ("POST", "/v1/participants/{}/block-spending", "participant_not_found", blocked),
        // Without lines, an event that may still arrive is cancelled before it does.
        ("POST", "/v1/events/{}/cancel", "event_not_found", back),
        ("POST", "/v1/participants/{}/adjustments", "participant_not_found", adjustment),
        ("POST", "/v1/participants/{}/coupons", "participant_not_found", trees),
        ("POST", "/v1/coupons/{}/codes", "coupon_not_found", json!({})),
        ("POST", "/v1/holds/{}/settle", "hold_not_found", json!({})),
        ("POST", "/v1/holds/{}/release", "hold_not_found", json!({})),
        ("POST", "/v1/pass-plans/{}/passes", "pass_plan_not_found", json!({})),
        ("POST", "/v1/segments/{}/exports", "segment_not_found", full),
        ("POST", "/v1/conversions/{}/runs", "conversion_not_found", json!({})),
        ("POST", "/v1/programme/versions/{}/activate", "programme_not_found", json!({})),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_and_unknown_ids_name_nothing() {
    let victim = Victim::new().await;
    let mut ids = forged();
    ids.extend(["nobody".into(), "..%2e".into(), "0".into(), "18446744073709551615".into()]);
    let key = key();
    for id in &ids {
        for (path, code) in GETS {
            let path = path.replace("{}", id);
            let call = Call { method: "GET", path: &path, key: None, body: None };
            victim.refused(&call, 404, code).await;
        }
        for (method, path, code, body) in posts() {
            let path = path.replace("{}", id);
            let call = Call { method, path: &path, key: Some(&key), body: Some(&body) };
            victim.refused(&call, 404, code).await;
        }
    }
    for id in forged() {
        let path = format!("/v1/participants/{id}");
        let body = json!({ "profile": {} });
        let call = Call { method: "PUT", path: &path, key: None, body: Some(&body) };
        victim.refused(&call, 404, "participant_not_found").await;
    }
    victim.assert_unchanged("forged ids").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_said_to_be_missing() {
    let victim = Victim::new().await;
    let nobody = "nobody-at-all";
    let mut event = victim.purchase();
    event["participant_id"] = json!(nobody);
    let spend = json!({ "participant_id": nobody, "amount": "1", "classification": "counter" });
    let on = json!({ "participant_id": victim.id, "purchase_event_id": "till:none" });
    let redeem = json!({ "code": victim.code, "participant_id": nobody });
    for (path, body, code) in [
        ("/v1/events", &event, "participant_not_found"),
        ("/v1/events/preview", &event, "participant_not_found"),
        ("/v1/spend-requests", &spend, "participant_not_found"),
        ("/v1/spend-requests", &on, "event_not_found"),
        ("/v1/pass-redemptions", &redeem, "participant_not_found"),
    ] {
        let key = key();
        let call = Call { method: "POST", path, key: Some(&key), body: Some(body) };
        victim.refused(&call, 404, code).await;
    }
    let unknown = json!({ "definition": "hourly" });
    let key = key();
    let path = "/v1/evaluation-runs";
    let call = Call { method: "POST", path, key: Some(&key), body: Some(&unknown) };
    let answer = victim.refused(&call, 422, "invalid").await;
    assert_eq!(violations(&answer.body), [("/definition".into(), "unknown_reference".into())]);

    // Codes with a right check symbol, of entries that are not there or cannot be cancelled.
    for (participant, sequence) in
        [(victim.id.as_str(), 9_999), (&victim.id, u64::MAX), (nobody, 1), (&victim.id, 1)]
    {
        let participant = ParticipantId::parse(participant).unwrap();
        let code = TransactionCode { participant, sequence }.to_string();
        let answer = victim.stack.client.get(&format!("/v1/transactions/{code}")).await.unwrap();
        let known = sequence == 1 && code.starts_with(&victim.id);
        if !known {
            assert_problem(&answer, 404, "transaction_not_found", &code);
        }
        let path = format!("/v1/events/{code}/cancel");
        let cancelled = victim.stack.client.post(&path, &key, &json!({})).await.unwrap();
        assert!(matches!(cancelled.status, 404 | 409), "{code}: {cancelled:?}");
    }
    victim.assert_unchanged("what is not there").await;
}

/// Runs and exports are kept side by side; neither is taken for the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_no_export_and_an_export_no_run() {
    let victim = Victim::new().await;
    let client = &victim.stack.client;
    let run = client.post("/v1/evaluation-runs", &key(), &json!({})).await.unwrap();
    let path = "/v1/segments/mail-ready/exports";
    let export = client.post(path, &key(), &json!({ "mode": "full" })).await.unwrap();
    let run = format!("/v1/exports/{}", run.text("/run_id"));
    let export = format!("/v1/evaluation-runs/{}", export.text("/export_id"));
    for (path, code) in [(run, "export_not_found"), (export, "run_not_found")] {
        let call = Call { method: "GET", path: &path, key: None, body: None };
        victim.refused(&call, 404, code).await;
    }
    victim.stack.idle().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_that_are_none_are_404_and_other_methods_405() {
    let victim = Victim::new().await;
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v2/events",
        "/v1/events/",
        "/v1//events",
        "/V1/events",
        "/v1/Events",
        "/v1/participants/x/wallet/",
        "/v1/pass-redemption",
        "/v1/programme/versions",
        "/favicon.ico",
        "/_local",
        "/_local/nothing",
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let call = Call { method, path, key: None, body: None };
            victim.refused(&call, 404, "route_not_found").await;
        }
    }
    for (method, path) in [
        ("GET", "/v1/events"),
        ("PUT", "/v1/events"),
        ("DELETE", "/v1/events/till%3A1"),
        ("DELETE", "/v1/programme"),
        ("PATCH", "/v1/participants/x"),
        ("POST", "/v1/participants/x/wallet"),
        ("GET", "/v1/spend-requests"),
        ("NONSENSE", "/v1/programme"),
        ("OPTIONS", "/v1/programme"),
    ] {
        let call = Call { method, path, key: None, body: None };
        victim.refused(&call, 405, "method_not_allowed").await;
    }
    victim.assert_unchanged("unknown routes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_query_parameters_are_named() {
    let victim = Victim::new().await;
    let at = |what: &str| format!("/v1/participants/{}/{what}", victim.id);
    let mut cases = vec![
        (at("events?type=lottery"), "/type"),
        (at("events?state=pending"), "/state"),
        (at("events?cursor=1"), "/cursor"),
        (at("events?cursor=1.2.3"), "/cursor"),
    ];
    for list in ["transactions", "events"] {
        for limit in ["0", "-1", "201", "x", "1e1", "1.0", "", "99999999999999999999", "%00"] {
            cases.push((at(&format!("{list}?limit={limit}")), "/limit"));
        }
        for cursor in ["garbage", "-1", "", "1e3", "99999999999999999999", "%23"] {
            cases.push((at(&format!("{list}?cursor={cursor}")), "/cursor"));
        }
    }
    for (path, pointer) in &cases {
        let call = Call { method: "GET", path, key: None, body: None };
        let answer = victim.refused(&call, 422, "invalid").await;
        assert_eq!(violations(&answer.body)[0].0, *pointer, "{path}");
    }
    let programme = crate::desk::sample("transit/programme.json");
    let purchase = victim.purchase();
    for (method, path, body, pointer) in [
        ("PUT", "/v1/programme?dry_run=maybe", &programme, "/dry_run"),
        ("PUT", "/v1/programme?dry_run=", &programme, "/dry_run"),
        ("PUT", "/v1/programme?dry_run=TRUE", &programme, "/dry_run"),
        ("POST", "/v1/events/preview?explain=some", &purchase, "/explain"),
    ] {
        let call = Call { method, path, key: None, body: Some(body) };
        let answer = victim.refused(&call, 422, "invalid").await;
        assert_eq!(violations(&answer.body)[0].0, pointer, "{path}");
    }
    victim.assert_unchanged("bad queries").await;
}

/// What stands in a query or header never becomes anything but text.
#[tokio::test(flavor = "multi_thread")]
async fn queries_at_the_edge_are_answered() {
    let victim = Victim::new().await;
    let at = |what: &str| format!("/v1/participants/{}/{what}", victim.id);
    let most = u64::MAX;
    for path in [
        at("transactions?cursor=0"),
        at("transactions?cursor=1"),
        at(&format!("transactions?cursor={most}")),
        at("events?cursor=0.0."),
        at(&format!("events?cursor={most}.{most}.")),
        at("events?cursor=1.0.63"),
        at("wallet?$serde_json::private::Number=1"),
        at("wallet?$serde_json::private::Number=x"),
        at("wallet?$serde_json::private::RawValue=%5B"),
        at("wallet?%00=%00&&&=&%ff=%ff&a[]=1"),
        at(&format!("wallet?{}", "a=1&".repeat(5_000))),
    ] {
        let answer = victim.stack.client.get(&path).await.unwrap();
        assert_eq!(answer.status, 200, "{path:.200}: {answer:?}");
    }
    for name in ["$serde_json", "x-amz-target", "x-forwarded-for", "content-type", "cookie"] {
        let headers = [(name, "$serde_json::private::Number")];
        let answer = victim.stack.client.raw("GET", &at("wallet"), &headers, None).await.unwrap();
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
    }
}
