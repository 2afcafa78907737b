//! Problem details (RFC 9457): how an error is answered.

use serde::Serialize;

use crate::fault::Violation;

/// The body of every answer that is an error; its media type is `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A URI reference; `about:blank` where the code says it all.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the status means, in a few words.
    pub title: String,
    pub status: u16,
    /// The stable code of the contract.
    pub code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What is wrong with the body, where it is at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
}
