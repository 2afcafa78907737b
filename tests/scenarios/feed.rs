//! The feed: every movement, change and consent reaches every target, in order.

pub mod target;
mod turns;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::feed::signature;
use futures_util::future::join_all;
use scenarios::client::{Answer, key};
use scenarios::stack::{Stack, signal};
use serde_json::{Value, json};

use crate::calls::{read, ticket};
use crate::desk::{built, credit, participant, post_event, purchase, sample, transactions};
use crate::places::secret;
use crate::queues::queue;
use target::{Got, Target};

/// What must stand in no queue and no log.
const CANARY: &str = "canary-7q@example.org";

/// A stack whose programme has these feeds, and the folder in which it keeps everything.
async fn feeding(feeds: Value) -> (Stack, PathBuf) {
    built().await;
    let folder = std::env::temp_dir().join(format!("accrue-feed-{}", key()));
    let data = folder.to_str().unwrap().to_owned();
    let stack = Stack::start_with(&["--data", &data]).await.unwrap();
    put(&stack, feeds).await;
    (stack, folder)
}

async fn put(stack: &Stack, feeds: Value) {
    let mut programme = sample("transit/programme.json");
    programme["feeds"] = feeds;
    let put = stack.client.put("/v1/programme", &programme).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    // Programmes are cached for two seconds of the stack's time.
    stack.advance("PT10S").await.unwrap();
}

fn webhook(id: &str, target: &Target) -> Value {
    json!({ "id": id, "kind": "webhook", "url": format!("{}/hook", target.address),
        "secret": "default" })
}

async fn idle(stack: &Stack) {
    assert_eq!(stack.idle().await.unwrap().status, 200);
}

/// Whether a file below a folder, or this one, has a text.
fn has(place: &Path, text: &str) -> bool {
    if place.is_dir() {
        return std::fs::read_dir(place).unwrap().any(|entry| has(&entry.unwrap().path(), text));
    }
    let bytes = std::fs::read(place).unwrap();
    bytes.windows(text.len()).any(|at| at == text.as_bytes())
}

async fn replay(stack: &Stack, feed: &str, body: Value) -> Answer {
    stack.client.post(&format!("/v1/feeds/{feed}/replay"), &key(), &body).await.unwrap()
}

async fn length(stack: &Stack, id: &str) -> u64 {
    let rows = transactions(stack, id).await;
    let code = rows[0]["code"].as_str().unwrap();
    let (_, rest) = code.rsplit_once('.').unwrap();
    rest.split('-').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn r96_every_movement_comes_in_order_though_the_target_fails_and_the_function_dies() {
    let target = Target::new(|number, _| (if number < 6 { 500 } else { 200 }, String::new())).await;
    let (stack, folder) = feeding(json!([webhook("crm", &target)])).await;
    let mut people = Vec::new();
    for _ in 0..4 {
        people.push(participant(&stack).await);
    }
    for round in 0..6 {
        let posts = people.iter().map(|id| async {
            let posted = post_event(&stack, &purchase(id, "11.00")).await;
            assert_eq!(posted.status, 201, "{posted:?}");
        });
        join_all(posts).await;
        if round % 2 == 0 {
            for pid in stack.pids(Some("crm-feed")).await.unwrap() {
                let _gone = signal("KILL", pid).await;
            }
        }
    }
    idle(&stack).await;
    for id in &people {
        let want: Vec<u64> = (1..=length(&stack, id).await).collect();
        assert!(want.len() >= 6);
        assert_eq!(target.movements(id), want, "{id}");
    }
    // What is told is what the wallet's own page says.
    for told in target.taken().iter().filter(|told| told["type"] == "movement") {
        let code = told["transaction"]["code"].as_str().unwrap();
        assert_eq!(told["id"], format!("movement:{code}"));
        assert_eq!(told["transaction"], read(&stack, &format!("/v1/transactions/{code}")).await);
    }
    let secret = secret(&stack, "FeedSecret", "GetSecretValue", json!({})).await;
    let secret: Value = serde_json::from_str(secret["SecretString"].as_str().unwrap()).unwrap();
    let secret = secret["default"].as_str().unwrap();
    for Got { path, headers, body, .. } in target.got() {
        assert_eq!(
            (path.as_str(), headers["content-type"].as_str()),
            ("/hook", "application/json")
        );
        let seconds: u64 = headers["accrue-timestamp"].parse().unwrap();
        assert!(u64::try_from(chrono::Utc::now().timestamp()).unwrap().abs_diff(seconds) < 300);
        let signed = signature(secret, seconds, &body).unwrap();
        let signed: String = signed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(headers["accrue-signature"], format!("v1={signed}"));
    }
    assert!(!has(&folder.join("logs"), secret) && !has(&folder.join("queues.jsonl"), secret));
    drop(stack);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn r96_who_somebody_is_and_agreed_to_comes_as_it_changes_and_in_no_queue_or_log() {
    let target = Target::new(|_, _| (200, String::new())).await;
    let (stack, folder) = feeding(json!([webhook("crm", &target)])).await;
    let id = format!("p-{}", key());
    let path = format!("/v1/participants/{id}");
    let consent = |granted: bool, at: &str| json!({ "channel": "email", "granted": granted, "at": at, "source": "web" });
    let bodies = [
        json!({ "profile": { "email": CANARY }, "consents": [consent(true, "2026-01-01T00:00:00Z")] }),
        json!({ "consents": [consent(false, "2026-02-01T00:00:00Z")] }),
        // Older than the one that is known: nothing changes.
        json!({ "consents": [consent(true, "2026-01-15T00:00:00Z")] }),
        json!({ "profile": { "email": CANARY, "first_name": "Anna" } }),
    ];
    for body in &bodies {
        let answer = stack.client.put(&path, body).await.unwrap();
        assert!(answer.status < 300, "{answer:?}");
        idle(&stack).await;
    }
    let taken = target.taken();
    let consents: Vec<&Value> = taken.iter().filter(|one| one["type"] == "consent").collect();
    let granted: Vec<&Value> = consents.iter().map(|one| &one["consent"]["granted"]).collect();
    assert_eq!(granted, [true, false], "{consents:?}");
    let profiles: Vec<&Value> = taken.iter().filter(|one| one["type"] == "participant").collect();
    assert_eq!(profiles.last().unwrap()["profile"]["first_name"], "Anna");
    assert_eq!(profiles[0]["profile"]["email"], CANARY);
    let versions: Vec<u64> = profiles.iter().map(|one| one["sequence"].as_u64().unwrap()).collect();
    assert!(versions.is_sorted(), "{versions:?}");
    for place in ["logs", "queues.jsonl"] {
        assert!(!has(&folder.join(place), CANARY), "{place}");
    }
    assert!(has(&folder.join("queues.jsonl"), &id), "hints name who is due");
    drop(stack);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn r96_a_dead_target_holds_up_no_other_and_is_told_by_a_replay_what_it_missed() {
    let dead = Arc::new(AtomicBool::new(true));
    let is_dead = Arc::clone(&dead);
    let broken = Target::new(move |_, _| {
        (if is_dead.load(Ordering::SeqCst) { 503 } else { 200 }, String::new())
    })
    .await;
    let fine = Target::new(|_, _| (200, String::new())).await;
    let (stack, folder) =
        feeding(json!([webhook("broken", &broken), webhook("fine", &fine)])).await;
    let mut people = Vec::new();
    for _ in 0..2 {
        let id = participant(&stack).await;
        for _ in 0..3 {
            assert_eq!(post_event(&stack, &purchase(&id, "11.00")).await.status, 201);
        }
        people.push(id);
    }
    idle(&stack).await;
    let mut want = Vec::new();
    for id in &people {
        want.push((1..=length(&stack, id).await).collect::<Vec<u64>>());
    }
    for (id, want) in people.iter().zip(&want) {
        assert_eq!(&fine.movements(id), want, "nothing holds it up");
        assert!(broken.movements(id).is_empty());
    }
    let asked = json!({ "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0 });
    let given_up = queue(&stack, "ReceiveMessage", "FeedDeadLetters", asked).await;
    let given_up = given_up["Messages"].as_array().unwrap().clone();
    assert!(!given_up.is_empty(), "given up after its tries");
    for message in &given_up {
        let body: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
        let mut fields: Vec<&String> = body.as_object().unwrap().keys().collect();
        fields.sort();
        assert_eq!(fields, ["feed", "kind", "participant"], "ids alone");
        assert_eq!(body["feed"], "broken");
    }

    // Mended: the next movement brings all that was missed, before itself.
    dead.store(false, Ordering::SeqCst);
    assert_eq!(post_event(&stack, &purchase(&people[0], "11.00")).await.status, 201);
    idle(&stack).await;
    let all: Vec<u64> = (1..=length(&stack, &people[0]).await).collect();
    assert_eq!(broken.movements(&people[0]), all);
    assert!(broken.movements(&people[1]).is_empty(), "nobody asked for these");
    let answer = replay(&stack, "broken", json!({ "from": "2020-01-01T00:00:00Z" })).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    idle(&stack).await;
    assert_eq!(broken.movements(&people[1]), want[1]);

    // From a point on, of one participant: told again, in order, and nobody else is.
    let before = fine.got().len();
    let body = json!({ "from": "2020-01-01T00:00:00Z", "participant_id": people[0] });
    assert_eq!(replay(&stack, "fine", body).await.status, 202);
    idle(&stack).await;
    let again: Vec<Value> = fine.got()[before..]
        .iter()
        .flat_map(|got| {
            let body: Value = serde_json::from_slice(&got.body).unwrap();
            body["messages"].as_array().unwrap().clone()
        })
        .collect();
    let again = again.iter().filter(|one| one["type"] == "movement");
    let again: Vec<(&Value, u64)> =
        again.map(|one| (&one["participant_id"], one["sequence"].as_u64().unwrap())).collect();
    let own = json!(people[0]);
    let expected: Vec<(&Value, u64)> = all.iter().map(|sequence| (&own, *sequence)).collect();
    assert_eq!(again, expected);
    let later = json!({ "from": "2090-01-01T00:00:00Z", "participant_id": people[0] });
    let told = fine.got().len();
    assert_eq!(replay(&stack, "fine", later).await.status, 202);
    idle(&stack).await;
    let rest: Vec<Value> =
        fine.got()[told..].iter().map(|got| serde_json::from_slice(&got.body).unwrap()).collect();
    assert!(!rest.iter().any(|body| body.to_string().contains("\"movement\"")), "{rest:?}");

    for (feed, body, status, code) in [
        ("no", json!({ "from": "2020-01-01T00:00:00Z" }), 404, "feed_not_found"),
        ("fine", json!({}), 422, "invalid"),
        (
            "fine",
            json!({ "from": "2020-01-01T00:00:00Z", "participant_id": "nobody" }),
            404,
            "participant_not_found",
        ),
    ] {
        let answer = replay(&stack, feed, body).await;
        assert_eq!((answer.status, answer.text("/code")), (status, code), "{answer:?}");
    }
    drop(stack);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn r96_a_long_history_comes_whole_to_a_target_that_is_named_late() {
    let target = Target::new(|_, _| (200, String::new())).await;
    let (stack, folder) = feeding(json!([])).await;
    let id = participant(&stack).await;
    let events: Vec<Value> = (0..120).map(|_| ticket(&id, "10.00")).collect();
    crate::calls::bulk(&stack, &events).await;
    idle(&stack).await;
    assert!(target.got().is_empty());
    put(&stack, json!([webhook("late", &target)])).await;
    credit(&stack, &id, 1).await;
    idle(&stack).await;
    let want: Vec<u64> = (1..=length(&stack, &id).await).collect();
    assert!(want.len() > 120, "{}", want.len());
    assert_eq!(target.movements(&id), want);
    assert!(target.got().len() > 2, "in several calls");
    drop(stack);
    std::fs::remove_dir_all(folder).unwrap();
}

/// the email platform is told the code, and nobody else finds it.
#[tokio::test(flavor = "multi_thread")]
async fn r81_an_electronic_pass_goes_to_the_feed_with_its_recipient_and_its_code() {
    let target = Target::new(|_, _| (200, String::new())).await;
    let mut mail = webhook("mail", &target);
    mail["types"] = json!(["pass_issued"]);
    let (stack, folder) = feeding(json!([mail])).await;
    let issue = json!({ "recipient": CANARY, "channel": "email" });
    let path = "/v1/pass-plans/gift-20/passes";
    let issued = stack.client.post(path, &key(), &issue).await.unwrap();
    assert_eq!(issued.status, 201, "{issued:?}");
    // Nobody said whom this one is for; and what happens to a pass later is no issue.
    let id = participant(&stack).await;
    credit(&stack, &id, 1).await;
    idle(&stack).await;
    let taken = target.taken();
    assert_eq!(taken.len(), 1, "{taken:?}");
    let pass = &taken[0]["pass"];
    assert_eq!((&pass["recipient"], &pass["channel"]), (&json!(CANARY), &json!("email")));
    assert_eq!((&pass["code"], &pass["pass_id"]), (&issued.body["code"], &issued.body["pass_id"]));
    let body = json!({ "code": pass["code"], "participant_id": id });
    let redeemed = stack.client.post("/v1/pass-redemptions", &key(), &body).await.unwrap();
    assert_eq!(redeemed.status, 201, "{redeemed:?}");
    idle(&stack).await;
    assert_eq!(target.taken().len(), 1);
    for secret in [CANARY, issued.text("/code")] {
        for place in ["logs", "queues.jsonl"] {
            assert!(!has(&folder.join(place), secret), "{place}");
        }
    }
    drop(stack);
    std::fs::remove_dir_all(folder).unwrap();
}

/// As Dataverse would: what does not keep to OData's rules is refused.
fn dataverse(number: usize, got: &Got) -> (u16, String) {
    if got.path == "/tenant/token" {
        let form = String::from_utf8_lossy(&got.body).into_owned();
        let fine = got.headers["content-type"] == "application/x-www-form-urlencoded"
            && form.contains("grant_type=client_credentials")
            && form.contains("client_id=app")
            && form.contains("%2F.default");
        let token = format!("token-{number}");
        let body = json!({ "access_token": token, "expires_in": 3600, "token_type": "Bearer" });
        return (if fine { 200 } else { 400 }, body.to_string());
    }
    let text = String::from_utf8_lossy(&got.body).into_owned();
    let header = |name: &str| got.headers.get(name).map(String::as_str).unwrap_or_default();
    let boundary = header("content-type").strip_prefix("multipart/mixed; boundary=");
    let Some(boundary) = boundary else { return (415, String::new()) };
    // The first token is withdrawn.
    if header("authorization") == "Bearer token-0"
        || !header("authorization").starts_with("Bearer ")
    {
        return (401, String::new());
    }
    let fine = got.path == "/api/data/v9.2/$batch"
        && header("odata-version") == "4.0"
        && header("odata-maxversion") == "4.0"
        && header("accept") == "application/json"
        && text.starts_with(&format!("--{boundary}\r\n"))
        && text.trim_end().ends_with(&format!("--{boundary}--"))
        && !text.contains("If-Match")
        && !text.replace("\r\n", "").contains('\n');
    let parts: Vec<&str> = text.split("Content-Type: application/http\r\n").skip(1).collect();
    let is_upsert = |part: &&str| {
        let (head, rest) = part.split_once("\r\n\r\n").unwrap_or_default();
        let (line, rest) = rest.split_once("\r\n").unwrap_or_default();
        let (headers, body) = rest.split_once("\r\n\r\n").unwrap_or_default();
        let body = body.split("\r\n--").next().unwrap_or_default();
        head.contains("Content-Transfer-Encoding: binary")
            && head.contains("Content-ID: ")
            && line.starts_with("PATCH http")
            && line.contains("(accrue_key='")
            && line.ends_with("') HTTP/1.1")
            && headers.starts_with("Content-Type: application/json")
            && serde_json::from_str::<Value>(body).is_ok_and(|body| body.is_object())
    };
    if !fine || parts.is_empty() || !parts.iter().all(is_upsert) {
        return (400, String::new());
    }
    let part = "--answer\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 204 No Content\r\n\
                OData-Version: 4.0\r\n\r\n\r\n";
    (200, part.repeat(parts.len()))
}

#[tokio::test(flavor = "multi_thread")]
async fn r96_dataverse_gets_batches_of_upserts_with_a_token_of_its_issuer() {
    let target = Target::new(dataverse).await;
    let sales = json!({ "id": "sales", "kind": "dataverse", "url": target.address,
        "secret": "default", "token_url": format!("{}/tenant/token", target.address),
        "client_id": "app" });
    let (stack, folder) = feeding(json!([sales])).await;
    let id = participant(&stack).await;
    for _ in 0..3 {
        assert_eq!(post_event(&stack, &purchase(&id, "11.00")).await.status, 201);
    }
    idle(&stack).await;
    let got = target.got();
    let refused: Vec<(u16, String)> = got
        .iter()
        .filter(|got| got.status == 400)
        .map(|got| (got.status, String::from_utf8_lossy(&got.body).into_owned()))
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    assert!(got.iter().any(|got| got.status == 401), "the first token was not taken");
    let batches = got.iter().filter(|got| got.status == 200 && got.path.ends_with("$batch"));
    let text: String = batches.map(|got| String::from_utf8_lossy(&got.body).into_owned()).collect();
    for row in transactions(&stack, &id).await {
        let key = format!("accrue_movements(accrue_key='{}%3A", row["code"].as_str().unwrap());
        assert!(text.contains(&key), "{key}: {text}");
    }
    let upsert = format!("accrue_participants(accrue_key='{id}')");
    assert!(text.contains(&upsert), "{text}");
    assert!(!has(&folder.join("logs"), "token-"));
    drop(stack);
    std::fs::remove_dir_all(folder).unwrap();
}
