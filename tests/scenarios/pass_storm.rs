//! Many redeem one pass at once while processes are killed: it credits as often as it may.

use std::sync::Arc;

use futures_util::future::join_all;
use scenarios::client::{Answer, Call, key};
use scenarios::stack::{Stack, signal};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::tale::Tale;

/// Who redeem one pass at once.
const CALLERS: usize = 64;
/// How often each asks again.
const REPEATS: usize = 3;
/// Answers between two kills.
const KILL_EVERY: usize = 10;
/// Times that one request is sent until it counts as never answered.
const MAX_SENT: usize = 200;
const WHO: [&str; 4] = ["ada", "ben", "clara", "dora"];

/// Sends until there is an answer; the key makes that safe.
async fn insist(stack: &Stack, key: &str, body: &Value) -> Answer {
    for _ in 0..MAX_SENT {
        let answer = stack.client.post("/v1/pass-redemptions", key, body).await;
        if let Ok(answer) = answer
            && !matches!(answer.status, 502..=504)
        {
            return answer;
        }
    }
    panic!("{key} is never answered");
}

/// Redeems, and asks again under the same key: the answer stays, unless it was that the PIN was not
/// compared.
async fn repeated(stack: &Stack, body: &Value, tell: &mpsc::UnboundedSender<()>) -> Answer {
    let key = key();
    let first = insist(stack, &key, body).await;
    tell.send(()).unwrap();
    let repeats = if first.text("/code") == "pass_not_redeemable" { 0 } else { REPEATS };
    for _ in 0..repeats {
        let again = insist(stack, &key, body).await;
        tell.send(()).unwrap();
        let same = ["/transaction", "/code"].map(|told| again.text(told) == first.text(told));
        assert_eq!((again.status, same), (first.status, [true; 2]), "{first:?} {again:?}");
    }
    first
}

/// Kills a process of the function with every tenth answer.
async fn killer(stack: &Stack, mut answered: mpsc::UnboundedReceiver<()>) -> usize {
    let (mut killed, mut answers) = (0, 0_usize);
    while answered.recv().await.is_some() {
        answers += 1;
        if answers.is_multiple_of(KILL_EVERY)
            && let Some(pid) = stack.pids(Some("pass-redemption")).await.unwrap().first()
            && signal("KILL", *pid).await.is_ok()
        {
            killed += 1;
        }
    }
    killed
}

/// Everybody redeems at once, each under a key of their own; answers that said yes.
async fn storm(tale: &Arc<Tale>, bodies: Vec<Value>) -> (Vec<Answer>, usize) {
    let (tell, answered) = mpsc::unbounded_channel();
    let killing = tokio::spawn({
        let tale = tale.clone();
        async move { killer(&tale.stack, answered).await }
    });
    let callers = bodies.into_iter().map(|body| {
        let (tale, tell) = (tale.clone(), tell.clone());
        tokio::spawn(async move { repeated(&tale.stack, &body, &tell).await })
    });
    let callers: Vec<_> = callers.collect();
    drop(tell);
    let answers = join_all(callers).await.into_iter().map(Result::unwrap);
    let (yes, no): (Vec<_>, Vec<_>) = answers.partition(|answer| answer.status == 201);
    for answer in no {
        let code = answer.text("/code");
        assert!(matches!(code, "pass_used" | "pass_not_redeemable"), "{answer:?}");
    }
    (yes, killing.await.unwrap())
}

/// The same code for everybody, or for nobody by name.
fn bodies(code: &str, pin: Option<&str>, named: bool) -> Vec<Value> {
    let who = |number: usize| named.then_some(WHO[number % WHO.len()]);
    let body = |number| json!({ "code": code, "pin": pin, "participant_id": who(number) });
    (0..CALLERS).map(body).collect()
}

async fn tale() -> Arc<Tale> {
    let tale = Tale::of("passes").await;
    let mut programme = tale.body("programme").await;
    let thrice = json!({ "id": "thrice", "type": "gift", "format": "electronic", "balance": "eur",
                         "value": { "fixed": "5.00" }, "uses": 3, "expires": "never" });
    programme["pass_plans"].as_array_mut().unwrap().push(thrice);
    let put = tale.stack.client.put("/v1/programme", &programme).await.unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    for who in WHO {
        tale.joins(who).await;
    }
    Arc::new(tale)
}

async fn issue(tale: &Tale, plan: &str, body: &Value) -> Answer {
    let path = format!("/v1/pass-plans/{plan}/passes");
    let issued = tale.stack.client.post(&path, &key(), body).await.unwrap();
    assert_eq!(issued.status, 201, "{issued:?}");
    issued
}

/// What all of them have, in cents.
async fn cents(tale: &Tale) -> u64 {
    let mut sum = 0;
    for who in WHO {
        sum += tale.has(who, "eur").await.replace('.', "").parse::<u64>().unwrap();
    }
    sum
}

#[tokio::test(flavor = "multi_thread")]
async fn r85_a_pass_credits_as_often_as_it_may_whoever_redeems_it_and_whatever_is_killed() {
    let tale = tale().await;
    let once = issue(&tale, "gift-mail", &json!({ "value": "30.00" })).await;
    let (yes, first) = storm(&tale, bodies(once.text("/code"), None, true)).await;
    assert_eq!((yes.len(), cents(&tale).await), (1, 30_00));

    let thrice = issue(&tale, "thrice", &json!({})).await;
    let (yes, second) = storm(&tale, bodies(thrice.text("/code"), None, true)).await;
    assert_eq!((yes.len(), cents(&tale).await), (3, 45_00));

    let own = issue(&tale, "gift-mail", &json!({ "value": "10.00" })).await;
    let (yes, third) = storm(&tale, bodies(own.text("/code"), None, false)).await;
    assert_eq!(yes.len(), 1);
    assert_eq!(tale.has(yes[0].text("/participant_id"), "eur").await, "10.00");
    assert!(first + second + third > 0, "no kill hit anything");
    println!("{} processes killed", first + second + third);
}

/// a PIN's try is charged before it is compared, so a process that is killed in between
/// costs a try; the pass may lock, but it never credits twice.
#[tokio::test(flavor = "multi_thread")]
async fn r84_with_a_pin_it_is_credited_once_or_locked_until_an_operator_unlocks_it() {
    let tale = tale().await;
    let issued = issue(&tale, "top-up-25", &json!({})).await;
    let (code, pin) = (issued.text("/code"), issued.text("/pin"));
    let (yes, _) = storm(&tale, bodies(code, Some(pin), true)).await;
    assert!(yes.len() <= 1, "{yes:?}");
    let path = format!("/v1/passes/{}", issued.text("/pass_id"));
    let body = json!({ "state": "usable" });
    let unlock = Call { method: "PATCH", path: &path, key: None, body: Some(&body) };
    tale.stack.client.send(&unlock).await.unwrap();
    let body = json!({ "code": code, "pin": pin, "participant_id": "ada" });
    let late = insist(&tale.stack, &key(), &body).await;
    let want = if yes.is_empty() { (201, "") } else { (409, "pass_used") };
    assert_eq!((late.status, late.text("/code")), want, "{late:?}");
    assert_eq!(cents(&tale).await, 25_00);
}
