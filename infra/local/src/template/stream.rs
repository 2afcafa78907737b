//! Stream mappings of the template: which changes of a table go to a function, and how.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

/// A stream mapping as the template writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct StreamEvent {
    stream: String,
    #[serde(rename = "StartingPosition")]
    _starting_position: Start,
    #[serde(default = "default_batch")]
    batch_size: usize,
    #[serde(default)]
    bisect_batch_on_function_error: bool,
    #[serde(default)]
    function_response_types: Vec<String>,
    maximum_retry_attempts: u32,
    destination_config: Destinations,
    filter_criteria: Option<FilterCriteria>,
}

/// Where a mapping begins that has not read yet: with the oldest change there is.
#[derive(Clone, Copy, Debug, Deserialize)]
enum Start {
    #[serde(rename = "TRIM_HORIZON")]
    Oldest,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Destinations {
    on_failure: Destination,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Destination {
    #[serde(rename = "Type")]
    kind: String,
    destination: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct FilterCriteria {
    filters: Vec<Filter>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Filter {
    pattern: String,
}

fn default_batch() -> usize {
    100
}

/// A stream mapping.
#[derive(Clone, Debug)]
pub struct StreamPlan {
    pub id: String,
    pub stream_arn: String,
    pub batch: usize,
    pub bisect: bool,
    pub partial: bool,
    /// Tries after the first, before a batch is given up.
    pub retries: u32,
    /// The queue that is told what was given up.
    pub given_up_arn: String,
    /// A record goes to the function if it is like one of these; if there is none, always.
    patterns: Vec<Value>,
    pub function: String,
}

impl StreamEvent {
    /// What it asks for, where all of it is known.
    pub fn plan(self, path: &str, id: String, function: String) -> Result<StreamPlan> {
        let partial = match self.function_response_types.as_slice() {
            [] => false,
            [only] if only == "ReportBatchItemFailures" => true,
            other => bail!("{path}.FunctionResponseTypes: {other:?} is not known"),
        };
        let Destination { kind, destination } = self.destination_config.on_failure;
        if kind != "SQS" {
            bail!("{path}.DestinationConfig: the local stack does not know the type {kind}");
        }
        let mut patterns = Vec::new();
        for filter in self.filter_criteria.into_iter().flat_map(|criteria| criteria.filters) {
            let pattern = serde_json::from_str(&filter.pattern);
            let pattern: Value = pattern.with_context(|| format!("{path}.FilterCriteria"))?;
            check(path, &pattern)?;
            patterns.push(pattern);
        }
        Ok(StreamPlan {
            id,
            stream_arn: self.stream,
            batch: self.batch_size.clamp(1, 1000),
            bisect: self.bisect_batch_on_function_error,
            partial,
            retries: self.maximum_retry_attempts,
            given_up_arn: destination,
            patterns,
            function,
        })
    }
}

impl StreamPlan {
    /// Whether a record goes to the function.
    pub fn wants(&self, record: &Value) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| is_like(record, pattern))
    }
}

/// Refuses a pattern that is not only objects with lists of texts and prefixes.
fn check(path: &str, pattern: &Value) -> Result<()> {
    let is_known = |one: &Value| one.is_string() || one["prefix"].is_string();
    if let Value::Object(fields) = pattern {
        return fields.values().try_for_each(|field| check(path, field));
    }
    match pattern.as_array() {
        Some(list) if list.iter().all(is_known) => Ok(()),
        Some(_) | None => bail!("{path}.FilterCriteria: the local stack does not know {pattern}"),
    }
}

fn is_like(value: &Value, pattern: &Value) -> bool {
    match pattern {
        Value::Object(fields) => {
            fields.iter().all(|(name, pattern)| is_like(&value[name.as_str()], pattern))
        }
        Value::Array(list) => list.iter().any(|one| match one["prefix"].as_str() {
            Some(prefix) => value.as_str().is_some_and(|text| text.starts_with(prefix)),
            None => value == one,
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pattern_asks_for_texts_and_prefixes_and_all_of_its_fields() {
        let pattern = json!({"name": ["A", "B"], "keys": {"k": {"S": [{"prefix": "P#"}]}}});
        check("here", &pattern).unwrap();
        let record = |name: &str, key: &str| json!({"name": name, "keys": {"k": {"S": key}}});
        assert!(is_like(&record("A", "P#1"), &pattern));
        assert!(!is_like(&record("C", "P#1"), &pattern));
        assert!(!is_like(&record("B", "Q#1"), &pattern));
        assert!(!is_like(&json!({"name": "A"}), &pattern));
        assert!(check("here", &json!({"a": [{"exists": true}]})).is_err());
    }
}
