//! Passes that come with purchases, and that purchases are given: each changes in the
//! transaction of its event, so that it is used, or given, exactly when the event is stored.

use domain::award::Facts;
use domain::event::{EventState, RecordedEvent};
use domain::id::PlanId;
use domain::pass::{
    CodeShown, Generation, Issue, Mark, PassGiven, PassId, PassShown, Redemption, Shown,
    purchase_key, show_code,
};
use domain::programme::Programme;
use domain::time::Instant;
use domain::wallet::Wallet;

use super::issue::begin;
use super::{Known, is_current};
use crate::Store;
use crate::error::{Error, Result};
use crate::key;
use crate::table::{Demand, Write};

/// The codes of an event that is judged in the call that brings it.
#[derive(Clone, Debug, Default)]
pub struct Codes {
    /// The code that came with it.
    pub shown: Option<CodeShown>,
    /// Of the key that makes the codes of passes that it is given.
    pub newest: Generation,
}

/// A code that came with an event, and what the table knows of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct FoundCode {
    shown: Option<CodeShown>,
    /// The pass that it names; none: there is no such pass.
    pass: Option<Known>,
}

impl Store {
    /// What became of a code, had its event been posted now; for previews. Read units: 1 for the
    /// pass.
    ///
    /// # Errors
    /// A failure.
    pub async fn preview_code(
        &self,
        programme: &Programme,
        wallet: &Wallet,
        now: Instant,
        event: &RecordedEvent,
        code: Option<&CodeShown>,
        facts: &Facts<'_>,
    ) -> Result<Option<PassShown>> {
        let found = self.find_code(programme, code, true).await?;
        Ok(found.show(programme, wallet, now, event, facts))
    }

    /// What is known of a code. Read units: 1 where it is that of a pass.
    pub(crate) async fn find_code(
        &self,
        programme: &Programme,
        code: Option<&CodeShown>,
        fresh: bool,
    ) -> Result<FoundCode> {
        let mut found = FoundCode { shown: code.cloned(), pass: None };
        if let Some(CodeShown::Pass(id, _)) = code
            && let Some(plan) = programme.pass_plan(&id.plan)
        {
            found.pass = self.find_pass(plan, id, fresh).await?;
        }
        Ok(found)
    }

    /// The passes that a judgement gives, as they are written with their event; none: a serial is
    /// taken by another pass. A serial is looked up only after a write came to nothing.
    pub(crate) async fn give_passes(
        &self,
        programme: &Programme,
        now: Instant,
        recorded: &RecordedEvent,
        again: bool,
    ) -> Result<Option<Vec<Write>>> {
        let (mut writes, mut plans) = (Vec::new(), Vec::<PlanId>::new());
        for PassGiven { offer, pass: id, generation } in recorded.passes() {
            let plan = programme.pass_plan(&id.plan);
            let plan = plan.ok_or(Error::Corrupt("a pass of no plan"))?;
            if again && self.find_pass(plan, id, true).await?.is_some() {
                return Ok(None);
            }
            let issue = Issue {
                key: purchase_key(&recorded.event.id, Some(offer)),
                payload: recorded.payload,
                generation: *generation,
                value: None,
                recipient: Some(recorded.event.participant.as_str().into()),
                channel: None,
            };
            let pass = plan.issue(id.serial, issue, now);
            writes.push(Known { pass: pass.clone(), version: 0 }.put(&pass)?);
            if !plans.contains(&plan.id) {
                plans.push(plan.id.clone());
            }
        }
        for plan in plans {
            match self.plan_start(&plan).await? {
                Some(start) => is_current(programme, &start)?,
                None if again => {
                    self.is_active(programme).await?;
                    writes.extend(begin(programme, &plan, None)?);
                }
                None => writes.extend(begin(programme, &plan, None)?),
            }
        }
        Ok(Some(writes))
    }
}

impl FoundCode {
    /// What becomes of the code with this event.
    pub fn show(
        &self,
        programme: &Programme,
        wallet: &Wallet,
        now: Instant,
        event: &RecordedEvent,
        facts: &Facts<'_>,
    ) -> Option<PassShown> {
        let code = self.shown.as_ref()?;
        // What an older key makes is no code of a newer pass.
        let pass = self.pass.as_ref().map(|known| &known.pass);
        let (plan, pass) = match code {
            CodeShown::Unknown => (None, None),
            CodeShown::Universal(_) => (code.plan(programme), None),
            CodeShown::Pass(_, generation) => {
                let pass = pass.filter(|pass| pass.generation == *generation);
                (code.plan(programme).filter(|_| pass.is_some()), pass)
            }
        };
        let show = |plan| show_code(programme, wallet, now, event, Shown { plan, pass }, facts);
        Some(plan.map_or(PassShown::Unknown, show))
    }

    /// The pass as the event leaves it; where it is left as it is, that it still is so.
    pub fn used(&self, recorded: &RecordedEvent) -> Result<Option<Write>> {
        let Some(CodeShown::Pass(id, _)) = &self.shown else { return Ok(None) };
        let Some(known) = &self.pass else {
            // That it is unknown rests on a read that may be stale.
            return Ok(Some(Write::Check { key: key::pass(id), demand: Demand::Absent }));
        };
        if recorded.pass.as_ref().and_then(PassShown::used).is_none() {
            return Ok(Some(known.check()));
        }
        let mut pass = known.pass.clone();
        let judgement = recorded.judgements.last();
        let judgement = judgement.ok_or(Error::Corrupt("a code of an event that is not judged"))?;
        pass.redemptions.push(Redemption {
            key: purchase_key(&recorded.event.id, None),
            payload: recorded.payload,
            participant: recorded.event.participant.clone(),
            sequence: judgement.sequence,
            amount: domain::amount::Amount::ZERO,
            expires: None,
            cancelled: false,
        });
        known.put(&pass).map(Some)
    }
}

/// What a cancel makes of the passes of an event: the one that came with it can be used again, and
/// those that it was given are void where nobody used them yet. Read units: 1 each.
pub(crate) async fn take_passes_back(
    store: &Store,
    programme: &Programme,
    after: &RecordedEvent,
) -> Result<Vec<Write>> {
    let mut writes = Vec::new();
    if after.state == EventState::Posted {
        return Ok(writes);
    }
    let find = async |id: &PassId| match programme.pass_plan(&id.plan) {
        Some(plan) => store.find_pass(plan, id, true).await,
        None => Ok(None),
    };
    if let Some((id, turn)) = after.pass.as_ref().and_then(PassShown::used)
        && let Some(known) = find(&id).await?
    {
        let mut pass = known.pass.clone();
        let turn = usize::try_from(turn).ok().and_then(|turn| pass.redemptions.get_mut(turn));
        turn.into_iter().for_each(|redemption| redemption.cancelled = true);
        writes.push(known.put(&pass)?);
    }
    for given in after.passes() {
        if let Some(known) = find(&given.pass).await?
            && known.pass.uses() == 0
        {
            let mut pass = known.pass.clone();
            pass.mark = Some(Mark::Void);
            writes.push(known.put(&pass)?);
        }
    }
    Ok(writes)
}
