//! Payment media: brand and type automation, and the identifier adjustment that comes last
//!

use std::fmt;

use regex::Regex;

/// How a purchase was paid, with the identifier as it may be stored.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PaymentMedium {
    pub brand: Option<Box<str>>,
    pub kind: Option<Box<str>>,
    pub identifier: Option<Box<str>>,
    /// How the identifier was adjusted: that of a repeat is adjusted alike before they are
    /// compared, whatever the programme says by then.
    pub kept: Keep,
}

impl fmt::Debug for PaymentMedium {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PaymentMedium(..)")
    }
}

/// What the definition says of payment media.
#[derive(Clone, Debug, Default)]
pub struct PaymentMediumRules {
    pub brands: Vec<Box<str>>,
    pub kinds: Vec<Box<str>>,
    /// Run where an identifier is given and a brand is not.
    pub brand_rules: Vec<Rule>,
    /// Run where an identifier is given and a type is not.
    pub kind_rules: Vec<Rule>,
    pub keep: Keep,
}

/// Sets a value where all of its conditions hold; the first matching rule wins.
#[derive(Clone, Debug)]
pub struct Rule {
    pub name: Box<str>,
    pub set: Box<str>,
    pub length: Option<(u32, u32)>,
    pub begins_with: Option<Box<str>>,
    pub ends_with: Option<Box<str>>,
    pub regex: Option<Regex>,
}

/// How much of an identifier is stored, in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    #[default]
    All,
    First(usize),
    Last(usize),
}

/// What is wrong with a payment medium; the field is named by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediumFault {
    UnknownBrand,
    UnknownKind,
    Identifier,
}

impl Rule {
    fn matches(&self, identifier: &str) -> bool {
        let length = u32::try_from(identifier.chars().count()).unwrap_or(u32::MAX);
        self.length.is_none_or(|(least, most)| (least..=most).contains(&length))
            && self.begins_with.as_ref().is_none_or(|with| identifier.starts_with(&**with))
            && self.ends_with.as_ref().is_none_or(|with| identifier.ends_with(&**with))
            && self.regex.as_ref().is_none_or(|regex| regex.is_match(identifier))
    }
}

impl Keep {
    /// What is stored of an identifier.
    pub fn adjust(self, identifier: &str) -> Box<str> {
        let length = identifier.chars().count();
        match self {
            Keep::All => identifier.into(),
            Keep::First(count) => identifier.chars().take(count).collect::<String>().into(),
            Keep::Last(count) => {
                identifier.chars().skip(length.saturating_sub(count)).collect::<String>().into()
            }
        }
    }
}

impl PaymentMediumRules {
    /// Fills in brand and type by the rules, refuses what the lists do not name, and adjusts the
    /// identifier last: rules see all of it, storage never does.
    pub fn apply(&self, given: PaymentMedium) -> Result<PaymentMedium, MediumFault> {
        let PaymentMedium { mut brand, mut kind, identifier, .. } = given;
        if let Some(identifier) = &identifier {
            if identifier.is_empty() || !identifier.chars().all(char::is_alphanumeric) {
                return Err(MediumFault::Identifier);
            }
            let first = |rules: &[Rule]| {
                rules.iter().find(|rule| rule.matches(identifier)).map(|rule| rule.set.clone())
            };
            brand = brand.or_else(|| first(&self.brand_rules));
            kind = kind.or_else(|| first(&self.kind_rules));
        }
        if brand.as_ref().is_some_and(|brand| !self.brands.contains(brand)) {
            return Err(MediumFault::UnknownBrand);
        }
        if kind.as_ref().is_some_and(|kind| !self.kinds.contains(kind)) {
            return Err(MediumFault::UnknownKind);
        }
        let identifier = identifier.map(|identifier| self.keep.adjust(&identifier));
        Ok(PaymentMedium { brand, kind, identifier, kept: self.keep })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(set: &str, begins_with: &str, regex: Option<&str>) -> Rule {
        Rule {
            name: set.into(),
            set: set.into(),
            length: Some((4, 19)),
            begins_with: Some(begins_with.into()),
            ends_with: None,
            regex: regex.map(|regex| Regex::new(regex).unwrap()),
        }
    }

    #[test]
    fn rules_see_the_whole_identifier_and_storage_only_what_is_kept() {
        let rules = PaymentMediumRules {
            brands: vec!["Visa".into(), "Electron".into()],
            brand_rules: vec![rule("Electron", "4", Some("^4917")), rule("Visa", "4", None)],
            keep: Keep::Last(4),
            ..PaymentMediumRules::default()
        };
        let apply = |brand: Option<&str>, identifier: &str| {
            let identifier = Some(identifier.into());
            let brand = brand.map(Into::into);
            rules.apply(PaymentMedium { brand, identifier, ..PaymentMedium::default() })
        };
        let electron = apply(None, "4917610000001234").unwrap();
        assert_eq!(electron.brand.as_deref(), Some("Electron"));
        assert_eq!(electron.identifier.as_deref(), Some("1234"));
        assert_eq!(apply(None, "4000").unwrap().brand.as_deref(), Some("Visa"));
        assert_eq!(apply(Some("Visa"), "4917").unwrap().brand.as_deref(), Some("Visa"));
        assert_eq!(apply(None, "5000").unwrap().brand, None);
        assert_eq!(apply(Some("Amex"), "5000"), Err(MediumFault::UnknownBrand));
        assert_eq!(apply(None, "49 17"), Err(MediumFault::Identifier));
    }

    #[test]
    fn characters_are_kept_not_bytes() {
        assert_eq!(&*Keep::Last(2).adjust("äöü"), "öü");
        assert_eq!(&*Keep::First(2).adjust("äöü"), "äö");
        assert_eq!(&*Keep::Last(9).adjust("äöü"), "äöü");
    }
}
