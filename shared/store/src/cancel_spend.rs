//! Cancelling spends: once; what is left of them goes back to their lots.

use domain::apply::{Command, Outcome, apply};
use domain::cancel::TakeBack;
use domain::coupon::CodeTaken;
use domain::event::{EventState, EventType};
use domain::id::TransactionCode;
use domain::ledger::{Entry, EntryKey, PayloadHash};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::returns::Return;
use domain::time::Instant;

use crate::Store;
use crate::commit::{Done, Operation, Proposal, Step, decision_time};
use crate::coupon::{KnownStock, void_coupon};
use crate::error::{Error, Noun, Result};
use crate::event::put_event;
use crate::ledger::{Ledger, Reach};
use crate::record::{Fate, StoredEvent};
use crate::table::Write;

/// The cancel of a spend.
#[derive(Clone, Debug)]
pub struct CancelSpend<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub spend: &'a TransactionCode,
    /// Of the body and the caller's key.
    pub payload: PayloadHash,
    /// As the caller says.
    pub reason: Option<&'a str>,
}

/// A spend that was cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendCancelled {
    /// The ledger entry of the cancel.
    pub sequence: u64,
}

impl Store {
    /// Cancels a spend: its lots come back with their own expiry. Write units: 1.17; 4.17
    /// against a purchase, and of a coupon, of which one is left again: 6.17 where its code
    /// was made here, and is void from then on.
    ///
    /// # Errors
    /// `NotFound` (transaction), `Refused` (`already_cancelled`, `coupon_used`), or a failure.
    pub async fn cancel_spend(&self, order: &CancelSpend<'_>) -> Result<Done<SpendCancelled>> {
        let entry = self.transaction(order.spend).await?;
        if entry.spend().is_none() {
            return Err(Error::NotFound(Noun::Transaction));
        }
        let mut operation =
            SpendCancel { order, spend: entry, purchase: None, stock: None, fate: None };
        self.commit(&order.spend.participant, &mut operation).await
    }
}

struct SpendCancel<'a> {
    order: &'a CancelSpend<'a>,
    spend: Entry,
    /// Where the spend is noted: its purchase, or the event that it came as.
    purchase: Option<StoredEvent>,
    /// Of a coupon: what there is of it.
    stock: Option<KnownStock>,
    /// What became of it, where its code was made here.
    fate: Option<Fate>,
}

impl Operation for SpendCancel<'_> {
    type Answer = SpendCancelled;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        if let Some(purchase) = self.spend.event() {
            // Without it, the spend would come back a second time when the purchase is cancelled.
            let known = store.find_event(purchase, fresh).await?;
            self.purchase = Some(known.ok_or(Error::Corrupt("a spend without its purchase"))?);
        }
        if let Some(taken) = self.spend.coupon() {
            self.stock = Some(store.stock(&taken.coupon, fresh).await?);
            if let CodeTaken::Generated(_) = taken.code {
                self.fate = store.fate(&taken.coupon, taken.number, fresh).await?;
            }
        }
        Ok(())
    }

    fn reach(&self) -> Reach {
        Reach::Since(self.spend.at)
    }

    async fn decide(&mut self, _: &Store, ledger: &Ledger) -> Result<Step<SpendCancelled>> {
        let order = self.order;
        let state = match ledger.known() {
            Ok(state) => state,
            Err(unknown) => return Ok(Step::Answer(Err(unknown))),
        };
        let already = || Err(Error::Refused(Refusal::AlreadyCancelled));
        let key = EntryKey::CancelSpend(self.spend.sequence);
        if let Some(entry) = ledger.search(&key) {
            if entry.payload != order.payload {
                return Ok(Step::Known(already()));
            }
            let value = SpendCancelled { sequence: entry.sequence };
            let wallet = state.wallet.clone();
            return Ok(Step::Known(Ok(Done { value, wallet, repeated: true })));
        }
        match &self.fate {
            Some(Fate::Used(_)) => {
                return Ok(Step::Known(Err(Error::Refused(Refusal::CouponUsed))));
            }
            // A twin cancelled it, which the ledger that was read does not show yet.
            Some(Fate::Void) => return Ok(Step::Again),
            None => {}
        }
        let accepted = self.purchase.as_ref().map(|purchase| purchase.recorded.accepted_at);
        let now = decision_time(order.now, &state.wallet, accepted);
        let Some(mut purchase) = self.without_spend() else {
            // Its purchase took it back, or a twin of this request did, which the ledger that was
            // read does not show yet.
            let seen = self.purchase.as_ref().is_some_and(|purchase| {
                let recorded = &purchase.recorded;
                let mark = recorded.returns.last().map_or(u64::MAX, |back| back.sequence);
                recorded.state == EventState::Cancelled && mark <= state.wallet.length
            });
            return Ok(if seen { Step::Answer(already()) } else { Step::Again });
        };
        let entries = std::slice::from_ref(&self.spend);
        let event = self.purchase.as_ref().zip(purchase.as_ref());
        let event = event.map(|(before, after)| (&before.recorded, &after.recorded));
        let back = TakeBack { entries, event, later: &[], reason: order.reason };
        let command = Command::Cancel { key, payload: order.payload, back };
        let applied = apply(order.programme, &state.wallet, now, &command);
        for back in purchase.iter_mut().filter_map(|event| event.recorded.returns.last_mut()) {
            if back.sequence == 0 {
                back.sequence = applied.wallet.length;
            }
        }
        let mut sides = purchase.iter().map(put_event).collect::<Result<Vec<_>>>()?;
        if !matches!(applied.outcome, Outcome::Refused(_)) {
            sides.extend(self.give_coupon_back(now)?);
        }
        let answer = match applied.outcome {
            Outcome::Refused(refusal) => Err(Error::Refused(refusal)),
            Outcome::Done | Outcome::Judged { .. } => {
                Ok(SpendCancelled { sequence: applied.wallet.length })
            }
        };
        Ok(Step::Commit(Proposal::of(applied, sides), answer))
    }
}

impl SpendCancel<'_> {
    /// What is written of a coupon: that it is left again, and that its code is void.
    fn give_coupon_back(&self, now: Instant) -> Result<Vec<Write>> {
        let (Some(taken), Some(made)) = (self.spend.coupon(), self.spend.spend()) else {
            return Ok(Vec::new());
        };
        let known = self.stock.as_ref().ok_or(Error::Corrupt("a coupon without a stock"))?;
        let stock = known.stock.clone().without(made);
        let mut writes = vec![known.put(&taken.coupon, &stock, Some(now))?];
        if let CodeTaken::Generated(_) = taken.code {
            writes.push(void_coupon(&taken.coupon, taken.number)?);
        }
        Ok(writes)
    }

    /// The purchase without this spend, or the cancelled event that it came as, if it has one; none where cancelling the purchase took the
    /// spend back already.
    fn without_spend(&self) -> Option<Option<StoredEvent>> {
        let Some(purchase) = &self.purchase else { return Some(None) };
        let mut purchase = purchase.clone();
        let spends = purchase.recorded.spends.iter_mut();
        let mut own = spends.filter(|s| s.sequence == self.spend.sequence && !s.cancelled);
        own.next()?.cancelled = true;
        if purchase.recorded.event.event_type() == EventType::SpendRequest {
            let (key, payload) = (self.order.payload, self.order.payload);
            let reason = self.order.reason.map(Into::into);
            purchase.recorded.cancel_spends();
            // Which entry it is turns out when it is decided.
            let back = Return { sequence: 0, key, payload, lines: Vec::new(), reason };
            purchase.recorded.returns.push(back);
        }
        Some(Some(purchase))
    }
}
