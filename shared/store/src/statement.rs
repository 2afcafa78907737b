//! Guards of statements: one of a participant, classification and period.

use domain::event::{Detail, Event};
use domain::id::EventId;

use crate::Store;
use crate::error::{Error, Result};
use crate::key::{self, ItemKey};
use crate::table::{Demand, Write, item, number, read_number, read_text, text};

/// Who holds a period. It changes in the transaction of the statement that takes or frees it.
pub(crate) struct StatementGuard {
    key: ItemKey,
    /// How often it was written: its condition.
    version: u64,
    /// The statement of the period; none where it was cancelled, or never posted.
    pub holder: Option<EventId>,
}

impl StatementGuard {
    /// Gives the period to this statement, or frees it.
    pub fn give(&self, holder: Option<&EventId>) -> Write {
        let demand = match self.version {
            0 => Demand::Absent,
            version => Demand::Number("v", version),
        };
        let mut item = item(self.key.clone(), [("v", number(self.version + 1))]);
        item.extend(holder.map(|holder| ("e".to_owned(), text(holder.as_str()))));
        Write::Put { item, demand }
    }
}

impl Store {
    /// The guard of a statement's period; none for what is no statement.
    pub(crate) async fn statement_guard(
        &self,
        event: &Event,
        fresh: bool,
    ) -> Result<Option<StatementGuard>> {
        let Detail::FinancialStatement(statement) = &event.detail else { return Ok(None) };
        let classification = event.classification.as_ref();
        let key = key::statement(&event.participant, statement.period, classification);
        let item = self.table.get(key.clone(), fresh).await?;
        let version = item.as_ref().map(|item| read_number(item, "v")).transpose()?;
        let holder = item.as_ref().filter(|item| item.contains_key("e"));
        let holder = holder.map(|item| EventId::parse(read_text(item, "e")?).map_err(bad));
        Ok(Some(StatementGuard { key, version: version.unwrap_or(0), holder: holder.transpose()? }))
    }
}

fn bad(_: domain::id::IdError) -> Error {
    Error::Corrupt("a period held by a bad event")
}
