//! Promotions: codes that come with purchases, and the offers that they make active.

use sha2::{Digest, Sha256};

use crate::apply::settle_up;
use crate::award::{Facts, Judged, Mode, judge};
use crate::event::RecordedEvent;
use crate::id::{EventId, Key, OfferId, PlanId, SegmentId};
use crate::ledger::PayloadHash;
use crate::offer::{Offer, Subject};
use crate::pass::{Generation, Pass, PassId, PassPlan};
use crate::programme::Programme;
use crate::refusal::{Reason, Refusal};
use crate::time::{Duration, Instant};
use crate::wallet::Wallet;

/// What a promotion plan says besides what all plans say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// The one code of all participants, which is no secret; none: each pass has its own.
    pub universal: Option<Box<str>>,
    /// How long its offers stay active after the day of the purchase; none: for it alone.
    pub active_for: Option<Duration>,
    /// Who is told.
    pub segment: SegmentId,
}

/// A code that came with a purchase, once its tag was proven: no secret any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeShown {
    /// Mistyped, forged, unknown, or of no promotion: all alike.
    Unknown,
    /// The one code of a plan.
    Universal(PlanId),
    /// The code of a pass, with the key that made it.
    Pass(PassId, Generation),
}

/// What is held against wallet and purchase.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    pub plan: &'a PassPlan,
    /// None: the code is universal.
    pub pass: Option<&'a Pass>,
}

/// What became of a code that came with a purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PassShown {
    /// Of no pass that there is; nobody is told why.
    Unknown,
    /// Of a pass, or of a plan whose code is universal, that could not be used.
    Refused { plan: PlanId, serial: Option<u64>, refusal: Refusal },
    /// The offers of its plan were active for the purchase.
    Accepted {
        plan: PlanId,
        serial: Option<u64>,
        /// Which redemption of the pass it was, from 0; none: nothing was used up.
        turn: Option<u32>,
        /// Until when they stay active; none: for the purchase alone.
        until: Option<Instant>,
    },
}

/// A pass that a purchase was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassGiven {
    pub offer: OfferId,
    pub pass: PassId,
    /// Of the key that makes its code.
    pub generation: Generation,
}

/// How passes are made that a purchase is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Issuing {
    /// The key that makes new codes.
    pub newest: Generation,
    /// How often serials were found to be taken.
    pub attempt: u32,
}

/// Offers of a plan that are active for a participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    pub plan: PlanId,
    pub from: Instant,
    /// Exclusive.
    pub until: Instant,
}

impl PassShown {
    /// The plan whose offers are active for the purchase.
    pub fn activates(&self) -> Option<&PlanId> {
        match self {
            PassShown::Accepted { plan, .. } => Some(plan),
            PassShown::Unknown | PassShown::Refused { .. } => None,
        }
    }

    /// The pass that was used up by one, and which of its redemptions that was.
    pub fn used(&self) -> Option<(PassId, u32)> {
        match self {
            PassShown::Accepted { plan, serial: Some(serial), turn: Some(turn), .. } => {
                Some((PassId { plan: plan.clone(), serial: *serial }, *turn))
            }
            PassShown::Accepted { .. } | PassShown::Unknown | PassShown::Refused { .. } => None,
        }
    }
}

impl CodeShown {
    /// The plan that it is of.
    pub fn plan<'p>(&self, programme: &'p Programme) -> Option<&'p PassPlan> {
        match self {
            CodeShown::Unknown => None,
            CodeShown::Universal(plan) => programme.pass_plan(plan),
            CodeShown::Pass(pass, _) => programme.pass_plan(&pass.plan),
        }
    }

    /// Whether what it makes active asks for the participant's profile.
    pub fn asks_profile(&self, programme: &Programme) -> bool {
        let Some(plan) = self.plan(programme) else { return false };
        let mut offers = programme.offers.iter();
        offers.any(|offer| offer.when.pass_plan.as_ref() == Some(&plan.id) && offer.asks_profile())
    }
}

/// What names the pass that an offer gives for an event, or the redemption that it is (no offer).
pub fn purchase_key(event: &EventId, offer: Option<&OfferId>) -> Key {
    let offer = offer.map(OfferId::as_str).unwrap_or_default();
    let digest = Sha256::digest(format!("purchase\n{offer}\n{event}"));
    Key::of_digest(std::array::from_fn(|at| digest[at]))
}

/// What becomes of a code that comes with a purchase that is judged now. It is accepted
/// where it gives the participant something, so that nobody uses up a code for nothing; where its
/// offers are active already, nothing is used up.
pub fn show_code(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    event: &RecordedEvent,
    shown: Shown<'_>,
    facts: &Facts<'_>,
) -> PassShown {
    let Shown { plan, pass } = shown;
    let Some(promotion) = &plan.promotion else { return PassShown::Unknown };
    let wallet = &settle_up(programme, wallet, now, PayloadHash::default()).wallet;
    let (id, serial) = (plan.id.clone(), pass.map(|pass| pass.id.serial));
    let performed = event.event.performed_on;
    if let Some(active) = wallet.activation(&plan.id, performed, now) {
        let until = Some(active.until);
        return PassShown::Accepted { plan: id, serial, turn: None, until };
    }
    let refused = |refusal| PassShown::Refused { plan: plan.id.clone(), serial, refusal };
    let usable = match pass {
        Some(pass) => pass.redeemable(plan, now, programme.zone).map(drop),
        None => plan.window.is_open(now, programme.zone),
    };
    if let Err(refusal) = usable {
        return refused(refusal);
    }
    let day = now.day(programme.zone);
    let until = promotion.active_for.map(|lasts| day.plus(lasts).end(programme.zone));
    let turn = pass.map(|pass| u32::try_from(pass.redemptions.len()).unwrap_or(u32::MAX));
    let accepted = PassShown::Accepted { plan: id, serial, turn, until };
    let mut tried = event.clone();
    tried.pass = Some(accepted.clone());
    let judged = judge(programme, wallet, now, &tried, Mode::Interactive, facts);
    let own = |offer: &&Offer| offer.when.pass_plan.as_ref() == Some(&plan.id);
    let own: Vec<&Offer> = programme.offers.iter().filter(own).collect();
    let later = |offer: &&&Offer| {
        let taken = [Reason::PlacesTaken, Reason::BudgetExhausted];
        offer.addresses(programme, event.event.whose(facts.whose), wallet, now, facts)
            && !offer.is_exhausted(wallet, performed.day(programme.zone))
            && !judged.passed_over.iter().any(|(id, why)| *id == offer.id && taken.contains(why))
    };
    let serves = own.iter().any(|offer| judged.serves(&offer.id))
        || (promotion.active_for.is_some() && own.iter().any(|offer| later(&offer)));
    if serves {
        return accepted;
    }
    let used_up = [Reason::LimitReached, Reason::PlacesTaken, Reason::BudgetExhausted];
    let is_own = |id: &OfferId| own.iter().any(|offer| offer.id == *id);
    let is_used = judged.passed_over.iter().any(|(id, why)| is_own(id) && used_up.contains(why));
    refused(if is_used { Refusal::PassUsed } else { Refusal::PassGivesNothing })
}

impl Judged {
    /// Whether an offer gave something, counts the event, or is still to judge it.
    fn serves(&self, offer: &OfferId) -> bool {
        let waits = [Reason::AwaitsRun, Reason::Counted];
        self.awards.iter().any(|award| award.offer == *offer)
            || self.discounts.iter().any(|discount| discount.offer == *offer)
            || self.passes.iter().any(|given| given.offer == *offer)
            || self.passed_over.iter().any(|(id, why)| id == offer && waits.contains(why))
    }
}

impl Offer {
    /// Whether its pass was shown, for this event or for a time in which it was performed.
    pub(crate) fn is_active(&self, subject: &Subject<'_>, wallet: &Wallet, now: Instant) -> bool {
        let Some(plan) = &self.when.pass_plan else { return true };
        let performed = subject.event.performed_on;
        subject.shown == Some(plan) || wallet.activation(plan, performed, now).is_some()
    }
}
