//! Events: accepted once for ever, judged in the call that brings them or left pending.

use domain::apply::{Command, Outcome, apply};
use domain::award::{Facts, Mode};
use domain::checkout::{Checkout, checkout};
use domain::event::{Detail, Due, Event, Judge, RecordedEvent, SpendOn};
use domain::id::EventId;
use domain::ledger::{Entry, EntryKey, PayloadHash};
use domain::pass::Issuing;
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::spend::SpendAsked;
use domain::time::Instant;
use domain::wallet::Wallet;

use crate::Store;
use crate::bar::Place;
use crate::commit::{Done, Operation, Proposal, Step, decision_time};
use crate::error::{Error, Noun, Result};
use crate::facts::{Known, quota_writes};
use crate::key;
use crate::ledger::{Ledger, Reach, read_state};
use crate::pass::{Codes, FoundCode};
use crate::record::{StoredEvent, encode_event};
use crate::statement::StatementGuard;
use crate::table::{Demand, Write, binary, item, number, text};

/// An event to be stored.
#[derive(Clone, Debug)]
pub struct Posting<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub event: &'a Event,
    pub payload: PayloadHash,
    /// The spend that comes with it: both or neither.
    pub spend: Option<&'a SpendAsked>,
    /// Whether it is judged in this call; otherwise it is left pending.
    pub judge: bool,
    /// Whether it creates the participant that it names.
    pub enrols: bool,
    /// Of an event that is judged in this call.
    pub codes: Codes,
}

struct Post<'a> {
    order: &'a Posting<'a>,
    known: Option<Place>,
    facts: Known,
    code: FoundCode,
    /// Decisions before this one, of which none was committed.
    tried: u32,
    /// How often serials of new passes were found to be taken.
    taken: u32,
    /// Of a statement: who holds its period.
    statement: Option<StatementGuard>,
    /// Why nobody is referred: whoever it names is no participant, or is not any more.
    refers_nobody: Option<Error>,
    /// The wallet before this call.
    before: Wallet,
}

/// Puts an event that was read, one version on.
pub(crate) fn put_event(stored: &StoredEvent) -> Result<Write> {
    let demand = match stored.version {
        0 => Demand::Absent,
        version => Demand::Number("v", version),
    };
    let recorded = &stored.recorded;
    let key = key::event(&recorded.event.id);
    let record = encode_event(stored)?;
    let mut item = item(key, [("v", number(stored.version + 1)), ("d", binary(record))]);
    if recorded.due != Due::Nothing {
        let participant = &recorded.event.participant;
        let shard = key::shard_of(participant);
        let sort = key::pending_sort(participant, recorded.accepted_at, &recorded.event.id);
        item.insert("ix_pk".to_owned(), text(&key::pending(shard)));
        item.insert("ix_sk".to_owned(), text(&sort));
    }
    Ok(Write::Put { item, demand })
}

/// Demands that an event still is what was read.
pub(crate) fn check_event(stored: &StoredEvent) -> Write {
    let key = key::event(&stored.recorded.event.id);
    Write::Check { key, demand: Demand::Number("v", stored.version) }
}

impl Store {
    /// Stores an event and, where it is to be judged now, awards it. Write units: 4.17
    /// judged, 2 pending; a statement 6.17 and 5; a repeat writes nothing.
    ///
    /// # Errors
    /// `Refused` (by its spend, `event_cancelled`, `statement_exists` or `participant_erased`:
    /// nothing is stored),
    /// `NotFound` (participant), `KeyReused`, or a failure.
    pub async fn post_event(&self, order: &Posting<'_>) -> Result<Done<RecordedEvent>> {
        Ok(self.post_invoice(order).await?.0)
    }

    /// Likewise, with the wallet before this call; a repeat changes nothing, so that it is the same
    /// before and after.
    ///
    /// # Errors
    /// As of [`Store::post_event`].
    pub async fn post_invoice(&self, order: &Posting<'_>) -> Result<(Done<RecordedEvent>, Wallet)> {
        let mut post = Post {
            order,
            known: None,
            facts: Known::default(),
            code: FoundCode::default(),
            tried: 0,
            taken: 0,
            statement: None,
            refers_nobody: None,
            before: Wallet::default(),
        };
        let done = self.commit(&order.event.participant, &mut post).await?;
        Ok((done, post.before))
    }

    /// An event with everything that happened to it.
    ///
    /// # Errors
    /// `NotFound` (event), or a failure.
    pub async fn event(&self, id: &EventId) -> Result<RecordedEvent> {
        let stored = self.read_event(id, true).await?.ok_or(Error::NotFound(Noun::Event))?;
        self.as_its_purchase_says(stored.recorded, true).await
    }

    /// An event that is known to be there, or was asked for: where an eventually consistent read
    /// does not show it, a consistent one decides.
    pub(crate) async fn find_event(
        &self,
        id: &EventId,
        fresh: bool,
    ) -> Result<Option<StoredEvent>> {
        match self.read_event(id, fresh).await? {
            None if !fresh => self.read_event(id, true).await,
            found => Ok(found),
        }
    }

    pub(crate) async fn read_event(
        &self,
        id: &EventId,
        fresh: bool,
    ) -> Result<Option<StoredEvent>> {
        Ok(match self.read_place(id, fresh).await? {
            Some(Place::Event(stored)) => Some(*stored),
            Some(Place::Barred(_)) | None => None,
        })
    }
}

impl Operation for Post<'_> {
    type Answer = RecordedEvent;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        let Posting { programme, event, judge, ref codes, .. } = *self.order;
        self.known = store.read_place(&event.id, fresh).await?;
        self.statement = store.statement_guard(event, fresh).await?;
        if let Detail::Referral { referred } = &event.detail {
            let state = store.table.get(key::state(referred), fresh).await?;
            let wallet = state.as_ref().map(read_state).transpose()?.map(|state| state.wallet);
            self.refers_nobody = match &wallet {
                None => (!self.order.enrols).then_some(Error::NotFound(Noun::Participant)),
                Some(wallet) => wallet.gone().map(Error::Refused),
            };
        }
        if judge && self.known.is_none() {
            let events = std::iter::once(event);
            self.facts = store.facts(programme, &event.participant, events).await?;
            let (facts, shown) = (&mut self.facts, codes.shown.as_ref());
            store.know_for_code(facts, programme, &event.participant, shown).await?;
            self.code = store.find_code(programme, shown, fresh).await?;
        }
        Ok(())
    }

    fn reach(&self) -> Reach {
        Reach::Journal
    }

    async fn decide(&mut self, store: &Store, ledger: &Ledger) -> Result<Step<RecordedEvent>> {
        let order = self.order;
        if let Some(Place::Barred(_)) = &self.known {
            return Ok(Step::Known(Err(Error::Refused(Refusal::EventCancelled))));
        }
        if let Some(Place::Event(known)) = &self.known {
            if known.recorded.payload != order.payload {
                return Ok(Step::Known(Err(Error::KeyReused)));
            }
            let newest = known.recorded.entries().into_iter().max().unwrap_or(0);
            let wallet = ledger.state.as_ref().map(|state| state.wallet.clone());
            if wallet.as_ref().is_none_or(|wallet| wallet.length < newest) {
                return Ok(Step::Again);
            }
            let value = known.recorded.clone();
            let wallet = wallet.unwrap_or_default();
            self.before = wallet.clone();
            return Ok(Step::Known(Ok(Done { value, wallet, repeated: true })));
        }
        if let Some(gone) = ledger.state.as_ref().and_then(|state| state.wallet.gone()) {
            return Ok(Step::Answer(Err(Error::Refused(gone))));
        }
        let enrols = ledger.state.is_none();
        if enrols && !order.enrols {
            return Ok(Step::Answer(Err(Error::NotFound(Noun::Participant))));
        }
        if let Some(nobody) = self.refers_nobody.take() {
            return Ok(Step::Answer(Err(nobody)));
        }
        if let Some(holder) = self.statement.as_ref().and_then(|guard| guard.holder.as_ref()) {
            let exists = Err(Error::Refused(Refusal::StatementExists));
            // Its own period, and the event was not to be seen yet: it is a repeat.
            return Ok(if *holder == order.event.id { Step::Again } else { Step::Answer(exists) });
        }
        let wallet = ledger.state.as_ref().map(|state| state.wallet.clone()).unwrap_or_default();
        self.before = wallet.clone();
        let now = decision_time(order.now, &wallet, None);
        let mut posted = Posted {
            recorded: RecordedEvent::accepted(order.event.clone(), order.payload, now),
            wallet,
            entries: Vec::new(),
        };
        let issuing = Issuing { newest: order.codes.newest, attempt: self.taken };
        let facts = Facts { issuing, ..self.facts.facts() };
        let (programme, event) = (order.programme, &posted.recorded);
        posted.recorded.pass = self.code.show(programme, &posted.wallet, now, event, &facts);
        let checkout = posted.checkout(order, now, &facts);
        if let Some(refused) = posted.spend(order, now, checkout.as_ref()) {
            return Ok(Step::Answer(Err(refused)));
        }
        if order.judge {
            let (facts, wallet) = (&mut self.facts, &posted.wallet);
            store.know_consent(facts, order.programme, wallet, now, order.event).await?;
            let before_spend = checkout.as_ref().map(|checkout| &checkout.before);
            posted.judge(order, now, Facts { before_spend, issuing, ..self.facts.facts() })?;
        }
        let Some(sides) = self.sides(store, now, &posted).await? else { return Ok(Step::Again) };
        let Posted { recorded, wallet, entries } = posted;
        let proposal = Proposal { entries, wallet, enrols, second: None, sides };
        Ok(Step::Commit(proposal, Ok(recorded)))
    }
}

impl Post<'_> {
    /// What is written with the state; none: a pass that would be given has a serial that is taken.
    async fn sides(
        &mut self,
        store: &Store,
        now: Instant,
        posted: &Posted,
    ) -> Result<Option<Vec<Write>>> {
        let (programme, recorded) = (self.order.programme, posted.recorded.clone());
        self.tried += 1;
        let given = store.give_passes(programme, now, &recorded, self.tried > 1).await?;
        let Some(given) = given else {
            self.taken += 1;
            return Ok(None);
        };
        let used = self.code.used(&recorded)?;
        let mut sides = vec![put_event(&StoredEvent { recorded, version: 0, denied: vec![] })?];
        let event = &self.order.event.id;
        sides.extend(self.statement.as_ref().map(|guard| guard.give(Some(event))));
        sides.extend(quota_writes(programme, &posted.entries));
        sides.extend(used);
        sides.extend(given);
        Ok(Some(sides))
    }
}

/// An event on its way into a wallet.
struct Posted {
    recorded: RecordedEvent,
    wallet: Wallet,
    entries: Vec<Entry>,
}

impl Posted {
    /// What a spend that comes with an event is decided on, where the event is judged as well.
    fn checkout(&self, order: &Posting<'_>, now: Instant, facts: &Facts<'_>) -> Option<Checkout> {
        let both = order.judge && order.spend.is_some();
        both.then(|| checkout(order.programme, &self.wallet, now, &self.recorded, facts))
    }

    /// Carries out the spend that came with the event, before its award: a purchase is not paid
    /// with what it earns.
    fn spend(
        &mut self,
        order: &Posting<'_>,
        now: Instant,
        checkout: Option<&Checkout>,
    ) -> Option<Error> {
        let asked = order.spend?;
        let purchase = checkout.map_or(&self.recorded, |checkout| &checkout.purchase);
        let command = Command::Spend {
            key: EntryKey::SpendWithPurchase(order.event.id.clone()),
            payload: order.payload,
            asked,
            purchase: Some(purchase),
            request: None,
            pass: None,
        };
        let applied = apply(order.programme, &self.wallet, now, &command);
        if let Outcome::Refused(refusal) = applied.outcome {
            return Some(Error::Refused(refusal));
        }
        self.recorded.spends.extend(applied.entries.last().and_then(SpendOn::of));
        self.entries.extend(applied.entries);
        self.wallet = applied.wallet;
        None
    }

    fn judge(&mut self, order: &Posting<'_>, now: Instant, facts: Facts<'_>) -> Result<()> {
        let (mode, by) = (Mode::Interactive, Judge::Interactive);
        let command = Command::Judge { event: &self.recorded, mode, by, facts };
        let applied = apply(order.programme, &self.wallet, now, &command);
        let Outcome::Judged { judgement, due, spends } = applied.outcome else {
            return Err(Error::Corrupt("a judgement that is none"));
        };
        self.recorded.judgements.push(judgement);
        self.recorded.due = due;
        self.recorded.spends.extend(spends);
        self.entries.extend(applied.entries);
        self.wallet = applied.wallet;
        Ok(())
    }
}
