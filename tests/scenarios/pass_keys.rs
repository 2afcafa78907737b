//! keys of pass codes are changed while functions run, and what was made before stays good.

use domain::id::PlanId;
use domain::pass::{Generation, PassId, PassKeys};
use scenarios::client::{Answer, key};
use scenarios::stack::signal;
use serde_json::{Value, json};

use crate::places::pass_secret;
use crate::tale::Tale;

const FUNCTION: &str = "pass-redemption";
/// As far as a process trusts what it knows, and more.
const MINUTE: &str = "PT61S";

async fn post(tale: &Tale, path: &str, body: &Value) -> Answer {
    tale.stack.client.post(path, &key(), body).await.unwrap()
}

async fn sees(tale: &Tale, code: &str) -> u16 {
    post(tale, "/v1/pass-lookups", &json!({ "code": code })).await.status
}

async fn secret(tale: &Tale) -> String {
    let answer = pass_secret(&tale.stack, "GetSecretValue", json!({})).await;
    answer["SecretString"].as_str().unwrap().to_owned()
}

async fn puts(tale: &Tale, secret: &str) {
    pass_secret(&tale.stack, "PutSecretValue", json!({ "SecretString": secret })).await;
}

/// How often the functions have read the secret.
async fn reads(tale: &Tale) -> u64 {
    let stats = tale.stack.stats().await.unwrap();
    let functions = stats["functions"].as_object().unwrap();
    let calls = functions.values().map(|function| &function["calls"]["GetSecretValue"]);
    calls.filter_map(Value::as_u64).sum()
}

/// The symbol that tells the generations apart.
fn generation(code: &str) -> &str {
    &code[3..4]
}

#[tokio::test(flavor = "multi_thread")]
async fn r84_a_key_is_added_while_functions_run_and_older_codes_stay_good() {
    let tale = Tale::of("passes").await;
    tale.joins("clara").await;
    let printed = json!({ "count": 25 });
    let activated = post(&tale, "/v1/pass-plans/gift-card/activate", &printed).await;
    assert_eq!(activated.status, 201, "{activated:?}");
    let file = || tale.stack.client.get("/v1/pass-plans/gift-card/codes");
    let before = file().await.unwrap();
    let path = "/v1/pass-plans/gift-mail/passes";
    let (order, order_key) = (json!({ "value": "35.50" }), key());
    let issue = || tale.stack.client.post(path, &order_key, &order);
    let old = issue().await.unwrap();
    assert_eq!((old.status, generation(old.text("/code"))), (201, "0"), "{old:?}");

    let first = secret(&tale).await;
    let both = format!("{first}\n{}", "another key of at least thirty-two letters");
    puts(&tale, &both).await;
    tale.stack.advance(MINUTE).await.unwrap();
    let new = post(&tale, path, &order).await;
    assert_eq!((new.status, generation(new.text("/code"))), (201, "1"), "{new:?}");
    let repeated = issue().await.unwrap();
    assert_eq!(repeated.text("/code"), old.text("/code"), "one key, one code");
    assert_eq!(file().await.unwrap().body, before.body, "it is as it was printed");
    for answer in [&old, &new] {
        let body = json!({ "code": answer.text("/code"), "participant_id": "clara" });
        let redeemed = post(&tale, "/v1/pass-redemptions", &body).await;
        assert_eq!(redeemed.status, 201, "{redeemed:?}");
    }

    // A process that started before the change learns of it from a code.
    puts(&tale, &first).await;
    let pids = tale.stack.pids(Some(FUNCTION)).await.unwrap();
    assert!(!pids.is_empty(), "which process?");
    for pid in pids {
        signal("KILL", pid).await.unwrap();
    }
    let mut seen = 0;
    for _ in 0..1_000 {
        seen = sees(&tale, old.text("/code")).await;
        if seen == 200 {
            break;
        }
    }
    assert_eq!(seen, 200, "another process answers");
    puts(&tale, &both).await;
    let known = reads(&tale).await;
    for _ in 0..20 {
        sees(&tale, new.text("/code")).await;
    }
    // However slow the calls were, a minute may have passed once.
    assert!(reads(&tale).await <= known + 1, "it is not asked for every guess");
    tale.stack.advance(MINUTE).await.unwrap();
    assert_eq!(sees(&tale, new.text("/code")).await, 200);
    assert!(reads(&tale).await <= known + 2);
}

/// Whoever got hold of an older key makes no code of a newer pass.
#[tokio::test(flavor = "multi_thread")]
async fn r84_a_code_of_another_key_than_the_passs_own_is_refused() {
    let tale = Tale::of("passes").await;
    let first = secret(&tale).await;
    puts(&tale, &format!("{first}\n{}", "another key of at least thirty-two letters")).await;
    let order = json!({ "value": "35.50" });
    let gift = post(&tale, "/v1/pass-plans/gift-mail/passes", &order).await;
    let top_up = post(&tale, "/v1/pass-plans/top-up-25/passes", &json!({})).await;
    let leaked = PassKeys::parse(&first).unwrap();
    for (plan, pass) in [("gift-mail", &gift), ("top-up-25", &top_up)] {
        assert_eq!(generation(pass.text("/code")), "1", "{pass:?}");
        let key = leaked.of(&PlanId::parse(plan).unwrap(), Generation(0)).unwrap();
        let forged = key.told(PassId::parse(pass.text("/pass_id")).unwrap().serial);
        let body = json!({ "code": forged.code, "pin": forged.pin });
        let refused = post(&tale, "/v1/pass-lookups", &body).await;
        assert_eq!((refused.status, refused.text("/code")), (409, "pass_not_redeemable"));
        let body = json!({ "code": forged.code, "pin": forged.pin, "participant_id": "clara" });
        let refused = post(&tale, "/v1/pass-redemptions", &body).await;
        assert_eq!((refused.status, refused.text("/code")), (409, "pass_not_redeemable"));
        let path = format!("/v1/passes/{}", pass.text("/pass_id"));
        let shown = tale.stack.client.get(&path).await.unwrap();
        assert!(shown.body["pin_tries"].as_u64().unwrap_or(0) == 0, "nor a try of it: {shown:?}");
    }
}
