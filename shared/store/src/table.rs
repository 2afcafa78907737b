//! The table as this code uses it: a few calls, with their refusals told apart from failures.

use std::collections::HashMap;
use std::fmt::Debug;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, KeysAndAttributes, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};

use crate::error::{Error, Result};
use crate::key::{INDEX, ItemKey};

/// An item as the table gives it.
pub type Item = HashMap<String, AttributeValue>;

/// A table and the client that reaches it.
#[derive(Clone, Debug)]
pub struct Table {
    client: Client,
    name: String,
}

/// What a write demands of the item that is there.
#[derive(Clone, Debug)]
pub enum Demand {
    /// There is none.
    Absent,
    /// There is one with this value of a number attribute.
    Number(&'static str, u64),
}

/// One part of a write.
#[derive(Clone, Debug)]
pub enum Write {
    Put {
        item: Item,
        demand: Demand,
    },
    /// Changes nothing: what was decided rests on this item.
    Check {
        key: ItemKey,
        demand: Demand,
    },
    /// Adds to numbers of an item, which need not be there.
    Add {
        key: ItemKey,
        sums: Vec<Sum>,
    },
}

/// What is added to one number attribute.
#[derive(Clone, Debug)]
pub struct Sum {
    pub name: &'static str,
    pub by: i64,
    /// What it must not exceed afterwards.
    pub most: Option<i64>,
}

/// How a write ended.
#[derive(Debug)]
pub enum Written {
    Done,
    /// A demand was not met: for each part, whether it was this one, and the item that is there.
    Refused(Vec<Unmet>),
    /// Another transaction was in the way; nothing is known of the items.
    Conflict,
}

/// Why one part of a write was refused.
#[derive(Debug, Default)]
pub struct Unmet {
    /// Whether this part's demand failed.
    pub failed: bool,
    /// The item that is there, if there is one.
    pub item: Option<Item>,
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

    /// Reads up to 100 items, eventually consistent, in no particular order.
    pub async fn get_many(&self, keys: Vec<ItemKey>) -> Result<Vec<Item>> {
        let mut open: Vec<Item> = keys.into_iter().map(attributes).collect();
        let mut items = Vec::new();
        for _ in 0..MAX_PAGES {
            if open.is_empty() {
                return Ok(items);
            }
            let keys = KeysAndAttributes::builder().set_keys(Some(open)).build();
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

    /// Sort keys of an index partition after `after`, ascending, that begin with `prefix`.
    pub async fn index(
        &self,
        partition: &str,
        prefix: &str,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Vec<String>> {
        let call = self.client.query().table_name(&self.name).index_name(INDEX).limit(limit);
        let call = call.expression_attribute_values(":p", text(partition));
        let call = match (after, prefix) {
            (Some(after), "") => call
                .key_condition_expression("ix_pk = :p AND ix_sk > :a")
                .expression_attribute_values(":a", text(after)),
            (None, "") => call.key_condition_expression("ix_pk = :p"),
            (after, prefix) => call
                .key_condition_expression("ix_pk = :p AND ix_sk BETWEEN :a AND :z")
                .expression_attribute_values(":a", text(after.unwrap_or(prefix)))
                .expression_attribute_values(":z", text(&format!("{prefix}\u{7f}"))),
        };
        let items = call.send().await.map_err(unavailable)?.items.unwrap_or_default();
        items.iter().map(|item| Ok(read_text(item, "ix_sk")?.to_owned())).collect()
    }

    /// Carries out all parts or none. One part alone is a plain write; several are a transaction.
    pub async fn write(&self, mut parts: Vec<Write>) -> Result<Written> {
        if let [Write::Put { item, demand }] = parts.as_mut_slice() {
            return self.put(std::mem::take(item), demand).await;
        }
        let parts = parts.into_iter().map(|part| self.transact_item(part));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let call = self.client.transact_write_items().set_transact_items(Some(parts));
        match call.send().await {
            Ok(_) => Ok(Written::Done),
            Err(error) => refused_transaction(error),
        }
    }

    /// Puts one item; answers whether it is there. Word for word the same item counts as put: an
    /// earlier try of this very call may have got through and lost its reply.
    pub async fn put_once(&self, item: Item, demand: Demand) -> Result<bool> {
        match self.put(item.clone(), &demand).await? {
            Written::Done => Ok(true),
            Written::Refused(unmet) => Ok(unmet.iter().any(|u| u.item.as_ref() == Some(&item))),
            Written::Conflict => Err(Error::Contended),
        }
    }

    async fn put(&self, item: Item, demand: &Demand) -> Result<Written> {
        let call = self.client.put_item().table_name(&self.name).set_item(Some(item));
        let call = call
            .condition_expression(demand.expression())
            .set_expression_attribute_names(demand.names())
            .set_expression_attribute_values(demand.values())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = call.send().await else { return Ok(Written::Done) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let item = failed.item.clone();
                Ok(Written::Refused(vec![Unmet { failed: true, item }]))
            }
            Some(PutItemError::TransactionConflictException(_)) => Ok(Written::Conflict),
            Some(_) | None => Err(unavailable(error)),
        }
    }

    fn update(&self, key: ItemKey, sums: &[Sum]) -> std::result::Result<Update, BuildError> {
        let add = sums.iter().enumerate().map(|(at, _)| format!("#a{at} :a{at}"));
        let add: Vec<String> = add.collect();
        let limited = sums.iter().enumerate().filter(|(_, sum)| sum.most.is_some());
        let limited =
            limited.map(|(at, _)| format!("(attribute_not_exists(#a{at}) OR #a{at} <= :m{at})"));
        let condition = limited.collect::<Vec<String>>().join(" AND ");
        let signed = |value: i64| AttributeValue::N(value.to_string());
        let mut update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(attributes(key)))
            .update_expression(format!("ADD {}", add.join(", ")));
        if !condition.is_empty() {
            update = update.condition_expression(condition);
        }
        for (at, sum) in sums.iter().enumerate() {
            update = update
                .expression_attribute_names(format!("#a{at}"), sum.name)
                .expression_attribute_values(format!(":a{at}"), signed(sum.by));
            if let Some(most) = sum.most {
                update =
                    update.expression_attribute_values(format!(":m{at}"), signed(most - sum.by));
            }
        }
        update.build()
    }

    fn transact_item(&self, part: Write) -> Result<TransactWriteItem> {
        let bad = |_| Error::Corrupt("incomplete write");
        let all_old = ReturnValuesOnConditionCheckFailure::AllOld;
        let item = TransactWriteItem::builder();
        Ok(match part {
            Write::Put { item: put, demand } => item.put(
                Put::builder()
                    .table_name(&self.name)
                    .set_item(Some(put))
                    .condition_expression(demand.expression())
                    .set_expression_attribute_names(demand.names())
                    .set_expression_attribute_values(demand.values())
                    .return_values_on_condition_check_failure(all_old)
                    .build()
                    .map_err(bad)?,
            ),
            Write::Add { key, sums } => item.update(self.update(key, &sums).map_err(bad)?),
            Write::Check { key, demand } => item.condition_check(
                ConditionCheck::builder()
                    .table_name(&self.name)
                    .set_key(Some(attributes(key)))
                    .condition_expression(demand.expression())
                    .set_expression_attribute_names(demand.names())
                    .set_expression_attribute_values(demand.values())
                    .return_values_on_condition_check_failure(all_old)
                    .build()
                    .map_err(bad)?,
            ),
        }
        .build())
    }
}

/// Most pages of a read: a bound on the loop, far above what a partition here holds.
const MAX_PAGES: usize = 10_000;

impl Demand {
    fn expression(&self) -> &'static str {
        match self {
            Demand::Absent => "attribute_not_exists(pk)",
            Demand::Number(..) => "#n = :n",
        }
    }

    fn names(&self) -> Option<HashMap<String, String>> {
        match self {
            Demand::Absent => None,
            Demand::Number(name, _) => Some([("#n".to_owned(), (*name).to_owned())].into()),
        }
    }

    fn values(&self) -> Option<Item> {
        match self {
            Demand::Absent => None,
            Demand::Number(_, value) => Some([(":n".to_owned(), number(*value))].into()),
        }
    }
}

fn refused_transaction(error: SdkError<TransactWriteItemsError>) -> Result<Written> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            let reasons = cancelled.cancellation_reasons();
            let code = |code| move |reason: &&_| reason_code(reason) == Some(code);
            if !reasons.iter().any(|reason| code("ConditionalCheckFailed")(&reason)) {
                let busy =
                    ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
                let known =
                    reasons.iter().any(|r| reason_code(r).is_some_and(|c| busy.contains(&c)));
                return if known { Ok(Written::Conflict) } else { Err(unavailable(error)) };
            }
            let unmet = reasons.iter().map(|reason| Unmet {
                failed: reason_code(reason) == Some("ConditionalCheckFailed"),
                item: reason.item.clone().filter(|item| !item.is_empty()),
            });
            Ok(Written::Refused(unmet.collect()))
        }
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => Ok(Written::Conflict),
        Some(_) | None => Err(unavailable(error)),
    }
}

fn reason_code(reason: &aws_sdk_dynamodb::types::CancellationReason) -> Option<&str> {
    reason.code()
}

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
