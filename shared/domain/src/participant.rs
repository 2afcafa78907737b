//! Master data and consents of a participant, with their provenance.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use crate::alias::{AliasMark, MAX_ALIASES, Marks};
use crate::anniversary::Anniversary;
use crate::refusal::Refusal;
use crate::time::{Day, Instant};

/// A way to reach a participant: `email`, `sms`, … (an identifier of the caller's).
pub type Channel = Box<str>;

/// The channel of the consent to automatic spending.
pub const AUTOMATIC_SPEND: &str = "automatic_spend";

/// The process of the opt-outs that are left of an erased participant's consents.
pub const ERASURE: &str = "erasure";

/// What is known of a participant besides the wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Participant {
    pub profile: Profile,
    /// The newest consent of each channel.
    pub consents: BTreeMap<Channel, Consent>,
    /// Sorted; at most [`MAX_ALIASES`].
    pub aliases: Vec<AliasMark>,
    /// When the profile was changed last, and how; none where it never was.
    pub changed: Option<Provenance>,
    /// Of one that was erased: nothing else is known any more.
    pub erased: Option<Erased>,
}

/// When something was changed, by whom and by which process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    pub at: Instant,
    /// Who asked: the subject of the token.
    pub by: Box<str>,
    pub process: Option<Box<str>>,
}

/// That a participant was erased, and how far that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    pub at: Instant,
    /// Ledger entries below this sequence may have events that hold what is personal; none: no
    /// event does.
    pub below: Option<u64>,
}

/// What becomes of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProfileChange {
    #[default]
    Keep,
    /// It is this one from now on.
    Replace(Profile),
    /// What this one knows is taken over; the rest stays.
    Fill(Profile),
}

/// Master data; personal, so it is never logged.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Profile {
    pub first_name: Option<Box<str>>,
    pub last_name: Option<Box<str>>,
    pub email: Option<Box<str>>,
    pub phone: Option<Box<str>>,
    pub locale: Option<Box<str>>,
    pub time_zone: Option<Box<str>>,
    pub birthday: Option<NaiveDate>,
    pub name_day: Option<Anniversary>,
    pub area: Option<Box<str>>,
    pub tags: Vec<Box<str>>,
    pub flags: BTreeMap<Box<str>, bool>,
}

/// A field of the profile that may not be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileField {
    FirstName,
    LastName,
    Email,
    Phone,
    Locale,
    Birthday,
    NameDay,
    Area,
}

impl ProfileField {
    /// All of them.
    pub const ALL: [ProfileField; 8] = [
        ProfileField::FirstName,
        ProfileField::LastName,
        ProfileField::Email,
        ProfileField::Phone,
        ProfileField::Locale,
        ProfileField::Birthday,
        ProfileField::NameDay,
        ProfileField::Area,
    ];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            ProfileField::FirstName => "first_name",
            ProfileField::LastName => "last_name",
            ProfileField::Email => "email",
            ProfileField::Phone => "phone",
            ProfileField::Locale => "locale",
            ProfileField::Birthday => "birthday",
            ProfileField::NameDay => "name_day",
            ProfileField::Area => "area",
        }
    }
}

impl Profile {
    /// Age in whole years; none before birth or where the birthday is not known. Who was born on
    /// 29 February is a year older on the 28th where a year has none.
    pub fn age(&self, today: Day) -> Option<u32> {
        let born = self.birthday?;
        let year = today.date().year();
        let had = Anniversary::of(born).in_year(year).is_some_and(|day| day <= today);
        u32::try_from(year - born.year() - i32::from(!had)).ok()
    }

    /// Takes over what another one knows; a list that is not empty as a whole, flags one by one.
    pub fn fill(&mut self, newer: Profile) {
        fn take<T>(known: &mut Option<T>, newer: Option<T>) {
            if newer.is_some() {
                *known = newer;
            }
        }
        take(&mut self.first_name, newer.first_name);
        take(&mut self.last_name, newer.last_name);
        take(&mut self.email, newer.email);
        take(&mut self.phone, newer.phone);
        take(&mut self.locale, newer.locale);
        take(&mut self.time_zone, newer.time_zone);
        take(&mut self.birthday, newer.birthday);
        take(&mut self.name_day, newer.name_day);
        take(&mut self.area, newer.area);
        if !newer.tags.is_empty() {
            self.tags = newer.tags;
        }
        self.flags.extend(newer.flags);
    }

    /// Whether a field is known.
    pub fn knows(&self, field: ProfileField) -> bool {
        match field {
            ProfileField::FirstName => self.first_name.is_some(),
            ProfileField::LastName => self.last_name.is_some(),
            ProfileField::Email => self.email.is_some(),
            ProfileField::Phone => self.phone.is_some(),
            ProfileField::Locale => self.locale.is_some(),
            ProfileField::Birthday => self.birthday.is_some(),
            ProfileField::NameDay => self.name_day.is_some(),
            ProfileField::Area => self.area.is_some(),
        }
    }
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Profile(..)")
    }
}

/// An opt-in or opt-out, when and how it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    pub granted: bool,
    pub at: Instant,
    pub source: Option<Box<str>>,
    pub process: Option<Box<str>>,
}

impl Consent {
    /// The newest wins, of two at one time the opt-out; what is left decides between two that say
    /// the same, so that the order of arrival never does.
    fn rank(&self) -> impl PartialOrd {
        (self.at, !self.granted, self.source.as_deref(), self.process.as_deref())
    }
}

impl Participant {
    /// Takes over the profile as sent, and the consents that are newer.
    pub fn update(&mut self, profile: Profile, consents: Vec<(Channel, Consent)>) {
        self.profile = profile;
        self.hear(consents);
    }

    /// Changes the profile; notes by whom, where it makes a difference.
    pub fn change(&mut self, change: ProfileChange, provenance: Option<&Provenance>) {
        let before = self.profile.clone();
        match change {
            ProfileChange::Keep => {}
            ProfileChange::Replace(profile) => self.profile = profile,
            ProfileChange::Fill(newer) => self.profile.fill(newer),
        }
        if self.profile != before {
            self.changed = provenance.cloned();
        }
    }

    /// Takes over each consent that is newer by its own timestamp than the one known. Of two
    /// with one timestamp the opt-out wins; of two that say the same, always the same one.
    pub fn hear(&mut self, consents: Vec<(Channel, Consent)>) {
        for (channel, consent) in consents {
            let known = self.consents.get(&channel);
            if known.is_none_or(|known| consent.rank() > known.rank()) {
                self.consents.insert(channel, consent);
            }
        }
    }

    /// Whether this is one of its aliases, made under whichever key.
    pub fn has_alias(&self, marks: &Marks) -> bool {
        marks.all().any(|mark| self.aliases.contains(mark))
    }

    /// Adds an alias; answers whether it is new.
    ///
    /// # Errors
    /// `TooManyAliases`.
    pub fn add_alias(&mut self, marks: &Marks) -> Result<bool, Refusal> {
        if self.has_alias(marks) {
            return Ok(false);
        }
        if self.aliases.len() >= MAX_ALIASES {
            return Err(Refusal::TooManyAliases);
        }
        self.aliases.push(marks.current.clone());
        self.aliases.sort();
        Ok(true)
    }

    /// Removes an alias; answers the marks that it had.
    pub fn remove_alias(&mut self, marks: &Marks) -> Vec<AliasMark> {
        let its = |mark: &mut AliasMark| marks.all().any(|its| its == mark);
        self.aliases.extract_if(.., its).collect()
    }

    /// Forgets all that is personal. That no channel may be used any more is left, as is how
    /// long the ledger was: the events of its entries are yet to be looked through. Answers the
    /// aliases that it had.
    pub fn erase(&mut self, at: Instant, length: u64) -> Vec<AliasMark> {
        let opt_out =
            || Consent { granted: false, at, source: None, process: Some(ERASURE.into()) };
        let known = std::mem::take(self);
        self.consents = known.consents.into_keys().map(|channel| (channel, opt_out())).collect();
        self.erased = Some(Erased { at, below: Some(length.saturating_add(1)) });
        known.aliases
    }

    /// Whether the newest consent for the channel is an opt-in.
    pub fn consents_to(&self, channel: &Channel) -> bool {
        self.consents.get(channel).is_some_and(|consent| consent.granted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_consent_wins_whatever_the_order_of_arrival() {
        let consent =
            |at, granted| Consent { granted, at: Instant(at), source: None, process: None };
        let cases = [
            ([(1, true), (2, false)], false),
            ([(1, false), (2, true)], true),
            ([(2, true), (2, false)], false),
            ([(2, false), (2, true)], false),
        ];
        for (consents, want) in cases {
            for order in [[0, 1], [1, 0]] {
                let mut participant = Participant::default();
                for at in order {
                    let (time, granted) = consents[at];
                    let sent = vec![("email".into(), consent(time, granted))];
                    participant.update(Profile::default(), sent);
                }
                assert_eq!(
                    participant.consents_to(&"email".into()),
                    want,
                    "{consents:?} {order:?}"
                );
            }
        }
    }
}
