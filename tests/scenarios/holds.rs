//! Two-phase spending at a checkout: held, then settled, released, or over at its time.

use futures_util::future::join_all;
use scenarios::client::{Answer, key, now};
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::calls::{cancel, posted, read, spend, spend_of};
use crate::cost::without_batch_offers;
use crate::desk::{credit, own_stack, participant, purchase, shared_stack, transactions};
use crate::meter::Meter;

async fn hold(stack: &Stack, key: &str, body: &Value) -> Answer {
    stack.client.post("/v1/holds", key, body).await.unwrap()
}

async fn settle(stack: &Stack, hold: &str, key: &str, body: &Value) -> Answer {
    stack.client.post(&format!("/v1/holds/{hold}/settle"), key, body).await.unwrap()
}

async fn release(stack: &Stack, hold: &str, key: &str) -> Answer {
    stack.client.post(&format!("/v1/holds/{hold}/release"), key, &json!({})).await.unwrap()
}

fn told(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.text("/code"))
}

/// Available and held points.
async fn points(stack: &Stack, id: &str) -> (String, String) {
    let wallet = read(stack, &format!("/v1/participants/{id}/wallet")).await;
    let text = |name: &str| wallet["balances"][0][name].as_str().unwrap().to_owned();
    (text("available"), text("held"))
}

fn pair(available: &str, held: &str) -> (String, String) {
    (available.to_owned(), held.to_owned())
}

/// The web shop holds points while the customer pays the rest, then settles what was shipped.
#[tokio::test(flavor = "multi_thread")]
async fn r78_a_checkout_holds_settles_a_part_and_gets_the_rest_back() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    credit(&stack, &id, 3).await;
    let (first, body) = (key(), spend_of(&id, 50, Some("counter")));
    let held = hold(&stack, &first, &body).await;
    assert_eq!((held.status, held.text("/held")), (201, "50"), "{held:?}");
    assert_eq!((held.text("/balance"), held.text("/balances/0/held")), ("points", "50"));
    assert_eq!(points(&stack, &id).await, pair("10", "50"));
    let again = hold(&stack, &first, &body).await;
    assert_eq!((again.text("/hold"), &again.body["repeated"]), (held.text("/hold"), &json!(true)));
    // What is held is not available to others.
    let other = spend(&stack, &key(), &spend_of(&id, 11, Some("counter"))).await;
    assert_eq!(told(&other), (409, "not_covered"));
    let more = hold(&stack, &key(), &spend_of(&id, 11, None)).await;
    assert_eq!(told(&more), (409, "not_covered"), "a hold is all or nothing");

    // The order comes after the hold; the spend stands on it.
    let order = posted(&stack, &purchase(&id, "0.35")).await;
    let code = held.text("/hold");
    let body = json!({ "purchase_event_id": order });
    let much = settle(&stack, code, &key(), &body).await;
    assert_eq!(told(&much), (409, "amount_out_of_range"));
    let end = key();
    let body = json!({ "purchase_event_id": order, "amount": "35" });
    let settled = settle(&stack, code, &end, &body).await;
    assert_eq!(settled.status, 201, "{settled:?}");
    let names = ["requested", "spent", "covered", "remainder", "reduction_method"];
    let shown = names.map(|name| settled.text(&format!("/{name}")));
    assert_eq!(shown, ["35", "35", "0.35", "0.00", "front_end"]);
    assert_eq!(points(&stack, &id).await, pair("125", "0"), "60 - 35 and the welcome");
    let again = settle(&stack, code, &end, &body).await;
    assert_eq!(again.text("/transaction"), settled.text("/transaction"));
    assert_eq!((again.status, &again.body["repeated"]), (201, &json!(true)));
    assert_eq!(told(&settle(&stack, code, &key(), &json!({})).await), (409, "hold_not_open"));
    assert_eq!(told(&release(&stack, code, &key()).await), (409, "hold_not_open"));
    assert_eq!(told(&release(&stack, code, &end).await), (422, "idempotency_key_reused"));

    let event = read(&stack, &format!("/v1/events/{order}")).await;
    assert_eq!(event["event"]["totals"]["spent"][0]["amount"], "35", "{event}");
    let shown = read(&stack, &format!("/v1/transactions/{}", settled.text("/transaction"))).await;
    assert_eq!((&shown["spend"]["spent"], &shown["ends"]), (&json!("35"), &json!([code])));
    let shown = read(&stack, &format!("/v1/transactions/{code}")).await;
    assert_eq!(shown["hold"]["held"], "50", "{shown}");
    // It is cancelled by its code like any spend, and its lots come back.
    let back = cancel(&stack, settled.text("/transaction"), &key()).await;
    assert_eq!(back.status, 200, "{back:?}");
    assert_eq!(points(&stack, &id).await, pair("160", "0"));
    let rows = transactions(&stack, &id).await;
    let sum: i64 = rows.iter().map(|row| crate::calls::points(&row["amount"])).sum();
    assert_eq!(sum, 160, "{rows:?}");
}

/// Released, or lapsed at its time: shown so at once, and booked with the next command.
#[tokio::test(flavor = "multi_thread")]
async fn r78_a_hold_is_released_or_lapses() {
    let stack = own_stack().await;
    let id = participant(&stack).await;
    credit(&stack, &id, 2).await;
    let held = hold(&stack, &key(), &spend_of(&id, 30, None)).await;
    let (code, first) = (held.text("/hold"), key());
    let back = release(&stack, code, &first).await;
    assert_eq!((back.status, back.text("/released"), back.text("/hold")), (200, "30", code));
    assert_eq!(release(&stack, code, &first).await.body["repeated"], true);
    assert_eq!(told(&settle(&stack, code, &key(), &json!({})).await), (409, "hold_not_open"));
    assert_eq!(points(&stack, &id).await, pair("40", "0"));

    let mut body = spend_of(&id, 40, None);
    body["lapses_after"] = json!("PT2H");
    let held = hold(&stack, &key(), &body).await;
    let code = held.text("/hold");
    stack.advance("PT1H59M").await.unwrap();
    assert_eq!(points(&stack, &id).await, pair("0", "40"));
    let before = transactions(&stack, &id).await.len();
    stack.advance("PT2M").await.unwrap();
    assert_eq!(points(&stack, &id).await, pair("40", "0"), "nothing is booked yet");
    assert_eq!(transactions(&stack, &id).await.len(), before);
    assert_eq!(told(&settle(&stack, code, &key(), &json!({})).await), (409, "hold_not_open"));
    let kinds: Vec<Value> =
        transactions(&stack, &id).await.iter().take(3).map(|row| row["kind"].clone()).collect();
    assert_eq!(kinds, ["refused", "release", "hold"]);
    assert_eq!(points(&stack, &id).await, pair("40", "0"));

    for bad in ["nobody.1-0", "x", "%23", code.trim_end_matches(|c: char| c != '-')] {
        let path = format!("/v1/holds/{bad}/settle");
        let answer = stack.client.post(&path, &key(), &json!({})).await.unwrap();
        assert_eq!(told(&answer), (404, "hold_not_found"), "{bad}");
    }
    let spent = spend(&stack, &key(), &spend_of(&id, 1, None)).await;
    let no_hold = settle(&stack, spent.text("/transaction"), &key(), &json!({})).await;
    assert_eq!(told(&no_hold), (404, "hold_not_found"));
}

/// Ends a hold, as callers do: again with the same key until there is an answer.
async fn insist(stack: &Stack, hold: &str, settles: bool) -> (bool, u16) {
    let key = key();
    for _ in 0..20 {
        let answer = match settles {
            true => settle(stack, hold, &key, &json!({})).await,
            false => release(stack, hold, &key).await,
        };
        if answer.status != 503 {
            return (settles, answer.status);
        }
    }
    panic!("no answer")
}

/// twenty tills that share a wallet hold, settle and release at once.
#[tokio::test(flavor = "multi_thread")]
async fn r69_r78_many_that_hold_and_settle_at_once_never_take_more_than_there_is() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    credit(&stack, &id, 5).await;
    let body = spend_of(&id, 8, None);
    let holds = join_all((0..20).map(|_| async { hold(&stack, &key(), &body).await })).await;
    let held: Vec<&str> =
        holds.iter().filter(|h| h.status == 201).map(|hold| hold.text("/hold")).collect();
    assert!(holds.iter().all(|hold| matches!(hold.status, 201 | 409 | 503)), "{holds:?}");
    assert!(!held.is_empty() && held.len() <= 12, "100 points at most: {held:?}");
    let ends = held.iter().flat_map(|hold| [(hold, true), (hold, true), (hold, false)]);
    let ends = join_all(ends.map(|(hold, settles)| insist(&stack, hold, settles))).await;
    let settled = ends.iter().filter(|end| **end == (true, 201)).count();
    let released = ends.iter().filter(|end| **end == (false, 200)).count();
    assert_eq!(settled + released, held.len(), "each has one end: {ends:?}");
    let left = (100 - 8 * settled).to_string();
    assert_eq!(points(&stack, &id).await, (left, "0".to_owned()));
}

/// A merchant's token ends holds at its own units only.
#[tokio::test(flavor = "multi_thread")]
async fn a_merchants_token_ends_its_own_holds_only() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    credit(&stack, &id, 1).await;
    let caller = |merchant: &str| {
        let claims = json!({ "merchant": merchant });
        let stack = &stack;
        async move { stack.caller(&["spend.write"], &claims).await.unwrap() }
    };
    let (kiosks, rail) = (caller("kiosks").await, caller("rail").await);
    let mut body = spend_of(&id, 5, None);
    assert_eq!(told(&kiosks.post("/v1/holds", &key(), &body).await.unwrap()).0, 403);
    body["unit"] = json!("kiosk-1");
    let held = kiosks.post("/v1/holds", &key(), &body).await.unwrap();
    assert_eq!(held.status, 201, "{held:?}");
    for end in ["settle", "release"] {
        let path = format!("/v1/holds/{}/{end}", held.text("/hold"));
        let other = rail.post(&path, &key(), &json!({})).await.unwrap();
        assert_eq!(told(&other), (403, "unit_not_allowed"));
    }
    let path = format!("/v1/holds/{}/release", held.text("/hold"));
    assert_eq!(kiosks.post(&path, &key(), &json!({})).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn r78_holds_and_their_ends_cost_what_a_spend_costs() {
    const N: usize = 60;
    let stack = own_stack().await;
    without_batch_offers(&stack).await;
    let mut meter = Meter::new(&stack);
    let mut ids = Vec::new();
    for index in 0..N {
        let id = participant(&stack).await;
        credit(&stack, &id, 1).await;
        for _ in 0..index % 6 {
            let none = json!({ "participant_id": id, "amount": "1", "balance": "eur" });
            assert_eq!(spend(&stack, &key(), &none).await.status, 409);
        }
        ids.push(id);
    }
    let (none, mut holds) = (json!({}), Vec::new());
    for (end, reads) in [("release", 65), ("settle", 165)] {
        meter.begin().await;
        for id in &ids {
            let held = hold(&stack, &meter.key(), &spend_of(id, 2, None)).await;
            assert_eq!(held.status, 201, "{held:?}");
            holds.push(held.text("/hold").to_owned());
        }
        meter.end("hold", N, 117, 65).await;
        // Within its quarter of an hour.
        meter.begin().await;
        for code in holds.drain(..) {
            let path = format!("/v1/holds/{code}/{end}");
            let ended = stack.client.post(&path, &meter.key(), &none).await.unwrap();
            assert!(ended.status < 300, "{ended:?}");
        }
        meter.end(end, N, 117, reads).await;
    }
    let mut orders = Vec::new();
    for id in &ids {
        let mut order = purchase(id, "1.00");
        order["performed_on"] = json!(now());
        orders.push(posted(&stack, &order).await);
    }
    meter.begin().await;
    for id in &ids {
        let held = hold(&stack, &meter.key(), &spend_of(id, 2, None)).await;
        holds.push(held.text("/hold").to_owned());
    }
    meter.end("hold", N, 117, 65).await;
    meter.begin().await;
    for (code, order) in holds.iter().zip(&orders) {
        let body = json!({ "purchase_event_id": order });
        let ended = settle(&stack, code, &meter.key(), &body).await;
        assert_eq!(ended.status, 201, "{ended:?}");
    }
    meter.end("settle, on a purchase", N, 417, 215).await;
    meter.close();
}
