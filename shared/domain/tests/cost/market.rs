//! A coalition of partners on one busy day: 80,000 products, 2,000 shops, as many offers as asked
//! for, and one basket of 20 lines that the same five of them award.

use std::collections::{HashMap, HashSet};

use domain::amount::{Amount, Decimals, Rate};
use domain::area::Areas;
use domain::event::{Detail, Event, EventType, Line, Purchase, RecordedEvent};
use domain::id::{
    BalanceCode, Classification, EventId, MerchantId, OfferId, ParticipantId, ProductId, UnitId,
};
use domain::ledger::{Effect, LotId, PayloadHash, Slot};
use domain::offer::{
    Award, AwardForm, Band, Beneficiary, Conditions, EvaluationMethod, Expiry, Limit, Offer,
    OfferClass, Quota, Scope, Subject,
};
use domain::payment_medium::PaymentMediumRules;
use domain::programme::{
    Balance, Currency, DebtPolicy, Definition, Merchant, Merchants, Product, Programme,
    ReductionMethod,
};
use domain::spend::SpendDefinition;
use domain::time::{Calendar, Day, Duration, Instant, parse_instant};
use domain::wallet::Wallet;
use domain::window::{Hours, Times, Validity};

const PRODUCTS: u64 = 80_000;
const CATEGORIES: u64 = 100;
const BRANDS: u64 = 1_000;
const MERCHANTS: u64 = 200;
const UNITS: u64 = 2_000;
const LINES: u64 = 20;

/// Everything that is judged.
pub struct Market {
    pub programme: Programme,
    pub wallet: Wallet,
    pub event: RecordedEvent,
    pub now: Instant,
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    /// 0 to `sides` - 1.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }

    /// One to `most` of the things with numbers below `sides`.
    fn some<T>(&mut self, most: u64, sides: u64, thing: impl Fn(u64) -> T) -> Vec<T> {
        (0..=self.roll(most)).map(|_| thing(self.roll(sides))).collect()
    }
}

fn product(number: u64) -> ProductId {
    ProductId::parse(&format!("SKU-{number:06}")).unwrap()
}

fn category(number: u64) -> ProductId {
    ProductId::parse(&format!("category-{number}")).unwrap()
}

fn brand(number: u64) -> ProductId {
    ProductId::parse(&format!("brand-{number}")).unwrap()
}

fn unit(number: u64) -> UnitId {
    UnitId::parse(&format!("shop-{number:04}")).unwrap()
}

fn merchant(number: u64) -> MerchantId {
    MerchantId::parse(&format!("partner-{number:03}")).unwrap()
}

fn classification(number: u64) -> Classification {
    Classification::parse(["Shop", "Fuel", "Online"][usize::try_from(number).unwrap()]).unwrap()
}

fn points() -> BalanceCode {
    BalanceCode::parse("points").unwrap()
}

fn percent(text: &str) -> AwardForm {
    AwardForm::Percentage(Rate::parse(text).unwrap())
}

fn time(text: &str) -> Instant {
    parse_instant(text).unwrap()
}

fn now() -> Instant {
    time("2026-11-21T10:15:00+01:00")
}

/// Numbers of the products in the basket.
fn basket() -> impl Iterator<Item = u64> {
    (0..LINES).map(|line| 1_000 + line * 3_571)
}

fn offer(id: &str, form: AwardForm) -> Offer {
    Offer {
        id: OfferId::parse(id).unwrap(),
        class: OfferClass::IncreaseRevenueProduct,
        method: EvaluationMethod::BatchAndInteractive,
        valid: vec![],
        award: Award { balance: Some(points()), pass: None, form },
        beneficiary: Beneficiary::Participant,
        scope: Scope::Transaction,
        when: Conditions::default(),
        accumulates: None,
        limit: Limit::Multiple,
        quota: Quota::default(),
        on_top: true,
        expires: Expiry::EndOf(Calendar::Month, Duration::parse("P1Y").unwrap()),
        available_after: None,
        available_from: None,
        instant: false,
        terms: None,
    }
}

/// The five that award the basket.
fn matching() -> [Offer; 5] {
    let bands = ["100", "200"].map(|text| Rate::parse(text).unwrap());
    let bands = [(0, bands[0]), (50_00, bands[1])];
    let bands = bands.map(|(from, percentage)| Band { from: Amount(from), percentage });
    let of_product = basket().nth(3).map(product).into_iter().collect::<Vec<_>>();
    let of_category = basket().nth(7).map(|number| category(number % CATEGORIES));
    let of_brand = basket().nth(11).map(|number| brand(number % BRANDS));
    let day = Times { days: Default::default(), hours: vec![Hours { from: 8 * 60, to: 12 * 60 }] };
    let (once, per_month) = (Limit::Once, Limit::OncePerCalendar(Calendar::Month));
    let when = Conditions { from: Some(Amount(10_00)), ..Conditions::default() };
    let everyone = Offer { when, ..offer("everyone", AwardForm::Table(bands.into())) };
    let when = Conditions { products: of_product.into(), ..Conditions::default() };
    let product = Offer { when, limit: once, ..offer("product", AwardForm::Fixed(Amount(50))) };
    let categories = Vec::from_iter(of_category).into();
    let when = Conditions { categories, merchants: vec![merchant(0)].into(), ..Default::default() };
    let lines = Offer { when, scope: Scope::Line, ..offer("category", percent("150")) };
    let when = Conditions { brands: Vec::from_iter(of_brand).into(), ..Conditions::default() };
    let best = Offer { when, on_top: false, limit: per_month, ..offer("brand", percent("300")) };
    let when =
        Conditions { units: vec![unit(0), unit(1)].into(), times: Some(day), ..Default::default() };
    let shop = Offer { when, on_top: false, ..offer("shop", percent("250")) };
    [everyone, product, lines, best, shop]
}

/// Some offer of some partner: goods, places and times in the proportions of a large coalition.
fn any_offer(id: &str, dice: &mut Dice) -> Offer {
    let mut when = Conditions::default();
    match dice.roll(20) {
        0..7 => when.products = dice.some(5, PRODUCTS, product).into(),
        7..11 => when.categories = dice.some(2, CATEGORIES, category).into(),
        11..14 => when.brands = dice.some(2, BRANDS, brand).into(),
        14 => {
            when.categories = dice.some(2, CATEGORIES, category).into();
            when.brands = dice.some(1, BRANDS, brand).into();
        }
        _ => {}
    }
    match dice.roll(10) {
        0..4 => when.merchants = dice.some(1, MERCHANTS, merchant).into(),
        4..7 => when.units = dice.some(10, UNITS, unit).into(),
        _ => {}
    }
    if dice.one_in(10) {
        when.classifications = dice.some(1, 3, classification).into();
    }
    if dice.one_in(6) {
        let from = u16::try_from(dice.roll(24) * 60).unwrap();
        when.times = Some(Times { hours: vec![Hours { from, to: from + 60 }], ..Times::default() });
    }
    let valid = match dice.roll(10) {
        0..4 => vec![],
        4..7 => vec![period("2026-11-01T00:00:00+01:00", "2026-12-01T00:00:00+01:00")],
        7 => vec![period("2026-12-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00")],
        8 => vec![period("2026-06-01T00:00:00+02:00", "2026-11-01T00:00:00+01:00")],
        _ => vec![
            period("2026-05-01T00:00:00+02:00", "2026-06-01T00:00:00+02:00"),
            period("2026-12-01T00:00:00+01:00", "2026-12-24T00:00:00+01:00"),
        ],
    };
    Offer { valid, when, ..offer(id, percent("5")) }
}

fn period(from: &str, to: &str) -> Validity {
    Validity { from: Some(time(from)), to: Some(time(to)), ..Validity::default() }
}

impl Market {
    /// The same day with this many offers, of which the same five award the basket.
    pub fn with(offers: usize) -> Market {
        let mut programme = programme();
        let event = event();
        let mut dice = Dice(1);
        let mut list = Vec::with_capacity(offers);
        let subject = Subject::of(&programme, &event.event);
        let others = offers - matching().len();
        while list.len() < others {
            let offer = any_offer(&format!("offer-{}", list.len()), &mut dice);
            if offer.excludes(&subject).is_some() {
                list.push(offer);
            }
        }
        for (number, offer) in matching().into_iter().enumerate() {
            list.insert(others * number / matching().len(), offer);
        }
        programme.offers = list.into();
        Market { programme, wallet: wallet(), event, now: now() }
    }
}

fn programme() -> Programme {
    let owner = Merchant {
        awards: true,
        reduction_method: ReductionMethod::BackEnd,
        automatic_spend: false,
    };
    let goods = |number| Product {
        category: Some(category(number % CATEGORIES)),
        brand: Some(brand(number % BRANDS)),
    };
    let decimals = |count| Decimals::new(count).unwrap();
    let worth = Rate::parse("0.01").unwrap();
    Programme {
        version: 1,
        name: "Market".into(),
        zone: chrono_tz::Europe::Berlin,
        currency: Currency { code: "EUR".into(), decimals: decimals(2) },
        balances: vec![Balance { code: points(), decimals: decimals(0), worth, gift: None }],
        definition: Definition {
            enrols: true,
            immediate: HashSet::from([EventType::Purchase]),
            spend: SpendDefinition {
                requires_purchase: false,
                within_days: 30,
                balance: None,
                rules: vec![],
            },
            payment_medium: PaymentMediumRules::default(),
            invoice_types: HashSet::new(),
            debt_policy: DebtPolicy::Carry,
        },
        classifications: (0..3).map(|n| (classification(n), vec![EventType::Purchase])).collect(),
        catalogue: (0..PRODUCTS).map(|number| (product(number), goods(number))).collect(),
        kpis: HashMap::new(),
        merchants: Merchants {
            merchants: (0..MERCHANTS).map(|number| (merchant(number), owner.clone())).collect(),
            units: (0..UNITS).map(|number| (unit(number), merchant(number % MERCHANTS))).collect(),
        },
        offers: Vec::new().into(),
        areas: Areas::default(),
        pass_plans: vec![],
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

/// A participant of some years.
fn wallet() -> Wallet {
    let mut wallet = Wallet::default();
    for month in 0..12 {
        let offer = OfferId::parse(&format!("last-year-{month}")).unwrap();
        let expires = Some(Day::of("2027-01-31".parse().unwrap()).plus(Duration::days(month * 30)));
        let lot = LotId { balance: points(), expires, available_from: None, terms: None };
        wallet.carry_out(&Effect::Award {
            offer: Some(offer),
            lot,
            amount: Amount(100),
            debt: Amount::ZERO,
            slot: Some(Slot::Ever),
        });
    }
    wallet
}

fn event() -> RecordedEvent {
    let line = |number| Line {
        product: Some(product(number)),
        category: None,
        brand: None,
        quantity: 2,
        net: Amount(4_20),
        vat: Amount(80),
    };
    let event = Event {
        id: EventId::of_reference("till", "R-1").unwrap(),
        participant: ParticipantId::parse("c-1").unwrap(),
        classification: Some(classification(0)),
        unit: Some(unit(0)),
        performed_on: now(),
        immediate: true,
        detail: Detail::Purchase(Purchase {
            receipt_number: None,
            related_transaction: None,
            payment_medium: None,
            lines: basket().map(line).collect(),
        }),
    };
    RecordedEvent::accepted(event, PayloadHash([7; 8]), now())
}
