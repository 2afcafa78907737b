//! Nameless wallets: of whoever holds a gift pass.

use std::rc::Rc;

use domain::hold::HoldTime;
use domain::id::{Key, ParticipantId};
use domain::participant::Profile;
use domain::pass::{Generation, MAX_TRIES, PassId, PassPlan, PassUpdate, Redemption, StateAsked};
use domain::programme::Programme;
use domain::refusal::Refusal;
use store::{
    Bearer, Done, Error, HoldDone, Holding, Merged, Redeeming, Registering, RequestKey, Result,
    SpendDone, Spending, Store,
};

use crate::cards::{Cards, pass, pin, told};
use crate::cast::{
    asked, card, gift, issue, key as named, later, noon, open, payload, person, plan_key, publish,
    spend, timed_key,
};
use crate::laws::walk;
use crate::merges::Merge;
use crate::passes::{loaded, refusal, tries};
use crate::races::{Race, at_once, insist};

/// Who holds a card.
pub struct Holder<'a> {
    programme: &'a Programme,
    serial: u64,
}

/// Whoever has proven a pass.
fn bearer<'a>(plan: &'a PassPlan, pass: &'a PassId) -> Bearer<'a> {
    Bearer { plan, pass, generation: plan_key(plan).generation() }
}

/// The participant of a card's own wallet.
pub fn own(serial: u64) -> ParticipantId {
    pass(&card(), serial).nameless()
}

impl<'a> Holder<'a> {
    pub fn new(programme: &'a Programme, serial: u64) -> Holder<'a> {
        Holder { programme, serial }
    }

    pub async fn redeem(&self, store: &Store, under: &str) -> Result<Done<Redemption>> {
        let right = pin(&card(), self.serial);
        Cards::new(self.programme)
            .redeem(store, &own(self.serial), self.serial, under, &right)
            .await
    }

    async fn prove(&self, store: &Store, pin: &str) -> Result<()> {
        let plan = card();
        let id = pass(&plan, self.serial);
        store.prove_pass(&plan, &id, (&plan_key(&plan), Some(pin))).await
    }

    pub async fn spend(&self, store: &Store, key: &Key, amount: i64) -> Result<Done<SpendDone>> {
        self.prove(store, &pin(&card(), self.serial)).await?;
        let (plan, id) = (&card(), &pass(&card(), self.serial));
        let order = Spending {
            programme: self.programme,
            now: later(1),
            participant: &own(self.serial),
            key: RequestKey::Caller(key),
            payload: payload(2),
            asked: &asked(amount, noon()),
            purchase: None,
            request: None,
            bearer: Some(bearer(plan, id)),
        };
        store.spend(&order).await
    }

    pub async fn hold(&self, store: &Store, key: &Key, amount: i64) -> Result<Done<HoldDone>> {
        self.prove(store, &pin(&card(), self.serial)).await?;
        let (plan, id) = (&card(), &pass(&card(), self.serial));
        let order = Holding {
            programme: self.programme,
            now: later(1),
            participant: &own(self.serial),
            key,
            payload: payload(2),
            asked: &asked(amount, noon()),
            purchase: None,
            time: HoldTime::default(),
            bearer: Some(bearer(plan, id)),
        };
        store.hold(&order).await
    }

    pub async fn register(&self, store: &Store, key: &Key) -> Result<Done<u64>> {
        self.prove(store, &pin(&card(), self.serial)).await?;
        let (plan, id) = (&card(), &pass(&card(), self.serial));
        let profile = Profile { first_name: Some("Ada".into()), ..Profile::default() };
        let order = Registering {
            programme: self.programme,
            now: later(2),
            bearer: bearer(plan, id),
            participant: &own(self.serial),
            key,
            payload: payload(3),
            profile: Some(&profile),
            consents: &[],
        };
        store.register_nameless(&order).await
    }

    /// Merges the card's own wallet into somebody else's.
    pub async fn merge(&self, store: &Store, key: &Key) -> Result<Done<Merged>> {
        self.prove(store, &pin(&card(), self.serial)).await?;
        let (plan, id) = (&card(), &pass(&card(), self.serial));
        let own = own(self.serial);
        Merge::new(self.programme, &own, "c-4", key).ask(store, Some(bearer(plan, id))).await
    }

    /// The redemption, a spend, a hold, a registration or a merge, as text.
    pub async fn told(&self, store: &Store, what: &str) -> Result<String> {
        let key = timed_key(noon(), 0x77);
        match what {
            "redeem" => told(self.redeem(store, "own").await.map(|done| done.value)),
            "spend" => told(self.spend(store, &key, 5).await.map(|done| done.value)),
            "refused" => told(self.spend(store, &key, 500).await.map(|done| done.value)),
            "hold" => told(self.hold(store, &key, 5).await.map(|done| done.value)),
            "merge" => told(self.merge(store, &key).await.map(|done| done.value)),
            _ => told(self.register(store, &key).await.map(|done| done.value)),
        }
    }
}

fn key(number: u64) -> Key {
    timed_key(noon(), number)
}

/// of 64 redemptions of one gift at once, into its own wallet, one credits it; the same
/// key is answered alike, and all others are told that it was used.
#[tokio::test(start_paused = true)]
async fn r82_of_64_redemptions_at_once_into_a_nameless_wallet_one_credits_it() {
    let race = Race::new("nameless", 100_00).await;
    let store = open(&race.wire, true);
    publish(&store).await.unwrap();
    let issued = store.issue_pass(&race.programme, noon(), &gift(), &issue("i")).await;
    let pass = issued.unwrap().0.id;
    let redeemed = at_once(64, |number| {
        let (race, pass) = (Rc::clone(&race), pass.clone());
        async move {
            let under = number % 32;
            let (programme, now, plan) = (&race.programme, later(1), &gift());
            let (pass, key, payload) = (&pass, &named(&format!("r-{under}")), payload(1));
            let (proof, participant) = ((&plan_key(plan), None), &pass.nameless());
            let order = Redeeming { programme, now, plan, pass, proof, participant, key, payload };
            let store = open(&race.wire, true);
            match insist(|| store.redeem(&order)).await {
                Ok(done) => Some((under, done.value.sequence)),
                Err(Error::Refused(Refusal::PassUsed)) => None,
                Err(other) => panic!("{other:?}"),
            }
        }
    });
    let credited: Vec<_> = redeemed.await.into_iter().flatten().collect();
    assert_eq!(credited.len(), 2, "a request and its twin");
    assert_eq!((credited[0], credited[0].1), (credited[1], 1));
    let wallet = walk(&race.wire, &pass.nameless()).wallet;
    assert_eq!(wallet.lots.iter().map(|lot| lot.amount.0).sum::<i64>(), 20);
    assert_eq!((wallet.nameless, wallet.length), (Some(pass), 1));
}

/// nobody spends or holds from a nameless wallet without its pass, and nobody registers it.
#[tokio::test(start_paused = true)]
async fn r84_a_nameless_wallet_opens_to_its_pass_alone() {
    let race = loaded("opens").await;
    let store = open(&race.wire, true);
    let holder = Holder::new(&race.programme, 1);
    let unknown = holder.spend(&store, &key(1), 5).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))), "nothing was redeemed: {unknown:?}");
    holder.redeem(&store, "own").await.unwrap();

    let without = spend(&store, &race.programme, &own(1), &key(2), 5, noon()).await;
    assert_eq!(refusal(without), Refusal::PassRequired);
    assert_eq!(refusal(store.register(&own(1), None, vec![]).await), Refusal::PassRequired);
    let made = holder.spend(&store, &key(3), 5).await.unwrap();
    assert_eq!((made.value.made.spent.0, made.repeated), (5, false));
    assert!(holder.spend(&store, &key(3), 5).await.unwrap().repeated);
    assert_eq!(holder.hold(&store, &key(4), 5).await.unwrap().value.made.spend.spent.0, 5);
    assert_eq!(tries(&store, 1).await, 0);

    // Another card opens its own wallet.
    let other = Holder::new(&race.programme, 2);
    other.redeem(&store, "own").await.unwrap();
    let (plan, id) = (&card(), &pass(&card(), 2));
    let crossed = Spending {
        programme: &race.programme,
        now: later(1),
        participant: &own(1),
        key: RequestKey::Caller(&key(5)),
        payload: payload(2),
        asked: &asked(5, noon()),
        purchase: None,
        request: None,
        bearer: Some(bearer(plan, id)),
    };
    assert_eq!(refusal(store.spend(&crossed).await), Refusal::PassRequired);

    // A key that got out and makes the code anew opens nothing that a newer key made.
    let older = Bearer { generation: Generation(9), ..bearer(plan, id) };
    let shown = Spending { participant: &own(2), bearer: Some(older), ..crossed };
    assert_eq!(refusal(store.spend(&shown).await), Refusal::PassNotRedeemable);

    let locked = PassUpdate { state: Some(StateAsked::Locked), ..PassUpdate::default() };
    Cards::new(&race.programme).update(&store, 1, &locked).await.unwrap();
    assert_eq!(refusal(holder.spend(&store, &key(6), 5).await), Refusal::PassLocked);
    assert!(holder.spend(&store, &key(3), 5).await.unwrap().repeated, "one key, one answer");
}

/// wrong PINs lock the wallet like the pass; the try is charged before the PIN is compared.
#[tokio::test(start_paused = true)]
async fn r84_guesses_at_a_nameless_wallet_lock_its_pass() {
    let race = loaded("guessed").await;
    let store = open(&race.wire, true);
    let holder = Holder::new(&race.programme, 1);
    holder.redeem(&store, "own").await.unwrap();
    for _ in 0..MAX_TRIES {
        assert_eq!(refusal(holder.prove(&store, "wrong").await), Refusal::PassNotRedeemable);
    }
    let late = holder.spend(&store, &key(1), 5).await;
    assert_eq!(refusal(late), Refusal::PassNotRedeemable);
    assert_eq!(walk(&race.wire, &own(1)).wallet.length, 1);
}

/// who registers keeps the balance; from then on the pass opens nothing.
#[tokio::test(start_paused = true)]
async fn r82_who_registers_keeps_the_balance_and_the_pass_opens_nothing() {
    let race = loaded("registers").await;
    let store = open(&race.wire, true);
    let holder = Holder::new(&race.programme, 1);
    holder.redeem(&store, "own").await.unwrap();
    let done = holder.register(&store, &key(1)).await.unwrap();
    assert_eq!((done.value, done.repeated, done.wallet.nameless), (2, false, None));
    assert!(holder.register(&store, &key(1)).await.unwrap().repeated);
    let known = store.participant(&own(1)).await.unwrap();
    assert_eq!(known.profile.first_name.as_deref(), Some("Ada"));

    assert_eq!(refusal(holder.register(&store, &key(2)).await), Refusal::NotNameless);
    assert_eq!(refusal(holder.spend(&store, &key(3), 5).await), Refusal::NotNameless);
    let made = spend(&store, &race.programme, &own(1), &key(4), 15, noon()).await.unwrap();
    assert_eq!(made.value.made.spent.0, 15);
    assert!(!store.register(&own(1), None, vec![]).await.unwrap().1, "it is there");
}

/// a wallet that took the name before is nameless from the redemption on; once somebody
/// registered it with the pass, a later redemption leaves it to them.
#[tokio::test(start_paused = true)]
async fn r82_nobody_takes_the_wallet_of_a_pass_before_it_is_redeemed() {
    let race = loaded("takes").await;
    let store = open(&race.wire, true);
    store.register(&own(1), None, vec![]).await.unwrap();
    let holder = Holder::new(&race.programme, 1);
    let first = holder.redeem(&store, "own").await.unwrap();
    assert_eq!(first.wallet.nameless, Some(pass(&card(), 1)));
    let without = spend(&store, &race.programme, &own(1), &key(1), 5, noon()).await;
    assert_eq!(refusal(without), Refusal::PassRequired);
    holder.register(&store, &key(2)).await.unwrap();

    let code = domain::id::TransactionCode { participant: own(1), sequence: 1 };
    Cards::new(&race.programme).take_back(&store, &code, "back", false).await.unwrap();
    let again = holder.redeem(&store, "again").await.unwrap();
    assert_eq!(again.wallet.nameless, None);
    assert_eq!(again.wallet.lots.iter().map(|lot| lot.amount.0).sum::<i64>(), 20);
    assert!(store.participant(&person("c-9")).await.is_err());
}
