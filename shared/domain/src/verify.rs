//! Verifying a ledger: what its entries, its state, and the events and passes that they name say of
//! each other, and what does not agree.

mod claims;
mod finding;
mod replay;
mod shared;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::event::RecordedEvent;
use crate::id::{EventId, ParticipantId};
use crate::ledger::{Act, Effect, Entry, EntryKey};
use crate::pass::{Pass, PassId, PassShown};
use crate::wallet::Wallet;

use claims::Claim;
pub use finding::{About, Disagreement, Finding, Other};
use shared::Taken;
pub use shared::{Counts, Shared, add, of_quota, of_stock};

/// What entries name besides their wallet, as it was read. What is not here is not stored; none:
/// it is stored, and cannot be read.
#[derive(Clone, Debug, Default)]
pub struct Items {
    pub events: HashMap<EventId, Option<RecordedEvent>>,
    pub passes: HashMap<PassId, Option<Pass>>,
}

/// A ledger on its way through verification, entry by entry from the first. Of entries that are
/// through, it keeps their keys and what later ones must answer for.
#[derive(Debug)]
pub struct Check {
    participant: ParticipantId,
    /// Of the ledger as its state says: what events and passes say of later entries is newer.
    length: u64,
    /// What the entries until now come to.
    wallet: Wallet,
    keys: HashSet<EntryKey>,
    /// What events and passes that were met say of entries to come.
    claims: BTreeMap<u64, Vec<Claim>>,
    /// Entries that an event or a pass notes, with whether it says that they were taken back;
    /// until an entry takes them back.
    standing: BTreeMap<u64, (Other, bool)>,
    /// Whether an entry was missing: what rests on all of them is not asked any more.
    broken: bool,
    taken: Taken,
    verified: Verified,
}

/// What the verification of a ledger came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    pub findings: Vec<Finding>,
    /// Entries that were carried out.
    pub entries: u64,
    /// Events that entries were held against, once for each entry.
    pub events: u64,
    /// Passes likewise.
    pub passes: u64,
    /// What its entries took of quotas and stocks, less what they gave back.
    pub shared: Vec<(Shared, Counts)>,
}

/// The events that an entry names: of a spend its purchase, and the event that it came as.
pub fn events_of(entry: &Entry) -> Vec<&EventId> {
    let request = entry.spend().and_then(|made| made.request.as_ref());
    let mut named: Vec<&EventId> = entry.event().into_iter().chain(request).collect();
    named.dedup();
    named
}

/// The passes that an entry names, or the event that it judged.
pub fn passes_of(entry: &Entry, items: &Items) -> Vec<PassId> {
    let mut named = Vec::new();
    if let EntryKey::Redeem { plan, serial, .. } = &entry.key {
        named.push(PassId { plan: plan.clone(), serial: *serial });
    }
    let shown = entry.event().and_then(|event| items.events.get(event)?.as_ref());
    named.extend(shown.and_then(|event| used_by(event, entry)).map(|(pass, _)| pass));
    named.extend(issued(entry).cloned());
    named
}

/// The pass whose code came with the event, and which of its redemptions that was, where this is
/// the entry that used it.
fn used_by(event: &RecordedEvent, entry: &Entry) -> Option<(PassId, u32)> {
    let first = event.judgements.first().filter(|first| first.sequence == entry.sequence)?;
    let judged = entry.act == Act::Judged && first.sequence == entry.sequence;
    event.pass.as_ref().filter(|_| judged).and_then(PassShown::used)
}

fn issued(entry: &Entry) -> impl Iterator<Item = &PassId> {
    entry.effects.iter().filter_map(|effect| {
        let Effect::Issue { pass, .. } = effect else { return None };
        Some(pass)
    })
}

impl Check {
    /// Begins the ledger of a participant, which has so many entries.
    pub fn new(participant: ParticipantId, length: u64) -> Check {
        Check {
            participant,
            length,
            wallet: Wallet::default(),
            keys: HashSet::new(),
            claims: BTreeMap::new(),
            standing: BTreeMap::new(),
            broken: false,
            taken: Taken::default(),
            verified: Verified::default(),
        }
    }

    /// Goes on with the next entry; `items` has all that it names, by [`events_of`] and
    /// [`passes_of`].
    pub fn enter(&mut self, entry: &Entry, items: &Items) {
        self.taken.note(entry);
        self.replay(entry);
        if self.broken {
            return;
        }
        let mut claimed = self.claims.remove(&entry.sequence).unwrap_or_default();
        self.against_events(entry, items, &mut claimed);
        self.against_passes(entry, items, &mut claimed);
        self.unanswered(entry, claimed);
        self.taken_back(entry);
    }

    /// Ends with the state that the ledger should come to.
    pub fn end(mut self, state: &Wallet) -> Verified {
        self.against_state(state);
        if !self.broken {
            for (sequence, (by, gone)) in std::mem::take(&mut self.standing) {
                if gone {
                    let said = format!("The {} says that it was taken back.", by.name());
                    self.find(Disagreement::CancelDiffers, Some(sequence), Some(by), said);
                }
            }
        }
        self.verified.shared = self.taken.into_counts();
        self.verified
    }

    fn find(
        &mut self,
        kind: Disagreement,
        entry: Option<u64>,
        other: Option<Other>,
        detail: impl Into<String>,
    ) {
        let participant = Some(self.participant.clone());
        let detail = detail.into();
        self.verified.findings.push(Finding { kind, participant, entry, other, detail });
    }
}
