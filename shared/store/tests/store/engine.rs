//! The table itself: an embedded engine, with every version of its items.

use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};

use crate::history::History;
pub use crate::table::{TABLE, table};

/// A table in memory.
pub struct Engine {
    database: Database,
    pub history: History,
}

impl Engine {
    /// An empty table, made as the template says.
    pub fn new() -> Engine {
        Engine { database: table(), history: History::default() }
    }

    /// Carries out a call: status and answer.
    pub fn carry_out(&mut self, operation: &str, body: &Value) -> (u16, String) {
        let mut asked = body.clone();
        asked["ReturnConsumedCapacity"] = json!("INDEXES");
        match dispatch(&self.database, operation, &asked.to_string()) {
            Ok(answer) => {
                if matches!(operation, "PutItem" | "TransactWriteItems") {
                    self.history.note(operation, body, |key| get(&self.database, key));
                }
                (200, answer)
            }
            Err(error) => (error.status_code(), error.to_json()),
        }
    }
}

/// An item as it is now.
fn get(database: &Database, key: &Value) -> Value {
    let body = json!({ "TableName": TABLE, "Key": key, "ConsistentRead": true });
    let answer = dispatch(database, "GetItem", &body.to_string()).unwrap();
    serde_json::from_str::<Value>(&answer).unwrap()["Item"].take()
}

fn dispatch(database: &Database, operation: &str, body: &str) -> Result<String, DynoxideError> {
    macro_rules! call {
        ($name:ident) => {{
            let answer = database.$name(serde_json::from_str(body).unwrap())?;
            Ok(serde_json::to_string(&answer).unwrap())
        }};
    }
    match operation {
        "GetItem" => call!(get_item),
        "BatchGetItem" => call!(batch_get_item),
        "Query" => call!(query),
        "PutItem" => call!(put_item),
        "TransactWriteItems" => call!(transact_write_items),
        other => panic!("the store calls {other}"),
    }
}

/// Units of an answer as tenths.
pub fn tenths(units: &Value) -> u64 {
    let text = units.as_number().map_or_else(String::new, ToString::to_string);
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    let whole: u64 = whole.parse().unwrap_or(0);
    whole * 10 + part[..1].parse::<u64>().unwrap_or(0)
}
