//! Exports of many: what a marketing department asks for, of a seeded crowd. Workers that are killed
//! change no byte, and what a worker takes in memory and reads is bounded.
//! `EXPORT_PARTICIPANTS=400000` takes so many; the figures are printed.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use futures_util::future::join_all;
use scenarios::client::key;
use scenarios::stack::{Stack, signal};
use serde_json::{Value, json};

use crate::calls::read;

mod crowd;

use crowd::{SEGMENTS, gather};

/// Participants of the suite: all but a few in one shard, which has more rows than a part may.
const PARTICIPANTS: usize = 16_000;
const SEED: u64 = 20_270_320;
/// Most kilobytes that a worker may take.
const MEMORY: u64 = 64 * 1024;
/// How often workers are killed.
const KILLS: usize = 6;

/// Asks for a full export of each segment under its key, again where the process died that was
/// asked; answers their ids.
async fn start(stack: &Stack, keys: &[String]) -> Vec<String> {
    let mut ids = Vec::new();
    for (segment, key) in SEGMENTS.iter().zip(keys) {
        let path = format!("/v1/segments/{segment}/exports");
        let mut answer = stack.client.post(&path, key, &json!({ "mode": "full" })).await.unwrap();
        for _ in 0..KILLS {
            if answer.status == 502 {
                answer = stack.client.post(&path, key, &json!({ "mode": "full" })).await.unwrap();
            }
        }
        assert_eq!(answer.status, 202, "{answer:?}");
        ids.push(answer.text("/export_id").to_owned());
    }
    ids
}

/// Waits for exports to end, however long the queues take.
async fn ended(stack: &Stack, ids: &[String]) -> Vec<Value> {
    while !stack.idle().await.is_ok_and(|idle| idle.status == 200) {}
    let mut exports = Vec::new();
    for id in ids {
        exports.push(read(stack, &format!("/v1/exports/{id}")).await);
    }
    exports
}

/// What lies in the files, by their names without the run and the mark of the bytes, and without
/// the time of the run, which is another for each.
async fn contents(stack: &Stack, export: &Value) -> BTreeMap<String, String> {
    // Links live for minutes.
    let path = format!("/v1/exports/{}", export["export_id"].as_str().unwrap());
    let export = read(stack, &path).await;
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
async fn r93_r94_r105_exports_of_many_are_bounded_and_killing_their_workers_changes_no_byte() {
    let stack = crowd::stack().await;
    let asked = std::env::var("EXPORT_PARTICIPANTS").ok().and_then(|count| count.parse().ok());
    let crowd = gather(&stack, asked.unwrap_or(PARTICIPANTS), asked.is_none(), SEED).await;
    assert_eq!(stack.local("stats/reset", &json!({})).await.unwrap().status, 200);
    let keys: Vec<String> = SEGMENTS.iter().map(|_| key()).collect();
    let began = std::time::Instant::now();
    let exports = ended(&stack, &start(&stack, &keys).await).await;
    println!(
        "{} participants, {} exports: {} s",
        crowd.people,
        exports.len(),
        began.elapsed().as_secs()
    );
    let mut parts = 0;
    for ((export, segment), expected) in exports.iter().zip(SEGMENTS).zip(crowd.segments) {
        assert_eq!(export["status"], "completed", "{export}");
        let told = ["members", "added", "suppressed"].map(|name| export["counts"][name].clone());
        let want = [expected.members, expected.addressed, crowd.suppressed].map(Value::from);
        assert_eq!(told, want, "{segment}");
        let files = export["files"].as_array().unwrap();
        let bytes: u64 = files.iter().map(|file| file["bytes"].as_u64().unwrap()).sum();
        println!("  {segment}: {} addressed, {} files, {bytes} bytes", told[1], files.len());
        assert!(files.iter().all(|file| file["rows"].as_u64().unwrap() <= 10_000), "{export}");
        let is_of_shard = |file: &&Value| file["name"].as_str().unwrap().contains("/add-0-");
        parts = parts.max(files.iter().filter(is_of_shard).count());
    }
    assert!(parts > 1, "a shard has files of several parts");
    costs(&stack, u64::try_from(crowd.people * exports.len()).unwrap()).await;

    // The same again, each asked for twice at once, while workers are killed.
    let keys: Vec<String> = SEGMENTS.iter().map(|_| key()).collect();
    let mut twice = join_all([start(&stack, &keys), start(&stack, &keys)]).await;
    let ids = twice.pop().unwrap();
    assert_eq!(ids, twice[0], "what is started twice at once is one export");
    let mut killed = 0;
    for _ in 0..KILLS {
        for pid in stack.pids(Some("segment-export")).await.unwrap() {
            killed += usize::from(signal("KILL", pid).await.is_ok());
        }
    }
    assert!(killed > 0);
    let mut disturbed = ended(&stack, &ids).await;
    for _ in 0..KILLS {
        if disturbed.iter().any(|export| export["status"] != "completed") {
            start(&stack, &keys).await;
            disturbed = ended(&stack, &ids).await;
        }
    }
    for (disturbed, export) in disturbed.iter().zip(&exports) {
        assert_eq!(disturbed["status"], "completed", "{killed} killed: {disturbed}");
        assert_eq!(disturbed["counts"], export["counts"]);
        assert!(contents(&stack, disturbed).await == contents(&stack, export).await);
    }
}

/// Holds read units against the design, section 3 (the roster's pages, half a unit for the state,
/// half for the profile), and memory against its bound.
async fn costs(stack: &Stack, people: u64) {
    let (read, formula) = (read_units(&stack.stats().await.unwrap()), formula(people));
    println!("  {read} of {formula} thousandths of read units");
    assert!(read <= formula + formula / 50, "{read} of {formula}");
    for pid in stack.pids(Some("segment-export")).await.unwrap() {
        let (most, ticks) = (status(pid, "VmHWM:"), ticks(pid));
        println!("  worker {pid}: at most {most} KiB, {ticks} hundredths of a processor second");
        assert!(most <= MEMORY, "{most} KiB");
    }
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
