//! Cancelling events and spends: once, with what they led to.

use domain::apply::{Command, Outcome, apply};
use domain::event::{Due, EventState, EventType, RecordedEvent};
use domain::id::{EventId, TransactionCode};
use domain::ledger::{Entry, EntryKey, PayloadHash};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::Instant;

use crate::Store;
use crate::commit::{Done, Operation, Proposal, Step, decision_time};
use crate::error::{Error, Noun, Result};
use crate::event::put_event;
use crate::ledger::{Ledger, Reach};
use crate::record::{CancelMark, StoredEvent};
use crate::statement::StatementGuard;
use crate::table::Write;

/// The cancel of an event.
#[derive(Clone, Debug)]
pub struct CancelEvent<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub event: &'a EventId,
    /// Of the body and the caller's key: another key is another cancel.
    pub payload: PayloadHash,
}

/// The cancel of a spend.
#[derive(Clone, Debug)]
pub struct CancelSpend<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub spend: &'a TransactionCode,
    /// Of the body and the caller's key.
    pub payload: PayloadHash,
}

/// A spend that was cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendCancelled {
    /// The ledger entry of the cancel.
    pub sequence: u64,
}

impl Store {
    /// Cancels an event: voids its awards, gives back what was spent against it, and sees to it
    /// that no run ever judges it. Answers the event and the entry. Write units: 4.17.
    ///
    /// # Errors
    /// `NotFound` (event), `Refused` (`already_cancelled`, `award_spent`), or a failure.
    pub async fn cancel_event(
        &self,
        order: &CancelEvent<'_>,
    ) -> Result<Done<(RecordedEvent, u64)>> {
        let known = self.find_event(order.event, false).await?;
        let known = known.ok_or(Error::NotFound(Noun::Event))?;
        if known.recorded.event.event_type() == EventType::SpendRequest {
            return self.cancel_request(order, known.recorded).await;
        }
        let participant = known.recorded.event.participant.clone();
        let mut operation = EventCancel { order, event: known, statement: None };
        self.commit(&participant, &mut operation).await
    }

    /// Cancels the spend that an event was: by either name, once.
    async fn cancel_request(
        &self,
        order: &CancelEvent<'_>,
        mut request: RecordedEvent,
    ) -> Result<Done<(RecordedEvent, u64)>> {
        let spend = request.spends.first().ok_or(Error::Corrupt("a spend request without one"))?;
        let participant = request.event.participant.clone();
        let spend = &TransactionCode { participant, sequence: spend.sequence };
        let CancelEvent { programme, now, payload, .. } = *order;
        let done = self.cancel_spend(&CancelSpend { programme, now, spend, payload }).await?;
        request.cancel_spends();
        let value = (request, done.value.sequence);
        Ok(Done { value, wallet: done.wallet, repeated: done.repeated })
    }

    /// Cancels a spend: its lots come back with their own expiry. Write units: 1.17; 4.17
    /// against a purchase.
    ///
    /// # Errors
    /// `NotFound` (transaction), `Refused` (`already_cancelled`), or a failure.
    pub async fn cancel_spend(&self, order: &CancelSpend<'_>) -> Result<Done<SpendCancelled>> {
        let entry = self.transaction(order.spend).await?;
        if entry.spend().is_none() {
            return Err(Error::NotFound(Noun::Transaction));
        }
        let mut operation = SpendCancel { order, spend: entry, purchase: None };
        self.commit(&order.spend.participant, &mut operation).await
    }
}

struct EventCancel<'a> {
    order: &'a CancelEvent<'a>,
    event: StoredEvent,
    /// Of a statement: who holds its period.
    statement: Option<StatementGuard>,
}

impl Operation for EventCancel<'_> {
    type Answer = (RecordedEvent, u64);

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        if fresh {
            let event = store.read_event(self.order.event, true).await?;
            self.event = event.ok_or(Error::NotFound(Noun::Event))?;
        }
        self.statement = store.statement_guard(&self.event.recorded.event, fresh).await?;
        Ok(())
    }

    fn reach(&self) -> Reach {
        Reach::Journal
    }

    async fn decide(&mut self, store: &Store, ledger: &Ledger) -> Result<Step<Self::Answer>> {
        let order = self.order;
        let state = match ledger.known() {
            Ok(state) => state,
            Err(unknown) => return Ok(Step::Answer(Err(unknown))),
        };
        if let Some(mark) = self.event.cancel {
            if mark.sequence > state.wallet.length {
                return Ok(Step::Again);
            }
            let value = (self.event.recorded.clone(), mark.sequence);
            let repeat = Done { value, wallet: state.wallet.clone(), repeated: true };
            let same = mark.payload == order.payload;
            let refused = Err(Error::Refused(Refusal::AlreadyCancelled));
            return Ok(Step::Known(if same { Ok(repeat) } else { refused }));
        }
        if self.event.denied.contains(&order.payload) {
            return Ok(Step::Known(Err(Error::Refused(Refusal::AwardSpent))));
        }
        let recorded = &self.event.recorded;
        let entries = recorded.entries();
        let holds = |guard: &StatementGuard| guard.holder.as_ref() == Some(&recorded.event.id);
        if self.statement.as_ref().is_some_and(|guard| !holds(guard)) {
            return Ok(Step::Again);
        }
        if entries.iter().any(|sequence| *sequence > state.wallet.length) {
            return Ok(Step::Again);
        }
        let mut reversed = Vec::new();
        for sequence in entries {
            let participant = &recorded.event.participant;
            reversed.push(store.find_entry(participant, ledger, sequence).await?);
        }
        let key = EntryKey::CancelEvent(recorded.event.id.clone());
        let now = decision_time(order.now, &state.wallet, [recorded.accepted_at]);
        let command = Command::Cancel { key, payload: order.payload, entries: &reversed };
        let applied = apply(order.programme, &state.wallet, now, &command);
        let sequence = applied.wallet.length;
        let mut event = self.event.clone();
        let mut sides = Vec::new();
        let answer = match applied.outcome {
            Outcome::Refused(refusal) => {
                event.denied.push(order.payload);
                Err(Error::Refused(refusal))
            }
            Outcome::Done | Outcome::Judged { .. } => {
                event.recorded.state = EventState::Cancelled;
                event.recorded.due = Due::Nothing;
                event.recorded.spends.iter_mut().for_each(|spend| spend.cancelled = true);
                event.cancel = Some(CancelMark { sequence, payload: order.payload });
                // A cancelled statement frees its period.
                sides.extend(self.statement.as_ref().map(|guard| guard.give(None)));
                Ok((event.recorded.clone(), sequence))
            }
        };
        sides.push(put_event(&event)?);
        Ok(Step::Commit(Proposal::of(applied, sides), answer))
    }
}

struct SpendCancel<'a> {
    order: &'a CancelSpend<'a>,
    spend: Entry,
    /// Where the spend is noted: its purchase, or the event that it came as.
    purchase: Option<StoredEvent>,
}

impl Operation for SpendCancel<'_> {
    type Answer = SpendCancelled;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        if let Some(purchase) = self.spend.event() {
            // Without it, the spend would come back a second time when the purchase is cancelled.
            let known = store.find_event(purchase, fresh).await?;
            self.purchase = Some(known.ok_or(Error::Corrupt("a spend without its purchase"))?);
        }
        Ok(())
    }

    fn reach(&self) -> Reach {
        Reach::Since(self.spend.at)
    }

    async fn decide(&mut self, _: &Store, ledger: &Ledger) -> Result<Step<SpendCancelled>> {
        let order = self.order;
        let state = match ledger.known() {
            Ok(state) => state,
            Err(unknown) => return Ok(Step::Answer(Err(unknown))),
        };
        let already = || Err(Error::Refused(Refusal::AlreadyCancelled));
        let key = EntryKey::CancelSpend(self.spend.sequence);
        if let Some(entry) = ledger.search(&key) {
            if entry.payload != order.payload {
                return Ok(Step::Known(already()));
            }
            let value = SpendCancelled { sequence: entry.sequence };
            let wallet = state.wallet.clone();
            return Ok(Step::Known(Ok(Done { value, wallet, repeated: true })));
        }
        let accepted = self.purchase.as_ref().map(|purchase| purchase.recorded.accepted_at);
        let now = decision_time(order.now, &state.wallet, accepted);
        let reversed = std::slice::from_ref(&self.spend);
        let command = Command::Cancel { key, payload: order.payload, entries: reversed };
        let applied = apply(order.programme, &state.wallet, now, &command);
        let Some(sides) = self.without_spend(applied.wallet.length)? else {
            // Its purchase took it back, or a twin of this request did, which the ledger that was
            // read does not show yet.
            let purchase = self.purchase.as_ref().and_then(|purchase| purchase.cancel);
            let seen = purchase.is_some_and(|mark| mark.sequence <= state.wallet.length);
            return Ok(if seen { Step::Answer(already()) } else { Step::Again });
        };
        let answer = match applied.outcome {
            Outcome::Refused(refusal) => Err(Error::Refused(refusal)),
            Outcome::Done | Outcome::Judged { .. } => {
                Ok(SpendCancelled { sequence: applied.wallet.length })
            }
        };
        Ok(Step::Commit(Proposal::of(applied, sides), answer))
    }
}

impl SpendCancel<'_> {
    /// The purchase without this spend; none where cancelling the purchase took it back already.
    /// `sequence` is that of the cancel.
    fn without_spend(&self, sequence: u64) -> Result<Option<Vec<Write>>> {
        let Some(purchase) = &self.purchase else { return Ok(Some(Vec::new())) };
        let mut purchase = purchase.clone();
        let spends = purchase.recorded.spends.iter_mut();
        let mut own = spends.filter(|s| s.sequence == self.spend.sequence && !s.cancelled);
        let Some(spend) = own.next() else { return Ok(None) };
        spend.cancelled = true;
        if purchase.recorded.event.event_type() == EventType::SpendRequest {
            purchase.recorded.state = EventState::Cancelled;
            purchase.cancel = Some(CancelMark { sequence, payload: self.order.payload });
        }
        Ok(Some(vec![put_event(&purchase)?]))
    }
}
