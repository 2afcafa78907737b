//! Passes: issued once per key, redeemed exactly once.

use domain::apply::{Command, Outcome, apply};
use domain::id::{Key, ParticipantId};
use domain::ledger::PayloadHash;
use domain::pass::{Issue, Pass, PassId, PassPlan, Redemption, issued_serial};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::Instant;

use crate::Store;
use crate::commit::{Done, Operation, Proposal, Step, decision_time};
use crate::error::{Error, Result};
use crate::key;
use crate::ledger::{Ledger, Reach};
use crate::record::{decode_pass, encode_pass};
use crate::table::{
    Demand, Item, Write, Written, binary, item, number, read_binary, read_number, read_text,
};

/// Tries of an issue: against rivals, and against serials that another key of the plan has: of a
/// plan with a million passes one in 34,000.
const MAX_TRIES: u32 = 16;

/// The redemption of a pass.
#[derive(Clone, Debug)]
pub struct Redeeming<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub plan: &'a PassPlan,
    pub pass: &'a PassId,
    pub participant: &'a ParticipantId,
    pub key: &'a Key,
    pub payload: PayloadHash,
}

struct Redeem<'a> {
    order: &'a Redeeming<'a>,
    pass: Option<(Pass, u64)>,
}

impl Store {
    /// Issues one pass of a plan under a key; the same key is answered with the same pass. The
    /// flag says whether it was issued before. Write units: 1.
    ///
    /// # Errors
    /// `KeyReused`, or a failure.
    pub async fn issue_pass(
        &self,
        programme: &Programme,
        now: Instant,
        plan: &PassPlan,
        issue: &Issue,
    ) -> Result<(Pass, bool)> {
        let mut attempt = 0;
        for _ in 0..MAX_TRIES {
            let serial = issued_serial(&plan.id, &issue.key, attempt);
            let id = PassId { plan: plan.id.clone(), serial };
            if let Some((known, _)) = self.read_pass(&id, true).await? {
                match known.issued_under == issue.key {
                    true if known.payload != issue.payload => return Err(Error::KeyReused),
                    true => return Ok((known, true)),
                    false => attempt += 1,
                }
                continue;
            }
            let pass = plan.issue(serial, issue.clone(), now, programme.zone);
            let put = put_pass(&pass, 0)?;
            if matches!(self.table.write(vec![put]).await?, Written::Done) {
                return Ok((pass, false));
            }
        }
        Err(Error::Contended)
    }

    /// Redeems a pass into a wallet exactly once. Write units: 4.17.
    ///
    /// # Errors
    /// `NotFound` (participant), `Refused`, `KeyReused`, or a failure.
    pub async fn redeem(&self, order: &Redeeming<'_>) -> Result<Done<Pass>> {
        self.commit(order.participant, &mut Redeem { order, pass: None }).await
    }

    /// A pass with the number of times it was written.
    async fn read_pass(&self, id: &PassId, fresh: bool) -> Result<Option<(Pass, u64)>> {
        let item = self.table.get(key::pass(id), fresh).await?;
        let read = item.map(|item| Ok((decode(&item, id.clone())?, read_number(&item, "v")?)));
        read.transpose()
    }
}

fn decode(item: &Item, id: PassId) -> Result<Pass> {
    decode_pass(read_binary(item, "d")?, id)
}

/// Reads a pass item by itself.
pub(crate) fn read_pass_item(item: &Item) -> Result<Pass> {
    let id = key::read_pass(read_text(item, "pk")?).ok_or(Error::Corrupt("bad pass key"))?;
    decode(item, id)
}

fn put_pass(pass: &Pass, version: u64) -> Result<Write> {
    let demand = if version == 0 { Demand::Absent } else { Demand::Number("v", version) };
    let record = binary(encode_pass(pass)?);
    let item = item(key::pass(&pass.id), [("v", number(version + 1)), ("d", record)]);
    Ok(Write::Put { item, demand })
}

impl Operation for Redeem<'_> {
    type Answer = Pass;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        self.pass = store.read_pass(self.order.pass, fresh).await?;
        Ok(())
    }

    fn reach(&self) -> Reach {
        Reach::Journal
    }

    async fn decide(&mut self, _: &Store, ledger: &Ledger) -> Result<Step<Pass>> {
        let order = self.order;
        let refused = |refusal| Err(Error::Refused(refusal));
        // An unknown pass answers like any that cannot be redeemed.
        let Some((pass, version)) = &self.pass else {
            return Ok(Step::Answer(refused(Refusal::PassNotRedeemable)));
        };
        if let Some(redemption) = &pass.redemption {
            let length = ledger.state.as_ref().map_or(0, |state| state.wallet.length);
            if redemption.participant == *order.participant && length < redemption.sequence {
                return Ok(Step::Again);
            }
            return Ok(Step::Known(repeat(order, ledger, pass, redemption)));
        }
        let state = match ledger.known() {
            Ok(state) => state,
            Err(unknown) => return Ok(Step::Answer(Err(unknown))),
        };
        let now = decision_time(order.now, &state.wallet, [pass.issued_at]);
        let lot = order.plan.lot(pass, now, order.programme.zone);
        let expires = lot.expires;
        let command = Command::Redeem { pass, payload: order.payload, lot };
        let applied = apply(order.programme, &state.wallet, now, &command);
        if let Outcome::Refused(refusal) = applied.outcome {
            return Ok(Step::Answer(refused(refusal)));
        }
        let mut pass = pass.clone();
        pass.redemption = Some(Redemption {
            key: order.key.clone(),
            payload: order.payload,
            participant: order.participant.clone(),
            sequence: applied.wallet.length,
            expires,
        });
        let sides = vec![put_pass(&pass, *version)?];
        Ok(Step::Commit(Proposal::of(applied, sides), Ok(pass)))
    }
}

fn repeat(
    order: &Redeeming<'_>,
    ledger: &Ledger,
    pass: &Pass,
    redemption: &Redemption,
) -> Result<Done<Pass>> {
    if redemption.key != *order.key {
        return Err(Error::Refused(Refusal::PassNotRedeemable));
    }
    if redemption.payload != order.payload {
        return Err(Error::KeyReused);
    }
    let wallet = ledger.known()?.wallet.clone();
    Ok(Done { value: pass.clone(), wallet, repeated: true })
}
