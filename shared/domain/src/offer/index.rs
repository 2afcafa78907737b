//! Which offers are looked at for an event: those that could award it, however many others there
//! are.
//!
//! Each offer stands under a place that it asks for (a unit, or else a merchant, a classification
//! or an hour of the week) together with goods (a product, or else a brand or category), and there
//! by the periods in which it is valid. So an event is held against the offers of its own place,
//! lines and time alone.

use std::hash::Hash;
use std::ops::Deref;

use rustc_hash::FxHashMap;

use crate::event::EventType;
use crate::id::{Classification, MerchantId, ProductId, UnitId};
use crate::offer::matching::Subject;
use crate::offer::{Conditions, Offer, OneOf};
use crate::programme::Programme;
use crate::time::Instant;
use crate::window::{Times, Validity, WeekHour};

/// The offers of a programme in the order of its document, with their index.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    list: Vec<Offer>,
    /// In the order of [`EventType::ALL`].
    by_type: [TypeIndex; EventType::ALL.len()],
}

/// A value that offers ask for; the first are the hours of the week.
type Number = u32;

/// Stands for the values of an offer that asks for none.
const ANY: Number = Number::MAX;

/// The first value that is not an hour.
const FIRST: Number = 7 * 24;

/// Most pairs of a place and goods under which one offer stands, where it lists several of both.
const MAX_PAIRS: usize = 1_000;

/// The offers that judge one type of events.
#[derive(Clone, Debug, Default)]
struct TypeIndex {
    /// How many values have a number.
    count: Number,
    units: FxHashMap<UnitId, Number>,
    merchants: FxHashMap<MerchantId, Number>,
    classifications: FxHashMap<Classification, Number>,
    products: FxHashMap<ProductId, Number>,
    brands: FxHashMap<ProductId, Number>,
    categories: FxHashMap<ProductId, Number>,
    /// By place and goods.
    spans: FxHashMap<(Number, Number), Spans>,
}

/// Offers with the periods in which each is valid.
#[derive(Clone, Debug, Default)]
struct Spans {
    /// By `from`; a binary tree whose root is in the middle.
    spans: Vec<Span>,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    from: i64,
    to: i64,
    /// The latest `to` of the subtree of which this is the root.
    latest: i64,
    offer: u32,
}

impl Deref for Offers {
    type Target = [Offer];

    fn deref(&self) -> &[Offer] {
        &self.list
    }
}

impl From<Vec<Offer>> for Offers {
    fn from(list: Vec<Offer>) -> Offers {
        let mut by_type: [TypeIndex; EventType::ALL.len()] = Default::default();
        for (number, offer) in (0_u32..).zip(&list) {
            for (index, of_type) in by_type.iter_mut().zip(EventType::ALL) {
                if offer.class.types().contains(&of_type) {
                    index.add(offer, number);
                }
            }
        }
        by_type.iter_mut().for_each(TypeIndex::finish);
        Offers { list, by_type }
    }
}

impl Offers {
    /// The offers that nothing excludes from judging the event, in the order of the document.
    /// It allocates for them alone.
    pub fn candidates<'a>(
        &'a self,
        programme: &Programme,
        subject: &Subject<'_>,
    ) -> impl Iterator<Item = &'a Offer> {
        let mut found: Vec<u32> = Vec::new();
        self.visit(subject, &mut |number, offer| {
            if offer.excludes(programme, subject).is_none() {
                found.push(number);
            }
        });
        found.sort_unstable();
        found.dedup();
        found.into_iter().filter_map(|number| self.at(number))
    }

    /// Looks at all offers that may be candidates, with their place in the document: at few
    /// others, and at one twice where the event has several of the things that it asks for.
    pub fn visit(&self, subject: &Subject<'_>, look: &mut impl FnMut(u32, &Offer)) {
        let of_type = subject.event.event_type();
        let indexed = self.by_type.iter().zip(EventType::ALL).find(|(_, known)| *known == of_type);
        if let Some((index, _)) = indexed {
            index.visit(subject, &mut |number| {
                if let Some(offer) = self.at(number) {
                    look(number, offer);
                }
            });
        }
    }

    fn at(&self, number: u32) -> Option<&Offer> {
        self.list.get(usize::try_from(number).ok()?)
    }
}

impl TypeIndex {
    fn add(&mut self, offer: &Offer, number: u32) {
        let spans = spans(offer, number);
        let (mut places, mut goods) = (self.places(offer), self.goods(&offer.when));
        let longer = places.len().max(goods.len());
        if places.len().saturating_mul(goods.len()) > MAX_PAIRS.max(longer) {
            // The shorter list is the more telling one.
            let dropped = if places.len() == longer { &mut places } else { &mut goods };
            *dropped = vec![ANY];
        }
        for place in places {
            for goods in &goods {
                self.spans.entry((place, *goods)).or_default().spans.extend(&spans);
            }
        }
    }

    /// Of the places that an offer asks for those that the fewest events have.
    fn places(&mut self, offer: &Offer) -> Vec<Number> {
        let (when, count) = (&offer.when, &mut self.count);
        numbers(&mut self.units, &when.units, count)
            .or_else(|| numbers(&mut self.merchants, &when.merchants, count))
            .or_else(|| numbers(&mut self.classifications, &when.classifications, count))
            .or_else(|| hours(offer))
            .unwrap_or_else(|| vec![ANY])
    }

    fn goods(&mut self, when: &Conditions) -> Vec<Number> {
        let count = &mut self.count;
        numbers(&mut self.products, &when.products, count)
            .or_else(|| numbers(&mut self.brands, &when.brands, count))
            .or_else(|| numbers(&mut self.categories, &when.categories, count))
            .unwrap_or_else(|| vec![ANY])
    }

    fn finish(&mut self) {
        self.spans.values_mut().for_each(Spans::finish);
    }

    fn visit(&self, subject: &Subject<'_>, look: &mut impl FnMut(u32)) {
        let event = subject.event;
        let places = [
            Some(ANY),
            Some(subject.clock.hour().number()),
            number(&self.units, event.unit.as_ref()),
            number(&self.merchants, subject.merchant),
            number(&self.classifications, event.classification.as_ref()),
        ];
        let mut goods = Vec::with_capacity(1 + 3 * subject.lines.len());
        goods.push(ANY);
        for shelf in &subject.lines {
            goods.extend(number(&self.products, shelf.line.product.as_ref()));
            goods.extend(number(&self.brands, shelf.brand));
            goods.extend(number(&self.categories, shelf.category));
        }
        goods.sort_unstable();
        goods.dedup();
        for place in places.into_iter().flatten() {
            for goods in &goods {
                if let Some(spans) = self.spans.get(&(place, *goods)) {
                    spans.visit(event.performed_on, look);
                }
            }
        }
    }
}

/// The numbers of all values that are asked for, new ones where they have none; none: any will do.
fn numbers<K: Clone + Eq + Hash + Ord>(
    known: &mut FxHashMap<K, Number>,
    asked: &OneOf<K>,
    count: &mut Number,
) -> Option<Vec<Number>> {
    let mut number = |value: &K| {
        *known.entry(value.clone()).or_insert_with(|| {
            *count += 1;
            FIRST + *count
        })
    };
    (!asked.is_any()).then(|| asked.values().iter().map(&mut number).collect())
}

/// The hours of the week in which it may be valid; none: all.
fn hours(offer: &Offer) -> Option<Vec<Number>> {
    let touch = |times: &Option<Times>, hour| times.as_ref().is_none_or(|t| t.touch(hour));
    let valid = |hour: &WeekHour| {
        let mut periods = offer.valid.iter();
        let within = periods.len() == 0 || periods.any(|period| touch(&period.times, *hour));
        within && touch(&offer.when.times, *hour)
    };
    let some = !WeekHour::all().all(|hour| valid(&hour));
    some.then(|| WeekHour::all().filter(valid).map(WeekHour::number).collect())
}

fn number<K: Eq + Hash>(known: &FxHashMap<K, Number>, value: Option<&K>) -> Option<Number> {
    known.get(value?).copied()
}

/// The periods in which an offer is valid.
fn spans(offer: &Offer, number: u32) -> Vec<Span> {
    let bound = |instant: Option<Instant>, open: i64| instant.map_or(open, |instant| instant.0);
    let span = |from, to| Span { from, to, latest: to, offer: number };
    let period = |v: &Validity| span(bound(v.from, i64::MIN), bound(v.to, i64::MAX));
    let always = offer.valid.is_empty().then(|| span(i64::MIN, i64::MAX));
    offer.valid.iter().map(period).chain(always).collect()
}

impl Spans {
    fn finish(&mut self) {
        self.spans.sort_by_key(|span| span.from);
        latest(&mut self.spans);
    }

    fn visit(&self, at: Instant, look: &mut impl FnMut(u32)) {
        search(&self.spans, at.0, look);
    }
}

/// Notes in each root the latest end of its subtree, and answers it.
fn latest(spans: &mut [Span]) -> i64 {
    let middle = spans.len() / 2;
    let (before, rest) = spans.split_at_mut(middle);
    let Some((root, after)) = rest.split_first_mut() else { return i64::MIN };
    root.latest = root.to.max(latest(before)).max(latest(after));
    root.latest
}

/// Those that hold this time; subtrees that ended before, or begin later, are not entered.
fn search(spans: &[Span], at: i64, look: &mut impl FnMut(u32)) {
    let (before, rest) = spans.split_at(spans.len() / 2);
    let Some((root, after)) = rest.split_first() else { return };
    // The last instant there is counts as open.
    if root.latest <= at && root.latest != i64::MAX {
        return;
    }
    search(before, at, look);
    if root.from <= at {
        if at < root.to || root.to == i64::MAX {
            look(root.offer);
        }
        search(after, at, look);
    }
}
