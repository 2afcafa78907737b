//! Klaviyo: profiles without any consent column, for which the first column is the address; files
//! that add are uploaded to a list as opted in, suppressions to the suppressed profiles.

use domain::export::Op;

use super::Column;

/// Properties alone: an import of them changes nobody's consent.
const PROFILES: [Column; 15] = [
    ("Email", |row| &row.email),
    ("external_id", |row| &row.external_id),
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

/// The address alone.
const ADDRESSES: [Column; 1] = [("Email", |row| &row.email)];

/// Profiles, or whom to take off.
pub fn layout(op: Op) -> &'static [Column] {
    match op {
        Op::Add | Op::Change => &PROFILES,
        Op::Remove | Op::Suppress => &ADDRESSES,
    }
}
