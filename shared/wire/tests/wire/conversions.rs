//! Conversions as callers see them, and the payout file to the byte.

use domain::amount::Amount;
use domain::conversion::{Bands, ConversionMade};
use domain::id::{ConversionId, RunId};
use domain::ledger::{Act, Effect, Entry, EntryKey, PayloadHash};
use domain::programme::Programme;
use serde_json::{Value, json};
use wire::answer;
use wire::csv::{PayoutFile, PayoutTelling, payout_manifest, write_payout, write_payout_header};
use wire::programme::parse_programme;

use crate::answers::{at, lot, now, participant, shown};

fn programme() -> Programme {
    let document = include_bytes!("../../../../events/programme/programme-conversions.json");
    parse_programme(document, 1).unwrap()
}

fn cashback() -> ConversionId {
    ConversionId::parse("cashback").unwrap()
}

#[test]
fn r75_a_document_says_how_points_turn_into_money() {
    let programme = programme();
    let [by_hand, cashback, to_euros] = programme.conversions.as_slice() else { panic!() };
    assert_eq!((by_hand.bands, by_hand.minimum), (Bands::Whole, Amount(0)));
    assert!(by_hand.schedule.is_none() && by_hand.segment.is_none() && by_hand.into.is_none());
    assert_eq!((cashback.bands, cashback.minimum), (Bands::Marginal, Amount(500)));
    assert!(cashback.schedule.is_some() && cashback.segment.is_some());
    assert_eq!(to_euros.into.as_ref().map(|code| code.as_str()), Some("eur"));
}

#[test]
fn r75_a_conversion_has_a_row_for_what_went_and_one_for_what_came() {
    let lots = ["points", "eur"].map(|code| lot(code, None, None));
    let [points, eur] = lots.clone();
    let (balance, into) = (points.balance.clone(), Some(eur.balance.clone()));
    let made = ConversionMade { balance, points: Amount(700), money: Amount(8_75), into };
    let credit =
        Effect::Award { offer: None, lot: eur, amount: Amount(8_75), debt: Amount(0), slot: None };
    let entry = Entry {
        sequence: 3,
        at: now(),
        key: EntryKey::Convert { conversion: cashback(), at: at("2026-11-01T04:00:00+01:00") },
        payload: PayloadHash::default(),
        act: Act::Converted(made),
        effects: vec![Effect::Take { lot: points, amount: Amount(700) }, credit],
        after: lots.map(|lot| (lot.balance, Amount(8_75))).to_vec(),
    };
    let answer = shown(answer::transaction(&programme(), &participant(), &entry));
    let rows = answer["rows"].as_array().unwrap().iter();
    let brief = rows.map(|row| json!([row["kind"], row["balance"], row["amount"], row["cause"]]));
    let want = json!([
        ["convert", "points", "-700", "convert:cashback"],
        ["convert", "eur", "8.75", "convert:cashback"]
    ]);
    assert_eq!(brief.collect::<Value>(), want);
    let detail = json!({ "conversion": "cashback", "at": "2026-11-01T04:00:00+01:00",
        "balance": "points", "points": "700", "money": "8.75", "into": "eur" });
    assert_eq!(answer["conversion"], detail);
}

#[test]
fn r75_a_payout_file_says_whom_to_pay_and_its_manifest_how_much_in_all() {
    let programme = programme();
    let conversion = programme.conversion(&cashback()).unwrap();
    let telling =
        PayoutTelling { programme: &programme, conversion, at: at("2026-11-01T04:00:00+01:00") };
    let who = participant();
    let mut file = Vec::new();
    write_payout_header(&mut file).unwrap();
    write_payout(&mut file, &telling, (&who, 3), Some("tok_9f2c"), Amount(7_05)).unwrap();
    write_payout(&mut file, &telling, (&who, 4), None, Amount(80)).unwrap();
    let codes = [3, 4].map(|sequence| answer::transaction_code(&who, sequence));
    let want = format!(
        "participant_id,payout_reference,amount,currency,conversion,at,transaction\n\
         {who},tok_9f2c,7.05,EUR,cashback,2026-11-01T04:00:00+01:00,{}\n\
         {who},,0.80,EUR,cashback,2026-11-01T04:00:00+01:00,{}\n",
        codes[0], codes[1]
    );
    assert_eq!(String::from_utf8(file).unwrap(), want);
    let run = RunId::parse("conversion-1").unwrap();
    let part = PayoutFile {
        name: "payouts/conversion-1/part-0-00001-a.csv".into(),
        rows: 2,
        bytes: 9,
        sha256: "00".into(),
        amount: "7.85".into(),
    };
    let manifest = shown(payout_manifest(&telling, &run, vec![part], Amount(7_85)));
    assert_eq!((&manifest["rows"], &manifest["amount"]), (&json!(2), &json!("7.85")));
    assert_eq!(manifest["files"][0]["name"], "payouts/conversion-1/part-0-00001-a.csv");
}
