//! The files of each platform, as tables of columns over the canonical record.
//!
//! In every dialect, whoever opted out stands in no file that adds or changes, and in a file of
//! suppressions, which only ever unsubscribes. An opt-in is told by a file that adds and by none
//! that changes, so a change cannot undo what the platform learned first.

mod braze;
mod emarsys;
mod klaviyo;
mod mailchimp;
mod optimizely;

use std::io::{Error, Result, Write};

use domain::export::{Dialect, Op};

use super::ExportRow;

/// What a cell shows of a row.
pub type Cell = fn(&ExportRow) -> &str;
/// A column: its header, and what its cells show.
pub type Column = (&'static str, Cell);

/// The columns of a file: those of its platform, then what all of them get alike.
type Layout = [&'static [Column]; 2];

/// What is told of somebody besides name, address and consent.
const PROPERTIES: [Column; 11] = [
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

/// The columns of the contract, in its order.
pub const COLUMNS: [Column; 18] = [
    ("external_id", |row| &row.external_id),
    ("email", |row| &row.email),
    ("optin_email", |row| &row.optin_email),
    ("optin_source", |row| &row.optin_source),
    ("optin_at", |row| &row.optin_at),
    ("optin_process", |row| &row.optin_process),
    ("locale", |row| &row.locale),
    ("time_zone", |row| &row.time_zone),
    ("first_name", |row| &row.first_name),
    ("last_name", |row| &row.last_name),
    ("segment_id", |row| &row.segment_id),
    ("op", |row| row.op),
    ("balance_available", |row| &row.balance_available),
    ("balance_pending", |row| &row.balance_pending),
    ("next_expiry_at", |row| &row.next_expiry_at),
    ("next_expiry_amount", |row| &row.next_expiry_amount),
    ("last_event_at", |row| &row.last_event_at),
    ("as_of", |row| &row.as_of),
];

/// The columns of a file that does one thing.
fn layout(dialect: Dialect, op: Op) -> Layout {
    match dialect {
        Dialect::Canonical => [&COLUMNS, &[]],
        Dialect::Optimizely => optimizely::layout(op),
        Dialect::Emarsys => emarsys::layout(op),
        Dialect::Klaviyo => klaviyo::layout(op),
        Dialect::Braze => braze::layout(op),
        Dialect::Mailchimp => mailchimp::layout(op),
    }
}

/// Whether the platform knows people by their address alone.
fn goes_by_address(dialect: Dialect) -> bool {
    match dialect {
        Dialect::Canonical | Dialect::Emarsys | Dialect::Braze => false,
        Dialect::Optimizely | Dialect::Klaviyo | Dialect::Mailchimp => true,
    }
}

/// The headers of a file that does one thing.
pub fn columns(dialect: Dialect, op: Op) -> Vec<&'static str> {
    layout(dialect, op).into_iter().flatten().map(|(header, _)| *header).collect()
}

/// Writes the header line.
///
/// # Errors
/// Of the writer.
pub fn write_header(out: impl Write, dialect: Dialect, op: Op) -> Result<()> {
    write_record(out, columns(dialect, op))
}

/// Whether a dialect has a row for somebody: one that goes by the address needs one.
pub fn tells_of(dialect: Dialect, row: &ExportRow) -> bool {
    !goes_by_address(dialect) || !row.email.is_empty()
}

/// Writes the row of somebody of whom the dialect tells.
///
/// # Errors
/// Of the writer.
pub fn write_row(out: impl Write, dialect: Dialect, op: Op, row: &ExportRow) -> Result<()> {
    write_record(out, layout(dialect, op).into_iter().flatten().map(|(_, cell)| cell(row)))
}

/// UTF-8, line feed, quoted where CSV needs it (RFC 4180).
fn write_record<'a>(out: impl Write, cells: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let terminator = ::csv::Terminator::Any(b'\n');
    let mut writer =
        ::csv::WriterBuilder::new().terminator(terminator).buffer_capacity(1024).from_writer(out);
    writer.write_record(cells).map_err(Error::other)?;
    writer.flush()
}
