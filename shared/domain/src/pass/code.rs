//! Codes of passes: short enough to type, and nobody without the key can make one.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::id::{Key, PlanId};
use crate::pass::PassId;
use crate::pass::symbols::{self, leading, number};

const PLAN_SYMBOLS: usize = 3;
const SERIAL_SYMBOLS: usize = 7;
/// 60 bits.
const TAG_SYMBOLS: usize = 12;
const BODY_SYMBOLS: usize = PLAN_SYMBOLS + 1 + SERIAL_SYMBOLS + TAG_SYMBOLS;
/// Characters of a code as it is printed: six groups of four, and what stands between them.
pub const CODE_LENGTH: usize = symbols::length(BODY_SYMBOLS + 1);
/// Serials are below this: 2^35.
pub const SERIALS: u64 = 1 << (5 * SERIAL_SYMBOLS);
/// Digits of a PIN.
pub const PIN_DIGITS: usize = 6;
/// There are so many PINs: 10^6.
const PINS: u64 = 1_000_000;
/// Bytes that a key has at least.
const KEY_BYTES: usize = 32;
/// Keys that one symbol of a code tells apart.
const MAX_KEYS: usize = 32;

/// Which of the keys made a code: the first is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub u8);

/// The keys under which codes are made; the newest makes new ones, the others prove what they
/// made. A secret, so it has no `Debug`.
pub struct PassKeys(Vec<Hmac<Sha256>>);

/// The key of one plan's codes. A secret, so it has no `Debug`.
#[derive(Clone)]
pub struct PlanKey {
    generation: Generation,
    prefix: u64,
    mac: Hmac<Sha256>,
}

/// What is told to whoever holds the pass; a secret, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Told {
    pub code: String,
    /// The PIN that belongs to it where its plan asks for one.
    pub pin: String,
}

/// A code as typed, whose check symbol is right; a forger may have made it.
#[derive(Clone, PartialEq, Eq)]
pub struct PassCode {
    pub generation: Generation,
    pub serial: u64,
    prefix: u64,
    tag: u64,
}

impl PassKeys {
    /// One key a line, the oldest first; each of at least 32 bytes. None where one is shorter, and
    /// for none or more than 32.
    pub fn parse(text: &str) -> Option<PassKeys> {
        let keys: Vec<&str> = text.lines().map(str::trim).collect();
        let fits = (1..=MAX_KEYS).contains(&keys.len());
        if !fits || keys.iter().any(|key| key.len() < KEY_BYTES) {
            return None;
        }
        let mac = |key: &str| Hmac::new_from_slice(key.as_bytes()).ok();
        keys.into_iter().map(mac).collect::<Option<Vec<_>>>().map(PassKeys)
    }

    /// The generation of the newest key.
    pub fn newest(&self) -> Generation {
        Generation(u8::try_from(self.0.len() - 1).unwrap_or(u8::MAX))
    }

    /// Whether there is a key of this generation.
    pub fn knows(&self, generation: Generation) -> bool {
        usize::from(generation.0) < self.0.len()
    }

    /// The key of a plan's codes of this generation; none where it is not known here.
    pub fn of(&self, plan: &PlanId, generation: Generation) -> Option<PlanKey> {
        let mac = self.under(&format!("plan\n{plan}"), generation)?;
        Some(PlanKey { generation, prefix: code_prefix(plan), mac })
    }

    /// The key of what `label` names, apart from those of all else; none where the generation is not
    /// known here.
    pub(crate) fn under(&self, label: &str, generation: Generation) -> Option<Hmac<Sha256>> {
        let mut mac = self.0.get(usize::from(generation.0))?.clone();
        mac.update(label.as_bytes());
        // A key of any length is valid for HMAC, so this cannot fail.
        Hmac::new_from_slice(&mac.finalize().into_bytes()).ok()
    }

    /// Whether one of these keys made the code for this plan.
    pub fn proves(&self, plan: &PlanId, code: &PassCode) -> bool {
        self.of(plan, code.generation).is_some_and(|key| key.made(code))
    }
}

impl PlanKey {
    /// The generation of this key.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// The code and the PIN of a pass.
    pub fn told(&self, serial: u64) -> Told {
        let (tag, pin) = self.secrets(serial);
        let code = symbols::write(&[
            (self.prefix, PLAN_SYMBOLS),
            (u64::from(self.generation.0), 1),
            (serial, SERIAL_SYMBOLS),
            (tag, TAG_SYMBOLS),
        ]);
        Told { code, pin: format!("{pin:0PIN_DIGITS$}") }
    }

    /// Whether this key made the code; takes the same time for every tag.
    pub fn made(&self, code: &PassCode) -> bool {
        let (tag, _) = self.secrets(code.serial);
        let here = code.prefix == self.prefix && code.generation == self.generation;
        here & bool::from(tag.ct_eq(&code.tag))
    }

    /// Whether this is the PIN that the pass was made with; takes the same time for every PIN of
    /// as many digits.
    pub fn is_pin(&self, serial: u64, typed: &str) -> bool {
        let (_, pin) = self.secrets(serial);
        format!("{pin:0PIN_DIGITS$}").as_bytes().ct_eq(typed.as_bytes()).into()
    }

    /// What is stored of a PIN that somebody chose for the pass.
    pub fn pin_hash(&self, serial: u64, pin: &str) -> [u8; 16] {
        let mut mac = self.mac.clone();
        mac.update(b"pin\n");
        mac.update(&serial.to_be_bytes());
        mac.update(pin.as_bytes());
        let digest = mac.finalize().into_bytes();
        std::array::from_fn(|at| digest[at])
    }

    /// Whether `hash` was stored of this PIN; takes the same time for every PIN.
    pub fn is_chosen_pin(&self, serial: u64, typed: &str, hash: &[u8; 16]) -> bool {
        self.pin_hash(serial, typed).ct_eq(hash).into()
    }

    /// The tag and the PIN, from bits of one digest that have nothing in common.
    fn secrets(&self, serial: u64) -> (u64, u64) {
        let mut mac = self.mac.clone();
        mac.update(b"pass\n");
        mac.update(&serial.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let pin = number(&digest[8..16]) % PINS;
        (leading(&digest, TAG_SYMBOLS), pin)
    }
}

impl PassCode {
    /// Reads a code as people type it: in any case and spacing, look-alikes folded. None where its
    /// check symbol says that it was mistyped.
    pub fn read(text: &str) -> Option<PassCode> {
        let parts = [PLAN_SYMBOLS, 1, SERIAL_SYMBOLS, TAG_SYMBOLS];
        let [prefix, generation, serial, tag] =
            symbols::read::<{ BODY_SYMBOLS + 1 }, 4>(text, parts)?;
        let generation = Generation(u8::try_from(generation).ok()?);
        Some(PassCode { generation, prefix, serial, tag })
    }

    /// Whether it says that its pass is of this plan.
    pub fn names(&self, plan: &PlanId) -> bool {
        self.prefix == code_prefix(plan)
    }
}

/// What plans are told apart by in a code; the plans of one programme differ in it.
pub fn code_prefix(plan: &PlanId) -> u64 {
    leading(&Sha256::digest(plan.as_str().as_bytes()), PLAN_SYMBOLS)
}

/// The serial of the pass that is issued under a key; no secret, and the same under every
/// generation. Where another pass has taken it already, the next attempt is tried.
pub fn issued_serial(plan: &PlanId, key: &Key, attempt: u32) -> u64 {
    leading(&Sha256::digest(format!("serial\n{plan}\n{attempt}\n{key}")), SERIAL_SYMBOLS)
}

impl PassId {
    /// Reads `<plan>.<serial>`, as it is shown.
    pub fn parse(text: &str) -> Option<PassId> {
        let (plan, serial) = text.rsplit_once('.')?;
        let digits = serial.bytes().all(|byte| byte.is_ascii_digit());
        let shown = digits && (serial == "0" || !serial.starts_with('0'));
        let serial = serial.parse().ok().filter(|serial| shown && *serial < SERIALS)?;
        Some(PassId { plan: PlanId::parse(plan).ok()?, serial })
    }
}
