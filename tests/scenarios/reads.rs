//! What is read of a participant: pages, filters, and single transactions.

use std::collections::BTreeSet;

use scenarios::client::key;
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::calls::{bulk, cancel, pending, posted, read, sequence, spend, spend_of};
use crate::desk::{credit, participant, post_event, purchase, shared_stack, transactions};

/// Pages until there is no more; no list here has as many.
const MAX_PAGES: usize = 100;

/// All pages of a list, one after the other.
async fn paged(stack: &Stack, path: &str, list: &str, limit: usize) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    for _ in 0..MAX_PAGES {
        let page = read(stack, &format!("{path}?limit={limit}{cursor}")).await;
        all.extend(page[list].as_array().unwrap().clone());
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
    panic!("{path} has no end");
}

fn texts<'a>(rows: &'a [Value], name: &str) -> Vec<&'a str> {
    rows.iter().map(|row| row[name].as_str().unwrap()).collect()
}

/// pages of any size are the same list, newest first.
#[tokio::test(flavor = "multi_thread")]
async fn r68_transactions_come_in_pages_newest_first() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    for _ in 0..6 {
        credit(&stack, &id, 1).await;
        posted(&stack, &purchase(&id, "60.00")).await;
        for amount in [1, 2, 400] {
            let body = spend_of(&id, amount, Some("counter"));
            assert!(matches!(spend(&stack, &key(), &body).await.status, 201 | 409));
        }
    }
    let all = transactions(&stack, &id).await;
    let sequences: Vec<u64> = texts(&all, "code").into_iter().map(sequence).collect();
    assert!(sequences.is_sorted_by(|a, b| a >= b), "{sequences:?}");
    assert_eq!(sequences.iter().collect::<BTreeSet<_>>().len(), 30);
    assert!(texts(&all, "at").is_sorted_by(|a, b| a >= b));
    let path = format!("/v1/participants/{id}/transactions");
    for limit in [1, 4, 7, 30, 31] {
        assert_eq!(paged(&stack, &path, "transactions", limit).await, all, "by {limit}");
    }
    for bad in ["limit=0", "limit=201", "limit=x", "cursor=x"] {
        let answer = stack.client.get(&format!("{path}?{bad}")).await.unwrap();
        assert_eq!((answer.status, answer.text("/code")), (422, "invalid"), "{bad}");
    }
}

/// processed, awaiting a run, pending: all in one list, each once, newest first.
#[tokio::test(flavor = "multi_thread")]
async fn r16_events_come_in_pages_pending_ones_too() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    let mut stored = Vec::new();
    for round in 0..4 {
        for _ in 0..3 {
            stored.push(posted(&stack, &purchase(&id, "10.00")).await);
        }
        // A bulk: all of them are accepted in the same millisecond.
        let rows: Vec<Value> = (0..6).map(|_| pending(purchase(&id, "10.00"))).collect();
        for outcome in bulk(&stack, &rows).await {
            stored.push(outcome["event_id"].as_str().unwrap().to_owned());
        }
        if round % 2 == 0 {
            let last = stored[stored.len() - 8].clone();
            assert_eq!(cancel(&stack, &last, &key()).await.status, 200);
        }
    }
    let path = format!("/v1/participants/{id}/events");
    let all = paged(&stack, &path, "events", 200).await;
    let accepted = texts(&all, "accepted_at");
    assert!(accepted.is_sorted_by(|a, b| a >= b), "newest first: {accepted:?}");
    let listed: BTreeSet<&str> = texts(&all, "id").into_iter().collect();
    assert_eq!(all.len(), stored.len());
    assert_eq!(listed, stored.iter().map(String::as_str).collect());
    for limit in [1, 5, 7, 36] {
        let pages = paged(&stack, &path, "events", limit).await;
        assert_eq!(texts(&pages, "id"), texts(&all, "id"), "by {limit}");
    }
}

/// by type and by state.
#[tokio::test(flavor = "multi_thread")]
async fn r16_events_are_found_by_type_and_state() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    let kept = posted(&stack, &purchase(&id, "10.00")).await;
    let gone = posted(&stack, &purchase(&id, "20.00")).await;
    let waiting = post_event(&stack, &pending(purchase(&id, "30.00"))).await;
    let waiting = waiting.text("/event/id");
    assert_eq!(cancel(&stack, &gone, &key()).await.status, 200);
    for (filter, expected) in [
        ("", vec![waiting, gone.as_str(), kept.as_str()]),
        ("?type=purchase&state=posted", vec![waiting, kept.as_str()]),
        ("?state=cancelled", vec![gone.as_str()]),
        ("?type=referral", vec![]),
    ] {
        let page = read(&stack, &format!("/v1/participants/{id}/events{filter}")).await;
        let events = page["events"].as_array().unwrap();
        let found: BTreeSet<&str> = texts(events, "id").into_iter().collect();
        assert_eq!(found, expected.into_iter().collect(), "{filter}");
        assert_eq!(page["cursor"], Value::Null);
    }
    for bad in ["type=holiday", "state=pending", "limit=0", "cursor=7"] {
        let answer = stack.client.get(&format!("/v1/participants/{id}/events?{bad}")).await;
        assert_eq!(answer.unwrap().status, 422, "{bad}");
    }
}

/// each change has a code under which it is found, also what was refused.
#[tokio::test(flavor = "multi_thread")]
async fn r66_r68_a_transaction_is_found_by_its_code() {
    let stack = shared_stack().await;
    let id = participant(&stack).await;
    let bought = post_event(&stack, &purchase(&id, "60.00")).await;
    let award = bought.text("/awards/0/transaction");
    let one = async |code: &str| read(&stack, &format!("/v1/transactions/{code}")).await;
    let found = one(award).await;
    assert_eq!(found["event"], bought.body["event"]["id"]);
    assert_eq!(found["participant_id"], id.as_str());
    let offers: Vec<&str> = texts(found["rows"].as_array().unwrap(), "offer");
    assert_eq!(offers, ["welcome", "big-basket"]);

    let mut body = spend_of(&id, 10, Some("counter"));
    body["unit"] = json!("kiosk-1");
    let spent = spend(&stack, &key(), &body).await;
    let found = one(spent.text("/transaction")).await;
    let told = &found["spend"];
    for name in ["transaction", "requested", "spent", "remainder", "reduction_method"] {
        assert_eq!(told[name], spent.body[name], "{name}");
    }
    assert_eq!((&told["unit"], &told["classification"]), (&body["unit"], &json!("counter")));
    assert_eq!((&told["instant"], &told["automatic"]), (&json!(false), &json!(false)));
    assert_eq!((&found["cause"], &found["rows"][0]["amount"]), (&json!("spend"), &json!("-10")));

    spend(&stack, &key(), &spend_of(&id, 400, Some("counter"))).await;
    let newest = &transactions(&stack, &id).await[0];
    let found = one(newest["code"].as_str().unwrap()).await;
    assert_eq!((&found["refusal"], &found["rows"]), (&json!("not_covered"), &json!([newest])));

    // A code with another check symbol, a later one, and one of nobody.
    let code = newest["code"].as_str().unwrap();
    let (body, check) = code.rsplit_once('-').unwrap();
    let wrong = if check == "A" { "B" } else { "A" };
    for unknown in [format!("{body}-{wrong}"), "nobody.1-A".to_owned(), "x".to_owned()] {
        let answer = stack.client.get(&format!("/v1/transactions/{unknown}")).await.unwrap();
        assert_eq!((answer.status, answer.text("/code")), (404, "transaction_not_found"));
    }
}
