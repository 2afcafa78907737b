//! Duplicates, as the service desk merges them, and gift cards that find their owner's account.

use scenarios::client::{Answer, Call, key};
use serde_json::{Value, json};

use crate::calls::{pending, run, ticket};
use crate::desk::{available, own_stack, participant, post_event};
use crate::tale::Tale;

fn told(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.text("/code"))
}

impl Tale {
    async fn merges(&self, into: &str, duplicate: &str, under: &str) -> Answer {
        let path = format!("/v1/participants/{into}/merges");
        let body = json!({ "duplicate": duplicate, "reason": "registered twice" });
        self.stack.client.post(&path, under, &body).await.unwrap()
    }

    async fn gives(&self, who: &str, amount: &str, expires: Option<&str>) {
        let path = format!("/v1/participants/{who}/adjustments");
        let body = json!({ "balance": "eur", "amount": amount, "reason": "moved here",
                           "expires": expires });
        let answer = self.stack.client.post(&path, &key(), &body).await.unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    async fn lots(&self, who: &str) -> Value {
        let path = format!("/v1/participants/{who}/wallet");
        self.stack.client.get(&path).await.unwrap().body["lots"].clone()
    }
}

/// the balance moves with its days, once; the old name begins nothing any more, and what comes
/// back under it later is moved by the next merge.
#[tokio::test(flavor = "multi_thread")]
async fn r77_the_desk_merges_a_duplicate_and_its_balance_moves_once() {
    let tale = Tale::of("passes").await;
    for who in ["clara", "klara"] {
        tale.joins(who).await;
    }
    tale.gives("klara", "12.00", Some("2099-12-31")).await;
    tale.gives("klara", "3.00", None).await;
    tale.gives("clara", "1.00", None).await;
    let spent = json!({ "participant_id": "klara", "amount": "2.00" });
    let spent = tale.stack.client.post("/v1/spend-requests", &key(), &spent).await.unwrap();
    assert_eq!(spent.status, 201, "{spent:?}");

    let under = key();
    let merged = tale.merges("clara", "klara", &under).await;
    assert_eq!((merged.status, merged.text("/participant_id")), (201, "clara"), "{merged:?}");
    assert_eq!(merged.text("/balances/0/available"), "14.00");
    let again = tale.merges("clara", "klara", &under).await;
    assert_eq!((again.status, &again.body["repeated"]), (201, &json!(true)), "{again:?}");
    assert_eq!(again.text("/transaction"), merged.text("/transaction"));
    let lots = tale.lots("clara").await;
    let lot = |at: usize| (lots[at]["available"].clone(), lots[at]["expires_at"].clone());
    assert_eq!(lot(0), (json!("10.00"), json!("2100-01-01T00:00:00+01:00")), "{lots}");
    assert_eq!(lot(1), (json!("4.00"), Value::Null), "{lots}");
    assert_eq!(tale.lots("klara").await, json!([]));

    let late = json!({ "participant_id": "klara", "amount": "1.00" });
    let late = tale.stack.client.post("/v1/spend-requests", &key(), &late).await.unwrap();
    assert_eq!(told(&late), (409, "participant_merged"));
    let path = format!("/v1/events/{}/cancel", spent.text("/transaction"));
    let back = tale.stack.client.post(&path, &key(), &json!({})).await.unwrap();
    assert_eq!(back.status, 200, "{back:?}");
    assert_eq!(tale.has("klara", "eur").await, "2.00", "what was spent before came back here");
    assert_eq!(tale.merges("clara", "klara", &key()).await.status, 201);
    assert_eq!(tale.has("clara", "eur").await, "16.00");
    assert_eq!(tale.has("klara", "eur").await, "0.00");

    let rows = tale.stack.client.get("/v1/participants/clara/transactions").await.unwrap();
    let row = &rows.body["transactions"][1];
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    assert_eq!((text("kind"), text("amount")), ("merge", "13.00"), "{rows:?}");
    assert_eq!(text("cause"), format!("merge:{}", merged.text("/transaction")));
}

/// what makes no sense is refused and changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn r77_nobody_is_merged_into_themselves_into_nobody_or_into_a_duplicate() {
    let tale = Tale::of("passes").await;
    for who in ["clara", "klara", "carla"] {
        tale.joins(who).await;
        tale.gives(who, "5.00", None).await;
    }
    assert_eq!(told(&tale.merges("clara", "clara", &key()).await), (422, "invalid"));
    for (into, duplicate) in [("nobody", "klara"), ("clara", "nobody")] {
        let answer = tale.merges(into, duplicate, &key()).await;
        assert_eq!(told(&answer), (404, "participant_not_found"));
    }
    let under = key();
    assert_eq!(tale.merges("clara", "klara", &under).await.status, 201);
    let other = tale.merges("carla", "klara", &under).await;
    assert_eq!(told(&other), (422, "idempotency_key_reused"));
    assert_eq!(told(&tale.merges("klara", "carla", &key()).await), (409, "participant_merged"));
    assert_eq!(tale.has("carla", "eur").await, "5.00");
    let reader = tale.stack.caller(&["participants.read"], &json!({})).await.unwrap();
    let path = "/v1/participants/clara/merges";
    let answer = reader.post(path, &key(), &json!({ "duplicate": "carla" })).await.unwrap();
    assert_eq!(answer.status, 403);
}

/// aliases and what is known of the duplicate come along; who is erased afterwards
/// is erased under both names.
#[tokio::test(flavor = "multi_thread")]
async fn r77_r92_aliases_and_profile_come_along_and_an_erasure_covers_both_names() {
    let tale = Tale::of("passes").await;
    let client = &tale.stack.client;
    tale.joins("clara").await;
    let card = json!({ "kind": "card", "value": "4711 0815 4711" });
    let known = json!({ "profile": { "first_name": "Klara-Canary", "email": "canary@example.org" },
        "aliases": [card],
        "consents": [{ "channel": "email", "granted": false, "at": "2026-11-01T00:00:00Z" }] });
    assert_eq!(client.put("/v1/participants/klara", &known).await.unwrap().status, 201);
    let own = json!({ "profile": { "first_name": "Clara" } });
    assert_eq!(client.put("/v1/participants/clara", &own).await.unwrap().status, 200);
    assert_eq!(tale.merges("clara", "klara", &key()).await.status, 201);

    let clara = client.get("/v1/participants/clara").await.unwrap();
    assert_eq!(clara.text("/profile/first_name"), "Clara", "what is known stays: {clara:?}");
    assert_eq!(clara.text("/profile/email"), "canary@example.org", "what is not comes along");
    assert_eq!(clara.body["consents"][0]["granted"], json!(false), "{clara:?}");
    let klara = client.get("/v1/participants/klara").await.unwrap();
    assert!(!klara.body.to_string().contains("anary"), "nothing is left: {klara:?}");
    let lookup = json!({ "alias": card });
    let found = client.post("/v1/participant-lookups", &key(), &lookup).await.unwrap();
    assert_eq!(found.text("/participant_id"), "clara", "{found:?}");
    let late = client.put("/v1/participants/klara", &known).await.unwrap();
    assert_eq!(told(&late), (409, "participant_merged"));

    // The platform knows klara still: her unsubscribe is clara's.
    let opt_in = json!({ "channel": "email", "granted": true, "at": "2026-11-02T00:00:00Z" });
    let opt_in = json!({ "consents": [opt_in] });
    assert_eq!(client.put("/v1/participants/clara", &opt_in).await.unwrap().status, 200);
    let row = json!({ "participant_id": "klara", "channel": "email",
        "reason": "unsubscribe", "at": "2026-11-03T00:00:00Z" });
    let rows = json!({ "suppressions": [row] });
    let heard = client.post("/v1/suppressions", &key(), &rows).await.unwrap();
    assert_eq!(heard.text("/outcomes/0/problem/code"), "", "{heard:?}");
    let clara = client.get("/v1/participants/clara").await.unwrap();
    assert_eq!(clara.body["consents"][0]["granted"], json!(false), "{clara:?}");
    // Erased is who stays.
    let other = Call { method: "DELETE", path: "/v1/participants/klara", key: None, body: None };
    assert_eq!(told(&client.send(&other).await.unwrap()), (409, "participant_merged"));
    let erase = Call { method: "DELETE", path: "/v1/participants/clara", key: None, body: None };
    assert_eq!(client.send(&erase).await.unwrap().status, 202);
    tale.stack.idle().await.unwrap();
    let gone = client.post("/v1/participant-lookups", &key(), &lookup).await.unwrap();
    assert_eq!(told(&gone), (404, "participant_not_found"));
    for who in ["clara", "klara"] {
        let path = format!("/v1/participants/{who}");
        assert_eq!(told(&client.put(&path, &own).await.unwrap()), (409, "participant_erased"));
    }
    assert_eq!(told(&tale.merges("clara", "klara", &key()).await), (409, "participant_erased"));
}

/// what a duplicate bought before, and a run judges after, is awarded once, and the next merge
/// moves it.
#[tokio::test(flavor = "multi_thread")]
async fn r77_events_of_a_duplicate_that_wait_for_a_run_are_awarded_and_moved() {
    let stack = own_stack().await;
    let (into, duplicate) = (participant(&stack).await, participant(&stack).await);
    let waiting = post_event(&stack, &pending(ticket(&duplicate, "30.00"))).await;
    assert_eq!(waiting.status, 202, "{waiting:?}");
    let path = format!("/v1/participants/{into}/merges");
    let body = json!({ "duplicate": duplicate, "reason": "registered twice" });
    assert_eq!(stack.client.post(&path, &key(), &body).await.unwrap().status, 201);
    run(&stack).await;
    let awarded = available(&stack, &duplicate, "points").await;
    assert_eq!((awarded.as_str(), available(&stack, &into, "points").await.as_str()), ("153", "0"));
    assert_eq!(run(&stack).await["awarded"], 0, "judged once");
    assert_eq!(stack.client.post(&path, &key(), &body).await.unwrap().status, 201);
    assert_eq!(available(&stack, &into, "points").await, awarded);
    assert_eq!(available(&stack, &duplicate, "points").await, "0");
}
