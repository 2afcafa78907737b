//! What an offer asks of an event (R-42, R-46, R-50).

use domain::amount::Amount;
use domain::award::{Mode, exclusions};
use domain::event::Event;
use domain::offer::{Conditions, Expiry, Offer};

use crate::bookkeeping::{Book, told};
use crate::fixture::*;

/// What an offer with these conditions says of an event: `awarded`, or the reason.
fn verdict(offer: &Offer, event: &Event) -> String {
    let mut book = Book::with(vec![offer.clone()], noon("2026-11-21"));
    let which = book.accept(event.clone());
    let judgement = book.judge(which, Mode::Interactive);
    let excluded = exclusions(&book.programme, event);
    match (told(&judgement).pop(), excluded.first()) {
        (Some(told), None) if judgement.awards.is_empty() => told.replace("o ", ""),
        (Some(_), None) => "awarded".into(),
        (None, Some((_, reason))) => reason.code().into(),
        other => panic!("an offer awards, is passed over, or is excluded: {other:?}"),
    }
}

fn when(when: Conditions) -> Offer {
    Offer { when, ..fixed("o", 5) }
}

fn bought(total: i64) -> Event {
    purchase("r", total, noon("2026-11-21"))
}

#[test]
fn r42_both_ends_of_an_amount_range_are_inclusive() {
    let range = |from: Option<i64>, to: Option<i64>| {
        when(Conditions { from: from.map(Amount), to: to.map(Amount), ..Conditions::default() })
    };
    let (out, awarded) = ("amount_out_of_range", "awarded");
    let cases = [
        (Some(5_00), Some(10_00), 4_99, out),
        (Some(5_00), Some(10_00), 5_00, awarded),
        (Some(5_00), Some(10_00), 10_00, awarded),
        (Some(5_00), Some(10_00), 10_01, out),
        (Some(5_00), None, 5_00, awarded),
        (Some(5_00), None, 4_99, out),
        (None, Some(10_00), 10_01, out),
        (None, Some(10_00), 0, awarded),
        (None, None, 0, awarded),
    ];
    for (from, to, total, want) in cases {
        assert_eq!(verdict(&range(from, to), &bought(total)), want, "{from:?}..={to:?} {total}");
    }
}

#[test]
fn r42_units_and_r50_merchants() {
    let only = when(Conditions { units: vec![unit("shop-1")].into(), ..Conditions::default() });
    let mute = when(Conditions { units: vec![unit("shop-3")].into(), ..Conditions::default() });
    let any = when(Conditions::default());
    let cases = [
        (&only, Some("shop-1"), "awarded"),
        (&only, Some("shop-2"), "unit_not_included"),
        (&only, None, "unit_not_included"),
        (&any, None, "awarded"),
        (&any, Some("shop-2"), "awarded"),
        (&any, Some("elsewhere"), "awarded"),
        (&any, Some("shop-3"), "unit_does_not_award"),
        (&mute, Some("shop-3"), "unit_does_not_award"),
        (&only, Some("shop-3"), "unit_not_included"),
    ];
    for (offer, shop, want) in cases {
        let event = Event { unit: shop.map(unit), ..bought(1_00) };
        assert_eq!(verdict(offer, &event), want, "{shop:?}");
    }
}

#[test]
fn r42_classifications() {
    let named = vec![class("grocery"), class("fuel")];
    let offer = when(Conditions { classifications: named.into(), ..Conditions::default() });
    let cases = [
        (Some("grocery"), "awarded"),
        (Some("fuel"), "awarded"),
        (Some("Grocery"), "classification_not_included"),
        (None, "classification_not_included"),
    ];
    for (name, want) in cases {
        let event = Event { classification: name.map(class), ..bought(1_00) };
        assert_eq!(verdict(&offer, &event), want, "{name:?}");
    }
}

#[test]
fn r42_one_line_has_product_category_and_brand_of_the_offer() {
    let ids = |list: &[&str]| list.iter().map(|id| product(id)).collect::<Vec<_>>().into();
    let offer = |products: &[&str], categories: &[&str], brands: &[&str]| {
        let (products, categories, brands) = (ids(products), ids(categories), ids(brands));
        when(Conditions { products, categories, brands, ..Conditions::default() })
    };
    // Lines as (product, category, brand). The catalogue: SKU-9 is coffee of Acme.
    type Named<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);
    let event = |lines: &[Named<'_>]| {
        let lines = lines.iter().map(|(sku, category, brand)| domain::event::Line {
            product: sku.map(product),
            category: category.map(product),
            brand: brand.map(product),
            ..line(1, 1_00, 0)
        });
        with_lines(bought(0), lines.collect())
    };
    let (yes, no) = ("awarded", "no_matching_line");
    let sku9 = (Some("SKU-9"), None, None);
    let cases: [(Offer, Vec<Named<'_>>, &str); 12] = [
        (offer(&["SKU-9"], &[], &[]), vec![sku9], yes),
        (offer(&["SKU-1", "SKU-9"], &[], &[]), vec![(Some("SKU-2"), None, None), sku9], yes),
        (offer(&["SKU-1"], &[], &[]), vec![sku9], no),
        (offer(&["SKU-1"], &[], &[]), vec![(None, None, None)], no),
        (offer(&[], &["coffee"], &[]), vec![sku9], yes),
        (offer(&[], &["coffee"], &["Acme"]), vec![sku9], yes),
        (offer(&[], &["coffee"], &[]), vec![(Some("SKU-9"), Some("tea"), None)], no),
        (offer(&[], &["tea"], &["Acme"]), vec![(Some("SKU-9"), Some("tea"), None)], yes),
        (offer(&[], &[], &["Acme"]), vec![(Some("SKU-9"), None, Some("Other"))], no),
        (offer(&[], &["coffee"], &[]), vec![(None, Some("coffee"), None)], yes),
        (offer(&[], &["coffee"], &[]), vec![(Some("unknown"), None, None)], no),
        // Category of one line and brand of another are not a match.
        (offer(&[], &["coffee"], &["Other"]), vec![sku9, (None, Some("tea"), Some("Other"))], no),
    ];
    for (offer, lines, want) in cases {
        assert_eq!(verdict(&offer, &event(&lines)), want, "{:?} {lines:?}", offer.when);
    }
}

#[test]
fn r46_validity_follows_performed_on_from_inclusive_to_exclusive() {
    let (from, to) = ("2026-11-01T00:00:00+01:00", "2026-12-01T00:00:00+01:00");
    let next = ("2027-01-01T00:00:00+01:00", "2027-01-02T00:00:00+01:00");
    let november = || validity(Some(from), Some(to));
    let cases = [
        (vec![november()], "2026-10-31T23:59:59.999+01:00", "not_valid"),
        (vec![november()], from, "awarded"),
        (vec![november()], "2026-11-30T23:59:59.999+01:00", "awarded"),
        (vec![november()], to, "not_valid"),
        (vec![november(), validity(Some(next.0), Some(next.1))], next.0, "awarded"),
        (vec![november(), validity(Some(next.0), Some(next.1))], to, "not_valid"),
        (vec![validity(None, Some(to))], "1999-01-01T00:00:00Z", "awarded"),
        (vec![validity(Some(from), None)], "2039-01-01T00:00:00Z", "awarded"),
        (vec![], "1999-01-01T00:00:00Z", "awarded"),
    ];
    for (valid, performed_on, want) in cases {
        let offer = Offer { valid: valid.clone(), ..fixed("o", 5) };
        let event = purchase("r", 1_00, at(performed_on));
        assert_eq!(verdict(&offer, &event), want, "{valid:?} {performed_on}");
    }
}

#[test]
fn r51_an_award_that_rounds_to_nothing_says_so() {
    assert_eq!(verdict(&percent("o", points(), "1"), &bought(99_99)), "awards_nothing");
    assert_eq!(verdict(&percent("o", points(), "1"), &bought(10_000)), "awarded");
}

#[test]
fn r47_what_would_expire_before_it_can_be_spent_is_not_awarded() {
    let at = |expires, after: Option<&str>, from: Option<&str>| Offer {
        expires,
        available_after: after.map(span),
        available_from: from.map(day),
        ..fixed("o", 5)
    };
    let (fifth, first) = (Expiry::On(day("2026-12-05")), Expiry::On(day("2026-12-01")));
    let cases = [
        (at(fifth, Some("P14D"), None), "awarded"),
        (at(fifth, Some("P15D"), None), "not_valid"),
        (at(first, None, Some("2026-12-01")), "awarded"),
        (at(first, None, Some("2026-12-02")), "not_valid"),
        (at(Expiry::After(span("P3D")), None, Some("2026-11-25")), "not_valid"),
        (at(Expiry::Never, Some("P1Y"), None), "awarded"),
    ];
    for (offer, want) in cases {
        assert_eq!(verdict(&offer, &bought(1_00)), want, "{offer:?}");
    }
}
