//! Coupons: partners' codes, codes that are made here, and gifts to a cause.

use std::collections::BTreeSet;
use std::path::PathBuf;

use futures_util::future::join_all;
use scenarios::client::{Answer, Client, key};
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::calls::{cancel, read, set_clock};
use crate::desk::{available, built, sample, transactions};
use crate::pass_secrets::search::{Card, Secrets};
use crate::places::{files, files_where, holds, items};

/// Of so many one comes for each coupon of the museum, of which there are ten.
const VISITORS: usize = 32;
const POOL: usize = 24;

/// A city with partners who provide coupons.
struct City {
    stack: Stack,
    folder: PathBuf,
}

fn told(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.text("/code"))
}

/// A new key that carries no time: the stack has another clock.
fn fresh() -> String {
    format!("k-{}", key())
}

/// A code of the cinema, of letters that come up nowhere else.
fn ticket(number: usize) -> String {
    format!("Kinokarte~{number:03}~XYZZY")
}

impl City {
    async fn new() -> City {
        built().await;
        let folder = std::env::temp_dir().join(format!("accrue-coupons-{}", key()));
        let stack = Stack::start_with(&["--data", folder.to_str().unwrap()]).await.unwrap();
        set_clock(&stack, "2026-11-21T12:00:00+01:00").await;
        let programme = sample("programme/programme-coupons.json");
        let put = stack.client.put("/v1/programme", &programme).await.unwrap();
        assert_eq!(put.status, 200, "{put:?}");
        City { stack, folder }
    }

    /// Registers somebody with so much of a balance.
    async fn joins(&self, who: &str, balance: &str, amount: &str) {
        let path = format!("/v1/participants/{who}");
        let joined = self.stack.client.put(&path, &json!({ "profile": {} })).await.unwrap();
        assert!(joined.status < 300, "{joined:?}");
        let body = json!({ "balance": balance, "amount": amount, "reason": "moved here" });
        let path = format!("{path}/adjustments");
        let credited = self.stack.client.post(&path, &fresh(), &body).await.unwrap();
        assert_eq!(credited.status, 201, "{credited:?}");
    }

    async fn takes(&self, who: &str, under: &str, body: &Value) -> Answer {
        let path = format!("/v1/participants/{who}/coupons");
        self.stack.client.post(&path, under, body).await.unwrap()
    }

    async fn uses(&self, client: &Client, under: &str, code: &str) -> Answer {
        client.post("/v1/coupon-uses", under, &json!({ "code": code })).await.unwrap()
    }

    async fn uploads(&self, client: &Client, under: &str, file: &str) -> Answer {
        let headers = [("idempotency-key", under), ("content-type", "text/csv")];
        let (path, body) = ("/v1/coupons/cinema/codes", Some(file.as_bytes().to_vec()));
        client.raw("POST", path, &headers, body).await.unwrap()
    }

    /// What the catalogue says of a coupon.
    async fn coupon(&self, id: &str) -> Value {
        let list = read(&self.stack, "/v1/coupons").await;
        let found = list["coupons"].as_array().unwrap().iter().find(|it| it["coupon"] == id);
        found.unwrap().clone()
    }

    async fn merchant(&self, id: &str, scopes: &[&str]) -> Client {
        self.stack.caller(scopes, &json!({ "merchant": id })).await.unwrap()
    }
}

fn file(numbers: std::ops::Range<usize>) -> String {
    numbers.fold("code\n".to_owned(), |file, number| file + &ticket(number) + "\n")
}

/// whoever takes a coupon of the cinema gets a code of its pool, the same at each repeat.
#[tokio::test(flavor = "multi_thread")]
async fn r76_a_pool_of_a_partners_codes_is_uploaded_and_handed_out() {
    let city = City::new().await;
    city.joins("ada", "points", "5000").await;
    let body = json!({ "coupon": "cinema" });
    let (first, empty) = (fresh(), city.takes("ada", &fresh(), &body).await);
    assert_eq!(told(&empty), (409, "coupon_sold_out"));

    let kino = city.merchant("kino", &["coupons.codes"]).await;
    let under = fresh();
    let rows = format!("{}{}\n{}\nüöä\nA,B\n", file(0..2), ticket(0), ticket(2));
    let uploaded = city.uploads(&kino, &under, &rows).await;
    assert_eq!(uploaded.status, 200, "{uploaded:?}");
    let counts = ["accepted", "duplicate", "malformed"].map(|name| uploaded.body[name].clone());
    assert_eq!(counts, [json!(3), json!(1), json!(2)]);
    let outcome = |at: usize| uploaded.text(&format!("/outcomes/{at}/outcome"));
    let outcomes = [0, 1, 2, 3, 4, 5].map(outcome);
    let want = ["accepted", "accepted", "duplicate", "accepted", "malformed", "malformed"];
    assert_eq!(outcomes, want);
    assert_eq!(city.uploads(&kino, &under, &rows).await.body, uploaded.body, "R-70");
    assert_eq!(
        told(&city.uploads(&kino, &under, &file(0..1)).await),
        (422, "idempotency_key_reused")
    );
    let again = city.uploads(&city.stack.client, &fresh(), &file(0..4)).await;
    assert_eq!((&again.body["accepted"], &again.body["duplicate"]), (&json!(1), &json!(3)));
    let museum = city.merchant("museum", &["coupons.codes"]).await;
    let other = city.uploads(&museum, &fresh(), &file(9..10)).await;
    assert_eq!(told(&other), (404, "coupon_not_found"), "partners do not see each other");

    assert_eq!(city.coupon("cinema").await["left"], json!(4));
    let mut codes = Vec::new();
    for number in 0..4 {
        let under = if number == 0 { first.clone() } else { fresh() };
        let taken = city.takes("ada", &under, &body).await;
        assert_eq!((taken.status, taken.text("/spent")), (201, "500"), "{taken:?}");
        assert_eq!(taken.text("/redeemable_until"), "2027-02-20T00:00:00+01:00");
        codes.push(taken.text("/code").to_owned());
    }
    assert_eq!(codes, [0, 1, 2, 3].map(ticket));
    assert_eq!(told(&city.takes("ada", &fresh(), &body).await), (409, "coupon_sold_out"));
    assert_eq!(available(&city.stack, "ada", "points").await, "3000");
    let cinema = city.coupon("cinema").await;
    let given = json!({ "count": 4, "amounts": [{ "balance": "points", "amount": "2000" }] });
    assert_eq!((&cinema["offered"], &cinema["given"]), (&json!(false), &given));

    // Of a coupon that another partner provides, its codes would be the other's.
    let mut moved = sample("programme/programme-coupons.json");
    moved["coupons"][0]["partner"] = json!("museum");
    let moved = city.stack.client.put("/v1/programme", &moved).await.unwrap();
    assert_eq!(moved.text("/violations/0/pointer"), "/coupons/0", "{moved:?}");

    // A repeat is answered as before, also where the programme has no such coupon any more.
    let mut programme = sample("programme/programme-coupons.json");
    programme["coupons"].as_array_mut().unwrap().remove(0);
    for gone in [false, true] {
        if gone {
            city.stack.client.put("/v1/programme", &programme).await.unwrap();
            city.stack.advance("PT10S").await.unwrap();
        }
        let again = city.takes("ada", &first, &body).await;
        assert_eq!((again.status, again.text("/code")), (201, codes[0].as_str()), "{again:?}");
        assert_eq!(again.body["repeated"], json!(true));
        let other = json!({ "coupon": "cinema", "unit": "kino-1" });
        let reused = city.takes("ada", &first, &other).await;
        assert_eq!(reused.status, 422, "{reused:?}");
    }
    // Once it was cancelled its code is not told again: it may have reached nobody before.
    let path = "/v1/participants/ada/transactions?limit=50";
    let rows = read(&city.stack, path).await;
    let taken = rows["transactions"].as_array().unwrap().iter().rev();
    let taken = taken.filter(|row| row["cause"] == "coupon:cinema" && row["kind"] == "spend");
    let taken = taken.map(|row| row["code"].as_str().unwrap().to_owned()).next().unwrap();
    assert_eq!(cancel(&city.stack, &taken, &fresh()).await.status, 200);
    let again = city.takes("ada", &first, &body).await;
    assert_eq!((again.status, &again.body["cancelled"]), (201, &json!(true)), "{again:?}");
    assert_eq!(again.body.get("code"), None, "{again:?}");
    let unknown = city.takes("ada", &fresh(), &body).await;
    assert_eq!(unknown.body["violations"][0]["code"], json!("unknown_reference"));
}

/// a code that is made here is used once, by its own partner, unless it was cancelled or is too
/// old; and it is no pass.
#[tokio::test(flavor = "multi_thread")]
async fn r76_a_coupon_that_is_made_here_is_used_once() {
    let city = City::new().await;
    city.joins("ada", "points", "5000").await;
    let take = async |under: &str| {
        let taken = city.takes("ada", under, &json!({ "coupon": "museum" })).await;
        assert_eq!(taken.status, 201, "{taken:?}");
        (taken.text("/code").to_owned(), taken.text("/transaction").to_owned())
    };
    let under = fresh();
    let (code, first) = take(&under).await;
    assert_eq!(take(&under).await.0, code, "R-70");
    let museum = city.merchant("museum", &["coupons.use"]).await;
    let kino = city.merchant("kino", &["coupons.use"]).await;
    let mut typo = code.clone().into_bytes();
    typo.swap(0, 1);
    let typo = String::from_utf8(typo).unwrap();
    let forged = code.replace(&code[..4], "0000");
    for (client, code) in
        [(&museum, typo.as_str()), (&museum, &forged), (&museum, "museum"), (&kino, &code)]
    {
        let refused = city.uses(client, &fresh(), code).await;
        assert_eq!(told(&refused), (409, "coupon_not_redeemable"), "{code}");
    }
    let pass = json!({ "code": code, "participant_id": "ada" });
    let redeem = city.stack.client.post("/v1/pass-redemptions", &key(), &pass).await.unwrap();
    assert_ne!(redeem.status, 201, "{redeem:?}");

    let used_by = fresh();
    let used = city.uses(&museum, &used_by, &code.to_lowercase().replace('-', " ")).await;
    assert_eq!((used.status, used.text("/coupon")), (201, "museum"), "{used:?}");
    let again = city.uses(&museum, &used_by, &code).await;
    assert_eq!((again.status, &again.body["repeated"]), (201, &json!(true)), "{again:?}");
    let twice = city.uses(&museum, &fresh(), &code).await;
    assert_eq!(told(&twice), (409, "coupon_used"));
    assert_eq!(told(&cancel(&city.stack, &first, &fresh()).await), (409, "coupon_used"));

    let (void, transaction) = take(&fresh()).await;
    let cancelled_by = fresh();
    for _ in 0..2 {
        let back = cancel(&city.stack, &transaction, &cancelled_by).await;
        assert_eq!(back.status, 200, "{back:?}");
    }
    assert_eq!(told(&city.uses(&museum, &fresh(), &void).await), (409, "coupon_void"));
    assert_eq!(available(&city.stack, "ada", "points").await, "4700");
    assert_eq!(city.coupon("museum").await["left"], json!(9));

    let (late, open) = take(&fresh()).await;
    assert_ne!(late, void, "no number is given twice");
    // What is held of them, without a code.
    let data = read(&city.stack, "/v1/participants/ada/data").await;
    let until = "2027-02-20T00:00:00+01:00";
    let held = |transaction: &str| json!({ "transaction": transaction, "coupon": "museum", "redeemable_until": until });
    let (mut first, mut second) = (held(&first), held(&transaction));
    first["used_at"] = used.body["used_at"].clone();
    second["void"] = json!(true);
    assert_eq!(data["coupons"], json!([held(&open), second, first]));
    let written = data.to_string();
    assert!([&code, &void, &late].iter().all(|code| !written.contains(code.as_str())), "{written}");
    city.stack.advance("P91D").await.unwrap();
    assert_eq!(told(&city.uses(&museum, &fresh(), &late).await), (409, "coupon_expired"));
    assert_eq!(city.uses(&museum, &used_by, &code).await.status, 201, "R-70");
}

/// gifts to a cause are summed up, so that they can be settled; and what refuses a coupon.
#[tokio::test(flavor = "multi_thread")]
async fn r76_points_are_given_to_a_cause_and_refusals_say_why() {
    let city = City::new().await;
    city.joins("ada", "points", "3000").await;
    city.joins("ada", "eur", "9.00").await;
    let gift = |amount: &str| json!({ "coupon": "trees", "amount": amount });
    let given = city.takes("ada", &fresh(), &gift("250")).await;
    assert_eq!((given.status, given.body.get("code")), (201, None), "{given:?}");
    let one_tree = json!({ "coupon": "one-tree" });
    let tree = city.takes("ada", &fresh(), &one_tree).await;
    assert_eq!(tree.text("/balances/0/available"), "250", "{tree:?}");
    let causes = read(&city.stack, "/v1/coupons").await["causes"].clone();
    let total = json!({ "count": 2, "amounts": [{ "balance": "points", "amount": "2750" }] });
    assert_eq!(causes, json!([{ "cause": "City trees", "given": total }]));
    let row = &transactions(&city.stack, "ada").await[0];
    let brief = json!([row["kind"], row["amount"], row["cause"], row["coupon"]]);
    assert_eq!(brief, json!(["spend", "-2500", "coupon:one-tree", "one-tree"]));
    let path = format!("/v1/transactions/{}", tree.text("/transaction"));
    assert_eq!(read(&city.stack, &path).await["spend"]["coupon"], json!("one-tree"));
    let data = read(&city.stack, "/v1/participants/ada/data").await;
    assert!(data.to_string().contains("coupon:one-tree"), "R-92: {data}");
    let back = cancel(&city.stack, tree.text("/transaction"), &fresh()).await;
    assert_eq!(back.text("/balances/0/available"), "2750", "{back:?}");
    let causes = read(&city.stack, "/v1/coupons").await["causes"].clone();
    assert_eq!(causes[0]["given"]["count"], json!(1));

    let christmas = json!({ "coupon": "christmas" });
    let (under, early) = (fresh(), "coupon_not_offered");
    assert_eq!(told(&city.takes("ada", &under, &christmas).await), (409, early));
    assert_eq!(told(&city.takes("ada", &fresh(), &gift("9")).await), (409, "amount_out_of_range"));
    assert_eq!(told(&city.takes("ada", &fresh(), &gift("2751")).await), (409, "not_covered"));
    assert_eq!(
        told(&city.takes("nobody", &fresh(), &gift("10")).await),
        (404, "participant_not_found")
    );
    for (body, pointer) in [
        (json!({}), "/coupon"),
        (json!({ "coupon": "trees" }), "/amount"),
        (json!({ "coupon": "one-tree", "amount": "1" }), "/amount"),
        (json!({ "coupon": "trees", "amount": "1.5" }), "/amount"),
        (json!({ "coupon": "trees", "amount": "-10" }), "/amount"),
        (json!({ "coupon": ["trees"] }), "/coupon"),
        (json!({ "coupon": "trees", "amount": "10", "code": "x" }), "/code"),
    ] {
        let wrong = city.takes("ada", &fresh(), &body).await;
        assert_eq!(wrong.status, 422, "{wrong:?}");
        assert_eq!(wrong.text("/violations/0/pointer"), pointer, "{body}");
    }
    let till = city.merchant("kino", &["spend.write"]).await;
    let path = "/v1/participants/ada/coupons";
    for (unit, status) in [(Value::Null, 403), (json!("museum-1"), 403), (json!("kino-1"), 201)] {
        let body = json!({ "coupon": "trees", "amount": "10", "unit": unit });
        let answer = till.post(path, &fresh(), &body).await.unwrap();
        assert_eq!(answer.status, status, "{answer:?}");
    }
    set_clock(&city.stack, "2026-12-24T17:00:00+01:00").await;
    let taken = city.takes("ada", &fresh(), &christmas).await;
    assert_eq!((taken.status, taken.text("/spent")), (201, "4.50"), "{taken:?}");
    assert_eq!(told(&city.takes("ada", &under, &christmas).await), (409, early), "R-70");
    let block = json!({ "blocked": true, "reason": "stolen" });
    city.stack.client.post("/v1/participants/ada/block-spending", &key(), &block).await.unwrap();
    assert_eq!(told(&city.takes("ada", &fresh(), &gift("10")).await), (409, "spending_blocked"));
}

/// ten of those who come at once get a coupon; and no code is anywhere but in the answers that
/// hand it out, and the partner's in the pool.
#[tokio::test(flavor = "multi_thread")]
async fn r76_ten_are_ten_and_codes_are_in_no_key_log_or_queue() {
    let city = City::new().await;
    let pool = city.uploads(&city.stack.client, &fresh(), &file(0..POOL)).await;
    assert_eq!(pool.body["accepted"], json!(POOL));
    for number in 0..VISITORS {
        city.joins(&format!("v-{number}"), "points", "800").await;
    }
    let visits = (0..VISITORS).map(|number| {
        let city = &city;
        async move {
            let (who, under) = (format!("v-{number}"), fresh());
            let mut codes = Vec::new();
            for (coupon, most) in [("museum", 3), ("cinema", 5)] {
                let body = json!({ "coupon": coupon });
                for tries in 0..100 {
                    let taken = city.takes(&who, &format!("{under}-{coupon}"), &body).await;
                    match taken.status {
                        201 => codes.push((coupon, taken.text("/code").to_owned())),
                        409 => assert_eq!(taken.text("/code"), "coupon_sold_out"),
                        503 => continue,
                        _ => panic!("{taken:?} after {tries} of {most}"),
                    }
                    break;
                }
            }
            codes
        }
    });
    let taken: Vec<(&str, String)> = join_all(visits).await.into_iter().flatten().collect();
    let of = |coupon: &str| -> BTreeSet<String> {
        let own = taken.iter().filter(|(of, _)| *of == coupon);
        own.map(|(_, code)| code.clone()).collect()
    };
    let (museum, cinema) = (of("museum"), of("cinema"));
    assert_eq!((museum.len(), cinema.len(), taken.len()), (10, POOL, 10 + POOL));
    let left =
        [city.coupon("museum").await["left"].clone(), city.coupon("cinema").await["left"].clone()];
    assert_eq!(left, [json!(0), json!(0)]);

    let cards: Vec<Card> = museum
        .iter()
        .map(|code| Card { id: String::new(), code: code.clone(), pin: None, old_pin: None })
        .collect();
    let (secrets, tickets) = (Secrets::of(&cards), (0..POOL).map(ticket).collect::<Vec<_>>());
    for (number, card) in cards.iter().enumerate() {
        let used = city.uses(&city.stack.client, &fresh(), &card.typed(number)).await;
        assert_eq!(used.status, 201, "{used:?}");
        for wrong in [json!({ "code": [card.code] }), json!({ "kode": card.code })] {
            let wrong = city.stack.client.post("/v1/coupon-uses", &fresh(), &wrong).await;
            let wrong = wrong.unwrap();
            assert_eq!(wrong.status, 422, "{wrong:?}");
            assert!(secrets.in_bytes(wrong.body.to_string().as_bytes()).is_none(), "{wrong:?}");
        }
    }
    let broken = format!("code\n{}\n\"{}\n", ticket(0), ticket(1));
    let broken = city.uploads(&city.stack.client, &fresh(), &broken).await;
    assert!(!holds(broken.body.to_string().as_bytes(), &tickets), "{broken:?}");
    assert_eq!(city.stack.idle().await.unwrap().status, 200);
    let mut pages = 0;
    for item in items(&city.stack).await {
        assert!(!holds(item.partition.as_bytes(), &tickets), "{}", item.partition);
        let found = item.bytes.iter().find_map(|bytes| secrets.in_bytes(bytes));
        assert!(found.is_none(), "{found:?} stands in {}", item.partition);
        let has = item.bytes.iter().any(|bytes| holds(bytes, &tickets));
        pages += usize::from(has);
        assert!(!has || item.partition == "C#cinema", "a code stands in {}", item.partition);
    }
    assert_eq!(pages, 1, "the pool has them");
    let City { stack, folder } = city;
    stack.stop().await.unwrap();
    let found = files(&folder, &tickets);
    assert!(found.is_empty(), "a code stands in {found:?}");
    let logged = files(&folder, &["POST /v1/coupon-uses".to_owned()]);
    assert!(logged.iter().any(|file| file.contains("logs")), "are there no logs? {logged:?}");
    let found = files_where(&folder, &mut |bytes| secrets.code_in(bytes).is_some());
    assert!(found.is_empty(), "a code stands in {found:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}
