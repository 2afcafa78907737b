//! Reads: wallets, transactions, and the events of a participant.

use std::collections::HashSet;

use domain::event::{EventState, EventType, RecordedEvent};
use domain::id::{EventId, ParticipantId, TransactionCode};
use domain::ledger::{Act, Entry, EntryKey};
use domain::time::Instant;
use domain::wallet::Wallet;

use crate::Store;
use crate::error::{Error, Noun, Result};
use crate::key;
use crate::ledger::read_state;

/// Most events that wait for a run and are listed of one participant.
const MAX_PENDING: i32 = 1_000;
/// Ledger entries looked through for one page of events.
const MAX_ENTRIES: usize = 2_000;

/// Where a page of events ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventsCursor {
    /// Entries from this sequence on were listed.
    pub sequence: u64,
    /// Pending events accepted at this time or later were listed.
    pub pending: Instant,
}

/// Which events are looked for; all, where nothing is said.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventsFilter {
    pub of_type: Option<EventType>,
    pub in_state: Option<EventState>,
    /// Performed at this time or later.
    pub from: Option<Instant>,
    /// Performed earlier than this.
    pub to: Option<Instant>,
}

impl EventsFilter {
    fn takes(&self, recorded: &RecordedEvent) -> bool {
        let event = &recorded.event;
        self.of_type.is_none_or(|kind| event.event_type() == kind)
            && self.in_state.is_none_or(|state| recorded.state == state)
            && self.from.is_none_or(|from| event.performed_on >= from)
            && self.to.is_none_or(|to| event.performed_on < to)
    }
}

/// A page of events, newest first.
#[derive(Clone, Debug)]
pub struct EventsPage {
    pub events: Vec<RecordedEvent>,
    pub cursor: Option<EventsCursor>,
}

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

    /// Events of a participant, newest first: those that wait for a run, and those that the ledger
    /// was judged for.
    ///
    /// # Errors
    /// `NotFound` (participant), or a failure.
    pub async fn events(
        &self,
        id: &ParticipantId,
        filter: &EventsFilter,
        after: Option<EventsCursor>,
        limit: usize,
    ) -> Result<EventsPage> {
        let (listed, looked_through) = self.listed_events(id, after).await?;
        let mut page = EventsPage { events: Vec::new(), cursor: None };
        let mut cursor =
            after.unwrap_or(EventsCursor { sequence: u64::MAX, pending: Instant(i64::MAX) });
        for (event, place) in listed {
            // Events that were accepted at one instant stay together: the cursor cannot part them.
            let together = place == Place::Pending(cursor.pending);
            if page.events.len() >= limit && !together {
                page.cursor = Some(cursor);
                return Ok(page);
            }
            match place {
                Place::Pending(accepted_at) => cursor.pending = accepted_at,
                Place::Entry(sequence) | Place::Cancel(sequence) => cursor.sequence = sequence,
            }
            let Some(stored) = self.read_event(&event, false).await? else { continue };
            let recorded = self.as_its_purchase_says(stored.recorded, false).await?;
            // The cancel lists what nothing ever judged; its first judgement lists any other.
            let elsewhere = matches!(place, Place::Cancel(_)) && !recorded.judgements.is_empty();
            if !elsewhere && filter.takes(&recorded) {
                page.events.push(recorded);
            }
        }
        page.cursor = looked_through.map(|sequence| EventsCursor { sequence, ..cursor });
        Ok(page)
    }

    /// Ids of events with where they stand, newest first, each once. Where the ledger goes on below
    /// the entries that were looked through, the sequence of the last of them.
    async fn listed_events(
        &self,
        id: &ParticipantId,
        after: Option<EventsCursor>,
    ) -> Result<(Vec<(EventId, Place)>, Option<u64>)> {
        let ledger = self.read_ledger(id, true).await?;
        ledger.known()?;
        let below = after.map_or(u64::MAX, |after| after.sequence);
        let entries = self.entries_below(id, &ledger, below, MAX_ENTRIES).await?;
        let partition = key::pending(key::shard_of(id));
        let prefix = key::pending_prefix(id);
        let pending = self.table.index(&partition, &prefix, None, MAX_PENDING).await?;
        let pending: Vec<(Instant, EventId)> = pending
            .iter()
            .filter_map(|place| key::read_pending_sort(place))
            .map(|(_, accepted_at, event)| (accepted_at, event))
            .collect();
        // An event that was judged and awaits a run stands in both: it is listed as pending.
        let waiting: HashSet<&EventId> = pending.iter().map(|(_, event)| event).collect();
        let mut listed: Vec<(Instant, EventId, Place)> = Vec::new();
        for (accepted_at, event) in &pending {
            if after.is_none_or(|after| *accepted_at < after.pending) {
                listed.push((*accepted_at, event.clone(), Place::Pending(*accepted_at)));
            }
        }
        for entry in &entries {
            if let Some((event, place)) = listed_by(entry)
                && !waiting.contains(event)
            {
                listed.push((entry.at, event.clone(), place));
            }
        }
        listed.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        let oldest = entries.last().map(|entry| entry.sequence).filter(|oldest| *oldest > 1);
        let listed = listed.into_iter().map(|(_, event, place)| (event, place)).collect();
        Ok((listed, oldest))
    }
}

/// The event that an entry lists: each by one entry alone, wherever a page begins. Its first
/// judgement, the spend that it was, or, where nothing ever judged it, its cancel.
fn listed_by(entry: &Entry) -> Option<(&EventId, Place)> {
    match &entry.key {
        EntryKey::Event { event, turn: 0 } => Some((event, Place::Entry(entry.sequence))),
        EntryKey::CancelEvent { event, .. } if matches!(entry.act, Act::Reversed(_)) => {
            Some((event, Place::Cancel(entry.sequence)))
        }
        EntryKey::Spend(_) | EntryKey::SpendRequest(_) => {
            let request = entry.spend()?.request.as_ref()?;
            Some((request, Place::Entry(entry.sequence)))
        }
        EntryKey::Event { .. }
        | EntryKey::CancelEvent { .. }
        | EntryKey::SpendWithPurchase(_)
        | EntryKey::CancelSpend(_)
        | EntryKey::Redeem { .. }
        | EntryKey::Expiry(_)
        | EntryKey::Block(_)
        | EntryKey::Hold(_)
        | EntryKey::EndHold(_)
        | EntryKey::Lapse(_)
        | EntryKey::Adjust(_)
        | EntryKey::Unasked { .. } => None,
    }
}

/// Where a listed event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Pending(Instant),
    Entry(u64),
    /// The entry of its cancel.
    Cancel(u64),
}
