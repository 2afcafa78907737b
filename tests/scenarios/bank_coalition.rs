//! A bank and its partner shops, as a programme manager tells it: cashback by the amount of the
//! cheque, packets that are counted, partners, and offers for the first or while the money lasts
//! (`events/bank-coalition/`).

use scenarios::client::Answer;
use serde_json::json;

use crate::calls::read;
use crate::tale::{Tale, awards, why_not};

/// the percentage follows from the amount of the whole cheque, for our own cards alone.
#[tokio::test(flavor = "multi_thread")]
async fn r41_cashback_follows_from_the_amount_of_the_cheque() {
    let tale = Tale::of("bank-coalition").await;
    let big = tale.sends("purchase-groceries").await;
    assert_eq!(awards(&big), ["cashback 4.00 eur"], "2 % of 200.00, not a cent below: {big:?}");
    let small = tale.sends("purchase-small").await;
    assert_eq!(awards(&small), ["cashback 0.24 eur"], "0.5 % of 49.99, rounded down");
    let other = tale.sends("purchase-other-card").await;
    assert_eq!(awards(&other), Vec::<String>::new());
    assert_eq!(why_not(&other, "cashback"), "payment_medium_not_included");
    // Below the first band there is nothing.
    let mut bread = tale.body("purchase-small").await;
    bread["lines"] = json!([{ "category": "groceries", "net": "9.99" }]);
    bread["external_reference"] = json!("bread");
    assert_eq!(why_not(&tale.post("purchase-small", &bread).await, "cashback"), "awards_nothing");
    assert_eq!(tale.has("dora", "eur").await, "4.24");
}

/// three packets in one basket award points at once; six packets, however many baskets
/// they take, award 3.00 EUR, and are used up by it.
#[tokio::test(flavor = "multi_thread")]
async fn r43_packets_are_counted_over_several_purchases_and_used_up() {
    let tale = Tale::of("bank-coalition").await;
    let first = tale.sends("purchase-coffee").await;
    assert_eq!(awards(&first), ["cashback 0.07 eur", "three-at-once 30 points"], "{first:?}");
    assert_eq!(first.body["event"]["awaiting_run"], true, "a run counts the packets");
    // Two more are too few for points; they count all the same.
    let mut two = tale.body("purchase-coffee").await;
    two["external_reference"] = json!("8005");
    two["lines"][0]["quantity"] = json!(2);
    let two = tale.post("purchase-coffee", &two).await;
    assert_eq!(why_not(&two, "three-at-once"), "quantity_out_of_range", "{two:?}");
    assert_eq!(tale.night().await, 0);
    assert_eq!(why_not(&tale.event(&two).await, "six-packets"), "counted");
    let before = cents(&tale.has("dora", "eur").await);
    // The sixth packet.
    let sixth = tale.again("purchase-coffee", "dora").await;
    assert_eq!(tale.night().await, 1);
    let sixth = tale.event(&sixth).await;
    assert!(awards(&sixth).contains(&"six-packets 3.00 eur".to_owned()), "{sixth:?}");
    assert_eq!(cents(&tale.has("dora", "eur").await), before + 7 + 300);
    // Eight packets less six are two: three more are five, and that is one too few.
    tale.again("purchase-coffee", "dora").await;
    assert_eq!(tale.night().await, 0);
    // A month later none of them counts any more.
    tale.stack.advance("P31D").await.unwrap();
    tale.again("purchase-coffee", "dora").await;
    assert_eq!(tale.night().await, 0);
    assert_eq!(tale.has("dora", "points").await, "120", "four baskets of three");
}

fn cents(amount: &str) -> i64 {
    amount.replace('.', "").parse().unwrap()
}

/// a partner's points, and a purchase that is partly paid with cashback in the
/// same call: two balances of one wallet. The leasing company takes no part.
#[tokio::test(flavor = "multi_thread")]
async fn r50_partners_award_points_and_take_cashback() {
    let tale = Tale::of("bank-coalition").await;
    tale.sends("purchase-groceries").await;
    let novel = tale.sends("purchase-novel").await;
    assert_eq!(novel.status, 201, "{novel:?}");
    assert_eq!(awards(&novel), ["cashback 0.10 eur", "book-lovers 100 points"]);
    assert_eq!(novel.text("/spends/0/spent"), "3.00");
    assert_eq!(novel.text("/spends/0/remainder"), "0.00", "all that was asked for is covered");
    // Asked for at the till, it is taken off at the till, whatever the merchant does otherwise.
    assert_eq!(novel.text("/spends/0/reduction_method"), "front_end");
    assert_eq!(tale.has("dora", "eur").await, "1.10");
    assert_eq!(tale.has("dora", "points").await, "100");
    // The programme keeps what each partner agreed to.
    let programme = read(&tale.stack, "/v1/programme").await;
    assert!(programme.to_string().contains("\"back_end\""), "{programme}");

    let lease = tale.sends("purchase-lease").await;
    assert_eq!((lease.status, awards(&lease)), (201, Vec::new()), "{lease:?}");
    let path = "/v1/events/preview?explain=all";
    let body = tale.body("purchase-lease").await;
    let preview = tale.stack.client.post(path, &scenarios::client::key(), &body).await.unwrap();
    assert_eq!(why_not(&preview, "cashback"), "unit_does_not_award", "{preview:?}");
}

/// the run gives 5.00 EUR to the first two with a big basket, and 10 points for bread
/// while 25 points last.
#[tokio::test(flavor = "multi_thread")]
async fn r44_a_run_keeps_to_the_first_two_and_to_the_budget() {
    let tale = Tale::of("bank-coalition").await;
    let mut events: Vec<Answer> = Vec::new();
    for who in ["dora", "emil", "fritz", "greta"] {
        let basket = tale.again("purchase-groceries", who).await;
        assert_eq!(basket.body["event"]["awaiting_run"], true, "{basket:?}");
        events.push(basket);
    }
    assert_eq!(tale.night().await, 4, "two for big baskets, two for bread");
    let mut reasons = Vec::new();
    for event in &events {
        let event = tale.event(event).await;
        reasons.push(why_not(&event, "first-big-baskets").to_owned());
        reasons.push(why_not(&event, "bread-week").to_owned());
    }
    reasons.sort();
    let (full, spent) = ("places_taken", "budget_exhausted");
    assert_eq!(reasons, ["", "", "", "", spent, spent, full, full]);

    // Whoever was awarded gives everything back: a place and ten points are free again.
    let mut lucky = None;
    for event in &events {
        if awards(&tale.event(event).await).len() == 3 {
            lucky = Some(event);
        }
    }
    tale.takes_back(lucky.expect("the first two had both"), "cancel-all").await;
    tale.again("purchase-groceries", "hanna").await;
    assert_eq!(tale.night().await, 2);
    assert_eq!(tale.has("hanna", "eur").await, "9.00");
    assert_eq!(tale.has("hanna", "points").await, "10");
}
