//! Stream mappings: changes of a table go to their function, in order, until it is done with them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use chrono::DateTime;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::data::write_whole;
use crate::functions::{Functions, Outcome};
use crate::services::queues::Queues;
use crate::services::tables::Tables;
use crate::template::{Policy, REGION, StreamPlan};

const AFTER_TROUBLE: Duration = Duration::from_millis(200);

/// Follows the stream of one table for one function.
pub struct Follower {
    plan: StreamPlan,
    tables: Arc<Tables>,
    queues: Arc<Queues>,
    functions: Arc<Functions>,
    clock: Arc<Clock>,
    /// Where the place is kept between runs.
    file: Option<PathBuf>,
    /// The last change that is done with.
    place: Mutex<Option<String>>,
}

/// What became of a batch: how many of its first records are done with, and whether that is all.
struct Tried {
    done: usize,
    all: bool,
}

impl Follower {
    /// A mapping that its function's policy allows: a deployed one reads as its function.
    pub fn new(
        plan: StreamPlan,
        policy: &Policy,
        file: Option<PathBuf>,
        tables: Arc<Tables>,
        queues: Arc<Queues>,
        functions: Arc<Functions>,
        clock: Arc<Clock>,
    ) -> Result<Self> {
        let reads = ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"]
            .map(|action| (format!("dynamodb:{action}"), plan.stream_arn.clone()));
        let sends = ("sqs:SendMessage".to_owned(), plan.given_up_arn.clone());
        for (action, resource) in reads.into_iter().chain([sends]) {
            if !policy.allows(&action, &resource) {
                bail!("function {} needs {action} on {resource}", plan.function);
            }
        }
        // Nothing kept: an earlier run did not come to its first change.
        let kept = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        Ok(Self { plan, tables, queues, functions, clock, file, place: Mutex::new(kept) })
    }

    /// Goes on until `stop`; a batch at work then still finishes.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut written = self.tables.written.subscribe();
        while !*stop.borrow() {
            written.borrow_and_update();
            match self.next(self.plan.batch).await {
                Ok(records) if records.is_empty() => tokio::select! {
                    _ = written.changed() => {}
                    _ = stop.wait_for(|stop| *stop) => {}
                },
                Ok(records) => self.deliver(&records, &stop).await,
                Err(error) => {
                    eprintln!("local: stream of {}: {error:#}", self.plan.function);
                    tokio::time::sleep(AFTER_TROUBLE).await;
                }
            }
        }
    }

    /// The place, if nothing comes after it.
    pub async fn at_the_end(&self) -> Result<Option<String>> {
        let place = self.place();
        let more = self.next(1).await?;
        Ok(more.is_empty().then(|| place.unwrap_or_default()))
    }

    fn place(&self) -> Option<String> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The changes after the place.
    async fn next(&self, limit: usize) -> Result<Vec<Value>> {
        let table = self.plan.stream_arn.split('/').nth(1).context("a stream of no table")?;
        let mut asked = json!({
            "StreamArn": self.plan.stream_arn, "ShardId": format!("shardId-00000001-{table}"),
        });
        match self.place() {
            Some(place) => {
                asked["ShardIteratorType"] = Value::from("AFTER_SEQUENCE_NUMBER");
                asked["SequenceNumber"] = Value::from(place);
            }
            None => asked["ShardIteratorType"] = Value::from("TRIM_HORIZON"),
        }
        let iterator = self.tables.stream("GetShardIterator", &asked).await?;
        let asked = json!({"ShardIterator": iterator["ShardIterator"], "Limit": limit});
        let mut read = self.tables.stream("GetRecords", &asked).await?;
        Ok(read["Records"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// Delivers those that the function wants, until each is done with or given up.
    async fn deliver(&self, records: &[Value], stop: &watch::Receiver<bool>) {
        let wanted: Vec<&Value> = records.iter().filter(|r| self.plan.wants(r)).collect();
        let (mut start, mut size, mut tries) = (0, wanted.len(), 0);
        while start < wanted.len() {
            let batch = &wanted[start..wanted.len().min(start + size)];
            let Tried { done, all } = self.attempt(batch).await;
            let given_up = !all && done == 0 && tries >= self.plan.retries;
            if given_up {
                self.give_up(batch).await;
            }
            let over = if given_up { batch.len() } else { done };
            if let Some(last) = batch[..over].last() {
                self.keep(last);
                (start, size, tries) = (start + over, wanted.len(), 0);
                continue;
            }
            if *stop.borrow() {
                return;
            }
            tries += 1;
            if self.plan.bisect && batch.len() > 1 {
                size = batch.len().div_ceil(2);
            }
            tokio::time::sleep(AFTER_TROUBLE).await;
        }
        records.last().into_iter().for_each(|last| self.keep(last));
    }

    async fn attempt(&self, batch: &[&Value]) -> Tried {
        let records: Vec<Value> = batch.iter().map(|record| self.record(record)).collect();
        let event = json!({ "Records": records }).to_string();
        match self.functions.invoke(&self.plan.function, event.into()).await {
            Outcome::Answer(body) if self.plan.partial => {
                let done = done(&body, batch);
                Tried { done, all: done == batch.len() }
            }
            Outcome::Answer(_) => Tried { done: batch.len(), all: true },
            Outcome::Error(_) | Outcome::Died | Outcome::TimedOut | Outcome::Busy => {
                Tried { done: 0, all: false }
            }
        }
    }

    fn record(&self, record: &Value) -> Value {
        let mut record = record.clone();
        record["eventSourceARN"] = Value::from(self.plan.stream_arn.as_str());
        record["awsRegion"] = Value::from(REGION);
        let at = &mut record["dynamodb"]["ApproximateCreationDateTime"];
        let text = at.to_string();
        let real = text.split('.').next().and_then(|seconds| seconds.parse().ok());
        if let Some(real) = real.and_then(|seconds| DateTime::from_timestamp(seconds, 0)) {
            *at = Value::from(self.clock.shifted(real).timestamp());
        }
        record
    }

    /// Tells which changes were given up, not what they were.
    async fn give_up(&self, batch: &[&Value]) {
        let ends = [batch.first(), batch.last()].map(|record| record.map(|r| sequence(r)));
        let body = json!({
            "DDBStreamBatchInfo": {
                "batchSize": batch.len(), "streamArn": self.plan.stream_arn,
                "startSequenceNumber": ends[0], "endSequenceNumber": ends[1],
            },
            "requestContext": {"condition": "RetryAttemptsExhausted"},
        });
        let queue = self.plan.given_up_arn.rsplit(':').next().unwrap_or_default();
        let message = json!({"QueueUrl": self.queues.url(queue), "MessageBody": body.to_string()});
        if let Err(error) = self.queues.call("SendMessage", &message).await {
            eprintln!("local: queue {queue}: {error:#}");
        }
    }

    fn keep(&self, record: &Value) {
        let place = sequence(record).to_owned();
        let kept = self.file.as_ref().map_or(Ok(()), |file| write_whole(file, &place));
        if let Err(error) = kept {
            eprintln!("local: stream of {}: {error:#}", self.plan.function);
        }
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }
}

fn sequence(record: &Value) -> &str {
    record["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default()
}

/// How many of the first records are done with: those before the first that the function says it
/// failed on; none where its answer is none.
fn done(body: &[u8], batch: &[&Value]) -> usize {
    let Ok(answer) = serde_json::from_slice::<Value>(body) else { return 0 };
    let failed = match answer.get("batchItemFailures") {
        None if answer.is_null() || answer.is_object() => return batch.len(),
        Some(Value::Null) => return batch.len(),
        Some(Value::Array(failed)) => failed,
        None | Some(_) => return 0,
    };
    let places = failed.iter().map(|item| {
        let of = |record: &&Value| item["itemIdentifier"] == sequence(record);
        batch.iter().position(of).unwrap_or(0)
    });
    places.min().unwrap_or(batch.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_before_the_first_failure_is_done() {
        let records = ["1", "2", "3"].map(|n| json!({"dynamodb": {"SequenceNumber": n}}));
        let batch: Vec<&Value> = records.iter().collect();
        let failed = |ids: &[&str]| {
            let ids = ids.iter().map(|id| json!({"itemIdentifier": id}));
            json!({"batchItemFailures": ids.collect::<Vec<_>>()}).to_string()
        };
        for (answer, expected) in [
            ("null".to_owned(), 3),
            ("{}".to_owned(), 3),
            (failed(&[]), 3),
            (failed(&["3", "2"]), 1),
            (failed(&["1"]), 0),
            (failed(&["another"]), 0),
            ("\"nonsense\"".to_owned(), 0),
            ("{\"batchItemFailures\": 1}".to_owned(), 0),
        ] {
            assert_eq!(done(answer.as_bytes(), &batch), expected, "{answer}");
        }
    }
}
