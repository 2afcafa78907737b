//! Referrals, financial statements and surveys, as a programme manager knows them (R-9, R-13,
//!

use scenarios::client::{Answer, key};
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::calls::{cancel, read, run, spend, spend_of};
use crate::desk::{available, own_stack, participant, post_event, sample, transactions};

/// A stack with offers of these classes; what an award spent becomes is chosen.
async fn club(debt_policy: &str) -> Stack {
    let stack = own_stack().await;
    let mut programme = sample("transit/programme.json");
    programme["definition"]["debt_policy"] = json!(debt_policy);
    programme["kpis"] = json!([{ "name": "deposits", "products": ["savings"] }]);
    programme["offers"] = json!([
        { "id": "thanks", "class": "referral", "award": points(100), "on_top": true },
        { "id": "welcome", "class": "referral", "beneficiary": "referred",
          "award": points(50), "limit": "once", "on_top": true },
        { "id": "saver", "class": "financial_statement", "on_top": true,
          "when": { "kpi": "deposits" }, "award": { "balance": "points", "percentage": "1" } },
        { "id": "half-year", "class": "financial_statement", "on_top": true,
          "when": { "kpi": "deposits" }, "award": points(500),
          "accumulate": { "at_least": "5000.00", "within": { "rolling": "P180D" } } },
        { "id": "promoter", "class": "behaviour", "award": points(5),
          "when": { "score": { "from": 9 } } },
    ]);
    let put = stack.client.put("/v1/programme", &programme).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    // Programmes are cached for two seconds of the stack's time.
    stack.advance("PT10S").await.unwrap();
    stack
}

fn points(amount: u64) -> Value {
    json!({ "balance": "points", "amount": amount.to_string() })
}

fn event(event_type: &str, own: &Value) -> Value {
    let mut event = json!({ "type": event_type, "performed_on": scenarios::client::now(),
        "external_system": "test", "external_reference": key() });
    event.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    event
}

async fn refer(stack: &Stack, referrer: &str, referred: &str) -> String {
    let own = json!({ "referrer_participant_id": referrer, "referred_participant_id": referred });
    waits(stack, &event("referral", &own)).await
}

async fn waits(stack: &Stack, event: &Value) -> String {
    let answer = post_event(stack, event).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.text("/event/id").to_owned()
}

async fn both(stack: &Stack, ids: [&str; 2]) -> [String; 2] {
    [available(stack, ids[0], "points").await, available(stack, ids[1], "points").await]
}

fn told(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.text("/code"))
}

#[tokio::test(flavor = "multi_thread")]
async fn r9_r72_a_referral_awards_both_or_nobody_and_its_cancel_takes_back_both() {
    let stack = club("carry").await;
    let (anna, ben) = (participant(&stack).await, participant(&stack).await);
    let pair = [anna.as_str(), ben.as_str()];
    let first = refer(&stack, &anna, &ben).await;
    let ran = run(&stack).await;
    assert_eq!((&ran["events"], &ran["awarded"]), (&json!(1), &json!(2)), "{ran}");
    assert_eq!(both(&stack, pair).await, ["100", "50"]);
    let seen = read(&stack, &format!("/v1/events/{first}")).await;
    let awards = seen["awards"].as_array().unwrap();
    assert_eq!(awards[0]["participant_id"], json!(ben));
    assert_eq!((&awards[1]["offer"], awards[1].get("participant_id")), (&json!("thanks"), None));
    let rows = transactions(&stack, &ben).await;
    assert_eq!(
        (&rows[0]["code"], &rows[0]["offer"]),
        (&awards[0]["transaction"], &json!("welcome"))
    );
    let listed = read(&stack, &format!("/v1/participants/{ben}/events")).await;
    assert_eq!(listed["events"][0]["id"], json!(first), "R-16: it stands in both ledgers");

    // Ben was welcomed once, so nobody is thanked for it again.
    let second = refer(&stack, &anna, &ben).await;
    run(&stack).await;
    assert_eq!(both(&stack, pair).await, ["100", "50"]);
    let passed = json!([{ "offer": "welcome", "reason": "limit_reached" },
        { "offer": "thanks", "reason": "referred_not_awarded" }]);
    assert_eq!(read(&stack, &format!("/v1/events/{second}")).await["passed_over"], passed);

    let spent = spend(&stack, &key(), &spend_of(&ben, 20, None)).await;
    assert_eq!(spent.status, 201, "{spent:?}");
    let under = key();
    for repeated in [false, true] {
        let back = cancel(&stack, &first, &under).await;
        assert_eq!((back.status, &back.body["repeated"]), (200, &json!(repeated)), "{back:?}");
    }
    assert_eq!(both(&stack, pair).await, ["0", "0"]);
    let wallet = read(&stack, &format!("/v1/participants/{ben}/wallet")).await;
    let balances = wallet["balances"].as_array().unwrap();
    let owed = balances.iter().find(|known| known["balance"] == "points").unwrap();
    assert_eq!(owed["debt"], "20");
    assert_eq!(told(&cancel(&stack, &first, &key()).await), (409, "already_cancelled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn r72_under_refuse_either_wallets_shortage_refuses_the_whole_cancel() {
    let stack = club("refuse").await;
    let (anna, ben) = (participant(&stack).await, participant(&stack).await);
    let event = refer(&stack, &anna, &ben).await;
    run(&stack).await;
    assert_eq!(spend(&stack, &key(), &spend_of(&ben, 1, None)).await.status, 201);
    let under = key();
    for _ in 0..2 {
        assert_eq!(told(&cancel(&stack, &event, &under).await), (409, "award_spent"));
        assert_eq!(both(&stack, [&anna, &ben]).await, ["100", "49"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r13_r43_r54_statements_and_surveys_are_awarded_by_what_they_say() {
    let stack = club("carry").await;
    let id = participant(&stack).await;
    let statement = |period: &str, value: &str| {
        let values = json!([{ "kpi": "deposits", "product": "savings", "value": value },
            { "kpi": "deposits", "product": "loans", "value": "9999.00" }]);
        event(
            "financial_statement",
            &json!({ "participant_id": id, "period": period, "kpi_values": values }),
        )
    };
    let first = waits(&stack, &statement("2026-01", "3000.00")).await;
    run(&stack).await;
    assert_eq!(available(&stack, &id, "points").await, "30");
    let second = waits(&stack, &statement("2026-02", "2000.00")).await;
    run(&stack).await;
    assert_eq!(available(&stack, &id, "points").await, "550");
    // its share, and the award that it completed.
    assert_eq!(cancel(&stack, &first, &key()).await.status, 200);
    assert_eq!(available(&stack, &id, "points").await, "20");
    assert_eq!(cancel(&stack, &second, &key()).await.status, 200);
    assert_eq!(available(&stack, &id, "points").await, "0");

    for (score, want) in [(8, "0"), (9, "5")] {
        let own = json!({ "participant_id": id, "url": "https://example.org/s", "score": score,
            "process_immediately": true });
        assert_eq!(post_event(&stack, &event("web", &own)).await.status, 201);
        assert_eq!(available(&stack, &id, "points").await, want);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r9_a_programme_that_thanks_but_never_welcomes_is_refused() {
    let stack = own_stack().await;
    let mut programme = sample("transit/programme.json");
    programme["offers"] = json!([{ "id": "thanks", "class": "referral", "award": points(100) }]);
    let put = stack.client.put("/v1/programme", &programme).await.unwrap();
    assert_eq!(told(&put), (422, "invalid"));
    assert_eq!(put.body["violations"][0]["pointer"], "/offers");
}
