//! Spends in sequence: blocks, windows, cancels of cancels, and keys between many others.

use scenarios::client::{Answer, key, key_at};
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::calls::{cancel, posted, read, spend, spend_of};
use crate::desk::{
    available, credit, participant, post_event, purchase, shared_stack, transactions,
};

fn told(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.text("/code"))
}

fn days_ago(days: i64) -> String {
    let at = chrono::Utc::now() - chrono::TimeDelta::days(days);
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

fn on(purchase: &str, body: &Value) -> Value {
    let mut body = body.clone();
    body["purchase_event_id"] = json!(purchase);
    body["classification"] = json!("checkout");
    body
}

async fn block(stack: &Stack, id: &str, blocked: bool) {
    let body = json!({ "blocked": blocked, "reason": "a disputed receipt" });
    let path = format!("/v1/participants/{id}/block-spending");
    let answer = stack.client.post(&path, &key(), &body).await.unwrap();
    assert_eq!((answer.status, &answer.body["blocked"]), (200, &json!(blocked)), "{answer:?}");
}

/// spends are refused, awards go on; what was refused under a key stays refused.
#[tokio::test(flavor = "multi_thread")]
async fn r67_a_blocked_participant_is_awarded_but_does_not_spend() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    credit(&stack, &id, 1).await;
    block(&stack, &id, true).await;
    let (first, body) = (key(), spend_of(&id, 5, None));
    let refused = spend(&stack, &first, &body).await;
    assert_eq!(told(&refused), (409, "spending_blocked"));
    posted(&stack, &purchase(&id, "10.00")).await;
    credit(&stack, &id, 1).await;
    assert_eq!(available(&stack, &id, "points").await, "140");
    block(&stack, &id, false).await;
    assert_eq!(told(&spend(&stack, &first, &body).await), (409, "spending_blocked"));
    assert_eq!(spend(&stack, &key(), &body).await.status, 201);
    assert_eq!(available(&stack, &id, "points").await, "135");
}

/// `enrol: explicit`: nothing makes a participant but a registration.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_participant_is_not_found() {
    let stack = shared_stack().await;
    let id = format!("nobody-{}", key());
    let unknown = (404, "participant_not_found");
    let body = spend_of(&id, 1, None);
    assert_eq!(told(&spend(&stack, &key(), &body).await), unknown);
    assert_eq!(told(&post_event(&stack, &purchase(&id, "1.00")).await), unknown);
    let preview = purchase(&id, "1.00");
    let preview = stack.client.post("/v1/events/preview", &key(), &preview).await.unwrap();
    assert_eq!(told(&preview), unknown);
    for what in ["", "/wallet", "/transactions", "/events"] {
        let path = format!("/v1/participants/{id}{what}");
        assert_eq!(told(&stack.client.get(&path).await.unwrap()), unknown, "{path}");
    }
    let issued = stack.client.post("/v1/pass-plans/gift-20/passes", &key(), &json!({})).await;
    let pass = json!({ "code": issued.unwrap().text("/code"), "participant_id": id });
    let redeem = stack.client.post("/v1/pass-redemptions", &key(), &pass).await.unwrap();
    assert_eq!(told(&redeem), unknown);
}

/// a purchase can be paid for as many days as the programme says, here 30, both included.
#[tokio::test(flavor = "multi_thread")]
async fn r62_a_purchase_can_be_paid_within_its_window() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    credit(&stack, &id, 1).await;
    let mut bought = purchase(&id, "10.00");
    bought["performed_on"] = json!(days_ago(40));
    let event = posted(&stack, &bought).await;
    let late = (409, "outside_spend_window");
    for (spent, expected) in [(0, late), (9, late), (11, (201, "")), (40, (201, "")), (41, late)] {
        let mut body = on(&event, &spend_of(&id, 1, None));
        body["performed_on"] = json!(days_ago(spent));
        let answer = spend(&stack, &key(), &body).await;
        assert_eq!(told(&answer), expected, "{spent} days ago");
    }
    let mut other = on(&event, &spend_of(&participant(&stack).await, 1, None));
    other["performed_on"] = json!(days_ago(20));
    assert_eq!(told(&spend(&stack, &key(), &other).await), (404, "event_not_found"));
}

/// a spend is cancelled by its code, a purchase with all that was spent on it; once.
#[tokio::test(flavor = "multi_thread")]
async fn r72_cancels_give_back_what_was_spent_once() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    credit(&stack, &id, 2).await;
    let spent = spend(&stack, &key(), &spend_of(&id, 15, Some("counter"))).await;
    let (code, first) = (spent.text("/transaction"), key());
    let back = cancel(&stack, code, &first).await;
    assert_eq!((back.status, &back.body["reverses"]), (200, &json!([code])), "{back:?}");
    assert_eq!(available(&stack, &id, "points").await, "40");
    let again = cancel(&stack, code, &first).await;
    assert_eq!(again.text("/transaction"), back.text("/transaction"));
    assert_eq!((again.status, &again.body["repeated"]), (200, &json!(true)));
    assert_eq!(told(&cancel(&stack, code, &key()).await), (409, "already_cancelled"));

    let event = posted(&stack, &purchase(&id, "10.00")).await;
    let mut codes = Vec::new();
    for amount in [10, 20] {
        let paid = spend(&stack, &key(), &on(&event, &spend_of(&id, amount, None))).await;
        assert_eq!(paid.status, 201, "{paid:?}");
        codes.push(paid.text("/transaction").to_owned());
    }
    assert_eq!(cancel(&stack, &codes[0], &key()).await.status, 200);
    assert_eq!(available(&stack, &id, "points").await, "120");
    let first = key();
    let gone = cancel(&stack, &event, &first).await;
    assert_eq!((gone.status, gone.text("/event/state")), (200, "cancelled"), "{gone:?}");
    assert_eq!(available(&stack, &id, "points").await, "40", "no award, both spends back");
    assert_eq!(cancel(&stack, &event, &first).await.body["repeated"], true);
    assert_eq!(told(&cancel(&stack, &event, &key()).await), (409, "already_cancelled"));
    assert_eq!(told(&cancel(&stack, &codes[1], &key()).await), (409, "already_cancelled"));
    let paid = spend(&stack, &key(), &on(&event, &spend_of(&id, 1, None))).await;
    assert_eq!(told(&paid), (409, "purchase_cancelled"));
    assert_eq!(available(&stack, &id, "points").await, "40");
    let rows = transactions(&stack, &id).await;
    let sum: i64 = rows.iter().map(|row| crate::calls::points(&row["amount"])).sum();
    assert_eq!(sum, 40, "{rows:?}");
}

/// a refusal is an answer too, and stays one when points have come.
#[tokio::test(flavor = "multi_thread")]
async fn r70_one_key_has_one_answer_with_a_time_or_without() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    for first in [key(), "receipt 17/3".to_owned()] {
        let body = spend_of(&id, 10, Some("counter"));
        let refused = spend(&stack, &first, &body).await;
        assert_eq!(told(&refused), (409, "not_covered"));
        credit(&stack, &id, 1).await;
        assert_eq!(spend(&stack, &first, &body).await, refused, "{first}");
        assert_eq!(available(&stack, &id, "points").await, "20");
        // A key belongs to its payload, also where it was refused.
        let other = spend(&stack, &first, &spend_of(&id, 11, Some("counter"))).await;
        assert_eq!(told(&other), (422, "idempotency_key_reused"));
        assert_eq!(spend(&stack, &key(), &spend_of(&id, 20, Some("counter"))).await.status, 201);
    }
    credit(&stack, &id, 1).await;
    for first in [key(), "receipt 18/3".to_owned()] {
        let body = spend_of(&id, 4, None);
        let done = spend(&stack, &first, &body).await;
        // Many others come between, so that its entry is in a page when it is repeated.
        for _ in 0..8 {
            let many = spend(&stack, &key(), &spend_of(&id, 400, Some("counter"))).await;
            assert_eq!(told(&many), (409, "not_covered"));
        }
        let again = spend(&stack, &first, &body).await;
        assert_eq!(again.text("/transaction"), done.text("/transaction"));
        assert_eq!((again.status, &again.body["repeated"]), (201, &json!(true)));
        let other = spend(&stack, &first, &spend_of(&id, 5, None)).await;
        assert_eq!(told(&other), (422, "idempotency_key_reused"));
    }
    assert_eq!(available(&stack, &id, "points").await, "12");
    // The scope of a key is the participant: another's is another.
    let other = participant(&stack).await;
    credit(&stack, &other, 1).await;
    let same = spend(&stack, "receipt 18/3", &spend_of(&other, 4, None)).await;
    assert_eq!((same.status, &same.body["repeated"]), (201, &json!(false)), "{same:?}");
}

/// Keys of the future are refused and not remembered; five minutes are clocks that differ.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_the_future_is_refused_and_not_recorded() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    credit(&stack, &id, 1).await;
    let before = transactions(&stack, &id).await;
    let now = u64::try_from(chrono::Utc::now().timestamp_millis()).unwrap();
    let body = spend_of(&id, 1, None);
    let far = spend(&stack, &key_at(now + 6 * 60_000), &body).await;
    assert_eq!(told(&far), (422, "idempotency_key_in_future"));
    assert_eq!(transactions(&stack, &id).await, before);
    assert_eq!(spend(&stack, &key_at(now + 4 * 60_000), &body).await.status, 201);
    let wallet = read(&stack, &format!("/v1/participants/{id}/wallet")).await;
    assert_eq!(wallet["balances"][0]["available"], "19");
}
