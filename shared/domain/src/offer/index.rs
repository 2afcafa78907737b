//! Which offers are looked at for an event: those that could award it, however many others there
//! are.
//!
//! Each offer stands under a place that it asks for (a unit, or else a merchant, a classification
//! or an hour of the week) together with goods (a product, or else a brand or category), and there
//! by the periods in which it is valid. So an event is held against the offers of its own place,
//! lines and time alone. Places and goods are known by a hash: those that meet in one are looked
//! at in vain, and no harm is done.

use std::hash::Hash;
use std::ops::Deref;

use crate::event::EventType;
use crate::id::{Classification, MerchantId, ProductId, UnitId};
use crate::offer::matching::Subject;
use crate::offer::spans::{Key, Span, Spans};
use crate::offer::{Conditions, Offer, OneOf};
use crate::programme::Programme;
use crate::window::{Times, WeekHour};

/// The offers of a programme in the order of its document, with their index.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    list: Vec<Offer>,
    /// Those that judge one type of events, in the order of [`EventType::ALL`].
    by_type: [Spans; EventType::ALL.len()],
}

/// Where an event takes place, as offers ask for it.
#[derive(Hash)]
enum Place<'a> {
    Unit(&'a UnitId),
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
    /// Of offers that ask for no goods.
    Any,
}

/// Most places and goods under which one offer stands, where it lists several of both.
const MAX_PAIRS: usize = 1_000;

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
            let of_type = (0_u32..).zip(&list).filter(judges);
            of_type.flat_map(|(number, offer)| stands(offer, number)).collect()
        });
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
        let mut found = self.found(subject);
        found.sort_unstable();
        found.dedup();
        let fits = |offer: &&Offer| {
            offer.beneficiary == subject.whose && offer.excludes(programme, subject).is_none()
        };
        found.into_iter().filter_map(|number| self.at(number)).filter(fits)
    }

    /// Places in the document of all offers that may be candidates: of few others, and of one twice
    /// where the event has several of the things that it asks for.
    pub fn found(&self, subject: &Subject<'_>) -> Vec<u32> {
        let mut found = Vec::new();
        let of_type = subject.event.event_type();
        let indexed = self.by_type.iter().zip(EventType::ALL).find(|(_, known)| *known == of_type);
        let Some((index, _)) = indexed else { return found };
        let goods = goods(subject);
        for place in places(subject).into_iter().flatten() {
            for goods in &goods {
                index.visit(place.and(*goods), subject.clock.at, &mut |number| found.push(number));
            }
        }
        found
    }

    fn at(&self, number: u32) -> Option<&Offer> {
        self.list.get(usize::try_from(number).ok()?)
    }
}

/// The places of an event.
fn places(subject: &Subject<'_>) -> [Option<Key>; 5] {
    let event = subject.event;
    [
        event.unit.as_ref().map(|id| Key::of(Place::Unit(id))),
        subject.merchant.map(|id| Key::of(Place::Merchant(id))),
        event.classification.as_ref().map(|id| Key::of(Place::Classification(id))),
        Some(Key::of(Place::Hour(subject.clock.hour()))),
        Some(Key::of(Place::Any)),
    ]
}

/// The goods of an event.
fn goods(subject: &Subject<'_>) -> Vec<Key> {
    let mut goods = Vec::with_capacity(1 + 3 * subject.lines.len());
    goods.push(Key::of(Goods::Any));
    for shelf in &subject.lines {
        goods.extend(shelf.line.product.as_ref().map(|id| Key::of(Goods::Product(id))));
        goods.extend(shelf.brand.map(|id| Key::of(Goods::Brand(id))));
        goods.extend(shelf.category.map(|id| Key::of(Goods::Category(id))));
    }
    goods
}

/// Where an offer with this number stands.
fn stands(offer: &Offer, number: u32) -> Vec<Span> {
    let (mut places, mut goods) = (places_of(offer), goods_of(&offer.when));
    // Where an offer lists many of both, the shorter list is the more telling one.
    if places.len().min(goods.len()) > 1 && places.len() * goods.len() > MAX_PAIRS {
        if places.len() < goods.len() {
            goods = vec![Key::of(Goods::Any)];
        } else {
            places = vec![Key::of(Place::Any)];
        }
    }
    let pairs = places.iter().flat_map(|place| goods.iter().map(|goods| place.and(*goods)));
    pairs.flat_map(|pair| Span::of(offer, number, pair)).collect()
}

/// Of the places that an offer asks for those that the fewest events have.
fn places_of(offer: &Offer) -> Vec<Key> {
    let when = &offer.when;
    if !when.units.is_any() {
        keys(&when.units, Place::Unit)
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
