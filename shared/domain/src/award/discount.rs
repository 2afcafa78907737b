//! Discounts: what an offer takes off a purchase while it is paid.

use super::room::use_quota;
use super::{Bench, Judged};
use crate::amount::Amount;
use crate::event::{Discounted, RecordedEvent};
use crate::ledger::Effect;
use crate::offer::{Earned, Offer, Subject};
use crate::refusal::Reason;

/// What is still to be paid of a purchase while its discounts are given.
pub(super) struct Till {
    open: Amount,
    lines: Vec<Amount>,
}

impl Till {
    /// Before the first discount of a judgement.
    pub fn of(event: &RecordedEvent, subject: &Subject<'_>) -> Till {
        let lines = subject.lines.iter().map(|line| line.total).collect();
        Till { open: event.open(), lines }
    }

    /// Takes off what was earned: no line, and not the purchase, ever costs less than nothing.
    fn take(&mut self, earned: &Earned) -> (Amount, Vec<(u16, Amount)>) {
        if earned.each.is_empty() {
            let amount = earned.amount.min(self.open);
            self.open = self.open.less(amount);
            return (amount, Vec::new());
        }
        let mut lines = Vec::new();
        for (line, amount) in earned.lines.iter().zip(&earned.each) {
            let Some(left) = self.lines.get_mut(usize::from(*line)) else { continue };
            let amount = (*amount).min(*left).min(self.open);
            if !amount.is_zero() {
                *left = left.less(amount);
                self.open = self.open.less(amount);
                lines.push((*line, amount));
            }
        }
        (Amount(lines.iter().map(|(_, amount)| amount.0).sum()), lines)
    }
}

/// Gives a discount, where anything is left to take off, and counts it in the offer's limit and
/// quota.
pub(super) fn give(
    bench: Bench<'_>,
    till: &mut Till,
    offer: &Offer,
    earned: &Earned,
    judged: &mut Judged,
) -> Result<(), Reason> {
    let (amount, lines) = till.take(earned);
    if amount.is_zero() {
        return Err(Reason::AwardsNothing);
    }
    let (id, exclusive) = (offer.id.clone(), !offer.on_top);
    let slot = offer.slot(bench.subject.clock.day);
    judged.effects.push(Effect::Discount { offer: id.clone(), amount, slot });
    judged.effects.extend(use_quota(bench.wallet, offer, amount));
    let returned = Amount::ZERO;
    judged.discounts.push(Discounted { offer: id, amount, exclusive, lines, returned });
    Ok(())
}

impl Judged {
    /// Whether one of the offers of which only the best applies awarded the event.
    pub(super) fn has_exclusive(&self) -> bool {
        let discounts = self.discounts.iter().map(|discount| discount.exclusive);
        self.awards.iter().map(|award| award.exclusive).chain(discounts).any(|is| is)
    }
}
