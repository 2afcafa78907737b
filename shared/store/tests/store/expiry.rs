//! Booking what is over in wallets that nobody touches (R-71).

use domain::id::ParticipantId;
use domain::ledger::EntryKey;
use domain::programme::Programme;
use domain::time::{Day, Instant};
use store::{Expiring, ExpiryCounts, SHARDS, Store};

use crate::cast::{
    event_id, later, noon, open, person, points, post, programme, purchase, run_id, timed_key,
};
use crate::laws::walk;
use crate::money::{Ask, book};
use crate::wire::Wire;

const PEOPLE: usize = 60;

fn today() -> Day {
    noon().day(chrono_tz::Europe::Berlin)
}

/// Sixty wallets: a third with points that expire today, a third that hold some of them, a third
/// with points for good.
async fn people(store: &Store, programme: &Programme) -> Vec<ParticipantId> {
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        let who = person(&format!("c-{number}"));
        store.register(&who, None, vec![]).await.unwrap();
        let key = timed_key(noon(), u64::try_from(number).unwrap());
        let ask = Ask::new(store, programme, &who, noon(), &key);
        let expires = (number % 3 < 2).then(today);
        ask.adjust(50, expires).await.unwrap();
        if number % 3 == 1 {
            ask.hold(20, "PT30M", None).await.unwrap();
        }
        people.push(who);
    }
    people
}

/// A shard of a run, as its worker goes over it.
async fn run(store: &Store, programme: &Programme, now: Instant, name: &str) -> ExpiryCounts {
    let started_at = now.plus_minutes(-1);
    let order = Expiring { programme, now, run: &run_id(name), started_at };
    let mut counts = ExpiryCounts::default();
    for shard in 0..SHARDS {
        let mut after: Option<String> = None;
        loop {
            let ids = store.roster_of(shard, after.as_deref(), 3).await.unwrap();
            let Some(last) = ids.last() else { break };
            after = Some(last.to_string());
            counts.wallets += u64::try_from(ids.len()).unwrap();
            for who in store.to_be_booked(&order, &ids).await.unwrap() {
                counts.add(&store.book_expiry(&order, &who).await.unwrap().value);
            }
        }
    }
    counts
}

/// R-71: once, whatever is repeated or overlaps; and the repeat counts the same.
#[tokio::test(start_paused = true)]
async fn r71_a_run_books_each_wallet_once_and_counts_it_alike_when_it_is_repeated() {
    let wire = Wire::new(0);
    let (store, programme) = (open(&wire, true), programme(vec![]));
    let people = people(&store, &programme).await;
    let before = run(&store, &programme, later(1), "early").await;
    assert_eq!(before, ExpiryCounts { wallets: 60, ..ExpiryCounts::default() });
    let lapsed = run(&store, &programme, later(30), "noon").await;
    let amounts = |points| vec![("points".to_owned(), points)];
    assert_eq!(lapsed, ExpiryCounts { wallets: 60, holds: 20, ..ExpiryCounts::default() });
    let midnight = later(12 * 60);
    let first = run(&store, &programme, midnight, "night").await;
    let want = ExpiryCounts {
        wallets: 60,
        lots: 40,
        amounts: amounts(40 * 50),
        ..ExpiryCounts::default()
    };
    assert_eq!(first, want);
    // Many entries later the run's own are in pages.
    for number in 0..12 {
        let key = timed_key(midnight, 1_000 + number);
        Ask::new(&store, &programme, &people[0], midnight, &key).adjust(1, None).await.unwrap();
    }
    assert_eq!(run(&store, &programme, midnight, "night").await, want, "who takes over");
    let other = run(&store, &programme, midnight, "other").await;
    assert_eq!(other, ExpiryCounts { wallets: 60, ..ExpiryCounts::default() }, "another run");
    for who in &people {
        let walked = walk(&wire, who);
        let expired = walked.entries.iter().filter(|e| matches!(e.key, EntryKey::Expiry(_)));
        assert!(expired.count() <= 1);
    }
}

/// R-71: half a read unit for a wallet with nothing to book, 1.17 write units where there is.
#[tokio::test(start_paused = true)]
async fn r71_looking_at_a_wallet_costs_half_a_read_and_booking_one_write_and_a_sixth() {
    let wire = Wire::new(0);
    let (store, programme) = (open(&wire, true), programme(vec![]));
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        let who = person(&format!("c-{number}"));
        store.register(&who, None, vec![]).await.unwrap();
        // Ledgers at all places of a page, written a day ago.
        for entry in 0..=number % 6 {
            let key = timed_key(noon(), u64::try_from(number * 10 + entry).unwrap());
            let ask = Ask::new(&store, &programme, &who, noon(), &key);
            ask.adjust(50, Some(today())).await.unwrap();
        }
        people.push(who);
    }
    let sum = |what: &str| {
        let calls = wire.take_calls();
        let (written, read) = (
            calls.iter().map(|c| c.written).sum::<u64>(),
            calls.iter().map(|c| c.read).sum::<u64>(),
        );
        println!("{what:<40}{written:>8}{read:>8} tenths");
        (written, read)
    };
    let order = |now: Instant| Expiring {
        programme: &programme,
        now,
        run: RUN.get_or_init(|| run_id("night")),
        started_at: now,
    };
    wire.take_calls();
    assert!(store.to_be_booked(&order(later(60)), &people).await.unwrap().is_empty());
    assert_eq!(sum("60 wallets with nothing to book"), (0, 300));
    let night = order(later(24 * 60));
    let due = store.to_be_booked(&night, &people).await.unwrap();
    assert_eq!(due.len(), PEOPLE);
    wire.take_calls();
    for who in &due {
        assert_eq!(store.book_expiry(&night, who).await.unwrap().value.lots, 1);
    }
    // Sixty states and ten pages.
    assert_eq!(sum("60 wallets booked"), (700, 300));
}

static RUN: std::sync::OnceLock<domain::id::RunId> = std::sync::OnceLock::new();

/// R-78: a hold, its settlement and its release cost what a spend costs; so does an adjustment.
#[tokio::test(start_paused = true)]
async fn r78_r74_holds_their_ends_and_adjustments_cost_one_write_and_a_sixth() {
    let wire = Wire::new(0);
    let (store, programme, who) = (open(&wire, true), programme(vec![]), person("c-1"));
    store.register(&who, None, vec![]).await.unwrap();
    let bought = purchase(&who, "e-1", 5_000_00, noon());
    post(&store, &programme, &bought, noon(), true).await.unwrap();
    let on = event_id("e-1");
    let hundredths = |what: &str| {
        let calls = wire.take_calls();
        let written = calls.iter().map(|call| call.written).sum::<u64>() * 10 / 60;
        let read = calls.iter().map(|call| call.read).sum::<u64>() * 10 / 60;
        println!("{what:<40}{written:>8}{read:>8}");
        (written, read)
    };
    let at =
        |minute: i64| (later(minute), timed_key(later(minute), u64::try_from(minute).unwrap()));
    wire.take_calls();
    for minute in 1..=60 {
        let (now, key) = at(minute);
        Ask::new(&store, &programme, &who, now, &key).adjust(100, None).await.unwrap();
    }
    assert_eq!(hundredths("adjustment"), (116, 50));
    for (minute, end) in [(100, "release"), (200, "settle"), (300, "on a purchase")] {
        let (mut holds, mut ends) = ((0, 0), (0, 0));
        for minute in minute..minute + 60 {
            let (now, key) = at(minute);
            let ask = Ask::new(&store, &programme, &who, now, &key);
            let hold = ask.hold(10, "PT15M", None).await.unwrap().value.sequence;
            let price = wire.take_calls();
            holds.0 += price.iter().map(|call| call.written).sum::<u64>();
            holds.1 += price.iter().map(|call| call.read).sum::<u64>();
            match end {
                "release" => drop(ask.release(hold).await.unwrap()),
                "settle" => drop(ask.settle(hold, Some(5), None).await.unwrap()),
                _ => drop(ask.settle(hold, Some(5), Some(&on)).await.unwrap()),
            }
            let price = wire.take_calls();
            ends.0 += price.iter().map(|call| call.written).sum::<u64>();
            ends.1 += price.iter().map(|call| call.read).sum::<u64>();
        }
        let show = |sum: (u64, u64)| (sum.0 * 10 / 60, sum.1 * 10 / 60);
        println!("hold {:?}, {end} {:?}", show(holds), show(ends));
        // Two entries a round: the pages of sixty rounds are put by either.
        assert_eq!((holds.0 + ends.0) * 10 / 60, if end == "on a purchase" { 533 } else { 233 });
    }
}

/// R-71: what a wallet says of a lapsed hold does not wait for the run.
#[tokio::test(start_paused = true)]
async fn r71_r78_a_booked_lapse_changes_no_balance() {
    let wire = Wire::new(0);
    let (store, programme, who) = (open(&wire, true), programme(vec![]), person("c-1"));
    store.register(&who, None, vec![]).await.unwrap();
    let key = timed_key(noon(), 1);
    let ask = Ask::new(&store, &programme, &who, noon(), &key);
    ask.adjust(50, None).await.unwrap();
    ask.hold(20, "PT1M", None).await.unwrap();
    let available =
        |wallet: &domain::wallet::Wallet| wallet.available(&points(), later(1), programme.zone).0;
    let before = store.wallet(&who).await.unwrap();
    assert_eq!((before.holds.len(), available(&before)), (1, 50));
    let booked = book(&store, &programme, &who, later(1), "r").await.unwrap();
    assert_eq!((booked.value.holds, available(&booked.wallet)), (1, 50));
    assert!(booked.wallet.holds.is_empty());
}
