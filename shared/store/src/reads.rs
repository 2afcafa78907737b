//! Reads: wallets and transactions, and which entries list an event.

use domain::id::{EventId, ParticipantId, TransactionCode};
use domain::ledger::{Act, Entry, EntryKey};
use domain::wallet::Wallet;

use crate::Store;
use crate::error::{Error, Noun, Result};
use crate::key;
use crate::ledger::read_state;

impl Store {
    /// The wallet of a participant.
    ///
    /// # Errors
    /// `NotFound` (participant), or a failure.
    pub async fn wallet(&self, id: &ParticipantId) -> Result<Wallet> {
        let item = self.table.get(key::state(id), true).await?;
        let item = item.ok_or(Error::NotFound(Noun::Participant))?;
        Ok(read_state(&item)?.wallet)
    }

    /// Ledger entries below a sequence, newest first. Fewer than `limit`: there are no more.
    ///
    /// # Errors
    /// `NotFound` (participant), or a failure.
    pub async fn transactions(
        &self,
        id: &ParticipantId,
        below: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        let ledger = self.read_ledger(id, true).await?;
        ledger.known()?;
        let below = below.unwrap_or(u64::MAX);
        let mut entries = self.entries_below(id, &ledger, below, limit).await?;
        entries.truncate(limit);
        Ok(entries)
    }

    /// One ledger entry by its code.
    ///
    /// # Errors
    /// `NotFound` (transaction), or a failure.
    pub async fn transaction(&self, code: &TransactionCode) -> Result<Entry> {
        let ledger = self.read_ledger(&code.participant, true).await?;
        if ledger.state.is_none() {
            return Err(Error::NotFound(Noun::Transaction));
        }
        self.find_entry(&code.participant, &ledger, code.sequence).await
    }
}

/// The event that an entry lists: its first judgement, the spend that it was, or its cancel; this
/// one where nothing ever judged it.
pub(crate) fn listed_by(entry: &Entry) -> Option<&EventId> {
    match &entry.key {
        EntryKey::Event { event, turn: 0 } => Some(event),
        EntryKey::CancelEvent { event, .. } if matches!(entry.act, Act::Reversed(_)) => Some(event),
        EntryKey::Spend(_) | EntryKey::SpendRequest(_) => entry.spend()?.request.as_ref(),
        EntryKey::Event { .. }
        | EntryKey::CancelEvent { .. }
        | EntryKey::SpendWithPurchase(_)
        | EntryKey::CancelSpend(_)
        | EntryKey::Redeem { .. }
        | EntryKey::CancelRedemption(_)
        | EntryKey::Expiry(_)
        | EntryKey::Block(_)
        | EntryKey::Hold(_)
        | EntryKey::EndHold(_)
        | EntryKey::Lapse(_)
        | EntryKey::Adjust(_)
        | EntryKey::Register(_)
        | EntryKey::Merge(_)
        | EntryKey::MergeOf { .. }
        | EntryKey::Convert { .. }
        | EntryKey::Coupon(_)
        | EntryKey::Unasked { .. } => None,
    }
}
