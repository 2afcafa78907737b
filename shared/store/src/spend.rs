//! Spends: one conditional write; with a purchase, one transaction.

use domain::apply::{Applied, Command, Outcome, apply};
use domain::event::SpendOn;
use domain::id::{EventId, Key, ParticipantId};
use domain::ledger::{Entry, PayloadHash, SpendMade};
use domain::programme::Programme;
use domain::spend::SpendAsked;
use domain::time::Instant;

use crate::Store;
use crate::commit::{Done, Operation, Proposal, Step, decision_time};
use crate::error::{Error, Noun, Result};
use crate::event::{check_event, put_event};
use crate::keyed::{Keyed, Kind};
use crate::ledger::{Ledger, Reach};
use crate::record::StoredEvent;
use crate::table::Write;

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
    keyed: Keyed<'a>,
    purchase: Option<StoredEvent>,
}

impl Store {
    /// Debits a wallet. Write units: 1.17; 4.17 against a purchase or with a key that
    /// carries no time. A refusal is an entry too.
    ///
    /// # Errors
    /// `Refused`, `NotFound` (participant, event), `KeyReused`, `KeyInFuture`, or a failure.
    pub async fn spend(&self, order: &Spending<'_>) -> Result<Done<SpendDone>> {
        let Spending { participant, key, payload, now, .. } = *order;
        let keyed = Keyed::new(Kind::Spend, participant, key, payload, now);
        self.commit(participant, &mut Spend { order, keyed, purchase: None }).await
    }
}

impl Operation for Spend<'_> {
    type Answer = SpendDone;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        self.keyed.load(store, fresh).await?;
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
            return Ok(step);
        }
        let own = |event: &&StoredEvent| event.recorded.event.participant == *order.participant;
        let purchase = self.purchase.as_ref().filter(own);
        if order.purchase.is_some() && purchase.is_none() {
            return Ok(Step::Answer(Err(Error::NotFound(Noun::Event))));
        }
        let wallet = &ledger.known()?.wallet;
        let accepted = purchase.map(|purchase| purchase.recorded.accepted_at);
        let now = decision_time(order.now, wallet, accepted);
        let command = Command::Spend {
            key: self.keyed.entry_key(),
            payload: order.payload,
            asked: order.asked,
            purchase: purchase.map(|purchase| &purchase.recorded),
        };
        let applied = apply(order.programme, wallet, now, &command);
        propose_spend(&self.keyed, applied, purchase)
    }
}

/// The answer of a spend's entry.
pub(crate) fn read_spend(entry: &Entry) -> Result<SpendDone> {
    let made = entry.spend().cloned().ok_or(Error::Corrupt("a spend's entry is none"))?;
    Ok(SpendDone { sequence: entry.sequence, made })
}

/// What a spend commits: the wallet with the purchase that it pays, or with a check that a purchase
/// which refused it still is what was read.
pub(crate) fn propose_spend(
    keyed: &Keyed<'_>,
    applied: Applied,
    purchase: Option<&StoredEvent>,
) -> Result<Step<SpendDone>> {
    let entry = applied.entries.last().ok_or(Error::Corrupt("a spend without its entry"))?;
    let answer = match &applied.outcome {
        Outcome::Refused(refusal) => Err(Error::Refused(*refusal)),
        Outcome::Done | Outcome::Judged { .. } => Ok(read_spend(entry)?),
    };
    let mut sides: Vec<Write> = keyed.guard(entry.sequence).into_iter().collect();
    match (purchase, &answer) {
        (Some(purchase), Ok(done)) => {
            let mut purchase = purchase.clone();
            let (sequence, made) = (done.sequence, done.made.clone());
            purchase.recorded.spends.push(SpendOn { sequence, made, cancelled: false });
            sides.push(put_event(&purchase)?);
        }
        (Some(purchase), Err(_)) => sides.push(check_event(purchase)),
        (None, _) => {}
    }
    Ok(Step::Commit(Proposal::of(applied, sides), answer))
}
