//! Evaluation: exactly once, whoever starts it, however often, and whatever dies on the way.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use scenarios::client::key;
use scenarios::stack::{Stack, signal};
use serde_json::{Value, json};

use crate::calls::{bulk, pending, points, posted, read, run, set_clock, spend_of, tick, ticket};
use crate::desk::{
    available, credit, own_stack, participant, post_event, shared_stack, transactions,
};

/// Batches that are interrupted: with each, every message may be delivered once more, and after the
/// fifth time one is given up.
const INTERRUPTED: u64 = 3;
/// Processes that are killed at most, and looks at how far the others are.
const KILLS: usize = 12;
const LOOKS: usize = 5_000;

fn offers(event: &Value) -> Vec<&str> {
    let awards = event["awards"].as_array().unwrap().iter();
    awards.map(|award| award["offer"].as_str().unwrap()).collect()
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

/// Kills one worker each time that they got on a little, until some were at work when they were
/// killed; answers how many were killed, and how many of them at work.
async fn kill_in_the_middle(stack: &Stack) -> (usize, u64) {
    let (mut killed, mut seen, mut interrupted) = (0, 1, 0);
    for _ in 0..LOOKS {
        let stats = stack.stats().await.unwrap();
        let worker = &stats["functions"]["award-evaluation"];
        let committed = worker["calls"]["TransactWriteItems"].as_u64().unwrap_or_default();
        interrupted = worker["errors"].as_u64().unwrap();
        if interrupted >= INTERRUPTED || killed == KILLS {
            break;
        }
        let pids = worker["pids"].as_array().unwrap();
        if committed > seen + 1 && !pids.is_empty() {
            let pid = pids[killed % pids.len()].as_u64().unwrap();
            killed += usize::from(signal("KILL", pid.try_into().unwrap()).await.is_ok());
            seen = committed;
        }
    }
    (killed, interrupted)
}

/// Starts a run and asks again, under the same key, where the process died that was asked.
async fn started(stack: &Stack, key: &str) -> String {
    let body = json!({ "definition": "nightly" });
    for _ in 0..KILLS {
        let answer = stack.client.post("/v1/evaluation-runs", key, &body).await.unwrap();
        if answer.status != 502 {
            assert_eq!(answer.status, 202, "{answer:?}");
            return answer.text("/run_id").to_owned();
        }
    }
    panic!("the run is never started")
}

/// each (event, offer) pair at most once, and the counts of both runs add up.
#[tokio::test(flavor = "multi_thread")]
async fn r33_pending_events_are_awarded_once_by_two_runs_whose_workers_are_killed() {
    const PEOPLE: usize = 20;
    const EVENTS: usize = 25;
    let stack = own_stack().await;
    let mut people = Vec::new();
    for _ in 0..PEOPLE {
        people.push(participant(&stack).await);
    }
    let events = (0..EVENTS).flat_map(|_| people.iter().map(|id| pending(ticket(id, "20.00"))));
    let outcomes = bulk(&stack, &events.collect::<Vec<_>>()).await;
    assert!(outcomes.iter().all(|outcome| outcome["status"] == 202), "{outcomes:?}");

    let (one, other) = (key(), key());
    let starts = [&one, &one, &other].map(|key| started(&stack, key));
    let (ids, (killed, interrupted)) = tokio::join!(join_all(starts), kill_in_the_middle(&stack));
    assert_eq!(ids[0], ids[1], "one key, one run");
    assert_ne!(ids[0], ids[2]);
    assert_eq!(stack.idle().await.unwrap().status, 200);

    let (mut judged, mut awarded, mut by_run) = (0, 0, Vec::new());
    for id in &ids[1..] {
        let run = read(&stack, &format!("/v1/evaluation-runs/{id}")).await;
        assert_eq!((&run["status"], &run["failed"]), (&json!("completed"), &json!(0)), "{run}");
        by_run.push(number(&run["events"]));
        judged += number(&run["events"]);
        awarded += number(&run["awarded"]);
    }
    println!("{killed} workers killed, {interrupted} at work; events of each run: {by_run:?}");
    assert!(interrupted > 0);
    assert_eq!(judged, PEOPLE * EVENTS);
    // 10 % for each event; welcome and the monthly bonus once for each participant.
    assert_eq!(awarded, PEOPLE * (EVENTS + 2));
    for id in &people {
        let rows = transactions(&stack, id).await;
        let awards: Vec<&Value> = rows.iter().filter(|row| row["kind"] == "award").collect();
        let pairs = awards.iter().map(|row| (row["cause"].to_string(), row["offer"].to_string()));
        assert_eq!(pairs.collect::<BTreeSet<_>>().len(), EVENTS + 2, "{id}: {rows:?}");
        assert_eq!(awards.len(), EVENTS + 2, "{id}: no pair twice");
        assert_eq!(available(&stack, id, "points").await, "200");
    }
    // One more run finds nothing.
    assert_eq!(run(&stack).await["events"], 0);
}

/// a due time has one run, however often the schedule fires for it.
#[tokio::test(flavor = "multi_thread")]
async fn r33_the_schedule_starts_the_nightly_run_once_for_each_night() {
    let stack = own_stack().await;
    set_clock(&stack, "2027-03-09T20:00:00Z").await;
    let id = participant(&stack).await;
    let mut event = pending(ticket(&id, "20.00"));
    event["performed_on"] = json!("2027-03-09T19:00:00Z");
    assert_eq!(post_event(&stack, &event).await.status, 202);

    // Five past three in Berlin.
    set_clock(&stack, "2027-03-10T02:05:00Z").await;
    tokio::join!(tick(&stack), tick(&stack), tick(&stack));
    assert_eq!(stack.idle().await.unwrap().status, 200);
    let first = read(&stack, "/v1/evaluation-runs/nightly.2027-03-10T0300").await;
    assert_eq!(first["started_at"], "2027-03-10T03:00:00+01:00");
    let counts = ["status", "events", "awarded", "failed"].map(|name| first[name].clone());
    assert_eq!(counts, [json!("completed"), json!(1), json!(3), json!(0)], "{first}");
    assert_eq!(available(&stack, &id, "points").await, "152");

    stack.local("stats/reset", &json!({})).await.unwrap();
    set_clock(&stack, "2027-03-11T01:55:00Z").await;
    tick(&stack).await;
    assert_eq!(stack.idle().await.unwrap().status, 200);
    let stats = stack.stats().await.unwrap();
    assert_eq!(stats["functions"]["award-evaluation"]["write_units"].to_string(), "0");
    assert_eq!(read(&stack, "/v1/evaluation-runs/nightly.2027-03-10T0300").await, first);

    set_clock(&stack, "2027-03-11T02:05:00Z").await;
    tick(&stack).await;
    assert_eq!(stack.idle().await.unwrap().status, 200);
    let next = read(&stack, "/v1/evaluation-runs/nightly.2027-03-11T0300").await;
    assert_eq!((&next["status"], &next["events"]), (&json!("completed"), &json!(0)), "{next}");
}

/// a preview writes nothing, and posting does what it said.
#[tokio::test(flavor = "multi_thread")]
async fn r35_r66_a_preview_writes_nothing_and_says_what_posting_does() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    credit(&stack, &id, 2).await;
    let mut event = ticket(&id, "120.00");
    event["spend"] = json!({ "amount": "15", "classification": "checkout" });
    let before = transactions(&stack, &id).await;
    let preview = stack.client.post("/v1/events/preview", &key(), &event).await.unwrap();
    assert_eq!(preview.status, 200, "{preview:?}");
    assert_eq!(transactions(&stack, &id).await, before);
    let reference = event["external_reference"].as_str().unwrap();
    let unknown = stack.client.get(&format!("/v1/events/test:{reference}")).await.unwrap();
    assert_eq!((unknown.status, unknown.text("/code")), (404, "event_not_found"));

    let done = post_event(&stack, &event).await;
    assert_eq!(done.status, 201, "{done:?}");
    let (said, done) = (preview.body, done.body);
    assert_eq!(said["awarded"], done["event"]["totals"]["awarded"]);
    assert_eq!(said["spent_on_request"], done["event"]["totals"]["spent"]);
    assert_eq!(said["spent_instantly"], json!([]));
    assert_eq!(said["passed_over"], done["passed_over"]);
    let mut awards = done["awards"].clone();
    awards.as_array_mut().unwrap().iter_mut().for_each(|award| {
        award.as_object_mut().unwrap().remove("transaction");
    });
    assert_eq!(said["awards"], awards);
    // What the preview calls additional is what a spend takes at most, before the award.
    let points_of = |list: &Value| points(&list.as_array().unwrap()[0]["amount"]);
    assert_eq!(points_of(&said["additional_spendable"]), 25);
    let spends = done["spends"].as_array().unwrap();
    assert_eq!((spends.len(), &spends[0]["spent"]), (1, &json!("15")));
    let mut much = spend_of(&id, 1, Some("checkout"));
    much["purchase_event_id"] = done["event"]["id"].clone();
    let more = stack.client.post("/v1/spend-requests", &key(), &much).await.unwrap();
    assert_eq!(more.status, 201, "{more:?}");
}

/// what was judged at once is judged again only by the offers that a run applies.
#[tokio::test(flavor = "multi_thread")]
async fn r31_an_event_that_awaits_a_run_is_judged_by_batch_offers_only() {
    let stack = own_stack().await;
    let id = participant(&stack).await;
    let event = posted(&stack, &ticket(&id, "60.00")).await;
    let path = format!("/v1/events/{event}");
    let at_once = read(&stack, &path).await;
    assert_eq!(offers(&at_once), ["ten-per-cent", "welcome", "big-basket"]);
    assert_eq!(at_once["event"]["awaiting_run"], true);
    let run = run(&stack).await;
    assert_eq!((&run["events"], &run["awarded"]), (&json!(1), &json!(1)), "{run}");
    let after = read(&stack, &path).await;
    assert_eq!(offers(&after), ["ten-per-cent", "welcome", "big-basket", "monthly-bonus"]);
    assert_eq!(after["event"]["awaiting_run"], false);
    assert_eq!(available(&stack, &id, "points").await, "181");
}
