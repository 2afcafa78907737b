//! Which offers are looked at for an event: those that could award it, however many others there
//! are.
//!
//! Each offer stands under what fewest events have: one of the products, categories or brands, the
//! units, merchants or classifications that it asks for, or under nothing. There it stands by
//! the time in which it is valid. So an event is held against the offers of its own lines, unit
//! and day alone.

use std::hash::Hash;
use std::ops::Deref;

use rustc_hash::FxHashMap;

use crate::event::EventType;
use crate::id::{Classification, MerchantId, ProductId, UnitId};
use crate::offer::matching::Subject;
use crate::offer::{Offer, OneOf};
use crate::programme::Programme;
use crate::time::Instant;

/// The offers of a programme in the order of its document, with their index.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    list: Vec<Offer>,
    /// In the order of [`EventType::ALL`].
    by_type: [TypeIndex; EventType::ALL.len()],
}

/// The offers that judge one type of events.
#[derive(Clone, Debug, Default)]
struct TypeIndex {
    anywhere: Spans,
    products: FxHashMap<ProductId, Spans>,
    categories: FxHashMap<ProductId, Spans>,
    brands: FxHashMap<ProductId, Spans>,
    units: FxHashMap<UnitId, Spans>,
    merchants: FxHashMap<MerchantId, Spans>,
    classifications: FxHashMap<Classification, Spans>,
}

/// Offers with the time from the first to the last instant in which each is valid.
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
        let mut look = |number: u32| {
            let fits = |offer: &Offer| {
                offer.beneficiary == subject.whose && offer.excludes(programme, subject).is_none()
            };
            if self.at(number).is_some_and(fits) {
                found.push(number);
            }
        };
        let of_type = subject.event.event_type();
        let indexed = self.by_type.iter().zip(EventType::ALL).find(|(_, known)| *known == of_type);
        if let Some((index, _)) = indexed {
            index.visit(subject, &mut look);
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter().filter_map(|number| self.at(number))
    }

    fn at(&self, number: u32) -> Option<&Offer> {
        self.list.get(usize::try_from(number).ok()?)
    }
}

impl TypeIndex {
    fn add(&mut self, offer: &Offer, number: u32) {
        let when = &offer.when;
        let span = span(offer, number);
        let counts = [
            when.products.values().len(),
            when.categories.values().len(),
            when.brands.values().len(),
            when.units.values().len(),
            when.merchants.values().len(),
            when.classifications.values().len(),
        ];
        // The shortest list is the most telling one, and costs least to keep.
        let shortest = (0..counts.len()).filter(|at| counts[*at] > 0).min_by_key(|at| counts[*at]);
        match shortest {
            Some(0) => put(&mut self.products, &when.products, span),
            Some(1) => put(&mut self.categories, &when.categories, span),
            Some(2) => put(&mut self.brands, &when.brands, span),
            Some(3) => put(&mut self.units, &when.units, span),
            Some(4) => put(&mut self.merchants, &when.merchants, span),
            Some(_) => put(&mut self.classifications, &when.classifications, span),
            None => self.anywhere.spans.push(span),
        }
    }

    fn finish(&mut self) {
        self.anywhere.finish();
        let of_lines = [&mut self.products, &mut self.categories, &mut self.brands];
        of_lines.into_iter().flat_map(|map| map.values_mut()).for_each(Spans::finish);
        self.units.values_mut().for_each(Spans::finish);
        self.merchants.values_mut().for_each(Spans::finish);
        self.classifications.values_mut().for_each(Spans::finish);
    }

    fn visit(&self, subject: &Subject<'_>, look: &mut impl FnMut(u32)) {
        let at = subject.event.performed_on;
        self.anywhere.visit(at, look);
        visit(&self.units, subject.event.unit.as_ref(), at, look);
        visit(&self.merchants, subject.merchant, at, look);
        visit(&self.classifications, subject.event.classification.as_ref(), at, look);
        for shelf in &subject.lines {
            visit(&self.products, shelf.line.product.as_ref(), at, look);
            visit(&self.categories, shelf.category, at, look);
            visit(&self.brands, shelf.brand, at, look);
        }
    }
}

/// From the first to the last instant in which an offer is valid.
fn span(offer: &Offer, number: u32) -> Span {
    let bound = |instant: Option<Instant>, open: i64| instant.map_or(open, |instant| instant.0);
    let from = offer.valid.iter().map(|valid| bound(valid.from, i64::MIN)).min();
    let to = offer.valid.iter().map(|valid| bound(valid.to, i64::MAX)).max();
    let (from, to) = (from.unwrap_or(i64::MIN), to.unwrap_or(i64::MAX));
    Span { from, to, latest: to, offer: number }
}

fn put<K: Clone + Eq + Hash + Ord>(map: &mut FxHashMap<K, Spans>, under: &OneOf<K>, span: Span) {
    for key in under.values() {
        map.entry(key.clone()).or_default().spans.push(span);
    }
}

fn visit<K: Eq + Hash>(
    map: &FxHashMap<K, Spans>,
    key: Option<&K>,
    at: Instant,
    look: &mut impl FnMut(u32),
) {
    if map.is_empty() {
        return;
    }
    if let Some(spans) = key.and_then(|key| map.get(key)) {
        spans.visit(at, look);
    }
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
