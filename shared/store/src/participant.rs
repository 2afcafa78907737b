//! Participants: registered with their wallet, read, and blocked.

use domain::apply::{Command, apply};
use domain::id::ParticipantId;
use domain::participant::{Channel, Consent, Participant, Profile};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::Instant;
use domain::wallet::Wallet;

use crate::Store;
use crate::commit::{Done, Operation, Proposal, Step, back_off, decision_time, state_item};
use crate::error::{Error, Noun, Result};
use crate::key;
use crate::ledger::{Ledger, Reach, read_state};
use crate::record::{State, decode_participant, encode_participant};
use crate::table::{Demand, Item, Write, Written, binary, item, number, read_binary, read_number};

/// Tries of a registration against rivals.
const MAX_TRIES: u32 = 8;

/// Reads a profile item.
pub(crate) fn read_profile(item: &Item) -> Result<Participant> {
    decode_participant(read_binary(item, "d")?)
}

/// Whether what is known of a participant may change: whoever has the pass of a nameless wallet
/// registers it, and a duplicate that was merged is known as another.
fn is_open(wallet: &Wallet) -> Result<()> {
    match wallet {
        Wallet { nameless: Some(_), .. } => Err(Error::Refused(Refusal::PassRequired)),
        Wallet { merged_into: Some(_), .. } => Err(Error::Refused(Refusal::ParticipantMerged)),
        Wallet { .. } => Ok(()),
    }
}

/// What is known of a participant once it is updated, and how that is written.
pub(crate) fn update_profile(
    id: &ParticipantId,
    known: Option<&Item>,
    profile: Option<&Profile>,
    consents: &[(Channel, Consent)],
) -> Result<(Participant, Write)> {
    let version = known.map(|item| read_number(item, "v")).transpose()?;
    let mut participant = known.map(read_profile).transpose()?.unwrap_or_default();
    let profile = profile.cloned().unwrap_or_else(|| participant.profile.clone());
    participant.update(profile, consents.to_vec());
    let record = binary(encode_participant(&participant)?);
    let next = number(version.unwrap_or(0) + 1);
    let put = Write::Put {
        item: item(key::profile(id), [("v", next), ("d", record)]),
        demand: version.map_or(Demand::Absent, |version| Demand::Number("v", version)),
    };
    Ok((participant, put))
}

impl Store {
    /// Registers a participant, with an empty wallet, or updates one. The flag says whether it is
    /// new. Write units: 5 to register (with the roster's index), 1 to update.
    ///
    /// # Errors
    /// `Refused` (`pass_required` for a nameless wallet, `participant_merged`), or a failure.
    pub async fn register(
        &self,
        id: &ParticipantId,
        profile: Option<Profile>,
        consents: Vec<(Channel, Consent)>,
    ) -> Result<(Participant, bool)> {
        for attempt in 0..MAX_TRIES {
            // The profile first: a merge puts it too, so what it changes in between is noticed.
            let known = self.table.get(key::profile(id), true).await?;
            let state = self.table.get(key::state(id), true).await?;
            if let Some(state) = state.as_ref().map(read_state).transpose()? {
                is_open(&state.wallet)?;
            }
            let (participant, put) =
                update_profile(id, known.as_ref(), profile.as_ref(), &consents)?;
            let mut parts = vec![put];
            if state.is_none() {
                let item = state_item(id, &State::default())?;
                parts.push(Write::Put { item, demand: Demand::Absent });
            }
            if matches!(self.table.write(parts).await?, Written::Done) {
                return Ok((participant, state.is_none()));
            }
            back_off(attempt).await;
        }
        Err(Error::Contended)
    }

    /// Master data and consents; empty for one that an event enrolled.
    ///
    /// # Errors
    /// `NotFound` (participant), or a failure.
    pub async fn participant(&self, id: &ParticipantId) -> Result<Participant> {
        let (profile, state) = (key::profile(id), key::state(id));
        match self.table.get(profile, true).await? {
            Some(item) => read_profile(&item),
            None => match self.table.get(state, true).await? {
                Some(_) => Ok(Participant::default()),
                None => Err(Error::NotFound(Noun::Participant)),
            },
        }
    }

    /// Blocks spending, or releases it. Setting what is set already changes nothing. Write
    /// units: 1.17.
    ///
    /// # Errors
    /// `NotFound` (participant), or a failure.
    pub async fn block_spending(
        &self,
        programme: &Programme,
        now: Instant,
        id: &ParticipantId,
        blocked: bool,
        reason: &str,
    ) -> Result<Done<()>> {
        self.commit(id, &mut Block { programme, now, blocked, reason }).await
    }
}

struct Block<'a> {
    programme: &'a Programme,
    now: Instant,
    blocked: bool,
    reason: &'a str,
}

impl Operation for Block<'_> {
    type Answer = ();

    async fn load(&mut self, _: &Store, _: bool) -> Result<()> {
        Ok(())
    }

    fn reach(&self) -> Reach {
        Reach::Journal
    }

    async fn decide(&mut self, _: &Store, ledger: &Ledger) -> Result<Step<()>> {
        let state = match ledger.known() {
            Ok(state) => state,
            Err(unknown) => return Ok(Step::Answer(Err(unknown))),
        };
        if state.wallet.blocked == self.blocked {
            let wallet = state.wallet.clone();
            return Ok(Step::Answer(Ok(Done { value: (), wallet, repeated: true })));
        }
        let now = decision_time(self.now, &state.wallet, None);
        let command = Command::Block { blocked: self.blocked, reason: self.reason };
        let applied = apply(self.programme, &state.wallet, now, &command);
        Ok(Step::Commit(Proposal::of(applied, Vec::new()), Ok(())))
    }
}
