//! Taking a redemption back: the value by the debt policy, the pass usable again or void.

use domain::apply::{Command, Outcome, apply};
use domain::cancel::TakeBack;
use domain::id::{Key, TransactionCode};
use domain::ledger::{Entry, EntryKey, PayloadHash};
use domain::pass::{ChangeKind, Mark, PassId, PassPlan};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::Instant;

use super::{Known, check_wallet, guard, refuse, remember};
use crate::Store;
use crate::commit::{Done, Operation, Proposal, Step, decision_time};
use crate::error::{Error, Noun, Result};
use crate::ledger::{Ledger, Reach};

/// The cancel of a redemption by an operator.
#[derive(Clone, Debug)]
pub struct TakingBack<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    /// The transaction code of the redemption.
    pub redemption: &'a TransactionCode,
    pub key: &'a Key,
    /// Of the body and the caller's key.
    pub payload: PayloadHash,
    /// Whether the pass is void afterwards; else it can be used again.
    pub void: bool,
    /// Why, as the operator says.
    pub reason: Option<&'a str>,
    /// The subject of the token.
    pub who: &'a str,
}

/// A redemption that was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedemptionTakenBack {
    /// The ledger entry.
    pub sequence: u64,
    pub pass: PassId,
}

struct TakeItBack<'a> {
    order: &'a TakingBack<'a>,
    plan: &'a PassPlan,
    entry: Entry,
    pass: PassId,
    known: Option<Known>,
    refused: Option<Error>,
}

impl Store {
    /// Takes a redemption back, once. Write units: 4.17.
    ///
    /// # Errors
    /// `NotFound` (transaction), `Refused`, `KeyReused`, or a failure.
    pub async fn take_back(&self, order: &TakingBack<'_>) -> Result<Done<RedemptionTakenBack>> {
        let entry = self.transaction(order.redemption).await?;
        let EntryKey::Redeem { plan, serial, .. } = entry.key.clone() else {
            return Err(Error::NotFound(Noun::Transaction));
        };
        let found = order.programme.pass_plan(&plan).ok_or(Error::NotFound(Noun::PassPlan))?;
        let pass = PassId { plan, serial };
        let mut operation =
            TakeItBack { order, plan: found, entry, pass, known: None, refused: None };
        self.commit(&order.redemption.participant, &mut operation).await
    }
}

impl Operation for TakeItBack<'_> {
    type Answer = RedemptionTakenBack;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        self.known = store.find_pass(self.plan, &self.pass, fresh).await?;
        let guard = guard("take-back", &self.pass, self.order.key);
        self.refused = store.refused_before(guard, self.order.payload).await?;
        Ok(())
    }

    fn reach(&self) -> Reach {
        Reach::Since(self.entry.at)
    }

    async fn decide(&mut self, store: &Store, ledger: &Ledger) -> Result<Step<Self::Answer>> {
        let order = self.order;
        let participant = &order.redemption.participant;
        let state = match ledger.known() {
            Ok(state) => state,
            Err(unknown) => return Ok(Step::Answer(Err(unknown))),
        };
        let done = |sequence| RedemptionTakenBack { sequence, pass: self.pass.clone() };
        let key = EntryKey::CancelRedemption(self.entry.sequence);
        if let Some(entry) = ledger.search(&key) {
            if entry.payload != order.payload {
                return Ok(Step::Known(Err(Error::Refused(Refusal::AlreadyCancelled))));
            }
            let (value, wallet) = (done(entry.sequence), state.wallet.clone());
            return Ok(Step::Known(Ok(Done { value, wallet, repeated: true })));
        }
        if let Some(refused) = self.refused.take() {
            return Ok(Step::Known(Err(refused)));
        }
        let known = self.known.as_ref().ok_or(Error::Corrupt("a redemption without its pass"))?;
        let own = |redemption: &domain::pass::Redemption| {
            redemption.sequence == self.entry.sequence && redemption.participant == *participant
        };
        let mut pass = known.pass.clone();
        let Some(at) = pass.redemptions.iter().position(own) else { return Ok(Step::Again) };
        if std::mem::replace(&mut pass.redemptions[at].cancelled, true) {
            // A twin took it back, which the ledger that was read does not show yet.
            return Ok(Step::Again);
        }
        if order.void {
            pass.mark = Some(Mark::Void);
        }
        let now = decision_time(order.now, &state.wallet, None);
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        pass.note(now, order.who, ChangeKind::TakenBack(number));
        let entries = std::slice::from_ref(&self.entry);
        let back = TakeBack { entries, event: None, later: &[], reason: order.reason };
        let later = match back.history(order.programme, &state.wallet, now) {
            Some(sequence) => store.entries_from(participant, ledger, sequence).await?,
            None => Vec::new(),
        };
        let back = TakeBack { later: &later, ..back };
        let command = Command::Cancel { key, payload: order.payload, back };
        let applied = apply(order.programme, &state.wallet, now, &command);
        if let Outcome::Refused(refusal) = applied.outcome {
            let guard = guard("take-back", &self.pass, order.key);
            let remembered = remember(guard, order.payload, refusal);
            let checks = [check_wallet(participant, &state.wallet, false)];
            return Ok(refuse(remembered, &state.wallet, checks, refusal));
        }
        let answer = Ok(done(applied.wallet.length));
        let sides = vec![known.put(&pass)?];
        Ok(Step::Commit(Proposal::of(applied, sides), answer))
    }
}
