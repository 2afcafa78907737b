//! Passes that many redeem, guess and change at once.

use std::rc::Rc;

use domain::amount::Amount;
use domain::id::TransactionCode;
use domain::pass::{MAX_TRIES, PassUpdate, StateAsked};
use domain::refusal::Refusal;
use store::{Accessing, Activating, Error, Store, Succession};

use crate::cards::{Cards, pass, pin};
use crate::cast::{
    card, gift, issue, key, later, noon, open, payload, person, plan_key, print, printing,
    programme, publish, seed, tenfold,
};
use crate::fault::Weather;
use crate::races::{Race, at_once, insist};
use crate::wire::Wire;

/// A race for the cards 1 and 2, which are loaded with 20.
pub async fn loaded(test: &str) -> Rc<Race> {
    let race = Race::new(test, 100_00).await;
    let store = open(&race.wire, true);
    publish(&store).await.unwrap();
    print(&store, &race.programme).await.unwrap();
    for serial in [1, 2] {
        let cards = Cards::new(&race.programme);
        cards.load(&store, serial, Some(20), &format!("load-{serial}")).await.unwrap();
    }
    race
}

pub fn refusal<T: std::fmt::Debug>(answer: store::Result<T>) -> Refusal {
    match answer {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

pub async fn tries(store: &Store, serial: u64) -> u8 {
    store.pass(&card(), &pass(&card(), serial)).await.unwrap().tries
}

/// of a thousand guesses at once as many are compared as a pass has tries, and it locks; who
/// then has the right PIN is answered like everybody else.
#[tokio::test(start_paused = true)]
async fn r84_of_a_thousand_guesses_at_once_only_the_first_are_compared() {
    let race = loaded("guesses").await;
    let right = pin(&card(), 1);
    let guesses = at_once(1_000, |number| {
        let (race, right) = (Rc::clone(&race), right.clone());
        async move {
            let guess = format!("{number:06}");
            if guess == right {
                return 0;
            }
            let store = open(&race.wire, true);
            let cards = Cards::new(&race.programme);
            let under = format!("guess-{number}");
            let answer = insist(|| cards.redeem(&store, &race.who, 1, &under, &guess)).await;
            assert_eq!(refusal(answer), Refusal::PassNotRedeemable);
            1
        }
    });
    guesses.await;
    let store = open(&race.wire, true);
    assert_eq!(tries(&store, 1).await, MAX_TRIES);
    let cards = Cards::new(&race.programme);
    let late = cards.redeem(&store, &race.who, 1, "late", &right).await;
    assert_eq!(refusal(late), Refusal::PassNotRedeemable);

    let usable = PassUpdate { state: Some(StateAsked::Usable), ..PassUpdate::default() };
    cards.update(&store, 1, &usable).await.unwrap();
    cards.redeem(&store, &race.who, 1, "late", &right).await.unwrap();
    assert_eq!((tries(&store, 1).await, race.points()), (0, 1_020));
}

/// the right PIN forgets the wrong ones, also as the last try, and however often it is
/// repeated.
#[tokio::test(start_paused = true)]
async fn r84_the_right_pin_forgets_the_wrong_ones() {
    let race = loaded("forgets").await;
    let store = open(&race.wire, true);
    let cards = Cards::new(&race.programme);
    for _ in 1..MAX_TRIES {
        let answer = cards.redeem(&store, &race.who, 1, "wrong", "no PIN").await;
        assert_eq!(refusal(answer), Refusal::PassNotRedeemable);
    }
    let right = pin(&card(), 1);
    for repeated in [false, true, true, true, true, true, true] {
        let done = cards.redeem(&store, &race.who, 1, "key", &right).await.unwrap();
        assert_eq!((done.repeated, done.value.amount), (repeated, Amount(20)));
        assert_eq!(tries(&store, 1).await, 0);
    }
    let used = cards.redeem(&store, &race.who, 1, "other", &right).await;
    assert_eq!(refusal(used), Refusal::PassUsed, "who has proven the code is told");
    assert_eq!((tries(&store, 1).await, race.points()), (0, 1_020));
}

/// a refused redemption stays refused under its key, whatever becomes of the pass.
#[tokio::test(start_paused = true)]
async fn r70_a_refused_redemption_stays_refused_under_its_key() {
    let race = loaded("stays").await;
    let store = open(&race.wire, true);
    let cards = Cards::new(&race.programme);
    let redeem = async |under: &str| {
        cards.redeem(&store, &race.who, 3, under, &pin(&card(), 3)).await.map(|done| done.value)
    };
    assert_eq!(refusal(redeem("early").await), Refusal::PassNotLoaded);
    assert_eq!(refusal(cards.load(&store, 3, None, "load-3").await), Refusal::PassValueMissing);
    let value = PassUpdate { value: Some(Amount(30)), ..PassUpdate::default() };
    cards.update(&store, 3, &value).await.unwrap();
    let load = async |under: &str| cards.load(&store, 3, None, under).await;
    assert_eq!(refusal(load("load-3").await), Refusal::PassValueMissing, "so does a loading");
    assert!(!load("another").await.unwrap());
    assert_eq!(refusal(redeem("early").await), Refusal::PassNotLoaded);
    assert_eq!(redeem("late").await.unwrap().amount, Amount(30));
}

/// exactly so many, under one key; another key prints no more.
#[tokio::test(start_paused = true)]
async fn r81_a_plan_is_printed_once() {
    let race = loaded("printed").await;
    let store = open(&race.wire, true);
    print(&store, &race.programme).await.unwrap();
    let more = Activating { payload: payload(2), count: 11, ..printing(&race.programme) };
    assert!(matches!(store.activate_plan(&more).await, Err(Error::KeyReused)));
    let other = key("other");
    let more = Activating { key: &other, ..printing(&race.programme) };
    assert_eq!(refusal(store.activate_plan(&more).await), Refusal::PlanActivated);
    assert!(store.pass(&card(), &pass(&card(), 9)).await.is_ok());
    let beyond = store.pass(&card(), &pass(&card(), 10)).await;
    assert!(matches!(beyond, Err(Error::NotFound(store::Noun::Pass))), "{beyond:?}");
    let cards = Cards::new(&race.programme);
    let answer = cards.redeem(&store, &race.who, 10, "beyond", &pin(&card(), 10)).await;
    assert_eq!(refusal(answer), Refusal::PassNotRedeemable);
}

/// while plans get their first passes, no version that changes them becomes active, and no
/// pass is of a plan that was changed.
#[tokio::test(start_paused = true)]
async fn r80_a_plan_gets_its_first_pass_or_is_changed_but_not_both() {
    for number in 0..20 {
        let wire = Wire::new(seed(&format!("first-{number}")));
        let store = open(&wire, true);
        publish(&store).await.unwrap();
        wire.weather(Weather { faults: 0, stale: 50, delay: 3 });
        let programme = programme(vec![tenfold()]);
        let put = async {
            let after = Succession { active: Some(3), plans: vec![gift().id] };
            open(&wire, true).put_programme(b"four", &after).await
        };
        let issue = issue("i");
        let first =
            async { open(&wire, true).issue_pass(&programme, noon(), &gift(), &issue).await };
        let (put, first) = if number % 2 == 0 {
            tokio::join!(put, first)
        } else {
            let (first, put) = tokio::join!(first, put);
            (put, first)
        };
        assert!(put.is_ok() != first.is_ok(), "{put:?} {}", first.is_ok());
        let active = store.active_programme(true).await.unwrap();
        let start = store.plan_start(&gift().id).await.unwrap();
        assert_eq!((active == 4, start.is_some()), (put.is_ok(), first.is_ok()));
    }
}

/// who fetched codes is remembered, the newest first.
#[tokio::test(start_paused = true)]
async fn r81_every_access_to_the_codes_is_remembered() {
    let store = open(&Wire::new(seed("accesses")), true);
    let access = |minute, who: &str| Accessing {
        now: later(minute),
        from: 0,
        rows: 10,
        who: who.to_owned(),
    };
    for access in [access(1, "ben"), access(1, "ben"), access(2, "eva")] {
        store.record_access(&card().id, &access).await.unwrap();
    }
    let told = store.code_accesses(&card().id).await.unwrap();
    assert_eq!(told, [access(2, "eva"), access(1, "ben"), access(1, "ben")]);
    assert!(store.code_accesses(&gift().id).await.unwrap().is_empty());
}

/// R-72 for passes: the value comes back once, and the pass is usable again or void.
#[tokio::test(start_paused = true)]
async fn a_redemption_is_taken_back_once_and_its_pass_is_usable_or_void() {
    let race = loaded("back").await;
    let store = open(&race.wire, true);
    let cards = Cards::new(&race.programme);
    for (serial, void) in [(1, false), (2, true)] {
        let under = format!("redeem-{serial}");
        let right = pin(&card(), serial);
        let done = cards.redeem(&store, &race.who, serial, &under, &right).await.unwrap();
        let participant = race.who.clone();
        let code = TransactionCode { participant, sequence: done.value.sequence };
        let key = format!("back-{serial}");
        let back = at_once(8, |_| {
            let (race, code, key) = (Rc::clone(&race), code.clone(), key.clone());
            async move {
                let store = open(&race.wire, true);
                let cards = Cards::new(&race.programme);
                insist(|| cards.take_back(&store, &code, &key, void)).await.unwrap()
            }
        });
        let sequences = back.await;
        assert!(sequences.iter().all(|sequence| *sequence == sequences[0]), "{sequences:?}");
        assert_eq!(race.points(), 1_000);
        let other = cards.take_back(&store, &code, "another key", void).await;
        assert_eq!(refusal(other), Refusal::AlreadyCancelled);
        let again = cards.redeem(&store, &race.who, serial, "again", &right).await;
        if void {
            assert_eq!(refusal(again), Refusal::PassVoid);
        } else {
            let sequence = again.unwrap().value.sequence;
            let code = TransactionCode { participant: race.who.clone(), sequence };
            cards.take_back(&store, &code, "once more", false).await.unwrap();
        }
        assert_eq!(race.points(), 1_000);
    }
    let key = plan_key(&card());
    let pin = pin(&card(), 1);
    let seen = store.look_up_pass(&card(), &pass(&card(), 1), (&key, Some(&pin))).await.unwrap();
    assert_eq!(seen.uses(), 0);
    assert_eq!(seen.changes.len(), 3, "loaded, and taken back twice");
    assert!(store.register(&person("c-9"), None, vec![]).await.is_ok());
}
