//! The calls that several scenarios make.

use scenarios::client::{Answer, Call, key};
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::desk::{post_event, purchase};

/// A spend of points at no purchase: `counter` is covered whole or refused, no classification is
/// covered as far as possible.
pub fn spend_of(participant: &str, amount: u64, classification: Option<&str>) -> Value {
    let mut body = json!({ "participant_id": participant, "amount": amount.to_string() });
    if let Some(classification) = classification {
        body["classification"] = json!(classification);
    }
    body
}

/// Sends a spend under a key.
pub async fn spend(stack: &Stack, key: &str, body: &Value) -> Answer {
    stack.client.post("/v1/spend-requests", key, body).await.unwrap()
}

/// Reads what must be there.
pub async fn read(stack: &Stack, path: &str) -> Value {
    let answer = stack.client.get(path).await.unwrap();
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body
}

/// Stores events in bulk; answers the outcomes.
pub async fn bulk(stack: &Stack, events: &[Value]) -> Vec<Value> {
    let body = json!({ "events": events });
    let call = Call { method: "POST", path: "/v1/events/bulk", key: None, body: Some(&body) };
    let answer = stack.client.send(&call).await.unwrap();
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.body["outcomes"].as_array().unwrap().clone()
}

/// Posts an event that is judged in the call; answers its id.
pub async fn posted(stack: &Stack, event: &Value) -> String {
    let answer = post_event(stack, event).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.text("/event/id").to_owned()
}

/// Cancels an event, or a spend by its code, under a key.
pub async fn cancel(stack: &Stack, what: &str, key: &str) -> Answer {
    stack.client.post(&format!("/v1/events/{what}/cancel"), key, &json!({})).await.unwrap()
}

/// Starts a run by hand; answers its id.
pub async fn start_run(stack: &Stack, key: &str) -> String {
    let body = json!({ "definition": "nightly" });
    let answer = stack.client.post("/v1/evaluation-runs", key, &body).await.unwrap();
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.text("/run_id").to_owned()
}

/// Judges everything that is pending; answers the run.
pub async fn run(stack: &Stack) -> Value {
    let id = start_run(stack, &key()).await;
    assert_eq!(stack.idle().await.unwrap().status, 200);
    let run = read(stack, &format!("/v1/evaluation-runs/{id}")).await;
    assert_eq!(run["status"], "completed", "{run}");
    assert_eq!(run["failed"], 0, "{run}");
    run
}

/// Sets the time that invocations carry.
pub async fn set_clock(stack: &Stack, now: &str) {
    let answer = stack.local("clock", &json!({ "now": now })).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Fires the schedule that looks for runs that are due.
pub async fn tick(stack: &Stack) {
    let fired = stack.local("schedules/AwardEvaluationTick/run", &json!({})).await.unwrap();
    assert_eq!(fired.status, 200, "{fired:?}");
}

/// A purchase that 10 % of is awarded.
pub fn ticket(participant: &str, total: &str) -> Value {
    let mut ticket = purchase(participant, total);
    ticket["classification"] = json!("day-ticket");
    ticket
}

/// An event that is left to a run.
pub fn pending(mut event: Value) -> Value {
    event["process_immediately"] = json!(false);
    event
}

/// The ledger sequence in a transaction code.
pub fn sequence(code: &str) -> u64 {
    let (_, tail) = code.rsplit_once('.').unwrap();
    tail.split_once('-').unwrap().0.parse().unwrap()
}

/// A whole number of points, as the API shows it.
pub fn points(value: &Value) -> i64 {
    value.as_str().unwrap().parse().unwrap()
}
