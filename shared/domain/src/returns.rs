//! Goods that come back: what is left of a purchase, of its awards and of its spends.
//!
//! Everything is computed from what was purchased, awarded and spent at first, and from what is
//! left of it: several returns come to what one return of them all would have come to.

use std::borrow::Cow;

use crate::amount::{Amount, share_of};
use crate::event::{
    Awarded, Detail, Discounted, Due, Event, EventState, Line, Purchase, RecordedEvent, SpendOn,
};
use crate::ledger::{LotId, PayloadHash, SpendCause};
use crate::offer::Counts;
use crate::programme::Programme;
use crate::refusal::Refusal;
use crate::spend::{parts_left, sum};

/// So many pieces of one line that come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReturnedLine {
    /// Among the lines of the purchase, from 0.
    pub index: u16,
    /// At least 1.
    pub quantity: u32,
}

/// A cancel of an event, whole or in part, that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    /// The ledger entry.
    pub sequence: u64,
    /// Of the caller's key: one key, one answer.
    pub key: PayloadHash,
    /// Of what was asked under the key.
    pub payload: PayloadHash,
    /// What came back; none: all that was left.
    pub lines: Vec<ReturnedLine>,
    /// As the caller says.
    pub reason: Option<Box<str>>,
}

/// How much of each line is left.
#[derive(Clone, Debug)]
pub struct Left<'a> {
    lines: &'a [Line],
    quantities: Vec<u32>,
    cancelled: bool,
}

impl Line {
    /// So many pieces of this line, with their share of its VAT.
    fn of_quantity(&self, quantity: u32) -> Line {
        let vat = share_of(self.vat, i64::from(quantity), i64::from(self.quantity));
        Line { quantity, vat, ..self.clone() }
    }
}

impl Left<'_> {
    /// Pieces of a line.
    pub fn quantity(&self, index: usize) -> u32 {
        if self.cancelled { 0 } else { self.quantities.get(index).copied().unwrap_or(0) }
    }

    /// What is left of these lines, or of all, in currency.
    fn value(&self, of: &[u16]) -> Amount {
        Amount(self.chosen(of).map(|(index, line)| self.total_of(index, line).0).sum())
    }

    /// What is left of each line, in currency.
    pub(crate) fn totals(&self) -> impl Iterator<Item = Amount> {
        self.lines.iter().enumerate().map(|(index, line)| self.total_of(index, line))
    }

    fn total_of(&self, index: usize, line: &Line) -> Amount {
        // Less than a total that was accepted.
        line.of_quantity(self.quantity(index)).total().unwrap_or(Amount::ZERO)
    }

    /// What is left of the purchase, in currency.
    pub fn total(&self) -> Amount {
        self.value(&[])
    }

    /// What an accumulating offer counts of what is left of these lines, or of all.
    pub fn counted(&self, counts: Counts, of: &[u16]) -> i64 {
        let pieces = |(index, _)| i64::from(self.quantity(index));
        match counts {
            Counts::Amount => self.value(of).0,
            Counts::Pieces => self.chosen(of).map(pieces).sum(),
            Counts::Events | Counts::EachClassification => i64::from(self.is_anything(&[])),
        }
    }

    fn chosen(&self, of: &[u16]) -> impl Iterator<Item = (usize, &Line)> {
        let chosen =
            move |index: usize| of.is_empty() || of.iter().any(|i| usize::from(*i) == index);
        self.lines.iter().enumerate().filter(move |(index, _)| chosen(*index))
    }

    /// Whether anything is left of these lines; of what has no lines, all is left or nothing.
    pub(crate) fn is_anything(&self, of: &[u16]) -> bool {
        let whole = self.lines.is_empty() && !self.cancelled;
        whole || self.chosen(of).any(|(index, _)| self.quantity(index) > 0)
    }
}

impl SpendOn {
    /// What it still takes, in its balance.
    pub fn spent(&self) -> Amount {
        if self.cancelled { Amount::ZERO } else { self.made.spent.less(self.returned) }
    }

    /// What it still takes of each of these, which its entry took from lots, in their order.
    pub(crate) fn left_of(&self, takes: &[(&LotId, Amount)]) -> Vec<Amount> {
        if self.cancelled {
            return vec![Amount::ZERO; takes.len()];
        }
        let (mut parts, mut part) = (self.parts.iter(), None);
        let mut rest = self.spent().less(sum(&self.parts));
        let still = |(lot, taken): &(&LotId, Amount)| {
            let terms = lot.line_terms();
            if part.as_ref().is_none_or(|(known, _): &(Option<_>, _)| known.as_ref() != terms) {
                part = parts.next().cloned();
            }
            // What comes after the parts has what they leave.
            let of_part = part.as_mut().map_or(&mut rest, |(_, amount)| amount);
            let still = (*taken).min(*of_part);
            *of_part = of_part.less(still);
            still
        };
        takes.iter().map(still).collect()
    }

    /// What it still pays of the purchase, in currency.
    pub fn covered(&self) -> Amount {
        self.covered_by(self.spent())
    }

    fn covered_by(&self, spent: Amount) -> Amount {
        share_of(self.made.covered.unwrap_or_default(), spent.0, self.made.spent.0)
    }
}

impl RecordedEvent {
    /// What is left of its lines now.
    pub fn left(&self) -> Left<'_> {
        self.left_before(u64::MAX)
    }

    /// What was left of its lines before the ledger entry with this sequence.
    fn left_before(&self, sequence: u64) -> Left<'_> {
        let lines = self.event.lines();
        let mut quantities: Vec<u32> = lines.iter().map(|line| line.quantity).collect();
        let earlier = self.returns.iter().filter(|back| back.sequence < sequence);
        for back in earlier.flat_map(|back| &back.lines) {
            if let Some(left) = quantities.get_mut(usize::from(back.index)) {
                *left = left.saturating_sub(back.quantity);
            }
        }
        // Nothing is judged or spent once all of it was cancelled.
        let cancelled = sequence == u64::MAX && self.state == EventState::Cancelled;
        Left { lines, quantities, cancelled }
    }

    /// What the purchase can still be paid with, in currency.
    pub fn open(&self) -> Amount {
        self.left().total().less(self.discounted()).less(self.covered())
    }

    /// What discounts still take off each line, and off the purchase as a whole.
    pub(crate) fn discounted_by_line(&self) -> (Vec<Amount>, Amount) {
        let mut off = vec![Amount::ZERO; self.event.lines().len()];
        let mut anywhere = self.discounted();
        let totals: Vec<Amount> = self.left().totals().collect();
        for discount in self.discounts() {
            for (line, amount) in &discount.lines {
                let at = usize::from(*line);
                let share = share_of(*amount, discount.left().0, discount.amount.0);
                let fits = share.min(totals[at].less(off[at]));
                off[at] = Amount(off[at].0 + fits.0);
                anywhere = anywhere.less(fits);
            }
        }
        (off, anywhere)
    }

    /// What is left of an award that the judgement with this sequence made: the share of it that
    /// what is left of its lines has in what they were when they were awarded. What was counted
    /// over many events goes back by what is counted, not by this one.
    pub fn still_awarded(&self, sequence: u64, award: &Awarded) -> Amount {
        if award.counted {
            return award.amount;
        }
        let (then, now) = (self.left_before(sequence), self.left());
        let worth = then.value(&award.lines);
        if worth.is_zero() {
            // Awarded for nothing that was paid: it stands while any of it is left.
            return if now.is_anything(&award.lines) { award.amount } else { Amount::ZERO };
        }
        share_of(award.amount, now.value(&award.lines).0, worth.0)
    }

    /// The event as offers judge it: a purchase with the lines that are left, where some came back
    /// before it was judged. What was returned is not part of it any more.
    pub fn remaining(&self) -> Cow<'_, RecordedEvent> {
        if self.returns.is_empty() || self.state == EventState::Cancelled {
            return Cow::Borrowed(self);
        }
        let left = self.left();
        let kept = self.kept_lines().into_iter().map(usize::from);
        let lines = kept.filter_map(|index| {
            let line = left.lines.get(index)?;
            Some(line.of_quantity(left.quantity(index)))
        });
        let Detail::Purchase(purchase) = &self.event.detail else { return Cow::Borrowed(self) };
        let detail = Detail::Purchase(Purchase { lines: lines.collect(), ..purchase.clone() });
        let event = Event { detail, ..self.event.clone() };
        Cow::Owned(RecordedEvent { event, returns: Vec::new(), ..self.clone() })
    }

    /// Indices of the lines of which something is left: those of [`RecordedEvent::remaining`].
    pub fn kept_lines(&self) -> Vec<u16> {
        let left = self.left();
        (0_u16..)
            .zip(left.lines)
            .map(|(index, _)| index)
            .filter(|index| left.quantity(usize::from(*index)) > 0)
            .collect()
    }

    /// The event once this came back. A return of the last pieces cancels it, as does one that
    /// names no lines.
    ///
    /// # Errors
    /// `ReturnedAlready`: it names more pieces than are left; `AlreadyCancelled`: nothing is left.
    pub fn with_return(
        &self,
        programme: &Programme,
        back: Return,
    ) -> Result<RecordedEvent, Refusal> {
        let left = self.left();
        if back.lines.iter().any(|line| line.quantity > left.quantity(usize::from(line.index))) {
            return Err(Refusal::ReturnedAlready);
        }
        if self.state == EventState::Cancelled {
            return Err(Refusal::AlreadyCancelled);
        }
        let mut after = self.clone();
        let whole = back.lines.is_empty();
        after.returns.push(back);
        if whole || !after.left().is_anything(&[]) {
            after.state = EventState::Cancelled;
            after.due = Due::Nothing;
            after.spends.iter_mut().for_each(|spend| spend.cancelled = true);
            after.discounts_mut().for_each(|discount| discount.returned = discount.amount);
        } else {
            after.reduce_discounts();
            after.reduce_spends(programme);
        }
        Ok(after)
    }

    /// What is left of the award that was spent instantly; none of another spend.
    fn award_of(&self, spend: &SpendOn) -> Option<Amount> {
        let SpendCause::Instant { offer } = &spend.made.cause else { return None };
        self.judgements.iter().find_map(|judgement| {
            let award = judgement.awards.iter().find(|award| award.offer == *offer)?;
            Some(self.still_awarded(judgement.sequence, award))
        })
    }

    fn discounts_mut(&mut self) -> impl Iterator<Item = &mut Discounted> {
        self.judgements.iter_mut().flat_map(|judgement| &mut judgement.discounts)
    }

    /// What is left of a discount that the judgement with this sequence gave: the share that what
    /// is left of its lines, or of the purchase, has in what they were.
    fn still_discounted(&self, sequence: u64, discount: &Discounted) -> Amount {
        let (then, now) = (self.left_before(sequence), self.left());
        let share = |amount, of: &[u16]| share_of(amount, now.value(of).0, then.value(of).0);
        if discount.lines.is_empty() {
            return share(discount.amount, &[]);
        }
        let lines = discount.lines.iter().map(|(line, amount)| share(*amount, &[*line]).0);
        Amount(lines.sum())
    }

    /// Each discount becomes its share of what is left, rounded down; together they never are more
    /// than what is left.
    fn reduce_discounts(&mut self) {
        let each = self.judgements.iter().flat_map(|judgement| {
            let still = |discount| self.still_discounted(judgement.sequence, discount);
            judgement.discounts.iter().map(still)
        });
        let (still, mut open): (Vec<Amount>, Amount) = (each.collect(), self.left().total());
        for (discount, still) in self.discounts_mut().zip(still) {
            let left = still.min(discount.left()).min(open);
            discount.returned = discount.amount.less(left);
            open = open.less(left);
        }
    }

    /// Each spend takes its share of what is left, rounded down, an instant one no more than is left
    /// of its award; together, and with the discounts, they never pay more than what is left.
    fn reduce_spends(&mut self, programme: &Programme) {
        let total = self.left().total();
        let mut open = total.less(self.discounted());
        for at in 0..self.spends.len() {
            let spend = &self.spends[at];
            if spend.cancelled {
                continue;
            }
            let base = self.left_before(spend.sequence).total();
            let share = share_of(spend.made.spent, total.0, base.0).min(spend.spent());
            let share = self.award_of(spend).map_or(share, |award| share.min(award));
            let fits = spend.covered_by(share) <= open;
            let covers = spend.made.covered.unwrap_or_default();
            let share = if fits { share } else { share_of(spend.made.spent, open.0, covers.0) };
            let parts = if spend.parts.is_empty() {
                vec![]
            } else {
                parts_left(programme, self, at, share)
            };
            let spend = &mut self.spends[at];
            spend.parts = parts;
            spend.returned = spend.made.spent.less(share);
            open = open.less(spend.covered());
        }
    }
}
