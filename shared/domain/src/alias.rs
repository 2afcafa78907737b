//! Aliases: other names that a participant is found by, known by keyed hashes alone.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::id::is_printable;

/// Most aliases of a participant.
pub const MAX_ALIASES: usize = 20;
/// Bytes that a key has at least.
const KEY_BYTES: usize = 32;
/// Most keys: an alias is looked for under each of them.
const MAX_KEYS: usize = 4;
/// What a key begins with that is looked under, and not used for new aliases yet.
const NEXT: &str = "next:";

/// What kind of name an alias is; the same text of another kind is another alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AliasKind {
    /// The id in another system.
    ExternalId,
    /// The number of a bank or loyalty card.
    Card,
    Email,
}

/// An alias as it was sent, in the form in which it is compared; personal, so it is never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Alias {
    kind: AliasKind,
    value: Box<str>,
}

/// The keyed hash of an alias: all that is kept of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AliasMark {
    pub kind: AliasKind,
    /// HMAC-SHA256.
    pub hash: [u8; 32],
}

/// An alias under each of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marks {
    /// Under the key of new aliases.
    pub current: AliasMark,
    /// Under the others: older ones, and the next.
    pub others: Vec<AliasMark>,
}

/// The keys of aliases. A secret, so it has no `Debug`.
pub struct AliasKeys {
    keys: Vec<Hmac<Sha256>>,
    /// Which of them makes new aliases.
    current: usize,
}

impl AliasKind {
    /// All of them.
    pub const ALL: [AliasKind; 3] = [AliasKind::ExternalId, AliasKind::Card, AliasKind::Email];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            AliasKind::ExternalId => "external_id",
            AliasKind::Card => "card",
            AliasKind::Email => "email",
        }
    }
}

impl fmt::Debug for Alias {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Alias(..)")
    }
}

impl Alias {
    /// Parses an alias. Blanks and hyphens of a card's number, and upper and lower case of it and
    /// of an address, make no difference; an external id is compared letter by letter.
    ///
    /// # Errors
    /// What it must look like; never what was sent.
    pub fn parse(kind: AliasKind, text: &str) -> Result<Alias, &'static str> {
        let value = match kind {
            AliasKind::ExternalId => {
                let fits = is_printable(text, 200);
                fits.then(|| text.into()).ok_or("must have 1 to 200 printable characters")?
            }
            AliasKind::Card => card(text).ok_or("must be a card number of 4 to 32 characters")?,
            AliasKind::Email => {
                email(text).ok_or("must be an email address of at most 254 characters")?
            }
        };
        Ok(Alias { kind, value })
    }

    /// What kind of name it is.
    pub fn kind(&self) -> AliasKind {
        self.kind
    }

    fn mark(&self, key: &Hmac<Sha256>) -> AliasMark {
        let hash = self.hashed(key, "alias", "");
        AliasMark { kind: self.kind, hash }
    }

    /// No part has a line break, so none runs into the next.
    fn hashed(&self, key: &Hmac<Sha256>, purpose: &str, request: &str) -> [u8; 32] {
        let mut mac = key.clone();
        for part in [purpose, self.kind.name(), &self.value, request] {
            mac.update(part.as_bytes());
            mac.update(b"\n");
        }
        mac.finalize().into_bytes().into()
    }
}

fn card(text: &str) -> Option<Box<str>> {
    let number: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let fits =
        (4..=32).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then(|| number.to_ascii_uppercase().into())
}

fn email(text: &str) -> Option<Box<str>> {
    let (local, domain) = text.rsplit_once('@')?;
    let clean = !text.chars().any(|c| c.is_control() || c.is_whitespace());
    let fits = clean && !local.is_empty() && !domain.is_empty() && text.len() <= 254;
    fits.then(|| text.to_lowercase().into())
}

impl AliasKeys {
    /// One key a line, the oldest first; each of at least 32 bytes. None where one is shorter, and
    /// for none or more than 4. Behind `next:` stands a key that aliases are looked for under, and
    /// that makes none yet: so a key is added without two processes making one alias twice.
    pub fn parse(text: &str) -> Option<AliasKeys> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let waits = lines.iter().filter(|line| line.starts_with(NEXT)).count();
        let keys = lines.iter().map(|line| line.strip_prefix(NEXT).unwrap_or(line).trim());
        let keys: Vec<&str> = keys.collect();
        let last = lines.iter().rev().take(waits).all(|line| line.starts_with(NEXT));
        let fits = (1..=MAX_KEYS).contains(&keys.len()) && last;
        if !fits || keys.iter().any(|key| key.len() < KEY_BYTES) {
            return None;
        }
        let current = keys.len().checked_sub(waits + 1)?;
        let mac = |key: &str| Hmac::new_from_slice(key.as_bytes()).ok();
        let keys = keys.into_iter().map(mac).collect::<Option<Vec<_>>>()?;
        Some(AliasKeys { keys, current })
    }

    /// An alias under all keys.
    pub fn marks(&self, alias: &Alias) -> Marks {
        let mut others: Vec<AliasMark> = self.keys.iter().map(|key| alias.mark(key)).collect();
        let current = others.remove(self.current);
        Marks { current, others }
    }

    /// A request that came with an alias, such that nothing of either can be told from it. Always
    /// under the oldest key: what a request meant does not change with the keys.
    pub fn request(&self, alias: &Alias, request: &str) -> [u8; 32] {
        alias.hashed(&self.keys[0], "request", request)
    }
}

impl Marks {
    /// Under every key, that of new aliases first.
    pub fn all(&self) -> impl Iterator<Item = &AliasMark> {
        std::iter::once(&self.current).chain(&self.others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "a key of at least thirty-two letters";
    const SECOND: &str = "another key of at least thirty-two letters";

    fn keys(text: &str) -> AliasKeys {
        AliasKeys::parse(text).unwrap()
    }

    #[test]
    fn r91_what_is_one_alias_and_what_is_none() {
        let same = [
            (AliasKind::Card, "4917 6100-0000", "491761000000", true),
            (AliasKind::Card, "ab12", "AB12", true),
            (AliasKind::Email, "Ada@Example.ORG", "ada@example.org", true),
            (AliasKind::ExternalId, "A-1", "a-1", false),
            (AliasKind::ExternalId, "A-1", "A1", false),
        ];
        for (kind, one, other, want) in same {
            let [one, other] = [one, other].map(|text| Alias::parse(kind, text).ok().unwrap());
            assert_eq!(one == other, want, "{kind:?}");
        }
        let none = [
            (AliasKind::Card, "123"),
            (AliasKind::Card, "12/45"),
            (AliasKind::Email, "ada"),
            (AliasKind::Email, "a da@example.org"),
            (AliasKind::ExternalId, ""),
            (AliasKind::ExternalId, " a"),
        ];
        for (kind, text) in none {
            assert!(Alias::parse(kind, text).is_err(), "{kind:?} {text}");
        }
    }

    #[test]
    fn r91_keys_are_added_in_two_steps_and_find_what_the_others_made() {
        let alias = Alias::parse(AliasKind::Card, "4711").ok().unwrap();
        let alone = keys(FIRST).marks(&alias);
        let added = keys(&format!("{FIRST}\nnext:{SECOND}")).marks(&alias);
        let changed = keys(&format!("{FIRST}\n{SECOND}")).marks(&alias);
        assert_eq!(added.current, alone.current, "not used yet");
        assert_eq!(added.others, std::slice::from_ref(&changed.current), "looked under already");
        assert_eq!(changed.others, std::slice::from_ref(&alone.current));
        assert!(alone.others.is_empty());
        let requests = [FIRST.to_owned(), format!("{FIRST}\n{SECOND}")]
            .map(|text| keys(&text).request(&alias, "event\ntill:1"));
        assert_eq!(requests[0], requests[1]);
        assert_ne!(requests[0], alone.current.hash);
        assert_ne!(keys(FIRST).request(&alias, "event\ntill:2"), requests[0]);
        let other = Alias::parse(AliasKind::ExternalId, "4711").ok().unwrap();
        assert_ne!(keys(FIRST).marks(&other).current.hash, alone.current.hash);
        let five = [FIRST; 5].join("\n");
        let next = format!("next:{FIRST}");
        for bad in ["", "short", &five, &next, &format!("next:{FIRST}\n{SECOND}")] {
            assert!(AliasKeys::parse(bad).is_none(), "{bad}");
        }
    }
}
