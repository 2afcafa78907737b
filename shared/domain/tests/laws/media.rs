//! Payment media: brands and types by rule, and what is left of an identifier.

use domain::payment_medium::{Keep, MediumFault, PaymentMedium, PaymentMediumRules, Rule};
use proptest::prelude::*;
use regex::Regex;

/// A rule without conditions; a document cannot have one, a case adds its own.
fn rule(set: &str) -> Rule {
    let name = format!("{set} rule").into();
    Rule { name, set: set.into(), length: None, begins_with: None, ends_with: None, regex: None }
}

fn regex(pattern: &str) -> Option<Regex> {
    Some(Regex::new(pattern).unwrap())
}

fn rules(brand_rules: Vec<Rule>) -> PaymentMediumRules {
    PaymentMediumRules {
        brands: ["Visa", "Electron", "Own"].map(Box::from).to_vec(),
        kinds: ["credit", "debit"].map(Box::from).to_vec(),
        brand_rules,
        ..PaymentMediumRules::default()
    }
}

fn identified(identifier: &str) -> PaymentMedium {
    PaymentMedium { identifier: Some(identifier.into()), ..PaymentMedium::default() }
}

/// The brand that one rule finds for an identifier.
fn brand(rule: &Rule, identifier: &str) -> Option<Box<str>> {
    rules(vec![rule.clone()]).apply(identified(identifier)).unwrap().brand
}

#[test]
fn r20_a_length_range_includes_both_ends_and_counts_characters() {
    let cases = [
        ((13, 19), 12, false),
        ((13, 19), 13, true),
        ((13, 19), 19, true),
        ((13, 19), 20, false),
        ((16, 16), 15, false),
        ((16, 16), 16, true),
        ((1, 64), 64, true),
    ];
    for (length, digits, want) in cases {
        let rule = Rule { length: Some(length), ..rule("Visa") };
        assert_eq!(brand(&rule, &"4".repeat(digits)).is_some(), want, "{length:?} {digits}");
        // Letters of two bytes count once.
        assert_eq!(brand(&rule, &"ä".repeat(digits)).is_some(), want, "{length:?} {digits}");
    }
}

#[test]
fn r20_beginnings_ends_and_expressions() {
    let begins = |with: &str| Rule { begins_with: Some(with.into()), ..rule("Visa") };
    let ends = |with: &str| Rule { ends_with: Some(with.into()), ..rule("Visa") };
    let matches = |pattern: &str| Rule { regex: regex(pattern), ..rule("Visa") };
    let cases = [
        (begins("4917"), "4917610000000000", true),
        (begins("4917"), "4917", true),
        (begins("4917"), "491", false),
        (begins("4917"), "5491700", false),
        (begins("DE"), "de89370400", false),
        (ends("0000"), "4917610000000000", true),
        (ends("0000"), "0000", true),
        (ends("0000"), "00001", false),
        // An expression is found anywhere unless it says where.
        (matches("17"), "4917", true),
        (matches("^17"), "4917", false),
        (matches("^4(9|0)17$"), "4017", true),
        (matches("^4(9|0)17$"), "40170", false),
        (matches("^[0-9]{13,19}$"), "491761000000", false),
        (matches("^[0-9]{13,19}$"), "4917610000000", true),
        (matches("(?i)^de[0-9]+$"), "DE89370400", true),
        (matches("^de[0-9]+$"), "DE89370400", false),
    ];
    for (rule, identifier, want) in cases {
        assert_eq!(brand(&rule, identifier).is_some(), want, "{rule:?} {identifier}");
    }
}

#[test]
fn r20_all_conditions_of_a_rule_must_hold() {
    let whole = Rule {
        length: Some((16, 16)),
        begins_with: Some("49".into()),
        ends_with: Some("0".into()),
        regex: regex("7610"),
        ..rule("Visa")
    };
    let cases = [
        ("4917610000000000", true),
        ("491761000000000", false),
        ("5917610000000000", false),
        ("4917610000000001", false),
        ("4917600000000000", false),
    ];
    for (identifier, want) in cases {
        assert_eq!(brand(&whole, identifier).is_some(), want, "{identifier}");
    }
}

#[test]
fn r20_the_first_rule_in_order_wins_where_nothing_was_given() {
    let begins = |set: &str, with: &str| Rule { begins_with: Some(with.into()), ..rule(set) };
    let mut rules = rules(vec![begins("Electron", "4917"), begins("Visa", "4")]);
    rules.kind_rules = vec![begins("debit", "4917"), begins("credit", "4")];
    // Brand and type sent, identifier; brand and type found.
    type Told<'a> = (Option<&'a str>, Option<&'a str>);
    let cases: [(Told<'_>, Option<&str>, Told<'_>); 8] = [
        ((None, None), Some("4917610000000000"), (Some("Electron"), Some("debit"))),
        ((None, None), Some("4000000000000000"), (Some("Visa"), Some("credit"))),
        ((None, None), Some("5000000000000000"), (None, None)),
        // What the caller says stands.
        ((Some("Own"), None), Some("4917610000000000"), (Some("Own"), Some("debit"))),
        ((None, Some("credit")), Some("4917610000000000"), (Some("Electron"), Some("credit"))),
        ((Some("Own"), Some("debit")), Some("4000"), (Some("Own"), Some("debit"))),
        // Without an identifier no rule runs.
        ((None, None), None, (None, None)),
        ((Some("Visa"), None), None, (Some("Visa"), None)),
    ];
    for (sent, identifier, want) in cases {
        let boxed = |text: Option<&str>| text.map(Box::from);
        let given = PaymentMedium {
            brand: boxed(sent.0),
            kind: boxed(sent.1),
            identifier: boxed(identifier),
            ..PaymentMedium::default()
        };
        let found = rules.apply(given).unwrap();
        let told = (found.brand.as_deref(), found.kind.as_deref());
        assert_eq!(told, want, "{sent:?} {identifier:?}");
    }
}

#[test]
fn r20_what_no_list_names_and_what_is_not_alphanumeric_is_refused() {
    let rules = rules(vec![]);
    let medium = |brand: Option<&str>, kind: Option<&str>, identifier: Option<&str>| {
        let [brand, kind, identifier] = [brand, kind, identifier].map(|text| text.map(Box::from));
        let given = PaymentMedium { brand, kind, identifier, ..PaymentMedium::default() };
        rules.apply(given).err()
    };
    let fault = MediumFault::Identifier;
    let cases = [
        (medium(Some("Visa"), Some("debit"), Some("A1")), None),
        (medium(Some("visa"), None, None), Some(MediumFault::UnknownBrand)),
        (medium(Some("Amex"), None, Some("A1")), Some(MediumFault::UnknownBrand)),
        (medium(None, Some("cheque"), None), Some(MediumFault::UnknownKind)),
        (medium(None, None, Some("49 17")), Some(fault)),
        (medium(None, None, Some("49-17")), Some(fault)),
        (medium(None, None, Some("4917\u{0}")), Some(fault)),
        (medium(None, None, Some("")), Some(fault)),
        (medium(None, None, Some("Ärger4")), None),
    ];
    for (at, (found, want)) in cases.into_iter().enumerate() {
        assert_eq!(found, want, "case {at}");
    }
}

#[test]
fn r21_what_is_kept_is_counted_in_characters() {
    let cases = [
        (Keep::All, "4917610000001234", "4917610000001234"),
        (Keep::Last(4), "4917610000001234", "1234"),
        (Keep::First(6), "4917610000001234", "491761"),
        (Keep::Last(4), "123", "123"),
        (Keep::Last(4), "1234", "1234"),
        (Keep::First(6), "12345", "12345"),
        (Keep::First(6), "123456", "123456"),
        (Keep::Last(2), "4äöü", "öü"),
        (Keep::First(2), "äöü4", "äö"),
        (Keep::Last(64), "4917", "4917"),
    ];
    for (keep, identifier, want) in cases {
        let rules = PaymentMediumRules { keep, ..rules(vec![]) };
        let kept = rules.apply(identified(identifier)).unwrap().identifier;
        assert_eq!(kept.as_deref(), Some(want), "{keep:?} {identifier}");
    }
}

proptest! {
    #[test]
    fn r21_rules_see_all_of_an_identifier_whatever_is_kept(
        identifier in "[0-9A-Z]{1,30}", count in 1..40_usize, last in any::<bool>(),
    ) {
        let keep = if last { Keep::Last(count) } else { Keep::First(count) };
        let whole = Rule { regex: regex(&format!("^{identifier}$")), ..rule("Visa") };
        let rules = PaymentMediumRules { keep, ..rules(vec![whole]) };
        let found = rules.apply(identified(&identifier)).unwrap();
        prop_assert_eq!(found.brand.as_deref(), Some("Visa"));
        let kept = found.identifier.unwrap();
        prop_assert_eq!(kept.len(), count.min(identifier.len()));
        let stands = if last { identifier.ends_with(&*kept) } else { identifier.starts_with(&*kept) };
        prop_assert!(stands);
        // Nothing but the kept part is left to be shown or hashed.
        prop_assert!(count >= identifier.len() || !kept.contains(&identifier));
    }
}
