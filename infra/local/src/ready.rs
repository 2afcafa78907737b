//! The ready file: the addresses and names that clients of the stack need.

use serde_json::{Map, Value, json};

use crate::callers::Caller;
use crate::services::Endpoints;
use crate::template::{REGION, Stack};

/// What a client needs to know.
#[derive(Debug)]
pub struct Ready {
    pub api: String,
    /// Good for everything, if the API needs tokens.
    pub token: Option<String>,
    pub endpoints: Endpoints,
    /// Addresses by name.
    pub queues: Map<String, Value>,
}

impl Ready {
    /// The file's content; `operator` is the key for clients of the services themselves.
    pub fn file(&self, stack: &Stack, operator: &Caller) -> Value {
        json!({
            "api": self.api,
            "token": self.token,
            "table_endpoint": self.endpoints.table,
            "queue_endpoint": self.endpoints.queue,
            "bucket_endpoint": self.endpoints.bucket,
            "secret_endpoint": self.endpoints.secret,
            "table": stack.tables.first().map(|table| &table.table_name),
            "bucket": stack.buckets.first(),
            "queues": self.queues,
            "region": REGION,
            "access_key_id": operator.key_id,
            "secret_access_key": operator.secret,
        })
    }
}
