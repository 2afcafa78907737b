//! The Lambda Runtime API, as one process sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use tokio::sync::{mpsc, oneshot, watch};

use super::logs::Log;
use crate::serve::{Answer, answer, json, whole};

const MAX_RESPONSE: usize = 7 * 1024 * 1024;

/// One invocation on its way to a process.
#[derive(Debug)]
pub struct Job {
    pub id: String,
    pub payload: Bytes,
    pub timeout: Duration,
    /// Set once the process has it: from then on it must not be given to another.
    pub taken: Arc<AtomicBool>,
    pub reply: oneshot::Sender<Reply>,
}

/// What a process said.
#[derive(Debug)]
pub enum Reply {
    Answer(Bytes),
    Error(Bytes),
}

/// The desk of one process.
#[derive(Debug)]
pub struct Desk {
    arn: String,
    log: Arc<Log>,
    jobs: tokio::sync::Mutex<mpsc::Receiver<Job>>,
    current: Mutex<Option<(String, oneshot::Sender<Reply>)>>,
    /// True once the process has asked for its first invocation.
    ready: watch::Sender<bool>,
}

impl Desk {
    /// A desk that hands out `jobs`.
    pub fn new(arn: String, log: Arc<Log>, jobs: mpsc::Receiver<Job>) -> Self {
        let jobs = tokio::sync::Mutex::new(jobs);
        Self { arn, log, jobs, current: Mutex::default(), ready: watch::Sender::new(false) }
    }

    /// Whether the process has come for work.
    pub fn readiness(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    /// Gives up the invocation under way: its process is gone.
    pub fn abandon(&self) {
        drop(self.current.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Answers one call of the process.
    pub async fn handle(&self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path().to_owned();
        let Some(path) = path.strip_prefix("/2018-06-01/runtime/") else {
            return status(StatusCode::NOT_FOUND);
        };
        let post = request.method() == Method::POST;
        match path.split('/').collect::<Vec<_>>().as_slice() {
            ["invocation", "next"] if !post => self.next().await,
            ["invocation", id, "response"] if post => self.reply(request, id, Reply::Answer).await,
            ["invocation", id, "error"] if post => self.reply(request, id, Reply::Error).await,
            ["init", "error"] if post => {
                let body = whole(request.into_body(), MAX_RESPONSE).await.unwrap_or_default();
                self.log.warning(&format!("cannot start: {}", String::from_utf8_lossy(&body)));
                status(StatusCode::ACCEPTED)
            }
            _ => status(StatusCode::NOT_FOUND),
        }
    }

    async fn next(&self) -> Answer {
        self.ready.send_replace(true);
        let Some(job) = self.jobs.lock().await.recv().await else {
            return status(StatusCode::GONE);
        };
        job.taken.store(true, Ordering::Release);
        let deadline = SystemTime::now() + job.timeout;
        let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let trace = format!("Root=1-00000000-{};Sampled=0", &job.id.replace('-', "")[8..]);
        let mut next = answer(StatusCode::OK, "application/json", job.payload);
        for (name, value) in [
            ("lambda-runtime-aws-request-id", job.id.as_str()),
            ("lambda-runtime-deadline-ms", &deadline.to_string()),
            ("lambda-runtime-invoked-function-arn", &self.arn),
            ("lambda-runtime-trace-id", &trace),
        ] {
            if let Ok(value) = HeaderValue::from_str(value) {
                next.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some((job.id, job.reply));
        next
    }

    async fn reply(
        &self,
        request: Request<Incoming>,
        id: &str,
        kind: fn(Bytes) -> Reply,
    ) -> Answer {
        let body = match whole(request.into_body(), MAX_RESPONSE).await {
            Ok(body) => kind(body),
            Err(why) => Reply::Error(Bytes::from(format!("its response: {why:?}"))),
        };
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match current.take_if(|(current, _)| current == id) {
            Some((_, reply)) => {
                // Nobody waits any more after a timeout.
                let _ = reply.send(body);
                status(StatusCode::ACCEPTED)
            }
            None => status(StatusCode::BAD_REQUEST),
        }
    }
}

fn status(status: StatusCode) -> Answer {
    json(status, &serde_json::json!({"status": status.as_u16()}))
}
