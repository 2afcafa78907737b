//! Queue batches: each message succeeds or comes again by itself.

use aws_lambda_events::sqs::SqsEvent;
use domain::time::Instant;
use serde_json::{Value, json};

/// Messages that came together.
#[derive(Debug)]
pub struct Batch {
    pub messages: Vec<Message>,
}

/// One message.
#[derive(Debug)]
pub struct Message {
    /// Names it within its batch.
    pub id: String,
    pub body: String,
    /// When it was first received: the time of the invocation, stale on a retry.
    pub now: Instant,
    /// How often it came, this time included: from 1.
    pub tries: u32,
    /// Names this delivery of it.
    pub(crate) receipt: String,
}

/// A message for a queue that keeps an order.
#[derive(Debug)]
pub struct InOrder<M> {
    /// Within which it keeps the order.
    pub group: String,
    /// What makes it another than every message of the last five minutes.
    pub once: String,
    pub message: M,
}

impl Batch {
    pub(crate) fn of(event: SqsEvent) -> Batch {
        let messages = event.records.into_iter().map(|record| {
            let received = record.attributes.get("ApproximateFirstReceiveTimestamp");
            let millis = received.and_then(|text| text.parse().ok()).unwrap_or(0);
            let tries = record.attributes.get("ApproximateReceiveCount");
            Message {
                id: record.message_id.unwrap_or_default(),
                body: record.body.unwrap_or_default(),
                now: Instant(millis),
                tries: tries.and_then(|text| text.parse().ok()).unwrap_or(1),
                receipt: record.receipt_handle.unwrap_or_default(),
            }
        });
        Batch { messages: messages.collect() }
    }
}

/// The form in which failed messages are told: only they come again.
pub(crate) fn failures(ids: &[String]) -> Value {
    let failures: Vec<Value> = ids.iter().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": failures })
}
