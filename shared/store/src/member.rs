//! Participants with their wallets, many at once: what runs over the roster read.

use std::collections::HashMap;

use domain::id::ParticipantId;
use domain::participant::Participant;
use domain::wallet::Wallet;

use crate::Store;
use crate::error::Result;
use crate::key;
use crate::ledger::read_state;
use crate::participant::read_profile;
use crate::table::{Item, read_text};

/// Most participants that are read at once: two items each, of the hundred that one call gives.
pub const MAX_MEMBERS: usize = 50;

/// A participant as an export sees it.
#[derive(Clone, Debug)]
pub struct Member {
    pub id: ParticipantId,
    pub participant: Participant,
    pub wallet: Wallet,
}

impl Store {
    /// Up to [`MAX_MEMBERS`] participants in the order of the ids; none for an id without a
    /// wallet. Read units: 1 a participant with up to 4 KB of state and of profile.
    ///
    /// # Errors
    /// A failure, also where one of them cannot be read: nobody is left out without a sign.
    pub async fn members(&self, ids: &[ParticipantId]) -> Result<Vec<Member>> {
        self.each_member(ids).await?.into_iter().collect()
    }

    /// The same for work that a broken wallet or profile must not stop: each has its own result.
    ///
    /// # Errors
    /// A failure.
    pub async fn each_member(&self, ids: &[ParticipantId]) -> Result<Vec<Result<Member>>> {
        self.read_members(ids, false).await
    }

    /// The same, as they are now. Read units: 2 a participant.
    ///
    /// # Errors
    /// A failure.
    pub async fn each_member_now(&self, ids: &[ParticipantId]) -> Result<Vec<Result<Member>>> {
        self.read_members(ids, true).await
    }

    async fn read_members(
        &self,
        ids: &[ParticipantId],
        consistent: bool,
    ) -> Result<Vec<Result<Member>>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys = ids.iter().flat_map(|id| [key::state(id), key::profile(id)]).collect();
        let mut items: HashMap<(String, bool), Item> = HashMap::new();
        for item in self.table.get_many(keys, consistent).await? {
            let is_state = read_text(&item, "sk")? == key::STATE;
            items.insert((read_text(&item, "pk")?.to_owned(), is_state), item);
        }
        let mut members = Vec::new();
        for id in ids {
            let pk = key::participant(id);
            let Some(state) = items.get(&(pk.clone(), true)) else { continue };
            members.push(read_member(id, state, items.get(&(pk, false))));
        }
        Ok(members)
    }
}

fn read_member(id: &ParticipantId, state: &Item, profile: Option<&Item>) -> Result<Member> {
    let participant = profile.map(read_profile).transpose()?.unwrap_or_default();
    Ok(Member { id: id.clone(), participant, wallet: read_state(state)?.wallet })
}
