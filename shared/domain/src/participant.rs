//! Master data and consents of a participant, with their provenance.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use crate::alias::AliasMark;
use crate::anniversary::Anniversary;
use crate::time::{Day, Instant};

mod change;

/// A way to reach a participant: `email`, `sms`, … (an identifier of the caller's).
pub type Channel = Box<str>;

/// The channel of the consent to automatic spending.
pub const AUTOMATIC_SPEND: &str = "automatic_spend";

/// The process of the opt-outs that are left of a merged duplicate's consents.
pub const MERGE: &str = "merge";
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
    /// What stands for the account that money is paid to, at whoever pays.
    pub payout_reference: Option<Box<str>>,
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
        take(&mut self.payout_reference, newer.payout_reference);
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
