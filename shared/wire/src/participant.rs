//! Participants: the profile with consents and aliases, and the spending block.
//!
//! All of it is personal: no message repeats what was sent.

use std::collections::{BTreeMap, HashSet};

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;
use domain::alias::{Alias, MAX_ALIASES};
use domain::anniversary::Anniversary;
use domain::conversion::is_payout_reference;
use domain::participant::{Channel, Consent, Profile};
use domain::time::Instant;

use crate::alias::read_alias;
use crate::fault::{BodyFault, code};
use crate::pass::parse_channel;
use crate::read::{Node, Object, json, read};

const MAX_TAGS: usize = 50;
/// Most characters of a tag, and of the name of a flag.
pub(crate) const MAX_TAG: usize = 64;
/// Most characters of an area.
pub(crate) const MAX_AREA: usize = 100;
const MAX_CONSENTS: usize = 20;
const EARLIEST_BIRTH: i32 = 1_900;
/// How far the clocks of the east are ahead of UTC.
const EASTERNMOST_MINUTES: i64 = 14 * 60;

/// What a `PUT` of a participant brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParticipantUpdate {
    /// Replaces the whole profile; none leaves it as it is.
    pub profile: Option<Profile>,
    /// At most one of a channel.
    pub consents: Vec<(Channel, Consent)>,
    /// That it has from now on.
    pub aliases: Vec<Alias>,
    /// That it has no more; none of them is among the others.
    pub remove_aliases: Vec<Alias>,
}

/// Blocks spending, or releases it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockRequest {
    pub blocked: bool,
    pub reason: Box<str>,
}

/// Parses `{profile, consents, aliases, remove_aliases}`. A consent may bear any time:
/// which is newer is decided between consents, not against a clock.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`] with everything that is wrong.
pub fn parse_participant(bytes: &[u8], now: Instant) -> Result<ParticipantUpdate, BodyFault> {
    read(&json(bytes)?, |node| read_update(node, now))
}

/// Reads what a participant is updated with.
pub(crate) fn read_update(node: &Node<'_>, now: Instant) -> Option<ParticipantUpdate> {
    let body = node.object(&["profile", "consents", "aliases", "remove_aliases"])?;
    let mut named = Vec::new();
    let mut aliases = |name| {
        body.list(name, MAX_ALIASES, |node| {
            let alias = read_alias(node)?;
            if named.contains(&alias) {
                node.fault(code::DUPLICATE, "occurs before");
            }
            named.push(alias.clone());
            Some(alias)
        })
    };
    let (aliases, remove_aliases) = (aliases("aliases"), aliases("remove_aliases"));
    Some(ParticipantUpdate { aliases, remove_aliases, ..participant_update(&body, now) })
}

/// Reads profile and consents.
pub(crate) fn participant_update(body: &Object<'_>, now: Instant) -> ParticipantUpdate {
    let profile = body.optional("profile").and_then(|profile| read_profile(&profile, now));
    let mut channels = HashSet::new();
    let consents = body.list("consents", MAX_CONSENTS, |node| {
        let (channel, consent) = read_consent(node)?;
        if !channels.insert(channel.clone()) {
            node.fault(code::DUPLICATE, "is a second consent for its channel");
        }
        Some((channel, consent))
    });
    ParticipantUpdate { profile, consents, aliases: Vec::new(), remove_aliases: Vec::new() }
}

/// Parses `{blocked, reason}`.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`] with everything that is wrong.
pub fn parse_block(bytes: &[u8]) -> Result<BlockRequest, BodyFault> {
    read(&json(bytes)?, |node| {
        let body = node.object(&["blocked", "reason"])?;
        let blocked = body.required("blocked").and_then(|blocked| blocked.flag());
        let reason = body.required("reason").and_then(|reason| reason.label(500));
        Some(BlockRequest { blocked: blocked?, reason: reason? })
    })
}

fn read_profile(node: &Node<'_>, now: Instant) -> Option<Profile> {
    let fields = node.object(&[
        "first_name",
        "last_name",
        "email",
        "phone",
        "locale",
        "time_zone",
        "birthday",
        "name_day",
        "area",
        "tags",
        "flags",
        "payout_reference",
    ])?;
    let label = |name, most| fields.optional(name).and_then(|field| field.label(most));
    let parsed = |name, parse: fn(&str) -> Result<Box<str>, &'static str>| {
        fields.optional(name).and_then(|field| field.parsed(parse))
    };
    Some(Profile {
        first_name: label("first_name", 100),
        last_name: label("last_name", 100),
        email: parsed("email", parse_email),
        phone: parsed("phone", parse_phone),
        locale: parsed("locale", parse_locale),
        time_zone: parsed("time_zone", parse_zone),
        birthday: fields.optional("birthday").and_then(|birthday| read_birthday(&birthday, now)),
        name_day: fields.optional("name_day").and_then(|day| day.parsed(parse_name_day)),
        area: label("area", MAX_AREA),
        tags: read_tags(&fields),
        flags: fields.optional("flags").map(|flags| read_flags(&flags)).unwrap_or_default(),
        payout_reference: parsed("payout_reference", parse_payout_reference),
    })
}

/// A day that has begun somewhere, of somebody who may be alive.
fn read_birthday(node: &Node<'_>, now: Instant) -> Option<NaiveDate> {
    let date = node.date()?;
    let latest = now.plus_minutes(EASTERNMOST_MINUTES).day(Tz::UTC).date();
    if date > latest {
        node.fault(code::IN_FUTURE, "must not be in the future");
    } else if date.year() < EARLIEST_BIRTH {
        node.fault(code::RANGE, format!("must not be before {EARLIEST_BIRTH}"));
    }
    Some(date)
}

fn read_tags(fields: &Object<'_>) -> Vec<Box<str>> {
    let mut seen = HashSet::new();
    fields.list("tags", MAX_TAGS, |node| {
        let tag = node.label(MAX_TAG)?;
        if !seen.insert(tag.clone()) {
            node.fault(code::DUPLICATE, "occurs before");
        }
        Some(tag)
    })
}

/// Flags have names of the caller's own, so none is unknown.
fn read_flags(node: &Node<'_>) -> BTreeMap<Box<str>, bool> {
    let fields = node.entries(MAX_TAGS);
    let named = fields.iter().filter_map(|(name, field)| {
        if !(1..=MAX_TAG).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            node.fault(code::LENGTH, "must have names of 1 to 64 characters");
            return None;
        }
        Some((Box::from(*name), field.flag()?))
    });
    named.collect()
}

fn read_consent(node: &Node<'_>) -> Option<(Channel, Consent)> {
    let fields = node.object(&["channel", "granted", "at", "source", "process"])?;
    let channel = fields.required("channel").and_then(|channel| channel.parsed(parse_channel));
    let granted = fields.required("granted").and_then(|granted| granted.flag());
    let at = fields.required("at").and_then(|at| at.instant());
    let label = |name| fields.optional(name).and_then(|field| field.label(200));
    let (source, process) = (label("source"), label("process"));
    Some((channel?, Consent { granted: granted?, at: at?, source, process }))
}

/// A plausible form only: whether an address exists is found out by writing to it.
fn parse_email(text: &str) -> Result<Box<str>, &'static str> {
    let plausible = || {
        let (local, domain) = text.rsplit_once('@')?;
        let labels = domain.split('.').all(|label| !label.is_empty());
        let clean = !text.chars().any(|c| c.is_control() || c.is_whitespace() || c == ',');
        let fits = (1..=64).contains(&local.len()) && text.len() <= 254;
        (fits && clean && labels && domain.contains('.')).then(|| text.into())
    };
    plausible().ok_or("must be an email address of at most 254 characters")
}

fn parse_phone(text: &str) -> Result<Box<str>, &'static str> {
    let fits = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '/' | '(' | ')' | '.');
    let digits = text.chars().filter(char::is_ascii_digit).count();
    if text.chars().all(fits) && (3..=20).contains(&digits) && text.len() <= 40 {
        Ok(text.into())
    } else {
        Err("must be a phone number of 3 to 20 digits")
    }
}

pub(crate) fn parse_locale(text: &str) -> Result<Box<str>, &'static str> {
    let part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    if text.len() <= 35 && text.split(['-', '_']).all(part) {
        Ok(text.into())
    } else {
        Err("must be a language tag: de, de-AT")
    }
}

fn parse_zone(text: &str) -> Result<Box<str>, &'static str> {
    text.parse::<Tz>().map(|_| text.into()).map_err(|_| "must be a time zone: Europe/Berlin")
}

fn parse_payout_reference(text: &str) -> Result<Box<str>, &'static str> {
    let message = "must be a token of 1 to 64 of the characters A-Z a-z 0-9 _ . : -, and no number \
                   of a card or an account";
    if is_payout_reference(text) { Ok(text.into()) } else { Err(message) }
}

fn parse_name_day(text: &str) -> Result<Anniversary, &'static str> {
    Anniversary::parse(text).ok_or("must be a month and a day: 12-06")
}
