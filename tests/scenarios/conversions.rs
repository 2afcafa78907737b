//! Points that turn into money: once for each scheduled time, whatever dies on the way, and paid out
//! by a file that says what the ledgers say.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use scenarios::client::{Call, key};
use scenarios::stack::{Stack, signal};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::calls::{read, set_clock, tick};
use crate::copies::{original, put};
use crate::desk::{available, built, sample, transactions};

const PEOPLE: usize = 10_000;
/// Of so many each has points and a reference of its own; the others are copies of them.
const ORIGINALS: usize = 200;
/// Of so many one has no payout reference.
const WITHOUT: usize = 10;
/// Workers that are killed at most, one for so many writes, and looks at how far the others are.
const KILLS: usize = 6;
const WRITES: u64 = 1_000;
const LOOKS: usize = 100_000;
const RUNS: &str = "/v1/conversions/cashback/runs";

fn id(number: usize) -> String {
    format!("c-{number:03}")
}

fn points(number: usize) -> usize {
    100 + 10 * (number % ORIGINALS)
}

/// Half a cent for each of the first thousand points, a cent for each beyond.
fn cents(points: usize) -> usize {
    if points <= 1_000 { points / 2 } else { points - 500 }
}

async fn stack(people: usize) -> Stack {
    built().await;
    let stack = Stack::start().await.unwrap();
    let mut programme = sample("transit/programme.json");
    programme["time_zone"] = json!("UTC");
    programme["conversions"] = json!([
        { "id": "cashback", "balance": "points", "bands": "marginal", "minimum": "100",
          "cron": "0 4 1 * *",
          "table": [{ "from": "0", "rate": "0.005" }, { "from": "1000", "rate": "0.01" }] },
        { "id": "to-euros", "balance": "points", "into": "eur",
          "table": [{ "from": "0", "rate": "0.01" }] },
    ]);
    let put = stack.client.put("/v1/programme", &programme).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    let mut rows = Vec::new();
    for number in 0..people {
        let mut profile = json!({ "first_name": "Test" });
        if number % WITHOUT != 0 {
            profile["payout_reference"] = json!(format!("tok_{number}"));
        }
        let (path, body) =
            (format!("/v1/participants/{}", id(number)), json!({ "profile": profile }));
        assert_eq!(stack.client.put(&path, &body).await.unwrap().status, 201);
        rows.push(json!({ "reference": format!("old/{number}"), "participant_id": id(number),
            "balance": "points", "amount": points(number).to_string(), "reason": "moved here" }));
    }
    for rows in rows.chunks(50) {
        let body = json!({ "adjustments": rows });
        let call = Call { method: "POST", path: "/v1/adjustments", key: None, body: Some(&body) };
        let answer = stack.client.send(&call).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        let outcomes = answer.body["outcomes"].as_array().unwrap();
        assert!(outcomes.iter().all(|outcome| outcome["status"] == 201), "{answer:?}");
    }
    stack
}

/// Copies the originals until there are enough people.
async fn more(stack: &Stack) {
    let mut originals = Vec::new();
    for number in 0..ORIGINALS {
        originals.push(original(stack, &id(number)).await);
    }
    let copies = (ORIGINALS..PEOPLE).map(|number| (&originals[number % ORIGINALS], id(number)));
    put(stack, &copies.collect::<Vec<_>>()).await;
}

/// Asks for a run, again where the process died that was asked; answers its id.
async fn started(stack: &Stack, key: &str, body: &Value) -> String {
    for _ in 0..=KILLS {
        let answer = stack.client.post(RUNS, key, body).await.unwrap();
        if answer.status != 502 {
            assert_eq!(answer.status, 202, "{answer:?}");
            return answer.text("/run_id").to_owned();
        }
    }
    panic!("the run is never started")
}

async fn ended(stack: &Stack, id: &str) -> Value {
    while !stack.idle().await.is_ok_and(|idle| idle.status == 200) {}
    let run = read(stack, &format!("{RUNS}/{id}")).await;
    assert_eq!((&run["status"], &run["failed"]), (&json!("completed"), &json!(0)), "{run}");
    run
}

/// Kills a worker each time that they got on a little; answers how many.
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
        if written > seen + WRITES && !pids.is_empty() {
            let pid = pids[killed % pids.len()].as_u64().unwrap();
            killed += usize::from(signal("KILL", pid.try_into().unwrap()).await.is_ok());
            seen = written;
        }
    }
    killed
}

/// The ledgers of all.
async fn ledgers(stack: &Stack) -> Vec<Vec<Value>> {
    let ids: Vec<String> = (0..PEOPLE).map(id).collect();
    let mut ledgers = Vec::new();
    for ids in ids.chunks(50) {
        ledgers.extend(join_all(ids.iter().map(|id| transactions(stack, id))).await);
    }
    ledgers
}

fn major(cents: usize) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// The rows of the payout file by participant: reference, amount, transaction. Every file is what
/// the manifest says of it.
async fn paid(stack: &Stack, run: &Value) -> BTreeMap<String, [String; 3]> {
    let mut files = run["files"].as_array().unwrap().clone();
    let last = files.pop().unwrap();
    assert!(last["name"].as_str().unwrap().ends_with("/manifest.json"), "{last}");
    let bytes = stack.client.fetch(last["url"].as_str().unwrap()).await.unwrap();
    let manifest: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(manifest["run_id"], run["run_id"]);
    assert_eq!(manifest["amount"], run["money"], "the file's sum is the run's");
    assert_eq!(manifest["rows"], run["converted"]);
    assert_eq!(manifest["files"].as_array().unwrap().len(), files.len());
    let mut rows = BTreeMap::new();
    for (file, told) in files.iter().zip(manifest["files"].as_array().unwrap()) {
        let bytes = stack.client.fetch(file["url"].as_str().unwrap()).await.unwrap();
        let digest = Sha256::digest(&bytes);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((&told["sha256"], &told["bytes"]), (&json!(digest), &json!(bytes.len())));
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let mut lines = text.lines();
        let header = "participant_id,payout_reference,amount,currency,conversion,at,transaction";
        assert_eq!(lines.next(), Some(header));
        for line in lines {
            let cells: Vec<&str> = line.split(',').collect();
            let [who, reference, amount, "EUR", "cashback", at, transaction] = cells[..] else {
                panic!("{line}")
            };
            assert_eq!(json!(at), run["at"]);
            let row = [reference, amount, transaction].map(str::to_owned);
            assert!(rows.insert(who.to_owned(), row).is_none(), "{who} is paid once");
        }
    }
    rows
}

/// started six times at once, killed in the middle, fired again: everybody is paid once, and
/// the file's sum is the ledgers'.
#[tokio::test(flavor = "multi_thread")]
async fn r75_10_000_participants_are_paid_once_though_workers_are_killed() {
    let stack = stack(ORIGINALS).await;
    more(&stack).await;
    let dry = started(&stack, &key(), &json!({ "dry_run": true })).await;
    let dry = ended(&stack, &dry).await;
    let due = || (0..PEOPLE).filter(|number| number % WITHOUT != 0);
    let money: usize = due().map(|number| cents(points(number))).sum();
    assert_eq!((&dry["converted"], &dry["money"]), (&json!(due().count()), &json!(major(money))));
    assert_eq!((&dry["files"], &dry["without_reference"]), (&json!([]), &json!(PEOPLE / WITHOUT)));
    assert_eq!(available(&stack, &id(5), "points").await, "150", "a dry run writes nothing");

    let next = chrono::Utc::now().date_naive() + chrono::Months::new(1);
    let first = next.format("%Y-%m-01");
    set_clock(&stack, &format!("{first}T04:02:00Z")).await;
    stack.local("stats/reset", &json!({})).await.unwrap();
    let (one, other, at) = (key(), key(), json!({ "at": format!("{first}T04:00:00Z") }));
    let starts = join_all([&one, &one, &other].map(|key| started(&stack, key, &at)));
    let nothing = json!({});
    let fire = || stack.local("schedules/AwardEvaluationTick/run", &nothing);
    let (ids, killed, _) =
        tokio::join!(starts, kill_in_the_middle(&stack), join_all([fire(), fire(), fire()]));
    println!("{killed} workers killed");
    assert!(killed > 0);
    assert!(ids.iter().all(|id| *id == ids[0]), "a scheduled time has one run: {ids:?}");
    let run = ended(&stack, &ids[0]).await;
    for name in ["converted", "points", "money", "without_reference"] {
        assert_eq!(run[name], dry[name], "{name}: {run}");
    }
    let rows = paid(&stack, &run).await;
    assert_eq!(rows.len(), due().count());
    let mut sum = 0;
    for (number, ledger) in ledgers(&stack).await.into_iter().enumerate() {
        let who = id(number);
        let made: Vec<&Value> = ledger.iter().filter(|row| row["kind"] == "convert").collect();
        if number % WITHOUT == 0 {
            assert!(made.is_empty() && !rows.contains_key(&who));
            continue;
        }
        let [made] = made[..] else { panic!("{who} is converted once: {ledger:?}") };
        assert_eq!(
            (&made["cause"], &made["available_after"]),
            (&json!("convert:cashback"), &json!("0"))
        );
        let [reference, amount, transaction] = &rows[&who];
        assert_eq!(*reference, format!("tok_{}", number % ORIGINALS));
        assert_eq!(
            (json!(transaction), *amount == major(cents(points(number)))),
            (made["code"].clone(), true)
        );
        sum += cents(points(number));
    }
    assert_eq!(json!(major(sum)), run["money"]);
    let shown = read(&stack, &format!("/v1/transactions/{}", rows[&id(1)][2])).await;
    let told = ["points", "money", "into", "at"].map(|name| shown["conversion"][name].clone());
    assert_eq!(told, [json!("110"), json!("0.55"), Value::Null, run["at"].clone()], "{shown}");

    // Fired and asked for again, nothing more happens, and the file is the same.
    tick(&stack).await;
    assert_eq!(started(&stack, &key(), &at).await, ids[0]);
    let again = ended(&stack, &ids[0]).await;
    assert_eq!(paid(&stack, &again).await, rows);
}

/// money may go to another balance; what cannot be asked for is told.
#[tokio::test(flavor = "multi_thread")]
async fn r75_money_goes_to_a_balance_and_one_key_stands_for_one_run() {
    let stack = stack(3).await;
    let key_of_run = key();
    let path = "/v1/conversions/to-euros/runs";
    let run = stack.client.post(path, &key_of_run, &json!({})).await.unwrap();
    assert_eq!((run.status, &run.body["repeated"]), (202, &json!(false)), "{run:?}");
    let again = stack.client.post(path, &key_of_run, &json!({})).await.unwrap();
    assert_eq!(again.text("/run_id"), run.text("/run_id"));
    assert_eq!(again.body["repeated"], true);
    let other = stack.client.post(RUNS, &key_of_run, &json!({})).await.unwrap();
    assert_eq!((other.status, other.text("/code")), (422, "idempotency_key_reused"));
    let dry = stack.client.post(path, &key_of_run, &json!({ "dry_run": true })).await.unwrap();
    assert_eq!((dry.status, dry.text("/code")), (422, "idempotency_key_reused"));
    let unknown = stack.client.post("/v1/conversions/none/runs", &key(), &json!({})).await.unwrap();
    assert_eq!((unknown.status, unknown.text("/code")), (404, "conversion_not_found"));
    let later = json!({ "at": "2099-01-01T00:00:00Z" });
    let later = stack.client.post(path, &key(), &later).await.unwrap();
    assert_eq!((later.status, later.text("/violations/0/code")), (422, "in_future"), "{later:?}");

    assert_eq!(stack.idle().await.unwrap().status, 200);
    let id_of_run = run.text("/run_id");
    let told = read(&stack, &format!("{path}/{id_of_run}")).await;
    let told =
        ["status", "converted", "points", "money", "into", "files"].map(|it| told[it].clone());
    let want = [json!("completed"), json!(3), json!("330"), json!("3.30"), json!("eur"), json!([])];
    assert_eq!(told, want);
    let elsewhere = stack.client.get(&format!("{RUNS}/{id_of_run}")).await.unwrap();
    assert_eq!((elsewhere.status, elsewhere.text("/code")), (404, "run_not_found"));
    assert_eq!(available(&stack, &id(2), "eur").await, "1.20");
    assert_eq!(available(&stack, &id(2), "points").await, "0");
    let rows = transactions(&stack, &id(2)).await;
    let moved: Vec<_> = rows.iter().filter(|row| row["kind"] == "convert").collect();
    assert_eq!(moved.len(), 2, "{rows:?}");
}
