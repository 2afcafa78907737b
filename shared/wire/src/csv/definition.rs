//! What a segment asks for as one text: equal for equal predicates, and for them alone.

use domain::amount::Amount;
use domain::segment::{Bounds, Predicate};
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
    }
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
