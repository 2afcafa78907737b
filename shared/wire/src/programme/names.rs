//! What a programme names: classifications, the catalogue, KPIs, merchants; and references to it.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::hash::Hash;
use std::sync::Arc;

use domain::amount::Decimals;
use domain::area::Areas;
use domain::event::EventType;
use domain::id::{
    BalanceCode, Classification, KpiId, ListId, MerchantId, OfferId, PlanId, ProductId, SegmentId,
    UnitId,
};
use domain::programme::{Balance, Lookup, Merchant, Merchants, Product, ReductionMethod};
use domain::segment::List;

use crate::fault::code;
use crate::read::{Node, Object};

const MAX_CLASSIFICATIONS: usize = 1_000;
const MAX_PRODUCTS: usize = 200_000;
const MAX_KPIS: usize = 1_000;
const MAX_MERCHANTS: usize = 10_000;
/// Most entries of a list that names units or products.
pub(super) const MAX_NAMES: usize = 100_000;

/// What other sections may refer to. An entry that is partly at fault is here as well, so that
/// references to it are not faulted too.
pub(super) struct Known {
    pub currency: Decimals,
    pub balances: Vec<Balance>,
    pub classifications: HashMap<Classification, Vec<EventType>>,
    pub merchants: Merchants,
    pub areas: Areas,
    pub segments: HashSet<SegmentId>,
    pub offers: HashSet<OfferId>,
    pub lists: HashMap<ListId, Arc<List>>,
    pub kpis: HashSet<KpiId>,
    /// Of each pass plan: whether it is a promotion, and one whose passes have their own codes.
    pub pass_plans: HashMap<PlanId, (bool, bool)>,
}

impl Known {
    /// A balance of the programme.
    pub fn balance(&self, node: &Node<'_>) -> Option<&Balance> {
        let code = node.parsed(BalanceCode::parse)?;
        let found = self.balances.iter().find(|balance| balance.code == code);
        if found.is_none() {
            let message = format!("the programme has no balance \"{code}\"");
            node.fault(code::UNKNOWN_REFERENCE, message);
        }
        found
    }

    /// A balance of the programme that is no gift.
    pub fn money(&self, node: &Node<'_>) -> Option<&Balance> {
        let found = self.balance(node)?;
        if found.is_gift() {
            let message = format!("\"{}\" is a gift, which is counted in pieces", found.code);
            node.fault(code::NOT_ALLOWED, message);
        }
        Some(found)
    }

    /// The decimals of a balance.
    pub fn decimals(&self, code: &BalanceCode) -> Option<Decimals> {
        let found = self.balances.iter().find(|balance| balance.code == *code);
        found.map(|balance| balance.decimals)
    }

    /// A classification of the programme that this type of event may carry.
    pub fn classification(&self, node: &Node<'_>, event_type: EventType) -> Option<Classification> {
        self.classification_of_any(node, &[event_type])
    }

    /// A classification that one of these types of events may carry; of no type: any.
    pub fn classification_of_any(
        &self,
        node: &Node<'_>,
        of: &[EventType],
    ) -> Option<Classification> {
        let name = node.parsed(Classification::parse)?;
        match self.classifications.get(&name) {
            None => {
                let message = format!("the programme has no classification \"{name}\"");
                node.fault(code::UNKNOWN_REFERENCE, message);
            }
            Some(types) if !of.is_empty() && !of.iter().any(|one| types.contains(one)) => {
                let of: Vec<&str> = of.iter().map(|one| one.name()).collect();
                let of = of.join(" or ");
                let message =
                    format!("the classification \"{name}\" is not for events of type {of}");
                node.fault(code::NOT_ALLOWED, message);
            }
            Some(_) => {}
        }
        Some(name)
    }
}

/// The id of an entry, which no entry before it may have.
pub(super) fn id<T: Clone + Eq + Hash + Display, E: Display>(
    fields: &Object<'_>,
    name: &'static str,
    parse: impl FnOnce(&str) -> Result<T, E>,
    seen: &mut HashSet<T>,
) -> Option<T> {
    let node = fields.required(name)?;
    unique(&node, node.parsed(parse)?, seen)
}

/// A value that must not occur before.
pub(super) fn unique<T: Clone + Eq + Hash + Display>(
    node: &Node<'_>,
    value: T,
    seen: &mut HashSet<T>,
) -> Option<T> {
    if !seen.insert(value.clone()) {
        node.fault(code::DUPLICATE, format!("\"{value}\" occurs before"));
    }
    Some(value)
}

/// A section that is a list of objects with these fields; absent counts as empty.
pub(super) fn optional_list<T>(
    fields: &Object<'_>,
    name: &'static str,
    most: usize,
    mut item: impl FnMut(&Object<'_>) -> Option<T>,
    known: &'static [&'static str],
) -> Vec<T> {
    fields.list(name, most, |node| item(&node.object(known)?))
}

/// The event types by their names.
pub(super) fn event_types() -> [(&'static str, Option<EventType>); 8] {
    EventType::ALL.map(|known| (known.name(), Some(known)))
}

/// Classifications with the event types that may carry them; none listed: all.
pub(super) fn classifications(fields: &Object<'_>) -> HashMap<Classification, Vec<EventType>> {
    let mut seen = HashSet::new();
    let list = optional_list(
        fields,
        "classifications",
        MAX_CLASSIFICATIONS,
        |fields| {
            let name = id(fields, "name", Classification::parse, &mut seen);
            let node = fields.optional("types");
            let listed = node.as_ref().and_then(|node| node.value.as_array()).map_or(0, Vec::len);
            let types = fields.list("types", 8, |node| node.choice(&event_types()));
            let all = types.is_empty() || types.len() < listed;
            Some((name?, if all { EventType::ALL.to_vec() } else { types }))
        },
        &["name", "types"],
    );
    list.into_iter().collect()
}

/// Products with their category and brand.
pub(super) fn catalogue(fields: &Object<'_>) -> Lookup<ProductId, Product> {
    let mut seen = HashSet::new();
    let list = optional_list(
        fields,
        "catalogue",
        MAX_PRODUCTS,
        |fields| {
            let product = id(fields, "product", ProductId::parse, &mut seen);
            let named = |name| fields.optional(name).and_then(|n| n.parsed(ProductId::parse));
            let (category, brand) = (named("category"), named("brand"));
            Some((product?, Product { category, brand }))
        },
        &["product", "category", "brand"],
    );
    list.into_iter().collect()
}

/// KPIs with the products that each counts; none listed: all.
pub(super) fn kpis(fields: &Object<'_>) -> HashMap<KpiId, HashSet<ProductId>> {
    let mut seen = HashSet::new();
    let list = optional_list(
        fields,
        "kpis",
        MAX_KPIS,
        |fields| {
            let name = id(fields, "name", KpiId::parse, &mut seen);
            let mut products = HashSet::new();
            fields.list("products", MAX_NAMES, |node| {
                unique(node, node.parsed(ProductId::parse)?, &mut products)
            });
            Some((name?, products))
        },
        &["name", "products"],
    );
    list.into_iter().collect()
}

/// Ids of the segments, for what refers to one; what is wrong with a segment is told by its own
/// reader.
pub(super) fn segment_ids(fields: &Object<'_>) -> HashSet<SegmentId> {
    let listed = fields.optional("segments").and_then(|node| node.value.as_array());
    let ids = listed.into_iter().flatten().filter_map(|segment| segment.get("id")?.as_str());
    ids.filter_map(|id| SegmentId::parse(id).ok()).collect()
}

/// The ids of the offers, which segments may name.
pub(super) fn offer_ids(fields: &Object<'_>) -> HashSet<OfferId> {
    let listed = fields.optional("offers").and_then(|node| node.value.as_array());
    let ids = listed.into_iter().flatten().filter_map(|offer| offer.get("id")?.as_str());
    ids.filter_map(|id| OfferId::parse(id).ok()).collect()
}

/// Merchants and their units; a unit belongs to at most one.
pub(super) fn merchants(fields: &Object<'_>) -> Merchants {
    let (mut seen, mut units) = (HashSet::new(), Lookup::default());
    let methods = [ReductionMethod::FrontEnd, ReductionMethod::BackEnd]
        .map(|method| (method.name(), Some(method)));
    let list = optional_list(
        fields,
        "merchants",
        MAX_MERCHANTS,
        |fields| {
            let id = id(fields, "id", MerchantId::parse, &mut seen);
            let flag = |name| fields.optional(name).and_then(|node| node.flag());
            let awards = flag("awards").unwrap_or(true);
            let automatic_spend = flag("automatic_spend").unwrap_or(false);
            let method = fields.optional("reduction_method");
            let method = method.and_then(|method| method.choice(&methods));
            let reduction_method = method.unwrap_or(ReductionMethod::FrontEnd);
            let mut own = HashSet::new();
            let owned = fields.list("units", MAX_NAMES, |node| {
                let unit = unique(node, node.parsed(UnitId::parse)?, &mut own)?;
                if let Some(owner) = units.get(&unit) {
                    let message = format!("\"{unit}\" belongs to the merchant \"{owner}\" already");
                    node.fault(code::DUPLICATE, message);
                }
                Some(unit)
            });
            let id = id?;
            units.extend(owned.into_iter().map(|unit| (unit, id.clone())));
            Some((id, Merchant { awards, reduction_method, automatic_spend }))
        },
        &["id", "units", "awards", "reduction_method", "automatic_spend"],
    );
    Merchants { merchants: list.into_iter().collect(), units }
}
