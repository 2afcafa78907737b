//! Passes, as they are tried on the bad wire.

use domain::amount::Amount;
use domain::id::{ParticipantId, PlanId, TransactionCode};
use domain::pass::{Generation, PassId, PassPlan, PassUpdate, Redemption, StateAsked};
use domain::programme::Programme;
use store::{
    Activating, Done, Error, LoadingPass, Redeeming, Result, Store, TakingBack, UpdatingPass,
};

use crate::cast::{card, gift, issue, key, later, noon, payload, person, plan_key, print};
use crate::operation::{Cast, Operation};

/// The cards of the cast: 1 is loaded, 2 was redeemed by [`Cards::holder`], 3 is as it was printed.
pub struct Cards<'a> {
    programme: &'a Programme,
    who: &'a ParticipantId,
    pub plan: PassPlan,
}

fn plan(id: &str) -> PlanId {
    PlanId::parse(id).unwrap()
}

/// A card.
pub fn pass(plan: &PassPlan, serial: u64) -> PassId {
    PassId { plan: plan.id.clone(), serial }
}

/// The PIN of a card.
pub fn pin(plan: &PassPlan, serial: u64) -> String {
    plan_key(plan).told(serial).pin
}

/// An answer as text, also where it is a no.
fn told<A: std::fmt::Debug>(answer: Result<A>) -> Result<String> {
    match answer {
        Ok(value) => Ok(format!("{value:?}")),
        Err(Error::Refused(refusal)) => Ok(refusal.code().to_owned()),
        Err(other) => Err(other),
    }
}

impl<'a> Cards<'a> {
    pub fn of(cast: &'a Cast) -> Cards<'a> {
        Cards::new(&cast.programme, &cast.who)
    }

    pub fn new(programme: &'a Programme, who: &'a ParticipantId) -> Cards<'a> {
        Cards { programme, who, plan: card() }
    }

    fn holder() -> ParticipantId {
        person("c-5")
    }

    /// Brings about what the operations start from.
    pub async fn prepare(&self, store: &Store) -> Result<()> {
        print(store, self.programme).await?;
        for serial in [1, 2] {
            self.load(store, serial, Some(20), &format!("load-{serial}")).await?;
        }
        store.register(&Cards::holder(), None, vec![]).await?;
        self.redeem(store, &Cards::holder(), 2, "first", &pin(&self.plan, 2)).await.map(drop)
    }

    pub async fn load(
        &self,
        store: &Store,
        serial: u64,
        value: Option<i64>,
        under: &str,
    ) -> Result<bool> {
        let key = key(under);
        let order = LoadingPass {
            programme: self.programme,
            now: noon(),
            plan: &self.plan,
            pass: &pass(&self.plan, serial),
            key: &key,
            payload: payload(1),
            value: value.map(Amount),
            who: "till-7",
        };
        Ok(store.load_pass(&order).await?.1)
    }

    pub async fn redeem(
        &self,
        store: &Store,
        participant: &ParticipantId,
        serial: u64,
        under: &str,
        pin: &str,
    ) -> Result<Done<Redemption>> {
        let (pass, plan_key, key) = (&pass(&self.plan, serial), &plan_key(&self.plan), &key(under));
        let order = Redeeming {
            programme: self.programme,
            now: later(1),
            plan: &self.plan,
            pass,
            proof: (plan_key, Some(pin)),
            participant,
            key,
            payload: payload(1),
        };
        store.redeem(&order).await
    }

    pub async fn update(&self, store: &Store, serial: u64, update: &PassUpdate) -> Result<()> {
        let (now, plan, pass) = (later(1), &self.plan, &pass(&self.plan, serial));
        let order = UpdatingPass { now, plan, pass, update, who: "ben" };
        store.update_pass(&order).await.map(drop)
    }

    pub async fn take_back(
        &self,
        store: &Store,
        redemption: &TransactionCode,
        under: &str,
        void: bool,
    ) -> Result<u64> {
        let order = TakingBack {
            programme: self.programme,
            now: later(2),
            redemption,
            key: &key(under),
            payload: payload(u8::from(void)).under(payload(under.len().try_into().unwrap())),
            void,
            who: "ben",
        };
        Ok(store.take_back(&order).await?.value.sequence)
    }

    /// Asks once; the answer as text.
    pub async fn ask(&self, store: &Store, operation: Operation) -> Result<String> {
        let right = |serial| pin(&self.plan, serial);
        match operation {
            Operation::IssueFirstPass => {
                let plan = PassPlan { id: plan("first"), ..gift() };
                let issued = store.issue_pass(self.programme, later(1), &plan, &issue("n")).await;
                Ok(format!("{:?}", issued?.0))
            }
            Operation::ActivatePlan => {
                let plan = PassPlan { id: plan("second"), ..card() };
                let (programme, now, plan) = (self.programme, noon(), &plan);
                let (key, payload, count) = (&key("print-2"), payload(1), 1_000_000);
                let generation = Generation(0);
                let order = Activating { programme, now, plan, key, payload, count, generation };
                Ok(format!("{:?}", store.activate_plan(&order).await?.0))
            }
            Operation::LoadPass => {
                self.load(store, 3, Some(30), "load").await?;
                Ok(format!("{:?}", store.pass(&self.plan, &pass(&self.plan, 3)).await?))
            }
            Operation::LoadRefused => told(self.load(store, 4, None, "load").await),
            Operation::UpdatePass => {
                let update =
                    PassUpdate { state: Some(StateAsked::Locked), ..PassUpdate::default() };
                self.update(store, 3, &update).await?;
                let pass = store.pass(&self.plan, &pass(&self.plan, 3)).await?;
                Ok(format!("{:?}", pass.mark))
            }
            Operation::LookUpPass => {
                let (pass, key, pin) = (pass(&self.plan, 1), plan_key(&self.plan), right(1));
                let seen = store.look_up_pass(&self.plan, &pass, (&key, Some(&pin))).await?;
                Ok(format!("{:?}", seen.value))
            }
            Operation::RedeemWithPin => {
                let done = self.redeem(store, self.who, 1, "redeem-2", &right(1)).await?;
                Ok(format!("{:?}", done.value))
            }
            Operation::RedeemRefused => {
                told(self.redeem(store, self.who, 3, "redeem-3", &right(3)).await)
            }
            Operation::TakeBack => {
                let redemption = TransactionCode { participant: Cards::holder(), sequence: 1 };
                Ok(self.take_back(store, &redemption, "back", false).await?.to_string())
            }
            other => panic!("{other:?} is no operation of passes"),
        }
    }
}
