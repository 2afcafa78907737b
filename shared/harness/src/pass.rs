//! Passes as their holders show them, for the functions that have the secret of their codes.

use domain::pass::{PassCode, PassId, PassPlan, PlanKey};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::Instant;
use wire::pass::Credential;

use crate::fault::Fault;
use crate::room::Room;

impl Room {
    /// A code whose tag is right, with its plan and the key that made it; its PIN is for the store
    /// to try.
    ///
    /// # Errors
    /// `pass_not_redeemable`, alike for what is mistyped, forged or of no plan, and no table is
    /// asked; or a failure.
    pub async fn proven<'a>(
        &self,
        programme: &'a Programme,
        credential: &Credential,
        now: Instant,
    ) -> Result<(PassId, &'a PassPlan, PlanKey), Fault> {
        let proven = self.pass_of_code(programme, &credential.code, now).await?;
        proven.ok_or(Refusal::PassNotRedeemable.into())
    }

    /// Likewise, of a code alone; none where it is not proven.
    ///
    /// # Errors
    /// A failure.
    pub async fn pass_of_code<'a>(
        &self,
        programme: &'a Programme,
        code: &str,
        now: Instant,
    ) -> Result<Option<(PassId, &'a PassPlan, PlanKey)>, Fault> {
        let Some(code) = PassCode::read(code) else { return Ok(None) };
        let plan = programme.pass_plans.iter().find(|plan| code.names(&plan.id));
        let Some(plan) = plan else { return Ok(None) };
        let key = self.secret()?.key_that_made(&plan.id, &code, now).await?;
        Ok(key.map(|key| (PassId { plan: plan.id.clone(), serial: code.serial }, plan, key)))
    }
}
