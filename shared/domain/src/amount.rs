//! Amounts in integer minor units, exact decimal rates, and the one rounding rule.

use std::cmp::Ordering;
use std::fmt;

use thiserror::Error;

/// Largest magnitude of an amount in minor units: small enough that no sum of a wallet overflows.
pub const MAX_MINOR: i64 = 1_000_000_000_000_000;

/// An amount in the minor units of a balance or currency; may be negative in a ledger row only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub i64);

/// Number of decimals that a balance or currency has (0–6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimals(u8);

/// An exact, non-negative decimal: `mantissa / 10^scale`. Percentages and the worth of a balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    mantissa: i64,
    scale: u8,
}

/// Why a text is not the number asked for.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum AmountError {
    #[error("is not a decimal number")]
    NotANumber,
    #[error("has more decimals than its unit")]
    TooPrecise,
    #[error("is too large")]
    TooLarge,
    #[error("must not be negative")]
    Negative,
}

impl Decimals {
    /// Whole units only.
    pub const NONE: Decimals = Decimals(0);

    /// At most 6 decimals, so that products of amounts and rates stay within 128 bits.
    pub fn new(count: u8) -> Option<Self> {
        (count <= 6).then_some(Self(count))
    }

    /// The number of decimals.
    pub fn count(self) -> u8 {
        self.0
    }

    fn factor(self) -> i128 {
        10_i128.pow(u32::from(self.0))
    }
}

/// Digits of a plain decimal: sign, mantissa and scale, trailing zeros of the fraction dropped.
fn parse_decimal(text: &str) -> Result<(bool, i64, u8), AmountError> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(fraction) {
        return Err(AmountError::NotANumber);
    }
    let fraction = fraction.trim_end_matches('0');
    let whole = whole.trim_start_matches('0');
    if whole.len() + fraction.len() > 18 {
        let excess = if whole.len() > 16 { AmountError::TooLarge } else { AmountError::TooPrecise };
        return Err(excess);
    }
    let mantissa = format!("0{whole}{fraction}").parse().map_err(|_| AmountError::TooLarge)?;
    let scale = u8::try_from(fraction.len()).map_err(|_| AmountError::TooPrecise)?;
    Ok((negative, mantissa, scale))
}

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);

    /// Reads a non-negative decimal in major units; more decimals than the unit has is an error.
    pub fn parse(text: &str, decimals: Decimals) -> Result<Amount, AmountError> {
        let (negative, mantissa, scale) = parse_decimal(text)?;
        if negative && mantissa != 0 {
            return Err(AmountError::Negative);
        }
        if scale > decimals.0 {
            return Err(AmountError::TooPrecise);
        }
        let minor = i128::from(mantissa) * 10_i128.pow(u32::from(decimals.0 - scale));
        bounded(minor)
    }

    /// Writes the amount in major units with exactly the unit's decimals: `9.20`, `-3`.
    pub fn show(self, decimals: Decimals) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (minor, factor) = (i128::from(self.0).abs(), decimals.factor());
        if decimals.0 == 0 {
            return format!("{sign}{minor}");
        }
        let width = usize::from(decimals.0);
        format!("{sign}{}.{:0width$}", minor / factor, minor % factor)
    }

    /// The sum; `TooLarge` beyond [`MAX_MINOR`].
    pub fn plus(self, other: Amount) -> Result<Amount, AmountError> {
        within(self.0.checked_add(other.0))
    }

    /// `quantity` times this amount; `TooLarge` beyond [`MAX_MINOR`].
    pub fn times(self, quantity: u32) -> Result<Amount, AmountError> {
        within(self.0.checked_mul(i64::from(quantity)))
    }

    /// What is left after `other`, never below nothing.
    pub fn less(self, other: Amount) -> Amount {
        Amount(self.0.saturating_sub(other.0).max(0))
    }

    /// Compares as numbers of the major unit: 1 point with 1.00 EUR.
    pub fn compare(self, decimals: Decimals, other: Amount, others: Decimals) -> Ordering {
        let number = |amount: Amount, factor: Decimals| i128::from(amount.0) * factor.factor();
        number(self, others).cmp(&number(other, decimals))
    }

    /// Whether this is nothing.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

fn bounded(minor: i128) -> Result<Amount, AmountError> {
    within(i64::try_from(minor).ok())
}

fn within(minor: Option<i64>) -> Result<Amount, AmountError> {
    let fits = |minor: &i64| (-MAX_MINOR..=MAX_MINOR).contains(minor);
    minor.filter(fits).map(Amount).ok_or(AmountError::TooLarge)
}

impl Rate {
    /// Nothing.
    pub const ZERO: Rate = Rate { mantissa: 0, scale: 0 };

    /// One to one.
    pub const ONE: Rate = Rate { mantissa: 1, scale: 0 };

    /// Reads a non-negative decimal of at most 9 decimals.
    pub fn parse(text: &str) -> Result<Rate, AmountError> {
        let (negative, mantissa, scale) = parse_decimal(text)?;
        if negative && mantissa != 0 {
            return Err(AmountError::Negative);
        }
        if scale > 9 {
            return Err(AmountError::TooPrecise);
        }
        if mantissa > MAX_MINOR {
            return Err(AmountError::TooLarge);
        }
        Ok(Rate { mantissa, scale })
    }

    /// Whether the rate is nothing.
    pub fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Whether it is more than this whole number.
    pub fn exceeds(self, whole: u32) -> bool {
        i128::from(self.mantissa) > i128::from(whole) * self.denominator()
    }

    fn denominator(self) -> i128 {
        10_i128.pow(u32::from(self.scale))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = Decimals(self.scale);
        write!(out, "{}", Amount(self.mantissa).show(shown))
    }
}

/// The one rounding rule: towards nothing, to the minor unit of the target. A programme never
/// gives, and a spend never covers, a fraction of a minor unit.
fn round(numerator: i128, denominator: i128) -> Result<Amount, AmountError> {
    bounded(numerator / denominator)
}

/// The share of an amount that `part` of `whole` has in it: at most all of it, and nothing of
/// nothing.
pub fn share_of(amount: Amount, part: i64, whole: i64) -> Amount {
    if part >= whole {
        return if whole == 0 { Amount::ZERO } else { amount };
    }
    let numerator = i128::from(amount.0) * i128::from(part.max(0));
    round(numerator, i128::from(whole)).unwrap_or(Amount::ZERO)
}

/// `percentage` % of an amount, read as a number of the target's major unit: 10 % of 92.00 EUR is
/// 9 points, and 9.20 of a balance with two decimals.
pub fn percentage_of(
    percentage: Rate,
    amount: Amount,
    from: Decimals,
    to: Decimals,
) -> Result<Amount, AmountError> {
    let numerator = scaled(i128::from(percentage.mantissa), amount, to)?;
    round(numerator, percentage.denominator() * 100 * from.factor())
}

/// What `amount` of a balance is worth in currency.
pub fn worth_of(
    amount: Amount,
    worth: Rate,
    balance: Decimals,
    currency: Decimals,
) -> Result<Amount, AmountError> {
    let numerator = scaled(i128::from(worth.mantissa), amount, currency)?;
    round(numerator, worth.denominator() * balance.factor())
}

/// What parts of a balance, each at its own worth, come to in currency, rounded once.
pub fn worth_of_parts(
    parts: &[(Amount, Rate)],
    balance: Decimals,
    currency: Decimals,
) -> Result<Amount, AmountError> {
    let scale = parts.iter().map(|(_, worth)| worth.scale).max().unwrap_or(0);
    let mut numerator = 0_i128;
    for (amount, worth) in parts {
        let raised = 10_i128.pow(u32::from(scale - worth.scale));
        let part = i128::from(worth.mantissa)
            .checked_mul(raised)
            .ok_or(AmountError::TooLarge)
            .and_then(|factor| scaled(factor, *amount, currency))?;
        numerator = numerator.checked_add(part).ok_or(AmountError::TooLarge)?;
    }
    round(numerator, 10_i128.pow(u32::from(scale)) * balance.factor())
}

/// The most of a balance that is worth no more than `currency_amount`.
pub fn most_worth(
    currency_amount: Amount,
    worth: Rate,
    balance: Decimals,
    currency: Decimals,
) -> Result<Amount, AmountError> {
    if worth.is_zero() {
        return Ok(Amount::ZERO);
    }
    let numerator = scaled(worth.denominator(), currency_amount, balance)?;
    round(numerator, i128::from(worth.mantissa) * currency.factor())
}

/// What an amount is worth, exact, for comparing amounts of different balances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Worth(i128);

impl Worth {
    /// In units of 10^-15 of the currency's major unit.
    pub fn of(amount: Amount, worth: Rate, balance: Decimals) -> Worth {
        let scale = 15 - u32::from(worth.scale) - u32::from(balance.0);
        let product = i128::from(amount.0) * i128::from(worth.mantissa);
        Worth(product.saturating_mul(10_i128.pow(scale)))
    }
}

/// What a balance is worth, for sums of both that must not be rounded on the way: in fractions of
/// which the minor units of balance and currency are multiples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// Fractions of a minor unit of the balance; of a balance that is worth nothing: none.
    balance: i128,
    /// Fractions of a minor unit of the currency.
    currency: i128,
}

impl Ratio {
    /// That of a balance.
    pub fn of_worth(worth: Rate, balance: Decimals, currency: Decimals) -> Ratio {
        Ratio {
            balance: i128::from(worth.mantissa) * currency.factor(),
            currency: worth.denominator() * balance.factor(),
        }
    }

    /// Fractions of an amount of the balance.
    pub fn of_balance(self, amount: Amount) -> i128 {
        i128::from(amount.0) * self.balance
    }

    /// Fractions of an amount in currency.
    pub fn of_currency(self, amount: Amount) -> i128 {
        i128::from(amount.0) * self.currency
    }

    /// The most of the balance that is no more than these fractions.
    pub fn to_balance(self, fractions: i128) -> Amount {
        let whole = fractions.checked_div(self.balance);
        Amount(whole.and_then(|whole| i64::try_from(whole).ok()).unwrap_or(0))
    }
}

fn scaled(factor: i128, amount: Amount, to: Decimals) -> Result<i128, AmountError> {
    factor
        .checked_mul(i128::from(amount.0))
        .and_then(|product| product.checked_mul(to.factor()))
        .ok_or(AmountError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimals(count: u8) -> Decimals {
        Decimals::new(count).unwrap()
    }

    #[test]
    fn texts_are_read_exactly_or_refused() {
        let read = |text: &str| Amount::parse(text, decimals(2)).map(|a| a.0);
        let cases = [
            ("0", Ok(0)),
            ("9.2", Ok(920)),
            ("9.200", Ok(920)),
            ("0009.20", Ok(920)),
            ("-0", Ok(0)),
            ("10000000000000.00", Ok(MAX_MINOR)),
            ("10000000000000.01", Err(AmountError::TooLarge)),
            ("99999999999999999999999", Err(AmountError::TooLarge)),
            ("9.205", Err(AmountError::TooPrecise)),
            ("-1", Err(AmountError::Negative)),
            ("", Err(AmountError::NotANumber)),
            (".5", Err(AmountError::NotANumber)),
            ("5.", Err(AmountError::NotANumber)),
            ("1e3", Err(AmountError::NotANumber)),
            ("+1", Err(AmountError::NotANumber)),
            ("1,5", Err(AmountError::NotANumber)),
            ("٣", Err(AmountError::NotANumber)),
        ];
        for (text, want) in cases {
            assert_eq!(read(text), want, "{text:?}");
        }
    }

    #[test]
    fn percentages_round_down_to_the_minor_unit_of_the_balance() {
        let cases = [
            ("10", 9200, 0, 9),
            ("10", 9200, 2, 920),
            ("10", 9999, 0, 9),
            ("10", 10000, 0, 10),
            ("10", 999, 0, 0),
            ("0.5", 19999, 2, 99),
            ("33.333333333", 300, 2, 99),
            ("0", 9200, 2, 0),
            ("100", 1, 2, 1),
        ];
        for (rate, amount, to, want) in cases {
            let rate = Rate::parse(rate).unwrap();
            let got = percentage_of(rate, Amount(amount), decimals(2), decimals(to)).unwrap();
            assert_eq!(got.0, want, "{rate} % of {amount}");
        }
    }

    #[test]
    fn worth_and_its_inverse_never_exceed_the_purchase() {
        for worth in ["0.01", "0.03", "1", "0.5", "2.5", "0.333"] {
            let worth = Rate::parse(worth).unwrap();
            for open in 0..200 {
                let most = most_worth(Amount(open), worth, decimals(0), decimals(2)).unwrap();
                let covered = worth_of(most, worth, decimals(0), decimals(2)).unwrap();
                let next = worth_of(Amount(most.0 + 1), worth, decimals(0), decimals(2)).unwrap();
                assert!(covered.0 <= open && next.0 >= open, "{worth} {open}");
            }
        }
    }

    #[test]
    fn what_is_shown_is_read_back() {
        for (minor, count, shown) in
            [(920, 2, "9.20"), (5, 2, "0.05"), (7, 0, "7"), (0, 3, "0.000")]
        {
            assert_eq!(Amount(minor).show(decimals(count)), shown);
            assert_eq!(Amount::parse(shown, decimals(count)), Ok(Amount(minor)));
        }
        assert_eq!(Amount(-305).show(decimals(2)), "-3.05");
    }
}
