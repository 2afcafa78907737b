//! Emarsys: contacts with the opt-in of field 31, of which 1 is yes and 2 is no.

use domain::export::Op;

use super::Column;

/// Of whoever opted in.
const NEW: [Column; 16] = [
    ("external_id", |row| &row.external_id),
    ("Email", |row| &row.email),
    ("First Name", |row| &row.first_name),
    ("Last Name", |row| &row.last_name),
    ("Opt-In", |_| "1"),
    ("optin_source", |row| &row.optin_source),
    ("optin_at", |row| &row.optin_at),
    ("optin_process", |row| &row.optin_process),
    ("locale", |row| &row.locale),
    ("time_zone", |row| &row.time_zone),
    ("segment_id", |row| &row.segment_id),
    ("balance_available", |row| &row.balance_available),
    ("balance_pending", |row| &row.balance_pending),
    ("next_expiry_at", |row| &row.next_expiry_at),
    ("next_expiry_amount", |row| &row.next_expiry_amount),
    ("last_event_at", |row| &row.last_event_at),
];

/// Without field 31: what the platform has of it stays.
const KNOWN: [Column; 15] = [
    ("external_id", |row| &row.external_id),
    ("Email", |row| &row.email),
    ("First Name", |row| &row.first_name),
    ("Last Name", |row| &row.last_name),
    ("optin_source", |row| &row.optin_source),
    ("optin_at", |row| &row.optin_at),
    ("optin_process", |row| &row.optin_process),
    ("locale", |row| &row.locale),
    ("time_zone", |row| &row.time_zone),
    ("segment_id", |row| &row.segment_id),
    ("balance_available", |row| &row.balance_available),
    ("balance_pending", |row| &row.balance_pending),
    ("next_expiry_at", |row| &row.next_expiry_at),
    ("next_expiry_amount", |row| &row.next_expiry_amount),
    ("last_event_at", |row| &row.last_event_at),
];

/// Contacts to take off the list of the segment.
const LEFT: [Column; 2] = [("external_id", |row| &row.external_id), ("Email", |row| &row.email)];

/// Field 31 says no.
const OPTED_OUT: [Column; 3] =
    [("external_id", |row| &row.external_id), ("Email", |row| &row.email), ("Opt-In", |_| "2")];

/// The columns by what is told.
pub fn layout(op: Op) -> &'static [Column] {
    match op {
        Op::Add => &NEW,
        Op::Change => &KNOWN,
        Op::Remove => &LEFT,
        Op::Suppress => &OPTED_OUT,
    }
}
