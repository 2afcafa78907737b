//! Alerts: a manager is told when a participant comes into a segment, and when out of it:
//! once for each time, however often somebody looks.

use chrono_tz::Tz;

use crate::amount::Amount;
use crate::id::{AlertId, FeedId, SegmentId};
use crate::segment::Predicate;
use crate::time::{Instant, Month};
use crate::wallet::Wallet;

/// Most alerts of a programme.
pub const MAX_ALERTS: usize = 20;
/// Most turns that are kept of a participant: a target that was away for longer is told the newest.
pub const MAX_TURNS: usize = 8;

/// Who is told when somebody comes into a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    pub id: AlertId,
    pub segment: SegmentId,
    /// Its target is told.
    pub feed: FeedId,
    /// Whether it tells of those, too, who are in the segment when it goes over everybody for the
    /// first time; else they are taken note of.
    pub tells_first: bool,
}

/// Somebody came into a segment or left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// From 1, without a gap.
    pub sequence: u64,
    pub joined: bool,
    /// Whether the target is told: of whoever is only taken note of, it is not.
    pub is_told: bool,
    /// The time by which it was judged.
    pub at: Instant,
    pub segment: SegmentId,
    /// In currency: the months that the segment looks at, oldest first; of a segment that does not
    /// look at sales, none.
    pub sales: Vec<(Month, Amount)>,
}

/// What an alert knows of a participant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// The newest, oldest first.
    pub list: Vec<Turn>,
    /// By which time the target was to be told again what it should have known.
    pub reminded: Option<Instant>,
}

/// How a participant is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub at: Instant,
    pub is_member: bool,
    /// Whether there is somebody of whom a target may be told: not once they were erased or
    /// merged into another.
    pub is_there: bool,
    pub sales: Vec<(Month, Amount)>,
}

/// What follows from how a participant is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Nothing,
    /// It is the next one.
    Turned(Turn),
    /// The target does not know the last turn yet, though it should by now.
    Remind,
    /// Whoever left need not be looked at again.
    Forget,
}

impl Turns {
    /// What follows, where the target was told up to this turn. `is_first`: the alert has not gone
    /// over everybody yet. At one time something follows once at most, and nothing at an earlier one.
    pub fn step(&self, alert: &Alert, seen: &Seen, told: u64, is_first: bool) -> Step {
        let last = self.list.last();
        if last.map(|last| last.at).max(self.reminded).is_some_and(|at| at >= seen.at) {
            return Step::Nothing;
        }
        let was_in = last.is_some_and(|last| last.joined);
        let is_in = seen.is_member && seen.is_there;
        if is_in != was_in {
            let knows = match last {
                // It is told that somebody left who it was told had come.
                Some(last) if was_in => last.is_told,
                Some(_) | None => !is_first || alert.tells_first,
            };
            return Step::Turned(Turn {
                sequence: last.map_or(0, |last| last.sequence) + 1,
                joined: is_in,
                is_told: knows && seen.is_there,
                at: seen.at,
                segment: alert.segment.clone(),
                sales: seen.sales.clone(),
            });
        }
        match last {
            Some(last) if last.is_told && seen.is_there && last.sequence > told => Step::Remind,
            Some(last) if last.joined => Step::Nothing,
            Some(_) | None => Step::Forget,
        }
    }

    /// Adds the next one; the oldest go.
    pub fn add(&mut self, turn: Turn) {
        self.list.push(turn);
        self.list.drain(..self.list.len().saturating_sub(MAX_TURNS));
    }

    /// Whether a run has to look at the participant again, member or not: who is in may leave, and
    /// who left may have to be told of.
    pub fn is_open(&self) -> bool {
        self.list.last().is_some_and(|last| last.joined || last.is_told)
    }
}

impl Alert {
    /// How a participant is found by what the alert's segment asks.
    pub fn sees(
        &self,
        members: &Predicate,
        wallet: &Wallet,
        is_member: bool,
        at: Instant,
        zone: Tz,
    ) -> Seen {
        let is_there = wallet.gone().is_none();
        Seen { at, is_member, is_there, sales: sales(members, wallet, at, zone) }
    }
}

/// The sales of the months that a segment looks at.
fn sales(members: &Predicate, wallet: &Wallet, at: Instant, zone: Tz) -> Vec<(Month, Amount)> {
    let Some((first, last)) = members.sales_months(at.day(zone)) else { return Vec::new() };
    let of = |month: Month| (month, wallet.active_in(month, month).amount);
    (first.0..=last.0).map(|month| of(Month(month))).collect()
}
