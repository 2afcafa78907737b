//! Accumulating offers: what was counted, and the awards that consumed it.
//!
//! An award consumes what it was computed from: a fixed amount is given for each time that the
//! threshold is reached in full, and what is left over stays counted; a percentage is of all that
//! was counted. Whatever is cancelled, the sums are then what they would be had it never been
//! counted: where too little is left, the last awards are taken back, and what they consumed
//! counts again.

use crate::amount::Amount;
use crate::id::{Classification, OfferId};
use crate::ledger::{LotId, Slot};
use crate::offer::{Accumulation, AwardForm, Counts, Offer, Subject, Within};
use crate::time::{Day, Duration};

/// Records of an offer's awards that are kept to be taken back.
const MAX_RECORDS: usize = 8;
/// How much later than its window an event may come and still find what was counted.
const LATEST: u32 = 366;

/// What is counted together: within a slot, and of each classification by itself where one of each
/// is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    pub slot: Slot,
    pub classification: Option<Classification>,
}

/// What an offer has counted in a part and not consumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    pub offer: OfferId,
    pub part: Part,
    /// Cents, events or pieces; never nothing.
    pub sum: i64,
}

/// Awards that consumed what was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TallyAward {
    pub offer: OfferId,
    pub lot: LotId,
    /// What each of them awarded.
    pub each: Amount,
    /// How many they are; never none.
    pub times: u32,
    /// What each of them consumed, of every part or of all together.
    pub per: i64,
    /// What all of them consumed, oldest first.
    pub consumed: Vec<(Part, i64)>,
    /// The place of the first of them in the limit.
    pub slot: Option<Slot>,
    /// Whether they rest on a place among the first participants.
    pub place: bool,
    /// What each of them took of the budget.
    pub budget: Amount,
}

/// What an event adds, and what can be awarded then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// How often the threshold is reached in full.
    pub times: u32,
    /// Of all that was counted, where the award is a share of it.
    pub sum: i64,
    pub per: i64,
    /// What is consumed, oldest first.
    pub consumed: Vec<(Part, i64)>,
}

/// Adds to what an offer has counted.
pub fn count(tallies: &mut Vec<Tally>, offer: &OfferId, part: &Part, by: i64) {
    match tallies.iter_mut().find(|tally| tally.offer == *offer && tally.part == *part) {
        Some(tally) => tally.sum = tally.sum.saturating_add(by),
        None => tallies.push(Tally { offer: offer.clone(), part: part.clone(), sum: by }),
    }
    tallies.retain(|tally| tally.sum > 0);
}

/// Keeps the newest records of each offer.
pub fn push(awards: &mut Vec<TallyAward>, award: &TallyAward) {
    let own = |known: &&TallyAward| known.offer == award.offer;
    if awards.iter().filter(own).count() >= MAX_RECORDS
        && let Some(oldest) = awards.iter().position(|known| known.offer == award.offer)
    {
        awards.remove(oldest);
    }
    awards.push(award.clone());
}

/// Takes back one of the awards that a record stands for.
pub fn pop(awards: &mut Vec<TallyAward>, at: u32) {
    let Some(at) = usize::try_from(at).ok().filter(|at| *at < awards.len()) else { return };
    let record = &mut awards[at];
    for (part, by) in record.last() {
        if let Some(known) = record.consumed.iter_mut().rfind(|(known, _)| *known == part) {
            known.1 = known.1.saturating_sub(by);
        }
    }
    record.consumed.retain(|(_, left)| *left > 0);
    record.times = record.times.saturating_sub(1);
    if record.times == 0 {
        awards.remove(at);
    }
}

impl TallyAward {
    /// What the last of these awards consumed.
    pub fn last(&self) -> Vec<(Part, i64)> {
        if self.times <= 1 {
            return self.consumed.clone();
        }
        let (mut open, mut last) = (self.per, Vec::new());
        for (part, consumed) in self.consumed.iter().rev() {
            let by = open.min(*consumed);
            if by > 0 {
                last.push((part.clone(), by));
                open -= by;
            }
        }
        last
    }
}

impl Within {
    fn slot(self, performed: Day) -> Slot {
        match self {
            Within::Validity => Slot::Ever,
            Within::Calendar(calendar) => Slot::Period(performed.period(calendar)),
            Within::Rolling(_) => Slot::On(performed),
        }
    }

    /// Whether what was counted in a slot counts with an event performed on this day.
    fn counts(self, slot: Slot, performed: Day) -> bool {
        match (self, slot) {
            (Within::Rolling(window), Slot::On(day)) => {
                day <= performed && performed < day.plus(window)
            }
            (Within::Rolling(_), _) => false,
            (Within::Validity | Within::Calendar(_), slot) => slot == self.slot(performed),
        }
    }

    /// Whether an event performed on this day shows that a slot will not count any more.
    fn is_over(self, slot: Slot, performed: Day) -> bool {
        let late = |last: Day| last.plus(Duration::days(LATEST)) < performed;
        match (self, slot) {
            (Within::Rolling(window), Slot::On(day)) => late(day.plus(window)),
            (Within::Calendar(calendar), Slot::Period(number)) => {
                let then = Day(performed.0.saturating_sub(i32::try_from(LATEST).unwrap_or(0)));
                number < then.period(calendar)
            }
            // Counted under another window, by an earlier version of the offer.
            (Within::Rolling(_) | Within::Calendar(_), _) => true,
            (Within::Validity, slot) => slot != Slot::Ever,
        }
    }
}

impl Accumulation {
    /// What an event counts for; none where it adds nothing.
    pub fn contribution(
        &self,
        offer: &Offer,
        subject: &Subject<'_>,
        performed: Day,
    ) -> Option<(Part, i64)> {
        let matching = || subject.lines.iter().filter(|line| offer.when.wants(line));
        let by = match self.counts {
            // A statement has no lines, but an amount of its own.
            Counts::Amount if subject.lines.is_empty() => offer.amount(subject)?.0,
            Counts::Amount => matching().map(|line| line.total.0).sum(),
            Counts::Pieces => matching().map(|line| i64::from(line.line.quantity)).sum(),
            Counts::Events | Counts::EachClassification => 1,
        };
        let classification = match self.counts {
            Counts::EachClassification => Some(subject.event.classification.clone()?),
            Counts::Amount | Counts::Events | Counts::Pieces => None,
        };
        let part = Part { slot: self.within.slot(performed), classification };
        (by > 0).then_some((part, by))
    }

    /// What of an offer's tallies will not count any more.
    pub fn outdated(&self, own: &[Tally], performed: Day) -> Vec<(Part, i64)> {
        let over = own.iter().filter(|tally| self.within.is_over(tally.part.slot, performed));
        over.map(|tally| (tally.part.clone(), tally.sum)).collect()
    }

    /// What can be awarded for all that was counted, the event included; none below the threshold.
    pub fn reached(&self, own: &[Tally], offer: &Offer, performed: Day) -> Option<Reached> {
        let counts = |tally: &&Tally| self.within.counts(tally.part.slot, performed);
        let mut counted: Vec<(Part, i64)> =
            own.iter().filter(counts).map(|tally| (tally.part.clone(), tally.sum)).collect();
        counted.sort();
        if self.counts == Counts::EachClassification {
            return one_of_each(offer, &counted);
        }
        let sum: i64 = counted.iter().map(|(_, sum)| *sum).sum();
        let times = u32::try_from(sum / self.at_least.max(1)).unwrap_or(u32::MAX);
        if times == 0 {
            return None;
        }
        match offer.award.form {
            AwardForm::Fixed(_) => {
                let per = self.at_least;
                let consumed = oldest(&counted, per.saturating_mul(i64::from(times)));
                Some(Reached { times, sum, per, consumed })
            }
            AwardForm::Percentage(_)
            | AwardForm::PercentageOfAwardedLines(_)
            | AwardForm::Table(_) => Some(Reached { times: 1, sum, per: sum, consumed: counted }),
        }
    }
}

impl Reached {
    /// The first of the awards alone.
    pub fn once(self) -> Reached {
        let consumed =
            if self.times > 1 { oldest(&self.consumed, self.per) } else { self.consumed };
        Reached { times: 1, consumed, ..self }
    }
}

fn one_of_each(offer: &Offer, counted: &[(Part, i64)]) -> Option<Reached> {
    let mut consumed = Vec::new();
    for wanted in offer.when.classifications.values() {
        let of = |(part, _): &&(Part, i64)| part.classification.as_ref() == Some(wanted);
        let (part, _) = counted.iter().find(of)?;
        consumed.push((part.clone(), 1));
    }
    (!consumed.is_empty()).then_some(Reached { times: 1, sum: 1, per: 1, consumed })
}

/// The oldest of what was counted, up to `most`.
fn oldest(counted: &[(Part, i64)], most: i64) -> Vec<(Part, i64)> {
    let mut open = most;
    let mut taken = Vec::new();
    for (part, sum) in counted {
        let by = open.min(*sum);
        if by > 0 {
            taken.push((part.clone(), by));
            open -= by;
        }
    }
    taken
}
