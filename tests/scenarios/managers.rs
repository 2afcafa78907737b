//! What programme managers and merchants may and may not do.

use scenarios::client::{Call, key};
use serde_json::{Value, json};

use crate::calls::{cancel, posted, spend, spend_of};
use crate::desk::{available, credit, participant, purchase, sample, shared_stack};

#[tokio::test(flavor = "multi_thread")]
async fn r61_the_decimals_of_a_balance_never_change() {
    let stack = shared_stack().await;
    let before = stack.client.get("/v1/programme").await.unwrap().body;
    let mut finer = sample("transit/programme.json");
    finer["balances"][0]["decimals"] = json!(2);
    let answer = stack.client.put("/v1/programme", &finer).await.unwrap();
    let places = answer.body.pointer("/violations/0/pointer").and_then(Value::as_str);
    assert_eq!((answer.status, places), (422, Some("/balances/0/decimals")), "{answer:?}");
    assert_eq!(stack.client.get("/v1/programme").await.unwrap().body, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_cancels_what_was_performed_at_its_own_units() {
    let stack = shared_stack().await;
    let who = participant(&stack).await;
    credit(&stack, &who, 1).await;
    let at_kiosk = posted(&stack, &purchase(&who, "5.00")).await.replace(':', "%3A");
    let spent = spend(&stack, &key(), &spend_of(&who, 5, None)).await;
    let before = available(&stack, &who, "points").await;
    let cancel_as = async |merchant: &str, what: &str| {
        let claims = json!({ "merchant": merchant });
        let caller = stack.caller(&["events.write"], &claims).await.unwrap();
        let path = format!("/v1/events/{what}/cancel");
        caller.post(&path, &key(), &json!({})).await.unwrap()
    };
    for (merchant, what) in [("rail", at_kiosk.as_str()), ("kiosks", spent.text("/transaction"))] {
        let answer = cancel_as(merchant, what).await;
        assert_eq!((answer.status, answer.text("/code")), (403, "unit_not_allowed"), "{what}");
    }
    assert_eq!(available(&stack, &who, "points").await, before);
    assert_eq!(cancel_as("kiosks", &at_kiosk).await.status, 200);
    assert_eq!(cancel(&stack, spent.text("/transaction"), &key()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn r15_a_thousand_bad_rows_are_told_within_what_an_answer_may_hold() {
    let stack = shared_stack().await;
    let row: Value = (0..100).map(|field| (format!("unknown_{field}"), json!(1))).collect();
    let body = json!({ "events": vec![row; 500] });
    let call = Call { method: "POST", path: "/v1/events/bulk", key: None, body: Some(&body) };
    let answer = stack.client.send(&call).await.unwrap();
    let outcomes = answer.body["outcomes"].as_array().unwrap();
    assert_eq!((answer.status, outcomes.len()), (202, 500));
    assert!(outcomes.iter().all(|row| row["status"] == 422));
    assert!(answer.body.to_string().len() < 3_000_000);
}
