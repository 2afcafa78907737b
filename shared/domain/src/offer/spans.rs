//! Which of many periods hold a time and stand under a key: found in a table by the key, and there
//! in a tree, so that those that ended long ago or begin much later cost nothing.

use std::hash::{BuildHasher, Hash};

use rustc_hash::FxBuildHasher;

use crate::offer::Offer;
use crate::time::Instant;
use crate::window::Validity;

/// Offers with the periods in which each is valid: a table by key, of which most buckets are empty,
/// so that to find nothing takes one look. Those of a key are by `from` a binary tree whose root is
/// in the middle.
#[derive(Clone, Debug, Default)]
pub struct Spans {
    /// By bucket and key.
    spans: Vec<Span>,
    /// Where each bucket begins and ends.
    buckets: Vec<(u32, u32)>,
    /// The bits of a key that do not say its bucket.
    shift: u32,
}

/// What a period stands under: a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(u64);

/// A period in which an offer is valid.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    key: Key,
    from: i64,
    to: i64,
    /// The latest `to` of the subtree of which this is the root.
    latest: i64,
    offer: u32,
}

/// Places of a table for each thing in it.
const ROOM: usize = 4;

impl From<Vec<Span>> for Spans {
    fn from(mut spans: Vec<Span>) -> Spans {
        let (mut buckets, shift) = table(spans.len(), (0, 0));
        // Keys of a bucket are neighbours, because its number is their first bits.
        spans.sort_by_key(|span| (span.key, span.from));
        spans.chunk_by_mut(|one, next| one.key == next.key).for_each(|of_key| {
            latest(of_key);
        });
        for (at, span) in (0..).zip(&spans) {
            let bucket = &mut buckets[span.key.bucket(shift)];
            *bucket = (if bucket.1 == 0 { at } else { bucket.0 }, at + 1);
        }
        Spans { spans, buckets, shift }
    }
}

impl Spans {
    /// Looks at the offers under a key that are valid at this time.
    pub fn visit(&self, key: Key, at: Instant, look: &mut impl FnMut(u32)) {
        match self.buckets.get(key.bucket(self.shift)) {
            Some((from, to)) if from < to => search(self.of_key(key, *from, *to), at.0, look),
            Some(_) | None => {}
        }
    }

    fn of_key(&self, key: Key, from: u32, to: u32) -> &[Span] {
        let place = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
        let bucket = self.spans.get(place(from)..place(to)).unwrap_or(&[]);
        let (_, rest) = bucket.split_at(bucket.partition_point(|span| span.key < key));
        rest.split_at(rest.partition_point(|span| span.key == key)).0
    }
}

/// Under which keys things may stand together with which others; "no" is certain. A table by key:
/// those that meet in a slot share it.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    /// The parts of all others, a bit for each 64th.
    slots: Vec<u64>,
    /// The bits of a key that do not say its slot.
    shift: u32,
}

impl From<Vec<(Key, Key)>> for Pairs {
    fn from(mut pairs: Vec<(Key, Key)>) -> Pairs {
        pairs.sort_unstable();
        let keys = pairs.chunk_by(|(one, _), (next, _)| one == next).count();
        let (mut slots, shift) = table(keys, 0);
        for (key, other) in pairs {
            slots[key.bucket(shift)] |= other.part();
        }
        Pairs { slots, shift }
    }
}

impl Pairs {
    /// The parts of all others that may stand together with a key: mostly none.
    pub fn parts(&self, key: Key) -> u64 {
        self.slots.get(key.bucket(self.shift)).copied().unwrap_or(0)
    }
}

/// A table with room for so many, and the bits of a key that do not say its place in it.
fn table<T: Clone>(count: usize, empty: T) -> (Vec<T>, u32) {
    let table = vec![empty; (count.max(1) * ROOM).next_power_of_two()];
    let shift = u64::BITS - table.len().ilog2();
    (table, shift)
}

impl Key {
    /// Of a thing by itself.
    pub fn of(what: impl Hash) -> Key {
        Key(FxBuildHasher.hash_one(what))
    }

    /// Of two things together.
    pub fn and(self, other: Key) -> Key {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        Key((self.0 ^ other.0).wrapping_mul(ODD))
    }

    /// In which part of all keys it is: one of 64 bits.
    pub fn part(self) -> u64 {
        1 << (self.0 >> (u64::BITS - u64::BITS.ilog2()))
    }

    fn bucket(self, shift: u32) -> usize {
        usize::try_from(self.0.wrapping_shr(shift)).unwrap_or(usize::MAX)
    }
}

impl Span {
    /// All periods of an offer with this number, under a key.
    pub fn of(offer: &Offer, number: u32, key: Key) -> Vec<Span> {
        let bound = |instant: Option<Instant>, open: i64| instant.map_or(open, |instant| instant.0);
        let span = |from, to| Span { key, from, to, latest: to, offer: number };
        let period = |v: &Validity| span(bound(v.from, i64::MIN), bound(v.to, i64::MAX));
        let always = offer.valid.is_empty().then(|| span(i64::MIN, i64::MAX));
        offer.valid.iter().map(period).chain(always).collect()
    }

    /// The last instant there is counts as open.
    fn holds(&self, at: i64) -> bool {
        self.from <= at && (at < self.to || self.to == i64::MAX)
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
    if root.latest <= at && root.latest != i64::MAX {
        return;
    }
    search(before, at, look);
    if root.holds(at) {
        look(root.offer);
    }
    if root.from <= at {
        search(after, at, look);
    }
}
