//! Merging a duplicate, or the nameless wallet of a pass, into another participant: both wallets
//! change in one transaction.

use domain::apply::{Applied, Command, Outcome, apply};
use domain::id::{Key, ParticipantId};
use domain::ledger::{Entry, PayloadHash};
use domain::merge::HandOver;
use domain::participant::Participant;
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::Instant;
use domain::wallet::Wallet;

use crate::Store;
use crate::alias::hand_alias;
use crate::commit::{Done, Operation, Proposal, Step, WalletChange, decision_time};
use crate::error::{Error, Noun, Result};
use crate::key;
use crate::keyed::{Keyed, Kind, RequestKey};
use crate::ledger::{Ledger, Reach};
use crate::participant::{check_profile, put_profile, read_profile};
use crate::pass::{Bearer, Shown};
use crate::record::State;
use crate::table::{Demand, Item, Write};

/// A merge that is asked for.
#[derive(Clone, Debug)]
pub struct Merging<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub duplicate: &'a ParticipantId,
    /// Another one, who gets it all.
    pub into: &'a ParticipantId,
    /// Within the duplicate's ledger.
    pub key: &'a Key,
    pub payload: PayloadHash,
    /// Whoever holds the pass of a nameless wallet.
    pub bearer: Option<Bearer<'a>>,
    pub reason: Option<&'a str>,
}

/// A merge that was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The entry in the duplicate's ledger.
    pub sequence: u64,
}

struct Merge<'a> {
    order: &'a Merging<'a>,
    keyed: Keyed<'a>,
    shown: Shown<'a>,
    into: Ledger,
    /// What is known of the duplicate, and of who gets it all.
    profiles: (Option<Item>, Option<Item>),
}

impl Store {
    /// Moves all that a duplicate has to another participant; the wallet is the duplicate's. Write
    /// units: 6.33; 2 more each where something is known of the duplicate, for each of its aliases,
    /// with a pass, and with a key that carries no time. A refusal is an entry of the duplicate.
    ///
    /// # Errors
    /// `Refused`, `NotFound` (participant), `KeyReused`, `KeyInFuture`, or a failure.
    pub async fn merge(&self, order: &Merging<'_>) -> Result<Done<Merged>> {
        let Merging { duplicate, key, payload, now, .. } = *order;
        let mut operation = Merge {
            order,
            keyed: Keyed::new(Kind::Merge, duplicate, RequestKey::Caller(key), payload, now),
            shown: Shown::new(order.bearer),
            into: Ledger::default(),
            profiles: (None, None),
        };
        self.commit(duplicate, &mut operation).await
    }
}

impl Operation for Merge<'_> {
    type Answer = Merged;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        let Merging { duplicate, into, .. } = *self.order;
        self.keyed.load(store, fresh).await?;
        self.shown.load(store, fresh).await?;
        self.into = store.read_ledger(into, fresh).await?;
        let profile = |id| store.table.get(key::profile(id), fresh);
        self.profiles = (profile(duplicate).await?, profile(into).await?);
        Ok(())
    }

    fn reach(&self) -> Reach {
        self.keyed.reach()
    }

    async fn decide(&mut self, store: &Store, ledger: &Ledger) -> Result<Step<Merged>> {
        let order = self.order;
        if let Some(step) = self.keyed.search(store, ledger, read_merged).await? {
            return Ok(step);
        }
        let Ok(into) = self.into.known() else {
            return Ok(Step::Answer(Err(Error::NotFound(Noun::Participant))));
        };
        let pass = match self.shown.pass() {
            Ok(pass) => pass,
            Err(unknown) => return Ok(Step::Answer(Err(unknown))),
        };
        let wallet = &ledger.known()?.wallet;
        let now = decision_time(order.now, wallet, [into.wallet.time]);
        let asked = HandOver { into: order.into, pass, reason: order.reason, refused: None };
        let Merging { programme, key, payload, duplicate, .. } = *order;
        let given = apply(programme, wallet, now, &Command::HandOver { key, payload, asked });
        let sequence = given.wallet.length;
        let mut sides: Vec<Write> = self.keyed.guard(sequence).into_iter().collect();
        sides.extend(self.shown.check());
        if let Outcome::Refused(refusal) = given.outcome {
            return Ok(Step::Commit(Proposal::of(given, sides), Err(Error::Refused(refusal))));
        }
        let profiles = match self.profiles(wallet, now)? {
            Ok(profiles) => profiles,
            Err(refusal) => {
                let of_duplicate = check_profile(duplicate, self.profiles.0.as_ref())?;
                let of_other = check_profile(order.into, self.profiles.1.as_ref())?;
                sides.extend([of_duplicate, of_other]);
                return Ok(self.refuse(wallet, now, asked, refusal, sides.into_iter()));
            }
        };
        let last = given.entries.last().ok_or(Error::Corrupt("a merge without its entry"))?;
        let command = Command::TakeOver { duplicate, payload, from: (last, &given.wallet) };
        let taken = apply(programme, &into.wallet, now, &command);
        if let Outcome::Refused(refusal) = taken.outcome {
            let demand = Demand::Number("q", into.wallet.length);
            let check = Write::Check { key: key::state(order.into), demand };
            return Ok(self.refuse(wallet, now, asked, refusal, sides.into_iter().chain([check])));
        }
        sides.extend(profiles);
        let second = Some(self.change(into, taken));
        let proposal = Proposal { second, ..Proposal::of(given, sides) };
        Ok(Step::Commit(proposal, Ok(Merged { sequence })))
    }
}

impl Merge<'_> {
    /// What becomes of the wallet that gets it all.
    fn change(&self, into: &State, taken: Applied) -> Box<WalletChange> {
        Box::new(WalletChange {
            participant: self.order.into.clone(),
            read: Some(into.clone()),
            fresh: self.into.fresh,
            entries: taken.entries,
            wallet: taken.wallet,
        })
    }

    /// The duplicate's entry says that the other does not take it; what that rests on is checked.
    fn refuse(
        &self,
        wallet: &Wallet,
        now: Instant,
        asked: HandOver<'_>,
        refusal: Refusal,
        sides: impl Iterator<Item = Write>,
    ) -> Step<Merged> {
        let Merging { programme, key, payload, .. } = *self.order;
        let asked = HandOver { refused: Some(refusal), ..asked };
        let refused = apply(programme, wallet, now, &Command::HandOver { key, payload, asked });
        let proposal = Proposal::of(refused, sides.collect());
        Step::Commit(proposal, Err(Error::Refused(refusal)))
    }

    /// What is known of the duplicate comes along: who unsubscribed under one name gets no mail
    /// under the other, and who is erased is erased under both. Its own profile is put also where
    /// nothing was in it, so that no update of it comes in between.
    fn profiles(
        &self,
        wallet: &Wallet,
        now: Instant,
    ) -> Result<std::result::Result<Vec<Write>, Refusal>> {
        let Merging { duplicate, into, .. } = *self.order;
        let (of_duplicate, of_other) = (self.profiles.0.as_ref(), self.profiles.1.as_ref());
        let known = of_duplicate.map(read_profile).transpose()?.unwrap_or_default();
        let mut whole = of_other.map(read_profile).transpose()?.unwrap_or_default();
        let mut left = known.clone();
        left.leave(now);
        let mut writes = vec![put_profile(duplicate, of_duplicate, &left)?];
        writes.extend(known.aliases.iter().map(|mark| hand_alias(into, mark)));
        // After its first merge nothing new becomes known of a duplicate.
        if known != Participant::default() && wallet.merged_into.is_none() {
            if let Err(refusal) = whole.absorb(known) {
                return Ok(Err(refusal));
            }
            writes.push(put_profile(into, of_other, &whole)?);
        }
        Ok(Ok(writes))
    }
}

/// The answer of a merge's entry.
fn read_merged(entry: &Entry) -> Result<Merged> {
    Ok(Merged { sequence: entry.sequence })
}
