//! Passes: issued and printed, loaded, tried, redeemed exactly as often as they may be.

mod access;
mod bearer;
mod change;
mod issue;
mod promotion;
mod recipient;
mod redeem;
mod register;
mod take_back;

use domain::id::{Key, ParticipantId, PlanId};
use domain::ledger::PayloadHash;
use domain::pass::{Generation, Pass, PassFormat, PassId, PassPlan, PlanKey, PlanStart};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::wallet::Wallet;

use crate::Store;
use crate::commit::{Proposal, Step};
use crate::error::{Error, Result};
use crate::key::{self, ItemKey};
use crate::record::{decode_pass, decode_start, encode_pass};
use crate::table::{
    Demand, Item, Write, binary, item, number, read_binary, read_number, read_text,
};

pub use access::Accessing;
pub use bearer::Bearer;
pub(crate) use bearer::Shown;
pub use change::{LoadingPass, UpdatingPass};
pub use issue::Activating;
pub use promotion::Codes;
pub(crate) use promotion::{FoundCode, take_passes_back};
pub use redeem::Redeeming;
pub use register::Registering;
pub use take_back::{RedemptionTakenBack, TakingBack};

/// Tries of what touches a pass alone, against rivals.
const MAX_TRIES: u32 = 24;

/// The key of a plan's codes, and the PIN as typed.
pub type Proof<'a> = (&'a PlanKey, Option<&'a str>);

/// A pass with the number of times it was written; 0: it is as it was printed.
#[derive(Clone, Debug)]
struct Known {
    pass: Pass,
    version: u64,
}

impl Store {
    /// A pass as it stands.
    ///
    /// # Errors
    /// `NotFound` (pass), or a failure.
    pub async fn pass(&self, plan: &PassPlan, id: &PassId) -> Result<Pass> {
        let known = self.find_pass(plan, id, true).await?;
        known.map(|known| known.pass).ok_or(Error::NotFound(crate::Noun::Pass))
    }

    async fn find_pass(&self, plan: &PassPlan, id: &PassId, fresh: bool) -> Result<Option<Known>> {
        if let Some(item) = self.table.get(key::pass(id), fresh).await? {
            let (pass, version) = (read_pass(&item, id.clone())?, read_number(&item, "v")?);
            return Ok(Some(Known { pass, version }));
        }
        if plan.format == PassFormat::Electronic {
            return Ok(None);
        }
        let start = self.plan_start(&plan.id).await?;
        let printed = start.and_then(|start| plan.printed(id.serial, &start));
        Ok(printed.map(|pass| Known { pass, version: 0 }))
    }

    /// The pass of a code that this key made. What an older key makes is no code of a newer pass:
    /// a key that got out cannot touch what was made after it.
    async fn find_proven(
        &self,
        plan: &PassPlan,
        id: &PassId,
        generation: Generation,
        fresh: bool,
    ) -> Result<Option<Known>> {
        let known = self.find_pass(plan, id, fresh).await?;
        Ok(known.filter(|known| known.pass.generation == generation))
    }

    /// Whether a plan has passes, and which were printed: once there, it never changes.
    ///
    /// # Errors
    /// A failure.
    pub async fn plan_start(&self, plan: &PlanId) -> Result<Option<PlanStart>> {
        let key = || key::plan_start(plan);
        let seen = match self.table.get(key(), false).await? {
            Some(item) => Some(item),
            None => self.table.get(key(), true).await?,
        };
        seen.map(|item| decode_start(read_binary(&item, "d")?)).transpose()
    }

    /// The answer to a request about a pass that was refused under its key before.
    async fn refused_before(&self, guard: ItemKey, payload: PayloadHash) -> Result<Option<Error>> {
        let Some(item) = self.table.get(guard, true).await? else { return Ok(None) };
        if read_binary(&item, "h")? != payload.0 {
            return Ok(Some(Error::KeyReused));
        }
        let at = usize::try_from(read_number(&item, "n")?).ok();
        let refusal = at.and_then(|at| Refusal::ALL.get(at));
        let refusal = refusal.ok_or(Error::Corrupt("a refusal that nobody knows"))?;
        Ok(Some(Error::Refused(*refusal)))
    }
}

/// Remembers a refusal under its key.
fn remember(guard: ItemKey, payload: PayloadHash, refusal: Refusal) -> Write {
    let at = Refusal::ALL.iter().position(|known| *known == refusal).unwrap_or(usize::MAX);
    let at = u64::try_from(at).unwrap_or(u64::MAX);
    let item = item(guard, [("n", number(at)), ("h", binary(payload.0.to_vec()))]);
    Write::Put { item, demand: Demand::Absent }
}

/// Remembers a refusal that rests on what is checked: the wallet, and maybe its pass.
fn refuse<A>(
    remembered: Write,
    wallet: &Wallet,
    checks: impl IntoIterator<Item = Write>,
    refusal: Refusal,
) -> Step<A> {
    let sides = [remembered].into_iter().chain(checks).collect();
    let wallet = wallet.clone();
    let proposal = Proposal { entries: vec![], wallet, enrols: false, second: None, sides };
    Step::Commit(proposal, Err(Error::Refused(refusal)))
}

/// Demands that a wallet is as it was read, or still is not there.
fn check_wallet(participant: &ParticipantId, wallet: &Wallet, absent: bool) -> Write {
    let demand = if absent { Demand::Absent } else { Demand::Number("q", wallet.length) };
    Write::Check { key: key::state(participant), demand }
}

fn guard(kind: &str, id: &PassId, key: &Key) -> ItemKey {
    key::pass_guard(kind, id, key)
}

fn demand(version: u64) -> Demand {
    if version == 0 { Demand::Absent } else { Demand::Number("v", version) }
}

impl Known {
    /// Demands that the pass is as it was read.
    fn check(&self) -> Write {
        Write::Check { key: key::pass(&self.pass.id), demand: demand(self.version) }
    }

    /// Puts the pass as it is now in the place of what was read.
    fn put(&self, pass: &Pass) -> Result<Write> {
        let record = binary(encode_pass(pass)?);
        let item = item(key::pass(&pass.id), [("v", number(self.version + 1)), ("d", record)]);
        Ok(Write::Put { item, demand: demand(self.version) })
    }
}

/// Reads the pass of an item.
pub(crate) fn read_pass(item: &Item, id: PassId) -> Result<Pass> {
    decode_pass(read_binary(item, "d")?, id)
}

/// Reads a pass item by itself, to show it.
pub(crate) fn show_pass_item(item: &Item) -> Result<String> {
    match read_text(item, "sk")? {
        "PLAN" => return Ok(format!("{:#?}", decode_start(read_binary(item, "d")?)?)),
        "X" => {}
        _ => return Ok(format!("{item:#?}")),
    }
    let id = key::read_pass(read_text(item, "pk")?).ok_or(Error::Corrupt("bad pass key"))?;
    Ok(format!("{:#?}", read_pass(item, id)?))
}

/// A plan that got its first pass under a newer programme than this one may have been changed in
/// between: the caller's programme is out of date for a moment.
fn is_current(programme: &Programme, start: &PlanStart) -> Result<()> {
    if programme.version < start.programme { Err(Error::Contended) } else { Ok(()) }
}
