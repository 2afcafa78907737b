//! Cancelling events, whole or in part: once, with what they led to.

use domain::apply::{Applied, Command, Outcome, apply};
use domain::cancel::TakeBack;
use domain::event::{EventType, RecordedEvent};
use domain::id::{EventId, TransactionCode};
use domain::ledger::{EntryKey, PayloadHash};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::returns::{Return, ReturnedLine};
use domain::time::Instant;
use domain::wallet::Wallet;

mod referred;

use crate::Store;
use crate::bar::Place;
use crate::cancel_spend::CancelSpend;
use crate::commit::{Done, Operation, Step, decision_time};
use crate::error::{Error, Noun, Result};
use crate::event::put_event;
use crate::facts::quota_writes;
use crate::ledger::{Ledger, Reach};
use crate::pass::take_passes_back;
use crate::record::{Asked, State, StoredEvent};
use crate::referral::ReferredWallet;
use crate::statement::StatementGuard;

/// The cancel of an event, whole or in part.
#[derive(Clone, Debug)]
pub struct CancelEvent<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub event: &'a EventId,
    /// Of the caller's key: another key is another cancel.
    pub key: PayloadHash,
    /// Of the body.
    pub payload: PayloadHash,
    /// What comes back; none: all that is left. Indices and quantities are within the purchase's.
    pub lines: &'a [ReturnedLine],
    /// As the caller says.
    pub reason: Option<&'a str>,
    /// Whether an event that has not arrived yet is cancelled too: it never will be accepted.
    pub ahead: bool,
}

/// What the cancel of an event came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventCancelled {
    /// The event as it is now, and the ledger entry.
    TakenBack(Box<RecordedEvent>, u64),
    /// It has not arrived, and will be refused.
    Ahead,
}

impl Store {
    /// Cancels an event: voids its awards, gives back what was spent against it, and sees to it
    /// that no run ever judges it; or takes back as much of it as goods came back.
    /// Write units: 4.17; 1 where the event has not arrived.
    ///
    /// # Errors
    /// `NotFound` (event), `Refused` (`already_cancelled`, `returned_already`, `award_spent`),
    /// `KeyReused`, or a failure.
    pub async fn cancel_event(&self, order: &CancelEvent<'_>) -> Result<Done<EventCancelled>> {
        let ahead = order.ahead && order.lines.is_empty();
        // Consistent from the second time on: what stands there does not go away.
        for fresh in [false, true, true] {
            match self.read_place(order.event, fresh).await? {
                Some(Place::Event(known)) => return self.cancel_known(order, *known).await,
                Some(Place::Barred(asked)) if ahead => return barred(order, &asked),
                None if ahead && fresh => {
                    if self.bar(order.event, &asked(order)).await? {
                        return Ok(cancelled_ahead(false));
                    }
                }
                Some(Place::Barred(_)) | None if fresh => break,
                Some(Place::Barred(_)) | None => {}
            }
        }
        Err(if ahead { Error::Contended } else { Error::NotFound(Noun::Event) })
    }

    async fn cancel_known(
        &self,
        order: &CancelEvent<'_>,
        event: StoredEvent,
    ) -> Result<Done<EventCancelled>> {
        let participant = event.recorded.event.participant.clone();
        if event.recorded.event.event_type() == EventType::SpendRequest {
            return self.cancel_request(order, event.recorded).await;
        }
        let mut cancel = EventCancel { order, event, statement: None, referred: None };
        self.commit(&participant, &mut cancel).await
    }

    /// Cancels the spend that an event was: by either name, once.
    async fn cancel_request(
        &self,
        order: &CancelEvent<'_>,
        mut request: RecordedEvent,
    ) -> Result<Done<EventCancelled>> {
        let spend = request.spends.first().ok_or(Error::Corrupt("a spend request without one"))?;
        let participant = request.event.participant.clone();
        let spend = &TransactionCode { participant, sequence: spend.sequence };
        let CancelEvent { programme, now, reason, .. } = *order;
        let payload = order.payload.under(order.key);
        let order = CancelSpend { programme, now, spend, payload, reason };
        let done = self.cancel_spend(&order).await?;
        request.cancel_spends();
        // As the cancel has written it; a spend against a purchase is marked there alone.
        let alone = request.spends.iter().all(|spend| spend.made.purchase.is_none());
        if alone && request.returns.is_empty() {
            let (sequence, lines) = (done.value.sequence, Vec::new());
            let reason = reason.map(Into::into);
            request.returns.push(Return { sequence, key: payload, payload, lines, reason });
        }
        let value = EventCancelled::TakenBack(Box::new(request), done.value.sequence);
        Ok(Done { value, wallet: done.wallet, repeated: done.repeated })
    }
}

fn asked(order: &CancelEvent<'_>) -> Asked {
    Asked { key: order.key, payload: order.payload }
}

fn cancelled_ahead(repeated: bool) -> Done<EventCancelled> {
    Done { value: EventCancelled::Ahead, wallet: Wallet::default(), repeated }
}

/// One key, one answer, also where there is no ledger to remember it.
fn barred(order: &CancelEvent<'_>, before: &Asked) -> Result<Done<EventCancelled>> {
    if *before == asked(order) {
        return Ok(cancelled_ahead(true));
    }
    let reused = before.key == order.key;
    Err(if reused { Error::KeyReused } else { Error::Refused(Refusal::AlreadyCancelled) })
}

struct EventCancel<'a> {
    order: &'a CancelEvent<'a>,
    event: StoredEvent,
    /// Of a statement: who holds its period.
    statement: Option<StatementGuard>,
    /// Of a referral that was judged: the other wallet.
    referred: Option<ReferredWallet>,
}

impl Operation for EventCancel<'_> {
    type Answer = EventCancelled;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        if fresh {
            let event = store.read_event(self.order.event, true).await?;
            self.event = event.ok_or(Error::NotFound(Noun::Event))?;
        }
        let recorded = &self.event.recorded;
        self.statement = store.statement_guard(&recorded.event, fresh).await?;
        self.referred = match recorded.referred {
            Some(_) => store.referred_wallet(&recorded.event, fresh).await?,
            None => None,
        };
        Ok(())
    }

    fn reach(&self) -> Reach {
        Reach::Journal
    }

    async fn decide(&mut self, store: &Store, ledger: &Ledger) -> Result<Step<EventCancelled>> {
        let state = match ledger.known() {
            Ok(state) => state,
            Err(unknown) => return Ok(Step::Answer(Err(unknown))),
        };
        if let Some(known) = self.answered(state) {
            return Ok(known);
        }
        let order = self.order;
        let before = &self.event.recorded;
        let holds = |guard: &StatementGuard| guard.holder.as_ref() == Some(&before.event.id);
        if self.statement.as_ref().is_some_and(|guard| !holds(guard)) {
            return Ok(Step::Again);
        }
        let back = Return {
            sequence: state.wallet.length + 1,
            key: order.key,
            payload: order.payload,
            lines: order.lines.to_vec(),
            reason: order.reason.map(Into::into),
        };
        let mut after = match before.with_return(order.programme, back) {
            Ok(after) => after,
            // What came back does not become less, whatever else was not read.
            Err(refusal) => return Ok(Step::Known(Err(Error::Refused(refusal)))),
        };
        let sequences = before.entries();
        if sequences.iter().any(|sequence| *sequence > state.wallet.length) {
            return Ok(Step::Again);
        }
        let participant = &before.event.participant;
        let mut entries = Vec::new();
        for sequence in sequences {
            entries.push(store.find_entry(participant, ledger, sequence).await?);
        }
        if self.lacks_judgement() {
            return Ok(Step::Again);
        }
        let referred_time = self.referred.as_ref().map(ReferredWallet::time);
        let at_least = std::iter::once(before.accepted_at).chain(referred_time);
        let now = decision_time(order.now, &state.wallet, at_least);
        let (event, reason) = (Some((before, &after)), order.reason);
        let back = TakeBack { entries: &entries, event, later: &[], reason };
        let later = match back.history(order.programme, &state.wallet, now) {
            Some(sequence) => store.entries_from(participant, ledger, sequence).await?,
            None => Vec::new(),
        };
        let back = TakeBack { later: &later, ..back };
        let command = Command::Cancel { key: self.key(), payload: order.payload, back };
        let applied = apply(order.programme, &state.wallet, now, &command);
        let sequence = applied.wallet.length;
        let theirs = Box::pin(self.take_back_referred(store, now, &applied)).await?;
        let mut event = self.event.clone();
        let mut sides = Vec::new();
        let answer = match refused(&applied).or(theirs.as_ref().and_then(refused)) {
            Some(refusal) => {
                event.denied.push(asked(order));
                Err(Error::Refused(refusal))
            }
            None => {
                // What expired first is an entry of its own.
                after.returns.iter_mut().rev().take(1).for_each(|back| back.sequence = sequence);
                event.recorded = after.clone();
                // A cancelled statement frees its period.
                sides.extend(self.statement.as_ref().map(|guard| guard.give(None)));
                sides.extend(take_passes_back(store, order.programme, &event.recorded).await?);
                Ok(EventCancelled::TakenBack(Box::new(after), sequence))
            }
        };
        if state.wallet.erased {
            event.recorded.event.erase();
        }
        sides.push(put_event(&event)?);
        let mut proposal = self.proposal(state, applied, theirs, sides);
        let quotas = quota_writes(order.programme, proposal.all_entries());
        proposal.sides.extend(quotas);
        Ok(Step::Commit(proposal, answer))
    }
}

fn refused(applied: &Applied) -> Option<Refusal> {
    if let Outcome::Refused(refusal) = applied.outcome { Some(refusal) } else { None }
}

impl EventCancel<'_> {
    /// Numbered by the cancels that were tried before: a refused one is an entry too.
    fn key(&self) -> EntryKey {
        let tried = self.event.recorded.returns.len() + self.event.denied.len();
        let event = self.order.event.clone();
        EntryKey::CancelEvent { event, turn: u16::try_from(tried).unwrap_or(u16::MAX) }
    }

    /// What the event says of a cancel under this key.
    fn answered(&self, state: &State) -> Option<Step<EventCancelled>> {
        let (order, recorded) = (self.order, &self.event.recorded);
        let reused = || Step::Known(Err(Error::KeyReused));
        if let Some(back) = recorded.returns.iter().find(|back| back.key == order.key) {
            if back.payload != order.payload {
                return Some(reused());
            }
            if back.sequence > state.wallet.length {
                return Some(Step::Again);
            }
            let value = EventCancelled::TakenBack(Box::new(recorded.clone()), back.sequence);
            let wallet = state.wallet.clone();
            return Some(Step::Known(Ok(Done { value, wallet, repeated: true })));
        }
        let denied = self.event.denied.iter().find(|denied| denied.key == order.key)?;
        Some(match denied.payload == order.payload {
            true => Step::Known(Err(Error::Refused(Refusal::AwardSpent))),
            false => reused(),
        })
    }
}
