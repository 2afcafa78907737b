//! Who fetched the codes of a plan.

use domain::id::PlanId;
use domain::time::Instant;

use crate::Store;
use crate::error::{Error, Result};
use crate::key;
use crate::table::{Demand, item, number, read_number, read_text, text};

/// Most accesses that are told of a plan, the newest.
const MAX_TOLD: i32 = 100;

/// An access to the print file of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accessing {
    /// Time of the invocation.
    pub now: Instant,
    /// The first serial.
    pub from: u64,
    /// How many.
    pub rows: u64,
    /// The subject of the token.
    pub who: String,
}

impl Store {
    /// Records that somebody fetches codes. Write units: 1.
    ///
    /// # Errors
    /// A failure.
    pub async fn record_access(&self, plan: &PlanId, access: &Accessing) -> Result<()> {
        let Accessing { now, from, rows, who } = access;
        let record = [
            ("f", number(*from)),
            ("r", number(*rows)),
            ("w", text(who)),
            ("t", number(u64::try_from(now.0).unwrap_or(0))),
        ];
        // Two accesses of one moment to the same rows are told apart by chance alone.
        for _ in 0..8 {
            let mark = fastrand::u32(..);
            let item = item(key::code_access(plan, *now, mark), record.clone());
            if self.table.put_once(item, Demand::Absent).await? {
                return Ok(());
            }
        }
        Err(Error::Contended)
    }

    /// The newest accesses to a plan's codes, at most 100, the newest first.
    ///
    /// # Errors
    /// A failure.
    pub async fn code_accesses(&self, plan: &PlanId) -> Result<Vec<Accessing>> {
        let (pk, first, last) = key::code_accesses(plan);
        let items = self.table.newest(&pk, &first, &last, MAX_TOLD, true).await?;
        let read = |item: &crate::table::Item| {
            Ok(Accessing {
                now: Instant(i64::try_from(read_number(item, "t")?).unwrap_or(i64::MAX)),
                from: read_number(item, "f")?,
                rows: read_number(item, "r")?,
                who: read_text(item, "w")?.to_owned(),
            })
        };
        items.iter().map(read).collect()
    }
}
