//! Quotas: the first participants and the budget of an offer hold exactly, however many ask at
//! once and however the wire behaves.

use std::rc::Rc;

use domain::amount::{Amount, Rate};
use domain::award::Mode;
use domain::event::{EventState, Judge, RecordedEvent};
use domain::id::ParticipantId;
use domain::offer::{AwardForm, EvaluationMethod, Limit, Offer, Quota};
use domain::programme::Programme;
use domain::refusal::Reason;
use domain::time::Duration as Span;
use serde_json::Value;
use store::{Error, Judging, Posting};
use tokio::task::{JoinSet, LocalSet};

use crate::cast::{
    cancelling, event_id, later, noon, offer, open, payload, person, post, programme, purchase,
    run_id, seed, tenth_off,
};
use crate::fault::Weather;
use crate::laws::{event, walk};
use crate::wire::Wire;

const FIRST: i64 = 100;
/// In cents: an award is at most 1.00.
const BUDGET: i64 = 75_50;

fn first() -> Offer {
    let quota = Quota { first: Some(100), budget: None };
    Offer { quota, ..offer("first", "points", AwardForm::Fixed(Amount(5))) }
}

/// Ten per cent back, as long as the budget lasts.
fn back() -> Offer {
    let form = AwardForm::Percentage(Rate::parse("10").unwrap());
    let quota = Quota { first: None, budget: Some(Amount(BUDGET)) };
    Offer { quota, ..offer("back", "eur", form) }
}

/// Places and budget as the table counts them.
pub fn used(wire: &Wire, offer: &str) -> (i64, i64) {
    let item = wire.items().remove(&(format!("Q#{offer}"), "Q".to_owned()));
    let number = |item: &Value, name: &str| {
        item[name]["N"].as_str().map_or(0, |text| text.parse::<i64>().unwrap())
    };
    item.map_or((0, 0), |item| (number(&item, "places"), number(&item, "budget")))
}

/// What live events were awarded by an offer: how many, and how much.
fn given(wire: &Wire, offer: &str) -> (i64, i64) {
    let events = wire.items().into_iter().filter(|((pk, _), _)| pk.starts_with("E#"));
    let live = events.map(|(_, item)| event(&item).recorded);
    let awards: Vec<i64> = live
        .filter(|event| event.state == EventState::Posted)
        .flat_map(|event| event.judgements)
        .flat_map(|judgement| judgement.awards)
        .filter(|award| award.offer.as_str() == offer)
        .map(|award| award.amount.0)
        .collect();
    (i64::try_from(awards.len()).unwrap(), awards.iter().sum())
}

/// What discounts still take off all purchases.
pub fn discounted(wire: &Wire) -> i64 {
    let events = wire.items().into_iter().filter(|((pk, _), _)| pk.starts_with("E#"));
    let events = events.filter(|(_, item)| item["x"].is_null());
    events.map(|(_, item)| event(&item).recorded.discounted().0).sum()
}

async fn insist<A, F: Future<Output = store::Result<A>>>(ask: impl Fn() -> F) -> store::Result<A> {
    for _ in 0..2_000 {
        match ask().await {
            Err(Error::Contended | Error::Unavailable(_)) => {}
            answer => return answer,
        }
    }
    panic!("no answer")
}

async fn buy(wire: &Wire, programme: &Programme, who: &ParticipantId, number: i64) {
    let cents = 1_00 + number * 37 % 9_00;
    let event = purchase(who, &format!("e-{number}"), cents, noon());
    let store = open(wire, number % 2 == 0);
    let order = Posting {
        programme,
        now: noon(),
        event: &event,
        payload: payload(1),
        spend: None,
        judge: true,
        enrols: true,
        codes: store::Codes::default(),
    };
    // A fifth is sent twice at once.
    let ask = || insist(|| store.post_event(&order));
    if number % 5 == 0 {
        let (one, two) = tokio::join!(ask(), ask());
        assert_eq!(one.unwrap().value, two.unwrap().value);
    } else {
        ask().await.unwrap();
    }
}

async fn cancel(wire: &Wire, programme: &Programme, number: i64) {
    let (store, event) = (open(wire, true), event_id(&format!("e-{number}")));
    let order = cancelling(programme, later(1), &event, 1);
    insist(|| store.cancel_event(&order)).await.unwrap();
}

/// Of 200 that buy at once the first 100 have a place; cancelling frees places and budget, which
/// others take at the same time. The table's count is that of the live awards, to the cent.
#[tokio::test(start_paused = true)]
async fn r44_the_first_hundred_and_a_budget_hold_for_two_hundred_at_once() {
    let wire = Wire::new(seed("quotas"));
    let programme = Rc::new(programme(vec![first(), back()]));
    wire.weather(Weather { faults: 40, stale: 300, delay: 3 });
    let (mut tasks, local) = (JoinSet::new(), LocalSet::new());
    for number in 0..200 {
        let (wire, programme) = (wire.clone(), Rc::clone(&programme));
        tasks.spawn_local_on(
            async move { buy(&wire, &programme, &person(&format!("c-{number}")), number).await },
            &local,
        );
    }
    local.run_until(tasks.join_all()).await;
    assert_eq!(used(&wire, "first").0, FIRST);
    assert_eq!(given(&wire, "first"), (FIRST, FIRST * 5));
    let (_, budget) = used(&wire, "back");
    assert_eq!(budget, given(&wire, "back").1);
    assert!((BUDGET - 99..=BUDGET).contains(&budget), "used up, never overdrawn: {budget}");

    let (mut tasks, local) = (JoinSet::new(), LocalSet::new());
    for number in 0..80 {
        let (wire, programme) = (wire.clone(), Rc::clone(&programme));
        tasks.spawn_local_on(
            async move {
                if number % 2 == 0 {
                    cancel(&wire, &programme, number).await;
                } else {
                    let who = person(&format!("d-{number}"));
                    buy(&wire, &programme, &who, 1_000 + number).await;
                }
            },
            &local,
        );
    }
    local.run_until(tasks.join_all()).await;
    wire.weather(Weather::default());
    let (places, _) = used(&wire, "first");
    assert_eq!(places, given(&wire, "first").0);
    assert!(places <= FIRST);
    assert_eq!(used(&wire, "back").1, given(&wire, "back").1);
    assert!(used(&wire, "back").1 <= BUDGET);
}

/// a budget for discounts is used up and never overdrawn, whoever buys and returns at once.
#[tokio::test(start_paused = true)]
async fn r44_a_budget_for_discounts_holds_for_two_hundred_at_once() {
    let wire = Wire::new(seed("discounts"));
    let programme = Rc::new(programme(vec![tenth_off(BUDGET)]));
    wire.weather(Weather { faults: 40, stale: 300, delay: 3 });
    for round in [0, 1_000] {
        let (mut tasks, local) = (JoinSet::new(), LocalSet::new());
        for number in 0..100 {
            let (wire, programme) = (wire.clone(), Rc::clone(&programme));
            let bought = round > 0 && number % 2 == 0;
            tasks.spawn_local_on(
                async move {
                    if bought {
                        cancel(&wire, &programme, number).await;
                    } else {
                        let who = person(&format!("c-{number}"));
                        buy(&wire, &programme, &who, round + number).await;
                    }
                },
                &local,
            );
        }
        local.run_until(tasks.join_all()).await;
        let (_, budget) = used(&wire, "tenth-off");
        assert_eq!(budget, discounted(&wire));
        assert!((BUDGET / 2..=BUDGET).contains(&budget), "{budget}");
    }
}

/// A participant among the first keeps the place: later awards take no other, and the place is
/// free when the last of them is cancelled.
#[tokio::test(start_paused = true)]
async fn r44_a_participant_takes_one_place() {
    let wire = Wire::new(seed("place"));
    let programme = programme(vec![Offer {
        quota: Quota { first: Some(1), budget: None },
        ..offer("first", "points", AwardForm::Fixed(Amount(5)))
    }]);
    let awards = |event: &RecordedEvent| event.judgements[0].awards.len();
    for (who, number, want) in [("c-1", 1, 1), ("c-2", 2, 0), ("c-1", 3, 1)] {
        let event = purchase(&person(who), &format!("e-{number}"), 1_00, noon());
        let done = post(&open(&wire, true), &programme, &event, noon(), true).await.unwrap();
        assert_eq!(awards(&done.value), want, "{who}");
        if want == 0 {
            assert_eq!(done.value.judgements[0].passed_over[0].1, Reason::PlacesTaken);
        }
    }
    assert_eq!(used(&wire, "first").0, 1);
    cancel(&wire, &programme, 1).await;
    assert_eq!(used(&wire, "first").0, 1, "another award rests on it");
    cancel(&wire, &programme, 3).await;
    assert_eq!(used(&wire, "first").0, 0);
    let event = purchase(&person("c-2"), "e-4", 1_00, noon());
    let done = post(&open(&wire, true), &programme, &event, noon(), true).await.unwrap();
    assert_eq!(awards(&done.value), 1);
}

/// A fold gives a budget once: its own awards count before they are committed.
#[tokio::test(start_paused = true)]
async fn r44_ten_events_in_one_commit_share_a_budget() {
    let (wire, who) = (Wire::new(seed("fold")), person("c-1"));
    let quota = Quota { first: Some(5), budget: Some(Amount(3_50)) };
    let form = AwardForm::Fixed(Amount(1_00));
    let method = EvaluationMethod::Batch;
    let programme = programme(vec![Offer { quota, method, ..offer("few", "eur", form) }]);
    let store = open(&wire, true);
    let events: Vec<_> = (0..10).map(|number| event_id(&format!("e-{number}"))).collect();
    for number in 0..10 {
        let event = purchase(&who, &format!("e-{number}"), 1_00, noon());
        post(&store, &programme, &event, noon(), false).await.unwrap();
    }
    let (mode, by) = (Mode::Run, Judge::Run(run_id("run")));
    let (programme, now, participant, events) = (&programme, later(1), &who, &events);
    let order = Judging { programme, now, participant, events, mode, by };
    store.judge(&order).await.unwrap();
    assert_eq!((used(&wire, "few"), given(&wire, "few")), ((1, 3_00), (3, 3_00)));
    walk(&wire, &who);
}

/// once a year, though fifty top-ups come at once.
#[tokio::test(start_paused = true)]
async fn r44_once_in_a_rolling_year_holds_for_fifty_at_once() {
    let wire = Wire::new(seed("yearly"));
    let limit = Limit::OncePerRolling(Span::parse("P1Y").unwrap());
    let yearly = Offer { limit, ..offer("yearly", "eur", AwardForm::Fixed(Amount(10_00))) };
    let programme = Rc::new(programme(vec![yearly]));
    wire.weather(Weather { faults: 60, stale: 300, delay: 3 });
    let (mut tasks, local) = (JoinSet::new(), LocalSet::new());
    for number in 0..50 {
        let (wire, programme) = (wire.clone(), Rc::clone(&programme));
        tasks.spawn_local_on(
            async move { buy(&wire, &programme, &person("c-1"), number).await },
            &local,
        );
    }
    local.run_until(tasks.join_all()).await;
    assert_eq!(given(&wire, "yearly"), (1, 10_00));
    assert_eq!(walk(&wire, &person("c-1")).wallet.lots[0].amount, Amount(10_00));
}
