//! What is wrong with a body: every violation at once, each with a JSON pointer and a stable code.

use serde::Serialize;
use thiserror::Error;

/// Most violations that one answer lists; a body with more is not worth a longer list.
pub const MAX_VIOLATIONS: usize = 100;

/// The stable violation codes of the contract.
pub mod code {
    /// The contract knows no such field here.
    pub const UNKNOWN_FIELD: &str = "unknown_field";
    /// The field is missing or null, and must not be.
    pub const REQUIRED: &str = "required";
    /// Another JSON type is expected: text, a number, true or false, a list, an object.
    pub const TYPE: &str = "type";
    /// A text or a list is too short or too long.
    pub const LENGTH: &str = "length";
    /// A text does not have the form asked for: an id, a time, a duration, a number.
    pub const PATTERN: &str = "pattern";
    /// A number is too small or too large, or a range is upside down.
    pub const RANGE: &str = "range";
    /// An amount has more decimals than its unit; it is never rounded.
    pub const PRECISION: &str = "precision";
    /// It names something that the programme does not have.
    pub const UNKNOWN_REFERENCE: &str = "unknown_reference";
    /// It is there, but not for this: a classification whose event types do not include this one.
    pub const NOT_ALLOWED: &str = "not_allowed";
    /// It must be unique and occurs before.
    pub const DUPLICATE: &str = "duplicate";
    /// The contract names it, and this version does not do it yet.
    pub const NOT_SUPPORTED: &str = "not_supported";
    /// It is none of the values that the contract lists.
    pub const UNKNOWN_VALUE: &str = "unknown_value";
    /// A time is more than 5 minutes ahead.
    pub const IN_FUTURE: &str = "in_future";
    /// Exactly one of several fields is needed.
    pub const EXCLUSIVE: &str = "exclusive";

    /// All of them.
    pub const ALL: [&str; 14] = [
        UNKNOWN_FIELD,
        REQUIRED,
        TYPE,
        LENGTH,
        PATTERN,
        RANGE,
        PRECISION,
        UNKNOWN_REFERENCE,
        NOT_ALLOWED,
        DUPLICATE,
        NOT_SUPPORTED,
        UNKNOWN_VALUE,
        IN_FUTURE,
        EXCLUSIVE,
    ];
}

/// One thing that is wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Where, as a JSON pointer (RFC 6901); empty for the whole body.
    pub pointer: String,
    /// One of [`code`].
    pub code: &'static str,
    /// What is expected. It never repeats a personal or secret value.
    pub message: String,
}

/// Why a body was not accepted.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BodyFault {
    /// It is not JSON (400 `malformed_json`).
    #[error("the body is not JSON: {0}")]
    Malformed(String),
    /// It is JSON that breaks the contract (422 `invalid`).
    #[error("the body breaks the contract in {} places", .0.len())]
    Invalid(Vec<Violation>),
}
