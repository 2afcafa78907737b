//! Spends: one conditional write; with a purchase, one transaction.

use domain::apply::{Applied, Command, Outcome, apply};
use domain::event::{Event, RecordedEvent, SpendOn};
use domain::id::{EventId, ParticipantId};
use domain::ledger::{Entry, PayloadHash, SpendMade};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::spend::SpendAsked;
use domain::time::Instant;

use crate::Store;
use crate::bar::Place;
use crate::commit::{Done, Operation, Proposal, Step, decision_time};
use crate::error::{Error, Noun, Result};
use crate::event::{check_event, put_event};
use crate::keyed::{Keyed, Kind, RequestKey};
use crate::ledger::{Ledger, Reach};
use crate::pass::{Bearer, Shown};
use crate::record::{State, StoredEvent};
use crate::table::Write;

/// A spend request.
#[derive(Clone, Debug)]
pub struct Spending<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub participant: &'a ParticipantId,
    pub key: RequestKey<'a>,
    pub payload: PayloadHash,
    pub asked: &'a SpendAsked,
    /// The purchase it is made against.
    pub purchase: Option<&'a EventId>,
    /// The event that it comes as: stored with the spend, if it is carried out.
    pub request: Option<&'a Event>,
    /// Whoever spends from a nameless wallet.
    pub bearer: Option<Bearer<'a>>,
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
    keyed: Keyed<'a>,
    purchase: Option<StoredEvent>,
    /// What is stored under the reference.
    request: Option<Place>,
    shown: Shown<'a>,
}

impl Store {
    /// Debits a wallet. Write units: 1.17; 4.17 against a purchase, with a key that
    /// carries no time, with a reference, or with a pass; 2 more for each further of these. A
    /// refusal is an entry too.
    ///
    /// # Errors
    /// `Refused`, `NotFound` (participant, event), `KeyReused`, `KeyInFuture`, or a failure.
    pub async fn spend(&self, order: &Spending<'_>) -> Result<Done<SpendDone>> {
        let Spending { participant, key, payload, now, .. } = *order;
        let keyed = Keyed::new(Kind::Spend, participant, key, payload, now);
        let shown = Shown::new(order.bearer);
        let mut operation = Spend { order, keyed, purchase: None, request: None, shown };
        self.commit(participant, &mut operation).await
    }
}

impl Operation for Spend<'_> {
    type Answer = SpendDone;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        self.keyed.load(store, fresh).await?;
        self.shown.load(store, fresh).await?;
        if let Some(request) = self.order.request {
            self.request = store.read_place(&request.id, fresh).await?;
        }
        if let Some(purchase) = self.order.purchase {
            self.purchase = store.read_event(purchase, fresh).await?;
        }
        Ok(())
    }

    fn reach(&self) -> Reach {
        self.keyed.reach()
    }

    async fn decide(&mut self, store: &Store, ledger: &Ledger) -> Result<Step<SpendDone>> {
        let order = self.order;
        if let Some(step) = self.keyed.search(store, ledger, read_spend).await? {
            return Ok(self.with_request(step));
        }
        let state = ledger.known()?;
        match &self.request {
            Some(Place::Event(known)) => return Ok(self.repeat_under_reference(state, known)),
            Some(Place::Barred(_)) => {
                return Ok(Step::Known(Err(Error::Refused(Refusal::EventCancelled))));
            }
            None => {}
        }
        let own = |event: &&StoredEvent| event.recorded.event.participant == *order.participant;
        let purchase = self.purchase.as_ref().filter(own);
        if order.purchase.is_some() && purchase.is_none() {
            return Ok(Step::Answer(Err(Error::NotFound(Noun::Event))));
        }
        let pass = match self.shown.pass() {
            Ok(pass) => pass,
            Err(unknown) => return Ok(Step::Answer(Err(unknown))),
        };
        let accepted = purchase.map(|purchase| purchase.recorded.accepted_at);
        let now = decision_time(order.now, &state.wallet, accepted);
        let command = Command::Spend {
            key: self.keyed.entry_key(),
            payload: order.payload,
            asked: order.asked,
            purchase: purchase.map(|purchase| &purchase.recorded),
            request: order.request.map(|request| &request.id),
            pass,
        };
        let applied = apply(order.programme, &state.wallet, now, &command);
        propose_spend(&self.keyed, applied, purchase, order.request, self.shown.check())
    }
}

impl Spend<'_> {
    /// The answer that the key led to, with the event that the spend came as.
    fn with_request(&self, mut step: Step<SpendDone>) -> Step<SpendDone> {
        if let Step::Known(Ok(done)) = &mut step
            && done.value.made.request.is_some()
        {
            // The event was written with the entry: what does not show it is stale.
            let Some(Place::Event(known)) = &self.request else { return Step::Again };
            done.value.request = Some(self.as_it_stands(known));
        }
        step
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

/// The answer of a spend's entry.
pub(crate) fn read_spend(entry: &Entry) -> Result<SpendDone> {
    let made = entry.spend().cloned().ok_or(Error::Corrupt("a spend's entry is none"))?;
    Ok(SpendDone { sequence: entry.sequence, made, request: None })
}

/// What a spend commits: the wallet with the purchase that it pays, or with a check that a purchase
/// which refused it still is what was read; and the event that it came as. `check` is of the pass
/// that was shown.
pub(crate) fn propose_spend(
    keyed: &Keyed<'_>,
    applied: Applied,
    purchase: Option<&StoredEvent>,
    request: Option<&Event>,
    check: Option<Write>,
) -> Result<Step<SpendDone>> {
    let entry = applied.entries.last().ok_or(Error::Corrupt("a spend without its entry"))?;
    let answer = match &applied.outcome {
        Outcome::Refused(refusal) => Err(Error::Refused(*refusal)),
        Outcome::Done | Outcome::Judged { .. } => {
            let done = read_spend(entry)?;
            let request = request.zip(SpendOn::of(entry)).map(|(event, spend)| {
                RecordedEvent::spent_by(event.clone(), keyed.payload, entry.at, spend)
            });
            Ok(SpendDone { request, ..done })
        }
    };
    // A spend that was carried out under its reference is guarded by its event.
    let guarded = matches!(keyed.key, RequestKey::Reference(_)) && answer.is_ok();
    let guard = keyed.guard(entry.sequence).filter(|_| !guarded);
    let mut sides: Vec<Write> = guard.into_iter().chain(check).collect();
    match (purchase, &answer) {
        (Some(purchase), Ok(_)) => {
            let mut purchase = purchase.clone();
            purchase.recorded.spends.extend(SpendOn::of(entry));
            sides.push(put_event(&purchase)?);
        }
        (Some(purchase), Err(_)) => sides.push(check_event(purchase)),
        (None, _) => {}
    }
    if let Some(recorded) = answer.as_ref().ok().and_then(|done| done.request.clone()) {
        sides.push(put_event(&StoredEvent { recorded, version: 0, denied: Vec::new() })?);
    }
    Ok(Step::Commit(Proposal::of(applied, sides), answer))
}
