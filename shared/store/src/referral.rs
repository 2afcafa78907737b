//! Referrals: who was referred is judged first, and the referrer only then; both wallets, the
//! event and the quotas change in one transaction, and so they do when it is cancelled.

use domain::apply::{Applied, Command, Outcome, apply};
use domain::award::{Facts, Mode};
use domain::cancel::TakeBack;
use domain::event::{Due, Event, Judgement, RecordedEvent};
use domain::id::ParticipantId;
use domain::ledger::EntryKey;
use domain::offer::Beneficiary;
use domain::time::Instant;
use domain::wallet::Wallet;

use crate::Store;
use crate::cancel::CancelEvent;
use crate::commit::{Done, Operation, Proposal, Step, WalletChange, decision_time};
use crate::error::{Error, Result};
use crate::event::put_event;
use crate::facts::{Known, quota_writes};
use crate::judge::{Judging, is_due};
use crate::ledger::{Ledger, Reach};
use crate::record::StoredEvent;

/// The wallet of whom a referral referred, as it was read. There is none yet where the judgement
/// enrols that participant.
pub(crate) struct ReferredWallet {
    participant: ParticipantId,
    ledger: Ledger,
}

impl ReferredWallet {
    fn wallet(&self) -> Wallet {
        self.ledger.state.as_ref().map(|state| state.wallet.clone()).unwrap_or_default()
    }

    /// No decision about both wallets is earlier.
    pub fn time(&self) -> Instant {
        self.ledger.state.as_ref().map(|state| state.wallet.time).unwrap_or_default()
    }

    /// Whether a judgement's entry is there; what was read is stale where it is not.
    pub fn has(&self, judgement: &Judgement) -> bool {
        self.ledger.state.as_ref().is_some_and(|s| s.wallet.length >= judgement.sequence)
    }

    /// What changes beside the referrer's wallet.
    pub fn change(&self, applied: Applied) -> Box<WalletChange> {
        Box::new(WalletChange {
            participant: self.participant.clone(),
            read: self.ledger.state.clone(),
            fresh: self.ledger.fresh,
            entries: applied.entries,
            wallet: applied.wallet,
        })
    }

    /// Takes back what the referral awarded here.
    pub async fn take_back(
        &self,
        store: &Store,
        order: &CancelEvent<'_>,
        now: Instant,
        key: EntryKey,
        judgement: &Judgement,
    ) -> Result<Applied> {
        let (id, wallet) = (&self.participant, self.wallet());
        let entries = [store.find_entry(id, &self.ledger, judgement.sequence).await?];
        let back = TakeBack { entries: &entries, event: None, later: &[], reason: order.reason };
        let later = match back.history(order.programme, &wallet, now) {
            Some(sequence) => store.entries_from(id, &self.ledger, sequence).await?,
            None => Vec::new(),
        };
        let back = TakeBack { later: &later, ..back };
        let command = Command::Cancel { key, payload: order.payload, back };
        Ok(apply(order.programme, &wallet, now, &command))
    }
}

/// The judgement of one referral, in a run.
pub(crate) struct Referral<'a> {
    order: &'a Judging<'a>,
    event: StoredEvent,
    referred: Option<ReferredWallet>,
    facts: Known,
    referred_facts: Known,
}

impl<'a> Referral<'a> {
    /// The event is that which was read last; the table says whether it is the newest.
    pub fn of(order: &'a Judging<'a>, event: StoredEvent) -> Referral<'a> {
        let (facts, referred_facts) = (Known::default(), Known::default());
        Referral { order, event, referred: None, facts, referred_facts }
    }

    fn judge(&self, event: &RecordedEvent, wallet: &Wallet, on: Judged<'_>) -> Result<Verdict> {
        let (mode, by) = (Mode::Run, self.order.by.clone());
        let command = Command::Judge { event, mode, by, facts: on.facts };
        let mut applied = apply(self.order.programme, wallet, on.now, &command);
        let outcome = std::mem::replace(&mut applied.outcome, Outcome::Done);
        let Outcome::Judged { judgement, due, .. } = outcome else {
            return Err(Error::Corrupt("a judgement that is none"));
        };
        Ok(Verdict { applied, judgement, due })
    }
}

struct Judged<'a> {
    now: Instant,
    facts: Facts<'a>,
}

struct Verdict {
    applied: Applied,
    judgement: Judgement,
    due: Due,
}

impl Store {
    /// The wallet of whom an event refers; none where it is no referral.
    pub(crate) async fn referred_wallet(
        &self,
        event: &Event,
        fresh: bool,
    ) -> Result<Option<ReferredWallet>> {
        let Some(participant) = event.referred().cloned() else { return Ok(None) };
        let ledger = self.read_ledger(&participant, fresh).await?;
        Ok(Some(ReferredWallet { participant, ledger }))
    }
}

impl Operation for Referral<'_> {
    type Answer = RecordedEvent;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        if fresh {
            let read = store.read_event(&self.event.recorded.event.id, true).await?;
            self.event = read.ok_or(Error::Corrupt("a referral that is gone"))?;
        }
        let event = &self.event.recorded.event;
        let Judging { programme, participant, .. } = *self.order;
        self.referred = store.referred_wallet(event, fresh).await?;
        let one = || std::iter::once(event);
        self.facts = store.facts(programme, participant, one()).await?;
        if let Some(referred) = &self.referred {
            let (id, whose) = (&referred.participant, Beneficiary::Referred);
            self.referred_facts = store.facts_for(programme, id, whose, one()).await?;
        }
        Ok(())
    }

    fn reach(&self) -> Reach {
        Reach::Journal
    }

    async fn decide(&mut self, _: &Store, ledger: &Ledger) -> Result<Step<RecordedEvent>> {
        let state = match ledger.known() {
            Ok(state) => state,
            Err(unknown) => return Ok(Step::Answer(Err(unknown))),
        };
        let mut stored = self.event.clone();
        if !is_due(&stored.recorded, Mode::Run) {
            let (value, wallet) = (stored.recorded, state.wallet.clone());
            return Ok(Step::Answer(Ok(Done { value, wallet, repeated: true })));
        }
        let referred = self.referred.as_ref();
        let referred = referred.ok_or(Error::Corrupt("a referral of nobody"))?;
        let at_least = [stored.recorded.accepted_at, referred.time()];
        let now = decision_time(self.order.now, &state.wallet, at_least);
        let on = Judged { now, facts: self.referred_facts.facts() };
        let theirs = self.judge(&stored.recorded, &referred.wallet(), on)?;
        stored.recorded.referred = Some(theirs.judgement);
        let on = Judged { now, facts: self.facts.facts() };
        let own = self.judge(&stored.recorded, &state.wallet, on)?;
        stored.recorded.judgements.push(own.judgement);
        stored.recorded.due = own.due;
        let second = Some(referred.change(theirs.applied));
        let sides = vec![put_event(&stored)?];
        let mut proposal = Proposal { second, ..Proposal::of(own.applied, sides) };
        let quotas = quota_writes(self.order.programme, proposal.all_entries());
        proposal.sides.extend(quotas);
        Ok(Step::Commit(proposal, Ok(stored.recorded)))
    }
}
