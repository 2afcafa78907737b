//! Codes of passes: short enough to type, and nobody without the key can make one.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::id::{Key, PlanId};
use crate::pass::PassId;

/// Crockford's base 32: no I, L, O, U.
pub(super) const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PLAN_SYMBOLS: usize = 3;
const SERIAL_SYMBOLS: usize = 7;
/// 60 bits.
const TAG_SYMBOLS: usize = 12;
const BODY_SYMBOLS: usize = PLAN_SYMBOLS + 1 + SERIAL_SYMBOLS + TAG_SYMBOLS;
const GROUP: usize = 4;
/// Characters of a code as it is printed: six groups of four, and what stands between them.
pub const CODE_LENGTH: usize = BODY_SYMBOLS + 1 + BODY_SYMBOLS / GROUP;
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
        let mut mac = self.0.get(usize::from(generation.0))?.clone();
        mac.update(b"plan\n");
        mac.update(plan.as_str().as_bytes());
        // A key of any length is valid for HMAC, so this cannot fail.
        let mac = Hmac::new_from_slice(&mac.finalize().into_bytes()).ok()?;
        Some(PlanKey { generation, prefix: code_prefix(plan), mac })
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
        let mut code = String::with_capacity(CODE_LENGTH);
        let mut check = 0;
        let mut write = |bits: u64, symbols: usize| {
            for at in (0..symbols).rev() {
                let value = low_bits(bits >> (5 * at));
                check = times_alpha(check ^ value);
                push(&mut code, value);
            }
        };
        write(self.prefix, PLAN_SYMBOLS);
        write(u64::from(self.generation.0), 1);
        write(serial, SERIAL_SYMBOLS);
        write(tag, TAG_SYMBOLS);
        push(&mut code, check);
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
        let mut symbols = [0; BODY_SYMBOLS + 1];
        let mut length = 0;
        for symbol in text.chars().filter(|c| !matches!(c, '-' | '_' | '.') && !c.is_whitespace()) {
            *symbols.get_mut(length)? = value(symbol)?;
            length += 1;
        }
        let (body, check) = symbols.split_at(BODY_SYMBOLS);
        if length != symbols.len() || check != [check_symbol(body)] {
            return None;
        }
        let mut rest = body;
        let mut read = |symbols: usize| {
            let (first, others) = rest.split_at(symbols);
            rest = others;
            first.iter().fold(0, |bits, value| (bits << 5) | u64::from(*value))
        };
        let prefix = read(PLAN_SYMBOLS);
        let generation = Generation(u8::try_from(read(1)).ok()?);
        Some(PassCode { generation, prefix, serial: read(SERIAL_SYMBOLS), tag: read(TAG_SYMBOLS) })
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

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |bits, byte| (bits << 8) | u64::from(*byte))
}

/// The first five bits for each symbol of a digest.
fn leading(digest: &[u8], symbols: usize) -> u64 {
    number(&digest[..8]) >> (64 - 5 * symbols)
}

fn low_bits(bits: u64) -> u8 {
    (bits & 31) as u8
}

fn push(code: &mut String, value: u8) {
    if code.len() % (GROUP + 1) == GROUP {
        code.push('-');
    }
    code.push(char::from(SYMBOLS[usize::from(value)]));
}

fn value(symbol: char) -> Option<u8> {
    let symbol = match symbol.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let at = SYMBOLS.iter().position(|known| char::from(*known) == symbol)?;
    u8::try_from(at).ok()
}

/// The check symbol makes the code a polynomial over GF(32) that is zero at α: as the powers of α up
/// to 30 all differ, one wrong symbol is always noticed, and so are any two that changed places.
fn check_symbol(body: &[u8]) -> u8 {
    body.iter().fold(0, |check, value| times_alpha(check ^ value))
}

/// Multiplies by α, a root of the primitive polynomial x^5 + x^2 + 1.
fn times_alpha(value: u8) -> u8 {
    let shifted = value << 1;
    if shifted & 32 == 0 { shifted } else { shifted ^ 0b10_0101 }
}
