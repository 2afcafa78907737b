//! Coupons as callers see them (R-76).

use domain::amount::Amount;
use domain::coupon::{CodeTaken, Codes, Cost, CouponTaken, Stock};
use domain::id::{CouponId, Key};
use domain::ledger::{Act, Effect, Entry, EntryKey, PayloadHash, SpendCause, SpendMade};
use domain::programme::{Programme, ReductionMethod};
use domain::time::{Day, parse_instant};
use domain::wallet::Wallet;
use serde_json::{Value, json};
use wire::answer;
use wire::coupon::{parse_codes, parse_coupon, parse_use, sent_coupon};
use wire::fault::BodyFault;
use wire::programme::parse_programme;

use crate::answers::{lot, now, participant, shown};

fn programme() -> Programme {
    let document = include_bytes!("../../../../events/programme/programme-coupons.json");
    parse_programme(document, 1).unwrap()
}

fn taken(coupon: &str, code: CodeTaken) -> CouponTaken {
    let until = Some(Day::of(chrono::NaiveDate::from_ymd_opt(2027, 2, 19).unwrap()));
    CouponTaken { coupon: CouponId::parse(coupon).unwrap(), number: 4, until, code }
}

fn made(taken: CouponTaken) -> SpendMade {
    SpendMade {
        balance: lot("points", None, None).balance,
        requested: Amount(500),
        spent: Amount(500),
        covered: None,
        remainder: Amount(0),
        purchase: None,
        method: ReductionMethod::FrontEnd,
        unit: None,
        performed_on: now(),
        classification: None,
        request: None,
        cause: SpendCause::Coupon(taken),
    }
}

#[test]
fn r76_a_document_says_what_coupons_there_are() {
    let programme = programme();
    let [cinema, museum, christmas, trees, one_tree] = programme.coupons.as_slice() else {
        panic!()
    };
    assert_eq!((cinema.codes, cinema.cost), (Codes::Uploaded, Cost::Fixed(Amount(500))));
    assert!(cinema.lasts.is_some() && cinema.until.is_some() && !cinema.donated);
    assert_eq!((museum.codes, museum.stock, museum.donated), (Codes::Generated, Some(10), true));
    assert_eq!((christmas.cost, christmas.valid.len()), (Cost::Fixed(Amount(4_50)), 1));
    assert_eq!(trees.cost, Cost::Chosen { min: Amount(10), max: Amount(100_000) });
    assert!(trees.cause == one_tree.cause && one_tree.cost == Cost::Fixed(Amount(2_500)));
}

#[test]
fn r76_a_taken_coupon_is_a_spend_that_says_which() {
    let points = lot("points", None, None);
    let entry = Entry {
        sequence: 3,
        at: now(),
        key: EntryKey::Coupon(Key::parse("k").unwrap()),
        payload: PayloadHash::default(),
        act: Act::Spent(made(taken("cinema", CodeTaken::Uploaded))),
        effects: vec![Effect::Take { lot: points.clone(), amount: Amount(500) }],
        after: vec![(points.balance, Amount(200))],
    };
    let answer = shown(answer::transaction(&programme(), &participant(), &entry));
    let row = &answer["rows"][0];
    let brief = json!([row["kind"], row["amount"], row["cause"], row["coupon"]]);
    assert_eq!(brief, json!(["spend", "-500", "coupon:cinema", "cinema"]));
    let spend = &answer["spend"];
    let brief = json!([spend["coupon"], spend["spent"], spend["instant"], spend["automatic"]]);
    assert_eq!(brief, json!(["cinema", "500", false, false]));
}

#[test]
fn r76_whoever_takes_a_coupon_is_told_its_code_and_how_long_it_lasts() {
    let (programme, who, wallet) = (programme(), participant(), Wallet::default());
    let taken = taken("museum", CodeTaken::None);
    let made = made(taken.clone());
    let answer = |code: Option<&str>| {
        let (what, code) = ((&made, &taken), code.map(str::to_owned));
        let told =
            answer::coupon(&programme, (&who, 3), what, code, (&wallet, now()), (true, false));
        serde_json::to_value(told).unwrap()
    };
    let told = answer(Some("KINO-1"));
    let transaction = answer::transaction_code(&who, 3);
    let want = json!({ "transaction": transaction, "coupon": "museum", "balance": "points",
        "spent": "500", "code": "KINO-1", "redeemable_until": "2027-02-20T00:00:00+01:00",
        "balances": told["balances"], "repeated": true });
    assert_eq!(told, want);
    assert_eq!(answer(None).get("code"), None);
}

#[test]
fn r76_the_catalogue_says_what_is_left_and_what_was_given() {
    let programme = programme();
    let paid = |amount| [(lot("points", None, None).balance, Amount(amount))].into();
    let stocks = [
        Stock { taken: 2, dealt: 2, pool: 2, paid: paid(1_000), ..Stock::default() },
        Stock { taken: 5, cancelled: 1, paid: paid(1_200), ..Stock::default() },
        Stock::default(),
        Stock { taken: 3, paid: paid(760), ..Stock::default() },
        Stock { taken: 1, paid: paid(2_500), ..Stock::default() },
    ];
    let coupons: Vec<_> = programme.coupons.iter().zip(stocks).collect();
    let answer = shown(answer::catalogue(&programme, &coupons, now()));
    let brief = |coupon: &Value| {
        json!([coupon["coupon"], coupon["offered"], coupon["left"], coupon["given"]["count"]])
    };
    let got: Value = answer["coupons"].as_array().unwrap().iter().map(brief).collect();
    let want = json!([
        ["cinema", false, 0, 2],
        ["museum", true, 6, 4],
        ["christmas", false, 200, 0],
        ["trees", true, null, 3],
        ["one-tree", true, null, 1]
    ]);
    assert_eq!(got, want);
    let trees = &answer["coupons"][3];
    assert_eq!(trees["amount"], json!({ "min": "10", "max": "100000" }));
    assert_eq!((trees.get("cost"), &answer["coupons"][2]["cost"]), (None, &json!("4.50")));
    let given = json!({ "count": 4, "amounts": [{ "balance": "points", "amount": "3260" }] });
    assert_eq!(answer["causes"], json!([{ "cause": "City trees", "given": given }]));
    let christmas = parse_instant("2026-12-24T17:59:59+01:00").unwrap();
    let later = shown(answer::catalogue(&programme, &coupons, christmas));
    assert_eq!(later["coupons"][2]["offered"], json!(true));
}

#[test]
fn r70_a_repeat_is_the_same_whatever_the_programme_says_of_the_coupon() {
    let body = br#"{"coupon": "museum", "unit": "museum-1"}"#;
    let programme = programme();
    let asked = parse_coupon(body, &programme).unwrap();
    assert_eq!(sent_coupon(br#"{"unit": "museum-1", "coupon": "museum"}"#), Some(asked.payload));
    assert_ne!(sent_coupon(br#"{"coupon": "museum"}"#), Some(asked.payload));
}

#[test]
fn r76_nothing_that_is_stored_of_a_use_follows_from_its_code() {
    let payload = |body: &str| parse_use(body.as_bytes()).ok().unwrap().payload;
    assert_eq!(payload(r#"{"code": "A"}"#), payload(r#"{"code": "B"}"#));
    assert_ne!(payload(r#"{"code": "A"}"#), payload(r#"{"code": "A", "unit": "u-1"}"#));
}

#[test]
fn r76_a_file_of_codes_says_of_each_row_what_is_wrong() {
    let file =
        parse_codes(b"\xef\xbb\xbfcode\r\nA-1\r\n\"B,2\"\r\nC,3\r\n D\r\n\xff\r\n").ok().unwrap();
    let code = |row: &Result<domain::coupon::PoolCode, &'static str>| match row {
        Ok(code) => code.as_str().to_owned(),
        Err(message) => format!("no: {message}"),
    };
    let rows: Vec<String> = file.rows.iter().map(code).collect();
    let want = [
        "A-1",
        "B,2",
        "no: has more than one cell",
        "no: must have 1 to 64 printable characters",
        "no: is no row of CSV in UTF-8",
    ];
    assert_eq!(rows, want);
    let many = format!("code\n{}", "X\n".repeat(1_001));
    for wrong in ["", "codes\nA\n", "code,pin\nA,1\n", "code\n", &many] {
        assert!(matches!(parse_codes(wrong.as_bytes()), Err(BodyFault::Invalid(_))), "{wrong:.20}");
    }
}
