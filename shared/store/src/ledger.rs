//! Reading a participant: the state with its journal, joined to the pages it continues.

use domain::id::ParticipantId;
use domain::ledger::{Entry, EntryKey};
use domain::time::Instant;

use crate::Store;
use crate::error::{Error, Noun, Result};
use crate::key;
use crate::record::{Page, State, decode_page, decode_state};
use crate::table::{Item, read_binary, read_number, read_text};

/// Items of the first read: the state and its newest pages (0.5 read units up to 4 KB).
const FIRST_READ: i32 = 4;
/// Pages of one further read: a busy wallet fills many while a key may still be new.
const FURTHER_READ: i32 = 32;
/// How far clocks may differ, in minutes: a key's time against the time of its entry.
pub const SKEW_MINUTES: i64 = 5;

/// A participant as it was read.
#[derive(Debug, Default)]
pub struct Ledger {
    /// None: there is no such participant.
    pub state: Option<State>,
    /// Newest first.
    pages: Vec<Page>,
    /// Whether what was read was the newest there was.
    pub fresh: bool,
}

/// How far back a key must be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Another item guards the key: what was read anyway is enough.
    Journal,
    /// The key cannot have been used earlier than this, but for skewed clocks.
    Since(Instant),
}

/// Reads the wallet state of an item.
pub fn read_state(item: &Item) -> Result<State> {
    let time = i64::try_from(read_number(item, "t")?).map_err(|_| Error::Corrupt("bad time"))?;
    decode_state(read_binary(item, "d")?, read_number(item, "q")?, Instant(time))
}

fn read_pages(items: &[Item]) -> Result<Vec<Page>> {
    items.iter().map(|item| decode_page(read_binary(item, "d")?)).collect()
}

impl Ledger {
    /// What a lost race handed back: the rival's state. Its pages must be joined again.
    pub fn of_rival(item: &Item) -> Result<Ledger> {
        Ok(Ledger { state: Some(read_state(item)?), pages: Vec::new(), fresh: true })
    }

    /// The state, or the answer that there is no such participant.
    pub fn known(&self) -> Result<&State> {
        self.state.as_ref().ok_or(Error::NotFound(Noun::Participant))
    }

    /// The entries that were read, newest first.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        let journal = self.state.iter().flat_map(|state| state.journal.iter().rev());
        let oldest = self.state.as_ref().map_or(1, first_in_journal);
        let paged = self.pages.iter().flat_map(|page| page.entries.iter().rev());
        // A page that was put by a commit that lost its race repeats entries of the journal.
        journal.chain(paged.filter(move |entry| entry.sequence < oldest))
    }

    /// The entry that answers this key, among those that were read.
    pub fn search(&self, key: &EntryKey) -> Option<&Entry> {
        self.entries().find(|entry| entry.key == *key)
    }
}

/// Sequence of the first entry that is in the journal.
pub(crate) fn first_in_journal(state: &State) -> u64 {
    state.journal.first().map_or(state.wallet.length + 1, |entry| entry.sequence)
}

impl Store {
    /// Reads state and newest pages.
    pub(crate) async fn read_ledger(&self, id: &ParticipantId, fresh: bool) -> Result<Ledger> {
        let pk = key::participant(id);
        let items = self.table.newest(&pk, key::PAGES, key::STATE, FIRST_READ, fresh).await?;
        let is_state = |item: &&Item| read_text(item, "sk").is_ok_and(|sk| sk == key::STATE);
        let state = items.iter().find(is_state).map(read_state).transpose()?;
        let pages: Vec<Item> = items.into_iter().filter(|item| !is_state(&item)).collect();
        Ok(Ledger { state, pages: read_pages(&pages)?, fresh })
    }

    /// Joins pages below the journal until the key cannot be further down. A missing page is read
    /// consistently; where it is missing even so, the ledger has a hole, which is never ignored.
    pub(crate) async fn join(
        &self,
        id: &ParticipantId,
        ledger: &mut Ledger,
        reach: Reach,
    ) -> Result<()> {
        let (Reach::Since(since), Some(state)) = (reach, &ledger.state) else { return Ok(()) };
        let since = since.plus_minutes(-SKEW_MINUTES);
        let mut oldest = first_in_journal(state);
        let mut ends = state.journal.first().map(|entry| entry.at);
        let mut at = 0;
        while oldest > 1 && ends.is_none_or(|ends| ends >= since) {
            let covers = |page: &Page| page.first() < oldest && page.last() + 1 >= oldest;
            match ledger.pages.iter().position(covers) {
                Some(found) => {
                    let page = ledger.pages.remove(found);
                    oldest = page.first();
                    ends = Some(page.ends());
                    ledger.pages.insert(at, page);
                    at += 1;
                }
                None => {
                    let more = self.pages_below(id, oldest - 1, FURTHER_READ).await?;
                    if !more.iter().any(covers) {
                        return Err(Error::Corrupt("the ledger has a hole"));
                    }
                    ledger.pages.truncate(at);
                    ledger.pages.extend(more);
                }
            }
        }
        Ok(())
    }

    /// The page that holds this sequence, and those before it, `count` in all.
    async fn pages_below(
        &self,
        id: &ParticipantId,
        sequence: u64,
        count: i32,
    ) -> Result<Vec<Page>> {
        let (pk, to) = (key::participant(id), key::page_sort(sequence));
        read_pages(&self.table.newest(&pk, key::PAGES, &to, count, true).await?)
    }

    /// One entry of a ledger, wherever it is. Found by order, never by arithmetic: pages may have
    /// been written with another size.
    pub(crate) async fn find_entry(
        &self,
        id: &ParticipantId,
        ledger: &Ledger,
        sequence: u64,
    ) -> Result<Entry> {
        if let Some(entry) = ledger.entries().find(|entry| entry.sequence == sequence) {
            return Ok(entry.clone());
        }
        let pages = self.pages_below(id, sequence, 1).await?;
        let mut entries = pages.into_iter().flat_map(|page| page.entries);
        let found = entries.find(|entry| entry.sequence == sequence);
        found.ok_or(Error::NotFound(Noun::Transaction))
    }

    /// Entries below a sequence, newest first, at least `count` of them if there are as many.
    pub(crate) async fn entries_below(
        &self,
        id: &ParticipantId,
        ledger: &Ledger,
        below: u64,
        count: usize,
    ) -> Result<Vec<Entry>> {
        let journal = ledger.state.iter().flat_map(|state| state.journal.iter().rev());
        let mut entries: Vec<Entry> =
            journal.filter(|entry| entry.sequence < below).cloned().collect();
        let mut next = ledger.state.as_ref().map_or(1, first_in_journal).min(below);
        while entries.len() < count && next > 1 {
            let wanted = i32::try_from(count - entries.len()).unwrap_or(FURTHER_READ);
            let limit = wanted.clamp(FIRST_READ, FURTHER_READ);
            let pages = self.pages_below(id, next - 1, limit).await?;
            let covered = pages.first().is_some_and(|page| page.last() + 1 >= next);
            if !covered {
                return Err(Error::Corrupt("the ledger has a hole"));
            }
            for entry in pages.iter().flat_map(|page| page.entries.iter().rev()) {
                if entry.sequence < next {
                    next = entry.sequence;
                    entries.push(entry.clone());
                }
            }
        }
        Ok(entries)
    }

    /// The ledger from a sequence on, oldest first.
    pub(crate) async fn entries_from(
        &self,
        id: &ParticipantId,
        ledger: &Ledger,
        sequence: u64,
    ) -> Result<Vec<Entry>> {
        let length = ledger.known()?.wallet.length;
        let count = usize::try_from((length + 1).saturating_sub(sequence)).unwrap_or(usize::MAX);
        let mut entries = self.entries_below(id, ledger, u64::MAX, count).await?;
        entries.retain(|entry| entry.sequence >= sequence);
        entries.reverse();
        Ok(entries)
    }
}
