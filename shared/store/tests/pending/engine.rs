//! A table in memory that keeps no history: there is room for a million items.

use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};

pub use crate::table::{TABLE, table};

/// Items of one write.
const TOGETHER: usize = 25;

/// Puts items behind the store's back.
pub fn load(database: &Database, items: impl Iterator<Item = Value>) {
    let mut puts = items.map(|item| json!({ "PutRequest": { "Item": item } })).peekable();
    while puts.peek().is_some() {
        let some: Vec<Value> = puts.by_ref().take(TOGETHER).collect();
        let write = json!({ "RequestItems": { TABLE: some } });
        database.batch_write_item(serde_json::from_value(write).unwrap()).unwrap();
    }
}

/// Carries out a call: status and answer.
pub fn carry_out(database: &Database, operation: &str, mut body: Value) -> (u16, String) {
    body["ReturnConsumedCapacity"] = json!("INDEXES");
    match dispatch(database, operation, body) {
        Ok(answer) => (200, answer),
        Err(error) => (error.status_code(), error.to_json()),
    }
}

fn dispatch(database: &Database, operation: &str, body: Value) -> Result<String, DynoxideError> {
    macro_rules! call {
        ($name:ident) => {{
            let answer = database.$name(serde_json::from_value(body).unwrap())?;
            Ok(serde_json::to_string(&answer).unwrap())
        }};
    }
    match operation {
        "GetItem" => call!(get_item),
        "Query" => call!(query),
        "PutItem" => call!(put_item),
        "TransactWriteItems" => call!(transact_write_items),
        other => panic!("the store calls {other}"),
    }
}
