//! The payout file of a conversion: who is paid how much, by the token that stands for an account
//!

use std::io::Write;

use domain::amount::Amount;
use domain::conversion::Conversion;
use domain::id::{ParticipantId, RunId};
use domain::programme::Programme;
use domain::time::{Instant, show_instant};
use serde::Serialize;

use super::SCHEMA_VERSION;
use crate::answer::transaction_code;

/// The columns of each part.
const COLUMNS: [&str; 7] =
    ["participant_id", "payout_reference", "amount", "currency", "conversion", "at", "transaction"];

/// What all rows of a payout file have in common.
#[derive(Clone, Copy, Debug)]
pub struct PayoutTelling<'a> {
    pub programme: &'a Programme,
    pub conversion: &'a Conversion,
    /// The scheduled time.
    pub at: Instant,
}

/// Which conversion was paid out, in which files: written last, so a payout file that has one is
/// complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PayoutManifest {
    pub schema_version: u32,
    pub conversion: String,
    pub run_id: String,
    pub at: String,
    pub currency: String,
    pub columns: Vec<&'static str>,
    pub files: Vec<PayoutFile>,
    pub rows: u64,
    /// The sum of all rows.
    pub amount: String,
}

/// A part of the payout file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PayoutFile {
    pub name: String,
    pub rows: u64,
    pub bytes: u64,
    /// Hexadecimal.
    pub sha256: String,
    /// The sum of its rows.
    pub amount: String,
}

/// The first line.
pub fn write_payout_header(mut out: impl Write) -> std::io::Result<()> {
    writeln!(out, "{}", COLUMNS.join(","))
}

/// A row: the participant and the transaction that says so, the token, the amount in currency. All
/// are tokens, decimals and times, so nothing needs quotes.
pub fn write_payout(
    mut out: impl Write,
    telling: &PayoutTelling<'_>,
    (participant, sequence): (&ParticipantId, u64),
    reference: Option<&str>,
    amount: Amount,
) -> std::io::Result<()> {
    let PayoutTelling { programme, conversion, at } = *telling;
    let (currency, id) = (&programme.currency, &conversion.id);
    let amount = amount.show(currency.decimals);
    let at = show_instant(at, programme.zone);
    let transaction = transaction_code(participant, sequence);
    let (reference, code) = (reference.unwrap_or_default(), &currency.code);
    writeln!(out, "{participant},{reference},{amount},{code},{id},{at},{transaction}")
}

/// The manifest of these files.
pub fn payout_manifest(
    telling: &PayoutTelling<'_>,
    run: &RunId,
    files: Vec<PayoutFile>,
    amount: Amount,
) -> PayoutManifest {
    let PayoutTelling { programme, conversion, at } = *telling;
    PayoutManifest {
        schema_version: SCHEMA_VERSION,
        conversion: conversion.id.to_string(),
        run_id: run.to_string(),
        at: show_instant(at, programme.zone),
        currency: programme.currency.code.to_string(),
        columns: COLUMNS.to_vec(),
        rows: files.iter().map(|file| file.rows).sum(),
        files,
        amount: amount.show(programme.currency.decimals),
    }
}
