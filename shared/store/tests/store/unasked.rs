//! Purchases that spend without being asked, with the event in one transaction (R-49).

use std::rc::Rc;
use std::sync::Arc;

use domain::amount::Amount;
use domain::award::Mode;
use domain::event::{Judge, RecordedEvent};
use domain::id::{EventId, ParticipantId, TransactionCode};
use domain::ledger::SpendCause;
use domain::offer::{AwardForm, Offer};
use domain::participant::{AUTOMATIC_SPEND, Channel, Consent};
use domain::programme::{Programme, ReductionMethod};
use domain::refusal::Refusal;
use domain::terms::{Automatic, Terms};
use domain::time::Instant;
use store::{CancelSpend, Done, Error, Judging, Result, Store};

use crate::cast::{
    event_id, later, noon, offer, open, payload, percent, person, post, programme, purchase,
    tenfold,
};
use crate::fault::Weather;
use crate::laws::walk;
use crate::races::{at_once, insist};
use crate::wire::Wire;

/// A programme whose shop lets wallets pay by themselves, and one who consents to it.
pub struct Saving {
    pub programme: Programme,
    pub who: ParticipantId,
}

/// The consent to automatic spending.
pub fn consent(granted: bool, at: Instant) -> (Channel, Consent) {
    (AUTOMATIC_SPEND.into(), Consent { granted, at, source: None, process: None })
}

/// What is awarded is spent automatically: 50 to so much at a time.
pub fn automatic(offer: Offer, most: i64) -> Offer {
    let (minimum, maximum) = (Some(Amount(most.min(50))), Some(Amount(most)));
    let automatic = Some(Automatic { minimum_balance: None, minimum, maximum });
    Offer { terms: Some(Arc::new(Terms { automatic, ..Terms::default() })), ..offer }
}

/// Cash that is spent at once.
pub fn instant() -> Offer {
    Offer { instant: true, ..percent("instant", "eur", "2.5") }
}

impl Saving {
    pub fn new() -> Saving {
        let mut programme = programme(vec![instant(), automatic(tenfold(), 200)]);
        for merchant in programme.merchants.merchants.values_mut() {
            merchant.automatic_spend = true;
            merchant.reduction_method = ReductionMethod::BackEnd;
        }
        Saving { programme, who: person("c-6") }
    }

    /// Registers who consents, with points to spend and a journal that is full.
    pub async fn prepare(&self, store: &Store) -> Result<()> {
        store.register(&self.who, None, vec![consent(true, noon())]).await?;
        for (number, cents) in (0..).zip([0, 0, 0, 0, 30_00]) {
            self.buy(store, &format!("u-{number}"), cents, true).await?;
        }
        for reference in ["w-1", "w-2"] {
            self.buy(store, reference, 10_00, false).await?;
        }
        Ok(())
    }

    pub async fn buy(
        &self,
        store: &Store,
        reference: &str,
        cents: i64,
        judge: bool,
    ) -> Result<Done<RecordedEvent>> {
        let event = purchase(&self.who, reference, cents, noon());
        post(store, &self.programme, &event, later(1), judge).await
    }

    /// Judges what waits, as the queue does for what is immediate.
    pub async fn judge(
        &self,
        store: &Store,
        references: &[&str],
    ) -> Result<Done<Vec<RecordedEvent>>> {
        let events: Vec<EventId> = references.iter().copied().map(event_id).collect();
        let (programme, now, participant) = (&self.programme, later(2), &self.who);
        let (events, mode, by) = (events.as_slice(), Mode::Interactive, Judge::Interactive);
        store.judge(&Judging { programme, now, participant, events, mode, by }).await
    }

    /// Cancels the spend of an event with this number.
    pub async fn cancel_spend(
        &self,
        store: &Store,
        event: &RecordedEvent,
        number: usize,
    ) -> Result<Done<store::SpendCancelled>> {
        let (participant, sequence) = (self.who.clone(), event.spends[number].sequence);
        let spend = &TransactionCode { participant, sequence };
        let (programme, now, payload) = (&self.programme, later(3), payload(3));
        store.cancel_spend(&CancelSpend { programme, now, spend, payload, reason: None }).await
    }
}

/// What was spent on an event, instantly or automatically.
fn spent(event: &RecordedEvent) -> Vec<(&'static str, i64)> {
    let name = |cause: &SpendCause| match cause {
        SpendCause::Requested => "asked",
        SpendCause::Instant { .. } => "instant",
        SpendCause::Automatic => "automatic",
        SpendCause::Coupon(_) => "coupon",
    };
    event.spends.iter().map(|spend| (name(&spend.made.cause), spend.spent().0)).collect()
}

#[tokio::test(start_paused = true)]
async fn r49_a_repeat_answers_the_spends_and_the_commit_after_it_finds_them() {
    let (wire, saving) = (Wire::new(0), Saving::new());
    let store = open(&wire, true);
    saving.prepare(&store).await.unwrap();
    let first = saving.buy(&store, "r", 40_00, true).await.unwrap();
    let want = [("instant", 1_00), ("automatic", 200)];
    assert_eq!(spent(&first.value), want);
    assert!(first.value.spends.iter().all(|s| s.made.method == ReductionMethod::BackEnd), "R-65");
    let again = saving.buy(&store, "r", 40_00, true).await.unwrap();
    assert_eq!((&again.value, again.repeated), (&first.value, true));
    saving.cancel_spend(&store, &first.value, 1).await.unwrap();
    let stored = store.event(&event_id("r")).await.unwrap();
    assert_eq!(spent(&stored), [("instant", 1_00), ("automatic", 0)]);
    let code =
        TransactionCode { participant: saving.who.clone(), sequence: stored.spends[0].sequence };
    let shown = store.spend_as_event(&code).await.unwrap();
    assert_eq!(shown.spends[0].made, stored.spends[0].made, "its code is an event id");
    walk(&wire, &saving.who);
}

/// R-49: of two purchases in one commit the second spends what the first was awarded.
#[tokio::test(start_paused = true)]
async fn r49_what_is_folded_is_spent_as_if_it_came_one_by_one() {
    let spends = async |together: bool| {
        let (wire, mut saving) = (Wire::new(0), Saving::new());
        let store = open(&wire, true);
        saving.who = person("c-7");
        store.register(&saving.who, None, vec![consent(true, noon())]).await.unwrap();
        for reference in ["w-1", "w-2"] {
            saving.buy(&store, reference, 10_00, false).await.unwrap();
        }
        let mut events = Vec::new();
        let groups: &[&[&str]] = if together { &[&["w-1", "w-2"]] } else { &[&["w-1"], &["w-2"]] };
        for references in groups {
            events.extend(saving.judge(&store, references).await.unwrap().value);
        }
        walk(&wire, &saving.who);
        events.iter().map(spent).collect::<Vec<_>>()
    };
    let instant = ("instant", 25);
    let want = vec![vec![instant], vec![instant, ("automatic", 100)]];
    assert_eq!(spends(false).await, want);
    assert_eq!(spends(true).await, want);
}

#[tokio::test(start_paused = true)]
async fn r49_a_consent_that_was_withdrawn_holds_for_the_next_purchase() {
    let (wire, saving) = (Wire::new(0), Saving::new());
    let store = open(&wire, true);
    saving.prepare(&store).await.unwrap();
    store.register(&saving.who, None, vec![consent(false, later(1))]).await.unwrap();
    let done = saving.buy(&store, "r", 40_00, true).await.unwrap();
    assert_eq!(spent(&done.value), [("instant", 1_00)]);
    store.register(&saving.who, None, vec![consent(true, later(2))]).await.unwrap();
    let done = saving.buy(&store, "s", 40_00, true).await.unwrap();
    let want = [("instant", 1_00), ("automatic", 200)];
    assert_eq!(spent(&done.value), want);
}

/// R-69: purchases at once share what the wallet holds, each cancelled once.
#[tokio::test(start_paused = true)]
async fn r49_purchases_at_once_spend_what_there_is_and_no_more() {
    let wire = Wire::new(crate::cast::seed("unasked"));
    let store = open(&wire, true);
    let mut saving = Saving::new();
    let held = offer("held", "points", AwardForm::Fixed(Amount(730)));
    saving.programme.offers = vec![automatic(held, 100)].into();
    store.register(&saving.who, None, vec![consent(true, noon())]).await.unwrap();
    saving.buy(&store, "first", 10_00, true).await.unwrap();
    saving.programme.offers = Vec::new().into();
    let saving = Rc::new(saving);
    wire.weather(Weather { faults: 30, stale: 100, delay: 3 });
    let buyers = at_once(12, |number| {
        let (saving, store) = (saving.clone(), open(&wire, true));
        async move {
            let reference = format!("r-{number}");
            insist(|| saving.buy(&store, &reference, 10_00, true)).await.unwrap().value
        }
    });
    let events = buyers.await;
    let mut amounts: Vec<i64> = events.iter().flat_map(spent).map(|(_, amount)| amount).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, [100; 7], "30 are less than what is spent at a time");
    let paid = events.iter().find(|event| !event.spends.is_empty()).unwrap();
    let cancels = at_once(4, |_| {
        let (saving, store, paid) = (saving.clone(), open(&wire, true), paid.clone());
        async move { insist(|| saving.cancel_spend(&store, &paid, 0)).await.map(|done| done.value) }
    });
    for answer in cancels.await {
        // The same key and payload: one cancel, answered to all.
        assert!(!matches!(answer, Err(Error::Refused(Refusal::AlreadyCancelled))), "{answer:?}");
    }
    let wallet = walk(&wire, &saving.who).wallet;
    assert_eq!(wallet.lots.iter().map(|lot| lot.amount.0).sum::<i64>(), 130);
}
