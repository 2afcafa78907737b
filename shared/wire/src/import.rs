//! Files of participants: profile, consents, aliases and opening balances as rows of CSV.
//!
//! A row is turned into the JSON that would be sent for it alone, so that both are held to the
//! same rules and told what is wrong in the same words. No message repeats what was sent.

use domain::id::ParticipantId;
use domain::programme::Programme;
use domain::time::Instant;
use serde_json::{Map, Value, json};

use crate::adjust::{AdjustRow, parse_row};
use crate::fault::{BodyFault, MAX_VIOLATIONS, Violation, code};
use crate::participant::{ParticipantUpdate, read_update};
use crate::read::read;

/// Most rows of a file.
pub const MAX_ROWS: usize = 1_000;
/// What stands between several values of one cell.
const AND: char = '|';

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRow {
    pub participant: ParticipantId,
    /// What is empty in the row is left as it is.
    pub update: ParticipantUpdate,
    /// A points movement, where the row has an amount.
    pub opening: Option<Result<AdjustRow, BodyFault>>,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Column {
    Participant,
    /// A field of the profile.
    Text(&'static str),
    Tags,
    Flag(String),
    /// Whether there is an opt-in for this channel.
    Consent(String),
    /// What all consents of the row have: time, source, process.
    ConsentField(&'static str),
    Alias(String),
    /// A field of the points movement.
    Opening(&'static str),
}

const TEXTS: [&str; 10] = [
    "first_name",
    "last_name",
    "email",
    "phone",
    "locale",
    "time_zone",
    "birthday",
    "name_day",
    "area",
    "payout_reference",
];
const OPENING: [&str; 5] = ["balance", "amount", "reference", "reason", "expires"];
const CONSENT: [(&str, &str); 3] =
    [("consent_at", "at"), ("consent_source", "source"), ("consent_process", "process")];

fn column(name: &str) -> Option<Column> {
    let of = |names: &[&'static str]| names.iter().find(|known| **known == name).copied();
    if let Some((kind, own)) = name.split_once(':') {
        let own = own.to_owned();
        return match kind {
            "flag" => Some(Column::Flag(own)),
            "consent" => Some(Column::Consent(own)),
            "alias" => Some(Column::Alias(own)),
            _ => None,
        };
    }
    let consent = CONSENT.iter().find(|(known, _)| *known == name);
    match name {
        "participant_id" => Some(Column::Participant),
        "tags" => Some(Column::Tags),
        _ => of(&TEXTS)
            .map(Column::Text)
            .or(of(&OPENING).map(Column::Opening))
            .or(consent.map(|(_, field)| Column::ConsentField(field))),
    }
}

fn fault(pointer: String, code: &'static str, message: &str) -> Violation {
    Violation { pointer, code, message: message.to_owned() }
}

/// Parses a file in UTF-8 with a header and 1 to 1,000 rows, each as the JSON that it stands for;
/// a row that is none stops no other.
///
/// # Errors
/// [`BodyFault::Invalid`] where header or length are at fault.
pub fn parse_import(bytes: &[u8]) -> Result<Vec<Result<Value, BodyFault>>, BodyFault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(bytes);
    let mut records = reader.records();
    let header = records.next().and_then(Result::ok);
    let columns = columns(header.as_ref())?;
    let rows = records.map(|record| match record {
        Ok(record) if record.len() == columns.len() => row(&columns, &record),
        Ok(_) => Err(invalid(fault(String::new(), code::LENGTH, "has not one cell a column"))),
        Err(_) => Err(invalid(fault(String::new(), code::PATTERN, "is no row of CSV in UTF-8"))),
    });
    let rows: Vec<_> = rows.take(MAX_ROWS + 1).collect();
    if !(1..=MAX_ROWS).contains(&rows.len()) {
        let message = format!("must have 1 to {MAX_ROWS} rows below its header");
        return Err(invalid(fault(String::new(), code::LENGTH, &message)));
    }
    Ok(rows)
}

fn invalid(violation: Violation) -> BodyFault {
    BodyFault::Invalid(vec![violation])
}

fn columns(header: Option<&csv::StringRecord>) -> Result<Vec<Column>, BodyFault> {
    let (mut columns, mut faults) = (Vec::new(), Vec::new());
    for (at, name) in header.into_iter().flatten().enumerate() {
        let pointer = format!("/columns/{at}");
        match column(name) {
            Some(column) if columns.contains(&column) => {
                faults.push(fault(pointer, code::DUPLICATE, "is a column that occurs before"));
            }
            Some(column) => columns.push(column),
            None => faults.push(fault(pointer, code::UNKNOWN_FIELD, "is no column of such a file")),
        }
    }
    if !columns.contains(&Column::Participant) {
        let message = "must have the column participant_id";
        faults.push(fault("/columns".to_owned(), code::REQUIRED, message));
    }
    faults.truncate(MAX_VIOLATIONS);
    if faults.is_empty() { Ok(columns) } else { Err(BodyFault::Invalid(faults)) }
}

/// A row as JSON; an empty cell says nothing.
fn row(columns: &[Column], record: &csv::StringRecord) -> Result<Value, BodyFault> {
    let (mut profile, mut flags, mut opening) = (Map::new(), Map::new(), Map::new());
    let (mut participant, mut consent) = (Value::Null, Map::new());
    let (mut channels, mut aliases) = (Vec::new(), Vec::new());
    let cells = columns.iter().zip(record).filter(|(_, cell)| !cell.is_empty());
    for (column, cell) in cells {
        let text = Value::from(cell);
        match column {
            Column::Participant => participant = text,
            Column::Text(name) => drop(profile.insert((*name).to_owned(), text)),
            Column::Tags => {
                let tags: Vec<&str> = cell.split(AND).collect();
                profile.insert("tags".to_owned(), json!(tags));
            }
            Column::Flag(name) => drop(flags.insert(name.clone(), yes_or_no(cell))),
            Column::Consent(channel) => channels.push((channel, yes_or_no(cell))),
            Column::ConsentField(name) => drop(consent.insert((*name).to_owned(), text)),
            Column::Alias(kind) => {
                let values = cell.split(AND);
                aliases.extend(values.map(|value| json!({ "kind": kind, "value": value })));
            }
            Column::Opening(name) => drop(opening.insert((*name).to_owned(), text)),
        }
    }
    let consents = channels.into_iter().map(|(channel, granted)| {
        let mut fields = consent.clone();
        fields.insert("channel".to_owned(), Value::from(channel.as_str()));
        fields.insert("granted".to_owned(), granted);
        Value::Object(fields)
    });
    let consents: Vec<Value> = consents.collect();
    if !flags.is_empty() {
        profile.insert("flags".to_owned(), Value::Object(flags));
    }
    if !opening.is_empty() {
        opening.insert("participant_id".to_owned(), participant.clone());
    }
    let update = json!({ "profile": profile, "consents": consents, "aliases": aliases });
    Ok(json!({ "participant_id": participant, "update": update, "opening": opening }))
}

/// What is neither is left as it is, and told by whoever reads it.
fn yes_or_no(cell: &str) -> Value {
    cell.parse::<bool>().map_or_else(|_| Value::from(cell), Value::from)
}

/// The points movement of a row, as it would be sent alone; none where it has none.
pub fn sent_opening(row: &Value) -> Option<&Value> {
    row.get("opening").filter(|opening| opening.as_object().is_some_and(|row| !row.is_empty()))
}

/// Parses one row. Its points movement is parsed apart: it may have been booked before.
///
/// # Errors
/// [`BodyFault::Invalid`] with everything that is wrong with the participant; pointers are those of
/// the JSON bodies.
pub fn parse_import_row(
    row: &Value,
    programme: &Programme,
    now: Instant,
) -> Result<ImportRow, BodyFault> {
    read(row, |node| {
        let fields = node.object(&["participant_id", "update", "opening"])?;
        let participant = fields.required("participant_id");
        let participant = participant.and_then(|id| id.parsed(ParticipantId::parse));
        let update = fields.required("update").and_then(|update| read_update(&update, now));
        let opening = sent_opening(row).map(|opening| parse_row(opening, programme));
        Some(ImportRow { participant: participant?, update: update?, opening })
    })
}
