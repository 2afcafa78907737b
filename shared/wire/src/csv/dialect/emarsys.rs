//! Emarsys: contacts with the opt-in of field 31, of which 1 is yes and 2 is no.

use domain::export::Op;

use super::{Column, Layout, PROPERTIES};

/// Of whoever opted in.
const NEW: [Column; 5] = [
    ("external_id", |row| &row.external_id),
    ("Email", |row| &row.email),
    ("First Name", |row| &row.first_name),
    ("Last Name", |row| &row.last_name),
    ("Opt-In", |_| "1"),
];

/// Without field 31: what the platform has of it stays.
const KNOWN: [Column; 4] = [
    ("external_id", |row| &row.external_id),
    ("Email", |row| &row.email),
    ("First Name", |row| &row.first_name),
    ("Last Name", |row| &row.last_name),
];

/// Contacts to take off the list of the segment.
const LEFT: [Column; 2] = [("external_id", |row| &row.external_id), ("Email", |row| &row.email)];

/// Field 31 says no.
const OPTED_OUT: [Column; 3] =
    [("external_id", |row| &row.external_id), ("Email", |row| &row.email), ("Opt-In", |_| "2")];

/// The columns by what is told.
pub fn layout(op: Op) -> Layout {
    match op {
        Op::Add => [&NEW, &PROPERTIES],
        Op::Change => [&KNOWN, &PROPERTIES],
        Op::Remove => [&LEFT, &[]],
        Op::Suppress => [&OPTED_OUT, &[]],
    }
}
