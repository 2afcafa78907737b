//! Ledgers are verified over the API: nothing is found in what the stack wrote, also while it
//! writes, and what anybody else wrote is.

use std::process::Stdio;

use futures_util::future::join_all;
use scenarios::client::{Call, key};
use scenarios::stack::{Stack, signal};
use scenarios::verification::{agrees, verify};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::calls::{bulk, cancel, pending, posted, read, run, spend, spend_of, tick, ticket};
use crate::desk::{credit, own_stack, participant, post_event, purchase, sample};
use crate::places::{items, spoil_wallet, table};

const PEOPLE: usize = 12;
/// Who only is on the roster.
const OTHERS: usize = 60;
/// Workers that are killed at most, and looks at how far the others are.
const KILLS: usize = 4;
const LOOKS: usize = 3_000;

/// A stack whose programme has referrals, a quota of each kind and a conversion besides.
async fn town() -> Stack {
    let stack = own_stack().await;
    let mut programme = sample("transit/programme.json");
    let points = |amount: &str| json!({ "balance": "points", "amount": amount });
    programme["offers"].as_array_mut().unwrap().extend([
        json!({ "id": "thanks", "class": "referral", "award": points("100"), "on_top": true }),
        json!({ "id": "joined", "class": "referral", "beneficiary": "referred",
                "award": points("50"), "limit": "once", "on_top": true }),
        json!({ "id": "early", "class": "increase_revenue_transaction", "award": points("7"),
                "method": "batch_and_interactive", "first": 5, "on_top": true }),
        json!({ "id": "bargain", "class": "increase_revenue_transaction", "budget": "300",
                "method": "batch_and_interactive", "on_top": true,
                "award": { "balance": "points", "percentage": "50" } }),
    ]);
    programme["conversions"] = json!([{ "id": "to-euros", "balance": "points", "into": "eur",
        "table": [{ "from": "0", "rate": "0.01" }] }]);
    let coupons = programme["coupons"].as_array_mut().unwrap();
    coupons.push(json!({ "id": "ride", "name": "A ride", "balance": "points", "cost": "3",
        "codes": "generated", "stock": 100 }));
    let put = stack.client.put("/v1/programme", &programme).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    stack.advance("PT10S").await.unwrap();
    stack
}

async fn post(stack: &Stack, path: &str, body: &Value) -> Value {
    let answer = stack.client.post(path, &key(), body).await.unwrap();
    assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
    answer.body
}

/// One participant's days: buys, spends, holds, returns, cancels, redeems.
async fn lives(stack: &Stack, id: &str, number: usize) {
    credit(stack, id, 2).await;
    let mut bought = Vec::new();
    for total in ["20.00", "35.50", "60.00"] {
        bought.push(posted(stack, &ticket(id, total)).await);
    }
    bulk(stack, &[pending(ticket(id, "12.00")), pending(ticket(id, "9.00"))]).await;
    let mut on = spend_of(id, 5, None);
    on["purchase_event_id"] = json!(bought[0]);
    assert_eq!(spend(stack, &key(), &on).await.status, 201);
    let spent = spend(stack, &key(), &spend_of(id, 3, Some("counter"))).await;
    assert_eq!(cancel(stack, spent.text("/transaction"), &key()).await.status, 200);
    assert_eq!(spend(stack, "till-1", &spend_of(id, 9_999, Some("counter"))).await.status, 409);
    let held = post(stack, "/v1/holds", &spend_of(id, 4, Some("counter"))).await;
    let path = format!("/v1/holds/{}/settle", held["hold"].as_str().unwrap());
    post(stack, &path, &json!({ "amount": "2" })).await;
    let path = format!("/v1/participants/{id}/coupons");
    post(stack, &path, &json!({ "coupon": "ride" })).await;
    let given = post(stack, &path, &json!({ "coupon": "trees", "amount": "10" })).await;
    let given = given["transaction"].as_str().unwrap();
    assert_eq!(cancel(stack, given, &key()).await.status, 200);
    let mut shirts = purchase(id, "10.00");
    shirts["lines"][0]["quantity"] = json!(3);
    let shirts = posted(stack, &shirts).await;
    let back = json!({ "lines": [{ "index": 0, "quantity": 1 }] });
    post(stack, &format!("/v1/events/{shirts}/cancel"), &back).await;
    // What was awarded and what was spent on it, one of three.
    assert_eq!(cancel(stack, &bought[number % 3], &key()).await.status, 200);
}

/// Everybody lives, some refer, one is merged, one erased, points are converted.
async fn busy(stack: &Stack) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..PEOPLE {
        let id = participant(stack).await;
        let alias = json!({ "kind": "external_id", "value": format!("old/{id}") });
        let body = json!({ "aliases": [alias] });
        let put = stack.client.put(&format!("/v1/participants/{id}"), &body).await.unwrap();
        assert_eq!(put.status, 200, "{put:?}");
        lives(stack, &id, number).await;
        ids.push(id);
    }
    let mut referrals = Vec::new();
    for pair in ids.windows(2).take(4) {
        let event = json!({ "type": "referral", "performed_on": scenarios::client::now(),
            "external_system": "test", "external_reference": key(),
            "referrer_participant_id": pair[0], "referred_participant_id": pair[1] });
        let answer = post_event(stack, &event).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        referrals.push(answer.text("/event/id").to_owned());
    }
    run(stack).await;
    assert_eq!(cancel(stack, &referrals[0], &key()).await.status, 200);
    let issued = post(stack, "/v1/pass-plans/gift-20/passes", &json!({})).await;
    let body = json!({ "code": issued["code"], "participant_id": ids[3] });
    let redeemed = post(stack, "/v1/pass-redemptions", &body).await;
    let path = format!("/v1/pass-redemptions/{}/cancel", redeemed["transaction"].as_str().unwrap());
    post(stack, &path, &json!({ "pass": "usable" })).await;
    let body = json!({ "duplicate": ids[5], "reason": "registered twice" });
    post(stack, &format!("/v1/participants/{}/merges", ids[4]), &body).await;
    let path = format!("/v1/participants/{}", ids[6]);
    let erase = Call { method: "DELETE", path: &path, key: None, body: None };
    assert!(stack.client.send(&erase).await.unwrap().status < 300);
    let body = json!({ "balance": "points", "amount": "-5", "reason": "mistyped" });
    post(stack, &format!("/v1/participants/{}/adjustments", ids[7]), &body).await;
    post(stack, "/v1/conversions/to-euros/runs", &json!({})).await;
    assert_eq!(stack.idle().await.unwrap().status, 200);
    ids
}

async fn document(stack: &Stack, participant: Option<&str>) -> Value {
    verify(&stack.client, participant).await.unwrap()
}

/// Findings as `kind` and what they are about.
fn told(document: &Value) -> Vec<(String, Value)> {
    let findings = document["findings"].as_array().unwrap().iter();
    let told = findings
        .map(|found| (found["kind"].as_str().unwrap().to_owned(), found["subject"].clone()));
    told.collect()
}

/// What everybody but the verifications has written.
async fn written(stack: &Stack) -> Vec<(String, Vec<Vec<u8>>)> {
    let items = items(stack).await.into_iter();
    let others = items.filter(|item| !item.partition.starts_with("J#verification-"));
    let mut others: Vec<_> = others
        .map(|mut item| {
            item.bytes.sort();
            (item.partition, item.bytes)
        })
        .collect();
    others.sort();
    others
}

/// Verifies by the command; whether it ended well, and what it printed.
async fn command(stack: &Stack, more: &[&str]) -> (bool, String) {
    let text = |name: &str| stack.ready[name].as_str().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_verify"));
    command.args(["--api", text("api")]).args(more).env("ACCRUE_TOKEN", text("token"));
    let output = command.stderr(Stdio::null()).output().await.unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn r102_a_busy_programme_agrees_and_what_somebody_else_wrote_is_found() {
    let stack = town().await;
    let ids = busy(&stack).await;
    // Whoever took of a quota just now may not be on the roster yet.
    let just = document(&stack, None).await;
    assert!(agrees(&just), "{just:#}");
    assert_eq!(just["quotas_moved"], json!([]), "equal sums are equal, also of what moves");
    stack.advance("PT10M").await.unwrap();

    let before = written(&stack).await;
    stack.local("stats/reset", &json!({})).await.unwrap();
    let whole = document(&stack, None).await;
    assert!(agrees(&whole), "{whole:#}");
    let counts = &whole["counts"];
    assert_eq!(counts["wallets"], PEOPLE, "{counts}");
    for name in ["entries", "pages", "events", "passes", "aliases"] {
        assert!(counts[name].as_u64().unwrap() > 10, "{name} in {counts}");
    }
    assert_eq!((&counts["quotas"], &counts["stocks"]), (&json!(2), &json!(2)), "{counts}");
    assert!(written(&stack).await == before, "it writes its own records alone");
    let worker = stack.stats().await.unwrap()["functions"]["ledger-verification"].take();
    let writes = |call: &str| worker["calls"][call].as_u64().unwrap_or_default();
    // Start, one for each shard, end; each of one to three kilobytes here, two of them listed.
    assert_eq!((writes("PutItem"), writes("TransactWriteItems")), (10, 0), "{worker}");
    println!(
        "{} read units, {} write units: {counts}",
        worker["read_units"], worker["write_units"]
    );
    assert_eq!(worker["denied"], json!({}));

    // Somebody writes to the table behind the stack's back.
    let event = posted(&stack, &ticket(&ids[0], "20.00")).await;
    stack.advance("PT10M").await.unwrap();
    let gone = json!({ "Key": { "pk": { "S": format!("E#{event}") }, "sk": { "S": "E" } } });
    table(&stack, "DeleteItem", gone).await;
    spoil_wallet(&stack, &ids[1]).await;
    let place = json!({ "Key": { "pk": { "S": "Q#early" }, "sk": { "S": "Q" } } });
    let mut quota = table(&stack, "GetItem", place).await["Item"].take();
    // Not what the others come to either: who cannot be read is in no sum.
    quota["places"]["N"] = json!("1");
    table(&stack, "PutItem", json!({ "Item": quota })).await;
    let stock = json!({ "Key": { "pk": { "S": "C#trees" }, "sk": { "S": "STOCK" } } });
    table(&stack, "DeleteItem", stock).await;
    let found = document(&stack, None).await;
    assert!(!agrees(&found));
    let all = told(&found);
    let of = |kind: &str| all.iter().find(|(known, _)| known == kind).map(|(_, of)| of.clone());
    let missing = of("event_missing").unwrap_or_else(|| panic!("{found:#}"));
    assert_eq!((&missing["event_id"], &missing["participant_id"]), (&json!(event), &json!(ids[0])));
    assert_eq!(of("unreadable"), Some(json!({ "participant_id": ids[1] })), "{found:#}");
    let trees = json!({ "coupon": "trees" });
    assert!(all.contains(&("stock_differs".to_owned(), trees)), "{found:#}");
    let early = json!({ "offer": "early" });
    assert!(all.contains(&("quota_differs".to_owned(), early)), "{found:#}");
    let (well, output) = command(&stack, &[]).await;
    assert!(!well && output.contains("✗ event_missing: "), "{output}");
    assert!(output.contains(&event), "{output}");
    // One wallet at once: its own findings, and no quotas.
    let one = document(&stack, Some(&ids[0])).await;
    assert_eq!(
        (&one["counts"]["wallets"], &one["findings_count"]),
        (&json!(1), &json!(1)),
        "{one}"
    );
    let lost = document(&stack, Some(&ids[1])).await;
    assert_eq!(told(&lost), [("unreadable".to_owned(), json!({ "participant_id": ids[1] }))]);
    let (well, output) = command(&stack, &["--participant", &ids[2]]).await;
    assert!(well && output.contains("Nothing disagrees."), "{output}");
}

/// Asks for a verification, again where the process died that was asked; answers its id.
async fn started(stack: &Stack, key: &str) -> String {
    for _ in 0..=KILLS {
        let answer = stack.client.post("/v1/verifications", key, &json!({})).await.unwrap();
        if answer.status != 502 {
            assert_eq!(answer.status, 202, "{answer:?}");
            return answer.text("/verification_id").to_owned();
        }
    }
    panic!("it is never started")
}

/// Kills a worker each time that they got on a little; answers how many.
async fn kill_in_the_middle(stack: &Stack) -> usize {
    let (mut killed, mut seen) = (0, 0);
    for _ in 0..LOOKS {
        let stats = stack.stats().await.unwrap();
        let worker = &stats["functions"]["ledger-verification"];
        let looked = worker["calls"]["BatchGetItem"].as_u64().unwrap_or_default();
        if killed == KILLS {
            break;
        }
        let pids = worker["pids"].as_array().unwrap();
        if looked > seen + 5 && !pids.is_empty() {
            let pid = pids[killed % pids.len()].as_u64().unwrap();
            killed += usize::from(signal("KILL", pid.try_into().unwrap()).await.is_ok());
            seen = looked;
        }
    }
    killed
}

/// workers are killed while tills go on; one key is one document, and nothing is found.
#[tokio::test(flavor = "multi_thread")]
async fn r102_a_verification_that_is_killed_beside_traffic_completes_and_finds_nothing() {
    let stack = town().await;
    let mut ids = Vec::new();
    for _ in 0..PEOPLE + OTHERS {
        ids.push(participant(&stack).await);
    }
    let traffic = async {
        for (number, id) in ids.iter().take(PEOPLE).enumerate() {
            lives(&stack, id, number).await;
        }
    };
    let (one, other) = (key(), key());
    let starts = [&one, &one, &other].map(|key| started(&stack, key));
    let (names, killed, ()) = tokio::join!(join_all(starts), kill_in_the_middle(&stack), traffic);
    assert_eq!(names[0], names[1], "one key, one verification");
    assert_ne!(names[0], names[2]);
    assert!(killed > 0);
    assert_eq!(stack.idle().await.unwrap().status, 200);
    let path = |id: &str| format!("/v1/verifications/{id}");
    for id in &names[1..] {
        let document = read(&stack, &path(id)).await;
        assert_eq!(document["status"], "completed", "{document:#}");
        assert!(agrees(&document), "{document:#}");
        assert_eq!(document["counts"]["wallets"], PEOPLE + OTHERS, "each once: {document}");
    }
    let reused = json!({ "participant_id": ids[0] });
    let reused = stack.client.post("/v1/verifications", &one, &reused).await.unwrap();
    assert_eq!((reused.status, reused.text("/code")), (422, "idempotency_key_reused"));
    let told = read(&stack, &path(&names[0])).await;
    assert_eq!(started(&stack, &one).await, names[0]);
    assert_eq!(read(&stack, &path(&names[0])).await, told, "it stays what it was");

    // Traffic alone beside looks at everybody.
    let looks = async {
        for _ in 0..4 {
            let looked = document(&stack, None).await;
            assert!(agrees(&looked), "{looked:#}");
        }
    };
    let traffic = async {
        for (number, id) in ids.iter().skip(PEOPLE).take(PEOPLE).enumerate() {
            lives(&stack, id, number).await;
        }
        run(&stack).await;
    };
    tokio::join!(looks, traffic);
}

/// the schedule begins one verification for each of its times, and goes on with what was left.
#[tokio::test(flavor = "multi_thread")]
async fn r102_the_schedule_verifies_once_for_each_time_and_nobody_is_asked_for_in_vain() {
    let stack = town().await;
    let id = participant(&stack).await;
    credit(&stack, &id, 1).await;
    let fire = async |which: &str| {
        let path = format!("schedules/LedgerVerification{which}/run");
        let fired = stack.local(&path, &json!({})).await.unwrap();
        assert_eq!(fired.status, 200, "{fired:?}");
    };
    fire("Begin").await;
    assert_eq!(stack.idle().await.unwrap().status, 200);
    fire("Tick").await;
    tick(&stack).await;
    assert_eq!(stack.idle().await.unwrap().status, 200);
    let jobs = items(&stack).await.into_iter().map(|item| item.partition);
    let mut jobs: Vec<String> = jobs.filter(|pk| pk.starts_with("J#verification-")).collect();
    jobs.sort();
    assert_eq!(jobs.len(), 9, "itself and eight shards: {jobs:?}");
    jobs.dedup();
    let name = jobs[0].strip_prefix("J#").unwrap();
    let document = read(&stack, &format!("/v1/verifications/{name}")).await;
    assert_eq!((&document["status"], agrees(&document)), (&json!("completed"), true));
    assert_eq!(document["counts"]["wallets"], 1, "{document}");

    let nobody = json!({ "participant_id": "nobody" });
    let nobody = stack.client.post("/v1/verifications", &key(), &nobody).await.unwrap();
    assert_eq!((nobody.status, nobody.text("/code")), (404, "participant_not_found"));
    let unknown = stack.client.get("/v1/verifications/verification-1").await.unwrap();
    assert_eq!((unknown.status, unknown.text("/code")), (404, "verification_not_found"));
    let as_run = stack.client.get(&format!("/v1/evaluation-runs/{name}")).await.unwrap();
    assert_eq!((as_run.status, as_run.text("/code")), (404, "run_not_found"));
}
