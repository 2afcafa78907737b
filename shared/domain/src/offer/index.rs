//! Which offers are looked at for an event: those that could award it, however many others there
//! are.
//!
//! Each offer stands under a place that it asks for (a unit, or else an area, a merchant, a
//! classification or an hour of the week) together with goods (a product, or else a brand, a
//! category or what is popular), and there by the periods in which it is valid. So an event is held against the offers of its own place,
//! lines and time alone. Places and goods are known by a hash: those that meet in one are looked
//! at in vain, and no harm is done.

use std::hash::Hash;
use std::ops::Deref;

use crate::event::EventType;
use crate::id::{AreaId, Classification, MerchantId, ProductId, UnitId};
use crate::offer::matching::Subject;
use crate::offer::spans::{Key, Pairs, Span, Spans};
use crate::offer::{Conditions, Offer, OneOf};
use crate::time::Instant;
use crate::window::{Times, WeekHour};

/// The offers of a programme in the order of its document, with their index.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    list: Vec<Offer>,
    /// Whether any of them gives passes.
    give_passes: bool,
    /// In the order of [`EventType::ALL`].
    by_type: [TypeIndex; EventType::ALL.len()],
}

/// The offers that judge one type of events.
#[derive(Clone, Debug, Default)]
struct TypeIndex {
    /// Of goods and places.
    pairs: Pairs,
    /// By place and goods.
    offers: Spans,
}

/// Where an event takes place, as offers ask for it.
#[derive(Hash)]
enum Place<'a> {
    Unit(&'a UnitId),
    Area(&'a AreaId),
    Merchant(&'a MerchantId),
    Classification(&'a Classification),
    Hour(WeekHour),
    /// Of offers that ask for no place.
    Any,
}

/// What is bought, as offers ask for it.
#[derive(Hash)]
enum Goods<'a> {
    Product(&'a ProductId),
    Brand(&'a ProductId),
    Category(&'a ProductId),
    /// What is popular in the area of the event.
    Popular,
    /// Of offers that ask for no goods.
    Any,
}

/// Most places and goods under which one offer stands, where it lists several of both.
const MAX_PAIRS: usize = 1_000;

/// Offers that are found without more room.
const USUAL: usize = 16;

impl Deref for Offers {
    type Target = [Offer];

    fn deref(&self) -> &[Offer] {
        &self.list
    }
}

impl From<Vec<Offer>> for Offers {
    fn from(list: Vec<Offer>) -> Offers {
        let by_type = EventType::ALL.map(|of_type| {
            let judges = |(_, offer): &(u32, &Offer)| offer.class.types().contains(&of_type);
            TypeIndex::of((0_u32..).zip(&list).filter(judges))
        });
        let give_passes = list.iter().any(|offer| offer.award.pass.is_some());
        Offers { list, give_passes, by_type }
    }
}

impl Offers {
    /// Whether any of them gives passes, for which a key is needed.
    pub fn give_passes(&self) -> bool {
        self.give_passes
    }

    /// The offers that nothing excludes from judging the event, in the order of the document.
    /// It allocates for them alone.
    pub fn candidates<'a>(&'a self, subject: &Subject<'_>) -> impl Iterator<Item = &'a Offer> {
        let mut found = self.found(subject);
        found.sort_unstable();
        found.dedup();
        let fits = |offer: &&Offer| {
            offer.beneficiary == subject.whose && offer.excludes(subject).is_none()
        };
        found.into_iter().filter_map(|number| self.at(number)).filter(fits)
    }

    /// Places in the document of all offers that may be candidates: of few others, and of one twice
    /// where the event has several of the things that it asks for.
    pub fn found(&self, subject: &Subject<'_>) -> Vec<u32> {
        let mut found = Vec::with_capacity(USUAL);
        let of_type = subject.event.event_type();
        let indexed = self.by_type.iter().zip(EventType::ALL).find(|(_, known)| *known == of_type);
        if let Some((index, _)) = indexed {
            let places = places(subject);
            let parts = places.iter().fold(0, |parts, place| parts | place.part());
            let mut look = |goods: Key| {
                // Most goods of an event are in no offer that may award at its place.
                if index.pairs.parts(goods) & parts != 0 {
                    index.visit(&places, goods, subject.clock.at, &mut found);
                }
            };
            look(Key::of(Goods::Any));
            if subject.lines.iter().any(|line| line.popular) {
                look(Key::of(Goods::Popular));
            }
            for shelf in &subject.lines {
                shelf.line.product.iter().for_each(|id| look(Key::of(Goods::Product(id))));
                shelf.brand.iter().for_each(|id| look(Key::of(Goods::Brand(id))));
                shelf.category.iter().for_each(|id| look(Key::of(Goods::Category(id))));
            }
        }
        found
    }

    fn at(&self, number: u32) -> Option<&Offer> {
        self.list.get(usize::try_from(number).ok()?)
    }
}

impl TypeIndex {
    fn of<'a>(offers: impl Iterator<Item = (u32, &'a Offer)>) -> TypeIndex {
        let (mut pairs, mut spans) = (Vec::new(), Vec::new());
        for (number, offer) in offers {
            let (places, goods) = stands(offer);
            for goods in &goods {
                pairs.extend(places.iter().map(|place| (*goods, *place)));
                let keys = places.iter().map(|place| place.and(*goods));
                spans.extend(keys.flat_map(|key| Span::of(offer, number, key)));
            }
        }
        TypeIndex { pairs: pairs.into(), offers: spans.into() }
    }

    /// Finds the offers of these goods, at any of these places, that are valid at this time. Apart
    /// from its callers, so that goods that are passed by cost them nothing.
    #[inline(never)]
    fn visit(&self, places: &[Key], goods: Key, at: Instant, found: &mut Vec<u32>) {
        let parts = self.pairs.parts(goods);
        for place in places.iter().filter(|place| parts & place.part() != 0) {
            self.offers.visit(place.and(goods), at, &mut |number| found.push(number));
        }
    }
}

/// The places and the goods under which an offer stands.
fn stands(offer: &Offer) -> (Vec<Key>, Vec<Key>) {
    let (places, goods) = (places_of(offer), goods_of(&offer.when));
    // Where an offer lists many of both, the shorter list is the more telling one.
    if places.len().min(goods.len()) == 1 || places.len() * goods.len() <= MAX_PAIRS {
        (places, goods)
    } else if places.len() < goods.len() {
        (places, vec![Key::of(Goods::Any)])
    } else {
        (vec![Key::of(Place::Any)], goods)
    }
}

/// The places of an event.
fn places(subject: &Subject<'_>) -> Vec<Key> {
    let event = subject.event;
    let places = [
        event.unit.as_ref().map(Place::Unit),
        subject.area.map(Place::Area),
        subject.merchant.map(Place::Merchant),
        event.classification.as_ref().map(Place::Classification),
        Some(Place::Hour(subject.clock.hour())),
        Some(Place::Any),
    ];
    places.into_iter().flatten().map(Key::of).collect()
}

/// Of the places that an offer asks for those that the fewest events have.
fn places_of(offer: &Offer) -> Vec<Key> {
    let when = &offer.when;
    if !when.units.is_any() {
        keys(&when.units, Place::Unit)
    } else if !when.areas.is_any() {
        keys(&when.areas, Place::Area)
    } else if !when.merchants.is_any() {
        keys(&when.merchants, Place::Merchant)
    } else if !when.classifications.is_any() {
        keys(&when.classifications, Place::Classification)
    } else {
        hours_of(offer)
    }
}

/// Of the goods that an offer asks for those that the fewest events have.
fn goods_of(when: &Conditions) -> Vec<Key> {
    if !when.products.is_any() {
        keys(&when.products, Goods::Product)
    } else if !when.brands.is_any() {
        keys(&when.brands, Goods::Brand)
    } else if !when.categories.is_any() {
        keys(&when.categories, Goods::Category)
    } else if when.popular {
        vec![Key::of(Goods::Popular)]
    } else {
        vec![Key::of(Goods::Any)]
    }
}

fn keys<'a, T: Eq + Hash, W: Hash>(asked: &'a OneOf<T>, what: impl Fn(&'a T) -> W) -> Vec<Key> {
    asked.values().iter().map(|value| Key::of(what(value))).collect()
}

/// The hours of the week in which an offer may be valid.
fn hours_of(offer: &Offer) -> Vec<Key> {
    let touch = |times: &Option<Times>, hour| times.as_ref().is_none_or(|t| t.touch(hour));
    let valid = |hour: &WeekHour| {
        let within = offer.valid.iter().any(|period| touch(&period.times, *hour));
        (within || offer.valid.is_empty()) && touch(&offer.when.times, *hour)
    };
    if WeekHour::all().all(|hour| valid(&hour)) {
        return vec![Key::of(Place::Any)];
    }
    WeekHour::all().filter(valid).map(|hour| Key::of(Place::Hour(hour))).collect()
}
