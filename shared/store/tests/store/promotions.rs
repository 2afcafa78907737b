//! Codes that come with purchases, and passes that purchases are given: once, under any
//! concurrency.

use std::rc::Rc;

use domain::amount::Amount;
use domain::award::Mode;
use domain::event::{Event, Judge, RecordedEvent};
use domain::id::{ParticipantId, PlanId, SegmentId};
use domain::offer::{Award, AwardForm, Conditions, Limit, Offer, Quota};
use domain::pass::{
    CodeShown, Generation, PassFormat, PassId, PassPlan, PassShown, PassType, PassValue,
    PassWindow, Promotion, issued_serial,
};
use domain::programme::Programme;
use domain::refusal::Refusal;
use store::{CancelEvent, Codes, Done, Error, Judging, Posting, Result, Store};

use crate::cast::{
    cancelling, event_id, gift, issue, key, later, noon, offer, open, payload, percent, person,
    programme, publish, purchase, run_id, seed, tenfold,
};
use crate::fault::Weather;
use crate::laws::walk;
use crate::races::{at_once, insist};
use crate::wire::Wire;

fn plan(id: &str, universal: Option<&str>, active: bool) -> PassPlan {
    let lasts = domain::time::Duration::parse("P30D").unwrap();
    PassPlan {
        id: PlanId::parse(id).unwrap(),
        pass_type: PassType::Promotion,
        format: PassFormat::Electronic,
        balance: None,
        value: PassValue::Nothing,
        window: PassWindow::default(),
        promotion: Some(Promotion {
            universal: universal.map(Into::into),
            active_for: active.then_some(lasts),
            segment: SegmentId::parse("all").unwrap(),
        }),
        ..gift()
    }
}

fn with_code(offer: Offer, plan: &PassPlan) -> Offer {
    let when = Conditions { pass_plan: Some(plan.id.clone()), ..Conditions::default() };
    Offer { when, ..offer }
}

/// Letters take a tenth off a purchase, the poster awards the first of all, and each purchase is
/// given a coupon.
pub struct Promoted {
    pub programme: Programme,
    pub letter: PassPlan,
    pub coupon: PassPlan,
    who: ParticipantId,
}

impl Promoted {
    pub fn new() -> Promoted {
        let letter = plan("letter", None, true);
        let (coupon, poster) = (plan("coupon", None, false), plan("poster", Some("WORD"), false));
        let tenth = percent("tenth", "points", "10");
        let off = Award { balance: None, ..tenth.award.clone() };
        let fifty = offer("fifty", "points", AwardForm::Fixed(Amount(50)));
        let first = Quota { first: Some(5), budget: None };
        let fifty = Offer { limit: Limit::Once, quota: first, ..fifty };
        let form = AwardForm::Fixed(Amount(1));
        let given = Award { balance: None, pass: Some(coupon.id.clone()), form: form.clone() };
        let offers = vec![
            tenfold(),
            with_code(Offer { award: off, ..tenth }, &letter),
            with_code(fifty, &poster),
            Offer { award: given, ..offer("coupons", "points", form) },
            with_code(percent("later", "points", "100"), &coupon),
        ];
        let mut programme = programme(offers);
        programme.pass_plans.extend([letter.clone(), coupon.clone(), poster]);
        Promoted { programme, letter, coupon, who: person("c-8") }
    }

    /// A letter that was issued.
    pub fn sent(&self) -> PassId {
        let serial = issued_serial(&self.letter.id, &key("letter-1"), 0);
        PassId { plan: self.letter.id.clone(), serial }
    }

    pub async fn prepare(&self, store: &Store) -> Result<()> {
        store.register(&self.who, None, vec![]).await?;
        let (letter, issue) = (&self.letter, issue("letter-1"));
        store.issue_pass(&self.programme, noon(), letter, &issue).await.map(drop)
    }

    pub fn event(&self, who: &ParticipantId, reference: &str) -> Event {
        purchase(who, reference, 10_00, noon())
    }

    pub async fn post(
        &self,
        store: &Store,
        event: &Event,
        shown: Option<CodeShown>,
    ) -> Result<Done<RecordedEvent>> {
        let (programme, now, payload, spend) = (&self.programme, later(1), payload(1), None);
        let codes = Codes { shown, newest: Generation(0) };
        let (judge, enrols) = (true, false);
        let order = Posting { programme, now, event, payload, spend, judge, enrols, codes };
        Box::pin(store.post_event(&order)).await
    }

    pub fn letter_shown(&self) -> Option<CodeShown> {
        Some(CodeShown::Pass(self.sent(), Generation(0)))
    }

    /// What a cancel asks for.
    pub async fn cancel(&self, store: &Store, reference: &str) -> Result<()> {
        let event = &event_id(reference);
        let order: CancelEvent<'_> = cancelling(&self.programme, later(2), event, 3);
        Box::pin(store.cancel_event(&order)).await.map(drop)
    }

    /// As the matrix tries it: posted with the letter, or with a universal code.
    pub async fn buy(&self, store: &Store, universal: bool) -> Result<Done<RecordedEvent>> {
        let poster = CodeShown::Universal(PlanId::parse("poster").unwrap());
        let shown = if universal { Some(poster) } else { self.letter_shown() };
        self.post(store, &self.event(&self.who, "m-1"), shown).await
    }

    /// As the matrix tries it: bought, used and cancelled; answers what is left of the letter.
    pub async fn buy_and_cancel(&self, store: &Store) -> Result<String> {
        self.buy(store, false).await?;
        self.cancel(store, "m-1").await?;
        let letter = store.pass(&self.letter, &self.sent()).await?;
        let event = store.event(&event_id("m-1")).await?;
        Ok(format!("{letter:?} {event:?}"))
    }
}

/// Eight participants at a store whose reads are stale.
async fn crowd(test: &str) -> (Wire, Rc<Promoted>) {
    let wire = Wire::new(seed(test));
    let promoted = Rc::new(Promoted::new());
    let store = open(&wire, true);
    publish(&store).await.unwrap();
    promoted.prepare(&store).await.unwrap();
    for number in 0..8 {
        store.register(&person(&format!("p-{number}")), None, vec![]).await.unwrap();
    }
    wire.weather(Weather { faults: 0, stale: 50, delay: 3 });
    (wire, promoted)
}

fn became(event: &RecordedEvent) -> std::result::Result<(), Refusal> {
    match event.pass.as_ref().expect("a code") {
        PassShown::Accepted { .. } => Ok(()),
        PassShown::Refused { refusal, .. } => Err(*refusal),
        PassShown::Unknown => Err(Refusal::PassNotRedeemable),
    }
}

/// one letter that eight show at once is one's alone; the others' purchases are posted all the
/// same, and every repeat says what was said.
#[tokio::test(start_paused = true)]
async fn r85_of_eight_who_show_one_letter_at_once_one_gets_the_discount() {
    let (wire, promoted) = crowd("letter").await;
    let show = async |wire: &Wire, promoted: &Promoted, number: usize| {
        let store = open(wire, number.is_multiple_of(2));
        let who = person(&format!("p-{number}"));
        let event = promoted.event(&who, &format!("e-{number}"));
        let shown = promoted.letter_shown();
        insist(|| promoted.post(&store, &event, shown.clone())).await.unwrap().value
    };
    let shown = at_once(8, |number| {
        let (wire, promoted) = (wire.clone(), Rc::clone(&promoted));
        async move { show(&wire, &promoted, number).await }
    });
    let shown = shown.await;
    let accepted = shown.iter().filter(|event| became(event).is_ok());
    assert_eq!(accepted.count(), 1);
    for event in &shown {
        let number = event.event.participant.as_str().strip_prefix("p-").unwrap();
        let number: usize = number.parse().unwrap();
        let used = became(event).is_ok();
        assert!(used || became(event) == Err(Refusal::PassUsed), "{:?}", event.pass);
        assert_eq!(event.discounted(), Amount(if used { 1_00 } else { 0 }));
        assert_eq!(show(&wire, &promoted, number).await, *event, "a repeat");
        let wallet = walk(&wire, &person(&format!("p-{number}"))).wallet;
        assert_eq!(wallet.activations.len(), usize::from(used));
    }
    let letter = open(&wire, true).pass(&promoted.letter, &promoted.sent()).await.unwrap();
    assert_eq!(letter.uses(), 1);
}

/// a word for the first five serves five of eight, however they come.
#[tokio::test(start_paused = true)]
async fn r83_a_universal_code_serves_exactly_as_many_as_its_offer_says() {
    let (wire, promoted) = crowd("poster").await;
    let posted = at_once(8, |number| {
        let (wire, promoted) = (wire.clone(), Rc::clone(&promoted));
        async move {
            let event = promoted.event(&person(&format!("p-{number}")), &format!("e-{number}"));
            let shown = Some(CodeShown::Universal(PlanId::parse("poster").unwrap()));
            let store = open(&wire, true);
            insist(|| promoted.post(&store, &event, shown.clone())).await.unwrap().value
        }
    });
    let posted = posted.await;
    let served = posted.iter().filter(|event| became(event).is_ok());
    assert_eq!(served.count(), 5);
    assert!(posted.iter().all(|event| matches!(became(event), Ok(()) | Err(Refusal::PassUsed))));
}

/// a purchase that is sent eight times at once is given one coupon, under a serial that is its
/// own for ever; another that has the serial already makes it take the next.
#[tokio::test(start_paused = true)]
async fn r83_a_purchase_is_given_one_coupon_however_often_it_is_sent() {
    let (wire, promoted) = crowd("coupon").await;
    let who = person("p-1");
    let event = promoted.event(&who, "e-1");
    let given = at_once(8, |_| {
        let (wire, promoted, event) = (wire.clone(), Rc::clone(&promoted), event.clone());
        async move {
            let store = open(&wire, true);
            let done = insist(|| promoted.post(&store, &event, None)).await.unwrap();
            done.value.passes().cloned().collect::<Vec<_>>()
        }
    });
    let given = given.await;
    assert!(given.iter().all(|passes| passes.len() == 1 && *passes == given[0]), "{given:?}");
    let store = open(&wire, true);
    let coupon = &given[0][0].pass;
    assert_eq!(store.pass(&promoted.coupon, coupon).await.unwrap().uses(), 0);

    // Somebody else's coupon with the serial that comes first.
    let other = promoted.event(&who, "e-2");
    let offer = given[0][0].offer.clone();
    let taken = domain::pass::purchase_key(&other.id, Some(&offer));
    let taken = domain::pass::Issue { key: taken, ..issue("x") };
    let (programme, plan) = (&promoted.programme, &promoted.coupon);
    let first = store.issue_pass(programme, noon(), plan, &taken).await.unwrap().0;
    let done = promoted.post(&store, &other, None).await.unwrap();
    let next = done.value.passes().next().unwrap().pass.clone();
    assert_ne!(next.serial, first.id.serial);
    assert_eq!(store.pass(plan, &next).await.unwrap().uses(), 0);
}

/// a cancel gives the use of a letter back, and voids a coupon that nobody used.
#[tokio::test(start_paused = true)]
async fn r83_a_cancel_gives_the_letter_back_and_voids_the_coupon() {
    let (wire, promoted) = crowd("back").await;
    let store = open(&wire, true);
    let (one, two) = (person("p-1"), person("p-2"));
    let first = promoted.post(&store, &promoted.event(&one, "e-1"), promoted.letter_shown()).await;
    let coupon = first.unwrap().value.passes().next().unwrap().pass.clone();
    promoted.cancel(&store, "e-1").await.unwrap();
    assert!(walk(&wire, &one).wallet.activations.is_empty());
    let shown = Some(CodeShown::Pass(coupon, Generation(0)));
    let void = promoted.post(&store, &promoted.event(&two, "e-2"), shown).await.unwrap();
    assert_eq!(became(&void.value), Err(Refusal::PassVoid));
    let again = promoted.post(&store, &promoted.event(&two, "e-3"), promoted.letter_shown()).await;
    let again = again.unwrap().value;
    assert_eq!(became(&again), Ok(()));
    // A coupon that was used stays what it was.
    let coupon = again.passes().next().unwrap().pass.clone();
    let shown = Some(CodeShown::Pass(coupon.clone(), Generation(0)));
    promoted.post(&store, &promoted.event(&one, "e-4"), shown).await.unwrap();
    promoted.cancel(&store, "e-3").await.unwrap();
    assert_eq!(store.pass(&promoted.coupon, &coupon).await.unwrap().mark, None);
}

/// a code of another key's, or of no pass, is nobody's; what comes from the queue gives no
/// coupon, because nobody is told its code.
#[tokio::test(start_paused = true)]
async fn r84_a_code_counts_only_under_its_own_key_and_for_a_pass_that_there_is() {
    let (wire, promoted) = crowd("nobody").await;
    let store = open(&wire, true);
    let who = person("p-1");
    let unknown = PassId { serial: promoted.sent().serial ^ 1, ..promoted.sent() };
    let shown = [
        CodeShown::Pass(promoted.sent(), Generation(1)),
        CodeShown::Pass(unknown, Generation(0)),
        CodeShown::Unknown,
    ];
    for (number, shown) in shown.into_iter().enumerate() {
        let event = promoted.event(&who, &format!("e-{number}"));
        let done = promoted.post(&store, &event, Some(shown)).await.unwrap();
        assert_eq!(done.value.pass, Some(PassShown::Unknown));
        assert_eq!(done.value.discounted(), Amount(0));
    }
    let event = promoted.event(&who, "late");
    let programme = &promoted.programme;
    crate::cast::post(&store, programme, &event, later(1), false).await.unwrap();
    let (now, events, by) = (later(2), &[event_id("late")][..], Judge::Run(run_id("run-1")));
    let order = Judging { programme, now, participant: &who, events, mode: Mode::Run, by };
    let judged = store.judge(&order).await.unwrap();
    assert_eq!(judged.value[0].passes().count(), 0);
}

/// the first coupon of its plan holds the plan; a programme that is out of date gives none.
#[tokio::test(start_paused = true)]
async fn r80_a_purchase_under_a_programme_that_is_out_of_date_gives_no_first_coupon() {
    let (wire, promoted) = crowd("outdated").await;
    let store = open(&wire, true);
    assert!(store.plan_start(&promoted.coupon.id).await.unwrap().is_none());
    store.put_programme(b"four", &store::Succession::default()).await.unwrap();
    let event = promoted.event(&person("p-1"), "e-1");
    let refused = promoted.post(&store, &event, None).await;
    assert!(matches!(refused, Err(Error::Contended)), "{refused:?}");
    assert!(store.plan_start(&promoted.coupon.id).await.unwrap().is_none());
}
