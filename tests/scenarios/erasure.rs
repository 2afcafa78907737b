//! Whoever asks for it is erased, and is told before what is held of them.

use scenarios::client::{Answer, Call, key};
use scenarios::stack::{Stack, signal};
use serde_json::{Value, json};

use crate::calls::{pending, read, run, spend, spend_of};
use crate::desk::{available, built, own_stack, participant, post_event, purchase, sample};
use crate::places::{files, items, messages};
use crate::returns::told;
use crate::tale::Tale;

const CANARY: &str = "canaryh2kw9mt6qv";

async fn erase(stack: &Stack, who: &str) -> Answer {
    let path = format!("/v1/participants/{who}");
    let call = Call { method: "DELETE", path: &path, key: None, body: None };
    stack.client.send(&call).await.unwrap()
}

/// Asks until it is done.
async fn erased(stack: &Stack, who: &str) {
    for _ in 0..20 {
        let answer = erase(stack, who).await;
        if answer.status == 200 {
            assert_eq!(answer.text("/status"), "completed");
            return;
        }
        assert!(matches!(answer.status, 202 | 502), "{answer:?}");
        assert_eq!(stack.idle().await.unwrap().status, 200);
    }
    panic!("it does not come to an end");
}

/// Somebody of whom much is known.
async fn somebody(stack: &Stack) -> String {
    let who = format!("p-{}", key());
    let body = json!({
        "profile": {
            "first_name": CANARY, "last_name": CANARY, "email": format!("{CANARY}@example.org"),
            "area": CANARY, "tags": [CANARY], "flags": { CANARY: true }, "birthday": "1990-06-10",
        },
        "consents": [{ "channel": "email", "granted": true, "at": "2026-01-01T10:00:00Z",
                       "source": CANARY, "process": CANARY }],
        "aliases": [
            { "kind": "external_id", "value": format!("{CANARY}/{who}") },
            { "kind": "email", "value": format!("{CANARY}.{who}@example.org") },
        ],
    });
    let put = stack.client.put(&format!("/v1/participants/{who}"), &body).await.unwrap();
    assert_eq!(put.status, 201, "{put:?}");
    who
}

fn social(who: &str) -> Value {
    json!({
        "type": "social_media", "participant_id": who, "network": "net", "profile": CANARY,
        "action": "follow", "performed_on": scenarios::client::now(),
        "external_system": "test", "external_reference": key(),
    })
}

fn web(who: &str) -> Value {
    let mut event = social(who);
    let fields = event.as_object_mut().unwrap();
    for field in ["network", "profile", "action"] {
        fields.remove(field);
    }
    event["type"] = json!("web");
    event["url"] = json!(format!("https://example.org/{CANARY}?of={CANARY}"));
    event
}

fn paid(who: &str) -> Value {
    let mut event = purchase(who, "60.00");
    event["payment_medium"] = json!({ "identifier": CANARY });
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn r92_after_an_erasure_a_canary_is_in_no_item_message_log_or_file() {
    built().await;
    let folder = std::env::temp_dir().join(format!("accrue-erasure-{}", key()));
    let stack = Stack::start_with(&["--data", folder.to_str().unwrap()]).await.unwrap();
    let mut programme = sample("transit/programme.json");
    programme["definition"]["payment_medium"]["keep"] = Value::Null;
    let put = stack.client.put("/v1/programme", &programme).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    let who = somebody(&stack).await;
    let repeat = paid(&who);
    for event in [repeat.clone(), social(&who), web(&who), pending(paid(&who))] {
        let answer = post_event(&stack, &event).await;
        assert!(answer.status < 300, "{event}: {answer:?}");
    }
    let mut by_alias = paid(&who);
    by_alias.as_object_mut().unwrap().remove("participant_id");
    by_alias["alias"] = json!({ "kind": "external_id", "value": format!("{CANARY}/{who}") });
    assert_eq!(post_event(&stack, &by_alias).await.status, 201);
    let issue = json!({ "recipient": CANARY });
    let path = "/v1/pass-plans/gift-20/passes";
    let pass = stack.client.post(path, &key(), &issue).await.unwrap();
    let body = json!({ "code": pass.text("/code"), "participant_id": who });
    let redeemed = stack.client.post("/v1/pass-redemptions", &key(), &body).await.unwrap();
    assert_eq!(redeemed.status, 201, "{redeemed:?}");
    run(&stack).await;
    assert_eq!(post_event(&stack, &social(&who)).await.status, 202);
    let points = available(&stack, &who, "points").await;
    let holders = holders(&stack).await;
    assert!(holders.len() >= 8, "is that how it is looked for? {holders:?}");

    erased(&stack, &who).await;
    assert_eq!(holders_of(&stack, CANARY).await, Vec::<String>::new());
    let after = read(&stack, &format!("/v1/participants/{who}")).await;
    assert_eq!((&after["profile"], &after["aliases"]), (&json!({}), &Value::Null), "{after}");
    assert_eq!(after["consents"][0]["granted"], false, "nobody writes to them any more");
    assert_eq!(available(&stack, &who, "points").await, points, "its sums still hold");
    let again = post_event(&stack, &repeat).await;
    assert_eq!((again.status, &again.body["repeated"]), (201, &json!(true)), "{again:?}");
    let again = post_event(&stack, &by_alias).await;
    assert_eq!((again.status, &again.body["repeated"]), (201, &json!(true)), "{again:?}");
    assert_eq!(told(&post_event(&stack, &social(&who)).await), (409, "participant_erased"));
    let path = format!("/v1/participants/{who}");
    let back = json!({ "profile": { "first_name": CANARY } });
    assert_eq!(told(&stack.client.put(&path, &back).await.unwrap()), (409, "participant_erased"));
    let refused = spend(&stack, &key(), &spend_of(&who, 1, None)).await;
    assert_eq!(told(&refused), (409, "spending_blocked"));
    let release = json!({ "blocked": false, "reason": "no" });
    let released = stack.client.post(&format!("{path}/block-spending"), &key(), &release).await;
    assert_eq!(told(&released.unwrap()), (409, "participant_erased"));
    run(&stack).await;
    let export = json!({ "mode": "full", "force": true });
    let export = stack.client.post("/v1/segments/mail-ready/exports", &key(), &export).await;
    assert_eq!(export.unwrap().status, 202);
    assert_eq!(stack.idle().await.unwrap().status, 200);
    for queue in ["EvaluationQueue", "EvaluationDeadLetters", "ExportDeadLetters"] {
        assert_eq!(messages(&stack, queue).await, Vec::<String>::new(), "{queue}");
    }
    assert_eq!(holders_of(&stack, CANARY).await, Vec::<String>::new());
    stack.stop().await.unwrap();
    // The table's file keeps what was overwritten until its pages are used again.
    let found = files(&folder, &[CANARY.to_owned()]);
    let found: Vec<_> = found.iter().filter(|file| !file.contains("table")).collect();
    assert!(found.is_empty(), "{found:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// a letter's recipient is erased with whoever shopped with its code.
#[tokio::test(flavor = "multi_thread")]
async fn r92_the_recipient_of_a_promotion_is_erased_with_who_used_its_code() {
    let tale = Tale::of("passes").await;
    tale.joins("clara").await;
    let path = "/v1/pass-plans/next-visit/passes";
    let letter = tale.stack.client.post(path, &key(), &json!({ "recipient": CANARY })).await;
    let letter = letter.unwrap();
    assert_eq!((letter.status, holders(&tale.stack).await.len()), (201, 1), "{letter:?}");
    let mut body = tale.body("purchase-sandals").await;
    body["participant_id"] = json!("clara");
    body["pass"] = json!({ "code": letter.text("/code") });
    let bought = tale.post("purchase-sandals", &body).await;
    assert_eq!(bought.body["event"]["pass"]["accepted"], true, "{bought:?}");
    assert_eq!(holders(&tale.stack).await.len(), 1);
    erased(&tale.stack, "clara").await;
    assert_eq!(holders(&tale.stack).await, Vec::<String>::new());
}

async fn holders(stack: &Stack) -> Vec<String> {
    holders_of(stack, CANARY).await
}

/// Partitions of the items that hold a text.
async fn holders_of(stack: &Stack, text: &str) -> Vec<String> {
    let stands = |bytes: &Vec<u8>| crate::places::holds(bytes, &[text.to_owned()]);
    let items = items(stack).await.into_iter().filter(|item| item.bytes.iter().any(stands));
    items.map(|item| item.partition).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn r92_an_erasure_that_is_killed_half_way_comes_to_its_end() {
    let stack = own_stack().await;
    let who = somebody(&stack).await;
    for _ in 0..40 {
        assert_eq!(post_event(&stack, &web(&who)).await.status, 202);
    }
    run(&stack).await;
    for number in 0..6 {
        let client = stack.client.clone();
        let path = format!("/v1/participants/{who}");
        let call = tokio::spawn(async move {
            let call = Call { method: "DELETE", path: &path, key: None, body: None };
            client.send(&call).await
        });
        let function = if number % 2 == 0 { "award-evaluation" } else { "programme" };
        for pid in stack.pids(Some(function)).await.unwrap() {
            // It may have ended by itself.
            let _known = signal("KILL", pid).await;
        }
        call.await.unwrap().unwrap();
    }
    erased(&stack, &who).await;
    assert_eq!(holders_of(&stack, CANARY).await, Vec::<String>::new());
    assert_eq!(told(&erase(&stack, "nobody").await), (404, "participant_not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn r92_a_participant_is_told_everything_that_is_held_and_nobody_else_is() {
    let stack = own_stack().await;
    let who = somebody(&stack).await;
    let mut ids = Vec::new();
    for _ in 0..30 {
        ids.push(post_event(&stack, &paid(&who)).await.text("/event/id").to_owned());
    }
    ids.push(post_event(&stack, &social(&who)).await.text("/event/id").to_owned());
    let issue = json!({ "recipient": CANARY });
    let pass = stack.client.post("/v1/pass-plans/gift-20/passes", &key(), &issue).await.unwrap();
    let body = json!({ "code": pass.text("/code"), "participant_id": who });
    let redeemed = stack.client.post("/v1/pass-redemptions", &key(), &body).await.unwrap();
    assert_eq!(redeemed.status, 201, "{redeemed:?}");
    for number in 0..100 {
        let body = json!({ "balance": "points", "amount": number + 1, "reason": "test" });
        let path = format!("/v1/participants/{who}/adjustments");
        assert_eq!(stack.client.post(&path, &key(), &body).await.unwrap().status, 201);
    }

    let path = format!("/v1/participants/{who}/data");
    let officer = stack.caller(&["participants.data"], &json!({})).await.unwrap();
    let (mut events, mut codes, mut passes) = (Vec::new(), Vec::new(), Vec::new());
    let mut cursor = String::new();
    for _ in 0..20 {
        let page = officer.get(&format!("{path}{cursor}")).await.unwrap();
        assert_eq!(page.status, 200, "{page:?}");
        assert_eq!(page.text("/participant/profile/last_name"), CANARY);
        assert_eq!(page.body["participant"]["aliases"], json!({ "email": 1, "external_id": 1 }));
        assert!(page.body["wallet"]["lots"].is_array());
        let list = |name: &str| page.body[name].as_array().unwrap().clone();
        events.extend(list("events").iter().map(|event| event["id"].as_str().unwrap().to_owned()));
        codes.extend(
            list("transactions").iter().map(|one| one["code"].as_str().unwrap().to_owned()),
        );
        passes.extend(list("passes"));
        match page.body["cursor"].as_str() {
            Some(next) => cursor = format!("?cursor={next}"),
            None => break,
        }
    }
    ids.reverse();
    events.sort();
    ids.sort();
    assert_eq!(events, ids, "each once");
    let all = codes.len();
    codes.dedup();
    assert_eq!((codes.len(), all), (131, 131));
    assert_eq!((passes.len(), &passes[0]["recipient"]), (1, &json!(CANARY)));

    let other = stack.caller(&["participants.read", "participants.write"], &json!({})).await;
    let other = other.unwrap();
    assert_eq!(other.get(&path).await.unwrap().status, 403, "a scope of its own");
    let plain = participant(&stack).await;
    let target = format!("/v1/participants/{plain}");
    let call = Call { method: "DELETE", path: &target, key: None, body: None };
    assert_eq!(other.send(&call).await.unwrap().status, 403, "likewise");
    let nonsense = officer.get(&format!("{path}?cursor=1")).await.unwrap();
    assert_eq!(nonsense.text("/violations/0/pointer"), "/cursor");
}
