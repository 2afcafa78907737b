//! Mailchimp: contacts by their address. An upload to an audience passes by whoever unsubscribed
//! there or was cleaned; suppressions are uploaded as unsubscribed. Nobody is told as cleaned: which
//! addresses bounce, the platform knows itself.

use domain::export::Op;

use super::Column;

/// Of whoever opted in.
const NEW: [Column; 16] = [
    ("Email Address", |row| &row.email),
    ("First Name", |row| &row.first_name),
    ("Last Name", |row| &row.last_name),
    ("Status", |_| "subscribed"),
    ("external_id", |row| &row.external_id),
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

/// Without a status: what the audience has of it stays.
const KNOWN: [Column; 15] = [
    ("Email Address", |row| &row.email),
    ("First Name", |row| &row.first_name),
    ("Last Name", |row| &row.last_name),
    ("external_id", |row| &row.external_id),
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

/// Contacts to take out of the segment.
const LEFT: [Column; 1] = [("Email Address", |row| &row.email)];

/// Unsubscribed.
const OPTED_OUT: [Column; 2] =
    [("Email Address", |row| &row.email), ("Status", |_| "unsubscribed")];

/// The columns by what is told.
pub fn layout(op: Op) -> &'static [Column] {
    match op {
        Op::Add => &NEW,
        Op::Change => &KNOWN,
        Op::Remove => &LEFT,
        Op::Suppress => &OPTED_OUT,
    }
}
