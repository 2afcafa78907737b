//! Promotions, as a shop runs them: a word on posters for those who come often, letters with codes
//! of their own, and a code on the receipt for the next visit (`events/passes/`).

use scenarios::client::{Answer, Call, key};
use serde_json::{Value, json};

use crate::calls::bulk;
use crate::tale::{Tale, awards, why_not};

impl Tale {
    /// Joins, as somebody with this tag.
    async fn joins_as(&self, who: &str, tag: &str) {
        let path = format!("/v1/participants/{who}");
        let profile = json!({ "profile": { "tags": [tag] } });
        assert_eq!(self.stack.client.put(&path, &profile).await.unwrap().status, 201);
    }

    /// A purchase of the folder under a reference of its own; with or without a code.
    async fn purchase(&self, file: &str, who: &str, code: Option<&str>) -> Value {
        let mut body = self.body(file).await;
        body["participant_id"] = json!(who);
        body["external_reference"] = json!(key());
        body["pass"] = code.map_or(Value::Null, |code| json!({ "code": code }));
        body
    }

    async fn buys(&self, file: &str, who: &str, code: Option<&str>) -> Answer {
        let answer = self.post(file, &self.purchase(file, who, code).await).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer
    }

    async fn sends_to(&self, path: &str, body: &Value) -> Answer {
        self.stack.client.post(path, &key(), body).await.unwrap()
    }

    /// A letter with a code of its own.
    async fn letter(&self) -> Answer {
        let issued = self.sends_to("/v1/pass-plans/next-visit/passes", &json!({})).await;
        assert_eq!(issued.status, 201, "{issued:?}");
        issued
    }

    async fn shows(&self, path: &str) -> Value {
        let answer = self.stack.client.get(path).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }
}

/// Whether the code was accepted, else why not.
fn became(answer: &Answer) -> &str {
    let pass = answer.body.pointer("/event/pass").or(answer.body.get("pass")).unwrap();
    if pass["accepted"] == true { "accepted" } else { pass["reason"].as_str().unwrap() }
}

/// a summer promotion with a universal code for one segment: in any case, and active for a
/// month; who is not in the segment gets what everybody gets.
#[tokio::test(flavor = "multi_thread")]
async fn r83_a_word_on_a_poster_makes_the_summer_offer_active_for_one_segment() {
    let tale = Tale::of("passes").await;
    tale.joins_as("clara", "regular").await;
    tale.joins("otto").await;

    let before = tale.buys("purchase-sandals", "clara", None).await;
    assert_eq!(awards(&before), ["two-per-cent 60 points"]);
    assert_eq!(why_not(&before, "summer-shoes"), "pass_required");
    let seen = tale.purchase("purchase-sandals", "clara", Some("summer26")).await;
    let preview = tale.sends_to("/v1/events/preview", &seen).await;
    assert_eq!((preview.status, became(&preview)), (200, "accepted"), "{preview:?}");

    let shown = tale.buys("purchase-sandals", "clara", Some("summer26")).await;
    assert_eq!(became(&shown), "accepted");
    assert_eq!(awards(&shown), ["two-per-cent 60 points", "summer-shoes 200 points"]);
    assert_eq!(shown.text("/event/pass/pass_plan"), "summer");
    let wallet = tale.shows("/v1/participants/clara/wallet").await;
    assert_eq!(wallet["promotions"][0]["pass_plan"], "summer");
    let later = tale.buys("purchase-sandals", "clara", None).await;
    assert_eq!(awards(&later), ["two-per-cent 60 points", "summer-shoes 200 points"]);

    let outside = tale.buys("purchase-sandals", "otto", Some("SUMMER26")).await;
    assert_eq!(became(&outside), "pass_gives_nothing");
    assert_eq!(awards(&outside), ["two-per-cent 60 points"]);
    assert_eq!(why_not(&outside, "summer-shoes"), "not_in_segment");

    // Its cancel takes the activation back.
    tale.stack.client.post(&cancel(&shown), &key(), &json!({})).await.unwrap();
    let after = tale.buys("purchase-sandals", "clara", None).await;
    assert_eq!(awards(&after), ["two-per-cent 60 points"]);
    // The month goes by.
    tale.buys("purchase-sandals", "clara", Some("Summer26")).await;
    tale.stack.advance("P31D").await.unwrap();
    let over = tale.buys("purchase-sandals", "clara", None).await;
    assert_eq!(why_not(&over, "summer-shoes"), "pass_required");
}

fn cancel(answer: &Answer) -> String {
    format!("/v1/events/{}/cancel", answer.text("/event/id").replace(':', "%3A"))
}

/// a letter takes a tenth off one purchase, whose repeat is answered alike; a forged
/// code, a mistyped one and that of a gift are nobody's.
#[tokio::test(flavor = "multi_thread")]
async fn r83_a_letter_takes_a_tenth_off_one_purchase() {
    let tale = Tale::of("passes").await;
    tale.joins("clara").await;
    let letter = tale.letter().await;
    let code = letter.text("/code");
    assert_eq!((letter.body.get("balance"), letter.body.get("value")), (None, None));

    let hat = tale.purchase("purchase-hat", "clara", Some(&code.to_lowercase())).await;
    let bought = tale.post("purchase-hat", &hat).await;
    assert_eq!((bought.status, became(&bought)), (201, "accepted"), "{bought:?}");
    assert_eq!(bought.text("/discounts/0/amount"), "6.00");
    let again = tale.post("purchase-hat", &hat).await;
    assert_eq!((again.status, &again.body["repeated"]), (201, &json!(true)));
    assert_eq!(again.text("/discounts/0/amount"), "6.00");

    let used = tale.buys("purchase-hat", "clara", Some(code)).await;
    assert_eq!((became(&used), used.body.get("discounts")), ("pass_used", None));
    let gift = tale.sends_to("/v1/pass-plans/gift-mail/passes", &json!({ "value": "30.00" })).await;
    let mistyped = format!("{}{}", &code[..28], if code.ends_with('0') { '1' } else { '0' });
    for nobodys in ["7080-0XDW-T5H0-CWP5-VXAX-X2YE", &mistyped, gift.text("/code"), "WINTER26"] {
        let answer = tale.buys("purchase-hat", "clara", Some(nobodys)).await;
        assert_eq!(answer.body["event"]["pass"]["reason"], "pass_not_redeemable");
        assert_eq!(answer.body["event"]["pass"].as_object().unwrap().len(), 2, "and no more");
    }
    let redeem = json!({ "code": code, "participant_id": "clara" });
    let redeemed = tale.sends_to("/v1/pass-redemptions", &redeem).await;
    assert_eq!((redeemed.status, redeemed.text("/code")), (409, "pass_used"));

    // Its purchase comes back, and so does its use.
    let back = tale.stack.client.post(&cancel(&bought), &key(), &json!({})).await.unwrap();
    assert_eq!(back.status, 200, "{back:?}");
    let once_more = tale.buys("purchase-hat", "clara", Some(code)).await;
    assert_eq!(became(&once_more), "accepted");
    let id = letter.text("/pass_id");
    let detail = tale.shows(&format!("/v1/passes/{id}")).await;
    assert_eq!(detail["redemptions"].as_array().unwrap().len(), 2);
    let shown = [bought.body, once_more.body, detail].map(|body| body.to_string());
    assert!(shown.iter().all(|text| !text.contains(code)), "no answer repeats it");
}

/// a purchase gives a code for the next visit: the repeat tells the same, nothing else tells
/// it, and it takes a tenth off the next purchase.
#[tokio::test(flavor = "multi_thread")]
async fn r83_a_purchase_gives_a_code_that_the_next_one_uses() {
    let tale = Tale::of("passes").await;
    tale.joins("clara").await;
    let hat = tale.purchase("purchase-hat", "clara", None).await;
    let preview = tale.sends_to("/v1/events/preview", &hat).await;
    assert_eq!(
        preview.body["passes"],
        json!([{ "offer": "come-again", "pass_plan": "next-visit" }])
    );
    let first = tale.post("purchase-hat", &hat).await;
    let code = first.text("/passes/0/code").to_owned();
    assert_eq!(code.len(), 29, "{first:?}");
    let again = tale.post("purchase-hat", &hat).await;
    assert_eq!(
        (again.text("/passes/0/code"), &again.body["repeated"]),
        (code.as_str(), &json!(true))
    );
    let known = tale.event(&first).await;
    assert_eq!(known.text("/passes/0/pass_plan"), "next-visit");
    assert!(!known.body.to_string().contains(&code), "it is told once");
    let transactions = tale.shows("/v1/participants/clara/transactions").await;
    assert!(!transactions.to_string().contains(&code));

    let next = tale.buys("purchase-hat", "clara", Some(&code)).await;
    assert_eq!((became(&next), next.text("/discounts/0/amount")), ("accepted", "6.00"));
    assert_eq!(why_not(&next, "come-again"), "limit_reached", "once a day");
    // Cancelled before anybody used it, what it gave is void.
    tale.joins("otto").await;
    let other = tale.buys("purchase-hat", "otto", None).await;
    let given = other.text("/passes/0/code");
    tale.stack.client.post(&cancel(&other), &key(), &json!({})).await.unwrap();
    let void = tale.buys("purchase-hat", "clara", Some(given)).await;
    assert_eq!(became(&void), "pass_void");
}

/// what is not judged in the call takes no code; and a plan that has passes does not change.
#[tokio::test(flavor = "multi_thread")]
async fn r83_a_code_comes_with_a_purchase_that_is_judged_in_its_call() {
    let tale = Tale::of("passes").await;
    tale.joins("clara").await;
    let mut hat = tale.purchase("purchase-hat", "clara", Some("SUMMER26")).await;
    let outcomes = bulk(&tale.stack, &[hat.clone()]).await;
    assert_eq!(outcomes[0]["problem"]["violations"][0]["pointer"], "/pass", "{outcomes:?}");
    hat["pass"] = json!({ "code": "SUMMER26", "pin": "1" });
    let call = Call { method: "POST", path: "/v1/events", key: None, body: Some(&hat) };
    let refused = tale.stack.client.send(&call).await.unwrap();
    assert_eq!((refused.status, refused.text("/violations/0/pointer")), (422, "/pass/pin"));
    tale.buys("purchase-hat", "clara", None).await;
    let mut programme = tale.body("programme").await;
    let plans = programme["pass_plans"].as_array_mut().unwrap();
    let next = plans.iter_mut().find(|plan| plan["id"] == "next-visit").unwrap();
    next["redeemable"]["for"] = json!("P90D");
    let put = tale.stack.client.put("/v1/programme", &programme).await.unwrap();
    assert_eq!(put.status, 422, "a purchase gave the first of them: {put:?}");
}

/// the export of the segment that is told of a promotion says which.
#[tokio::test(flavor = "multi_thread")]
async fn r83_the_export_of_a_segment_says_what_its_members_are_told() {
    let tale = Tale::of("passes").await;
    let started = tale
        .sends_to("/v1/segments/regulars/exports", &json!({ "mode": "full", "force": true }))
        .await;
    assert_eq!(started.status, 202, "{started:?}");
    tale.stack.idle().await.unwrap();
    let export = tale.shows(&format!("/v1/exports/{}", started.text("/export_id"))).await;
    let manifest = export["files"].as_array().unwrap().iter();
    let manifest = manifest.last().unwrap()["url"].as_str().unwrap().to_owned();
    let manifest = tale.stack.client.fetch(&manifest).await.unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let announces = json!([{ "pass_plan": "summer", "universal": "SUMMER26" }]);
    assert_eq!(manifest["announces"], announces);
}
