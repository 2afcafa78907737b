//! A run on its way over the pending events of a shard, step by step: what is taken in hand is
//! stored first, so that whoever goes on after a crash judges the rest and counts all of it.

use domain::award::Mode;
use domain::event::{Judge, RecordedEvent};
use domain::id::{EventId, ParticipantId, RunId};
use domain::programme::Programme;
use domain::time::Instant;
use tracing::error;

use crate::Store;
use crate::error::{Error, Result};
use crate::judge::{Judging, MAX_FOLD};
use crate::run::{PendingEvent, RunCounts, ShardProgress};

/// Events that a shard takes in hand at once: what a step holds in memory, however many wait.
const IN_HAND: i32 = 100;

/// A step over one shard.
#[derive(Clone, Debug)]
pub struct Walking<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub run: &'a RunId,
    /// When the run began: events accepted later are left to the next one.
    pub started_at: Instant,
    pub shard: u8,
    /// Whether nobody tries again: what cannot be judged stays pending and is counted as failed,
    /// so that the rest of the shard is not given up with it.
    pub last_try: bool,
}

/// Where a step led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walked {
    /// Nothing is left of the shard.
    ToTheEnd,
    /// There is more.
    On,
    /// Somebody else stored a step meanwhile, and goes on.
    Overtaken,
}

impl Store {
    /// Judges what a shard has in hand, and takes the next in hand. Judged events are never
    /// judged again. Read units besides those of judging: 1 for the shard, and about 2 for a
    /// hundred events of the pending index. Write units: 1 for each started kilobyte of ids in hand.
    ///
    /// # Errors
    /// A failure; nothing is stored, and the same step may be tried again.
    pub async fn walk_shard(&self, order: &Walking<'_>) -> Result<Walked> {
        let (progress, version) = self.shard(order.run, order.shard).await?;
        if progress.ended_at.is_some() {
            return Ok(Walked::ToTheEnd);
        }
        let mut next = progress.next(order.now, order.last_try);
        next.counts.add(self.judge_in_hand(order, &progress.in_hand).await?);
        next.after = progress.until.or(progress.after);
        let page = self.pending_events(order.shard, next.after.as_deref(), IN_HAND).await?;
        match page.last() {
            Some(last) => next.until = Some(last.place.clone()),
            None => next.end(order.now),
        }
        next.in_hand = in_hand(page, order.started_at);
        Ok(match self.save_shard(order.run, order.shard, &next, version).await? {
            false => Walked::Overtaken,
            true if next.ended_at.is_some() => Walked::ToTheEnd,
            true => Walked::On,
        })
    }

    async fn judge_in_hand(
        &self,
        order: &Walking<'_>,
        in_hand: &[(String, String)],
    ) -> Result<RunCounts> {
        let mut counts = RunCounts::default();
        for group in in_hand.chunk_by(|a, b| a.0 == b.0) {
            let bad = || Error::Corrupt("a run's progress that cannot be read");
            let first = group.first().map(|(participant, _)| ParticipantId::parse(participant));
            let participant = first.and_then(std::result::Result::ok).ok_or_else(bad)?;
            let events = group.iter().map(|(_, event)| EventId::parse(event).map_err(|_| bad()));
            let events = events.collect::<Result<Vec<EventId>>>()?;
            for events in events.chunks(MAX_FOLD) {
                counts.add(self.judge_or_count(order, &participant, events).await?);
            }
        }
        Ok(counts)
    }

    /// Judges events in one commit; where that fails for good, one by one, so that a broken one
    /// stops no other. It stays pending and is counted as failed.
    async fn judge_or_count(
        &self,
        order: &Walking<'_>,
        participant: &ParticipantId,
        events: &[EventId],
    ) -> Result<RunCounts> {
        let Walking { programme, now, run, .. } = *order;
        let (mode, by) = (Mode::Run, Judge::Run(run.clone()));
        let judging = Judging { programme, now, participant, events, mode, by };
        let mut counts = RunCounts::default();
        match self.judge(&judging).await {
            Ok(done) => done.value.iter().for_each(|event| counts.add(counted(event, run))),
            Err(error @ (Error::Contended | Error::Unavailable(_))) if !order.last_try => {
                return Err(error);
            }
            Err(_) if events.len() > 1 => {
                for event in events {
                    let one = std::slice::from_ref(event);
                    counts.add(Box::pin(self.judge_or_count(order, participant, one)).await?);
                }
            }
            Err(error) => {
                error!(reason = %error, "an event cannot be judged and stays pending");
                counts.failed += 1;
            }
        }
        Ok(counts)
    }
}

impl ShardProgress {
    /// What a step begins with. On the last try the shard is given up until somebody goes on.
    pub fn next(&self, now: Instant, last_try: bool) -> ShardProgress {
        ShardProgress {
            counts: self.counts,
            expired: self.expired.clone(),
            conversion: self.conversion.clone(),
            alerts: self.alerts,
            touched_at: Some(now.0),
            failed_at: last_try.then_some(now.0),
            ..ShardProgress::default()
        }
    }

    /// Nothing is left.
    pub fn end(&mut self, now: Instant) {
        (self.ended_at, self.failed_at) = (Some(now.0), None);
    }
}

/// Events accepted before the run began.
fn in_hand(page: Vec<PendingEvent>, until: Instant) -> Vec<(String, String)> {
    let due = page.into_iter().filter(|event| event.accepted_at <= until);
    due.map(|event| (event.participant.to_string(), event.event.to_string())).collect()
}

/// What this run made of an event; nothing where another run was faster.
fn counted(event: &RecordedEvent, run: &RunId) -> RunCounts {
    let mut counts = RunCounts::default();
    let by_run = |judge: &Judge| matches!(judge, Judge::Run(by) if by == run);
    let judged = event.judgements.iter().filter(|judgement| by_run(&judgement.by)).count();
    counts.events += u64::try_from(judged).unwrap_or(0);
    for judgement in event.all_judgements().filter(|judgement| by_run(&judgement.by)) {
        counts.awarded += u64::try_from(judgement.awards.len()).unwrap_or(0);
        counts.passed_over += u64::try_from(judgement.passed_over.len()).unwrap_or(0);
    }
    counts
}
