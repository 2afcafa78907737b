//! Coupons: of so many exactly so many are taken, each with a code of its own, whoever asks at once
//! and however the wire behaves.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use domain::amount::Amount;
use domain::coupon::{Codes, Cost, Coupon, PoolCode, Stock};
use domain::id::{CouponId, Key, ParticipantId, TransactionCode};
use domain::pass::Generation;
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::{Day, Instant};
use store::{
    CancelSpend, CouponDone, CouponUse, Done, Error, Result, Store, TakingCoupon, Uploading,
    UsingCoupon,
};

use crate::cast::{key, later, noon, open, payload, person, points, programme, seed, timed_key};
use crate::fault::Weather;
use crate::laws::walk;
use crate::money::Ask;
use crate::operation::done;
use crate::races::{at_once, insist};
use crate::wire::Wire;

/// A coupon of 100 points.
pub fn coupon(id: &str, codes: Codes, stock: Option<u64>) -> Coupon {
    Coupon {
        id: CouponId::parse(id).unwrap(),
        name: "Cinema ticket".into(),
        partner: None,
        balance: points(),
        cost: Cost::Fixed(Amount(100)),
        stock,
        codes,
        donated: false,
        cause: None,
        valid: vec![],
        lasts: None,
        until: None,
    }
}

/// So many codes of a partner; `from` tells files apart.
pub fn codes(from: usize, count: usize) -> Vec<(usize, PoolCode)> {
    let code = |number: usize| PoolCode::parse(&format!("CODE-{:05}", from + number)).ok().unwrap();
    (0..count).map(|row| (row, code(row))).collect()
}

/// Whoever takes, cancels and uses coupons.
pub struct Till<'a> {
    pub store: &'a Store,
    pub programme: &'a Programme,
    pub who: &'a ParticipantId,
    pub now: Instant,
}

impl Till<'_> {
    pub async fn take(&self, coupon: &Coupon, key: &Key) -> Result<Done<CouponDone>> {
        let Till { programme, who: participant, now, .. } = *self;
        let (payload, amount, unit, generation) = (payload(1), None, None, Generation(3));
        let order = TakingCoupon {
            programme,
            now,
            participant,
            key,
            payload,
            coupon,
            amount,
            unit,
            generation,
        };
        Box::pin(self.store.take_coupon(&order)).await
    }

    pub async fn cancel(&self, sequence: u64) -> Result<Done<store::SpendCancelled>> {
        let spend = &TransactionCode { participant: self.who.clone(), sequence };
        let Till { programme, now, .. } = *self;
        let order = CancelSpend { programme, now, spend, payload: payload(9), reason: None };
        Box::pin(self.store.cancel_spend(&order)).await
    }

    pub async fn use_up(
        &self,
        coupon: &Coupon,
        number: u64,
        key: &Key,
        until: Option<Day>,
    ) -> Result<(CouponUse, bool)> {
        let Till { programme, now, .. } = *self;
        let (coupon, payload, unit, who) = (&coupon.id, payload(1), None, "till-7");
        let order = UsingCoupon { programme, now, coupon, number, until, key, payload, unit, who };
        self.store.use_coupon(&order).await
    }
}

/// Adds codes to a pool.
pub async fn upload(
    store: &Store,
    coupon: &Coupon,
    name: &str,
    rows: &[(usize, PoolCode)],
) -> Result<Vec<bool>> {
    let (coupon, key) = (&coupon.id, &key(name));
    store.upload_codes(&Uploading { coupon, key, payload: payload(3), rows }).await
}

/// A pool of three codes.
pub async fn prepare(store: &Store) -> Result<()> {
    let pool = coupon("pool", Codes::Uploaded, None);
    upload(store, &pool, "first", &codes(0, 3)).await.map(drop)
}

/// Asks once, as the tests of the bad wire do; the answer as text.
pub async fn ask(
    store: &Store,
    programme: &Programme,
    who: &ParticipantId,
    what: &str,
) -> Result<String> {
    let made = coupon("made", Codes::Generated, None);
    let (timed, till) = (timed_key(noon(), 9), Till { store, programme, who, now: later(1) });
    let taken = || till.take(&made, &timed);
    Ok(match what {
        "take without time" => done(till.take(&made, &key("k-9")).await)?,
        "sold out" => {
            let none = coupon("none", Codes::Generated, Some(0));
            done(till.take(&none, &timed).await)?
        }
        "not covered" => {
            let dear = Coupon { cost: Cost::Fixed(Amount(999_999)), ..made };
            done(till.take(&dear, &timed).await)?
        }
        "pool" => {
            let pool = coupon("pool", Codes::Uploaded, None);
            let taken = till.take(&pool, &timed).await?;
            let code = store.pool_code(&pool.id, taken.value.taken.number).await?;
            format!("{} {}", done(Ok(taken))?, code.as_str())
        }
        "cancel" => {
            let taken = taken().await?;
            done(till.cancel(taken.value.sequence).await)?
        }
        "cancel used" => {
            let taken = taken().await?;
            till.use_up(&made, taken.value.taken.number, &timed, None).await?;
            done(till.cancel(taken.value.sequence).await)?
        }
        "upload" => {
            let pool = coupon("pool", Codes::Uploaded, None);
            format!("{:?}", upload(store, &pool, "second", &codes(1, 100)).await?)
        }
        "use" => format!("{:?}", till.use_up(&made, 7, &timed, None).await?.0),
        "use void" => {
            let taken = taken().await?;
            till.cancel(taken.value.sequence).await?;
            match till.use_up(&made, taken.value.taken.number, &timed, None).await {
                Err(Error::Refused(refusal)) => refusal.code().to_owned(),
                other => format!("{:?}", other?),
            }
        }
        "read" => {
            let ids = ["pool", "made"].map(|id| CouponId::parse(id).unwrap());
            format!("{:?}", store.stocks(&ids).await?)
        }
        "take" => done(taken().await)?,
        other => panic!("{other}"),
    })
}

/// Somebody with so many points.
pub async fn rich(store: &Store, programme: &Programme, name: &str, points: i64) -> ParticipantId {
    let who = person(name);
    store.register(&who, None, vec![]).await.unwrap();
    let key = timed_key(noon(), 77);
    Ask::new(store, programme, &who, noon(), &key).adjust(points, None).await.unwrap();
    who
}

/// What there is of a coupon.
pub async fn stock(store: &Store, coupon: &Coupon) -> Stock {
    store.stocks(std::slice::from_ref(&coupon.id)).await.unwrap().remove(0)
}

/// Sixty-four come for ten, each sent twice; answers the numbers that they got.
async fn rush(wire: &Wire, coupon: &Coupon) -> Vec<u64> {
    let programme = Rc::new(programme(vec![]));
    for number in 0..64 {
        rich(&open(wire, true), &programme, &format!("c-{number}"), 150).await;
    }
    wire.weather(Weather { faults: 40, stale: 300, delay: 3 });
    let taken = at_once(64, |number| {
        let (wire, coupon, programme) = (wire.clone(), coupon.clone(), Rc::clone(&programme));
        async move {
            let (store, who) = (open(&wire, number % 2 == 0), person(&format!("c-{number}")));
            // A key in four carries no time.
            let timed = timed_key(noon(), 1);
            let key = if number % 4 == 0 { key("mine") } else { timed };
            let now = later(1);
            let till = Till { store: &store, programme: &programme, who: &who, now };
            let ask = || insist(|| till.take(&coupon, &key));
            let (one, two) = tokio::join!(ask(), ask());
            match (one, two) {
                (Ok(one), Ok(two)) => {
                    assert_eq!(one.value, two.value, "one key, one answer");
                    Some((number, one.value.taken.number))
                }
                (Err(one), Err(two)) => {
                    for refused in [one, two] {
                        let sold_out = Error::Refused(Refusal::CouponSoldOut);
                        assert_eq!(format!("{refused:?}"), format!("{sold_out:?}"));
                    }
                    None
                }
                other => panic!("{other:?}"),
            }
        }
    })
    .await;
    wire.weather(Weather::default());
    let taken: BTreeMap<usize, u64> = taken.into_iter().flatten().collect();
    for number in 0..64 {
        let left = walk(wire, &person(&format!("c-{number}"))).wallet.lots[0].amount.0;
        let wants = if taken.contains_key(&number) { 50 } else { 150 };
        assert_eq!(left, wants, "who got one has paid, and nobody else");
    }
    taken.into_values().collect()
}

/// sold out is sold out, and nobody pays for nothing.
#[tokio::test(start_paused = true)]
async fn r76_of_sixty_four_who_come_at_once_ten_get_a_coupon() {
    for codes in [Codes::None, Codes::Generated] {
        let (wire, coupon) = (Wire::new(seed("coupons")), coupon("cinema", codes, Some(10)));
        let numbers = rush(&wire, &coupon).await;
        assert_eq!(BTreeSet::from_iter(numbers.clone()), (0..10).collect());
        let stock = stock(&open(&wire, true), &coupon).await;
        assert_eq!((numbers.len(), stock.taken, stock.paid[&points()]), (10, 10, Amount(1_000)));
    }
}

/// each gets another code of the pool, and a repeat the same.
#[tokio::test(start_paused = true)]
async fn r76_no_code_of_a_pool_is_handed_out_twice() {
    let (wire, coupon) = (Wire::new(seed("pool")), coupon("cinema", Codes::Uploaded, None));
    let store = open(&wire, true);
    assert_eq!(upload(&store, &coupon, "file", &codes(0, 10)).await.unwrap(), [true; 10]);
    let numbers = rush(&wire, &coupon).await;
    let mut got = BTreeSet::new();
    for number in &numbers {
        got.insert(store.pool_code(&coupon.id, *number).await.unwrap().as_str().to_owned());
    }
    assert_eq!(
        (numbers.len(), got.len(), stock(&store, &coupon).await.left(&coupon)),
        (10, 10, Some(0))
    );
    // What is uploaded later is there for whoever comes next; what is cancelled is not.
    let (programme, who) = (programme(vec![]), rich(&store, &programme(vec![]), "late", 500).await);
    let till = Till { store: &store, programme: &programme, who: &who, now: later(2) };
    let refused = till.take(&coupon, &timed_key(later(2), 1)).await.map(drop);
    assert!(matches!(refused, Err(Error::Refused(Refusal::CouponSoldOut))), "{refused:?}");
    upload(&store, &coupon, "more", &codes(10, 2)).await.unwrap();
    let first = till.take(&coupon, &timed_key(later(2), 2)).await.unwrap().value;
    assert_eq!(first.taken.number, 10);
    till.cancel(first.sequence).await.unwrap();
    let next = till.take(&coupon, &timed_key(later(2), 3)).await.unwrap().value;
    assert_eq!(next.taken.number, 11, "a code that somebody has seen is never given again");
    assert_eq!(stock(&store, &coupon).await.left(&coupon), Some(0));
}

/// whatever files come, whoever uploads them, and however often: each code is in the pool once.
#[tokio::test(start_paused = true)]
async fn r76_a_code_is_in_the_pool_once_however_many_files_have_it() {
    let (wire, coupon) = (Wire::new(seed("files")), coupon("cinema", Codes::Uploaded, None));
    wire.weather(Weather { faults: 40, stale: 300, delay: 3 });
    // Six files, each half of the next; each is sent twice at once.
    let brought = at_once(6, |file| {
        let (wire, coupon) = (wire.clone(), coupon.clone());
        async move {
            let (store, rows) = (open(&wire, true), codes(file * 150, 300));
            let name = format!("file-{file}");
            let ask = || insist(|| upload(&store, &coupon, &name, &rows));
            let (one, two) = tokio::join!(ask(), ask());
            let one = one.unwrap();
            assert_eq!(one, two.unwrap(), "one key, one answer");
            one.iter().filter(|brought| **brought).count()
        }
    })
    .await;
    wire.weather(Weather::default());
    let (store, all) = (open(&wire, true), 150 * 7);
    assert_eq!(brought.iter().sum::<usize>(), all);
    assert_eq!(stock(&store, &coupon).await.pool, all as u64);
    let mut pool = BTreeSet::new();
    for number in 0..all as u64 {
        pool.insert(store.pool_code(&coupon.id, number).await.unwrap().as_str().to_owned());
    }
    assert_eq!(pool.len(), all);
    let before = wire.items();
    let mut again = codes(0, 2);
    again.push((2, codes(0, 1).remove(0).1));
    again.push((3, codes(9_000, 1).remove(0).1));
    again.push((4, codes(9_000, 1).remove(0).1));
    let want = [false, false, false, true, false];
    assert_eq!(upload(&store, &coupon, "again", &again).await.unwrap(), want);
    assert_eq!(upload(&store, &coupon, "again", &again).await.unwrap(), want, "the same answer");
    let keys = |items: &BTreeMap<_, _>| items.keys().cloned().collect::<BTreeSet<_>>();
    let new: Vec<_> = keys(&wire.items()).difference(&keys(&before)).cloned().collect();
    assert_eq!(new.len(), 3, "the upload, its page and the one code: {new:?}");
    let (order, rows) = (key("again"), &again);
    let other = Uploading { coupon: &coupon.id, key: &order, payload: payload(8), rows };
    assert!(matches!(store.upload_codes(&other).await, Err(Error::KeyReused)));
}
