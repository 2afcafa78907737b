//! Holds under races: funds are spent once, and a hold has one end (R-78).

use std::rc::Rc;

use domain::amount::Amount;
use domain::id::{EventId, Key, ParticipantId};
use domain::ledger::EntryKey;
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::Instant;
use store::{Error, Noun, Store};

use crate::cast::{
    event_id, key, later, noon, open, payload, person, post, programme, purchase, seed, spend,
    tenfold, timed_key,
};
use crate::fault::Weather;
use crate::laws::walk;
use crate::money::{Ask, book};
use crate::races::{at_once, insist};
use crate::wire::Wire;

/// A wallet with a thousand points, on a wire that shows old items.
struct Till {
    wire: Wire,
    programme: Programme,
    who: ParticipantId,
}

impl Till {
    async fn new(test: &str) -> Rc<Till> {
        let (wire, programme, who) =
            (Wire::new(seed(test)), programme(vec![tenfold()]), person("c-1"));
        let store = open(&wire, true);
        store.register(&who, None, vec![]).await.unwrap();
        let bought = purchase(&who, "e-1", 100_00, noon());
        post(&store, &programme, &bought, noon(), true).await.unwrap();
        wire.weather(Weather { faults: 0, stale: 100, delay: 3 });
        Rc::new(Till { wire, programme, who })
    }

    fn ask<'a>(&'a self, store: &'a Store, now: Instant, key: &'a Key) -> Ask<'a> {
        Ask::new(store, &self.programme, &self.who, now, key)
    }

    async fn hold(&self, amount: i64) -> u64 {
        let (store, key) = (open(&self.wire, true), timed_key(noon(), 1));
        let ask = self.ask(&store, noon(), &key);
        insist(|| ask.hold(amount, "PT15M", None)).await.unwrap().value.sequence
    }

    fn left(&self) -> (i64, i64) {
        let wallet = walk(&self.wire, &self.who).wallet;
        let sum = wallet.lots.iter().map(|lot| lot.amount.0).sum();
        (sum, wallet.holds.iter().map(|hold| hold.amount().0).sum())
    }
}

fn refusal<A: std::fmt::Debug>(answer: store::Result<A>) -> Refusal {
    match answer {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

/// R-69, R-78: however many settle one hold, it is spent once.
#[tokio::test(start_paused = true)]
async fn r78_of_64_that_settle_one_hold_at_once_one_spends() {
    let till = Till::new("settles").await;
    let hold = till.hold(300).await;
    let answers = at_once(64, |number| {
        let till = Rc::clone(&till);
        async move {
            let number = u64::try_from(number).unwrap();
            let (store, key) = (open(&till.wire, true), timed_key(later(1), 100 + number));
            let ask = till.ask(&store, later(1), &key);
            match insist(|| ask.settle(hold, Some(200), None)).await {
                Ok(done) => Some(done.value.made.spent),
                other => {
                    assert_eq!(refusal(other), Refusal::HoldNotOpen);
                    None
                }
            }
        }
    });
    let spent: Vec<Amount> = answers.await.into_iter().flatten().collect();
    assert_eq!(spent, [Amount(200)]);
    assert_eq!(till.left(), (800, 0));
}

/// R-78: settled, released or lapsed: exactly one of them.
#[tokio::test(start_paused = true)]
async fn r78_a_hold_that_is_settled_released_and_lapses_at_once_has_one_end() {
    let mut ends = [0; 3];
    for round in 0..24 {
        let till = Till::new(&format!("ends {round}")).await;
        let hold = till.hold(300).await;
        let answers = at_once(12, |number| {
            let till = Rc::clone(&till);
            async move {
                // Clocks that differ: for some the hold has lapsed.
                let now = later(if (number * 7 + round / 3) % 4 == 0 { 15 } else { 14 });
                let (store, key) = (open(&till.wire, true), key(&format!("end-{number}")));
                let ask = till.ask(&store, now, &key);
                match (number + round) % 3 {
                    0 => drop(insist(|| book(&store, &till.programme, &till.who, now, "r")).await),
                    1 => return insist(|| ask.settle(hold, None, None)).await.is_ok().then_some(0),
                    _ => return insist(|| ask.release(hold)).await.is_ok().then_some(1),
                }
                None
            }
        });
        let ended: Vec<usize> = answers.await.into_iter().flatten().collect();
        let walked = walk(&till.wire, &till.who);
        let lapsed = walked.entries.iter().any(|e| matches!(e.key, EntryKey::Lapse(_)));
        assert_eq!(ended.len() + usize::from(lapsed), 1, "{ended:?}, lapsed: {lapsed}");
        let end = ended.first().copied().unwrap_or(2);
        assert_eq!(till.left(), (if end == 0 { 700 } else { 1_000 }, 0));
        ends[end] += 1;
    }
    println!("settled, released, lapsed: {ends:?}");
    assert!(ends.iter().all(|count| *count > 0), "{ends:?}");
}

/// R-69, R-78: holds and spends together never take more than there is.
#[tokio::test(start_paused = true)]
async fn r78_what_is_held_is_not_available_to_others() {
    let till = Till::new("others").await;
    let taken = at_once(30, |number| {
        let till = Rc::clone(&till);
        async move {
            let key = timed_key(later(1), 500 + u64::try_from(number).unwrap());
            let store = open(&till.wire, true);
            if number % 2 == 0 {
                let ask = till.ask(&store, later(1), &key);
                return insist(|| ask.hold(90, "PT15M", None)).await.map_or(0, |_| 90);
            }
            let ask = || spend(&store, &till.programme, &till.who, &key, 90, later(1));
            insist(ask).await.map_or(0, |done| done.value.made.spent.0)
        }
    });
    assert_eq!(taken.await.into_iter().sum::<i64>(), 1_000 - till.left().0);
    assert!(till.left().0 < 90);
}

/// R-70, R-72, R-78: one key, one answer; the spend is one like any other.
#[tokio::test(start_paused = true)]
async fn r70_r78_ends_are_answered_alike_and_a_settled_hold_is_cancelled_like_a_spend() {
    let till = Till::new("answers").await;
    let store = open(&till.wire, true);
    let hold = till.hold(300).await;
    let on: EventId = event_id("e-1");
    for (number, first) in [timed_key(later(1), 7), key("no time in it")].into_iter().enumerate() {
        let ask = till.ask(&store, later(1), &first);
        let much = || ask.settle(hold, Some(301), Some(&on));
        assert_eq!(refusal(insist(much).await), Refusal::AmountOutOfRange);
        assert_eq!(refusal(insist(much).await), Refusal::AmountOutOfRange, "for ever");
        let other = Ask { payload: payload(8), ..ask };
        let reused = insist(|| other.settle(hold, None, None)).await;
        assert!(matches!(reused, Err(Error::KeyReused)), "{number}: {reused:?}");
    }
    let (settle, late) = (key("settle"), key("late"));
    let ask = till.ask(&store, later(2), &settle);
    let settled = insist(|| ask.settle(hold, Some(250), Some(&on))).await.unwrap();
    assert_eq!(settled.value.made.covered, Some(Amount(2_50)));
    let again = insist(|| ask.settle(hold, Some(250), Some(&on))).await.unwrap();
    assert!(again.repeated && again.value == settled.value);
    let late = till.ask(&store, later(3), &late);
    assert_eq!(refusal(insist(|| late.release(hold)).await), Refusal::HoldNotOpen);
    let event = store.event(&on).await.unwrap();
    assert_eq!(event.covered(), Amount(2_50), "R-62: it stands on the purchase");
    assert_eq!(till.left(), (750, 0));
    let spend = &domain::id::TransactionCode {
        participant: till.who.clone(),
        sequence: settled.value.sequence,
    };
    let (programme, now, payload) = (&till.programme, later(4), payload(3));
    let cancel = store::CancelSpend { programme, now, spend, payload, reason: None };
    insist(|| store.cancel_spend(&cancel)).await.unwrap();
    assert_eq!(till.left(), (1_000, 0));
    assert_eq!(store.event(&on).await.unwrap().covered(), Amount(0));
}

#[tokio::test(start_paused = true)]
async fn a_code_that_is_no_hold_is_not_found() {
    let till = Till::new("codes").await;
    let (store, key) = (open(&till.wire, true), timed_key(later(1), 1));
    let ask = till.ask(&store, later(1), &key);
    for sequence in [0, 1, 2, u64::MAX] {
        let settled = insist(|| ask.settle(sequence, None, None)).await;
        assert!(matches!(settled, Err(Error::NotFound(Noun::Hold))), "{sequence}: {settled:?}");
        let released = insist(|| ask.release(sequence)).await;
        assert!(matches!(released, Err(Error::NotFound(Noun::Hold))), "{sequence}: {released:?}");
    }
    let nobody = person("nobody");
    let ask = Ask { who: &nobody, ..ask };
    let released = insist(|| ask.release(1)).await;
    assert!(matches!(released, Err(Error::NotFound(Noun::Hold))), "{released:?}");
    assert_eq!(till.left(), (1_000, 0));
}
