//! Requirement rows about events, offers and participants, each shown by one call or two.

use scenarios::client::{Call, key};
use serde_json::{Value, json};

use crate::bad_input::{assert_problem, violations};
use crate::calls::{cancel, read};
use crate::desk::{
    own_stack, participant, post_event, purchase, sample, shared_stack, transactions,
};

/// Common fields come back as they were sent; state and transactions are read-only.
#[tokio::test(flavor = "multi_thread")]
async fn r3_an_event_keeps_its_common_fields_and_lists_what_it_led_to() {
    let stack = shared_stack().await;
    let who = participant(&stack).await;
    let mut sent = purchase(&who, "30.00");
    sent["classification"] = json!("day-ticket");
    let posted = post_event(&stack, &sent).await;
    assert_eq!(posted.status, 201, "{posted:?}");
    let path = format!("/v1/events/{}", posted.text("/event/id").replace(':', "%3A"));
    let known = read(&stack, &path).await;
    let fields = ["type", "participant_id", "classification", "unit", "external_system"];
    for field in fields.iter().chain(&["external_reference"]) {
        assert_eq!(known["event"][field], sent[field], "{field}: {known}");
    }
    let at = |text: &Value| domain::time::parse_instant(text.as_str().unwrap());
    assert_eq!(at(&known["event"]["performed_on"]), at(&sent["performed_on"]));
    assert_eq!(known["event"]["state"], json!("posted"));
    let awards = known["awards"].as_array().unwrap();
    assert!(!awards.is_empty(), "{known}");
    for award in awards {
        let code = award["transaction"].as_str().unwrap();
        let transaction = read(&stack, &format!("/v1/transactions/{code}")).await;
        assert!(transaction.to_string().contains(known["event"]["id"].as_str().unwrap()));
    }
    for field in ["state", "awards", "status"] {
        let mut sent = purchase(&who, "1.00");
        sent[field] = json!("posted");
        let answer = post_event(&stack, &sent).await;
        assert_problem(&answer, 422, "invalid", field);
        let expected = [(format!("/{field}"), "unknown_field".to_owned())];
        assert_eq!(violations(&answer.body), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r5_an_event_is_never_modified_only_cancelled() {
    let stack = shared_stack().await;
    let who = participant(&stack).await;
    let mut event = purchase(&who, "30.00");
    let posted = post_event(&stack, &event).await;
    let path = format!("/v1/events/{}", posted.text("/event/id").replace(':', "%3A"));
    for method in ["PUT", "PATCH", "DELETE"] {
        let call = Call { method, path: &path, key: None, body: Some(&event) };
        assert_problem(&stack.client.send(&call).await.unwrap(), 405, "method_not_allowed", method);
    }
    let before = read(&stack, &path).await;
    event["lines"][0]["net"] = json!("31.00");
    let again = post_event(&stack, &event).await;
    assert_problem(&again, 422, "idempotency_key_reused", "another payload");
    assert_eq!(read(&stack, &path).await, before);
    let cancelled = cancel(&stack, path.trim_start_matches("/v1/events/"), &key()).await;
    assert_eq!(cancelled.text("/event/state"), "cancelled", "{cancelled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn r6_an_event_carries_a_classification_that_allows_its_type() {
    let stack = shared_stack().await;
    let who = participant(&stack).await;
    for (classification, code) in [
        ("day-ticket", None),
        ("counter", Some("not_allowed")),
        ("tram", Some("unknown_reference")),
    ] {
        let mut event = purchase(&who, "3.00");
        event["classification"] = json!(classification);
        let answer = post_event(&stack, &event).await;
        match code {
            None => assert_eq!(answer.status, 201, "{answer:?}"),
            Some(code) => {
                assert_problem(&answer, 422, "invalid", classification);
                let expected = [("/classification".to_owned(), code.to_owned())];
                assert_eq!(violations(&answer.body), expected);
            }
        }
    }
}

/// rules see the whole identifier, four characters of it are kept, and the
/// awards come with the answer.
#[tokio::test(flavor = "multi_thread")]
async fn r32_an_immediate_event_answers_with_its_awards_and_r21_an_adjusted_medium() {
    let stack = shared_stack().await;
    let who = participant(&stack).await;
    let mut event = purchase(&who, "60.00");
    event["payment_medium"] = json!({ "identifier": "4917610000001234" });
    let answer = post_event(&stack, &event).await;
    assert_eq!((answer.status, answer.text("/event/status")), (201, "processed"), "{answer:?}");
    let expected = json!({ "brand": "Visa", "type": "credit card", "identifier": "1234" });
    assert_eq!(answer.body["event"]["payment_medium"], expected);
    let offers: Vec<&str> = answer.body["awards"]
        .as_array()
        .unwrap()
        .iter()
        .map(|award| award["offer"].as_str().unwrap())
        .collect();
    assert_eq!(offers, ["welcome", "big-basket"], "{answer:?}");
    event["external_reference"] = json!(key());
    event["payment_medium"]["identifier"] = json!("12");
    let short = post_event(&stack, &event).await;
    assert_eq!(short.text("/event/payment_medium/identifier"), "12", "{short:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn r34_a_spend_request_is_judged_by_no_offer() {
    let stack = shared_stack().await;
    let who = participant(&stack).await;
    let event = post_event(&stack, &purchase(&who, "60.00")).await;
    assert_eq!(event.status, 201);
    let awarded = transactions(&stack, &who).await.len();
    let body = json!({ "participant_id": who, "amount": "5", "classification": "counter" });
    let spent = stack.client.post("/v1/spend-requests", &key(), &body).await.unwrap();
    assert_eq!(spent.status, 201, "{spent:?}");
    let rows = transactions(&stack, &who).await;
    assert_eq!((rows.len(), &rows[0]["kind"]), (awarded + 1, &json!("spend")));
}

/// Each part of an offer decides: validity, conditions, limit, method, stacking.
#[tokio::test(flavor = "multi_thread")]
async fn r40_every_part_of_an_offer_decides() {
    let stack = own_stack().await;
    let who = participant(&stack).await;
    let offer = |id: &str, part: Value| {
        let mut offer = json!({ "id": id, "class": "increase_revenue_transaction",
            "method": "batch_and_interactive", "award": { "balance": "points", "amount": "10" },
            "limit": "multiple", "on_top": true });
        offer.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        offer
    };
    let (past, best) = ("2021-01-01T00:00:00Z", json!({ "balance": "points", "amount": "11" }));
    let mut programme = sample("transit/programme.json");
    programme["offers"] = json!([
        offer("plain", json!({})),
        offer("over", json!({ "valid": [{ "from": null, "to": past }] })),
        offer("elsewhere", json!({ "when": { "units": ["app"] } })),
        offer("once", json!({ "limit": "once" })),
        offer("by-run", json!({ "method": "batch" })),
        offer("best", json!({ "on_top": false, "award": best })),
        offer("second-best", json!({ "on_top": false })),
    ]);
    let put = stack.client.put("/v1/programme", &programme).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    stack.advance("PT5S").await.unwrap();
    let first = post_event(&stack, &purchase(&who, "10.00")).await;
    assert_eq!(first.body["awards"].as_array().unwrap().len(), 3, "{first:?}");
    let path = "/v1/events/preview?explain=all";
    let answer = stack.client.post(path, &key(), &purchase(&who, "10.00")).await.unwrap();
    let list = |name: &str, field: &str| -> Vec<(String, String)> {
        let of = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
        let rows = answer.body[name].as_array().unwrap();
        let mut rows: Vec<_> = rows.iter().map(|row| (of(row, "offer"), of(row, field))).collect();
        rows.sort();
        rows
    };
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(offer, what)| ((*offer).to_owned(), (*what).to_owned())).collect()
    };
    assert_eq!(list("awards", "amount"), pairs(&[("best", "11"), ("plain", "10")]), "{answer:?}");
    let expected = pairs(&[
        ("by-run", "awaits_run"),
        ("elsewhere", "unit_not_included"),
        ("once", "limit_reached"),
        ("over", "not_valid"),
        ("second-best", "not_best"),
    ]);
    assert_eq!(list("passed_over", "reason"), expected);
}

/// The newest consent by its own time wins, in whatever order they come.
#[tokio::test(flavor = "multi_thread")]
async fn r90_the_newest_consent_wins_and_keeps_where_it_came_from() {
    let stack = shared_stack().await;
    let who = participant(&stack).await;
    let path = format!("/v1/participants/{who}");
    let consent = |granted: bool, at: &str, source: &str| {
        json!({ "consents": [{ "channel": "email", "granted": granted, "at": at,
            "source": source, "process": "test" }] })
    };
    let profile = json!({ "profile": { "first_name": "Ada", "tags": ["vip"] } });
    for body in [
        profile,
        consent(true, "2026-03-01T00:00:00Z", "form"),
        consent(false, "2026-05-01T00:00:00Z", "unsubscribe"),
        consent(true, "2026-04-01T00:00:00Z", "late import"),
    ] {
        assert_eq!(stack.client.put(&path, &body).await.unwrap().status, 200);
    }
    let known = read(&stack, &path).await;
    assert_eq!(known["profile"]["first_name"], json!("Ada"), "consents leave the profile alone");
    assert_eq!(known["profile"]["tags"], json!(["vip"]));
    let consents = known["consents"].as_array().unwrap();
    assert_eq!(consents.len(), 1, "{known}");
    assert_eq!(
        (&consents[0]["granted"], &consents[0]["source"]),
        (&json!(false), &json!("unsubscribe"))
    );
}
