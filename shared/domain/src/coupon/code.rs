//! Codes of coupons: made here from a number, or taken from a partner's pool.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::id::{CouponId, is_printable};
use crate::pass::symbols::{self, leading};
use crate::pass::{Generation, PassKeys};
use crate::time::Day;

const PREFIX_SYMBOLS: usize = 3;
const NUMBER_SYMBOLS: usize = 7;
const DAY_SYMBOLS: usize = 4;
/// 60 bits.
const TAG_SYMBOLS: usize = 12;
const PARTS: [usize; 5] = [PREFIX_SYMBOLS, 1, NUMBER_SYMBOLS, DAY_SYMBOLS, TAG_SYMBOLS];
/// Another number than a pass's code has, so that neither is read as the other.
const SYMBOLS: usize = PREFIX_SYMBOLS + 1 + NUMBER_SYMBOLS + DAY_SYMBOLS + TAG_SYMBOLS + 1;
/// Characters of a code that is made here: seven groups of four, and what stands between them.
pub const COUPON_LENGTH: usize = symbols::length(SYMBOLS);
/// Numbers are below this: 2^35.
pub const NUMBERS: u64 = 1 << (5 * NUMBER_SYMBOLS);
/// Stands for no last day, and for days from the year 4840 on.
const NO_DAY: u64 = (1 << (5 * DAY_SYMBOLS)) - 1;
/// Most characters of a code that a partner uploads.
pub const POOL_CODE: usize = 64;

/// The key of one coupon's codes. A secret, so it has no `Debug`.
pub struct CouponKey {
    generation: Generation,
    prefix: u64,
    mac: Hmac<Sha256>,
}

/// A code as typed, whose check symbol is right; a forger may have made it.
#[derive(Clone, PartialEq, Eq)]
pub struct CouponCode {
    pub generation: Generation,
    pub number: u64,
    /// The last day on which the coupon may be used; none: it does not end.
    pub until: Option<Day>,
    prefix: u64,
    tag: u64,
}

/// A code of a partner. A secret, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct PoolCode(Box<str>);

impl CouponKey {
    /// The key of a coupon's codes of this generation; none where it is not known. What it makes is
    /// no code of a pass, of which other keys are made.
    pub fn of(keys: &PassKeys, coupon: &CouponId, generation: Generation) -> Option<CouponKey> {
        let mac = keys.under(&format!("coupon\n{coupon}"), generation)?;
        Some(CouponKey { generation, prefix: coupon_prefix(coupon), mac })
    }

    /// The code of the coupon with this number that may be used until the end of this day.
    pub fn code(&self, number: u64, until: Option<Day>) -> String {
        let day = day_bits(until);
        symbols::write(&[
            (self.prefix, PREFIX_SYMBOLS),
            (u64::from(self.generation.0), 1),
            (number, NUMBER_SYMBOLS),
            (day, DAY_SYMBOLS),
            (self.tag(number, day), TAG_SYMBOLS),
        ])
    }

    /// Whether this key made the code; takes the same time for every tag.
    pub fn made(&self, code: &CouponCode) -> bool {
        let tag = self.tag(code.number, day_bits(code.until));
        let here = code.prefix == self.prefix && code.generation == self.generation;
        here & bool::from(tag.ct_eq(&code.tag))
    }

    fn tag(&self, number: u64, day: u64) -> u64 {
        let mut mac = self.mac.clone();
        mac.update(&number.to_be_bytes());
        mac.update(&day.to_be_bytes());
        leading(&mac.finalize().into_bytes(), TAG_SYMBOLS)
    }
}

fn day_bits(until: Option<Day>) -> u64 {
    let day = until.and_then(|day| u64::try_from(day.0).ok());
    day.map_or(NO_DAY, |day| day.min(NO_DAY))
}

impl CouponCode {
    /// Reads a code as people type it: in any case and spacing, look-alikes folded. None where its
    /// check symbol says that it was mistyped.
    pub fn read(text: &str) -> Option<CouponCode> {
        let [prefix, generation, number, day, tag] = symbols::read::<SYMBOLS, 5>(text, PARTS)?;
        let generation = Generation(u8::try_from(generation).ok()?);
        let day = i32::try_from(day).ok().filter(|_| day != NO_DAY);
        Some(CouponCode { generation, number, until: day.map(Day), prefix, tag })
    }

    /// Whether it says that it is of this coupon.
    pub fn names(&self, coupon: &CouponId) -> bool {
        self.prefix == coupon_prefix(coupon)
    }
}

/// What coupons are told apart by in a code, as far as it goes: their keys tell all.
fn coupon_prefix(coupon: &CouponId) -> u64 {
    leading(&Sha256::digest(coupon.as_str().as_bytes()), PREFIX_SYMBOLS)
}

impl PoolCode {
    /// Parses a code: it is handed out letter by letter as it came.
    ///
    /// # Errors
    /// What it must look like; never what was sent.
    pub fn parse(text: &str) -> Result<PoolCode, &'static str> {
        let fits = is_printable(text, POOL_CODE);
        fits.then(|| PoolCode(text.into())).ok_or("must have 1 to 64 printable characters")
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the pool knows it by: the same for the same code of one coupon, and no code itself.
    pub fn mark(&self, coupon: &CouponId) -> [u8; 32] {
        Sha256::digest(format!("coupon code\n{coupon}\n{}", self.0)).into()
    }
}
