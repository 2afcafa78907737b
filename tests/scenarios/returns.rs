//! Returned goods, as a programme manager knows them: a point for each euro, and what becomes of
//! the points when the goods come back.

use scenarios::client::{Answer, Call, key};
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::calls::{cancel, pending, points, posted, read, run, spend, spend_of};
use crate::desk::{
    available, credit, own_stack, participant, post_event, purchase, sample, transactions,
};

/// A stack whose programme awards a point for each euro; what an award spent becomes is chosen.
pub async fn shop() -> Stack {
    let stack = own_stack().await;
    put_programme(&stack, "carry", json!("never")).await;
    stack
}

pub async fn put_programme(stack: &Stack, debt_policy: &str, expires: Value) {
    let mut programme = sample("transit/programme.json");
    programme["definition"]["debt_policy"] = json!(debt_policy);
    programme["offers"] = json!([{
        "id": "a-point-a-euro", "class": "increase_revenue_transaction",
        "method": "batch_and_interactive", "award": { "balance": "points", "percentage": "100" },
        "limit": "multiple", "on_top": true, "expires": expires,
    }]);
    let put = stack.client.put("/v1/programme", &programme).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    // Programmes are cached for two seconds of the stack's time.
    stack.advance("PT10S").await.unwrap();
}

/// Three shirts at 20.00 and a coat at 40.00.
pub fn basket(participant: &str) -> Value {
    let mut basket = purchase(participant, "0");
    basket["lines"] =
        json!([{ "product": "shirt", "quantity": 3, "net": "20.00" }, { "net": "40.00" }]);
    basket
}

/// So many shirts.
pub fn shirts(quantity: u32) -> Value {
    json!([{ "index": 0, "quantity": quantity }])
}

pub async fn give_back(stack: &Stack, event: &str, key: &str, lines: &Value) -> Answer {
    let path = format!("/v1/events/{event}/cancel");
    stack.client.post(&path, key, &json!({ "lines": lines })).await.unwrap()
}

async fn credit_note(stack: &Stack, note: &Value) -> Answer {
    let path = "/v1/credit-notes";
    let call = Call { method: "POST", path, key: None, body: Some(note) };
    stack.client.send(&call).await.unwrap()
}

pub fn told(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.text("/code"))
}

#[tokio::test(flavor = "multi_thread")]
async fn r56_r73_goods_come_back_after_the_purchase_was_awarded() {
    let stack = shop().await;
    let id = participant(&stack).await;
    let event = posted(&stack, &basket(&id)).await;
    assert_eq!(available(&stack, &id, "points").await, "100");

    let first = key();
    let back = give_back(&stack, &event, &first, &shirts(1)).await;
    assert_eq!((back.status, back.text("/event/state")), (200, "posted"), "{back:?}");
    assert_eq!(available(&stack, &id, "points").await, "80");
    let totals = json!({
        "net": "100.00", "vat": "0.00", "purchased": "100.00", "returned": "20.00",
        "awarded": [{ "balance": "points", "amount": "80" }], "spent": [],
    });
    let seen = read(&stack, &format!("/v1/events/{event}")).await;
    assert_eq!(
        (&seen["event"]["totals"], &seen["event"]["lines"][0]["returned"]),
        (&totals, &json!(1))
    );
    assert_eq!(
        (&seen["awards"][0]["amount"], &seen["awards"][0]["returned"]),
        (&json!("100"), &json!("20"))
    );
    assert_eq!(seen["event"]["returns"][0]["transaction"], back.body["transaction"]);

    // The lost reply: one key, one answer. Another key is another return.
    let again = give_back(&stack, &event, &first, &shirts(1)).await;
    assert_eq!(
        (&again.body["repeated"], again.text("/transaction")),
        (&json!(true), back.text("/transaction"))
    );
    let other = give_back(&stack, &event, &first, &shirts(2)).await;
    assert_eq!(told(&other), (422, "idempotency_key_reused"));
    let coat = json!([{ "index": 1, "quantity": 1 }]);
    assert_eq!(give_back(&stack, &event, &key(), &coat).await.status, 200);
    assert_eq!(available(&stack, &id, "points").await, "40");
    let too_many = key();
    for _ in 0..2 {
        let refused = give_back(&stack, &event, &too_many, &shirts(3)).await;
        assert_eq!(told(&refused), (409, "returned_already"));
    }
    let rows = transactions(&stack, &id).await;
    assert_eq!(
        (rows[0]["kind"].as_str(), rows[0]["amount"].as_str()),
        (Some("reverse"), Some("-40"))
    );
    assert_eq!(rows[0]["cause"], format!("return:{event}"));

    // All of the rest: what is left is taken back, and that is the end of it.
    let rest = cancel(&stack, &event, &key()).await;
    assert_eq!((rest.status, rest.text("/event/state")), (200, "cancelled"), "{rest:?}");
    assert_eq!(available(&stack, &id, "points").await, "0");
    assert_eq!(told(&cancel(&stack, &event, &key()).await), (409, "already_cancelled"));
    let wrong = json!([{ "index": 2, "quantity": 1 }, { "index": 1, "quantity": 2 }]);
    let wrong = give_back(&stack, &event, &key(), &wrong).await;
    assert_eq!((wrong.status, wrong.body["violations"].as_array().unwrap().len()), (422, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn r56_r73_goods_come_back_before_the_purchase_was_awarded() {
    let stack = shop().await;
    let id = participant(&stack).await;
    let part = post_event(&stack, &pending(basket(&id))).await.text("/event/id").to_owned();
    let all = post_event(&stack, &pending(basket(&id))).await.text("/event/id").to_owned();
    let waits = give_back(&stack, &part, &key(), &shirts(2)).await;
    assert_eq!((waits.status, waits.text("/event/status")), (200, "pending"), "{waits:?}");
    let every = json!([{ "index": 0, "quantity": 3 }, { "index": 1, "quantity": 1 }]);
    let gone = give_back(&stack, &all, &key(), &every).await;
    assert_eq!((gone.status, gone.text("/event/state")), (200, "cancelled"), "{gone:?}");
    assert_eq!(run(&stack).await["events"], 1);
    assert_eq!(available(&stack, &id, "points").await, "60", "what was kept, and no more");
    assert_eq!(cancel(&stack, &part, &key()).await.status, 200);
    assert_eq!(available(&stack, &id, "points").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn r73_goods_that_were_paid_with_points_come_back() {
    let stack = shop().await;
    let id = participant(&stack).await;
    credit(&stack, &id, 10).await;
    let mut cups = purchase(&id, "0");
    cups["lines"] = json!([{ "quantity": 4, "net": "0.50" }]);
    let event = posted(&stack, &cups).await;
    let mut body = spend_of(&id, 150, Some("checkout"));
    body["purchase_event_id"] = json!(event);
    let paid = spend(&stack, &key(), &body).await;
    assert_eq!((paid.status, paid.text("/remainder")), (201, "0.00"), "{paid:?}");
    let before = points(&json!(available(&stack, &id, "points").await));
    give_back(&stack, &event, &key(), &json!([{ "index": 0, "quantity": 2 }])).await;
    let seen = read(&stack, &format!("/v1/events/{event}")).await;
    // Half of the cups, half of the points: 75 of 150, less the one of two that was awarded.
    assert_eq!(seen["event"]["totals"]["spent"][0]["amount"], "75", "{seen}");
    assert_eq!(seen["spends"][0]["returned"], "75");
    assert_eq!(points(&json!(available(&stack, &id, "points").await)), before + 75 - 1);
    // The spend alone: what is left of it comes back.
    assert_eq!(cancel(&stack, paid.text("/transaction"), &key()).await.status, 200);
    assert_eq!(points(&json!(available(&stack, &id, "points").await)), before + 150 - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn r14_a_credit_note_returns_an_invoice_in_part_and_whole() {
    let stack = shop().await;
    let id = participant(&stack).await;
    let mut invoice = basket(&id);
    invoice["external_system"] = json!("erp");
    posted(&stack, &invoice).await;
    let number = format!("CN-{}", key());
    let note = |number: &str, lines: Value| {
        json!({
            "external_system": "erp", "external_reference": number, "lines": lines,
            "invoice_reference": invoice["external_reference"], "reason": "damaged",
        })
    };
    let part = note(&number, shirts(2));
    let first = credit_note(&stack, &part).await;
    assert_eq!(
        (first.status, available(&stack, &id, "points").await.as_str()),
        (200, "60"),
        "{first:?}"
    );
    assert_eq!(first.text("/event/returns/0/reason"), "damaged");
    let again = credit_note(&stack, &part).await;
    assert_eq!(
        (again.text("/transaction"), &again.body["repeated"]),
        (first.text("/transaction"), &json!(true))
    );
    let other = credit_note(&stack, &note(&number, shirts(1))).await;
    assert_eq!(told(&other), (422, "idempotency_key_reused"));
    let too_many = credit_note(&stack, &note("CN-2", shirts(2))).await;
    assert_eq!(told(&too_many), (409, "returned_already"));
    let mut unknown = note("CN-3", Value::Null);
    unknown["invoice_reference"] = json!("no such invoice");
    assert_eq!(told(&credit_note(&stack, &unknown).await), (404, "event_not_found"));
    let caller = stack.caller(&["events.write"], &json!({ "merchant": "rail" })).await.unwrap();
    let path = "/v1/credit-notes";
    let body = note("CN-4", Value::Null);
    let call = Call { method: "POST", path, key: None, body: Some(&body) };
    assert_eq!(told(&caller.send(&call).await.unwrap()), (403, "unit_not_allowed"));
    let whole = credit_note(&stack, &body).await;
    assert_eq!((whole.status, whole.text("/event/state")), (200, "cancelled"), "{whole:?}");
    assert_eq!(available(&stack, &id, "points").await, "0");
    assert_eq!(
        told(&credit_note(&stack, &note("CN-5", Value::Null)).await),
        (409, "already_cancelled")
    );
}
