//! A table in memory that keeps no history: there is room for a million items.

use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};

/// Name of the table.
pub const TABLE: &str = "accrue";

/// Items of one write.
const TOGETHER: usize = 25;

/// The table as the template makes it.
pub fn table() -> Database {
    let database = Database::memory().unwrap();
    let key = |name, kind| json!({ "AttributeName": name, "KeyType": kind });
    let names = ["pk", "sk", "ix_pk", "ix_sk"];
    let create = json!({
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions":
            names.map(|name| json!({ "AttributeName": name, "AttributeType": "S" })),
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        "GlobalSecondaryIndexes": [{
            "IndexName": "index",
            "KeySchema": [key("ix_pk", "HASH"), key("ix_sk", "RANGE")],
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        }],
    });
    database.create_table(serde_json::from_value(create).unwrap()).unwrap();
    database
}

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
