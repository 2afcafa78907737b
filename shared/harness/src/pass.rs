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
        let code = PassCode::read(&credential.code).ok_or(Refusal::PassNotRedeemable)?;
        let plan = programme.pass_plans.iter().find(|plan| code.names(&plan.id));
        let plan = plan.ok_or(Refusal::PassNotRedeemable)?;
        let key = self.secret()?.key_that_made(&plan.id, &code, now).await?;
        let key = key.ok_or(Refusal::PassNotRedeemable)?;
        Ok((PassId { plan: plan.id.clone(), serial: code.serial }, plan, key))
    }
}
