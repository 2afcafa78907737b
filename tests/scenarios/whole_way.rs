//! The whole way of a programme's data: from files of master data, over what people do, to the files
//! that an email platform picks up and the feed that a CRM is told by.

use std::collections::BTreeMap;

use scenarios::client::{Answer, key, now};
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::calls::read;
use crate::desk::{built, sample, transactions};
use crate::exports::{ended, rows};
use crate::feed::target::Target;

/// What the rows of an export do, with their cells.
pub type Rows = BTreeMap<String, Vec<Vec<String>>>;

/// A stack with the programme of a folder, and a CRM that is told everything.
pub struct Way {
    pub stack: Stack,
    crm: Target,
}

impl Way {
    pub async fn of(folder: &str) -> Way {
        built().await;
        let crm = Target::new(|_, _| (200, String::new())).await;
        let stack = Stack::start().await.unwrap();
        let mut programme = sample(&format!("{folder}/programme.json"));
        programme["feeds"] = json!([{ "id": "crm", "kind": "webhook", "secret": "default",
            "url": format!("{}/hook", crm.address) }]);
        let put = stack.client.put("/v1/programme", &programme).await.unwrap();
        assert_eq!(put.status, 200, "{put:?}");
        Way { stack, crm }
    }

    /// Takes a file in, twice: the second time it changes nothing.
    pub async fn imports(&self, file: &str) {
        let name = key();
        let headers = [("idempotency-key", name.as_str()), ("content-type", "text/csv")];
        for changed in [true, false] {
            let body = Some(file.as_bytes().to_vec());
            let path = "/v1/participant-imports";
            let answer = self.stack.client.raw("POST", path, &headers, body).await.unwrap();
            assert_eq!((answer.status, &answer.body["refused"]), (200, &json!(0)), "{answer:?}");
            let outcomes = answer.body["outcomes"].as_array().unwrap();
            assert!(outcomes.iter().all(|row| row["changed"] == changed), "{answer:?}");
        }
    }

    /// Sends a body for whoever an alias means.
    pub async fn by(&self, path: &str, alias: [&str; 2], mut body: Value) -> Answer {
        body.as_object_mut().unwrap().remove("participant_id");
        body["alias"] = json!({ "kind": alias[0], "value": alias[1] });
        let answer = self.stack.client.post(path, &key(), &body).await.unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
        answer
    }

    /// Buys by an alias; answers whose purchase it is.
    pub async fn buys(&self, alias: [&str; 2], mut purchase: Value) -> String {
        purchase["performed_on"] = json!(now());
        purchase["external_reference"] = json!(key());
        let answer = self.by("/v1/events", alias, purchase).await;
        answer.text("/event/participant_id").to_owned()
    }

    /// The email platform reports that somebody unsubscribed.
    pub async fn unsubscribes(&self, alias: [&str; 2]) {
        let row = json!({ "alias": { "kind": alias[0], "value": alias[1] }, "channel": "email",
            "reason": "unsubscribe", "at": now(), "source": "mailing 7" });
        let body = json!({ "suppressions": [row] });
        let answer = self.stack.client.post("/v1/suppressions", &key(), &body).await.unwrap();
        assert_eq!(answer.body["outcomes"][0]["suppressed"], true, "{answer:?}");
    }

    /// Exports a segment for Optimizely Campaign; answers the export and its rows, which are what
    /// the manifest says of them.
    pub async fn exports(&self, segment: &str, mode: &str) -> (Value, Rows) {
        let body = json!({ "mode": mode, "dialect": "optimizely" });
        let path = format!("/v1/segments/{segment}/exports");
        let started = self.stack.client.post(&path, &key(), &body).await.unwrap();
        assert_eq!(started.status, 202, "{started:?}");
        let export = ended(&self.stack, started.text("/export_id")).await;
        assert_eq!((&export["status"], &export["mode"]), (&json!("completed"), &json!(mode)));
        let cells = |row: String| row.split(',').map(str::to_owned).collect::<Vec<_>>();
        let rows = rows(&self.stack, &export).await.into_iter();
        let rows = rows.map(|(op, rows)| (op, rows.into_iter().map(cells).collect()));
        (export, rows.collect())
    }

    /// The CRM knows of these people what there is to know: who they are, what they agreed to,
    /// every entry of their ledgers in order, whose sums are their balances.
    pub async fn crm_knows(&self, people: &[&str]) {
        assert_eq!(self.stack.idle().await.unwrap().status, 200);
        let all = self.crm.taken();
        for who in people {
            let of = |kind: &'static str| {
                let own = all.iter().filter(move |one| one["participant_id"] == **who);
                own.filter(move |one| one["type"] == kind)
            };
            let known = read(&self.stack, &format!("/v1/participants/{who}")).await;
            let told = of("participant").next_back().unwrap();
            assert_eq!(told["profile"], known["profile"], "{who}");
            for consent in known["consents"].as_array().unwrap() {
                let mut told = of("consent").map(|one| &one["consent"]);
                let told = told.rfind(|one| one["channel"] == consent["channel"]).unwrap();
                assert_eq!(told, consent, "{who}");
            }
            let ledger = transactions(&self.stack, who).await;
            let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
            let mut rows = Vec::new();
            for movement in of("movement") {
                for row in movement["transaction"]["rows"].as_array().unwrap() {
                    rows.push(row);
                    if let Some(balance) = row["balance"].as_str() {
                        *sums.entry(balance).or_default() += minor(&row["amount"]);
                    }
                }
            }
            let want: Vec<&Value> = ledger.iter().rev().collect();
            assert_eq!(rows.len(), want.len(), "{who}: {rows:?}");
            assert!(want.iter().all(|row| rows.contains(row)), "{who}: {rows:?}");
            let sequences = self.crm.movements(who);
            let last = u64::try_from(sequences.len()).unwrap();
            assert_eq!(sequences, (1..=last).collect::<Vec<u64>>(), "{who}: in order");
            let wallet = read(&self.stack, &format!("/v1/participants/{who}/wallet")).await;
            for balance in wallet["balances"].as_array().unwrap() {
                let sum = sums.get(balance["balance"].as_str().unwrap()).copied();
                assert_eq!(sum.unwrap_or(0), minor(&balance["available"]), "{who}: {balance}");
            }
        }
    }
}

/// An amount in minor units.
pub fn minor(amount: &Value) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

/// First cells of what rows do: addresses.
pub fn addresses<'a>(rows: &'a Rows, op: &str) -> Vec<&'a str> {
    let rows = rows.get(op).map(Vec::as_slice).unwrap_or_default();
    rows.iter().map(|cells| cells[0].as_str()).collect()
}
