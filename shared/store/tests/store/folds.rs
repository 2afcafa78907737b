//! Several events judged in one commit: each of them once.

use crate::cast::{later, noon, post, purchase};
use crate::laws::walk;
use crate::pages::Rich;

/// Rule 8: a fold drops what a rival has judged, and judges the rest.
#[tokio::test(start_paused = true)]
async fn a_fold_of_which_a_rival_judged_one_event_judges_the_others() {
    let rich = Rich::new().await;
    for reference in ["p-1", "p-2", "p-3"] {
        rich.post(reference, false).await;
    }
    let gate = rich.wire.gate_commit();
    let fold = rich.judge(&["p-1", "p-2", "p-3"]);
    let rival = async {
        gate.reached().await;
        assert_eq!(rich.judge(&["p-2"]).await.unwrap(), [1]);
        gate.open();
    };
    let (fold, ()) = tokio::join!(fold, rival);
    assert_eq!(fold.unwrap(), [1, 1, 1]);
    assert_eq!(rich.points(), 10_300);
    rich.stale("E#", 2);
    assert_eq!(rich.judge(&["p-3", "p-1", "p-2"]).await.unwrap(), [1, 1, 1]);
    assert_eq!(rich.points(), 10_300);
}

/// Rule 4: an event is not judged before it was accepted, whatever the clock of the run says.
#[tokio::test(start_paused = true)]
async fn an_event_that_a_fast_clock_accepted_is_judged_at_that_time_by_a_slow_one() {
    let rich = Rich::new().await;
    let event = purchase(&rich.who, "p-1", 10_00, noon());
    post(&rich.store, &rich.programme, &event, later(90), false).await.unwrap();
    rich.judge(&["p-1"]).await.unwrap();
    assert_eq!(walk(&rich.wire, &rich.who).wallet.time, later(90), "the run's clock says 60");
}

/// Rule 8: one action an item.
#[tokio::test(start_paused = true)]
async fn an_event_that_is_handed_in_twice_is_judged_once() {
    let rich = Rich::new().await;
    rich.post("p-1", false).await;
    rich.post("p-2", false).await;
    rich.judge(&["p-1", "p-2", "p-1"]).await.unwrap();
    assert_eq!(rich.points(), 10_200);
    walk(&rich.wire, &rich.who);
}

/// Rule 8: an event of a fold that a stale read does not show is judged with the others.
#[tokio::test(start_paused = true)]
async fn an_event_of_a_fold_that_is_not_seen_yet_is_judged_with_the_others() {
    let rich = Rich::new().await;
    rich.post("p-1", false).await;
    rich.post("p-2", false).await;
    rich.stale("E#till:p-2", 5);
    assert_eq!(rich.judge(&["p-1", "p-2"]).await.unwrap(), [1, 1]);
    assert_eq!(rich.points(), 10_200);
}

/// Rule 8: what folds make of the journal is put in as many pages as it takes.
#[tokio::test(start_paused = true)]
async fn a_journal_that_folds_made_long_is_short_after_the_next_commit() {
    let rich = Rich::new().await;
    let references: Vec<String> = (0..20).map(|number| format!("p-{number}")).collect();
    for reference in &references {
        rich.post(reference, false).await;
    }
    let references: Vec<&str> = references.iter().map(String::as_str).collect();
    for ten in references.chunks(10) {
        rich.judge(ten).await.unwrap();
    }
    assert_eq!(walk(&rich.wire, &rich.who).journal, 15);
    rich.spend(&rich.store, 1, 1).await.unwrap();
    assert_eq!(walk(&rich.wire, &rich.who).journal, 4);
}
