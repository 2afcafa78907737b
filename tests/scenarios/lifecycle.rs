//! The stack through time: restarts, kills, and a clock that moves.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use scenarios::client::key;
use scenarios::stack::{Stack, binaries, root, signal};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::calls::{bulk, pending, posted, read, run, spend, spend_of};
use crate::desk::{
    available, built, own_stack, participant, post_event, purchase, sample, transactions,
};

/// Looks for what must happen soon.
const LOOKS: usize = 5_000;

/// A folder for `--data`, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        Folder(std::env::temp_dir().join(format!("accrue-data-{}", key())))
    }

    async fn stack(&self) -> Stack {
        built().await;
        Stack::start_with(&["--data", self.0.to_str().unwrap()]).await.unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}

async fn put_programme(stack: &Stack, programme: &Value) {
    let put = stack.client.put("/v1/programme", programme).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
}

async fn ends(pid: u32) -> bool {
    for _ in 0..LOOKS {
        // A process that ended but that nobody waited for has no command line any more.
        let command = std::fs::read(Path::new("/proc").join(pid.to_string()).join("cmdline"));
        let gone = command.is_ok_and(|command| command.is_empty());
        if gone || signal("0", pid).await.is_err() {
            return true;
        }
    }
    false
}

/// All that is read of a participant, an event and the programme.
async fn picture(stack: &Stack, id: &str, events: &[String]) -> Vec<Value> {
    let mut paths = vec!["/v1/programme".to_owned()];
    for what in ["", "/wallet", "/transactions", "/events"] {
        paths.push(format!("/v1/participants/{id}{what}"));
    }
    paths.extend(events.iter().map(|event| format!("/v1/events/{event}")));
    let mut read_all = Vec::new();
    for path in paths {
        read_all.push(read(stack, &path).await);
    }
    read_all
}

/// what was answered stays, after a clean end and after a power cut.
#[tokio::test(flavor = "multi_thread")]
async fn r69_what_was_stored_outlives_restarts_clean_or_not() {
    let folder = Folder::new();
    let stack = folder.stack().await;
    put_programme(&stack, &sample("transit/programme.json")).await;
    let id = participant(&stack).await;
    let mut events = vec![posted(&stack, &purchase(&id, "60.00")).await];
    let waiting = post_event(&stack, &pending(purchase(&id, "20.00"))).await;
    events.push(waiting.text("/event/id").to_owned());
    let issued = stack.client.post("/v1/pass-plans/gift-20/passes", &key(), &json!({})).await;
    let pass = json!({ "code": issued.unwrap().text("/code"), "participant_id": id });
    let (first, body) = (key(), spend_of(&id, 7, Some("counter")));
    let spent = spend(&stack, &first, &body).await;
    assert_eq!(spent.status, 201, "{spent:?}");
    let before = picture(&stack, &id, &events).await;
    let pids = stack.pids(None).await.unwrap();
    assert!(pids.len() >= 6, "a process for each function: {pids:?}");
    assert_eq!(stack.stop().await.unwrap(), Some(0), "a clean end");
    for pid in pids {
        assert!(ends(pid).await, "process {pid} is left behind");
    }

    let stack = folder.stack().await;
    assert_eq!(picture(&stack, &id, &events).await, before);
    let again = spend(&stack, &first, &body).await;
    assert_eq!(again.text("/transaction"), spent.text("/transaction"));
    assert_eq!((again.status, &again.body["repeated"]), (201, &json!(true)));
    // The code was made with a secret that is kept too.
    let redeemed = stack.client.post("/v1/pass-redemptions", &key(), &pass).await.unwrap();
    assert_eq!(redeemed.status, 201, "{redeemed:?}");
    let before = picture(&stack, &id, &events).await;
    let pids = stack.pids(None).await.unwrap();
    stack.kill().await.unwrap();
    for pid in pids {
        assert!(ends(pid).await, "process {pid} outlives its stack");
    }

    let stack = folder.stack().await;
    assert_eq!(picture(&stack, &id, &events).await, before);
    // What was pending is judged after all: the event at once awaited the run too.
    assert_eq!(run(&stack).await["events"], 2);
    // 100 welcome, 25 big basket, 50 monthly bonus, the pass of 20, less the spend of 7.
    assert_eq!(available(&stack, &id, "points").await, "188");
    assert_eq!(stack.stop().await.unwrap(), Some(0));
}

/// A folder has one stack: the second says so and ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_stack_on_the_same_data_ends_with_a_clear_message() {
    let folder = Folder::new();
    let stack = folder.stack().await;
    let mut second = Command::new(binaries().unwrap().join("local"));
    second.current_dir(root()).args(["--port", "0", "--quiet", "--functions"]);
    second.arg(binaries().unwrap()).arg("--data").arg(&folder.0);
    let ended = second.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(!ended.status.success(), "{said}");
    assert!(said.contains("in use by another running stack"), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    // The first one does not mind.
    put_programme(&stack, &sample("transit/programme.json")).await;
    assert_eq!(stack.stop().await.unwrap(), Some(0));
}

/// Any process may be killed at any time: the next call is answered by another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_function_is_replaced_and_the_next_call_works() {
    let stack = own_stack().await;
    let id = participant(&stack).await;
    let event = posted(&stack, &purchase(&id, "60.00")).await;
    let before = stack.pids(None).await.unwrap();
    for pid in &before {
        signal("KILL", *pid).await.unwrap();
    }
    // A call that the stack hands to a process before it knows of its end is an interrupted one.
    let mut left = before.clone();
    for _ in 0..LOOKS {
        let pids = stack.pids(None).await.unwrap();
        left.retain(|pid| pids.contains(pid));
        if left.is_empty() {
            break;
        }
    }
    assert!(left.is_empty(), "{left:?} are not missed");
    let spent = spend(&stack, &key(), &spend_of(&id, 1, Some("counter"))).await;
    assert_eq!(spent.status, 201, "{spent:?}");
    for path in ["/v1/programme".to_owned(), format!("/v1/events/{event}")] {
        read(&stack, &path).await;
    }
    let issued = stack.client.post("/v1/pass-plans/gift-20/passes", &key(), &json!({})).await;
    assert_eq!(issued.unwrap().status, 201);
    assert_eq!(run(&stack).await["events"], 1);
    let body = json!({ "mode": "full", "force": true });
    let exported = stack.client.post("/v1/segments/mail-ready/exports", &key(), &body).await;
    assert_eq!(exported.unwrap().status, 202);
    assert_eq!(stack.idle().await.unwrap().status, 200);
    let after = stack.pids(None).await.unwrap();
    assert!(after.len() >= 6, "a process for each function: {after:?}");
    assert!(!after.iter().any(|pid| before.contains(pid)), "{before:?}, {after:?}");
}

async fn balance(stack: &Stack, id: &str) -> (String, String, usize) {
    let wallet = read(stack, &format!("/v1/participants/{id}/wallet")).await;
    let points = wallet["balances"].as_array().unwrap().iter().find(|b| b["balance"] == "points");
    let text = |name: &str| points.unwrap()[name].as_str().unwrap().to_owned();
    (text("available"), text("pending"), wallet["lots"].as_array().unwrap().len())
}

/// pending awards become available, all expire, exactly what was not spent.
#[tokio::test(flavor = "multi_thread")]
async fn r47_r71_a_clock_that_moves_makes_awards_available_and_expires_them() {
    let stack = own_stack().await;
    let mut programme = sample("transit/programme.json");
    let late = json!({
        "id": "late", "class": "increase_revenue_transaction", "method": "batch_and_interactive",
        "award": { "balance": "points", "amount": "30" }, "limit": "multiple", "on_top": true,
        "available_after": "P14D", "expires": { "end_of": "month", "after": "P1Y" },
    });
    programme["offers"].as_array_mut().unwrap().push(late);
    put_programme(&stack, &programme).await;
    // Programmes are cached for two seconds of the stack's time.
    stack.advance("PT10S").await.unwrap();
    let id = participant(&stack).await;
    posted(&stack, &purchase(&id, "10.00")).await;
    assert_eq!(balance(&stack, &id).await, ("100".to_owned(), "30".to_owned(), 2));
    let much = spend_of(&id, 101, Some("counter"));
    let refused = spend(&stack, &key(), &much).await;
    assert_eq!((refused.status, refused.text("/code")), (409, "not_covered"), "{refused:?}");

    stack.advance("P15D").await.unwrap();
    assert_eq!(balance(&stack, &id).await, ("130".to_owned(), "0".to_owned(), 2));
    let spent = spend(&stack, &key(), &much).await;
    assert_eq!(spent.status, 201, "{spent:?}");
    let stored = bulk(&stack, &[pending(purchase(&id, "10.00"))]).await;
    assert_eq!(stored[0]["status"], 202);

    stack.advance("P400D").await.unwrap();
    assert_eq!(balance(&stack, &id).await, ("0".to_owned(), "0".to_owned(), 0));
    let refused = spend(&stack, &key(), &spend_of(&id, 1, None)).await;
    assert_eq!((refused.status, refused.text("/code")), (409, "not_covered"), "{refused:?}");
    let rows = transactions(&stack, &id).await;
    let told: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row["kind"].as_str().unwrap(), row["amount"].as_str().unwrap()))
        .collect();
    let expected = [("refused", "0"), ("expire", "-29"), ("spend", "-101"), ("refused", "0")];
    assert_eq!(told[..4], expected, "{rows:?}");
    // The purchase of before is still judged, a year late: what it is awarded is new.
    assert_eq!(run(&stack).await["events"], 2);
    assert_eq!(balance(&stack, &id).await.1, "30");
}
