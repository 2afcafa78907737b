//! Files of participants, cards and opening balances.

use scenarios::client::{Answer, key};
use scenarios::stack::{Stack, root, signal};
use serde_json::{Value, json};

use crate::calls::read;
use crate::desk::{available, own_stack, shared_stack, transactions};
use crate::places::items;

async fn send(stack: &Stack, key: &str, file: &str) -> Answer {
    let headers = [("idempotency-key", key), ("content-type", "text/csv")];
    let body = Some(file.as_bytes().to_vec());
    stack.client.raw("POST", "/v1/participant-imports", &headers, body).await.unwrap()
}

async fn taken(stack: &Stack, key: &str, file: &str) -> Vec<Value> {
    let answer = send(stack, key, file).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["outcomes"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn r90_the_sample_file_is_taken_in_once_however_often_it_is_sent() {
    let stack = own_stack().await;
    let file = std::fs::read_to_string(root().join("events/programme/import.csv")).unwrap();
    let name = key();
    let outcomes = taken(&stack, &name, &file).await;
    assert!(
        outcomes.iter().all(|row| row["status"] == 201 && row["changed"] == true),
        "{outcomes:?}"
    );
    let anna = read(&stack, "/v1/participants/c-1001").await;
    assert_eq!(anna["profile"]["tags"], json!(["commuter", "vip"]));
    assert_eq!(anna["consents"][0]["process"], "form 12");
    assert_eq!(anna["changed"]["process"], format!("import {name}"), "by which process: {anna}");
    assert_eq!(available(&stack, "c-1001", "points").await, "250");
    let bela = read(&stack, "/v1/participants/c-1002").await;
    assert_eq!(bela["aliases"], json!({ "card": 2, "external_id": 1 }));
    let card = json!({ "alias": { "kind": "card", "value": "4917610000000018" } });
    let found = stack.client.post("/v1/participant-lookups", &key(), &card).await.unwrap();
    assert_eq!(found.text("/participant_id"), "c-1002");

    let before: Vec<_> = items(&stack).await.into_iter().map(|item| item.bytes).collect();
    let outcomes = taken(&stack, &name, &file).await;
    assert!(outcomes.iter().all(|row| row["changed"] == false), "{outcomes:?}");
    let after: Vec<_> = items(&stack).await.into_iter().map(|item| item.bytes).collect();
    assert!(before == after, "the same file changes nothing");
    let number = "4917610000000018".to_owned();
    let stands = |bytes: &Vec<u8>| crate::places::holds(bytes, std::slice::from_ref(&number));
    assert!(!after.iter().flatten().any(stands), "a card number is not kept");

    // What is empty is left as it is.
    let outcomes = taken(&stack, &key(), "participant_id,area,email\nc-1001,north,\n").await;
    assert_eq!((&outcomes[0]["status"], &outcomes[0]["changed"]), (&json!(200), &json!(true)));
    let anna = read(&stack, "/v1/participants/c-1001").await;
    assert_eq!(
        (&anna["profile"]["email"], &anna["profile"]["area"]),
        (&json!("anna@example.org"), &json!("north"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn r90_a_bad_row_stops_no_good_one_and_is_told_without_what_it_holds() {
    let stack = shared_stack().await;
    let [one, two, three] = [(); 3].map(|()| format!("p-{}", key()));
    let card: String = key().chars().filter(char::is_ascii_hexdigit).take(30).collect();
    // Rows of different participants are booked at once: whoever comes first has the card.
    let header = "participant_id,email,alias:card,balance,amount,reference,reason";
    let first = format!("{header}\n{one},,{card},,,,\n");
    assert_eq!(send(&stack, &key(), &first).await.body["taken"], json!(1));
    let file = format!(
        "{header}\n\
         {one},,{card},points,5,open-1,opening\n\
         {two},canary at example,,,,,\n\
         {two},,{card},,,,\n\
         {three},,,points,1.5,open-3,opening\n\
         {three},canary\n"
    );
    let answer = send(&stack, &key(), &file).await;
    let outcomes = answer.body["outcomes"].as_array().unwrap();
    let code = |at: usize| outcomes[at]["problem"]["code"].as_str().unwrap_or("taken");
    let codes = [0, 1, 2, 3, 4].map(code);
    assert_eq!(codes, ["taken", "invalid", "alias_taken", "invalid", "invalid"], "{answer:?}");
    assert_eq!((&answer.body["taken"], &answer.body["refused"]), (&json!(1), &json!(4)));
    assert!(!answer.body.to_string().contains("canary"), "{answer:?}");
    for who in [&two, &three] {
        let nobody = stack.client.get(&format!("/v1/participants/{who}")).await.unwrap();
        assert_eq!(nobody.status, 404, "what is refused changes nothing");
    }
    assert_eq!(available(&stack, &one, "points").await, "5");
    for (file, pointer) in [("name\nx\n", "/columns/0"), ("participant_id\n", "")] {
        let refused = send(&stack, &key(), file).await;
        assert_eq!((refused.status, refused.text("/violations/0/pointer")), (422, pointer));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r74_a_file_that_was_killed_half_way_is_sent_again_and_books_each_row_once() {
    let stack = own_stack().await;
    let ids: Vec<String> = (0..150).map(|at| format!("k-{at}")).collect();
    let rows = ids.iter().map(|id| format!("{id},Test,X-{id},points,7,open-{id},opening\n"));
    let header = "participant_id,first_name,alias:external_id,balance,amount,reference,reason\n";
    let file = format!("{header}{}", rows.collect::<String>());
    let name = key();
    for _ in 0..2 {
        let client = stack.client.clone();
        let (name, file) = (name.clone(), file.clone().into_bytes());
        let call = tokio::spawn(async move {
            let headers = [("idempotency-key", name.as_str())];
            client.raw("POST", "/v1/participant-imports", &headers, Some(file)).await
        });
        // Until it is at work.
        for _ in 0..5_000 {
            if stack.client.get("/v1/participants/k-5").await.unwrap().status == 200 {
                break;
            }
        }
        for pid in stack.pids(Some("programme")).await.unwrap() {
            // It may have ended by itself.
            let _known = signal("KILL", pid).await;
        }
        call.await.unwrap().unwrap();
    }
    let mut answer = send(&stack, &name, &file).await;
    for _ in 0..5 {
        if answer.status == 200 {
            break;
        }
        answer = send(&stack, &name, &file).await;
    }
    assert_eq!((answer.status, &answer.body["taken"]), (200, &json!(150)), "{answer:?}");
    for id in &ids {
        let rows = transactions(&stack, id).await;
        assert_eq!(rows.len(), 1, "{id}: {rows:?}");
        assert_eq!(available(&stack, id, "points").await, "7");
    }
}
