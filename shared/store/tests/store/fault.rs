//! What can go wrong with a call, and how it looks to the caller.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Notify;

/// What can happen to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The connection breaks before the request arrives.
    Before,
    /// It is carried out, and the answer is an internal error.
    After,
    /// It is carried out, and the connection breaks.
    LostReply,
    /// It is not carried out: too many requests.
    Throttled,
    /// It is not carried out: over the table's capacity.
    OverCapacity,
    /// It is not carried out: a transaction is in the way.
    Conflict,
    /// It is carried out and answered, and later a copy of it arrives.
    Duplicate,
}

impl Fault {
    pub const ALL: [Fault; 7] = [
        Fault::Before,
        Fault::After,
        Fault::LostReply,
        Fault::Throttled,
        Fault::OverCapacity,
        Fault::Conflict,
        Fault::Duplicate,
    ];

    /// Only writes run into transactions.
    pub fn applies_to(self, operation: &str) -> bool {
        self != Fault::Conflict || matches!(operation, "PutItem" | "TransactWriteItems")
    }
}

/// How bad the wire is, in calls out of a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    pub faults: u32,
    /// Items of reads that are not consistent.
    pub stale: u32,
    /// Most milliseconds that a call takes each way.
    pub delay: u64,
}

/// Stops one call before it arrives, until it is opened.
#[derive(Clone, Default)]
pub struct Gate {
    reached: Arc<Notify>,
    opened: Arc<Notify>,
}

impl Gate {
    /// Waits until the call is there.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    /// The call is there, and waits.
    pub async fn wait(&self) {
        self.reached.notify_one();
        self.opened.notified().await;
    }

    /// Lets the call pass.
    pub fn open(&self) {
        self.opened.notify_one();
    }
}

/// An internal error.
pub fn broken() -> (u16, String) {
    (500, error_body("InternalServerError"))
}

fn error_body(name: &str) -> String {
    json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": "" })
        .to_string()
}

/// A failure of this name.
pub fn failed(name: &str) -> (u16, String) {
    (400, error_body(name))
}

/// A single write fails with an exception of its own, a transaction is cancelled with reasons.
pub fn cancelled(operation: &str, body: &Value, reason: &str) -> (u16, String) {
    if operation != "TransactWriteItems" {
        return failed(&format!("{reason}Exception"));
    }
    let parts = body["TransactItems"].as_array().map_or(0, Vec::len);
    let mut reasons = vec![json!({ "Code": "None" }); parts];
    reasons[0] = json!({ "Code": reason, "Message": "" });
    let name = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    (400, json!({ "__type": name, "Message": "", "CancellationReasons": reasons }).to_string())
}
