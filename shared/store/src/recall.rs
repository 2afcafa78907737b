//! What a key was answered before: looked up, with nothing decided.

use domain::id::ParticipantId;
use domain::ledger::{Entry, PayloadHash};
use domain::time::Instant;

use crate::Store;
use crate::adjust::{Adjusted, read_adjusted};
use crate::commit::{Done, Operation, Step};
use crate::coupon::{CouponDone, read_coupon};
use crate::error::Result;
use crate::hold::{HoldDone, read_hold};
use crate::keyed::{Keyed, Kind, RequestKey};
use crate::ledger::{Ledger, Reach};
use crate::spend::{SpendDone, read_spend};

/// A request that may have been answered before.
#[derive(Clone, Copy, Debug)]
pub struct Recalling<'a> {
    /// Time of the invocation.
    pub now: Instant,
    pub participant: &'a ParticipantId,
    pub key: RequestKey<'a>,
    pub payload: PayloadHash,
}

struct Recall<'a, A> {
    keyed: Keyed<'a>,
    read: fn(&Entry) -> Result<A>,
}

impl Store {
    /// The spend that a key led to; none where the key is new. Nothing is written.
    ///
    /// # Errors
    /// `Refused` (the answer then), `NotFound` (participant), `KeyReused`, `KeyInFuture`, or a
    /// failure.
    pub async fn recall_spend(&self, asked: &Recalling<'_>) -> Result<Option<Done<SpendDone>>> {
        self.recall(Kind::Spend, asked, read_spend).await
    }

    /// The hold that a key led to, likewise.
    ///
    /// # Errors
    /// As of [`Store::recall_spend`].
    pub async fn recall_hold(&self, asked: &Recalling<'_>) -> Result<Option<Done<HoldDone>>> {
        self.recall(Kind::Hold, asked, read_hold).await
    }

    /// The adjustment that a key led to, likewise.
    ///
    /// # Errors
    /// As of [`Store::recall_spend`].
    pub async fn recall_adjustment(&self, asked: &Recalling<'_>) -> Result<Option<Done<Adjusted>>> {
        self.recall(Kind::Adjust, asked, read_adjusted).await
    }

    /// The coupon that a key led to, likewise.
    ///
    /// # Errors
    /// As of [`Store::recall_spend`].
    pub async fn recall_coupon(&self, asked: &Recalling<'_>) -> Result<Option<Done<CouponDone>>> {
        self.recall(Kind::Coupon, asked, read_coupon).await
    }

    async fn recall<A>(
        &self,
        kind: Kind,
        asked: &Recalling<'_>,
        read: fn(&Entry) -> Result<A>,
    ) -> Result<Option<Done<A>>> {
        let Recalling { now, participant, key, payload } = *asked;
        let keyed = Keyed::new(kind, participant, key, payload, now);
        let done = self.commit(participant, &mut Recall { keyed, read }).await?;
        let (wallet, repeated) = (done.wallet, done.repeated);
        Ok(done.value.map(|value| Done { value, wallet, repeated }))
    }
}

impl<A> Operation for Recall<'_, A> {
    type Answer = Option<A>;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        self.keyed.load(store, fresh).await
    }

    fn reach(&self) -> Reach {
        self.keyed.reach()
    }

    async fn decide(&mut self, store: &Store, ledger: &Ledger) -> Result<Step<Option<A>>> {
        let read = |entry: &Entry| (self.read)(entry).map(Some);
        if let Some(step) = self.keyed.search(store, ledger, read).await? {
            return Ok(step);
        }
        let wallet = ledger.known()?.wallet.clone();
        Ok(Step::Answer(Ok(Done { value: None, wallet, repeated: false })))
    }
}
