//! Runs over what is pending: every event once, whatever is broken.

use domain::id::{EventId, ParticipantId, RunId};
use domain::programme::Programme;
use serde_json::Value;
use store::{Error, RunCounts, SHARDS, ShardProgress, Store, Walked, Walking};

use crate::cast::{
    event_id, later, noon, open, person, post, programme, purchase, run_id, tenfold,
};
use crate::wire::Wire;

/// Events of one participant: more than are in hand at once, or listed of the index at once.
const OF_ONE: usize = 1_050;

struct World {
    wire: Wire,
    store: Store,
    programme: Programme,
    run: RunId,
}

impl World {
    /// Two participants, one with this many events.
    async fn new(events: usize) -> World {
        let wire = Wire::new(0);
        let (store, programme) = (open(&wire, false), programme(vec![tenfold()]));
        let world = World { wire, store, programme, run: run_id("run-1") };
        for number in 0..events {
            world.pend(&person("c-1"), &format!("n-{number}")).await;
        }
        world.pend(&person("c-2"), "other").await;
        world
    }

    /// The same world, in another run.
    fn another_run(&self) -> World {
        let World { wire, store, programme, .. } = self;
        let (wire, store, programme) = (wire.clone(), store.clone(), programme.clone());
        World { wire, store, programme, run: run_id("run-2") }
    }

    async fn pend(&self, who: &ParticipantId, reference: &str) -> EventId {
        let event = purchase(who, reference, 10_00, noon());
        post(&self.store, &self.programme, &event, noon(), false).await.unwrap();
        event.id
    }

    async fn step(&self, shard: u8, last_try: bool) -> store::Result<Walked> {
        let (programme, now, run) = (&self.programme, later(5), &self.run);
        let order = Walking { programme, now, run, started_at: later(1), shard, last_try };
        self.store.walk_shard(&order).await
    }

    /// Walks a shard as its workers do; on the last try if it must be.
    async fn walk(&self, shard: u8) {
        for _ in 0..1_000 {
            match self.step(shard, false).await {
                Ok(Walked::ToTheEnd) => return,
                Ok(Walked::On | Walked::Overtaken) => {}
                Err(Error::Unavailable(_)) => drop(self.step(shard, true).await.unwrap()),
                Err(other) => panic!("{other}"),
            }
        }
        panic!("a shard without an end");
    }

    async fn progress(&self) -> Vec<ShardProgress> {
        let mut shards = Vec::new();
        for shard in 0..SHARDS {
            shards.push(self.store.shard(&self.run, shard).await.unwrap().0);
        }
        shards
    }

    async fn counts(&self) -> RunCounts {
        let mut counts = RunCounts::default();
        self.progress().await.iter().for_each(|shard| counts.add(shard.counts));
        counts
    }

    /// The shard in which somebody's events are.
    async fn shard_of(&self, who: &str) -> u8 {
        for shard in 0..SHARDS {
            let events = self.store.pending_events(shard, None, 400).await.unwrap();
            if events.iter().any(|event| event.participant == person(who)) {
                return shard;
            }
        }
        panic!("{who} has none");
    }
}

fn is_of_event(body: &Value, event: &EventId) -> bool {
    let pk = format!("E#{event}");
    let put = |part: &Value| part["Put"]["Item"]["pk"]["S"] == *pk;
    body["Key"]["pk"]["S"] == *pk
        || body["TransactItems"].as_array().is_some_and(|parts| parts.iter().any(put))
}

/// more events of one participant than anything reads at once; two runs share them.
#[tokio::test(start_paused = true)]
async fn r33_a_thousand_events_of_one_participant_are_judged_once_by_two_runs() {
    let world = World::new(OF_ONE).await;
    let other = world.another_run();
    for shard in 0..SHARDS {
        tokio::join!(world.walk(shard), other.walk(shard));
    }
    let (one, two) = (world.counts().await, other.counts().await);
    let want = u64::try_from(OF_ONE).unwrap() + 1;
    assert_eq!(
        (one.events + two.events, one.awarded + two.awarded),
        (want, want),
        "{one:?} {two:?}"
    );
    assert_eq!((one.failed, two.failed), (0, 0));
    let wallet = world.store.wallet(&person("c-1")).await.unwrap();
    let points: i64 = wallet.lots.iter().map(|lot| lot.amount.0).sum();
    assert_eq!(points, 100 * i64::try_from(OF_ONE).unwrap());
    assert!(world.progress().await.iter().all(|shard| shard.in_hand.len() <= 100));
}

/// an event that cannot be read is counted, stays pending, and stops no other.
#[tokio::test(start_paused = true)]
async fn r33_a_broken_event_is_counted_as_failed_and_stops_no_other() {
    let world = World::new(25).await;
    let mut items = world.wire.items();
    let broken = items.get_mut(&("E#till:n-7".to_owned(), "E".to_owned())).unwrap();
    let whole = broken.clone();
    broken["d"]["B"] = "AAAA".into();
    world.wire.load(&items);
    for shard in 0..SHARDS {
        world.walk(shard).await;
    }
    let counts = world.counts().await;
    assert_eq!((counts.events, counts.awarded, counts.failed), (25, 25, 1));
    // Mended, the next run judges it.
    items.clear();
    items.insert(("E#till:n-7".to_owned(), "E".to_owned()), whole);
    world.wire.load(&items);
    let next = world.another_run();
    for shard in 0..SHARDS {
        next.walk(shard).await;
    }
    let counts = next.counts().await;
    assert_eq!((counts.events, counts.awarded, counts.failed), (1, 1, 0));
}

/// what the table never answers is tried again, and on the last try counted and passed by;
/// until somebody goes on, the shard counts as given up.
#[tokio::test(start_paused = true)]
async fn r33_what_is_never_answered_is_counted_on_the_last_try_and_the_shard_goes_on() {
    let world = World::new(120).await;
    let (event, shard) = (event_id("n-3"), world.shard_of("c-1").await);
    world.wire.break_calls(move |_, body| is_of_event(body, &event));
    assert_eq!(world.step(shard, false).await.unwrap(), Walked::On, "taken in hand");
    let before = world.progress().await;
    for _ in 0..4 {
        assert!(matches!(world.step(shard, false).await, Err(Error::Unavailable(_))));
        assert_eq!(world.progress().await, before, "nothing is stored, nothing counted");
    }
    world.store.give_up_shard(&world.run, shard, later(5)).await.unwrap();
    let given_up = world.store.shard(&world.run, shard).await.unwrap().0;
    assert_eq!(given_up.failed_at, Some(later(5).0));
    assert_eq!((given_up.counts, given_up.in_hand.len()), (RunCounts::default(), 100));
    assert_eq!(world.step(shard, true).await.unwrap(), Walked::On);
    let handed_on = world.store.shard(&world.run, shard).await.unwrap().0;
    assert!(handed_on.failed_at.is_some(), "until the next message is worked on");
    assert_eq!((handed_on.counts.events, handed_on.counts.failed), (99, 1));
    world.walk(shard).await;
    let ended = world.store.shard(&world.run, shard).await.unwrap().0;
    assert_eq!((ended.failed_at, ended.ended_at), (None, Some(later(5).0)));
    assert_eq!((ended.counts.events, ended.counts.failed), (120 - 1, 1));
}

/// a shard whose progress cannot be stored is given up with what it counted, and goes on from
/// there when it is asked for again.
#[tokio::test(start_paused = true)]
async fn r33_a_shard_that_was_given_up_goes_on_where_it_was() {
    let world = World::new(250).await;
    let shard = world.shard_of("c-1").await;
    for _ in 0..2 {
        assert_eq!(world.step(shard, false).await.unwrap(), Walked::On);
    }
    world.store.give_up_shard(&world.run, shard, later(5)).await.unwrap();
    let pk = format!("J#{}", world.run);
    world.wire.break_calls(move |operation, body| {
        operation == "PutItem" && body["Item"]["pk"]["S"] == *pk
    });
    assert!(matches!(world.step(shard, true).await, Err(Error::Unavailable(_))));
    world.wire.mend();
    let given_up = world.store.shard(&world.run, shard).await.unwrap().0;
    assert_eq!((given_up.failed_at, given_up.counts.events), (Some(later(5).0), 100));
    world.store.resume_shard(&world.run, shard).await.unwrap();
    assert_eq!(world.store.shard(&world.run, shard).await.unwrap().0.failed_at, None);
    world.walk(shard).await;
    let ended = world.store.shard(&world.run, shard).await.unwrap().0;
    assert_eq!((ended.counts.events, ended.counts.awarded, ended.counts.failed), (250, 250, 0));
}

/// of two workers on a shard one stores the step; the other counts nothing.
#[tokio::test(start_paused = true)]
async fn r33_of_two_workers_on_a_shard_one_is_overtaken() {
    let world = World::new(130).await;
    let shard = world.shard_of("c-1").await;
    world.step(shard, false).await.unwrap();
    let pk = format!("J#{}", world.run);
    let gate = world
        .wire
        .gate(move |operation, body| operation == "PutItem" && body["Item"]["pk"]["S"] == *pk);
    let slow = world.step(shard, false);
    let fast = async {
        gate.reached().await;
        let fast = world.step(shard, true).await;
        gate.open();
        fast
    };
    let (slow, fast) = tokio::join!(slow, fast);
    assert_eq!((slow.unwrap(), fast.unwrap()), (Walked::Overtaken, Walked::On));
    assert_eq!(world.counts().await.events, 100);
}
