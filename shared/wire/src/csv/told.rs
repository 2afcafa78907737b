//! What an export told, kept beside its files for the next delta: ids and digests, nothing personal.

use std::io::Write;

use domain::export::Told;
use domain::id::ParticipantId;

/// Appends a line: id, what was told, digest of the row, time of the consent.
pub fn write_told(mut out: impl Write, told: &Told) -> std::io::Result<()> {
    let Told { participant, suppressed, digest, consent_at } = told;
    let standing = if *suppressed { "suppressed" } else { "addressed" };
    writeln!(out, "{participant} {standing} {digest:016x} {consent_at}")
}

/// Reads a line without its end. None: it is not one.
pub fn parse_told(line: &str) -> Option<Told> {
    let mut fields = line.split(' ');
    let participant = ParticipantId::parse(fields.next()?).ok()?;
    let suppressed = match fields.next()? {
        "suppressed" => true,
        "addressed" => false,
        _ => return None,
    };
    let digest = u64::from_str_radix(fields.next()?, 16).ok()?;
    let consent_at = fields.next()?.parse().ok()?;
    fields.next().is_none().then_some(Told { participant, suppressed, digest, consent_at })
}
