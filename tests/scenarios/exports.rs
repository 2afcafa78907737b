//! Exports as a platform picks them up: full, then what changed, each once, and nothing that a
//! programme would regret.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use futures_util::future::join_all;
use scenarios::client::key;
use scenarios::stack::Stack;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::calls::{read, set_clock};
use crate::desk::{built, sample};
use crate::places::table;

/// The transit programme with one segment, of whoever is tagged.
pub async fn stack(more: Value) -> Stack {
    built().await;
    let stack = Stack::start().await.unwrap();
    let mut programme = sample("transit/programme.json");
    let mut segment = json!({ "id": "vips", "where": { "tag": "vip" } });
    segment.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    programme["segments"] = json!([segment]);
    programme["time_zone"] = json!("UTC");
    let put = stack.client.put("/v1/programme", &programme).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    stack
}

/// Registers somebody: member or not, with a consent of this day or none.
pub async fn know(stack: &Stack, id: &str, name: &str, member: bool, consent: Option<(bool, u8)>) {
    let tags: &[&str] = if member { &["vip"] } else { &[] };
    let profile = json!({ "first_name": name, "email": format!("{id}@example.org"), "tags": tags });
    let consents: Vec<Value> = consent
        .map(|(granted, day)| {
            let at = format!("2026-01-{day:02}T00:00:00Z");
            json!({ "channel": "email", "granted": granted, "at": at })
        })
        .into_iter()
        .collect();
    let body = json!({ "profile": profile, "consents": consents });
    let answer = stack.client.put(&format!("/v1/participants/{id}"), &body).await.unwrap();
    assert!(answer.status < 300, "{answer:?}");
}

/// Starts an export; answers its id.
pub async fn start(stack: &Stack, key: &str, body: &Value) -> String {
    let answer = stack.client.post("/v1/segments/vips/exports", key, body).await.unwrap();
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.text("/export_id").to_owned()
}

/// How an export ended.
pub async fn ended(stack: &Stack, id: &str) -> Value {
    assert_eq!(stack.idle().await.unwrap().status, 200);
    read(stack, &format!("/v1/exports/{id}")).await
}

async fn exported(stack: &Stack, body: Value) -> Value {
    let id = start(stack, &key(), &body).await;
    let export = ended(stack, &id).await;
    assert_eq!(export["status"], "completed", "{export}");
    export
}

/// What the files hold, by what their rows do: lines without the header. Each file is what the
/// manifest says of it, to the byte.
pub async fn rows(stack: &Stack, export: &Value) -> BTreeMap<String, Vec<String>> {
    let mut files = export["files"].as_array().unwrap().clone();
    let last = files.pop().unwrap();
    assert!(last["name"].as_str().unwrap().ends_with("/manifest.json"), "{last}");
    let bytes = stack.client.fetch(last["url"].as_str().unwrap()).await.unwrap();
    let manifest: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(manifest["run_id"], export["export_id"]);
    assert_eq!(manifest["counts"], export["counts"]);
    assert_eq!(manifest["files"].as_array().unwrap().len(), files.len());
    let mut rows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, told) in files.iter().zip(manifest["files"].as_array().unwrap()) {
        let bytes = stack.client.fetch(file["url"].as_str().unwrap()).await.unwrap();
        let digest = Sha256::digest(&bytes);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((&told["sha256"], &told["bytes"]), (&json!(digest), &json!(bytes.len())));
        let mut text = String::new();
        GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
        let mut lines: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
        assert!(lines.is_sorted() && lines.len() <= 10_000, "{told}");
        assert_eq!(told["rows"], json!(lines.len()));
        rows.entry(told["op"].as_str().unwrap().to_owned()).or_default().append(&mut lines);
    }
    rows.values_mut().for_each(|rows| rows.sort());
    rows
}

/// Rows by participant, without what they do and the time of the run.
fn by_id(rows: &[String]) -> BTreeMap<String, String> {
    let cells = |row: &String| {
        let mut cells: Vec<&str> = row.split(',').collect();
        (cells[11], cells[17]) = ("", "");
        (cells[0].to_owned(), cells.join(","))
    };
    rows.iter().map(cells).collect()
}

fn ids(rows: &BTreeMap<String, Vec<String>>, op: &str) -> Vec<String> {
    let rows = rows.get(op).map(Vec::as_slice).unwrap_or_default();
    by_id(rows).into_keys().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn r94_a_delta_tells_what_changed_and_applied_to_its_base_is_the_full_export() {
    let stack = stack(json!({ "guard": { "at_least_percent": 0 } })).await;
    for (id, member, consent) in [
        ("anna", true, Some((true, 1))),
        ("ben", true, Some((true, 1))),
        ("cleo", true, Some((true, 1))),
        ("dora", true, Some((false, 1))),
        ("emil", true, None),
        ("fred", false, Some((true, 1))),
        ("gina", false, Some((false, 1))),
    ] {
        know(&stack, id, id, member, consent).await;
    }
    // The first delta has no base: it tells of everybody.
    let first = exported(&stack, json!({ "mode": "delta" })).await;
    assert_eq!((&first["mode"], &first["base_run_id"]), (&json!("full"), &Value::Null));
    let base = rows(&stack, &first).await;
    assert_eq!(ids(&base, "add"), ["anna", "ben", "cleo"]);
    assert_eq!(ids(&base, "suppress"), ["dora", "gina"]);
    assert_eq!(
        (&first["counts"]["members"], &first["counts"]["skipped_no_consent"]),
        (&json!(5), &json!(2))
    );

    know(&stack, "anna", "=HYPERLINK(1)", true, None).await;
    know(&stack, "ben", "ben", false, None).await;
    know(&stack, "cleo", "cleo", true, Some((false, 2))).await;
    know(&stack, "dora", "dora", true, Some((true, 2))).await;
    know(&stack, "fred", "fred", true, None).await;
    know(&stack, "gina", "gina", false, Some((true, 2))).await;
    let delta = exported(&stack, json!({ "mode": "delta" })).await;
    assert_eq!((&delta["mode"], &delta["base_run_id"]), (&json!("delta"), &first["export_id"]));
    let changes = rows(&stack, &delta).await;
    assert_eq!(ids(&changes, "add"), ["dora", "fred"]);
    assert_eq!(ids(&changes, "change"), ["anna"]);
    assert!(changes["change"][0].contains(",'=HYPERLINK(1),"), "{changes:?}");
    assert_eq!(ids(&changes, "remove"), ["ben", "gina"]);
    assert_eq!(ids(&changes, "suppress"), ["cleo"]);

    let full = rows(&stack, &exported(&stack, json!({ "mode": "full" })).await).await;
    for (told, others) in [("add", "suppress"), ("suppress", "add")] {
        let mut applied = by_id(&base[told]);
        for gone in [ids(&changes, "remove"), ids(&changes, others)].concat() {
            applied.remove(&gone);
        }
        for op in if told == "add" { &["add", "change"][..] } else { &["suppress"] } {
            applied.extend(by_id(&changes[*op]));
        }
        assert_eq!(applied, by_id(full.get(told).unwrap_or(&vec![])), "{told}");
    }
    let nothing = exported(&stack, json!({ "mode": "delta" })).await;
    assert!(rows(&stack, &nothing).await.is_empty(), "{nothing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn r94_asked_for_twice_at_once_or_fired_twice_an_export_is_made_once() {
    let plan = json!({ "cron": "0 3 * * *", "mode": "delta", "dialect": "braze" });
    let stack = stack(json!({ "export": plan })).await;
    know(&stack, "anna", "anna", true, Some((true, 1))).await;
    let (key, body) = (key(), json!({ "mode": "full" }));
    let started = join_all((0..4).map(|_| start(&stack, &key, &body))).await;
    assert!(started.iter().all(|id| *id == started[0]), "{started:?}");
    let export = ended(&stack, &started[0]).await;
    assert_eq!(ids(&rows(&stack, &export).await, "add"), ["anna"]);
    let other = json!({ "mode": "delta" });
    let other = stack.client.post("/v1/segments/vips/exports", &key, &other).await.unwrap();
    assert_eq!((other.status, other.text("/code")), (422, "idempotency_key_reused"));

    let tomorrow = chrono::Utc::now().date_naive() + chrono::Days::new(1);
    set_clock(&stack, &format!("{tomorrow}T03:02:00Z")).await;
    let nothing = json!({});
    let fire = || stack.local("schedules/SegmentExportTick/run", &nothing);
    for fired in join_all([fire(), fire(), fire()]).await {
        assert_eq!(fired.unwrap().status, 200);
    }
    let due = tomorrow.and_hms_opt(3, 0, 0).unwrap().and_utc().timestamp_millis();
    let digest = Sha256::digest(format!("schedule\nexport\nvips\n{due}").as_bytes());
    let id = digest[..12].iter().fold("export-".to_owned(), |id, byte| format!("{id}{byte:02x}"));
    let export = ended(&stack, &id).await;
    assert_eq!((&export["status"], &export["dialect"]), (&json!("completed"), &json!("braze")));
    assert_eq!(export["as_of"], json!(format!("{tomorrow}T03:00:00Z")));
    assert_eq!(ids_by_dialect(&rows(&stack, &export).await), ["anna"]);
}

/// First cells, whatever columns there are.
fn ids_by_dialect(rows: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let rows = rows.get("add").map(Vec::as_slice).unwrap_or_default();
    rows.iter().map(|row| row.split(',').next().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn r95_an_empty_or_sharply_smaller_full_export_is_refused_unless_forced() {
    let stack = stack(json!({})).await;
    let refused = |export: Value, code: &str| {
        assert_eq!((&export["status"], &export["files"]), (&json!("refused"), &json!([])));
        assert_eq!(export["reason"]["code"], code, "{export}");
    };
    let full = json!({ "mode": "full" });
    refused(ended(&stack, &start(&stack, &key(), &full).await).await, "empty");
    for id in ["anna", "ben", "cleo", "dora"] {
        know(&stack, id, id, true, Some((true, 1))).await;
    }
    let base = exported(&stack, full.clone()).await;
    for id in ["ben", "cleo", "dora"] {
        know(&stack, id, id, false, None).await;
    }
    refused(ended(&stack, &start(&stack, &key(), &full).await).await, "sharply_smaller");
    // A refused one is no base, and a delta, which carries who opted out, is not held back.
    let delta = exported(&stack, json!({ "mode": "delta" })).await;
    assert_eq!(delta["base_run_id"], base["export_id"]);
    assert_eq!(delta["counts"]["removed"], 3, "{delta}");
    for id in ["ben", "cleo", "dora"] {
        know(&stack, id, id, true, None).await;
    }
    exported(&stack, full.clone()).await;
    for id in ["ben", "cleo", "dora"] {
        know(&stack, id, id, false, None).await;
    }
    refused(ended(&stack, &start(&stack, &key(), &full).await).await, "sharply_smaller");
    let forced = exported(&stack, json!({ "mode": "full", "force": true })).await;
    assert_eq!(ids(&rows(&stack, &forced).await, "add"), ["anna"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn r95_in_every_dialect_whoever_unsubscribed_is_suppressed_and_never_added() {
    let stack = stack(json!({})).await;
    for id in ["anna", "ben", "cleo"] {
        know(&stack, id, id, true, Some((true, 1))).await;
    }
    let dialects = ["canonical", "optimizely", "emarsys", "klaviyo", "braze", "mailchimp"];
    for dialect in dialects {
        let full = exported(&stack, json!({ "mode": "full", "dialect": dialect })).await;
        assert_eq!(full["counts"]["added"], 3, "{full}");
    }
    know(&stack, "ben", "ben", true, Some((false, 2))).await;
    // An older opt-in that comes late does not undo it.
    know(&stack, "ben", "benjamin", true, Some((true, 1))).await;
    know(&stack, "anna", "annabel", true, None).await;
    for dialect in dialects {
        for mode in ["delta", "full"] {
            let export = exported(&stack, json!({ "mode": mode, "dialect": dialect })).await;
            let rows = rows(&stack, &export).await;
            let told = |op: &str| rows.get(op).map(|rows| rows.concat()).unwrap_or_default();
            assert!(told("suppress").contains("ben@example.org"), "{dialect} {rows:?}");
            let active = told("add") + &told("change");
            assert!(active.contains("anna@example.org") && !active.contains("ben"), "{rows:?}");
        }
    }
}

/// Messages are a hint: what was given up, or never asked for, the schedule finds in the table.
#[tokio::test(flavor = "multi_thread")]
async fn r94_an_export_that_was_given_up_is_found_again_by_the_schedule() {
    let stack = stack(json!({})).await;
    know(&stack, "anna", "anna", true, Some((true, 1))).await;
    let of = |sk: &str| json!({ "Key": { "pk": { "S": "P#anna" }, "sk": { "S": sk } } });
    let whole = table(&stack, "GetItem", of("A")).await["Item"].take();
    let mut broken = whole.clone();
    broken["d"]["B"] = json!("AAAA");
    table(&stack, "PutItem", json!({ "Item": broken })).await;
    let id = start(&stack, &key(), &json!({ "mode": "full" })).await;
    let failed = ended(&stack, &id).await;
    assert_eq!((&failed["status"], &failed["shards_failed"]), (&json!("failed"), &json!(1)));
    table(&stack, "PutItem", json!({ "Item": whole })).await;
    stack.advance("PT20M").await.unwrap();
    let fired = stack.local("schedules/SegmentExportTick/run", &json!({})).await.unwrap();
    assert_eq!(fired.status, 200, "{fired:?}");
    let export = ended(&stack, &id).await;
    assert_eq!(export["status"], "completed", "{export}");
    assert_eq!(ids(&rows(&stack, &export).await, "add"), ["anna"]);
}
