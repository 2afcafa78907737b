//! Cancels against whatever else happens: sent often, during a run, after the points were spent or
//! have expired, and before the event is there.

use futures_util::future::join_all;
use scenarios::client::key;
use serde_json::{Value, json};

use crate::calls::{bulk, cancel, pending, posted, read, run, spend, spend_of, start_run};
use crate::desk::{available, participant, post_event, transactions};
use crate::returns::{basket, give_back, put_programme, shirts, shop, told};

#[tokio::test(flavor = "multi_thread")]
async fn r72_a_cancel_sent_sixteen_times_at_once_is_one() {
    let stack = shop().await;
    let id = participant(&stack).await;
    let (kept, event) = (posted(&stack, &basket(&id)).await, posted(&stack, &basket(&id)).await);
    let key = key();
    let answers = join_all((0..16).map(|_| cancel(&stack, &event, &key))).await;
    let code = answers[0].text("/transaction");
    assert!(
        answers.iter().all(|a| a.status == 200 && a.text("/transaction") == code),
        "{answers:?}"
    );
    let first = answers.iter().filter(|answer| answer.body["repeated"] == false).count();
    assert_eq!((first, available(&stack, &id, "points").await.as_str()), (1, "100"));
    assert_eq!(cancel(&stack, &kept, &key).await.status, 200, "a key is the event's own");
}

#[tokio::test(flavor = "multi_thread")]
async fn r72_a_purchase_is_cancelled_while_a_run_awards_it() {
    let stack = shop().await;
    let id = participant(&stack).await;
    let rows: Vec<Value> = (0..20).map(|_| pending(basket(&id))).collect();
    let stored = bulk(&stack, &rows).await;
    let events: Vec<&str> = stored.iter().map(|row| row["event_id"].as_str().unwrap()).collect();
    let (_, cancelled) = tokio::join!(
        async { start_run(&stack, &key()).await },
        join_all(events.iter().map(|event| async { cancel(&stack, event, &key()).await }))
    );
    assert!(cancelled.iter().all(|answer| answer.status == 200), "{cancelled:?}");
    assert_eq!(stack.idle().await.unwrap().status, 200);
    assert_eq!(run(&stack).await["awarded"], 0, "nothing is left to judge");
    assert_eq!(available(&stack, &id, "points").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn r72_the_programme_says_what_becomes_of_an_award_that_was_spent() {
    let stack = shop().await;
    // 70 of 100 points are spent, and the purchase is cancelled: the answer, what is owed, what is
    // left, and what is left once the spend is cancelled as well.
    let cases = [
        ("carry", 200, "70", "0", "0"),
        ("write_off", 200, "0", "0", "0"),
        ("refuse", 409, "0", "30", "100"),
    ];
    for (policy, status, owed, left, at_last) in cases {
        put_programme(&stack, policy, json!("never")).await;
        let id = participant(&stack).await;
        let event = posted(&stack, &basket(&id)).await;
        let spent = spend(&stack, &key(), &spend_of(&id, 70, None)).await;
        let cancel_key = key();
        for _ in 0..2 {
            let answer = cancel(&stack, &event, &cancel_key).await;
            let code = if status == 409 { "award_spent" } else { "" };
            assert_eq!(told(&answer), (status, code), "{policy}");
        }
        let wallet = read(&stack, &format!("/v1/participants/{id}/wallet")).await;
        let balance = &wallet["balances"][0];
        assert_eq!(
            (&balance["debt"], &balance["available"]),
            (&json!(owed), &json!(left)),
            "{policy}"
        );
        assert_eq!(cancel(&stack, spent.text("/transaction"), &key()).await.status, 200);
        assert_eq!(available(&stack, &id, "points").await, at_last, "{policy}");
        // A refused cancel stays refused under its key; under another it is asked anew.
        if status == 409 {
            assert_eq!(told(&cancel(&stack, &event, &cancel_key).await), (409, "award_spent"));
            assert_eq!(cancel(&stack, &event, &key()).await.status, 200);
            assert_eq!(available(&stack, &id, "points").await, "0");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r72_what_was_spent_comes_back_to_points_that_have_expired_since() {
    let stack = shop().await;
    put_programme(&stack, "carry", json!({ "after": "P10D" })).await;
    let id = participant(&stack).await;
    let event = posted(&stack, &basket(&id)).await;
    let spent = spend(&stack, &key(), &spend_of(&id, 60, None)).await;
    stack.advance("P20D").await.unwrap();
    // They come back as what they were, and so they have expired.
    assert_eq!(cancel(&stack, spent.text("/transaction"), &key()).await.status, 200);
    assert_eq!(available(&stack, &id, "points").await, "0");
    let row = |row: &Value| format!("{} {}", row["kind"], row["amount"]).replace('"', "");
    let rows = transactions(&stack, &id).await;
    let seen: Vec<String> = rows.iter().map(row).collect();
    assert_eq!(seen, ["reverse 60", "expire -40", "spend -60", "award 100"]);
    assert_eq!(rows[0]["available_after"], "0");
    // The purchase comes back as well: all of its award is gone already, and nothing is owed.
    assert_eq!(cancel(&stack, &event, &key()).await.status, 200);
    let wallet = read(&stack, &format!("/v1/participants/{id}/wallet")).await;
    assert_eq!(wallet["balances"][0]["debt"], "0", "{wallet}");
}

#[tokio::test(flavor = "multi_thread")]
async fn r72_an_event_is_cancelled_before_it_arrives() {
    let stack = shop().await;
    let id = participant(&stack).await;
    let late = basket(&id);
    let event = format!("test%3A{}", late["external_reference"].as_str().unwrap());
    let caller = stack.caller(&["events.write"], &json!({ "merchant": "kiosks" })).await.unwrap();
    let path = format!("/v1/events/{event}/cancel");
    let merchant = caller.post(&path, &key(), &json!({})).await.unwrap();
    assert_eq!(told(&merchant), (403, "unit_not_allowed"), "nothing says whose unit it is");
    assert_eq!(
        told(&give_back(&stack, &event, &key(), &shirts(1)).await),
        (404, "event_not_found")
    );

    let first = key();
    for repeated in [false, true] {
        let answer = cancel(&stack, &event, &first).await;
        assert_eq!((answer.status, answer.text("/state")), (202, "cancelled"), "{answer:?}");
        assert_eq!(answer.text("/event_id"), event.replace("%3A", ":"));
        assert_eq!(answer.body["repeated"], repeated);
    }
    assert_eq!(told(&cancel(&stack, &event, &key()).await), (409, "already_cancelled"));
    // It comes at last, and again, and in bulk.
    for _ in 0..2 {
        assert_eq!(told(&post_event(&stack, &late).await), (409, "event_cancelled"));
    }
    assert_eq!(available(&stack, &id, "points").await, "0");
    let rows = bulk(&stack, &[late.clone(), basket(&id)]).await;
    assert_eq!(
        (&rows[0]["status"], &rows[0]["problem"]["code"]),
        (&json!(409), &json!("event_cancelled"))
    );
    assert_eq!(rows[1]["status"], 202);
    let unknown = stack.client.get(&format!("/v1/events/{event}")).await.unwrap();
    assert_eq!(told(&unknown), (404, "event_not_found"), "there never was one");
}
