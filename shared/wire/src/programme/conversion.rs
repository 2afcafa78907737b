//! Conversions of points into money.

use std::collections::HashSet;

use domain::conversion::{Bands, Coefficient, Conversion};
use domain::id::{ConversionId, SegmentId};
use domain::programme::Balance;

use crate::fault::code;
use crate::programme::export::schedule;
use crate::programme::names::{Known, id, optional_list};
use crate::read::{Node, Object};

const MAX_CONVERSIONS: usize = 20;
const MAX_BANDS: usize = 100;
const BANDS: [(&str, Option<Bands>); 2] =
    [("whole", Some(Bands::Whole)), ("marginal", Some(Bands::Marginal))];

/// The conversions. Left out, one is paid out (`into`), applies a rate to all points (`bands`), takes
/// any number of them (`minimum`), is only started by hand (`cron`) and for everybody (`segment`).
pub(super) fn conversions(fields: &Object<'_>, known: &Known) -> Vec<Conversion> {
    let mut seen = HashSet::new();
    optional_list(
        fields,
        "conversions",
        MAX_CONVERSIONS,
        |fields| {
            let id = id(fields, "id", ConversionId::parse, &mut seen);
            let balance = fields.required("balance").and_then(|balance| known.money(&balance));
            let into = match fields.optional("into") {
                Some(into) => read_into(&into, balance, known).map(Some),
                None => Some(None),
            };
            let table = fields.required("table").and_then(|table| read_table(&table, balance));
            let bands = match fields.optional("bands") {
                Some(bands) => bands.choice(&BANDS),
                None => Some(Bands::default()),
            };
            let minimum = match (fields.optional("minimum"), balance) {
                (Some(minimum), Some(balance)) => minimum.amount(balance.decimals),
                (_, None) | (None, _) => Some(domain::amount::Amount::ZERO),
            };
            let schedule = match fields.optional("cron") {
                Some(cron) => schedule(&cron).map(Some),
                None => Some(None),
            };
            let segment = match fields.optional("segment") {
                Some(segment) => read_segment(&segment, known).map(Some),
                None => Some(None),
            };
            Some(Conversion {
                id: id?,
                balance: balance?.code.clone(),
                into: into?.map(|into| into.code.clone()),
                table: table?,
                bands: bands?,
                minimum: minimum?,
                schedule: schedule?,
                segment: segment?,
            })
        },
        &["id", "balance", "into", "table", "bands", "minimum", "cron", "segment"],
    )
}

fn read_into<'k>(
    node: &Node<'_>,
    balance: Option<&Balance>,
    known: &'k Known,
) -> Option<&'k Balance> {
    let into = known.money(node)?;
    if balance.is_some_and(|balance| balance.code == into.code) {
        node.fault(code::NOT_ALLOWED, "is the balance that is converted");
    }
    Some(into)
}

/// Bands in ascending order; each has its rate, money for each point.
fn read_table(node: &Node<'_>, balance: Option<&Balance>) -> Option<Box<[Coefficient]>> {
    let listed = node.value.as_array().map(Vec::len);
    let table = node.list(MAX_BANDS, |band| {
        let fields = band.object(&["from", "rate"])?;
        let from = fields.required("from");
        let rate = fields.required("rate").and_then(|rate| rate.rate());
        let from = from.and_then(|from| from.amount(balance?.decimals));
        Some(Coefficient { from: from?, rate: rate? })
    });
    if listed == Some(0) {
        node.fault(code::LENGTH, "must have at least one band");
    }
    if listed != Some(table.len()) {
        return None;
    }
    if !table.is_sorted_by(|one, next| one.from < next.from) {
        node.fault(code::RANGE, "must have bands in ascending order of from, each once");
    }
    if table.iter().all(|band| band.rate.is_zero()) && !table.is_empty() {
        node.fault(code::RANGE, "turns points into nothing in any band");
    }
    Some(table.into())
}

/// A segment of the programme.
pub(super) fn read_segment(node: &Node<'_>, known: &Known) -> Option<SegmentId> {
    let segment = node.parsed(SegmentId::parse)?;
    if !known.segments.contains(&segment) {
        let message = format!("the programme has no segment \"{segment}\"");
        node.fault(code::UNKNOWN_REFERENCE, message);
    }
    Some(segment)
}
