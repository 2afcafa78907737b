//! A stack that is killed leaves no function behind, not even one that is in the midst of a call.

use std::time::{Duration, Instant};

use scenarios::client::Call;
use serde_json::{Value, json};

use crate::desk::{own_stack, participant, purchase};

/// A call of the SDK gives up after ten seconds; what it was part of then cannot be told to
/// anyone, and the process ends.
const PATIENCE: Duration = Duration::from_secs(40);

/// Whether a process still runs; one that has ended and that nobody asked after has no command.
fn runs(pid: u32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|command| !command.is_empty())
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_end_with_a_stack_that_is_killed_in_the_midst_of_their_calls() {
    let stack = own_stack().await;
    let who = participant(&stack).await;
    let events: Vec<Value> = (0..1_000).map(|_| purchase(&who, "3.00")).collect();
    let bulk = json!({ "events": events });
    let mut calls = Vec::new();
    for _ in 0..3 {
        let (client, bulk) = (stack.client.clone(), bulk.clone());
        calls.push(tokio::spawn(async move {
            let path = "/v1/events/bulk";
            client.send(&Call { method: "POST", path, key: None, body: Some(&bulk) }).await
        }));
    }
    // Until all three are at work on the table.
    let busy = async || {
        let stats = stack.stats().await.unwrap();
        let calls = stats["functions"]["event-ingestion"]["calls"].to_string();
        let pids = stack.pids(Some("event-ingestion")).await.unwrap();
        pids.len() >= 3 && calls.contains("PutItem")
    };
    let begun = Instant::now();
    let mut at_work = busy().await;
    while !at_work && begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(5)).await;
        at_work = busy().await;
    }
    let pids = stack.pids(None).await.unwrap();
    assert!(at_work && pids.len() >= 8, "{pids:?}");
    stack.kill().await.unwrap();
    for call in calls {
        assert!(call.await.unwrap().is_err(), "the call was over before the stack was");
    }
    let killed = Instant::now();
    while pids.iter().any(|pid| runs(*pid)) && killed.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let left: Vec<&u32> = pids.iter().filter(|pid| runs(**pid)).collect();
    assert!(left.is_empty(), "{left:?} still run");
    println!("all ended {} ms after the stack", killed.elapsed().as_millis());
}
