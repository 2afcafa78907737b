//! Evaluation: exactly once, whoever starts it, however often, and whatever dies on the way.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use scenarios::client::{Client, key};
use scenarios::stack::{Stack, signal};
use serde_json::{Value, json};

use crate::calls::{bulk, pending, points, posted, read, run, spend_of, start_run};
use crate::desk::{
    available, credit, own_stack, participant, post_event, purchase, shared_stack, transactions,
};

/// Kills of a worker in the middle: fewer than the deliveries after which a message is given up.
const KILLS: usize = 4;

fn ticket(participant: &str, total: &str) -> Value {
    let mut ticket = purchase(participant, total);
    ticket["classification"] = json!("day-ticket");
    ticket
}

fn offers(event: &Value) -> Vec<&str> {
    let awards = event["awards"].as_array().unwrap().iter();
    awards.map(|award| award["offer"].as_str().unwrap()).collect()
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

/// Transactions that the workers committed, and their processes.
async fn workers(stack: &Stack) -> (usize, Vec<u32>) {
    let stats = stack.stats().await.unwrap();
    let worker = &stats["functions"]["AwardEvaluation"];
    let committed = worker["calls"]["TransactWriteItems"].as_u64().unwrap_or_default();
    (usize::try_from(committed).unwrap(), stack.pids(Some("AwardEvaluation")).await.unwrap())
}

/// Kills all workers each time that they got on a little; answers how many processes were killed.
async fn kill_in_the_middle(stack: &Stack) -> usize {
    let (mut killed, mut seen) = (0, 0);
    for _ in 0..KILLS {
        for _ in 0..2_000 {
            let (committed, pids) = workers(stack).await;
            if committed > seen + 1 {
                for pid in pids {
                    killed += usize::from(signal("KILL", pid).await.is_ok());
                }
                seen = committed;
                break;
            }
        }
    }
    killed
}

/// each (event, offer) pair at most once, and the counts of both runs add up.
#[tokio::test(flavor = "multi_thread")]
async fn pending_events_are_awarded_once_by_two_runs_whose_workers_are_killed_r33() {
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
    let starts = [&one, &one, &other].map(|key| start_run(&stack, key));
    let (ids, killed) = tokio::join!(join_all(starts), kill_in_the_middle(&stack));
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
    println!("{killed} workers killed; events judged by each run: {by_run:?}");
    assert!(killed > 0);
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

/// A call of the queue service, as the operator.
async fn queue(stack: &Stack, action: &str, queue: &str, mut body: Value) -> Value {
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
async fn a_bulk_answers_row_by_row_and_immediate_rows_wait_for_no_run_r15_r31() {
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

/// a due time has one run, however often the schedule fires for it.
#[tokio::test(flavor = "multi_thread")]
async fn the_schedule_starts_the_nightly_run_once_for_each_night_r33() {
    let stack = own_stack().await;
    let set = async |now: &str| {
        let answer = stack.local("clock", &json!({ "now": now })).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    let fire = async || {
        let fired = stack.local("schedules/AwardEvaluationTick/run", &json!({})).await.unwrap();
        assert_eq!(fired.status, 200, "{fired:?}");
    };
    set("2027-03-09T20:00:00Z").await;
    let id = participant(&stack).await;
    let mut event = pending(ticket(&id, "20.00"));
    event["performed_on"] = json!("2027-03-09T19:00:00Z");
    assert_eq!(post_event(&stack, &event).await.status, 202);

    // Five past three in Berlin.
    set("2027-03-10T02:05:00Z").await;
    tokio::join!(fire(), fire(), fire());
    assert_eq!(stack.idle().await.unwrap().status, 200);
    let first = read(&stack, "/v1/evaluation-runs/nightly.2027-03-10T0300").await;
    assert_eq!(first["started_at"], "2027-03-10T03:00:00+01:00");
    let counts = ["status", "events", "awarded", "failed"].map(|name| first[name].clone());
    assert_eq!(counts, [json!("completed"), json!(1), json!(3), json!(0)], "{first}");
    assert_eq!(available(&stack, &id, "points").await, "152");

    stack.local("stats/reset", &json!({})).await.unwrap();
    set("2027-03-11T01:55:00Z").await;
    fire().await;
    assert_eq!(stack.idle().await.unwrap().status, 200);
    let stats = stack.stats().await.unwrap();
    assert_eq!(stats["functions"]["AwardEvaluation"]["write_units"].to_string(), "0");
    assert_eq!(read(&stack, "/v1/evaluation-runs/nightly.2027-03-10T0300").await, first);

    set("2027-03-11T02:05:00Z").await;
    fire().await;
    assert_eq!(stack.idle().await.unwrap().status, 200);
    let next = read(&stack, "/v1/evaluation-runs/nightly.2027-03-11T0300").await;
    assert_eq!((&next["status"], &next["events"]), (&json!("completed"), &json!(0)), "{next}");
}

/// a preview writes nothing, and posting does what it said.
#[tokio::test(flavor = "multi_thread")]
async fn a_preview_writes_nothing_and_says_what_posting_does_r35_r66() {
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
    assert_eq!(said["spent_instantly"], done["event"]["totals"]["spent"]);
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
async fn an_event_that_awaits_a_run_is_judged_by_batch_offers_only_r31() {
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
