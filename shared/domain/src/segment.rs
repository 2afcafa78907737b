//! Segments: predicates over profile, consent, wallet and activity. Further predicates join
//! here.

mod measure;

pub use measure::{Deed, Measure, Months};

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono_tz::Tz;

use crate::activity::Watch;
use crate::amount::Amount;
use crate::export::ExportPlan;
use crate::id::{BalanceCode, ListId, ParticipantId, SegmentId};
use crate::participant::{Channel, Participant, ProfileField};
use crate::time::{Day, Duration, Instant, Month};
use crate::wallet::Wallet;
use crate::window::Occasion;

/// A named set of participants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub id: SegmentId,
    pub members: Predicate,
    pub export: ExportPlan,
}

/// What members have in common. What is not known of a participant is not so: a predicate
/// over it does not hold, and its negation does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Predicate {
    /// Every one; of none, everybody.
    All(Vec<Predicate>),
    /// At least one; of none, nobody.
    Any(Vec<Predicate>),
    Not(Box<Predicate>),
    /// Opted in to the channel.
    Consent(Channel),
    /// What can be spent of a balance.
    Available(BalanceCode, Bounds),
    /// What is awarded of a balance, and not available yet.
    Pending(BalanceCode, Bounds),
    /// What a balance loses by the end of the day on which the duration has passed, if none of it
    /// is spent.
    Expiring {
        balance: BalanceCode,
        within: Duration,
        bounds: Bounds,
    },
    Tag(Box<str>),
    /// The flag has this value; one that was never set is false.
    Flag(Box<str>, bool),
    /// Lives in one of these areas.
    Area(Vec<Box<str>>),
    /// Age in whole years, both ends inclusive.
    Age {
        from: Option<u32>,
        to: Option<u32>,
    },
    /// The next birthday or name day is today or within this many days (0–180).
    Within(Occasion, u32),
    /// Speaks one of these languages: `de` includes `de-AT`.
    Locale(Vec<Box<str>>),
    /// The profile has the field.
    Known(ProfileField),
    /// An event was performed within this duration until today.
    LastEventWithin(Duration),
    /// Whether spending is blocked.
    Blocked(bool),
    /// Events were performed, the newest of them longer ago than this.
    LastEventBefore(Duration),
    /// What was done in these months.
    Activity(Deed, Months, Measure),
    /// How often something that is watched was so in these months.
    Watched(Watch, Months, Bounds),
    /// Purchases of so many days (1–31), today included.
    BoughtWithin(u32, Bounds),
    /// Stands on a list.
    Listed(Arc<List>),
}

/// Participants that are named one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    pub id: ListId,
    pub participants: BTreeSet<ParticipantId>,
}

/// Amounts of a balance or of currency, or plain numbers; both ends inclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    pub at_least: Option<Amount>,
    pub at_most: Option<Amount>,
}

impl Bounds {
    fn holds(self, amount: Amount) -> bool {
        self.at_least.is_none_or(|least| amount >= least)
            && self.at_most.is_none_or(|most| amount <= most)
    }
}

impl Predicate {
    /// Whether a participant is a member at this time.
    pub fn holds(
        &self,
        id: &ParticipantId,
        participant: &Participant,
        wallet: &Wallet,
        now: Instant,
        zone: Tz,
    ) -> bool {
        let profile = &participant.profile;
        let today = now.day(zone);
        let member = |one: &Predicate| one.holds(id, participant, wallet, now, zone);
        match self {
            Predicate::All(all) => all.iter().all(member),
            Predicate::Any(any) => any.iter().any(member),
            Predicate::Not(not) => !member(not),
            Predicate::Consent(channel) => participant.consents_to(channel),
            Predicate::Available(balance, bounds) => {
                bounds.holds(wallet.available(balance, now, zone))
            }
            Predicate::Pending(balance, bounds) => bounds.holds(wallet.pending(balance, now, zone)),
            Predicate::Expiring { balance, within, bounds } => {
                let last = today.plus(*within);
                bounds.holds(wallet.total(balance, |lot| {
                    lot.is_live(now, zone) && lot.expires.is_some_and(|day| day <= last)
                }))
            }
            Predicate::Tag(tag) => profile.tags.contains(tag),
            Predicate::Flag(flag, is) => profile.flags.get(flag).copied().unwrap_or(false) == *is,
            Predicate::Area(areas) => {
                profile.area.as_ref().is_some_and(|area| areas.contains(area))
            }
            Predicate::Age { from, to } => profile.age(today).is_some_and(|age| {
                from.is_none_or(|from| age >= from) && to.is_none_or(|to| age <= to)
            }),
            Predicate::Within(occasion, days) => {
                let known = occasion.of(profile.birthday, profile.name_day);
                known.is_some_and(|known| known.is_near(today, *days, 0))
            }
            Predicate::Locale(tags) => {
                let spoken = profile.locale.as_deref();
                spoken.is_some_and(|spoken| tags.iter().any(|tag| includes(tag, spoken)))
            }
            Predicate::Known(field) => profile.knows(*field),
            Predicate::LastEventWithin(within) => {
                wallet.last_event.is_some_and(|last| last.day(zone).plus(*within) >= today)
            }
            Predicate::Blocked(blocked) => wallet.blocked == *blocked,
            Predicate::LastEventBefore(within) => {
                wallet.last_event.is_some_and(|last| last.day(zone).plus(*within) < today)
            }
            Predicate::Activity(deed, months, measure) => {
                measure.holds(*deed, *months, wallet, today)
            }
            Predicate::Watched(watch, months, bounds) => {
                let (first, last) = months.around(today);
                bounds.holds(Amount(wallet.watched_in(watch, first, last)))
            }
            Predicate::BoughtWithin(days, bounds) => {
                let first = today.minus_days(days.saturating_sub(1));
                bounds.holds(Amount(wallet.bought_since(first)))
            }
            Predicate::Listed(list) => list.participants.contains(id),
        }
    }

    /// Whether it depends on master data or consents; one that does not needs the wallet alone.
    pub fn asks_profile(&self) -> bool {
        match self {
            Predicate::All(list) | Predicate::Any(list) => list.iter().any(Self::asks_profile),
            Predicate::Not(not) => not.asks_profile(),
            Predicate::Consent(_)
            | Predicate::Tag(_)
            | Predicate::Flag(..)
            | Predicate::Area(_)
            | Predicate::Age { .. }
            | Predicate::Within(..)
            | Predicate::Locale(_)
            | Predicate::Known(_) => true,
            Predicate::Available(..)
            | Predicate::Pending(..)
            | Predicate::Expiring { .. }
            | Predicate::LastEventWithin(_)
            | Predicate::LastEventBefore(_)
            | Predicate::Activity(..)
            | Predicate::Watched(..)
            | Predicate::BoughtWithin(..)
            | Predicate::Listed(_)
            | Predicate::Blocked(_) => false,
        }
    }

    /// The first and the last month whose sales it looks at: by the first of its predicates that
    /// looks at any.
    pub fn sales_months(&self, today: Day) -> Option<(Month, Month)> {
        if let Predicate::Activity(Deed::Sales, months, measure) = self {
            return Some(measure.span(*months, today));
        }
        if let Predicate::All(list) | Predicate::Any(list) = self {
            return list.iter().find_map(|one| one.sales_months(today));
        }
        if let Predicate::Not(not) = self { not.sales_months(today) } else { None }
    }

    /// What wallets must keep for it.
    pub fn watches(&self) -> Vec<&Watch> {
        match self {
            Predicate::All(list) | Predicate::Any(list) => {
                list.iter().flat_map(Self::watches).collect()
            }
            Predicate::Not(not) => not.watches(),
            Predicate::Watched(watch, ..) => vec![watch],
            Predicate::Consent(_)
            | Predicate::Tag(_)
            | Predicate::Flag(..)
            | Predicate::Area(_)
            | Predicate::Age { .. }
            | Predicate::Within(..)
            | Predicate::Locale(_)
            | Predicate::Known(_)
            | Predicate::Available(..)
            | Predicate::Pending(..)
            | Predicate::Expiring { .. }
            | Predicate::LastEventWithin(_)
            | Predicate::LastEventBefore(_)
            | Predicate::Activity(..)
            | Predicate::BoughtWithin(..)
            | Predicate::Listed(_)
            | Predicate::Blocked(_) => Vec::new(),
        }
    }

    /// Whether wallets must keep purchases by day for it.
    pub fn asks_days(&self) -> bool {
        if let Predicate::All(list) | Predicate::Any(list) = self {
            return list.iter().any(Self::asks_days);
        }
        if let Predicate::Not(not) = self {
            return not.asks_days();
        }
        matches!(self, Predicate::BoughtWithin(..))
    }
}

/// Whether a language tag is another one or more general: by whole subtags, in any case, whether
/// they are joined with `-` or `_` (RFC 4647, basic filtering).
fn includes(general: &str, tag: &str) -> bool {
    let mut subtags = tag.split(['-', '_']);
    general
        .split(['-', '_'])
        .all(|part| subtags.next().is_some_and(|subtag| subtag.eq_ignore_ascii_case(part)))
}
