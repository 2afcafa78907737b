//! Which permissions a table call needs, by what its body asks for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::template::{ACCOUNT, REGION};

/// As much of a table call's body as permissions depend on.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Asked<'a> {
    #[serde(borrow)]
    table_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    index_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub return_consumed_capacity: Option<Cow<'a, str>>,
    #[serde(borrow)]
    request_items: BTreeMap<Cow<'a, str>, IgnoredAny>,
    #[serde(borrow)]
    transact_items: Vec<Step<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Step<'a> {
    #[serde(borrow)]
    condition_check: Option<On<'a>>,
    #[serde(borrow)]
    delete: Option<On<'a>>,
    #[serde(borrow)]
    get: Option<On<'a>>,
    #[serde(borrow)]
    put: Option<On<'a>>,
    #[serde(borrow)]
    update: Option<On<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct On<'a> {
    #[serde(borrow)]
    table_name: Cow<'a, str>,
}

impl Asked<'_> {
    /// The permissions, each with the resource that it is needed on.
    pub fn needs(&self, action: &str) -> Vec<(&'static str, String)> {
        let named = self.table_name.as_deref().unwrap_or_default();
        let table = || table_arn(named);
        let place = || match self.index_name.as_deref() {
            Some(index) => format!("{}/index/{index}", table()),
            None => table(),
        };
        match action {
            "BatchGetItem" => self.every_table("dynamodb:BatchGetItem"),
            "BatchWriteItem" => self.every_table("dynamodb:BatchWriteItem"),
            "DeleteItem" => vec![("dynamodb:DeleteItem", table())],
            "DescribeTable" => vec![("dynamodb:DescribeTable", table())],
            "GetItem" => vec![("dynamodb:GetItem", table())],
            "PutItem" => vec![("dynamodb:PutItem", table())],
            "Query" => vec![("dynamodb:Query", place())],
            "Scan" => vec![("dynamodb:Scan", place())],
            "TransactGetItems" | "TransactWriteItems" => self.every_step(),
            "UpdateItem" => vec![("dynamodb:UpdateItem", table())],
            // Nothing can grant this name, so only the operator gets through.
            _ => vec![("dynamodb:(other)", table())],
        }
    }

    fn every_table(&self, permission: &'static str) -> Vec<(&'static str, String)> {
        self.request_items.keys().map(|table| (permission, table_arn(table))).collect()
    }

    fn every_step(&self) -> Vec<(&'static str, String)> {
        let steps = self.transact_items.iter().flat_map(|step| {
            [
                ("dynamodb:ConditionCheckItem", &step.condition_check),
                ("dynamodb:DeleteItem", &step.delete),
                ("dynamodb:GetItem", &step.get),
                ("dynamodb:PutItem", &step.put),
                ("dynamodb:UpdateItem", &step.update),
            ]
        });
        let needed = steps.filter_map(|(permission, on)| {
            on.as_ref().map(|on| (permission, table_arn(&on.table_name)))
        });
        needed.collect()
    }
}

fn table_arn(table: &str) -> String {
    match table.starts_with("arn:") {
        true => table.to_owned(),
        false => format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_and_index_is_a_permission_of_its_own() {
        let needs = |action, body| serde_json::from_str::<Asked<'_>>(body).unwrap().needs(action);
        let table = "arn:aws:dynamodb:eu-central-1:000000000000:table/T";
        assert_eq!(
            needs("Query", r#"{"TableName": "T", "IndexName": "i", "Limit": 4}"#),
            [("dynamodb:Query", format!("{table}/index/i"))]
        );
        assert_eq!(
            needs(
                "TransactWriteItems",
                r#"{"TransactItems": [{"Put": {"TableName": "T", "Item": {}}},
                    {"ConditionCheck": {"TableName": "T"}}]}"#
            ),
            [
                ("dynamodb:PutItem", table.to_owned()),
                ("dynamodb:ConditionCheckItem", table.to_owned())
            ]
        );
        assert_eq!(
            needs("BatchGetItem", r#"{"RequestItems": {"T": {"Keys": []}}}"#),
            [("dynamodb:BatchGetItem", table.to_owned())]
        );
    }
}
