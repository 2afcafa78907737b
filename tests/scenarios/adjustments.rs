//! Adjustments by hand, points that move in from another bonus system, and what expires in wallets
//! that nobody touches.

use scenarios::client::{Answer, Call, key};
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::bad_input::violations;
use crate::calls::{read, set_clock, spend, spend_of, tick};
use crate::desk::{available, credit, own_stack, participant, shared_stack, transactions};

async fn adjust(stack: &Stack, id: &str, key: &str, body: &Value) -> Answer {
    let path = format!("/v1/participants/{id}/adjustments");
    stack.client.post(&path, key, body).await.unwrap()
}

async fn import(stack: &Stack, rows: &[Value]) -> Vec<Value> {
    let body = json!({ "adjustments": rows });
    let call = Call { method: "POST", path: "/v1/adjustments", key: None, body: Some(&body) };
    let answer = stack.client.send(&call).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["outcomes"].as_array().unwrap().clone()
}

fn by(amount: &str, reason: &str) -> Value {
    json!({ "balance": "points", "amount": amount, "reason": reason })
}

fn told(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.text("/code"))
}

/// Support credits and debits; a refusal stays one under its key, and a block stops neither.
#[tokio::test(flavor = "multi_thread")]
async fn r74_support_adjusts_a_balance_once_with_a_reason() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    for (first, debit, more) in [(key(), "-30", "-31"), ("ticket 4711".to_owned(), "-80", "-81")] {
        let early = adjust(&stack, &id, &first, &by(debit, "credited twice")).await;
        assert_eq!(told(&early), (409, "not_covered"), "{early:?}");
        let credit = adjust(&stack, &id, &key(), &by("50", "a late bus")).await;
        assert_eq!(credit.status, 201, "{credit:?}");
        let again = adjust(&stack, &id, &first, &by(debit, "credited twice")).await;
        assert_eq!(told(&again), (409, "not_covered"), "one key, one answer");
        let other = adjust(&stack, &id, &first, &by(more, "credited twice")).await;
        assert_eq!(told(&other), (422, "idempotency_key_reused"));
    }
    let block = json!({ "blocked": true, "reason": "a dispute" });
    let path = format!("/v1/participants/{id}/block-spending");
    assert_eq!(stack.client.post(&path, &key(), &block).await.unwrap().status, 200);
    let debit = key();
    let done = adjust(&stack, &id, &debit, &by("-30", "credited twice")).await;
    assert_eq!((done.status, done.text("/balances/0/available")), (201, "70"), "{done:?}");
    let repeat = adjust(&stack, &id, &debit, &by("-30", "credited twice")).await;
    assert_eq!(repeat.text("/transaction"), done.text("/transaction"));
    assert_eq!((repeat.status, &repeat.body["repeated"]), (201, &json!(true)));
    let shown = read(&stack, &format!("/v1/transactions/{}", done.text("/transaction"))).await;
    assert_eq!(
        (&shown["reason"], &shown["rows"][0]["kind"]),
        (&json!("credited twice"), &json!("adjust"))
    );
    assert_eq!(shown["rows"][0]["amount"], "-30");
    let mut past = by("5", "opening balance");
    past["expires"] = json!("2020-12-31");
    assert_eq!(told(&adjust(&stack, &id, &key(), &past).await), (409, "already_expired"));
    let merchant = json!({ "merchant": "kiosks" });
    let caller = stack.caller(&["participants.write"], &merchant).await.unwrap();
    let path = format!("/v1/participants/{id}/adjustments");
    let foreign = caller.post(&path, &key(), &by("5", "mine")).await.unwrap();
    assert_eq!(told(&foreign), (403, "unit_not_allowed"));
    assert_eq!(available(&stack, &id, "points").await, "70");
}

/// The points of the system before are sent as a file, twice; bad rows stop no other.
#[tokio::test(flavor = "multi_thread")]
async fn r74_points_of_another_system_move_in_row_by_row_and_once() {
    let stack = shared_stack().await;
    let mut people = Vec::new();
    for _ in 0..12 {
        people.push(participant(&stack).await);
    }
    let row = |id: &str, reference: &str, amount: &str| {
        let mut row = by(amount, "opening balance");
        row["participant_id"] = json!(id);
        row["reference"] = json!(format!("old/{reference}"));
        row
    };
    let mut rows: Vec<Value> = people.iter().map(|id| row(id, "1", "100")).collect();
    rows.extend(people.iter().map(|id| row(id, "2", "-40")));
    let opening = rows.len();
    rows.push(row(&people[0], "3", "-61"));
    rows.push(row("nobody-at-all", "1", "5"));
    rows.push(json!({ "participant_id": people[0], "balance": "points", "amount": "0" }));
    rows.push(json!("nope"));
    rows.push(row(&people[0], "1", "99"));
    let outcomes = import(&stack, &rows).await;
    assert_eq!(outcomes.len(), rows.len());
    for (index, outcome) in outcomes.iter().enumerate() {
        assert_eq!(outcome["index"], json!(index));
        let good = index < opening;
        assert_eq!((outcome["status"] == 201, outcome["transaction"].is_string()), (good, good));
    }
    let codes: Vec<&Value> = outcomes[opening..].iter().map(|o| &o["problem"]["code"]).collect();
    let want =
        ["not_covered", "participant_not_found", "invalid", "invalid", "idempotency_key_reused"];
    assert_eq!(codes, want);
    let faults = violations(&outcomes[opening + 2]["problem"]);
    let places: Vec<&str> = faults.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["/amount", "/reason", "/reference"]);
    let again = import(&stack, &rows).await;
    assert_eq!(again, outcomes, "sending the file again changes nothing");
    for id in &people {
        assert_eq!(available(&stack, id, "points").await, "60");
    }
    // The reference is a key like any other: alone, the row is a repeat.
    let alone = adjust(&stack, &people[1], "old/1", &by("100", "opening balance")).await;
    assert_eq!((alone.status, &alone.body["repeated"]), (201, &json!(true)), "{alone:?}");
    assert_eq!(alone.body["transaction"], outcomes[1]["transaction"]);
    // A call has its time: of one participant it takes a hundred rows.
    let many: Vec<Value> = (0..102).map(|n| row(&people[2], &format!("m{n}"), "1")).collect();
    let outcomes = import(&stack, &many).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome["status"] == 201).count(), 100);
    assert_eq!(outcomes[101]["status"], 422, "{}", outcomes[101]);
    assert_eq!(available(&stack, &people[2], "points").await, "160");
}

/// Twelve months on, a run books what has expired; nobody touched the wallets meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn r71_an_expiry_run_books_what_is_over_in_wallets_that_nobody_touches() {
    let stack = own_stack().await;
    let mut people = Vec::new();
    for number in 0..30 {
        let id = participant(&stack).await;
        match number % 3 {
            0 => credit(&stack, &id, 2).await,
            1 => {
                credit(&stack, &id, 1).await;
                let body = spend_of(&id, 15, None);
                let held = stack.client.post("/v1/holds", &key(), &body).await.unwrap();
                assert_eq!(held.status, 201, "{held:?}");
            }
            _ => assert_eq!(adjust(&stack, &id, &key(), &by("7", "for good")).await.status, 201),
        }
        people.push(id);
    }
    let run = async |key: &str| {
        let body = json!({ "definition": "expiry" });
        let started = stack.client.post("/v1/evaluation-runs", key, &body).await.unwrap();
        assert_eq!(started.status, 202, "{started:?}");
        assert_eq!(stack.idle().await.unwrap().status, 200);
        let run = read(&stack, &format!("/v1/evaluation-runs/{}", started.text("/run_id"))).await;
        let named =
            ["does", "status", "wallets", "lots_expired", "holds_lapsed", "expired", "failed"];
        json!(named.map(|name| run[name].clone()))
    };
    let nothing = json!(["expiry", "completed", 30, 0, 0, [], 0]);
    assert_eq!(run(&key()).await, nothing);
    stack.advance("PT1H").await.unwrap();
    assert_eq!(run(&key()).await, json!(["expiry", "completed", 30, 0, 10, [], 0]));
    stack.advance("P400D").await.unwrap();
    let rows = transactions(&stack, &people[0]).await;
    assert_eq!(rows[0]["kind"], "award", "shown as gone, and not booked yet");
    let stats = stack.local("stats/reset", &json!({})).await.unwrap();
    assert_eq!(stats.status, 200);
    let night = key();
    let starts = futures_util::future::join(run(&night), run(&night)).await;
    let points = json!([{ "balance": "points", "amount": "600" }]);
    let want = json!(["expiry", "completed", 30, 20, 0, points, 0]);
    assert_eq!(starts, (want.clone(), want), "one key, one run");
    assert_eq!(run(&key()).await, nothing, "another run finds nothing");
    for (number, id) in people.iter().enumerate() {
        let rows = transactions(&stack, id).await;
        let expired = rows.iter().filter(|row| row["kind"] == "expire").count();
        assert_eq!(expired, usize::from(number % 3 < 2), "{rows:?}");
        let left = if number % 3 < 2 { "0" } else { "7" };
        assert_eq!(available(&stack, id, "points").await, left);
    }
    let late = spend(&stack, &key(), &spend_of(&people[0], 1, None)).await;
    assert_eq!(told(&late), (409, "not_covered"));
}

/// the schedule starts the expiry run in the night, once.
#[tokio::test(flavor = "multi_thread")]
async fn r71_the_schedule_starts_the_expiry_run_once_for_each_night() {
    let stack = own_stack().await;
    set_clock(&stack, "2027-03-09T20:00:00Z").await;
    let id = participant(&stack).await;
    let mut credit = by("25", "until tonight");
    credit["expires"] = json!("2027-03-09");
    let stamped = scenarios::client::key_at(1_804_622_400_000);
    assert_eq!(adjust(&stack, &id, &stamped, &credit).await.status, 201);
    set_clock(&stack, "2027-03-10T02:05:00Z").await;
    tokio::join!(tick(&stack), tick(&stack));
    assert_eq!(stack.idle().await.unwrap().status, 200);
    let run = read(&stack, "/v1/evaluation-runs/expiry.2027-03-10T0300").await;
    assert_eq!((&run["status"], &run["lots_expired"]), (&json!("completed"), &json!(1)), "{run}");
    assert_eq!(run["expired"], json!([{ "balance": "points", "amount": "25" }]));
    assert_eq!(transactions(&stack, &id).await[0]["kind"], "expire");
}
