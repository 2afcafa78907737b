//! The definition: enrolment, what is immediate, spend rules, payment media.

use std::collections::HashSet;

use domain::amount::Decimals;
use domain::event::EventType;
use domain::payment_medium::{Keep, PaymentMediumRules, Rule};
use domain::programme::{DebtPolicy, Definition, only_money};
use domain::spend::{AmountRange, SpendDefinition, SpendRule};
use regex::{Regex, RegexBuilder};

use crate::fault::code;
use crate::programme::any_decimals;
use crate::programme::names::{Known, event_types, optional_list, unique};
use crate::read::{Node, Object};

const MAX_RULES: usize = 1_000;
const MAX_LABELS: usize = 1_000;
const DEFAULT_WITHIN_DAYS: u32 = 30;

/// The definition; left out, everything has its default.
pub(super) fn definition(document: &Object<'_>, known: &Known) -> Option<Definition> {
    let empty = Definition {
        enrols: false,
        immediate: HashSet::new(),
        spend: default_spend(),
        payment_medium: PaymentMediumRules::default(),
        invoice_types: HashSet::new(),
        debt_policy: DebtPolicy::Carry,
    };
    let Some(node) = document.optional("definition") else { return Some(empty) };
    let fields = node.object(&[
        "enrol",
        "immediate",
        "spend",
        "payment_medium",
        "invoice_types",
        "debt_policy",
    ])?;
    let enrols = [("explicit", Some(false)), ("automatic", Some(true))];
    let policies = [
        ("carry", Some(DebtPolicy::Carry)),
        ("refuse", Some(DebtPolicy::Refuse)),
        ("write_off", Some(DebtPolicy::WriteOff)),
    ];
    let enrols = fields.optional("enrol").and_then(|node| node.choice(&enrols));
    let debt_policy = fields.optional("debt_policy").and_then(|node| node.choice(&policies));
    let invoice_types = labels(&fields, "invoice_types").into_iter().collect();
    Some(Definition {
        enrols: enrols.unwrap_or(empty.enrols),
        immediate: fields.list("immediate", 8, immediate).into_iter().collect(),
        spend: fields.optional("spend").map_or(Some(empty.spend), |node| spend(&node, known))?,
        payment_medium: match fields.optional("payment_medium") {
            Some(node) => payment_medium(&node)?,
            None => empty.payment_medium,
        },
        invoice_types,
        debt_policy: debt_policy.unwrap_or(empty.debt_policy),
    })
}

/// A type that may be immediate.
fn immediate(node: &Node<'_>) -> Option<EventType> {
    let event_type = node.choice(&event_types())?;
    if !event_type.may_be_immediate() {
        let name = event_type.name();
        node.fault(code::NOT_ALLOWED, format!("events of type {name} always wait for a run"));
    }
    Some(event_type)
}

fn default_spend() -> SpendDefinition {
    SpendDefinition {
        requires_purchase: false,
        within_days: DEFAULT_WITHIN_DAYS,
        balance: None,
        rules: Vec::new(),
    }
}

/// Spend rules. The amounts of rules are in the balance that spends use by default.
fn spend(node: &Node<'_>, known: &Known) -> Option<SpendDefinition> {
    let fields = node.object(&["requires_purchase", "within_days", "balance", "rules"])?;
    let requires = fields.optional("requires_purchase").and_then(|node| node.flag());
    let within_days = fields.optional("within_days").and_then(|node| node.integer(1..=180));
    let named = fields.optional("balance");
    let balance = named.as_ref().and_then(|node| known.money(node));
    let only = only_money(&known.balances);
    let unit = match (balance.or(only), &named) {
        (Some(balance), _) => Some(balance.decimals),
        (None, Some(_)) => Some(any_decimals()),
        (None, None) => None,
    };
    let rules = optional_list(
        &fields,
        "rules",
        MAX_RULES,
        |fields| spend_rule(fields, known, unit),
        &["classifications", "specific_amount", "reject_if_not_covered"],
    );
    Some(SpendDefinition {
        requires_purchase: requires.unwrap_or(false),
        within_days: within_days.unwrap_or(DEFAULT_WITHIN_DAYS),
        balance: balance.map(|balance| balance.code.clone()),
        rules,
    })
}

fn spend_rule(fields: &Object<'_>, known: &Known, unit: Option<Decimals>) -> Option<SpendRule> {
    let classifications = fields.list("classifications", MAX_LABELS, |node| {
        known.classification(node, EventType::SpendRequest)
    });
    let specific_amount = fields.optional("specific_amount").and_then(|node| {
        let fields = node.object(&["min", "max"])?;
        let (min, max) = (fields.optional("min"), fields.optional("max"));
        let Some(unit) = unit else {
            if min.is_some() || max.is_some() {
                let message = "needs to know its balance: name one as \"balance\" of \"spend\"";
                node.fault(code::REQUIRED, message);
            }
            return Some(AmountRange::default());
        };
        let min = min.and_then(|min| min.amount(unit));
        let max = max.and_then(|max| max.amount(unit));
        if min.zip(max).is_some_and(|(min, max)| min > max) {
            node.fault(code::RANGE, "has a minimum above its maximum");
        }
        Some(AmountRange { min, max, decimals: unit })
    });
    let reject = fields.optional("reject_if_not_covered").and_then(|node| node.flag());
    let reject_if_not_covered = reject.unwrap_or(false);
    Some(SpendRule { classifications, specific_amount, reject_if_not_covered })
}

/// Payment brands and types, their rules, and the identifier adjustment.
fn payment_medium(node: &Node<'_>) -> Option<PaymentMediumRules> {
    let fields = node.object(&["brands", "types", "brand_rules", "type_rules", "keep"])?;
    let (brands, kinds) = (labels(&fields, "brands"), labels(&fields, "types"));
    let rules = |name, values: &[Box<str>]| {
        let known = &["name", "set", "when"];
        optional_list(&fields, name, MAX_RULES, |fields| medium_rule(fields, values), known)
    };
    let (brand_rules, kind_rules) = (rules("brand_rules", &brands), rules("type_rules", &kinds));
    let keep = fields.optional("keep").and_then(|node| keep(&node)).unwrap_or_default();
    Some(PaymentMediumRules { brands, kinds, brand_rules, kind_rules, keep })
}

fn labels(fields: &Object<'_>, name: &'static str) -> Vec<Box<str>> {
    let mut seen = HashSet::new();
    fields.list(name, MAX_LABELS, |node| unique(node, node.label(100)?, &mut seen))
}

fn keep(node: &Node<'_>) -> Option<Keep> {
    let fields = node.object(&["first", "last"])?;
    let count = |node: Node<'_>| usize::try_from(node.integer(1..=64)?).ok();
    match (fields.optional("first"), fields.optional("last")) {
        (Some(first), None) => count(first).map(Keep::First),
        (None, Some(last)) => count(last).map(Keep::Last),
        (None, None) | (Some(_), Some(_)) => {
            node.fault(code::EXCLUSIVE, "must have either first or last");
            None
        }
    }
}

/// A rule that sets one of the listed values where all of its conditions hold.
fn medium_rule(fields: &Object<'_>, values: &[Box<str>]) -> Option<Rule> {
    let name = fields.required("name").and_then(|node| node.label(100));
    let set = fields.required("set").and_then(|node| {
        let set = node.label(100)?;
        if !values.contains(&set) {
            node.fault(code::UNKNOWN_REFERENCE, format!("\"{set}\" is not listed"));
        }
        Some(set)
    });
    let when = fields.required("when")?;
    let conditions = when.object(&["length", "begins_with", "ends_with", "regex"])?;
    let given = ["length", "begins_with", "ends_with", "regex"];
    if given.iter().all(|condition| conditions.optional(condition).is_none()) {
        when.fault(code::REQUIRED, "must have at least one condition");
    }
    let label = |name| conditions.optional(name).and_then(|node| node.label(64));
    let length = conditions.optional("length").and_then(|node| length(&node));
    let (begins_with, ends_with) = (label("begins_with"), label("ends_with"));
    let regex = conditions.optional("regex").and_then(|node| node.parsed(parse_regex));
    Some(Rule { name: name?, set: set?, length, begins_with, ends_with, regex })
}

fn length(node: &Node<'_>) -> Option<(u32, u32)> {
    let bounds = node.list(2, |bound| bound.integer(1..=64));
    let listed = node.value.as_array()?.len();
    if listed < 2 {
        node.fault(code::LENGTH, "must be the least and the most: [13, 19]");
    }
    let (least, most) = (*bounds.first()?, *bounds.get(1)?);
    if least > most {
        node.fault(code::RANGE, "has a least above its most");
    }
    Some((least, most))
}

/// Linear in time, and bounded in memory.
fn parse_regex(text: &str) -> Result<Regex, &'static str> {
    let expected = "must be a regular expression without look-around and back-references";
    let fits = (1..=500).contains(&text.len());
    let built = || RegexBuilder::new(text).size_limit(1 << 20).build().ok();
    fits.then(built).flatten().ok_or(expected)
}
