//! Areas of the programme document, and what offers ask of them.

use std::collections::{HashMap, HashSet};

use domain::area::{Area, Areas, Popular};
use domain::id::{AreaId, ProductId, UnitId};

use crate::fault::code;
use crate::programme::names::{MAX_NAMES, id, optional_list, unique};
use crate::programme::offer::Context;
use crate::read::{Node, Object};

const MAX_AREAS: usize = 10_000;

/// Areas with their units, each in at most one, and what is popular there.
pub(super) fn areas(document: &Object<'_>) -> Areas {
    let mut seen = HashSet::new();
    let mut homes: HashMap<UnitId, AreaId> = HashMap::new();
    let list = optional_list(
        document,
        "areas",
        MAX_AREAS,
        |fields| {
            let id = id(fields, "id", AreaId::parse, &mut seen);
            let mut own = HashSet::new();
            let units = fields.list("units", MAX_NAMES, |node| {
                let unit = unique(node, node.parsed(UnitId::parse)?, &mut own)?;
                if let Some(home) = homes.get(&unit) {
                    let message = format!("\"{unit}\" lies in the area \"{home}\" already");
                    node.fault(code::DUPLICATE, message);
                }
                Some(unit)
            });
            let popular = fields.optional("popular").and_then(|node| popular(&node));
            let id = id?;
            homes.extend(units.iter().map(|unit| (unit.clone(), id.clone())));
            Some(Area { id, units, popular: popular.unwrap_or_default() })
        },
        &["id", "units", "popular"],
    );
    list.into()
}

fn popular(node: &Node<'_>) -> Option<Popular> {
    let fields = node.object(&["products", "categories"])?;
    let goods = |name| {
        let mut seen = HashSet::new();
        fields
            .list(name, MAX_NAMES, |node| unique(node, node.parsed(ProductId::parse)?, &mut seen));
        seen
    };
    Some(Popular { products: goods("products"), categories: goods("categories") })
}

/// An area that an offer names.
pub(super) fn area(node: &Node<'_>, context: &Context<'_>) -> Option<AreaId> {
    let id = node.parsed(AreaId::parse)?;
    if context.known.areas.get(&id).is_none() {
        node.fault(code::UNKNOWN_REFERENCE, format!("the programme has no area \"{id}\""));
    }
    Some(id)
}

/// The units and areas of an offer must be able to hold together, and something must be popular in
/// one of the areas where it asks for what is.
pub(super) fn check_areas(
    fields: &Object<'_>,
    units: &[UnitId],
    areas: &[AreaId],
    popular: bool,
    context: &Context<'_>,
) {
    let known = &context.known.areas;
    let lies = |unit: &UnitId| known.of(unit).is_some_and(|area| areas.contains(&area.id));
    if !units.is_empty() && !areas.is_empty() && !units.iter().any(lies) {
        let message = "none of them lies in an area that is named: leave out one of the two";
        fields.at("units").fault(code::NOT_ALLOWED, message);
    }
    let asked = |area: &&Area| areas.is_empty() || areas.contains(&area.id);
    let mut asked = known.all().iter().filter(asked);
    if popular && asked.all(|area| area.popular.is_empty()) {
        let message = if areas.is_empty() {
            "no area of the programme says what is popular there"
        } else {
            "none of the areas that are named says what is popular there"
        };
        fields.at("popular").fault(code::NOT_ALLOWED, message);
    }
}
