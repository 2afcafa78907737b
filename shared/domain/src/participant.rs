//! Master data and consents of a participant, with their provenance.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use crate::anniversary::Anniversary;
use crate::time::{Day, Instant};

/// A way to reach a participant: `email`, `sms`, … (an identifier of the caller's).
pub type Channel = Box<str>;

/// The channel of the consent to automatic spending.
pub const AUTOMATIC_SPEND: &str = "automatic_spend";

/// What is known of a participant besides the wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Participant {
    pub profile: Profile,
    /// The newest consent of each channel.
    pub consents: BTreeMap<Channel, Consent>,
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

impl Participant {
    /// Takes over the profile as sent, and each consent that is newer by its own timestamp than
    /// the one known; of two with one timestamp the opt-out wins.
    pub fn update(&mut self, profile: Profile, consents: Vec<(Channel, Consent)>) {
        self.profile = profile;
        for (channel, consent) in consents {
            let wins = self
                .consents
                .get(&channel)
                .is_none_or(|known| (consent.at, known.granted) > (known.at, consent.granted));
            if wins {
                self.consents.insert(channel, consent);
            }
        }
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
