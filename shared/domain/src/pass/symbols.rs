//! The symbols that codes are written in, with one that tells what was mistyped.

/// Crockford's base 32: no I, L, O, U.
pub(super) const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP: usize = 4;

/// Characters of a code of so many symbols, with what stands between its groups of four.
pub(crate) const fn length(symbols: usize) -> usize {
    symbols + (symbols - 1) / GROUP
}

/// Writes numbers, each in so many symbols, and the check symbol. At most 30 symbols in all.
pub(crate) fn write(parts: &[(u64, usize)]) -> String {
    let symbols: usize = parts.iter().map(|(_, symbols)| symbols).sum();
    let mut code = String::with_capacity(length(symbols + 1));
    let mut check = 0;
    for (bits, symbols) in parts {
        for at in (0..*symbols).rev() {
            let value = low_bits(bits >> (5 * at));
            check = times_alpha(check ^ value);
            push(&mut code, value);
        }
    }
    push(&mut code, check);
    code
}

/// Reads the numbers of a code of `N` symbols as people type it: in any case and spacing,
/// look-alikes folded. None where its check symbol says that it was mistyped.
pub(crate) fn read<const N: usize, const PARTS: usize>(
    text: &str,
    parts: [usize; PARTS],
) -> Option<[u64; PARTS]> {
    let mut symbols = [0; N];
    let mut length = 0;
    for symbol in text.chars().filter(|c| !matches!(c, '-' | '_' | '.') && !c.is_whitespace()) {
        *symbols.get_mut(length)? = value(symbol)?;
        length += 1;
    }
    let (check, body) = symbols.split_last()?;
    if length != N || *check != check_symbol(body) {
        return None;
    }
    let mut rest = body.iter();
    Some(parts.map(|symbols| {
        rest.by_ref().take(symbols).fold(0, |bits, value| (bits << 5) | u64::from(*value))
    }))
}

/// The first five bits for each symbol of a digest.
pub(crate) fn leading(digest: &[u8], symbols: usize) -> u64 {
    number(&digest[..8]) >> (64 - 5 * symbols)
}

pub(super) fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |bits, byte| (bits << 8) | u64::from(*byte))
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
