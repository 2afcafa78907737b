//! Records of cancels, whole and in part, of events that are there and of some that are not yet.

use domain::ledger::PayloadHash;
use domain::returns::{Return, ReturnedLine};
use serde::{Deserialize, Serialize};

use super::names::{Name, Names, Texts, some};
use super::{from_bytes, to_bytes};
use crate::error::Result;

/// What a cancel was asked under: hashes of the caller's key and of what it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub key: PayloadHash,
    pub payload: PayloadHash,
}

/// Key, payload.
#[derive(Serialize, Deserialize)]
pub struct AskedRecord([u8; 8], [u8; 8]);

#[derive(Serialize, Deserialize)]
pub struct ReturnRecord {
    sequence: u64,
    asked: AskedRecord,
    /// Index, quantity.
    lines: Vec<(u16, u32)>,
    reason: Option<Name>,
}

pub fn asked_record(asked: &Asked) -> AskedRecord {
    AskedRecord(asked.key.0, asked.payload.0)
}

pub fn read_asked(record: &AskedRecord) -> Asked {
    Asked { key: PayloadHash(record.0), payload: PayloadHash(record.1) }
}

pub fn return_record(names: &mut Names, back: &Return) -> Result<ReturnRecord> {
    Ok(ReturnRecord {
        sequence: back.sequence,
        asked: asked_record(&Asked { key: back.key, payload: back.payload }),
        lines: back.lines.iter().map(|line| (line.index, line.quantity)).collect(),
        reason: names.add_some(back.reason.as_deref())?,
    })
}

pub fn read_return(texts: &Texts<'_>, record: &ReturnRecord) -> Result<Return> {
    let Asked { key, payload } = read_asked(&record.asked);
    let line = |(index, quantity): &(u16, u32)| ReturnedLine { index: *index, quantity: *quantity };
    Ok(Return {
        sequence: record.sequence,
        key,
        payload,
        lines: record.lines.iter().map(line).collect(),
        reason: some(record.reason, |name| texts.text(name))?,
    })
}

/// Encodes the bar of an event that was cancelled before it arrived.
pub fn encode_bar(asked: &Asked) -> Result<Vec<u8>> {
    to_bytes(&asked_record(asked))
}

/// Decodes a bar.
pub fn decode_bar(bytes: &[u8]) -> Result<Asked> {
    Ok(read_asked(&from_bytes(bytes)?))
}
