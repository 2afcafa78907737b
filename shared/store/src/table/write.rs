//! Writes of the table: one item or several together, with their refusals told apart from
//! failures.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use super::{Item, Table, attributes, number, unavailable};
use crate::error::{Error, Result};
use crate::key::ItemKey;

/// What a write demands of the item that is there.
#[derive(Clone, Debug)]
pub enum Demand {
    /// There is none.
    Absent,
    /// There is one.
    Present,
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
    /// Removes an item; none there is as well.
    Delete {
        key: ItemKey,
    },
    /// Adds to numbers of an item, which need not be there, and sets other attributes of it.
    Add {
        key: ItemKey,
        sums: Vec<Sum>,
        sets: Vec<(&'static str, AttributeValue)>,
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

    fn update(
        &self,
        key: ItemKey,
        sums: &[Sum],
        sets: Vec<(&str, AttributeValue)>,
    ) -> std::result::Result<Update, BuildError> {
        let set: Vec<String> = (0..sets.len()).map(|at| format!("#s{at} = :s{at}")).collect();
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
            .update_expression(format!("SET {} ADD {}", set.join(", "), add.join(", ")));
        for (at, (name, value)) in sets.into_iter().enumerate() {
            update = update
                .expression_attribute_names(format!("#s{at}"), name)
                .expression_attribute_values(format!(":s{at}"), value);
        }
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
            Write::Delete { key } => item.delete(
                Delete::builder()
                    .table_name(&self.name)
                    .set_key(Some(attributes(key)))
                    .build()
                    .map_err(bad)?,
            ),
            Write::Add { key, sums, sets } => {
                item.update(self.update(key, &sums, sets).map_err(bad)?)
            }
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

impl Demand {
    fn expression(&self) -> &'static str {
        match self {
            Demand::Absent => "attribute_not_exists(pk)",
            Demand::Present => "attribute_exists(pk)",
            Demand::Number(..) => "#n = :n",
        }
    }

    fn names(&self) -> Option<HashMap<String, String>> {
        match self {
            Demand::Absent | Demand::Present => None,
            Demand::Number(name, _) => Some([("#n".to_owned(), (*name).to_owned())].into()),
        }
    }

    fn values(&self) -> Option<Item> {
        match self {
            Demand::Absent | Demand::Present => None,
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

fn reason_code(reason: &CancellationReason) -> Option<&str> {
    reason.code()
}
