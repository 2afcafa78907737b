//! Which of many periods hold a time: found in a tree, so that those that ended long ago or begin
//! much later cost nothing.

use crate::offer::Offer;
use crate::time::Instant;
use crate::window::Validity;

/// Offers with the periods in which each is valid. By `from` they are a binary tree whose root is
/// in the middle.
#[derive(Clone, Debug, Default)]
pub struct Spans(Vec<Span>);

/// A period in which an offer is valid.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    from: i64,
    to: i64,
    /// The latest `to` of the subtree of which this is the root.
    latest: i64,
    offer: u32,
}

impl Spans {
    /// Adds an offer's periods; before they are looked at, all must be in their order.
    pub fn add(&mut self, spans: &[Span]) {
        self.0.extend_from_slice(spans);
    }

    /// Puts them into their order.
    pub fn finish(&mut self) {
        self.0.sort_by_key(|span| span.from);
        latest(&mut self.0);
    }

    /// Looks at the offers that are valid at this time.
    pub fn visit(&self, at: Instant, look: &mut impl FnMut(u32)) {
        search(&self.0, at.0, look);
    }
}

impl Span {
    /// All periods of an offer with this number.
    pub fn of(offer: &Offer, number: u32) -> Vec<Span> {
        let bound = |instant: Option<Instant>, open: i64| instant.map_or(open, |instant| instant.0);
        let span = |from, to| Span { from, to, latest: to, offer: number };
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
