//! A bank and its partner shops, the whole way: a file of customers with their cards, cashback, points
//! that turn into money, the file for Optimizely Campaign, and the CRM (`events/bank-coalition/`).

use scenarios::client::key;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::calls::read;
use crate::desk::{available, sample, transactions};
use crate::whole_way::{Way, addresses, minor};

const HEADER: &str = "participant_id,first_name,email,payout_reference,consent:email,consent_at,\
    consent_source,alias:card,balance,amount,reference,reason";

/// With points of the old programme; Fritz has too few for money, Greta no account for it.
const PEOPLE: [&str; 4] = [
    "dora,Dora,dora@example.org,tok_dora,true,2026-01-05T09:00:00+01:00,branch,2211000000001234,\
     points,500,open-dora,moved here",
    "emil,Emil,emil@example.org,tok_emil,true,2026-01-05T09:00:00+01:00,branch,2211000000005678,\
     points,1200,open-emil,moved here",
    "fritz,Fritz,fritz@example.org,tok_fritz,true,2026-01-05T09:00:00+01:00,app,\
     2221000000009012,points,50,open-fritz,moved here",
    "greta,Greta,greta@example.org,,false,2026-01-05T09:00:00+01:00,app,2211000000003456,\
     points,300,open-greta,moved here",
];

/// The rows of a payout file by participant, account and amount; every file is what the manifest says.
async fn paid(way: &Way, run: &Value) -> (Vec<[String; 3]>, Value) {
    let mut files = run["files"].as_array().unwrap().clone();
    let last = files.pop().unwrap();
    let bytes = way.stack.client.fetch(last["url"].as_str().unwrap()).await.unwrap();
    let manifest: Value = serde_json::from_slice(&bytes).unwrap();
    let mut rows = Vec::new();
    for (file, told) in files.iter().zip(manifest["files"].as_array().unwrap()) {
        let bytes = way.stack.client.fetch(file["url"].as_str().unwrap()).await.unwrap();
        let digest = Sha256::digest(&bytes);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(told["sha256"], json!(digest));
        for line in String::from_utf8(bytes).unwrap().lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            rows.push([cells[0], cells[1], cells[2]].map(str::to_owned));
        }
    }
    rows.sort();
    (rows, manifest["amount"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn r75_r94_r96_cashback_and_money_for_points_reach_the_payout_file_the_mailing_and_the_crm() {
    let way = Way::of("bank-coalition").await;
    way.imports(&format!("{HEADER}\n{}\n", PEOPLE.join("\n"))).await;
    let people = PEOPLE.map(|row| row.split(',').next().unwrap());

    // 2 % of 200.00 by our own cards, which also say whose purchase it is.
    let groceries = |card: &str| {
        let mut body = sample("bank-coalition/purchase-groceries.json");
        body["payment_medium"]["identifier"] = json!(card);
        body
    };
    for (card, who) in
        [("2211000000001234", "dora"), ("2211000000005678", "emil"), ("2211000000003456", "greta")]
    {
        assert_eq!(way.buys(["card", card], groceries(card)).await, who);
        assert_eq!(available(&way.stack, who, "eur").await, "4.00", "{who}");
    }

    // Half a cent for each of the first thousand points, a cent for each beyond.
    let path = "/v1/conversions/points-to-money/runs";
    let started = way.stack.client.post(path, &key(), &json!({})).await.unwrap();
    assert_eq!(started.status, 202, "{started:?}");
    assert_eq!(way.stack.idle().await.unwrap().status, 200);
    let run = read(&way.stack, &format!("{path}/{}", started.text("/run_id"))).await;
    assert_eq!((&run["status"], &run["converted"]), (&json!("completed"), &json!(2)), "{run}");
    assert_eq!(run["without_reference"], 1, "Greta's points stay: {run}");
    let (rows, sum) = paid(&way, &run).await;
    let row = |who: &str, amount: &str| [who, &format!("tok_{who}"), amount].map(str::to_owned);
    assert_eq!(rows, [row("dora", "2.50"), row("emil", "7.00")]);
    let mut of_ledgers = 0;
    for who in people {
        for entry in transactions(&way.stack, who).await {
            if entry["kind"] == "convert" {
                let code = entry["code"].as_str().unwrap();
                let shown = read(&way.stack, &format!("/v1/transactions/{code}")).await;
                of_ledgers += minor(&shown["conversion"]["money"]);
            }
        }
    }
    assert_eq!((minor(&sum), &sum), (of_ledgers, &run["money"]));
    for (who, points) in [("dora", "0"), ("emil", "0"), ("fritz", "50"), ("greta", "300")] {
        assert_eq!(available(&way.stack, who, "points").await, points, "{who}");
    }

    // Whoever has cashback to spend and opted in is written to.
    let (full, rows) = way.exports("has-cashback", "full").await;
    let mail = |who: &str| format!("{who}@example.org");
    assert_eq!(addresses(&rows, "add"), ["dora", "emil"].map(mail));
    assert_eq!(rows["suppress"], [[mail("greta")]]);
    assert_eq!(rows["add"][0][10], "4.00", "the balance that is spent");
    assert_eq!(full["counts"]["skipped_no_consent"], 0, "who opted out is no member: {full}");

    way.unsubscribes(["card", "2211000000005678"]).await;
    assert_eq!(
        way.buys(["card", "2221000000009012"], groceries("2221000000009012")).await,
        "fritz"
    );
    way.buys(["card", "2211000000001234"], groceries("2211000000001234")).await;
    let (delta, rows) = way.exports("has-cashback", "delta").await;
    assert_eq!(delta["base_run_id"], full["export_id"]);
    assert_eq!(addresses(&rows, "add"), [mail("fritz")]);
    assert_eq!(addresses(&rows, "change"), [mail("dora")]);
    assert_eq!(rows["change"][0][10], "8.00");
    assert_eq!(rows["suppress"], [[mail("emil")]]);
    assert!(!rows.contains_key("remove"), "{rows:?}");

    way.crm_knows(&people).await;
}
