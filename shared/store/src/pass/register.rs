//! The registration of a nameless wallet by whoever holds its pass: it keeps its balance.

use domain::apply::{Command, Outcome, apply};
use domain::id::{Key, ParticipantId};
use domain::ledger::{Entry, PayloadHash};
use domain::participant::ProfileChange::{Keep, Replace};
use domain::participant::{Channel, Consent, Profile};
use domain::programme::Programme;
use domain::time::Instant;

use super::bearer::{Bearer, Shown};
use crate::Store;
use crate::commit::{Done, Operation, Proposal, Step, decision_time};
use crate::error::{Error, Result};
use crate::key;
use crate::keyed::{Keyed, Kind, RequestKey};
use crate::ledger::{Ledger, Reach};
use crate::participant::{put_profile, read_profile};
use crate::table::{Item, Write};

/// The registration of a nameless wallet. What is known of a participant is personal, so it has no
/// `Debug`.
pub struct Registering<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub bearer: Bearer<'a>,
    /// That of the pass's nameless wallet.
    pub participant: &'a ParticipantId,
    pub key: &'a Key,
    pub payload: PayloadHash,
    /// Replaces the whole profile; none leaves it as it is.
    pub profile: Option<&'a Profile>,
    pub consents: &'a [(Channel, Consent)],
}

struct Register<'a> {
    order: &'a Registering<'a>,
    keyed: Keyed<'a>,
    shown: Shown<'a>,
    profile: Option<Item>,
}

impl Store {
    /// Gives a nameless wallet its participant; answers the sequence of the entry. The pass opens
    /// the wallet no more. Write units: 6.17; 2 more with a key that carries no time.
    ///
    /// # Errors
    /// `Refused`, `NotFound` (participant), `KeyReused`, `KeyInFuture`, or a failure.
    pub async fn register_nameless(&self, order: &Registering<'_>) -> Result<Done<u64>> {
        let Registering { participant, key, payload, now, .. } = *order;
        let keyed = Keyed::new(Kind::Register, participant, RequestKey::Caller(key), payload, now);
        let shown = Shown::new(Some(order.bearer));
        self.commit(participant, &mut Register { order, keyed, shown, profile: None }).await
    }
}

impl Operation for Register<'_> {
    type Answer = u64;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        self.keyed.load(store, fresh).await?;
        self.shown.load(store, fresh).await?;
        self.profile = store.table.get(key::profile(self.order.participant), fresh).await?;
        Ok(())
    }

    fn reach(&self) -> Reach {
        self.keyed.reach()
    }

    async fn decide(&mut self, store: &Store, ledger: &Ledger) -> Result<Step<u64>> {
        let order = self.order;
        let sequence = |entry: &Entry| Ok(entry.sequence);
        if let Some(step) = self.keyed.search(store, ledger, sequence).await? {
            return Ok(step);
        }
        let pass = match self.shown.pass() {
            Ok(Some(pass)) => pass,
            Ok(None) => return Err(Error::Corrupt("a registration without a pass")),
            Err(unknown) => return Ok(Step::Answer(Err(unknown))),
        };
        let wallet = &ledger.known()?.wallet;
        let now = decision_time(order.now, wallet, None);
        let command = Command::Register { key: order.key, payload: order.payload, pass };
        let applied = apply(order.programme, wallet, now, &command);
        let sequence = applied.wallet.length;
        let mut sides: Vec<Write> = self.keyed.guard(sequence).into_iter().collect();
        sides.extend(self.shown.check());
        let answer = match applied.outcome {
            Outcome::Refused(refusal) => Err(Error::Refused(refusal)),
            Outcome::Done | Outcome::Judged { .. } => {
                let (id, known) = (order.participant, self.profile.as_ref());
                let mut participant = known.map(read_profile).transpose()?.unwrap_or_default();
                let profile = order.profile.cloned();
                participant.change(profile.map_or(Keep, Replace), None);
                participant.hear(order.consents.to_vec());
                sides.push(put_profile(id, known, &participant)?);
                Ok(sequence)
            }
        };
        Ok(Step::Commit(Proposal::of(applied, sides), answer))
    }
}
