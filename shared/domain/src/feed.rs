//! Feeds: where the programme's movements, master data, consents and passes are told (R-96), and
//! how what is told is signed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hmac::{Hmac, Mac};
use sha2::Sha256;
use thiserror::Error;

use crate::id::FeedId;

/// Most characters of an address.
const MAX_ADDRESS: usize = 500;

/// A target that is told what happens, in order per participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    pub id: FeedId,
    pub url: TargetUrl,
    /// Which text of the secret of feeds belongs to it; not that text.
    pub secret: Box<str>,
    /// What it is told of; never empty.
    pub types: Vec<FeedType>,
    pub target: Target,
}

/// How a target is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Signed JSON.
    Webhook,
    /// OData batches of Dynamics 365, with a token of its own issuer.
    Dataverse { token_url: TargetUrl, client_id: Box<str> },
}

/// What a message tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedType {
    /// A ledger entry.
    Movement,
    /// Changed master data.
    Participant,
    /// A changed consent.
    Consent,
    /// An electronic pass for a recipient (R-81).
    PassIssued,
    /// Somebody came into the segment of an alert, or left it (R-97).
    Alert,
}

impl FeedType {
    /// All of them.
    pub const ALL: [FeedType; 5] = [
        FeedType::Movement,
        FeedType::Participant,
        FeedType::Consent,
        FeedType::PassIssued,
        FeedType::Alert,
    ];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            FeedType::Movement => "movement",
            FeedType::Participant => "participant",
            FeedType::Consent => "consent",
            FeedType::PassIssued => "pass_issued",
            FeedType::Alert => "alert",
        }
    }
}

impl Feed {
    /// Whether it is told of this.
    pub fn wants(&self, told: FeedType) -> bool {
        self.types.contains(&told)
    }

    /// Whether it is told of anything that a participant does or is.
    pub fn wants_participants(&self) -> bool {
        let of = [FeedType::Movement, FeedType::Participant, FeedType::Consent];
        of.into_iter().any(|told| self.wants(told))
    }
}

/// An address that may be spoken to: `https`, and no host of a private network; `http` only on
/// this very machine.
#[derive(Clone, PartialEq, Eq)]
pub struct TargetUrl {
    text: Box<str>,
    host: Box<str>,
    port: u16,
}

/// Why a text is no address that may be spoken to.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TargetUrlError {
    #[error("must be an address: https://crm.example/hook")]
    Form,
    #[error("must begin with https://; http:// is only for this machine itself")]
    Plain,
    #[error("must not name a host of a private network")]
    Private,
    #[error("must have no user, query or fragment: what is secret stands in the secret")]
    Extras,
}

impl TargetUrl {
    /// Parses the text, or says what is wrong with it.
    ///
    /// # Errors
    /// See [`TargetUrlError`].
    pub fn parse(text: &str) -> Result<TargetUrl, TargetUrlError> {
        let (rest, is_plain) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (rest, false),
            (None, Some(rest)) => (rest, true),
            (None, None) => return Err(TargetUrlError::Form),
        };
        let fits = |b: u8| b.is_ascii_graphic() && !br#"\"<>^`{|}"#.contains(&b);
        if text.len() > MAX_ADDRESS || !text.bytes().all(fits) {
            return Err(TargetUrlError::Form);
        }
        if text.contains(['@', '?', '#']) {
            return Err(TargetUrlError::Extras);
        }
        let authority = rest.split('/').next().unwrap_or_default();
        let (host, port) = split_port(authority).ok_or(TargetUrlError::Form)?;
        let port = match port {
            None if is_plain => 80,
            None => 443,
            Some(port) => port.parse().ok().filter(|p| *p > 0).ok_or(TargetUrlError::Form)?,
        };
        let host = host.to_ascii_lowercase();
        let url = TargetUrl { text: text.into(), host: host.as_str().into(), port };
        match literal(&host)? {
            _ if url.is_loopback() => Ok(url),
            _ if is_plain => Err(TargetUrlError::Plain),
            Some(address) if !is_public(address) => Err(TargetUrlError::Private),
            Some(_) | None => Ok(url),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host and port.
    pub fn place(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// Whether it is on this very machine.
    pub fn is_loopback(&self) -> bool {
        let address = literal(&self.host).ok().flatten();
        &*self.host == "localhost" || address.is_some_and(|address| address.is_loopback())
    }

    /// Scheme, host and port as they were written.
    pub fn origin(&self) -> &str {
        let start = self.text.find("://").map_or(0, |at| at + 3);
        let end = self.text[start..].find('/').map_or(self.text.len(), |at| start + at);
        &self.text[..end]
    }
}

/// Addresses may tell whose system it is, which is nobody's business who reads a log.
impl fmt::Debug for TargetUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("TargetUrl(..)")
    }
}

fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let end = if authority.starts_with('[') { authority.find(']')? + 1 } else { 0 };
    let (host, port) = match authority[end..].find(':') {
        Some(at) => (&authority[..end + at], Some(&authority[end + at + 1..])),
        None => (authority, None),
    };
    (end == 0 || end == host.len()).then_some((host, port))
}

/// The address that a host is, if it is none by name. What ends in a number is one, however it is
/// written; only the common way to write it is taken.
fn literal(host: &str) -> Result<Option<IpAddr>, TargetUrlError> {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(inner) = inner {
        let address: Ipv6Addr = inner.parse().map_err(|_| TargetUrlError::Form)?;
        return Ok(Some(address.into()));
    }
    let is_label = |label: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(fits)
    };
    if host.len() > 253 || !host.split('.').all(is_label) {
        return Err(TargetUrlError::Form);
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    if !last.starts_with(|first: char| first.is_ascii_digit()) {
        return Ok(None);
    }
    let address: Ipv4Addr = host.parse().map_err(|_| TargetUrlError::Form)?;
    Ok(Some(address.into()))
}

/// Whether an address is one of the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match (address.to_ipv4_mapped(), address.segments()) {
            (Some(mapped), _) => is_public_v4(mapped),
            // Documentation, and what wraps an address of the older kind.
            (None, [0x2001, 0x0db8, ..] | [0x2001, 0, ..] | [0x2002, ..]) => false,
            (None, [first, ..]) => first & 0xe000 == 0x2000,
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    match address.octets() {
        [0 | 10 | 127, ..] => false,
        [100, b, ..] if (64..128).contains(&b) => false,
        [169, 254, ..] => false,
        [172, b, ..] if (16..32).contains(&b) => false,
        [192, 168, ..] | [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => false,
        [198, 18 | 19, ..] => false,
        [first, ..] => first < 224,
    }
}

/// What proves that a body came from here at this time, in seconds since 1970: HMAC-SHA256 over
/// time, full stop and body.
pub fn signature(secret: &str, seconds: u64, body: &[u8]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac.finalize().into_bytes().into())
}
