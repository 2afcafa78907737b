//! Codes that came with purchases, what they made active, and passes that were given.

use std::fmt;

use domain::pass::{PassGiven, PassId, PassShown};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::{Instant, show_instant};
use domain::wallet::Wallet;
use serde::Serialize;

use crate::answer::pass::pass_id;

/// What became of a code that came with a purchase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownView {
    pub accepted: bool,
    /// Where it was not accepted, why, as a stable code; unknown and forged codes are alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass_plan: Option<String>,
    /// Of a code of its own pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass_id: Option<String>,
    /// Until when the offers stay active; left out: for this purchase alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_until: Option<String>,
}

/// A pass that an offer gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GivenView {
    pub offer: String,
    pub pass_plan: String,
    /// Absent in a preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass_id: Option<String>,
    /// Told by the answer to the call that brought the purchase, and to its repeats, alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<ToldCode>,
}

/// A code that is told: a secret.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ToldCode(pub String);

impl fmt::Debug for ToldCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ToldCode")
    }
}

/// A promotion whose offers are active for a participant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActivationView {
    pub pass_plan: String,
    pub active_until: String,
}

/// Shows what became of a code.
pub(crate) fn shown_view(programme: &Programme, shown: &PassShown) -> ShownView {
    let unknown = Refusal::PassNotRedeemable.code();
    let (plan, serial, reason, until) = match shown {
        PassShown::Unknown => (None, None, Some(unknown), None),
        PassShown::Refused { plan, serial, refusal } => {
            (Some(plan), *serial, Some(refusal.code()), None)
        }
        PassShown::Accepted { plan, serial, until, .. } => (Some(plan), *serial, None, *until),
    };
    let named = plan.zip(serial);
    ShownView {
        accepted: reason.is_none(),
        reason,
        pass_plan: plan.map(ToString::to_string),
        pass_id: named.map(|(plan, serial)| pass_id(&PassId { plan: plan.clone(), serial })),
        active_until: until.map(|until| show_instant(until, programme.zone)),
    }
}

/// Shows a pass that was given, without its code.
pub(crate) fn given_view(given: &PassGiven) -> GivenView {
    GivenView { pass_id: Some(pass_id(&given.pass)), ..would_give(given) }
}

/// Shows a pass that would be given.
pub(crate) fn would_give(given: &PassGiven) -> GivenView {
    let (offer, pass_plan) = (given.offer.to_string(), given.pass.plan.to_string());
    GivenView { offer, pass_plan, pass_id: None, code: None }
}

/// The promotions whose offers are active now.
pub(crate) fn activations(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
) -> Vec<ActivationView> {
    let active = wallet.activations.iter().filter(|activation| now < activation.until);
    let view = |activation: &domain::pass::Activation| ActivationView {
        pass_plan: activation.plan.to_string(),
        active_until: show_instant(activation.until, programme.zone),
    };
    active.map(view).collect()
}
