//! Booking what has expired and lapsed in wallets that nobody touches. A run marks its
//! entries, so that who repeats a part of it counts what was booked before.

use std::collections::HashMap;

use domain::apply::settle_up;
use domain::id::{ParticipantId, RunId};
use domain::ledger::{Effect, Entry, PayloadHash};
use domain::programme::Programme;
use domain::time::Instant;
use sha2::{Digest, Sha256};

use crate::Store;
use crate::commit::{Done, Operation, Proposal, Step, decision_time};
use crate::error::{Error, Result};
use crate::key;
use crate::ledger::{Ledger, Reach, read_state};
use crate::run::ExpiryCounts;
use crate::table::{Item, read_text};

/// A run that books what is over.
#[derive(Clone, Debug)]
pub struct Expiring<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub run: &'a RunId,
    /// When the run began: it booked nothing earlier.
    pub started_at: Instant,
}

impl Expiring<'_> {
    /// What the run's entries are marked with.
    fn mark(&self) -> PayloadHash {
        let digest = Sha256::digest(self.run.as_str().as_bytes());
        PayloadHash(std::array::from_fn(|at| digest[at]))
    }

    /// Whether a wallet may have something to book, or something that this run has booked. One that
    /// cannot be read has: booking it tells why it fails.
    fn concerns(&self, item: &Item) -> bool {
        let Ok(state) = read_state(item) else { return true };
        let now = decision_time(self.now, &state.wallet, None);
        let booked = state.journal.iter().any(|entry| entry.payload == self.mark());
        let oldest = state.journal.first();
        let paged = oldest.is_some_and(|it| it.sequence > 1 && it.at >= self.started_at);
        booked || paged || state.wallet.has_something_over(now, self.programme.zone)
    }
}

struct Expire<'a> {
    order: &'a Expiring<'a>,
}

impl Store {
    /// Participants of a shard after an id, in the order of ids.
    ///
    /// # Errors
    /// A failure.
    pub async fn roster_of(
        &self,
        shard: u8,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Vec<ParticipantId>> {
        let ids = self.table.index(&key::roster(shard), after, limit).await?;
        let parse =
            |id: &String| ParticipantId::parse(id).map_err(|_| Error::Corrupt("bad roster key"));
        ids.iter().map(parse).collect()
    }

    /// Those of at most a hundred participants whose wallets a run has to look at closer. Read
    /// units: 0.5 each up to 4 KB.
    ///
    /// # Errors
    /// A failure.
    pub async fn to_be_booked(
        &self,
        order: &Expiring<'_>,
        ids: &[ParticipantId],
    ) -> Result<Vec<ParticipantId>> {
        let mut states = HashMap::new();
        for item in self.table.get_many(ids.iter().map(key::state).collect(), false).await? {
            states.insert(read_text(&item, "pk")?.to_owned(), item);
        }
        let concerns = |id: &&ParticipantId| {
            states.get(&key::participant(id)).is_some_and(|item| order.concerns(item))
        };
        Ok(ids.iter().filter(concerns).cloned().collect())
    }

    /// Books what has lapsed and expired in one wallet; nothing where nothing has. Answers what this
    /// run booked in it, now or before. Write units: 1.17 where there is something to book.
    ///
    /// # Errors
    /// `NotFound` (participant), or a failure.
    pub async fn book_expiry(
        &self,
        order: &Expiring<'_>,
        participant: &ParticipantId,
    ) -> Result<Done<ExpiryCounts>> {
        self.commit(participant, &mut Expire { order }).await
    }
}

impl Operation for Expire<'_> {
    type Answer = ExpiryCounts;

    async fn load(&mut self, _: &Store, _: bool) -> Result<()> {
        Ok(())
    }

    fn reach(&self) -> Reach {
        Reach::Since(self.order.started_at)
    }

    async fn decide(&mut self, _: &Store, ledger: &Ledger) -> Result<Step<ExpiryCounts>> {
        let state = match ledger.known() {
            Ok(state) => state,
            Err(unknown) => return Ok(Step::Answer(Err(unknown))),
        };
        let (mark, wallet) = (self.order.mark(), &state.wallet);
        let booked: Vec<&Entry> =
            ledger.entries().filter(|entry| entry.payload == mark && is_booking(entry)).collect();
        let now = decision_time(self.order.now, wallet, None);
        let applied = settle_up(self.order.programme, wallet, now, mark);
        if !booked.is_empty() || applied.entries.is_empty() {
            let value = counted(booked);
            let done = Done { value, wallet: wallet.clone(), repeated: true };
            return Ok(Step::Answer(Ok(done)));
        }
        let counts = counted(&applied.entries);
        Ok(Step::Commit(Proposal::of(applied, Vec::new()), Ok(counts)))
    }
}

fn is_booking(entry: &Entry) -> bool {
    use domain::ledger::EntryKey::{Expiry, Lapse};
    matches!(entry.key, Expiry(_) | Lapse(_))
}

/// What entries of a run booked in one wallet.
fn counted<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> ExpiryCounts {
    let (mut counts, mut holds) = (ExpiryCounts::default(), Vec::new());
    for effect in entries.into_iter().flat_map(|entry| &entry.effects) {
        if let Effect::Expire { lot, amount } = effect {
            let amounts = vec![(lot.balance.to_string(), amount.0)];
            counts.add(&ExpiryCounts { lots: 1, amounts, ..ExpiryCounts::default() });
        }
        if let Effect::Release { hold, .. } = effect
            && !holds.contains(hold)
        {
            holds.push(*hold);
            counts.holds += 1;
        }
    }
    counts
}
