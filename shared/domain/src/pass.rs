//! Passes: plans, issued passes, and codes that a forger cannot make.

use std::fmt;

use chrono_tz::Tz;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::amount::Amount;
use crate::id::{BalanceCode, Key, ParticipantId, PlanId};
use crate::ledger::{LotId, PayloadHash};
use crate::offer::Expiry;
use crate::refusal::Refusal;
use crate::time::{Day, Duration, Instant};

/// An electronic gift plan. Further types and formats join here.
#[derive(Clone, Debug)]
pub struct PassPlan {
    pub id: PlanId,
    /// What its passes credit.
    pub balance: BalanceCode,
    pub value: Amount,
    /// How long after its issue a pass can be redeemed, to the end of the day; none: for ever.
    pub redeemable_for: Option<Duration>,
    /// When what was credited expires.
    pub expires: Expiry,
}

/// An issued pass. It carries its value and window: a later programme does not change them.
#[derive(Clone, PartialEq, Eq)]
pub struct Pass {
    pub id: PassId,
    /// What asked for it: the same key is answered with the same pass.
    pub issued_under: Key,
    pub payload: PayloadHash,
    pub issued_at: Instant,
    pub balance: BalanceCode,
    pub value: Amount,
    /// The last day on which it can be redeemed.
    pub redeemable_until: Option<Day>,
    pub recipient: Option<Box<str>>,
    pub channel: Option<Box<str>>,
    pub redemption: Option<Redemption>,
}

/// Whom it is for is personal, so it is never logged.
impl fmt::Debug for Pass {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Pass")
            .field("id", &self.id)
            .field("issued_at", &self.issued_at)
            .field("balance", &self.balance)
            .field("value", &self.value)
            .field("redeemable_until", &self.redeemable_until)
            .field("redemption", &self.redemption)
            .finish_non_exhaustive()
    }
}

/// Names a pass; unlike its code it is no secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PassId {
    pub plan: PlanId,
    /// Below 2^40.
    pub serial: u64,
}

/// How a pass was redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redemption {
    pub key: Key,
    pub payload: PayloadHash,
    pub participant: ParticipantId,
    /// The ledger entry.
    pub sequence: u64,
    /// The last day of the lot that was credited.
    pub expires: Option<Day>,
}

/// The secret under which codes are made.
pub struct PassSecret(Vec<u8>);

/// A code whose tag and check symbol are right; the pass may still not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassCode {
    plan: u64,
    pub serial: u64,
}

/// Crockford's base 32: no I, L, O, U.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PLAN_SYMBOLS: usize = 3;
const SERIAL_SYMBOLS: usize = 8;
const TAG_SYMBOLS: usize = 8;
const CODE_SYMBOLS: usize = PLAN_SYMBOLS + SERIAL_SYMBOLS + TAG_SYMBOLS + 1;

impl PassPlan {
    /// What plans are told apart by in a code; the plans of one programme differ in it.
    pub fn code_prefix(&self) -> u64 {
        plan_prefix(&self.id)
    }

    /// A new pass of this plan.
    pub fn issue(&self, serial: u64, asked: Issue, now: Instant, zone: Tz) -> Pass {
        Pass {
            id: PassId { plan: self.id.clone(), serial },
            issued_under: asked.key,
            payload: asked.payload,
            issued_at: now,
            balance: self.balance.clone(),
            value: self.value,
            redeemable_until: self.redeemable_for.map(|time| now.day(zone).plus(time)),
            recipient: asked.recipient,
            channel: asked.channel,
            redemption: None,
        }
    }

    /// The lot that a redemption credits.
    pub fn lot(&self, pass: &Pass, now: Instant, zone: Tz) -> LotId {
        LotId {
            balance: pass.balance.clone(),
            expires: self.expires.last_day(now.day(zone)),
            available_from: None,
            terms: None,
        }
    }
}

/// A request for a pass; whom it is for is personal, so it has no `Debug`.
#[derive(Clone)]
pub struct Issue {
    pub key: Key,
    pub payload: PayloadHash,
    pub recipient: Option<Box<str>>,
    pub channel: Option<Box<str>>,
}

impl Pass {
    /// Whether the pass can be redeemed at this time.
    pub fn redeemable(&self, now: Instant, zone: Tz) -> Result<(), Refusal> {
        let open = self.redeemable_until.is_none_or(|day| now < day.end(zone));
        if open && self.redemption.is_none() { Ok(()) } else { Err(Refusal::PassNotRedeemable) }
    }
}

impl PassSecret {
    /// A secret of at least 32 bytes.
    pub fn new(bytes: &[u8]) -> Option<PassSecret> {
        (bytes.len() >= 32).then(|| PassSecret(bytes.to_vec()))
    }

    /// The serial of the pass that is issued under a key. Where another pass has taken it already,
    /// the next attempt is tried.
    pub fn serial(&self, plan: &PlanId, key: &Key, attempt: u32) -> u64 {
        self.bits(&format!("serial\n{plan}\n{attempt}\n{key}"), SERIAL_SYMBOLS)
    }

    /// The code of a pass, in groups of four symbols.
    pub fn code(&self, id: &PassId) -> String {
        let plan = plan_prefix(&id.plan);
        let mut code = String::new();
        write_bits(&mut code, plan, PLAN_SYMBOLS);
        write_bits(&mut code, id.serial, SERIAL_SYMBOLS);
        write_bits(&mut code, self.tag(plan, id.serial), TAG_SYMBOLS);
        code.push(check_symbol(&code));
        let groups: Vec<&str> = (0..CODE_SYMBOLS).step_by(4).map(|at| &code[at..at + 4]).collect();
        groups.join("-")
    }

    /// Reads a code as people type it; none for a code that this secret did not make. No table
    /// is asked, so guessing tells nothing.
    pub fn read(&self, text: &str) -> Option<PassCode> {
        let mut symbols = String::new();
        for symbol in text.chars().filter(|c| !matches!(c, '-' | ' ')) {
            symbols.push(match symbol.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other if other.is_ascii() => other,
                _ => return None,
            });
        }
        if symbols.len() != CODE_SYMBOLS {
            return None;
        }
        let (body, check) = symbols.split_at(CODE_SYMBOLS - 1);
        let (plan, rest) = body.split_at(PLAN_SYMBOLS);
        let (serial, tag) = rest.split_at(SERIAL_SYMBOLS);
        let code = PassCode { plan: read_bits(plan)?, serial: read_bits(serial)? };
        let made = self.tag(code.plan, code.serial) == read_bits(tag)?;
        (made && check.starts_with(check_symbol(body))).then_some(code)
    }

    fn tag(&self, plan: u64, serial: u64) -> u64 {
        self.bits(&format!("tag\n{plan}\n{serial}"), TAG_SYMBOLS)
    }

    fn bits(&self, message: &str, symbols: usize) -> u64 {
        // A key of any length is valid for HMAC, so this cannot fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return 0 };
        mac.update(message.as_bytes());
        leading_bits(&mac.finalize().into_bytes(), symbols)
    }
}

impl PassCode {
    /// Whether the pass is of this plan.
    pub fn is_of(&self, plan: &PassPlan) -> bool {
        plan.code_prefix() == self.plan
    }
}

fn plan_prefix(plan: &PlanId) -> u64 {
    leading_bits(&Sha256::digest(plan.as_str().as_bytes()), PLAN_SYMBOLS)
}

/// The first five bits for each symbol of a digest.
fn leading_bits(digest: &[u8], symbols: usize) -> u64 {
    let first = digest.iter().take(8).fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
    first >> (64 - 5 * symbols)
}

fn write_bits(out: &mut String, bits: u64, symbols: usize) {
    for at in (0..symbols).rev() {
        let index = usize::try_from((bits >> (5 * at)) & 31).unwrap_or(0);
        out.push(char::from(SYMBOLS[index]));
    }
}

fn read_bits(symbols: &str) -> Option<u64> {
    symbols.bytes().try_fold(0_u64, |bits, byte| {
        let value = SYMBOLS.iter().position(|symbol| *symbol == byte)?;
        Some((bits << 5) | u64::try_from(value).ok()?)
    })
}

/// A typing slip is told from a forgery before the tag is looked at: weights modulo 31.
fn check_symbol(body: &str) -> char {
    let value = |byte| SYMBOLS.iter().position(|symbol| *symbol == byte).unwrap_or(0);
    let sum = body.bytes().fold(0, |sum, byte| (sum * 3 + value(byte)) % 31);
    char::from(SYMBOLS[sum])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_of_this_secret_are_read() {
        let secret = PassSecret::new(&[7; 32]).unwrap();
        let id = PassId { plan: PlanId::parse("gift-20").unwrap(), serial: 987_654_321 };
        let code = secret.code(&id);
        assert_eq!(code.len(), 24, "five groups of four: {code}");
        let read = secret.read(&code.to_lowercase().replace('-', " ")).unwrap();
        assert_eq!(read.serial, id.serial);
        assert_eq!(PassSecret::new(&[8; 32]).unwrap().read(&code), None);
        for at in 0..code.len() {
            let mut forged = code.clone().into_bytes();
            forged[at] = if forged[at] == b'7' { b'8' } else { b'7' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(secret.read(&forged), None, "{forged}");
        }
        for bad in ["", "-", &"0".repeat(20), &"Ö".repeat(20), &code[1..]] {
            assert_eq!(secret.read(bad), None, "{bad:?}");
        }
        assert!(PassSecret::new(b"short").is_none());
    }
}
