//! Bad input of every kind: a problem that says what is wrong, never a 5xx, and nothing changes.

mod bodies;
mod canary;
mod ids;
mod keys;
mod limits;
mod programmes;
mod samples;
mod socket;
mod tokens;

use std::sync::Arc;

use scenarios::client::{Answer, Call, key};
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::desk::{credit, participant, post_event, purchase, sample, shared_stack, transactions};

/// A participant with points and a purchase, and what routes need besides.
pub struct Victim {
    pub stack: Arc<Stack>,
    pub id: String,
    /// The purchase's id, percent-encoded.
    pub event: String,
    /// The code of a pass that nobody has redeemed.
    pub code: String,
    before: Value,
}

/// A route that writes, with a body that it accepts.
pub struct Route {
    pub method: &'static str,
    pub path: String,
    /// Whether it requires an `Idempotency-Key`.
    pub keyed: bool,
    pub body: Value,
    /// Whether an empty body counts as `{}`.
    pub may_be_empty: bool,
    /// What the good body is answered with.
    pub good: u16,
}

/// What awaits a run has it now, so that a run that others start changes nothing.
pub async fn judge_all(stack: &Stack) {
    let run = json!({ "definition": "nightly" });
    let run = stack.client.post("/v1/evaluation-runs", &key(), &run).await.unwrap();
    assert_eq!(run.status, 202, "{run:?}");
    stack.idle().await.unwrap();
}

impl Victim {
    pub async fn new() -> Victim {
        Victim::on(shared_stack().await).await
    }

    pub async fn on(stack: Arc<Stack>) -> Victim {
        let id = participant(&stack).await;
        credit(&stack, &id, 2).await;
        let event = post_event(&stack, &purchase(&id, "40.00")).await;
        assert_eq!(event.status, 201, "{event:?}");
        let event = event.text("/event/id").replace(':', "%3A");
        judge_all(&stack).await;
        let issued = stack.client.post("/v1/pass-plans/gift-20/passes", &key(), &json!({})).await;
        let code = issued.unwrap().text("/code").to_owned();
        let mut victim = Victim { stack, id, event, code, before: Value::Null };
        victim.before = victim.state().await;
        victim
    }

    /// All that a bad request could have changed.
    async fn state(&self) -> Value {
        let get = async |path: &str| {
            let answer = self.stack.client.get(path).await.unwrap();
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            answer.body
        };
        let at = |what: &str| format!("/v1/participants/{}{what}", self.id);
        json!([
            get(&at("")).await,
            get(&at("/wallet")).await,
            get(&at("/events?limit=200")).await,
            transactions(&self.stack, &self.id).await,
            get("/v1/programme").await,
        ])
    }

    pub async fn assert_unchanged(&self, after: &str) {
        assert_eq!(self.before, self.state().await, "changed after {after}");
    }

    /// A purchase with every field, not sent before.
    pub fn purchase(&self) -> Value {
        let mut event = purchase(&self.id, "5.00");
        event["classification"] = json!("partner");
        event["receipt_number"] = json!("5512");
        event["related_transaction"] = json!("T-1");
        event["payment_medium"] = json!({ "brand": "Visa", "type": "credit card",
            "identifier": "4111111111111111" });
        event["lines"][0]["product"] = json!("SKU-1");
        event["lines"][0]["brand"] = json!("Acme");
        event["spend"] =
            json!({ "amount": "1", "balance": "points", "classification": "checkout" });
        event
    }

    /// Every route that writes and takes a body.
    pub fn routes(&self) -> Vec<Route> {
        let id = &self.id;
        let spend = json!({ "participant_id": id, "amount": "1", "balance": "points",
            "classification": "counter", "unit": "station-1", "performed_on": "2026-01-02T03:04:05Z" });
        let mut hold = spend.clone();
        hold["lapses_after"] = json!("PT5M");
        let adjustment = json!({ "balance": "points", "amount": "1", "reason": "test",
            "expires": "2099-12-31" });
        let mut row = adjustment.clone();
        row["participant_id"] = json!(id);
        row["reference"] = json!("old/1");
        let rows = json!({ "adjustments": [row] });
        let redemption = json!({ "code": self.code, "participant_id": id });
        let profile = json!({ "first_name": "Test", "email": "t@example.org", "tags": ["a"],
            "birthday": "2000-02-29", "flags": { "staff": false } });
        let consent = json!({ "channel": "email", "granted": true, "at": "2026-01-02T03:04:05Z",
            "source": "test", "process": "test" });
        let route = |method, path: String, good, keyed, body| Route {
            method,
            path,
            keyed,
            body,
            may_be_empty: false,
            good,
        };
        let empty = |route| Route { may_be_empty: true, ..route };
        let at = |what: &str| format!("/v1/participants/{id}{what}");
        let blocked = json!({ "blocked": false, "reason": "test" });
        let person = json!({ "profile": profile, "consents": [consent] });
        let issue = json!({ "recipient": "Ben", "channel": "email" });
        let gift = json!({ "coupon": "trees", "amount": "10", "unit": "kiosk-1" });
        let passes = "/v1/pass-plans/gift-20/passes".to_owned();
        let exports = "/v1/segments/mail-ready/exports".to_owned();
        let cancel = format!("/v1/events/{}/cancel", self.event);
        let (run, export) = (json!({ "definition": "nightly" }), json!({ "mode": "full" }));
        let programme = sample("transit/programme.json");
        let bulk = json!({ "events": [self.purchase()] });
        let [invoice, statement, top_up, web] = self.other_events();
        vec![
            route("POST", "/v1/events".into(), 201, false, self.purchase()),
            route("POST", "/v1/events/preview".into(), 200, false, self.purchase()),
            route("POST", "/v1/events/bulk".into(), 202, false, bulk),
            route("POST", "/v1/spend-requests".into(), 201, true, spend),
            route("POST", "/v1/pass-redemptions".into(), 201, true, redemption),
            empty(route("POST", passes, 201, true, issue)),
            empty(route("POST", "/v1/evaluation-runs".into(), 202, true, run)),
            route("POST", exports, 202, true, export),
            route("PUT", "/v1/programme".into(), 200, false, programme),
            route("PUT", at(""), 200, false, person),
            route("POST", at("/block-spending"), 200, false, blocked),
            empty(route("POST", cancel, 200, true, json!({}))),
            route("POST", "/v1/invoices".into(), 201, false, invoice),
            route("POST", "/v1/events".into(), 202, false, statement),
            route("POST", "/v1/events".into(), 202, false, top_up),
            route("POST", "/v1/events".into(), 202, false, web),
            route("POST", "/v1/holds".into(), 201, true, hold),
            route("POST", at("/adjustments"), 201, true, adjustment),
            route("POST", at("/coupons"), 201, true, gift),
            route("POST", "/v1/adjustments".into(), 200, false, rows),
        ]
    }

    /// An invoice, a statement, a financial achievement and a survey, with every field.
    fn other_events(&self) -> [Value; 4] {
        let event = |event_type: &str, classification: &str| {
            json!({ "type": event_type, "participant_id": self.id, "unit": "kiosk-1",
                "performed_on": "2026-01-02T03:04:05Z", "classification": classification,
                "external_system": "test", "external_reference": key(),
                "process_immediately": false })
        };
        let mut invoice = self.purchase();
        for field in ["type", "spend", "process_immediately"] {
            invoice.as_object_mut().unwrap().remove(field);
        }
        invoice["invoice_type"] = json!("ticket");
        let mut statement = event("financial_statement", "commuter");
        statement["period"] = json!("2026-01");
        statement["kpi_values"] = json!([{ "kpi": "turnover", "product": "A", "value": "1.50" }]);
        let mut top_up = event("financial_achievement", "top-up");
        top_up["product"] = json!("CARD");
        top_up["amount"] = json!("100.00");
        top_up["payment_medium"] = json!({ "brand": "Visa", "type": "credit card",
            "identifier": "4111111111111111" });
        let mut web = event("web", "commuter");
        web["url"] = json!("https://example.org");
        web["score"] = json!(10);
        [invoice, statement, top_up, web]
    }

    /// Sends a body of any bytes to a route, under a new key where it needs one.
    pub async fn send(&self, route: &Route, body: &[u8]) -> Answer {
        let key = key();
        let headers = [("idempotency-key", key.as_str())];
        let headers = if route.keyed { &headers[..] } else { &[] };
        let body = Some(body.to_vec());
        self.stack.client.raw(route.method, &route.path, headers, body).await.unwrap()
    }

    /// Sends a call that is expected to be refused with this status and code.
    pub async fn refused(&self, call: &Call<'_>, status: u16, code: &str) -> Answer {
        let answer = self.stack.client.send(call).await.unwrap();
        assert_problem(&answer, status, code, &format!("{call:?}"));
        answer
    }
}

/// That an answer is problem details as the contract says.
pub fn assert_problem(answer: &Answer, status: u16, code: &str, of: &str) {
    let of: String = of.chars().take(300).collect();
    assert_eq!(answer.status, status, "{of}: {answer:?}");
    assert_eq!(answer.media_type, "application/problem+json", "{of}: {answer:?}");
    assert_eq!(answer.text("/code"), code, "{of}: {answer:?}");
    assert_eq!(answer.body["status"], json!(status), "{of}");
    assert!(!answer.text("/title").is_empty() && !answer.text("/type").is_empty(), "{of}");
    let faulty = code == "invalid";
    assert_eq!(answer.body["violations"].is_array(), faulty, "{of}: {answer:?}");
}

/// Pointers and codes of a problem's violations, sorted.
pub fn violations(problem: &Value) -> Vec<(String, String)> {
    let text = |violation: &Value, name: &str| violation[name].as_str().unwrap().to_owned();
    let list = problem["violations"].as_array().unwrap();
    let mut all: Vec<_> = list.iter().map(|v| (text(v, "pointer"), text(v, "code"))).collect();
    all.sort();
    all
}
