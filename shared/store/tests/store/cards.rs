//! Passes, as they are tried on the bad wire.

use domain::amount::Amount;
use domain::id::{ParticipantId, PlanId, TransactionCode};
use domain::pass::{PassId, PassPlan, PassUpdate, Redemption, StateAsked};
use domain::programme::Programme;
use store::{
    Activating, Done, Error, LoadingPass, Redeeming, Result, Store, TakingBack, UpdatingPass,
};

use crate::cast::{
    card, gift, issue, key, later, noon, payload, person, plan_key, print, printing,
};
use crate::nameless::Holder;
use crate::operation::Cast;

/// The cards of the cast: 1 is loaded, 2 was redeemed by [`Cards::holder`], 3 is as it was printed,
/// 5 is loaded, 6 was redeemed into its own wallet.
pub struct Cards<'a> {
    programme: &'a Programme,
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
pub fn told<A: std::fmt::Debug>(answer: Result<A>) -> Result<String> {
    match answer {
        Ok(value) => Ok(format!("{value:?}")),
        Err(Error::Refused(refusal)) => Ok(refusal.code().to_owned()),
        Err(other) => Err(other),
    }
}

impl<'a> Cards<'a> {
    pub fn of(cast: &'a Cast) -> Cards<'a> {
        Cards::new(&cast.programme)
    }

    pub fn new(programme: &'a Programme) -> Cards<'a> {
        Cards { programme, plan: card() }
    }

    fn holder() -> ParticipantId {
        person("c-5")
    }

    /// Brings about what the operations start from.
    pub async fn prepare(&self, store: &Store) -> Result<()> {
        print(store, self.programme).await?;
        for serial in [1, 2, 5, 6] {
            self.load(store, serial, Some(20), &format!("load-{serial}")).await?;
        }
        Holder::new(self.programme, 6).redeem(store, "own").await?;
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
            reason: None,
            who: "ben",
        };
        Ok(store.take_back(&order).await?.value.sequence)
    }

    /// Issues the first pass of a plan.
    pub async fn issue_first(&self, store: &Store) -> Result<String> {
        let plan = PassPlan { id: plan("first"), ..gift() };
        let issued = store.issue_pass(self.programme, later(1), &plan, &issue("n")).await;
        Ok(format!("{:?}", issued?.0))
    }

    /// Prints another plan.
    pub async fn activate(&self, store: &Store) -> Result<String> {
        let plan = PassPlan { id: plan("second"), ..card() };
        let order = Activating { plan: &plan, ..printing(self.programme) };
        Ok(format!("{:?}", store.activate_plan(&order).await?.0))
    }

    pub async fn load_third(&self, store: &Store) -> Result<String> {
        self.load(store, 3, Some(30), "load").await?;
        Ok(format!("{:?}", store.pass(&self.plan, &pass(&self.plan, 3)).await?))
    }

    pub async fn lock_third(&self, store: &Store) -> Result<String> {
        let update = PassUpdate { state: Some(StateAsked::Locked), ..PassUpdate::default() };
        self.update(store, 3, &update).await?;
        let pass = store.pass(&self.plan, &pass(&self.plan, 3)).await?;
        Ok(format!("{:?}", pass.mark))
    }

    pub async fn look_up(&self, store: &Store) -> Result<String> {
        let (pass, key, pin) = (pass(&self.plan, 1), plan_key(&self.plan), pin(&self.plan, 1));
        let seen = store.look_up_pass(&self.plan, &pass, (&key, Some(&pin))).await?;
        Ok(format!("{:?}", seen.value))
    }

    pub async fn redeem_as(
        &self,
        store: &Store,
        who: &ParticipantId,
        serial: u64,
    ) -> Result<String> {
        let right = pin(&self.plan, serial);
        let under = format!("redeem-{serial}");
        told(self.redeem(store, who, serial, &under, &right).await.map(|done| done.value))
    }

    pub async fn take_second_back(&self, store: &Store) -> Result<String> {
        let redemption = TransactionCode { participant: Cards::holder(), sequence: 1 };
        Ok(self.take_back(store, &redemption, "back", false).await?.to_string())
    }
}
