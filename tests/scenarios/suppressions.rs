//! Unsubscribes, bounces and complaints come back from the email platform.

use scenarios::client::{Client, key};
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::calls::read;
use crate::desk::{participant, shared_stack};

async fn consents(stack: &Stack, who: &str, granted: bool, at: &str) -> Value {
    let consent = json!({ "channel": "email", "granted": granted, "at": at, "source": "web" });
    let path = format!("/v1/participants/{who}");
    let answer = stack.client.put(&path, &json!({ "consents": [consent] })).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["consents"][0].clone()
}

async fn report(client: &Client, rows: &[Value]) -> Vec<Value> {
    let body = json!({ "suppressions": rows });
    let answer = client.post("/v1/suppressions", &key(), &body).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["outcomes"].as_array().unwrap().clone()
}

fn row(who: &str, reason: &str, at: &str) -> Value {
    json!({
        "participant_id": who, "channel": "email", "reason": reason, "at": at, "source": "mail 7",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn r90_a_suppression_holds_until_a_newer_opt_in_whatever_comes_first() {
    let stack = shared_stack().await;
    let platform = stack.caller(&["suppressions.write"], &json!({})).await.unwrap();
    for reason in ["unsubscribe", "bounce", "complaint"] {
        let who = participant(&stack).await;
        consents(&stack, &who, true, "2026-01-01T10:00:00Z").await;
        let reported = row(&who, reason, "2026-02-01T10:00:00Z");
        for _ in 0..2 {
            let outcomes = report(&platform, std::slice::from_ref(&reported)).await;
            assert_eq!(outcomes, [json!({ "index": 0, "status": 200, "suppressed": true })]);
        }
        for at in ["2026-01-15T10:00:00Z", "2026-02-01T10:00:00Z"] {
            let known = consents(&stack, &who, true, at).await;
            assert_eq!((&known["granted"], &known["process"]), (&json!(false), &json!(reason)));
        }
        let known = consents(&stack, &who, true, "2026-02-01T10:00:01Z").await;
        assert_eq!((&known["granted"], &known["source"]), (&json!(true), &json!("web")));
        let outcomes = report(&platform, &[reported]).await;
        assert_eq!(outcomes[0]["suppressed"], false, "it is older than the opt-in");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r90_rows_name_participants_by_alias_and_each_has_its_outcome() {
    let stack = shared_stack().await;
    let platform = stack.caller(&["suppressions.write"], &json!({})).await.unwrap();
    let who = participant(&stack).await;
    let address = format!("Anna.{who}@example.org");
    let path = format!("/v1/participants/{who}");
    let aliases = json!({ "aliases": [{ "kind": "email", "value": address }] });
    assert_eq!(stack.client.put(&path, &aliases).await.unwrap().status, 200);
    let by_mail = |reason: &str, at: &str| {
        let mut row = row("", reason, at);
        row.as_object_mut().unwrap().remove("participant_id");
        row["alias"] = json!({ "kind": "email", "value": address.to_lowercase() });
        row
    };
    let mut unknown = by_mail("bounce", "2026-02-01T10:00:00Z");
    unknown["alias"]["value"] = json!("canary-nobody@example.org");
    let rows = [
        by_mail("bounce", "2026-02-03T10:00:00Z"),
        unknown,
        row(&who, "complaint", "2026-02-02T10:00:00Z"),
        row(&who, "dislike", "2999-02-02T10:00:00Z"),
        by_mail("unsubscribe", "2026-02-01T10:00:00Z"),
    ];
    let outcomes = report(&platform, &rows).await;
    let status = |at: usize| outcomes[at]["status"].as_u64().unwrap();
    assert_eq!([0, 1, 2, 3, 4].map(status), [200, 404, 200, 422, 200], "{outcomes:?}");
    assert_eq!(outcomes[1]["problem"]["code"], "participant_not_found");
    assert_eq!(outcomes[3]["problem"]["violations"].as_array().unwrap().len(), 2);
    assert!(!format!("{outcomes:?}").contains("canary"), "{outcomes:?}");
    let known = read(&stack, &path).await["consents"][0].clone();
    assert_eq!(known["process"], "bounce", "the newest of them");
    let forbidden = platform.get(&path).await.unwrap();
    assert_eq!(forbidden.status, 403, "the platform reads nobody");
}
