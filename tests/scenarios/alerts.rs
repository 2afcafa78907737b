//! Alerts: a manager is told when a regular's sales fall, once, whatever dies on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use scenarios::client::{Call, key};
use scenarios::stack::{Stack, signal};
use serde_json::{Value, json};

use crate::calls::{bulk, read, set_clock, tick};
use crate::desk::{built, purchase, sample};
use crate::feed::target::Target;
use crate::places::spoil_wallet;
use crate::queues::queue;

/// People whose sales fall at once, and workers that are killed at most.
const PEOPLE: usize = 60;
const KILLS: usize = 4;
const LOOKS: usize = 3_000;

/// A stack whose managers are told, each morning at six, whose sales of the last month fell below
/// half of the average of the three before.
async fn stack(target: &Target) -> Stack {
    built().await;
    let stack = Stack::start().await.unwrap();
    let put = stack.client.put("/v1/programme", &document(target)).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    stack
}

fn document(target: &Target) -> Value {
    let mut programme = sample("transit/programme.json");
    programme["time_zone"] = json!("UTC");
    programme["segments"] = json!([{ "id": "sales-halved", "where": {
        "activity": "sales", "during": { "calendar": "month", "ago": 1 },
        "below": { "percent": 50, "of_average": "P3M" },
    } }]);
    programme["runs"] = json!([{ "id": "morning", "does": "alerts", "cron": "0 6 * * *" }]);
    programme["feeds"] = json!([{ "id": "managers", "kind": "webhook", "secret": "default",
        "url": format!("{}/hook", target.address), "types": ["alert"] }]);
    programme["alerts"] =
        json!([{ "id": "sales-drop", "segment": "sales-halved", "feed": "managers" }]);
    programme
}

async fn joins(stack: &Stack, who: &str) {
    let body = json!({ "profile": { "first_name": "Test" } });
    let answer = stack.client.put(&format!("/v1/participants/{who}"), &body).await.unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
}

async fn idle(stack: &Stack) {
    assert_eq!(stack.idle().await.unwrap().status, 200);
}

/// Purchases of whole euros in months of 2027.
async fn buy(stack: &Stack, bought: &[(&str, u32, u32)]) {
    let event = |(who, month, euros): &(&str, u32, u32)| {
        let mut event = purchase(who, &format!("{euros}.00"));
        event["performed_on"] = json!(format!("2027-{month:02}-01T12:00:00Z"));
        event
    };
    let events: Vec<Value> = bought.iter().map(event).collect();
    for outcome in bulk(stack, &events).await {
        assert_eq!(outcome["status"], 202, "{outcome}");
    }
    idle(stack).await;
}

/// The morning of a day, with its run; answers how many joined, left, and were told again.
async fn morning(stack: &Stack, day: &str) -> [u64; 3] {
    let run = morning_run(stack, day).await;
    assert_eq!(run["failed"], 0, "{run}");
    ["joined", "left", "reminded"].map(|name| run[name].as_u64().unwrap())
}

/// The morning of a day, and what its run says.
async fn morning_run(stack: &Stack, day: &str) -> Value {
    set_clock(stack, &format!("2027-{day}T06:02:00Z")).await;
    tick(stack).await;
    idle(stack).await;
    let run = read(stack, &format!("/v1/evaluation-runs/morning.2027-{day}T0600")).await;
    assert_eq!((&run["does"], &run["status"]), (&json!("alerts"), &json!("completed")), "{run}");
    run
}

/// What a target was told of somebody: type and sequence.
fn told(target: &Target, who: &str) -> Vec<(String, u64)> {
    let all = target.taken();
    let own = all.iter().filter(|one| one["participant_id"] == who);
    own.map(|one| (one["type"].as_str().unwrap().to_owned(), one["sequence"].as_u64().unwrap()))
        .collect()
}

fn turns(names: &[(&str, u64)]) -> Vec<(String, u64)> {
    names.iter().map(|(name, sequence)| (format!("segment_{name}"), *sequence)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn r97_a_manager_is_told_once_when_a_regulars_sales_fall_and_anew_after_they_rose() {
    let target = Target::new(|_, _| (200, String::new())).await;
    let stack = stack(&target).await;
    set_clock(&stack, "2027-04-02T05:00:00Z").await;
    let mut bought = Vec::new();
    for who in ["anna", "ben", "early", "gone"] {
        joins(&stack, who).await;
        bought.extend([1, 2].map(|month| (who, month, 100)));
    }
    bought.extend(["anna", "ben", "gone"].map(|who| (who, 3, 100)));
    buy(&stack, &bought).await;
    // The first run takes note of who is below already.
    assert_eq!(morning(&stack, "04-02").await, [1, 0, 0]);
    assert!(target.got().is_empty(), "{:?}", target.taken());

    set_clock(&stack, "2027-05-02T05:00:00Z").await;
    buy(&stack, &[("anna", 4, 20), ("ben", 4, 90)]).await;
    let path = "/v1/participants/gone";
    let erase = Call { method: "DELETE", path, key: None, body: None };
    let erased = stack.client.send(&erase).await.unwrap();
    assert!(erased.status < 300, "{erased:?}");
    assert_eq!(morning(&stack, "05-02").await, [1, 0, 0]);
    assert_eq!(told(&target, "anna"), turns(&[("joined", 1)]));
    let [message] = &target.taken()[..] else { panic!("{:?}", target.taken()) };
    let sales =
        |month: u32, amount: &str| json!({ "month": format!("2027-{month:02}"), "amount": amount });
    let months = [sales(1, "100.00"), sales(2, "100.00"), sales(3, "100.00"), sales(4, "20.00")];
    let want = json!({
        "id": "alert:sales-drop:anna:1", "type": "segment_joined", "participant_id": "anna",
        "sequence": 1, "at": "2027-05-02T06:00:00Z",
        "alert": { "alert": "sales-drop", "segment": "sales-halved", "joined": true,
            "as_of": "2027-05-02T06:00:00Z", "sales": months, "currency": "EUR" },
    });
    assert_eq!(*message, want);

    assert_eq!(morning(&stack, "05-03").await, [0, 0, 0], "not again the next day");
    set_clock(&stack, "2027-06-02T05:00:00Z").await;
    buy(&stack, &[("anna", 5, 100), ("ben", 5, 100), ("early", 5, 100)]).await;
    assert_eq!(morning(&stack, "06-02").await, [0, 2, 0]);
    set_clock(&stack, "2027-07-02T05:00:00Z").await;
    buy(&stack, &[("anna", 6, 10), ("ben", 6, 50)]).await;
    assert_eq!(morning(&stack, "07-02").await, [2, 0, 0]);
    assert_eq!(told(&target, "anna"), turns(&[("joined", 1), ("left", 2), ("joined", 3)]));
    assert_eq!(told(&target, "early"), turns(&[("joined", 3)]), "what was noted is not told");
    assert!(told(&target, "ben").is_empty() && told(&target, "gone").is_empty());
    assert_eq!(target.got().len(), 4, "each once");

    // From a point on all is told again, under the same ids.
    let body = json!({ "from": "2027-06-01T00:00:00Z", "participant_id": "anna" });
    let replayed = stack.client.post("/v1/feeds/managers/replay", &key(), &body).await.unwrap();
    assert_eq!(replayed.status, 202, "{replayed:?}");
    idle(&stack).await;
    let got = target.got();
    let again: Value = serde_json::from_slice(&got.last().unwrap().body).unwrap();
    let ids: Vec<&Value> =
        again["messages"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, ["alert:sales-drop:anna:2", "alert:sales-drop:anna:3"]);
    // What is held of her has all of it.
    let held = read(&stack, "/v1/participants/anna/data").await;
    assert_eq!(held["alerts"].as_array().unwrap().len(), 3, "{}", held["alerts"]);
    assert_eq!(held["alerts"][0], want);
    // So it has after the alert has left the programme.
    let mut programme = document(&target);
    for list in ["alerts", "runs"] {
        programme[list] = json!([]);
    }
    let put = stack.client.put("/v1/programme", &programme).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    stack.advance("PT10S").await.unwrap();
    let held = read(&stack, "/v1/participants/anna/data").await;
    assert_eq!(held["alerts"].as_array().unwrap().len(), 3, "{}", held["alerts"]);
}

/// a wallet that cannot be read is counted and left to the next run; whoever comes after it in
/// its shard is told of.
#[tokio::test(flavor = "multi_thread")]
async fn r97_a_broken_wallet_stops_no_other() {
    let target = Target::new(|_, _| (200, String::new())).await;
    let stack = stack(&target).await;
    set_clock(&stack, "2027-04-02T05:00:00Z").await;
    let people: Vec<String> = (0..PEOPLE / 2).map(|number| format!("c-{number:02}")).collect();
    let mut bought = Vec::new();
    for who in &people {
        joins(&stack, who).await;
        bought.extend([1, 2, 3].map(|month| (who.as_str(), month, 100)));
    }
    buy(&stack, &bought).await;
    assert_eq!(morning(&stack, "04-02").await, [0, 0, 0]);
    spoil_wallet(&stack, &people[0]).await;
    let run = morning_run(&stack, "05-02").await;
    let counts = ["wallets", "joined", "failed"].map(|name| run[name].as_u64().unwrap());
    let all = u64::try_from(people.len()).unwrap();
    assert_eq!(counts, [all, all - 1, 1], "{run}");
    assert!(told(&target, &people[0]).is_empty());
    for who in &people[1..] {
        assert_eq!(told(&target, who), turns(&[("joined", 1)]), "{who}");
    }
}

/// Kills a worker each time that they noted some.
async fn kill_in_the_middle(stack: &Stack) -> usize {
    let (mut killed, mut seen) = (0, 0);
    for _ in 0..LOOKS {
        let stats = stack.stats().await.unwrap();
        let worker = &stats["functions"]["award-evaluation"];
        let written = worker["calls"]["PutItem"].as_u64().unwrap_or_default();
        if killed == KILLS {
            break;
        }
        let pids = worker["pids"].as_array().unwrap();
        if written > seen + 6 && !pids.is_empty() {
            let pid = pids[killed % pids.len()].as_u64().unwrap();
            killed += usize::from(signal("KILL", pid.try_into().unwrap()).await.is_ok());
            seen = written;
        }
    }
    killed
}

/// fired three times at once and killed in the middle, while the target is away for so long
/// that its messages are given up: the run after tells of everybody, once.
#[tokio::test(flavor = "multi_thread")]
async fn r97_nobody_is_lost_though_workers_die_and_the_target_is_away() {
    let away = Arc::new(AtomicBool::new(true));
    let is_away = Arc::clone(&away);
    let target = Target::new(move |_, _| {
        (if is_away.load(Ordering::SeqCst) { 503 } else { 200 }, String::new())
    })
    .await;
    let stack = stack(&target).await;
    set_clock(&stack, "2027-04-02T05:00:00Z").await;
    let people: Vec<String> = (0..PEOPLE).map(|number| format!("c-{number:02}")).collect();
    let mut bought = Vec::new();
    for who in &people {
        joins(&stack, who).await;
        bought.extend([1, 2, 3].map(|month| (who.as_str(), month, 100)));
    }
    buy(&stack, &bought).await;
    assert_eq!(morning(&stack, "04-02").await, [0, 0, 0]);

    set_clock(&stack, "2027-05-02T06:02:00Z").await;
    stack.local("stats/reset", &json!({})).await.unwrap();
    let nothing = json!({});
    let fire = || stack.local("schedules/AwardEvaluationTick/run", &nothing);
    let (killed, _) = tokio::join!(kill_in_the_middle(&stack), join_all([fire(), fire(), fire()]));
    println!("{killed} workers killed");
    assert!(killed > 0);
    idle(&stack).await;
    assert!(target.taken().is_empty());
    let asked = json!({ "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0 });
    let given_up = queue(&stack, "ReceiveMessage", "FeedDeadLetters", asked).await;
    let given_up = given_up["Messages"].as_array().unwrap();
    assert!(!given_up.is_empty());
    for message in given_up {
        let body: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
        let mut fields: Vec<&String> = body.as_object().unwrap().keys().collect();
        fields.sort();
        assert_eq!(fields, ["feed", "kind", "participant"], "ids alone");
    }

    away.store(false, Ordering::SeqCst);
    let everybody = u64::try_from(PEOPLE).unwrap();
    assert_eq!(morning(&stack, "05-03").await, [0, 0, everybody]);
    for who in &people {
        assert_eq!(told(&target, who), turns(&[("joined", 1)]));
    }
    let sent = target.got().iter().filter(|got| got.status == 200).count();
    assert_eq!(sent, PEOPLE, "each once");
    assert_eq!(morning(&stack, "05-04").await, [0, 0, 0]);
}
