//! Nameless wallets, as a buyer and whoever got the card know them: the gift is redeemed without an
//! account, seen and spent by its code and PIN, and registered in the end (`events/passes/`).

use scenarios::client::{Answer, key};
use serde_json::{Value, json};

use crate::tale::Tale;

/// A card that was sold with 40 EUR, as whoever got it holds it.
struct Holder {
    tale: Tale,
    code: String,
    pin: String,
}

impl Holder {
    async fn new() -> Holder {
        let tale = Tale::of("passes").await;
        let printed =
            post(&tale, "/v1/pass-plans/gift-card/activate", &json!({ "count": 2 })).await;
        assert_eq!(printed.status, 201, "{printed:?}");
        let file = tale.stack.client.get("/v1/pass-plans/gift-card/codes").await.unwrap();
        let row = file.body.as_str().unwrap().lines().nth(1).unwrap().to_owned();
        let [_, code, pin] = row.split(',').collect::<Vec<_>>().try_into().unwrap();
        let sold = post(&tale, "/v1/passes/gift-card.0/load", &json!({ "value": "40.00" })).await;
        assert_eq!(sold.status, 200, "{sold:?}");
        Holder { code: code.into(), pin: pin.into(), tale }
    }

    fn pass(&self) -> Value {
        json!({ "code": self.code, "pin": self.pin })
    }

    /// The pass with what else a body says.
    fn with(&self, more: Value) -> Value {
        let mut body = self.pass();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    }

    async fn posts(&self, path: &str, body: &Value) -> Answer {
        post(&self.tale, path, body).await
    }

    async fn redeems(&self) -> Answer {
        self.posts("/v1/pass-redemptions", &self.pass()).await
    }

    async fn sees(&self) -> Answer {
        self.posts("/v1/pass-lookups", &self.pass()).await
    }

    async fn spends(&self, amount: &str) -> Answer {
        let body = json!({ "pass": self.pass(), "amount": amount });
        self.posts("/v1/spend-requests", &body).await
    }
}

async fn post(tale: &Tale, path: &str, body: &Value) -> Answer {
    tale.stack.client.post(path, &key(), body).await.unwrap()
}

fn told(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.text("/code"))
}

/// a gift is redeemed without an account, once, and a repeat tells the same wallet; the buyer
/// sees what is on it.
#[tokio::test(flavor = "multi_thread")]
async fn r82_a_gift_is_redeemed_into_a_wallet_without_a_name() {
    let holder = Holder::new().await;
    assert_eq!(holder.sees().await.body.get("participant_id"), None, "nothing was redeemed");
    let under = key();
    let client = &holder.tale.stack.client;
    let redeem =
        async || client.post("/v1/pass-redemptions", &under, &holder.pass()).await.unwrap();
    let (first, second) = (redeem().await, redeem().await);
    assert_eq!((first.status, second.status), (201, 201), "{first:?}");
    assert_eq!((&first.body["repeated"], &second.body["repeated"]), (&json!(false), &json!(true)));
    let who = first.text("/participant_id");
    assert_eq!(second.text("/participant_id"), who);
    assert!(who.starts_with("pass-"), "{who}");
    assert_eq!(told(&holder.redeems().await), (409, "pass_used"));
    assert_eq!(holder.tale.has(who, "eur").await, "40.00");

    let seen = holder.sees().await;
    assert_eq!((seen.text("/state"), seen.text("/participant_id")), ("redeemed", who));
    assert_eq!(seen.body["balances"], first.body["balances"]);
}

/// a top-up is for participants that are there.
#[tokio::test(flavor = "multi_thread")]
async fn r82_a_top_up_has_no_wallet_of_its_own() {
    let tale = Tale::of("passes").await;
    let issued = post(&tale, "/v1/pass-plans/top-up-25/passes", &json!({})).await;
    let body = json!({ "code": issued.text("/code"), "pin": issued.text("/pin") });
    let refused = post(&tale, "/v1/pass-redemptions", &body).await;
    assert_eq!(told(&refused), (422, "invalid"));
    let violation = ("/participant_id", "required");
    let place = (refused.text("/violations/0/pointer"), refused.text("/violations/0/code"));
    assert_eq!(place, violation, "{refused:?}");
}

/// code and PIN are both needed to spend and to hold; the name alone opens nothing, and
/// guesses lock the card.
#[tokio::test(flavor = "multi_thread")]
async fn r84_a_nameless_wallet_is_spent_from_with_code_and_pin() {
    let holder = Holder::new().await;
    let redeemed = holder.redeems().await;
    let who = redeemed.text("/participant_id");
    let spent = holder.spends("12.50").await;
    assert_eq!((spent.status, spent.text("/spent")), (201, "12.50"), "{spent:?}");
    let held = json!({ "pass": holder.pass(), "amount": "7.50" });
    let held = holder.posts("/v1/holds", &held).await;
    assert_eq!(held.status, 201, "{held:?}");
    let settle = format!("/v1/holds/{}/settle", held.text("/hold"));
    assert_eq!(holder.posts(&settle, &json!({})).await.status, 201, "by its code");
    assert_eq!(holder.tale.has(who, "eur").await, "20.00");

    let named = json!({ "participant_id": who, "amount": "5.00" });
    for path in ["/v1/spend-requests", "/v1/holds"] {
        assert_eq!(told(&holder.posts(path, &named).await), (409, "pass_required"), "{path}");
    }
    let both = json!({ "pass": holder.pass(), "participant_id": who, "amount": "5.00" });
    assert_eq!(told(&holder.posts("/v1/spend-requests", &both).await), (422, "invalid"));
    let profile = json!({ "profile": { "first_name": "Mallory" } });
    let path = format!("/v1/participants/{who}");
    let taken = holder.tale.stack.client.put(&path, &profile).await.unwrap();
    assert_eq!(told(&taken), (409, "pass_required"));

    let wrong = if holder.pin == "000000" { "000001" } else { "000000" };
    for pin in [Some(wrong), None, Some(wrong), Some(wrong), Some(wrong), Some(wrong)] {
        let guess = json!({ "pass": { "code": holder.code, "pin": pin }, "amount": "5.00" });
        let answer = holder.posts("/v1/spend-requests", &guess).await;
        assert_eq!(told(&answer), (409, "pass_not_redeemable"));
    }
    assert_eq!(told(&holder.spends("5.00").await), (409, "pass_not_redeemable"), "it is locked");
    assert_eq!(holder.tale.has(who, "eur").await, "20.00");
}

/// who registers the wallet keeps its balance; from then on the card opens nothing.
#[tokio::test(flavor = "multi_thread")]
async fn r82_whoever_holds_the_card_registers_and_keeps_the_balance() {
    let holder = Holder::new().await;
    let redeemed = holder.redeems().await;
    let who = redeemed.text("/participant_id");
    let body = holder.with(json!({ "profile": { "first_name": "Clara" } }));
    let (path, under) = ("/v1/pass-registrations", key());
    let register = async || holder.tale.stack.client.post(path, &under, &body).await.unwrap();
    let (first, second) = (register().await, register().await);
    assert_eq!((first.status, first.text("/id")), (200, who), "{first:?}");
    assert_eq!(first.text("/profile/first_name"), "Clara");
    assert_eq!((&first.body["repeated"], &second.body["repeated"]), (&json!(false), &json!(true)));
    assert_eq!(holder.tale.has(who, "eur").await, "40.00");

    assert_eq!(told(&holder.posts(path, &body).await), (409, "not_nameless"));
    assert_eq!(told(&holder.spends("5.00").await), (409, "not_nameless"));
    assert_eq!(holder.sees().await.body.get("balances"), None, "it is Clara's now");
    let named = json!({ "participant_id": who, "amount": "5.00" });
    assert_eq!(holder.posts("/v1/spend-requests", &named).await.status, 201);
    assert_eq!(holder.tale.has(who, "eur").await, "35.00");
    let updated = json!({ "profile": { "first_name": "Klara" } });
    let path = format!("/v1/participants/{who}");
    assert_eq!(holder.tale.stack.client.put(&path, &updated).await.unwrap().status, 200);
}
