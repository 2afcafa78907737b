//! The manifest of an export: written last, so an export that has one is complete.

use domain::export::{Dialect, Mode, Op};
use domain::id::RunId;
use domain::pass::PassPlan;
use domain::programme::Programme;
use domain::segment::Segment;
use domain::time::{Instant, show_instant};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::dialect::columns;
use super::{SCHEMA_VERSION, definition, hex};

/// What the manifest says of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Manifest {
    pub schema_version: u32,
    pub segment: ManifestSegment,
    pub run_id: String,
    /// `full` or `delta`.
    pub mode: &'static str,
    /// The run that a delta starts from: apply it to nothing else.
    pub base_run_id: Option<String>,
    pub dialect: &'static str,
    pub as_of: String,
    /// Of the files that add; another file names its own.
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
    /// `add`, `change`, `remove` or `suppress`: what its rows do.
    pub op: &'static str,
    pub rows: u64,
    /// Of the file as it is stored.
    pub bytes: u64,
    /// Hexadecimal, of the file as it is stored.
    pub sha256: String,
    /// Where they are not those of the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<&'static str>>,
}

impl ManifestFile {
    /// A file in a dialect.
    pub fn new(
        dialect: Dialect,
        op: Op,
        name: String,
        (rows, bytes): (u64, u64),
        sha256: String,
    ) -> ManifestFile {
        let own = columns(dialect, op);
        let columns = (own != columns(dialect, Op::Add)).then_some(own);
        ManifestFile { name, op: op.name(), rows, bytes, sha256, columns }
    }
}

/// How many participants an export is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub members: u64,
    pub added: u64,
    pub changed: u64,
    pub removed: u64,
    pub suppressed: u64,
    /// Members that are left out because they did not opt in.
    pub skipped_no_consent: u64,
    /// Members that are left out because no address is known.
    pub skipped_no_address: u64,
}

/// What was exported, and how.
#[derive(Clone, Debug)]
pub struct Telling<'a> {
    pub programme: &'a Programme,
    pub segment: &'a Segment,
    pub run: &'a RunId,
    pub as_of: Instant,
    pub mode: Mode,
    pub dialect: Dialect,
    /// The run that a delta starts from.
    pub base: Option<&'a str>,
}

/// The manifest of an export.
pub fn manifest(telling: &Telling<'_>, files: Vec<ManifestFile>, counts: Counts) -> Manifest {
    let Telling { programme, segment, run, as_of, mode, dialect, base } = *telling;
    Manifest {
        schema_version: SCHEMA_VERSION,
        segment: ManifestSegment {
            id: segment.id.to_string(),
            definition_sha256: definition_sha256(segment),
        },
        run_id: run.to_string(),
        mode: mode.name(),
        base_run_id: base.map(str::to_owned),
        dialect: dialect.name(),
        as_of: show_instant(as_of, programme.zone),
        columns: columns(dialect, Op::Add),
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
