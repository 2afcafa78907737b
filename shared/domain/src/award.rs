//! Awarding: which offers award an event, how much, and why the others were passed over.

use crate::amount::{Amount, MAX_MINOR, Worth};
use crate::event::{Awarded, Due, Event, EventState, RecordedEvent};
use crate::id::OfferId;
use crate::ledger::{Effect, LotId};
use crate::offer::{EvaluationMethod, Offer};
use crate::programme::Programme;
use crate::refusal::Reason;
use crate::time::Instant;
use crate::wallet::Wallet;

/// Who asks for a judgement, and so which offers may judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Offers that may be interactive; the others await a run.
    Interactive,
    /// All offers that have not judged the event.
    Run,
}

/// What judging an event came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    pub awards: Vec<Awarded>,
    /// Candidates that awarded nothing.
    pub passed_over: Vec<(OfferId, Reason)>,
    pub effects: Vec<Effect>,
    /// Whether offers that only a run applies could still award the event.
    pub awaits_run: bool,
}

struct Candidate<'a> {
    offer: &'a Offer,
    amount: Amount,
}

/// Judges an event for a wallet as it is now. Limits are decided on the wallet, so two judgements
/// must not be made from the same one. A cancelled event is never awarded.
pub fn judge(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    event: &RecordedEvent,
    mode: Mode,
) -> Judged {
    let mut judged = Judged::default();
    if event.state == EventState::Cancelled {
        return judged;
    }
    let (candidates, waiting) = candidates(programme, wallet, now, event, mode, &mut judged);
    let best = best_exclusive(programme, &candidates);
    let mut wallet = wallet.clone();
    for (at, candidate) in candidates.iter().enumerate() {
        let taken = event.has_exclusive_award() || best != Some(at);
        if !candidate.offer.on_top && taken {
            judged.passed_over.push((candidate.offer.id.clone(), Reason::NotBest));
            continue;
        }
        match award(programme, &wallet, now, &event.event, candidate) {
            Ok((awarded, effect)) => {
                wallet.carry_out(&effect);
                judged.awards.push(awarded);
                judged.effects.push(effect);
            }
            Err(reason) => judged.passed_over.push((candidate.offer.id.clone(), reason)),
        }
    }
    let taken = event.has_exclusive_award() || judged.awards.iter().any(|award| award.exclusive);
    for offer in waiting {
        let too_late = !offer.on_top && taken;
        let reason = if too_late { Reason::NotBest } else { Reason::AwaitsRun };
        judged.awaits_run |= !too_late;
        judged.passed_over.push((offer.id.clone(), reason));
    }
    judged
}

/// Which offers an event still awaits after a judgement.
pub fn due_after(judged: &Judged) -> Due {
    if judged.awaits_run { Due::BatchOnly } else { Due::Nothing }
}

/// Why every offer that is no candidate is none.
pub fn exclusions(programme: &Programme, event: &Event) -> Vec<(OfferId, Reason)> {
    let of_class = programme.offers.iter().filter(|o| o.class.judges(event.event_type()));
    of_class.filter_map(|o| Some((o.id.clone(), o.excludes(programme, event)?))).collect()
}

/// The offers that would award something, limits included, and those that a run may find to do so;
/// the rest of the candidates are noted as passed over.
fn candidates<'a>(
    programme: &'a Programme,
    wallet: &Wallet,
    now: Instant,
    event: &RecordedEvent,
    mode: Mode,
    judged: &mut Judged,
) -> (Vec<Candidate<'a>>, Vec<&'a Offer>) {
    let (mut candidates, mut waiting) = (Vec::new(), Vec::new());
    let event_type = event.event.event_type();
    for offer in programme.offers.iter().filter(|offer| offer.class.judges(event_type)) {
        let excluded = offer.excludes(programme, &event.event).is_some();
        if excluded || event.has_judged(&offer.id) {
            continue;
        }
        let awaits_run = mode == Mode::Interactive && offer.method == EvaluationMethod::Batch;
        match weigh(programme, wallet, now, &event.event, offer) {
            // What depends on the wallet is decided by the run.
            Ok(_) | Err(Reason::LimitReached | Reason::BalanceFull) if awaits_run => {
                waiting.push(offer);
            }
            Ok(amount) => candidates.push(Candidate { offer, amount }),
            Err(reason) => judged.passed_over.push((offer.id.clone(), reason)),
        }
    }
    (candidates, waiting)
}

fn weigh(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    event: &Event,
    offer: &Offer,
) -> Result<Amount, Reason> {
    if let Some(reason) = offer.mismatch(programme, event) {
        return Err(reason);
    }
    let amount = offer.amount(programme, event).map_err(|_| Reason::BalanceFull)?;
    if amount.is_zero() {
        return Err(Reason::AwardsNothing);
    }
    let lot = offer.lot(now, programme.zone);
    if !lot.is_live(now, programme.zone) {
        return Err(Reason::NotValid);
    }
    if offer.is_exhausted(wallet, event.performed_on.day(programme.zone)) {
        return Err(Reason::LimitReached);
    }
    if fits(wallet, &lot, amount) { Ok(amount) } else { Err(Reason::BalanceFull) }
}

fn fits(wallet: &Wallet, lot: &LotId, amount: Amount) -> bool {
    wallet.total(&lot.balance, |_| true).0 + amount.0 <= MAX_MINOR
}

/// The best of the offers that are not on top, compared by what their awards are worth in
/// currency; of equals the first in the document.
fn best_exclusive(programme: &Programme, candidates: &[Candidate<'_>]) -> Option<usize> {
    let mut best: Option<(usize, Worth)> = None;
    for (at, candidate) in candidates.iter().enumerate().filter(|(_, c)| !c.offer.on_top) {
        let Some(balance) = programme.balance(&candidate.offer.award.balance) else { continue };
        let worth = Worth::of(candidate.amount, balance.worth, balance.decimals);
        if best.as_ref().is_none_or(|(_, known)| worth > *known) {
            best = Some((at, worth));
        }
    }
    best.map(|(at, _)| at)
}

fn award(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    event: &Event,
    candidate: &Candidate<'_>,
) -> Result<(Awarded, Effect), Reason> {
    let Candidate { offer, amount } = *candidate;
    let lot = offer.lot(now, programme.zone);
    if !fits(wallet, &lot, amount) {
        return Err(Reason::BalanceFull);
    }
    let effect = Effect::Award {
        offer: Some(offer.id.clone()),
        lot: lot.clone(),
        amount,
        debt: amount.min(wallet.debt(&lot.balance)),
        slot: offer.slot(event.performed_on.day(programme.zone)),
    };
    let awarded = Awarded {
        offer: offer.id.clone(),
        lot,
        amount,
        exclusive: !offer.on_top,
        lines: Vec::new(),
    };
    Ok((awarded, effect))
}
