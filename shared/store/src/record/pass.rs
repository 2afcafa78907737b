//! Records of passes that were touched, and of plans that have passes.

use domain::amount::Amount;
use domain::id::{Key, ParticipantId};
use domain::ledger::PayloadHash;
use domain::pass::{
    Change, ChangeKind, Generation, Issued, Loaded, Mark, Origin, Pass, PassId, PlanStart, Printed,
    Redemption,
};
use domain::time::{Day, Instant};
use serde::{Deserialize, Serialize};

use super::{from_bytes, to_bytes};
use crate::error::{Error, Result};

#[derive(Serialize, Deserialize)]
struct PassRecord {
    generation: u8,
    origin: OriginRecord,
    value: Option<i64>,
    loaded: Option<RequestRecord>,
    until: Option<i32>,
    mark: Option<MarkRecord>,
    tries: u8,
    chosen_pin: Option<[u8; 16]>,
    redemptions: Vec<RedemptionRecord>,
    changes: Vec<ChangeRecord>,
}

#[derive(Serialize, Deserialize)]
enum OriginRecord {
    Issued { request: RequestRecord, recipient: Option<String>, channel: Option<String> },
    Printed(i64),
}

/// Under which key, with which payload, and when.
#[derive(Serialize, Deserialize)]
struct RequestRecord(String, [u8; 8], i64);

#[derive(Serialize, Deserialize)]
enum MarkRecord {
    Void,
    Locked,
}

#[derive(Serialize, Deserialize)]
struct RedemptionRecord {
    key: String,
    payload: [u8; 8],
    participant: String,
    sequence: u64,
    amount: i64,
    expires: Option<i32>,
    cancelled: bool,
}

#[derive(Serialize, Deserialize)]
struct ChangeRecord {
    at: i64,
    who: String,
    kind: KindRecord,
}

#[derive(Serialize, Deserialize)]
enum KindRecord {
    Loaded,
    Usable,
    Void,
    Locked,
    Until(i32),
    Value(i64),
    Pin,
    TakenBack(u32),
}

#[derive(Serialize, Deserialize)]
struct StartRecord {
    programme: u64,
    /// How many, by which key, and what asked for them.
    printed: Option<(u64, u8, RequestRecord)>,
}

fn request(key: &Key, payload: PayloadHash, at: Instant) -> RequestRecord {
    RequestRecord(key.as_str().to_owned(), payload.0, at.0)
}

fn read_request(record: RequestRecord) -> Result<(Key, PayloadHash, Instant)> {
    let RequestRecord(key, payload, at) = record;
    let key = Key::parse(&key).map_err(|_| Error::Corrupt("pass with a bad key"))?;
    Ok((key, PayloadHash(payload), Instant(at)))
}

/// Encodes a pass; its id is its key, its version a plain attribute.
pub fn encode_pass(pass: &Pass) -> Result<Vec<u8>> {
    let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
    to_bytes(&PassRecord {
        generation: pass.generation.0,
        origin: match &pass.origin {
            Origin::Issued(issued) => OriginRecord::Issued {
                request: request(&issued.key, issued.payload, issued.at),
                recipient: text(&issued.recipient),
                channel: text(&issued.channel),
            },
            Origin::Printed { at } => OriginRecord::Printed(at.0),
        },
        value: pass.value.map(|value| value.0),
        loaded: pass.loaded.as_ref().map(|l| request(&l.key, l.payload, l.at)),
        until: pass.until.map(|day| day.0),
        mark: pass.mark.map(|mark| match mark {
            Mark::Void => MarkRecord::Void,
            Mark::Locked => MarkRecord::Locked,
        }),
        tries: pass.tries,
        chosen_pin: pass.chosen_pin,
        redemptions: pass.redemptions.iter().map(redemption_record).collect(),
        changes: pass.changes.iter().map(change_record).collect(),
    })
}

fn redemption_record(redemption: &Redemption) -> RedemptionRecord {
    RedemptionRecord {
        key: redemption.key.as_str().to_owned(),
        payload: redemption.payload.0,
        participant: redemption.participant.as_str().to_owned(),
        sequence: redemption.sequence,
        amount: redemption.amount.0,
        expires: redemption.expires.map(|day| day.0),
        cancelled: redemption.cancelled,
    }
}

fn change_record(change: &Change) -> ChangeRecord {
    let kind = match change.kind {
        ChangeKind::Loaded => KindRecord::Loaded,
        ChangeKind::Usable => KindRecord::Usable,
        ChangeKind::Void => KindRecord::Void,
        ChangeKind::Locked => KindRecord::Locked,
        ChangeKind::Until(day) => KindRecord::Until(day.0),
        ChangeKind::Value(value) => KindRecord::Value(value.0),
        ChangeKind::Pin => KindRecord::Pin,
        ChangeKind::TakenBack(at) => KindRecord::TakenBack(at),
    };
    ChangeRecord { at: change.at.0, who: change.who.as_ref().to_owned(), kind }
}

/// Decodes the pass with this id.
pub fn decode_pass(bytes: &[u8], id: PassId) -> Result<Pass> {
    let record: PassRecord = from_bytes(bytes)?;
    let origin = match record.origin {
        OriginRecord::Issued { request, recipient, channel } => {
            let (key, payload, at) = read_request(request)?;
            let (recipient, channel) =
                (recipient.map(String::into_boxed_str), channel.map(String::into_boxed_str));
            Origin::Issued(Issued { key, payload, at, recipient, channel })
        }
        OriginRecord::Printed(at) => Origin::Printed { at: Instant(at) },
    };
    let loaded = record
        .loaded
        .map(|loaded| read_request(loaded).map(|(key, payload, at)| Loaded { key, payload, at }));
    let redemptions = record.redemptions.into_iter().map(read_redemption);
    Ok(Pass {
        id,
        generation: Generation(record.generation),
        origin,
        value: record.value.map(Amount),
        loaded: loaded.transpose()?,
        until: record.until.map(Day),
        mark: record.mark.map(|mark| match mark {
            MarkRecord::Void => Mark::Void,
            MarkRecord::Locked => Mark::Locked,
        }),
        tries: record.tries,
        chosen_pin: record.chosen_pin,
        redemptions: redemptions.collect::<Result<_>>()?,
        changes: record.changes.into_iter().map(read_change).collect(),
    })
}

fn read_redemption(record: RedemptionRecord) -> Result<Redemption> {
    let bad = |_| Error::Corrupt("redemption with a bad id");
    Ok(Redemption {
        key: Key::parse(&record.key).map_err(bad)?,
        payload: PayloadHash(record.payload),
        participant: ParticipantId::parse(&record.participant).map_err(bad)?,
        sequence: record.sequence,
        amount: Amount(record.amount),
        expires: record.expires.map(Day),
        cancelled: record.cancelled,
    })
}

fn read_change(record: ChangeRecord) -> Change {
    let kind = match record.kind {
        KindRecord::Loaded => ChangeKind::Loaded,
        KindRecord::Usable => ChangeKind::Usable,
        KindRecord::Void => ChangeKind::Void,
        KindRecord::Locked => ChangeKind::Locked,
        KindRecord::Until(day) => ChangeKind::Until(Day(day)),
        KindRecord::Value(value) => ChangeKind::Value(Amount(value)),
        KindRecord::Pin => ChangeKind::Pin,
        KindRecord::TakenBack(at) => ChangeKind::TakenBack(at),
    };
    Change { at: Instant(record.at), who: record.who.into_boxed_str(), kind }
}

/// Encodes the start of a plan.
pub fn encode_start(start: &PlanStart) -> Result<Vec<u8>> {
    let printed = start.printed.as_ref().map(|printed| {
        (printed.count, printed.generation.0, request(&printed.key, printed.payload, printed.at))
    });
    to_bytes(&StartRecord { programme: start.programme, printed })
}

/// Decodes the start of a plan.
pub fn decode_start(bytes: &[u8]) -> Result<PlanStart> {
    let record: StartRecord = from_bytes(bytes)?;
    let printed = record.printed.map(|(count, generation, request)| {
        let (key, payload, at) = read_request(request)?;
        Ok(Printed { key, payload, count, at, generation: Generation(generation) })
    });
    Ok(PlanStart { programme: record.programme, printed: printed.transpose()? })
}
