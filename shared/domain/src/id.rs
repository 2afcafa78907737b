//! Identifiers: parsed at the edge, because they become keys; shared and hashed once, because they
//! are copied, compared and looked up often.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use rustc_hash::FxHasher;
use thiserror::Error;

/// Why a text is not an identifier.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum IdError {
    #[error("must have 1 to 64 of the characters A-Z a-z 0-9 _ . -")]
    Token,
    #[error("must have 1 to 200 printable characters")]
    Reference,
    #[error("must have 1 to 255 printable characters")]
    Key,
    #[error("is not an event id: <system>:<reference>")]
    Event,
    #[error("is not a transaction code")]
    TransactionCode,
}

fn is_token(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

/// Printable ASCII without blanks at the ends, at most `most` characters.
pub(crate) fn is_printable(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len())
        && text.bytes().all(|b| (0x20..0x7f).contains(&b))
        && text.trim() == text
}

/// The text of an identifier with its hash. Lists of what callers name are short, so nobody gains
/// by texts that meet in one hash.
#[derive(Clone)]
struct Name {
    text: Arc<str>,
    hash: u64,
}

impl<T: Into<Arc<str>>> From<T> for Name {
    fn from(text: T) -> Name {
        let text = text.into();
        let mut hasher = FxHasher::default();
        hasher.write(text.as_bytes());
        Name { hash: hasher.finish(), text }
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, out)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.hash == other.hash && self.text == other.text
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Name) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $error:ident, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Name);

        impl $name {
            /// Parses the text, or says what it must look like.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.into())) } else { Err(IdError::$error) }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    };
}

identifier!(
    /// Who is awarded and spends; never personal data.
    ParticipantId, Token, is_token
);
identifier!(
    /// Where an event was performed: a shop, a counter, a web site.
    UnitId, Token, is_token
);
identifier!(
    /// Owner of units.
    MerchantId, Token, is_token
);
identifier!(
    /// A reward offer.
    OfferId, Token, is_token
);
identifier!(
    /// A pass plan.
    PlanId, Token, is_token
);
identifier!(
    /// A segment of participants.
    SegmentId, Token, is_token
);
identifier!(
    /// A run definition of the programme, or one recorded run or export.
    RunId, Token, is_token
);
identifier!(
    /// A conversion of points into money.
    ConversionId, Token, is_token
);
identifier!(
    /// A coupon that points are redeemed for.
    CouponId, Token, is_token
);
identifier!(
    /// A product, product category or brand.
    ProductId, Token, is_token
);
identifier!(
    /// A KPI of financial statements.
    KpiId, Token, is_token
);
identifier!(
    /// A target that is told what happens.
    FeedId, Token, is_token
);
identifier!(
    /// What a manager is told of.
    AlertId, Token, is_token
);
identifier!(
    /// Units that lie together.
    AreaId, Token, is_token
);
identifier!(
    /// A list of participants.
    ListId, Token, is_token
);
identifier!(
    /// A balance of a wallet: points, a currency.
    BalanceCode, Token, is_token
);
identifier!(
    /// A classification's name.
    Classification, Key, |text| is_printable(text, 255)
);
identifier!(
    /// What a caller sends as `Idempotency-Key`.
    Key, Key, |text| is_printable(text, 255)
);
identifier!(
    /// `<system>:<reference>`, or `key:<key>` for an event that was sent without a reference.
    EventId, Event, is_event_id
);

fn is_event_id(text: &str) -> bool {
    text.split_once(':').is_some_and(|(system, reference)| {
        let most = if system == "key" { 255 } else { 200 };
        is_token(system) && is_printable(reference, most)
    })
}

impl ParticipantId {
    /// The participant of a nameless wallet; the symbols are letters and digits (R-82).
    pub(crate) fn nameless(symbols: &str) -> Self {
        Self(format!("pass-{symbols}").into())
    }
}

impl EventId {
    /// The id of an event with an external system and reference (R-4).
    pub fn of_reference(system: &str, reference: &str) -> Result<Self, IdError> {
        if !is_token(system) || system == "key" {
            return Err(IdError::Token);
        }
        if !is_printable(reference, 200) {
            return Err(IdError::Reference);
        }
        Ok(Self(format!("{system}:{reference}").into()))
    }

    /// The id of an event that only has an idempotency key.
    pub fn of_key(key: &Key) -> Self {
        Self(format!("key:{key}").into())
    }

    /// The id of a spend that has no other: its transaction code (R-66). Nothing is stored under it.
    pub fn of_spend(code: &TransactionCode) -> Self {
        Self(code.to_string().into())
    }

    /// External system and reference; none for an event known by its key.
    pub fn reference(&self) -> Option<(&str, &str)> {
        self.0.split_once(':').filter(|(system, _)| *system != "key")
    }
}

/// 2023-01-01: no key is older than this software, and a search for one would read every page.
const FIRST_KEY_TIME: i64 = 1_672_531_200_000;

impl Key {
    /// What a digest is called as a key: its hexadecimal text.
    pub fn of_digest(digest: [u8; 16]) -> Key {
        let text: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Key(text.into())
    }

    /// Milliseconds since 1970 that a UUIDv7 carries; none for any other key. A pure function of
    /// the key: what is searched for a key must not depend on anything that changes.
    pub fn time(&self) -> Option<i64> {
        let text = self.0.as_bytes();
        let dashes = [8, 13, 18, 23];
        let shaped = text.len() == 36
            && text.iter().enumerate().all(|(at, byte)| {
                if dashes.contains(&at) { *byte == b'-' } else { byte.is_ascii_hexdigit() }
            })
            && text[14] == b'7'
            && matches!(text[19].to_ascii_lowercase(), b'8' | b'9' | b'a' | b'b');
        if !shaped {
            return None;
        }
        let time = i64::from_str_radix(&format!("{}{}", &self.0[..8], &self.0[9..13]), 16).ok();
        time.filter(|time| *time >= FIRST_KEY_TIME)
    }
}

/// `<participant>.<ledger sequence>-<check symbol>`: names one ledger entry (R-68).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionCode {
    /// Whose ledger.
    pub participant: ParticipantId,
    /// Which entry, from 1.
    pub sequence: u64,
}

const CHECK_SYMBOLS: &[u8; 29] = b"0123456789ABCDEFGHJKMNPQRSTVW";

impl TransactionCode {
    /// Parses a code and verifies its check symbol, so that a misread code is not looked up.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let parse = || {
            let (body, check) = text.rsplit_once('-')?;
            let (participant, sequence) = body.rsplit_once('.')?;
            if sequence.starts_with(['0', '+']) {
                return None;
            }
            let code = Self {
                participant: ParticipantId::parse(participant).ok()?,
                sequence: sequence.parse().ok()?,
            };
            (check.len() == 1 && check.starts_with(check_symbol(body))).then_some(code)
        };
        parse().ok_or(IdError::TransactionCode)
    }
}

impl fmt::Display for TransactionCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = format!("{}.{}", self.participant, self.sequence);
        write!(out, "{body}-{}", check_symbol(&body))
    }
}

/// A weighted sum modulo the prime 29: one wrong character or two swapped neighbours are noticed
/// unless their codes differ by a multiple of 29, which no pair that is easily misread does.
fn check_symbol(body: &str) -> char {
    let sum = body.bytes().fold(7_u32, |sum, byte| (sum * 3 + u32::from(byte)) % 29);
    char::from(CHECK_SYMBOLS[usize::try_from(sum).unwrap_or(0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_that_would_forge_a_key_are_refused() {
        for bad in ["", "a#b", "a b", "a/b", "a:b", "ä", "a\n", &"x".repeat(65)] {
            assert!(ParticipantId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(ParticipantId::parse("c-1001").is_ok());
        for bad in ["till", "till:", ":r", "ti ll:r", "till: r", "till:r\u{0}", "key:"] {
            assert!(EventId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(EventId::of_reference("key", "r").is_err(), "would meet an event known by its key");
        assert_eq!(EventId::of_reference("till", "R:1#2").unwrap().as_str(), "till:R:1#2");
    }

    #[test]
    fn only_a_uuid_v7_carries_a_time() {
        let key = |text: &str| Key::parse(text).unwrap().time();
        assert_eq!(key("018bcfe5-687b-7fff-bfff-ffffffffffff"), Some(1_700_000_000_123));
        assert_eq!(key("018BCFE5-687B-7FFF-BFFF-FFFFFFFFFFFF"), Some(1_700_000_000_123));
        assert_eq!(key("00000000-0000-7000-8000-000000000000"), None, "older than any key can be");
        assert_eq!(key("018bcfe5-687b-4fff-bfff-ffffffffffff"), None);
        assert_eq!(key("018bcfe5-687b-7fff-7fff-ffffffffffff"), None);
        assert_eq!(key("018bcfe5687b7fffbfffffffffffffff"), None);
        assert_eq!(key("a key of the caller's own"), None);
    }

    #[test]
    fn a_misread_transaction_code_is_noticed() {
        let code =
            TransactionCode { participant: ParticipantId::parse("c-1001").unwrap(), sequence: 57 };
        let text = code.to_string();
        assert_eq!(TransactionCode::parse(&text), Ok(code));
        for at in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'5' { b'6' } else { b'5' };
            let other = String::from_utf8(other).unwrap();
            assert!(TransactionCode::parse(&other).is_err(), "{other}");
        }
        assert!(TransactionCode::parse("c-1001.057-K").is_err());
    }
}
