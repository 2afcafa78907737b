//! Offers of the programme document: the sample has all there is, and what is wrong is told.

use std::collections::BTreeSet;
use std::fs;
use std::mem::discriminant;
use std::path::Path;

use domain::offer::{AwardForm, Beneficiary, Expiry, Limit, Offer, OfferClass, Scope, Within};
use domain::terms::Automatic;
use serde_json::{Value, json};
use wire::fault::BodyFault;
use wire::programme::parse_programme;

/// Whether an offer asks for something.
type Asks = fn(&Offer) -> bool;

fn sample() -> Vec<Offer> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/programme");
    let offers = |name: &&str| {
        let document = fs::read(folder.join(name)).unwrap();
        parse_programme(&document, 1).unwrap().offers.to_vec()
    };
    let names =
        ["programme-offers.json", "programme-referrals.json", "programme-spend-methods.json"];
    names.iter().flat_map(offers).collect()
}

/// `pointer code` of everything that is wrong with one offer, below the offer.
fn told(offer: &Value) -> Vec<String> {
    let mut whole = json!({ "id": "o", "class": "increase_revenue_transaction",
        "award": { "balance": "points", "amount": "5" } });
    whole.as_object_mut().unwrap().extend(offer.as_object().unwrap().clone());
    let document = json!({
        "name": "One offer", "time_zone": "Europe/Berlin",
        "currency": { "code": "EUR", "decimals": 2 },
        "balances": [{ "code": "points", "decimals": 0 }],
        "classifications": [{ "name": "a", "types": ["achievement"] }, { "name": "b" }],
        "offers": [whole],
    });
    match parse_programme(document.to_string().as_bytes(), 1) {
        Ok(_) => Vec::new(),
        Err(BodyFault::Invalid(violations)) => violations
            .iter()
            .map(|v| format!("{} {}", v.pointer.trim_start_matches("/offers/0"), v.code))
            .collect(),
        Err(other) => panic!("{offer}: {other}"),
    }
}

/// nothing that an offer can say is missing.
#[test]
fn r40_the_sample_has_every_class_form_condition_limit_and_expiry() {
    let offers = sample();
    let has = |what: &dyn Fn(&Offer) -> bool| offers.iter().any(what);
    for (name, class) in OfferClass::ALL {
        assert!(has(&|offer| offer.class == class), "no offer of class {name}");
    }
    let forms: BTreeSet<&str> = offers
        .iter()
        .map(|offer| match (&offer.award.form, offer.award.balance.as_ref()) {
            (AwardForm::Fixed(_), None) => "discount amount",
            (_, None) => "discount percentage",
            (_, Some(balance)) if ["coffee", "sticker"].contains(&balance.as_str()) => "gift",
            (AwardForm::Fixed(_), _) => "amount",
            (AwardForm::Percentage(_), _) => "percentage",
            (AwardForm::PercentageOfAwardedLines(_), _) => "percentage_of_awarded_lines",
            (AwardForm::Table(_), _) => "table",
        })
        .collect();
    assert_eq!(forms.len(), 7, "{forms:?}");
    assert!(has(&|offer| offer.scope == Scope::Line));
    let asks: [(&str, Asks); 23] = [
        ("amount from", |offer| offer.when.from.is_some()),
        ("amount to", |offer| offer.when.to.is_some()),
        ("quantity from", |offer| offer.when.quantity.0.is_some()),
        ("quantity to", |offer| offer.when.quantity.1.is_some()),
        ("units", |offer| !offer.when.units.is_any()),
        ("areas", |offer| !offer.when.areas.is_any()),
        ("what is popular", |offer| offer.when.popular),
        ("merchants", |offer| !offer.when.merchants.is_any()),
        ("classifications", |offer| !offer.when.classifications.is_any()),
        ("products", |offer| !offer.when.products.is_any()),
        ("categories", |offer| !offer.when.categories.is_any()),
        ("brands", |offer| !offer.when.brands.is_any()),
        ("payment brands", |offer| !offer.when.payment_brands.is_any()),
        ("payment types", |offer| !offer.when.payment_types.is_any()),
        ("times", |offer| offer.when.times.is_some()),
        ("segments", |offer| !offer.when.segments.is_any()),
        ("tags", |offer| !offer.when.tags.is_any()),
        ("KPI", |offer| offer.when.kpi.is_some()),
        ("KPI, added up", |offer| offer.when.kpi.is_some() && offer.accumulates.is_some()),
        ("score", |offer| offer.when.score != (None, None)),
        ("whom a referral refers", |offer| offer.beneficiary == Beneficiary::Referred),
        ("several periods", |offer| offer.valid.len() > 1),
        ("around", |offer| offer.valid.iter().any(|valid| valid.around.is_some())),
    ];
    for (name, asks) in asks {
        assert!(has(&asks), "no offer asks for {name}");
    }
    let within = |kind: fn(Within) -> bool| has(&|o| o.accumulates.is_some_and(|a| kind(a.within)));
    assert!(within(|w| w == Within::Validity));
    assert!(within(|w| matches!(w, Within::Calendar(_))));
    assert!(within(|w| matches!(w, Within::Rolling(_))));
    assert!(has(&|offer| offer.quota.first.is_some()) && has(&|o| o.quota.budget.is_some()));
    let limits: Vec<_> = offers.iter().map(|offer| discriminant::<Limit>(&offer.limit)).collect();
    let expiries: Vec<_> =
        offers.iter().map(|offer| discriminant::<Expiry>(&offer.expires)).collect();
    for (kinds, name) in [(distinct(&limits), "limits"), (distinct(&expiries), "expiries")] {
        assert_eq!(kinds, 4, "{name}");
    }
    assert!(has(&|o| o.available_after.is_some()) && has(&|o| o.available_from.is_some()));
    let bounds = |o: &Offer| o.terms.as_ref().and_then(|terms| terms.automatic);
    let bounds = |of: fn(Automatic) -> bool| has(&|o| bounds(o).is_some_and(of));
    assert!(has(&|o| o.instant), "R-49: instant");
    assert!(bounds(|b| b.minimum_balance.is_some() && b.minimum.is_some() && b.maximum.is_some()));
    assert!(bounds(|b| b == Automatic::default()), "R-49: automatic without bounds");
}

fn distinct<T: PartialEq>(values: &[T]) -> usize {
    let is_new = |(at, value): &(usize, &T)| !values[..*at].contains(value);
    values.iter().enumerate().filter(is_new).count()
}

/// what could never award, or not as it is meant, is refused.
#[test]
fn r40_what_an_offer_gets_wrong_is_told_where_it_stands() {
    let all = |names: &[&str]| json!({ "classifications": names, "all_classifications": true });
    let achievement = |own: Value| {
        let mut offer = json!({ "class": "achievement" });
        offer.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        offer
    };
    let end_of = |after: &str| json!({ "end_of": "month", "after": after });
    let cases: [(Value, &[&str]); 16] = [
        (json!({ "limit": { "budget": "4" } }), &["/limit/budget range"]),
        (json!({ "budget": "4" }), &["/budget range"]),
        (json!({ "budget": "5" }), &[]),
        (json!({ "award": { "balance": "points", "percentage": "1" }, "budget": "1" }), &[]),
        (json!({ "budget": "4.5" }), &["/budget precision"]),
        (json!({ "limit": {} }), &["/limit required"]),
        (
            json!({ "available_after": "P31D", "expires": end_of("P30D") }),
            &["/available_after range"],
        ),
        (json!({ "available_after": "P30D", "expires": end_of("P30D") }), &[]),
        (json!({ "available_after": "P30D", "expires": { "after": "P30D" } }), &[]),
        (json!({ "available_from": "2027-01-01", "expires": { "on": "2027-01-01" } }), &[]),
        (achievement(json!({ "when": all(&["a", "b"]), "on_top": true })), &[]),
        (achievement(json!({ "when": all(&["a", "b"]) })), &["/on_top required"]),
        (achievement(json!({ "when": all(&["a", "a"]), "on_top": true })), &["/when required"]),
        (
            achievement(
                json!({ "when": all(&["a", "b"]), "on_top": true, "accumulate": { "at_least": 2 } }),
            ),
            &["/accumulate/at_least not_allowed"],
        ),
        (json!({ "when": all(&["b"]) }), &["/when/all_classifications not_allowed"]),
        (
            json!({ "when": { "all_classifications": true } }),
            &["/when/all_classifications not_allowed"],
        ),
    ];
    for (offer, want) in cases {
        assert_eq!(told(&offer), want, "{offer}");
    }
}
