//! Export files: the canonical record of a participant, and the files that are made of it.
//!
//! A text that a participant or another system chose may be read as a formula by whoever opens the
//! file in a spreadsheet: one that begins with `=`, `+`, `-`, `@`, a tab or a line break gets an
//! apostrophe in front. Ids, amounts and times are made here and stay as they are: a number with
//! its sign stays a number.

mod definition;
pub mod dialect;
mod manifest;
mod payout;
mod told;

use domain::export::Op;
use domain::id::{BalanceCode, ParticipantId, SegmentId};
use domain::participant::{Consent, Participant};
use domain::programme::Programme;
use domain::segment::Segment;
use domain::time::{Instant, show_instant};
use domain::wallet::Wallet;
use sha2::{Digest, Sha256};

use crate::answer::{BalanceAnswer, balance_answer};

pub use manifest::{
    Counts, Manifest, ManifestFile, ManifestSegment, Telling, definition_sha256, manifest,
};
pub use payout::{
    PayoutFile, PayoutManifest, PayoutTelling, payout_manifest, write_payout, write_payout_header,
};
pub use told::{parse_told, write_told};

/// Version of the manifest and of the columns.
pub const SCHEMA_VERSION: u32 = 1;

/// One participant of an export: the canonical record that every dialect is made of.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ExportRow {
    pub external_id: String,
    pub email: String,
    pub optin_email: String,
    pub optin_source: String,
    pub optin_at: String,
    pub optin_process: String,
    pub locale: String,
    pub time_zone: String,
    pub first_name: String,
    pub last_name: String,
    pub segment_id: String,
    /// Set when it is written.
    pub op: &'static str,
    pub balance_available: String,
    pub balance_pending: String,
    pub next_expiry_at: String,
    pub next_expiry_amount: String,
    pub last_event_at: String,
    pub as_of: String,
}

impl ExportRow {
    /// A member who may be written to. The amounts are those of the balance that spends use by
    /// default, or of the first one; the time is that at which the run began, for every row the
    /// same.
    pub fn addressed(
        programme: &Programme,
        segment: &Segment,
        id: &ParticipantId,
        participant: &Participant,
        wallet: &Wallet,
        as_of: Instant,
    ) -> ExportRow {
        let profile = &participant.profile;
        let balance = export_balance(programme)
            .map(|code| balance_answer(programme, wallet, code, as_of))
            .unwrap_or_else(no_balance);
        let (next_expiry_at, next_expiry_amount) =
            balance.next_expiry.map(|next| (next.at, next.amount)).unwrap_or_default();
        let last_event = wallet.last_event.map(|at| show_instant(at, programme.zone));
        ExportRow {
            locale: neutral(profile.locale.as_deref()),
            time_zone: neutral(profile.time_zone.as_deref()),
            first_name: neutral(profile.first_name.as_deref()),
            last_name: neutral(profile.last_name.as_deref()),
            balance_available: balance.available,
            balance_pending: balance.pending,
            next_expiry_at,
            next_expiry_amount,
            last_event_at: last_event.unwrap_or_default(),
            ..ExportRow::suppressed(programme, &segment.id, id, participant, as_of)
        }
    }

    /// Somebody who opted out: the address and the consent, and nothing else that is known.
    pub fn suppressed(
        programme: &Programme,
        segment: &SegmentId,
        id: &ParticipantId,
        participant: &Participant,
        as_of: Instant,
    ) -> ExportRow {
        let consent = participant.consents.get(domain::export::CHANNEL);
        let told = |text: fn(&Consent) -> Option<&str>| neutral(consent.and_then(text));
        ExportRow {
            optin_email: consent.is_some_and(|consent| consent.granted).to_string(),
            optin_source: told(|consent| consent.source.as_deref()),
            optin_at: consent
                .map(|consent| show_instant(consent.at, programme.zone))
                .unwrap_or_default(),
            optin_process: told(|consent| consent.process.as_deref()),
            ..ExportRow::removed(programme, segment, id, Some(participant), as_of)
        }
    }

    /// Somebody who is not told of any more: the id, and the address where one is still known.
    pub fn removed(
        programme: &Programme,
        segment: &SegmentId,
        id: &ParticipantId,
        participant: Option<&Participant>,
        as_of: Instant,
    ) -> ExportRow {
        let email = participant.and_then(|participant| participant.profile.email.as_deref());
        ExportRow {
            external_id: id.to_string(),
            email: neutral(email),
            segment_id: segment.to_string(),
            as_of: show_instant(as_of, programme.zone),
            ..ExportRow::default()
        }
    }

    /// Tells two rows of one participant apart, whatever they do and whenever they were told.
    pub fn digest(&self) -> u64 {
        let timeless = ExportRow { op: "", as_of: String::new(), ..self.clone() };
        let mut hash = Sha256::new();
        for (_, cell) in dialect::COLUMNS {
            let cell = cell(&timeless);
            hash.update(cell.len().to_be_bytes());
            hash.update(cell);
        }
        let digest = hash.finalize();
        digest[..8].iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
    }

    /// The row as it is written for what it does.
    #[must_use]
    pub fn doing(self, op: Op) -> ExportRow {
        ExportRow { op: op.name(), ..self }
    }
}

/// A text that no spreadsheet takes for a formula.
fn neutral(text: Option<&str>) -> String {
    let text = text.unwrap_or_default();
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn export_balance(programme: &Programme) -> Option<&BalanceCode> {
    let first = || programme.balances.first().map(|balance| &balance.code);
    programme.definition.spend.balance.as_ref().or_else(first)
}

fn no_balance() -> BalanceAnswer {
    let nothing = String::new;
    BalanceAnswer {
        balance: nothing(),
        gift: None,
        available: nothing(),
        pending: nothing(),
        held: nothing(),
        debt: nothing(),
        next_expiry: None,
    }
}

/// Lowercase hexadecimal, as the manifest shows hashes.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
