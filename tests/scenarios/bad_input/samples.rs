//! Every refused sample of `events/`, sent to its route: exactly its violations.

use std::path::PathBuf;

use scenarios::client::{Answer, key, key_at};
use scenarios::stack::{Stack, root};
use serde_json::{Value, json};

use super::{assert_problem, violations};
use crate::desk::{credit, own_stack, participant, sample, transactions};

/// The time of the samples, in milliseconds since 1970: 2026-11-21 12:00 in Berlin.
const NOW: u64 = 1_795_258_800_000;

/// Refused samples: folder, name without its ending.
fn refused() -> Vec<(String, String)> {
    let list = |path: PathBuf| std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut all = Vec::new();
    for folder in list(root().join("events")).filter(|path| path.is_dir()) {
        for file in list(folder.clone()) {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            if let Some(name) = name.strip_suffix(".refused.json") {
                let folder = folder.file_name().unwrap().to_string_lossy().into_owned();
                all.push((folder, name.to_owned()));
            }
        }
    }
    all.sort();
    all
}

async fn send(
    stack: &Stack,
    (id, hold): (&str, &str),
    folder: &str,
    name: &str,
    body: Vec<u8>,
) -> Answer {
    let kind = name.split('-').next().unwrap();
    let participant = format!("/v1/participants/{id}");
    let block = format!("{participant}/block-spending");
    let adjustment = format!("{participant}/adjustments");
    let merges = format!("{participant}/merges");
    let coupons = format!("{participant}/coupons");
    let (settle, release) =
        (format!("/v1/holds/{hold}/settle"), format!("/v1/holds/{hold}/release"));
    let cancel = format!("/v1/pass-redemptions/{hold}/cancel");
    let (method, path) = match (folder, kind) {
        (
            "event-ingestion",
            "purchase" | "referral" | "social" | "web" | "achievement" | "financial" | "spend",
        ) => ("POST", "/v1/events"),
        ("event-ingestion", "invoice") => ("POST", "/v1/invoices"),
        ("event-ingestion", "bulk") => ("POST", "/v1/events/bulk"),
        ("event-ingestion", "cancel") => ("POST", "/v1/events/till%3A1/cancel"),
        ("event-ingestion", "credit") => ("POST", "/v1/credit-notes"),
        ("award-evaluation", "run") => ("POST", "/v1/evaluation-runs"),
        ("award-evaluation", "conversion") => ("POST", "/v1/conversions/cashback/runs"),
        ("spend-request", "spend") => ("POST", "/v1/spend-requests"),
        ("spend-request", "coupon") => ("POST", coupons.as_str()),
        ("spend-request", "use") => ("POST", "/v1/coupon-uses"),
        ("spend-request", "hold") => ("POST", "/v1/holds"),
        ("spend-request", "settle") => ("POST", settle.as_str()),
        ("spend-request", "release") => ("POST", release.as_str()),
        ("pass-redemption", "activation") => ("POST", "/v1/pass-plans/gift-card/activate"),
        ("pass-redemption", "issue") => ("POST", "/v1/pass-plans/gift-card/passes"),
        ("pass-redemption", "load") => ("POST", "/v1/passes/gift-card.1/load"),
        ("pass-redemption", "update") => ("PATCH", "/v1/passes/gift-card.1"),
        ("pass-redemption", "lookup") => ("POST", "/v1/pass-lookups"),
        ("pass-redemption", "cancel") => ("POST", cancel.as_str()),
        ("pass-redemption", "redemption") => ("POST", "/v1/pass-redemptions"),
        ("pass-redemption", "registration") => ("POST", "/v1/pass-registrations"),
        ("crm-feed", "replay") => ("POST", "/v1/feeds/crm/replay"),
        ("segment-export", "export") => ("POST", "/v1/segments/mail-ready/exports"),
        ("ledger-verification", "verification") => ("POST", "/v1/verifications"),
        ("programme", "programme") => ("PUT", "/v1/programme"),
        ("programme", "participant") => ("PUT", participant.as_str()),
        ("programme", "lookup") => ("POST", "/v1/participant-lookups"),
        ("programme", "suppressions") => ("POST", "/v1/suppressions"),
        ("programme", "block") => ("POST", block.as_str()),
        ("programme", "merge") => ("POST", merges.as_str()),
        ("programme", "adjustment") => ("POST", adjustment.as_str()),
        ("programme", "adjustments") => ("POST", "/v1/adjustments"),
        other => panic!("no route takes {other:?}"),
    };
    let key = key_at(NOW);
    // An event sample stands for itself; with a key it would need no reference.
    let keyed = !path.starts_with("/v1/events") || path.ends_with("/cancel");
    let headers = [("idempotency-key", key.as_str())];
    let headers = if keyed { &headers[..] } else { &[] };
    stack.client.raw(method, path, headers, Some(body)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_samples_are_refused_with_exactly_their_violations() {
    let stack = own_stack().await;
    let id = participant(&stack).await;
    // Somebody else's, for what ends a hold.
    let other = participant(&stack).await;
    credit(&stack, &other, 1).await;
    let hold = json!({ "participant_id": other, "amount": "5" });
    let hold = stack.client.post("/v1/holds", &key(), &hold).await.unwrap();
    let hold = hold.text("/hold").to_owned();
    let mut programme = sample("transit/programme.json");
    let cards = sample("passes/programme.json")["pass_plans"][0].clone();
    programme["pass_plans"].as_array_mut().unwrap().push(cards);
    let mut catalogue = sample("programme/programme-coupons.json");
    programme["coupons"] = catalogue["coupons"].take();
    let partners = catalogue["merchants"].as_array_mut().unwrap();
    programme["merchants"].as_array_mut().unwrap().append(partners);
    let put = stack.client.put("/v1/programme", &programme).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    stack.advance("PT10S").await.unwrap();
    let samples = refused();
    assert!(samples.len() > 10, "{samples:?}");
    for (folder, name) in samples {
        let file = |what: &str| root().join(format!("events/{folder}/{name}.{what}.json"));
        let body = std::fs::read(file("refused")).unwrap();
        let now = json!({ "now": "2026-11-21T12:00:00+01:00" });
        if folder == "event-ingestion" || folder == "spend-request" {
            stack.local("clock", &now).await.unwrap();
        }
        let answer = send(&stack, (&id, &hold), &folder, &name, body).await;
        assert_problem(&answer, 422, "invalid", &name);
        let expected = std::fs::read(file("violations")).unwrap();
        let expected: Value = serde_json::from_slice(&expected).unwrap();
        let expected = violations(&json!({ "violations": expected }));
        assert_eq!(violations(&answer.body), expected, "{folder}/{name}: {answer:?}");
    }
    assert_eq!(transactions(&stack, &id).await, Vec::<Value>::new());
}
