//! What only a financial statement has: its period and its values.

use std::collections::HashSet;

use domain::event::{KpiValue, MAX_VALUES, Statement};
use domain::id::{KpiId, ProductId};
use domain::programme::Programme;
use domain::time::{Instant, Month};

use crate::event::EventContext;
use crate::fault::code;
use crate::read::{Node, Object};

/// A month that has begun, and what was reported for it.
pub(super) fn statement(fields: &Object<'_>, context: &EventContext<'_>) -> Option<Statement> {
    let programme = context.programme;
    let period = fields.required("period");
    let period = period.and_then(|node| period_of(&node, programme, context.now));
    let values = fields.required("kpi_values").map(|node| values(&node, programme));
    Some(Statement { period: period?, values: values? })
}

fn period_of(node: &Node<'_>, programme: &Programme, now: Instant) -> Option<Month> {
    let expected = "must be a month: 2026-10";
    let period = node.parsed(|text| Month::parse(text).ok_or(expected))?;
    if period > now.day(programme.zone).month() {
        node.fault(code::IN_FUTURE, "must be a month that has begun");
    }
    Some(period)
}

fn values(node: &Node<'_>, programme: &Programme) -> Vec<KpiValue> {
    let mut seen = HashSet::new();
    let values = node.list(MAX_VALUES, |node| {
        let value = read_value(node, programme)?;
        if !seen.insert((value.kpi.clone(), value.product.clone())) {
            node.fault(code::DUPLICATE, "its KPI and product occur before");
        }
        Some(value)
    });
    if node.value.as_array().is_some_and(Vec::is_empty) {
        node.fault(code::LENGTH, "must have at least one value");
    }
    let statement = Statement { period: Month(0), values };
    if statement.total().is_err() {
        node.fault(code::RANGE, "come to a sum that is too large");
    }
    statement.values
}

fn read_value(node: &Node<'_>, programme: &Programme) -> Option<KpiValue> {
    let fields = node.object(&["kpi", "product", "value"])?;
    let kpi = fields.required("kpi").and_then(|node| {
        let kpi = node.parsed(KpiId::parse)?;
        if !programme.kpis.contains_key(&kpi) {
            node.fault(code::UNKNOWN_REFERENCE, "is no KPI of the programme");
        }
        Some(kpi)
    });
    let product = fields.required("product").and_then(|node| node.parsed(ProductId::parse));
    let value = fields.required("value");
    let value = value.and_then(|value| value.amount(programme.currency.decimals));
    Some(KpiValue { kpi: kpi?, product: product?, value: value? })
}
