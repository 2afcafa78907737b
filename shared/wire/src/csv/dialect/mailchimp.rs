//! Mailchimp: contacts by their address. An upload to an audience passes by whoever unsubscribed
//! there or was cleaned; suppressions are uploaded as unsubscribed. Nobody is told as cleaned: which
//! addresses bounce, the platform knows itself.

use domain::export::Op;

use super::{Column, Layout, PROPERTIES};

/// Of whoever opted in.
const NEW: [Column; 5] = [
    ("Email Address", |row| &row.email),
    ("First Name", |row| &row.first_name),
    ("Last Name", |row| &row.last_name),
    ("Status", |_| "subscribed"),
    ("external_id", |row| &row.external_id),
];

/// Without a status: what the audience has of it stays.
const KNOWN: [Column; 4] = [
    ("Email Address", |row| &row.email),
    ("First Name", |row| &row.first_name),
    ("Last Name", |row| &row.last_name),
    ("external_id", |row| &row.external_id),
];

/// Contacts to take out of the segment.
const LEFT: [Column; 1] = [("Email Address", |row| &row.email)];

/// Unsubscribed.
const OPTED_OUT: [Column; 2] =
    [("Email Address", |row| &row.email), ("Status", |_| "unsubscribed")];

/// The columns by what is told.
pub fn layout(op: Op) -> Layout {
    match op {
        Op::Add => [&NEW, &PROPERTIES],
        Op::Change => [&KNOWN, &PROPERTIES],
        Op::Remove => [&LEFT, &[]],
        Op::Suppress => [&OPTED_OUT, &[]],
    }
}
