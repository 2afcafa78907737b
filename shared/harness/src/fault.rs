//! What a request can come to instead of its answer, and how each is told: why 409, why 422.

use domain::id::FeedId;
use domain::refusal::Refusal;
use store::{Error, Noun};
use tracing::{error, warn};
use wire::fault::{BodyFault, Violation};
use wire::problem::Problem;

/// A request that is not answered as its caller hoped.
#[derive(Debug)]
pub enum Fault {
    /// The body is at fault.
    Body(BodyFault),
    /// The body, or its inflated form, is over the limit.
    TooLarge,
    /// The store's no: a refusal, something not found, a key, a failure.
    Store(Error),
    /// The unit is not one of the token's merchant.
    UnitNotAllowed,
    /// The token lacks this scope.
    Scope(&'static str),
    /// An `Idempotency-Key` is missing or none.
    Key,
    /// A part of the path or query is none of what it must be.
    Query(&'static str),
    /// Another service than the table did not answer; safe to try again.
    Unavailable(&'static str),
    /// A target of a feed did not take what it was told; safe to try again.
    Target { feed: FeedId, reason: String },
    /// Something broke that a repeat does not mend.
    Internal(&'static str),
}

impl From<BodyFault> for Fault {
    fn from(fault: BodyFault) -> Fault {
        Fault::Body(fault)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::Store(error)
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Fault {
        Fault::Store(Error::Refused(refusal))
    }
}

impl Fault {
    /// That something is not there.
    pub fn not_found(noun: Noun) -> Fault {
        Fault::Store(Error::NotFound(noun))
    }

    /// Logs a failure, once; what the programme or the caller did is no failure.
    pub fn log(&self) {
        match self {
            Fault::Store(Error::Contended) => warn!(code = "contended", "too many rivals"),
            Fault::Store(Error::Unavailable(reason)) => {
                error!(code = "unavailable", reason, "the table did not answer");
            }
            Fault::Unavailable(service) => {
                error!(code = "unavailable", service, "a service did not answer");
            }
            // Their owner mends it: what is given up in the end raises an alarm.
            Fault::Target { feed, reason } => {
                warn!(code = "target", feed = feed.as_str(), reason, "a target was not told");
            }
            Fault::Store(Error::Corrupt(reason)) | Fault::Internal(reason) => {
                error!(code = "internal", reason, "broken");
            }
            Fault::Store(
                Error::Refused(_) | Error::NotFound(_) | Error::KeyReused | Error::KeyInFuture,
            )
            | Fault::Body(_)
            | Fault::TooLarge
            | Fault::UnitNotAllowed
            | Fault::Scope(_)
            | Fault::Key
            | Fault::Query(_) => {}
        }
    }

    /// Status and problem details (RFC 9457).
    pub fn problem(self) -> Problem {
        let (status, code, detail, violations) = match self {
            Fault::Body(BodyFault::Malformed(reason)) => {
                (400, "malformed_json".to_owned(), reason, Vec::new())
            }
            Fault::Body(BodyFault::Invalid(violations)) => {
                (422, "invalid".to_owned(), "The body breaks the contract.".to_owned(), violations)
            }
            Fault::TooLarge => plain(413, "payload_too_large", "The body is over the limit."),
            Fault::Store(Error::Refused(refusal)) => plain(409, refusal.code(), &said(&refusal)),
            Fault::Store(Error::NotFound(noun)) => {
                let said = format!("There is no such {}.", noun.name().replace('_', " "));
                plain(404, &format!("{}_not_found", noun.name()), &said)
            }
            Fault::Store(Error::KeyReused) => {
                let said = "This key or reference was used with another payload.";
                plain(422, "idempotency_key_reused", said)
            }
            Fault::Store(Error::KeyInFuture) => {
                let said = "The key's time is more than five minutes ahead.";
                plain(422, "idempotency_key_in_future", said)
            }
            Fault::Store(Error::Contended) => {
                let said = "Too many requests for one wallet at once. Try again with the same key.";
                plain(503, "contended", said)
            }
            Fault::Store(Error::Unavailable(_)) | Fault::Unavailable(_) | Fault::Target { .. } => {
                plain(503, "unavailable", "Try again with the same key; that is safe.")
            }
            Fault::Store(Error::Corrupt(_)) | Fault::Internal(_) => {
                plain(500, "internal", "This was logged and must be mended.")
            }
            Fault::UnitNotAllowed => {
                plain(403, "unit_not_allowed", "The unit is not one of the token's merchant.")
            }
            Fault::Scope(scope) => {
                let said = format!("The access token lacks the scope {scope}.");
                plain(403, "forbidden", &said)
            }
            Fault::Key => missing_key(),
            Fault::Query(name) => {
                let message = "is not what the contract says".to_owned();
                let violation = Violation { pointer: format!("/{name}"), code: "pattern", message };
                let detail = format!("The parameter {name} breaks the contract.");
                (422, "invalid".to_owned(), detail, vec![violation])
            }
        };
        Problem {
            kind: "about:blank".to_owned(),
            title: title(status).to_owned(),
            status,
            code,
            detail: Some(detail),
            violations,
        }
    }
}

type Told = (u16, String, String, Vec<Violation>);

fn plain(status: u16, code: &str, detail: &str) -> Told {
    (status, code.to_owned(), detail.to_owned(), Vec::new())
}

fn missing_key() -> Told {
    let message = "must have 1 to 255 printable characters; a UUIDv7 is cheapest".to_owned();
    let violation = Violation { pointer: String::new(), code: "required", message };
    let detail = "The header Idempotency-Key is required.".to_owned();
    (422, "invalid".to_owned(), detail, vec![violation])
}

/// A refusal as a sentence.
fn said(refusal: &Refusal) -> String {
    let text = refusal.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}
