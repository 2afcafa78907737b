//! The queues: in memory, behind a proxy that checks and counts calls and keeps a journal.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, anyhow, bail};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, StatusCode};
use rustack_sqs_core::config::SqsConfig;
use rustack_sqs_core::handler::RustackSqsHandler;
use rustack_sqs_core::provider::RustackSqs;
use rustack_sqs_http::dispatch::dispatch_operation;
use rustack_sqs_http::response::error_to_response;
use rustack_sqs_model::operations::SqsOperation;
use serde_json::{Map, Value, json};

use super::journal::{Journal, Message};
use crate::callers::Callers;
use crate::serve::{Answer, answer, aws_error, whole};
use crate::template::{ACCOUNT, Queue, REGION};

/// Most batches that are looked into of one queue at the end.
const MAX_LOOKS: usize = 10_000;
const MAX_BODY: usize = 2 * 1024 * 1024;

/// All queues.
pub struct Queues {
    handler: RustackSqsHandler,
    callers: Arc<Callers>,
    address: String,
    journal: Option<Journal>,
    /// Which message a receipt is for; only kept where there is a journal to write.
    receipts: Mutex<HashMap<String, String>>,
}

impl Queues {
    /// Makes the queues, and sends again what an earlier run left in `journal`: nothing that was
    /// accepted is lost, but its deliveries are counted anew and its ids are others.
    pub async fn open(
        journal: Option<&Path>,
        queues: &[(String, Queue)],
        port: u16,
        callers: Arc<Callers>,
    ) -> Result<Self> {
        let provider = RustackSqs::new(SqsConfig {
            skip_signature_validation: true,
            default_region: REGION.to_owned(),
            account_id: ACCOUNT.to_owned(),
            host: "127.0.0.1".to_owned(),
            port,
        });
        let (journal, left) = match journal.map(Journal::open).transpose()? {
            Some((journal, left)) => (Some(journal), left),
            None => (None, Vec::new()),
        };
        let opened = Self {
            handler: RustackSqsHandler::new(Arc::new(provider)),
            callers,
            address: format!("http://127.0.0.1:{port}/{ACCOUNT}"),
            journal,
            receipts: Mutex::default(),
        };
        for (name, queue) in queues {
            let body = json!({"QueueName": name, "Attributes": attributes(queue)?});
            opened.call("CreateQueue", &body).await?;
        }
        for Message { queue, body, attributes, group } in left {
            let mut message = json!({"QueueUrl": opened.url(&queue), "MessageBody": body});
            if let Some(group) = group {
                message["MessageGroupId"] = Value::from(group);
                // Each stands for itself: it was not taken for another's repeat before.
                message["MessageDeduplicationId"] = Value::from(uuid::Uuid::new_v4().to_string());
            }
            if !attributes.is_null() {
                message["MessageAttributes"] = attributes;
            }
            // Its queue may have left the template; then nobody waits for the message.
            if let Err(error) = opened.call("SendMessage", &message).await {
                eprintln!("local: a message of queue {queue} is lost: {error:#}");
            }
        }
        if let Some(journal) = &opened.journal {
            journal.compact()?;
        }
        Ok(opened)
    }

    /// The address of the queue `name`.
    pub fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// Answers one call.
    pub async fn handle(&self, request: Request<Incoming>) -> Answer {
        let (parts, body) = request.into_parts();
        let Ok(body) = whole(body, MAX_BODY).await else {
            return aws_error(StatusCode::BAD_REQUEST, "InvalidParameterValue", "no body");
        };
        let Some(caller) = self.callers.signer(&parts.headers) else {
            let message = "The security token included in the request is invalid.";
            return aws_error(StatusCode::FORBIDDEN, "InvalidClientTokenId", message);
        };
        let action = super::action(&parts.headers);
        let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
        let name = asked["QueueUrl"].as_str().unwrap_or_default().rsplit('/').next();
        let resource = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{}", name.unwrap_or_default());
        let permission = format!("sqs:{}", action.trim_end_matches("Batch"));
        if let Err(message) = caller.may(action, &[(&permission, resource)]) {
            return aws_error(StatusCode::FORBIDDEN, "AccessDeniedException", &message);
        }
        let (status, answered) = self.perform(action, &asked, body).await;
        answer(status, "application/x-amz-json-1.0", answered)
    }

    /// One call of the stack's own, which may do everything.
    pub async fn call(&self, action: &str, body: &Value) -> Result<Value> {
        let (status, answered) = self.perform(action, body, body.to_string().into()).await;
        if !status.is_success() {
            bail!("{action}: {}", String::from_utf8_lossy(&answered));
        }
        match answered.is_empty() {
            true => Ok(Value::Null),
            false => Ok(serde_json::from_slice(&answered)?),
        }
    }

    async fn perform(&self, action: &str, asked: &Value, body: Bytes) -> (StatusCode, Bytes) {
        let Some(operation) = SqsOperation::from_name(action) else {
            let body = json!({"__type": "com.amazonaws.sqs#InvalidAction", "message": action});
            return (StatusCode::BAD_REQUEST, body.to_string().into());
        };
        let done = dispatch_operation(&self.handler, operation, body).await;
        let done = done.unwrap_or_else(|error| error_to_response(&error, "local"));
        let status = done.status();
        let body = match done.into_body().collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => Bytes::new(),
        };
        if let Some(journal) = self.journal.as_ref().filter(|_| status.is_success()) {
            self.note(journal, action, asked, &serde_json::from_slice(&body).unwrap_or_default());
        }
        (status, body)
    }

    fn note(&self, journal: &Journal, action: &str, asked: &Value, answered: &Value) {
        let url = asked["QueueUrl"].as_str().unwrap_or_default();
        let queue = url.rsplit('/').next().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let sent = |id: &Value, sent: &Value| {
            let body = text(&sent["MessageBody"]);
            let attributes = sent["MessageAttributes"].clone();
            let group = sent["MessageGroupId"].as_str().map(str::to_owned);
            journal.sent(&text(id), Message { queue: queue.to_owned(), body, attributes, group });
        };
        let mut receipts = self.receipts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut deleted = |receipt: &Value| {
            let known = receipts.get(receipt.as_str().unwrap_or_default()).cloned();
            if let Some(id) = known {
                receipts.retain(|_, message| *message != id);
                journal.deleted(&id);
            }
        };
        match action {
            "SendMessage" => sent(&answered["MessageId"], asked),
            "SendMessageBatch" => {
                for done in list(&answered["Successful"]) {
                    let of = list(&asked["Entries"]).iter().find(|entry| entry["Id"] == done["Id"]);
                    of.into_iter().for_each(|entry| sent(&done["MessageId"], entry));
                }
            }
            "ReceiveMessage" => {
                for message in list(&answered["Messages"]) {
                    let id = text(&message["MessageId"]);
                    journal.found(&id, queue);
                    receipts.insert(text(&message["ReceiptHandle"]), id);
                }
            }
            "DeleteMessage" => deleted(&asked["ReceiptHandle"]),
            "DeleteMessageBatch" => {
                for done in list(&answered["Successful"]) {
                    let of = list(&asked["Entries"]).iter().find(|entry| entry["Id"] == done["Id"]);
                    of.into_iter().for_each(|entry| deleted(&entry["ReceiptHandle"]));
                }
            }
            _ => {}
        }
    }

    /// How many messages the queue still has to deliver: visible, in flight or delayed.
    pub async fn pending(&self, name: &str) -> Result<u64> {
        let body = json!({"QueueUrl": self.url(name), "AttributeNames": ["All"]});
        let answered = self.call("GetQueueAttributes", &body).await?;
        let counts = ["", "NotVisible", "Delayed"].map(|kind| {
            let count = &answered["Attributes"][format!("ApproximateNumberOfMessages{kind}")];
            count.as_str().and_then(|count| count.parse::<u64>().ok())
        });
        counts.into_iter().sum::<Option<u64>>().ok_or_else(|| anyhow!("{name} cannot be counted"))
    }

    /// Before the end: looks into the queues, so that the journal knows what was given up.
    pub async fn look_into(&self, names: &[String]) {
        if self.journal.is_none() {
            return;
        }
        for name in names {
            let body = json!({
                "QueueUrl": self.url(name), "MaxNumberOfMessages": 10, "VisibilityTimeout": 600,
                "WaitTimeSeconds": 0,
            });
            // Each message is seen once, as it then is invisible.
            for _ in 0..MAX_LOOKS {
                let received = self.call("ReceiveMessage", &body).await.unwrap_or_default();
                if list(&received["Messages"]).is_empty() {
                    break;
                }
            }
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn attributes(queue: &Queue) -> Result<Value> {
    let mut attributes = Map::new();
    for (name, value) in [
        ("DelaySeconds", queue.delay_seconds),
        ("MaximumMessageSize", queue.maximum_message_size),
        ("MessageRetentionPeriod", queue.message_retention_period),
        ("ReceiveMessageWaitTimeSeconds", queue.receive_message_wait_time_seconds),
        ("VisibilityTimeout", queue.visibility_timeout),
    ] {
        if let Some(value) = value {
            attributes.insert(name.to_owned(), Value::from(value.to_string()));
        }
    }
    for (name, value) in [
        ("DeduplicationScope", &queue.deduplication_scope),
        ("FifoThroughputLimit", &queue.fifo_throughput_limit),
    ] {
        if let Some(value) = value {
            attributes.insert(name.to_owned(), Value::from(value.as_str()));
        }
    }
    if queue.fifo_queue {
        attributes.insert("FifoQueue".to_owned(), Value::from("true"));
    }
    if let Some(redrive) = &queue.redrive_policy {
        let redrive = serde_json::to_string(redrive)?;
        attributes.insert("RedrivePolicy".to_owned(), Value::from(redrive));
    }
    Ok(Value::Object(attributes))
}
