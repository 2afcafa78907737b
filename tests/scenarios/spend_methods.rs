//! How what is awarded is spent: at once on the purchase that it is awarded for, automatically on
//! later ones where the participant and the merchant consent, or when it is asked for.

use scenarios::client::{Answer, key};
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::calls::{bulk, cancel, read, spend};
use crate::desk::{available, built, post_event, purchase, sample};

/// 3 % in euros at once, and ten points for each euro: once there are 300 of them, 100 to 500 pay
/// later purchases at the market and at the bakery, whose bookshop neighbour does not take part.
async fn town() -> Stack {
    built().await;
    let stack = Stack::start().await.expect("a stack");
    let programme = sample("programme/programme-spend-methods.json");
    let put = stack.client.put("/v1/programme", &programme).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    stack
}

/// Registers somebody who says whether purchases may be paid automatically, or nothing of it.
async fn says(stack: &Stack, who: &str, consents: Option<bool>) {
    let now = stack.advance("PT1M").await.unwrap();
    let consent = consents.map(|granted| {
        json!({ "channel": "automatic_spend", "granted": granted, "at": now.text("/now"),
                "source": "till", "process": "loyalty desk" })
    });
    let body = json!({ "profile": {}, "consents": consent.into_iter().collect::<Vec<_>>() });
    let answer = stack.client.put(&format!("/v1/participants/{who}"), &body).await.unwrap();
    assert!([200, 201].contains(&answer.status), "{answer:?}");
}

async fn basket(stack: &Stack, who: &str, at: &str, total: &str) -> Value {
    let now = stack.advance("PT1M").await.unwrap();
    let mut basket = purchase(who, total);
    (basket["unit"], basket["performed_on"]) = (json!(at), json!(now.text("/now")));
    basket
}

/// Buys, after asking what that would do: it does just that.
async fn buys(stack: &Stack, who: &str, at: &str, total: &str) -> Answer {
    let basket = basket(stack, who, at, total).await;
    let said = stack.client.post("/v1/events/preview", &key(), &basket).await.unwrap();
    assert_eq!(said.status, 200, "{said:?}");
    let done = post_event(stack, &basket).await;
    assert_eq!(done.status, 201, "{done:?}");
    assert_eq!(said.body["awarded"], done.body["event"]["totals"]["awarded"]);
    assert_eq!(said.body["spent_instantly"], done.body["event"]["totals"]["spent"]);
    assert_eq!(said.body["spent_on_request"], json!([]));
    let again = post_event(stack, &basket).await;
    assert_eq!(
        (&again.body["spends"], &again.body["repeated"]),
        (&done.body["spends"], &json!(true))
    );
    done
}

/// The spends on a purchase, in their order: how, what, who deducts it, and what is left to pay.
fn spends(answer: &Value) -> Vec<String> {
    let tell = |spend: &Value| {
        let how = match (&spend["instant"], &spend["automatic"]) {
            (Value::Bool(true), Value::Bool(false)) => "instant",
            (Value::Bool(false), Value::Bool(true)) => "automatic",
            (Value::Bool(false), Value::Bool(false)) => "asked",
            flags => panic!("{flags:?}"),
        };
        let text = |name: &str| spend[name].as_str().unwrap();
        let (spent, balance, method) = (text("spent"), text("balance"), text("reduction_method"));
        format!("{how} {spent} {balance}, {method}, {} to pay", text("remainder"))
    };
    answer["spends"].as_array().unwrap().iter().map(tell).collect()
}

/// Three percent come off at the till of the bakery, and in the books of the market.
#[tokio::test(flavor = "multi_thread")]
async fn r49_r65_r66_what_is_awarded_comes_off_the_same_purchase() {
    let stack = town().await;
    says(&stack, "ida", None).await;
    let rolls = buys(&stack, "ida", "bakery-1", "20.00").await;
    assert_eq!(spends(&rolls.body), ["instant 0.60 eur, front_end, 19.40 to pay"]);
    let food = buys(&stack, "ida", "market-1", "100.00").await;
    assert_eq!(spends(&food.body), ["instant 3.00 eur, back_end, 97.00 to pay"]);
    let stall = buys(&stack, "ida", "a-stall-of-nobody", "10.00").await;
    assert_eq!(spends(&stall.body), ["instant 0.30 eur, front_end, 9.70 to pay"]);
    assert_eq!(available(&stack, "ida", "eur").await, "0.00");
    assert_eq!(available(&stack, "ida", "points").await, "1300", "she never agreed to spend them");
    // Each spend has a code of its own, under which it says what it was.
    let code = food.text("/spends/0/transaction");
    let shown = read(&stack, &format!("/v1/transactions/{code}")).await;
    assert_eq!(
        (&shown["spend"]["instant"], &shown["spend"]["unit"]),
        (&json!(true), &json!("market-1"))
    );
    assert_eq!(shown["event"], food.body["event"]["id"]);
    assert_eq!(
        (&shown["rows"][0]["kind"], &shown["rows"][0]["amount"]),
        (&json!("spend"), &json!("-3.00"))
    );
    let as_event = read(&stack, &format!("/v1/events/{code}")).await;
    assert_eq!(spends(&as_event), spends(&food.body));
    // What she asks for herself is deducted at the till, wherever it is.
    let body = json!({ "participant_id": "ida", "balance": "points", "amount": "200",
                       "unit": "market-1", "purchase_event_id": food.body["event"]["id"] });
    let asked = spend(&stack, &key(), &body).await;
    assert_eq!((asked.status, asked.text("/reduction_method")), (201, "front_end"), "{asked:?}");
    assert_eq!((&asked.body["instant"], &asked.body["automatic"]), (&json!(false), &json!(false)));
}

/// Jon lets his points pay, within the bounds of the offer, where the merchant takes part.
#[tokio::test(flavor = "multi_thread")]
async fn r49_points_pay_automatically_where_both_consent() {
    let stack = town().await;
    says(&stack, "jon", Some(true)).await;
    let first = buys(&stack, "jon", "market-1", "25.00").await;
    assert_eq!(
        spends(&first.body),
        ["instant 0.75 eur, back_end, 24.25 to pay"],
        "he held nothing"
    );
    let second = buys(&stack, "jon", "market-1", "50.00").await;
    assert_eq!(spends(&second.body).len(), 1, "250 points are less than the least balance");
    // 750 points: at most 500 at a time, and what is left to pay is the limit of a small purchase.
    let third = buys(&stack, "jon", "bakery-1", "4.00").await;
    assert_eq!(
        spends(&third.body),
        [
            "instant 0.12 eur, front_end, 3.88 to pay",
            "automatic 388 points, front_end, 0.00 to pay"
        ]
    );
    assert_eq!(available(&stack, "jon", "points").await, "402");
    let bun = buys(&stack, "jon", "bakery-1", "0.90").await;
    assert_eq!(spends(&bun.body).len(), 1, "less than 100 points are not spent");
    let novel = buys(&stack, "jon", "books-1", "20.00").await;
    assert_eq!(spends(&novel.body).len(), 1, "the bookshop does not take part");
    let feast = buys(&stack, "jon", "market-1", "80.00").await;
    assert_eq!(
        spends(&feast.body),
        [
            "instant 2.40 eur, back_end, 77.60 to pay",
            "automatic 500 points, back_end, 72.60 to pay"
        ]
    );
    // He thinks again: the newest word counts.
    says(&stack, "jon", Some(false)).await;
    let own = buys(&stack, "jon", "market-1", "10.00").await;
    assert_eq!(spends(&own.body).len(), 1, "he withdrew his consent");
    says(&stack, "jon", Some(true)).await;
    let block = json!({ "blocked": true, "reason": "a lost card" });
    let path = "/v1/participants/jon/block-spending";
    assert_eq!(stack.client.post(path, &key(), &block).await.unwrap().status, 200);
    let held = available(&stack, "jon", "points").await;
    let blocked = buys(&stack, "jon", "market-1", "10.00").await;
    assert_eq!(spends(&blocked.body), [""; 0], "R-67: nothing is spent");
    let more = available(&stack, "jon", "points").await;
    let number = |text: String| text.parse::<i64>().unwrap();
    assert_eq!(number(more) - number(held), 100, "R-67: awards go on");
}

/// A purchase that is cancelled gives back what it was paid with; so does a spend by its code.
#[tokio::test(flavor = "multi_thread")]
async fn r49_r72_what_was_spent_unasked_comes_back_with_a_cancel() {
    let stack = town().await;
    says(&stack, "kim", Some(true)).await;
    buys(&stack, "kim", "market-1", "40.00").await;
    let dinner = buys(&stack, "kim", "market-1", "30.00").await;
    assert_eq!(
        spends(&dinner.body),
        [
            "instant 0.90 eur, back_end, 29.10 to pay",
            "automatic 400 points, back_end, 25.10 to pay"
        ]
    );
    assert_eq!(available(&stack, "kim", "points").await, "300");
    let code = dinner.text("/spends/1/transaction");
    let undone = cancel(&stack, code, &key()).await;
    assert_eq!(undone.status, 200, "{undone:?}");
    assert_eq!(available(&stack, "kim", "points").await, "700");
    let id = dinner.text("/event/id");
    let now = read(&stack, &format!("/v1/events/{id}")).await;
    assert_eq!(now["event"]["totals"]["spent"], json!([{ "balance": "eur", "amount": "0.90" }]));
    let again = cancel(&stack, code, &key()).await;
    assert_eq!((again.status, again.text("/code")), (409, "already_cancelled"));
    let back = cancel(&stack, id, &key()).await;
    assert_eq!(back.status, 200, "{back:?}");
    assert_eq!(available(&stack, "kim", "points").await, "400");
    assert_eq!(available(&stack, "kim", "eur").await, "0.00");
}

/// What a file brings is judged by the queue right after, and spends as if it came one by one.
#[tokio::test(flavor = "multi_thread")]
async fn r15_r49_purchases_of_a_file_spend_alike() {
    let stack = town().await;
    says(&stack, "lea", Some(true)).await;
    let mut baskets = Vec::new();
    for total in ["40.00", "30.00"] {
        baskets.push(basket(&stack, "lea", "market-1", total).await);
    }
    let outcomes = bulk(&stack, &baskets).await;
    assert_eq!(stack.idle().await.unwrap().status, 200);
    let mut told = Vec::new();
    for outcome in &outcomes {
        let path = format!("/v1/events/{}", outcome["event_id"].as_str().unwrap());
        told.extend(spends(&read(&stack, &path).await));
    }
    assert_eq!(
        told,
        [
            "instant 1.20 eur, back_end, 38.80 to pay",
            "instant 0.90 eur, back_end, 29.10 to pay",
            "automatic 400 points, back_end, 25.10 to pay"
        ]
    );
}
