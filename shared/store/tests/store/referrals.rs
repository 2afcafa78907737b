//! Referrals: two wallets, the event and the quotas in one transaction.

use std::rc::Rc;

use domain::amount::Amount;
use domain::award::Mode;
use domain::event::{Due, EventState, Judge, RecordedEvent};
use domain::id::{EventId, ParticipantId};
use domain::ledger::EntryKey;
use domain::offer::{AwardForm, Beneficiary, EvaluationMethod, Limit, Offer, OfferClass, Quota};
use domain::programme::{DebtPolicy, Programme};
use domain::refusal::{Reason, Refusal};
use domain::wallet::Wallet;
use store::{Done, Error, EventCancelled, Judging, Result, Store};

use crate::cast::{
    cancelling, event_id, later, noon, offer, open, person, post, programme, purchase, run_id,
    spend, tenfold, timed_key,
};
use crate::event_types::referral;
use crate::fault::Weather;
use crate::laws::walk;
use crate::races::{at_once, insist};
use crate::wire::Wire;

fn of_referrals(id: &str, amount: i64, beneficiary: Beneficiary) -> Offer {
    let (class, method) = (OfferClass::Referral, EvaluationMethod::Batch);
    Offer { class, method, beneficiary, ..offer(id, "points", AwardForm::Fixed(Amount(amount))) }
}

fn welcome() -> Offer {
    of_referrals("welcome", 15, Beneficiary::Referred)
}

fn thanks() -> Offer {
    of_referrals("thanks", 40, Beneficiary::Participant)
}

/// Who judges referrals, under offers for both participants.
pub struct Referring {
    pub programme: Programme,
}

impl Referring {
    pub fn new() -> Referring {
        Referring { programme: programme(vec![thanks(), welcome(), tenfold()]) }
    }

    /// Judges events of a participant, in a run.
    pub async fn judge(
        &self,
        store: &Store,
        who: &ParticipantId,
        references: &[&str],
    ) -> Result<Done<Vec<RecordedEvent>>> {
        let events: Vec<EventId> = references.iter().copied().map(event_id).collect();
        let (programme, now, participant) = (&self.programme, later(2), who);
        let (events, mode, by) = (events.as_slice(), Mode::Run, Judge::Run(run_id("run-1")));
        store.judge(&Judging { programme, now, participant, events, mode, by }).await
    }

    /// Posts a referral, and judges it.
    pub async fn judged(
        &self,
        store: &Store,
        who: &ParticipantId,
        reference: &str,
        referred: &str,
    ) -> Result<Done<Vec<RecordedEvent>>> {
        let event = referral(who, reference, referred);
        post(store, &self.programme, &event, later(1), false).await?;
        self.judge(store, who, &[reference]).await
    }
}

struct Two {
    wire: Wire,
    store: Store,
    referring: Referring,
}

impl Two {
    async fn new(offers: Vec<Offer>) -> Two {
        let wire = Wire::new(crate::cast::seed("referrals"));
        let store = open(&wire, true);
        for who in ["c-1", "c-2"] {
            store.register(&person(who), None, vec![]).await.unwrap();
        }
        wire.take_calls();
        Two { wire, store, referring: Referring { programme: programme(offers) } }
    }

    async fn judged(&self, reference: &str) -> RecordedEvent {
        let who = person("c-1");
        let done = self.referring.judged(&self.store, &who, reference, "c-2").await.unwrap();
        done.value.into_iter().next().unwrap()
    }

    async fn cancel(&self, rules: &Programme, reference: &str, by: u8) -> Result<RecordedEvent> {
        let event = &event_id(reference);
        let done = self.store.cancel_event(&cancelling(rules, later(3), event, by)).await?;
        let EventCancelled::TakenBack(event, _) = done.value else { panic!("{reference}") };
        Ok(*event)
    }

    /// Points of both, after both ledgers were held against the laws.
    fn points(&self) -> [i64; 2] {
        ["c-1", "c-2"].map(|who| points(&walk(&self.wire, &person(who)).wallet))
    }

    fn lengths(&self) -> [u64; 2] {
        ["c-1", "c-2"].map(|who| walk(&self.wire, &person(who)).wallet.length)
    }
}

fn points(wallet: &Wallet) -> i64 {
    wallet.lots.iter().map(|lot| lot.amount.0).sum()
}

/// however often it is handed in.
#[tokio::test(start_paused = true)]
async fn a_referral_awards_both_once_and_its_event_says_so() {
    let two = Two::new(vec![thanks(), welcome()]).await;
    let event = two.judged("f-1").await;
    assert_eq!(event.due, Due::Nothing);
    assert_eq!(event.referred.as_ref().unwrap().awards[0].amount, Amount(15));
    assert_eq!(event.judgements[0].awards[0].amount, Amount(40));
    assert_eq!(two.points(), [40, 15]);
    let again = two.referring.judge(&two.store, &person("c-1"), &["f-1"]).await.unwrap();
    assert_eq!((again.value, again.repeated), (vec![event.clone()], true));
    assert_eq!(two.store.event(&event_id("f-1")).await.unwrap(), event);
    assert_eq!(two.lengths(), [1, 1]);
}

/// an entry in both ledgers all the same.
#[tokio::test(start_paused = true)]
async fn a_referral_that_awards_nothing_to_whom_it_refers_awards_nobody() {
    let once = Offer { limit: Limit::Once, ..welcome() };
    let two = Two::new(vec![thanks(), once]).await;
    two.judged("f-1").await;
    let event = two.judged("f-2").await;
    let reason = |offers: &[(domain::id::OfferId, Reason)]| offers[0].1;
    assert_eq!(reason(&event.referred.unwrap().passed_over), Reason::LimitReached);
    assert_eq!(reason(&event.judgements[0].passed_over), Reason::ReferredNotAwarded);
    assert_eq!((two.points(), two.lengths()), ([40, 15], [2, 2]));
}

/// where events enrol, so does a referral, by its judgement.
#[tokio::test(start_paused = true)]
async fn a_referral_enrols_whom_it_refers() {
    let two = Two::new(vec![thanks(), welcome()]).await;
    let done = two.referring.judged(&two.store, &person("c-1"), "f-1", "new").await.unwrap();
    assert_eq!(done.value[0].referred.as_ref().unwrap().sequence, 1);
    assert_eq!(points(&walk(&two.wire, &person("new")).wallet), 15);
    let item = &two.wire.items()[&("P#new".to_owned(), "S".to_owned())];
    assert_eq!(item["ix_sk"]["S"], "new", "it stands in the roster");
}

/// Rule 8: a referral is judged beside the fold, the others in it.
#[tokio::test(start_paused = true)]
async fn a_fold_with_referrals_judges_each_of_its_events_once() {
    let two = Two::new(vec![thanks(), welcome(), tenfold()]).await;
    let who = person("c-1");
    for reference in ["p-1", "p-2"] {
        let event = purchase(&who, reference, 10_00, noon());
        post(&two.store, &two.referring.programme, &event, later(1), false).await.unwrap();
    }
    for reference in ["f-1", "f-2"] {
        let event = referral(&who, reference, "c-2");
        post(&two.store, &two.referring.programme, &event, later(1), false).await.unwrap();
    }
    let all = ["f-1", "p-1", "f-2", "p-2", "f-1"];
    for repeated in [false, true] {
        let done = two.referring.judge(&two.store, &who, &all).await.unwrap();
        let ids: Vec<String> = done.value.iter().map(|event| event.event.id.to_string()).collect();
        assert_eq!(ids, ["till:f-1", "till:p-1", "till:f-2", "till:p-2"]);
        assert!(done.value.iter().all(|event| event.judgements.len() == 1));
        assert_eq!((points(&done.wallet), done.repeated), (280, repeated));
    }
    assert_eq!((two.points(), two.lengths()), ([280, 30], [4, 2]));
}

/// the queue of immediate events judges no referral.
#[tokio::test(start_paused = true)]
async fn a_referral_is_judged_by_a_run_alone() {
    let two = Two::new(vec![thanks(), welcome()]).await;
    let (who, programme) = (&person("c-1"), &two.referring.programme);
    post(&two.store, programme, &referral(who, "f-1", "c-2"), later(1), false).await.unwrap();
    let (events, mode, by) = (&[event_id("f-1")], Mode::Interactive, Judge::Interactive);
    let order = Judging { programme, now: later(2), participant: who, events, mode, by };
    let done = two.store.judge(&order).await.unwrap();
    assert_eq!((done.value[0].due, two.lengths()), (Due::Everything, [0, 0]));
}

/// one cancel, one transaction; both give back, and the repeat says the same.
#[tokio::test(start_paused = true)]
async fn a_cancelled_referral_takes_back_both() {
    let quota = Quota { first: Some(1), budget: None };
    let two = Two::new(vec![thanks(), Offer { quota, ..welcome() }]).await;
    two.judged("f-1").await;
    let rules = two.referring.programme.clone();
    let event = two.cancel(&rules, "f-1", 3).await.unwrap();
    assert_eq!((event.state, two.points()), (EventState::Cancelled, [0, 0]));
    assert!(event.awarded().is_empty());
    assert_eq!(two.cancel(&rules, "f-1", 3).await.unwrap(), event);
    let other = two.cancel(&rules, "f-1", 4).await;
    assert!(matches!(other, Err(Error::Refused(Refusal::AlreadyCancelled))), "{other:?}");
    assert_eq!(two.lengths(), [2, 2]);
    // its place is free again.
    let again = two.judged("f-2").await;
    assert_eq!(again.referred.unwrap().awards.len(), 1);
    assert_eq!(two.points(), [40, 15]);
}

/// what was not judged yet never is.
#[tokio::test(start_paused = true)]
async fn a_referral_cancelled_before_its_run_touches_the_referred_participant_never() {
    let two = Two::new(vec![thanks(), welcome()]).await;
    let who = person("c-1");
    let rules = two.referring.programme.clone();
    post(&two.store, &rules, &referral(&who, "f-1", "c-2"), later(1), false).await.unwrap();
    two.cancel(&rules, "f-1", 3).await.unwrap();
    two.referring.judge(&two.store, &who, &["f-1"]).await.unwrap();
    assert_eq!((two.points(), two.lengths()), ([0, 0], [1, 0]));
}

/// under `refuse` either wallet's shortage refuses the whole; the wallet that is short
/// records it, and the answer stands.
#[tokio::test(start_paused = true)]
async fn a_cancel_that_either_wallet_refuses_changes_neither() {
    for (short, left) in [("c-1", [30, 15]), ("c-2", [40, 5])] {
        let two = Two::new(vec![thanks(), welcome()]).await;
        two.judged("f-1").await;
        let mut strict = two.referring.programme.clone();
        strict.definition.debt_policy = DebtPolicy::Refuse;
        let key = timed_key(later(2), 1);
        spend(&two.store, &strict, &person(short), &key, 10, later(2)).await.unwrap();
        for _ in 0..2 {
            let refused = two.cancel(&strict, "f-1", 3).await;
            assert!(matches!(refused, Err(Error::Refused(Refusal::AwardSpent))), "{refused:?}");
            assert_eq!(two.points(), left, "{short}");
        }
        let event = two.store.event(&event_id("f-1")).await.unwrap();
        assert_eq!(event.state, EventState::Posted);
        assert_eq!(two.lengths().iter().sum::<u64>(), 4, "one refusal, in one ledger: {short}");
        // Under another key and policy it is carried as debt.
        let carry = two.referring.programme.clone();
        let event = two.cancel(&carry, "f-1", 4).await.unwrap();
        assert_eq!((event.state, two.points()), (EventState::Cancelled, [0, 0]));
        assert_eq!(walk(&two.wire, &person(short)).wallet.debts[0].1, Amount(10));
    }
}

/// Rule 6: a stale read of the other wallet is found out by the write.
#[tokio::test(start_paused = true)]
async fn a_stale_wallet_of_the_referred_participant_is_read_again() {
    let two = Two::new(vec![thanks(), welcome()]).await;
    two.judged("f-1").await;
    two.wire.age(|(pk, _)| if pk.starts_with("P#c-2") { 5 } else { 0 });
    two.judged("f-2").await;
    assert_eq!((two.points(), two.lengths()), ([80, 30], [2, 2]));
    two.wire.age(|(pk, _)| if pk.starts_with("P#c-2") { 3 } else { 0 });
    let rules = two.referring.programme.clone();
    two.cancel(&rules, "f-2", 3).await.unwrap();
    assert_eq!(two.points(), [40, 15]);
}

/// both wallets are each other's second; nobody waits for anybody, and each referral
/// is judged once.
#[tokio::test(start_paused = true)]
async fn twenty_referrals_in_both_directions_at_once_are_each_judged_once() {
    let two = Two::new(vec![thanks(), welcome()]).await;
    let programme = &two.referring.programme;
    let (one, other) = (person("c-1"), person("c-2"));
    let both = [(one.clone(), "c-2", "f"), (other.clone(), "c-1", "g")];
    for (who, referred, name) in &both {
        for number in 0..10 {
            let event = referral(who, &format!("{name}-{number}"), referred);
            post(&two.store, programme, &event, later(1), false).await.unwrap();
        }
    }
    two.wire.weather(Weather { faults: 0, stale: 100, delay: 3 });
    let wire = Rc::new(two.wire.clone());
    // Each is handed in twice at once.
    at_once(40, |number| {
        let (wire, referring) = (Rc::clone(&wire), Referring::new());
        let (who, _, name) = both[number % 2].clone();
        let reference = format!("{name}-{}", number / 4);
        async move {
            let store = open(&wire, true);
            let references = [reference.as_str()];
            let ask = || referring.judge(&store, &who, &references);
            let done = insist(ask).await.unwrap();
            assert_eq!(done.value[0].judgements.len(), 1);
        }
    })
    .await;
    two.wire.weather(Weather { faults: 0, stale: 0, delay: 0 });
    assert_eq!((two.points(), two.lengths()), ([550, 550], [20, 20]));
    for (number, name) in (0..10).flat_map(|number| [(number, "f"), (number, "g")]) {
        let event = event_id(&format!("{name}-{number}"));
        let recorded = two.store.event(&event).await.unwrap();
        assert_eq!((recorded.due, recorded.judgements.len()), (Due::Nothing, 1));
        for who in [&one, &other] {
            let key = EntryKey::Event { event: event.clone(), turn: 0 };
            assert_eq!(walk(&two.wire, who).under(&key).len(), 1);
        }
    }
}

/// The budget: a transaction of both states and the event.
#[tokio::test(start_paused = true)]
async fn a_referral_costs_six_writes_and_two_sixths_and_so_does_its_cancel() {
    const TIMES: u64 = 60;
    let two = Two::new(vec![thanks(), welcome()]).await;
    let (who, rules) = (person("c-1"), two.referring.programme.clone());
    let references: Vec<String> = (0..TIMES).map(|number| format!("f-{number}")).collect();
    for reference in &references {
        post(&two.store, &rules, &referral(&who, reference, "c-2"), later(1), false).await.unwrap();
    }
    let price = |operation: &str| {
        let calls = two.wire.take_calls();
        let share = |tenths: u64| (tenths * 10 + TIMES / 2) / TIMES;
        let written = share(calls.iter().map(|call| call.written).sum());
        let read = share(calls.iter().map(|call| call.read).sum());
        println!("{operation}: {written} written, {read} read, in hundredths");
        (written, read)
    };
    price("post");
    for reference in &references {
        two.referring.judge(&two.store, &who, &[reference.as_str()]).await.unwrap();
    }
    assert_eq!(price("judge"), (730, 200), "one of them leaves the index");
    for reference in &references {
        two.cancel(&rules, reference, 3).await.unwrap();
    }
    assert_eq!(price("cancel"), (633, 350), "the ledger may lie in pages");
}
