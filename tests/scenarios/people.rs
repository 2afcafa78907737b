//! What a participant's reads show, and what spending refuses.

use scenarios::client::{key, key_at};
use serde_json::{Value, json};

use crate::calls::{cancel, posted, read, spend, spend_of};
use crate::desk::{
    available, credit, participant, post_event, purchase, shared_stack, transactions,
};

#[tokio::test(flavor = "multi_thread")]
async fn r16_events_are_listed_newest_first_in_pages_pending_ones_too() {
    let stack = shared_stack().await;
    let who = participant(&stack).await;
    let mut ids = Vec::new();
    for index in 0..9 {
        let mut event = purchase(&who, "10.00");
        // Purchases are immediate in this programme unless they come in bulk.
        let outcome = if index % 3 == 0 {
            event["process_immediately"] = json!(false);
            let body = json!({ "events": [event] });
            stack
                .client
                .post("/v1/events/bulk", &key(), &body)
                .await
                .unwrap()
                .text("/outcomes/0/event_id")
                .to_owned()
        } else {
            posted(&stack, &event).await
        };
        ids.push(outcome);
    }
    stack.idle().await.unwrap();
    ids.reverse();
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    for _ in 0..10 {
        let page = read(&stack, &format!("/v1/participants/{who}/events?limit=4{cursor}")).await;
        let events = page["events"].as_array().unwrap();
        assert!(events.len() <= 4);
        listed.extend(events.iter().map(|event| event["id"].as_str().unwrap().to_owned()));
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let mut sorted = (listed.clone(), ids.clone());
    sorted.0.sort();
    sorted.1.sort();
    assert_eq!(sorted.0, sorted.1, "each once");

    let cancelled = cancel(&stack, &ids[2].replace(':', "%3A"), &key()).await;
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    let path = |state: &str| format!("/v1/participants/{who}/events?type=purchase&state={state}");
    let found = read(&stack, &path("cancelled")).await;
    assert_eq!(found["events"].as_array().unwrap().len(), 1);
    assert_eq!(found["events"][0]["id"], ids[2].as_str());
    assert_eq!(read(&stack, &path("posted")).await["events"].as_array().unwrap().len(), 8);
    let none = read(&stack, &format!("/v1/participants/{who}/events?type=web")).await;
    assert_eq!(none["events"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn r68_every_change_has_a_code_that_is_looked_up() {
    let stack = shared_stack().await;
    let who = participant(&stack).await;
    let event = posted(&stack, &purchase(&who, "60.00")).await;
    let spent = spend(&stack, &key(), &spend_of(&who, 7, None)).await;
    assert_eq!(spent.status, 201, "{spent:?}");
    assert_eq!(spend(&stack, &key(), &spend_of(&who, 499, Some("counter"))).await.status, 409);
    let rows = transactions(&stack, &who).await;
    for row in &rows {
        let one =
            read(&stack, &format!("/v1/transactions/{}", row["code"].as_str().unwrap())).await;
        assert_eq!(one["code"], row["code"]);
    }
    let award = rows.iter().find(|row| row["kind"] == "award").unwrap();
    let shown =
        read(&stack, &format!("/v1/transactions/{}", award["code"].as_str().unwrap())).await;
    assert_eq!(shown["event"], event.as_str(), "{shown}");
    let code = spent.text("/transaction");
    let shown = read(&stack, &format!("/v1/transactions/{code}")).await;
    assert_eq!(shown["spend"]["spent"], "7", "{shown}");
    let newest = &rows[0];
    assert_eq!((&newest["kind"], &newest["amount"]), (&json!("refused"), &json!("0")), "{newest}");
    let mistyped =
        format!("{}{}", &code[..code.len() - 1], if code.ends_with('0') { '1' } else { '0' });
    let unknown = stack.client.get(&format!("/v1/transactions/{mistyped}")).await.unwrap();
    assert_eq!((unknown.status, unknown.text("/code")), (404, "transaction_not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn r67_a_blocked_participant_is_awarded_and_does_not_spend() {
    let stack = shared_stack().await;
    let who = participant(&stack).await;
    let path = format!("/v1/participants/{who}/block-spending");
    let block = |blocked| json!({ "blocked": blocked, "reason": "dispute 17" });
    assert_eq!(stack.client.post(&path, &key(), &block(true)).await.unwrap().status, 200);
    posted(&stack, &purchase(&who, "60.00")).await;
    let wallet = read(&stack, &format!("/v1/participants/{who}/wallet")).await;
    assert_eq!(wallet["blocked"], true);
    let points: u64 = available(&stack, &who, "points").await.parse().unwrap();
    assert!(points >= 100, "awards go on: {points}");
    let refused = spend(&stack, &key(), &spend_of(&who, 5, None)).await;
    assert_eq!((refused.status, refused.text("/code")), (409, "spending_blocked"));
    assert_eq!(stack.client.post(&path, &key(), &block(false)).await.unwrap().status, 200);
    assert_eq!(spend(&stack, &key(), &spend_of(&who, 5, None)).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn r70_a_refused_spend_stays_refused_under_its_key_and_a_key_is_for_one_request() {
    let stack = shared_stack().await;
    let who = participant(&stack).await;
    for key in [key(), format!("no time in it {}", key())] {
        let refused = spend(&stack, &key, &spend_of(&who, 30, Some("counter"))).await;
        assert_eq!((refused.status, refused.text("/code")), (409, "not_covered"));
        credit(&stack, &who, 2).await;
        let again = spend(&stack, &key, &spend_of(&who, 30, Some("counter"))).await;
        assert_eq!(
            (again.status, again.text("/code")),
            (409, "not_covered"),
            "one key, one answer"
        );
        let other = spend(&stack, &key, &spend_of(&who, 31, Some("counter"))).await;
        assert_eq!((other.status, other.text("/code")), (422, "idempotency_key_reused"));
        let fresh = scenarios::client::key();
        assert_eq!(spend(&stack, &fresh, &spend_of(&who, 30, Some("counter"))).await.status, 201);
    }
    let answer = stack.advance("P0D").await.unwrap();
    let now = domain::time::parse_instant(answer.text("/now")).unwrap();
    let ahead = key_at(u64::try_from(now.0).unwrap() + 6 * 60_000);
    let early = spend(&stack, &ahead, &spend_of(&who, 1, None)).await;
    assert_eq!((early.status, early.text("/code")), (422, "idempotency_key_in_future"));
    let rows = transactions(&stack, &who).await;
    assert_eq!(rows.iter().filter(|row| row["kind"] == "spend").count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn r64_what_is_not_covered_is_refused_or_left_to_the_participant_as_the_rule_says() {
    let stack = shared_stack().await;
    let who = participant(&stack).await;
    credit(&stack, &who, 1).await;
    let whole = spend(&stack, &key(), &spend_of(&who, 21, Some("counter"))).await;
    assert_eq!((whole.status, whole.text("/code")), (409, "not_covered"));
    let beyond = spend(&stack, &key(), &spend_of(&who, 501, Some("counter"))).await;
    assert_eq!((beyond.status, beyond.text("/code")), (409, "amount_out_of_range"), "R-63");
    let partly = spend(&stack, &key(), &spend_of(&who, 21, Some("checkout"))).await;
    let told = ["requested", "spent", "remainder"].map(|name| partly.text(&format!("/{name}")));
    assert_eq!((partly.status, told), (201, ["21", "20", "1"]));
    assert_eq!(spend(&stack, &key(), &spend_of(&who, 1, None)).await.text("/code"), "not_covered");
}

#[tokio::test(flavor = "multi_thread")]
async fn r62_a_purchase_takes_spends_within_its_window_and_never_more_than_its_total() {
    let stack = shared_stack().await;
    let who = participant(&stack).await;
    credit(&stack, &who, 4).await;
    let against = |event: &str, amount: Value| json!({ "participant_id": who, "purchase_event_id": event, "amount": amount });
    let mut old = purchase(&who, "10.00");
    old["performed_on"] = json!("2024-01-01T12:00:00+01:00");
    let old = posted(&stack, &old).await;
    let late = spend(&stack, &key(), &against(&old, json!("5"))).await;
    assert_eq!((late.status, late.text("/code")), (409, "outside_spend_window"));
    let small = posted(&stack, &purchase(&who, "0.50")).await;
    let more = spend(&stack, &key(), &against(&small, json!("51"))).await;
    assert_eq!((more.status, more.text("/code")), (409, "amount_out_of_range"));
    let most = spend(&stack, &key(), &against(&small, json!("30"))).await;
    assert_eq!((most.status, most.text("/remainder")), (201, "0.00"));
    let rest = spend(&stack, &key(), &against(&small, Value::Null)).await;
    assert_eq!(
        (rest.status, rest.text("/spent")),
        (201, "20"),
        "the rest of the purchase: {rest:?}"
    );
    let full = spend(&stack, &key(), &against(&small, json!("1"))).await;
    assert_eq!((full.status, full.text("/code")), (409, "amount_out_of_range"));

    // its spends come back with the purchase.
    let before: u64 = available(&stack, &who, "points").await.parse().unwrap();
    let cancelled = cancel(&stack, &small.replace(':', "%3A"), &key()).await;
    assert_eq!(cancelled.status, 200, "{cancelled:?}");
    let after: u64 = available(&stack, &who, "points").await.parse().unwrap();
    assert_eq!(after, before + 50);
    let late = spend(&stack, &key(), &against(&small, json!("1"))).await;
    assert_eq!((late.status, late.text("/code")), (409, "purchase_cancelled"));
    let again = cancel(&stack, most.text("/transaction"), &key()).await;
    assert_eq!((again.status, again.text("/code")), (409, "already_cancelled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn r72_a_cancelled_spend_comes_back_to_its_lot_once() {
    let stack = shared_stack().await;
    let who = participant(&stack).await;
    credit(&stack, &who, 1).await;
    let lots = read(&stack, &format!("/v1/participants/{who}/wallet")).await["lots"].clone();
    let spent = spend(&stack, &key(), &spend_of(&who, 20, None)).await;
    let cancel_key = key();
    let first = cancel(&stack, spent.text("/transaction"), &cancel_key).await;
    let second = cancel(&stack, spent.text("/transaction"), &cancel_key).await;
    assert_eq!((first.status, second.status), (200, 200), "{first:?} {second:?}");
    assert_eq!(first.text("/transaction"), second.text("/transaction"));
    assert_eq!((&first.body["repeated"], &second.body["repeated"]), (&json!(false), &json!(true)));
    let other = cancel(&stack, spent.text("/transaction"), &key()).await;
    assert_eq!((other.status, other.text("/code")), (409, "already_cancelled"));
    let wallet = read(&stack, &format!("/v1/participants/{who}/wallet")).await;
    assert_eq!(wallet["lots"], lots, "with its own expiry");
}

#[tokio::test(flavor = "multi_thread")]
async fn r4_an_unknown_participant_is_told_and_a_refused_purchase_leaves_its_reference_free() {
    let stack = shared_stack().await;
    let unknown = post_event(&stack, &purchase("nobody-here", "5.00")).await;
    assert_eq!((unknown.status, unknown.text("/code")), (404, "participant_not_found"));
    let who = participant(&stack).await;
    let mut event = purchase(&who, "5.00");
    event["spend"] = json!({ "amount": "100", "classification": "counter" });
    let refused = post_event(&stack, &event).await;
    assert_eq!((refused.status, refused.text("/code")), (409, "not_covered"));
    assert!(transactions(&stack, &who).await.is_empty(), "both or neither");
    event.as_object_mut().unwrap().remove("spend");
    assert_eq!(post_event(&stack, &event).await.status, 201);
    let again = post_event(&stack, &event).await;
    assert_eq!((again.status, &again.body["repeated"]), (201, &json!(true)));
    event["lines"][0]["net"] = json!("6.00");
    let other = post_event(&stack, &event).await;
    assert_eq!((other.status, other.text("/code")), (422, "idempotency_key_reused"));
}
