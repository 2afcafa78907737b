//! Queue mappings: messages go to their function; what is done is deleted, the rest given back.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use chrono::DateTime;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

use crate::clock::Clock;
use crate::functions::{Functions, Outcome};
use crate::services::queues::Queues;
use crate::template::{MappingPlan, Policy, REGION};

const LONG_POLL_SECONDS: u32 = 20;
/// Of a queue that keeps an order: when a message is given up, the engine of the queues wakes nobody
/// who waits for the next of its group.
const ORDERED_POLL_SECONDS: u32 = 1;
const AFTER_TROUBLE: Duration = Duration::from_millis(500);

/// What a mapping works with.
#[derive(Clone)]
pub struct Mapping {
    plan: MappingPlan,
    queues: Arc<Queues>,
    functions: Arc<Functions>,
    clock: Arc<Clock>,
}

impl Mapping {
    /// A mapping that its function's policy allows: a deployed one takes messages as its function.
    pub fn new(
        plan: MappingPlan,
        policy: &Policy,
        queues: Arc<Queues>,
        functions: Arc<Functions>,
        clock: Arc<Clock>,
    ) -> Result<Self> {
        for action in ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"] {
            if !policy.allows(action, &plan.queue_arn) {
                bail!("function {} needs {action} on {}", plan.function, plan.queue_arn);
            }
        }
        Ok(Self { plan, queues, functions, clock })
    }

    /// The name of its queue.
    pub fn queue(&self) -> &str {
        self.plan.queue_arn.rsplit(':').next().unwrap_or_default()
    }

    fn patience(&self) -> u32 {
        if self.queue().ends_with(".fifo") { ORDERED_POLL_SECONDS } else { LONG_POLL_SECONDS }
    }

    /// Goes on until `stop`; batches at work then still finish.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let slots = Arc::new(Semaphore::new(self.plan.concurrency));
        loop {
            let slot = tokio::select! {
                slot = Arc::clone(&slots).acquire_owned() => slot,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            let Ok(slot) = slot else { return };
            let receive = json!({
                "QueueUrl": self.queues.url(self.queue()),
                "MaxNumberOfMessages": self.plan.batch.clamp(1, 10),
                "WaitTimeSeconds": self.patience(),
                "AttributeNames": ["All"],
                "MessageAttributeNames": ["All"],
            });
            let received = tokio::select! {
                received = self.queues.call("ReceiveMessage", &receive) => received,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            match received {
                Ok(mut received) => {
                    let messages = match received["Messages"].take() {
                        Value::Array(messages) => messages,
                        Value::Null
                        | Value::Bool(_)
                        | Value::Number(_)
                        | Value::String(_)
                        | Value::Object(_) => Vec::new(),
                    };
                    if !messages.is_empty() {
                        let mapping = self.clone();
                        tokio::spawn(async move {
                            mapping.deliver(&messages).await;
                            drop(slot);
                        });
                    }
                }
                Err(error) => {
                    eprintln!("local: queue {}: {error:#}", self.queue());
                    tokio::time::sleep(AFTER_TROUBLE).await;
                }
            }
        }
        let all = u32::try_from(self.plan.concurrency).unwrap_or(u32::MAX);
        let _ = tokio::time::timeout(Duration::from_secs(10), slots.acquire_many(all)).await;
    }

    async fn deliver(&self, messages: &[Value]) {
        let records: Vec<Value> = messages.iter().map(|message| self.record(message)).collect();
        let event = json!({"Records": records}).to_string();
        let failed = match self.functions.invoke(&self.plan.function, event.into()).await {
            Outcome::Answer(body) if self.plan.partial => failures(&body, messages),
            Outcome::Answer(_) => Some(HashSet::new()),
            Outcome::Error(_) | Outcome::Died | Outcome::TimedOut | Outcome::Busy => None,
        };
        for message in messages {
            let id = message["MessageId"].as_str().unwrap_or_default();
            let done = failed.as_ref().is_some_and(|failed| !failed.contains(id));
            let (queue, receipt) = (self.queues.url(self.queue()), &message["ReceiptHandle"]);
            let mut body = json!({"QueueUrl": queue, "ReceiptHandle": receipt});
            let action = if done { "DeleteMessage" } else { "ChangeMessageVisibility" };
            if !done {
                // Deployed, a failed message stays invisible for its time; here it comes again at
                // once, so that nobody has to wait for it.
                body["VisibilityTimeout"] = Value::from(0);
            }
            if let Err(error) = self.queues.call(action, &body).await {
                eprintln!("local: queue {}: {error:#}", self.queue());
            }
        }
    }

    fn record(&self, message: &Value) -> Value {
        let mut attributes = message["Attributes"].clone();
        for name in ["ApproximateFirstReceiveTimestamp", "SentTimestamp"] {
            let real = attributes[name].as_str().and_then(|text| text.parse().ok());
            if let Some(real) = real.and_then(DateTime::from_timestamp_millis) {
                let local = self.clock.shifted(real).timestamp_millis();
                attributes[name] = Value::from(local.to_string());
            }
        }
        let mut custom = serde_json::Map::new();
        for (name, value) in message["MessageAttributes"].as_object().into_iter().flatten() {
            custom.insert(
                name.clone(),
                json!({
                    "stringValue": value["StringValue"],
                    "binaryValue": value["BinaryValue"],
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": value["DataType"],
                }),
            );
        }
        json!({
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": attributes,
            "messageAttributes": custom,
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self.plan.queue_arn,
            "awsRegion": REGION,
        })
    }
}

/// The messages that a function says it failed on; `None`, all of them, where its answer is none.
fn failures(body: &[u8], messages: &[Value]) -> Option<HashSet<String>> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    if answer.is_null() {
        return Some(HashSet::new());
    }
    let list = match answer.as_object()?.get("batchItemFailures") {
        None | Some(Value::Null) => return Some(HashSet::new()),
        Some(list) => list.as_array()?,
    };
    let mut failed = HashSet::new();
    for item in list {
        let id = item.get("itemIdentifier")?.as_str()?;
        if !messages.iter().any(|message| message["MessageId"] == id) {
            return None;
        }
        failed.insert(id.to_owned());
    }
    Some(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_none_fails_the_batch() {
        let messages = [json!({"MessageId": "a"}), json!({"MessageId": "b"})];
        let failed = |body: &str| failures(body.as_bytes(), &messages).map(|set| set.len());
        assert_eq!(failed(r#"{"batchItemFailures": []}"#), Some(0));
        assert_eq!(failed("null"), Some(0));
        assert_eq!(failed(r#"{"batchItemFailures": [{"itemIdentifier": "a"}]}"#), Some(1));
        for all in [
            "x",
            r#""x""#,
            r#"{"batchItemFailures": 1}"#,
            r#"{"batchItemFailures": [{}]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#,
            r#"{"batchItemFailures": [{"itemIdentifier": "c"}]}"#,
        ] {
            assert_eq!(failed(all), None, "{all}");
        }
    }
}
