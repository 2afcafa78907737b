//! Which offers are looked at for an event: those that could award it, however many others there
//! are.
//!
//! Each offer stands under a place that it asks for (a unit, or else an area, a merchant, a
//! classification or an hour of the week), there under goods (a product, or else a brand, a
//! category or what is popular in the area), and there by the periods in which it is valid. So an
//! event is held against the offers of its own place, lines and time alone.

use std::hash::Hash;
use std::ops::Deref;

use rustc_hash::FxHashMap;

use crate::event::EventType;
use crate::id::{AreaId, Classification, MerchantId, ProductId, UnitId};
use crate::offer::matching::Subject;
use crate::offer::spans::{Span, Spans};
use crate::offer::{Conditions, Offer, OneOf};
use crate::programme::Programme;
use crate::time::Instant;
use crate::window::{Times, WeekHour};

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
    units: FxHashMap<UnitId, Number>,
    areas: FxHashMap<AreaId, Number>,
    merchants: FxHashMap<MerchantId, Number>,
    classifications: FxHashMap<Classification, Number>,
    /// By number; the first are the hours of the week.
    places: Vec<Place>,
    products: FxHashMap<ProductId, Number>,
    brands: FxHashMap<ProductId, Number>,
    categories: FxHashMap<ProductId, Number>,
    /// Offers that ask for no place, by the number of their goods.
    anywhere: Vec<Spans>,
}

/// Of a place or of goods.
type Number = usize;

/// The goods of an offer that asks for none.
const ANY: Number = 0;

/// The goods of an offer on what is popular in the area of the event.
const POPULAR: Number = 1;

/// Most places and goods under which one offer stands, where it lists several of both.
const MAX_PAIRS: usize = 1_000;

/// The offers of a place by the number of their goods.
#[derive(Clone, Debug, Default)]
struct Place(FxHashMap<Number, Spans>);

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
            if offer.beneficiary == subject.whose && offer.excludes(programme, subject).is_none() {
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
        let spans = Span::of(offer, number);
        let (mut places, mut goods) = (self.places_of(offer), self.goods_of(&offer.when));
        // Where an offer lists many of both, the shorter list is the more telling one.
        if places.len().min(goods.len()) > 1 && places.len() * goods.len() > MAX_PAIRS {
            if places.len() < goods.len() { goods = vec![ANY] } else { places.clear() }
        }
        for place in &places {
            let place = room(&mut self.places, *place);
            goods.iter().for_each(|goods| place.0.entry(*goods).or_default().add(&spans));
        }
        if places.is_empty() {
            goods.iter().for_each(|goods| room(&mut self.anywhere, *goods).add(&spans));
        }
    }

    /// Of the places that an offer asks for those that the fewest events have; none: any will do.
    fn places_of(&mut self, offer: &Offer) -> Vec<Number> {
        let when = &offer.when;
        let known = self.units.len() + self.areas.len() + self.merchants.len();
        let known = known + self.classifications.len();
        let mut next = WeekHour::COUNT + known;
        if !when.units.is_any() {
            numbers(&mut self.units, &when.units, &mut next)
        } else if !when.areas.is_any() {
            numbers(&mut self.areas, &when.areas, &mut next)
        } else if !when.merchants.is_any() {
            numbers(&mut self.merchants, &when.merchants, &mut next)
        } else if !when.classifications.is_any() {
            numbers(&mut self.classifications, &when.classifications, &mut next)
        } else {
            hours_of(offer)
        }
    }

    /// Of the goods that an offer asks for those that the fewest events have.
    fn goods_of(&mut self, when: &Conditions) -> Vec<Number> {
        let known = self.products.len() + self.brands.len() + self.categories.len();
        let mut next = POPULAR + 1 + known;
        if !when.products.is_any() {
            numbers(&mut self.products, &when.products, &mut next)
        } else if !when.brands.is_any() {
            numbers(&mut self.brands, &when.brands, &mut next)
        } else if !when.categories.is_any() {
            numbers(&mut self.categories, &when.categories, &mut next)
        } else if when.popular {
            vec![POPULAR]
        } else {
            vec![ANY]
        }
    }

    fn finish(&mut self) {
        let of_places = self.places.iter_mut().flat_map(|place| place.0.values_mut());
        self.anywhere.iter_mut().chain(of_places).for_each(Spans::finish);
    }

    fn visit(&self, subject: &Subject<'_>, look: &mut impl FnMut(u32)) {
        let event = subject.event;
        let mut goods = Vec::with_capacity(2 + 3 * subject.lines.len());
        goods.push(ANY);
        goods.extend(subject.lines.iter().any(|line| line.popular).then_some(POPULAR));
        for shelf in &subject.lines {
            goods.extend(shelf.line.product.as_ref().and_then(|id| self.products.get(id)));
            goods.extend(shelf.brand.and_then(|id| self.brands.get(id)));
            goods.extend(shelf.category.and_then(|id| self.categories.get(id)));
        }
        // What several lines have is looked at once.
        goods.sort_unstable();
        goods.dedup();
        let at = event.performed_on;
        goods.iter().filter_map(|goods| self.anywhere.get(*goods)).for_each(|s| s.visit(at, look));
        let places = [
            event.unit.as_ref().and_then(|id| self.units.get(id)),
            subject.area.and_then(|id| self.areas.get(id)),
            subject.merchant.and_then(|id| self.merchants.get(id)),
            event.classification.as_ref().and_then(|id| self.classifications.get(id)),
            Some(&subject.clock.hour().number()),
        ];
        for place in places.into_iter().flatten().filter_map(|place| self.places.get(*place)) {
            place.visit(&goods, at, look);
        }
    }
}

/// The numbers of all that is asked for; what is new gets the next.
fn numbers<K: Clone + Eq + Hash + Ord>(
    known: &mut FxHashMap<K, Number>,
    asked: &OneOf<K>,
    next: &mut Number,
) -> Vec<Number> {
    let mut number = |value: &K| {
        let number = *known.entry(value.clone()).or_insert(*next);
        *next += usize::from(number == *next);
        number
    };
    asked.values().iter().map(&mut number).collect()
}

/// What has this number, made where it is new.
fn room<T: Clone + Default>(list: &mut Vec<T>, number: Number) -> &mut T {
    list.resize(list.len().max(number + 1), T::default());
    &mut list[number]
}

/// The hours of the week in which an offer may be valid; none: all.
fn hours_of(offer: &Offer) -> Vec<Number> {
    let touch = |times: &Option<Times>, hour| times.as_ref().is_none_or(|t| t.touch(hour));
    let valid = |hour: &WeekHour| {
        let within = offer.valid.iter().any(|period| touch(&period.times, *hour));
        (within || offer.valid.is_empty()) && touch(&offer.when.times, *hour)
    };
    let hours: Vec<Number> = WeekHour::all().filter(valid).map(WeekHour::number).collect();
    if hours.len() == WeekHour::COUNT { Vec::new() } else { hours }
}

impl Place {
    /// Looks through the offers of these goods, which are sorted, or of all goods of this place:
    /// whichever are fewer.
    fn visit(&self, goods: &[Number], at: Instant, look: &mut impl FnMut(u32)) {
        if self.0.len() < goods.len() {
            let sold = self.0.iter().filter(|(number, _)| goods.binary_search(number).is_ok());
            sold.for_each(|(_, spans)| spans.visit(at, look));
        } else {
            let sold = goods.iter().filter_map(|number| self.0.get(number));
            sold.for_each(|spans| spans.visit(at, look));
        }
    }
}
