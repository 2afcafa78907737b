//! HTTP requests as the gateway hands them in, and answers as it takes them.

use std::collections::HashMap;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use domain::id::{Key, MerchantId, UnitId};
use domain::programme::Programme;
use domain::time::Instant;
use serde::Serialize;
use serde_json::{Value, json};
use wire::fault::{BodyFault, Violation};

use crate::body::{MAX_BODY, MAX_DOCUMENT, bounded, few_values, gunzip};
use crate::fault::Fault;

/// Violations that are told of one row of several.
const ROW_VIOLATIONS: usize = 5;

/// A request whose token and scope the gateway has checked.
#[derive(Clone)]
pub struct Request {
    /// Method and path template: `POST /v1/events`.
    pub route: String,
    /// When the gateway received it.
    pub now: Instant,
    path: HashMap<String, String>,
    query: HashMap<String, String>,
    key: Option<String>,
    caller: Box<Caller>,
    gzip: bool,
    body: Vec<u8>,
}

/// What the token says of who asks.
#[derive(Clone)]
struct Caller {
    subject: Option<String>,
    merchant: Option<String>,
    /// Between blanks.
    scopes: String,
}

/// An answer: a status and a body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Json(Vec<u8>),
    Csv(Vec<u8>),
    Problem(Vec<u8>),
}

impl Request {
    /// Reads the gateway's event.
    pub(crate) fn of(event: ApiGatewayV2httpRequest) -> Result<Request, Fault> {
        let header = |name: &str| {
            let value = event.headers.get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        let context = &event.request_context;
        let claims = context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref());
        let text = event.body.clone().unwrap_or_default();
        let body = if event.is_base64_encoded { decode_base64(&text)? } else { text.into_bytes() };
        let query = event.query_string_parameters.iter();
        Ok(Request {
            route: event.route_key.clone().unwrap_or_default(),
            now: Instant(context.time_epoch),
            query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            key: header("idempotency-key"),
            caller: Box::new(Caller {
                subject: claims.and_then(|jwt| jwt.claims.get("sub").cloned()),
                merchant: claims.and_then(|jwt| jwt.claims.get("merchant").cloned()),
                scopes: claims.map(|jwt| scopes(&jwt.claims)).unwrap_or_default(),
            }),
            gzip: header("content-encoding")
                .is_some_and(|coding| coding.eq_ignore_ascii_case("gzip")),
            path: event.path_parameters,
            body,
        })
    }

    /// A part of the path, as parsed; what cannot be an id names nothing that exists.
    pub fn path<T, E>(
        &self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
        missing: store::Noun,
    ) -> Result<T, Fault> {
        let text = self.path.get(name).map(String::as_str).unwrap_or_default();
        parse(text).map_err(|_| Fault::not_found(missing))
    }

    /// A query parameter, as parsed; none where it is absent.
    pub fn query<T>(
        &self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let given = self.query.get(name).map(|text| parse(text).ok_or(Fault::Query(name)));
        given.transpose()
    }

    /// The body, at most 1 MiB.
    pub fn body(&self) -> Result<Vec<u8>, Fault> {
        self.bounded_body(MAX_BODY)
    }

    /// The body of a programme document, at most 32 MiB once inflated.
    pub fn document(&self) -> Result<Vec<u8>, Fault> {
        few_values(self.bounded_body(MAX_DOCUMENT)?)
    }

    /// The same request with another body.
    #[must_use]
    pub(crate) fn with_body(&self, body: Vec<u8>) -> Request {
        Request { body, gzip: false, ..self.clone() }
    }

    fn bounded_body(&self, most: usize) -> Result<Vec<u8>, Fault> {
        if self.gzip { gunzip(&self.body, most) } else { bounded(self.body.clone(), most) }
    }

    /// The `Idempotency-Key`, if there is one.
    pub fn key(&self) -> Result<Option<Key>, Fault> {
        self.key.as_deref().map(|key| Key::parse(key).map_err(|_| Fault::Key)).transpose()
    }

    /// The `Idempotency-Key`, which this route requires.
    pub fn required_key(&self) -> Result<Key, Fault> {
        self.key()?.ok_or(Fault::Key)
    }

    /// The required key of what is not searched in a ledger: one that carries a time must not be
    /// of the future. A spend's commit checks that itself, after its search.
    pub fn timely_key(&self) -> Result<Key, Fault> {
        let key = self.required_key()?;
        match key.time() {
            Some(time) if Instant(time) > self.now.plus_minutes(5) => {
                Err(Fault::Store(store::Error::KeyInFuture))
            }
            Some(_) | None => Ok(key),
        }
    }

    /// Refuses a unit that is absent or not of the token's merchant, where the token names one.
    pub fn may_act_at(&self, programme: &Programme, unit: Option<&UnitId>) -> Result<(), Fault> {
        let Some(merchant) = &self.caller.merchant else { return Ok(()) };
        let owns = MerchantId::parse(merchant).is_ok_and(|merchant| {
            unit.is_some_and(|unit| programme.merchants.owns(&merchant, unit))
        });
        if owns { Ok(()) } else { Err(Fault::UnitNotAllowed) }
    }

    /// Refuses a token without this scope, where what is asked for needs another than the route.
    pub fn needs_scope(&self, scope: &'static str) -> Result<(), Fault> {
        let held = self.caller.scopes.split_whitespace().any(|held| held == scope);
        if held { Ok(()) } else { Err(Fault::Scope(scope)) }
    }

    /// Who asks: the subject of the token, at most 64 characters of it.
    pub fn who(&self) -> String {
        let subject = self.caller.subject.as_deref().unwrap_or("unknown");
        subject.chars().filter(|c| !c.is_control()).take(64).collect()
    }

    /// Whether what this merchant provides is within the token's reach: one without a merchant has
    /// everything, a merchant its own.
    pub fn is_partner(&self, provider: Option<&MerchantId>) -> bool {
        let merchant = self.caller.merchant.as_deref();
        merchant.is_none_or(|own| provider.is_some_and(|provider| provider.as_str() == own))
    }

    /// Whether the token is bound to a merchant.
    pub fn is_merchant(&self) -> bool {
        self.caller.merchant.is_some()
    }
}

/// The claim that the gateway checks a route's scope against; a list comes in brackets.
fn scopes(claims: &HashMap<String, String>) -> String {
    let claim = claims.get("scope").or_else(|| claims.get("scp"));
    claim.map(|text| text.trim_matches(['[', ']']).to_owned()).unwrap_or_default()
}

fn decode_base64(text: &str) -> Result<Vec<u8>, Fault> {
    use base64::Engine;
    let decoded = base64::engine::general_purpose::STANDARD.decode(text);
    decoded.map_err(|_| BodyFault::Malformed("the body is not base64".to_owned()).into())
}

impl Answer {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: &impl Serialize) -> Result<Answer, Fault> {
        let body = serde_json::to_vec(body);
        let body = body.map_err(|_| Fault::Internal("answer does not serialize"))?;
        Ok(Answer { status, body: Body::Json(body) })
    }

    /// An answer with a JSON body that is known as text.
    pub fn document(status: u16, body: Vec<u8>) -> Answer {
        Answer { status, body: Body::Json(body) }
    }

    /// An answer that is a file of rows.
    pub fn csv(rows: Vec<u8>) -> Answer {
        Answer { status: 200, body: Body::Csv(rows) }
    }

    /// What a fault is answered with.
    pub fn problem(fault: Fault) -> Answer {
        fault.log();
        let problem = fault.problem();
        Answer { status: problem.status, body: Body::Problem(to_bytes(&problem)) }
    }

    /// A problem for one row of several, with its status.
    pub fn row_problem(fault: Fault) -> (u16, Value) {
        fault.log();
        let mut problem = fault.problem();
        // A thousand rows with all of theirs would not fit into one answer.
        problem.violations.truncate(ROW_VIOLATIONS);
        (problem.status, serde_json::to_value(&problem).unwrap_or_default())
    }

    /// The gateway's form of this answer.
    pub(crate) fn to_gateway(&self) -> Value {
        let (media_type, body) = match &self.body {
            Body::Json(body) => ("application/json", body),
            Body::Csv(rows) => ("text/csv; charset=utf-8", rows),
            Body::Problem(problem) => ("application/problem+json", problem),
        };
        json!({
            "statusCode": self.status,
            "headers": { "content-type": media_type, "cache-control": "no-store" },
            "body": String::from_utf8_lossy(body),
            "isBase64Encoded": false,
        })
    }

    /// The stable code of a problem, for the log.
    pub(crate) fn code(&self) -> Option<String> {
        let Body::Problem(problem) = &self.body else { return None };
        let problem: Value = serde_json::from_slice(problem).ok()?;
        problem.get("code").and_then(Value::as_str).map(str::to_owned)
    }
}

fn to_bytes(problem: &wire::problem::Problem) -> Vec<u8> {
    serde_json::to_vec(problem).unwrap_or_default()
}

/// A violation at one place of the body, for what only a handler can check.
pub fn violation(pointer: &str, code: &'static str, message: &str) -> Fault {
    let violation = Violation { pointer: pointer.to_owned(), code, message: message.to_owned() };
    Fault::Body(BodyFault::Invalid(vec![violation]))
}
