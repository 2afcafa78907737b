//! Coupons: what they cost, how many there are, and their codes.

use domain::amount::Amount;
use domain::apply::{Command, Outcome};
use domain::coupon::{
    COUPON_LENGTH, CodeTaken, Codes, Cost, Coupon, CouponAsked, CouponCode, CouponKey, CouponTaken,
    NUMBERS, PoolCode, Stock,
};
use domain::id::CouponId;
use domain::ledger::{Effect, PayloadHash};
use domain::offer::Offer;
use domain::pass::{Generation, PassCode, PassKeys};
use domain::refusal::Refusal;
use domain::terms::{Period, Terms};
use domain::time::{Day, Instant};
use proptest::prelude::*;

use crate::bookkeeping::Book;
use crate::fixture::*;

fn coupon_id(id: &str) -> CouponId {
    CouponId::parse(id).unwrap()
}

/// Of points, any number, without a code.
pub fn coupon(cost: i64) -> Coupon {
    Coupon {
        id: coupon_id("cinema"),
        name: "Cinema ticket".into(),
        partner: None,
        balance: points(),
        cost: Cost::Fixed(Amount(cost)),
        stock: None,
        codes: Codes::None,
        donated: false,
        cause: None,
        valid: vec![],
        lasts: None,
        until: None,
    }
}

impl Book {
    /// Takes a coupon a moment later.
    pub fn take_coupon(
        &mut self,
        coupon: &Coupon,
        amount: Option<i64>,
        stock: &mut Stock,
    ) -> Result<(u64, CouponTaken), Refusal> {
        self.keys += 1;
        self.now = Instant(self.now.0 + 1);
        let (key, payload) = (key(&format!("coupon-{}", self.keys)), PayloadHash([1; 8]));
        let (amount, generation) = (amount.map(Amount), Generation(2));
        let asked = CouponAsked { coupon, amount, unit: None, stock, generation };
        match self.commit(&Command::TakeCoupon { key: &key, payload, asked }) {
            Outcome::Refused(refusal) => return Err(refusal),
            Outcome::Done | Outcome::Judged { .. } => {}
        }
        let (sequence, made) = self.note_spend(None);
        *stock = std::mem::take(stock).after(&made);
        Ok((sequence, self.entry(sequence).coupon().unwrap().clone()))
    }

    fn give_coupon_back(&mut self, sequence: u64, stock: &mut Stock) {
        let made = self.entry(sequence).spend().unwrap().clone();
        self.cancel_spend(sequence).unwrap();
        *stock = std::mem::take(stock).without(&made);
    }
}

fn holding(points: i64) -> Book {
    let mut book = Book::with(vec![fixed("p", points)], noon("2026-11-21"));
    book.buy("start", 1_00);
    book
}

#[test]
fn r76_a_coupon_is_taken_for_exactly_what_it_costs() {
    let (mut book, mut stock) = (holding(1_200), Stock::default());
    let (sequence, taken) = book.take_coupon(&coupon(500), None, &mut stock).unwrap();
    assert_eq!((taken.number, taken.until, taken.code), (0, None, CodeTaken::None));
    let (_, taken) = book.take_coupon(&coupon(500), None, &mut stock).unwrap();
    assert_eq!((taken.number, book.available(&points())), (1, 200));
    let refused = book.take_coupon(&coupon(500), None, &mut stock);
    assert_eq!(refused, Err(Refusal::NotCovered), "never a part of it");
    assert_eq!((stock.taken, stock.paid[&points()]), (2, Amount(1_000)));
    book.give_coupon_back(sequence, &mut stock);
    assert_eq!((stock.kept(), stock.paid[&points()]), (1, Amount(500)));
    assert_eq!(book.available(&points()), 700);
    let (_, taken) = book.take_coupon(&coupon(500), None, &mut stock).unwrap();
    assert_eq!(taken.number, 2, "no number is given twice");
}

#[test]
fn r76_the_giver_chooses_what_a_cause_gets_within_its_bounds() {
    let cost = Cost::Chosen { min: Amount(10), max: Amount(100) };
    let trees = Coupon { cost, cause: Some("Trees".into()), ..coupon(0) };
    let (mut book, mut stock) = (holding(1_000), Stock::default());
    for (amount, want) in [
        (None, Err(Refusal::AmountOutOfRange)),
        (Some(9), Err(Refusal::AmountOutOfRange)),
        (Some(10), Ok(0)),
        (Some(100), Ok(1)),
        (Some(101), Err(Refusal::AmountOutOfRange)),
    ] {
        let taken = book.take_coupon(&trees, amount, &mut stock).map(|(_, taken)| taken.number);
        assert_eq!(taken, want, "{amount:?}");
    }
    assert_eq!(stock.paid[&points()], Amount(110));
    let refused = book.take_coupon(&coupon(10), Some(10), &mut stock).map(|_| ());
    assert_eq!(refused, Err(Refusal::AmountNotAllowed), "a coupon has its price");
}

/// Everything that can be wrong, from the first refusal to the last.
#[test]
fn r76_refusals_come_in_one_order() {
    let past = Period { from: None, to: Some(noon("2026-11-21")) };
    let wants = [
        Refusal::SpendingBlocked,
        Refusal::CouponNotOffered,
        Refusal::AmountNotAllowed,
        Refusal::NotCovered,
        Refusal::CouponSoldOut,
    ];
    for (first, want) in wants.into_iter().enumerate() {
        let has = |number: usize| number >= first;
        let mut book = holding(if has(3) { 49 } else { 50 });
        book.block(has(0));
        let valid = if has(1) { vec![past] } else { vec![] };
        let sold_out = Coupon { stock: Some(0), valid, ..coupon(50) };
        let amount = has(2).then_some(50);
        let refused = book.take_coupon(&sold_out, amount, &mut Stock::default()).map(|_| ());
        assert_eq!(refused, Err(want), "{first}");
    }
}

#[test]
fn r76_a_coupon_is_offered_in_its_periods_and_until_its_last_day() {
    let zone = holding(1).programme.zone;
    let period = |from, to| Period { from: Some(noon(from)), to: Some(noon(to)) };
    let valid = vec![period("2026-11-01", "2026-11-10"), period("2026-12-01", "2026-12-31")];
    let coupon = Coupon { valid, until: Some(day("2026-12-05")), ..coupon(1) };
    for (now, want) in [
        (Instant(noon("2026-11-01").0 - 1), false),
        (noon("2026-11-01"), true),
        (Instant(noon("2026-11-10").0 - 1), true),
        (noon("2026-11-10"), false),
        (at("2026-12-05T23:59:59+01:00"), true),
        (at("2026-12-06T00:00:00+01:00"), false),
    ] {
        assert_eq!(coupon.is_offered(now, zone), want, "{now:?}");
    }
}

#[test]
fn r76_how_long_a_coupon_may_be_used_counts_from_the_day_on_which_it_was_taken() {
    for (lasts, until, want) in [
        (None, None, None),
        (Some("P90D"), None, Some("2027-02-19")),
        (None, Some("2026-12-31"), Some("2026-12-31")),
        (Some("P90D"), Some("2026-12-31"), Some("2026-12-31")),
        (Some("P1D"), Some("2026-12-31"), Some("2026-11-22")),
    ] {
        let (lasts, until) = (lasts.map(span), until.map(day));
        let coupon = Coupon { lasts, until, codes: Codes::Generated, ..coupon(5) };
        let taken = holding(5).take_coupon(&coupon, None, &mut Stock::default()).unwrap().1;
        assert_eq!((taken.until, taken.code), (want.map(day), CodeTaken::Generated(Generation(2))));
    }
}

/// what expires first goes first, and terms allow or refuse a coupon like any spend.
#[test]
fn r76_a_coupon_takes_the_lots_that_a_spend_would() {
    let terms = |terms: Terms| Some(std::sync::Arc::new(terms));
    let days = |id: &str, days, terms| {
        let expires = domain::offer::Expiry::After(span(days));
        Offer { expires, terms, ..fixed(id, 10) }
    };
    let there = terms(Terms { units: vec![unit("shop-1")].into(), ..Terms::default() });
    let goods = terms(crate::terms::on(&["SKU-9"]));
    let offers =
        vec![days("late", "P9D", None), days("soon", "P5D", there), days("goods", "P2D", goods)];
    let mut book = Book::with(offers, noon("2026-11-21"));
    book.buy("start", 1_00);
    let mut stock = Stock::default();
    let refused = book.take_coupon(&coupon(11), None, &mut stock).map(|_| ());
    assert_eq!(refused, Err(Refusal::NotCovered), "neither elsewhere, nor on goods");
    let (coupon, unit) = (coupon(11), unit("shop-1"));
    let (amount, generation) = (None, Generation(0));
    let asked =
        CouponAsked { coupon: &coupon, amount, unit: Some(&unit), stock: &stock, generation };
    let (key, payload) = (key("there"), PayloadHash::default());
    let done = book.commit(&Command::TakeCoupon { key: &key, payload, asked });
    assert_eq!(done, Outcome::Done);
    let took = book.ledger.last().unwrap().effects.iter().filter_map(|effect| {
        let Effect::Take { lot, amount } = effect else { return None };
        Some((lot.expires.unwrap(), amount.0))
    });
    let want = [(day("2026-11-26"), 10), (day("2026-11-30"), 1)];
    assert_eq!(took.collect::<Vec<_>>(), want);
}

proptest! {
    /// however many come and cancel, no more are out than there are, no number is given
    /// twice, a code of the pool never comes back, and what was paid is what the wallets paid.
    #[test]
    fn r76_a_stock_is_never_overdrawn(
        steps in prop::collection::vec((any::<bool>(), 0..40_usize), 1..60),
        codes in prop::sample::select(vec![Codes::None, Codes::Uploaded, Codes::Generated]),
        there in 0..12_u64,
    ) {
        let limit = (codes != Codes::Uploaded).then_some(there);
        let coupon = Coupon { codes, stock: limit, ..coupon(3) };
        let mut stock = Stock { pool: there, ..Stock::default() };
        let (mut book, mut open, mut numbers) = (holding(1_000), Vec::new(), Vec::new());
        for (take, which) in steps {
            if take {
                match book.take_coupon(&coupon, None, &mut stock) {
                    Ok((sequence, taken)) => {
                        prop_assert!(!numbers.contains(&taken.number));
                        numbers.push(taken.number);
                        open.push(sequence);
                    }
                    Err(refusal) => {
                        prop_assert_eq!(refusal, Refusal::CouponSoldOut);
                        prop_assert_eq!(stock.left(&coupon), Some(0));
                    }
                }
            } else if which < open.len() {
                book.give_coupon_back(open.swap_remove(which), &mut stock);
            }
            let out = if codes == Codes::Uploaded { numbers.len() } else { open.len() } as u64;
            prop_assert!(out <= there);
            prop_assert_eq!(stock.left(&coupon), Some(there - out));
            prop_assert_eq!(stock.kept(), open.len() as u64);
            let paid = stock.paid.get(&points()).map_or(0, |paid| paid.0);
            prop_assert_eq!(paid, 1_000 - book.available(&points()));
        }
    }
}

fn keys() -> PassKeys {
    let lines: Vec<String> =
        (0..32).map(|n| format!("key {n:02} of thirty-two characters or more")).collect();
    PassKeys::parse(&lines.join("\n")).unwrap()
}

fn coupon_key(name: &str, generation: u8) -> CouponKey {
    CouponKey::of(&keys(), &coupon_id(name), Generation(generation)).unwrap()
}

proptest! {
    /// a code says number and last day, and only its own key made it.
    #[test]
    fn r76_a_code_that_is_made_here_is_proven_by_its_own_key_alone(
        number in 0..NUMBERS,
        until in prop::option::of(0..1_000_000_i32),
        generation in 0..32_u8,
    ) {
        let until = until.map(Day);
        let text = coupon_key("cinema", generation).code(number, until);
        prop_assert_eq!(text.len(), COUPON_LENGTH);
        let code = CouponCode::read(&text.to_lowercase().replace('-', " ")).unwrap();
        prop_assert_eq!((code.number, code.until), (number, until));
        prop_assert_eq!(code.generation, Generation(generation));
        prop_assert!(code.names(&coupon_id("cinema")) && coupon_key("cinema", generation).made(&code));
        prop_assert!(!coupon_key("museum", generation).made(&code));
        prop_assert!(!coupon_key("cinema", (generation + 1) % 32).made(&code));
        let mut longer = code.clone();
        longer.until = until.map_or(Some(Day(7)), |day| Some(Day(day.0 + 1)));
        prop_assert!(!coupon_key("cinema", generation).made(&longer), "nobody makes it last longer");
    }

    /// one symbol that is wrong is noticed.
    #[test]
    fn r76_a_mistyped_code_is_none(number in 0..NUMBERS, at in 0..COUPON_LENGTH, by in 1..32_usize) {
        const SYMBOLS: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let mut text = coupon_key("cinema", 0).code(number, None).into_bytes();
        if let Some(value) = SYMBOLS.iter().position(|symbol| *symbol == text[at]) {
            text[at] = SYMBOLS[(value + by) % 32];
            prop_assert!(CouponCode::read(std::str::from_utf8(&text).unwrap()).is_none());
        }
    }
}

#[test]
fn r76_a_coupon_is_no_pass_and_a_pass_is_no_coupon() {
    let coupon = coupon_key("gift", 0).code(7, None);
    let plan = domain::id::PlanId::parse("gift").unwrap();
    let pass = keys().of(&plan, Generation(0)).unwrap().told(7).code;
    assert!(PassCode::read(&coupon).is_none() && CouponCode::read(&pass).is_none());
    let without = |code: &str| code.replace('-', "").chars().rev().skip(1).collect::<String>();
    assert!(!without(&coupon).contains(&without(&pass)[..12]), "not even their tags are alike");
}

/// Coupons that were given out keep their codes: a change here would make them worthless.
#[test]
fn r76_codes_never_change() {
    let code = coupon_key("cinema", 3).code(987_654_321, Some(Day(20_800)));
    assert_eq!(code, "Q0A3-0XDW-T5H0-MA0E-X2K7-WDM4-3ACS");
}

#[test]
fn r76_a_partners_code_is_printable_and_known_by_its_mark() {
    for bad in ["", " a", "a ", "a\tb", "ü", &"x".repeat(65)] {
        assert!(PoolCode::parse(bad).is_err(), "{bad:?}");
    }
    let mark =
        |coupon: &str, code: &str| PoolCode::parse(code).ok().unwrap().mark(&coupon_id(coupon));
    assert_eq!(mark("cinema", "AB-1"), mark("cinema", "AB-1"));
    assert_ne!(mark("cinema", "AB-1"), mark("museum", "AB-1"));
    assert_ne!(mark("cinema", "AB-1"), mark("cinema", "ab-1"), "letter by letter");
}
