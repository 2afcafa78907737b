//! What becomes of a pass: loaded, tried, redeemed, changed, taken back.

use chrono_tz::Tz;

use crate::amount::Amount;
use crate::pass::{Change, ChangeKind, Loaded, Mark, Origin, Pass, PassPlan, PlanKey};
use crate::refusal::Refusal;
use crate::time::{Day, Instant};

/// Wrong PINs that a pass takes before it locks.
pub const MAX_TRIES: u8 = 5;
/// Changes that a pass remembers; older ones are dropped.
pub const MAX_CHANGES: usize = 50;

/// The states of R-81.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassState {
    /// It is worth nothing before it is loaded.
    Created,
    /// It can be redeemed, now or once its window opens.
    Loaded,
    /// As often as it can be.
    Redeemed,
    Expired,
    Void,
    Locked,
}

/// A change that an operator asks for; what is none stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassUpdate {
    pub state: Option<StateAsked>,
    /// The last day on which it can be redeemed.
    pub until: Option<Day>,
    /// What it credits.
    pub value: Option<Amount>,
    /// The hash of a new PIN.
    pub pin: Option<[u8; 16]>,
}

/// The states that an operator can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateAsked {
    /// Neither void nor locked: as it would be without either.
    Usable,
    Void,
    Locked,
}

impl Pass {
    /// What it credits each time; none where that was not chosen yet.
    pub fn worth(&self, plan: &PassPlan) -> Option<Amount> {
        self.value.or(plan.value.fixed())
    }

    /// When it was worth something for the first time.
    fn started(&self, plan: &PassPlan) -> Option<Instant> {
        match &self.origin {
            _ if plan.when_loaded => self.loaded.as_ref().map(|loaded| loaded.at),
            Origin::Issued(issued) => Some(issued.at),
            Origin::Printed { at } => Some(*at),
        }
    }

    /// The last day on which it can be redeemed; none: for ever.
    pub fn last_day(&self, plan: &PassPlan, zone: Tz) -> Option<Day> {
        let lasts = || Some(self.started(plan)?.day(zone).plus(plan.window.lasts?));
        let of_plan = || plan.window.until.into_iter().chain(lasts()).min();
        self.until.or_else(of_plan)
    }

    /// How often it was redeemed, without what was taken back.
    pub fn uses(&self) -> u32 {
        let counted = self.redemptions.iter().filter(|redemption| !redemption.cancelled);
        u32::try_from(counted.count()).unwrap_or(u32::MAX)
    }

    /// Its state at this time.
    pub fn state(&self, plan: &PassPlan, now: Instant, zone: Tz) -> PassState {
        match self.mark {
            Some(Mark::Void) => PassState::Void,
            Some(Mark::Locked) => PassState::Locked,
            None if self.is_out_of_tries() => PassState::Locked,
            None if self.uses() >= plan.uses => PassState::Redeemed,
            None if self.last_day(plan, zone).is_some_and(|day| day.has_ended(now, zone)) => {
                PassState::Expired
            }
            None if self.started(plan).is_none() || self.worth(plan).is_none() => {
                PassState::Created
            }
            None => PassState::Loaded,
        }
    }

    /// What a redemption credits now; else why there can be none, which only who has proven the
    /// code is told.
    pub fn redeemable(&self, plan: &PassPlan, now: Instant, zone: Tz) -> Result<Amount, Refusal> {
        match self.state(plan, now, zone) {
            PassState::Created => Err(Refusal::PassNotLoaded),
            PassState::Redeemed => Err(Refusal::PassUsed),
            PassState::Expired => Err(Refusal::PassExpired),
            PassState::Void => Err(Refusal::PassVoid),
            PassState::Locked => Err(Refusal::PassLocked),
            PassState::Loaded if plan.window.from.is_some_and(|day| !day.has_begun(now, zone)) => {
                Err(Refusal::PassNotYetValid)
            }
            PassState::Loaded => self.worth(plan).ok_or(Refusal::PassNotLoaded),
        }
    }

    /// Whether no PIN is compared any more.
    pub fn is_out_of_tries(&self) -> bool {
        self.tries >= MAX_TRIES
    }

    /// Whether this is its PIN; to be asked only after the try was charged.
    pub fn is_pin(&self, key: &PlanKey, typed: &str) -> bool {
        match &self.chosen_pin {
            Some(hash) => key.is_chosen_pin(self.id.serial, typed, hash),
            None => key.is_pin(self.id.serial, typed),
        }
    }

    /// Loads it at the sale: from now on it is worth its value, which is to be chosen now where the
    /// plan gives a range and nobody chose before.
    pub fn load(
        &mut self,
        plan: &PassPlan,
        loaded: Loaded,
        value: Option<Amount>,
        who: &str,
        zone: Tz,
    ) -> Result<(), Refusal> {
        let now = loaded.at;
        match self.state(plan, now, zone) {
            PassState::Created => {}
            PassState::Loaded => return Err(Refusal::PassLoaded),
            PassState::Redeemed => return Err(Refusal::PassUsed),
            PassState::Expired => return Err(Refusal::PassExpired),
            PassState::Void => return Err(Refusal::PassVoid),
            PassState::Locked => return Err(Refusal::PassLocked),
        }
        let worth = value.or(self.worth(plan)).ok_or(Refusal::PassValueMissing)?;
        if !plan.value.allows(worth) && self.value != Some(worth) {
            return Err(Refusal::AmountOutOfRange);
        }
        self.value = self.value.filter(|known| *known == worth).or(value);
        self.loaded = Some(loaded);
        self.note(now, who, ChangeKind::Loaded);
        Ok(())
    }

    /// Changes it as asked, and remembers who did. What is so already does not change; the
    /// value only before it is redeemed.
    pub fn update(
        &mut self,
        plan: &PassPlan,
        update: &PassUpdate,
        now: Instant,
        who: &str,
    ) -> Result<(), Refusal> {
        let PassUpdate { state, until, value, pin } = update;
        if value.is_some() && !self.redemptions.is_empty() {
            return Err(Refusal::PassUsed);
        }
        if value.is_some_and(|value| !plan.value.allows(value)) && plan.value.fixed().is_none() {
            return Err(Refusal::AmountOutOfRange);
        }
        if let Some(asked) = state {
            self.ask_state(*asked, now, who);
        }
        if let Some(until) = until.filter(|until| self.until != Some(*until)) {
            self.until = Some(until);
            self.note(now, who, ChangeKind::Until(until));
        }
        if let Some(value) = value.filter(|value| self.value != Some(*value)) {
            self.value = Some(value);
            self.note(now, who, ChangeKind::Value(value));
        }
        if let Some(hash) = pin.filter(|hash| self.chosen_pin != Some(*hash)) {
            self.chosen_pin = Some(hash);
            self.tries = 0;
            self.note(now, who, ChangeKind::Pin);
        }
        Ok(())
    }

    fn ask_state(&mut self, asked: StateAsked, now: Instant, who: &str) {
        let (mark, kind) = match asked {
            StateAsked::Usable => (None, ChangeKind::Usable),
            StateAsked::Void => (Some(Mark::Void), ChangeKind::Void),
            StateAsked::Locked => (Some(Mark::Locked), ChangeKind::Locked),
        };
        let unlocks = asked == StateAsked::Usable && self.is_out_of_tries();
        if self.mark == mark && !unlocks {
            return;
        }
        if asked == StateAsked::Usable {
            self.tries = 0;
        }
        self.mark = mark;
        self.note(now, who, kind);
    }

    /// Remembers a change.
    pub fn note(&mut self, at: Instant, who: &str, kind: ChangeKind) {
        self.changes.push(Change { at, who: who.into(), kind });
        let excess = self.changes.len().saturating_sub(MAX_CHANGES);
        self.changes.drain(..excess);
    }
}
