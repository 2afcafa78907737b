//! What is judged from the queue: right after it was stored, and whatever else lies in the queue.

use scenarios::client::Client;
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::calls::{bulk, pending, read, ticket};
use crate::desk::{available, own_stack, participant, post_event, purchase, shared_stack};

/// A call of the queue service, as the operator.
pub async fn queue(stack: &Stack, action: &str, queue: &str, mut body: Value) -> Value {
    let text = |name: &str| stack.ready[name].as_str().unwrap();
    let queues = stack.ready["queues"].as_object().unwrap();
    let url = queues.iter().find(|(name, _)| name.contains(queue)).unwrap().1;
    body["QueueUrl"] = url.clone();
    let (target, key) = (format!("AmazonSQS.{action}"), text("access_key_id"));
    let scope = format!("{key}/20260101/{}/sqs/aws4_request", text("region"));
    let signature = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
    let headers = [
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", target.as_str()),
        ("authorization", signature.as_str()),
    ];
    let client = Client::new(text("queue_endpoint"), "").unwrap();
    let body = Some(body.to_string().into_bytes());
    let answer = client.raw("POST", "/", &headers, body).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// What cannot be read is given up after its deliveries; the rest of its batch is not held up.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_read_ends_in_the_dead_letters_and_delays_no_other() {
    let stack = own_stack().await;
    let id = participant(&stack).await;
    let mut entries = Vec::new();
    let mut events = Vec::new();
    for index in 0..4 {
        let stored = post_event(&stack, &pending(ticket(&id, "20.00"))).await;
        assert_eq!(stored.status, 202, "{stored:?}");
        let event = stored.text("/event/id").to_owned();
        let body = json!({ "kind": "events", "participant": id, "events": [event] }).to_string();
        entries.push(json!({ "Id": format!("good-{index}"), "MessageBody": body }));
        events.push(event);
    }
    entries.insert(2, json!({ "Id": "bad", "MessageBody": "not { a message" }));
    let sent = queue(&stack, "SendMessageBatch", "EvaluationQueue", json!({ "Entries": entries }));
    assert_eq!(sent.await["Successful"].as_array().unwrap().len(), 5);
    assert_eq!(stack.idle().await.unwrap().status, 200);

    for event in events {
        let event = read(&stack, &format!("/v1/events/{event}")).await;
        assert_eq!(event["event"]["status"], "processed", "{event}");
    }
    let asked = json!({ "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0 });
    let dead = queue(&stack, "ReceiveMessage", "EvaluationDeadLetters", asked).await;
    let dead: Vec<&Value> = dead["Messages"].as_array().unwrap().iter().collect();
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert_eq!(dead[0]["Body"], "not { a message");
}

/// each row has its own outcome, a bad one stops no other, immediate ones wait for no run.
#[tokio::test(flavor = "multi_thread")]
async fn r15_r31_a_bulk_answers_row_by_row_and_immediate_rows_wait_for_no_run() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    let mut bad = purchase(&id, "1.00");
    bad["lines"] = json!([]);
    let rows = [ticket(&id, "60.00"), pending(ticket(&id, "30.00")), bad, ticket(&id, "10.00")];
    let outcomes = bulk(&stack, &rows).await;
    let statuses: Vec<&Value> = outcomes.iter().map(|outcome| &outcome["status"]).collect();
    assert_eq!(statuses, [202, 202, 422, 202], "{outcomes:?}");
    assert_eq!(outcomes[2]["index"], 2);
    assert_eq!(outcomes[2]["problem"]["code"], "invalid", "{outcomes:?}");
    assert_eq!(stack.idle().await.unwrap().status, 200);

    let mut states = Vec::new();
    for outcome in [&outcomes[0], &outcomes[1], &outcomes[3]] {
        let event = outcome["event_id"].as_str().unwrap();
        let event = read(&stack, &format!("/v1/events/{event}")).await;
        let waits = event["event"]["awaiting_run"].as_bool().unwrap();
        states.push((event["event"]["status"].as_str().unwrap().to_owned(), waits));
    }
    let states: Vec<(&str, bool)> = states.iter().map(|(s, w)| (s.as_str(), *w)).collect();
    assert_eq!(states, [("processed", true), ("pending", false), ("processed", true)]);
    // 6 and 1 for 10 %, 100 welcome, 25 for the big basket.
    assert_eq!(available(&stack, &id, "points").await, "132");
    let again = bulk(&stack, &rows).await;
    let statuses: Vec<&Value> = again.iter().map(|outcome| &outcome["status"]).collect();
    assert_eq!(statuses, [201, 202, 422, 201], "a repeat answers what stands: {again:?}");
    assert_eq!(available(&stack, &id, "points").await, "132");
}
