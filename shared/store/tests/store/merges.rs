//! A duplicate is merged into another participant: both wallets change, once.

use std::rc::Rc;

use domain::id::{Key, ParticipantId};
use domain::participant::{Consent, Profile};
use domain::programme::Programme;
use domain::refusal::Refusal;
use store::{Bearer, Done, Error, Merged, Merging, Result, Store};

use crate::cast::{
    later, noon, open, payload, person, post, programme, publish, purchase, seed, spend, tenfold,
    timed_key,
};
use crate::event_types::referral;
use crate::fault::Weather;
use crate::laws::walk;
use crate::nameless::{Holder, own};
use crate::passes::{loaded, refusal};
use crate::races::{at_once, insist};
use crate::wire::Wire;

/// Who is merged into whom.
pub struct Merge<'a> {
    programme: &'a Programme,
    duplicate: &'a ParticipantId,
    into: ParticipantId,
    key: &'a Key,
}

impl<'a> Merge<'a> {
    pub fn new(
        programme: &'a Programme,
        duplicate: &'a ParticipantId,
        into: &str,
        key: &'a Key,
    ) -> Merge<'a> {
        Merge { programme, duplicate, into: person(into), key }
    }

    pub async fn ask(&self, store: &Store, bearer: Option<Bearer<'_>>) -> Result<Done<Merged>> {
        let order = Merging {
            programme: self.programme,
            now: later(1),
            duplicate: self.duplicate,
            into: &self.into,
            key: self.key,
            payload: payload(6),
            bearer,
            reason: Some("twice"),
        };
        Box::pin(store.merge(&order)).await
    }
}

/// Points of a participant, whose ledger is held against the laws.
fn points(wire: &Wire, who: &str) -> i64 {
    walk(wire, &person(who)).wallet.lots.iter().map(|lot| lot.amount.0).sum()
}

struct Two {
    wire: Wire,
    programme: Programme,
}

/// Two participants with a thousand points each.
async fn two(test: &str) -> Rc<Two> {
    let (wire, programme) = (Wire::new(seed(test)), programme(vec![tenfold()]));
    let store = open(&wire, true);
    publish(&store).await.unwrap();
    for who in ["c-1", "c-2"] {
        store.register(&person(who), None, vec![]).await.unwrap();
        let event = purchase(&person(who), &format!("e-{who}"), 100_00, noon());
        post(&store, &programme, &event, noon(), true).await.unwrap();
    }
    Rc::new(Two { wire, programme })
}

/// while both are spent from and merged into each other, by many and twice each, on a wire
/// that shows old items, every point is spent once or is there in the end.
#[tokio::test(start_paused = true)]
async fn r77_merges_and_spends_at_once_move_every_point_once() {
    let two = two("merges at once").await;
    two.wire.weather(Weather { faults: 60, stale: 100, delay: 3 });
    let spent = at_once(48, |number| {
        let two = Rc::clone(&two);
        async move {
            let store = open(&two.wire, true);
            let key = timed_key(noon(), u64::try_from(number / 2).unwrap());
            let (one, other) = if number % 4 < 2 { ("c-1", "c-2") } else { ("c-2", "c-1") };
            let merges = (number / 2) % 8 == 7;
            let answer = insist(async || {
                if merges {
                    let one = person(one);
                    let merge = Merge::new(&two.programme, &one, other, &key);
                    return merge.ask(&store, None).await.map(|_| 0);
                }
                let spent = spend(&store, &two.programme, &person(one), &key, 20, noon()).await?;
                Ok(spent.value.made.spent.0)
            });
            match answer.await {
                Ok(spent) => (number / 2, spent),
                Err(Error::Refused(Refusal::ParticipantMerged)) => (number / 2, 0),
                Err(other) => panic!("{other:?}"),
            }
        }
    });
    let mut spent = spent.await;
    spent.sort_unstable();
    assert!(spent.chunks(2).all(|twins| twins[0] == twins[1]), "one key, one answer: {spent:?}");
    let spent: i64 = spent.iter().step_by(2).map(|(_, spent)| spent).sum();
    let left = [points(&two.wire, "c-1"), points(&two.wire, "c-2")];
    assert_eq!(left.iter().sum::<i64>() + spent, 2_000, "{left:?}");
    assert!(left.contains(&0), "one of them was merged: {left:?}");
}

/// the newest consent of either holds for who stays; the duplicate takes nothing new.
#[tokio::test(start_paused = true)]
async fn r77_who_unsubscribed_under_one_name_is_not_written_to_under_the_other() {
    let two = two("consents").await;
    let store = open(&two.wire, true);
    let consent = |granted, minutes| {
        let at = later(minutes);
        vec![("email".into(), Consent { granted, at, source: None, process: None })]
    };
    store.register(&person("c-1"), None, consent(true, 1)).await.unwrap();
    store.register(&person("c-2"), None, consent(false, 2)).await.unwrap();
    let (duplicate, key) = (person("c-2"), timed_key(noon(), 1));
    let merge = Merge::new(&two.programme, &duplicate, "c-1", &key);
    let (first, again) = (merge.ask(&store, None).await, merge.ask(&store, None).await);
    assert!(!first.unwrap().repeated && again.unwrap().repeated);
    let known = store.participant(&person("c-1")).await.unwrap();
    assert!(!known.consents_to(&"email".into()));
    assert_eq!(points(&two.wire, "c-1"), 2_000);

    let profile = Some(Profile::default());
    let updated = store.register(&duplicate, profile, vec![]).await;
    assert_eq!(refusal(updated), Refusal::ParticipantMerged);
    let event = purchase(&duplicate, "e-9", 10_00, noon());
    for judge in [true, false] {
        let posted = post(&store, &two.programme, &event, later(3), judge).await;
        assert_eq!(refusal(posted), Refusal::ParticipantMerged);
    }
    let referred = referral(&person("c-1"), "f-9", "c-2");
    let posted = post(&store, &two.programme, &referred, later(3), true).await;
    assert_eq!(refusal(posted), Refusal::ParticipantMerged, "nor is anybody referred");
    let key = timed_key(noon(), 2);
    let nobody = Merge::new(&two.programme, &duplicate, "c-9", &key);
    assert!(matches!(nobody.ask(&store, None).await, Err(Error::NotFound(_))));
}

/// a nameless wallet goes, by its pass, to somebody who is there, and the pass opens nothing
/// any more.
#[tokio::test(start_paused = true)]
async fn r82_a_nameless_wallet_is_merged_by_who_holds_its_pass() {
    let race = loaded("nameless merge").await;
    let store = open(&race.wire, true);
    store.register(&person("c-4"), None, vec![]).await.unwrap();
    let holder = Holder::new(&race.programme, 1);
    holder.redeem(&store, "own").await.unwrap();
    let key = |number| timed_key(noon(), number);
    let without = Merge::new(&race.programme, &own(1), "c-4", &key(1)).ask(&store, None).await;
    assert_eq!(refusal(without), Refusal::PassRequired);
    let lots = walk(&race.wire, &own(1)).wallet.lots;
    assert!(!holder.merge(&store, &key(2)).await.unwrap().repeated);
    assert!(holder.merge(&store, &key(2)).await.unwrap().repeated);
    assert_eq!(walk(&race.wire, &person("c-4")).wallet.lots, lots, "with its expiry");
    let refused = [
        refusal(holder.spend(&store, &key(3), 5).await),
        refusal(holder.register(&store, &key(4)).await),
    ];
    assert_eq!(refused, [Refusal::ParticipantMerged; 2]);
}
