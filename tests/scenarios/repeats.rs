//! Repeats after the programme has changed: one reference or key, one answer, though a
//! classification, a balance or a rule that the body names is gone (R-4, R-7, R-22, R-70).

use scenarios::client::{Answer, Call, key};
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::calls::{cancel, read};
use crate::desk::own_stack;

const CARD: &str = "4917610000001234";

/// What every request below was made under.
fn before() -> Value {
    json!({
        "name": "Before", "time_zone": "Europe/Berlin", "currency": { "code": "EUR", "decimals": 2 },
        "balances": [{ "code": "points", "decimals": 0, "worth": "0.01" }],
        "definition": {
            "enrol": "automatic", "immediate": ["purchase"], "invoice_types": ["ticket"],
            "spend": { "requires_purchase": false, "within_days": 30, "balance": "points" },
            "payment_medium": { "brands": ["Visa"], "keep": { "last": 4 } },
        },
        "classifications": [
            { "name": "grocery", "types": ["purchase"] },
            { "name": "counter", "types": ["spend_request"] },
        ],
        "offers": [{
            "id": "ten-per-cent", "class": "increase_revenue_transaction",
            "method": "batch_and_interactive", "award": { "balance": "points", "percentage": "1000" },
        }],
    })
}

/// Nothing of it is left.
fn after() -> Value {
    json!({
        "name": "After", "time_zone": "Europe/Berlin", "currency": { "code": "EUR", "decimals": 2 },
        "balances": [{ "code": "miles", "decimals": 0 }],
        "definition": {
            "enrol": "explicit", "spend": { "requires_purchase": true, "within_days": 1 },
            "payment_medium": { "keep": { "first": 6 } },
        },
    })
}

async fn put(stack: &Stack, programme: &Value) {
    let put = stack.client.put("/v1/programme", programme).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    // Programmes are cached for two seconds of the stack's time.
    stack.advance("PT10S").await.unwrap();
}

fn event(kind: &str, reference: &str) -> Value {
    json!({
        "type": kind, "participant_id": "c-1", "performed_on": scenarios::client::now(),
        "external_system": "till", "external_reference": reference,
    })
}

fn purchase(reference: &str) -> Value {
    let mut body = event("purchase", reference);
    body["classification"] = json!("grocery");
    body["payment_medium"] = json!({ "brand": "Visa", "identifier": CARD });
    body["lines"] = json!([{ "net": "20.00" }]);
    body
}

fn invoice() -> Value {
    let mut body = purchase("I-1");
    body.as_object_mut().unwrap().remove("type");
    body["invoice_type"] = json!("ticket");
    body
}

/// A spend of points, as an event or not.
fn spend(mut body: Value, amount: &str) -> Value {
    let asked = [("amount", amount), ("balance", "points"), ("classification", "counter")];
    asked.into_iter().for_each(|(name, value)| body[name] = json!(value));
    body
}

struct Sent {
    path: &'static str,
    key: Option<String>,
    body: Value,
    answer: Answer,
}

async fn send(stack: &Stack, path: &str, key: Option<&str>, body: &Value) -> Answer {
    stack.client.send(&Call { method: "POST", path, key, body: Some(body) }).await.unwrap()
}

/// Every request, with the status that it is answered with.
fn requests() -> Vec<(&'static str, bool, Value, u16)> {
    let mut with_spend = purchase("R-2");
    with_spend["spend"] = json!({ "amount": "30", "classification": "counter" });
    let whom = || json!({ "participant_id": "c-1" });
    let adjustment = json!({ "balance": "points", "amount": "7", "reason": "sorry" });
    vec![
        ("/v1/events", false, purchase("R-1"), 201),
        ("/v1/events", false, with_spend, 201),
        ("/v1/invoices", false, invoice(), 201),
        ("/v1/events", false, spend(event("spend_request", "S-1"), "5"), 201),
        ("/v1/events", false, spend(event("spend_request", "S-2"), "99999"), 409),
        ("/v1/spend-requests", true, spend(whom(), "6"), 201),
        ("/v1/spend-requests", true, spend(whom(), "99999"), 409),
        ("/v1/holds", true, spend(whom(), "8"), 201),
        ("/v1/participants/c-1/adjustments", true, adjustment, 201),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn r4_r7_r70_repeats_are_answered_as_they_were_though_the_programme_has_changed() {
    let stack = own_stack().await;
    let mut strict = before();
    strict["definition"]["spend"]["rules"] = json!([{ "classifications": ["counter"], "reject_if_not_covered": true,
                 "specific_amount": { "min": "1", "max": "99999" } }]);
    put(&stack, &strict).await;
    let mut sent = Vec::new();
    for (path, keyed, body, status) in requests() {
        let key = keyed.then(key);
        let answer = send(&stack, path, key.as_deref(), &body).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        sent.push(Sent { path, key, body, answer });
    }
    let mut waits = purchase("B-1");
    waits["process_immediately"] = json!(true);
    let bulk = json!({ "events": [waits] });
    let first = send(&stack, "/v1/events/bulk", None, &bulk).await;
    assert_eq!(first.body["outcomes"][0]["status"], 202, "{first:?}");
    assert_eq!(stack.idle().await.unwrap().status, 200);
    let row = json!({ "participant_id": "c-1", "reference": "row-1", "balance": "points",
                      "amount": "3", "reason": "moved" });
    let rows = json!({ "adjustments": [row] });
    let booked = send(&stack, "/v1/adjustments", None, &rows).await;
    assert_eq!(booked.body["outcomes"][0]["status"], 201, "{booked:?}");
    let ledger = read(&stack, "/v1/participants/c-1/transactions?limit=200").await;

    put(&stack, &after()).await;
    for Sent { path, key, body, answer } in &sent {
        let again = send(&stack, path, key.as_deref(), body).await;
        assert_eq!(again.status, answer.status, "{path}: {again:?}");
        if again.status == 409 {
            assert_eq!(again.body["code"], answer.body["code"]);
            continue;
        }
        assert_eq!(again.body["repeated"], true, "{path}: {again:?}");
        for told in ["/transaction", "/event/id", "/spends/0/transaction", "/awards/0/transaction"]
        {
            assert_eq!(again.body.pointer(told), answer.body.pointer(told), "{path} {told}");
        }
        let mut other = body.clone();
        other["unit"] = json!("kiosk-2");
        let other = send(&stack, path, key.as_deref(), &other).await;
        assert!(matches!(other.status, 200 | 422), "{path}: another payload: {other:?}");
        assert_ne!(other.body["repeated"], true, "{path}");
    }
    let again = send(&stack, "/v1/events/bulk", None, &bulk).await;
    let row = &again.body["outcomes"][0];
    assert_eq!((&row["status"], &row["event_id"]), (&json!(201), &json!("till:B-1")), "{again:?}");
    assert_eq!(send(&stack, "/v1/adjustments", None, &rows).await.body, booked.body);
    let new = send(&stack, "/v1/events", None, &purchase("R-9")).await;
    assert_eq!((new.status, new.text("/code")), (422, "invalid"), "what is new is not taken");
    let since = read(&stack, "/v1/participants/c-1/transactions?limit=200").await;
    assert_eq!(codes(&since), codes(&ledger), "nothing was booked");

    // R-22: where the body is still a good one, too: another rule for identifiers is no other body.
    put(&stack, &strict).await;
    let mut plain = strict.clone();
    plain["definition"]["payment_medium"]["keep"] = json!({ "first": 6 });
    put(&stack, &plain).await;
    let again = send(&stack, "/v1/events", None, &sent[0].body).await;
    assert_eq!((again.status, &again.body["repeated"]), (201, &json!(true)), "{again:?}");
    let mut other = sent[0].body.clone();
    other["payment_medium"]["identifier"] = json!("4917610000001235");
    let other = send(&stack, "/v1/events", None, &other).await;
    assert_eq!(other.text("/code"), "idempotency_key_reused");
    let again = send(&stack, "/v1/invoices", None, &sent[2].body).await;
    assert_eq!((again.status, &again.body["repeated"]), (201, &json!(true)), "{again:?}");
}

fn codes(ledger: &Value) -> Vec<&Value> {
    ledger["transactions"].as_array().unwrap().iter().map(|row| &row["code"]).collect()
}

/// R-72: who cancels may say why; the transaction tells it.
#[tokio::test(flavor = "multi_thread")]
async fn r72_a_cancel_says_why() {
    let stack = own_stack().await;
    put(&stack, &before()).await;
    let event = send(&stack, "/v1/events", None, &purchase("R-1")).await;
    let spend = spend(json!({ "participant_id": "c-1" }), "5");
    let spend = send(&stack, "/v1/spend-requests", Some(&key()), &spend).await;
    for (what, reason) in
        [(spend.text("/transaction"), "wrong till"), ("till:R-1", "rang up twice")]
    {
        let path = format!("/v1/events/{what}/cancel");
        let (key, body) = (key(), json!({ "reason": reason }));
        let done = send(&stack, &path, Some(&key), &body).await;
        assert_eq!(done.status, 200, "{done:?}");
        let code = done.text("/transaction");
        let entry = read(&stack, &format!("/v1/transactions/{code}")).await;
        assert_eq!(
            (&entry["reason"], &entry["rows"][0]["reason"]),
            (&json!(reason), &json!(reason))
        );
        assert_eq!(send(&stack, &path, Some(&key), &body).await.body["repeated"], true);
    }
    assert_eq!(event.status, 201, "{event:?}");
    assert_eq!(cancel(&stack, "till:R-1", &key()).await.text("/code"), "already_cancelled");
    let long = json!({ "reason": "r".repeat(201) });
    let long = send(&stack, "/v1/events/till:R-1/cancel", Some(&key()), &long).await;
    assert_eq!((long.status, long.text("/violations/0/pointer")), (422, "/reason"));
}
