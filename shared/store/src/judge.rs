//! Judging pending events: up to ten of one participant in one transaction.

use domain::apply::{Command, Outcome, apply};
use domain::award::Mode;
use domain::event::{Due, EventState, Judge, RecordedEvent};
use domain::id::{EventId, ParticipantId};
use domain::programme::Programme;
use domain::time::Instant;

use crate::Store;
use crate::commit::{Done, Operation, Proposal, Step, decision_time};
use crate::error::{Error, Result};
use crate::event::put_event;
use crate::facts::{Known, quota_writes};
use crate::ledger::{Ledger, Reach};
use crate::record::StoredEvent;
use crate::referral::Referral;

/// Most events that are folded into one commit.
pub const MAX_FOLD: usize = 10;

/// Events of one participant to be judged.
#[derive(Clone, Debug)]
pub struct Judging<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub participant: &'a ParticipantId,
    /// At most ten; those that are judged or cancelled already are left alone.
    pub events: &'a [EventId],
    pub mode: Mode,
    pub by: Judge,
}

struct Fold<'a> {
    order: &'a Judging<'a>,
    events: Vec<StoredEvent>,
    facts: Known,
}

impl Store {
    /// Judges pending events exactly once, however often they are handed in. Answers all of
    /// them as they are afterwards. Write units for ten in one commit: about 3.5 an event. A referral
    /// changes two wallets, and is judged by itself.
    ///
    /// # Errors
    /// `NotFound` (participant), or a failure.
    pub async fn judge(&self, order: &Judging<'_>) -> Result<Done<Vec<RecordedEvent>>> {
        if order.events.len() > MAX_FOLD {
            return Err(Error::Corrupt("more events than one transaction takes"));
        }
        let mut fold = Fold { order, events: Vec::new(), facts: Known::default() };
        let mut done = self.commit(order.participant, &mut fold).await?;
        for stored in fold.events.into_iter().filter(|stored| is_alone(&stored.recorded, order)) {
            let mut referral = Referral::of(order, stored);
            let judged = Box::pin(self.commit(order.participant, &mut referral)).await?;
            let same = |known: &&mut RecordedEvent| known.event.id == judged.value.event.id;
            done.value.iter_mut().filter(same).for_each(|known| *known = judged.value.clone());
            done.wallet = judged.wallet;
            done.repeated &= judged.repeated;
        }
        Ok(done)
    }
}

impl Operation for Fold<'_> {
    type Answer = Vec<RecordedEvent>;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        self.events.clear();
        for id in self.order.events {
            // One action an item: who hands in an event twice has it judged once.
            if self.events.iter().any(|stored| stored.recorded.event.id == *id) {
                continue;
            }
            let stored = store.find_event(id, fresh).await?;
            let own = stored.filter(|s| s.recorded.event.participant == *self.order.participant);
            self.events.extend(own);
        }
        let Judging { programme, participant, mode, .. } = *self.order;
        let due = self.events.iter().filter(|stored| is_folded(&stored.recorded, mode));
        let due = due.map(|stored| &stored.recorded.event);
        self.facts = store.facts(programme, participant, due).await?;
        Ok(())
    }

    fn reach(&self) -> Reach {
        Reach::Journal
    }

    async fn decide(&mut self, store: &Store, ledger: &Ledger) -> Result<Step<Vec<RecordedEvent>>> {
        let order = self.order;
        let state = match ledger.known() {
            Ok(state) => state,
            Err(unknown) => return Ok(Step::Answer(Err(unknown))),
        };
        let mode = order.mode;
        let (mut wallet, mut known) = (state.wallet.clone(), self.facts.clone());
        // What was known of a duplicate is known of who stays.
        if let Some(into) = &wallet.merged_into {
            store.know_other(&mut known, into).await?;
        }
        let (mut entries, mut sides, mut answers) = (Vec::new(), Vec::new(), Vec::new());
        let accepted = self.events.iter().map(|stored| stored.recorded.accepted_at);
        let now = decision_time(order.now, &wallet, accepted);
        for stored in &self.events {
            if !is_folded(&stored.recorded, mode) {
                answers.push(stored.recorded.clone());
                continue;
            }
            let event = &stored.recorded;
            if mode != Mode::Run {
                let (programme, of) = (order.programme, &event.event);
                store.know_consent(&mut known, programme, &wallet, now, of).await?;
            }
            let (by, facts) = (order.by.clone(), known.facts());
            let command = Command::Judge { event, mode, by, facts };
            let applied = apply(order.programme, &wallet, now, &command);
            known.note(&applied.entries);
            let Outcome::Judged { judgement, due, spends } = applied.outcome else {
                return Err(Error::Corrupt("a judgement that is none"));
            };
            let mut stored = stored.clone();
            stored.recorded.judgements.push(judgement);
            stored.recorded.due = due;
            stored.recorded.spends.extend(spends);
            // It was accepted while its participant was erased.
            if wallet.erased {
                stored.recorded.event.erase();
            }
            sides.push(put_event(&stored)?);
            answers.push(stored.recorded);
            entries.extend(applied.entries);
            wallet = applied.wallet;
        }
        if entries.is_empty() {
            // Each of them is judged by itself next, and answered from what is read then.
            if !answers.is_empty() && answers.iter().all(|event| is_alone(event, order)) {
                return Ok(Step::Known(Ok(Done { value: answers, wallet, repeated: true })));
            }
            return Ok(Step::Answer(Ok(Done { value: answers, wallet, repeated: true })));
        }
        sides.extend(quota_writes(order.programme, &entries));
        let proposal = Proposal { entries, wallet, enrols: false, second: None, sides };
        Ok(Step::Commit(proposal, Ok(answers)))
    }
}

/// Whether offers of this mode have not judged a posted event yet.
pub(crate) fn is_due(event: &RecordedEvent, mode: Mode) -> bool {
    let due = match mode {
        Mode::Interactive | Mode::Queued => event.due == Due::Everything,
        Mode::Run => event.due != Due::Nothing,
    };
    due && event.state == EventState::Posted
}

fn is_folded(event: &RecordedEvent, mode: Mode) -> bool {
    is_due(event, mode) && event.event.referred().is_none()
}

/// Whether it is a referral that is to be judged: a run alone does so.
fn is_alone(event: &RecordedEvent, order: &Judging<'_>) -> bool {
    let refers = event.event.referred().is_some();
    refers && order.mode == Mode::Run && is_due(event, order.mode)
}
