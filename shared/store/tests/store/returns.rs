//! Cancels and returns, many at once, and against whatever else happens to the event.

use std::rc::Rc;

use domain::award::Mode;
use domain::event::{EventState, Judge, RecordedEvent};
use domain::id::EventId;
use domain::offer::{Expiry, Offer};
use domain::refusal::Refusal;
use domain::returns::ReturnedLine;
use domain::time::Duration;
use store::{CancelEvent, Done, Error, EventCancelled, Judging, Noun, Posting, Store};

use crate::cast::{
    cancelling, event_id, in_pieces, later, noon, open, payload, person, post, programme, purchase,
    run_id, spend, tenfold, timed_key,
};
use crate::laws::walk;
use crate::races::{Race, at_once, insist};
use crate::wire::Wire;

fn taken_back(done: store::Result<Done<EventCancelled>>) -> (RecordedEvent, u64, bool) {
    let done = done.unwrap();
    match done.value {
        EventCancelled::TakenBack(event, sequence) => (*event, sequence, done.repeated),
        EventCancelled::Ahead => panic!("it is there"),
    }
}

fn refusal<A: std::fmt::Debug>(answer: store::Result<A>) -> Refusal {
    match answer {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

async fn give_back(
    store: &Store,
    race: &Race,
    event: &EventId,
    by: u8,
    quantity: u32,
) -> store::Result<Done<EventCancelled>> {
    let lines = &[ReturnedLine { index: 0, quantity }];
    let order = cancelling(&race.programme, later(1), event, by);
    let order = CancelEvent { lines, payload: payload(u8::try_from(quantity).unwrap()), ..order };
    insist(|| store.cancel_event(&order)).await
}

async fn run(store: &Store, race: &Race, event: &EventId) -> store::Result<Vec<RecordedEvent>> {
    let by = Judge::Run(run_id("run-1"));
    let (programme, participant, mode) = (&race.programme, &race.who, Mode::Run);
    let events = std::slice::from_ref(event);
    let order = Judging { programme, now: later(1), participant, events, mode, by };
    insist(|| store.judge(&order)).await.map(|done| done.value)
}

/// sent twice, or sixteen times at once, an event is cancelled once.
#[tokio::test(start_paused = true)]
async fn sixteen_cancels_under_one_key_are_one_and_under_others_are_refused() {
    let race = Race::new("cancels", 100_00).await;
    let answers = at_once(16, |number| {
        let race = Rc::clone(&race);
        async move {
            let (store, event) = (open(&race.wire, true), event_id("e-1"));
            let order = cancelling(&race.programme, later(1), &event, u8::from(number % 4 == 0));
            match insist(|| store.cancel_event(&order)).await {
                Err(Error::Refused(Refusal::AlreadyCancelled)) => None,
                done => Some(taken_back(done).1),
            }
        }
    });
    let answers: Vec<Option<u64>> = answers.await;
    let won: Vec<u64> = answers.iter().flatten().copied().collect();
    assert!(won.len() == 4 || won.len() == 12, "those under one key: {answers:?}");
    assert!(won.iter().all(|sequence| *sequence == won[0]), "all of them name one entry");
    assert_eq!((race.points(), walk(&race.wire, &race.who).entries.len()), (0, 2));
}

/// of sixteen who bring back one of five pieces, five do.
#[tokio::test(start_paused = true)]
async fn no_piece_comes_back_twice_however_many_bring_it_at_once() {
    let race = Race::new("pieces", 100_00).await;
    let event = in_pieces(purchase(&race.who, "e-2", 50_00, noon()), 5);
    let store = open(&race.wire, true);
    insist(|| post(&store, &race.programme, &event, noon(), true)).await.unwrap();
    let answers = at_once(16, |number| {
        let race = Rc::clone(&race);
        async move {
            let (store, by) = (open(&race.wire, true), u8::try_from(number).unwrap());
            let answer = give_back(&store, &race, &event_id("e-2"), by, 1).await;
            // Its twin under the same key is answered alike, a later one of another body is not.
            let twin = give_back(&store, &race, &event_id("e-2"), by, 1).await;
            match answer {
                Ok(done) => {
                    let (_, sequence, _) = taken_back(Ok(done));
                    assert_eq!(taken_back(twin).1, sequence);
                    let other = give_back(&store, &race, &event_id("e-2"), by, 2).await;
                    assert!(matches!(other, Err(Error::KeyReused)), "{other:?}");
                    1
                }
                refused => {
                    assert_eq!(refusal(refused), Refusal::ReturnedAlready);
                    assert_eq!(refusal(twin), Refusal::ReturnedAlready);
                    0
                }
            }
        }
    });
    assert_eq!(answers.await.into_iter().sum::<u32>(), 5);
    let event = store.event(&event_id("e-2")).await.unwrap();
    assert_eq!((event.state, event.returns.len()), (EventState::Cancelled, 5));
    assert_eq!(race.points(), 1_000);
}

/// cancelled, or returned in part, while a run is awarding it: whoever comes first, it
/// comes to the same.
#[tokio::test(start_paused = true)]
async fn a_cancel_and_a_run_at_once_come_to_the_same_in_either_order() {
    let race = Race::new("cancel and run", 100_00).await;
    let store = open(&race.wire, true);
    let (mut judged_first, mut left) = (0, 1_000);
    for number in 0..40 {
        let id = event_id(&format!("p-{number}"));
        let event = in_pieces(purchase(&race.who, &format!("p-{number}"), 30_00, noon()), 3);
        insist(|| post(&store, &race.programme, &event, noon(), false)).await.unwrap();
        let part = number % 2 == 0;
        let cancel = async {
            let store = open(&race.wire, true);
            if part {
                return taken_back(give_back(&store, &race, &id, 1, 1).await);
            }
            let order = cancelling(&race.programme, later(1), &id, 1);
            taken_back(insist(|| store.cancel_event(&order)).await)
        };
        let judge = run(&store, &race, &id);
        let (cancelled, judged) = tokio::join!(cancel, judge);
        let first = cancelled.0.judgements.len();
        judged_first += first;
        let event = insist(|| store.event(&id)).await.unwrap();
        assert_eq!(judged.unwrap()[0].event.id, id);
        if part {
            left += 200;
            assert_eq!((event.state, event.judgements.len()), (EventState::Posted, 1));
            assert_eq!(event.awarded()[0].1.0, 200, "two of three pieces, {first} judged first");
        } else {
            assert_eq!((event.state, event.judgements.len()), (EventState::Cancelled, first));
            // A run that comes again finds nothing to do.
            assert_eq!(run(&store, &race, &id).await.unwrap()[0], event);
        }
        assert_eq!(race.points(), left);
    }
    assert!((1..40).contains(&judged_first), "both orders were tried: {judged_first}");
}

/// the cancel comes before its event, or just with it: the event is refused, or taken back.
#[tokio::test(start_paused = true)]
async fn an_event_and_its_cancel_at_once_leave_nothing_awarded() {
    let race = Race::new("ahead", 100_00).await;
    let (mut ahead, mut behind) = (0, 0);
    for number in 0..40 {
        let id = event_id(&format!("late-{number}"));
        let event = purchase(&race.who, &format!("late-{number}"), 30_00, noon());
        let posted = async {
            let store = open(&race.wire, true);
            insist(|| post(&store, &race.programme, &event, noon(), number % 4 < 2)).await
        };
        let order = cancelling(&race.programme, later(1), &id, 1);
        let order = CancelEvent { ahead: true, ..order };
        let cancel = || async {
            let store = open(&race.wire, true);
            insist(|| store.cancel_event(&order)).await.unwrap()
        };
        let (posted, cancelled) = if number % 2 == 0 {
            tokio::join!(posted, cancel())
        } else {
            let (cancelled, posted) = tokio::join!(cancel(), posted);
            (posted, cancelled)
        };
        let store = open(&race.wire, true);
        let other = CancelEvent { key: payload(9), ..order.clone() };
        match &cancelled.value {
            EventCancelled::Ahead => {
                ahead += 1;
                assert_eq!(refusal(posted), Refusal::EventCancelled);
                let late = insist(|| post(&store, &race.programme, &event, later(9), true)).await;
                assert_eq!(refusal(late), Refusal::EventCancelled, "for ever");
                let found = insist(|| store.event(&id)).await;
                assert!(matches!(found, Err(Error::NotFound(Noun::Event))), "{found:?}");
            }
            EventCancelled::TakenBack(event, _) => {
                behind += 1;
                assert_eq!(event.state, EventState::Cancelled);
                posted.unwrap();
            }
        }
        let again = cancel().await;
        assert_eq!((again.value, again.repeated), (cancelled.value, true));
        let refused = insist(|| store.cancel_event(&other)).await;
        assert_eq!(refusal(refused), Refusal::AlreadyCancelled);
        assert_eq!(race.points(), 1_000);
    }
    assert!(ahead > 0 && behind > 0, "both orders were tried: {ahead} {behind}");
}

/// lines of what has not arrived are not known, and nothing bars it.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_cancelled_ahead_leaves_no_bar() {
    let wire = Wire::new(0);
    let (store, programme, id) = (open(&wire, true), programme(vec![tenfold()]), event_id("late"));
    let order = cancelling(&programme, noon(), &id, 1);
    let lines = &[ReturnedLine { index: 0, quantity: 1 }];
    for order in [CancelEvent { ahead: true, lines, ..order.clone() }, order] {
        let answer = store.cancel_event(&order).await;
        assert!(matches!(answer, Err(Error::NotFound(Noun::Event))), "{answer:?}");
    }
    assert!(wire.items().is_empty());
    let event = &purchase(&person("c-1"), "late", 30_00, noon());
    let (programme, now, payload, spend) = (&programme, noon(), payload(1), None);
    let order = Posting {
        programme,
        now,
        event,
        payload,
        spend,
        judge: true,
        enrols: true,
        codes: store::Codes::default(),
    };
    assert!(!store.post_event(&order).await.unwrap().repeated);
}

/// what was spent of an award before it expired is found in the ledger, in pages or not.
#[tokio::test(start_paused = true)]
async fn an_award_whose_lot_expired_is_taken_back_as_far_as_it_was_spent() {
    for between in [0, 3, 40] {
        let wire = Wire::new(0);
        let (store, who) = (open(&wire, true), person("c-1"));
        let soon = Expiry::After(Duration::parse("P1D").unwrap());
        let mut rules = programme(vec![Offer { expires: soon, ..tenfold() }]);
        let event = in_pieces(purchase(&who, "e-1", 10_00, noon()), 2);
        post(&store, &rules, &event, noon(), true).await.unwrap();
        spend(&store, &rules, &who, &timed_key(noon(), 1), 60, noon()).await.unwrap();
        rules.offers = vec![Offer { expires: Expiry::Never, ..tenfold() }].into();
        let days = 3 * 24 * 60;
        for number in 0..=between {
            let event = purchase(&who, &format!("n-{number}"), 10_00, noon());
            post(&store, &rules, &event, later(days + number), true).await.unwrap();
        }
        let before = (between + 1) * 100;
        let cancel = async |by, lines: &[ReturnedLine]| {
            let (id, now) = (event_id("e-1"), later(days + 100));
            let order = CancelEvent { lines, ..cancelling(&rules, now, &id, by) };
            store.cancel_event(&order).await.unwrap();
            let lots = walk(&wire, &who).wallet.lots;
            lots.iter().map(|lot| lot.amount.0).sum::<i64>()
        };
        // 40 of 100 expired: they make up for most of the first half, and for none of the second.
        assert_eq!(cancel(1, &[ReturnedLine { index: 0, quantity: 1 }]).await, before - 10);
        assert_eq!(cancel(2, &[]).await, before - 60, "{between} entries later");
    }
}
