//! Records of coupons: their stock, a page of their codes, and what became of one.

use std::collections::BTreeMap;

use domain::amount::Amount;
use domain::coupon::{CodeTaken, CouponTaken, PoolCode, Stock};
use domain::id::{BalanceCode, Key, UnitId};
use domain::ledger::PayloadHash;
use domain::pass::Generation;
use domain::time::{Day, Instant};
use serde::{Deserialize, Serialize};

use super::names::{Name, Names, Texts};
use super::{from_bytes, to_bytes};
use crate::error::{Error, Result};

/// Taken, cancelled, pool, dealt, and what was paid in each balance.
#[derive(Serialize, Deserialize)]
struct StockRecord(u64, u64, u64, u64, Vec<(String, i64)>);

/// Coupon, number, the last day of its use, where its code is.
#[derive(Serialize, Deserialize)]
pub struct TakenRecord(Name, u64, Option<i32>, CodeRecord);

#[derive(Serialize, Deserialize)]
enum CodeRecord {
    None,
    Uploaded,
    Generated(u8),
}

#[derive(Serialize, Deserialize)]
enum FateRecord {
    /// Key, payload, when, where, by whom.
    Used(String, [u8; 8], i64, Option<String>, String),
    Void,
}

/// What became of a coupon whose code was made here; it never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Used(CouponUse),
    /// It was cancelled before anybody used it.
    Void,
}

/// A coupon as it was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponUse {
    pub key: Key,
    pub payload: PayloadHash,
    pub at: Instant,
    pub unit: Option<UnitId>,
    /// The subject of the token.
    pub who: Box<str>,
}

pub fn encode_stock(stock: &Stock) -> Result<Vec<u8>> {
    let Stock { taken, cancelled, pool, dealt, paid } = stock;
    let paid = paid.iter().map(|(balance, amount)| (balance.to_string(), amount.0));
    to_bytes(&StockRecord(*taken, *cancelled, *pool, *dealt, paid.collect()))
}

pub fn decode_stock(bytes: &[u8]) -> Result<Stock> {
    let StockRecord(taken, cancelled, pool, dealt, paid) = from_bytes(bytes)?;
    let paid = paid.iter().map(|(balance, amount)| {
        let balance = BalanceCode::parse(balance).map_err(|_| bad())?;
        Ok((balance, Amount(*amount)))
    });
    let paid = paid.collect::<Result<BTreeMap<_, _>>>()?;
    Ok(Stock { taken, cancelled, pool, dealt, paid })
}

/// Codes of a pool, in the order of their numbers.
pub fn encode_codes(codes: &[&PoolCode]) -> Result<Vec<u8>> {
    to_bytes(&codes.iter().map(|code| code.as_str()).collect::<Vec<_>>())
}

pub fn decode_codes(bytes: &[u8]) -> Result<Vec<PoolCode>> {
    let codes: Vec<String> = from_bytes(bytes)?;
    codes.iter().map(|code| PoolCode::parse(code).map_err(|_| bad())).collect()
}

pub fn encode_fate(fate: &Fate) -> Result<Vec<u8>> {
    to_bytes(&match fate {
        Fate::Used(CouponUse { key, payload, at, unit, who }) => FateRecord::Used(
            key.to_string(),
            payload.0,
            at.0,
            unit.as_ref().map(ToString::to_string),
            who.to_string(),
        ),
        Fate::Void => FateRecord::Void,
    })
}

pub fn decode_fate(bytes: &[u8]) -> Result<Fate> {
    Ok(match from_bytes(bytes)? {
        FateRecord::Used(key, payload, at, unit, who) => Fate::Used(CouponUse {
            key: Key::parse(&key).map_err(|_| bad())?,
            payload: PayloadHash(payload),
            at: Instant(at),
            unit: unit.map(|unit| UnitId::parse(&unit)).transpose().map_err(|_| bad())?,
            who: who.into(),
        }),
        FateRecord::Void => Fate::Void,
    })
}

pub fn taken_record(names: &mut Names, taken: &CouponTaken) -> Result<TakenRecord> {
    let code = match taken.code {
        CodeTaken::None => CodeRecord::None,
        CodeTaken::Uploaded => CodeRecord::Uploaded,
        CodeTaken::Generated(Generation(number)) => CodeRecord::Generated(number),
    };
    let coupon = names.add(taken.coupon.as_str())?;
    Ok(TakenRecord(coupon, taken.number, taken.until.map(|day| day.0), code))
}

pub fn read_taken(texts: &Texts<'_>, record: &TakenRecord) -> Result<CouponTaken> {
    let TakenRecord(coupon, number, until, code) = record;
    Ok(CouponTaken {
        coupon: texts.coupon(*coupon)?,
        number: *number,
        until: until.map(Day),
        code: match code {
            CodeRecord::None => CodeTaken::None,
            CodeRecord::Uploaded => CodeTaken::Uploaded,
            CodeRecord::Generated(number) => CodeTaken::Generated(Generation(*number)),
        },
    })
}

fn bad() -> Error {
    Error::Corrupt("a coupon's record that does not parse")
}
