//! A conversion of points into money, with what only its own page shows.

use domain::ledger::{Entry, EntryKey};
use domain::programme::Programme;
use domain::time::show_instant;
use serde::Serialize;

/// What was converted, at which time, and what it came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConversionDetail {
    pub conversion: String,
    /// The scheduled time.
    pub at: String,
    pub balance: String,
    pub points: String,
    /// In the balance that got it, or in currency.
    pub money: String,
    /// The balance that got it; null: it is paid out.
    pub into: Option<String>,
}

/// The conversion that an entry is.
pub(crate) fn conversion_detail(programme: &Programme, entry: &Entry) -> Option<ConversionDetail> {
    let EntryKey::Convert { conversion, at } = &entry.key else { return None };
    let made = entry.conversion()?;
    let decimals =
        made.into.as_ref().map_or(programme.currency.decimals, |code| programme.decimals(code));
    Some(ConversionDetail {
        conversion: conversion.to_string(),
        at: show_instant(*at, programme.zone),
        balance: made.balance.to_string(),
        points: programme.show(&made.balance, made.points),
        money: made.money.show(decimals),
        into: made.into.as_ref().map(ToString::to_string),
    })
}
