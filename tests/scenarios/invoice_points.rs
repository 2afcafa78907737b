//! Points from invoices, as a programme manager tells them: an ERP posts what it sold and what came
//! back, and a counter takes points (`events/invoice-points/`).

use scenarios::client::{Answer, key};
use serde_json::json;

use crate::calls::read;
use crate::tale::{Tale, awards};

/// Before and after, as the ERP prints it on the invoice.
fn balances(answer: &Answer) -> (&str, &str) {
    (answer.text("/balances_before/0/available"), answer.text("/balances_after/0/available"))
}

/// an invoice makes its purchase and its participant; both balances can be printed on
/// it. Tools count twice: by 100 % of their lines.
#[tokio::test(flavor = "multi_thread")]
async fn r14_r41_invoices_of_listed_types_award_points() {
    let tale = Tale::of("invoice-points").await;
    // A drill for 119.00 and three boxes of screws for 35.70 together.
    let invoice = tale.body("invoice-goods").await;
    let goods = tale.post("invoice-goods", &invoice).await;
    assert_eq!(goods.status, 201, "{goods:?}");
    assert_eq!(goods.text("/event/totals/purchased"), "154.70");
    // Fractions of a point are not awarded.
    assert_eq!(awards(&goods), ["a-point-for-each-euro 154 points", "tools-twice 119 points"]);
    assert_eq!(balances(&goods), ("0", "273"));
    let repair = tale.sends("invoice-repair").await;
    assert_eq!(awards(&repair), ["a-point-for-two-euros-of-work 29 points"]);
    assert_eq!(balances(&repair), ("273", "302"));
    // Freight is on no list, and an invoice that is sent again is the same invoice.
    let freight = tale.sends("invoice-freight").await;
    assert_eq!((freight.status, freight.text("/ignored")), (200, "invoice_type_not_listed"));
    let again = tale.post("invoice-goods", &invoice).await;
    assert_eq!((again.status, &again.body["repeated"]), (201, &json!(true)), "{again:?}");
    assert_eq!(balances(&again), ("302", "302"));
}

/// a credit note takes back a box of screws, another one all that is left.
#[tokio::test(flavor = "multi_thread")]
async fn r14_r73_credit_notes_take_back_a_part_and_then_all() {
    let tale = Tale::of("invoice-points").await;
    tale.sends("invoice-goods").await;
    assert_eq!(tale.has("workshop-12", "points").await, "273");
    let part = tale.sends("credit-screws").await;
    assert_eq!((part.status, part.text("/event/state")), (200, "posted"), "{part:?}");
    // One box of three, 11.90 of 154.70: the points for screws shrink, those for the drill do not.
    assert_eq!(tale.has("workshop-12", "points").await, "261");
    assert_eq!(tale.sends("credit-screws").await.body["repeated"], true);
    let whole = tale.sends("credit-all").await;
    assert_eq!((whole.status, whole.text("/event/state")), (200, "cancelled"), "{whole:?}");
    assert_eq!(tale.has("workshop-12", "points").await, "0");
}

/// the counter takes points and prints a code, by which anybody in the shop finds
/// the spend; with the code it can be taken back.
#[tokio::test(flavor = "multi_thread")]
async fn r68_a_spend_at_the_counter_is_found_by_its_code() {
    let tale = Tale::of("invoice-points").await;
    tale.sends("invoice-goods").await;
    let spent = tale.sends("spend-counter").await;
    assert_eq!((spent.status, spent.text("/spent")), (201, "100"), "{spent:?}");
    let code = spent.text("/transaction");
    assert!(code.starts_with("workshop-12."), "{code}");
    assert_eq!(tale.has("workshop-12", "points").await, "173");
    let found = read(&tale.stack, &format!("/v1/transactions/{code}")).await;
    assert!(found.to_string().contains("workshop-12"), "{found}");
    assert_eq!(read(&tale.stack, &format!("/v1/events/{code}")).await["event"]["unit"], "depot-1");
    // One mistyped sign is noticed.
    let mistyped = tale.stack.client.get(&format!("/v1/transactions/{code}X")).await.unwrap();
    assert!(mistyped.status == 404 || mistyped.status == 422, "{mistyped:?}");

    // Less than the counter takes, and more than there is.
    for (amount, refusal) in [("9", "amount_out_of_range"), ("174", "not_covered")] {
        let mut body = tale.body("spend-counter").await;
        body["amount"] = json!(amount);
        let refused = tale.post("spend-counter", &body).await;
        assert_eq!((refused.status, refused.text("/code")), (409, refusal), "{refused:?}");
    }
    let path = format!("/v1/events/{code}/cancel");
    let back = tale.stack.client.post(&path, &key(), &json!({})).await.unwrap();
    assert_eq!(back.status, 200, "{back:?}");
    assert_eq!(tale.has("workshop-12", "points").await, "273");
}
