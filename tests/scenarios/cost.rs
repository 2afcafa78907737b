//! What operations cost: write and read units as the table counts them, against the budget.

use scenarios::client::{Answer, key};
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::calls::{bulk, cancel, pending, posted, read, run, spend, spend_of, ticket};
use crate::desk::{credit, own_stack, participant, post_event, sample};
use crate::meter::Meter;

/// Participants, and operations of each kind: one a participant, and with each sixth of them a page
/// of the ledger is due.
const N: usize = 60;
/// Puts a programme without the offers that wait for a run.
pub async fn without_batch_offers(stack: &Stack) {
    let mut programme = sample("transit/programme.json");
    programme["offers"].as_array_mut().unwrap().retain(|offer| offer["method"] != "batch");
    assert_eq!(stack.client.put("/v1/programme", &programme).await.unwrap().status, 200);
}

/// Participants with points, whose ledgers are at all places of a page.
async fn people(stack: &Stack) -> Vec<String> {
    let mut ids = Vec::new();
    for index in 0..N {
        let id = participant(stack).await;
        credit(stack, &id, 1).await;
        for _ in 0..index % 6 {
            done(&spend(stack, &key(), &no_euro(&id)).await, 409);
        }
        ids.push(id);
    }
    ids
}

/// A spend that nothing covers.
fn no_euro(participant: &str) -> Value {
    json!({ "participant_id": participant, "amount": "1", "balance": "eur" })
}

fn done(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
}

/// Spends under keys with and without time, repeats and refusals.
async fn spends(meter: &mut Meter<'_>, ids: &[String]) {
    let stack = meter.stack;
    let one = |id: &String| spend_of(id, 1, Some("counter"));
    meter.begin().await;
    let keys: Vec<String> = ids.iter().map(|_| meter.key()).collect();
    for (id, key) in ids.iter().zip(&keys) {
        done(&spend(stack, key, &one(id)).await, 201);
    }
    meter.end("spend", N, 117, 65).await;

    meter.begin().await;
    for (id, key) in ids.iter().zip(&keys) {
        done(&spend(stack, key, &one(id)).await, 201);
    }
    meter.end("spend, repeated", N, 0, 65).await;

    meter.begin().await;
    for id in ids {
        done(&spend(stack, &meter.key(), &no_euro(id)).await, 409);
    }
    meter.end("spend, refused", N, 117, 65).await;

    meter.begin().await;
    for id in ids {
        done(&spend(stack, "till-1", &one(id)).await, 201);
    }
    meter.end("spend, key without time", N, 417, 115).await;
}

/// Events judged at once, spends on them, and their cancels.
async fn events(meter: &mut Meter<'_>, ids: &[String]) {
    let stack = meter.stack;
    let tickets: Vec<Value> = ids.iter().map(|id| ticket(id, "90.00")).collect();
    let mut events = Vec::new();
    meter.begin().await;
    for ticket in &tickets {
        events.push(posted(stack, ticket).await);
    }
    meter.end("event, awarded at once", N, 417, 115).await;

    meter.begin().await;
    for ticket in &tickets {
        let again = post_event(stack, ticket).await;
        assert_eq!((again.status, &again.body["repeated"]), (201, &json!(true)));
    }
    meter.end("event, repeated", N, 0, 115).await;

    meter.begin().await;
    for (id, event) in ids.iter().zip(&events) {
        let mut body = spend_of(id, 1, Some("checkout"));
        body["purchase_event_id"] = json!(event);
        done(&spend(stack, &meter.key(), &body).await, 201);
    }
    meter.end("spend on a purchase", N, 417, 115).await;

    meter.begin().await;
    for event in &events {
        done(&cancel(stack, event, &meter.key()).await, 200);
    }
    // It also reads the entries of the award and the spend where they already are in a page.
    meter.end("event, cancelled with its spend", N, 417, 215).await;
}

/// Statements, which guard their period, and spends that come as events.
async fn other_types(meter: &mut Meter<'_>, ids: &[String]) {
    let stack = meter.stack;
    let common = |id: &String, event_type: &str| {
        json!({ "type": event_type, "participant_id": id, "external_system": "erp",
            "external_reference": key(), "performed_on": scenarios::client::now() })
    };
    meter.begin().await;
    for id in ids {
        let mut statement = common(id, "financial_statement");
        statement["period"] = json!("2026-01");
        statement["kpi_values"] = json!([{ "kpi": "turnover", "product": "A", "value": "1" }]);
        statement["process_immediately"] = json!(true);
        done(&post_event(stack, &statement).await, 201);
    }
    meter.end("financial statement", N, 617, 165).await;

    meter.begin().await;
    for id in ids {
        let mut request = common(id, "spend_request");
        request["amount"] = json!("1");
        request["classification"] = json!("counter");
        done(&post_event(stack, &request).await, 201);
    }
    meter.end("spend request as an event", N, 417, 165).await;
}

/// Passes, and what only reads.
async fn passes_and_reads(meter: &mut Meter<'_>, ids: &[String]) {
    let stack = meter.stack;
    let (none, mut codes) = (json!({}), Vec::new());
    meter.begin().await;
    for _ in ids {
        let path = "/v1/pass-plans/gift-20/passes";
        let issued = stack.client.post(path, &meter.key(), &none).await.unwrap();
        done(&issued, 201);
        codes.push(issued.text("/code").to_owned());
    }
    meter.end("pass, issued", N, 100, 155).await;

    meter.begin().await;
    for (id, code) in ids.iter().zip(&codes) {
        let (key, body) = (meter.key(), json!({ "code": code, "participant_id": id }));
        done(&stack.client.post("/v1/pass-redemptions", &key, &body).await.unwrap(), 201);
    }
    meter.end("pass, redeemed", N, 417, 205).await;

    meter.begin().await;
    for id in ids {
        let (key, body) = (meter.key(), ticket(id, "90.00"));
        done(&stack.client.post("/v1/events/preview", &key, &body).await.unwrap(), 200);
    }
    meter.end("preview", N, 0, 115).await;

    meter.begin().await;
    for id in ids {
        read(stack, &format!("/v1/participants/{id}/wallet")).await;
    }
    meter.end("wallet, read", N, 0, 115).await;

    meter.begin().await;
    for id in ids {
        read(stack, &format!("/v1/participants/{id}/transactions?limit=5")).await;
    }
    meter.end("newest five transactions, read", N, 0, 315).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_at_once_costs_what_the_budget_says() {
    let stack = own_stack().await;
    without_batch_offers(&stack).await;
    let mut meter = Meter::new(&stack);
    // The programme is cached for two seconds of the stack's time.
    meter.begin().await;
    let ids = people(&stack).await;
    spends(&mut meter, &ids).await;
    events(&mut meter, &ids).await;
    passes_and_reads(&mut meter, &ids).await;
    other_types(&mut meter, &ids).await;
    for (events, name, write) in [(1, "alone", 720), (10, "folded by ten", 570)] {
        let of = |id: &String| (0..events).map(|_| ticket(id, "90.00")).collect::<Vec<_>>();
        let rows: Vec<Value> = ids.iter().flat_map(of).collect();
        meter.begin().await;
        bulk(&stack, &rows).await;
        stack.idle().await.unwrap();
        let name = format!("bulk event, awarded from the queue, {name}");
        meter.end(&name, rows.len(), write, 315).await;
    }
    meter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_does_costs_what_the_budget_says() {
    let stack = own_stack().await;
    let mut meter = Meter::new(&stack);
    let ids = people(&stack).await;
    meter.begin().await;
    run(&stack).await;
    meter.end("run that finds nothing", 1, 900, 12_500).await;

    // The run's own writes come on top of the budget: those of the empty run, and for each shard
    // once more what it takes in hand, up to a hundred events at once. Here that is 1 to 2 units
    // for 7 events.
    let own = 50;
    meter.begin().await;
    for id in &ids {
        posted(&stack, &ticket(id, "90.00")).await;
    }
    meter.end("event, awarded at once, that awaits a run", N, 517, 115).await;
    assert_eq!(run(&stack).await["events"], ids.len());
    meter.end("event, awarded at once and again in a run", N, 1_034 + own, 500).await;

    meter.begin().await;
    let alone: Vec<Value> = ids.iter().map(|id| pending(ticket(id, "90.00"))).collect();
    bulk(&stack, &alone).await;
    meter.end("bulk event, stored", N, 200, 115).await;
    assert_eq!(run(&stack).await["events"], alone.len());
    meter.end("bulk event, awarded in a run, alone", N, 720 + own, 500).await;

    meter.begin().await;
    let ten = |id: &String| (0..10).map(|_| pending(ticket(id, "90.00"))).collect::<Vec<_>>();
    let folded: Vec<Value> = ids.iter().flat_map(ten).collect();
    bulk(&stack, &folded).await;
    assert_eq!(run(&stack).await["events"], folded.len());
    meter.end("bulk event, awarded in a run, folded by ten", folded.len(), 570, 315).await;
    meter.close();
}
