//! Events of every type over HTTP: posted, found, refused, cancelled; statements, spend requests
//! and invoices.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use scenarios::client::{Answer, Client, key};
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::bad_input::{assert_problem, violations};
use crate::calls::{bulk, cancel, posted, read, run, spend};
use crate::desk::{
    available, credit, own_stack, participant, post_event, purchase, shared_stack, transactions,
};

fn told(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.text("/code"))
}

fn path(event: &str) -> String {
    format!("/v1/events/{}", event.replace(':', "%3A").replace('/', "%2F"))
}

/// An event of a type with fields of its own, not sent before.
fn event(participant: &str, event_type: &str, own: &Value) -> Value {
    let mut event = json!({
        "type": event_type, "participant_id": participant, "performed_on": scenarios::client::now(),
        "external_system": "test", "external_reference": key(),
    });
    event.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    event
}

fn referral(referrer: &str, referred: &str) -> Value {
    let own = json!({ "referrer_participant_id": referrer, "referred_participant_id": referred });
    let mut event = event(referrer, "referral", &own);
    event.as_object_mut().unwrap().remove("participant_id");
    event
}

fn statement(participant: &str, period: &str, at_once: bool) -> Value {
    let value = json!({ "kpi": "turnover", "product": "MONTH-AB", "value": "58.00" });
    let own = json!({ "period": period, "kpi_values": [value], "process_immediately": at_once });
    event(participant, "financial_statement", &own)
}

fn request(participant: &str, amount: u64) -> Value {
    let own = json!({ "amount": amount.to_string(), "classification": "counter" });
    event(participant, "spend_request", &own)
}

fn invoice(participant: &str, total: &str) -> Value {
    json!({ "invoice_type": "ticket", "external_system": "erp", "external_reference": key(),
        "participant_id": participant, "unit": "app", "performed_on": scenarios::client::now(),
        "classification": "monthly-pass", "lines": [{ "product": "MONTH-AB", "net": total }] })
}

async fn post_invoice(client: &Client, body: &Value) -> Answer {
    client.raw("POST", "/v1/invoices", &[], Some(body.to_string().into_bytes())).await.unwrap()
}

/// Ids of the events that a query lists.
async fn listed(stack: &Stack, id: &str, query: &str) -> Vec<String> {
    let page = read(stack, &format!("/v1/participants/{id}/events{query}")).await;
    let events = page["events"].as_array().unwrap();
    events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

fn available_in(balances: &Value) -> &str {
    let all = balances.as_array().unwrap();
    all.iter().find(|one| one["balance"] == "points").unwrap()["available"].as_str().unwrap()
}

/// every type comes in, waits or not as R-30 says, is judged, and is found by its
/// id, its type and its time.
#[tokio::test(flavor = "multi_thread")]
async fn r1_every_type_of_event_is_accepted_judged_and_found() {
    let stack = own_stack().await;
    let (id, friend) = (participant(&stack).await, participant(&stack).await);
    credit(&stack, &id, 1).await;
    let at_once = json!({ "network": "n", "profile": "p", "action": "a",
        "process_immediately": true });
    let survey = json!({ "url": "https://example.org/survey", "score": 9,
        "classification": "commuter" });
    let top_up = json!({ "classification": "top-up", "amount": "120.00", "product": "CARD",
        "payment_medium": { "identifier": "4917610000001234" } });
    let sent = [
        (purchase(&id, "10.00"), 201),
        (referral(&id, &friend), 202),
        (event(&id, "social_media", &at_once), 201),
        (event(&id, "web", &survey), 202),
        (event(&id, "achievement", &json!({ "classification": "commuter" })), 202),
        (event(&id, "financial_achievement", &top_up), 202),
        (statement(&id, "2026-01", true), 201),
        (request(&id, 5), 201),
    ];
    let mut ids = Vec::new();
    for (body, status) in &sent {
        let answer = post_event(&stack, body).await;
        assert_eq!(answer.status, *status, "{body}: {answer:?}");
        assert_eq!(answer.body["event"]["type"], body["type"]);
        assert_eq!(answer.body["repeated"], json!(false));
        let again = post_event(&stack, body).await;
        assert_eq!((again.status, &again.body["repeated"]), (*status, &json!(true)), "{again:?}");
        ids.push(answer.text("/event/id").to_owned());
    }
    let waiting = 4;
    assert_eq!(run(&stack).await["events"], json!(waiting + 1), "the purchase awaits one offer");
    for ((body, _), event) in sent.iter().zip(&ids) {
        let known = read(&stack, &path(event)).await;
        assert_eq!(known["event"]["status"], "processed", "{known}");
        let shown: Vec<&str> = ["url", "score", "period", "network", "referred_participant_id"]
            .into_iter()
            .filter(|field| !known["event"][*field].is_null())
            .collect();
        assert!(shown.iter().all(|field| known["event"][*field] == body[*field]), "{known}");
        let kind = body["type"].as_str().unwrap();
        assert_eq!(listed(&stack, &id, &format!("?type={kind}")).await, [event.as_str()]);
    }
    let all: BTreeSet<String> = listed(&stack, &id, "").await.into_iter().collect();
    assert_eq!(all, ids.iter().cloned().collect());
    let medium = read(&stack, &path(&ids[5])).await["event"]["payment_medium"].clone();
    let kept = json!({ "brand": "Visa", "type": "credit card", "identifier": "1234" });
    assert_eq!(medium, kept, "R-20 to R-22");
    // an entry though nothing is awarded.
    let rows = transactions(&stack, &id).await;
    for event in &ids[1..7] {
        let cause = format!("event:{event}");
        assert!(rows.iter().any(|row| row["cause"] == *cause), "{cause} in {rows:?}");
    }
    let (past, future) = ("from=2020-01-01T00:00:00Z", "from=2999-01-01T00:00:00Z");
    assert_eq!(listed(&stack, &id, &format!("?{past}")).await.len(), 8);
    assert!(listed(&stack, &id, &format!("?{future}")).await.is_empty());
    assert!(listed(&stack, &id, "?to=2020-01-01T00:00:00Z").await.is_empty());
    for bad in ["from=yesterday", "to=2026-01-01"] {
        let answer = stack.client.get(&format!("/v1/participants/{id}/events?{bad}")).await;
        assert_eq!(told(&answer.unwrap()), (422, "invalid"), "{bad}");
    }
}

/// what is refused is not stored.
#[tokio::test(flavor = "multi_thread")]
async fn r9_what_no_type_allows_is_refused_and_not_stored() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    let own = |own: Value| event(&id, "achievement", &own);
    for (body, place) in [
        (event(&id, "lottery", &json!({})), ("/type", "unknown_value")),
        (referral(&id, &id), ("/referred_participant_id", "not_allowed")),
        (own(json!({})), ("/classification", "required")),
        (own(json!({ "classification": "day-ticket" })), ("/classification", "not_allowed")),
        (
            own(json!({ "classification": "commuter", "process_immediately": true })),
            ("/process_immediately", "not_allowed"),
        ),
        (statement(&id, "2999-01", false), ("/period", "in_future")),
    ] {
        let answer = post_event(&stack, &body).await;
        assert_problem(&answer, 422, "invalid", &body.to_string());
        let expected = [(place.0.to_owned(), place.1.to_owned())];
        assert_eq!(violations(&answer.body), expected, "{answer:?}");
        let reference = body["external_reference"].as_str().unwrap();
        let missing = stack.client.get(&path(&format!("test:{reference}"))).await.unwrap();
        assert_eq!(told(&missing), (404, "event_not_found"));
    }
    let stranger = referral(&id, &format!("nobody-{}", key()));
    assert_eq!(told(&post_event(&stack, &stranger).await), (404, "participant_not_found"));
    assert!(listed(&stack, &id, "").await.is_empty());
}

/// one statement of a participant, classification and period.
#[tokio::test(flavor = "multi_thread")]
async fn r12_a_period_takes_one_statement_and_a_cancel_frees_it() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    let first = statement(&id, "2026-02", true);
    let stored = posted(&stack, &first).await;
    let exists = (409, "statement_exists");
    let second = statement(&id, "2026-02", true);
    assert_eq!(told(&post_event(&stack, &second).await), exists);
    let mut other = statement(&id, "2026-02", false);
    other["classification"] = json!("commuter");
    assert_eq!(post_event(&stack, &other).await.status, 202, "another classification");
    assert_eq!(post_event(&stack, &statement(&id, "2026-03", false)).await.status, 202);
    assert_eq!(post_event(&stack, &first).await.body["repeated"], true);
    let rows = bulk(&stack, &[statement(&id, "2026-02", false), other]).await;
    assert_eq!((&rows[0]["status"], &rows[1]["status"]), (&json!(409), &json!(202)), "{rows:?}");
    let stored = stored.replace(':', "%3A");
    assert_eq!(cancel(&stack, &stored, &key()).await.status, 200);
    assert_eq!(post_event(&stack, &second).await.status, 201, "the period is free");
    assert_eq!(told(&post_event(&stack, &statement(&id, "2026-02", true)).await), exists);
    // Sixteen at once.
    let all: Vec<Value> =
        (0..16).map(|number| statement(&id, "2026-04", number % 2 == 0)).collect();
    let answers = join_all(all.iter().map(|body| post_event(&stack, body))).await;
    let kept = answers.iter().filter(|answer| matches!(answer.status, 201 | 202)).count();
    assert_eq!(kept, 1, "{answers:?}");
    assert!(answers.iter().all(|answer| answer.status < 300 || told(answer) == exists));
}

/// a spend with a reference is an event, under both of its names.
#[tokio::test(flavor = "multi_thread")]
async fn r66_a_spend_request_comes_as_an_event_and_is_found_by_either_name() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    credit(&stack, &id, 2).await;
    let body = request(&id, 10);
    let answer = post_event(&stack, &body).await;
    let code = answer.text("/spends/0/transaction").to_owned();
    let event = answer.text("/event/id").to_owned();
    assert_eq!((answer.status, answer.text("/event/status")), (201, "processed"), "{answer:?}");
    assert_eq!(
        (answer.text("/spends/0/spent"), available_in(&answer.body["balances"])),
        ("10", "30")
    );
    assert_eq!(read(&stack, &path(&event)).await, read(&stack, &path(&code)).await);
    let mut other = body.clone();
    other["amount"] = json!("11");
    assert_eq!(told(&post_event(&stack, &other).await), (422, "idempotency_key_reused"));
    // By its own route, with a key of its own.
    let mut own = request(&id, 5);
    own.as_object_mut().unwrap().remove("type");
    let (first, second) = (key(), key());
    let spent = spend(&stack, &first, &own).await;
    assert_eq!((spent.status, &spent.body["repeated"]), (201, &json!(false)), "{spent:?}");
    for key in [&first, &second] {
        let again = spend(&stack, key, &own).await;
        assert_eq!(again.text("/transaction"), spent.text("/transaction"));
        assert_eq!(again.body["repeated"], json!(true), "under another key the reference is known");
    }
    assert_eq!(available(&stack, &id, "points").await, "25");
    let named = spent.text("/event_id").to_owned();
    let bare = spend(&stack, &key(), &json!({ "participant_id": id, "amount": "1" })).await;
    let shown = read(&stack, &path(bare.text("/transaction"))).await;
    assert_eq!(shown["event"]["id"], bare.body["transaction"], "a spend's code is an event's id");
    let requests = listed(&stack, &id, "?type=spend_request").await;
    assert_eq!(requests, [named.clone(), event.clone()], "each once");
    // Cancelled by either name, once.
    let by = key();
    assert_eq!(cancel(&stack, &event.replace(':', "%3A"), &by).await.status, 200);
    let same = cancel(&stack, &code, &by).await;
    assert_eq!((same.status, &same.body["repeated"]), (200, &json!(true)), "{same:?}");
    assert_eq!(told(&cancel(&stack, &code, &key()).await), (409, "already_cancelled"));
    assert_eq!(read(&stack, &path(&event)).await["event"]["state"], "cancelled");
    assert_eq!(available(&stack, &id, "points").await, "34");
    let states = listed(&stack, &id, "?type=spend_request&state=cancelled").await;
    assert_eq!(states, [event]);
}

/// a refused spend request stays refused, and another may take its reference.
#[tokio::test(flavor = "multi_thread")]
async fn r70_a_refused_spend_request_stays_refused_under_its_reference() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    let body = request(&id, 10);
    assert_eq!(told(&post_event(&stack, &body).await), (409, "not_covered"));
    credit(&stack, &id, 1).await;
    assert_eq!(told(&post_event(&stack, &body).await), (409, "not_covered"));
    let other = stack.client.post("/v1/events", &key(), &body).await.unwrap();
    assert_eq!((other.status, other.text("/event/state")), (201, "posted"), "{other:?}");
    assert_eq!(told(&post_event(&stack, &body).await), (409, "not_covered"));
    assert_eq!(available(&stack, &id, "points").await, "10");
    // Sixteen twins debit once.
    let twin = request(&id, 2);
    let answers = join_all((0..16).map(|_| post_event(&stack, &twin))).await;
    assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
    let codes: BTreeSet<&str> =
        answers.iter().map(|answer| answer.text("/spends/0/transaction")).collect();
    assert_eq!(codes.len(), 1);
    assert_eq!(available(&stack, &id, "points").await, "8");
}

/// A token that may not spend does not spend by way of an event.
#[tokio::test(flavor = "multi_thread")]
async fn a_spend_within_an_event_needs_the_scope_of_spends() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    credit(&stack, &id, 1).await;
    let till = stack.caller(&["events.write"], &json!({})).await.unwrap();
    let mut paid = purchase(&id, "10.00");
    paid["spend"] = json!({ "amount": "5" });
    for body in [&paid, &request(&id, 5)] {
        let answer = till.post("/v1/events", &key(), body).await.unwrap();
        assert_problem(&answer, 403, "forbidden", &body.to_string());
    }
    let rows = json!({ "events": [paid, purchase(&id, "10.00")] });
    let answer = till.post("/v1/events/bulk", &key(), &rows).await.unwrap();
    let status = |index: usize| &answer.body["outcomes"][index]["status"];
    assert_eq!((status(0), status(1)), (&json!(403), &json!(202)), "{answer:?}");
    stack.idle().await.unwrap();
    let spent = transactions(&stack, &id).await;
    assert!(spent.iter().all(|row| row["kind"] != "spend"), "{spent:?}");
    // A spend is carried out at once, so not in bulk; and it has no preview.
    let outcome = bulk(&stack, &[request(&id, 5)]).await.remove(0);
    assert_eq!(violations(&outcome["problem"]), [("/type".into(), "not_allowed".into())]);
    let preview = stack.client.post("/v1/events/preview", &key(), &request(&id, 5)).await.unwrap();
    assert_problem(&preview, 422, "invalid", "a spend's preview");
}

/// an ERP posts its invoices; each of a listed type is a purchase once.
#[tokio::test(flavor = "multi_thread")]
async fn r14_an_invoice_makes_its_purchase_once_and_its_participant() {
    let stack = shared_stack().await;
    let id = format!("erp-{}", key());
    let body = invoice(&id, "60.00");
    let answers = join_all((0..8).map(|_| post_invoice(&stack.client, &body))).await;
    assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
    let first: Vec<&Answer> =
        answers.iter().filter(|answer| answer.body["repeated"] == json!(false)).collect();
    assert_eq!(first.len(), 1, "{answers:?}");
    let first = first[0];
    assert_eq!(first.text("/event/type"), "purchase");
    assert_eq!(first.text("/event/totals/purchased"), "60.00");
    let before = available_in(&first.body["balances_before"]);
    let after = available_in(&first.body["balances_after"]);
    // 10 % of it, the welcome and the big basket.
    assert_eq!((before, after), ("0", "131"), "{first:?}");
    let again = post_invoice(&stack.client, &body).await;
    let before = available_in(&again.body["balances_before"]);
    assert_eq!((before, &again.body["repeated"]), (after, &json!(true)), "nothing changes");
    let next = post_invoice(&stack.client, &invoice(&id, "10.00")).await;
    assert_eq!(available_in(&next.body["balances_before"]), after);
    assert_eq!(available_in(&next.body["balances_after"]), "132");
    let mut other = body.clone();
    other["lines"][0]["net"] = json!("61.00");
    let reused = post_invoice(&stack.client, &other).await;
    assert_eq!(told(&reused), (422, "idempotency_key_reused"));
    let freight = json!({ "invoice_type": "freight", "participant_id": format!("x-{}", key()) });
    let ignored = post_invoice(&stack.client, &freight).await;
    let want = json!({ "event": null, "ignored": "invoice_type_not_listed" });
    assert_eq!((ignored.status, ignored.body), (200, want));
    let nobody = freight["participant_id"].as_str().unwrap();
    let missing = stack.client.get(&format!("/v1/participants/{nobody}")).await.unwrap();
    assert_eq!(missing.status, 404);
    let till = stack.caller(&["spend.write"], &json!({})).await.unwrap();
    assert_eq!(told(&post_invoice(&till, &body).await), (403, "forbidden"));
    let kiosks = stack.caller(&["events.write"], &json!({ "merchant": "kiosks" })).await.unwrap();
    assert_eq!(told(&post_invoice(&kiosks, &body).await), (403, "unit_not_allowed"));
}
