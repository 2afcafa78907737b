//! What became of an event: who judged it, what it led to, what was spent and returned.

use std::sync::Arc;

use crate::amount::Amount;
use crate::event::Event;
use crate::id::{BalanceCode, OfferId, RunId};
use crate::ledger::{Effect, Entry, LotId, PayloadHash, SpendMade};
use crate::pass::{PassGiven, PassShown};
use crate::refusal::Reason;
use crate::returns::Return;
use crate::terms::Terms;
use crate::time::Instant;

/// Life-cycle state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventState {
    Posted,
    Cancelled,
}

/// Which offers have not judged an event yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// None: the event is processed.
    Nothing,
    /// Those that only a run applies: the event was judged immediately.
    BatchOnly,
    /// All of them.
    Everything,
}

/// What judged an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judge {
    /// The call that brought it, or the queue right after.
    Interactive,
    /// A run.
    Run(RunId),
}

/// An award that an event led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awarded {
    pub offer: OfferId,
    pub lot: LotId,
    pub amount: Amount,
    /// Whether the offer is one of those of which only the best applies.
    pub exclusive: bool,
    /// Indices of the awarded lines among those of the purchase, which it was computed from; none:
    /// the whole purchase.
    pub lines: Vec<u16>,
    /// Whether it is for what was counted over many events.
    pub counted: bool,
}

/// What an offer took off a purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discounted {
    pub offer: OfferId,
    /// In currency.
    pub amount: Amount,
    /// Whether the offer is one of those of which only the best applies.
    pub exclusive: bool,
    /// Indices of lines among those of the purchase, with what each costs less; none: it is off
    /// the whole purchase.
    pub lines: Vec<(u16, Amount)>,
    /// What was taken back of it with returned goods.
    pub returned: Amount,
}

impl Discounted {
    /// What it still takes off.
    pub fn left(&self) -> Amount {
        self.amount.less(self.returned)
    }
}

/// What one judgement of an event came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The ledger entry.
    pub sequence: u64,
    pub by: Judge,
    /// Version of the programme that judged.
    pub programme: u64,
    pub awards: Vec<Awarded>,
    pub discounts: Vec<Discounted>,
    /// Passes that it gave.
    pub passes: Vec<PassGiven>,
    pub passed_over: Vec<(OfferId, Reason)>,
}

impl Judgement {
    /// Whether an offer gave something.
    pub fn gave_something(&self) -> bool {
        !self.awards.is_empty() || !self.discounts.is_empty() || !self.passes.is_empty()
    }
}

/// A spend against a purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendOn {
    /// The ledger entry.
    pub sequence: u64,
    pub made: SpendMade,
    pub cancelled: bool,
    /// What came back of it with returned goods, in its balance.
    pub returned: Amount,
    /// What is left of what was taken from lots that may only pay for certain lines, and of what was
    /// taken between them, in its balance and in the order of its entry.
    pub parts: Vec<(Option<Arc<Terms>>, Amount)>,
}

impl SpendOn {
    /// A spend as its entry carried it out; none of an entry that is no spend.
    pub fn of(entry: &Entry) -> Option<SpendOn> {
        let made = entry.spend()?.clone();
        let mut parts: Vec<(Option<Arc<Terms>>, Amount)> = Vec::new();
        for effect in &entry.effects {
            let (Effect::Take { lot, amount } | Effect::TakeHeld { lot, amount, .. }) = effect
            else {
                continue;
            };
            let terms = lot.line_terms();
            match parts.last_mut().filter(|(known, _)| known.as_ref() == terms) {
                Some((_, sum)) => sum.0 += amount.0,
                None => parts.push((terms.cloned(), *amount)),
            }
        }
        parts.pop_if(|(terms, _)| terms.is_none());
        let (sequence, returned) = (entry.sequence, Amount::ZERO);
        Some(SpendOn { sequence, made, cancelled: false, returned, parts })
    }
}

/// An accepted event with everything that happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    pub event: Event,
    pub payload: PayloadHash,
    pub accepted_at: Instant,
    pub state: EventState,
    pub due: Due,
    pub judgements: Vec<Judgement>,
    /// Of a referral: the judgement for the referred participant, in that one's ledger.
    pub referred: Option<Judgement>,
    pub spends: Vec<SpendOn>,
    /// Cancels in part, and at last the one that cancelled it.
    pub returns: Vec<Return>,
    /// What became of the code that came with a purchase.
    pub pass: Option<PassShown>,
}

impl RecordedEvent {
    /// An event that nothing has judged yet.
    pub fn accepted(event: Event, payload: PayloadHash, accepted_at: Instant) -> RecordedEvent {
        RecordedEvent {
            event,
            payload,
            accepted_at,
            state: EventState::Posted,
            due: Due::Everything,
            judgements: Vec::new(),
            referred: None,
            spends: Vec::new(),
            returns: Vec::new(),
            pass: None,
        }
    }

    /// A spend request that was carried out, as the event that it came as. No offer judges
    /// it, so nothing is due.
    pub fn spent_by(
        event: Event,
        payload: PayloadHash,
        accepted_at: Instant,
        spend: SpendOn,
    ) -> RecordedEvent {
        let accepted = RecordedEvent::accepted(event, payload, accepted_at);
        RecordedEvent { due: Due::Nothing, spends: vec![spend], ..accepted }
    }

    /// Takes over from its purchase whether its spend was taken back: a spend against a purchase
    /// is cancelled there, by its own cancel or with the purchase.
    pub fn follow(&mut self, purchase: &RecordedEvent) {
        let gone = |of: u64| purchase.spends.iter().any(|on| on.sequence == of && on.cancelled);
        if self.spends.first().is_some_and(|own| gone(own.sequence)) {
            self.cancel_spends();
        }
    }

    /// Marks the event, and what was spent by it or against it, as cancelled.
    pub fn cancel_spends(&mut self) {
        self.state = EventState::Cancelled;
        self.spends.iter_mut().for_each(|spend| spend.cancelled = true);
    }

    /// What spends still pay of the purchase, in currency.
    pub fn covered(&self) -> Amount {
        Amount(self.spends.iter().map(|spend| spend.covered().0).sum())
    }

    /// Whether an offer awarded this event or was passed over before.
    pub fn has_judged(&self, offer: &OfferId) -> bool {
        self.judgements.iter().any(|judgement| {
            judgement.awards.iter().any(|award| award.offer == *offer)
                || judgement.discounts.iter().any(|discount| discount.offer == *offer)
                || judgement.passes.iter().any(|given| given.offer == *offer)
                || judgement
                    .passed_over
                    .iter()
                    .any(|(passed, reason)| passed == offer && *reason != Reason::AwaitsRun)
        })
    }

    /// Whether one of the offers of which only the best applies awarded this event.
    pub fn has_exclusive_award(&self) -> bool {
        self.judgements.iter().flat_map(|judgement| &judgement.awards).any(|award| award.exclusive)
            || self.discounts().any(|discount| discount.exclusive)
    }

    /// What offers took off the purchase.
    pub fn discounts(&self) -> impl Iterator<Item = &Discounted> {
        self.judgements.iter().flat_map(|judgement| &judgement.discounts)
    }

    /// The passes that offers gave.
    pub fn passes(&self) -> impl Iterator<Item = &PassGiven> {
        self.judgements.iter().flat_map(|judgement| &judgement.passes)
    }

    /// What discounts still take off the purchase, in currency.
    pub fn discounted(&self) -> Amount {
        Amount(self.discounts().map(|discount| discount.left().0).sum())
    }

    /// All judgements, first that of whom a referral referred.
    pub fn all_judgements(&self) -> impl Iterator<Item = &Judgement> {
        self.referred.iter().chain(&self.judgements)
    }

    /// Sums per balance of what is still awarded, to all whom the event awarded.
    pub fn awarded(&self) -> Vec<(BalanceCode, Amount)> {
        let awards = self.all_judgements().flat_map(|judgement| {
            let left = |award| self.still_awarded(judgement.sequence, award);
            judgement.awards.iter().map(move |award| (&award.lot.balance, left(award)))
        });
        sums(awards.filter(|(_, amount)| !amount.is_zero()))
    }

    /// Sums per balance of what is still spent against it.
    pub fn spent(&self) -> Vec<(BalanceCode, Amount)> {
        let spends = self.spends.iter().map(|spend| (&spend.made.balance, spend.spent()));
        sums(spends.filter(|(_, amount)| !amount.is_zero()))
    }

    /// Sequences of the entries of its participant's ledger that a cancel takes back.
    pub fn entries(&self) -> Vec<u64> {
        let spends = self.spends.iter().filter(|spend| !spend.cancelled);
        let judgements = self.judgements.iter().map(|judgement| judgement.sequence);
        judgements.chain(spends.map(|spend| spend.sequence)).collect()
    }
}

/// Adds up amounts per balance, in order of first mention.
pub fn sums<'a>(
    amounts: impl Iterator<Item = (&'a BalanceCode, Amount)>,
) -> Vec<(BalanceCode, Amount)> {
    let mut sums: Vec<(BalanceCode, Amount)> = Vec::new();
    for (balance, amount) in amounts {
        match sums.iter_mut().find(|(code, _)| code == balance) {
            Some((_, sum)) => sum.0 += amount.0,
            None => sums.push((balance.clone(), amount)),
        }
    }
    sums
}
