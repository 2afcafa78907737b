//! The end of a hold: settled or released, once.

use domain::amount::Amount;
use domain::apply::{Command, Outcome, apply};
use domain::event::sums;
use domain::hold::SettleAsked;
use domain::id::{BalanceCode, EventId, Key, TransactionCode};
use domain::ledger::{Effect, Entry, HoldMade, PayloadHash};
use domain::programme::Programme;
use domain::time::Instant;

use crate::Store;
use crate::commit::{Done, Operation, Proposal, Step, decision_time};
use crate::error::{Error, Noun, Result};
use crate::keyed::{Keyed, Kind, RequestKey};
use crate::ledger::{Ledger, Reach};
use crate::record::StoredEvent;
use crate::spend::{SpendDone, propose_spend, read_spend};

/// A hold that is to be spent.
#[derive(Clone, Debug)]
pub struct Settling<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub hold: &'a TransactionCode,
    pub key: &'a Key,
    /// Of the body, and of which hold it ends how.
    pub payload: PayloadHash,
    /// In the balance; none: all that is held.
    pub amount: Option<Amount>,
    /// The purchase it is spent on; none: that of the hold, if it has one.
    pub purchase: Option<&'a EventId>,
}

/// A hold that is to be given back.
#[derive(Clone, Debug)]
pub struct Releasing<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub hold: &'a TransactionCode,
    pub key: &'a Key,
    /// Of which hold it ends how.
    pub payload: PayloadHash,
}

/// A hold that was given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldReleased {
    /// The ledger entry of the release.
    pub sequence: u64,
    pub balance: BalanceCode,
    /// What came back, part of it perhaps to pay debt.
    pub released: Amount,
}

impl Store {
    /// Spends what is held, or a part of it, and gives back the rest. Write units: 1.17; 4.17
    /// against a purchase or with a key that carries no time. A refusal is an entry too.
    ///
    /// # Errors
    /// `Refused` (`hold_not_open`, those of a spend), `NotFound` (hold, event), `KeyReused`,
    /// `KeyInFuture`, or a failure.
    pub async fn settle(&self, order: &Settling<'_>) -> Result<Done<SpendDone>> {
        let Settling { hold, key, payload, now, .. } = *order;
        let keyed =
            Keyed::new(Kind::EndHold, &hold.participant, RequestKey::Caller(key), payload, now);
        let done = self.commit(&hold.participant, &mut Settle { order, keyed }).await;
        done.map_err(no_hold)
    }

    /// Gives back what is held. Write units: 1.17; 4.17 with a key that carries no time. A
    /// refusal is an entry too.
    ///
    /// # Errors
    /// `Refused` (`hold_not_open`), `NotFound` (hold), `KeyReused`, `KeyInFuture`, or a failure.
    pub async fn release(&self, order: &Releasing<'_>) -> Result<Done<HoldReleased>> {
        let Releasing { hold, key, payload, now, .. } = *order;
        let keyed =
            Keyed::new(Kind::EndHold, &hold.participant, RequestKey::Caller(key), payload, now);
        let done = self.commit(&hold.participant, &mut Release { order, keyed }).await;
        done.map_err(no_hold)
    }
}

/// Whose participant is unknown is no hold's code.
fn no_hold(error: Error) -> Error {
    let unknown = matches!(error, Error::NotFound(Noun::Participant));
    if unknown { Error::NotFound(Noun::Hold) } else { error }
}

/// The hold that an entry made; none where what was read has no such entry.
async fn find_hold(
    store: &Store,
    ledger: &Ledger,
    code: &TransactionCode,
) -> Result<Option<HoldMade>> {
    match store.find_entry(&code.participant, ledger, code.sequence).await {
        Err(Error::NotFound(_)) => Ok(None),
        entry => Ok(entry?.hold().cloned()),
    }
}

fn no_such_hold<A>() -> Result<Step<A>> {
    Ok(Step::Answer(Err(Error::NotFound(Noun::Hold))))
}

struct Settle<'a> {
    order: &'a Settling<'a>,
    keyed: Keyed<'a>,
}

impl Operation for Settle<'_> {
    type Answer = SpendDone;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        self.keyed.load(store, fresh).await
    }

    fn reach(&self) -> Reach {
        self.keyed.reach()
    }

    async fn decide(&mut self, store: &Store, ledger: &Ledger) -> Result<Step<SpendDone>> {
        let Settling { programme, hold, key, payload, amount, .. } = *self.order;
        if let Some(step) = self.keyed.search(store, ledger, read_spend).await? {
            return Ok(step);
        }
        let Some(made) = find_hold(store, ledger, hold).await? else { return no_such_hold() };
        let held_for = made.spend;
        let named = self.order.purchase.or(held_for.purchase.as_ref()).cloned();
        let purchase = match &named {
            Some(id) => store.read_event(id, ledger.fresh).await?,
            None => None,
        };
        let own = |event: &StoredEvent| event.recorded.event.participant == hold.participant;
        let purchase = purchase.filter(own);
        if named.is_some() && purchase.is_none() {
            return Ok(Step::Answer(Err(Error::NotFound(Noun::Event))));
        }
        let wallet = &ledger.known()?.wallet;
        let recorded = purchase.as_ref().map(|purchase| &purchase.recorded);
        let accepted = recorded.map(|purchase| purchase.accepted_at);
        let now = decision_time(self.order.now, wallet, accepted);
        let asked = &SettleAsked { hold: hold.sequence, held_for, amount };
        let command = Command::Settle { key, payload, asked, purchase: recorded };
        let applied = apply(programme, wallet, now, &command);
        propose_spend(&self.keyed, applied, purchase.as_ref(), None, None)
    }
}

struct Release<'a> {
    order: &'a Releasing<'a>,
    keyed: Keyed<'a>,
}

impl Operation for Release<'_> {
    type Answer = HoldReleased;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        self.keyed.load(store, fresh).await
    }

    fn reach(&self) -> Reach {
        self.keyed.reach()
    }

    async fn decide(&mut self, store: &Store, ledger: &Ledger) -> Result<Step<HoldReleased>> {
        let Releasing { programme, hold, key, payload, .. } = *self.order;
        if let Some(step) = self.keyed.search(store, ledger, read_release).await? {
            return Ok(step);
        }
        if find_hold(store, ledger, hold).await?.is_none() {
            return no_such_hold();
        }
        let wallet = &ledger.known()?.wallet;
        let now = decision_time(self.order.now, wallet, None);
        let command = Command::Release { key, payload, hold: hold.sequence };
        let applied = apply(programme, wallet, now, &command);
        let entry = applied.entries.last().ok_or(Error::Corrupt("a release without its entry"))?;
        let answer = match &applied.outcome {
            Outcome::Refused(refusal) => Err(Error::Refused(*refusal)),
            Outcome::Done | Outcome::Judged { .. } => Ok(read_release(entry)?),
        };
        let sides = self.keyed.guard(entry.sequence).into_iter().collect();
        Ok(Step::Commit(Proposal::of(applied, sides), answer))
    }
}

fn read_release(entry: &Entry) -> Result<HoldReleased> {
    let back = entry.effects.iter().filter_map(|effect| {
        let Effect::Release { lot, amount, .. } = effect else { return None };
        Some((&lot.balance, *amount))
    });
    let (balance, released) =
        sums(back).into_iter().next().ok_or(Error::Corrupt("a release's entry is none"))?;
    Ok(HoldReleased { sequence: entry.sequence, balance, released })
}
