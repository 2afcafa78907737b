//! A run holds no more of what is pending in memory than it has in hand, however much that is, and
//! plans it for a fraction of a read unit an event. Bytes are counted, not time. A test
//! binary of its own, with one test, because it counts all allocations of the process.
//! `STORE_PENDING=<number>` takes so many events: a million is a matter of minutes in a release
//! build.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::inconsistent_digit_grouping)]

mod engine;
mod wire;

#[path = "../store/table.rs"]
mod table;

#[path = "../store/cast.rs"]
#[allow(dead_code)]
mod cast;

/// The store's own records, to make items with.
#[path = "../../src/record/mod.rs"]
#[allow(dead_code, unused_imports)]
mod record;

/// What the records answer with.
mod error {
    pub use store::{Error, Result};
}

use std::alloc::System;

use aws_smithy_types::base64::encode;
use domain::event::RecordedEvent;
use domain::id::ParticipantId;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use store::{RunCounts, SHARDS, Walked, Walking};

use crate::cast::{later, noon, open, payload, person, programme, purchase, run_id, tenfold};
use crate::record::{State, StoredEvent, encode_event, encode_state};
use crate::wire::{Account, Wire};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Events of the suite: what is held of more is what is held of these.
const EVENTS: usize = 3_000;
/// Events of one participant each, and of one who has more than anything reads at once.
const OF_EACH: usize = 5;
const OF_ONE: usize = 1_100;

fn shard_of(who: &ParticipantId) -> u8 {
    Sha256::digest(who.as_str().as_bytes())[0] % SHARDS
}

fn whose(number: usize) -> ParticipantId {
    let number = if number < OF_ONE { 0 } else { number / OF_EACH };
    person(&format!("c-{number}"))
}

fn binary(bytes: &[u8]) -> Value {
    json!({ "B": encode(bytes) })
}

/// An event that waits, as its item.
fn pending(number: usize) -> Value {
    let who = whose(number);
    let event = purchase(&who, &format!("n-{number}"), 10_00, noon());
    let id = event.id.clone();
    let recorded = RecordedEvent::accepted(event, payload(1), noon());
    let stored = StoredEvent { recorded, version: 0, denied: vec![] };
    let place = format!("{who}#{:015}#{id}", noon().0);
    json!({
        "pk": { "S": format!("E#{id}") }, "sk": { "S": "E" }, "v": { "N": "1" },
        "d": binary(&encode_event(&stored).unwrap()),
        "ix_pk": { "S": format!("PENDING#{}", shard_of(&who)) }, "ix_sk": { "S": place },
    })
}

/// A wallet in which nothing is yet.
fn wallet(who: &ParticipantId, state: &[u8]) -> Value {
    json!({
        "pk": { "S": format!("P#{who}") }, "sk": { "S": "S" }, "q": { "N": "0" },
        "t": { "N": "0" }, "d": binary(state),
        "ix_pk": { "S": format!("ROSTER#{}", shard_of(who)) }, "ix_sk": { "S": who.as_str() },
    })
}

/// Judges so many events in one run: what it counted, its steps, and what it took.
async fn run(events: usize) -> (RunCounts, usize, Account) {
    let database = engine::table();
    let state = State { wallet: Default::default(), journal: vec![], page: [0; 16] };
    let state = encode_state(&state).unwrap();
    let first = (0..events).filter(|number| *number == 0 || whose(*number) != whose(number - 1));
    engine::load(&database, first.map(|number| wallet(&whose(number), &state)));
    engine::load(&database, (0..events).map(pending));
    let wire = Wire::to(database);
    let (store, programme, run) = (open(&wire, false), programme(vec![tenfold()]), run_id("run"));
    let (mut counts, mut steps) = (RunCounts::default(), 0);
    wire.take_account();
    for shard in 0..SHARDS {
        let (programme, now, run, started_at) = (&programme, later(5), &run, later(1));
        let order = Walking { programme, now, run, started_at, shard, last_try: false };
        loop {
            steps += 1;
            if Box::pin(store.walk_shard(&order)).await.unwrap() == Walked::ToTheEnd {
                break;
            }
        }
        counts.add(store.shard(run, shard).await.unwrap().0.counts);
    }
    (counts, steps, wire.take_account())
}

#[tokio::test]
async fn r33_a_run_holds_and_reads_no_more_for_each_of_many_events_than_of_few() {
    let asked = std::env::var("STORE_PENDING").ok().and_then(|text| text.parse().ok());
    let most = asked.unwrap_or(EVENTS).max(EVENTS);
    let mut held = Vec::new();
    for events in [EVENTS / 5, most] {
        let (counts, steps, account) = run(events).await;
        let count = u64::try_from(events).unwrap();
        println!(
            "{events} events: {steps} steps, {} kB held, {} read units for a thousand events, \
             {} of them to find them",
            account.most / 1_000,
            account.reads / count,
            account.index_reads / count,
        );
        assert_eq!((counts.events, counts.awarded, counts.failed), (count, count, 0));
        // A step judges a hundred events, and one for each shard finds its end.
        assert!(steps <= events / 100 + 3 * usize::from(SHARDS), "{steps} steps");
        assert!(account.index_reads / count <= 60, "{account:?}");
        assert!(account.reads / count <= 1_200, "{account:?}");
        held.push(account.most);
    }
    assert!(held[1] < 1_000_000 && held[1] < held[0] * 3 / 2, "{held:?} bytes are held");
}
