//! Issue and print: a plan gets its first passes, and never changes from then on.

use domain::id::{Key, PlanId};
use domain::ledger::PayloadHash;
use domain::pass::{
    Generation, Issue, Origin, Pass, PassId, PassPlan, PlanStart, Printed, issued_serial,
};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::Instant;

use super::{Known, MAX_TRIES, is_current};
use crate::Store;
use crate::commit::back_off;
use crate::error::{Error, Result};
use crate::key;
use crate::record::encode_start;
use crate::table::{Demand, Write, Written, binary, item};

/// The print of a plan's passes.
#[derive(Clone, Debug)]
pub struct Activating<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    /// A printed one.
    pub plan: &'a PassPlan,
    pub key: &'a Key,
    pub payload: PayloadHash,
    /// At least 1.
    pub count: u64,
    /// Of the key that makes the codes.
    pub generation: Generation,
}

impl Store {
    /// Issues one pass of a plan under a key; the same key is answered with the same pass. The
    /// flag says whether it was issued before. Write units: 1; 6 for the first of its plan.
    ///
    /// # Errors
    /// `KeyReused`, `Contended` where the programme is out of date, or a failure.
    pub async fn issue_pass(
        &self,
        programme: &Programme,
        now: Instant,
        plan: &PassPlan,
        issue: &Issue,
    ) -> Result<(Pass, bool)> {
        let mut taken = 0;
        for attempt in 0..MAX_TRIES {
            let serial = issued_serial(&plan.id, &issue.key, taken);
            let id = PassId { plan: plan.id.clone(), serial };
            if let Some(known) = self.find_pass(plan, &id, true).await? {
                let Origin::Issued(issued) = &known.pass.origin else {
                    return Err(Error::Corrupt("an issued pass that was printed"));
                };
                match issued.key == issue.key {
                    true if issued.payload != issue.payload => return Err(Error::KeyReused),
                    true => return Ok((known.pass, true)),
                    // Another key of the plan has this serial.
                    false => taken += 1,
                }
                continue;
            }
            let pass = plan.issue(serial, issue.clone(), now);
            let mut parts = vec![Known { pass: pass.clone(), version: 0 }.put(&pass)?];
            match self.plan_start(&plan.id).await? {
                Some(start) => is_current(programme, &start)?,
                None => parts.extend(begin(programme, &plan.id, None)?),
            }
            let first = parts.len() > 1;
            if matches!(self.table.write(parts).await?, Written::Done) {
                return Ok((pass, false));
            }
            if first {
                self.is_active(programme).await?;
            }
            back_off(attempt).await;
        }
        Err(Error::Contended)
    }

    /// Prints a plan's passes: exactly so many, however often it is asked under the key. The flag
    /// says whether they were printed before. Write units: 4, whatever the count.
    ///
    /// # Errors
    /// `Refused` (`plan_activated`), `KeyReused`, `Contended` where the programme is out of date,
    /// or a failure.
    pub async fn activate_plan(&self, order: &Activating<'_>) -> Result<(Printed, bool)> {
        let Activating { programme, now, plan, payload, count, generation, .. } = *order;
        for attempt in 0..MAX_TRIES {
            let start = self.plan_start(&plan.id).await?;
            if let Some(printed) = start.and_then(|start| start.printed) {
                return match printed.key == *order.key {
                    true if printed.payload != payload => Err(Error::KeyReused),
                    true => Ok((printed, true)),
                    false => Err(Error::Refused(Refusal::PlanActivated)),
                };
            }
            let key = order.key.clone();
            let printed = Printed { key, payload, count, at: now, generation };
            let parts = begin(programme, &plan.id, Some(printed.clone()))?;
            if matches!(self.table.write(parts).await?, Written::Done) {
                return Ok((printed, false));
            }
            self.is_active(programme).await?;
            back_off(attempt).await;
        }
        Err(Error::Contended)
    }

    pub(super) async fn is_active(&self, programme: &Programme) -> Result<()> {
        let active = self.active_programme(true).await?;
        if active == programme.version { Ok(()) } else { Err(Error::Contended) }
    }
}

/// Marks that a plan has passes, under the programme that it stands in.
pub(super) fn begin(
    programme: &Programme,
    plan: &PlanId,
    printed: Option<Printed>,
) -> Result<Vec<Write>> {
    let start = PlanStart { programme: programme.version, printed };
    let start = item(key::plan_start(plan), [("d", binary(encode_start(&start)?))]);
    let active = Demand::Number("q", programme.version);
    Ok(vec![
        Write::Put { item: start, demand: Demand::Absent },
        Write::Check { key: key::active_programme(), demand: active },
    ])
}
