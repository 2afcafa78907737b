//! Who spends: a participant by name, or whoever holds a pass, from its nameless wallet.

use domain::id::ParticipantId;
use domain::pass::{Generation, PassId, PassPlan};
use domain::programme::Programme;
use domain::time::Instant;
use harness::{Fault, Room};
use store::Bearer;
use wire::spend::Spender;

/// A participant, and the pass that proves it.
pub struct Payer<'a> {
    pub participant: ParticipantId,
    pass: Option<(PassId, &'a PassPlan, Generation)>,
}

impl Payer<'_> {
    /// The pass that the store still demands when it commits.
    pub fn bearer(&self) -> Option<Bearer<'_>> {
        let (pass, plan, generation) = self.pass.as_ref()?;
        Some(Bearer { plan, pass, generation: *generation })
    }
}

/// Finds out who spends; a code and its PIN are proven before any wallet is read.
pub async fn payer<'a>(
    room: &Room,
    programme: &'a Programme,
    spender: &Spender,
    now: Instant,
) -> Result<Payer<'a>, Fault> {
    match spender {
        Spender::Named(participant) => Ok(Payer { participant: participant.clone(), pass: None }),
        Spender::Holder(credential) => {
            let (pass, plan, key) = room.proven(programme, credential, now).await?;
            room.store.prove_pass(plan, &pass, (&key, credential.pin.as_deref())).await?;
            Ok(Payer { participant: pass.nameless(), pass: Some((pass, plan, key.generation())) })
        }
    }
}
