//! Many at once, on one wallet: nothing is lost, doubled or overdrawn.

use std::cell::Cell;
use std::rc::Rc;

use domain::award::Mode;
use domain::event::Judge;
use domain::id::{EventId, Key, ParticipantId};
use domain::ledger::{EntryKey, PayloadHash};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::Instant;
use store::{Error, Judging, Redeeming, Store};
use tokio::task::{JoinSet, LocalSet};

use crate::cast::{
    event_id, gift, issue, key, later, noon, open, payload, person, plan_key, post, programme,
    publish, purchase, run_id, seed, spend, tenfold, timed_key,
};
use crate::fault::Weather;
use crate::laws::walk;
use crate::wire::Wire;

/// Tasks that race, each with a store of its own.
pub struct Race {
    pub wire: Wire,
    pub programme: Programme,
    pub who: ParticipantId,
    ticks: Cell<i64>,
}

impl Race {
    pub async fn new(test: &str, cents: i64) -> Rc<Race> {
        let (wire, programme, who) =
            (Wire::new(seed(test)), programme(vec![tenfold()]), person("c-1"));
        let store = open(&wire, true);
        store.register(&who, None, vec![]).await.unwrap();
        post(&store, &programme, &purchase(&who, "e-1", cents, noon()), noon(), true)
            .await
            .unwrap();
        wire.weather(Weather { faults: 0, stale: 100, delay: 3 });
        Rc::new(Race { wire, programme, who, ticks: Cell::new(0) })
    }

    /// The time of a clock that is this many minutes ahead.
    fn tick(&self, ahead: i64) -> Instant {
        self.ticks.set(self.ticks.get() + 1);
        Instant(later(ahead).0 + self.ticks.get() * 10_000)
    }

    pub fn points(&self) -> i64 {
        walk(&self.wire, &self.who).wallet.lots.iter().map(|lot| lot.amount.0).sum()
    }
}

/// Runs `count` tasks at once and gathers their answers.
pub async fn at_once<A: 'static, F: Future<Output = A> + 'static>(
    count: usize,
    task: impl Fn(usize) -> F,
) -> Vec<A> {
    let mut tasks = JoinSet::new();
    let local = LocalSet::new();
    for number in 0..count {
        tasks.spawn_local_on(task(number), &local);
    }
    local.run_until(tasks.join_all()).await
}

/// Asks until there is an answer, as callers do.
pub async fn insist<A, F: Future<Output = store::Result<A>>>(
    ask: impl Fn() -> F,
) -> store::Result<A> {
    let mut answer = ask().await;
    for _ in 0..200 {
        let Err(Error::Contended | Error::Unavailable(_)) = answer else { break };
        answer = ask().await;
    }
    answer
}

async fn spend_insisting(
    store: &Store,
    race: &Race,
    key: &Key,
    amount: i64,
    now: Instant,
) -> Option<u64> {
    let ask = || spend(store, &race.programme, &race.who, key, amount, now);
    match insist(ask).await {
        Ok(done) => Some(done.value.sequence),
        Err(Error::Refused(Refusal::NotCovered)) => None,
        Err(other) => panic!("{other:?}"),
    }
}

/// no overdraft, no double, no loss.
#[tokio::test(start_paused = true)]
async fn sixteen_tills_spend_from_one_wallet_until_it_is_empty() {
    let race = Race::new("tills", 500_00).await;
    let spent = at_once(16, |till| {
        let race = Rc::clone(&race);
        async move {
            let store = open(&race.wire, true).with_page_entries(if till % 3 == 0 { 4 } else { 6 });
            let mut spent = Vec::new();
            for number in 0..40 {
                // A spend every ten seconds, with clocks that differ by up to four minutes.
                let now = race.tick(i64::try_from(till % 5).unwrap());
                let key = timed_key(now, u64::try_from(till * 100 + number).unwrap());
                // A fifth is sent twice at once.
                let twin = number % 5 == 0;
                let ask = || spend_insisting(&store, &race, &key, 10, now);
                let answers = if twin {
                    tokio::join!(ask(), ask())
                } else {
                    let once = ask().await;
                    (once, once)
                };
                assert_eq!(answers.0, answers.1, "one key, one answer");
                spent.extend(answers.0.map(|sequence| (sequence, key)));
            }
            spent
        }
    });
    let spent: Vec<(u64, Key)> = spent.await.into_iter().flatten().collect();
    assert_eq!(race.points(), 0);
    assert_eq!(spent.len(), 500, "each of them covered, none twice");
    let walked = walk(&race.wire, &race.who);
    assert_eq!(walked.entries.len(), 1 + 640, "refusals are entries too");
    for (sequence, key) in spent {
        let entry = &walked.entries[usize::try_from(sequence).unwrap() - 1];
        assert_eq!(entry.key, EntryKey::Spend(key));
        assert!(entry.spend().is_some());
    }
}

/// Rule 3: a guard stands for a key that carries no time.
#[tokio::test(start_paused = true)]
async fn a_key_without_time_is_used_once_by_ten_who_use_it_first() {
    let race = Race::new("untimed", 100_00).await;
    let answers = at_once(10, |_| {
        let race = Rc::clone(&race);
        async move {
            let (store, key) = (open(&race.wire, true), key("k-1"));
            spend_insisting(&store, &race, &key, 10, noon()).await
        }
    });
    let answers = answers.await;
    assert!(answers[0].is_some() && answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(race.points(), 990);
}

/// an event is accepted once for ever, whoever it is of.
#[tokio::test(start_paused = true)]
async fn of_two_participants_with_one_reference_one_is_awarded() {
    let race = Race::new("reference", 100_00).await;
    let answers = at_once(8, |number| {
        let race = Rc::clone(&race);
        async move {
            let who = person(if number % 2 == 0 { "c-1" } else { "c-2" });
            let event = purchase(&who, "e-9", 50_00, noon());
            let payload = PayloadHash([u8::try_from(number % 2).unwrap(); 8]);
            let store = open(&race.wire, true);
            let (programme, now, event) = (&race.programme, noon(), &event);
            let (spend, judge, enrols) = (None, true, true);
            let order = store::Posting {
                programme,
                now,
                event,
                payload,
                spend,
                judge,
                enrols,
                codes: store::Codes::default(),
            };
            match insist(|| store.post_event(&order)).await {
                Ok(_) => Some(who),
                Err(Error::KeyReused) => None,
                Err(other) => panic!("{other:?}"),
            }
        }
    });
    let answers: Vec<ParticipantId> = answers.await.into_iter().flatten().collect();
    assert_eq!(answers.len(), 4);
    assert!(answers.iter().all(|who| *who == answers[0]), "all answers name one");
    let exists = race.wire.items().contains_key(&("P#c-2".to_owned(), "S".to_owned()));
    assert_eq!(exists, answers[0] == person("c-2"), "the other is not even enrolled");
    let total = race.points() + if exists { points_of(&race, "c-2") } else { 0 };
    assert_eq!(total, 1_500);
}

fn points_of(race: &Race, who: &str) -> i64 {
    walk(&race.wire, &person(who)).wallet.lots.iter().map(|lot| lot.amount.0).sum()
}

/// exactly once.
#[tokio::test(start_paused = true)]
async fn a_pass_that_twenty_redeem_at_once_is_redeemed_once() {
    let race = Race::new("pass", 100_00).await;
    let store = open(&race.wire, true);
    store.register(&person("c-2"), None, vec![]).await.unwrap();
    publish(&store).await.unwrap();
    let issued = store.issue_pass(&race.programme, noon(), &gift(), &issue("i")).await;
    let pass = issued.unwrap().0.id;
    let redeemed = at_once(20, |number| {
        let (race, pass) = (Rc::clone(&race), pass.clone());
        async move {
            let participant = &person(if number % 2 == 0 { "c-1" } else { "c-2" });
            let (programme, now, plan) = (&race.programme, later(1), &gift());
            let (pass, key, payload) = (&pass, &key(&format!("r-{number}")), payload(1));
            let proof = (&plan_key(plan), None);
            let order = Redeeming { programme, now, plan, pass, proof, participant, key, payload };
            let store = open(&race.wire, true);
            match insist(|| store.redeem(&order)).await {
                Ok(_) => 1,
                Err(Error::Refused(Refusal::PassUsed)) => 0,
                Err(other) => panic!("{other:?}"),
            }
        }
    });
    assert_eq!(redeemed.await.into_iter().sum::<u32>(), 1);
    assert_eq!(race.points() + points_of(&race, "c-2"), 1_020);
}

/// two runs, one of which dies at any moment and is taken up again.
#[tokio::test(start_paused = true)]
async fn events_that_two_runs_judge_at_once_are_judged_once_though_one_run_dies() {
    let race = Race::new("runs", 100_00).await;
    let store = open(&race.wire, true);
    let events: Vec<EventId> = (0..30).map(|number| event_id(&format!("p-{number}"))).collect();
    for number in 0..30 {
        let event = purchase(&race.who, &format!("p-{number}"), 10_00, noon());
        post(&store, &race.programme, &event, noon(), false).await.unwrap();
    }
    let events = Rc::new(events);
    let runs = at_once(2, |run| {
        let (race, events) = (Rc::clone(&race), Rc::clone(&events));
        async move {
            let store = open(&race.wire, true);
            for batch in events.chunks(if run == 0 { 10 } else { 7 }) {
                let judge = || judge(&store, &race, batch, run);
                // Dropped after some milliseconds, then done again.
                for patience in [1, 4, 9, 16].into_iter().take(run * 4) {
                    let time = std::time::Duration::from_millis(patience);
                    drop(tokio::time::timeout(time, judge()).await);
                }
                insist(judge).await.unwrap();
            }
        }
    });
    runs.await;
    assert_eq!(race.points(), 1_000 + 30 * 100);
    let walked = walk(&race.wire, &race.who);
    for event in events.iter() {
        let key = EntryKey::Event { event: event.clone(), turn: 0 };
        assert_eq!(walked.under(&key).len(), 1);
    }
    assert_eq!(walked.entries.len(), 31);
    assert!(walked.journal < store::PAGE_ENTRIES + 10, "several pages are put at once");
}

async fn judge(store: &Store, race: &Race, events: &[EventId], run: usize) -> store::Result<()> {
    let by = Judge::Run(run_id(&format!("run-{run}")));
    let (programme, participant, mode) = (&race.programme, &race.who, Mode::Run);
    let order = Judging { programme, now: later(1), participant, events, mode, by };
    store.judge(&order).await.map(drop)
}
