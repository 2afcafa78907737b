//! Export files: the canonical CSV and the manifest.
//!
//! Data is written exactly as it is known. A cell that starts with `=`, `+`, `-` or `@` is not
//! altered: the files are for machines, and whoever opens one in a spreadsheet imports as text.

mod definition;

use std::io::Write;

use domain::id::{BalanceCode, ParticipantId, RunId};
use domain::participant::Participant;
use domain::pass::PassPlan;
use domain::programme::Programme;
use domain::segment::Segment;
use domain::time::{Instant, show_instant};
use domain::wallet::Wallet;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::answer::{BalanceAnswer, balance_answer};

/// The columns of the contract, in its order.
pub const COLUMNS: [&str; 18] = [
    "external_id",
    "email",
    "optin_email",
    "optin_source",
    "optin_at",
    "optin_process",
    "locale",
    "time_zone",
    "first_name",
    "last_name",
    "segment_id",
    "op",
    "balance_available",
    "balance_pending",
    "next_expiry_at",
    "next_expiry_amount",
    "last_event_at",
    "as_of",
];

/// Version of the manifest and of the columns.
pub const SCHEMA_VERSION: u32 = 1;

/// What a row does to the segment on the email platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// A member; every row of a full export.
    Add,
}

impl Op {
    /// The name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Op::Add => "add",
        }
    }
}

/// One participant of an export, as the file shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct ExportRow {
    cells: [String; COLUMNS.len()],
}

impl ExportRow {
    /// A member of a segment. The amounts are those of the balance that spends use by default, or
    /// of the first one; the time is that at which the run began, for every row the same.
    pub fn of(
        programme: &Programme,
        segment: &Segment,
        id: &ParticipantId,
        participant: &Participant,
        wallet: &Wallet,
        as_of: Instant,
    ) -> ExportRow {
        let profile = &participant.profile;
        let text = |text: &Option<Box<str>>| text.as_deref().unwrap_or_default().to_string();
        let show = |at| show_instant(at, programme.zone);
        let consent = participant.consents.get("email");
        let balance = export_balance(programme)
            .map(|code| balance_answer(programme, wallet, code, as_of))
            .unwrap_or_else(no_balance);
        let (expiry_at, expiry_amount) =
            balance.next_expiry.map(|next| (next.at, next.amount)).unwrap_or_default();
        ExportRow {
            cells: [
                id.to_string(),
                text(&profile.email),
                consent.is_some_and(|consent| consent.granted).to_string(),
                consent.map(|consent| text(&consent.source)).unwrap_or_default(),
                consent.map(|consent| show(consent.at)).unwrap_or_default(),
                consent.map(|consent| text(&consent.process)).unwrap_or_default(),
                text(&profile.locale),
                text(&profile.time_zone),
                text(&profile.first_name),
                text(&profile.last_name),
                segment.id.to_string(),
                Op::Add.name().to_string(),
                balance.available,
                balance.pending,
                expiry_at,
                expiry_amount,
                wallet.last_event.map(show).unwrap_or_default(),
                show(as_of),
            ],
        }
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

/// The header line with its line feed.
pub fn header() -> String {
    format!("{}\n", COLUMNS.join(","))
}

/// Appends a row: UTF-8, line feed, quoted where CSV needs it (RFC 4180).
pub fn write_row(out: impl Write, row: &ExportRow) -> std::io::Result<()> {
    let terminator = ::csv::Terminator::Any(b'\n');
    let mut writer = ::csv::WriterBuilder::new().terminator(terminator).from_writer(out);
    writer.write_record(&row.cells).map_err(std::io::Error::other)?;
    writer.flush()
}

/// The manifest of an export; written last, so an export that has one is complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Manifest {
    pub schema_version: u32,
    pub segment: ManifestSegment,
    pub run_id: String,
    /// `full`.
    pub mode: &'static str,
    /// The run that a delta starts from.
    pub base_run_id: Option<String>,
    pub as_of: String,
    pub columns: Vec<&'static str>,
    pub files: Vec<ManifestFile>,
    pub counts: Counts,
    /// The promotions that the members are to be told of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub announces: Vec<Announced>,
}

/// A promotion that an export is to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Announced {
    pub pass_plan: String,
    /// The code of all; left out: each pass has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub universal: Option<String>,
}

/// Which segment, and by which definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ManifestSegment {
    pub id: String,
    /// Tells two definitions of one segment apart.
    pub definition_sha256: String,
}

/// A file of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ManifestFile {
    pub name: String,
    pub op: Op,
    pub rows: u64,
    /// Of the file as it is stored.
    pub bytes: u64,
    /// Hexadecimal, of the file as it is stored.
    pub sha256: String,
}

/// How many participants an export is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub members: u64,
    pub added: u64,
    pub removed: u64,
    pub suppressed: u64,
    /// Members that are left out because they did not opt in.
    pub skipped_no_consent: u64,
    /// Members that are left out because no address is known.
    pub skipped_no_address: u64,
}

/// The manifest of a full export.
pub fn full_manifest(
    programme: &Programme,
    segment: &Segment,
    run: &RunId,
    as_of: Instant,
    files: Vec<ManifestFile>,
    counts: Counts,
) -> Manifest {
    Manifest {
        schema_version: SCHEMA_VERSION,
        segment: ManifestSegment {
            id: segment.id.to_string(),
            definition_sha256: definition_sha256(segment),
        },
        run_id: run.to_string(),
        mode: "full",
        base_run_id: None,
        as_of: show_instant(as_of, programme.zone),
        columns: COLUMNS.to_vec(),
        files,
        counts,
        announces: announced(programme, segment),
    }
}

fn announced(programme: &Programme, segment: &Segment) -> Vec<Announced> {
    let of_plan = |plan: &PassPlan| {
        let promotion = plan.promotion.as_ref()?;
        let universal = promotion.universal.as_deref().map(Into::into);
        let announced = Announced { pass_plan: plan.id.to_string(), universal };
        (promotion.segment == segment.id).then_some(announced)
    };
    programme.pass_plans.iter().filter_map(of_plan).collect()
}

/// SHA-256, in hexadecimal, over what the segment asks for: equal for equal predicates.
pub fn definition_sha256(segment: &Segment) -> String {
    hex(&Sha256::digest(definition::describe(&segment.members)))
}

/// Lowercase hexadecimal, as the manifest shows hashes.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
