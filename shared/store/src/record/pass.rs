//! Records of passes that were issued.

use domain::amount::Amount;
use domain::id::{BalanceCode, Key, ParticipantId};
use domain::ledger::PayloadHash;
use domain::pass::{Generation, Pass, PassId, Redemption};
use domain::time::{Day, Instant};
use serde::{Deserialize, Serialize};

use super::{from_bytes, to_bytes};
use crate::error::{Error, Result};

#[derive(Serialize, Deserialize)]
struct PassRecord {
    issued_under: String,
    payload: [u8; 8],
    issued_at: i64,
    generation: u8,
    balance: String,
    value: i64,
    redeemable_until: Option<i32>,
    recipient: Option<String>,
    channel: Option<String>,
    redemption: Option<RedemptionRecord>,
}

#[derive(Serialize, Deserialize)]
struct RedemptionRecord {
    key: String,
    payload: [u8; 8],
    participant: String,
    sequence: u64,
    expires: Option<i32>,
}

/// Encodes a pass; its id is its key, its version a plain attribute.
pub fn encode_pass(pass: &Pass) -> Result<Vec<u8>> {
    to_bytes(&PassRecord {
        issued_under: pass.issued_under.as_str().to_owned(),
        payload: pass.payload.0,
        issued_at: pass.issued_at.0,
        generation: pass.generation.0,
        balance: pass.balance.as_str().to_owned(),
        value: pass.value.0,
        redeemable_until: pass.redeemable_until.map(|day| day.0),
        recipient: pass.recipient.as_deref().map(str::to_owned),
        channel: pass.channel.as_deref().map(str::to_owned),
        redemption: pass.redemption.as_ref().map(|redemption| RedemptionRecord {
            key: redemption.key.as_str().to_owned(),
            payload: redemption.payload.0,
            participant: redemption.participant.as_str().to_owned(),
            sequence: redemption.sequence,
            expires: redemption.expires.map(|day| day.0),
        }),
    })
}

/// Decodes the pass with this id.
pub fn decode_pass(bytes: &[u8], id: PassId) -> Result<Pass> {
    let record: PassRecord = from_bytes(bytes)?;
    let bad = |_| Error::Corrupt("pass with a bad id");
    let redemption = record.redemption.map(|redemption| {
        Ok(Redemption {
            key: Key::parse(&redemption.key).map_err(bad)?,
            payload: PayloadHash(redemption.payload),
            participant: ParticipantId::parse(&redemption.participant).map_err(bad)?,
            sequence: redemption.sequence,
            expires: redemption.expires.map(Day),
        })
    });
    Ok(Pass {
        id,
        issued_under: Key::parse(&record.issued_under).map_err(bad)?,
        payload: PayloadHash(record.payload),
        issued_at: Instant(record.issued_at),
        generation: Generation(record.generation),
        balance: BalanceCode::parse(&record.balance).map_err(bad)?,
        value: Amount(record.value),
        redeemable_until: record.redeemable_until.map(Day),
        recipient: record.recipient.map(String::into_boxed_str),
        channel: record.channel.map(String::into_boxed_str),
        redemption: redemption.transpose()?,
    })
}
