//! Local offers: by the area of the unit, and by what is popular there (R-54).

use std::collections::HashSet;

use domain::amount::Amount;
use domain::area::{Area, Areas, Popular};
use domain::award::{Mode, exclusions};
use domain::event::{Event, Line};
use domain::id::{AreaId, ProductId};
use domain::offer::{AwardForm, Conditions, Offer, Scope};

use crate::bookkeeping::{Book, told};
use crate::fixture::*;

fn area_id(id: &str) -> AreaId {
    AreaId::parse(id).unwrap()
}

fn area(id: &str, units: &[&str], products: &[&str], categories: &[&str]) -> Area {
    let all = |ids: &[&str]| ids.iter().map(|id| product(id)).collect::<HashSet<ProductId>>();
    let popular = Popular { products: all(products), categories: all(categories) };
    Area { id: area_id(id), units: units.iter().map(|id| unit(id)).collect(), popular }
}

/// In `mitte` tea and the product ROLL are popular, in `nord` coffee; of `west` nothing is known.
fn areas() -> Areas {
    vec![
        area("mitte", &["shop-1", "shop-9"], &["ROLL"], &["tea"]),
        area("nord", &["shop-2"], &[], &["coffee"]),
        area("west", &["shop-4"], &[], &[]),
    ]
    .into()
}

fn within(areas: &[&str], popular: bool) -> Conditions {
    let areas: Vec<AreaId> = areas.iter().map(|id| area_id(id)).collect();
    Conditions { areas: areas.into(), popular, ..Conditions::default() }
}

fn bought(at: Option<&str>, lines: Vec<Line>) -> Event {
    let event = with_lines(purchase("r", 0, noon("2026-11-21")), lines);
    Event { unit: at.map(unit), ..event }
}

/// What an offer says of a purchase: `o 5`, or why not.
fn says(offer: Offer, event: &Event) -> String {
    let mut book = Book::with(vec![offer], noon("2026-11-21"));
    book.programme.areas = areas();
    let which = book.accept(event.clone());
    let excluded = exclusions(&book.programme, event);
    let told = told(&book.judge(which, Mode::Interactive)).join(", ");
    excluded.first().map_or(told, |(_, reason)| reason.code().into())
}

#[test]
fn r54_an_offer_is_for_the_units_of_its_areas() {
    let (yes, no) = ("o 5", "unit_not_included");
    let cases = [
        (&[][..], None, yes),
        (&[], Some("shop-2"), yes),
        (&["mitte"], Some("shop-1"), yes),
        (&["mitte"], Some("shop-9"), yes),
        (&["mitte"], Some("shop-2"), no),
        (&["nord", "mitte"], Some("shop-2"), yes),
        (&["nord", "mitte"], Some("shop-4"), no),
        (&["mitte"], Some("elsewhere"), no),
        (&["mitte"], None, no),
    ];
    for (named, at, want) in cases {
        let offer = Offer { when: within(named, false), ..fixed("o", 5) };
        assert_eq!(says(offer, &bought(at, vec![line(1, 1_00, 0)])), want, "{named:?} {at:?}");
    }
}

#[test]
fn r54_only_what_is_popular_at_the_place_of_the_purchase_is_awarded() {
    let named = |sku: &str, category: &str| Line {
        product: Some(product(sku)),
        category: Some(product(category)),
        ..line(1, 10_00, 0)
    };
    // By the catalogue SKU-9 is coffee.
    let roll = named("ROLL", "bread");
    let sku9 = Line { product: Some(product("SKU-9")), ..line(1, 10_00, 0) };
    let (tea, soap) = (named("TEA", "tea"), named("SOAP", "soap"));
    let no = "no_matching_line";
    let cases = [
        (Some("shop-1"), vec![roll.clone(), soap.clone()], "o 100"),
        (Some("shop-1"), vec![roll.clone(), tea.clone(), soap.clone()], "o 200"),
        (Some("shop-1"), vec![sku9.clone()], no),
        (Some("shop-2"), vec![sku9.clone(), tea.clone()], "o 100"),
        (Some("shop-2"), vec![roll.clone()], no),
        // Nothing is known of there, or there is no such place.
        (Some("shop-4"), vec![roll.clone(), tea.clone()], no),
        (Some("elsewhere"), vec![roll.clone()], no),
        (None, vec![roll.clone()], no),
    ];
    for (at, lines, want) in cases {
        let of_lines = AwardForm::PercentageOfAwardedLines(rate("10"));
        let when = within(&[], true);
        let whole = Offer { when: when.clone(), ..offer("o", eur(), of_lines) };
        let event = bought(at, lines);
        assert_eq!(says(whole, &event), want, "{at:?}");
        let each = Offer { when, scope: Scope::Line, ..percent("o", eur(), "10") };
        assert_eq!(says(each, &event), want, "{at:?} by line");
    }
    // With products of its own, both are asked for; with an area, what is popular in that one.
    let only = Conditions { products: vec![product("SKU-9")].into(), ..within(&["nord"], true) };
    let offer = |when: &Conditions| Offer { when: when.clone(), ..fixed("o", 5) };
    assert_eq!(says(offer(&only), &bought(Some("shop-2"), vec![sku9.clone()])), "o 5");
    assert_eq!(says(offer(&only), &bought(Some("shop-2"), vec![tea])), no);
    assert_eq!(says(offer(&only), &bought(Some("shop-1"), vec![sku9])), "unit_not_included");
}

#[test]
fn r54_a_discount_on_what_is_popular_here() {
    let when = within(&["mitte"], true);
    let off = discount("o", AwardForm::Fixed(Amount(50)));
    let off = Offer { when, scope: Scope::Line, ..off };
    let roll = Line { product: Some(product("ROLL")), ..line(2, 40, 0) };
    let event = bought(Some("shop-1"), vec![line(1, 9_00, 0), roll]);
    assert_eq!(says(off, &event), "o off 50");
}
