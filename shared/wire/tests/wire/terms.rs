//! What awards may be spent on: said in a programme, and shown with each lot.

use std::fs;
use std::path::Path;

use domain::programme::Programme;
use domain::time::Day;
use domain::wallet::{Lot, Wallet};
use serde_json::{Value, json};
use wire::answer;
use wire::fault::BodyFault;
use wire::programme::parse_programme;

use crate::answers::{now, shown};

fn sample(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/programme");
    fs::read(folder.join(name)).unwrap()
}

fn programme() -> Programme {
    parse_programme(&sample("programme-spend.json"), 1).unwrap()
}

#[test]
fn r48_what_is_wrong_with_conditions_is_told_in_a_sentence() {
    let told = match parse_programme(&sample("programme-spend.refused.json"), 1) {
        Err(BodyFault::Invalid(violations)) => violations,
        other => panic!("{other:?}"),
    };
    let wanted: Vec<Value> =
        serde_json::from_slice(&sample("programme-spend.violations.json")).unwrap();
    for want in wanted.iter().filter(|want| want.get("message").is_some()) {
        let (pointer, message) = (want["pointer"].as_str().unwrap(), &want["message"]);
        let found = told.iter().find(|fault| fault.pointer == pointer).unwrap();
        assert_eq!(&json!(found.message), message, "{pointer}");
    }
}

/// A lot shows the conditions as the document says them.
#[test]
fn r48_a_wallet_shows_what_each_lot_may_be_spent_on() {
    let programme = programme();
    let lot = |offer: &domain::offer::Offer| Lot {
        id: offer.lot(Day(20_000)),
        amount: domain::amount::Amount(5),
    };
    let lots: Vec<Lot> = programme.offers.iter().map(lot).collect();
    let wallet = Wallet { lots, ..Wallet::default() };
    let shown = shown(answer::wallet(&programme, &wallet, now()));
    let document: Value = serde_json::from_slice(&sample("programme-spend.json")).unwrap();
    let mut seen = 0;
    for (lot, offer) in shown["lots"].as_array().unwrap().iter().zip(
        // What has expired is not shown.
        document["offers"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|offer| offer.get("expires").is_none()),
    ) {
        assert_eq!(lot.get("conditions"), offer["spend"].get("only"), "{offer}");
        seen += usize::from(lot.get("conditions").is_some());
    }
    assert_eq!(seen, 2);
    assert_eq!(shown["balances"][0]["available"], "15", "they count");
}
