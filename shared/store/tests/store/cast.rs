//! The programme, the people and the requests that the tests are made of.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_types::retry::RetryConfig;
use domain::amount::{Amount, Decimals, Rate};
use domain::area::Areas;
use domain::event::{Detail, Event, Line, Purchase};
use domain::id::{
    BalanceCode, EventId, Key, MerchantId, OfferId, ParticipantId, PlanId, ProductId, RunId, UnitId,
};
use domain::ledger::PayloadHash;
use domain::offer::{
    Award, AwardForm, Beneficiary, Conditions, EvaluationMethod, Expiry, Limit, Offer, OfferClass,
    Quota, Scope,
};
use domain::pass::{
    Generation, Issue, PassFormat, PassKeys, PassPlan, PassType, PassValue, PassWindow, PlanKey,
};
use domain::payment_medium::PaymentMediumRules;
use domain::programme::{
    Balance, Currency, DebtPolicy, Definition, Lookup, Merchant, Merchants, Programme,
    ReductionMethod,
};
use domain::spend::{SpendAsked, SpendDefinition};
use domain::time::{Duration as Span, Instant, parse_instant};
use store::{Activating, CancelEvent, Codes, Posting, RequestKey, Spending, Store, Succession};

use crate::engine::TABLE;
use crate::wire::Wire;

/// A time of the tests.
pub fn at(text: &str) -> Instant {
    parse_instant(text).expect(text)
}

/// Noon of the day on which everything happens that does not say when.
pub fn noon() -> Instant {
    at("2026-11-21T12:00:00+01:00")
}

pub fn later(minutes: i64) -> Instant {
    noon().plus_minutes(minutes)
}

pub fn person(name: &str) -> ParticipantId {
    ParticipantId::parse(name).unwrap()
}

pub fn points() -> BalanceCode {
    BalanceCode::parse("points").unwrap()
}

pub fn event_id(reference: &str) -> EventId {
    EventId::of_reference("till", reference).unwrap()
}

pub fn run_id(id: &str) -> RunId {
    RunId::parse(id).unwrap()
}

pub fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

/// A UUIDv7 of this time; numbers tell keys of one time apart.
pub fn timed_key(at: Instant, number: u64) -> Key {
    let (high, low) = (at.0 >> 16, at.0 & 0xffff);
    key(&format!("{high:08x}-{low:04x}-7000-8000-{number:012x}"))
}

pub fn payload(number: u8) -> PayloadHash {
    PayloadHash([number; 8])
}

pub fn offer(id: &str, balance: &str, form: AwardForm) -> Offer {
    Offer {
        id: OfferId::parse(id).unwrap(),
        class: OfferClass::IncreaseRevenueTransaction,
        method: EvaluationMethod::BatchAndInteractive,
        valid: vec![],
        award: Award { balance: Some(BalanceCode::parse(balance).unwrap()), pass: None, form },
        beneficiary: Beneficiary::Participant,
        scope: Scope::Transaction,
        when: Conditions::default(),
        accumulates: None,
        limit: Limit::Multiple,
        quota: Quota::default(),
        on_top: true,
        expires: Expiry::After(Span::parse("P1Y").unwrap()),
        available_after: None,
        available_from: None,
        instant: false,
        terms: None,
    }
}

pub fn percent(id: &str, balance: &str, percentage: &str) -> Offer {
    offer(id, balance, AwardForm::Percentage(Rate::parse(percentage).unwrap()))
}

/// Ten points for each EUR, at once.
pub fn tenfold() -> Offer {
    percent("tenfold", "points", "1000")
}

/// Cash that only a run awards.
pub fn cash() -> Offer {
    Offer { method: EvaluationMethod::Batch, ..percent("cash", "eur", "1.5") }
}

/// A tenth off each purchase, while so many cents last.
pub fn tenth_off(budget: i64) -> Offer {
    let tenth = percent("tenth-off", "points", "10");
    let quota = Quota { first: None, budget: Some(Amount(budget)) };
    Offer { award: Award { balance: None, ..tenth.award.clone() }, quota, ..tenth }
}

pub fn gift() -> PassPlan {
    PassPlan {
        id: PlanId::parse("gift-20").unwrap(),
        pass_type: PassType::Gift,
        format: PassFormat::Electronic,
        classification: None,
        balance: Some(points()),
        value: PassValue::Fixed(Amount(20)),
        window: PassWindow { lasts: Some(Span::parse("P1M").unwrap()), ..PassWindow::default() },
        expires: Expiry::After(Span::parse("P7D").unwrap()),
        pin: false,
        uses: 1,
        when_loaded: false,
        promotion: None,
    }
}

/// Printed cards of 10 to 50, with a PIN, worth something once they are loaded.
pub fn card() -> PassPlan {
    PassPlan {
        id: PlanId::parse("card").unwrap(),
        format: PassFormat::Printed,
        value: PassValue::Range { min: Amount(10), max: Amount(50) },
        pin: true,
        when_loaded: true,
        ..gift()
    }
}

/// The key of a plan's codes.
pub fn plan_key(plan: &PassPlan) -> PlanKey {
    let keys = PassKeys::parse("a key of at least thirty-two characters").unwrap();
    keys.of(&plan.id, Generation(0)).unwrap()
}

/// Makes the programme's version the active one, as passes demand.
pub async fn publish(store: &Store) -> store::Result<()> {
    for document in ["one", "two", "three"] {
        store.put_programme(document.as_bytes(), &Succession::default()).await?;
    }
    Ok(())
}

/// The order to print ten cards.
pub fn printing(programme: &Programme) -> Activating<'_> {
    static PLAN: LazyLock<PassPlan> = LazyLock::new(card);
    static KEY: LazyLock<Key> = LazyLock::new(|| key("print"));
    let (now, generation) = (noon(), Generation(0));
    Activating {
        programme,
        now,
        plan: &PLAN,
        key: &KEY,
        payload: payload(1),
        count: 10,
        generation,
    }
}

/// Prints ten cards.
pub async fn print(store: &Store, programme: &Programme) -> store::Result<()> {
    store.activate_plan(&printing(programme)).await.map(drop)
}

pub fn programme(offers: Vec<Offer>) -> Programme {
    let balance = |code, decimals, worth| Balance {
        code: BalanceCode::parse(code).unwrap(),
        decimals: Decimals::new(decimals).unwrap(),
        worth: Rate::parse(worth).unwrap(),
        gift: None,
    };
    let coffee = Balance { gift: Some("A coffee".into()), ..balance("coffee", 0, "2.50") };
    let shop = Merchant {
        awards: true,
        reduction_method: ReductionMethod::FrontEnd,
        automatic_spend: false,
    };
    let owner = MerchantId::parse("shops").unwrap();
    Programme {
        version: 3,
        name: "Store".into(),
        zone: chrono_tz::Europe::Berlin,
        currency: Currency { code: "EUR".into(), decimals: Decimals::new(2).unwrap() },
        balances: vec![balance("points", 0, "0.01"), balance("eur", 2, "1"), coffee],
        definition: Definition {
            enrols: true,
            immediate: HashSet::new(),
            spend: SpendDefinition {
                requires_purchase: false,
                within_days: 30,
                balance: Some(points()),
                rules: vec![],
            },
            payment_medium: PaymentMediumRules::default(),
            invoice_types: HashSet::new(),
            debt_policy: DebtPolicy::Carry,
        },
        classifications: HashMap::new(),
        catalogue: Lookup::default(),
        kpis: HashMap::new(),
        merchants: Merchants {
            merchants: Lookup::from_iter([(owner.clone(), shop)]),
            units: Lookup::from_iter([(UnitId::parse("shop-1").unwrap(), owner)]),
        },
        areas: Areas::default(),
        offers: offers.into(),
        pass_plans: vec![gift(), card()],
        segments: vec![],
        watched: vec![],
        counts_days: false,
        runs: vec![],
        feeds: vec![],
        alerts: vec![],
        conversions: vec![],
        coupons: vec![],
    }
}

pub fn issue(name: &str) -> Issue {
    Issue {
        key: key(name),
        payload: payload(1),
        generation: Generation(0),
        value: None,
        recipient: Some("r-1".into()),
        channel: None,
    }
}

/// A purchase of this many cents.
pub fn purchase(who: &ParticipantId, reference: &str, total: i64, now: Instant) -> Event {
    let product = Some(ProductId::parse("SKU-9").unwrap());
    let line = Line {
        product,
        category: None,
        brand: None,
        quantity: 1,
        net: Amount(total),
        vat: Amount(0),
    };
    Event {
        id: event_id(reference),
        participant: who.clone(),
        classification: None,
        unit: Some(UnitId::parse("shop-1").unwrap()),
        performed_on: now,
        immediate: true,
        detail: Detail::Purchase(Purchase {
            receipt_number: Some("R-77".into()),
            related_transaction: None,
            payment_medium: None,
            lines: vec![line],
        }),
    }
}

/// The purchase with its line in so many pieces.
pub fn in_pieces(mut event: Event, pieces: u32) -> Event {
    let Detail::Purchase(purchase) = &mut event.detail else { panic!("{event:?}") };
    let line = &mut purchase.lines[0];
    (line.quantity, line.net) = (pieces, Amount(line.net.0 / i64::from(pieces)));
    event
}

/// The cancel of an event; numbers tell keys apart.
pub fn cancelling<'a>(
    programme: &'a Programme,
    now: Instant,
    event: &'a EventId,
    by: u8,
) -> CancelEvent<'a> {
    let (key, payload) = (payload(by), payload(0));
    CancelEvent { programme, now, event, key, payload, lines: &[], reason: None, ahead: false }
}

/// So many points.
pub fn asked(amount: i64, now: Instant) -> SpendAsked {
    SpendAsked {
        balance: points(),
        amount: Some(Amount(amount)),
        classification: None,
        unit: None,
        performed_on: now,
    }
}

/// Stores an event, judged at once or left pending.
pub async fn post(
    store: &Store,
    programme: &Programme,
    event: &Event,
    now: Instant,
    judge: bool,
) -> store::Result<store::Done<domain::event::RecordedEvent>> {
    let (payload, spend, enrols) = (payload(1), None, programme.definition.enrols);
    let codes = Codes::default();
    let order = Posting { programme, now, event, payload, spend, judge, enrols, codes };
    Box::pin(store.post_event(&order)).await
}

/// Spends points.
pub async fn spend(
    store: &Store,
    programme: &Programme,
    who: &ParticipantId,
    key: &Key,
    amount: i64,
    now: Instant,
) -> store::Result<store::Done<store::SpendDone>> {
    let asked = asked(amount, noon());
    let order = Spending {
        programme,
        now,
        participant: who,
        key: RequestKey::Caller(key),
        payload: payload(1),
        asked: &asked,
        purchase: None,
        request: None,
        bearer: None,
    };
    store.spend(&order).await
}

/// The store at the end of a wire, with or without the retries of the SDK.
pub fn open(wire: &Wire, retries: bool) -> Store {
    let retry = RetryConfig::standard()
        .with_initial_backoff(Duration::from_millis(1))
        .with_max_backoff(Duration::from_millis(2));
    let credentials = Credentials::new("test", "test", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url("http://table.invalid")
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(if retries { retry } else { RetryConfig::disabled() })
        .sleep_impl(TokioSleep::new())
        .http_client(wire.clone())
        .build();
    store::open(&config, TABLE.to_owned())
}

/// The seed where none is given: everybody sees the same run.
const SEED: u64 = 20_261_121;

/// The seed of a test, printed; another is tried with `STORE_SEED=<number>`.
pub fn seed(test: &str) -> u64 {
    let given = std::env::var("STORE_SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or(SEED);
    println!("{test}: STORE_SEED={seed}");
    fastrand::seed(seed);
    seed
}
