//! The shops of a neighbourhood, as a programme manager tells it: gifts that are handed over,
//! discounts while one pays, and offers for what people here like (`events/neighbourhood/`).

use scenarios::client::{Answer, key};
use serde_json::{Value, json};

use crate::calls::read;
use crate::desk::transactions;
use crate::tale::{Tale, awards, why_not};

/// `offer amount` of every discount of an answer.
fn discounts(answer: &Answer) -> Vec<String> {
    let list = answer.body["discounts"].as_array().cloned().unwrap_or_default();
    let text = |discount: &Value, name: &str| discount[name].as_str().unwrap().to_owned();
    list.iter().map(|d| ["offer", "amount"].map(|name| text(d, name)).join(" ")).collect()
}

impl Tale {
    /// The pieces of a gift that somebody can have; a wallet says nothing of what it has none of.
    async fn gifts(&self, who: &str, gift: &str) -> String {
        let wallet = read(&self.stack, &format!("/v1/participants/{who}/wallet")).await;
        let balances = wallet["balances"].as_array().unwrap();
        let found = balances.iter().find(|balance| balance["balance"] == gift);
        found.map_or("none".into(), |balance| balance["available"].as_str().unwrap().into())
    }

    async fn previews(&self, body: &Value) -> Answer {
        self.stack.client.post("/v1/events/preview", &key(), body).await.unwrap()
    }

    /// Support credits points.
    async fn credits(&self, who: &str, amount: &str) {
        let path = format!("/v1/participants/{who}/adjustments");
        let body =
            json!({ "balance": "points", "amount": amount, "reason": "moved from the old system" });
        let answer = self.stack.client.post(&path, &key(), &body).await.unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
    }
}

/// whoever gives nine points or ten in the survey has a coffee, for thirty days; a
/// bakery hands it over, once, and it pays nothing.
#[tokio::test(flavor = "multi_thread")]
async fn r54_a_survey_brings_a_coffee_that_a_bakery_hands_over() {
    let tale = Tale::of("neighbourhood").await;
    let mut survey = tale.body("web-survey").await;
    survey["score"] = json!(8);
    survey["external_reference"] = json!("answer-8");
    let poor = tale.post("web-survey", &survey).await;
    assert_eq!(why_not(&poor, "survey-coffee"), "score_out_of_range");
    let good = tale.sends("web-survey").await;
    assert_eq!(awards(&good), ["survey-coffee 1 coffee"], "{good:?}");
    assert_eq!(good.text("/awards/0/gift/name"), "A coffee", "the till reads what it is");
    assert!(good.body["awards"][0]["expires_at"].is_string());
    assert_eq!(tale.gifts("ida", "coffee").await, "1");

    // It is no money: breakfast is not paid with it.
    let breakfast = tale.sends("purchase-breakfast").await;
    let mut spend = tale.body("spend-coffee").await;
    spend["purchase_event_id"] = json!(breakfast.text("/event/id"));
    let refused = tale.post("spend-coffee", &spend).await;
    assert_eq!((refused.status, refused.text("/code")), (409, "gift_is_no_money"), "{refused:?}");
    assert_eq!(tale.gifts("ida", "coffee").await, "1", "what is refused changes nothing");

    // Handed over: one piece, with a transaction code. A second one there is not.
    let given = tale.sends("spend-coffee").await;
    assert_eq!(given.status, 201, "{given:?}");
    assert_eq!((given.text("/spent"), given.text("/remainder")), ("1", "0"));
    assert_eq!(tale.gifts("ida", "coffee").await, "none");
    let again = tale.sends("spend-coffee").await;
    assert_eq!((again.status, again.text("/code")), (409, "not_covered"));
    let code = given.text("/transaction").to_owned();
    let shown = read(&tale.stack, &format!("/v1/transactions/{code}")).await;
    assert_eq!(shown["rows"][0]["balance"], "coffee", "{shown}");

    // It was a mistake: the coffee comes back, and expires like any award.
    let path = format!("/v1/events/{code}/cancel");
    assert_eq!(tale.stack.client.post(&path, &key(), &json!({})).await.unwrap().status, 200);
    assert_eq!(tale.gifts("ida", "coffee").await, "1");
    tale.stack.advance("P31D").await.unwrap();
    assert_eq!(tale.gifts("ida", "coffee").await, "none");
}

/// who took part in the festival has ten per cent off one purchase. What a preview says
/// is what is given; it is taken off before points pay the rest.
#[tokio::test(flavor = "multi_thread")]
async fn r54_who_took_part_has_an_additional_discount_once() {
    let tale = Tale::of("neighbourhood").await;
    tale.credits_to_ida().await;
    let before = tale.sends("purchase-breakfast").await;
    assert_eq!(discounts(&before), [""; 0], "she did not take part yet");
    tale.sends("achievement-festival").await;
    assert_eq!(tale.night().await, 1, "the stamp");

    // 40.00: two off for a big basket, a tenth for the stamp; 34.00 are open, and 30.00 are points.
    let weekly = tale.body("purchase-weekly").await;
    let seen = tale.previews(&weekly).await;
    let want = ["festival-discount 4.00", "two-off 2.00"];
    assert_eq!(discounts(&seen), want, "{seen:?}");
    let paid = tale.post("purchase-weekly", &weekly).await;
    assert_eq!((paid.status, discounts(&paid)), (201, want.map(String::from).into()), "{paid:?}");
    assert_eq!(paid.text("/event/totals/discounted"), "6.00");
    assert_eq!(paid.text("/event/totals/purchased"), "40.00");
    let spend = &paid.body["spends"][0];
    let points = spend["spent"].as_str().unwrap();
    assert_eq!(
        (points, &spend["covered"], &spend["remainder"]),
        ("3000", &json!("30.00"), &json!("4.00"))
    );
    assert_eq!(spend["requested"], "3400", "what is open after the discounts, and no more");
    let repeated = tale.post("purchase-weekly", &weekly).await;
    assert_eq!((repeated.status, discounts(&repeated)), (201, want.map(String::from).into()));

    // Once: the next purchase has none, until this one comes back.
    let next = tale.again("purchase-breakfast", "ida").await;
    assert_eq!(why_not(&next, "festival-discount"), "limit_reached");
    tale.takes_back(&paid, "cancel-all").await;
    let cancelled = tale.event(&paid).await;
    assert_eq!(cancelled.text("/event/totals/discounted"), "0.00");
    let free = tale.again("purchase-breakfast", "ida").await;
    assert_eq!(discounts(&free), ["festival-discount 0.90"], "of 9.00");

    // The rolls come back (3.20 of 9.00), and their share of the discount with them.
    tale.takes_back(&free, "cancel-rolls").await;
    let left = tale.event(&free).await;
    assert_eq!(left.text("/event/totals/discounted"), "0.58");
    assert_eq!(left.text("/discounts/0/returned"), "0.32");
    let rows = transactions(&tale.stack, "ida").await;
    let row = rows.iter().find(|row| row["kind"] == "discount").unwrap();
    assert_eq!((&row["offer"], &row["amount"]), (&json!("festival-discount"), &json!("0.90")));
    assert_eq!(row["balance"], Value::Null, "it is in no wallet");
}

impl Tale {
    /// Ida is known, and has 2,985 points: fifteen more come with her first breakfast.
    async fn credits_to_ida(&self) {
        self.joins("ida").await;
        self.credits("ida", "2985").await;
    }
}

/// in the old town every cent counts, and what is popular there counts twice; at the harbour
/// it is ice cream, and a fifth off, while 2.50 EUR last.
#[tokio::test(flavor = "multi_thread")]
async fn r54_local_offers_are_for_what_is_popular_there() {
    let tale = Tale::of("neighbourhood").await;
    let old_town = tale.sends("purchase-breakfast").await;
    assert_eq!(awards(&old_town), ["old-town 9 points", "favourites 6 points"], "rolls and coffee");
    let mut harbour = tale.body("purchase-breakfast").await;
    (harbour["unit"], harbour["external_reference"]) = (json!("bakery-2"), json!("311"));
    let harbour = tale.post("purchase-breakfast", &harbour).await;
    assert_eq!((awards(&harbour), discounts(&harbour)), (vec![], vec![]), "{harbour:?}");

    let ice = tale.sends("purchase-ice").await;
    assert_eq!(discounts(&ice), ["summer-at-the-harbour 1.00"]);
    assert_eq!(ice.text("/discounts/0/lines/0/amount"), "1.00", "off the ice, not the water");
    let second = tale.again("purchase-ice", "klara").await;
    assert_eq!(discounts(&second), ["summer-at-the-harbour 1.00"]);
    // 0.50 are left, and that is no fifth of 5.00.
    let third = tale.again("purchase-ice", "lena").await;
    assert_eq!(why_not(&third, "summer-at-the-harbour"), "budget_exhausted");
    tale.takes_back(&second, "cancel-all").await;
    assert_eq!(
        discounts(&tale.again("purchase-ice", "lena").await).len(),
        1,
        "1.50 are left again"
    );
}

/// what is paid is paid: a purchase that comes later, alone or with many others, has
/// no discount, and says why.
#[tokio::test(flavor = "multi_thread")]
async fn r41_a_purchase_that_was_paid_before_is_not_discounted() {
    let tale = Tale::of("neighbourhood").await;
    let mut late = tale.body("purchase-ice").await;
    late["process_immediately"] = json!(false);
    let late = tale.post("purchase-ice", &late).await;
    assert_eq!(late.status, 202, "{late:?}");
    let mut listed = tale.body("purchase-ice").await;
    listed["external_reference"] = json!("78");
    let outcomes = crate::calls::bulk(&tale.stack, &[listed]).await;
    assert_eq!(outcomes[0]["status"], 202, "{outcomes:?}");
    tale.stack.idle().await.unwrap();
    tale.night().await;
    for id in ["kiosk-1%3A77", "kiosk-1%3A78"] {
        let event = tale.stack.client.get(&format!("/v1/events/{id}")).await.unwrap();
        assert_eq!(why_not(&event, "summer-at-the-harbour"), "too_late_for_discount", "{event:?}");
        assert_eq!(awards(&event), ["favourites 5 points"], "points it has all the same");
    }
}

/// every tenth coffee is a gift; of a small discount and an umbrella the better
/// one applies.
#[tokio::test(flavor = "multi_thread")]
async fn r54_what_is_bought_often_brings_a_gift_and_the_best_of_two_applies() {
    let tale = Tale::of("neighbourhood").await;
    let mut coffees = tale.body("purchase-breakfast").await;
    coffees["lines"] = json!([{ "product": "ESPRESSO", "quantity": 6, "net": "2.80" }]);
    for (reference, want) in [("c-1", 0), ("c-2", 1)] {
        coffees["external_reference"] = json!(reference);
        tale.post("purchase-breakfast", &coffees).await;
        assert_eq!(tale.night().await, want, "six coffees, and twelve");
    }
    assert_eq!(tale.gifts("ida", "coffee").await, "1");

    let mut big = tale.body("purchase-weekly").await;
    big["lines"][0]["net"] = json!("59.99");
    big.as_object_mut().unwrap().remove("spend");
    let small = tale.post("purchase-weekly", &big).await;
    assert_eq!(discounts(&small), ["two-off 2.00"], "{small:?}");
    (big["lines"][0]["net"], big["external_reference"]) = (json!("60.00"), json!("5502"));
    let best = tale.post("purchase-weekly", &big).await;
    assert_eq!(awards(&best), ["umbrella 1 umbrella"], "worth 9.00");
    assert_eq!(why_not(&best, "two-off"), "not_best");
}

/// a pass may be good for gifts: a card of three coffees.
#[tokio::test(flavor = "multi_thread")]
async fn r82_a_pass_is_good_for_three_coffees() {
    let tale = Tale::of("neighbourhood").await;
    tale.joins("ida").await;
    let client = &tale.stack.client;
    let path = "/v1/pass-plans/coffee-card/passes";
    let card = client.post(path, &key(), &json!({ "recipient": "r-1" })).await.unwrap();
    let body = json!({ "code": card.text("/code"), "participant_id": "ida" });
    let redeemed = client.post("/v1/pass-redemptions", &key(), &body).await.unwrap();
    assert_eq!(redeemed.status, 201, "{redeemed:?}");
    let given = tale.sends("spend-coffee").await;
    assert_eq!(given.text("/gift/name"), "A coffee", "{given:?}");
    assert_eq!(tale.gifts("ida", "coffee").await, "2");
}

/// wallets hold coffees: they do not become points.
#[tokio::test(flavor = "multi_thread")]
async fn r61_a_gift_stays_a_gift() {
    let tale = Tale::of("neighbourhood").await;
    let mut document = tale.body("programme").await;
    let coffee = document["gifts"].as_array_mut().unwrap().remove(0);
    assert_eq!(coffee["code"], "coffee");
    document["offers"] = json!([]);
    let money = json!({ "code": "coffee", "decimals": 0 });
    document["balances"].as_array_mut().unwrap().push(money);
    let answer = tale.stack.client.put("/v1/programme", &document).await.unwrap();
    assert_eq!((answer.status, answer.text("/violations/0/pointer")), (422, "/balances/1/code"));
}
