//! of the identifier of a payment medium, what the programme does not keep is nowhere but in
//! the call that brought it; what it keeps stands in the event alone.

use std::path::Path;

use scenarios::client::{Answer, Call, key};
use scenarios::stack::{Stack, signal};
use serde_json::{Value, json};

use crate::calls::{cancel, pending, start_run};
use crate::desk::{built, credit, participant, purchase, sample};
use crate::places::{files, holds, items, messages, pieces, spoil_wallet};
use crate::queues::queue;

/// A programme's `keep`, the identifier that is sent while it is active, and what is left of it.
/// Letters beyond those of hexadecimal numbers: no piece of them comes up by chance.
struct Canary {
    keep: Value,
    identifier: &'static str,
    kept: &'static str,
    /// Another identifier of which the same is left.
    twin: &'static str,
}

fn canaries() -> [Canary; 3] {
    let canary = |keep, identifier, kept, twin| Canary { keep, identifier, kept, twin };
    [
        canary(json!({ "last": 4 }), "49H2KW9MT6QV3Z3X", "3Z3X", "4111111111113Z3X"),
        canary(json!({ "first": 6 }), "51X7RJ4NYV8GP2SZ", "51X7RJ", "51X7RJ1111111111"),
        canary(Value::Null, "62U8LT5OWZ9HQ3IK", "62U8LT5OWZ9HQ3IK", "62U8LT5OWZ9HQ3IK"),
    ]
}

/// How often the stack is asked for what comes soon.
const LOOKS: usize = 5_000;
/// The identifier as a number: digits alone.
const NUMBER: &str = "4929817263540918";
/// Stands in every event, and so in every item of one.
const RECEIPT: &str = "RECEIPT-OF-A-CANARY";

fn with(id: &str, identifier: &str) -> Value {
    let mut event = purchase(id, "12.00");
    event["payment_medium"] = json!({ "identifier": identifier });
    event["receipt_number"] = json!(RECEIPT);
    event
}

fn changed(id: &str, identifier: &str, place: &str, value: Value) -> Value {
    let mut event = with(id, identifier);
    match event.pointer_mut(place) {
        Some(known) => *known = value,
        None => event[place.trim_start_matches('/')] = value,
    }
    event
}

/// The same medium in the other events that are paid for.
fn top_up(mut event: Value) -> Value {
    let fields = event.as_object_mut().unwrap();
    for field in ["lines", "process_immediately", "receipt_number"] {
        fields.remove(field);
    }
    event["type"] = json!("financial_achievement");
    event["classification"] = json!("top-up");
    event["amount"] = json!("12.00");
    event["external_reference"] = json!(format!("{RECEIPT}-{}", key()));
    event
}

fn invoice(mut event: Value) -> Value {
    let fields = event.as_object_mut().unwrap();
    for field in ["type", "process_immediately"] {
        fields.remove(field);
    }
    event["invoice_type"] = json!("ticket");
    event
}

/// Events that carry the identifier, each wrong in another way.
fn refused(id: &str, canary: &str) -> Vec<Value> {
    let changed = |place: &str, value: Value| changed(id, canary, place, value);
    vec![
        changed("/payment_medium/identifier", json!(format!("{canary} "))),
        changed("/payment_medium/identifier", json!([canary])),
        changed("/payment_medium/identifier", json!({ "pan": canary })),
        changed("/payment_medium/identifier", serde_json::from_str(NUMBER).unwrap()),
        changed("/payment_medium/identifier", json!(format!("{canary}{}", "0".repeat(60)))),
        changed("/payment_medium", json!(canary)),
        changed("/payment_medium", json!({ "brand": canary, "identifier": canary })),
        changed("/payment_medium", json!({ "type": canary, "identifier": canary })),
        changed("/payment_medium", json!({ "number": canary, "identifier": canary })),
        changed("/participant_id", json!("nobody")),
        changed("/lines", json!([])),
        changed("/type", json!("lottery")),
        changed("/spend", json!({ "amount": "499", "classification": "counter" })),
    ]
}

/// A stack whose files can be searched, and what it answered.
struct Search {
    stack: Stack,
    answers: Vec<Answer>,
}

impl Search {
    async fn post(&mut self, path: &str, body: &Value) -> Answer {
        let answer = self.stack.client.post(path, &key(), body).await.unwrap();
        self.answers.push(answer.clone());
        answer
    }

    async fn get(&mut self, path: &str) {
        let answer = self.stack.client.get(path).await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        self.answers.push(answer);
    }

    /// Good ones: at once, pending, previewed, with a spend, by key, repeated, and cancelled.
    async fn good(&mut self, id: &str, canary: &Canary) {
        credit(&self.stack, id, 1).await;
        let event = with(id, canary.identifier);
        let spending = changed(id, canary.identifier, "/spend", json!({ "amount": "1" }));
        let mut by_key = with(id, canary.identifier);
        for name in ["external_system", "external_reference"] {
            by_key.as_object_mut().unwrap().remove(name);
        }
        let later = pending(with(id, canary.identifier));
        let mut ids = Vec::new();
        for (event, status) in [(&event, 201), (&later, 202), (&spending, 201), (&by_key, 201)] {
            for path in ["/v1/events/preview?explain=all", "/v1/events/preview"] {
                assert_eq!(self.post(path, event).await.status, 200, "{event}");
            }
            let answer = self.post("/v1/events", event).await;
            assert_eq!(answer.status, status, "{event}: {answer:?}");
            assert_eq!(answer.text("/event/payment_medium/identifier"), canary.kept);
            ids.push(answer.text("/event/id").replace(':', "%3A"));
        }

        // Payloads are compared as they are kept: what is cut off makes no difference.
        let mut again = event.clone();
        again["payment_medium"]["identifier"] = json!(canary.twin);
        let repeated = self.post("/v1/events", &again).await;
        assert_eq!((repeated.status, &repeated.body["repeated"]), (201, &json!(true)));
        again["payment_medium"]["identifier"] = json!("9999999999999999");
        let reused = self.post("/v1/events", &again).await;
        assert_eq!(reused.text("/code"), "idempotency_key_reused", "{reused:?}");

        let top_up = top_up(with(id, canary.identifier));
        let invoice = invoice(with(id, canary.identifier));
        for (path, body, status) in [("/v1/events", top_up, 202), ("/v1/invoices", invoice, 201)] {
            let answer = self.post(path, &body).await;
            assert_eq!(answer.status, status, "{answer:?}");
            let mut bad = body;
            bad["unit"] = json!("a b");
            assert_eq!(self.post(path, &bad).await.status, 422);
        }
        for event in &ids {
            self.get(&format!("/v1/events/{event}")).await;
        }
        for event in [&ids[0], &ids[0], &ids[1], &ids[2]] {
            self.answers.push(cancel(&self.stack, event, &key()).await);
        }
    }

    /// Refused ones, alone and as rows of a bulk with good ones, and cut short.
    async fn bad(&mut self, id: &str, canary: &Canary) {
        let mut rows = refused(id, canary.identifier);
        for path in ["/v1/events", "/v1/events/preview"] {
            for event in &rows {
                let answer = self.post(path, event).await;
                let refused = (400..500).contains(&answer.status);
                assert!(refused || path.ends_with("preview"), "{event}: {answer:?}");
                let cut = event.to_string().into_bytes();
                let cut = cut[..cut.len() - 1].to_vec();
                let answer = self.stack.client.raw("POST", path, &[], Some(cut)).await.unwrap();
                assert_eq!(answer.status, 400);
                self.answers.push(answer);
            }
        }
        rows.extend((0..10).map(|_| with(id, canary.identifier)));
        rows.extend((0..5).map(|_| pending(with(id, canary.identifier))));
        let bulk = json!({ "events": rows });
        let call = Call { method: "POST", path: "/v1/events/bulk", key: None, body: Some(&bulk) };
        self.answers.push(self.stack.client.send(&call).await.unwrap());
    }

    /// Failing ones: the functions die under them, and under the judgement of what was queued.
    async fn interrupted(&mut self, id: &str, canary: &Canary) {
        start_run(&self.stack, &key()).await;
        let mut killed = Vec::new();
        for _ in 0..5 {
            let event = with(id, canary.identifier);
            let client = self.stack.client.clone();
            let call = tokio::spawn(async move { client.post("/v1/events", &key(), &event).await });
            for pid in self.stack.pids(None).await.unwrap() {
                // It may have ended by itself.
                let _known = signal("KILL", pid).await;
                killed.push(pid);
            }
            self.answers.push(call.await.unwrap().unwrap());
        }
        // A call that is handed to a process before its end is known is an interrupted one.
        for _ in 0..LOOKS {
            let pids = self.stack.pids(None).await.unwrap();
            killed.retain(|pid| pids.contains(pid));
            if killed.is_empty() {
                break;
            }
        }
        assert!(killed.is_empty(), "{killed:?} are not missed");
        assert_eq!(self.stack.idle().await.unwrap().status, 200);
        for what in ["events", "transactions"] {
            self.get(&format!("/v1/participants/{id}/{what}?limit=200")).await;
        }
    }

    /// One that can never be judged: what asks for it ends in the dead letters.
    async fn given_up(&mut self, canary: &Canary) {
        let id = participant(&self.stack).await;
        let stored = self.post("/v1/events", &pending(with(&id, canary.identifier))).await;
        assert_eq!(stored.status, 202, "{stored:?}");
        spoil_wallet(&self.stack, &id).await;
        let event = stored.text("/event/id");
        let body = json!({ "kind": "events", "participant": id, "events": [event] }).to_string();
        queue(&self.stack, "SendMessage", "EvaluationQueue", json!({ "MessageBody": body })).await;
        self.post("/v1/events", &with(&id, canary.identifier)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r22_a_full_identifier_is_in_no_item_answer_log_queue_or_file() {
    built().await;
    let folder = std::env::temp_dir().join(format!("accrue-canary-{}", key()));
    let stack = Stack::start_with(&["--data", folder.to_str().unwrap()]).await.unwrap();
    let mut search = Search { stack, answers: Vec::new() };
    let mut told: Vec<(Canary, Vec<Answer>)> = Vec::new();
    for canary in canaries() {
        let mut programme = sample("transit/programme.json");
        programme["definition"]["payment_medium"]["keep"] = canary.keep.clone();
        let put = search.stack.client.put("/v1/programme", &programme).await.unwrap();
        assert_eq!(put.status, 200, "{put:?}");
        // Programmes are cached for two seconds of the stack's time.
        search.stack.advance("PT10S").await.unwrap();
        let id = participant(&search.stack).await;
        search.good(&id, &canary).await;
        search.bad(&id, &canary).await;
        search.interrupted(&id, &canary).await;
        // Last: runs stumble over what cannot be judged.
        search.given_up(&canary).await;
        told.push((canary, std::mem::take(&mut search.answers)));
    }
    start_run(&search.stack, &key()).await;
    let full = json!({ "mode": "full", "force": true });
    let export = search.post("/v1/segments/mail-ready/exports", &full).await;
    assert_eq!(export.status, 202, "{export:?}");
    assert_eq!(search.stack.idle().await.unwrap().status, 200);
    let dead = messages(&search.stack, "EvaluationDeadLetters").await;
    assert!(dead.len() >= canaries().len(), "{dead:?}");
    let items = items(&search.stack).await;
    search.stack.stop().await.unwrap();

    for (canary, answers) in &told {
        let pieces = pieces(canary.identifier);
        let kept = canary.kept == canary.identifier;
        for answer in answers {
            // An event is shown with what it keeps; a problem never names it.
            let may = kept && answer.status < 300;
            assert!(may || !holds(answer.body.to_string().as_bytes(), &pieces), "{answer:?}");
        }
        assert!(dead.iter().all(|body| !holds(body.as_bytes(), &pieces)), "{dead:?}");
        let mut holders = 0;
        for item in &items {
            let stands = |what: &[String]| item.bytes.iter().any(|bytes| holds(bytes, what));
            let event = item.partition.starts_with("E#");
            assert!(!stands(&pieces) || (kept && event), "{}", item.partition);
            let whole = stands(&[canary.kept.to_owned()]);
            assert!(!whole || event, "{}", item.partition);
            assert!(!whole || stands(&[RECEIPT.to_owned()]), "{}: not inflated?", item.partition);
            holders += usize::from(whole);
        }
        assert!(holders >= 20, "{} stands in {holders} events: is that all?", canary.kept);
    }
    in_no_file(&folder, &told);
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Logs, messages and whatever else lies on the disk; events lie there deflated.
fn in_no_file(folder: &Path, told: &[(Canary, Vec<Answer>)]) {
    let one = |text: &str| files(folder, &[text.to_owned()]);
    let logs = one("POST /v1/events/bulk");
    assert!(logs.iter().any(|file| file.contains("logs")), "no logs: {logs:?}");
    let queued = one("\"events\\\":");
    assert!(queued.iter().any(|file| file.contains("queues")), "no messages: {queued:?}");
    for (canary, _) in told {
        let found = files(folder, &pieces(canary.identifier));
        assert!(found.is_empty(), "{} stands in {found:?}", canary.identifier);
    }
    let found = one(NUMBER);
    assert!(found.is_empty(), "the number stands in {found:?}");
}
