//! Erasure: what is personal goes from profile, aliases, events and passes; the ledger stays
//!
//!
//! First the wallet says so, which no new event gets past; then the profile goes, with all aliases
//! in one transaction; then events and passes are looked through from the newest entry down, which
//! is noted in the profile's place, so that whoever goes on knows from where.

use domain::apply::{Command, apply};
use domain::id::{EventId, ParticipantId};
use domain::ledger::{Entry, EntryKey};
use domain::participant::Erased;
use domain::pass::{PassId, PassShown};
use domain::programme::Programme;
use domain::time::Instant;

use crate::Store;
use crate::alias::free_alias;
use crate::commit::{Done, Operation, Proposal, Step, back_off, decision_time};
use crate::error::{Error, Noun, Result};
use crate::event::put_event;
use crate::key;
use crate::ledger::{Ledger, Reach};
use crate::participant::{put_profile, read_profile};
use crate::table::Written;

/// Tries of one item against rivals.
const MAX_TRIES: u32 = 16;
/// Ledger entries that are looked through before it is noted how far it is.
const STEP: usize = 100;
/// Most pending events of a step; the others are rid of what is personal when they are judged.
const PENDING: i32 = 400;

impl Store {
    /// Erases a participant, but for events and passes: [`Store::erase_step`] goes through them.
    /// From here on nothing is known of the participant, and no event or update is taken.
    ///
    /// # Errors
    /// `NotFound` (participant), or a failure.
    pub async fn erase(
        &self,
        programme: &Programme,
        now: Instant,
        id: &ParticipantId,
    ) -> Result<Erased> {
        let wallet = self.commit(id, &mut Erase { programme, now }).await?.wallet;
        for attempt in 0..MAX_TRIES {
            let known = self.table.get(key::profile(id), true).await?;
            let mut participant = known.as_ref().map(read_profile).transpose()?.unwrap_or_default();
            if let Some(erased) = participant.erased {
                return Ok(erased);
            }
            let aliases = participant.erase(now, wallet.length);
            let mut parts = vec![put_profile(id, known.as_ref(), &participant)?];
            parts.extend(aliases.iter().map(free_alias));
            if let (Written::Done, Some(erased)) =
                (self.table.write(parts).await?, participant.erased)
            {
                return Ok(erased);
            }
            back_off(attempt).await;
        }
        Err(Error::Contended)
    }

    /// Goes one step through the events and passes of an erased participant. Answers whether that
    /// was the last one.
    ///
    /// # Errors
    /// `NotFound` (participant: it is not erased), or a failure.
    pub async fn erase_step(&self, programme: &Programme, id: &ParticipantId) -> Result<bool> {
        let known = self.table.get(key::profile(id), true).await?;
        let mut participant = known.as_ref().map(read_profile).transpose()?.unwrap_or_default();
        let erased = participant.erased.as_mut().ok_or(Error::NotFound(Noun::Participant))?;
        let at = erased.at;
        let Some(below) = erased.below else { return Ok(true) };
        // Read before the ledger: what is judged in between stands in both, not in none.
        for event in self.waiting_events(id).await? {
            self.erase_event(programme, id, &event).await?;
        }
        let ledger = self.read_ledger(id, true).await?;
        let entries = self.entries_below(id, &ledger, below, STEP).await?;
        for entry in &entries {
            self.erase_entry(programme, at, id, entry).await?;
        }
        let last = entries.last().map_or(1, |entry| entry.sequence);
        erased.below = (last > 1).then_some(last);
        let complete = erased.below.is_none();
        // Whoever was faster goes on from there.
        let put = put_profile(id, known.as_ref(), &participant)?;
        let put = self.table.write(vec![put]).await?;
        Ok(complete && matches!(put, Written::Done))
    }

    /// Erases a duplicate with its events and passes; begun before, it is gone on with.
    async fn erase_whole(
        &self,
        programme: &Programme,
        now: Instant,
        id: &ParticipantId,
    ) -> Result<()> {
        self.erase(programme, now, id).await?;
        while !self.erase_step(programme, id).await? {}
        Ok(())
    }

    async fn waiting_events(&self, id: &ParticipantId) -> Result<Vec<EventId>> {
        let prefix = key::pending_prefix(id);
        let partition = key::pending(key::shard_of(id));
        let most = format!("{prefix}\u{7f}");
        let found = self.table.index_down(&partition, &prefix, &most, PENDING).await?;
        let read = |sort: &String| key::read_pending_sort(sort).map(|(_, _, event)| event);
        let events = found.iter().map(|sort| read(sort).ok_or(Error::Corrupt("bad pending key")));
        events.collect()
    }

    async fn erase_entry(
        &self,
        programme: &Programme,
        at: Instant,
        id: &ParticipantId,
        entry: &Entry,
    ) -> Result<()> {
        if let Some(event) = entry.event() {
            self.erase_event(programme, id, event).await?;
        }
        if let EntryKey::MergeOf { duplicate, .. } = &entry.key {
            // The same person under another name.
            Box::pin(self.erase_whole(programme, at, duplicate)).await?;
        }
        if let EntryKey::Redeem { plan, serial, .. } = &entry.key {
            let pass = PassId { plan: plan.clone(), serial: *serial };
            if let Some(plan) = programme.pass_plan(plan) {
                self.erase_recipient(plan, &pass).await?;
            }
        }
        Ok(())
    }

    /// Puts an event's next version, without what is personal; its pass has no recipient any more.
    async fn erase_event(
        &self,
        programme: &Programme,
        id: &ParticipantId,
        event: &EventId,
    ) -> Result<()> {
        for attempt in 0..MAX_TRIES {
            let Some(mut stored) = self.read_event(event, true).await? else { return Ok(()) };
            let own = stored.recorded.event.participant == *id;
            let used = stored.recorded.pass.as_ref().and_then(PassShown::used).filter(|_| own);
            if let Some((pass, _)) = used
                && let Some(plan) = programme.pass_plan(&pass.plan)
            {
                self.erase_recipient(plan, &pass).await?;
            }
            if !own || !stored.recorded.event.erase() {
                return Ok(());
            }
            if let Written::Done = self.table.write(vec![put_event(&stored)?]).await? {
                return Ok(());
            }
            back_off(attempt).await;
        }
        Err(Error::Contended)
    }
}

struct Erase<'a> {
    programme: &'a Programme,
    now: Instant,
}

impl Operation for Erase<'_> {
    type Answer = ();

    async fn load(&mut self, _: &Store, _: bool) -> Result<()> {
        Ok(())
    }

    fn reach(&self) -> Reach {
        Reach::Journal
    }

    async fn decide(&mut self, _: &Store, ledger: &Ledger) -> Result<Step<()>> {
        let state = match ledger.known() {
            Ok(state) => state,
            Err(unknown) => return Ok(Step::Answer(Err(unknown))),
        };
        if state.wallet.erased {
            let wallet = state.wallet.clone();
            return Ok(Step::Known(Ok(Done { value: (), wallet, repeated: true })));
        }
        let now = decision_time(self.now, &state.wallet, None);
        let applied = apply(self.programme, &state.wallet, now, &Command::Erase);
        Ok(Step::Commit(Proposal::of(applied, Vec::new()), Ok(())))
    }
}
