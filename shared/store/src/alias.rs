//! Aliases in the table: whom they name, and whom requests meant that came with one.

use domain::alias::{AliasMark, Marks};
use domain::id::ParticipantId;

use crate::Store;
use crate::error::{Error, Noun, Result};
use crate::key;
use crate::table::{Demand, Item, Unmet, Write, Written, item, read_text, text};

/// Takes an alias for a participant, where nobody has it under any key.
pub(crate) fn take_alias(id: &ParticipantId, marks: &Marks) -> Vec<Write> {
    let own = item(key::alias(&marks.current), [("p", text(id.as_str()))]);
    let others = marks.others.iter();
    let free = others.map(|mark| Write::Check { key: key::alias(mark), demand: Demand::Absent });
    std::iter::once(Write::Put { item: own, demand: Demand::Absent }).chain(free).collect()
}

/// Hands an alias over: its holder's profile, in the same transaction, says that it had it.
pub(crate) fn hand_alias(into: &ParticipantId, mark: &AliasMark) -> Write {
    let item = item(key::alias(mark), [("p", text(into.as_str()))]);
    Write::Put { item, demand: Demand::Present }
}

/// Frees an alias.
pub(crate) fn free_alias(mark: &AliasMark) -> Write {
    Write::Delete { key: key::alias(mark) }
}

/// Whether a guard was in the way that is another participant's.
pub(crate) fn is_taken(id: &ParticipantId, guards: Option<&[Unmet]>) -> bool {
    let holders = guards.into_iter().flatten().filter(|unmet| unmet.failed);
    let mut holders = holders.filter_map(|unmet| unmet.item.as_ref()?.get("p")?.as_s().ok());
    holders.any(|holder| holder != id.as_str())
}

/// Whom a guard names.
pub(crate) fn holder(item: &Item) -> Result<ParticipantId> {
    let id = ParticipantId::parse(read_text(item, "p")?);
    id.map_err(|_| Error::Corrupt("alias of a bad participant"))
}

impl Store {
    /// Who has an alias. Read units: 1 for each key.
    ///
    /// # Errors
    /// `NotFound` (participant), or a failure.
    pub async fn who_has(&self, marks: &Marks) -> Result<ParticipantId> {
        for mark in marks.all() {
            if let Some(item) = self.table.get(key::alias(mark), true).await? {
                return holder(&item);
            }
        }
        Err(Error::NotFound(Noun::Participant))
    }

    /// Whom a request means that comes with an alias: whoever had it when the request came first,
    /// whatever became of the alias since. A request may go by several names. Read units: 1
    /// for each, and those of [`Store::who_has`]; write units: 1 for each name that is new.
    ///
    /// # Errors
    /// `NotFound` (participant: it is not remembered), or a failure.
    pub async fn who_was_meant(
        &self,
        marks: &Marks,
        requests: &[[u8; 32]],
    ) -> Result<ParticipantId> {
        let (mut known, mut new) = (None, Vec::new());
        for request in requests {
            match self.table.get(key::aliased(request), true).await? {
                Some(item) if known.is_none() => known = Some(holder(&item)?),
                Some(_) => {}
                None => new.push(request),
            }
        }
        let mut meant = match &known {
            Some(known) => known.clone(),
            None => self.who_has(marks).await?,
        };
        // Also where one is known: an earlier call may have ended between them.
        for request in new {
            let holder = self.means(request, &meant).await?;
            meant = known.get_or_insert(holder).clone();
        }
        Ok(meant)
    }

    /// Notes whom a request means; answers who was noted first.
    async fn means(&self, request: &[u8; 32], meant: &ParticipantId) -> Result<ParticipantId> {
        let item = item(key::aliased(request), [("p", text(meant.as_str()))]);
        match self.table.write(vec![Write::Put { item, demand: Demand::Absent }]).await? {
            Written::Done => Ok(meant.clone()),
            Written::Refused(unmet) => {
                let found = unmet.into_iter().find_map(|unmet| unmet.item);
                holder(&found.ok_or(Error::Corrupt("a request came and went"))?)
            }
            Written::Conflict => Err(Error::Contended),
        }
    }
}
