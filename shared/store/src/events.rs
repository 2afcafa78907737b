//! The events of a participant, newest first and each once, while others come in and runs judge
//! them.
//!
//! An event has its place by the entry that lists it or, while there is none, by when it was
//! accepted. Places stand fast as they were when the first page was read: what a run judged since
//! is listed where it waited then.

use std::collections::VecDeque;
use std::fmt;

use domain::event::{EventState, EventType, RecordedEvent};
use domain::id::{EventId, ParticipantId};
use domain::ledger::Entry;
use domain::time::Instant;

use crate::Store;
use crate::error::{Error, Result};
use crate::key;
use crate::ledger::Ledger;
use crate::reads::listed_by;

/// Events looked at for one page: what a filter leaves out counts too.
const LOOKED_AT: i32 = 400;
/// Ledger entries looked through for one page.
const MAX_ENTRIES: usize = 2_000;
/// Ledger entries that are read together.
const TOGETHER: usize = 100;
/// Longest cursor in bytes; the longest event id has far fewer.
const MAX_CURSOR: usize = 4_000;

/// Where a page of events ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventsCursor {
    /// Length of the ledger when the first page was read.
    length: u64,
    /// Entries from this sequence on were looked through.
    sequence: u64,
    /// Events that waited from this place on were looked at.
    waiting: String,
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
    /// Fewer than the limit, even none, where much had to be looked at.
    pub events: Vec<RecordedEvent>,
    /// None: there are no more.
    pub cursor: Option<EventsCursor>,
}

impl EventsCursor {
    /// A cursor as it was shown; none: the text is none.
    pub fn parse(text: &str) -> Option<EventsCursor> {
        if text.len() > MAX_CURSOR {
            return None;
        }
        let mut parts = text.splitn(3, '.');
        let mut number = || parts.next()?.parse().ok();
        let (length, sequence) = (number()?, number()?);
        let digits = parts.next()?.as_bytes();
        if digits.len() % 2 != 0 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let waiting = digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>()?;
        Some(EventsCursor { length, sequence, waiting: String::from_utf8(waiting).ok()? })
    }
}

impl fmt::Display for EventsCursor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.", self.length, self.sequence)?;
        self.waiting.bytes().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// An event that waits, by its place among those of its participant: they sort by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    place: String,
    accepted_at: Instant,
    event: EventId,
}

/// Where a candidate stands.
enum Place {
    Waiting(Waiting),
    /// With the sequence of its entry.
    Entry(EventId, u64),
}

/// What comes next.
enum Next {
    At(Place),
    /// More than one page looks through.
    Rest,
    End,
}

/// The two lists that the events are found in, on the way down.
struct Lists<'a> {
    store: &'a Store,
    participant: &'a ParticipantId,
    ledger: Ledger,
    cursor: EventsCursor,
    waiting: VecDeque<Waiting>,
    /// Whether more wait below those that were read.
    more_wait: bool,
    entries: VecDeque<Entry>,
    entries_read: usize,
}

impl Store {
    /// Events of a participant, newest first: those that wait for a run, and those that the ledger
    /// was judged for. An event that was accepted within the last moments may be missing.
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
        let mut lists = self.lists(id, after).await?;
        let mut events = Vec::new();
        for _ in 0..LOOKED_AT {
            let place = match lists.next().await? {
                Next::At(_) if events.len() >= limit => break,
                Next::At(place) => place,
                Next::Rest => break,
                Next::End => return Ok(EventsPage { events, cursor: None }),
            };
            let listed = lists.take(place).await?;
            events.extend(listed.filter(|recorded| filter.takes(recorded)));
        }
        Ok(EventsPage { events, cursor: Some(lists.cursor) })
    }

    /// The index is read before the ledger: what is judged in between stands in both, not in none.
    async fn lists<'a>(
        &'a self,
        participant: &'a ParticipantId,
        after: Option<EventsCursor>,
    ) -> Result<Lists<'a>> {
        let first = after.is_none();
        let below = after.as_ref().map(|after| after.waiting.as_str());
        let (mut waiting, more_wait) = self.waiting_below(participant, below).await?;
        let ledger = self.read_ledger(participant, true).await?;
        let length = ledger.known()?.wallet.length;
        let cursor = after.unwrap_or_else(|| {
            let above = |newest: &Waiting| format!("{}\u{7f}", newest.place);
            let waiting = waiting.front().map(above).unwrap_or_default();
            EventsCursor { length, sequence: length + 1, waiting }
        });
        if !first {
            let judged = self.judged_since(participant, &ledger, &cursor).await?;
            let lowest = waiting.back().filter(|_| more_wait).map(|last| last.place.clone());
            let within = |one: &Waiting| lowest.as_ref().is_none_or(|lowest| one.place > *lowest);
            waiting.extend(judged.into_iter().filter(within));
            waiting.make_contiguous().sort_by(|a, b| b.cmp(a));
            let mut seen = None;
            waiting.retain(|one| seen.replace(one.place.clone()).as_ref() != Some(&one.place));
        }
        let (entries, entries_read) = (VecDeque::new(), 0);
        let store = self;
        Ok(Lists { store, participant, ledger, cursor, waiting, more_wait, entries, entries_read })
    }

    /// Events of the pending index below a place, newest first, and whether there are more.
    async fn waiting_below(
        &self,
        participant: &ParticipantId,
        below: Option<&str>,
    ) -> Result<(VecDeque<Waiting>, bool)> {
        let prefix = key::pending_prefix(participant);
        let partition = key::pending(key::shard_of(participant));
        // Below the highest character that a time begins with.
        let most = format!("{prefix}{}", below.unwrap_or("\u{7f}"));
        let found = self.table.index_down(&partition, &prefix, &most, LOOKED_AT).await?;
        let more = found.len() >= usize::try_from(LOOKED_AT).unwrap_or(usize::MAX);
        let read = |sort: &String| {
            let bad = Error::Corrupt("bad pending key");
            let (_, accepted_at, event) = key::read_pending_sort(sort).ok_or(bad)?;
            Ok(Waiting { place: sort[prefix.len()..].to_owned(), accepted_at, event })
        };
        let waiting = found.iter().filter(|sort| **sort != most).map(read);
        Ok((waiting.collect::<Result<_>>()?, more))
    }

    /// Events that waited below the cursor when the first page was read, and were judged or
    /// cancelled since.
    async fn judged_since(
        &self,
        participant: &ParticipantId,
        ledger: &Ledger,
        cursor: &EventsCursor,
    ) -> Result<Vec<Waiting>> {
        let prefix = key::pending_prefix(participant);
        let mut waited = Vec::new();
        for entry in self.entries_from(participant, ledger, cursor.length.saturating_add(1)).await?
        {
            let Some(event) = listed_by(&entry) else { continue };
            let Some(stored) = self.read_event(event, true).await? else { continue };
            let accepted_at = stored.recorded.accepted_at;
            let sort = key::pending_sort(participant, accepted_at, event);
            let place = sort[prefix.len()..].to_owned();
            if place < cursor.waiting {
                waited.push(Waiting { place, accepted_at, event: event.clone() });
            }
        }
        Ok(waited)
    }
}

impl Lists<'_> {
    /// The newer of what comes next in either list.
    async fn next(&mut self) -> Result<Next> {
        loop {
            if self.entries.is_empty() && self.cursor.sequence > 1 {
                if self.entries_read >= MAX_ENTRIES {
                    return Ok(Next::Rest);
                }
                let (store, below) = (self.store, self.cursor.sequence);
                let read = store.entries_below(self.participant, &self.ledger, below, TOGETHER);
                self.entries = read.await?.into();
                self.entries_read += self.entries.len();
            }
            if self.waiting.is_empty() && self.more_wait {
                return Ok(Next::Rest);
            }
            let entry = match (self.waiting.front(), self.entries.front()) {
                (None, None) => return Ok(Next::End),
                (Some(waiting), None) => {
                    return Ok(Next::At(Place::Waiting(waiting.clone())));
                }
                (Some(waiting), Some(entry)) if waiting.accepted_at >= entry.at => {
                    return Ok(Next::At(Place::Waiting(waiting.clone())));
                }
                (_, Some(entry)) => entry,
            };
            if let Some(event) = listed_by(entry) {
                return Ok(Next::At(Place::Entry(event.clone(), entry.sequence)));
            }
            self.cursor.sequence = entry.sequence;
            self.entries.pop_front();
        }
    }

    /// Goes on below this place; answers the event, if this is where it stands.
    async fn take(&mut self, place: Place) -> Result<Option<RecordedEvent>> {
        let store = self.store;
        let event = match &place {
            Place::Waiting(waiting) => {
                self.cursor.waiting.clone_from(&waiting.place);
                self.waiting.pop_front();
                &waiting.event
            }
            Place::Entry(event, sequence) => {
                self.cursor.sequence = *sequence;
                self.entries.pop_front();
                event
            }
        };
        let Some(stored) = store.read_event(event, true).await? else { return Ok(None) };
        let listed = listed_at(&stored.recorded, self.participant);
        let stands_here = match place {
            Place::Waiting(_) => listed.is_none_or(|listed| listed > self.cursor.length),
            Place::Entry(_, sequence) => listed == Some(sequence),
        };
        if !stands_here {
            return Ok(None);
        }
        store.as_its_purchase_says(stored.recorded, false).await.map(Some)
    }
}

/// Sequence of the entry that lists an event in a participant's ledger; none while it waits to be
/// judged for the first time.
fn listed_at(recorded: &RecordedEvent, participant: &ParticipantId) -> Option<u64> {
    if recorded.event.participant != *participant {
        // Whom a referral referred.
        return recorded.referred.as_ref().map(|judgement| judgement.sequence);
    }
    if recorded.event.event_type() == EventType::SpendRequest {
        return recorded.spends.first().map(|spend| spend.sequence);
    }
    let judged = recorded.judgements.first().map(|judgement| judgement.sequence);
    let cancelled = recorded.returns.last().filter(|_| recorded.state == EventState::Cancelled);
    judged.or(cancelled.map(|back| back.sequence))
}
