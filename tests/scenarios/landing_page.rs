//! What a landing page for gifts asks the programme: a gift is bought and sent, looked at, redeemed
//! without an account, spent from, and taken into an account in the end.

use scenarios::client::{Answer, key};
use serde_json::{Value, json};

use crate::tale::Tale;

/// the page's own token buys, shows, redeems and spends; nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn r87_a_gift_is_bought_sent_looked_at_redeemed_spent_and_taken_into_an_account() {
    let tale = Tale::of("passes").await;
    tale.joins("clara").await;
    let scopes = ["passes.issue", "passes.redeem", "spend.write"];
    let page = tale.stack.caller(&scopes, &json!({})).await.unwrap();
    let posts =
        async |path: &str, body: Value| -> Answer { page.post(path, &key(), &body).await.unwrap() };

    let order = json!({ "recipient": "clara@example.org", "channel": "email", "value": "35.50" });
    let bought = posts("/v1/pass-plans/gift-mail/passes", order).await;
    assert_eq!(bought.status, 201, "{bought:?}");
    let pass = json!({ "code": bought.text("/code") });
    let path = format!("/v1/passes/{}", bought.text("/pass_id"));
    let kept = page.get(&path).await.unwrap();
    let sent = (kept.text("/recipient"), kept.text("/channel"));
    assert_eq!(sent, ("clara@example.org", "email"), "{kept:?}");

    let seen = posts("/v1/pass-lookups", pass.clone()).await;
    assert_eq!((seen.text("/value"), seen.text("/state")), ("35.50", "loaded"), "{seen:?}");
    let redeemed = posts("/v1/pass-redemptions", pass.clone()).await;
    assert_eq!(redeemed.status, 201, "{redeemed:?}");
    let spend = json!({ "pass": pass, "amount": "10.50" });
    assert_eq!(posts("/v1/spend-requests", spend.clone()).await.status, 201);
    let seen = posts("/v1/pass-lookups", pass.clone()).await;
    assert_eq!(seen.text("/balances/0/available"), "25.00", "{seen:?}");

    let mine = json!({ "code": bought.text("/code"), "participant_id": "clara" });
    let moved = posts("/v1/pass-registrations", mine).await;
    assert_eq!((moved.status, moved.text("/participant_id")), (200, "clara"), "{moved:?}");
    assert_eq!(tale.has("clara", "eur").await, "25.00");
    let wallet = tale.stack.client.get("/v1/participants/clara/wallet").await.unwrap();
    let expires = wallet.body["lots"][0]["expires_at"].as_str().unwrap_or_default();
    assert!(expires.contains("-01-01T00:00:00"), "it keeps its expiry: {wallet:?}");
    let late = posts("/v1/spend-requests", spend).await;
    assert_eq!((late.status, late.text("/code")), (409, "participant_merged"));
    assert_eq!(posts("/v1/pass-lookups", pass).await.body.get("balances"), None);
    assert_eq!(page.get("/v1/participants/clara").await.unwrap().status, 403);
}
