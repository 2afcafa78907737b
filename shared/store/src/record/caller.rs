//! Records of callers' keys.

use domain::id::Key;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::names::{Name, Names, Texts};
use crate::error::{Error, Result};

/// A caller's key: most are UUIDs, and short.
#[derive(Serialize, Deserialize)]
pub enum CallerKey {
    Uuid([u8; 16]),
    Text(Name),
}

/// The sixteen bytes of a UUID in its usual form; every other spelling is another key.
pub fn uuid_bytes(key: &Key) -> Option<[u8; 16]> {
    let uuid = Uuid::try_parse(key.as_str()).ok()?;
    (uuid.to_string() == key.as_str()).then(|| uuid.into_bytes())
}

pub fn caller_key(names: &mut Names, key: &Key) -> Result<CallerKey> {
    Ok(match uuid_bytes(key) {
        Some(bytes) => CallerKey::Uuid(bytes),
        None => CallerKey::Text(names.add(key.as_str())?),
    })
}

pub fn read_caller_key(texts: &Texts<'_>, record: &CallerKey) -> Result<Key> {
    match record {
        CallerKey::Uuid(bytes) => uuid_key(*bytes),
        CallerKey::Text(name) => texts.key(*name),
    }
}

pub fn uuid_key(bytes: [u8; 16]) -> Result<Key> {
    let text = Uuid::from_bytes(bytes).to_string();
    Key::parse(&text).map_err(|_| Error::Corrupt("key is no key"))
}
