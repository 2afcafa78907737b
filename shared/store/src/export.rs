//! Exports: their record, and the roster they walk.

use std::collections::HashMap;

use domain::id::ParticipantId;
use domain::participant::Participant;
use domain::wallet::Wallet;
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::error::{Error, Noun, Result};
use crate::key::{self, SHARDS};
use crate::ledger::read_state;
use crate::participant::read_profile;
use crate::record::{from_bytes, to_bytes};
use crate::table::{Demand, Item, binary, item, number, read_binary, read_number, read_text};

/// Participants read in one go: two items each, of the hundred that one call gives.
const BATCH: usize = 50;
/// Roster keys read in one go.
const ROSTER_PAGE: i32 = 500;

/// An export as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    pub segment: String,
    /// Of the request: the same key with another request is refused.
    pub payload: [u8; 8],
    /// Milliseconds since 1970: what the files show is judged at this time.
    pub as_of: i64,
    /// Whether an empty file is wanted.
    pub force: bool,
    pub status: ExportStatus,
    pub counts: ExportCounts,
    pub files: Vec<ExportFile>,
}

/// Where an export stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportStatus {
    Running,
    Completed,
    Failed,
    /// It would have been empty, and was not forced.
    Refused,
}

/// What an export came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportCounts {
    pub members: u64,
    pub added: u64,
    pub skipped_no_consent: u64,
    pub skipped_no_address: u64,
}

/// One file of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportFile {
    pub name: String,
    pub rows: u64,
    pub bytes: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
}

/// A participant as an export sees it.
#[derive(Clone, Debug)]
pub struct Member {
    pub id: ParticipantId,
    pub participant: Participant,
    pub wallet: Wallet,
}

/// Walks the roster in the order of ids, across its shards.
#[derive(Debug)]
pub struct Roster {
    shards: Vec<RosterShard>,
}

#[derive(Debug, Default)]
struct RosterShard {
    /// Ids read and not given out yet, in reverse order.
    ahead: Vec<String>,
    after: Option<String>,
    ended: bool,
}

impl Store {
    /// Records an export unless one of this id is recorded. Answers what is recorded, and whether
    /// it was before.
    ///
    /// # Errors
    /// A failure.
    pub async fn start_export(&self, id: &str, export: &Export) -> Result<(Export, bool)> {
        if let Some((known, _)) = self.read_export(id).await? {
            return Ok((known, true));
        }
        match self.save_export(id, export, 0).await? {
            true => Ok((export.clone(), false)),
            false => Ok((self.export(id).await?.0, true)),
        }
    }

    /// An export and its version.
    ///
    /// # Errors
    /// `NotFound` (export), or a failure.
    pub async fn export(&self, id: &str) -> Result<(Export, u64)> {
        self.read_export(id).await?.ok_or(Error::NotFound(Noun::Export))
    }

    /// Stores an export, if nobody stored another since this version. Answers whether it is stored.
    ///
    /// # Errors
    /// A failure.
    pub async fn save_export(&self, id: &str, export: &Export, version: u64) -> Result<bool> {
        let demand = if version == 0 { Demand::Absent } else { Demand::Number("v", version) };
        let record = [("v", number(version + 1)), ("d", binary(to_bytes(export)?))];
        self.table.put_once(item(key::job(id), record), demand).await
    }

    async fn read_export(&self, id: &str) -> Result<Option<(Export, u64)>> {
        let Some(item) = self.table.get(key::job(id), true).await? else { return Ok(None) };
        Ok(Some((from_bytes(read_binary(&item, "d")?)?, read_number(&item, "v")?)))
    }

    /// Begins a walk over all participants.
    pub fn roster(&self) -> Roster {
        Roster { shards: (0..SHARDS).map(|_| RosterShard::default()).collect() }
    }

    /// The next participants of a walk, in the order of ids; none at its end. Read units: 1 a
    /// participant with up to 4 KB of state and of profile, and the roster's pages.
    ///
    /// # Errors
    /// A failure.
    pub async fn next_members(&self, roster: &mut Roster) -> Result<Vec<Member>> {
        let mut ids = Vec::new();
        while ids.len() < BATCH {
            self.refill(roster).await?;
            let least = roster.shards.iter_mut().filter(|shard| !shard.ahead.is_empty());
            let Some(shard) = least.min_by(|a, b| a.ahead.last().cmp(&b.ahead.last())) else {
                break;
            };
            ids.extend(shard.ahead.pop());
        }
        self.members(ids).await
    }

    async fn refill(&self, roster: &mut Roster) -> Result<()> {
        for (shard, ahead) in (0_u8..).zip(&mut roster.shards) {
            if ahead.ended || !ahead.ahead.is_empty() {
                continue;
            }
            let partition = key::roster(shard);
            let page = self.table.index(&partition, ahead.after.as_deref(), ROSTER_PAGE).await?;
            ahead.ended = page.is_empty();
            ahead.after = page.last().cloned().or(ahead.after.take());
            ahead.ahead = page.into_iter().rev().collect();
        }
        Ok(())
    }

    async fn members(&self, ids: Vec<String>) -> Result<Vec<Member>> {
        let parse =
            |id: &String| ParticipantId::parse(id).map_err(|_| Error::Corrupt("bad roster key"));
        let ids = ids.iter().map(parse).collect::<Result<Vec<_>>>()?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys = ids.iter().flat_map(|id| [key::state(id), key::profile(id)]).collect();
        let mut items: HashMap<(String, bool), Item> = HashMap::new();
        for item in self.table.get_many(keys).await? {
            let is_state = read_text(&item, "sk")? == key::STATE;
            items.insert((read_text(&item, "pk")?.to_owned(), is_state), item);
        }
        let mut members = Vec::new();
        for id in ids {
            let pk = key::participant(&id);
            let Some(state) = items.get(&(pk.clone(), true)) else { continue };
            let profile = items.get(&(pk, false)).map(read_profile).transpose()?;
            let (participant, wallet) = (profile.unwrap_or_default(), read_state(state)?.wallet);
            members.push(Member { id, participant, wallet });
        }
        Ok(members)
    }
}
