//! Awarding: which offers award an event, how much, and why the others were passed over.

mod counting;

use std::sync::LazyLock;

use crate::amount::{Amount, MAX_MINOR, Worth};
use crate::event::{Awarded, Due, Event, EventState, RecordedEvent};
use crate::id::OfferId;
use crate::ledger::{Effect, LotId, Slot};
use crate::offer::{Beneficiary, Earned, EvaluationMethod, Offer, Subject};
use crate::participant::Participant;
use crate::programme::Programme;
use crate::quota::Quotas;
use crate::refusal::Reason;
use crate::time::{Day, Instant};
use crate::wallet::Wallet;

/// Who asks for a judgement, and so which offers may judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Offers that may be interactive; the others await a run.
    Interactive,
    /// All offers that have not judged the event.
    Run,
}

/// What a judgement rests on besides the programme, the wallet and the event; what no candidate
/// asks for ([`asks`]) need not be there.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub participant: &'a Participant,
    pub quotas: &'a Quotas,
    /// Whose wallet is judged: which of a referral's two participants this is.
    pub whose: Beneficiary,
}

impl Facts<'static> {
    /// A participant of whom nothing is known, and quotas that nobody has used.
    pub fn none() -> Facts<'static> {
        static PARTICIPANT: LazyLock<Participant> = LazyLock::new(Participant::default);
        static QUOTAS: LazyLock<Quotas> = LazyLock::new(Quotas::default);
        Facts { participant: &PARTICIPANT, quotas: &QUOTAS, whose: Beneficiary::Participant }
    }
}

/// What the candidates of an event ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    pub profile: bool,
    /// Offers with a quota.
    pub quotas: Vec<OfferId>,
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

impl Judged {
    /// From the lines of what was seen to those of the event: `kept` holds, for each of the one,
    /// the index of the other.
    pub fn move_lines(&mut self, kept: &[u16]) {
        let counted = self.effects.iter_mut().filter_map(|effect| {
            if let Effect::Counted { lines, .. } = effect { Some(lines) } else { None }
        });
        let awarded = self.awards.iter_mut().map(|award| &mut award.lines);
        for line in awarded.chain(counted).flatten() {
            *line = kept.get(usize::from(*line)).copied().unwrap_or(*line);
        }
    }
}

struct Candidate<'a> {
    offer: &'a Offer,
    earned: Earned,
    lot: LotId,
}

/// The candidates of an event.
#[derive(Default)]
struct Sorted<'a> {
    /// They would award something, limits included.
    candidates: Vec<Candidate<'a>>,
    /// They count it.
    counting: Vec<&'a Offer>,
    /// A run may find that they do.
    waiting: Vec<&'a Offer>,
}

/// Everything that a judgement looks at.
#[derive(Clone, Copy)]
struct Bench<'a> {
    programme: &'a Programme,
    now: Instant,
    today: Day,
    /// Before the event.
    wallet: &'a Wallet,
    /// What all its lots hold, of all balances.
    held: i64,
    subject: &'a Subject<'a>,
    facts: &'a Facts<'a>,
}

/// What the offers that may award somebody for an event need to know.
pub fn asks(programme: &Programme, event: &Event, whose: Beneficiary) -> Asks {
    let subject = Subject::of(programme, event).seen_for(whose);
    let mut asks = Asks::default();
    for offer in programme.offers.candidates(&subject) {
        asks.profile |= offer.asks_profile();
        if !offer.quota.is_unlimited() {
            asks.quotas.push(offer.id.clone());
        }
    }
    asks
}

/// Judges an event for a wallet as it is now. Limits are decided on the wallet, so two judgements
/// must not be made from the same one. A cancelled event is never awarded.
pub fn judge(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    event: &RecordedEvent,
    mode: Mode,
    facts: &Facts<'_>,
) -> Judged {
    let mut judged = Judged::default();
    if event.state == EventState::Cancelled {
        return judged;
    }
    let subject = Subject::of(programme, &event.event).seen_for(facts.whose);
    let today = now.day(programme.zone);
    let held = wallet.lots.iter().map(|lot| lot.amount.0).sum();
    let bench = Bench { programme, now, today, wallet, held, subject: &subject, facts };
    let Sorted { candidates, counting, waiting } = candidates(bench, event, mode, &mut judged);
    let best = best_exclusive(programme, &candidates);
    judged.awards.reserve(candidates.len());
    judged.effects.reserve(candidates.len());
    for (at, candidate) in candidates.into_iter().enumerate() {
        let taken = event.has_exclusive_award() || best != Some(at);
        if !candidate.offer.on_top && taken {
            judged.passed_over.push((candidate.offer.id.clone(), Reason::NotBest));
            continue;
        }
        let offer = candidate.offer;
        if let Err(reason) = award(bench, candidate, &mut judged) {
            judged.passed_over.push((offer.id.clone(), reason));
        }
    }
    for offer in counting {
        counting::accumulate(bench, offer, &mut judged);
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

/// Why every offer that is no candidate is none: all of them, one after the other.
pub fn exclusions(programme: &Programme, event: &Event) -> Vec<(OfferId, Reason)> {
    let subject = Subject::of(programme, event);
    let judges = |offer: &&Offer| offer.class.types().contains(&event.event_type());
    let of_class = programme.offers.iter().filter(judges);
    of_class.filter_map(|o| Some((o.id.clone(), o.excludes(&subject)?))).collect()
}

/// Sorts the candidates; those that award nothing for sure are noted as passed over.
fn candidates<'a>(
    bench: Bench<'a>,
    event: &RecordedEvent,
    mode: Mode,
    judged: &mut Judged,
) -> Sorted<'a> {
    let mut sorted = Sorted::default();
    let found = bench.programme.offers.candidates(bench.subject);
    sorted.candidates.reserve(found.size_hint().1.unwrap_or(0));
    for offer in found {
        if event.has_judged(&offer.id) {
            continue;
        }
        let awaits_run = mode == Mode::Interactive && offer.method == EvaluationMethod::Batch;
        let weighed = match offer.accumulates {
            Some(_) => {
                let Bench { programme, now, wallet, subject, facts, .. } = bench;
                let mismatch = offer.mismatch(programme, subject, wallet, now, facts);
                mismatch.map_or(Ok(None), Err)
            }
            None if waits_for_referred(bench, event) => Err(Reason::ReferredNotAwarded),
            None => weigh(bench, offer, sorted.candidates.last()).map(Some),
        };
        match weighed {
            Ok(_) if awaits_run => sorted.waiting.push(offer),
            Err(reason) if awaits_run && may_change(reason) => sorted.waiting.push(offer),
            Ok(Some(candidate)) => sorted.candidates.push(candidate),
            Ok(None) => sorted.counting.push(offer),
            Err(reason) => judged.passed_over.push((offer.id.clone(), reason)),
        }
    }
    sorted
}

/// Whether a run may find otherwise: what depends on wallet, profile or quota is decided by it.
fn may_change(reason: Reason) -> bool {
    match reason {
        Reason::LimitReached
        | Reason::BalanceFull
        | Reason::NotInSegment
        | Reason::PlacesTaken
        | Reason::BudgetExhausted
        | Reason::ReferredNotAwarded => true,
        Reason::NotValid
        | Reason::UnitNotIncluded
        | Reason::UnitDoesNotAward
        | Reason::ClassificationNotIncluded
        | Reason::AmountOutOfRange
        | Reason::NoMatchingLine
        | Reason::AwaitsRun
        | Reason::NotBest
        | Reason::AwardsNothing
        | Reason::Counted
        | Reason::QuantityOutOfRange
        | Reason::PaymentMediumNotIncluded
        | Reason::ScoreOutOfRange => false,
    }
}

/// Whether this is the referrer, and the referral has not awarded the referred participant.
fn waits_for_referred(bench: Bench<'_>, event: &RecordedEvent) -> bool {
    let awarded = event.referred.as_ref().is_some_and(|judgement| !judgement.awards.is_empty());
    let refers = event.event.referred().is_some();
    refers && bench.facts.whose == Beneficiary::Participant && !awarded
}

/// Weighs an offer after the candidate before it: where both go into one lot, it is found once.
fn weigh<'a>(
    bench: Bench<'_>,
    offer: &'a Offer,
    before: Option<&Candidate<'a>>,
) -> Result<Candidate<'a>, Reason> {
    let Bench { programme, now, wallet, subject, facts, .. } = bench;
    if let Some(reason) = offer.mismatch(programme, subject, wallet, now, facts) {
        return Err(reason);
    }
    let earned = offer.earned(programme, subject).map_err(|_| Reason::BalanceFull)?;
    let known = before.filter(|before| offer.awards_into_lot_of(before.offer));
    let lot = known.map_or_else(|| offer.lot(bench.today), |known| known.lot.clone());
    may_award(bench, offer, &lot, earned.amount, &[])?;
    Ok(Candidate { offer, earned, lot })
}

/// Whether nothing stands against an award of `amount` after these effects.
fn may_award(
    bench: Bench<'_>,
    offer: &Offer,
    lot: &LotId,
    amount: Amount,
    effects: &[Effect],
) -> Result<(), Reason> {
    let Bench { programme, now, wallet, subject, facts, .. } = bench;
    if amount.is_zero() {
        return Err(Reason::AwardsNothing);
    }
    if !lot.is_of_use(now, programme.zone) {
        return Err(Reason::NotValid);
    }
    if offer.is_exhausted(wallet, subject.clock.day) {
        return Err(Reason::LimitReached);
    }
    if let Some(reason) = facts.quotas.lacks(offer, has_place(wallet, offer), amount) {
        return Err(reason);
    }
    if fits(bench, lot, amount, effects) { Ok(()) } else { Err(Reason::BalanceFull) }
}

/// Whether the participant is one of the first that the offer awards.
fn has_place(wallet: &Wallet, offer: &Offer) -> bool {
    offer.quota.first.is_some() && wallet.awarded(&offer.id, |slot| slot == Slot::Quota) > 0
}

/// What awards put into lots, and what of them paid debt.
fn given(effects: &[Effect]) -> impl Iterator<Item = (&LotId, Amount, Amount)> {
    effects.iter().filter_map(|effect| {
        let Effect::Award { lot, amount, debt, .. } = effect else { return None };
        Some((lot, amount.less(*debt), *debt))
    })
}

fn fits(bench: Bench<'_>, lot: &LotId, amount: Amount, effects: &[Effect]) -> bool {
    // Where all balances together leave room, nobody needs to tell them apart.
    let all = || given(effects).map(|(_, put, _)| put.0).sum::<i64>();
    let of_balance = given(effects).filter(|(to, ..)| to.balance == lot.balance);
    let own = || of_balance.map(|(_, put, _)| put.0).sum::<i64>();
    let room = MAX_MINOR - amount.0;
    bench.held + all() <= room || bench.wallet.total(&lot.balance, |_| true).0 + own() <= room
}

/// The best of the offers that are not on top, compared by what their awards are worth in
/// currency; of equals the first in the document.
fn best_exclusive(programme: &Programme, candidates: &[Candidate<'_>]) -> Option<usize> {
    let mut best: Option<(usize, Worth)> = None;
    for (at, candidate) in candidates.iter().enumerate().filter(|(_, c)| !c.offer.on_top) {
        let Some(balance) = programme.balance(&candidate.offer.award.balance) else { continue };
        let worth = Worth::of(candidate.earned.amount, balance.worth, balance.decimals);
        if best.as_ref().is_none_or(|(_, known)| worth > *known) {
            best = Some((at, worth));
        }
    }
    best.map(|(at, _)| at)
}

fn award(bench: Bench<'_>, candidate: Candidate<'_>, judged: &mut Judged) -> Result<(), Reason> {
    let Candidate { offer, earned: Earned { amount, lines }, lot } = candidate;
    if !fits(bench, &lot, amount, &judged.effects) {
        return Err(Reason::BalanceFull);
    }
    give(bench, offer, &lot, amount, &mut judged.effects);
    let exclusive = !offer.on_top;
    let offer = offer.id.clone();
    judged.awards.push(Awarded { offer, lot, amount, exclusive, lines, counted: false });
    Ok(())
}

/// Credits an award after these effects, and counts it in the offer's limit and quota.
fn give(bench: Bench<'_>, offer: &Offer, lot: &LotId, amount: Amount, effects: &mut Vec<Effect>) {
    let of_balance = given(effects).filter(|(to, ..)| to.balance == lot.balance);
    let paid = Amount(of_balance.map(|(_, _, debt)| debt.0).sum());
    let owed = bench.wallet.debt(&lot.balance).less(paid);
    effects.push(Effect::Award {
        offer: Some(offer.id.clone()),
        lot: lot.clone(),
        amount,
        debt: amount.min(owed),
        slot: offer.slot(bench.subject.clock.day),
    });
    if !offer.quota.is_unlimited() {
        let awards = i32::from(offer.quota.first.is_some());
        let places = if has_place(bench.wallet, offer) { 0 } else { awards };
        let budget = offer.quota.budget.map_or(Amount::ZERO, |_| amount);
        effects.push(Effect::Quota { offer: offer.id.clone(), awards, places, budget });
    }
}
