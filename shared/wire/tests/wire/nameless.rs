//! Nameless wallets: what is sent by whoever holds a pass, and what they are shown.

use domain::id::ParticipantId;
use serde_json::{Value, json};
use wire::hold::parse_hold;
use wire::pass::{parse_redemption, parse_registration};
use wire::spend::{Spender, parse_spend, sent_spend};

use crate::answers::{now, programme};

fn bytes(body: &Value) -> Vec<u8> {
    serde_json::to_vec(body).unwrap()
}

/// no hash that is stored is one of a code or a PIN.
#[test]
fn r84_no_payload_hash_is_a_hash_of_code_or_pin() {
    let shown = |code: &str, pin: &str| json!({ "code": code, "pin": pin });
    let spend = |pass: Value| json!({ "pass": pass, "amount": "5", "unit": "station-1" });
    let hashes = |code: &str, pin: &str| {
        let pass = shown(code, pin);
        let spent = spend(pass.clone());
        let spend = parse_spend(&bytes(&spent), &programme(), now()).unwrap();
        let hold = parse_hold(&bytes(&spent), &programme(), now()).unwrap();
        let mut registration = pass.clone();
        registration["profile"] = json!({ "first_name": "Ada" });
        let sent = sent_spend(&spent).unwrap();
        assert_eq!(sent, (spend.spender, spend.payload));
        let registered = parse_registration(&bytes(&registration), now()).unwrap().payload;
        let redeemed = parse_redemption(&bytes(&pass)).unwrap().payload;
        [spend.payload, hold.spend.payload, registered, redeemed]
    };
    assert_eq!(hashes("AAAA", "111111"), hashes("BBBB", "222222"));
    let named = json!({ "participant_id": "c-1", "amount": "5", "unit": "station-1" });
    let named = parse_spend(&bytes(&named), &programme(), now()).unwrap();
    assert_ne!(named.payload, hashes("AAAA", "111111")[0]);
}

/// a credential tells nothing, wherever it is printed.
#[test]
fn r84_a_credential_is_never_printed() {
    let body = json!({ "pass": { "code": "AAAA-BBBB", "pin": "123456" }, "amount": "5" });
    let spend = parse_spend(&bytes(&body), &programme(), now()).unwrap();
    assert!(matches!(spend.spender, Spender::Holder(_)));
    let printed = format!("{spend:?}");
    assert!(!printed.contains("AAAA") && !printed.contains("123456"), "{printed}");
}

/// a redemption that names nobody is another request than one that does.
#[test]
fn r82_a_redemption_may_name_nobody() {
    let parse = |body: Value| parse_redemption(&bytes(&body)).unwrap();
    let own = parse(json!({ "code": "AAAA" }));
    let named = parse(json!({ "code": "AAAA", "participant_id": "c-1" }));
    assert_eq!(own.participant, None);
    assert_eq!(named.participant, Some(ParticipantId::parse("c-1").unwrap()));
    assert_ne!(own.payload, named.payload);
}
