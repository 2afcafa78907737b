//! The texts of a record, each once.

use domain::id::{BalanceCode, Classification, EventId, IdError, Key, OfferId, PlanId, UnitId};

use crate::error::{Error, Result};

/// Index into the names of a record.
pub type Name = u16;

/// Collects texts while a record is made.
#[derive(Default)]
pub struct Names(pub Vec<String>);

/// Reads texts while a record is read.
pub struct Texts<'a>(pub &'a [String]);

impl Names {
    /// The index of a text, which joins the list if it is new.
    pub fn add(&mut self, text: &str) -> Result<Name> {
        let at = match self.0.iter().position(|known| known == text) {
            Some(at) => at,
            None => {
                self.0.push(text.to_owned());
                self.0.len() - 1
            }
        };
        Name::try_from(at).map_err(|_| Error::Corrupt("record with too many names"))
    }

    /// Likewise for a text that may be missing.
    pub fn add_some(&mut self, text: Option<&str>) -> Result<Option<Name>> {
        text.map(|text| self.add(text)).transpose()
    }
}

impl Texts<'_> {
    fn parse<T>(&self, name: Name, parse: impl Fn(&str) -> Result2<T>) -> Result<T> {
        let text = self.0.get(usize::from(name)).ok_or(Error::Corrupt("name out of range"))?;
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

    pub fn event(&self, name: Name) -> Result<EventId> {
        self.parse(name, EventId::parse)
    }

    pub fn key(&self, name: Name) -> Result<Key> {
        self.parse(name, Key::parse)
    }

    pub fn classification(&self, name: Name) -> Result<Classification> {
        self.parse(name, Classification::parse)
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
