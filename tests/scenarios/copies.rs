//! People by the thousand: copies of some who were made over the API, put into the table under ids
//! of their own.

use scenarios::stack::Stack;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::places::{service, table};

const SHARDS: u8 = 8;
/// Items of a `BatchWriteItem`, of two for each.
const PEOPLE: usize = 12;

/// A wallet and a profile, as items.
pub struct Original([Value; 2]);

/// The shard of the roster in which a participant stands.
pub fn shard_of(id: &str) -> u8 {
    Sha256::digest(id.as_bytes())[0] % SHARDS
}

/// Somebody who is there. Few things may have been done: pages of the ledger are not copied.
pub async fn original(stack: &Stack, id: &str) -> Original {
    let mut items = [Value::Null, Value::Null];
    for (item, sk) in items.iter_mut().zip(["S", "A"]) {
        let key = json!({ "Key": { "pk": { "S": format!("P#{id}") }, "sk": { "S": sk } } });
        *item = table(stack, "GetItem", key).await["Item"].take();
    }
    Original(items)
}

/// Puts a copy of each original under the id beside it.
pub async fn put(stack: &Stack, people: &[(&Original, String)]) {
    let name = stack.ready["table"].as_str().unwrap();
    for people in people.chunks(PEOPLE) {
        let items = people.iter().flat_map(|(original, id)| original.under(id));
        let puts: Vec<_> = items.map(|item| json!({ "PutRequest": { "Item": item } })).collect();
        let body = json!({ "RequestItems": { name: puts } });
        service(stack, "table_endpoint", "DynamoDB_20120810.BatchWriteItem", &body).await;
    }
}

impl Original {
    fn under(&self, id: &str) -> [Value; 2] {
        let [mut state, mut profile] = self.0.clone();
        (state["pk"]["S"], profile["pk"]["S"]) =
            (json!(format!("P#{id}")), json!(format!("P#{id}")));
        state["ix_pk"]["S"] = json!(format!("ROSTER#{}", shard_of(id)));
        state["ix_sk"]["S"] = json!(id);
        [state, profile]
    }
}
