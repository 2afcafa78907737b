//! Optimizely Campaign: recipients are imported with a mapping that is set up once, so the header is
//! frozen; whoever opted out goes to the unsubscriber import, which only ever adds to that list.

use domain::export::Op;

use super::Column;

/// Recipient import. It leaves the unsubscribe list alone, and mailings honour that list.
const RECIPIENTS: [Column; 15] = [
    ("Recipient", |row| &row.email),
    ("external_id", |row| &row.external_id),
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

/// Unsubscriber import, and the clean-up of those who left: the recipient id alone, the address.
const UNSUBSCRIBERS: [Column; 1] = [("Recipient", |row| &row.email)];

/// One header for all imports of recipients, one for whoever is taken off.
pub fn layout(op: Op) -> &'static [Column] {
    match op {
        Op::Add | Op::Change => &RECIPIENTS,
        Op::Remove | Op::Suppress => &UNSUBSCRIBERS,
    }
}
