//! Every version of every item, for reads that are not consistent.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};

/// Partition and sort key.
pub type Place = (String, String);

/// What was written, in order.
#[derive(Debug, Default)]
pub struct History {
    /// Number of writes so far.
    pub writes: u64,
    versions: BTreeMap<Place, Vec<(u64, Value)>>,
    tokens: HashSet<String>,
}

/// The key of an item, or of a request's `Key`.
pub fn place(item: &Value) -> Place {
    let text = |name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
    (text("pk"), text("sk"))
}

impl History {
    /// Notes a write that was carried out; what an update came to is read.
    pub fn note(&mut self, operation: &str, body: &Value, read: impl Fn(&Value) -> Value) {
        // A transaction whose token was seen is answered, not carried out again.
        let token = body["ClientRequestToken"].as_str();
        if token.is_some_and(|token| !self.tokens.insert(token.to_owned())) {
            return;
        }
        self.writes += 1;
        let none = Vec::new();
        let parts = body["TransactItems"].as_array().unwrap_or(&none);
        let put = parts.iter().map(|part| part["Put"]["Item"].clone());
        let updated = parts.iter().map(|part| &part["Update"]["Key"]);
        let updated = updated.filter(|key| !key.is_null()).map(read);
        let alone = (operation == "PutItem").then(|| body["Item"].clone());
        let deleted = parts.iter().map(|part| &part["Delete"]["Key"]);
        for key in deleted.filter(|key| !key.is_null()) {
            let versions = self.versions.entry(place(key)).or_default();
            versions.push((self.writes, Value::Null));
        }
        for item in put.chain(updated).chain(alone).filter(|item| !item.is_null()) {
            let versions = self.versions.entry(place(&item)).or_default();
            versions.push((self.writes, item));
        }
    }

    /// The newest version of every item.
    pub fn items(&self) -> BTreeMap<Place, Value> {
        let newest = |versions: &Vec<(u64, Value)>| versions.last().map(|(_, item)| item.clone());
        let items = self.versions.iter().filter_map(|(at, v)| Some((at.clone(), newest(v)?)));
        items.filter(|(_, item)| !item.is_null()).collect()
    }

    /// An item as it was `age` writes ago.
    fn aged(&self, place: &Place, age: u64) -> Option<&Value> {
        let cut = self.writes.saturating_sub(age);
        let versions = self.versions.get(place)?;
        let version = versions.iter().rev().find(|(at, _)| *at <= cut);
        version.map(|(_, item)| item).filter(|item| !item.is_null())
    }

    /// Answers a read that may be stale; none for one that must not be, or that is an index's.
    pub fn stale(
        &self,
        operation: &str,
        body: &Value,
        mut age: impl FnMut(&Place) -> u64,
    ) -> Option<Value> {
        if body["ConsistentRead"] == json!(true) || !body["IndexName"].is_null() {
            return None;
        }
        match operation {
            "GetItem" => {
                let place = place(&body["Key"]);
                let item = self.aged(&place, age(&place));
                Some(item.map_or_else(|| json!({}), |item| json!({ "Item": item })))
            }
            "Query" => {
                let value = |name| body["ExpressionAttributeValues"][name]["S"].as_str();
                let (pk, from, to) = (value(":p")?, value(":a")?, value(":b")?);
                let limit = usize::try_from(body["Limit"].as_u64()?).ok()?;
                let range = (pk.to_owned(), from.to_owned())..=(pk.to_owned(), to.to_owned());
                let newest_first = self.versions.range(range).rev();
                let items = newest_first.filter_map(|(place, _)| self.aged(place, age(place)));
                let items: Vec<&Value> = items.take(limit).collect();
                Some(json!({ "Count": items.len(), "ScannedCount": items.len(), "Items": items }))
            }
            _ => None,
        }
    }
}
