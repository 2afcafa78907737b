//! The table as this code uses it: a few calls, with their refusals told apart from failures.

mod write;

use std::collections::HashMap;
use std::fmt::Debug;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

use crate::error::{Error, Result};
use crate::key::{INDEX, ItemKey};

pub use write::{Demand, Sum, Unmet, Write, Written};

/// An item as the table gives it.
pub type Item = HashMap<String, AttributeValue>;

/// A table and the client that reaches it.
#[derive(Clone, Debug)]
pub struct Table {
    client: Client,
    name: String,
}

impl Table {
    /// A table by its name.
    pub fn new(client: Client, name: String) -> Table {
        Table { client, name }
    }

    /// Reads one item.
    pub async fn get(&self, key: ItemKey, consistent: bool) -> Result<Option<Item>> {
        let call = self.client.get_item().table_name(&self.name).set_key(Some(attributes(key)));
        let answer = call.consistent_read(consistent).send().await.map_err(unavailable)?;
        Ok(answer.item)
    }

    /// Reads up to 100 items, in no particular order.
    pub async fn get_many(&self, keys: Vec<ItemKey>, consistent: bool) -> Result<Vec<Item>> {
        let mut open: Vec<Item> = keys.into_iter().map(attributes).collect();
        let mut items = Vec::new();
        for _ in 0..MAX_PAGES {
            if open.is_empty() {
                return Ok(items);
            }
            let keys = KeysAndAttributes::builder().set_keys(Some(open));
            let keys = keys.set_consistent_read(consistent.then_some(true)).build();
            let keys = keys.map_err(|_| Error::Corrupt("read without keys"))?;
            let call = self.client.batch_get_item().request_items(&self.name, keys);
            let answer = call.send().await.map_err(unavailable)?;
            items.extend(
                answer.responses.unwrap_or_default().remove(&self.name).unwrap_or_default(),
            );
            let left = answer.unprocessed_keys.unwrap_or_default().remove(&self.name);
            open = left.map(|left| left.keys).unwrap_or_default();
        }
        Err(Error::Unavailable("reads stay unprocessed".to_owned()))
    }

    /// Reads items of one partition between two sort keys, newest first.
    pub async fn newest(
        &self,
        pk: &str,
        from: &str,
        to: &str,
        limit: i32,
        consistent: bool,
    ) -> Result<Vec<Item>> {
        let call = self.client.query().table_name(&self.name);
        let call = call.key_condition_expression("pk = :p AND sk BETWEEN :a AND :b");
        let call = call.expression_attribute_values(":p", text(pk));
        let call = call.expression_attribute_values(":a", text(from));
        let call = call.expression_attribute_values(":b", text(to));
        let call = call.scan_index_forward(false).limit(limit).consistent_read(consistent);
        Ok(call.send().await.map_err(unavailable)?.items.unwrap_or_default())
    }

    /// Reads items of one partition between two sort keys, oldest first, as they are now.
    pub async fn oldest(&self, pk: &str, from: &str, to: &str, limit: i32) -> Result<Vec<Item>> {
        let call = self.client.query().table_name(&self.name).limit(limit).consistent_read(true);
        let call = call.key_condition_expression("pk = :p AND sk BETWEEN :a AND :b");
        let call = call.expression_attribute_values(":p", text(pk));
        let call = call.expression_attribute_values(":a", text(from));
        let call = call.expression_attribute_values(":b", text(to));
        Ok(call.send().await.map_err(unavailable)?.items.unwrap_or_default())
    }

    /// Reads all items of a small partition, in order.
    pub async fn partition(&self, pk: &str) -> Result<Vec<Item>> {
        let (mut items, mut start) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let call = self.client.query().table_name(&self.name).consistent_read(true);
            let call = call.key_condition_expression("pk = :p");
            let call = call.expression_attribute_values(":p", text(pk));
            let answer = call.set_exclusive_start_key(start).send().await.map_err(unavailable)?;
            items.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
        Err(Error::Corrupt("partition without an end"))
    }

    /// Sort keys of an index partition after `after`, ascending.
    pub async fn index(
        &self,
        partition: &str,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Vec<String>> {
        let call = self.client.query().table_name(&self.name).index_name(INDEX).limit(limit);
        let call = call.expression_attribute_values(":p", text(partition));
        let call = match after {
            Some(after) => call
                .key_condition_expression("ix_pk = :p AND ix_sk > :a")
                .expression_attribute_values(":a", text(after)),
            None => call.key_condition_expression("ix_pk = :p"),
        };
        sort_keys(&call.send().await.map_err(unavailable)?.items.unwrap_or_default())
    }

    /// Sort keys of an index partition between two, both included, descending.
    pub async fn index_down(
        &self,
        partition: &str,
        least: &str,
        most: &str,
        limit: i32,
    ) -> Result<Vec<String>> {
        let call = self.client.query().table_name(&self.name).index_name(INDEX).limit(limit);
        let call = call
            .key_condition_expression("ix_pk = :p AND ix_sk BETWEEN :a AND :z")
            .expression_attribute_values(":p", text(partition))
            .expression_attribute_values(":a", text(least))
            .expression_attribute_values(":z", text(most))
            .scan_index_forward(false);
        sort_keys(&call.send().await.map_err(unavailable)?.items.unwrap_or_default())
    }

    /// All sort keys of an index partition between two, both included, ascending, by pages of so
    /// many; fails where there are more than [`MAX_INDEX_PAGES`] of them.
    pub async fn index_between(
        &self,
        partition: &str,
        least: &str,
        most: &str,
        of_page: i32,
    ) -> Result<Vec<String>> {
        let (mut keys, mut start) = (Vec::new(), None);
        for _ in 0..MAX_INDEX_PAGES {
            let call = self.client.query().table_name(&self.name).index_name(INDEX).limit(of_page);
            let call = call
                .key_condition_expression("ix_pk = :p AND ix_sk BETWEEN :a AND :z")
                .expression_attribute_values(":p", text(partition))
                .expression_attribute_values(":a", text(least))
                .expression_attribute_values(":z", text(most));
            let answer = call.set_exclusive_start_key(start).send().await.map_err(unavailable)?;
            keys.extend(sort_keys(&answer.items.unwrap_or_default())?);
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(keys);
            }
        }
        Err(Error::Corrupt("more of the index than is read at once"))
    }

    /// Reads all items of one partition between two sort keys, oldest first, as they are now.
    pub async fn between(&self, pk: &str, from: &str, to: &str) -> Result<Vec<Item>> {
        let (mut items, mut start) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let call = self.client.query().table_name(&self.name).consistent_read(true);
            let call = call.key_condition_expression("pk = :p AND sk BETWEEN :a AND :b");
            let call = call.expression_attribute_values(":p", text(pk));
            let call = call.expression_attribute_values(":a", text(from));
            let call = call.expression_attribute_values(":b", text(to));
            let answer = call.set_exclusive_start_key(start).send().await.map_err(unavailable)?;
            items.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
        Err(Error::Corrupt("items without an end"))
    }
}

fn sort_keys(items: &[Item]) -> Result<Vec<String>> {
    items.iter().map(|item| Ok(read_text(item, "ix_sk")?.to_owned())).collect()
}

/// Most pages of keys that are held at once.
const MAX_INDEX_PAGES: usize = 50;
/// Most pages of a read: a bound on the loop, far above what a partition here holds.
const MAX_PAGES: usize = 10_000;

/// The code of a failed call; never its message, which may carry values.
pub fn unavailable<E, R>(error: SdkError<E, R>) -> Error
where
    E: aws_sdk_dynamodb::error::ProvideErrorMetadata + Debug,
    R: Debug,
{
    // What the table refuses for good is no hiccup that a repeat mends.
    let refused = ["AccessDeniedException", "ResourceNotFoundException", "ValidationException"];
    let code = error.as_service_error().and_then(|service| service.code());
    if code.is_some_and(|code| refused.contains(&code)) {
        return Error::Corrupt("the table does not take the call");
    }
    let kind = match error.as_service_error().and_then(|service| service.code()) {
        Some(code) => code.to_owned(),
        None if matches!(error, SdkError::TimeoutError(_)) => "timeout".to_owned(),
        None if matches!(error, SdkError::DispatchFailure(_)) => "not sent".to_owned(),
        None => "no usable reply".to_owned(),
    };
    Error::Unavailable(kind)
}

/// A text attribute.
pub fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// A number attribute.
pub fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A binary attribute.
pub fn binary(value: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// The key as attributes.
pub fn attributes(key: ItemKey) -> Item {
    [("pk".to_owned(), AttributeValue::S(key.pk)), ("sk".to_owned(), AttributeValue::S(key.sk))]
        .into()
}

/// An item with this key and further attributes.
pub fn item<const N: usize>(key: ItemKey, more: [(&str, AttributeValue); N]) -> Item {
    let mut item = attributes(key);
    item.extend(more.map(|(name, value)| (name.to_owned(), value)));
    item
}

/// Reads a text attribute.
pub fn read_text<'a>(item: &'a Item, name: &str) -> Result<&'a str> {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.map(String::as_str).ok_or(Error::Corrupt("missing text attribute"))
}

/// Reads a number attribute.
pub fn read_number(item: &Item, name: &str) -> Result<u64> {
    let value = item.get(name).and_then(|value| value.as_n().ok());
    value.and_then(|text| text.parse().ok()).ok_or(Error::Corrupt("missing number attribute"))
}

/// Reads a binary attribute.
pub fn read_binary<'a>(item: &'a Item, name: &str) -> Result<&'a [u8]> {
    let value = item.get(name).and_then(|value| value.as_b().ok());
    value.map(|blob| blob.as_ref()).ok_or(Error::Corrupt("missing binary attribute"))
}
