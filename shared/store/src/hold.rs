//! Two-phase spending: funds are held, then settled or released; one conditional write each, with a
//! purchase one transaction.

mod end;

pub use end::{HoldReleased, Releasing, Settling};

use domain::apply::{Command, Outcome, apply};
use domain::hold::HoldTime;
use domain::id::{EventId, Key, ParticipantId};
use domain::ledger::{Entry, HoldMade, PayloadHash};
use domain::programme::Programme;
use domain::spend::SpendAsked;
use domain::time::Instant;

use crate::Store;
use crate::commit::{Done, Operation, Proposal, Step, decision_time};
use crate::error::{Error, Noun, Result};
use crate::event::check_event;
use crate::keyed::{Keyed, Kind, RequestKey};
use crate::ledger::{Ledger, Reach};
use crate::pass::{Bearer, Shown};
use crate::record::StoredEvent;
use crate::table::Write;

/// A hold that is asked for.
#[derive(Clone, Debug)]
pub struct Holding<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub participant: &'a ParticipantId,
    pub key: &'a Key,
    pub payload: PayloadHash,
    pub asked: &'a SpendAsked,
    /// The purchase it is for.
    pub purchase: Option<&'a EventId>,
    /// How long it stands.
    pub time: HoldTime,
    /// Whoever spends from a nameless wallet.
    pub bearer: Option<Bearer<'a>>,
}

/// A hold that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldDone {
    /// The ledger entry.
    pub sequence: u64,
    pub made: HoldMade,
}

impl Store {
    /// Sets funds aside. Write units: 1.17; 4.17 for a purchase, with a pass, or with a key that
    /// carries no time; 2 more for each further of these. A refusal is an entry too.
    ///
    /// # Errors
    /// `Refused`, `NotFound` (participant, event), `KeyReused`, `KeyInFuture`, or a failure.
    pub async fn hold(&self, order: &Holding<'_>) -> Result<Done<HoldDone>> {
        let Holding { participant, key, payload, now, .. } = *order;
        let keyed = Keyed::new(Kind::Hold, participant, RequestKey::Caller(key), payload, now);
        let shown = Shown::new(order.bearer);
        self.commit(participant, &mut Hold { order, keyed, purchase: None, shown }).await
    }
}

struct Hold<'a> {
    order: &'a Holding<'a>,
    keyed: Keyed<'a>,
    purchase: Option<StoredEvent>,
    shown: Shown<'a>,
}

impl Operation for Hold<'_> {
    type Answer = HoldDone;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        self.keyed.load(store, fresh).await?;
        self.shown.load(store, fresh).await?;
        if let Some(purchase) = self.order.purchase {
            self.purchase = store.read_event(purchase, fresh).await?;
        }
        Ok(())
    }

    fn reach(&self) -> Reach {
        self.keyed.reach()
    }

    async fn decide(&mut self, store: &Store, ledger: &Ledger) -> Result<Step<HoldDone>> {
        let Holding { programme, participant, key, payload, asked, time, .. } = *self.order;
        if let Some(step) = self.keyed.search(store, ledger, read_hold).await? {
            return Ok(step);
        }
        let own = |event: &&StoredEvent| event.recorded.event.participant == *participant;
        let purchase = self.purchase.as_ref().filter(own);
        if self.order.purchase.is_some() && purchase.is_none() {
            return Ok(Step::Answer(Err(Error::NotFound(Noun::Event))));
        }
        let pass = match self.shown.pass() {
            Ok(pass) => pass,
            Err(unknown) => return Ok(Step::Answer(Err(unknown))),
        };
        let wallet = &ledger.known()?.wallet;
        let recorded = purchase.map(|purchase| &purchase.recorded);
        let accepted = recorded.map(|purchase| purchase.accepted_at);
        let now = decision_time(self.order.now, wallet, accepted);
        let command = Command::Hold { key, payload, asked, purchase: recorded, time, pass };
        let applied = apply(programme, wallet, now, &command);
        let entry = applied.entries.last().ok_or(Error::Corrupt("a hold without its entry"))?;
        let answer = match &applied.outcome {
            Outcome::Refused(refusal) => Err(Error::Refused(*refusal)),
            Outcome::Done | Outcome::Judged { .. } => Ok(read_hold(entry)?),
        };
        let mut sides: Vec<Write> = self.keyed.guard(entry.sequence).into_iter().collect();
        // The purchase is not changed; what was decided rests on it.
        sides.extend(purchase.map(check_event));
        sides.extend(self.shown.check());
        Ok(Step::Commit(Proposal::of(applied, sides), answer))
    }
}

pub(crate) fn read_hold(entry: &Entry) -> Result<HoldDone> {
    let made = entry.hold().cloned().ok_or(Error::Corrupt("a hold's entry is none"))?;
    Ok(HoldDone { sequence: entry.sequence, made })
}
