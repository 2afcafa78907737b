//! Runs with which nobody can go on: they say so, with what they counted, and go on when they are
//! asked for again.

use scenarios::client::key;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::calls::{bulk, pending, read, start_run, ticket};
use crate::desk::{available, own_stack, participant};
use crate::places::table;
use crate::queues::queue;

const SHARDS: usize = 8;

/// The id of the run that a key starts.
fn run_of(key: &str) -> String {
    let digest = Sha256::digest(format!("run\n{key}").as_bytes());
    digest[..12].iter().fold("run-".to_owned(), |id, byte| format!("{id}{byte:02x}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn r33_a_run_fails_when_its_messages_are_given_up_and_completes_when_asked_again() {
    let stack = own_stack().await;
    let get = |pk: String, sk: &str| {
        let asked = json!({ "Key": { "pk": { "S": pk }, "sk": { "S": sk } } });
        let stack = &stack;
        async move { table(stack, "GetItem", asked).await["Item"].take() }
    };
    let put = |item: Value| table(&stack, "PutItem", json!({ "Item": item }));

    // A run of tomorrow, recorded a second time under the id that another key stands for: so
    // nobody has asked for its shards yet.
    stack.advance("P1D").await.unwrap();
    let first = start_run(&stack, &key()).await;
    assert_eq!(stack.idle().await.unwrap().status, 200);
    stack.local("clock", &json!({ "now": scenarios::client::now() })).await.unwrap();
    let again = key();
    let run = run_of(&again);
    let mut record = get(format!("J#{first}"), "J").await;
    record["pk"]["S"] = json!(format!("J#{run}"));
    put(record).await;
    let path = format!("/v1/evaluation-runs/{run}");

    let id = participant(&stack).await;
    let events: Vec<Value> = (0..3).map(|_| pending(ticket(&id, "20.00"))).collect();
    bulk(&stack, &events).await;
    let running = read(&stack, &path).await;
    assert_eq!((&running["status"], &running["ended_at"]), (&json!("running"), &Value::Null));

    // The programme cannot be read, and no try to do without it helps.
    let pointer = get("G".to_owned(), "ACTIVE").await;
    let mut broken = pointer.clone();
    broken["q"]["N"] = json!("999");
    put(broken).await;
    stack.advance("PT10S").await.unwrap();
    let message = |shard: usize| {
        let body = json!({ "kind": "shard", "run": run, "shard": shard }).to_string();
        json!({ "Id": format!("shard-{shard}"), "MessageBody": body })
    };
    let entries: Vec<Value> = (0..SHARDS).map(message).collect();
    queue(&stack, "SendMessageBatch", "EvaluationQueue", json!({ "Entries": entries })).await;
    assert_eq!(stack.idle().await.unwrap().status, 200);
    put(pointer).await;
    stack.advance("PT10S").await.unwrap();

    let failed = read(&stack, &path).await;
    assert_eq!((&failed["status"], &failed["shards_failed"]), (&json!("failed"), &json!(SHARDS)));
    let counts = ["events", "awarded", "failed"].map(|name| failed[name].clone());
    assert_eq!(counts, [0, 0, 0], "{failed}");
    assert!(failed["ended_at"].is_string(), "{failed}");

    assert_eq!(start_run(&stack, &again).await, run, "one key, one run");
    assert_eq!(stack.idle().await.unwrap().status, 200);
    let done = read(&stack, &path).await;
    assert_eq!((&done["status"], &done["shards_failed"]), (&json!("completed"), &json!(0)));
    assert_eq!((&done["events"], &done["failed"]), (&json!(3), &json!(0)), "{done}");
    assert_eq!(available(&stack, &id, "points").await, "156");
}

/// An event that cannot be read is counted, and stops neither the run nor its neighbours.
#[tokio::test(flavor = "multi_thread")]
async fn r33_an_event_that_cannot_be_judged_is_counted_by_each_run_until_it_is_mended() {
    let stack = own_stack().await;
    let id = participant(&stack).await;
    let events: Vec<Value> = (0..3).map(|_| pending(ticket(&id, "20.00"))).collect();
    let stored = bulk(&stack, &events).await;
    let pk = format!("E#{}", stored[1]["event_id"].as_str().unwrap());
    let asked = json!({ "Key": { "pk": { "S": pk }, "sk": { "S": "E" } } });
    let whole = table(&stack, "GetItem", asked).await["Item"].take();
    let mut broken = whole.clone();
    broken["d"]["B"] = json!("AAAA");
    table(&stack, "PutItem", json!({ "Item": broken })).await;
    let mut runs = Vec::new();
    for mended in [false, true] {
        if mended {
            table(&stack, "PutItem", json!({ "Item": whole })).await;
        }
        let run = start_run(&stack, &key()).await;
        assert_eq!(stack.idle().await.unwrap().status, 200);
        let run = read(&stack, &format!("/v1/evaluation-runs/{run}")).await;
        assert_eq!(run["status"], "completed", "{run}");
        runs.push(["events", "failed"].map(|name| run[name].clone()));
    }
    assert_eq!(runs, [[2, 1], [1, 0]]);
}
