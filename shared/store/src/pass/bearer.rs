//! Whoever shows a pass: proven for a request, and still its bearer when that commits.

use domain::pass::{Generation, Pass, PassId, PassPlan};
use domain::refusal::Refusal;

use super::{Known, Proof};
use crate::Store;
use crate::error::{Error, Result};
use crate::table::Write;

/// A pass that was proven, with its plan.
#[derive(Clone, Copy, Debug)]
pub struct Bearer<'a> {
    pub plan: &'a PassPlan,
    pub pass: &'a PassId,
    /// Of the key that made the code which was shown.
    pub generation: Generation,
}

/// The pass that a request shows, if it shows one.
pub(crate) struct Shown<'a> {
    bearer: Option<Bearer<'a>>,
    known: Option<Known>,
}

impl Store {
    /// Proves a pass whose code's tag is right. Write units: none without a PIN, else 2.
    ///
    /// # Errors
    /// `Refused` (`pass_not_redeemable`) where it is not proven, or a failure.
    pub async fn prove_pass(&self, plan: &PassPlan, id: &PassId, proof: Proof<'_>) -> Result<()> {
        self.prove(plan, id, proof).await?;
        if plan.pin { self.forgive_tries(plan, id).await } else { Ok(()) }
    }
}

impl<'a> Shown<'a> {
    pub fn new(bearer: Option<Bearer<'a>>) -> Shown<'a> {
        Shown { bearer, known: None }
    }

    /// Reads the pass as it stands.
    pub async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        if let Some(Bearer { plan, pass, generation }) = self.bearer {
            self.known = store.find_proven(plan, pass, generation, fresh).await?;
        }
        Ok(())
    }

    /// The pass; an unknown one answers like any that cannot be redeemed.
    pub fn pass(&self) -> Result<Option<&Pass>> {
        let known = self.known.as_ref().map(|known| &known.pass);
        match self.bearer {
            Some(_) if known.is_none() => Err(Error::Refused(Refusal::PassNotRedeemable)),
            Some(_) | None => Ok(known),
        }
    }

    /// Demands that the pass is as it was read: what is decided rests on it.
    pub fn check(&self) -> Option<Write> {
        self.known.as_ref().map(Known::check)
    }
}
