//! The index of offers agrees with looking at every offer, and offers that cannot award an event
//! change nothing of its judgement (R-51).

use chrono::{NaiveDate, Weekday, WeekdaySet};
use domain::amount::Amount;
use domain::award::{Facts, Judged, Mode, judge};
use domain::event::{Detail, Event, FinancialAchievement, Line, RecordedEvent};
use domain::id::{Classification, MerchantId, ProductId, SegmentId, UnitId};
use domain::offer::{
    Accumulation, AwardForm, Band, Conditions, EvaluationMethod, Limit, Offer, OfferClass, Quota,
    Scope, Subject, Within,
};
use domain::participant::{Participant, Profile};
use domain::payment_medium::PaymentMedium;
use domain::programme::{Lookup, Merchant, Merchants, Product, Programme, ReductionMethod};
use domain::quota::Quotas;
use domain::segment::{Predicate, Segment};
use domain::time::{Calendar, Instant};
use domain::wallet::Wallet;
use domain::window::{Around, Hours, Occasion, Times, Validity};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::fixture::*;

const HOUR: i64 = 3_600_000;

fn ids<T>(prefix: &str, count: usize, parse: impl Fn(&str) -> T) -> Vec<T> {
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
fn market(offers: Vec<Offer>) -> Programme {
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
        segments: segments.map(|(id, members)| Segment { id, members }).collect(),
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
    let place = (some(units()), some(merchants()), some(classes()));
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
                times,
                ..Conditions::default()
            };
            let (payment_brands, tags, segments) = (rare.0.into(), rare.1.into(), rare.2.into());
            if asks_rare { Conditions { payment_brands, tags, segments, ..when } } else { when }
        },
    )
}

fn form() -> impl Strategy<Value = AwardForm> {
    let bands = [(5_00, "1"), (20_00, "2.5")];
    let bands = bands.map(|(from, percentage)| (Amount(from), rate(percentage)));
    let bands = bands.map(|(from, percentage)| Band { from, percentage });
    select(vec![
        AwardForm::Fixed(Amount(5)),
        AwardForm::Percentage(rate("10")),
        AwardForm::PercentageOfAwardedLines(rate("7.5")),
        AwardForm::Table(bands.into()),
    ])
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
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (class, valid, form(), conditions(), select(limits), quota, flags).prop_map(
        |(class, valid, form, when, limit, quota, (batch, line, on_top))| Offer {
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
            accumulates: class.counts().map(|counts| Accumulation {
                counts,
                at_least: 3,
                within: Within::Calendar(Calendar::Week),
            }),
            ..offer("some", points(), form)
        },
    )
}

fn offers() -> impl Strategy<Value = Vec<Offer>> {
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
fn event() -> impl Strategy<Value = Event> {
    let brand = any_of(select(words(["Visa", "Girocard"])));
    let details = (0..10_u8, prop::collection::vec(any_line(), 0..=30), brand);
    let place = (any_of(select(classes())), prop::option::of(select(units())));
    (details, place, instant()).prop_map(|((kind, lines, brand), place, performed_on)| {
        let (classification, unit) = place;
        let bought = purchase("r", 0, performed_on);
        let medium = brand.map(|brand| PaymentMedium { brand: Some(brand), ..Default::default() });
        let detail = match (kind, with_lines(bought.clone(), lines).detail) {
            (0, _) => Detail::Achievement { score: None },
            (1, _) => Detail::Web { url: "https://shop.example".into(), score: None },
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

fn participant() -> impl Strategy<Value = Participant> {
    let birthday = NaiveDate::from_ymd_opt(1990, 11, 20);
    (any::<bool>(), some(words(["gold", "staff"]))).prop_map(move |(known, tags)| {
        let birthday = birthday.filter(|_| known);
        let profile = Profile { birthday, tags, ..Profile::default() };
        Participant { profile, ..Participant::default() }
    })
}

/// The naive way: every offer that judges this type of events is looked at.
fn scan<'a>(programme: &'a Programme, event: &Event) -> Vec<&'a Offer> {
    let subject = Subject::of(programme, event);
    let judges = |offer: &&Offer| offer.class.types().contains(&event.event_type());
    let of_type = programme.offers.iter().filter(judges);
    of_type.filter(|offer| offer.excludes(programme, &subject).is_none()).collect()
}

/// Judges, and carries out what follows.
fn take(
    programme: &Programme,
    wallet: &mut Wallet,
    quotas: &mut Quotas,
    event: &RecordedEvent,
    participant: &Participant,
    mode: Mode,
) -> Judged {
    let facts = Facts { participant, quotas, whose: domain::offer::Beneficiary::Participant };
    let judged = judge(programme, wallet, noon("2026-11-24"), event, mode, &facts);
    judged.effects.iter().for_each(|effect| {
        wallet.carry_out(effect);
        quotas.note(effect);
    });
    judged
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn candidates_are_those_of_a_naive_scan_in_its_order(
        offers in offers(),
        events in prop::collection::vec(event(), 1..5),
    ) {
        let programme = market(offers);
        for event in &events {
            let subject = Subject::of(&programme, event);
            let found = programme.offers.candidates(&programme, &subject);
            let found: Vec<_> = found.map(|offer| &offer.id).collect();
            let want: Vec<_> = scan(&programme, event).iter().map(|offer| &offer.id).collect();
            prop_assert_eq!(found, want);
        }
    }

    // A history judged by all offers comes to what it comes to where each event is judged by its
    // naive candidates alone: the others might as well not be there.
    #[test]
    fn offers_that_cannot_award_an_event_change_nothing_of_its_judgement(
        offers in offers(),
        events in prop::collection::vec((event(), any::<bool>()), 1..5),
        participant in participant(),
    ) {
        let all = market(offers);
        let (mut wallet, mut quotas) = (Wallet::default(), Quotas::default());
        for (event, run) in events {
            let of_event: Vec<Offer> = scan(&all, &event).into_iter().cloned().collect();
            let alone = Programme { offers: of_event.into(), ..all.clone() };
            let event = recorded(event);
            let mode = if run { Mode::Run } else { Mode::Interactive };
            let (mut other_wallet, mut other_quotas) = (wallet.clone(), quotas.clone());
            let want = take(&alone, &mut other_wallet, &mut other_quotas, &event, &participant, mode);
            let got = take(&all, &mut wallet, &mut quotas, &event, &participant, mode);
            prop_assert_eq!(got, want);
            prop_assert_eq!((&wallet, &quotas), (&other_wallet, &other_quotas));
        }
    }
}

/// An offer of many places and many goods stands under the fewer of them, and is found all the
/// same.
#[test]
fn long_lists_are_found_as_well() {
    let many = |count: usize, prefix: &str| ids(prefix, count, |id: &str| id.to_owned());
    let at = |units: usize, products: usize| Conditions {
        units: many(units, "u").iter().map(|id| unit(id)).collect::<Vec<_>>().into(),
        products: many(products, "p").iter().map(|id| product(id)).collect::<Vec<_>>().into(),
        ..Conditions::default()
    };
    let sizes = [(1, 3_000), (3_000, 1), (40, 50), (50, 40), (2, 400), (400, 2), (32, 31)];
    for (units, products) in sizes {
        let programme = market(vec![Offer { when: at(units, products), ..fixed("o", 5) }]);
        let cases = [(0, 0, true), (units - 1, products - 1, true), (units, 0, false)];
        for (of_unit, of_product, want) in cases {
            let bought =
                Line { product: Some(product(&format!("p-{of_product}"))), ..line(1, 1, 0) };
            let event = with_lines(purchase("r", 0, noon("2026-11-21")), vec![bought]);
            let event = Event { unit: Some(unit(&format!("u-{of_unit}"))), ..event };
            let subject = Subject::of(&programme, &event);
            let found = programme.offers.candidates(&programme, &subject).count();
            assert_eq!(found == 1, want, "{units} units, {products} products: {of_unit}");
        }
    }
}

/// Offers that begin and end with each other, and the instants at which they do.
#[test]
fn r46_offers_that_begin_or_end_together_are_found_from_the_first_to_the_last_instant() {
    let (from, to) = ("2026-11-01T00:00:00+01:00", "2026-12-01T00:00:00+01:00");
    let periods = [(None, None), (Some(from), Some(to)), (Some(to), None), (None, Some(from))];
    let offers = (0..40).map(|number| {
        let (from, to) = periods[number % periods.len()];
        Offer { valid: vec![validity(from, to)], ..fixed(&format!("o-{number}"), 5) }
    });
    let programme = market(offers.collect());
    let cases = [(from, -1, 20), (from, 0, 20), (to, -1, 20), (to, 0, 20), (to, 1, 20)];
    for (mark, off, want) in cases {
        let event = purchase("r", 1_00, Instant(at(mark).0 + off));
        let subject = Subject::of(&programme, &event);
        let found = programme.offers.candidates(&programme, &subject).map(|offer| &offer.id);
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), want, "{mark} {off}");
        assert!(found.into_iter().eq(scan(&programme, &event).iter().map(|offer| &offer.id)));
    }
}
