//! Adjustments by hand and imports of points movements: one conditional write each.

use domain::adjust::Adjustment;
use domain::apply::{Command, Outcome, apply};
use domain::id::{Key, ParticipantId};
use domain::ledger::{Entry, PayloadHash};
use domain::programme::Programme;
use domain::time::Instant;

use crate::Store;
use crate::commit::{Done, Operation, Proposal, Step, decision_time};
use crate::error::{Error, Result};
use crate::keyed::{Keyed, Kind, RequestKey};
use crate::ledger::{Ledger, Reach};

/// An adjustment that is asked for.
#[derive(Clone, Debug)]
pub struct Adjusting<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub participant: &'a ParticipantId,
    /// The caller's key, or the reference of a row.
    pub key: &'a Key,
    pub payload: PayloadHash,
    pub adjustment: &'a Adjustment,
}

/// An adjustment that was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adjusted {
    /// The ledger entry.
    pub sequence: u64,
}

struct Adjust<'a> {
    order: &'a Adjusting<'a>,
    keyed: Keyed<'a>,
}

impl Store {
    /// Credits or debits a wallet by hand. Write units: 1.17; 4.17 with a key that carries no
    /// time. A refusal is an entry too.
    ///
    /// # Errors
    /// `Refused`, `NotFound` (participant), `KeyReused`, `KeyInFuture`, or a failure.
    pub async fn adjust(&self, order: &Adjusting<'_>) -> Result<Done<Adjusted>> {
        let Adjusting { participant, key, payload, now, .. } = *order;
        let keyed = Keyed::new(Kind::Adjust, participant, RequestKey::Caller(key), payload, now);
        self.commit(participant, &mut Adjust { order, keyed }).await
    }
}

impl Operation for Adjust<'_> {
    type Answer = Adjusted;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        self.keyed.load(store, fresh).await
    }

    fn reach(&self) -> Reach {
        self.keyed.reach()
    }

    async fn decide(&mut self, store: &Store, ledger: &Ledger) -> Result<Step<Adjusted>> {
        let order = self.order;
        if let Some(step) = self.keyed.search(store, ledger, read_adjusted).await? {
            return Ok(step);
        }
        let wallet = &ledger.known()?.wallet;
        let now = decision_time(order.now, wallet, None);
        let Adjusting { key, payload, adjustment, .. } = *order;
        let command = Command::Adjust { key, payload, adjustment };
        let applied = apply(order.programme, wallet, now, &command);
        let sequence = applied.wallet.length;
        let answer = match applied.outcome {
            Outcome::Refused(refusal) => Err(Error::Refused(refusal)),
            Outcome::Done | Outcome::Judged { .. } => Ok(Adjusted { sequence }),
        };
        let sides = self.keyed.guard(sequence).into_iter().collect();
        Ok(Step::Commit(Proposal::of(applied, sides), answer))
    }
}

/// The answer of an adjustment's entry.
pub(crate) fn read_adjusted(entry: &Entry) -> Result<Adjusted> {
    Ok(Adjusted { sequence: entry.sequence })
}
