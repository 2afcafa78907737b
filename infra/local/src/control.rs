//! What only the local stack answers: `/_local/*`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, SecondsFormat, Utc};
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::callers::Callers;
use crate::clock::{Clock, advance};
use crate::functions::{Functions, Outcome};
use crate::gateway::{Issuer, problem};
use crate::schedule::Schedule;
use crate::serve::{Answer, answer, json as reply, whole};
use crate::services::queues::Queues;
use crate::stream::Follower;

const MAX_BODY: usize = 64 * 1024;
const GLANCE: Duration = Duration::from_millis(5);
/// Most looks before the queues are said not to empty: some five minutes.
const GLANCES: u32 = 50_000;

/// The hands on the stack.
pub struct Control {
    pub issuer: Option<Arc<Issuer>>,
    pub callers: Arc<Callers>,
    pub functions: Arc<Functions>,
    pub clock: Arc<Clock>,
    pub schedules: BTreeMap<String, Arc<Schedule>>,
    pub queues: Arc<Queues>,
    /// The queues that some function takes messages from.
    pub consumed: Vec<String>,
    /// What follows the changes of tables.
    pub followers: Vec<Arc<Follower>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenAsked {
    scopes: Option<Vec<String>>,
    #[serde(default)]
    claims: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum ClockAsked {
    Advance(String),
    Now(DateTime<Utc>),
}

impl Control {
    /// Answers one request.
    pub async fn handle(&self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path().trim_start_matches("/_local/").to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        let get = request.method() == Method::GET;
        let post = request.method() == Method::POST;
        match parts.as_slice() {
            ["token"] if post => asked(request).await.and_then(|asked| self.token(&asked)),
            ["clock"] if post => asked(request).await.and_then(|asked| self.move_clock(&asked)),
            ["clock"] if get => Ok(self.time()),
            ["stats"] if get => Ok(reply(StatusCode::OK, &self.stats())),
            ["stats", "reset"] if post => {
                self.callers.reset();
                Ok(reply(StatusCode::OK, &json!({})))
            }
            ["schedules", id, "run"] if post => Ok(self.fire(id).await),
            ["idle"] if get => self.idle().await,
            _ => {
                let message = "The local stack has no such route.";
                Ok(problem(StatusCode::NOT_FOUND, "route_not_found", message))
            }
        }
        .unwrap_or_else(|error| {
            problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid", &format!("{error:#}"))
        })
    }

    fn token(&self, asked: &Value) -> Result<Answer> {
        let asked = TokenAsked::deserialize(asked)?;
        let issuer = self.issuer.as_ref().context("the template has no authorizer")?;
        let scopes = asked.scopes.as_ref().unwrap_or(&issuer.scopes);
        let token = issuer.token(scopes, &asked.claims)?;
        Ok(reply(StatusCode::OK, &json!({"token": token})))
    }

    fn move_clock(&self, asked: &Value) -> Result<Answer> {
        match ClockAsked::deserialize(asked)? {
            ClockAsked::Advance(duration) => {
                self.clock.set(advance(self.clock.now(), &duration)?);
            }
            ClockAsked::Now(now) => self.clock.set(now),
        }
        Ok(self.time())
    }

    fn time(&self) -> Answer {
        let now = self.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
        reply(StatusCode::OK, &json!({"now": now}))
    }

    fn stats(&self) -> Value {
        self.callers.stats(|function| self.functions.pids(function))
    }

    async fn fire(&self, id: &str) -> Answer {
        let Some(schedule) = self.schedules.get(id) else {
            let known = self.schedules.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let message = format!("No schedule is named {id}; there are: {known}.");
            return problem(StatusCode::NOT_FOUND, "schedule_not_found", &message);
        };
        let failed = |message: &str| problem(StatusCode::BAD_GATEWAY, "bad_gateway", message);
        match schedule.fire().await {
            Outcome::Answer(body) => answer(StatusCode::OK, "application/json", body),
            Outcome::Error(body) => failed(&String::from_utf8_lossy(&body)),
            Outcome::Died => failed("The function's process died."),
            Outcome::TimedOut => failed("The function took too long."),
            Outcome::Busy => failed("Too many invocations wait for the function."),
        }
    }

    /// Waits until no message and no change is left for any function; what was given up is nobody's
    /// work.
    async fn idle(&self) -> Result<Answer> {
        for _ in 0..GLANCES {
            // Work on messages makes changes, and work on changes makes messages.
            let before = self.followed().await?;
            let mut pending = 0;
            for queue in &self.consumed {
                pending += self.queues.pending(queue).await?;
            }
            if pending == 0 && before.is_some() && before == self.followed().await? {
                return Ok(reply(StatusCode::OK, &json!({"idle": true})));
            }
            tokio::time::sleep(GLANCE).await;
        }
        let message = "There still are messages; a function may fail on them. See its log.";
        Ok(problem(StatusCode::SERVICE_UNAVAILABLE, "not_idle", message))
    }
}

impl Control {
    /// How far everything that follows a stream is, if nothing is left to any.
    async fn followed(&self) -> Result<Option<Vec<String>>> {
        let mut places = Vec::new();
        for follower in &self.followers {
            match follower.at_the_end().await? {
                Some(place) => places.push(place),
                None => return Ok(None),
            }
        }
        Ok(Some(places))
    }
}

async fn asked(request: Request<Incoming>) -> Result<Value> {
    let body = whole(request.into_body(), MAX_BODY).await;
    let body = body.map_err(|why| anyhow!("the body could not be read: {why:?}"))?;
    match body.is_empty() {
        true => Ok(json!({})),
        false => Ok(serde_json::from_slice(&body)?),
    }
}
