//! Braze: users by their external id; a blank or missing column leaves what the platform knows.

use domain::export::Op;

use super::Column;

/// Of whoever opted in. Never `subscribed`, which Braze gives to whoever said nothing.
const NEW: [Column; 16] = [
    ("external_id", |row| &row.external_id),
    ("email", |row| &row.email),
    ("first_name", |row| &row.first_name),
    ("last_name", |row| &row.last_name),
    ("email_subscribe", |_| "opted_in"),
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

/// Without a subscription state: what the platform has of it stays.
const KNOWN: [Column; 15] = [
    ("external_id", |row| &row.external_id),
    ("email", |row| &row.email),
    ("first_name", |row| &row.first_name),
    ("last_name", |row| &row.last_name),
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

/// Users to take off the segment: an import of ids alone changes no user.
const LEFT: [Column; 1] = [("external_id", |row| &row.external_id)];

/// Unsubscribed, by id and address.
const OPTED_OUT: [Column; 3] = [
    ("external_id", |row| &row.external_id),
    ("email", |row| &row.email),
    ("email_subscribe", |_| "unsubscribed"),
];

/// The columns by what is told.
pub fn layout(op: Op) -> &'static [Column] {
    match op {
        Op::Add => &NEW,
        Op::Change => &KNOWN,
        Op::Remove => &LEFT,
        Op::Suppress => &OPTED_OUT,
    }
}
