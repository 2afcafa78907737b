//! Participants: what is known of them, whom an alias names, and what is left once one is erased.

use std::rc::Rc;

use domain::alias::{Alias, AliasKeys, AliasKind, Marks};
use domain::award::Mode;
use domain::event::{Detail, Event, Judge};
use domain::id::ParticipantId;
use domain::participant::{Consent, Profile, ProfileChange, Provenance};
use domain::pass::PassId;
use domain::pass::issued_serial;
use domain::programme::Programme;
use domain::refusal::Refusal;
use store::{Changed, Changing, Error, Judging, Redeeming, Result, Store};

use crate::cast::{
    cancelling, event_id, gift, issue, key, later, noon, open, payload, person, plan_key, post,
    programme, publish, purchase, run_id, seed, spend, tenfold, timed_key,
};
use crate::fault::Weather;
use crate::laws::walk;
use crate::races::{Race, at_once, insist};
use crate::record::inflate;
use crate::wire::Wire;

const FIRST: &str = "a key of at least thirty-two letters";
const SECOND: &str = "another key of at least thirty-two letters";
const CANARY: &str = "canary-7080";
/// Steps until an erasure is over.
const STEPS: usize = 50;

fn keys(text: &str) -> AliasKeys {
    AliasKeys::parse(text).unwrap()
}

fn alias(text: &str) -> Alias {
    Alias::parse(AliasKind::ExternalId, text).unwrap()
}

fn marks(text: &str) -> Marks {
    keys(FIRST).marks(&alias(text))
}

async fn add(store: &Store, who: &ParticipantId, marks: Marks) -> Result<Changed> {
    let adds = &[marks];
    store.change_participant(&Changing { adds, enrols: true, ..Changing::of(who) }).await
}

/// An alias for each of two participants: its id.
pub async fn prepare(store: &Store, who: &ParticipantId) -> Result<()> {
    add(store, who, marks("c-1")).await?;
    add(store, &person("c-4"), marks("c-4")).await.map(drop)
}

pub async fn fill(store: &Store, who: &ParticipantId) -> Result<String> {
    let provenance = Provenance { at: later(1), by: "crm".into(), process: None };
    let newer = Profile { area: Some("north".into()), ..Profile::default() };
    let (profile, provenance) = (ProfileChange::Fill(newer), Some(&provenance));
    let order = Changing { profile, provenance, ..Changing::of(who) };
    Ok(format!("{:?}", store.change_participant(&order).await?.participant))
}

pub async fn take(store: &Store, who: &ParticipantId, name: &str) -> Result<String> {
    match add(store, who, marks(name)).await {
        Ok(changed) => Ok(format!("{:?}", changed.participant)),
        Err(Error::Refused(refusal)) => Ok(refusal.code().to_owned()),
        Err(other) => Err(other),
    }
}

pub async fn free(store: &Store, who: &ParticipantId, name: &str) -> Result<String> {
    let removes = &[marks(name)];
    let changed = store.change_participant(&Changing { removes, ..Changing::of(who) }).await?;
    Ok(format!("{:?}", changed.participant))
}

pub async fn request(store: &Store, name: &str) -> Result<String> {
    let requests = ["spend\nk-1", "event\ntill:R-1"];
    let requests = requests.map(|request| keys(FIRST).request(&alias(name), request));
    Ok(store.who_was_meant(&marks(name), &requests).await?.to_string())
}

pub async fn erase(store: &Store, programme: &Programme, who: &ParticipantId) -> Result<String> {
    let erased = store.erase(programme, later(1), who).await?;
    for _ in 0..STEPS {
        if store.erase_step(programme, who).await? {
            return Ok(format!("{:?} {:?}", erased.at, store.participant(who).await?));
        }
    }
    panic!("an erasure without an end")
}

/// one alias is one participant's, however many ask at once, also while a key is added.
#[tokio::test(start_paused = true)]
async fn r91_an_alias_is_taken_once_by_whoever_is_first() {
    for step in 0..2 {
        let race = Race::new("aliases", 1_00).await;
        let taken = at_once(12, |number| {
            let race = Rc::clone(&race);
            async move {
                let store = open(&race.wire, true);
                // Half of the processes have not heard of the next step yet.
                let steps = [
                    FIRST.to_owned(),
                    format!("{FIRST}\nnext:{SECOND}"),
                    format!("{FIRST}\n{SECOND}"),
                ];
                let marks = keys(&steps[step + number % 2]).marks(&alias("card"));
                let who = person(&format!("a-{number}"));
                match insist(|| add(&store, &who, marks.clone())).await {
                    Ok(_) => Some(who),
                    Err(Error::Refused(Refusal::AliasTaken)) => None,
                    Err(other) => panic!("{other:?}"),
                }
            }
        })
        .await;
        let holders: Vec<_> = taken.into_iter().flatten().collect();
        let [holder] = holders.as_slice() else { panic!("{holders:?}") };
        let store = open(&race.wire, true);
        let marks = keys(&format!("{FIRST}\n{SECOND}")).marks(&alias("card"));
        assert_eq!(store.who_has(&marks).await.unwrap(), *holder);
    }
}

/// who was meant is meant for ever, whoever has the alias by now.
#[tokio::test(start_paused = true)]
async fn r91_a_request_means_whom_it_meant_first_though_its_alias_moves() {
    let store = &open(&Wire::new(seed("moves")), false);
    let (one, other) = (person("a-1"), person("a-2"));
    add(store, &one, marks("card")).await.unwrap();
    let taken = add(store, &other, marks("card")).await;
    assert!(matches!(taken, Err(Error::Refused(Refusal::AliasTaken))), "{taken:?}");
    let asked = async |name: &str, key: &str| {
        let request = keys(key).request(&alias("card"), name);
        store.who_was_meant(&keys(key).marks(&alias("card")), &[request]).await
    };
    assert_eq!(asked("event\nR-1", FIRST).await.unwrap(), one);
    free(store, &one, "card").await.unwrap();
    assert!(matches!(asked("event\nR-2", FIRST).await, Err(Error::NotFound(_))));
    add(store, &other, marks("card")).await.unwrap();
    let both = format!("{FIRST}\n{SECOND}");
    for key in [FIRST, &both] {
        assert_eq!(asked("event\nR-1", key).await.unwrap(), one);
        assert_eq!(asked("event\nR-2", key).await.unwrap(), other);
    }
    assert!(add(store, &other, marks("card")).await.is_ok_and(|again| !again.changed));
}

/// Who follows somebody under a name that must not stay.
fn follows(who: &ParticipantId, reference: &str) -> Event {
    let detail = Detail::SocialMedia {
        network: "net".into(),
        profile: CANARY.into(),
        action: "follow".into(),
    };
    Event { detail, unit: None, ..purchase(who, reference, 0, noon()) }
}

fn personal(store_change: &ParticipantId) -> Changing<'_> {
    let profile = Profile { email: Some(CANARY.into()), ..Profile::default() };
    let (source, process) = (Some(CANARY.into()), None);
    let consent = Consent { granted: true, at: noon(), source, process };
    Changing {
        profile: ProfileChange::Replace(profile),
        consents: vec![("email".into(), consent)],
        ..Changing::of(store_change)
    }
}

/// Whether anything of it stands in any item, deflated or not, and where.
fn found(wire: &Wire, text: &str) -> Vec<String> {
    let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|at| at == text.as_bytes());
    let mut places = Vec::new();
    for ((pk, sk), item) in wire.items() {
        let attributes = item.as_object().unwrap().keys();
        let binary = attributes.filter(|name| item[name.as_str()].get("B").is_some());
        let bytes: Vec<Vec<u8>> = binary.map(|name| crate::laws::bytes(&item, name)).collect();
        let inside = bytes.iter().any(|b| holds(b) || inflate(b).is_ok_and(|plain| holds(&plain)));
        if inside || item.to_string().contains(text) {
            places.push(format!("{pk} {sk}"));
        }
    }
    places
}

fn refused<A: std::fmt::Debug>(answer: Result<A>, want: Refusal) {
    assert!(matches!(&answer, Err(Error::Refused(refusal)) if *refusal == want), "{answer:?}");
}

/// everywhere, and for good; repeats are still known.
#[tokio::test(start_paused = true)]
async fn r92_of_an_erased_participant_nothing_personal_stands_anywhere() {
    let wire = Wire::new(seed("erased"));
    let (store, rules, who) = (&open(&wire, false), &programme(vec![tenfold()]), &person("a-1"));
    let plan = &gift();
    publish(store).await.unwrap();
    let adds = &[marks(CANARY)];
    store.change_participant(&Changing { adds, enrols: true, ..personal(who) }).await.unwrap();
    // More than one step goes through, and some that wait.
    for number in 0..130 {
        post(store, rules, &follows(who, &format!("f-{number}")), noon(), true).await.unwrap();
    }
    post(store, rules, &follows(who, "waits"), noon(), false).await.unwrap();
    let mut issued = issue("pass");
    issued.recipient = Some(CANARY.into());
    store.issue_pass(rules, noon(), plan, &issued).await.unwrap();
    let pass = &PassId { plan: plan.id.clone(), serial: issued_serial(&plan.id, &key("pass"), 0) };
    let (programme, now, participant, key, payload) =
        (rules, later(1), who, &key("redeem"), payload(4));
    let proof = (&plan_key(plan), None);
    let order = Redeeming { programme, now, plan, pass, proof, participant, key, payload };
    let redeemed = store.redeem(&order).await.unwrap().wallet;
    assert!(found(&wire, CANARY).len() > 130, "is that how it is looked for?");
    let hash = marks(CANARY).current.hash.map(|byte| format!("{byte:02x}")).concat();
    assert_eq!(found(&wire, &hash).len(), 1);

    let first = erase(store, rules, who).await.unwrap();
    assert_eq!(found(&wire, CANARY), Vec::<String>::new());
    assert_eq!(found(&wire, &hash), Vec::<String>::new());
    assert_eq!(erase(store, rules, who).await.unwrap(), first, "once");
    assert!(matches!(store.who_has(&marks(CANARY)).await, Err(Error::NotFound(_))));
    let after = walk(&wire, who).wallet;
    assert_eq!((after.lots, after.activity), (redeemed.lots, redeemed.activity));

    refused(
        post(store, rules, &follows(who, "new"), later(2), true).await,
        Refusal::ParticipantErased,
    );
    refused(
        post(store, rules, &follows(who, "new"), later(2), false).await,
        Refusal::ParticipantErased,
    );
    refused(store.change_participant(&personal(who)).await, Refusal::ParticipantErased);
    refused(store.register(who, None, vec![]).await, Refusal::ParticipantErased);
    refused(
        store.block_spending(rules, later(2), who, false, "").await,
        Refusal::ParticipantErased,
    );
    refused(
        spend(store, rules, who, &timed_key(later(2), 1), 1, later(2)).await,
        Refusal::SpendingBlocked,
    );
    let again = post(store, rules, &follows(who, "f-7"), later(2), true).await.unwrap();
    assert!(again.repeated, "its hash is kept");
    assert_eq!(found(&wire, CANARY), Vec::<String>::new());
    assert!(matches!(erase(store, rules, &person("nobody")).await, Err(Error::NotFound(_))));
}

/// an event that was accepted in the moment of the erasure, by a read that was stale.
#[tokio::test(start_paused = true)]
async fn r92_an_event_that_was_stored_too_late_is_rid_of_what_is_personal_when_it_is_touched() {
    for cancelled in [false, true] {
        let wire = Wire::new(seed("late"));
        let (store, rules, who) = (&open(&wire, false), &programme(vec![]), &person("a-1"));
        store.register(who, None, vec![]).await.unwrap();
        erase(store, rules, who).await.unwrap();
        wire.age(|place| if place.1 == "S" { 3 } else { 0 });
        post(store, rules, &follows(who, "late"), later(2), false).await.unwrap();
        assert_eq!(found(&wire, CANARY).len(), 1, "else nothing is tried here");
        wire.age(|_| 0);
        let events = &[event_id("late")];
        if cancelled {
            let order = cancelling(rules, later(3), &events[0], 3);
            store.cancel_event(&order).await.unwrap();
        } else {
            let (programme, now, participant) = (rules, later(3), who);
            let (mode, by) = (Mode::Run, Judge::Run(run_id("run-1")));
            let order = Judging { programme, now, participant, events, mode, by };
            store.judge(&order).await.unwrap();
        }
        assert_eq!(found(&wire, CANARY), Vec::<String>::new());
        walk(&wire, who);
    }
}

/// whoever is faster, the end is the same.
#[tokio::test(start_paused = true)]
async fn r92_an_erasure_that_races_with_updates_and_events_wins() {
    let race = Race::new("erasures", 10_00).await;
    race.wire.weather(Weather { faults: 50, stale: 100, delay: 3 });
    at_once(24, |number| {
        let race = Rc::clone(&race);
        async move {
            let (store, who) = (open(&race.wire, true), &race.who);
            let event = follows(who, &format!("f-{number}"));
            let told = match number % 6 {
                0 => insist(|| erase(&store, &race.programme, who)).await.map(drop),
                1 | 2 => {
                    let adds = &[marks(&format!("{CANARY}-{number}"))];
                    let order = Changing { adds, ..personal(who) };
                    insist(|| store.change_participant(&order)).await.map(drop)
                }
                left => {
                    let judge = left == 3;
                    let ask = || post(&store, &race.programme, &event, later(1), judge);
                    insist(ask).await.map(drop)
                }
            };
            match told {
                Ok(()) | Err(Error::Refused(Refusal::ParticipantErased)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
    })
    .await;
    race.wire.weather(Weather { faults: 0, stale: 0, delay: 0 });
    race.wire.deliver_late();
    let (store, who) = (open(&race.wire, true), &race.who);
    // What was stored in between waits for a run.
    for number in 0..24 {
        let (programme, now, events) =
            (&race.programme, later(2), &[event_id(&format!("f-{number}"))]);
        let (mode, by) = (Mode::Run, Judge::Run(run_id("run-1")));
        let order = Judging { programme, now, participant: who, events, mode, by };
        store.judge(&order).await.unwrap();
    }
    assert_eq!(found(&race.wire, CANARY), Vec::<String>::new());
    assert!(walk(&race.wire, who).wallet.erased);
    assert!(!race.wire.items().keys().any(|(pk, _)| pk.starts_with("U#alias#")), "guards");
}
