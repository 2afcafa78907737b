//! Participants: registered with their wallet, changed, read, and blocked.

use domain::alias::Marks;
use domain::apply::{Command, apply};
use domain::id::ParticipantId;
use domain::participant::{Channel, Consent, Participant, Profile, ProfileChange, Provenance};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::Instant;
use domain::wallet::Wallet;

use crate::Store;
use crate::alias::{free_alias, is_taken, take_alias};
use crate::commit::{Done, Operation, Proposal, Step, back_off, decision_time, state_item};
use crate::error::{Error, Noun, Result};
use crate::key;
use crate::ledger::{Ledger, Reach, read_state};
use crate::record::{State, decode_participant, encode_participant};
use crate::table::{Demand, Item, Write, Written, binary, item, number, read_binary, read_number};

/// Tries of a registration against rivals.
const MAX_TRIES: u32 = 8;

/// A change of what is known of a participant.
#[derive(Clone, Debug)]
pub struct Changing<'a> {
    pub id: &'a ParticipantId,
    pub profile: ProfileChange,
    pub consents: Vec<(Channel, Consent)>,
    /// Aliases that it has from now on.
    pub adds: &'a [Marks],
    /// Aliases that it has no more.
    pub removes: &'a [Marks],
    /// Of a change of the profile.
    pub provenance: Option<&'a Provenance>,
    /// Whether it registers who is not there.
    pub enrols: bool,
}

/// What a change came to.
#[derive(Clone, Debug)]
pub struct Changed {
    pub participant: Participant,
    /// Whether the participant was registered by it.
    pub new: bool,
    /// Whether it made a difference.
    pub changed: bool,
}

impl<'a> Changing<'a> {
    /// No change.
    pub fn of(id: &'a ParticipantId) -> Changing<'a> {
        Changing {
            id,
            profile: ProfileChange::Keep,
            consents: Vec::new(),
            adds: &[],
            removes: &[],
            provenance: None,
            enrols: false,
        }
    }

    /// Changes what was read; answers what becomes of the guards of its aliases.
    fn apply(&self, participant: &mut Participant) -> std::result::Result<Vec<Write>, Refusal> {
        participant.change(self.profile.clone(), self.provenance);
        participant.hear(self.consents.clone());
        let mut guards = Vec::new();
        for marks in self.removes {
            let removed = participant.remove_alias(marks);
            guards.extend(removed.iter().map(free_alias));
        }
        for marks in self.adds {
            if participant.add_alias(marks)? {
                guards.extend(take_alias(self.id, marks));
            }
        }
        Ok(guards)
    }
}

/// Puts what is known of a participant in the place of what was read.
pub(crate) fn put_profile(
    id: &ParticipantId,
    read: Option<&Item>,
    participant: &Participant,
) -> Result<Write> {
    let (version, demand) = as_read(read)?;
    let record = binary(encode_participant(participant)?);
    let next = number(version + 1);
    Ok(Write::Put { item: item(key::profile(id), [("v", next), ("d", record)]), demand })
}

/// Demands that what is known of a participant is as it was read.
pub(crate) fn check_profile(id: &ParticipantId, read: Option<&Item>) -> Result<Write> {
    Ok(Write::Check { key: key::profile(id), demand: as_read(read)?.1 })
}

/// How often a profile was written, and the demand that it was no more.
fn as_read(read: Option<&Item>) -> Result<(u64, Demand)> {
    let version = read.map(|item| read_number(item, "v")).transpose()?;
    let demand = version.map_or(Demand::Absent, |version| Demand::Number("v", version));
    Ok((version.unwrap_or(0), demand))
}

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

impl Store {
    /// Registers a participant, with an empty wallet, or updates one. The flag says whether it is
    /// new. Write units: 5 to register (with the roster's index), 1 to update.
    ///
    /// # Errors
    /// `Refused` (`participant_erased`, `pass_required` for a nameless wallet, `participant_merged`),
    /// or a failure.
    pub async fn register(
        &self,
        id: &ParticipantId,
        profile: Option<Profile>,
        consents: Vec<(Channel, Consent)>,
    ) -> Result<(Participant, bool)> {
        let profile = profile.map_or(ProfileChange::Keep, ProfileChange::Replace);
        let order = Changing { profile, consents, enrols: true, ..Changing::of(id) };
        let changed = self.change_participant(&order).await?;
        Ok((changed.participant, changed.new))
    }

    /// Changes what is known of a participant. What makes no difference writes
    /// nothing. Write units: those of [`Store::register`], and 2 more for each alias that comes or
    /// goes, with 2 for the rest then.
    ///
    /// # Errors
    /// `NotFound` (participant, where it does not enrol), `Refused` (`participant_erased`,
    /// `alias_taken`, `too_many_aliases`: nothing is changed), or a failure.
    pub async fn change_participant(&self, order: &Changing<'_>) -> Result<Changed> {
        let id = order.id;
        for attempt in 0..MAX_TRIES {
            // The profile first: a merge puts it too, so what it changes in between is noticed.
            let known = self.table.get(key::profile(id), true).await?;
            let state = self.table.get(key::state(id), true).await?;
            if state.is_none() && !order.enrols {
                return Err(Error::NotFound(Noun::Participant));
            }
            let before = known.as_ref().map(read_profile).transpose()?.unwrap_or_default();
            if before.erased.is_some() {
                return Err(Error::Refused(Refusal::ParticipantErased));
            }
            if let Some(state) = state.as_ref().map(read_state).transpose()? {
                is_open(&state.wallet)?;
            }
            let mut participant = before.clone();
            let guards = order.apply(&mut participant).map_err(Error::Refused)?;
            let new = state.is_none();
            if participant == before && !new {
                return Ok(Changed { participant, new, changed: false });
            }
            let mut parts = vec![put_profile(id, known.as_ref(), &participant)?];
            if new {
                let item = state_item(id, &State::default())?;
                parts.push(Write::Put { item, demand: Demand::Absent });
            }
            let first_guard = parts.len();
            parts.extend(guards);
            match self.table.write(parts).await? {
                Written::Done => return Ok(Changed { participant, new, changed: true }),
                Written::Refused(unmet) if is_taken(id, unmet.get(first_guard..)) => {
                    return Err(Error::Refused(Refusal::AliasTaken));
                }
                Written::Refused(_) | Written::Conflict => {}
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
    /// `NotFound` (participant), `Refused` (`participant_erased`), or a failure.
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
        if state.wallet.erased {
            return Ok(Step::Answer(Err(Error::Refused(Refusal::ParticipantErased))));
        }
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
