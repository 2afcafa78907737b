//! Random programmes of many offers, and random events that some of them match.

use chrono::{NaiveDate, Weekday, WeekdaySet};
use domain::amount::Amount;
use domain::area::{Area, Areas, Popular};
use domain::event::{Detail, Event, FinancialAchievement, Line};
use domain::export::ExportPlan;
use domain::id::{AreaId, Classification, MerchantId, ParticipantId, ProductId, SegmentId, UnitId};
use domain::offer::{
    Accumulation, Award, AwardForm, Beneficiary, Conditions, EvaluationMethod, Limit, Offer,
    OfferClass, Quota, Scope, Within,
};
use domain::participant::{Participant, Profile};
use domain::payment_medium::PaymentMedium;
use domain::programme::{Lookup, Merchant, Merchants, Product, Programme, ReductionMethod};
use domain::segment::{Predicate, Segment};
use domain::time::{Calendar, Instant};
use domain::window::{Around, Hours, Occasion, Times, Validity};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::fixture::*;

const HOUR: i64 = 3_600_000;

pub fn ids<T>(prefix: &str, count: usize, parse: impl Fn(&str) -> T) -> Vec<T> {
    (0..count).map(|number| parse(&format!("{prefix}-{number}"))).collect()
}

/// More than the catalogue has: some are known by the lines that name them alone.
fn products() -> Vec<ProductId> {
    ids("product", 12, product)
}

fn categories() -> Vec<ProductId> {
    ids("category", 4, product)
}

fn brands() -> Vec<ProductId> {
    ids("brand", 3, product)
}

/// Two of each merchant, and two of none.
fn units() -> Vec<UnitId> {
    ids("unit", 8, unit)
}

/// Of two units each, across merchants; the last two units lie in none.
fn areas() -> Vec<AreaId> {
    ids("area", 3, |id| AreaId::parse(id).unwrap())
}

/// In each something else is popular, in the last one nothing.
fn places() -> Areas {
    let area = |(number, id): (usize, AreaId)| Area {
        id,
        units: vec![units()[2 * number + 1].clone(), units()[(2 * number + 2) % 6].clone()],
        popular: Popular {
            products: products().into_iter().skip(number).step_by(4).take(2 - number).collect(),
            categories: categories().into_iter().skip(number).take(2 - number).collect(),
        },
    };
    areas().into_iter().enumerate().map(area).collect::<Vec<_>>().into()
}

fn merchants() -> Vec<MerchantId> {
    ids("merchant", 3, |id| MerchantId::parse(id).unwrap())
}

fn classes() -> Vec<Classification> {
    ids("class", 3, class)
}

fn segments() -> Vec<SegmentId> {
    ["rich", "everybody"].map(|id| SegmentId::parse(id).unwrap()).into()
}

fn words(all: [&str; 2]) -> Vec<Box<str>> {
    all.map(Into::into).into()
}

/// The last merchant does not award.
pub fn market(offers: Vec<Offer>) -> Programme {
    let goods = |number: usize| Product {
        category: categories().get(number % 5).cloned(),
        brand: brands().get(number % 4).cloned(),
    };
    let merchant = |number: usize| Merchant {
        awards: number < 2,
        reduction_method: ReductionMethod::FrontEnd,
        automatic_spend: false,
    };
    let rich = Predicate::Any(vec![Predicate::Blocked(true), Predicate::Tag("gold".into())]);
    let members = [rich, Predicate::All(vec![])];
    let segments = segments().into_iter().zip(members);
    Programme {
        catalogue: Lookup::from_iter((0..9).map(|n| (products()[n].clone(), goods(n)))),
        merchants: Merchants {
            merchants: merchants().into_iter().zip((0..).map(merchant)).collect(),
            units: units().into_iter().zip(merchants().into_iter().cycle()).take(6).collect(),
        },
        areas: places(),
        watched: vec![],
        counts_days: false,
        segments: segments
            .map(|(id, members)| Segment { id, members, export: ExportPlan::default() })
            .collect(),
        ..programme(offers)
    }
}

/// Often none, seldom many.
fn some<T: Clone + std::fmt::Debug + 'static>(all: Vec<T>) -> impl Strategy<Value = Vec<T>> {
    let most = all.len();
    prop_oneof![
        5 => Just(vec![]),
        3 => subsequence(all.clone(), 1..=2),
        1 => subsequence(all, 1..=most),
    ]
}

fn any_of<T: std::fmt::Debug>(some: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    prop::option::weighted(0.3, some)
}

/// Within some days of each other, and often the same.
fn instant() -> impl Strategy<Value = Instant> {
    (-100..100_i64).prop_map(|hours| Instant(noon("2026-11-21").0 + hours * HOUR))
}

fn times() -> impl Strategy<Value = Times> {
    let hours = (0..1_440_u16, 0..=1_440_u16)
        .prop_filter_map("a window takes time", |(from, to)| {
            (from != to).then_some(Hours { from, to })
        });
    let days = prop::collection::vec(select(vec![Weekday::Fri, Weekday::Sat, Weekday::Sun]), 0..3);
    (days, prop::collection::vec(hours, 0..3)).prop_map(|(days, hours)| {
        let mut set = WeekdaySet::EMPTY;
        days.into_iter().for_each(|day| {
            set.insert(day);
        });
        Times { days: set, hours }
    })
}

/// A validity of any kind; now and then one that ends before it begins.
fn period() -> impl Strategy<Value = Validity> {
    let what = select(vec![Occasion::Birthday, Occasion::NameDay]);
    let around =
        (what, 0..3_u32, 0..3_u32).prop_map(|(what, before, after)| Around { what, before, after });
    (any_of(instant()), any_of(instant()), any_of(times()), prop::option::weighted(0.1, around))
        .prop_map(|(from, to, times, around)| Validity { from, to, times, around })
}

fn conditions() -> impl Strategy<Value = Conditions> {
    let amount = || prop::option::weighted(0.1, (0..40_00_i64).prop_map(Amount));
    let goods = (some(products()), some(categories()), some(brands()));
    let local = (some(areas()), prop::bool::weighted(0.2));
    let place = (some(units()), some(merchants()), some(classes()), local);
    let pieces = || prop::option::weighted(0.1, 0..30_u32);
    let rare =
        (some(words(["Visa", "Girocard"])), some(words(["gold", "staff"])), some(segments()));
    let range = (amount(), amount(), pieces(), pieces());
    let asks_rare = prop::bool::weighted(0.15);
    (goods, place, range, rare, asks_rare, any_of(times())).prop_map(
        |(goods, place, range, rare, asks_rare, times)| {
            let when = Conditions {
                from: range.0,
                to: range.1,
                quantity: (range.2, range.3),
                products: goods.0.into(),
                categories: goods.1.into(),
                brands: goods.2.into(),
                units: place.0.into(),
                merchants: place.1.into(),
                classifications: place.2.into(),
                areas: place.3.0.into(),
                popular: place.3.1,
                times,
                ..Conditions::default()
            };
            let (payment_brands, tags, segments) = (rare.0.into(), rare.1.into(), rare.2.into());
            if asks_rare { Conditions { payment_brands, tags, segments, ..when } } else { when }
        },
    )
}

fn form() -> impl Strategy<Value = AwardForm> {
    select(vec![
        AwardForm::Fixed(Amount(5)),
        AwardForm::Percentage(rate("10")),
        AwardForm::PercentageOfAwardedLines(rate("7.5")),
        table(&[(5_00, "1"), (20_00, "2.5")]),
    ])
}

/// Mostly the event's participant.
pub fn beneficiary() -> impl Strategy<Value = Beneficiary> {
    prop_oneof![4 => Just(Beneficiary::Participant), 1 => Just(Beneficiary::Referred)]
}

/// An offer but for its id.
fn any_offer() -> impl Strategy<Value = Offer> {
    let class = select(OfferClass::ALL.map(|(_, class)| class).to_vec());
    let purchase = select(OfferClass::ALL.map(|(_, class)| class)[..6].to_vec());
    let class = prop_oneof![6 => purchase, 1 => class];
    let limits = vec![
        Limit::Multiple,
        Limit::Once,
        Limit::OncePerCalendar(Calendar::Day),
        Limit::OncePerRolling(span("P2D")),
    ];
    let budget = prop::option::weighted(0.1, (0..40_i64).prop_map(Amount));
    let quota = (prop::option::weighted(0.1, 1..4_u32), budget)
        .prop_map(|(first, budget)| Quota { first, budget });
    let valid = prop_oneof![2 => Just(vec![]), 3 => prop::collection::vec(period(), 1..4)];
    let off = prop::bool::weighted(0.15);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), beneficiary(), off);
    (class, valid, form(), conditions(), select(limits), quota, flags).prop_map(
        |(class, valid, form, when, limit, quota, (batch, line, on_top, beneficiary, off))| Offer {
            class,
            valid,
            when,
            limit,
            quota,
            on_top,
            method: if batch || !class.may_be_interactive() {
                EvaluationMethod::Batch
            } else {
                EvaluationMethod::BatchAndInteractive
            },
            scope: if line { Scope::Line } else { Scope::Transaction },
            beneficiary,
            accumulates: class.counts().map(|counts| Accumulation {
                counts,
                at_least: 3,
                within: Within::Calendar(Calendar::Week),
            }),
            award: Award { balance: (!off).then(points), pass: None, form: form.clone() },
            ..offer("some", points(), form)
        },
    )
}

pub fn offers() -> impl Strategy<Value = Vec<Offer>> {
    let few = prop::collection::vec(any_offer(), 0..20);
    let many = prop::collection::vec(any_offer(), 150..300);
    prop_oneof![2 => few, 1 => many].prop_map(|offers| {
        let name = |(at, offer)| Offer { id: offer_id(&format!("offer-{at}")), ..offer };
        offers.into_iter().enumerate().map(name).collect()
    })
}

fn any_line() -> impl Strategy<Value = Line> {
    let product = prop::option::weighted(0.8, select(products()));
    let category = prop::option::weighted(0.2, select(categories()));
    let brand = prop::option::weighted(0.2, select(brands()));
    let counts = (1..12_u32, 0..9_00_i64, 0..50_i64);
    (product, category, brand, counts).prop_map(
        |(product, category, brand, (quantity, net, vat))| Line {
            product,
            category,
            brand,
            ..line(quantity, net, vat)
        },
    )
}

/// A purchase of up to 30 lines; sometimes another event.
pub fn event() -> impl Strategy<Value = Event> {
    let brand = any_of(select(words(["Visa", "Girocard"])));
    let details = (0..10_u8, prop::collection::vec(any_line(), 0..=30), brand);
    let place = (any_of(select(classes())), prop::option::of(select(units())));
    (details, place, instant()).prop_map(|((kind, lines, brand), place, performed_on)| {
        let (classification, unit) = place;
        let bought = purchase("r", 0, performed_on);
        let medium = brand.map(|brand| PaymentMedium { brand: Some(brand), ..Default::default() });
        let detail = match (kind, with_lines(bought.clone(), lines).detail) {
            (0, _) => Detail::Achievement { score: Some(9) },
            (1, _) => Detail::Web { url: "https://shop.example".into(), score: None },
            (3, _) => Detail::Referral { referred: ParticipantId::parse("c-2").unwrap() },
            (2, _) => Detail::FinancialAchievement(FinancialAchievement {
                product: None,
                amount: Amount(20_00),
                payment_medium: medium,
            }),
            (_, Detail::Purchase(mut purchase)) => {
                purchase.payment_medium = medium;
                Detail::Purchase(purchase)
            }
            (_, other) => other,
        };
        Event { classification, unit, detail, ..bought }
    })
}

pub fn participant() -> impl Strategy<Value = Participant> {
    let birthday = NaiveDate::from_ymd_opt(1990, 11, 20);
    (any::<bool>(), some(words(["gold", "staff"]))).prop_map(move |(known, tags)| {
        let birthday = birthday.filter(|_| known);
        let profile = Profile { birthday, tags, ..Profile::default() };
        Participant { profile, ..Participant::default() }
    })
}
