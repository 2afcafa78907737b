//! Tries of a feed: hints for the same take turns, and a try reads what failed the last.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::target::{Got, Target};
use super::{feeding, idle, length, webhook};
use crate::desk::{participant, post_event, purchase};
use crate::places::secret;

/// People whose feeds are told at once, and how often: by as many processes as there may be.
const PEOPLE: usize = 10;
const ROUNDS: usize = 4;

/// hints that come together again tell nothing twice.
#[tokio::test(flavor = "multi_thread")]
async fn r96_hints_of_one_participant_that_come_together_tell_everything_once() {
    let target = Target::new(|number, _| (if number < 4 { 500 } else { 200 }, String::new())).await;
    let (stack, folder) = feeding(json!([webhook("crm", &target)])).await;
    let id = participant(&stack).await;
    for _ in 0..8 {
        assert_eq!(post_event(&stack, &purchase(&id, "11.00")).await.status, 201);
    }
    idle(&stack).await;
    let want: Vec<u64> = (1..=length(&stack, &id).await).collect();
    let mut told = Vec::new();
    for Got { body, .. } in target.got().iter().filter(|got| got.status == 200) {
        let body: Value = serde_json::from_slice(body).unwrap();
        let messages = body["messages"].as_array().unwrap().clone();
        let movements = messages.iter().filter(|message| message["type"] == "movement");
        told.extend(movements.map(|one| one["sequence"].as_u64().unwrap()));
    }
    assert_eq!(told, want, "each once, in order");
    drop(stack);
    std::fs::remove_dir_all(folder).unwrap();
}

/// a secret that was changed is taken by the next try, though the last one is fresh.
#[tokio::test(flavor = "multi_thread")]
async fn r96_a_try_after_the_first_takes_the_secret_that_was_changed() {
    const CHANGED: &str = "a secret of feeds that somebody changed";
    let is_changed = |got: &Got| {
        let seconds = got.headers["accrue-timestamp"].parse().unwrap();
        let signed = domain::feed::signature(CHANGED, seconds, &got.body).unwrap();
        let signed: String = signed.iter().map(|byte| format!("{byte:02x}")).collect();
        got.headers["accrue-signature"] == format!("v1={signed}")
    };
    let knows = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let strict = std::sync::Arc::clone(&knows);
    let target = Target::new(move |_, got| {
        let refused = strict.load(std::sync::atomic::Ordering::SeqCst) && !is_changed(got);
        (if refused { 401 } else { 200 }, String::new())
    })
    .await;
    let (stack, folder) = feeding(json!([webhook("crm", &target)])).await;
    // Every process that there is knows the secret: none is new when it has changed.
    let mut people = Vec::new();
    for _ in 0..PEOPLE {
        people.push(participant(&stack).await);
    }
    for _ in 0..ROUNDS {
        join_all(people.iter().map(|id| async {
            assert_eq!(post_event(&stack, &purchase(id, "11.00")).await.status, 201);
        }))
        .await;
        idle(&stack).await;
    }
    let id = people.swap_remove(0);
    let texts = json!({ "default": CHANGED }).to_string();
    let put = json!({ "SecretString": texts });
    secret(&stack, "FeedSecret", "PutSecretValue", put).await;
    knows.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(post_event(&stack, &purchase(&id, "11.00")).await.status, 201);
    idle(&stack).await;
    let want: Vec<u64> = (1..=length(&stack, &id).await).collect();
    assert_eq!(target.movements(&id), want);
    drop(stack);
    std::fs::remove_dir_all(folder).unwrap();
}
