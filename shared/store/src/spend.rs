//! Spends: one conditional write; with a purchase, one transaction.

use domain::apply::{Command, Outcome, apply};
use domain::event::{Event, RecordedEvent, SpendOn};
use domain::id::{EventId, Key, ParticipantId};
use domain::ledger::{Act, Entry, EntryKey, PayloadHash, SpendMade};
use domain::programme::Programme;
use domain::spend::SpendAsked;
use domain::time::Instant;

use crate::Store;
use crate::commit::{Done, Operation, Proposal, Step, decision_time};
use crate::error::{Error, Noun, Result};
use crate::event::{check_event, put_event};
use crate::key::{self, ItemKey};
use crate::ledger::{Ledger, Reach, SKEW_MINUTES};
use crate::record::{State, StoredEvent};
use crate::table::{Demand, Write, item, number, read_number};

/// A spend request.
#[derive(Clone, Debug)]
pub struct Spending<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub participant: &'a ParticipantId,
    pub key: SpendKey<'a>,
    pub payload: PayloadHash,
    pub asked: &'a SpendAsked,
    /// The purchase it is made against.
    pub purchase: Option<&'a EventId>,
    /// The event that it comes as: stored with the spend, if it is carried out.
    pub request: Option<&'a Event>,
}

/// What makes a spend one and the same, for ever.
#[derive(Clone, Copy, Debug)]
pub enum SpendKey<'a> {
    /// The caller's `Idempotency-Key`.
    Caller(&'a Key),
    /// The reference of the event that it comes as.
    Reference(&'a EventId),
}

/// A spend that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendDone {
    /// The ledger entry.
    pub sequence: u64,
    pub made: SpendMade,
    /// The event that it came as, as it stands.
    pub request: Option<RecordedEvent>,
}

struct Spend<'a> {
    order: &'a Spending<'a>,
    purchase: Option<StoredEvent>,
    /// What is stored under the reference.
    request: Option<StoredEvent>,
    /// Sequence of the entry that a key without a time led to.
    guarded: Option<u64>,
}

impl SpendKey<'_> {
    fn time(self) -> Option<i64> {
        match self {
            SpendKey::Caller(key) => key.time(),
            SpendKey::Reference(_) => None,
        }
    }

    fn entry(self) -> EntryKey {
        match self {
            SpendKey::Caller(key) => EntryKey::Spend(key.clone()),
            SpendKey::Reference(event) => EntryKey::SpendRequest(event.clone()),
        }
    }

    /// Where a key without a time is guarded.
    fn guard(self, participant: &ParticipantId) -> Option<ItemKey> {
        match self {
            SpendKey::Caller(key) if key.time().is_some() => None,
            SpendKey::Caller(key) => Some(key::spend_guard(participant, key)),
            SpendKey::Reference(event) => Some(key::reference_guard(participant, event)),
        }
    }
}

impl Store {
    /// Debits a wallet. Write units: 1.17; 4.17 against a purchase, with a key that
    /// carries no time, or with a reference; 2 more for each further of these. A refusal is an
    /// entry too.
    ///
    /// # Errors
    /// `Refused`, `NotFound` (participant, event), `KeyReused`, `KeyInFuture`, or a failure.
    pub async fn spend(&self, order: &Spending<'_>) -> Result<Done<SpendDone>> {
        let mut operation = Spend { order, purchase: None, request: None, guarded: None };
        self.commit(order.participant, &mut operation).await
    }
}

impl Operation for Spend<'_> {
    type Answer = SpendDone;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        let order = self.order;
        if let Some(guard) = order.key.guard(order.participant) {
            let guard = store.table.get(guard, fresh).await?;
            self.guarded = guard.map(|guard| read_number(&guard, "q")).transpose()?;
        }
        if let Some(request) = order.request {
            self.request = store.read_event(&request.id, fresh).await?;
        }
        if let Some(purchase) = order.purchase {
            self.purchase = store.read_event(purchase, fresh).await?;
        }
        Ok(())
    }

    fn reach(&self) -> Reach {
        self.order.key.time().map_or(Reach::Journal, |time| Reach::Since(Instant(time)))
    }

    async fn decide(&mut self, store: &Store, ledger: &Ledger) -> Result<Step<SpendDone>> {
        let order = self.order;
        let state = match ledger.known() {
            Ok(state) => state,
            Err(unknown) => return Ok(Step::Answer(Err(unknown))),
        };
        let key = order.key.entry();
        if self.guarded.is_some_and(|sequence| sequence > state.wallet.length) {
            return Ok(Step::Again);
        }
        let found = match self.guarded {
            Some(sequence) => Some(store.find_entry(order.participant, ledger, sequence).await?),
            None => ledger.search(&key).cloned(),
        };
        if let Some(entry) = found {
            return Ok(self.repeat(state, &entry));
        }
        if let Some(known) = &self.request {
            return Ok(self.repeat_under_reference(state, known));
        }
        let latest = order.now.max(state.wallet.time).plus_minutes(SKEW_MINUTES);
        if order.key.time().is_some_and(|time| time > latest.0) {
            return Ok(Step::Answer(Err(Error::KeyInFuture)));
        }
        let own = |event: &&StoredEvent| event.recorded.event.participant == *order.participant;
        let purchase = self.purchase.as_ref().filter(own);
        if order.purchase.is_some() && purchase.is_none() {
            return Ok(Step::Answer(Err(Error::NotFound(Noun::Event))));
        }
        self.propose(state, key, purchase)
    }
}

impl Spend<'_> {
    fn propose(
        &self,
        state: &State,
        key: EntryKey,
        purchase: Option<&StoredEvent>,
    ) -> Result<Step<SpendDone>> {
        let order = self.order;
        let accepted = purchase.map(|purchase| purchase.recorded.accepted_at);
        let now = decision_time(order.now, &state.wallet, accepted);
        let command = Command::Spend {
            key,
            payload: order.payload,
            asked: order.asked,
            purchase: purchase.map(|purchase| &purchase.recorded),
            request: order.request.map(|request| &request.id),
        };
        let applied = apply(order.programme, &state.wallet, now, &command);
        let sequence = applied.wallet.length;
        let made = applied.entries.last().and_then(|entry| entry.spend().cloned());
        let answer = match (&applied.outcome, made) {
            (Outcome::Refused(refusal), _) => Err(Error::Refused(*refusal)),
            (Outcome::Done | Outcome::Judged { .. }, Some(made)) => {
                let request = order.request.map(|event| {
                    let spend = SpendOn::new(sequence, made.clone());
                    RecordedEvent::spent_by(event.clone(), order.payload, now, spend)
                });
                Ok(SpendDone { sequence, made, request })
            }
            (Outcome::Done | Outcome::Judged { .. }, None) => {
                return Err(Error::Corrupt("a spend without its entry"));
            }
        };
        let sides = self.sides(purchase, sequence, answer.as_ref().ok())?;
        Ok(Step::Commit(Proposal::of(applied, sides), answer))
    }

    /// What is written with the entry: the guard of its key, its purchase and its own event.
    fn sides(
        &self,
        purchase: Option<&StoredEvent>,
        sequence: u64,
        done: Option<&SpendDone>,
    ) -> Result<Vec<Write>> {
        let order = self.order;
        let mut sides = Vec::new();
        // A spend that was carried out under its reference is guarded by its event.
        let guarded = matches!(order.key, SpendKey::Reference(_)) && done.is_some();
        if let Some(guard) = order.key.guard(order.participant).filter(|_| !guarded) {
            let item = item(guard, [("q", number(sequence))]);
            sides.push(Write::Put { item, demand: Demand::Absent });
        }
        match (purchase, done) {
            (Some(purchase), Some(done)) => {
                let mut purchase = purchase.clone();
                purchase.recorded.spends.push(SpendOn::new(sequence, done.made.clone()));
                sides.push(put_event(&purchase)?);
            }
            (Some(purchase), None) => sides.push(check_event(purchase)),
            (None, _) => {}
        }
        if let Some(recorded) = done.and_then(|done| done.request.clone()) {
            sides.push(put_event(&StoredEvent { recorded, version: 0, denied: Vec::new() })?);
        }
        Ok(sides)
    }

    /// The answer that its key led to.
    fn repeat(&self, state: &State, entry: &Entry) -> Step<SpendDone> {
        if entry.payload != self.order.payload {
            return Step::Known(Err(Error::KeyReused));
        }
        if let Act::Refused(refusal) = &entry.act {
            return Step::Known(Err(Error::Refused(*refusal)));
        }
        let Some(made) = entry.spend().cloned() else {
            return Step::Known(Err(Error::Corrupt("a spend's entry is none")));
        };
        if made.request.is_some() && self.request.is_none() {
            return Step::Again;
        }
        let request = self.request.as_ref().filter(|_| made.request.is_some());
        let request = request.map(|request| self.as_it_stands(request));
        let value = SpendDone { sequence: entry.sequence, made, request };
        let wallet = state.wallet.clone();
        Step::Known(Ok(Done { value, wallet, repeated: true }))
    }

    /// The answer of another request with this reference: it is unique over the programme.
    fn repeat_under_reference(&self, state: &State, known: &StoredEvent) -> Step<SpendDone> {
        let recorded = &known.recorded;
        let own = recorded.event.participant == *self.order.participant;
        let spend = recorded.spends.first();
        let Some(spend) = spend.filter(|_| own && recorded.payload == self.order.payload) else {
            return Step::Known(Err(Error::KeyReused));
        };
        if spend.sequence > state.wallet.length {
            return Step::Again;
        }
        let request = Some(self.as_it_stands(known));
        let value = SpendDone { sequence: spend.sequence, made: spend.made.clone(), request };
        let wallet = state.wallet.clone();
        Step::Known(Ok(Done { value, wallet, repeated: true }))
    }

    fn as_it_stands(&self, request: &StoredEvent) -> RecordedEvent {
        let mut recorded = request.recorded.clone();
        if let Some(purchase) = &self.purchase {
            recorded.follow(&purchase.recorded);
        }
        recorded
    }
}
