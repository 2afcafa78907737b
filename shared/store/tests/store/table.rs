//! The table of the tests, as the template makes it.

use dynoxide::Database;
use serde_json::json;

/// Name of the table.
pub const TABLE: &str = "accrue";

/// An empty table in memory.
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
