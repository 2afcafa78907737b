//! Awarding: which offers award an event, how much, and why the others were passed over.

mod counting;
mod discount;
mod pass;
mod room;

use std::sync::LazyLock;

use crate::amount::{Amount, Rate, Worth};
use crate::award::discount::Till;
use crate::award::room::{fits, given, may_award, may_give, use_quota};
use crate::event::{Awarded, Discounted, Due, Event, EventState, RecordedEvent};
use crate::id::OfferId;
use crate::ledger::{Effect, LotId};
use crate::offer::{Beneficiary, Earned, EvaluationMethod, Offer, Subject};
use crate::participant::Participant;
use crate::pass::{Issuing, PassGiven, PassShown};
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
    /// As interactive, but after the call that brought the event: what was paid is paid, so that
    /// nothing is discounted any more.
    Queued,
}

/// What a judgement rests on besides the programme, the wallet and the event; what no candidate
/// asks for ([`asks`]) need not be there.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub participant: &'a Participant,
    pub quotas: &'a Quotas,
    /// Whose wallet is judged: which of a referral's two participants this is.
    pub whose: Beneficiary,
    /// The wallet as it was before the spend that came in one call with the event, where one did:
    /// all is judged by it.
    pub before_spend: Option<&'a Wallet>,
    /// How a pass is made that an offer gives.
    pub issuing: Issuing,
}

impl Facts<'static> {
    /// A participant of whom nothing is known, and quotas that nobody has used.
    pub fn none() -> Facts<'static> {
        static PARTICIPANT: LazyLock<Participant> = LazyLock::new(Participant::default);
        static QUOTAS: LazyLock<Quotas> = LazyLock::new(Quotas::default);
        let whose = Beneficiary::Participant;
        let issuing = Issuing::default();
        Facts { participant: &PARTICIPANT, quotas: &QUOTAS, whose, before_spend: None, issuing }
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
    pub discounts: Vec<Discounted>,
    /// Passes that are given.
    pub passes: Vec<PassGiven>,
    /// Candidates that awarded nothing.
    pub passed_over: Vec<(OfferId, Reason)>,
    pub effects: Vec<Effect>,
    /// Whether offers that only a run applies could still award the event.
    pub awaits_run: bool,
    /// What is to be spent at once of the awards, once they paid debt. What a run awards is
    /// spent on request.
    pub instant: Vec<(OfferId, LotId, Amount)>,
}

impl Judged {
    /// From the lines of what was seen to those of the event: `kept` holds, for each of the one,
    /// the index of the other.
    pub fn move_lines(&mut self, kept: &[u16]) {
        let counted = self.effects.iter_mut().filter_map(|effect| {
            if let Effect::Counted { lines, .. } = effect { Some(lines) } else { None }
        });
        let awarded = self.awards.iter_mut().map(|award| &mut award.lines);
        let discounted = self.discounts.iter_mut().flat_map(|discount| &mut discount.lines);
        let discounted = discounted.map(|(line, _)| line);
        for line in awarded.chain(counted).flatten().chain(discounted) {
            *line = kept.get(usize::from(*line)).copied().unwrap_or(*line);
        }
    }
}

struct Candidate<'a> {
    offer: &'a Offer,
    earned: Earned,
    /// None: a discount, or a pass.
    lot: Option<LotId>,
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

/// Judges an event for a wallet as it is now, or was before the spend that came with the event.
/// Limits are decided on the wallet, so two judgements must not be made from the same one. A
/// cancelled event is never awarded.
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
    let shown = event.pass.as_ref().and_then(PassShown::activates);
    let subject = Subject::of(programme, &event.event).seen_for(facts.whose).with_pass(shown);
    let today = now.day(programme.zone);
    let wallet = facts.before_spend.unwrap_or(wallet);
    let held = wallet.lots.iter().map(|lot| lot.amount.0).sum();
    let bench = Bench { programme, now, today, wallet, held, subject: &subject, facts };
    let Sorted { candidates, counting, waiting } = candidates(bench, event, mode, &mut judged);
    let best = best_exclusive(programme, &candidates);
    judged.awards.reserve(candidates.len());
    judged.effects.reserve(candidates.len());
    let mut till = None;
    for (at, candidate) in candidates.into_iter().enumerate() {
        let taken = event.has_exclusive_award() || best != Some(at);
        if !candidate.offer.on_top && taken {
            judged.passed_over.push((candidate.offer.id.clone(), Reason::NotBest));
            continue;
        }
        let Candidate { offer, earned, lot } = candidate;
        let given = match (lot, &offer.award.pass) {
            (Some(lot), _) => award(bench, offer, earned, lot, mode, &mut judged),
            (None, Some(plan)) => pass::give(bench, offer, plan, mode, &mut judged),
            (None, None) => {
                let till = till.get_or_insert_with(|| Till::of(event, &subject));
                discount::give(bench, till, offer, &earned, &mut judged)
            }
        };
        if let Err(reason) = given {
            judged.passed_over.push((offer.id.clone(), reason));
        }
    }
    for offer in counting {
        counting::accumulate(bench, offer, &mut judged);
    }
    let taken = event.has_exclusive_award() || judged.has_exclusive();
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
        let awaits_run = mode != Mode::Run && offer.method == EvaluationMethod::Batch;
        let weighed = match offer.accumulates {
            Some(_) => {
                let Bench { programme, now, wallet, subject, facts, .. } = bench;
                let mismatch = offer.mismatch(programme, subject, wallet, now, facts);
                mismatch.map_or(Ok(None), Err)
            }
            None if waits_for_referred(bench, event) => Err(Reason::ReferredNotAwarded),
            None if offer.award.is_discount() && mode != Mode::Interactive => {
                Err(Reason::TooLateForDiscount)
            }
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
        | Reason::PassRequired
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
        | Reason::ScoreOutOfRange
        | Reason::TooLateForDiscount
        | Reason::TooLateForPass => false,
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
    let Some(balance) = &offer.award.balance else {
        may_give(bench, offer, earned.amount)?;
        return Ok(Candidate { offer, earned, lot: None });
    };
    let known = before.filter(|before| offer.awards_into_lot_of(before.offer));
    let known = known.and_then(|known| known.lot.clone());
    let lot = known.unwrap_or_else(|| offer.lot(balance, bench.today));
    may_award(bench, offer, &lot, earned.amount, &[])?;
    Ok(Candidate { offer, earned, lot: Some(lot) })
}

/// The best of the offers that are not on top, compared by what their awards are worth in
/// currency, and discounts are; of equals the first in the document.
fn best_exclusive(programme: &Programme, candidates: &[Candidate<'_>]) -> Option<usize> {
    let mut best: Option<(usize, Worth)> = None;
    for (at, candidate) in candidates.iter().enumerate().filter(|(_, c)| !c.offer.on_top) {
        let (rate, decimals) = match &candidate.offer.award.balance {
            Some(code) => {
                let Some(balance) = programme.balance(code) else { continue };
                (balance.worth, balance.decimals)
            }
            None => (Rate::ONE, programme.currency.decimals),
        };
        let worth = Worth::of(candidate.earned.amount, rate, decimals);
        if best.as_ref().is_none_or(|(_, known)| worth > *known) {
            best = Some((at, worth));
        }
    }
    best.map(|(at, _)| at)
}

fn award(
    bench: Bench<'_>,
    offer: &Offer,
    earned: Earned,
    lot: LotId,
    mode: Mode,
    judged: &mut Judged,
) -> Result<(), Reason> {
    let Earned { amount, lines, .. } = earned;
    if !fits(bench, &lot, amount, &judged.effects) {
        return Err(Reason::BalanceFull);
    }
    let from = judged.effects.len();
    give(bench, offer, &lot, amount, &mut judged.effects);
    if offer.instant && mode != Mode::Run {
        judged.instant.extend(judged.effects[from..].iter().filter_map(credited));
    }
    let exclusive = !offer.on_top;
    let offer = offer.id.clone();
    judged.awards.push(Awarded { offer, lot, amount, exclusive, lines, counted: false });
    Ok(())
}

/// What an award put into its lot.
fn credited(effect: &Effect) -> Option<(OfferId, LotId, Amount)> {
    let Effect::Award { offer, lot, amount, debt, .. } = effect else { return None };
    Some((offer.clone()?, lot.clone(), amount.less(*debt)))
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
    effects.extend(use_quota(bench.wallet, offer, amount));
}
