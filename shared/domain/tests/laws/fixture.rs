//! A programme with every form of offer, and the purchases it is tried on.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono_tz::Tz;
use domain::amount::{Amount, Decimals, Rate};
use domain::area::Areas;
use domain::event::{Detail, Event, EventType, Line, Purchase, RecordedEvent};
use domain::id::{
    BalanceCode, Classification, EventId, Key, MerchantId, OfferId, ParticipantId, PlanId,
    ProductId, UnitId,
};
use domain::ledger::PayloadHash;
use domain::offer::{
    Award, AwardForm, Band, Beneficiary, Conditions, EvaluationMethod, Expiry, Limit, Offer,
    OfferClass, Quota, Scope,
};
use domain::participant::{AUTOMATIC_SPEND, Channel, Consent};
use domain::pass::{
    Generation, Issue, Pass, PassFormat, PassPlan, PassType, PassValue, PassWindow,
};
use domain::payment_medium::PaymentMediumRules;
use domain::programme::{
    Balance, Currency, DebtPolicy, Definition, Lookup, Merchant, Merchants, Product, Programme,
    ReductionMethod,
};
use domain::spend::{AmountRange, SpendDefinition, SpendRule};
use domain::terms::{Automatic, Terms};
use domain::time::{Calendar, Day, Duration, Instant, parse_instant};
use domain::window::Validity;

pub const ZONE: Tz = chrono_tz::Europe::Berlin;

/// A time as `2026-11-21T10:15:00+01:00`.
pub fn at(text: &str) -> Instant {
    parse_instant(text).expect(text)
}

/// Noon of a date in the zone's winter time.
pub fn noon(date: &str) -> Instant {
    at(&format!("{date}T12:00:00+01:00"))
}

pub fn day(date: &str) -> Day {
    Day::of(date.parse().expect(date))
}

pub fn span(text: &str) -> Duration {
    Duration::parse(text).expect(text)
}

pub fn rate(text: &str) -> Rate {
    Rate::parse(text).expect(text)
}

/// Worth 0.01 EUR each.
pub fn points() -> BalanceCode {
    BalanceCode::parse("points").unwrap()
}

/// Two decimals, worth what it says.
pub fn eur() -> BalanceCode {
    BalanceCode::parse("eur").unwrap()
}

/// A gift, worth 2.50 EUR a piece.
pub fn cup() -> BalanceCode {
    BalanceCode::parse("coffee").unwrap()
}

pub fn offer_id(id: &str) -> OfferId {
    OfferId::parse(id).unwrap()
}

pub fn class(name: &str) -> Classification {
    Classification::parse(name).unwrap()
}

pub fn unit(id: &str) -> UnitId {
    UnitId::parse(id).unwrap()
}

pub fn product(id: &str) -> ProductId {
    ProductId::parse(id).unwrap()
}

pub fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

/// On top, unlimited, interactive, always valid, never expiring.
pub fn offer(id: &str, balance: BalanceCode, form: AwardForm) -> Offer {
    Offer {
        id: offer_id(id),
        class: OfferClass::IncreaseRevenueTransaction,
        method: EvaluationMethod::BatchAndInteractive,
        valid: vec![],
        award: Award { balance: Some(balance), pass: None, form },
        beneficiary: Beneficiary::Participant,
        scope: Scope::Transaction,
        when: Conditions::default(),
        accumulates: None,
        limit: Limit::Multiple,
        quota: Quota::default(),
        on_top: true,
        expires: Expiry::Never,
        available_after: None,
        available_from: None,
        instant: false,
        terms: None,
    }
}

/// A fixed number of points.
pub fn fixed(id: &str, amount: i64) -> Offer {
    offer(id, points(), AwardForm::Fixed(Amount(amount)))
}

pub fn percent(id: &str, balance: BalanceCode, percentage: &str) -> Offer {
    offer(id, balance, AwardForm::Percentage(rate(percentage)))
}

/// Off the purchase, in currency.
pub fn discount(id: &str, form: AwardForm) -> Offer {
    Offer {
        award: Award { balance: None, pass: None, form: form.clone() },
        ..offer(id, points(), form)
    }
}

/// A coefficient table of bands from an amount on.
pub fn table(bands: &[(i64, &str)]) -> AwardForm {
    let band = |(from, percentage): &(i64, &str)| Band {
        from: Amount(*from),
        percentage: rate(percentage),
    };
    AwardForm::Table(bands.iter().map(band).collect())
}

pub fn validity(from: Option<&str>, to: Option<&str>) -> Validity {
    Validity { from: from.map(at), to: to.map(at), ..Validity::default() }
}

/// Offers of every award form, scope, limit, quota, expiry, method and stacking.
pub fn every_offer() -> Vec<Offer> {
    let best = |offer: Offer| Offer { on_top: false, ..offer };
    let batch = |offer: Offer| Offer { method: EvaluationMethod::Batch, ..offer };
    let grocery =
        Conditions { classifications: vec![class("grocery")].into(), ..Conditions::default() };
    let small =
        Conditions { from: Some(Amount(5_00)), to: Some(Amount(50_00)), ..Conditions::default() };
    let coffee = Conditions { categories: vec![product("coffee")].into(), ..Conditions::default() };
    let shop = Conditions { units: vec![unit("shop-1")].into(), ..Conditions::default() };
    let days = |text| Expiry::After(span(text));
    let month_end = Expiry::EndOf(Calendar::Month, span("P1M"));
    let per_month = Limit::OncePerCalendar(Calendar::Month);
    let soon = Some(span("P2D"));
    let autumn = vec![validity(None, Some("2026-12-01T00:00:00+01:00"))];
    let coffee_lines =
        Conditions { categories: vec![product("coffee")].into(), ..Conditions::default() };
    let pieces = Conditions { quantity: (Some(1), Some(3)), ..small.clone() };
    let of_coffee = coffee_lines.clone();
    let at_two = Conditions { units: vec![unit("shop-2")].into(), ..Conditions::default() };
    let big = Conditions { from: Some(Amount(40_00)), ..Conditions::default() };
    let per_day = Limit::OncePerCalendar(Calendar::Day);
    let kitty = Quota { first: None, budget: Some(Amount(25_00)) };
    let (one, three) = (AwardForm::Fixed(Amount(1)), AwardForm::Fixed(Amount(3_00)));
    let few = Quota { first: Some(2), budget: None };
    let poor = Quota { first: None, budget: Some(Amount(60)) };
    let both = Quota { first: Some(1), budget: Some(Amount(7_50)) };
    let of_lines = AwardForm::PercentageOfAwardedLines(rate("12.5"));
    vec![
        Offer { expires: month_end, ..percent("tenth", points(), "10") },
        batch(percent("cash", eur(), "1.5")),
        Offer { limit: Limit::Once, expires: days("P3D"), ..fixed("welcome", 50) },
        Offer {
            limit: per_month,
            expires: days("P5D"),
            available_after: soon,
            ..offer("monthly", eur(), AwardForm::Fixed(Amount(2_00)))
        },
        batch(Offer { limit: Limit::OncePerRolling(span("P10D")), ..fixed("rolling", 20) }),
        best(Offer { when: grocery, ..percent("best-grocery", points(), "5") }),
        best(Offer { when: small, expires: days("P1D"), ..fixed("best-small", 30) }),
        best(batch(Offer { when: coffee, ..percent("best-coffee", eur(), "7") })),
        best(Offer { expires: Expiry::On(day("2026-11-25")), ..fixed("best-gone", 40) }),
        Offer { when: shop, valid: autumn, ..fixed("autumn", 7) },
        Offer { when: pieces, scope: Scope::Line, ..percent("by-line", eur(), "3.3") },
        Offer { when: coffee_lines, ..offer("of-coffee", eur(), of_lines) },
        offer("table", points(), table(&[(5_00, "50"), (50_00, "75.5")])),
        Offer { quota: few, ..fixed("first", 11) },
        batch(Offer { quota: poor, ..percent("budget", points(), "20") }),
        Offer { quota: both, limit: per_month, ..percent("first-budget", eur(), "5") },
        Offer { expires: days("P4D"), when: at_two, ..offer("cup", cup(), one) },
        Offer { quota: kitty, ..discount("tenth-off", AwardForm::Percentage(rate("10.5"))) },
        Offer {
            when: of_coffee,
            scope: Scope::Line,
            limit: per_day,
            ..discount("each-off", three)
        },
        best(Offer {
            when: big,
            quota: few,
            ..discount("best-off", AwardForm::Percentage(rate("4")))
        }),
    ]
}

/// What is awarded is spent automatically, within these bounds of its balance.
pub fn automatic(offer: Offer, bounds: [Option<i64>; 3]) -> Offer {
    let [minimum_balance, minimum, maximum] = bounds.map(|bound| bound.map(Amount));
    let automatic = Some(Automatic { minimum_balance, minimum, maximum });
    Offer { terms: Some(Arc::new(Terms { automatic, ..Terms::default() })), ..offer }
}

/// Lets `shops` spend automatically.
pub fn allow_automatic(programme: &mut Programme) {
    let shops = MerchantId::parse("shops").unwrap();
    programme.merchants.merchants.get_mut(&shops).unwrap().automatic_spend = true;
}

/// The consent to automatic spending, or its withdrawal.
pub fn automatic_consent(granted: bool, at: Instant) -> (Channel, Consent) {
    (AUTOMATIC_SPEND.into(), Consent { granted, at, source: None, process: None })
}

/// Offers of which what they award is spent without being asked for; one may not be the
/// best, and one waits for a run.
pub fn unasked_offers() -> Vec<Offer> {
    let at_once = |offer: Offer| Offer { instant: true, ..offer };
    let of_sku = Terms { products: vec![product("SKU-9")].into(), ..Terms::default() };
    let soon = Expiry::After(span("P2D"));
    vec![
        at_once(percent("instant", points(), "30")),
        at_once(Offer { expires: soon, ..percent("instant-eur", eur(), "2.5") }),
        at_once(Offer { on_top: false, ..fixed("instant-best", 35) }),
        at_once(Offer { terms: Some(Arc::new(of_sku)), ..percent("instant-sku", points(), "40") }),
        automatic(percent("by-itself", points(), "25"), [Some(20), Some(5), Some(40)]),
        automatic(Offer { expires: soon, ..percent("by-itself-soon", points(), "5") }, [None; 3]),
        Offer {
            method: EvaluationMethod::Batch,
            ..automatic(percent("by-itself-eur", eur(), "3"), [None, None, Some(1_50)])
        },
    ]
}

/// The programme with these offers.
pub fn programme(offers: Vec<Offer>) -> Programme {
    let merchant = |awards| Merchant {
        awards,
        reduction_method: ReductionMethod::BackEnd,
        automatic_spend: false,
    };
    let id = |text| MerchantId::parse(text).unwrap();
    let merchants = [(id("shops"), merchant(true)), (id("mute"), merchant(false))];
    let units = [("shop-1", "shops"), ("shop-2", "shops"), ("shop-3", "mute")];
    let acme = Product { category: Some(product("coffee")), brand: Some(product("Acme")) };
    let balance = |code, decimals, worth| Balance {
        code,
        decimals: Decimals::new(decimals).unwrap(),
        worth: rate(worth),
        gift: None,
    };
    let cups = Balance { gift: Some("A coffee".into()), ..balance(cup(), 0, "2.50") };
    Programme {
        version: 3,
        name: "Laws".into(),
        zone: ZONE,
        currency: Currency { code: "EUR".into(), decimals: Decimals::new(2).unwrap() },
        balances: vec![balance(points(), 0, "0.01"), balance(eur(), 2, "1"), cups],
        definition: Definition {
            enrols: false,
            immediate: HashSet::from([EventType::Purchase]),
            spend: spend_definition(),
            payment_medium: PaymentMediumRules::default(),
            invoice_types: HashSet::new(),
            debt_policy: DebtPolicy::Carry,
        },
        classifications: HashMap::from([(class("grocery"), vec![EventType::Purchase])]),
        catalogue: Lookup::from_iter([(product("SKU-9"), acme)]),
        kpis: HashMap::new(),
        merchants: Merchants {
            merchants: Lookup::from_iter(merchants),
            units: units.map(|(one, owner)| (unit(one), id(owner))).into_iter().collect(),
        },
        areas: Areas::default(),
        offers: offers.into(),
        pass_plans: vec![gift()],
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

/// `counter` names 1 to 500 and is all or nothing; `total` names no amount; others are free.
fn spend_definition() -> SpendDefinition {
    let range =
        AmountRange { min: Some(Amount(1)), max: Some(Amount(500)), ..AmountRange::default() };
    let rule = |name, specific_amount, reject_if_not_covered| SpendRule {
        classifications: vec![class(name)],
        specific_amount,
        reject_if_not_covered,
    };
    SpendDefinition {
        requires_purchase: false,
        within_days: 30,
        balance: Some(points()),
        rules: vec![rule("counter", Some(range), true), rule("total", None, false)],
    }
}

pub fn gift() -> PassPlan {
    PassPlan {
        id: PlanId::parse("gift-20").unwrap(),
        pass_type: PassType::Gift,
        format: PassFormat::Electronic,
        classification: None,
        balance: Some(points()),
        value: PassValue::Fixed(Amount(20)),
        window: PassWindow { from: None, until: None, lasts: Some(span("P1M")) },
        expires: Expiry::After(span("P7D")),
        pin: false,
        uses: 1,
        when_loaded: false,
        promotion: None,
    }
}

pub fn pass(serial: u64, now: Instant) -> Pass {
    let issue = Issue {
        key: key("i"),
        payload: PayloadHash::default(),
        generation: Generation(0),
        value: None,
        recipient: None,
        channel: None,
    };
    gift().issue(serial, issue, now)
}

pub fn line(quantity: u32, net: i64, vat: i64) -> Line {
    let (product, category, brand) = (None, None, None);
    Line { product, category, brand, quantity, net: Amount(net), vat: Amount(vat) }
}

/// A purchase of this many cents, without unit and classification.
pub fn purchase(reference: &str, total: i64, performed_on: Instant) -> Event {
    Event {
        id: EventId::of_reference("till", reference).unwrap(),
        participant: ParticipantId::parse("c-1").unwrap(),
        classification: None,
        unit: None,
        performed_on,
        immediate: true,
        detail: Detail::Purchase(Purchase {
            receipt_number: None,
            related_transaction: None,
            payment_medium: None,
            lines: vec![line(1, total, 0)],
        }),
    }
}

pub fn with_lines(event: Event, lines: Vec<Line>) -> Event {
    let Detail::Purchase(purchase) = event.detail else { panic!("no purchase: {event:?}") };
    Event { detail: Detail::Purchase(Purchase { lines, ..purchase }), ..event }
}

pub fn recorded(event: Event) -> RecordedEvent {
    let accepted_at = event.performed_on;
    RecordedEvent::accepted(event, PayloadHash([7; 8]), accepted_at)
}
