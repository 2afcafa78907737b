//! Codes and PINs, and how they are found in any spelling.

use std::collections::HashSet;

use scenarios::client::Answer;

/// Symbols of a code's tag: whoever has it has the code, as all else in it can be guessed.
const TAG: u32 = 12;
const SYMBOLS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A pass as it was handed out.
#[derive(Clone)]
pub struct Card {
    pub id: String,
    pub code: String,
    pub pin: Option<String>,
    /// The one that it was made with, where it was changed.
    pub old_pin: Option<String>,
}

impl Card {
    /// A row of the print file.
    pub fn row(line: &str) -> Card {
        let [serial, code, pin]: [&str; 3] =
            line.split(',').collect::<Vec<_>>().try_into().unwrap();
        let (id, code) = (format!("gift-card.{serial}"), code.to_owned());
        Card { id, code, pin: Some(pin.to_owned()), old_pin: None }
    }

    /// The answer to an issue.
    pub fn issued(answer: &Answer) -> Card {
        let text = |name: &str| answer.body[name].as_str().map(str::to_owned);
        let (id, code) = (text("pass_id").unwrap(), text("code").unwrap());
        Card { id, code, pin: text("pin"), old_pin: None }
    }

    /// The code as one of many people types it.
    pub fn typed(&self, at: usize) -> String {
        match at % 4 {
            0 => self.code.clone(),
            1 => self.code.to_lowercase(),
            2 => self.code.replace('-', ""),
            _ => self.code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l"),
        }
    }
}

/// What must not be found.
pub struct Secrets {
    tags: HashSet<u64>,
    pins: HashSet<Vec<u8>>,
}

fn symbol(byte: u8) -> Option<u64> {
    let folded = match byte.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    SYMBOLS.bytes().position(|known| known == folded).map(|at| at as u64)
}

impl Secrets {
    /// Of these passes: their codes, the PINs that they have and those that they had.
    pub fn of(cards: &[Card]) -> Secrets {
        let tag = |card: &Card| {
            let symbols: Vec<u64> = card.code.bytes().filter_map(symbol).collect();
            let tag = &symbols[symbols.len() - 1 - TAG as usize..symbols.len() - 1];
            tag.iter().fold(0, |bits, symbol| (bits << 5) | symbol)
        };
        let pins = cards.iter().flat_map(|card| card.pin.iter().chain(&card.old_pin));
        let secrets = Secrets {
            tags: cards.iter().map(tag).collect(),
            pins: pins.map(|pin| pin.as_bytes().to_vec()).collect(),
        };
        for (at, card) in cards.iter().enumerate() {
            let typed = format!("?{}?", card.typed(at));
            assert!(secrets.in_bytes(typed.as_bytes()).is_some(), "it finds nothing");
        }
        secrets
    }

    /// The first that stands in these bytes, if one does.
    pub fn in_bytes(&self, bytes: &[u8]) -> Option<String> {
        self.code_in(bytes).or_else(|| self.pin_in(bytes))
    }

    /// The first code, in any spelling.
    pub fn code_in(&self, bytes: &[u8]) -> Option<String> {
        let (mut bits, mut run) = (0_u64, 0);
        for (at, byte) in bytes.iter().enumerate() {
            if matches!(byte, b'-' | b'_' | b'.' | b' ') {
                continue;
            }
            let Some(symbol) = symbol(*byte) else {
                run = 0;
                continue;
            };
            bits = ((bits << 5) | symbol) & ((1 << (5 * TAG)) - 1);
            run += 1;
            if run >= TAG && self.tags.contains(&bits) {
                return Some(around(bytes, at));
            }
        }
        None
    }

    /// The first PIN: six digits between other things than letters and digits: within longer numbers and ids they
    /// stand by chance.
    pub fn pin_in(&self, bytes: &[u8]) -> Option<String> {
        let mut at = 0;
        for word in bytes.split(|byte| !byte.is_ascii_alphanumeric()) {
            if word.len() == 6 && self.pins.contains(word) {
                return Some(around(bytes, at));
            }
            at += word.len() + 1;
        }
        None
    }
}

fn around(bytes: &[u8], at: usize) -> String {
    let part = &bytes[at.saturating_sub(40)..bytes.len().min(at + 40)];
    String::from_utf8_lossy(part).into_owned()
}
