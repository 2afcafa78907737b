//! What entries and profiles name: events, passes and the guards of aliases, many at once.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::alias::AliasMark;
use domain::id::EventId;
use domain::ledger::Entry;
use domain::pass::PassId;
use domain::verify::{Disagreement, Finding, Items, events_of, passes_of};

use super::{Look, readable};
use crate::Store;
use crate::alias::holder;
use crate::bar::{Place, read_place};
use crate::error::{Error, Result};
use crate::key::{self, ItemKey};
use crate::pass::read_pass;
use crate::table::{Item, read_text};

/// Most items of a read.
const MANY: usize = 100;

impl Store {
    /// What these entries name.
    pub(super) async fn items_of(&self, look: Look<'_>, entries: &[Entry]) -> Result<Items> {
        let mut items = Items::default();
        let events: HashSet<&EventId> = entries.iter().flat_map(events_of).collect();
        for item in self.many(look, events.into_iter().map(key::event)).await? {
            let id = key::read_event(read_text(&item, "pk")?).ok_or(Error::Corrupt("bad event"))?;
            match readable(read_place(&item))? {
                Some(Place::Event(stored)) => {
                    items.events.insert(id, Some(stored.recorded));
                }
                // Nothing arrived that an entry could be of.
                Some(Place::Barred(_)) => {}
                None => {
                    items.events.insert(id, None);
                }
            }
        }
        let passes = entries.iter().flat_map(|entry| passes_of(entry, &items));
        let passes: HashSet<PassId> = passes.collect();
        for item in self.many(look, passes.iter().map(key::pass)).await? {
            let id = key::read_pass(read_text(&item, "pk")?).ok_or(Error::Corrupt("bad pass"))?;
            items.passes.insert(id.clone(), readable(read_pass(&item, id))?);
        }
        Ok(items)
    }

    /// Whether the guards of a participant's aliases name that participant.
    pub(super) async fn guards(
        &self,
        look: Look<'_>,
        aliases: &[AliasMark],
    ) -> Result<Vec<Finding>> {
        let mut guards = HashMap::new();
        // A key that is asked for twice in one read is refused.
        let marks: BTreeSet<&AliasMark> = aliases.iter().collect();
        for item in self.many(look, marks.into_iter().map(key::alias)).await? {
            guards.insert(read_text(&item, "pk")?.to_owned(), readable(holder(&item))?);
        }
        let mut findings = Vec::new();
        for mark in aliases {
            let (kind, said) = match guards.get(&key::alias(mark).pk) {
                Some(Some(holder)) if holder == look.id => continue,
                Some(Some(_)) => (Disagreement::AliasOfAnother, "names somebody else"),
                Some(None) => (Disagreement::Unreadable, "cannot be read"),
                None => (Disagreement::AliasMissing, "leads nowhere"),
            };
            let detail = format!("An alias of kind {} {said}.", mark.kind.name());
            let participant = Some(look.id.clone());
            findings.push(Finding { kind, participant, entry: None, other: None, detail });
        }
        Ok(findings)
    }

    async fn many(&self, look: Look<'_>, keys: impl Iterator<Item = ItemKey>) -> Result<Vec<Item>> {
        let (keys, mut items): (Vec<ItemKey>, _) = (keys.collect(), Vec::new());
        for keys in keys.chunks(MANY) {
            items.extend(self.table.get_many(keys.to_vec(), look.again).await?);
        }
        Ok(items)
    }
}
