//! The chain of a ledger's pages: each carries the hash of the one before, the state that of the
//! newest, and a page that was put too early repeats the journal.

use domain::id::ParticipantId;
use domain::ledger::Entry;
use domain::verify::{Disagreement, Finding};

use crate::ledger::first_in_journal;
use crate::record::{Page, PageHash, State, page_hash};

/// How far the pages of a ledger were followed.
pub(super) struct Chain<'a> {
    participant: &'a ParticipantId,
    journal: &'a [Entry],
    /// Sequence of the first entry that is in the journal.
    below: u64,
    /// Hash of the page that was followed last.
    newest: PageHash,
    /// Hash of the last page below the journal.
    last: PageHash,
    pub findings: Vec<Finding>,
}

impl<'a> Chain<'a> {
    pub fn new(participant: &'a ParticipantId, state: &'a State) -> Chain<'a> {
        let (below, journal) = (first_in_journal(state), state.journal.as_slice());
        let (newest, last) = (PageHash::default(), PageHash::default());
        Chain { participant, journal, below, newest, last, findings: Vec::new() }
    }

    /// Follows the next page, which stands under this sequence. Its entries, if they are not those
    /// of the journal.
    pub fn follow(&mut self, first: u64, encoded: &[u8], page: Page) -> Vec<Entry> {
        if page.first() != first {
            let said = format!("The page under entry {first} begins with {}.", page.first());
            self.find(Disagreement::PageDiffers, first, said);
        }
        if page.before != self.newest {
            let said = "It carries another hash than the page before it has.";
            self.find(Disagreement::PageHash, first, said);
        }
        self.newest = page_hash(encoded);
        if page.first() < self.below {
            self.last = self.newest;
            return page.entries;
        }
        // Put by a commit that lost its race, or since the state was read.
        let at = usize::try_from(page.first() - self.below).unwrap_or(usize::MAX);
        let known = self.journal.get(at..).unwrap_or_default();
        if known.iter().zip(&page.entries).any(|(known, paged)| known != paged) {
            self.find(Disagreement::PageDiffers, first, "It has other entries than the state.");
        }
        Vec::new()
    }

    /// What cannot be followed, since it cannot be read.
    pub fn lost(&mut self, first: u64) {
        self.find(Disagreement::Unreadable, first, "The page cannot be read.");
    }

    /// Ends at the state.
    pub fn end(mut self, state: &State) -> Vec<Finding> {
        if state.page != self.last {
            let said = "The state carries another hash than its newest page has.";
            self.find(Disagreement::PageHash, self.below, said);
        }
        self.findings
    }

    fn find(&mut self, kind: Disagreement, first: u64, detail: impl Into<String>) {
        let participant = Some(self.participant.clone());
        let (entry, detail) = (Some(first), detail.into());
        self.findings.push(Finding { kind, participant, entry, other: None, detail });
    }
}
