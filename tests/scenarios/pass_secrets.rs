//! codes and PINs of passes are nowhere but in the answers that hand them out.

pub mod search;

use scenarios::client::{Answer, Call, Client, key};
use scenarios::stack::{Stack, signal};
use serde_json::{Value, json};

use crate::calls::start_run;
use crate::desk::{built, sample};
use crate::places::{files, files_where, items, messages, pass_secret};
use crate::queues::queue;
use search::{Card, Secrets};

const PRINTED: usize = 500;
const ISSUED: usize = 250;
/// Passes of a promotion, which come with purchases.
const LETTERS: usize = 40;
/// Tasks that use cards at once, each with a participant of its own.
const TASKS: usize = 5;
/// Cards that are used until the throttles have to fill again.
const BATCH: usize = 250;
/// Cards that are redeemed while the function dies.
const LEFT: usize = 10;

async fn call(client: &Client, method: &str, path: &str, body: &Value) -> Answer {
    let key = key();
    let call = Call { method, path, key: Some(&key), body: Some(body) };
    client.send(&call).await.unwrap()
}

/// Makes a thousand passes; half of the printed ones get a PIN of an operator's choice.
async fn made(client: &Client) -> Vec<Card> {
    let count = json!({ "count": PRINTED });
    let printed = call(client, "POST", "/v1/pass-plans/gift-card/activate", &count).await;
    assert_eq!(printed.status, 201, "{printed:?}");
    let file = client.get("/v1/pass-plans/gift-card/codes").await.unwrap();
    let mut cards: Vec<Card> = file.body.as_str().unwrap().lines().skip(1).map(Card::row).collect();
    for (at, card) in cards.iter_mut().enumerate().step_by(2) {
        let pin = format!("{:06}", 271_828 + 997 * at);
        let path = format!("/v1/passes/{}", card.id);
        let changed = call(client, "PATCH", &path, &json!({ "pin": pin })).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        card.old_pin = card.pin.replace(pin);
    }
    for (plan, body) in [("gift-mail", json!({ "value": "5.00" })), ("top-up-25", json!({}))] {
        for _ in 0..ISSUED {
            let path = format!("/v1/pass-plans/{plan}/passes");
            let issued = call(client, "POST", &path, &body).await;
            assert_eq!(issued.status, 201, "{issued:?}");
            cards.push(Card::issued(&issued));
        }
    }
    cards
}

/// Bodies that carry the code and the PIN in every place but the right one.
fn wrong(card: &Card) -> Vec<Value> {
    let (code, pin) = (&card.code, card.pin.as_deref().unwrap_or("314159"));
    let long = format!("{code}{}", code.repeat(40));
    let number: Value = serde_json::from_str(pin.trim_start_matches('0')).unwrap_or(json!(1));
    vec![
        json!({ "code": code, "pin": pin, "participant_id": "p", "voucher": code }),
        json!({ "code": long, "pin": pin.repeat(40), "participant_id": "p" }),
        json!({ "code": [code], "pin": { "is": pin }, "participant_id": "p" }),
        json!({ "code": number, "pin": number, "participant_id": "p" }),
        json!({ "code": pin, "pin": code, "participant_id": "p" }),
        json!({ "code": format!("{code}\u{0}"), "pin": format!("{pin}ü"), "participant_id": "p" }),
        json!({ "participant_id": code, "pin": pin }),
        json!({ "code": code, "pin": pin, "participant_id": { "code": code } }),
        json!({ "value": code, "state": pin, "redeemable_until": code, "pin": code }),
        json!({ "count": code, "recipient": [code], "channel": code, "reason": [pin], "pass": pin }),
        json!([code, pin]),
        json!(code),
    ]
}

/// Takes a pass all ways: redeemed with a wrong PIN and the right one, seen, loaded, changed, and
/// sent as what it is not.
async fn used(client: Client, who: String, cards: Vec<(usize, Card)>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for (at, card) in cards {
        let path = format!("/v1/passes/{}", card.id);
        let typed = |pin: Option<&str>| json!({ "code": card.typed(at), "pin": pin });
        let redemption = |pin: Option<&str>| {
            let mut body = typed(pin);
            body["participant_id"] = json!(who);
            body
        };
        if card.id.starts_with("gift-card") {
            let load = json!({ "value": "10.00" });
            answers.push(call(&client, "POST", &format!("{path}/load"), &load).await);
            let old = redemption(card.old_pin.as_deref().or(Some("000000")));
            let refused = call(&client, "POST", "/v1/pass-redemptions", &old).await;
            assert_eq!(refused.status, 409, "{refused:?}");
            answers.push(refused);
        }
        let pin = card.pin.as_deref();
        let seen = call(&client, "POST", "/v1/pass-lookups", &typed(pin)).await;
        let redeemed = call(&client, "POST", "/v1/pass-redemptions", &redemption(pin)).await;
        assert_eq!((seen.status, redeemed.status), (200, 201), "{seen:?} {redeemed:?}");
        let shown = client.get(&path).await.unwrap();
        answers.extend([seen, redeemed, shown]);

        let bodies = wrong(&card);
        let body = &bodies[at % bodies.len()];
        let routes = [
            ("POST", "/v1/pass-redemptions".to_owned()),
            ("POST", "/v1/pass-lookups".to_owned()),
            ("POST", "/v1/pass-plans/gift-mail/passes".to_owned()),
            ("POST", "/v1/pass-plans/gift-card/activate".to_owned()),
            ("POST", format!("{path}/load")),
            ("PATCH", path),
            ("POST", "/v1/events".to_owned()),
            ("POST", "/v1/spend-requests".to_owned()),
        ];
        // Each body comes to each route by some card.
        for (method, path) in routes.into_iter().skip(at / bodies.len() % 4 * 2).take(2) {
            let answer = call(&client, method, &path, body).await;
            assert!((400..500).contains(&answer.status), "{method} {path} {body}: {answer:?}");
            let cut = body.to_string().into_bytes();
            let cut = cut[..cut.len() - 1].to_vec();
            let headers = [("idempotency-key", key())];
            let headers = headers.each_ref().map(|(name, key)| (*name, key.as_str()));
            answers.push(client.raw(method, &path, &headers, Some(cut)).await.unwrap());
            answers.push(answer);
        }
        for path in ["/v1/passes/", "/v1/pass-plans/", "/v1/pass-plans/gift-card/codes?from="] {
            answers.push(client.get(&format!("{path}{}", card.code)).await.unwrap());
        }
    }
    answers
}

async fn all_used(stack: &Stack, cards: &[Card]) -> Vec<Answer> {
    let mut answers = Vec::new();
    for batch in cards.chunks(BATCH) {
        // The throttles fill.
        stack.advance("PT20S").await.unwrap();
        let numbered: Vec<(usize, Card)> = batch.iter().cloned().enumerate().collect();
        let tasks = numbered.chunks(BATCH / TASKS).enumerate().map(|(task, cards)| {
            let client = stack.client.clone();
            tokio::spawn(used(client, format!("p{task}"), cards.to_vec()))
        });
        for task in tasks.collect::<Vec<_>>() {
            answers.extend(task.await.unwrap());
        }
    }
    answers
}

/// Letters of a promotion come with purchases: well, twice, with a PIN, in bulk and in a preview.
async fn shown(stack: &Stack, letters: &[Card]) -> Vec<Answer> {
    let mut answers = Vec::new();
    let now = stack.advance("P0D").await.unwrap();
    for letter in letters {
        let mut purchase = sample("passes/purchase-hat.json");
        purchase["participant_id"] = json!("p0");
        purchase["performed_on"] = json!(now.text("/now"));
        purchase["external_reference"] = json!(key());
        purchase["pass"] = json!({ "code": letter.code });
        let bought = call(&stack.client, "POST", "/v1/events", &purchase).await;
        assert_eq!(bought.body["event"]["pass"]["accepted"], json!(true), "{bought:?}");
        answers.push(bought);
        answers.push(call(&stack.client, "POST", "/v1/events/preview", &purchase).await);
        let rows = json!({ "events": [purchase] });
        answers.push(call(&stack.client, "POST", "/v1/events/bulk", &rows).await);
        purchase["external_reference"] = json!(key());
        answers.push(call(&stack.client, "POST", "/v1/events", &purchase).await);
        purchase["pass"]["pin"] = json!(letter.code);
        answers.push(call(&stack.client, "POST", "/v1/events", &purchase).await);
    }
    answers
}

/// The function dies under good calls that carry a code and a PIN.
async fn interrupted(stack: &Stack, cards: &[Card]) -> Vec<Answer> {
    let mut answers = Vec::new();
    for card in cards {
        let body = json!({ "code": card.code, "pin": card.pin, "participant_id": "p0" });
        let client = stack.client.clone();
        let redeem = async move { call(&client, "POST", "/v1/pass-redemptions", &body).await };
        let redeem = tokio::spawn(redeem);
        for pid in stack.pids(Some("pass-redemption")).await.unwrap() {
            // It may have ended by itself.
            let _known = signal("KILL", pid).await;
        }
        answers.push(redeem.await.unwrap());
    }
    answers
}

/// Codes on the way to queues: in events that wait, and in a message that nobody can read.
async fn queued(stack: &Stack, cards: &[Card]) -> Vec<Answer> {
    let rows: Vec<Value> = cards.iter().flat_map(wrong).collect();
    let mut answers = Vec::new();
    for rows in rows.chunks(100) {
        let body = json!({ "events": rows });
        answers.push(call(&stack.client, "POST", "/v1/events/bulk", &body).await);
    }
    let body = json!({ "MessageBody": "not { a message" });
    queue(stack, "SendMessage", "EvaluationQueue", body).await;
    start_run(stack, &key()).await;
    let full = json!({ "mode": "full", "force": true });
    let export = call(&stack.client, "POST", "/v1/segments/everybody/exports", &full).await;
    assert_eq!(export.status, 202, "{export:?}");
    answers.push(export);
    assert_eq!(stack.idle().await.unwrap().status, 200);
    answers
}

async fn in_no_answer_or_item(stack: &Stack, secrets: &Secrets, answers: &[Answer]) {
    for answer in answers {
        let found = secrets.in_bytes(answer.body.to_string().as_bytes());
        assert!(found.is_none(), "{found:?} stands in {answer:?}");
    }
    let dead = messages(stack, "EvaluationDeadLetters").await;
    assert!(!dead.is_empty(), "what cannot be read is a dead letter");
    assert!(dead.iter().all(|body| secrets.in_bytes(body.as_bytes()).is_none()), "{dead:?}");
    let items = items(stack).await;
    assert!(items.len() > PRINTED + 2 * ISSUED, "each pass has one: {}", items.len());
    for item in &items {
        let found = item.bytes.iter().find_map(|bytes| secrets.in_bytes(bytes));
        assert!(found.is_none(), "{found:?} stands in {}", item.partition);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r84_codes_and_pins_are_in_no_item_answer_log_queue_export_or_file() {
    built().await;
    let folder = std::env::temp_dir().join(format!("accrue-secrets-{}", key()));
    let stack = Stack::start_with(&["--data", folder.to_str().unwrap()]).await.unwrap();
    let mut programme = sample("passes/programme.json");
    let rule = json!({ "all": [{ "balance": "eur", "at_least": "1.00" }] });
    let mut segments = programme["segments"].as_array_mut().unwrap().iter_mut();
    segments.find(|segment| segment["id"] == "everybody").unwrap()["where"] = rule;
    programme["runs"] = json!([{ "id": "nightly", "cron": "0 3 * * *" }]);
    let put = stack.client.put("/v1/programme", &programme).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    for task in 0..TASKS {
        let path = format!("/v1/participants/p{task}");
        let email = json!({ "email": format!("p{task}@example.org") });
        let consent = json!({ "channel": "email", "granted": true, "at": "2026-01-01T00:00:00Z" });
        let body = json!({ "profile": email, "consents": [consent] });
        let put = stack.client.put(&path, &body).await.unwrap();
        assert_eq!(put.status, 201, "{put:?}");
    }
    let cards = made(&stack.client).await;
    assert_eq!(cards.len(), PRINTED + 2 * ISSUED);
    let mut letters = Vec::new();
    for _ in 0..LETTERS {
        let path = "/v1/pass-plans/next-visit/passes";
        letters.push(Card::issued(&call(&stack.client, "POST", path, &json!({})).await));
    }
    let secrets = Secrets::of(&[&cards[..], &letters].concat());
    let (most, left) = cards.split_at(cards.len() - LEFT);
    let mut answers = all_used(&stack, most).await;
    answers.extend(shown(&stack, &letters).await);
    stack.advance("PT20S").await.unwrap();
    answers.extend(interrupted(&stack, left).await);
    answers.extend(queued(&stack, &cards[..20]).await);
    for who in 0..TASKS {
        for what in ["transactions", "wallet"] {
            let path = format!("/v1/participants/p{who}/{what}");
            answers.push(stack.client.get(&path).await.unwrap());
        }
    }
    answers.push(stack.client.get("/v1/pass-plans/gift-card").await.unwrap());

    in_no_answer_or_item(&stack, &secrets, &answers).await;
    let secret = pass_secret(&stack, "GetSecretValue", json!({})).await;
    let keys = [secret["SecretString"].as_str().unwrap().to_owned()];
    stack.stop().await.unwrap();
    let found = files_where(&folder, &mut |bytes| secrets.code_in(bytes).is_some());
    assert!(found.is_empty(), "a code stands in {found:?}");
    // The table's file has six digits of a hash beside each item; the items were searched.
    let mut found = files_where(&folder, &mut |bytes| secrets.pin_in(bytes).is_some());
    found.retain(|file| !file.ends_with("tables.sqlite"));
    assert!(found.is_empty(), "a PIN stands in {found:?}");
    let found = files(&folder, &keys);
    assert!(found.iter().all(|file| file.ends_with("secrets.json")), "the key is in {found:?}");
    for (what, place) in [("POST /v1/pass-lookups", "logs"), ("p0@example.org", "buckets")] {
        let found = files(&folder, &[what.to_owned()]);
        assert!(found.iter().any(|file| file.contains(place)), "is {place} all? {found:?}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
