//! From an invocation to a reply: what came in is told apart, handled, logged and answered.

use std::future::Future;
use std::sync::Arc;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tracing::{info, warn};
use wire::message::{ScheduleTick, Tick};

use crate::changes::{Changes, StreamEvent};
use crate::fault::Fault;
use crate::http::{Answer, Request};
use crate::queue::{Batch, failures};
use crate::room::{Needs, Room};

/// What a function is called with.
pub enum Invocation {
    Http(Request),
    Queue(Batch),
    /// Changes of the table, in order.
    Changes(Changes),
    Tick(Tick),
}

/// What it says.
pub enum Reply {
    Http(Result<Answer, Fault>),
    /// Ids of the messages that must come again; of changes the first suffices.
    Queue(Vec<String>),
    /// Whether a scheduled invocation did what it should.
    Done(Result<(), Fault>),
}

/// Starts the function: builds its room once, then answers invocations until it is stopped.
///
/// # Errors
/// A missing setting, or a runtime that cannot be reached.
pub async fn run<F, R>(needs: Needs, handle: F) -> Result<(), Error>
where
    F: Fn(Arc<Room>, Invocation) -> R,
    R: Future<Output = Reply>,
{
    // No colours, no target: one JSON object a line, and never a body.
    tracing_subscriber::fmt().json().without_time().with_target(false).init();
    let room = Arc::new(Room::open(needs).await?);
    let handle = &handle;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let room = room.clone();
        async move {
            let request = event.context.request_id.clone();
            match parse(event.payload.get())? {
                Ok(invocation) => {
                    let route = route(&invocation);
                    let reply = handle(room, invocation).await;
                    tell(&request, &route, reply)
                }
                Err(fault) => tell(&request, "", Reply::Http(Err(fault))),
            }
        }
    }))
    .await
}

/// What tells invocations apart.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "requestContext")]
    http: Option<IgnoredAny>,
    #[serde(rename = "Records")]
    records: Option<Vec<Record>>,
}

/// What tells a message from a change.
#[derive(Deserialize)]
struct Record {
    dynamodb: Option<IgnoredAny>,
}

/// Read from the text: a `Value` would take a map whose first key is `serde_json`'s mark of a
/// number for a number, and the names of query parameters are the caller's.
fn parse(payload: &str) -> Result<Result<Invocation, Fault>, Error> {
    let kind: Kind = serde_json::from_str(payload)?;
    if kind.http.is_some() {
        let event: ApiGatewayV2httpRequest = serde_json::from_str(payload)?;
        return Ok(Request::of(event).map(Invocation::Http));
    }
    if kind.records.as_ref().is_some_and(|all| all.iter().any(|one| one.dynamodb.is_some())) {
        let event: StreamEvent = serde_json::from_str(payload)?;
        return Ok(Ok(Invocation::Changes(Changes::of(event))));
    }
    if kind.records.is_some() {
        let event: SqsEvent = serde_json::from_str(payload)?;
        return Ok(Ok(Invocation::Queue(Batch::of(event))));
    }
    Ok(Ok(Invocation::Tick(ScheduleTick::parse(payload.as_bytes())?)))
}

fn route(invocation: &Invocation) -> String {
    match invocation {
        Invocation::Http(request) => request.route.clone(),
        Invocation::Queue(_) => "queue".to_owned(),
        Invocation::Changes(_) => "changes".to_owned(),
        Invocation::Tick(_) => "schedule".to_owned(),
    }
}

fn tell(request: &str, route: &str, reply: Reply) -> Result<Value, Error> {
    match reply {
        Reply::Http(answer) => {
            let answer = answer.unwrap_or_else(Answer::problem);
            let (status, code) = (answer.status, answer.code());
            info!(request, route, status, code, "answered");
            Ok(answer.to_gateway())
        }
        Reply::Queue(failed) => {
            if !failed.is_empty() {
                warn!(request, failed = failed.len(), "messages come again");
            }
            Ok(failures(&failed))
        }
        Reply::Done(Ok(())) => Ok(json!({ "done": true })),
        Reply::Done(Err(fault)) => {
            fault.log();
            Err(format!("the scheduled invocation failed: {}", fault.problem().code).into())
        }
    }
}

impl Reply {
    /// What is said to an invocation that the template never makes.
    pub fn unexpected() -> Reply {
        Reply::Done(Err(Fault::Internal("an invocation that this function does not take")))
    }
}
