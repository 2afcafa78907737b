//! The redemption of a pass: as often as it may be, under any concurrency.

use domain::apply::{Command, Outcome, apply};
use domain::id::{Key, ParticipantId};
use domain::ledger::PayloadHash;
use domain::pass::{PassId, PassPlan, PassType, Redemption};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::Instant;
use domain::wallet::Wallet;

use super::{Known, Proof, check_wallet, guard, refuse, remember};
use crate::Store;
use crate::commit::{Done, Operation, Proposal, Step, decision_time};
use crate::error::{Error, Result};
use crate::ledger::{Ledger, Reach};

/// The redemption of a pass whose code's tag is right.
pub struct Redeeming<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub plan: &'a PassPlan,
    pub pass: &'a PassId,
    pub proof: Proof<'a>,
    /// That of the pass itself: its own wallet, which is nameless at first.
    pub participant: &'a ParticipantId,
    pub key: &'a Key,
    pub payload: PayloadHash,
}

struct Redeem<'a> {
    order: &'a Redeeming<'a>,
    known: Option<Known>,
    refused: Option<Error>,
}

impl Store {
    /// Redeems a pass into a wallet. A PIN's try is charged before the PIN is compared.
    /// Write units: 4.17, and 1 with a PIN; 1 more for a new wallet (the roster's index).
    ///
    /// # Errors
    /// `NotFound` (participant), `Refused`, `KeyReused`, or a failure. Whoever has not proven the
    /// code is answered `pass_not_redeemable`, whatever the reason.
    pub async fn redeem(&self, order: &Redeeming<'_>) -> Result<Done<Redemption>> {
        self.prove(order.plan, order.pass, order.proof).await?;
        let mut operation = Redeem { order, known: None, refused: None };
        let done = self.commit(order.participant, &mut operation).await;
        let wrote = matches!(&done, Ok(done) if !done.repeated);
        if order.plan.pin && !wrote {
            self.forgive_tries(order.plan, order.pass).await?;
        }
        done
    }
}

impl Operation for Redeem<'_> {
    type Answer = Redemption;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        let Redeeming { plan, pass, key, payload, .. } = *self.order;
        // The guard after the pass: a refusal stands on the pass as it was before.
        self.known = store.find_proven(plan, pass, self.order.proof.0.generation(), fresh).await?;
        self.refused = store.refused_before(guard("redeem", pass, key), payload).await?;
        Ok(())
    }

    fn reach(&self) -> Reach {
        Reach::Journal
    }

    async fn decide(&mut self, _: &Store, ledger: &Ledger) -> Result<Step<Redemption>> {
        let order = self.order;
        // An unknown pass answers like any that cannot be redeemed.
        let Some(known) = &self.known else {
            return Ok(Step::Answer(Err(Error::Refused(Refusal::PassNotRedeemable))));
        };
        if let Some(redemption) = known.pass.redemptions.iter().find(|r| r.key == *order.key) {
            let length = ledger.state.as_ref().map_or(0, |state| state.wallet.length);
            if redemption.participant == *order.participant && length < redemption.sequence {
                return Ok(Step::Again);
            }
            return Ok(Step::Known(repeat(order, ledger, redemption)));
        }
        if let Some(refused) = self.refused.take() {
            return Ok(Step::Known(Err(refused)));
        }
        let (plan, payload) = (order.plan, order.payload);
        let own = plan.pass_type == PassType::Gift && *order.participant == order.pass.nameless();
        let enrols = own && ledger.state.is_none();
        let wallet = match ledger.known() {
            Ok(state) => &state.wallet,
            Err(_) if enrols => &Wallet::default(),
            Err(unknown) => return Ok(Step::Answer(Err(unknown))),
        };
        let now = decision_time(order.now, wallet, None);
        // Whoever gets here has proven the code: tries of before do not count any more.
        let mut pass = known.forgiven();
        let command = Command::Redeem { pass: &pass, plan, payload, own };
        let applied = apply(order.programme, wallet, now, &command);
        if let Outcome::Refused(refusal) = applied.outcome {
            let remembered = remember(guard("redeem", order.pass, order.key), payload, refusal);
            let checks = [check_wallet(order.participant, wallet, enrols), known.check()];
            return Ok(refuse(remembered, wallet, checks, refusal));
        }
        let redemption = Redemption {
            key: order.key.clone(),
            payload,
            participant: order.participant.clone(),
            sequence: applied.wallet.length,
            amount: pass.worth(plan).ok_or(Error::Corrupt("a pass that is worth nothing"))?,
            expires: plan.expires.last_day(now.day(order.programme.zone)),
            cancelled: false,
        };
        pass.redemptions.push(redemption.clone());
        let sides = vec![known.put(&pass)?];
        let proposal = Proposal { enrols, ..Proposal::of(applied, sides) };
        Ok(Step::Commit(proposal, Ok(redemption)))
    }
}

fn repeat(
    order: &Redeeming<'_>,
    ledger: &Ledger,
    redemption: &Redemption,
) -> Result<Done<Redemption>> {
    if redemption.payload != order.payload {
        return Err(Error::KeyReused);
    }
    let wallet = ledger.known()?.wallet.clone();
    Ok(Done { value: redemption.clone(), wallet, repeated: true })
}
