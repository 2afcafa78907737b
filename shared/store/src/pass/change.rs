//! What touches a pass alone: loading, changes by an operator, and tries of its PIN.

use domain::amount::Amount;
use domain::id::Key;
use domain::ledger::PayloadHash;
use domain::pass::{Loaded, Pass, PassId, PassPlan, PassUpdate, PlanKey};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::Instant;

use super::{Known, MAX_TRIES, Proof, guard, remember};
use crate::Store;
use crate::commit::back_off;
use crate::error::{Error, Noun, Result};
use crate::table::Written;

/// The loading of a pass at its sale.
#[derive(Clone, Debug)]
pub struct LoadingPass<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub plan: &'a PassPlan,
    pub pass: &'a PassId,
    pub key: &'a Key,
    pub payload: PayloadHash,
    /// Where the plan lets it be chosen.
    pub value: Option<Amount>,
    /// The subject of the token.
    pub who: &'a str,
}

/// A change of a pass by an operator.
#[derive(Clone, Debug)]
pub struct UpdatingPass<'a> {
    /// Time of the invocation.
    pub now: Instant,
    pub plan: &'a PassPlan,
    pub pass: &'a PassId,
    pub update: &'a PassUpdate,
    /// The subject of the token.
    pub who: &'a str,
}

impl Store {
    /// Loads a pass: from now on it is worth its value. The flag says whether the key did
    /// before. Write units: 1; 4 where it is refused.
    ///
    /// # Errors
    /// `NotFound` (pass), `Refused`, `KeyReused`, or a failure.
    pub async fn load_pass(&self, order: &LoadingPass<'_>) -> Result<(Pass, bool)> {
        let LoadingPass { programme, now, plan, payload, value, who, .. } = *order;
        for attempt in 0..MAX_TRIES {
            let known = self.find_pass(plan, order.pass, true).await?;
            let known = known.ok_or(Error::NotFound(Noun::Pass))?;
            if let Some(loaded) = known.pass.loaded.as_ref().filter(|l| l.key == *order.key) {
                let same = loaded.payload == payload;
                return if same { Ok((known.pass, true)) } else { Err(Error::KeyReused) };
            }
            let guard = || guard("load", order.pass, order.key);
            if let Some(answer) = self.refused_before(guard(), payload).await? {
                return Err(answer);
            }
            let mut pass = known.pass.clone();
            let loaded = Loaded { key: order.key.clone(), payload, at: now };
            let (parts, answer) = match pass.load(plan, loaded, value, who, programme.zone) {
                Ok(()) => (vec![known.put(&pass)?], Ok((pass, false))),
                Err(refusal) => {
                    let parts = vec![remember(guard(), payload, refusal), known.check()];
                    (parts, Err(Error::Refused(refusal)))
                }
            };
            if matches!(self.table.write(parts).await?, Written::Done) {
                return answer;
            }
            back_off(attempt).await;
        }
        Err(Error::Contended)
    }

    /// Changes a pass. Write units: 1.
    ///
    /// # Errors
    /// `NotFound` (pass), `Refused`, or a failure.
    pub async fn update_pass(&self, order: &UpdatingPass<'_>) -> Result<Pass> {
        for attempt in 0..MAX_TRIES {
            let known = self.find_pass(order.plan, order.pass, true).await?;
            let known = known.ok_or(Error::NotFound(Noun::Pass))?;
            let mut pass = known.pass.clone();
            let updated = pass.update(order.plan, order.update, order.now, order.who);
            updated.map_err(Error::Refused)?;
            if pass == known.pass {
                return Ok(pass);
            }
            if matches!(self.table.write(vec![known.put(&pass)?]).await?, Written::Done) {
                return Ok(pass);
            }
            back_off(attempt).await;
        }
        Err(Error::Contended)
    }

    /// Shows a pass to who holds it. Write units: none without a PIN, else 2.
    ///
    /// # Errors
    /// `Refused` (`pass_not_redeemable`) where the code is not proven, or a failure.
    pub async fn look_up_pass(
        &self,
        plan: &PassPlan,
        id: &PassId,
        proof: Proof<'_>,
    ) -> Result<Pass> {
        self.prove_pass(plan, id, proof).await?;
        let known = self.find_proven(plan, id, proof.0.generation(), true).await?;
        // An unknown pass answers like a wrong PIN.
        known.map(|known| known.pass).ok_or(Error::Refused(Refusal::PassNotRedeemable))
    }

    /// Compares the PIN, where the plan asks for one: its try is charged before. Write
    /// units: 1 with a PIN.
    pub(super) async fn prove(
        &self,
        plan: &PassPlan,
        id: &PassId,
        (key, typed): Proof<'_>,
    ) -> Result<()> {
        if !plan.pin {
            return Ok(());
        }
        let unproven = || Error::Refused(Refusal::PassNotRedeemable);
        let typed = typed.ok_or_else(unproven)?;
        let charged = self.charge_try(plan, id, key).await?;
        let proven = charged.is_some_and(|pass| pass.is_pin(key, typed));
        if proven { Ok(()) } else { Err(unproven()) }
    }

    /// Charges a try. None: there is no such pass of this key, or no try is left.
    async fn charge_try(
        &self,
        plan: &PassPlan,
        id: &PassId,
        key: &PlanKey,
    ) -> Result<Option<Pass>> {
        let charge = |pass: &mut Pass| {
            let left = pass.generation == key.generation() && !pass.is_out_of_tries();
            pass.tries += u8::from(left);
            left
        };
        self.change_tries(plan, id, charge).await
    }

    /// Forgets the tries of a pass whose PIN was right. Write units: 1.
    pub(super) async fn forgive_tries(&self, plan: &PassPlan, id: &PassId) -> Result<()> {
        let forgive = |pass: &mut Pass| std::mem::take(&mut pass.tries) > 0;
        self.change_tries(plan, id, forgive).await.map(drop)
    }

    async fn change_tries(
        &self,
        plan: &PassPlan,
        id: &PassId,
        change: impl Fn(&mut Pass) -> bool,
    ) -> Result<Option<Pass>> {
        for attempt in 0..MAX_TRIES {
            let Some(known) = self.find_pass(plan, id, true).await? else { return Ok(None) };
            let mut pass = known.pass.clone();
            if !change(&mut pass) {
                return Ok(None);
            }
            if matches!(self.table.write(vec![known.put(&pass)?]).await?, Written::Done) {
                return Ok(Some(pass));
            }
            back_off(attempt).await;
        }
        Err(Error::Contended)
    }
}

impl Known {
    /// What a right PIN leaves behind: no tries.
    pub(super) fn forgiven(&self) -> Pass {
        Pass { tries: 0, ..self.pass.clone() }
    }
}
