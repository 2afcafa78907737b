//! What accumulating offers make of an event: counted, and awarded once enough is counted.

use super::room::may_award;
use super::{Bench, Judged, give};
use crate::amount::Amount;
use crate::event::Awarded;
use crate::ledger::Effect;
use crate::offer::{Accumulation, Limit, Offer};
use crate::refusal::Reason;
use crate::tally::{self, Tally, TallyAward};

/// Counts an event and, where that reaches the threshold, awards what was counted. What is
/// not awarded because of a limit or a quota stays counted.
pub(super) fn accumulate(bench: Bench<'_>, offer: &Offer, judged: &mut Judged) {
    let Some(accumulation) = offer.accumulates else { return };
    let performed = bench.subject.clock.day;
    let mut tallies = bench.wallet.tallies_of(&offer.id);
    for (part, sum) in accumulation.outdated(&tallies, performed) {
        tally::count(&mut tallies, &offer.id, &part, -sum);
        judged.effects.push(Effect::Count { offer: offer.id.clone(), part, by: -sum });
    }
    let Some((part, by)) = accumulation.contribution(offer, bench.subject, performed) else {
        judged.passed_over.push((offer.id.clone(), Reason::AwardsNothing));
        return;
    };
    tally::count(&mut tallies, &offer.id, &part, by);
    let (counts, lines) = (accumulation.counts, offer.wanted_lines(bench.subject));
    judged.effects.push(Effect::Counted { offer: offer.id.clone(), part, by, counts, lines });
    match reward(bench, offer, accumulation, &tallies, &mut judged.effects) {
        Ok(awarded) => judged.awards.push(awarded),
        Err(reason) => judged.passed_over.push((offer.id.clone(), reason)),
    }
}

/// The award for what was counted, and what it consumes.
fn reward(
    bench: Bench<'_>,
    offer: &Offer,
    accumulation: Accumulation,
    tallies: &[Tally],
    effects: &mut Vec<Effect>,
) -> Result<Awarded, Reason> {
    let performed = bench.subject.clock.day;
    let reached = accumulation.reached(tallies, offer, performed).ok_or(Reason::Counted)?;
    let reached = if offer.limit == Limit::Multiple { reached } else { reached.once() };
    let each = offer.earned_by_sum(bench.programme, Amount(reached.sum));
    let each = each.map_err(|_| Reason::BalanceFull)?;
    let amount = each.times(reached.times).map_err(|_| Reason::BalanceFull)?;
    if amount.is_zero() {
        return Err(Reason::Counted);
    }
    // Discounts are of one purchase.
    let balance = offer.award.balance.as_ref().ok_or(Reason::AwardsNothing)?;
    let lot = offer.lot(balance, bench.today);
    may_award(bench, offer, &lot, amount, effects)?;
    give(bench, offer, &lot, amount, effects);
    for (part, by) in &reached.consumed {
        effects.push(Effect::Count { offer: offer.id.clone(), part: part.clone(), by: -by });
    }
    effects.push(Effect::Tallied(TallyAward {
        offer: offer.id.clone(),
        lot: lot.clone(),
        each,
        times: reached.times,
        per: reached.per,
        consumed: reached.consumed,
        slot: offer.slot(performed),
        place: offer.quota.first.is_some(),
        budget: offer.quota.budget.map_or(Amount::ZERO, |_| each),
    }));
    let (offer, lines) = (offer.id.clone(), Vec::new());
    Ok(Awarded { offer, lot, amount, exclusive: false, lines, counted: true })
}
