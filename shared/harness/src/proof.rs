//! Codes of passes as somebody typed them, held against the keys: no table is asked.

use domain::pass::{PassCode, PassId, PassPlan, PlanKey};
use domain::programme::Programme;
use domain::time::Instant;

use crate::fault::Fault;
use crate::room::Room;

impl Room {
    /// The pass whose code this is, with its plan and the key that made it. None for what is
    /// mistyped, forged or of no plan: all alike.
    ///
    /// # Errors
    /// A failure.
    pub async fn pass_of_code<'p>(
        &self,
        programme: &'p Programme,
        typed: &str,
        now: Instant,
    ) -> Result<Option<(PassId, &'p PassPlan, PlanKey)>, Fault> {
        let Some(code) = PassCode::read(typed) else { return Ok(None) };
        let plan = programme.pass_plans.iter().find(|plan| code.names(&plan.id));
        let Some(plan) = plan else { return Ok(None) };
        let key = self.secret()?.key_that_made(&plan.id, &code, now).await?;
        Ok(key.map(|key| (PassId { plan: plan.id.clone(), serial: code.serial }, plan, key)))
    }
}
