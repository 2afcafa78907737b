//! The texts of a record, each once.

use std::sync::Arc;

use domain::id::{
    BalanceCode, Classification, ConversionId, CouponId, EventId, IdError, Key, OfferId,
    ParticipantId, PlanId, UnitId,
};
use domain::terms::Terms;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Index into the names of a record.
pub type Name = u16;

/// Collects texts while a record is made.
#[derive(Default)]
pub struct Names {
    pub texts: Vec<String>,
    /// Conditions of the lots in it, each once.
    pub terms: Vec<Arc<Terms>>,
}

/// Reads texts while a record is read.
pub struct Texts<'a> {
    pub texts: &'a [String],
    pub terms: &'a [Arc<Terms>],
}

/// A text by what it shares with the one before: references of one till differ in their last
/// characters.
#[derive(Serialize, Deserialize)]
pub struct FrontCoded(u8, String);

impl FrontCoded {
    /// The texts as they were.
    pub fn read(coded: &[FrontCoded]) -> Result<Vec<String>> {
        let mut texts: Vec<String> = Vec::new();
        for FrontCoded(shared, rest) in coded {
            let before = texts.last().map_or("", String::as_str);
            let front = before.get(..usize::from(*shared));
            let front = front.ok_or(Error::Corrupt("name shares more than there is"))?;
            texts.push(format!("{front}{rest}"));
        }
        Ok(texts)
    }
}

impl Names {
    /// The texts, each by what it shares with the one before.
    pub fn front_coded(&self) -> Vec<FrontCoded> {
        let mut before = "";
        let coded = self.texts.iter().map(|text| {
            let same = |(a, b): &(char, char)| a == b;
            let shared = before.chars().zip(text.chars()).take_while(same);
            let shared: usize = shared.map(|(a, _)| a.len_utf8()).sum();
            let shared = if u8::try_from(shared).is_ok() { shared } else { 0 };
            before = text;
            FrontCoded(u8::try_from(shared).unwrap_or(0), text[shared..].to_owned())
        });
        coded.collect()
    }

    /// The index of a text, which joins the list if it is new.
    pub fn add(&mut self, text: &str) -> Result<Name> {
        let at = match self.texts.iter().position(|known| known == text) {
            Some(at) => at,
            None => {
                self.texts.push(text.to_owned());
                self.texts.len() - 1
            }
        };
        Name::try_from(at).map_err(|_| Error::Corrupt("record with too many names"))
    }

    /// Likewise for a text that may be missing.
    pub fn add_some(&mut self, text: Option<&str>) -> Result<Option<Name>> {
        text.map(|text| self.add(text)).transpose()
    }

    /// The index of conditions, which join their list if they are new.
    pub fn add_terms(&mut self, terms: &Arc<Terms>) -> Result<Name> {
        let same = |known: &Arc<Terms>| Arc::ptr_eq(known, terms) || known == terms;
        let at = self.terms.iter().position(same).unwrap_or_else(|| {
            self.terms.push(Arc::clone(terms));
            self.terms.len() - 1
        });
        Name::try_from(at).map_err(|_| Error::Corrupt("record with too many conditions"))
    }
}

impl Texts<'_> {
    pub fn parse<T>(&self, name: Name, parse: impl Fn(&str) -> Result2<T>) -> Result<T> {
        let text = self.texts.get(usize::from(name)).ok_or(Error::Corrupt("name out of range"))?;
        parse(text).map_err(|_| Error::Corrupt("name is no identifier"))
    }

    pub fn balance(&self, name: Name) -> Result<BalanceCode> {
        self.parse(name, BalanceCode::parse)
    }

    pub fn offer(&self, name: Name) -> Result<OfferId> {
        self.parse(name, OfferId::parse)
    }

    pub fn unit(&self, name: Name) -> Result<UnitId> {
        self.parse(name, UnitId::parse)
    }

    pub fn plan(&self, name: Name) -> Result<PlanId> {
        self.parse(name, PlanId::parse)
    }

    pub fn conversion(&self, name: Name) -> Result<ConversionId> {
        self.parse(name, ConversionId::parse)
    }

    pub fn coupon(&self, name: Name) -> Result<CouponId> {
        self.parse(name, CouponId::parse)
    }

    pub fn participant(&self, name: Name) -> Result<ParticipantId> {
        self.parse(name, ParticipantId::parse)
    }

    pub fn event(&self, name: Name) -> Result<EventId> {
        self.parse(name, EventId::parse)
    }

    pub fn key(&self, name: Name) -> Result<Key> {
        self.parse(name, Key::parse)
    }

    pub fn classification(&self, name: Name) -> Result<Classification> {
        self.parse(name, Classification::parse)
    }

    pub fn terms(&self, name: Name) -> Result<Arc<Terms>> {
        let terms = self.terms.get(usize::from(name));
        terms.cloned().ok_or(Error::Corrupt("conditions out of range"))
    }

    pub fn text(&self, name: Name) -> Result<Box<str>> {
        self.parse(name, |text| Ok(text.into()))
    }
}

type Result2<T> = std::result::Result<T, IdError>;

/// Reads what may be missing.
pub fn some<T>(name: Option<Name>, read: impl Fn(Name) -> Result<T>) -> Result<Option<T>> {
    name.map(read).transpose()
}
