//! Passes that an offer gives whoever purchases.

use super::room::use_quota;
use super::{Bench, Judged, Mode};
use crate::amount::Amount;
use crate::id::PlanId;
use crate::ledger::Effect;
use crate::offer::Offer;
use crate::pass::{PassGiven, PassId, issued_serial, purchase_key};
use crate::refusal::Reason;

/// Gives a pass, and counts it in the offer's limit and quota, where a budget is of passes. Its code
/// is told by the answer to the call that brings the purchase, and by nothing that comes later.
pub(super) fn give(
    bench: Bench<'_>,
    offer: &Offer,
    plan: &PlanId,
    mode: Mode,
    judged: &mut Judged,
) -> Result<(), Reason> {
    if mode != Mode::Interactive {
        return Err(Reason::TooLateForPass);
    }
    let (id, issuing) = (offer.id.clone(), bench.facts.issuing);
    let key = purchase_key(&bench.subject.event.id, Some(&id));
    let serial = issued_serial(plan, &key, issuing.attempt);
    let pass = PassId { plan: plan.clone(), serial };
    let slot = offer.slot(bench.subject.clock.day);
    judged.effects.push(Effect::Issue { offer: id.clone(), pass: pass.clone(), slot });
    judged.effects.extend(use_quota(bench.wallet, offer, Amount(1)));
    judged.passes.push(PassGiven { offer: id, pass, generation: issuing.newest });
    Ok(())
}
