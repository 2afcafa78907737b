//! Exports of many: workers that are killed change no byte, and what a worker takes in memory and
//! reads is bounded. `EXPORT_PARTICIPANTS=400000` takes so many, a matter of minutes
//! in a release build; the figures are printed.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use scenarios::client::key;
use scenarios::stack::{Stack, signal};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::calls::read;
use crate::exports::{know, stack, start};
use crate::places::{service, table};

const SHARDS: u8 = 8;
/// Participants of the suite: all but a few in one shard, which has more rows than a part may.
const PARTICIPANTS: usize = 16_000;
/// Of so many one opted out, and one is no member; the others are told of.
const KINDS: usize = 8;
/// Most kilobytes that a worker may take.
const MEMORY: u64 = 64 * 1024;
/// How often workers are killed.
const KILLS: usize = 6;

fn shard_of(id: &str) -> u8 {
    Sha256::digest(id.as_bytes())[0] % SHARDS
}

/// Makes participants by the number of the suite or of the environment; answers how many there
/// are. Each is one of a few that were registered, under an id of its own.
async fn seed(stack: &Stack) -> usize {
    let asked = std::env::var("EXPORT_PARTICIPANTS").ok().and_then(|count| count.parse().ok());
    let many: usize = asked.unwrap_or(PARTICIPANTS);
    let mut kinds = Vec::new();
    for kind in 0..KINDS {
        let id = &format!("k-{kind}");
        know(stack, id, id, kind != 7, Some((kind != 6, 1))).await;
        let of =
            |sk: &str| json!({ "Key": { "pk": { "S": format!("P#{id}") }, "sk": { "S": sk } } });
        let state = table(stack, "GetItem", of("S")).await["Item"].take();
        kinds.push((state, table(stack, "GetItem", of("A")).await["Item"].take()));
    }
    // In the suite one shard gets them all, so that it has several parts.
    let ids = (0_u64..).map(|number| format!("s-{number:07}"));
    let ids = ids.filter(|id| asked.is_some() || shard_of(id) == 0).take(many);
    let mut puts = Vec::new();
    for (number, id) in ids.enumerate() {
        let (state, profile) = &kinds[number % kinds.len()];
        let (mut state, mut profile) = (state.clone(), profile.clone());
        (state["pk"]["S"], profile["pk"]["S"]) =
            (json!(format!("P#{id}")), json!(format!("P#{id}")));
        state["ix_pk"]["S"] = json!(format!("ROSTER#{}", shard_of(&id)));
        state["ix_sk"]["S"] = json!(id);
        for item in [state, profile] {
            puts.push(json!({ "PutRequest": { "Item": item } }));
        }
        if puts.len() == 24 {
            put(stack, std::mem::take(&mut puts)).await;
        }
    }
    put(stack, puts).await;
    many + KINDS
}

async fn put(stack: &Stack, puts: Vec<Value>) {
    if !puts.is_empty() {
        let name = stack.ready["table"].as_str().unwrap();
        let body = json!({ "RequestItems": { name: puts } });
        service(stack, "table_endpoint", "DynamoDB_20120810.BatchWriteItem", &body).await;
    }
}

/// Waits for an export to end, however long the queues take.
async fn ended(stack: &Stack, id: &str) -> Value {
    while !stack.idle().await.is_ok_and(|idle| idle.status == 200) {}
    read(stack, &format!("/v1/exports/{id}")).await
}

/// What lies in the files, by their names without the run and the mark of the bytes, and without
/// the time of the run, which is another for each.
async fn contents(stack: &Stack, export: &Value) -> BTreeMap<String, String> {
    let as_of = export["as_of"].as_str().unwrap();
    let mut contents = BTreeMap::new();
    for file in export["files"].as_array().unwrap() {
        let name = file["name"].as_str().unwrap();
        if !name.ends_with(".csv.gz") {
            continue;
        }
        let bytes = stack.client.fetch(file["url"].as_str().unwrap()).await.unwrap();
        let mut text = String::new();
        GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
        let name = name.rsplit('/').next().unwrap().rsplit_once('-').unwrap().0;
        assert!(contents.insert(name.to_owned(), text.replace(as_of, "")).is_none(), "{name}");
    }
    contents
}

/// A figure of a process, in kilobytes or clock ticks.
fn status(pid: u32, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Processor time of a process, in hundredths of a second.
fn ticks(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// Read units in thousandths.
fn read_units(stats: &Value) -> u64 {
    let text = stats["functions"]["segment-export"]["read_units"].to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    whole.parse::<u64>().unwrap() * 1_000 + format!("{part:0<3}")[..3].parse::<u64>().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn r94_r105_an_export_of_many_is_bounded_and_killing_its_workers_changes_no_byte() {
    let stack = stack(json!({})).await;
    let many = seed(&stack).await;
    let full = json!({ "mode": "full" });
    assert_eq!(stack.local("stats/reset", &json!({})).await.unwrap().status, 200);
    let began = std::time::Instant::now();
    let export = ended(&stack, &start(&stack, &key(), &full).await).await;
    let seconds = began.elapsed().as_secs();
    assert_eq!(export["status"], "completed", "{export}");
    let counts = &export["counts"];
    let each = many / KINDS;
    assert_eq!(counts["added"], json!(each * 6), "{counts}");
    assert_eq!((&counts["suppressed"], &counts["members"]), (&json!(each), &json!(each * 7)));

    // Design section 3: the roster's pages, half a unit for the state, half for the profile.
    let read = read_units(&stack.stats().await.unwrap());
    let formula = formula(u64::try_from(many).unwrap());
    println!("{many} participants in {seconds} s: {read} of {formula} thousandths of read units");
    assert!(read <= formula + formula / 50, "{read} of {formula}");
    let mut bytes = 0;
    for file in export["files"].as_array().unwrap() {
        bytes += file["bytes"].as_u64().unwrap();
        assert!(file["rows"].as_u64().unwrap() <= 10_000, "{file}");
    }
    println!("  {bytes} bytes in {} files", export["files"].as_array().unwrap().len());
    for pid in stack.pids(Some("segment-export")).await.unwrap() {
        let (most, ticks) = (status(pid, "VmHWM:"), ticks(pid));
        println!("  worker {pid}: at most {most} KiB, {ticks} hundredths of a processor second");
        assert!(most <= MEMORY, "{most} KiB");
    }

    // The same again, while workers are killed.
    let key = key();
    let id = start(&stack, &key, &full).await;
    let mut killed = 0;
    for _ in 0..KILLS {
        for pid in stack.pids(Some("segment-export")).await.unwrap() {
            killed += usize::from(signal("KILL", pid).await.is_ok());
        }
    }
    assert!(killed > 0);
    let mut disturbed = ended(&stack, &id).await;
    for _ in 0..KILLS {
        if disturbed["status"] != "completed" {
            start(&stack, &key, &full).await;
            disturbed = ended(&stack, &id).await;
        }
    }
    assert_eq!(disturbed["status"], "completed", "{killed} killed: {disturbed}");
    assert_eq!(disturbed["counts"], export["counts"]);
    assert!(contents(&stack, &disturbed).await == contents(&stack, &export).await);
}

/// Read units by the design, in thousandths: one a participant, and half a unit for each started
/// 4 KB of a page of five hundred keys of the roster.
fn formula(people: u64) -> u64 {
    let key: usize = ["pk", "P#s-0000000", "sk", "S", "ix_pk", "ROSTER#0", "ix_sk", "s-0000000"]
        .iter()
        .map(|text| text.len())
        .sum();
    let page = 500 * u64::try_from(key).unwrap();
    people * 1_000 + people.div_ceil(500) * page.div_ceil(4_096) * 500
}
