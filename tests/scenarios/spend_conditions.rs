//! What awards may be spent on, as a programme manager tells it: a coffee voucher, points for quiet
//! afternoons, points for December (`events/programme/programme-spend.json`).

use scenarios::client::{Answer, key};
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::calls::{cancel, posted, read, set_clock, spend};
use crate::desk::{available, own_stack, participant, post_event, sample};

/// A shopping trip of products for so much each, judged in the call.
fn trip(who: &str, unit: &str, at: &str, lines: &[(&str, &str)]) -> Value {
    let lines: Vec<Value> =
        lines.iter().map(|(product, net)| json!({ "product": product, "net": net })).collect();
    json!({ "type": "purchase", "participant_id": who, "unit": unit, "performed_on": at,
            "external_system": "till", "external_reference": key(), "process_immediately": true,
            "lines": lines })
}

/// Spends so many points at a unit, on no purchase.
async fn spends(stack: &Stack, who: &str, unit: &str, amount: &str) -> Answer {
    let body = json!({ "participant_id": who, "unit": unit, "amount": amount });
    spend(stack, &key(), &body).await
}

fn told(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.text("/code"))
}

/// What is left of the lots, those with conditions of this kind.
async fn left(stack: &Stack, who: &str, condition: &str) -> Vec<String> {
    let wallet = read(stack, &format!("/v1/participants/{who}/wallet")).await;
    let lots = wallet["lots"].as_array().unwrap().iter();
    let of = lots.filter(|lot| lot["conditions"].get(condition).is_some());
    of.map(|lot| lot["available"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn r48_vouchers_pay_for_what_they_are_for_when_and_where_they_may() {
    let stack = own_stack().await;
    let programme = sample("programme/programme-spend.json");
    assert_eq!(stack.client.put("/v1/programme", &programme).await.unwrap().status, 200);
    // A Tuesday in December.
    set_clock(&stack, "2026-12-08T15:00:00+01:00").await;
    let who = participant(&stack).await;
    posted(&stack, &trip(&who, "shop-1", "2026-12-08T14:30:00+01:00", &[("shoes", "10.00")])).await;
    // All of it counts as available: 200 for coffee, 100 for afternoons, 50 for December, 50 free.
    assert_eq!(available(&stack, &who, "points").await, "400");
    assert_eq!(left(&stack, &who, "brands").await, ["200"]);
    assert_eq!(left(&stack, &who, "times").await, ["100"]);
    assert_eq!(left(&stack, &who, "valid").await, ["50"]);

    // On Wednesday there is coffee in the basket: 1.50 of the voucher, 50 of December for the
    // filters, and the 50 that are free. The afternoon's points are for Mondays and Tuesdays.
    set_clock(&stack, "2026-12-09T15:00:00+01:00").await;
    let basket = [("SKU-9", "1.50"), ("SKU-10", "0.80"), ("newspaper", "3.00")];
    let mut bought = trip(&who, "shop-2", "2026-12-09T15:00:00+01:00", &basket);
    let preview = stack.client.post("/v1/events/preview", &key(), &bought).await.unwrap();
    assert_eq!(preview.text("/additional_spendable/0/amount"), "250", "{preview:?}");
    bought["spend"] = json!({});
    let paid = post_event(&stack, &bought).await;
    assert_eq!((paid.status, paid.text("/spends/0/spent")), (201, "250"), "{paid:?}");
    assert_eq!(paid.text("/spends/0/remainder"), "2.80");
    assert_eq!(left(&stack, &who, "brands").await, ["50"], "of the voucher");

    // The coffee is paid; what is left of the voucher is for another one.
    let id = paid.text("/event/id").to_owned();
    let more = json!({ "participant_id": who, "purchase_event_id": id, "amount": "200" });
    let more = spend(&stack, &key(), &more).await;
    // What this basket itself earned: 26 free ones, and 30 of December for the other filters.
    assert_eq!((more.status, more.text("/spent")), (201, "56"), "{more:?}");

    // Nothing in the wallet may be spent on nothing in particular any more.
    let nothing = spends(&stack, &who, "shop-1", "10").await;
    assert_eq!(told(&nothing), (409, "not_covered"));
    assert_eq!(available(&stack, &who, "points").await, "270");

    // On Monday afternoon, at the one shop that is quiet then, it may.
    set_clock(&stack, "2026-12-14T14:00:00+01:00").await;
    assert_eq!(told(&spends(&stack, &who, "shop-2", "10").await), (409, "not_covered"));
    let quiet = spends(&stack, &who, "shop-1", "100").await;
    assert_eq!((quiet.status, quiet.text("/spent")), (201, "100"), "{quiet:?}");
    set_clock(&stack, "2026-12-14T17:00:00+01:00").await;
    assert_eq!(told(&spends(&stack, &who, "shop-1", "10").await), (409, "not_covered"));

    // The basket comes back whole: the voucher is a voucher again.
    let back = cancel(&stack, &id.replace(':', "%3A"), &key()).await;
    assert_eq!(back.status, 200, "{back:?}");
    assert_eq!(left(&stack, &who, "brands").await, ["200"]);
    assert_eq!(left(&stack, &who, "valid").await, ["50"]);
}
