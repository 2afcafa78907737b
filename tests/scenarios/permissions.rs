//! Least privilege: what the template grants is what the functions use, and no more.

use scenarios::client::{Call, key};
use scenarios::stack::root;
use scenarios::story::Teller;
use serde_json::{Value, json};

use crate::desk::{credit, own_stack, participant, post_event, purchase, sample};
use crate::feed::target::Target;

/// Tells the story, then walks the paths that it does not: a bulk, offers for the first, a run, a
/// refused spend on a purchase, events that are listed.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_is_used_and_nothing_else_is_asked_for() {
    let stack = own_stack().await;
    let story = root().join("events").join("transit");
    let mut teller = Teller::begin(&stack, &story).await.unwrap();
    teller.tell(|_| ()).await.unwrap();
    // A link to a file is used with the rights of the function that gave it.
    let export = teller.answers.iter().rev().find(|answer| answer.body.get("files").is_some());
    stack.client.fetch(export.unwrap().text("/files/0/url")).await.unwrap();

    // Offers for the first: a call takes places of the one, a run of the other.
    let mut programme = sample("transit/programme.json");
    for method in ["batch_and_interactive", "batch"] {
        programme["offers"].as_array_mut().unwrap().push(json!({
            "id": format!("first-{method}"), "class": "increase_revenue_transaction",
            "method": method, "award": { "balance": "points", "amount": "1" },
            "first": 10, "on_top": true,
        }));
    }
    // A target that does not take what it is told first.
    let target =
        Target::new(|number, _| (if number == 0 { 500 } else { 200 }, String::new())).await;
    programme["feeds"] = json!([{ "id": "crm", "kind": "webhook", "secret": "default",
        "url": format!("{}/hook", target.address) }]);
    programme["conversions"] = json!([{ "id": "cashback", "balance": "points",
        "table": [{ "from": "0", "rate": "0.01" }] }]);
    // A plan of which there is no pass may change.
    for value in ["50", "60"] {
        let plan = json!({ "id": "gift-50", "copy_of": "gift-20", "value": { "fixed": value } });
        let plans = programme["pass_plans"].as_array_mut().unwrap();
        plans.truncate(1);
        plans.push(plan);
        let put = stack.client.put("/v1/programme", &programme).await.unwrap();
        assert_eq!(put.status, 200, "{put:?}");
    }
    // Programmes are cached for two seconds of the stack's time.
    stack.advance("PT10S").await.unwrap();
    let id = participant(&stack).await;
    credit(&stack, &id, 1).await;
    assert_eq!(post_event(&stack, &purchase(&id, "11.00")).await.status, 201);
    let bulk = json!({ "events": [purchase(&id, "12.00"), purchase(&id, "13.00")] });
    let call = Call { method: "POST", path: "/v1/events/bulk", key: None, body: Some(&bulk) };
    assert_eq!(stack.client.send(&call).await.unwrap().status, 202);
    // A code that comes with a purchase is held against the secret, whosever it is.
    let path = "/v1/pass-plans/gift-20/passes";
    let gift = stack.client.post(path, &key(), &json!({})).await.unwrap();
    let mut shown = purchase(&id, "14.00");
    shown["pass"] = json!({ "code": gift.text("/code") });
    assert_eq!(post_event(&stack, &shown).await.status, 201);
    let run = json!({ "definition": "nightly" });
    let started = stack.client.post("/v1/evaluation-runs", &key(), &run).await.unwrap();
    assert_eq!(started.status, 202);
    // What is left of the coupons is read many at a time.
    assert_eq!(stack.client.get("/v1/coupons").await.unwrap().status, 200);
    let expiry = json!({ "definition": "expiry" });
    let started = stack.client.post("/v1/evaluation-runs", &key(), &expiry).await.unwrap();
    assert_eq!(started.status, 202);
    stack.idle().await.unwrap();

    // Refusals that rest on another item check that item as they are recorded.
    let mut pending = purchase(&id, "20.00");
    pending["process_immediately"] = json!(false);
    let event = post_event(&stack, &pending).await;
    let event = event.text("/event/id");
    let before = json!({ "participant_id": id, "purchase_event_id": event, "amount": "5",
        "classification": "counter", "performed_on": "2020-01-01T00:00:00Z" });
    let refused = stack.client.post("/v1/spend-requests", &key(), &before).await.unwrap();
    assert_eq!(refused.status, 409, "{refused:?}");
    let mut event = before.clone();
    event["type"] = json!("spend_request");
    event["external_system"] = json!("till");
    event["external_reference"] = json!(key());
    let refused = post_event(&stack, &event).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    stack.client.get(&format!("/v1/participants/{id}/events")).await.unwrap();

    // A pass is shown to spend from its own wallet.
    let pass =
        stack.client.post("/v1/pass-plans/gift-20/passes", &key(), &json!({})).await.unwrap();
    let pass = json!({ "code": pass.text("/code") });
    let redeemed = stack.client.post("/v1/pass-redemptions", &key(), &pass).await.unwrap();
    assert_eq!(redeemed.status, 201, "{redeemed:?}");
    let spend = json!({ "pass": pass, "amount": "5" });
    let spent = stack.client.post("/v1/spend-requests", &key(), &spend).await.unwrap();
    assert_eq!(spent.status, 201, "{spent:?}");
    let issue = json!({ "recipient": "somebody" });
    let issued = stack.client.post("/v1/pass-plans/gift-20/passes", &key(), &issue).await.unwrap();
    assert_eq!(issued.status, 201, "{issued:?}");
    let from = json!({ "from": "2020-01-01T00:00:00Z" });
    let replayed = stack.client.post("/v1/feeds/crm/replay", &key(), &from).await.unwrap();
    assert_eq!(replayed.status, 202, "{replayed:?}");
    // Whoever has an alias is found by it, and is erased with it.
    let alias = json!({ "kind": "card", "value": "4711 4711" });
    let path = format!("/v1/participants/{id}");
    let put = stack.client.put(&path, &json!({ "aliases": [alias] })).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    let spend = json!({ "alias": alias, "amount": "1" });
    let spent = stack.client.post("/v1/spend-requests", &key(), &spend).await.unwrap();
    assert_eq!(spent.status, 201, "{spent:?}");
    let mut by_alias = purchase(&id, "14.00");
    by_alias.as_object_mut().unwrap().remove("participant_id");
    by_alias["alias"] = alias;
    assert_eq!(post_event(&stack, &by_alias).await.status, 201);
    // What is converted is paid out by a file.
    let runs = "/v1/conversions/cashback/runs";
    let started = stack.client.post(runs, &key(), &json!({})).await.unwrap();
    assert_eq!(started.status, 202, "{started:?}");
    stack.idle().await.unwrap();
    let path_of_run = format!("{runs}/{}", started.text("/run_id"));
    let ended = stack.client.get(&path_of_run).await.unwrap();
    stack.client.fetch(ended.text("/files/0/url")).await.unwrap();
    // A delta is held against what the export before it told.
    let delta = json!({ "mode": "delta" });
    let path_of_delta = "/v1/segments/mail-ready/exports";
    let started = stack.client.post(path_of_delta, &key(), &delta).await.unwrap();
    assert_eq!(started.status, 202, "{started:?}");
    stack.idle().await.unwrap();
    let erase = Call { method: "DELETE", path: &path, key: None, body: None };
    assert_eq!(stack.client.send(&erase).await.unwrap().status, 202);
    stack.idle().await.unwrap();
    // All that was written is read once more.
    let verify = stack.client.post("/v1/verifications", &key(), &json!({})).await.unwrap();
    assert_eq!(verify.status, 202, "{verify:?}");
    stack.idle().await.unwrap();
    let path = format!("/v1/verifications/{}", verify.text("/verification_id"));
    let verified = stack.client.get(&path).await.unwrap();
    assert_eq!(verified.body["agrees"], true, "{verified:?}");

    let stats = stack.stats().await.unwrap();
    for (function, did) in stats["functions"].as_object().unwrap() {
        assert_eq!(did["denied"], json!({}), "{function} asked for more than it may");
        let unused: Vec<&Value> = did["unused_permissions"].as_array().unwrap().iter().collect();
        assert!(unused.is_empty(), "{function} may do what it never does: {unused:#?}");
    }
}
