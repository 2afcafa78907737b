//! Braze: users by their external id; a blank or missing column leaves what the platform knows.

use domain::export::Op;

use super::{Column, Layout, PROPERTIES};

/// Of whoever opted in. Never `subscribed`, which Braze gives to whoever said nothing.
const NEW: [Column; 5] = [
    ("external_id", |row| &row.external_id),
    ("email", |row| &row.email),
    ("first_name", |row| &row.first_name),
    ("last_name", |row| &row.last_name),
    ("email_subscribe", |_| "opted_in"),
];

/// Without a subscription state: what the platform has of it stays.
const KNOWN: [Column; 4] = [
    ("external_id", |row| &row.external_id),
    ("email", |row| &row.email),
    ("first_name", |row| &row.first_name),
    ("last_name", |row| &row.last_name),
];

/// Users to take off the segment: an import of ids alone changes no user.
const LEFT: [Column; 1] = [("external_id", |row| &row.external_id)];

/// Unsubscribed, by id and address.
const OPTED_OUT: [Column; 3] = [
    ("external_id", |row| &row.external_id),
    ("email", |row| &row.email),
    ("email_subscribe", |_| "unsubscribed"),
];

/// The columns by what is told.
pub fn layout(op: Op) -> Layout {
    match op {
        Op::Add => [&NEW, &PROPERTIES],
        Op::Change => [&KNOWN, &PROPERTIES],
        Op::Remove => [&LEFT, &[]],
        Op::Suppress => [&OPTED_OUT, &[]],
    }
}
