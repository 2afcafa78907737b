//! What an offer asks of an event.

use domain::amount::Amount;
use domain::id::{KpiId, MerchantId, ProductId, SegmentId, UnitId};
use domain::offer::{Conditions, OfferClass, OneOf};
use domain::payment_medium::PaymentMediumRules;

use crate::fault::code;
use crate::programme::area::{area, check_areas};
use crate::programme::names::MAX_NAMES;
use crate::programme::offer::Context;
use crate::programme::promotion::shown;
use crate::programme::window;
use crate::read::{Node, Object};

const MAX_LABELS: usize = 1_000;

const FIELDS: &[&str] = &[
    "amount",
    "quantity",
    "units",
    "areas",
    "popular",
    "merchants",
    "classifications",
    "all_classifications",
    "products",
    "categories",
    "brands",
    "payment_brands",
    "payment_types",
    "times",
    "segments",
    "tags",
    "kpi",
    "score",
    "pass_plan",
];

/// Conditions; what the events of the class do not have is a violation. Units and products that
/// no list names are accepted.
pub(super) fn conditions(node: &Node<'_>, context: &Context<'_>) -> Option<Conditions> {
    let fields = node.object(FIELDS)?;
    refuse_foreign(&fields, context);
    let (from, to) = amounts(&fields, context);
    let products =
        |name| OneOf::from(fields.list(name, MAX_NAMES, |node| node.parsed(ProductId::parse)));
    let units = fields.list("units", MAX_NAMES, |node| node.parsed(UnitId::parse));
    let classifications = fields.list("classifications", MAX_LABELS, |node| {
        let types = context.class.map_or(&[][..], OfferClass::types);
        context.known.classification_of_any(node, types)
    });
    let merchants = fields.list("merchants", MAX_LABELS, |node| merchant(node, context));
    check_units(&fields, &units, &merchants, context);
    let areas = fields.list("areas", MAX_LABELS, |node| area(node, context));
    let popular = fields.optional("popular").and_then(|node| node.flag()).unwrap_or(false);
    check_areas(&fields, &units, &areas, popular, context);
    let tags = fields.list("tags", MAX_LABELS, |node| node.label(100));
    Some(Conditions {
        from,
        to,
        quantity: quantities(&fields),
        units: units.into(),
        areas: areas.into(),
        popular,
        merchants: merchants.into(),
        classifications: classifications.into(),
        products: products("products"),
        categories: products("categories"),
        brands: products("brands"),
        payment_brands: payment(&fields, "payment_brands", context).into(),
        payment_types: payment(&fields, "payment_types", context).into(),
        times: fields.optional("times").and_then(|times| window::times(&times)),
        segments: fields.list("segments", MAX_LABELS, |node| segment(node, context)).into(),
        tags: tags.into(),
        kpi: fields.optional("kpi").and_then(|node| kpi(&node, context)),
        score: scores(&fields),
        pass_plan: fields.optional("pass_plan").and_then(|node| shown(&node, context)),
    })
}

/// Conditions on what events of the class do not have would never hold.
fn refuse_foreign(fields: &Object<'_>, context: &Context<'_>) {
    type Has = fn(OfferClass) -> bool;
    let needs: [(&str, Has, &[&'static str]); 5] = [
        (
            "no lines",
            OfferClass::has_lines,
            &["quantity", "products", "categories", "brands", "popular"],
        ),
        ("no amount", OfferClass::has_amount, &["amount"]),
        ("no payment medium", OfferClass::has_payment_medium, &["payment_brands", "payment_types"]),
        ("no values of KPIs", OfferClass::has_kpis, &["kpi"]),
        ("no survey score", OfferClass::has_score, &["score"]),
    ];
    let class = context.class_name();
    for (what, has, names) in needs {
        for name in names.iter().filter(|_| !context.class_has(has)) {
            if let Some(node) = fields.optional(name) {
                node.fault(code::NOT_ALLOWED, format!("events of class {class} have {what}"));
            }
        }
    }
}

/// An event is performed at one unit: it must be able to meet both lists.
pub(super) fn check_units(
    fields: &Object<'_>,
    units: &[UnitId],
    merchants: &[MerchantId],
    context: &Context<'_>,
) {
    let owners = &context.known.merchants.units;
    let fits = |unit: &UnitId| owners.get(unit).is_some_and(|owner| merchants.contains(owner));
    if !units.is_empty() && !merchants.is_empty() && !units.iter().any(fits) {
        let message = "none of them belongs to a merchant that is named: leave out one of the two";
        fields.at("units").fault(code::NOT_ALLOWED, message);
    }
}

fn amounts(fields: &Object<'_>, context: &Context<'_>) -> (Option<Amount>, Option<Amount>) {
    let range = fields.optional("amount");
    let Some((node, ends)) = range.and_then(|node| Some((node.clone(), ends(&node)?))) else {
        return (None, None);
    };
    let read = |name| ends.optional(name).and_then(|end| end.amount(context.known.currency));
    ordered(&node, (read("from"), read("to")))
}

fn quantities(fields: &Object<'_>) -> (Option<u32>, Option<u32>) {
    let range = fields.optional("quantity");
    let Some((node, ends)) = range.and_then(|node| Some((node.clone(), ends(&node)?))) else {
        return (None, None);
    };
    let read = |name| ends.optional(name).and_then(|end| end.integer(1..=1_000_000_000));
    ordered(&node, (read("from"), read("to")))
}

fn scores(fields: &Object<'_>) -> (Option<u8>, Option<u8>) {
    let range = fields.optional("score");
    let Some((node, ends)) = range.and_then(|node| Some((node.clone(), ends(&node)?))) else {
        return (None, None);
    };
    let score = |node: Node<'_>| node.integer(0..=10).and_then(|score| u8::try_from(score).ok());
    let read = |name| ends.optional(name).and_then(score);
    ordered(&node, (read("from"), read("to")))
}

fn ends<'a>(node: &Node<'a>) -> Option<Object<'a>> {
    node.object(&["from", "to"])
}

fn ordered<T: Ord + Copy>(
    node: &Node<'_>,
    range: (Option<T>, Option<T>),
) -> (Option<T>, Option<T>) {
    if range.0.zip(range.1).is_some_and(|(from, to)| from > to) {
        node.fault(code::RANGE, "has a from above its to");
    }
    range
}

pub(super) fn merchant(node: &Node<'_>, context: &Context<'_>) -> Option<MerchantId> {
    let id = node.parsed(MerchantId::parse)?;
    if !context.known.merchants.merchants.contains_key(&id) {
        let message = format!("the programme has no merchant \"{id}\"");
        node.fault(code::UNKNOWN_REFERENCE, message);
    }
    Some(id)
}

fn segment(node: &Node<'_>, context: &Context<'_>) -> Option<SegmentId> {
    let id = node.parsed(SegmentId::parse)?;
    if !context.known.segments.contains(&id) {
        let message = format!("the programme has no segment \"{id}\"");
        node.fault(code::UNKNOWN_REFERENCE, message);
    }
    Some(id)
}

fn kpi(node: &Node<'_>, context: &Context<'_>) -> Option<KpiId> {
    let id = node.parsed(KpiId::parse)?;
    if !context.known.kpis.contains(&id) {
        let message = format!("the programme has no KPI \"{id}\"");
        node.fault(code::UNKNOWN_REFERENCE, message);
    }
    Some(id)
}

/// Payment brands or types, which the definition lists.
fn payment(fields: &Object<'_>, name: &'static str, context: &Context<'_>) -> Vec<Box<str>> {
    let rules = context.definition.map(|definition| &definition.payment_medium);
    fields.list(name, MAX_LABELS, |node| {
        let value = node.label(100)?;
        let of = |rules: &PaymentMediumRules| {
            let listed = if name == "payment_brands" { &rules.brands } else { &rules.kinds };
            listed.contains(&value)
        };
        if !rules.is_none_or(of) {
            let message = format!("\"{value}\" is not listed by the definition's payment_medium");
            node.fault(code::UNKNOWN_REFERENCE, message);
        }
        Some(value)
    })
}
