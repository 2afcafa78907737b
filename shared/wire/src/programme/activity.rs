//! What segments ask of activity, and lists of participants.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use domain::activity::{ACTIVITY_DAYS, ACTIVITY_MONTHS, Goods, MAX_WATCHED, Watch};
use domain::amount::{Amount, Decimals};
use domain::id::{AreaId, ListId, OfferId, ParticipantId, ProductId};
use domain::segment::{Bounds, Deed, List, Measure, Months, Predicate, Segment};
use domain::time::Duration;

use crate::fault::code;
use crate::programme::names::{Known, id, optional_list, unique};
use crate::programme::segment::{OR_AT_MOST, bounds, must_list};
use crate::read::{Node, Object};

const MAX_LISTS: usize = 20;
/// Most participants of a list; a larger group has a tag.
const MAX_LISTED: usize = 2_000;
const MAX_COUNT: u32 = 1_000_000;
const MAX_PERCENT: u32 = 1_000;

const DEEDS: [(&str, Option<Deed>); 4] = [
    ("bought", Some(Deed::Bought)),
    ("sales", Some(Deed::Sales)),
    ("spent", Some(Deed::Spent)),
    ("awarded", Some(Deed::Awarded)),
];

/// Lists of participants, by their ids; they say nothing of whom the programme knows.
pub(super) fn lists(document: &Object<'_>) -> HashMap<ListId, Arc<List>> {
    let mut seen = HashSet::new();
    let list = |fields: &Object<'_>| {
        let id = id(fields, "id", ListId::parse, &mut seen);
        let node = fields.required("participants")?;
        must_list(&node);
        let mut own = HashSet::new();
        let listed = |node: &Node<'_>| unique(node, node.parsed(ParticipantId::parse)?, &mut own);
        let participants: BTreeSet<_> = node.list(MAX_LISTED, listed).into_iter().collect();
        let id = id?;
        Some((id.clone(), Arc::new(List { id, participants })))
    };
    let lists = optional_list(document, "lists", MAX_LISTS, list, &["id", "participants"]);
    lists.into_iter().collect()
}

/// What is watched for segments, each once: few enough things, so that wallets stay small.
pub(super) fn watched(document: &Object<'_>, segments: &[Segment]) -> Vec<Watch> {
    let watched = segments.iter().flat_map(|segment| segment.members.watches());
    let watched: BTreeSet<&Watch> = watched.collect();
    if watched.len() > MAX_WATCHED {
        let message = format!(
            "ask for {} different goods, areas and offers, and wallets keep at most {MAX_WATCHED}",
            watched.len()
        );
        document.at("segments").fault(code::LENGTH, message);
    }
    watched.into_iter().cloned().collect()
}

/// The list that a predicate names.
pub(super) fn listed(node: &Node<'_>, known: &Known) -> Option<Predicate> {
    let id = node.parsed(ListId::parse)?;
    let list = known.lists.get(&id);
    if list.is_none() {
        node.fault(code::UNKNOWN_REFERENCE, format!("the programme has no list \"{id}\""));
    }
    list.map(|list| Predicate::Listed(Arc::clone(list)))
}

/// How much was done in some months: between bounds, or beside the average of the months before.
pub(super) fn activity(
    fields: &Object<'_>,
    deed: &Node<'_>,
    currency: Decimals,
) -> Option<Predicate> {
    let during = fields.required("during");
    let deed = deed.choice(&DEEDS);
    let (below, above) = (fields.optional("below"), fields.optional("above"));
    if let Some((node, days)) = during.as_ref().zip(during.as_ref().and_then(days))
        && deed == Some(Deed::Bought)
        && below.is_none()
        && above.is_none()
    {
        return in_days(fields, node, days);
    }
    let months = during.and_then(|during| months(&during));
    let measure = match (&below, &above) {
        (Some(_), Some(above)) => {
            above.fault(code::EXCLUSIVE, "stands beside below: join two predicates with all");
            None
        }
        (Some(below), None) => compared(fields, below, months, |percent, of| Measure::Below {
            percent,
            average_of: of,
        }),
        (None, Some(above)) => compared(fields, above, months, |percent, of| Measure::Above {
            percent,
            average_of: of,
        }),
        (None, None) => {
            let read = |node: &Node<'_>| match deed? {
                Deed::Sales => node.amount(currency),
                Deed::Bought | Deed::Spent | Deed::Awarded => count(node),
            };
            bounds(fields, "is required, or at_most, below or above in its place", read)
                .map(Measure::Within)
        }
    };
    Some(Predicate::Activity(deed?, months?, measure?))
}

/// How often something was bought in these days, today included.
fn in_days(fields: &Object<'_>, node: &Node<'_>, days: u32) -> Option<Predicate> {
    let bounds = bounds(fields, OR_AT_MOST, count);
    if usize::try_from(days).is_ok_and(|days| days > ACTIVITY_DAYS) {
        let message = format!(
            "looks back over {days} days, and purchases are kept by day for {ACTIVITY_DAYS}"
        );
        node.fault(code::RANGE, message);
        return None;
    }
    Some(Predicate::BoughtWithin(days, bounds?))
}

/// As a number of days, where it is one.
fn days(node: &Node<'_>) -> Option<u32> {
    let duration = Duration::parse(node.value.as_str()?).ok()?;
    duration.as_days().filter(|days| *days > 0)
}

/// A share of the average of the months before.
fn compared(
    fields: &Object<'_>,
    node: &Node<'_>,
    months: Option<Months>,
    measure: impl FnOnce(u32, u32) -> Measure,
) -> Option<Measure> {
    for beside in ["at_least", "at_most"] {
        if let Some(beside) = fields.optional(beside) {
            let message = "stands beside a share of an average: join two predicates with all";
            beside.fault(code::EXCLUSIVE, message);
        }
    }
    let fields = node.object(&["percent", "of_average"])?;
    let percent = fields.required("percent").and_then(|node| node.integer(1..=MAX_PERCENT));
    let node = fields.required("of_average")?;
    let average_of = whole_months(&node)?;
    if let Some(months) = months {
        kept(&node, months.count.saturating_add(months.ago).saturating_add(average_of))?;
    }
    Some(measure(percent?, average_of))
}

/// Goods that were bought, and where.
pub(super) fn bought(fields: &Object<'_>, node: &Node<'_>, known: &Known) -> Option<Predicate> {
    let asked = node.object(&["product", "category", "area"])?;
    let named = |name| asked.optional(name).map(|node| node.parsed(ProductId::parse));
    let goods = match (named("product"), named("category")) {
        (Some(_), Some(_)) => {
            let message = "asks for a product and a category at once: name one of the two";
            node.fault(code::EXCLUSIVE, message);
            None
        }
        (Some(product), None) => product.map(|product| Some(Goods::Product(product))),
        (None, Some(category)) => category.map(|category| Some(Goods::Category(category))),
        (None, None) => Some(None),
    };
    let area = asked.optional("area").map(|area| known_area(&area, known));
    if goods == Some(None) && area.is_none() {
        node.fault(code::REQUIRED, "must name a product, a category or an area");
    }
    let (months, bounds) = so_often(fields);
    let area = area.map_or(Some(None), |area| area.map(Some));
    let watch = Watch::Purchases { goods: goods?, area: area? };
    Some(Predicate::Watched(watch, months?, bounds?))
}

/// An offer that gave something.
pub(super) fn awarded(fields: &Object<'_>, node: &Node<'_>, known: &Known) -> Option<Predicate> {
    let offer = node.parsed(OfferId::parse);
    if let Some(offer) = offer.as_ref().filter(|offer| !known.offers.contains(offer)) {
        let message = format!("the programme has no offer \"{offer}\"");
        node.fault(code::UNKNOWN_REFERENCE, message);
    }
    let (months, bounds) = so_often(fields);
    Some(Predicate::Watched(Watch::Offer(offer?), months?, bounds?))
}

fn known_area(node: &Node<'_>, known: &Known) -> Option<AreaId> {
    let id = node.parsed(AreaId::parse)?;
    if known.areas.get(&id).is_none() {
        node.fault(code::UNKNOWN_REFERENCE, format!("the programme has no area \"{id}\""));
    }
    Some(id)
}

fn so_often(fields: &Object<'_>) -> (Option<Months>, Option<Bounds>) {
    let months = fields.required("during").and_then(|during| months(&during));
    (months, bounds(fields, OR_AT_MOST, count))
}

fn count(node: &Node<'_>) -> Option<Amount> {
    node.integer(0..=MAX_COUNT).map(|count| Amount(count.into()))
}

/// The last so many months, this one included, or a calendar month: this one, or one so many before.
fn months(node: &Node<'_>) -> Option<Months> {
    if node.value.is_string() {
        let count = whole_months(node)?;
        kept(node, count)?;
        return Some(Months { count, ago: 0 });
    }
    let fields = node.object(&["calendar", "ago"])?;
    let calendar = fields.required("calendar").and_then(|node| node.choice(&[("month", Some(()))]));
    let most = u32::try_from(ACTIVITY_MONTHS - 1).unwrap_or(0);
    let ago = fields.optional("ago").map_or(Some(0), |ago| ago.integer(0..=most));
    calendar.and(ago).map(|ago| Months { count: 1, ago })
}

fn whole_months(node: &Node<'_>) -> Option<u32> {
    let months = node.duration()?.as_months().filter(|months| *months > 0);
    if months.is_none() {
        node.fault(code::RANGE, "must be whole months, of which activity is kept: P3M");
    }
    months
}

/// What is asked for must be kept.
fn kept(node: &Node<'_>, months: u32) -> Option<()> {
    if usize::try_from(months).is_ok_and(|months| months <= ACTIVITY_MONTHS) {
        return Some(());
    }
    let message =
        format!("looks back over {months} months, and activity is kept for {ACTIVITY_MONTHS}");
    node.fault(code::RANGE, message);
    None
}
