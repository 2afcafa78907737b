//! The programme document: immutable versions in parts, and a pointer to the active one.

use domain::id::PlanId;

use crate::Store;
use crate::commit::back_off;
use crate::error::{Error, Noun, Result};
use crate::key::{active_programme, plan_start, programme_part, programme_parts};
use crate::record::{deflate, inflate};
use crate::table::{Demand, Write, Written, binary, item, number, read_binary, read_number};

/// Bytes of one part: an item may have 400 KB.
const PART: usize = 350_000;
/// Tries against rivals who store a version at the same time.
const MAX_TRIES: u32 = 8;

/// What the next version was compared with before it may become active; the default: nothing.
#[derive(Clone, Debug, Default)]
pub struct Succession {
    /// The version that is active; 0: none.
    pub active: Option<u64>,
    /// Pass plans of that version which the next one changes or drops: they must have no passes
    /// . At most [`MAX_CHANGED_PLANS`].
    pub plans: Vec<PlanId>,
}

/// Most pass plans that one version may change: they are checked in one transaction.
pub const MAX_CHANGED_PLANS: usize = 90;

/// The active version, how often the pointer moved, and the newest version there is.
#[derive(Clone, Copy, Debug, Default)]
struct Pointer {
    active: u64,
    moves: u64,
    newest: u64,
}

impl Store {
    /// Number of the active version. Read units: 0.5, or 1 where it must be the newest.
    ///
    /// # Errors
    /// `NotFound` (programme) before the first one, or a failure.
    pub async fn active_programme(&self, fresh: bool) -> Result<u64> {
        let pointer = self.pointer(fresh).await?;
        pointer.map(|pointer| pointer.active).ok_or(Error::NotFound(Noun::Programme))
    }

    /// The document of a version, as it was put.
    ///
    /// # Errors
    /// `NotFound` (programme), or a failure.
    pub async fn programme(&self, version: u64) -> Result<Vec<u8>> {
        let parts = self.table.partition(&programme_parts(version)).await?;
        let count = parts.first().map(|first| read_number(first, "n")).transpose()?;
        let count = count.ok_or(Error::NotFound(Noun::Programme))?;
        if u64::try_from(parts.len()) != Ok(count) {
            // Its PUT was cut off; it never was active.
            return Err(Error::NotFound(Noun::Programme));
        }
        let mut deflated = Vec::new();
        for part in &parts {
            deflated.extend_from_slice(read_binary(part, "d")?);
        }
        inflate(&deflated)
    }

    /// Stores a document as the next version and activates it; a document that is active already
    /// keeps its number.
    ///
    /// # Errors
    /// `Contended` where another version became active since the comparison, or one of the plans
    /// got a pass; or a failure.
    pub async fn put_programme(&self, document: &[u8], after: &Succession) -> Result<u64> {
        let deflated = deflate(document)?;
        let mut passed = 0;
        for attempt in 0..MAX_TRIES {
            let known = self.pointer(true).await?;
            let pointer = known.unwrap_or_default();
            if known.is_some() && self.programme(pointer.active).await? == document {
                return Ok(pointer.active);
            }
            after.allows(pointer)?;
            let version = pointer.newest + 1 + passed;
            if !self.put_parts(version, &deflated).await? {
                // Another document that a crash left without a pointer is passed by.
                passed += 1;
                continue;
            }
            let to = Pointer { active: version, newest: version, ..pointer };
            if self.point(known, to, after).await? {
                return Ok(version);
            }
            passed = 0;
            back_off(attempt).await;
        }
        Err(Error::Contended)
    }

    /// Activates a version that was stored before.
    ///
    /// # Errors
    /// `NotFound` (programme), `Contended` as for [`Store::put_programme`], or a failure.
    pub async fn activate_programme(&self, version: u64, after: &Succession) -> Result<()> {
        self.programme(version).await?;
        for attempt in 0..MAX_TRIES {
            let known = self.pointer(true).await?;
            let pointer = known.ok_or(Error::NotFound(Noun::Programme))?;
            if pointer.active == version {
                return Ok(());
            }
            after.allows(pointer)?;
            if self.point(known, Pointer { active: version, ..pointer }, after).await? {
                return Ok(());
            }
            back_off(attempt).await;
        }
        Err(Error::Contended)
    }

    async fn pointer(&self, fresh: bool) -> Result<Option<Pointer>> {
        let item = self.table.get(active_programme(), fresh).await?;
        let read = item.map(|item| {
            Ok(Pointer {
                active: read_number(&item, "q")?,
                moves: read_number(&item, "v")?,
                newest: read_number(&item, "n")?,
            })
        });
        read.transpose()
    }

    async fn put_parts(&self, version: u64, deflated: &[u8]) -> Result<bool> {
        let parts = deflated.chunks(PART);
        let count = u64::try_from(parts.len()).unwrap_or(u64::MAX);
        for (at, part) in parts.enumerate() {
            let record = [("n", number(count)), ("d", binary(part.to_vec()))];
            let item = item(programme_part(version, at), record);
            if !self.table.put_once(item, Demand::Absent).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn point(&self, from: Option<Pointer>, to: Pointer, after: &Succession) -> Result<bool> {
        let demand = from.map_or(Demand::Absent, |from| Demand::Number("v", from.moves));
        let moves = from.map_or(0, |from| from.moves) + 1;
        let record = [("q", number(to.active)), ("v", number(moves)), ("n", number(to.newest))];
        let item = item(active_programme(), record);
        if after.plans.is_empty() {
            return self.table.put_once(item, demand).await;
        }
        let unstarted = after.plans.iter();
        let unstarted =
            unstarted.map(|plan| Write::Check { key: plan_start(plan), demand: Demand::Absent });
        let put = Write::Put { item: item.clone(), demand };
        let parts = std::iter::once(put).chain(unstarted).collect();
        Ok(match self.table.write(parts).await? {
            Written::Done => true,
            // An earlier try of this call may have got through and lost its reply.
            Written::Refused(unmet) => {
                unmet.first().is_some_and(|first| first.item.as_ref() == Some(&item))
            }
            Written::Conflict => false,
        })
    }
}

impl Succession {
    fn allows(&self, pointer: Pointer) -> Result<()> {
        let same = self.active.is_none_or(|active| active == pointer.active);
        if same { Ok(()) } else { Err(Error::Contended) }
    }
}
