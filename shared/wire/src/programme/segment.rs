//! Segments of the programme document, and the language of their predicates.

use std::collections::HashSet;

use domain::amount::Amount;
use domain::id::SegmentId;
use domain::participant::ProfileField;
use domain::programme::Balance;
use domain::segment::{Bounds, Predicate, Segment};
use domain::window::Occasion;

use crate::fault::code;
use crate::participant::{MAX_AREA, MAX_TAG, parse_locale};
use crate::pass::parse_channel;
use crate::programme::activity;
use crate::programme::export::export_plan;
use crate::programme::names::{Known, id, optional_list, unique};
use crate::programme::window::{MAX_DAYS, whole_days};
use crate::read::{Node, Object};

const MAX_SEGMENTS: usize = 1_000;
/// Most predicates of one list, and most values of one predicate.
const MAX_LIST: usize = 50;
/// Most predicates of one segment, groups included: an export holds all of them against everybody.
const MAX_PREDICATES: usize = 200;
/// How deep groups may stand within groups.
const MAX_DEPTH: usize = 10;
const MAX_AGE: u32 = 150;
/// Told where neither bound is there.
pub(super) const OR_AT_MOST: &str = "is required, or at_most in its place, or both";

#[derive(Clone, Copy)]
enum Kind {
    All,
    Any,
    Not,
    Consent,
    Balance,
    Pending,
    Expiring,
    Tag,
    Flag,
    Area,
    Age,
    BirthdayWithin,
    NameDayWithin,
    Locale,
    Known,
    LastEventWithin,
    Blocked,
    LastEventBefore,
    Activity,
    Bought,
    AwardedBy,
    List,
}

/// What a predicate may ask: the field that says so, and all fields that may stand with it.
const KINDS: [(Kind, &str, &[&str]); 22] = [
    (Kind::All, "all", &["all"]),
    (Kind::Any, "any", &["any"]),
    (Kind::Not, "not", &["not"]),
    (Kind::Consent, "consent", &["consent"]),
    (Kind::Balance, "balance", &["balance", "at_least", "at_most"]),
    (Kind::Pending, "pending", &["pending", "at_least", "at_most"]),
    (Kind::Expiring, "expiring", &["expiring", "within", "at_least", "at_most"]),
    (Kind::Tag, "tag", &["tag"]),
    (Kind::Flag, "flag", &["flag", "is"]),
    (Kind::Area, "area", &["area"]),
    (Kind::Age, "age", &["age"]),
    (Kind::BirthdayWithin, "birthday_within", &["birthday_within"]),
    (Kind::NameDayWithin, "name_day_within", &["name_day_within"]),
    (Kind::Locale, "locale", &["locale"]),
    (Kind::Known, "known", &["known"]),
    (Kind::LastEventWithin, "last_event_within", &["last_event_within"]),
    (Kind::Blocked, "blocked", &["blocked"]),
    (Kind::LastEventBefore, "last_event_before", &["last_event_before"]),
    (Kind::Activity, "activity", &["activity", "during", "at_least", "at_most", "below", "above"]),
    (Kind::Bought, "bought", &["bought", "during", "at_least", "at_most"]),
    (Kind::AwardedBy, "awarded_by", &["awarded_by", "during", "at_least", "at_most"]),
    (Kind::List, "list", &["list"]),
];

/// What will be asked of participants.
const LATER: [&str; 1] = ["level"];

/// Segments: an id, and in `where` what members have in common.
pub(super) fn segments(document: &Object<'_>, known: &Known) -> Vec<Segment> {
    let mut seen = HashSet::new();
    let segment = |fields: &Object<'_>| {
        let id = id(fields, "id", SegmentId::parse, &mut seen);
        let mut reader = Reader { known, count: 0 };
        let node = fields.required("where")?;
        let members = reader.predicate(&node, 1);
        if reader.count > MAX_PREDICATES {
            let message = format!("must have at most {MAX_PREDICATES} predicates in all");
            node.fault(code::LENGTH, message);
        }
        let export = export_plan(fields);
        Some(Segment { id: id?, members: members?, export: export? })
    };
    optional_list(document, "segments", MAX_SEGMENTS, segment, &["id", "where", "guard", "export"])
}

/// Reads the predicates of one segment, and counts them.
struct Reader<'k> {
    known: &'k Known,
    count: usize,
}

impl Reader<'_> {
    fn predicate(&mut self, node: &Node<'_>, depth: usize) -> Option<Predicate> {
        self.count += 1;
        if self.count > MAX_PREDICATES {
            return None;
        }
        if depth > MAX_DEPTH {
            node.fault(code::LENGTH, format!("stands more than {MAX_DEPTH} groups deep"));
            return None;
        }
        let (kind, fields, asked) = kind(node)?;
        Some(match kind {
            Kind::All => Predicate::All(self.group(&asked, depth)),
            Kind::Any => {
                must_list(&asked);
                Predicate::Any(self.group(&asked, depth))
            }
            Kind::Not => Predicate::Not(Box::new(self.predicate(&asked, depth + 1)?)),
            Kind::Balance => {
                let (balance, bounds) = self.bounded(&fields, &asked)?;
                Predicate::Available(balance.code.clone(), bounds)
            }
            Kind::Pending => {
                let (balance, bounds) = self.bounded(&fields, &asked)?;
                Predicate::Pending(balance.code.clone(), bounds)
            }
            Kind::Expiring => {
                let within = fields.required("within").and_then(|within| within.duration());
                let (balance, bounds) = self.bounded(&fields, &asked)?;
                Predicate::Expiring { balance: balance.code.clone(), within: within?, bounds }
            }
            Kind::Consent => Predicate::Consent(asked.parsed(parse_channel)?),
            Kind::Tag => Predicate::Tag(asked.label(MAX_TAG)?),
            Kind::Flag => {
                let is = fields.optional("is").map_or(Some(true), |is| is.flag());
                Predicate::Flag(asked.label(MAX_TAG)?, is?)
            }
            Kind::Area => Predicate::Area(texts(&asked, |area| area.label(MAX_AREA))),
            Kind::Age => age(&asked)?,
            Kind::BirthdayWithin => within(&asked, Occasion::Birthday)?,
            Kind::NameDayWithin => within(&asked, Occasion::NameDay)?,
            Kind::Locale => Predicate::Locale(texts(&asked, |tag| tag.parsed(parse_locale))),
            Kind::Known => {
                let fields = ProfileField::ALL.map(|field| (field.name(), Some(field)));
                Predicate::Known(asked.choice(&fields)?)
            }
            Kind::LastEventWithin => Predicate::LastEventWithin(asked.duration()?),
            Kind::Blocked => Predicate::Blocked(asked.flag()?),
            Kind::LastEventBefore => Predicate::LastEventBefore(asked.duration()?),
            Kind::Activity => activity::activity(&fields, &asked, self.known.currency)?,
            Kind::Bought => activity::bought(&fields, &asked, self.known)?,
            Kind::AwardedBy => activity::awarded(&fields, &asked, self.known)?,
            Kind::List => activity::listed(&asked, self.known)?,
        })
    }

    fn group(&mut self, list: &Node<'_>, depth: usize) -> Vec<Predicate> {
        list.list(MAX_LIST, |node| self.predicate(node, depth + 1))
    }

    /// A balance of the programme, and how much of it: one bound at least.
    fn bounded(&self, fields: &Object<'_>, balance: &Node<'_>) -> Option<(&Balance, Bounds)> {
        let balance = self.known.balance(balance);
        let read = |node: &Node<'_>| node.amount(balance?.decimals);
        let bounds = bounds(fields, OR_AT_MOST, read);
        Some((balance?, bounds?))
    }
}

/// From and up to how much: one bound at least; `missing` says what else may stand in its place.
pub(super) fn bounds(
    fields: &Object<'_>,
    missing: &str,
    read: impl Fn(&Node<'_>) -> Option<Amount>,
) -> Option<Bounds> {
    let (least, most) = (fields.optional("at_least"), fields.optional("at_most"));
    if least.is_none() && most.is_none() {
        fields.missing("at_least", missing);
    }
    let at_least = least.and_then(|least| read(&least));
    let at_most = most.as_ref().and_then(&read);
    if let (Some(least), Some(most), Some(node)) = (at_least, at_most, &most)
        && least > most
    {
        node.fault(code::RANGE, "is below at_least");
    }
    Some(Bounds { at_least, at_most })
}

/// What a predicate asks: exactly one thing. Answers its kind, its fields and the one that says so.
fn kind<'a>(node: &Node<'a>) -> Option<(Kind, Object<'a>, Node<'a>)> {
    let given: Vec<_> = KINDS.iter().filter(|(_, name, _)| node.peek(name).is_some()).collect();
    match given.as_slice() {
        [] => {
            asks_nothing(node);
            None
        }
        [(kind, name, fields)] => {
            let fields = node.object(fields)?;
            let asked = fields.required(name)?;
            Some((*kind, fields, asked))
        }
        [(_, first, _), (_, second, _), ..] => {
            let message = format!(
                "asks for {first} and {second} at once: name each in an object of its own, and \
                 join them with all or any"
            );
            node.fault(code::EXCLUSIVE, message);
            None
        }
    }
}

fn asks_nothing(node: &Node<'_>) {
    let names = KINDS.map(|(_, name, _)| name).join(", ");
    let others = node.entries(MAX_LIST);
    if node.value.as_object().is_some_and(|fields| fields.is_empty()) {
        node.fault(code::EXCLUSIVE, format!("must ask for one of {names}"));
    }
    for (name, other) in others {
        if KINDS.iter().any(|(_, known, _)| *known == name) {
            other.fault(code::REQUIRED, "is required");
        } else if LATER.contains(&name) {
            other.fault(code::NOT_SUPPORTED, "is not supported yet");
        } else {
            let message = format!("is nothing that a predicate asks for; known are {names}");
            other.fault(code::UNKNOWN_FIELD, message);
        }
    }
}

/// An empty list names nobody, which nobody means.
pub(super) fn must_list(node: &Node<'_>) {
    if node.value.as_array().is_some_and(Vec::is_empty) {
        node.fault(code::LENGTH, "must list at least one");
    }
}

fn texts(node: &Node<'_>, text: impl Fn(&Node<'_>) -> Option<Box<str>>) -> Vec<Box<str>> {
    must_list(node);
    let mut seen = HashSet::new();
    node.list(MAX_LIST, |node| unique(node, text(node)?, &mut seen))
}

fn age(node: &Node<'_>) -> Option<Predicate> {
    let fields = node.object(&["from", "to"])?;
    let years = |name| fields.optional(name).and_then(|node| node.integer(0..=MAX_AGE));
    let (from, to) = (years("from"), years("to"));
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        node.fault(code::RANGE, "has a from above its to");
    }
    if fields.optional("from").or_else(|| fields.optional("to")).is_none() {
        node.fault(code::REQUIRED, "must have from, to or both");
    }
    Some(Predicate::Age { from, to })
}

fn within(node: &Node<'_>, occasion: Occasion) -> Option<Predicate> {
    whole_days(node, 0, MAX_DAYS).map(|days| Predicate::Within(occasion, days))
}
