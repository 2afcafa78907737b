//! How the scenarios of the sample programmes are told: whoever joins, sends the bodies of a
//! folder of `events/`, and has a balance afterwards.

use scenarios::client::{Answer, Call, key};
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::calls::run;
use crate::desk::{available, built, sample};

/// A stack of one's own with the programme of a folder of `events/`.
pub struct Tale {
    pub stack: Stack,
    folder: &'static str,
}

impl Tale {
    /// Starts a stack and puts the programme of the folder.
    pub async fn of(folder: &'static str) -> Tale {
        built().await;
        let stack = Stack::start().await.expect("a stack");
        let programme = sample(&format!("{folder}/programme.json"));
        let put = stack.client.put("/v1/programme", &programme).await.unwrap();
        assert_eq!(put.status, 200, "{put:?}");
        Tale { stack, folder }
    }

    /// Registers a participant of whom nothing else is known.
    pub async fn joins(&self, who: &str) {
        let path = format!("/v1/participants/{who}");
        let answer = self.stack.client.put(&path, &json!({ "profile": {} })).await.unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    /// A body of the folder; an event in it happens now.
    pub async fn body(&self, file: &str) -> Value {
        let mut body = sample(&format!("{}/{file}.json", self.folder));
        if body.get("performed_on").is_some() {
            let now = self.stack.advance("P0D").await.unwrap();
            body["performed_on"] = json!(now.text("/now"));
        }
        body
    }

    /// Sends a body of the folder as it is: its reference makes it known.
    pub async fn sends(&self, file: &str) -> Answer {
        self.post(file, &self.body(file).await).await
    }

    /// The same happens once more, to this participant: another event of its own reference.
    pub async fn again(&self, file: &str, who: &str) -> Answer {
        let mut body = self.body(file).await;
        body["participant_id"] = json!(who);
        body["external_reference"] = json!(key());
        self.post(file, &body).await
    }

    /// Sends a body to where bodies of its kind go.
    pub async fn post(&self, file: &str, body: &Value) -> Answer {
        let path = match file.split('-').next() {
            Some("invoice") => "/v1/invoices",
            Some("credit") => "/v1/credit-notes",
            Some("spend") => return self.spends(body).await,
            _ => "/v1/events",
        };
        let call = Call { method: "POST", path, key: None, body: Some(body) };
        self.stack.client.send(&call).await.unwrap()
    }

    async fn spends(&self, body: &Value) -> Answer {
        self.stack.client.post("/v1/spend-requests", &key(), body).await.unwrap()
    }

    /// An event comes back: whole, or the lines that the file names.
    pub async fn takes_back(&self, event: &Answer, file: &str) -> Answer {
        let path = format!("/v1/events/{}/cancel", event.text("/event/id").replace(':', "%3A"));
        let body = sample(&format!("{}/{file}.json", self.folder));
        let answer = self.stack.client.post(&path, &key(), &body).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    /// The nightly run judges what waits; answers how many awards it made.
    pub async fn night(&self) -> u64 {
        run(&self.stack).await["awarded"].as_u64().unwrap()
    }

    /// What a participant can spend of a balance.
    pub async fn has(&self, who: &str, balance: &str) -> String {
        available(&self.stack, who, balance).await
    }

    /// An event as it is known now.
    pub async fn event(&self, event: &Answer) -> Answer {
        let path = format!("/v1/events/{}", event.text("/event/id").replace(':', "%3A"));
        let answer = self.stack.client.get(&path).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }
}

/// `offer amount balance` of every award of an answer.
pub fn awards(answer: &Answer) -> Vec<String> {
    let list = answer.body["awards"].as_array().unwrap();
    let text = |award: &Value, name: &str| award[name].as_str().unwrap().to_owned();
    let tell = |award| ["offer", "amount", "balance"].map(|name| text(award, name)).join(" ");
    list.iter().map(tell).collect()
}

/// Why an offer awarded nothing; empty where it did, or was no candidate.
pub fn why_not<'a>(answer: &'a Answer, offer: &str) -> &'a str {
    let list = answer.body["passed_over"].as_array().unwrap();
    let found = list.iter().find(|passed| passed["offer"] == offer);
    found.and_then(|passed| passed["reason"].as_str()).unwrap_or_default()
}
