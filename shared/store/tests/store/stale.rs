//! Reads that show what was: harmless, whatever they show.

use domain::award::Mode;
use domain::event::{EventState, Judge};
use domain::id::{Key, TransactionCode};
use domain::refusal::Refusal;
use store::{
    CancelSpend, Done, Error, EventCancelled, Judging, Redeeming, RequestKey, SpendDone, Spending,
};

use crate::cast::{
    asked, cancelling, event_id, gift, issue, key, later, noon, open, payload, plan_key, post,
    publish, purchase, spend, timed_key,
};
use crate::laws::walk;
use crate::pages::Rich;

impl Rich {
    async fn spend_on(&self, key: &Key, amount: i64, on: &str) -> store::Result<Done<SpendDone>> {
        let (purchase, asked) = (event_id(on), asked(amount, noon()));
        let order = Spending {
            programme: &self.programme,
            now: later(60),
            participant: &self.who,
            key: RequestKey::Caller(key),
            payload: payload(2),
            asked: &asked,
            purchase: Some(&purchase),
            request: None,
            bearer: None,
        };
        self.store.spend(&order).await
    }

    pub async fn post(&self, reference: &str, judge: bool) {
        let event = purchase(&self.who, reference, 10_00, noon());
        post(&self.store, &self.programme, &event, noon(), judge).await.unwrap();
    }

    async fn cancel_spend(
        &self,
        sequence: u64,
        by: u8,
    ) -> store::Result<Done<store::SpendCancelled>> {
        let spend = &TransactionCode { participant: self.who.clone(), sequence };
        let (programme, now, payload) = (&self.programme, later(60), payload(by));
        self.store.cancel_spend(&CancelSpend { programme, now, spend, payload, reason: None }).await
    }

    async fn cancel_event(&self, reference: &str) -> store::Result<EventState> {
        let (programme, now, event) = (&self.programme, later(60), &event_id(reference));
        let order = cancelling(programme, now, event, 3);
        match self.store.cancel_event(&order).await?.value {
            EventCancelled::TakenBack(event, _) => Ok(event.state),
            EventCancelled::Ahead => panic!("it is there"),
        }
    }

    pub async fn judge(&self, references: &[&str]) -> store::Result<Vec<usize>> {
        let events: Vec<_> = references.iter().map(|reference| event_id(reference)).collect();
        let order = Judging {
            programme: &self.programme,
            now: later(60),
            participant: &self.who,
            events: &events,
            mode: Mode::Interactive,
            by: Judge::Interactive,
        };
        let judged = self.store.judge(&order).await?.value;
        Ok(judged.iter().map(|event| event.judgements.len()).collect())
    }

    /// From now on, items whose partition begins so are read as they were so many writes ago.
    pub fn stale(&self, partition: &'static str, age: u64) {
        self.wire.age(move |(pk, _)| if pk.starts_with(partition) { age } else { 0 });
    }
}

/// Rules 1 and 6: an older state is noticed by the commit, whatever pages were read with it.
#[tokio::test(start_paused = true)]
async fn an_old_state_with_new_pages_neither_repeats_nor_overdraws() {
    for age in 1..=20 {
        let rich = Rich::new().await;
        for minute in 1..=20 {
            rich.spend(&rich.store, minute, 490).await.unwrap();
        }
        rich.wire.age(move |(_, sk)| if sk == "S" { age } else { 0 });
        let refused = rich.spend(&rich.store, 21, 500).await;
        assert_eq!(refused.unwrap(), 22, "what is left is spent");
        assert_eq!(rich.points(), 0);
        for minute in 1..=21 {
            let amount = if minute == 21 { 500 } else { 490 };
            let done = rich.spend(&rich.store, minute, amount).await.unwrap();
            assert_eq!(done, u64::try_from(minute).unwrap() + 1, "{age} writes ago");
        }
        assert_eq!(walk(&rich.wire, &rich.who).wallet.length, 22);
    }
}

/// R-70. Rule 7: a refusal that rests on an old event is not recorded.
#[tokio::test(start_paused = true)]
async fn a_spend_is_not_refused_for_a_cover_that_was_taken_back() {
    let rich = Rich::new().await;
    rich.post("e-2", true).await;
    let first = rich.spend_on(&key("a"), 1_000, "e-2").await.unwrap().value.sequence;
    rich.cancel_spend(first, 3).await.unwrap();
    rich.stale("E#", 1);
    let again = rich.spend_on(&key("b"), 1_000, "e-2").await.unwrap();
    assert_eq!(again.value.made.spent.0, 1_000);
    walk(&rich.wire, &rich.who);
}

/// R-70. Rule 7: nor is the reason the old one where there are two.
#[tokio::test(start_paused = true)]
async fn a_refusal_names_the_state_of_the_purchase_as_it_is() {
    let rich = Rich::new().await;
    rich.post("e-2", true).await;
    rich.cancel_event("e-2").await.unwrap();
    rich.stale("E#", 1);
    let refused = rich.spend_on(&key("a"), 99_999, "e-2").await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::PurchaseCancelled))), "{refused:?}");
    walk(&rich.wire, &rich.who);
}

/// Rule 7: an answer without a commit rests on a consistent read.
#[tokio::test(start_paused = true)]
async fn nobody_and_nothing_is_missing_because_a_read_was_stale() {
    let rich = Rich::new().await;
    rich.post("e-2", true).await;
    rich.post("p-1", false).await;
    let (plan, issue) = (gift(), issue("i"));
    publish(&rich.store).await.unwrap();
    let issued = rich.store.issue_pass(&rich.programme, noon(), &plan, &issue).await;
    let pass = issued.unwrap().0.id;
    rich.stale("", 100);
    rich.spend(&rich.store, 1, 1).await.unwrap();
    rich.spend_on(&key("a"), 5, "e-2").await.unwrap();
    assert_eq!(rich.judge(&["p-1"]).await.unwrap(), [1]);
    let (participant, key, payload) = (&rich.who, &key("r"), payload(1));
    let (programme, now, plan, pass) = (&rich.programme, later(60), &plan, &pass);
    let proof = (&plan_key(plan), None);
    let order = Redeeming { programme, now, plan, pass, proof, participant, key, payload };
    rich.store.redeem(&order).await.unwrap();
    assert_eq!(rich.cancel_event("e-2").await.unwrap(), EventState::Cancelled);
    let blocked =
        |blocked| rich.store.block_spending(&rich.programme, noon(), &rich.who, blocked, "lost");
    for state in [true, false, true] {
        assert!(!blocked(state).await.unwrap().repeated, "each of them changes something");
    }
    walk(&rich.wire, &rich.who);
}

/// Rule 7: `already_cancelled` too.
#[tokio::test(start_paused = true)]
async fn a_second_cancel_is_refused_and_a_repeated_one_answered_however_old_the_reads() {
    for age in 1..=6 {
        let rich = Rich::new().await;
        rich.post("e-2", true).await;
        let timed = rich.spend(&rich.store, 1, 10).await.unwrap();
        let on = rich.spend_on(&key("a"), 10, "e-2").await.unwrap().value.sequence;
        rich.stale("", age);
        for sequence in [timed, on] {
            let done = rich.cancel_spend(sequence, 3).await.unwrap().value.sequence;
            assert_eq!(rich.cancel_spend(sequence, 3).await.unwrap().value.sequence, done);
            let refused = rich.cancel_spend(sequence, 4).await;
            assert!(matches!(refused, Err(Error::Refused(Refusal::AlreadyCancelled))));
        }
        assert_eq!(rich.cancel_event("e-2").await.unwrap(), EventState::Cancelled);
        assert_eq!(rich.cancel_event("e-2").await.unwrap(), EventState::Cancelled);
        assert_eq!(rich.points(), 10_000, "{age} writes ago");
    }
}

/// Rules 3 and 6: a guard that is newer than the state is no missing transaction.
#[tokio::test(start_paused = true)]
async fn a_key_without_time_is_found_though_the_state_is_old() {
    let rich = Rich::new().await;
    let key = key("k");
    let ask = || spend(&rich.store, &rich.programme, &rich.who, &key, 10, noon());
    let first = ask().await.unwrap().value.sequence;
    rich.wire.age(|(_, sk)| u64::from(sk == "S"));
    let again = ask().await.unwrap();
    assert_eq!((again.value.sequence, again.repeated), (first, true));
}

/// R-69. Rule 3: a key without time is found by its guard, however many followed it.
#[tokio::test(start_paused = true)]
async fn a_key_without_time_is_found_though_many_spends_followed_it() {
    let rich = Rich::new().await;
    let key = key("k");
    let ask = |minute| spend(&rich.store, &rich.programme, &rich.who, &key, 10, later(minute));
    let first = ask(0).await.unwrap().value.sequence;
    for minute in 1..=40 {
        rich.spend(&rich.store, minute, 1).await.unwrap();
    }
    let again = ask(10_000).await.unwrap();
    assert_eq!((again.value.sequence, again.repeated), (first, true));
    assert_eq!(rich.points(), 10_000 - 50);
}

/// Rule 6: what an event says of the ledger may be newer than the ledger that was read.
#[tokio::test(start_paused = true)]
async fn an_event_is_cancelled_though_the_state_is_older_than_its_judgement() {
    let rich = Rich::new().await;
    rich.post("e-2", true).await;
    rich.wire.age(|(_, sk)| u64::from(sk == "S"));
    assert_eq!(rich.cancel_event("e-2").await.unwrap(), EventState::Cancelled);
    walk(&rich.wire, &rich.who);
}

/// Rule 3: a key from the future is refused, not remembered, and good when its time has come.
#[tokio::test(start_paused = true)]
async fn a_key_from_the_future_can_be_used_when_its_time_has_come() {
    let rich = Rich::new().await;
    let items = rich.wire.items();
    let early = |minute| spend_at(&rich, 10, minute);
    assert!(matches!(early(4).await, Err(Error::KeyInFuture)));
    assert_eq!(rich.wire.items(), items, "nothing is recorded");
    assert_eq!(early(5).await.unwrap(), 2, "clocks may differ by five minutes");
    assert_eq!(early(0).await.unwrap(), 2, "it is answered after it was used");
    // The wallet has seen later times than this clock: so has its owner.
    assert_eq!(walk(&rich.wire, &rich.who).wallet.time, later(5));
    rich.wire.age(|(_, sk)| u64::from(sk == "S"));
    assert_eq!(spend_at(&rich, 9, 1).await.unwrap(), 3, "an old state is not asked for the time");
    assert_eq!(open(&rich.wire, true).wallet(&rich.who).await.unwrap().time, later(5));
}

/// R-69. Rule 3: a key whose clock was ahead is found though its page ended before its time.
#[tokio::test(start_paused = true)]
async fn a_key_of_a_clock_that_was_ahead_is_found_in_pages_that_ended_before_its_time() {
    let rich = Rich::new().await;
    assert_eq!(spend_at(&rich, 10, 5).await.unwrap(), 2);
    // More pages end at minute 6 than are read at once, and as many follow.
    let small = open(&rich.wire, true).with_page_entries(1);
    for number in 100..170 {
        let now = later(if number < 140 { 6 } else { 30 });
        let key = timed_key(now, number);
        spend(&small, &rich.programme, &rich.who, &key, 1, now).await.unwrap();
    }
    let items = rich.wire.items();
    assert_eq!(spend_at(&rich, 10, 60).await.unwrap(), 2);
    assert_eq!(rich.wire.items(), items);
}

async fn spend_at(rich: &Rich, key_minute: i64, minute: i64) -> store::Result<u64> {
    let (key, now) = (rich.key(key_minute), later(minute));
    let done = spend(&rich.store, &rich.programme, &rich.who, &key, 10, now).await?;
    Ok(done.value.sequence)
}

/// R-72. Rule 7: a spend is not cancelled without its purchase, which would give it back again.
#[tokio::test(start_paused = true)]
async fn a_spend_comes_back_once_though_its_purchase_was_not_seen() {
    let rich = Rich::new().await;
    rich.post("e-2", true).await;
    let spend = rich.spend_on(&key("a"), 10, "e-2").await.unwrap().value.sequence;
    rich.stale("E#", 10);
    rich.cancel_spend(spend, 3).await.unwrap();
    assert!(rich.store.event(&event_id("e-2")).await.unwrap().spends[0].cancelled);
    rich.cancel_event("e-2").await.unwrap();
    assert_eq!(rich.points(), 10_000);
}

/// A twin of a cancel that comes between the reads of wallet and purchase: both answer alike.
#[tokio::test(start_paused = true)]
async fn two_cancels_of_a_spend_under_one_key_are_answered_alike_at_any_interleaving() {
    let rich = Rich::new().await;
    rich.post("e-2", true).await;
    let sequence = rich.spend_on(&key("a"), 10, "e-2").await.unwrap().value.sequence;
    let commit = rich.wire.gate_commit();
    let interlude = async {
        commit.reached().await;
        // A rival moves the wallet, so that the first twin decides again on the rival's state.
        rich.spend_on(&key("b"), 10, "e-2").await.unwrap();
        let reread = rich.wire.gate(|operation, body| {
            let pk = body["Key"]["pk"]["S"].as_str().unwrap_or_default();
            operation == "GetItem" && pk.starts_with("E#")
        });
        commit.open();
        reread.reached().await;
        let twin = rich.cancel_spend(sequence, 3).await.unwrap();
        reread.open();
        twin
    };
    let (first, twin) = tokio::join!(rich.cancel_spend(sequence, 3), interlude);
    let first = first.unwrap();
    assert_eq!(first.value, twin.value);
    assert_eq!((first.repeated, twin.repeated), (true, false));
    assert_eq!(rich.cancel_spend(sequence, 3).await.unwrap().value, twin.value);
}
