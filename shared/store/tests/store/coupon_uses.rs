//! What becomes of coupons once they are taken, and what they cost.

use std::rc::Rc;

use domain::coupon::Codes;
use domain::refusal::Refusal;
use store::{CODES_OF_PAGE, Error};

use crate::cast::{key, later, noon, open, person, programme, seed, timed_key};
use crate::coupons::{Till, codes, coupon, rich, stock, upload};
use crate::fault::Weather;
use crate::laws::walk;
use crate::races::{at_once, insist};
use crate::wire::Wire;

/// a coupon is used once, or cancelled, whoever is first.
#[tokio::test(start_paused = true)]
async fn r76_a_coupon_is_used_or_cancelled_and_never_both() {
    let (wire, coupon) = (Wire::new(seed("uses")), coupon("cinema", Codes::Generated, None));
    let programme = Rc::new(programme(vec![]));
    let (mut used, mut void) = (0, 0);
    for round in 0..24 {
        let name = format!("c-{round}");
        let store = open(&wire, true);
        let who = rich(&store, &programme, &name, 100).await;
        let till = Till { store: &store, programme: &programme, who: &who, now: later(1) };
        let taken = till.take(&coupon, &timed_key(noon(), 1)).await.unwrap().value;
        wire.weather(Weather { faults: 40, stale: 300, delay: 3 });
        let wins = at_once(4, |number| {
            let (wire, coupon, who) = (wire.clone(), coupon.clone(), who.clone());
            let (programme, taken) = (Rc::clone(&programme), taken.clone());
            async move {
                let store = open(&wire, true);
                let till = Till { store: &store, programme: &programme, who: &who, now: later(2) };
                let (name, number_of) = (key(&format!("use-{number}")), taken.taken.number);
                // A use takes fewer calls than a cancel: it begins with some of its own.
                let before = if number == 0 { 0 } else { fastrand::usize(..12) };
                for _ in 0..before {
                    insist(|| store.wallet(&who)).await.unwrap();
                }
                let done = match number {
                    0 => insist(|| till.cancel(taken.sequence)).await.map(drop),
                    _ => insist(|| till.use_up(&coupon, number_of, &name, None)).await.map(drop),
                };
                match done {
                    Ok(()) => Some(number),
                    Err(Error::Refused(Refusal::CouponUsed | Refusal::CouponVoid)) => None,
                    Err(other) => panic!("{other:?}"),
                }
            }
        })
        .await;
        wire.weather(Weather::default());
        let [won] = wins.into_iter().flatten().collect::<Vec<_>>()[..] else { panic!("one wins") };
        let has = walk(&wire, &who).wallet.lots.iter().map(|lot| lot.amount.0).sum::<i64>();
        assert_eq!(has, if won == 0 { 100 } else { 0 });
        if won == 0 { void += 1 } else { used += 1 }
    }
    assert!(used > 0 && void > 0, "each was first once: {used} used, {void} void");
    let stock = stock(&open(&wire, true), &coupon).await;
    assert_eq!((stock.taken, stock.cancelled), (24, void));
}

/// after its last day it is not used any more, but who asks again is answered as before.
#[tokio::test(start_paused = true)]
async fn r76_a_coupon_ends_with_its_last_day() {
    let (wire, coupon) = (Wire::new(0), coupon("cinema", Codes::Generated, None));
    let (store, programme, who) = (open(&wire, true), programme(vec![]), person("c-1"));
    let until = Some(noon().day(programme.zone));
    let till = Till { store: &store, programme: &programme, who: &who, now: noon() };
    let late = Till { now: later(24 * 60), ..till };
    let refused = late.use_up(&coupon, 0, &key("a"), until).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::CouponExpired))), "{refused:?}");
    let (used, repeated) = till.use_up(&coupon, 0, &key("a"), until).await.unwrap();
    assert!(!repeated && used.at == noon());
    assert_eq!(late.use_up(&coupon, 0, &key("a"), until).await.unwrap(), (used, true));
    let refused = late.use_up(&coupon, 0, &key("b"), until).await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::CouponUsed))), "{refused:?}");
}

/// 4.17 write units for a coupon, 1 more for the first of its kind, as much for its cancel, 1 for its use and 2 for a code.
#[tokio::test(start_paused = true)]
async fn r76_a_coupon_costs_four_writes_and_a_sixth() {
    let wire = Wire::new(0);
    let (store, programme) = (open(&wire, true), programme(vec![]));
    let who = rich(&store, &programme, "c-1", 1_000_000).await;
    let plain = coupon("plain", Codes::None, None);
    let made = coupon("made", Codes::Generated, None);
    let written = |times: u64| {
        let written: u64 = wire.take_calls().iter().map(|call| call.written).sum();
        (written * 10 + times / 2) / times
    };
    written(1);
    let mut sequences = Vec::new();
    for (coupon, cancel_price) in [(&plain, 417), (&made, 617)] {
        let till = Till { store: &store, programme: &programme, who: &who, now: noon() };
        let first = till.take(coupon, &timed_key(noon(), cancel_price)).await.unwrap();
        assert_eq!(first.value.taken.number, 0);
        let first = written(1);
        assert!([500, 600].contains(&first), "it is listed with its first one: {first}");
        for number in 0..60 {
            let now = later(number);
            let till = Till { store: &store, programme: &programme, who: &who, now };
            let number = u64::try_from(number).unwrap();
            let key = timed_key(now, number + coupon.id.as_str().len() as u64 * 100);
            sequences.push(till.take(coupon, &key).await.unwrap().value.sequence);
        }
        assert_eq!(written(60), 417, "{coupon:?}");
        let now = later(60);
        let till = Till { store: &store, programme: &programme, who: &who, now };
        for sequence in sequences.drain(..) {
            till.cancel(sequence).await.unwrap();
        }
        assert_eq!(written(60), cancel_price, "{coupon:?}");
    }
    let till = Till { store: &store, programme: &programme, who: &who, now: later(61) };
    till.use_up(&made, 99, &key("k"), None).await.unwrap();
    assert_eq!(written(1), 100);
    let full = CODES_OF_PAGE;
    upload(&store, &plain, "file", &codes(0, full)).await.unwrap();
    let page = written(1) - 100 - 200 * full as u64 - 200;
    assert!(page <= 400, "a page of {full} codes: {page}");
}
