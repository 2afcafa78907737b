//! Programme documents that are valid and extreme: whatever they say, no call breaks.

use serde_json::{Value, json};

use super::Victim;
use crate::desk::{own_stack, post_event, sample};

fn extreme() -> Vec<(&'static str, Value)> {
    let mut century = sample("transit/programme.json");
    let mut nothing = sample("transit/programme.json");
    let mut most = sample("transit/programme.json");
    for offer in century["offers"].as_array_mut().unwrap() {
        offer["expires"] = json!({ "end_of": "year", "after": "P100Y" });
        offer["available_after"] = json!("P99Y");
    }
    for offer in nothing["offers"].as_array_mut().unwrap() {
        offer["expires"] = json!({ "on": "0001-01-01" });
        offer["limit"] = json!({ "once_per": { "rolling": "P100Y" } });
    }
    for offer in most["offers"].as_array_mut().unwrap() {
        offer["award"] = json!({ "balance": "points", "amount": "9999999999999" });
        offer["on_top"] = json!(true);
        offer["when"] = json!({});
        offer["expires"] = json!({ "on": "9999-12-31" });
        offer["valid"] = json!([{ "from": "0000-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z" }]);
    }
    let bare = json!({ "name": "Bare", "time_zone": "Pacific/Apia",
        "currency": { "code": "JPY", "decimals": 0 }, "balances": [{ "code": "p", "decimals": 6 }] });
    vec![("a century", century), ("nothing", nothing), ("most", most), ("bare", bare)]
}

#[tokio::test(flavor = "multi_thread")]
async fn extreme_programmes_break_no_call() {
    let victim = Victim::on(std::sync::Arc::new(own_stack().await)).await;
    let client = &victim.stack.client;
    for (what, document) in extreme() {
        let put = client.put("/v1/programme", &document).await.unwrap();
        assert!(put.status == 200 || put.status == 422, "{what}: {put:?}");
        // Every function asks again which version is active.
        victim.stack.advance("PT5S").await.unwrap();
        for net in ["0", "0.01", "99999999999.99", "7"] {
            let mut event = crate::desk::purchase(&victim.id, net);
            event["classification"] = Value::Null;
            let answer = post_event(&victim.stack, &event).await;
            assert!(answer.status < 500, "{what} {net}: {answer:?}");
        }
        let spend = json!({ "participant_id": victim.id, "amount": "1" });
        let key = scenarios::client::key();
        let answer = client.post("/v1/spend-requests", &key, &spend).await.unwrap();
        assert!(answer.status < 500, "{what}: {answer:?}");
        for part in ["wallet", "transactions", "events"] {
            let path = format!("/v1/participants/{}/{part}", victim.id);
            let answer = client.get(&path).await.unwrap();
            assert_eq!(answer.status, 200, "{what} {part}: {answer:?}");
        }
    }
}
