//! Spends as events: found by their reference or by their transaction code.

use domain::event::{Detail, Event, EventState, RecordedEvent, SpendOn, SpendRequest};
use domain::id::{EventId, TransactionCode};
use domain::ledger::EntryKey;

use crate::Store;
use crate::error::{Error, Noun, Result};
use crate::ledger::Reach;

impl Store {
    /// A spend as an event: the one that it came as, or one made of its ledger entry.
    ///
    /// # Errors
    /// `NotFound` (event): there is no such spend; or a failure.
    pub async fn spend_as_event(&self, code: &TransactionCode) -> Result<RecordedEvent> {
        let who = &code.participant;
        let mut ledger = self.read_ledger(who, true).await?;
        if ledger.state.is_none() {
            return Err(Error::NotFound(Noun::Event));
        }
        let entry = match self.find_entry(who, &ledger, code.sequence).await {
            Err(Error::NotFound(_)) => return Err(Error::NotFound(Noun::Event)),
            known => known?,
        };
        let made = entry.spend().ok_or(Error::NotFound(Noun::Event))?;
        if let Some(request) = &made.request {
            return self.event(request).await;
        }
        let asked = SpendRequest {
            balance: made.balance.clone(),
            amount: Some(made.requested),
            purchase: made.purchase.clone(),
        };
        let event = Event {
            id: EventId::of_spend(code),
            participant: who.clone(),
            classification: made.classification.clone(),
            unit: made.unit.clone(),
            performed_on: made.performed_on,
            immediate: true,
            detail: Detail::SpendRequest(asked),
        };
        let spend = SpendOn::of(&entry).ok_or(Error::NotFound(Noun::Event))?;
        let mut recorded = RecordedEvent::spent_by(event, entry.payload, entry.at, spend);
        if made.purchase.is_none() {
            self.join(who, &mut ledger, Reach::Since(entry.at)).await?;
            if ledger.search(&EntryKey::CancelSpend(entry.sequence)).is_some() {
                recorded.cancel_spends();
            }
        }
        self.as_its_purchase_says(recorded, true).await
    }

    /// An event as it stands: a spend against a purchase is cancelled there, by its own cancel or
    /// with the purchase, and its own event is not written again.
    pub(crate) async fn as_its_purchase_says(
        &self,
        mut recorded: RecordedEvent,
        fresh: bool,
    ) -> Result<RecordedEvent> {
        if let Detail::SpendRequest(SpendRequest { purchase: Some(purchase), .. }) =
            &recorded.event.detail
            && recorded.state == EventState::Posted
            && let Some(purchase) = self.find_event(purchase, fresh).await?
        {
            recorded.follow(&purchase.recorded);
        }
        Ok(recorded)
    }
}
