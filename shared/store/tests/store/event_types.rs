//! Events of the other types: statements and their periods, referrals, spends that come as events.

use std::rc::Rc;

use domain::amount::Amount;
use domain::event::{
    Detail, Due, Event, EventState, EventType, KpiValue, RecordedEvent, SpendRequest, Statement,
};
use domain::id::{EventId, Key, KpiId, ParticipantId, ProductId, TransactionCode};
use domain::ledger::PayloadHash;
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::Month;
use store::{
    CancelSpend, Done, Error, EventCancelled, EventsFilter, Noun, Posting, RequestKey, Result,
    SpendDone, Spending, Store,
};

use crate::cast::{
    asked, cancelling, event_id, key, later, noon, open, payload, person, points, post, programme,
    purchase, spend, tenfold,
};
use crate::laws::walk;
use crate::pages::Rich;
use crate::races::{Race, at_once, insist};

/// A statement of one value for October.
pub fn statement(who: &ParticipantId, reference: &str) -> Event {
    let value = KpiValue {
        kpi: KpiId::parse("deposits").unwrap(),
        product: ProductId::parse("savings").unwrap(),
        value: Amount(500_000),
    };
    let period = Month::parse("2026-10").unwrap();
    let detail = Detail::FinancialStatement(Statement { period, values: vec![value] });
    Event { detail, unit: None, ..purchase(who, reference, 0, noon()) }
}

pub fn referral(who: &ParticipantId, reference: &str, referred: &str) -> Event {
    let detail = Detail::Referral { referred: person(referred) };
    Event { detail, unit: None, ..purchase(who, reference, 0, noon()) }
}

/// A spend as an event.
pub struct Request<'a> {
    pub who: &'a ParticipantId,
    /// None: the reference is the key.
    pub key: Option<&'a Key>,
    pub reference: &'a str,
    pub amount: i64,
    pub on: Option<&'a str>,
}

/// Asks for a spend that comes as an event.
pub async fn request(
    store: &Store,
    programme: &Programme,
    request: &Request<'_>,
) -> Result<Done<SpendDone>> {
    let Request { who: participant, amount, .. } = *request;
    let purchase_id = request.on.map(event_id);
    let wants =
        SpendRequest { balance: points(), amount: Some(Amount(amount)), purchase: purchase_id };
    let event = Event {
        detail: Detail::SpendRequest(wants),
        unit: None,
        ..purchase(participant, request.reference, 0, noon())
    };
    let key = request.key.map_or(RequestKey::Reference(&event.id), RequestKey::Caller);
    let (purchase, asked) = (request.on.map(event_id), &asked(amount, noon()));
    let purchase = purchase.as_ref();
    // A body that is another is another payload.
    let payload = PayloadHash([u8::try_from(amount % 251).unwrap(); 8]);
    let (now, request) = (later(1), Some(&event));
    let order = Spending {
        programme,
        now,
        participant,
        key,
        payload,
        asked,
        purchase,
        request,
        bearer: None,
    };
    store.spend(&order).await
}

async fn cancel(rich: &Rich, reference: &str, by: u8) -> Result<Done<(RecordedEvent, u64)>> {
    let event = &event_id(reference);
    let done = rich.store.cancel_event(&cancelling(&rich.programme, later(2), event, by)).await?;
    let EventCancelled::TakenBack(event, sequence) = done.value else { panic!("{reference}") };
    Ok(Done { value: (*event, sequence), wallet: done.wallet, repeated: done.repeated })
}

async fn cancel_spend(rich: &Rich, sequence: u64, by: u8) -> Result<u64> {
    let spend = &TransactionCode { participant: rich.who.clone(), sequence };
    let payload = payload(0).under(payload(by));
    let order =
        CancelSpend { programme: &rich.programme, now: later(2), spend, payload, reason: None };
    Ok(rich.store.cancel_spend(&order).await?.value.sequence)
}

fn refusal<T>(answer: Result<T>) -> Option<Refusal> {
    if let Err(Error::Refused(refusal)) = answer { Some(refusal) } else { None }
}

impl Rich {
    async fn post_statement(&self, reference: &str) -> Result<Done<RecordedEvent>> {
        let event = statement(&self.who, reference);
        post(&self.store, &self.programme, &event, noon(), reference.ends_with('1')).await
    }

    async fn request(
        &self,
        key: Option<&Key>,
        reference: &str,
        amount: i64,
        on: Option<&str>,
    ) -> Result<Done<SpendDone>> {
        let asks = Request { who: &self.who, key, reference, amount, on };
        request(&self.store, &self.programme, &asks).await
    }

    /// Events that the filter takes.
    async fn found(&self, filter: &EventsFilter) -> Vec<String> {
        let page = self.store.events(&self.who, filter, None, 50).await.unwrap();
        page.events.into_iter().map(|recorded| recorded.event.id.to_string()).collect()
    }
}

/// one of a participant, classification and period; a cancelled one frees it.
#[tokio::test(start_paused = true)]
async fn r12_a_period_has_one_statement_until_it_is_cancelled() {
    let rich = Rich::new().await;
    let exists = Some(Refusal::StatementExists);
    rich.post_statement("s-1").await.unwrap();
    assert_eq!(refusal(rich.post_statement("s-2").await), exists);
    assert!(rich.post_statement("s-1").await.unwrap().repeated);
    for reference in ["other-class", "other-month", "other-person"] {
        let mut event = statement(&rich.who, reference);
        match (reference, &mut event.detail) {
            ("other-class", _) => {
                event.classification = Some(domain::id::Classification::parse("a#b").unwrap());
            }
            ("other-month", Detail::FinancialStatement(statement)) => statement.period.0 -= 1,
            _ => event.participant = person("c-2"),
        }
        post(&rich.store, &rich.programme, &event, noon(), false).await.unwrap();
    }
    cancel(&rich, "s-1", 1).await.unwrap();
    assert!(cancel(&rich, "s-1", 1).await.unwrap().repeated);
    assert!(rich.post_statement("s-1").await.unwrap().repeated, "cancelled, and known for ever");
    let second = rich.post_statement("s-2").await.unwrap();
    assert_eq!((second.repeated, second.value.due), (false, Due::Everything), "left to a run");
    assert_eq!(refusal(rich.post_statement("s-3").await), exists);
    cancel(&rich, "s-2", 1).await.unwrap();
    rich.post_statement("s-3").await.unwrap();
    walk(&rich.wire, &rich.who);
}

/// also where sixteen come at once.
#[tokio::test(start_paused = true)]
async fn r12_of_sixteen_statements_of_one_period_at_once_one_is_kept() {
    let race = Race::new("statements", 10_00).await;
    let answers = at_once(16, |number| {
        let race = Rc::clone(&race);
        async move {
            let event = statement(&person("c-1"), &format!("s-{number}"));
            let store = open(&race.wire, true);
            let judge = number % 2 == 0;
            let posted = insist(|| post(&store, &race.programme, &event, noon(), judge)).await;
            match posted {
                Ok(done) => Some(done.value.event.id),
                Err(Error::Refused(Refusal::StatementExists)) => None,
                Err(other) => panic!("{other:?}"),
            }
        }
    });
    let kept: Vec<EventId> = answers.await.into_iter().flatten().collect();
    assert_eq!(kept.len(), 1);
    walk(&race.wire, &person("c-1"));
}

/// who was referred is a participant, unless events enrol.
#[tokio::test(start_paused = true)]
async fn r9_a_referral_names_a_participant() {
    let mut rich = Rich::new().await;
    rich.programme.definition.enrols = false;
    let event = referral(&rich.who, "f-1", "c-2");
    let unknown = post(&rich.store, &rich.programme, &event, noon(), false).await;
    assert!(matches!(unknown, Err(Error::NotFound(Noun::Participant))), "{unknown:?}");
    rich.store.register(&person("c-2"), None, vec![]).await.unwrap();
    let known = post(&rich.store, &rich.programme, &event, noon(), false).await.unwrap();
    assert_eq!((known.value.due, known.repeated), (Due::Everything, false));
    rich.programme.definition.enrols = true;
    let event = referral(&rich.who, "f-2", "c-3");
    post(&rich.store, &rich.programme, &event, noon(), false).await.unwrap();
}

/// a reference names one spend of the whole programme.
#[tokio::test(start_paused = true)]
async fn r66_a_spend_with_a_reference_is_an_event_and_carried_out_once() {
    let rich = Rich::new().await;
    let (held, first) = (rich.points(), rich.key(1));
    let done = rich.request(Some(&first), "q-1", 30, None).await.unwrap();
    for key in [Some(rich.key(1)), Some(rich.key(2)), None] {
        let again = rich.request(key.as_ref(), "q-1", 30, None).await.unwrap();
        assert_eq!((again.repeated, &again.value), (true, &done.value), "{key:?}");
        let other = rich.request(key.as_ref(), "q-1", 31, None).await;
        assert!(matches!(other, Err(Error::KeyReused)), "{key:?}: {other:?}");
    }
    let keyless = rich.request(None, "q-2", 10, None).await.unwrap();
    assert!(rich.request(None, "q-2", 10, None).await.unwrap().repeated);
    let stranger = person("c-2");
    rich.store.register(&stranger, None, vec![]).await.unwrap();
    let asks = Request { who: &stranger, key: None, reference: "q-2", amount: 10, on: None };
    let claimed = request(&rich.store, &rich.programme, &asks).await;
    assert!(matches!(claimed, Err(Error::KeyReused)), "{claimed:?}");
    assert_eq!(rich.points(), held - 40);
    let known = rich.store.event(&event_id("q-2")).await.unwrap();
    assert_eq!(known.event.event_type(), EventType::SpendRequest);
    assert_eq!((known.due, known.spends[0].sequence), (Due::Nothing, keyless.value.sequence));
    let only = EventsFilter { of_type: Some(EventType::SpendRequest), ..EventsFilter::default() };
    assert_eq!(rich.found(&only).await, ["till:q-2", "till:q-1"]);
    walk(&rich.wire, &rich.who);
}

/// refused under its key or reference it stays refused; the reference stays free for others.
#[tokio::test(start_paused = true)]
async fn r70_a_refused_spend_request_stays_refused_and_leaves_its_reference() {
    let rich = Rich::new().await;
    let refused = Some(Refusal::AmountOutOfRange);
    assert_eq!(refusal(rich.request(None, "q-1", 0, None).await), refused);
    assert_eq!(refusal(rich.request(None, "q-1", 0, None).await), refused);
    let reused = rich.request(None, "q-1", 5, None).await;
    assert!(matches!(reused, Err(Error::KeyReused)), "without a key, the reference is it");
    let missing = rich.store.event(&event_id("q-1")).await;
    assert!(matches!(missing, Err(Error::NotFound(Noun::Event))));
    let done = rich.request(Some(&key("k-1")), "q-1", 5, None).await.unwrap();
    assert!(!done.repeated);
    assert_eq!(refusal(rich.request(None, "q-1", 0, None).await), refused);
    assert_eq!(refusal(rich.request(Some(&rich.key(1)), "q-2", 0, None).await), refused);
    assert_eq!(refusal(rich.request(Some(&rich.key(1)), "q-2", 0, None).await), refused);
    assert!(!rich.request(Some(&rich.key(2)), "q-2", 5, None).await.unwrap().repeated);
    walk(&rich.wire, &rich.who);
}

/// either name finds it and cancels it, once; its purchase takes it along.
#[tokio::test(start_paused = true)]
async fn r72_a_spend_request_is_cancelled_by_either_name_once() {
    let rich = Rich::new().await;
    let held = rich.points();
    let spent = rich.request(None, "by-name", 30, None).await.unwrap().value.sequence;
    let by_name = cancel(&rich, "by-name", 1).await.unwrap();
    assert_eq!(by_name.value.0.state, EventState::Cancelled);
    assert_eq!(cancel_spend(&rich, spent, 1).await.unwrap(), by_name.value.1, "the same cancel");
    let already = Some(Refusal::AlreadyCancelled);
    assert_eq!(refusal(cancel_spend(&rich, spent, 2).await), already);
    assert_eq!(refusal(cancel(&rich, "by-name", 2).await), already);
    let spent = rich.request(None, "by-code", 30, None).await.unwrap().value.sequence;
    cancel_spend(&rich, spent, 1).await.unwrap();
    assert!(cancel(&rich, "by-code", 1).await.unwrap().repeated);
    assert_eq!(refusal(cancel(&rich, "by-code", 2).await), already);
    assert_eq!(rich.points(), held);
    // Against the purchase: by itself, and with it.
    let alone = rich.request(None, "alone", 10, Some("e-1")).await.unwrap().value.sequence;
    let along = rich.request(None, "along", 20, Some("e-1")).await.unwrap().value.sequence;
    cancel(&rich, "alone", 1).await.unwrap();
    let state = async |name| rich.store.event(&event_id(name)).await.unwrap().state;
    assert_eq!(state("alone").await, EventState::Cancelled);
    assert_eq!(state("along").await, EventState::Posted);
    cancel(&rich, "e-1", 1).await.unwrap();
    assert_eq!(state("along").await, EventState::Cancelled);
    assert_eq!(refusal(cancel(&rich, "along", 1).await), already);
    assert_eq!(refusal(cancel_spend(&rich, along, 1).await), already);
    assert!(alone < along);
    let again = rich.request(None, "along", 20, Some("e-1")).await.unwrap();
    assert_eq!(again.value.request.unwrap().state, EventState::Cancelled, "as it stands");
    let gone = EventsFilter { in_state: Some(EventState::Cancelled), ..EventsFilter::default() };
    let want = ["till:along", "till:alone", "till:by-code", "till:by-name", "till:e-1"];
    assert_eq!(rich.found(&gone).await, want);
    walk(&rich.wire, &rich.who);
}

/// a spend's code is valid wherever an event id is, with a reference or without one.
#[tokio::test(start_paused = true)]
async fn r66_every_spend_is_found_by_its_code() {
    let rich = Rich::new().await;
    let code = |sequence| TransactionCode { participant: rich.who.clone(), sequence };
    let named = rich.request(None, "q-1", 30, None).await.unwrap().value.sequence;
    let bare = spend(&rich.store, &rich.programme, &rich.who, &rich.key(1), 5, noon()).await;
    let bare = bare.unwrap().value.sequence;
    let found = rich.store.spend_as_event(&code(named)).await.unwrap();
    assert_eq!(found, rich.store.event(&event_id("q-1")).await.unwrap());
    let found = rich.store.spend_as_event(&code(bare)).await.unwrap();
    assert_eq!(found.event.id.to_string(), code(bare).to_string());
    assert_eq!((found.state, found.spends[0].made.spent), (EventState::Posted, Amount(5)));
    cancel_spend(&rich, bare, 1).await.unwrap();
    let found = rich.store.spend_as_event(&code(bare)).await.unwrap();
    assert_eq!((found.state, found.spends[0].cancelled), (EventState::Cancelled, true));
    for none in [code(1), code(99), TransactionCode { participant: person("c-9"), sequence: 1 }] {
        let missing = rich.store.spend_as_event(&none).await;
        assert!(matches!(missing, Err(Error::NotFound(Noun::Event))), "{none}: {missing:?}");
    }
    assert_eq!(rich.found(&EventsFilter::default()).await, ["till:q-1", "till:e-1"]);
}

/// the wallet before the call and after it; a repeat changes nothing.
#[tokio::test(start_paused = true)]
async fn r14_an_invoice_enrols_and_says_what_was_before() {
    let rich = Rich::new().await;
    let mut rules = programme(vec![tenfold()]);
    rules.definition.enrols = false;
    let event = &purchase(&person("c-new"), "i-1", 10_00, noon());
    let (programme, now, payload, spend) = (&rules, noon(), payload(1), None);
    let explicit = Posting {
        programme,
        now,
        event,
        payload,
        spend,
        judge: true,
        enrols: false,
        codes: store::Codes::default(),
    };
    let unknown = rich.store.post_event(&explicit).await;
    assert!(matches!(unknown, Err(Error::NotFound(Noun::Participant))));
    let order = Posting { enrols: true, ..explicit.clone() };
    let (done, before) = rich.store.post_invoice(&order).await.unwrap();
    let zone = rules.zone;
    let held = |wallet: &domain::wallet::Wallet| wallet.available(&points(), noon(), zone).0;
    assert_eq!((held(&before), held(&done.wallet), done.repeated), (0, 100, false));
    let (again, before) = rich.store.post_invoice(&order).await.unwrap();
    assert_eq!((held(&before), held(&again.wallet), again.repeated), (100, 100, true));
    let next = purchase(&person("c-new"), "i-2", 5_00, noon());
    let (next, before) =
        rich.store.post_invoice(&Posting { event: &next, ..order.clone() }).await.unwrap();
    assert_eq!((held(&before), held(&next.wallet)), (100, 150));
}

/// by when it was performed, of whatever type.
#[tokio::test(start_paused = true)]
async fn r16_events_are_found_by_type_and_time() {
    let rich = Rich::new().await;
    for (number, days) in [("s-1", 3), ("f-1", 2), ("w-1", 1)] {
        let event = match number {
            "s-1" => statement(&rich.who, number),
            "f-1" => referral(&rich.who, number, "c-2"),
            _ => {
                let detail = Detail::Web { url: "https://example.org".into(), score: Some(10) };
                Event { detail, ..purchase(&rich.who, number, 0, noon()) }
            }
        };
        let performed_on = later(-days * 24 * 60);
        let event = Event { performed_on, ..event };
        post(&rich.store, &rich.programme, &event, noon(), number != "f-1").await.unwrap();
    }
    let all = EventsFilter::default();
    let days = |days: i64| Some(later(-days * 24 * 60));
    let cases = [
        (all, vec!["e-1", "f-1", "s-1", "w-1"]),
        (EventsFilter { from: days(2), ..all }, vec!["e-1", "f-1", "w-1"]),
        (EventsFilter { from: days(3), to: days(1), ..all }, vec!["f-1", "s-1"]),
        (EventsFilter { of_type: Some(EventType::Web), ..all }, vec!["w-1"]),
        (EventsFilter { of_type: Some(EventType::Referral), to: days(2), ..all }, vec![]),
    ];
    for (filter, want) in cases {
        let mut found = rich.found(&filter).await;
        found.sort();
        let want: Vec<String> = want.into_iter().map(|name| format!("till:{name}")).collect();
        assert_eq!(found, want, "{filter:?}");
    }
    // A judged event that is cancelled is listed once, though it leads to no activity.
    cancel(&rich, "w-1", 1).await.unwrap();
    cancel(&rich, "f-1", 1).await.unwrap();
    let mut found = rich.found(&all).await;
    found.sort();
    assert_eq!(found, ["till:e-1", "till:f-1", "till:s-1", "till:w-1"]);
}
