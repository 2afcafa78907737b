//! Passes, as a shop tells them: cards that are printed and loaded at the sale, gifts by mail,
//! top-ups, and what an operator mends (`events/passes/`).

use scenarios::client::{Answer, Call, key};
use serde_json::{Value, json};

use crate::tale::Tale;

impl Tale {
    async fn posts(&self, path: &str, body: &Value) -> Answer {
        self.stack.client.post(path, &key(), body).await.unwrap()
    }

    async fn gets(&self, path: &str) -> Answer {
        self.stack.client.get(path).await.unwrap()
    }

    async fn changes(&self, pass: &str, body: &Value) -> Answer {
        let path = format!("/v1/passes/{pass}");
        let call = Call { method: "PATCH", path: &path, key: None, body: Some(body) };
        self.stack.client.send(&call).await.unwrap()
    }

    async fn redeems(&self, who: &str, code: &str, pin: Option<&str>) -> Answer {
        let body = json!({ "code": code, "pin": pin, "participant_id": who });
        self.posts("/v1/pass-redemptions", &body).await
    }

    /// Prints gift cards; answers their serials, codes and PINs.
    async fn prints(&self, count: usize) -> Vec<[String; 3]> {
        let body = json!({ "count": count });
        let printed = self.posts("/v1/pass-plans/gift-card/activate", &body).await;
        assert_eq!((printed.status, &printed.body["count"]), (201, &json!(count)), "{printed:?}");
        cards(&self.gets("/v1/pass-plans/gift-card/codes").await)
    }
}

/// The rows of a print file.
fn cards(file: &Answer) -> Vec<[String; 3]> {
    assert_eq!((file.status, file.media_type.as_str()), (200, "text/csv; charset=utf-8"));
    let mut lines = file.body.as_str().unwrap().lines();
    assert_eq!(lines.next(), Some("serial,code,pin"));
    let row = |line: &str| -> [String; 3] {
        line.split(',').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap()
    };
    lines.map(row).collect()
}

fn told(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.text("/code"))
}

/// a card is printed, sold with 40 EUR at a store and redeemed at home: with its
/// PIN, once.
#[tokio::test(flavor = "multi_thread")]
async fn r81_a_printed_card_is_loaded_at_the_sale_and_redeemed_with_its_pin() {
    let tale = Tale::of("passes").await;
    tale.joins("clara").await;
    let printed = tale.prints(25).await;
    assert_eq!(printed.len(), 25);
    let [serial, code, pin] = &printed[7];
    assert_eq!(serial, "7");

    // On the shelf it is worth nothing; only who knows the PIN is told so.
    assert_eq!(told(&tale.redeems("clara", code, Some(pin)).await), (409, "pass_not_loaded"));
    assert_eq!(told(&tale.redeems("clara", code, None).await), (409, "pass_not_redeemable"));

    let load = |value: &str| json!({ "value": value });
    let pass = "/v1/passes/gift-card.7/load";
    assert_eq!(told(&tale.posts(pass, &load("500.00")).await), (422, "invalid"));
    let sold = tale.posts(pass, &load("40.00")).await;
    assert_eq!((sold.status, sold.text("/state"), sold.text("/value")), (200, "loaded", "40.00"));
    assert_eq!(told(&tale.posts(pass, &load("40.00")).await), (409, "pass_loaded"));

    let seen = tale.posts("/v1/pass-lookups", &json!({ "code": code, "pin": pin })).await;
    assert_eq!((seen.status, seen.text("/value"), seen.text("/balance")), (200, "40.00", "eur"));
    let redeemed = tale.redeems("clara", &code.to_lowercase().replace('-', " "), Some(pin)).await;
    assert_eq!(
        (redeemed.status, redeemed.text("/credited/amount")),
        (201, "40.00"),
        "{redeemed:?}"
    );
    assert_eq!(tale.has("clara", "eur").await, "40.00");
    assert_eq!(told(&tale.redeems("clara", code, Some(pin)).await), (409, "pass_used"));
    assert_eq!(tale.has("clara", "eur").await, "40.00");
}

/// the print file is the same for ever, page by page, and who fetched it is remembered.
#[tokio::test(flavor = "multi_thread")]
async fn r81_the_print_file_is_the_same_for_ever_and_every_access_is_told() {
    let tale = Tale::of("passes").await;
    let nothing = tale.gets("/v1/pass-plans/gift-card/codes").await;
    assert_eq!(told(&nothing), (404, "pass_plan_not_found"), "nothing is printed yet");
    let printed = tale.prints(25).await;
    let mut pages = Vec::new();
    for from in [0, 10, 20, 30] {
        let page = tale.gets(&format!("/v1/pass-plans/gift-card/codes?from={from}&limit=10")).await;
        pages.extend(cards(&page));
    }
    assert_eq!(pages, printed);
    let again = tale.posts("/v1/pass-plans/gift-card/activate", &json!({ "count": 25 })).await;
    assert_eq!(told(&again), (409, "plan_activated"));
    let plan = tale.gets("/v1/pass-plans/gift-card").await;
    assert_eq!((&plan.body["printed"], &plan.body["has_passes"]), (&json!(25), &json!(true)));
    let accesses = plan.body["code_accesses"].as_array().unwrap();
    let rows: Vec<u64> = accesses.iter().map(|access| access["rows"].as_u64().unwrap()).collect();
    assert_eq!(rows, [0, 5, 10, 10, 25], "the newest first");
    assert_eq!(accesses[0]["by"], "local");

    // A token that may issue and load may not print.
    let till = tale.stack.caller(&["passes.issue", "passes.redeem"], &json!({})).await.unwrap();
    assert_eq!(till.get("/v1/pass-plans/gift-card/codes").await.unwrap().status, 403);
    assert_eq!(till.get("/v1/pass-plans/gift-card").await.unwrap().status, 200);
}

/// a gift goes out by mail with the value that the buyer chose; the same order is one pass.
#[tokio::test(flavor = "multi_thread")]
async fn r81_a_gift_by_mail_has_the_value_that_the_buyer_chose() {
    let tale = Tale::of("passes").await;
    tale.joins("clara").await;
    let order = json!({ "recipient": "clara@example.org", "channel": "email", "value": "35.50" });
    let order_key = key();
    let path = "/v1/pass-plans/gift-mail/passes";
    let issue = async || tale.stack.client.post(path, &order_key, &order).await.unwrap();
    let (first, second) = (issue().await, issue().await);
    assert_eq!((first.status, second.status), (201, 201), "{first:?}");
    assert_eq!(first.text("/code"), second.text("/code"));
    assert_eq!((&first.body["repeated"], &second.body["repeated"]), (&json!(false), &json!(true)));
    assert_eq!(first.body.get("pin"), None, "the plan has none");
    let redeemed = tale.redeems("clara", first.text("/code"), None).await;
    assert_eq!((redeemed.status, redeemed.text("/credited/amount")), (201, "35.50"));
    let wrong = tale.posts(path, &json!({ "value": "200.01" })).await;
    assert_eq!(told(&wrong), (422, "invalid"));
    let printed = tale.posts("/v1/pass-plans/gift-card/passes", &json!({ "value": "20.00" })).await;
    assert_eq!(told(&printed), (422, "invalid"), "they are printed: {printed:?}");
}

/// a top-up needs its PIN; after five wrong ones it is locked, also for who knows it,
/// until an operator unlocks it.
#[tokio::test(flavor = "multi_thread")]
async fn r84_a_top_up_locks_after_five_wrong_pins() {
    let tale = Tale::of("passes").await;
    tale.joins("clara").await;
    let issued = tale.posts("/v1/pass-plans/top-up-25/passes", &json!({})).await;
    let (code, pin) = (issued.text("/code"), issued.text("/pin"));
    let wrong = if pin == "000000" { "000001" } else { "000000" };
    let mut answers = Vec::new();
    for typed in [Some(wrong), None, Some("1"), Some(wrong), Some("ü"), Some(wrong)] {
        answers.push(tale.redeems("clara", code, typed).await);
    }
    answers.push(tale.redeems("clara", code, Some(pin)).await);
    let unknown = tale.redeems("clara", "7080-0XDW-T5H0-CWP5-VXAX-X2YE", Some(pin)).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (409, &unknown.body), "all answer alike");
    }
    let id = issued.text("/pass_id");
    let locked = tale.gets(&format!("/v1/passes/{id}")).await;
    assert_eq!((locked.text("/state"), &locked.body["pin_tries"]), ("locked", &json!(5)));
    let unlocked = tale.changes(id, &json!({ "state": "usable" })).await;
    assert_eq!((unlocked.status, unlocked.text("/state")), (200, "loaded"), "{unlocked:?}");
    let redeemed = tale.redeems("clara", code, Some(pin)).await;
    assert_eq!((redeemed.status, redeemed.text("/credited/amount")), (201, "25.00"));
    let nobody = tale.redeems("nobody", code, Some(pin)).await;
    assert_eq!(nobody.status, 404, "a top-up is for participants that are there: {nobody:?}");
}

/// state, expiry, value and PIN of one pass, with who changed them.
#[tokio::test(flavor = "multi_thread")]
async fn r86_an_operator_mends_a_single_pass() {
    let tale = Tale::of("passes").await;
    tale.joins("clara").await;
    let printed = tale.prints(2).await;
    let [_, code, old] = &printed[1];
    let id = "gift-card.1";
    tale.posts("/v1/passes/gift-card.1/load", &json!({ "value": "40.00" })).await;
    let pin = if old == "123456" { "654321" } else { "123456" };
    let change = json!({ "value": "60.00", "redeemable_until": "2099-12-31", "pin": pin });
    let changed = tale.changes(id, &change).await;
    assert_eq!((changed.status, changed.text("/value")), (200, "60.00"), "{changed:?}");
    assert_eq!(changed.text("/redeemable_until"), "2100-01-01T00:00:00+01:00");
    assert_eq!(told(&tale.redeems("clara", code, Some(old)).await), (409, "pass_not_redeemable"));
    tale.changes(id, &json!({ "state": "void" })).await;
    assert_eq!(told(&tale.redeems("clara", code, Some(pin)).await), (409, "pass_void"));
    tale.changes(id, &json!({ "state": "usable" })).await;
    assert_eq!(tale.redeems("clara", code, Some(pin)).await.text("/credited/amount"), "60.00");
    let seen = tale.gets(&format!("/v1/passes/{id}")).await;
    let changes: Vec<&str> = seen.body["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["change"].as_str().unwrap())
        .collect();
    assert_eq!(changes, ["loaded", "redeemable_until", "value", "pin", "void", "usable"]);
    assert!(!seen.body.to_string().contains(pin), "the PIN is not told");
    let missing = tale.changes("gift-card.2", &json!({ "state": "void" })).await;
    assert_eq!(told(&missing), (404, "pass_not_found"), "two were printed");
}

/// A redemption is taken back: the value by the debt policy, the pass usable again or void.
#[tokio::test(flavor = "multi_thread")]
async fn r72_a_redemption_is_taken_back_by_the_debt_policy() {
    let tale = Tale::of("passes").await;
    tale.joins("clara").await;
    let issued = tale.posts("/v1/pass-plans/gift-mail/passes", &json!({ "value": "30.00" })).await;
    let code = issued.text("/code");
    let first = tale.redeems("clara", code, None).await;
    let cancel =
        |answer: &Answer| format!("/v1/pass-redemptions/{}/cancel", answer.text("/transaction"));
    let back = tale.posts(&cancel(&first), &json!({ "pass": "usable" })).await;
    assert_eq!(back.status, 200, "{back:?}");
    assert_eq!(tale.has("clara", "eur").await, "0.00");
    let twice = tale.posts(&cancel(&first), &json!({ "pass": "void" })).await;
    assert_eq!(told(&twice), (409, "already_cancelled"));

    let second = tale.redeems("clara", code, None).await;
    assert_eq!(second.status, 201, "it is usable again: {second:?}");
    let spent = json!({ "participant_id": "clara", "amount": "12.00" });
    assert_eq!(tale.posts("/v1/spend-requests", &spent).await.status, 201);
    let refused = tale.posts(&cancel(&second), &json!({ "pass": "void" })).await;
    assert_eq!(told(&refused), (409, "award_spent"), "the programme carries no debt");
    assert_eq!(tale.has("clara", "eur").await, "18.00");
}

/// a plan that has passes does not change, but it can be copied.
#[tokio::test(flavor = "multi_thread")]
async fn r80_a_plan_with_passes_cannot_change_but_can_be_copied() {
    let tale = Tale::of("passes").await;
    let mut programme = tale.body("programme").await;
    programme["pass_plans"][1]["value"]["max"] = json!("250.00");
    let put = async |programme: &Value| tale.stack.client.put("/v1/programme", programme).await;
    assert_eq!(put(&programme).await.unwrap().status, 200, "nobody has one yet");
    tale.posts("/v1/pass-plans/gift-mail/passes", &json!({ "value": "30.00" })).await;
    programme["pass_plans"][1]["value"]["max"] = json!("300.00");
    let refused = put(&programme).await.unwrap();
    assert_eq!((refused.status, refused.text("/violations/0/pointer")), (422, "/pass_plans/1"));
    let first = tale.posts("/v1/programme/versions/1/activate", &json!({})).await;
    assert_eq!(first.status, 422, "nor by way of an older version: {first:?}");
    let mut without = programme.clone();
    without["pass_plans"].as_array_mut().unwrap().remove(1);
    assert_eq!(put(&without).await.unwrap().text("/violations/0/pointer"), "/pass_plans");

    programme["pass_plans"][1]["value"]["max"] = json!("250.00");
    let copy = json!({ "id": "gift-mail-xl", "copy_of": "gift-mail",
                       "value": { "min": "5.00", "max": "300.00" } });
    programme["pass_plans"].as_array_mut().unwrap().push(copy);
    assert_eq!(put(&programme).await.unwrap().status, 200);
}
