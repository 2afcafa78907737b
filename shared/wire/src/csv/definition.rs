//! What a segment asks for as one text: equal for equal predicates, and for them alone.

use domain::activity::{Goods, Watch};
use domain::amount::Amount;
use domain::segment::{Bounds, Deed, List, Measure, Months, Predicate};
use domain::window::Occasion;

/// The text that a manifest's hash of the definition is taken of. Texts of the programme's own are
/// quoted, so that none of them can look like a part of the notation.
pub(super) fn describe(predicate: &Predicate) -> String {
    match predicate {
        Predicate::All(all) => format!("all({})", list(all)),
        Predicate::Any(any) => format!("any({})", list(any)),
        Predicate::Not(not) => format!("not({})", describe(not)),
        Predicate::Consent(channel) => format!("consent({channel})"),
        Predicate::Available(balance, bounds) => format!("balance({balance}{})", within(*bounds)),
        Predicate::Pending(balance, bounds) => format!("pending({balance}{})", within(*bounds)),
        Predicate::Expiring { balance, within: duration, bounds } => {
            format!("expiring({balance},{duration}{})", within(*bounds))
        }
        Predicate::Tag(tag) => format!("tag({tag:?})"),
        Predicate::Flag(flag, is) => format!("flag({flag:?}={is})"),
        Predicate::Area(areas) => format!("area({areas:?})"),
        Predicate::Age { from, to } => format!("age({from:?},{to:?})"),
        Predicate::Within(Occasion::Birthday, days) => format!("birthday({days})"),
        Predicate::Within(Occasion::NameDay, days) => format!("name_day({days})"),
        Predicate::Locale(tags) => format!("locale({tags:?})"),
        Predicate::Known(field) => format!("known({})", field.name()),
        Predicate::LastEventWithin(duration) => format!("last_event({duration})"),
        Predicate::Blocked(blocked) => format!("blocked({blocked})"),
        Predicate::LastEventBefore(duration) => format!("last_event_before({duration})"),
        Predicate::Activity(deed, months, measure) => {
            format!("activity({},{},{})", name(*deed), during(*months), much(*measure))
        }
        Predicate::Watched(watch, months, bounds) => {
            format!("{}({}{})", watched(watch), during(*months), within(*bounds))
        }
        Predicate::BoughtWithin(days, bounds) => format!("bought_days({days}{})", within(*bounds)),
        Predicate::Listed(list) => format!("list({})", names(list)),
    }
}

fn name(deed: Deed) -> &'static str {
    match deed {
        Deed::Bought => "bought",
        Deed::Sales => "sales",
        Deed::Spent => "spent",
        Deed::Awarded => "awarded",
    }
}

fn during(months: Months) -> String {
    format!("{}-{}", months.count, months.ago)
}

fn much(measure: Measure) -> String {
    match measure {
        Measure::Within(bounds) => within(bounds),
        Measure::Below { percent, average_of } => format!("<{percent}%{average_of}"),
        Measure::Above { percent, average_of } => format!(">{percent}%{average_of}"),
    }
}

fn watched(watch: &Watch) -> String {
    let (goods, area) = match watch {
        Watch::Offer(offer) => return format!("awarded_by({offer})"),
        Watch::Purchases { goods, area } => (goods, area),
    };
    let goods = match goods {
        None => String::new(),
        Some(Goods::Product(product)) => format!("product({product})"),
        Some(Goods::Category(category)) => format!("category({category})"),
    };
    let area = area.as_ref().map_or_else(String::new, |area| format!("area({area})"));
    format!("bought{goods}{area}")
}

/// Who stands on it is what it says: its name is nothing that a member has.
fn names(list: &List) -> String {
    let names = list.participants.iter().map(ToString::to_string);
    names.collect::<Vec<_>>().join(",")
}

fn list(predicates: &[Predicate]) -> String {
    predicates.iter().map(describe).collect::<Vec<_>>().join(",")
}

fn within(bounds: Bounds) -> String {
    let end = |sign: &str, end: Option<Amount>| {
        end.map_or_else(String::new, |amount| format!("{sign}{}", amount.0))
    };
    end(">=", bounds.at_least) + &end("<=", bounds.at_most)
}
