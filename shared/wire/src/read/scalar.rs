//! Values that are no object and no list: texts, numbers, times.

use std::fmt::Display;
use std::ops::RangeInclusive;

use chrono::NaiveDate;
use domain::amount::{Amount, AmountError, Decimals, Rate};
use domain::time::{Duration, Instant, parse_instant};
use serde_json::Value;

use crate::fault::code;
use crate::read::Node;

impl<'a> Node<'a> {
    /// Any text.
    pub fn text(&self) -> Option<&'a str> {
        self.value.as_str().or_else(|| self.refuse(code::TYPE, "must be text"))
    }

    /// A text of 1 to `most` characters, none of them a control character.
    pub fn label(&self, most: usize) -> Option<Box<str>> {
        let text = self.text()?;
        if !(1..=most).contains(&text.chars().count()) {
            return self.refuse(code::LENGTH, format!("must have 1 to {most} characters"));
        }
        if text.chars().any(char::is_control) {
            return self.refuse(code::PATTERN, "must not have control characters");
        }
        Some(text.into())
    }

    /// A text that parses into a value of the domain; the error says what is expected.
    pub fn parsed<T, E: Display>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        match parse(self.text()?) {
            Ok(parsed) => Some(parsed),
            Err(expected) => self.refuse(code::PATTERN, expected),
        }
    }

    /// True or false.
    pub fn flag(&self) -> Option<bool> {
        self.value.as_bool().or_else(|| self.refuse(code::TYPE, "must be true or false"))
    }

    /// A whole number within a range.
    pub fn integer(&self, range: RangeInclusive<u32>) -> Option<u32> {
        if !self.value.is_number() {
            return self.refuse(code::TYPE, "must be a whole number");
        }
        let number = self.value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.filter(|number| range.contains(number)).or_else(|| {
            let (least, most) = (range.start(), range.end());
            self.refuse(code::RANGE, format!("must be a whole number from {least} to {most}"))
        })
    }

    /// An amount of at least nothing in a unit with these decimals: text, or a number, whose
    /// literal text is read.
    pub fn amount(&self, decimals: Decimals) -> Option<Amount> {
        let text = self.decimal()?;
        let most = decimals.count();
        Amount::parse(&text, decimals).map_err(|error| self.number_fault(error, most)).ok()
    }

    /// An amount of more than nothing.
    pub fn positive(&self, decimals: Decimals) -> Option<Amount> {
        let amount = self.amount(decimals)?;
        if amount.is_zero() {
            return self.refuse(code::RANGE, "must be more than 0");
        }
        Some(amount)
    }

    /// An amount of more or of less than nothing.
    pub fn signed(&self, decimals: Decimals) -> Option<Amount> {
        let text = self.decimal()?;
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.as_str()),
        };
        if digits.starts_with('-') {
            self.number_fault(AmountError::NotANumber, decimals.count());
            return None;
        }
        let parsed = Amount::parse(digits, decimals);
        let amount = parsed.map_err(|error| self.number_fault(error, decimals.count())).ok()?;
        if amount.is_zero() {
            return self.refuse(code::RANGE, "must not be 0");
        }
        Some(if negative { Amount(-amount.0) } else { amount })
    }

    /// An exact rate: a percentage, a worth.
    pub fn rate(&self) -> Option<Rate> {
        let text = self.decimal()?;
        Rate::parse(&text).map_err(|error| self.number_fault(error, 9)).ok()
    }

    fn decimal(&self) -> Option<String> {
        match self.value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                self.refuse(code::TYPE, "must be a decimal number, best as text: \"12.50\"")
            }
        }
    }

    fn number_fault(&self, error: AmountError, most: u8) {
        match error {
            AmountError::NotANumber => {
                self.fault(code::PATTERN, "must be a plain decimal number such as 12.50");
            }
            AmountError::TooPrecise => {
                self.fault(
                    code::PRECISION,
                    format!("must have at most {most} decimals: it is never rounded"),
                );
            }
            AmountError::TooLarge => self.fault(code::RANGE, "is too large"),
            AmountError::Negative => self.fault(code::RANGE, "must not be negative"),
        }
    }

    /// An RFC 3339 time with an offset.
    pub fn instant(&self) -> Option<Instant> {
        let expected = "must be a time with an offset (RFC 3339): 2026-11-21T10:15:00+01:00";
        self.parsed(|text| parse_instant(text).ok_or(expected))
    }

    /// A time at most 5 minutes ahead of `now`.
    pub fn past(&self, now: Instant) -> Option<Instant> {
        let at = self.instant()?;
        if at > now.plus_minutes(5) {
            return self.refuse(code::IN_FUTURE, "must be at most 5 minutes ahead");
        }
        Some(at)
    }

    /// An ISO 8601 duration.
    pub fn duration(&self) -> Option<Duration> {
        self.parsed(Duration::parse)
    }

    /// A calendar date.
    pub fn date(&self) -> Option<NaiveDate> {
        let parse = |text: &str| (text.len() == 10).then(|| text.parse().ok()).flatten();
        self.parsed(|text| parse(text).ok_or("must be a date: 2026-12-31"))
    }

    /// One of the values that the contract lists; none in its place: known, and not done yet.
    pub fn choice<T: Copy>(&self, values: &[(&str, Option<T>)]) -> Option<T> {
        let text = self.text()?;
        match values.iter().find(|(name, _)| *name == text) {
            Some((_, Some(value))) => Some(*value),
            Some((name, None)) => {
                self.refuse(code::NOT_SUPPORTED, format!("\"{name}\" is not supported yet"))
            }
            None => {
                let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
                let names = names.join(", ");
                self.refuse(code::UNKNOWN_VALUE, format!("must be one of {names}"))
            }
        }
    }
}
