//! What segments ask of activity: how much was done in some months, by itself or beside the months
//! before.

use super::Bounds;
use crate::activity::Activity;
use crate::amount::Amount;
use crate::time::{Day, Month};
use crate::wallet::Wallet;

/// What activity is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Number of purchases.
    Bought,
    /// What they came to, in currency.
    Sales,
    /// Number of spends.
    Spent,
    /// Number of events to which offers gave something.
    Awarded,
}

/// Whole calendar months of the programme's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Months {
    /// At least 1.
    pub count: u32,
    /// By how many the last of them is before the month that it is now.
    pub ago: u32,
}

/// How much was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    Within(Bounds),
    /// Less than so many per cent of the average of so many months right before, at least 1.
    Below {
        percent: u32,
        average_of: u32,
    },
    /// More than that.
    Above {
        percent: u32,
        average_of: u32,
    },
}

impl Deed {
    fn of(self, done: &Activity) -> Amount {
        match self {
            Deed::Bought => Amount(done.purchases.into()),
            Deed::Sales => done.amount,
            Deed::Spent => Amount(done.spends.into()),
            Deed::Awarded => Amount(done.awards.into()),
        }
    }
}

impl Months {
    /// The first and the last of them.
    pub fn around(self, today: Day) -> (Month, Month) {
        let back = |months: u32| i32::try_from(months).unwrap_or(i32::MAX);
        let last = today.month().0.saturating_sub(back(self.ago));
        (Month(last.saturating_sub(back(self.count)).saturating_add(1)), Month(last))
    }

    /// So many right before them.
    fn before(self, count: u32) -> Months {
        Months { count, ago: self.ago.saturating_add(self.count) }
    }
}

impl Measure {
    /// The first and the last month that it looks at, those compared with included.
    pub(super) fn span(self, months: Months, today: Day) -> (Month, Month) {
        let (first, last) = months.around(today);
        match self {
            Measure::Within(_) => (first, last),
            Measure::Below { average_of, .. } | Measure::Above { average_of, .. } => {
                (months.before(average_of).around(today).0, last)
            }
        }
    }

    /// Months are compared with as many average ones before them, without rounding.
    pub(super) fn holds(self, deed: Deed, months: Months, wallet: &Wallet, today: Day) -> bool {
        let done = |months: Months| {
            let (first, last) = months.around(today);
            deed.of(&wallet.active_in(first, last))
        };
        let sides = |percent: u32, average_of: u32| {
            let before = i128::from(done(months.before(average_of)).0);
            let now = i128::from(done(months).0) * 100 * i128::from(average_of);
            (now, before * i128::from(percent) * i128::from(months.count))
        };
        match self {
            Measure::Within(bounds) => bounds.holds(done(months)),
            Measure::Below { percent, average_of } => {
                let (now, level) = sides(percent, average_of);
                now < level
            }
            Measure::Above { percent, average_of } => {
                let (now, level) = sides(percent, average_of);
                now > level
            }
        }
    }
}
