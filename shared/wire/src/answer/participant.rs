//! Participants as they are shown.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use domain::id::ParticipantId;
use domain::participant::{Participant, Profile};
use domain::time::show_instant;
use serde::Serialize;

/// `GET /participants/{id}`.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ParticipantAnswer {
    pub id: String,
    pub profile: ProfileView,
    /// The newest of each channel, by channel.
    pub consents: Vec<ConsentView>,
    /// How many of each kind there are: what they are is not known here.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: BTreeMap<&'static str, usize>,
    /// When the profile was changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<ChangedView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<String>,
}

/// A change with its provenance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedView {
    pub at: String,
    pub by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
}

/// Master data; what is not known is left out.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ProfileView {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthday: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_day: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub flags: BTreeMap<String, bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payout_reference: Option<String>,
}

/// A consent with its provenance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConsentView {
    pub channel: String,
    pub granted: bool,
    pub at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
}

/// Shows a participant; times in `zone`.
pub fn participant(id: &ParticipantId, known: &Participant, zone: Tz) -> ParticipantAnswer {
    let consents = known.consents.iter().map(|(channel, consent)| ConsentView {
        channel: channel.to_string(),
        granted: consent.granted,
        at: show_instant(consent.at, zone),
        source: owned(consent.source.as_deref()),
        process: owned(consent.process.as_deref()),
    });
    let mut aliases = BTreeMap::new();
    for mark in &known.aliases {
        *aliases.entry(mark.kind.name()).or_default() += 1;
    }
    let changed = known.changed.as_ref().map(|changed| ChangedView {
        at: show_instant(changed.at, zone),
        by: changed.by.to_string(),
        process: owned(changed.process.as_deref()),
    });
    ParticipantAnswer {
        id: id.to_string(),
        profile: profile(&known.profile),
        consents: consents.collect(),
        aliases,
        changed,
        erased_at: known.erased.as_ref().map(|erased| show_instant(erased.at, zone)),
    }
}

fn profile(known: &Profile) -> ProfileView {
    ProfileView {
        first_name: owned(known.first_name.as_deref()),
        last_name: owned(known.last_name.as_deref()),
        email: owned(known.email.as_deref()),
        phone: owned(known.phone.as_deref()),
        locale: owned(known.locale.as_deref()),
        time_zone: owned(known.time_zone.as_deref()),
        birthday: known.birthday.map(|birthday| birthday.to_string()),
        name_day: known.name_day.map(|name_day| name_day.to_string()),
        area: owned(known.area.as_deref()),
        tags: known.tags.iter().map(ToString::to_string).collect(),
        flags: known.flags.iter().map(|(flag, set)| (flag.to_string(), *set)).collect(),
        payout_reference: owned(known.payout_reference.as_deref()),
    }
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(Into::into)
}
