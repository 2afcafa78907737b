//! Optimizely Campaign: recipients are imported with a mapping that is set up once, so the header is
//! frozen; whoever opted out goes to the unsubscriber import, which only ever adds to that list.

use domain::export::Op;

use super::{Column, Layout, PROPERTIES};

/// Recipient import. It leaves the unsubscribe list alone, and mailings honour that list.
const RECIPIENTS: [Column; 4] = [
    ("Recipient", |row| &row.email),
    ("external_id", |row| &row.external_id),
    ("first_name", |row| &row.first_name),
    ("last_name", |row| &row.last_name),
];

/// Unsubscriber import, and the clean-up of those who left: the recipient id alone, the address.
const UNSUBSCRIBERS: [Column; 1] = [("Recipient", |row| &row.email)];

/// One header for all imports of recipients, one for whoever is taken off.
pub fn layout(op: Op) -> Layout {
    match op {
        Op::Add | Op::Change => [&RECIPIENTS, &PROPERTIES],
        Op::Remove | Op::Suppress => [&UNSUBSCRIBERS, &[]],
    }
}
