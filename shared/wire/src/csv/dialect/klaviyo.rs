//! Klaviyo: profiles without any consent column, for which the first column is the address; files
//! that add are uploaded to a list as opted in, suppressions to the suppressed profiles.

use domain::export::Op;

use super::{Column, Layout, PROPERTIES};

/// Properties alone: an import of them changes nobody's consent.
const PROFILES: [Column; 4] = [
    ("Email", |row| &row.email),
    ("external_id", |row| &row.external_id),
    ("First Name", |row| &row.first_name),
    ("Last Name", |row| &row.last_name),
];

/// The address alone.
const ADDRESSES: [Column; 1] = [("Email", |row| &row.email)];

/// Profiles, or whom to take off.
pub fn layout(op: Op) -> Layout {
    match op {
        Op::Add | Op::Change => [&PROFILES, &PROPERTIES],
        Op::Remove | Op::Suppress => [&ADDRESSES, &[]],
    }
}
