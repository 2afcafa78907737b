//! the full identifier of a payment medium is nowhere but in the call that brought it.

use std::path::Path;

use scenarios::client::{Call, key};
use scenarios::stack::{Stack, signal};
use serde_json::{Value, json};

use crate::desk::{built, participant, purchase, sample};

const CANARY: &str = "4929123456783333";

/// Files below a folder that hold these bytes.
fn holding(folder: &Path, bytes: &[u8], out: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holding(&path, bytes, out);
        } else if let Ok(content) = std::fs::read(&path)
            && content.windows(bytes.len()).any(|window| window == bytes)
        {
            out.push(path.display().to_string());
        }
    }
}

fn with_canary(id: &str) -> Value {
    let mut event = purchase(id, "12.00");
    event["payment_medium"] = json!({ "identifier": CANARY });
    event
}

/// Events that carry the canary, each wrong in another way.
fn refused(id: &str) -> Vec<Value> {
    let changed = |place: &str, value: Value| {
        let mut event = with_canary(id);
        match event.pointer_mut(place) {
            Some(known) => *known = value,
            None => event[place.trim_start_matches('/')] = value,
        }
        event
    };
    vec![
        changed("/payment_medium/identifier", json!(format!("{CANARY} "))),
        changed("/payment_medium/identifier", json!([CANARY])),
        changed("/payment_medium/identifier", json!({ "pan": CANARY })),
        changed("/payment_medium/identifier", serde_json::from_str(CANARY).unwrap()),
        changed("/payment_medium/identifier", json!(format!("{CANARY}{}", "0".repeat(60)))),
        changed("/payment_medium", json!(CANARY)),
        changed("/payment_medium", json!({ "brand": CANARY, "identifier": CANARY })),
        changed("/payment_medium", json!({ "type": CANARY, "identifier": CANARY })),
        changed("/participant_id", json!("nobody")),
        changed("/lines", json!([])),
        changed("/type", json!("lottery")),
        changed("/spend", json!({ "amount": "499", "classification": "counter" })),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn r22_a_full_identifier_is_in_no_answer_log_queue_or_file() {
    built().await;
    let name = format!("accrue-canary-{}", key());
    let folder = std::env::temp_dir().join(name);
    let stack = Stack::start_with(&["--data", folder.to_str().unwrap()]).await.unwrap();
    let programme = sample("transit/programme.json");
    assert_eq!(stack.client.put("/v1/programme", &programme).await.unwrap().status, 200);
    let id = participant(&stack).await;
    let mut answers: Vec<String> = Vec::new();
    let routes = ["/v1/events", "/v1/events/preview"];

    // Good ones, and the same again, and the same key with another number.
    let mut good = with_canary(&id);
    for path in routes.iter().chain(&routes) {
        let answer = stack.client.post(path, &key(), &good).await.unwrap();
        assert!(answer.status < 300, "{answer:?}");
        answers.push(answer.body.to_string());
    }
    let adjusted = stack.client.post("/v1/events", &key(), &good).await.unwrap();
    assert_eq!(adjusted.text("/event/payment_medium/identifier"), "3333");
    good["receipt_number"] = json!("other");
    let reused = stack.client.post("/v1/events", &key(), &good).await.unwrap();
    assert_eq!(reused.text("/code"), "idempotency_key_reused");
    answers.push(reused.body.to_string());

    // By way of the other types that are paid for.
    let mut top_up = with_canary(&id);
    for field in ["lines", "process_immediately"] {
        top_up.as_object_mut().unwrap().remove(field);
    }
    top_up["type"] = json!("financial_achievement");
    top_up["classification"] = json!("top-up");
    top_up["amount"] = json!("12.00");
    let mut invoice = with_canary(&id);
    for field in ["type", "process_immediately"] {
        invoice.as_object_mut().unwrap().remove(field);
    }
    invoice["invoice_type"] = json!("ticket");
    for (path, body, status) in [("/v1/events", top_up, 202), ("/v1/invoices", invoice, 201)] {
        for body in [body.clone(), {
            let mut bad = body;
            bad["unit"] = json!("a b");
            bad
        }] {
            let answer = stack.client.post(path, &key(), &body).await.unwrap();
            let good = body["unit"] != json!("a b");
            assert_eq!(answer.status, if good { status } else { 422 }, "{answer:?}");
            answers.push(answer.body.to_string());
        }
    }

    // Refused ones, alone and as rows, and cut short.
    let mut rows = refused(&id);
    for path in routes {
        for event in &rows {
            let answer = stack.client.post(path, &key(), event).await.unwrap();
            let refused = (400..500).contains(&answer.status);
            assert!(refused || path.ends_with("preview"), "{event}: {answer:?}");
            answers.push(answer.body.to_string());
            let cut = event.to_string().into_bytes();
            let cut = cut[..cut.len() - 1].to_vec();
            let answer = stack.client.raw("POST", path, &[], Some(cut)).await.unwrap();
            assert_eq!(answer.status, 400);
            answers.push(answer.body.to_string());
        }
    }
    rows.extend((0..20).map(|_| with_canary(&id)));
    let bulk = json!({ "events": rows });
    let call = Call { method: "POST", path: "/v1/events/bulk", key: None, body: Some(&bulk) };
    answers.push(stack.client.send(&call).await.unwrap().body.to_string());

    // Failing ones: the function dies under them, and the evaluation of what was queued.
    let path = format!("/v1/participants/{id}/events?limit=200");
    for _ in 0..5 {
        let event = with_canary(&id);
        let client = stack.client.clone();
        let call = tokio::spawn(async move { client.post("/v1/events", &key(), &event).await });
        for pid in stack.pids(None).await.unwrap() {
            // It may have ended by itself.
            let _killed = signal("KILL", pid).await;
        }
        answers.push(call.await.unwrap().unwrap().body.to_string());
    }
    stack.idle().await.unwrap();
    answers.push(stack.client.get(&path).await.unwrap().body.to_string());
    stack.stop().await.unwrap();

    for answer in &answers {
        assert!(!answer.contains(CANARY), "{answer}");
    }
    let mut found = Vec::new();
    holding(&folder, b"POST /v1/events/bulk", &mut found);
    assert!(found.iter().any(|file| file.contains("logs")), "no logs: {found:?}");
    found.clear();
    holding(&folder, b"\"events\\\":", &mut found);
    assert!(found.iter().any(|file| file.contains("queues")), "no messages: {found:?}");
    found.clear();
    holding(&folder, CANARY.as_bytes(), &mut found);
    assert!(found.is_empty(), "the identifier stands in {found:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}
