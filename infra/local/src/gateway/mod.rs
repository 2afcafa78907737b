//! The HTTP API: finds the route, checks the token, invokes the function, and answers as it says.

mod event;
mod reply;
mod throttle;
mod tokens;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use hyper::body::Incoming;
use hyper::header::HeaderName;
use hyper::{Request, StatusCode};
use matchit::Router;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

pub use reply::problem;
use throttle::Throttle;
pub use tokens::Issuer;

use crate::clock::Clock;
use crate::functions::{Functions, Outcome};
use crate::serve::{Answer, NoBody, whole};
use crate::template::{RoutePlan, Stack};

/// What the gateway takes at most, as a function does.
const MAX_BODY: usize = 6 * 1024 * 1024;
/// How long the gateway waits for a function.
const PATIENCE: Duration = Duration::from_secs(30);

/// The HTTP API.
pub struct Gateway {
    paths: Router<BTreeMap<String, RoutePlan>>,
    /// By method and path.
    throttles: BTreeMap<(String, String), Throttle>,
    issuer: Option<Arc<Issuer>>,
    functions: Arc<Functions>,
    clock: Arc<Clock>,
}

/// A request that has a route.
struct Routed {
    route: RoutePlan,
    /// Decoded.
    parameters: Map<String, Value>,
}

impl Gateway {
    /// The API of `stack`; with an issuer, every route needs one of its tokens.
    pub fn new(
        stack: &Stack,
        issuer: Option<Arc<Issuer>>,
        functions: Arc<Functions>,
        clock: Arc<Clock>,
    ) -> Result<Self> {
        let mut by_path: BTreeMap<String, BTreeMap<String, RoutePlan>> = BTreeMap::new();
        for route in &stack.routes {
            by_path
                .entry(route.path.clone())
                .or_default()
                .insert(route.method.clone(), route.clone());
        }
        let throttles = stack.routes.iter().filter_map(|route| {
            let throttle = Throttle::new(route.settings.as_ref()?);
            Some(((route.method.clone(), route.path.clone()), throttle))
        });
        let mut paths = Router::new();
        for (path, methods) in by_path {
            paths.insert(path.clone(), methods).with_context(|| format!("route {path}"))?;
        }
        Ok(Self { paths, throttles: throttles.collect(), issuer, functions, clock })
    }

    /// Answers one request.
    pub async fn handle(&self, request: Request<Incoming>) -> Answer {
        self.answer(request).await.unwrap_or_else(|refused| *refused)
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Box<Answer>> {
        let routed = self.route(request.method().as_str(), request.uri().path())?;
        let claims = match &self.issuer {
            Some(issuer) => Some(issuer.check(request.headers(), &routed.route.scopes)?),
            None => None,
        };
        self.throttle(&routed.route)?;
        let (parts, body) = request.into_parts();
        let body = whole(body, MAX_BODY).await.map_err(|why| {
            Box::new(match why {
                NoBody::TooLarge => {
                    let message = "The body is longer than 6 MiB.";
                    problem(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", message)
                }
                NoBody::TooSlow => {
                    let message = "The body did not come in time.";
                    problem(StatusCode::REQUEST_TIMEOUT, "request_timeout", message)
                }
                NoBody::Broken => {
                    problem(StatusCode::BAD_REQUEST, "bad_request", "The body could not be read.")
                }
            })
        })?;
        let function = routed.route.function.clone();
        let payload = event::event(&routed, &parts, &body, claims, self.clock.now());
        let invoked = self.functions.invoke(&function, payload.into());
        let outcome = tokio::time::timeout(PATIENCE, invoked).await.unwrap_or(Outcome::TimedOut);
        Ok(match outcome {
            Outcome::Answer(body) => reply::read(&body),
            Outcome::Error(_) | Outcome::Died => {
                let message = "The function failed.";
                problem(StatusCode::BAD_GATEWAY, "bad_gateway", message)
            }
            Outcome::TimedOut => {
                let message = "The function took too long.";
                problem(StatusCode::GATEWAY_TIMEOUT, "gateway_timeout", message)
            }
            Outcome::Busy => {
                let message = "Too many requests wait for the function.";
                let mut answer = problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message);
                let soon = hyper::header::HeaderValue::from_static("1");
                answer.headers_mut().insert(HeaderName::from_static("retry-after"), soon);
                answer
            }
        })
    }

    fn throttle(&self, route: &RoutePlan) -> Result<(), Box<Answer>> {
        let throttle = self.throttles.get(&(route.method.clone(), route.path.clone()));
        let now = self.clock.now().timestamp_millis();
        if throttle.is_none_or(|throttle| throttle.lets_in(now)) {
            return Ok(());
        }
        let message = "Too many requests come at once.";
        Err(Box::new(problem(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message)))
    }

    fn route(&self, method: &str, path: &str) -> Result<Routed, Box<Answer>> {
        let Ok(found) = self.paths.at(path) else {
            let message = "There is no such route.";
            return Err(Box::new(problem(StatusCode::NOT_FOUND, "route_not_found", message)));
        };
        let Some(route) = found.value.get(method) else {
            let allowed: Vec<&str> = found.value.keys().map(String::as_str).collect();
            let message = format!("This route has {}.", allowed.join(", "));
            let mut answer =
                problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", &message);
            if let Ok(value) = allowed.join(", ").parse() {
                answer.headers_mut().insert(hyper::header::ALLOW, value);
            }
            return Err(Box::new(answer));
        };
        let mut parameters = Map::new();
        for (name, value) in found.params.iter() {
            let Some(value) = decoded(value) else {
                let message = "The path is not percent-encoded UTF-8.";
                return Err(Box::new(problem(StatusCode::BAD_REQUEST, "bad_request", message)));
            };
            parameters.insert(name.to_owned(), Value::from(value));
        }
        Ok(Routed { route: route.clone(), parameters })
    }
}

/// `text` percent-decoded, if every `%` is part of an escape and the whole is UTF-8.
fn decoded(text: &str) -> Option<String> {
    let escape = |rest: &str| {
        rest.get(..2).is_some_and(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    if !text.split('%').skip(1).all(escape) {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn paths_are_decoded_or_refused() {
        assert_eq!(decoded("till%3AR%2F1").as_deref(), Some("till:R/1"));
        assert_eq!(decoded("%C3%BC").as_deref(), Some("ü"));
        for bad in ["%", "%4", "%zz", "%ff", "a%"] {
            assert_eq!(decoded(bad), None, "{bad}");
        }
    }
}
