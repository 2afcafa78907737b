//! Spends: one conditional write; with a purchase, one transaction.

use domain::apply::{Command, Outcome, apply};
use domain::event::SpendOn;
use domain::id::{EventId, Key, ParticipantId};
use domain::ledger::{Act, Entry, EntryKey, PayloadHash, SpendMade};
use domain::programme::Programme;
use domain::spend::SpendAsked;
use domain::time::Instant;

use crate::Store;
use crate::commit::{Done, Operation, Proposal, Step, decision_time};
use crate::error::{Error, Noun, Result};
use crate::event::{check_event, put_event};
use crate::key;
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
    pub key: &'a Key,
    pub payload: PayloadHash,
    pub asked: &'a SpendAsked,
    /// The purchase it is made against.
    pub purchase: Option<&'a EventId>,
}

/// A spend that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendDone {
    /// The ledger entry.
    pub sequence: u64,
    pub made: SpendMade,
}

struct Spend<'a> {
    order: &'a Spending<'a>,
    purchase: Option<StoredEvent>,
    /// Sequence of the entry that a key without a time led to.
    guarded: Option<u64>,
}

impl Store {
    /// Debits a wallet. Write units: 1.17; 4.17 against a purchase or with a key that
    /// carries no time. A refusal is an entry too.
    ///
    /// # Errors
    /// `Refused`, `NotFound` (participant, event), `KeyReused`, `KeyInFuture`, or a failure.
    pub async fn spend(&self, order: &Spending<'_>) -> Result<Done<SpendDone>> {
        let mut operation = Spend { order, purchase: None, guarded: None };
        self.commit(order.participant, &mut operation).await
    }
}

impl Operation for Spend<'_> {
    type Answer = SpendDone;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        let order = self.order;
        if order.key.time().is_none() {
            let guard = key::spend_guard(order.participant, order.key);
            let guard = store.table.get(guard, fresh).await?;
            self.guarded = guard.map(|guard| read_number(&guard, "q")).transpose()?;
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
        let key = EntryKey::Spend(order.key.clone());
        if self.guarded.is_some_and(|sequence| sequence > state.wallet.length) {
            return Ok(Step::Again);
        }
        let found = match self.guarded {
            Some(sequence) => Some(store.find_entry(order.participant, ledger, sequence).await?),
            None => ledger.search(&key).cloned(),
        };
        if let Some(entry) = found {
            return Ok(Step::Known(repeat(order, state, &entry)));
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
        };
        let applied = apply(order.programme, &state.wallet, now, &command);
        let sequence = applied.wallet.length;
        let made = applied.entries.last().and_then(|entry| entry.spend().cloned());
        let answer = match (&applied.outcome, made) {
            (Outcome::Refused(refusal), _) => Err(Error::Refused(*refusal)),
            (Outcome::Done | Outcome::Judged { .. }, Some(made)) => {
                Ok(SpendDone { sequence, made })
            }
            (Outcome::Done | Outcome::Judged { .. }, None) => {
                return Err(Error::Corrupt("a spend without its entry"));
            }
        };
        let mut sides = Vec::new();
        if order.key.time().is_none() {
            let guard = key::spend_guard(order.participant, order.key);
            let item = item(guard, [("q", number(sequence))]);
            sides.push(Write::Put { item, demand: Demand::Absent });
        }
        match (purchase, &answer) {
            (Some(purchase), Ok(done)) => {
                let mut purchase = purchase.clone();
                let (sequence, made) = (done.sequence, done.made.clone());
                purchase.recorded.spends.push(SpendOn::new(sequence, made));
                sides.push(put_event(&purchase)?);
            }
            (Some(purchase), Err(_)) => sides.push(check_event(purchase)),
            (None, _) => {}
        }
        Ok(Step::Commit(Proposal::of(applied, sides), answer))
    }
}

fn repeat(order: &Spending<'_>, state: &State, entry: &Entry) -> Result<Done<SpendDone>> {
    if entry.payload != order.payload {
        return Err(Error::KeyReused);
    }
    if let Act::Refused(refusal) = &entry.act {
        return Err(Error::Refused(*refusal));
    }
    let made = entry.spend().cloned().ok_or(Error::Corrupt("a spend's entry is none"))?;
    let value = SpendDone { sequence: entry.sequence, made };
    Ok(Done { value, wallet: state.wallet.clone(), repeated: true })
}
