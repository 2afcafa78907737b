//! Participants who are found by their card, their address or their id elsewhere.

use scenarios::client::{Answer, key};
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::calls::{bulk, read, run, spend};
use crate::desk::{available, participant, post_event, purchase, shared_stack};
use crate::places::items;
use crate::returns::told;

async fn update(stack: &Stack, who: &str, body: &Value) -> Answer {
    stack.client.put(&format!("/v1/participants/{who}"), body).await.unwrap()
}

/// An alias that nobody else has.
fn card() -> Value {
    let number: String = key().chars().filter(char::is_ascii_hexdigit).collect();
    json!({ "kind": "card", "value": &number[..30] })
}

async fn has(stack: &Stack, who: &str, alias: &Value) {
    let answer = update(stack, who, &json!({ "aliases": [alias] })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn lacks(stack: &Stack, who: &str, alias: &Value) {
    let answer = update(stack, who, &json!({ "remove_aliases": [alias] })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn look_up(stack: &Stack, alias: &Value) -> Answer {
    let body = json!({ "alias": alias });
    stack.client.post("/v1/participant-lookups", &key(), &body).await.unwrap()
}

/// The same with an alias in the place of the id.
fn by(alias: &Value, mut body: Value) -> Value {
    body.as_object_mut().unwrap().remove("participant_id");
    body["alias"] = alias.clone();
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn r91_an_alias_is_one_participants_until_it_is_removed() {
    let stack = shared_stack().await;
    let (one, other) = (participant(&stack).await, participant(&stack).await);
    let alias = card();
    assert_eq!(told(&look_up(&stack, &alias).await), (404, "participant_not_found"));
    has(&stack, &one, &alias).await;
    let mut shouted = alias.clone();
    shouted["value"] = json!(alias["value"].as_str().unwrap().to_uppercase().replace('A', "A -"));
    assert_eq!(look_up(&stack, &shouted).await.text("/participant_id"), one);
    let both = json!({ "profile": { "first_name": "Bea" }, "aliases": [alias] });
    let taken = update(&stack, &other, &both).await;
    assert_eq!(told(&taken), (409, "alias_taken"));
    let known = read(&stack, &format!("/v1/participants/{other}")).await;
    assert_eq!(known["profile"]["first_name"], "Test", "what is refused changes nothing");
    let new = format!("p-{}", key());
    assert_eq!(told(&update(&stack, &new, &both).await), (409, "alias_taken"));
    let nobody = stack.client.get(&format!("/v1/participants/{new}")).await.unwrap();
    assert_eq!(nobody.status, 404, "and registers nobody");
    let known = read(&stack, &format!("/v1/participants/{one}")).await;
    assert_eq!(known["aliases"], json!({ "card": 1 }), "what it is, nobody is told");
    lacks(&stack, &one, &alias).await;
    assert_eq!(look_up(&stack, &alias).await.status, 404);
    has(&stack, &other, &alias).await;
    assert_eq!(look_up(&stack, &alias).await.text("/participant_id"), other);
    let many: Vec<Value> = (0..20).map(|_| card()).collect();
    let full = update(&stack, &other, &json!({ "aliases": many })).await;
    assert_eq!(told(&full), (409, "too_many_aliases"));
}

#[tokio::test(flavor = "multi_thread")]
async fn r91_events_spends_and_holds_come_with_an_alias_and_leave_it_nowhere() {
    let stack = shared_stack().await;
    let who = participant(&stack).await;
    let alias = card();
    has(&stack, &who, &alias).await;
    let bought = by(&alias, purchase(&who, "60.00"));
    let preview = stack.client.post("/v1/events/preview", &key(), &bought).await.unwrap();
    assert_eq!(preview.status, 200, "{preview:?}");
    let posted = post_event(&stack, &bought).await;
    assert_eq!(posted.status, 201, "{posted:?}");
    assert_eq!(posted.text("/event/participant_id"), who);
    let path = format!("/v1/events/{}", posted.text("/event/id").replace(':', "%3A"));
    assert_eq!(read(&stack, &path).await["event"]["participant_id"], who.as_str());
    let mut later = by(&alias, purchase(&who, "10.00"));
    later["process_immediately"] = json!(true);
    let outcomes = bulk(&stack, &[later, by(&card(), purchase(&who, "1.00"))]).await;
    assert_eq!(outcomes[0]["status"], 202, "{outcomes:?}");
    assert_eq!(outcomes[1]["problem"]["code"], "participant_not_found");
    assert_eq!(stack.idle().await.unwrap().status, 200);
    let mut invoice = by(&alias, purchase(&who, "5.00"));
    let fields = invoice.as_object_mut().unwrap();
    for field in ["type", "process_immediately"] {
        fields.remove(field);
    }
    invoice["invoice_type"] = json!("ticket");
    let invoiced = stack.client.post("/v1/invoices", &key(), &invoice).await.unwrap();
    assert_eq!(invoiced.status, 201, "{invoiced:?}");
    let asked = json!({ "alias": alias, "amount": "3" });
    let spent = spend(&stack, &key(), &asked).await;
    assert_eq!((spent.status, spent.text("/spent")), (201, "3"), "{spent:?}");
    let held = stack.client.post("/v1/holds", &key(), &asked).await.unwrap();
    assert_eq!(held.status, 201, "{held:?}");
    let mut event = asked.clone();
    event["type"] = json!("spend_request");
    event["external_system"] = json!("till");
    event["external_reference"] = json!(key());
    assert_eq!(post_event(&stack, &event).await.status, 201);

    let mut both = purchase(&who, "1.00");
    both["alias"] = alias.clone();
    let refused = post_event(&stack, &both).await;
    let pointers = (refused.text("/violations/0/pointer"), refused.text("/violations/0/code"));
    assert_eq!((refused.status, pointers), (422, ("/alias", "exclusive")));
    let unknown = post_event(&stack, &by(&card(), purchase(&who, "1.00"))).await;
    assert_eq!(told(&unknown), (404, "participant_not_found"));
    let value = alias["value"].as_str().unwrap();
    for item in items(&stack).await {
        let stands = |bytes: &Vec<u8>| crate::places::holds(bytes, &[value.to_owned()]);
        assert!(!item.bytes.iter().any(stands), "{}", item.partition);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r91_a_repeat_is_answered_as_it_was_though_the_alias_moved() {
    let stack = shared_stack().await;
    let (one, other) = (participant(&stack).await, participant(&stack).await);
    let alias = card();
    has(&stack, &one, &alias).await;
    let bought = by(&alias, purchase(&one, "60.00"));
    assert_eq!(post_event(&stack, &bought).await.status, 201);
    let (asked, spend_key) = (json!({ "alias": alias, "amount": "3" }), key());
    let spent = spend(&stack, &spend_key, &asked).await;
    assert_eq!(spent.status, 201, "{spent:?}");
    let too_much = json!({ "alias": alias, "amount": "499", "classification": "counter" });
    let refused_key = format!("no time {}", key());
    assert_eq!(told(&spend(&stack, &refused_key, &too_much).await), (409, "not_covered"));
    lacks(&stack, &one, &alias).await;
    for moved in [false, true] {
        if moved {
            has(&stack, &other, &alias).await;
        }
        let again = post_event(&stack, &bought).await;
        assert_eq!((again.status, &again.body["repeated"]), (201, &json!(true)), "{again:?}");
        assert_eq!(again.text("/event/participant_id"), one);
        let again = spend(&stack, &spend_key, &asked).await;
        assert_eq!(again.text("/transaction"), spent.text("/transaction"));
        assert_eq!(told(&spend(&stack, &refused_key, &too_much).await), (409, "not_covered"));
    }
    let mut changed = bought.clone();
    changed["lines"][0]["net"] = json!("61.00");
    assert_eq!(post_event(&stack, &changed).await.text("/code"), "idempotency_key_reused");
    assert_eq!(available(&stack, &other, "points").await, "0");
    let mut fresh = bought.clone();
    fresh["external_reference"] = json!(key());
    assert_eq!(post_event(&stack, &fresh).await.text("/event/participant_id"), other);
    run(&stack).await;
}
