//! What items hold: compact binary records of the store's own, apart from the domain's types.
//!
//! A record begins with its version; another version is refused, not guessed at. Texts that recur
//! (balances, offers, units) stand once per record, in a list of names that the rest refers to.

mod activity;
mod caller;
mod coupon;
mod detail;
mod effect;
mod entry;
mod event;
mod names;
mod participant;
mod pass;
mod promotion;
mod returns;
mod tally;
mod terms;
mod wallet;

pub use coupon::{
    CouponUse, Fate, decode_codes, decode_fate, decode_stock, encode_codes, encode_fate,
    encode_stock,
};
pub use event::{StoredEvent, decode_event, encode_event};
pub use participant::{decode_participant, encode_participant};
pub use pass::{decode_pass, decode_start, encode_pass, encode_start};
pub use returns::{Asked, decode_bar, encode_bar};
pub use wallet::{
    Page, PageHash, State, decode_page, decode_state, encode_page, encode_state, page_hash,
};

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateDecoder, DeflateEncoder};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// Version of all records of this build.
pub const VERSION: u8 = 1;

/// Encodes a record behind its version.
pub fn to_bytes<T: Serialize>(record: &T) -> Result<Vec<u8>> {
    postcard::to_stdvec(&(VERSION, record)).map_err(|_| Error::Corrupt("record too large"))
}

/// Decodes a record of this version.
pub fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    Ok(first_of(bytes)?.0)
}

fn first_of<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8])> {
    let (version, rest) = bytes.split_first().ok_or(Error::Corrupt("empty record"))?;
    if *version != VERSION {
        return Err(Error::Corrupt("record of an unknown version"));
    }
    postcard::take_from_bytes(rest).map_err(|_| Error::Corrupt("record does not decode"))
}

/// Encodes a record with a list behind it, which takes no byte where it is empty.
fn to_bytes_with<T: Serialize, I: Serialize>(record: &T, list: &[I]) -> Result<Vec<u8>> {
    let bytes = to_bytes(record)?;
    if list.is_empty() {
        return Ok(bytes);
    }
    postcard::to_extend(list, bytes).map_err(|_| Error::Corrupt("record too large"))
}

/// The inverse of [`to_bytes_with`].
fn from_bytes_with<T: DeserializeOwned, I: DeserializeOwned>(bytes: &[u8]) -> Result<(T, Vec<I>)> {
    let (record, rest) = first_of(bytes)?;
    let list = if rest.is_empty() { Ok(Vec::new()) } else { postcard::from_bytes(rest) };
    Ok((record, list.map_err(|_| Error::Corrupt("end of a record does not decode"))?))
}

/// Deflates, for records of mostly text.
pub fn deflate(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.map_err(|_| Error::Corrupt("record does not deflate"))
}

/// The inverse of [`deflate`].
pub fn inflate(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut decoder = DeflateDecoder::new(Vec::new());
    let read = decoder.write_all(bytes).and_then(|()| decoder.finish());
    read.map_err(|_| Error::Corrupt("record does not inflate"))
}
