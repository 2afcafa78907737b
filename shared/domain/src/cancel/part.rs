//! How much of what entries did is to be taken back: all, or what came back since.

use crate::activity::Activity;
use crate::amount::Amount;
use crate::event::{Discounted, EventState, RecordedEvent, SpendOn};
use crate::id::OfferId;
use crate::ledger::{Effect, Entry, LotId, TakenBack};
use crate::offer::Counts;
use crate::programme::Programme;
use crate::time::Instant;
use crate::wallet::Wallet;

/// What is to be taken back: all or a part of what these entries did.
#[derive(Clone, Copy, Debug)]
pub struct TakeBack<'a> {
    pub entries: &'a [Entry],
    /// The event that they are about, as it stands and as it will stand: what differs is taken
    /// back. None: taken back whole, as a spend without a purchase is, and what a referral awarded
    /// the referred participant.
    pub event: Option<(&'a RecordedEvent, &'a RecordedEvent)>,
    /// The ledger from [`TakeBack::history`] on, oldest first.
    pub later: &'a [Entry],
    /// As the caller says.
    pub reason: Option<&'a str>,
}

impl TakeBack<'_> {
    /// As the entry tells it.
    pub fn taken_back(&self) -> TakenBack {
        let entries = self.entries.iter().map(|entry| entry.sequence).collect();
        TakenBack { entries, reason: self.reason.map(Into::into) }
    }

    /// Whether goods came back and others are left.
    pub fn is_part(&self) -> bool {
        self.event.is_some_and(|(before, after)| {
            after.returns.len() > before.returns.len() && after.state == EventState::Posted
        })
    }

    /// From which entry on the ledger must be known: from the award of what is not in its lot any
    /// more, because it was spent, expired or moved to another.
    pub fn history(&self, programme: &Programme, wallet: &Wallet, now: Instant) -> Option<u64> {
        let mut wanted: Vec<(&LotId, Amount)> = Vec::new();
        let mut from = None;
        for entry in self.entries {
            for effect in &entry.effects {
                let Effect::Award { offer, lot, amount, .. } = effect else { continue };
                let more = self.award(entry, offer.as_ref(), *amount);
                let before = wanted.iter().filter(|(id, _)| *id == lot).map(|(_, sum)| sum.0);
                let sum = Amount(before.sum::<i64>() + more.0);
                wanted.push((lot, more));
                let there = lot.is_live(now, programme.zone) && sum <= wallet.held(lot);
                if !there && !more.is_zero() {
                    from = Some(from.unwrap_or(u64::MAX).min(entry.sequence));
                }
            }
        }
        from
    }

    /// Whether limits are freed and the purchase does not count any more.
    pub(super) fn is_whole(&self) -> bool {
        self.event.is_none_or(|(_, after)| after.state == EventState::Cancelled)
    }

    /// How much of an award, or of a discount, is taken back.
    pub(super) fn award(&self, entry: &Entry, offer: Option<&OfferId>, amount: Amount) -> Amount {
        let still = |event: &RecordedEvent| {
            let mut of_entry = event.judgements.iter().filter(|j| j.sequence == entry.sequence);
            let judgement = of_entry.next()?;
            let mut awards = judgement.awards.iter();
            if let Some(award) = awards.find(|award| Some(&award.offer) == offer) {
                return Some(event.still_awarded(entry.sequence, award));
            }
            let mut discounts = judgement.discounts.iter();
            discounts.find(|discount| Some(&discount.offer) == offer).map(Discounted::left)
        };
        match self.event.map(|(before, after)| (still(before), still(after))) {
            Some((Some(before), Some(after))) => before.less(after),
            Some(_) | None if self.is_whole() => amount,
            Some(_) | None => Amount::ZERO,
        }
    }

    /// What comes back of a spend, lot by lot, with the entry that had taken it, the spend's own or
    /// that of its hold. It still takes what it would have taken had it been for less, and for the
    /// lines that are left, so what expires last comes back first.
    pub(super) fn spend<'e>(&self, entry: &'e Entry) -> Vec<(u64, &'e LotId, Amount)> {
        let mut taken_by = Vec::new();
        let mut takes = Vec::new();
        for effect in &entry.effects {
            if let Effect::Take { lot, amount } = effect {
                taken_by.push(entry.sequence);
                takes.push((lot, *amount));
            } else if let Effect::TakeHeld { hold, lot, amount } = effect {
                taken_by.push(*hold);
                takes.push((lot, *amount));
            }
        }
        let still = |event: &RecordedEvent| {
            let mut own = event.spends.iter().filter(|spend| spend.sequence == entry.sequence);
            own.next().map(|spend| spend.left_of(&takes))
        };
        let all = || takes.iter().map(|(_, amount)| *amount).collect();
        let (before, after) = match self.event.map(|(was, is)| (still(was), still(is))) {
            Some((Some(before), Some(after))) => (before, after),
            Some(_) | None if self.is_whole() => (all(), vec![Amount::ZERO; takes.len()]),
            Some(_) | None => (all(), all()),
        };
        let back = before.into_iter().zip(after).map(|(had, keeps)| had.less(keeps));
        let lots = taken_by.into_iter().zip(takes).map(|(taken, (lot, _))| (taken, lot));
        let each = lots.zip(back).map(|((taken, lot), amount)| (taken, lot, amount));
        each.filter(|(_, _, amount)| !amount.is_zero()).collect()
    }

    /// How much less an accumulating offer counts of these lines.
    pub(super) fn counted(&self, counts: Counts, lines: &[u16], by: i64) -> i64 {
        // What has no lines is counted whole or not at all.
        let lined = self.event.filter(|(before, _)| !before.event.lines().is_empty());
        let Some((before, after)) = lined else {
            return if self.is_whole() { by } else { 0 };
        };
        before.left().counted(counts, lines) - after.left().counted(counts, lines)
    }

    /// What the month loses: a spend that takes nothing any more, and of what is judged the purchase
    /// and that offers gave something only with all of it.
    pub(super) fn activity(&self, entry: &Entry, did: &Activity) -> Activity {
        let count = |gone: bool, count: i32| if gone { -count } else { 0 };
        let purchased = did.purchases != 0;
        Activity {
            month: did.month,
            purchases: count(self.is_whole(), did.purchases),
            amount: Amount(if purchased { -self.purchased(did.amount).0 } else { 0 }),
            spends: count(did.spends != 0 && self.ends(entry), did.spends),
            awards: count(self.is_whole(), did.awards),
        }
    }

    /// Whether a spend took something until now, and takes nothing any more.
    pub(super) fn ends(&self, entry: &Entry) -> bool {
        let still = |event: &RecordedEvent| {
            let mut own = event.spends.iter().filter(|spend| spend.sequence == entry.sequence);
            own.next().map(SpendOn::spent)
        };
        match self.event.map(|(was, is)| (still(was), still(is))) {
            Some((Some(before), Some(after))) => !before.is_zero() && after.is_zero(),
            Some(_) | None => self.is_whole(),
        }
    }

    /// Whether these lines of the event, none: all of it, were there until now and are not any more.
    pub(super) fn leaves_nothing(&self, lines: &[u16]) -> bool {
        self.event.is_none_or(|(before, after)| {
            before.left().is_anything(lines) && !after.left().is_anything(lines)
        })
    }

    /// How much less the month counts.
    pub(super) fn purchased(&self, amount: Amount) -> Amount {
        let difference =
            self.event.map(|(before, after)| before.left().total().less(after.left().total()));
        difference.unwrap_or(amount)
    }
}
