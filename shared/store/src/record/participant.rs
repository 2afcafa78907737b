//! Records of master data and consents.

use std::collections::BTreeMap;

use domain::alias::{AliasKind, AliasMark};
use domain::anniversary::Anniversary;
use domain::participant::{Consent, Erased, Participant, Profile, Provenance};
use domain::time::{Day, Instant};
use serde::{Deserialize, Serialize};

use super::{deflate, from_bytes, inflate, to_bytes};
use crate::error::Result;

type Text = Option<Box<str>>;

#[derive(Serialize, Deserialize)]
struct ParticipantRecord {
    first_name: Text,
    last_name: Text,
    email: Text,
    phone: Text,
    locale: Text,
    time_zone: Text,
    birthday: Option<i32>,
    /// Month, day.
    name_day: Option<(u32, u32)>,
    area: Text,
    tags: Vec<Box<str>>,
    flags: BTreeMap<Box<str>, bool>,
    /// Channel, granted, time, source, process.
    consents: Vec<(Box<str>, bool, i64, Text, Text)>,
    aliases: Vec<(KindRecord, [u8; 32])>,
    /// Time, by whom, process.
    changed: Option<(i64, Box<str>, Text)>,
    /// Time, and below which entry events are to be looked through.
    erased: Option<(i64, Option<u64>)>,
    payout_reference: Text,
}

#[derive(Serialize, Deserialize)]
enum KindRecord {
    ExternalId,
    Card,
    Email,
}

/// Encodes a participant's master data.
pub fn encode_participant(participant: &Participant) -> Result<Vec<u8>> {
    let Participant { profile, consents, aliases, changed, erased } = participant.clone();
    let consents = consents.into_iter().map(|(channel, consent)| {
        (channel, consent.granted, consent.at.0, consent.source, consent.process)
    });
    deflate(&to_bytes(&ParticipantRecord {
        first_name: profile.first_name,
        last_name: profile.last_name,
        email: profile.email,
        phone: profile.phone,
        locale: profile.locale,
        time_zone: profile.time_zone,
        birthday: profile.birthday.map(|date| Day::of(date).0),
        name_day: profile.name_day.map(Anniversary::parts),
        area: profile.area,
        tags: profile.tags,
        flags: profile.flags,
        consents: consents.collect(),
        aliases: aliases.into_iter().map(|mark| (kind_record(mark.kind), mark.hash)).collect(),
        changed: changed.map(|changed| (changed.at.0, changed.by, changed.process)),
        erased: erased.map(|erased| (erased.at.0, erased.below)),
        payout_reference: profile.payout_reference,
    })?)
}

/// Decodes a participant's master data.
pub fn decode_participant(bytes: &[u8]) -> Result<Participant> {
    let record: ParticipantRecord = from_bytes(&inflate(bytes)?)?;
    let consents = record.consents.into_iter().map(|(channel, granted, at, source, process)| {
        (channel, Consent { granted, at: Instant(at), source, process })
    });
    Ok(Participant {
        profile: Profile {
            first_name: record.first_name,
            last_name: record.last_name,
            email: record.email,
            phone: record.phone,
            locale: record.locale,
            time_zone: record.time_zone,
            birthday: record.birthday.map(|day| Day(day).date()),
            name_day: record.name_day.and_then(|(month, day)| Anniversary::new(month, day)),
            area: record.area,
            tags: record.tags,
            flags: record.flags,
            payout_reference: record.payout_reference,
        },
        consents: consents.collect(),
        aliases: record.aliases.into_iter().map(read_mark).collect(),
        changed: record.changed.map(|(at, by, process)| Provenance {
            at: Instant(at),
            by,
            process,
        }),
        erased: record.erased.map(|(at, below)| Erased { at: Instant(at), below }),
    })
}

fn kind_record(kind: AliasKind) -> KindRecord {
    match kind {
        AliasKind::ExternalId => KindRecord::ExternalId,
        AliasKind::Card => KindRecord::Card,
        AliasKind::Email => KindRecord::Email,
    }
}

fn read_mark((kind, hash): (KindRecord, [u8; 32])) -> AliasMark {
    let kind = match kind {
        KindRecord::ExternalId => AliasKind::ExternalId,
        KindRecord::Card => AliasKind::Card,
        KindRecord::Email => AliasKind::Email,
    };
    AliasMark { kind, hash }
}
