//! Changes of the table, in order: each is done with, or it and all after it come again.

use std::collections::HashMap;

use domain::time::Instant;
use serde::Deserialize;
use serde_json::Number;
use store::Change;

/// Changes that came together.
#[derive(Debug)]
pub struct Changes {
    /// Those that somebody may want to know of, in the order in which they happened.
    pub changes: Vec<Changed>,
    /// When the last of them happened.
    pub now: Instant,
}

/// One change.
#[derive(Debug)]
pub struct Changed {
    /// Names it within its stream.
    pub id: String,
    pub what: Change,
}

/// As the stream tells them.
#[derive(Deserialize)]
pub(crate) struct StreamEvent {
    #[serde(rename = "Records")]
    records: Vec<StreamRecord>,
}

#[derive(Deserialize)]
struct StreamRecord {
    dynamodb: Item,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    keys: HashMap<String, Text>,
    sequence_number: String,
    approximate_creation_date_time: Option<Number>,
}

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

impl Changes {
    pub(crate) fn of(event: StreamEvent) -> Changes {
        let at = |item: &Item| {
            // Seconds, with or without a fraction.
            let text = item.approximate_creation_date_time.as_ref()?.to_string();
            text.split('.').next()?.parse::<i64>().ok()
        };
        let seconds = event.records.iter().filter_map(|record| at(&record.dynamodb)).max();
        let changes = event.records.into_iter().filter_map(|record| {
            let Item { keys, sequence_number, .. } = record.dynamodb;
            let key = keys.into_iter().map(|(name, text)| (name, text.text)).collect();
            Some(Changed { id: sequence_number, what: Change::of(&key)? })
        });
        let now = Instant(seconds.unwrap_or(0).saturating_mul(1000));
        Changes { changes: changes.collect(), now }
    }
}
