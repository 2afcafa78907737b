//! What scenarios begin with: a stack with the transit programme, participants, points.

use std::sync::{Arc, Weak};

use scenarios::client::{Answer, Call, key};
use scenarios::stack::{Stack, build, root};
use serde_json::{Value, json};
use tokio::sync::{Mutex, OnceCell};

static BUILT: OnceCell<()> = OnceCell::const_new();
static SHARED: Mutex<Weak<Stack>> = Mutex::const_new(Weak::new());

/// Reads a sample from `events/`.
pub fn sample(path: &str) -> Value {
    let text = std::fs::read(root().join("events").join(path)).expect(path);
    serde_json::from_slice(&text).expect(path)
}

/// Builds what a stack runs, once.
pub async fn built() {
    BUILT.get_or_init(|| async { build(true).await.map(|_| ()).expect("a build") }).await;
}

/// A stack of one's own with the transit programme: for scenarios that move its clock, kill its
/// functions or count what they cost.
pub async fn own_stack() -> Stack {
    built().await;
    let stack = Stack::start().await.expect("a stack");
    let programme = sample("transit/programme.json");
    let put = stack.client.put("/v1/programme", &programme).await.expect("an answer");
    assert_eq!(put.status, 200);
    stack
}

/// The stack that other scenarios share; it stops with the last of them.
pub async fn shared_stack() -> Arc<Stack> {
    let mut shared = SHARED.lock().await;
    if let Some(stack) = shared.upgrade() {
        return stack;
    }
    let stack = Arc::new(own_stack().await);
    *shared = Arc::downgrade(&stack);
    stack
}

/// Registers a participant that nobody else uses.
pub async fn participant(stack: &Stack) -> String {
    let id = format!("p-{}", key());
    let body = json!({ "profile": { "first_name": "Test" }, "consents": [] });
    let answer = stack.client.put(&format!("/v1/participants/{id}"), &body).await.unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    id
}

/// A purchase of this total by a participant, for `POST /v1/events`, to be judged in the call.
pub fn purchase(participant: &str, total: &str) -> Value {
    json!({
        "type": "purchase", "participant_id": participant, "unit": "kiosk-1",
        "performed_on": scenarios::client::now(), "external_system": "test",
        "external_reference": key(), "process_immediately": true,
        "lines": [{ "category": "other", "quantity": 1, "net": total, "vat": "0" }],
    })
}

/// Posts an event.
pub async fn post_event(stack: &Stack, event: &Value) -> Answer {
    let call = Call { method: "POST", path: "/v1/events", key: None, body: Some(event) };
    stack.client.send(&call).await.unwrap()
}

/// Gives a participant points by a gift pass, 20 each.
pub async fn credit(stack: &Stack, participant: &str, passes: usize) {
    for _ in 0..passes {
        let path = "/v1/pass-plans/gift-20/passes";
        let issued = stack.client.post(path, &key(), &json!({})).await.unwrap();
        assert_eq!(issued.status, 201, "{issued:?}");
        let body = json!({ "code": issued.text("/code"), "participant_id": participant });
        let redeemed = stack.client.post("/v1/pass-redemptions", &key(), &body).await.unwrap();
        assert_eq!(redeemed.status, 201, "{redeemed:?}");
    }
}

/// What a participant can spend of a balance.
pub async fn available(stack: &Stack, participant: &str, balance: &str) -> String {
    let answer = stack.client.get(&format!("/v1/participants/{participant}/wallet")).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let balances = answer.body["balances"].as_array().unwrap();
    let found = balances.iter().find(|known| known["balance"] == balance).unwrap();
    found["available"].as_str().unwrap().to_owned()
}

/// All ledger rows of a participant, newest first.
pub async fn transactions(stack: &Stack, participant: &str) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/participants/{participant}/transactions?limit=200{cursor}");
        let answer = stack.client.get(&path).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        rows.extend(answer.body["transactions"].as_array().unwrap().clone());
        match answer.body["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}
