//! Activity by month: it is what the events and spends that stand come to, and segments ask
//! for it at the edges of the months of the programme's zone.

use std::collections::BTreeMap;

use domain::activity::{ACTIVITY_MONTHS, Activity, Goods, MAX_WATCHED, Watch, Watched};
use domain::amount::Amount;
use domain::area::{Area, Areas, Popular};
use domain::award::Mode;
use domain::event::{Event, EventState, EventType, Judgement, RecordedEvent};
use domain::id::{AreaId, ListId, OfferId, ParticipantId};
use domain::ledger::Effect;
use domain::participant::Participant;
use domain::programme::Programme;
use domain::segment::{Bounds, Deed, List, Measure, Months, Predicate};
use domain::time::{Day, Instant, Month};
use domain::wallet::Wallet;

use crate::bookkeeping::Book;
use crate::fixture::*;

fn centre() -> AreaId {
    AreaId::parse("centre").unwrap()
}

fn coffee() -> Watch {
    Watch::Purchases { goods: Some(Goods::Category(product("coffee"))), area: None }
}

fn coffee_in_the_centre() -> Watch {
    let goods = Some(Goods::Product(product("SKU-9")));
    Watch::Purchases { goods, area: Some(centre()) }
}

fn in_the_centre() -> Watch {
    Watch::Purchases { goods: None, area: Some(centre()) }
}

/// What `SKU-9` is watched for, and these offers; of the units, the first two lie in the centre.
pub fn watching(programme: &mut Programme, offers: &[&str]) {
    let units = vec![unit("shop-1"), unit("shop-2")];
    programme.areas = Areas::from(vec![Area { id: centre(), units, popular: Popular::default() }]);
    programme.counts_days = true;
    programme.watched = vec![coffee(), coffee_in_the_centre(), in_the_centre()];
    let offers = offers.iter().map(|id| Watch::Offer(OfferId::parse(id).unwrap()));
    programme.watched.extend(offers);
}

/// All that a wallet should know of its months, computed from what stands.
pub fn of_months(book: &Book) {
    let mut months: BTreeMap<Month, Activity> = BTreeMap::new();
    let mut watched: BTreeMap<Watch, BTreeMap<Month, i32>> = BTreeMap::new();
    let month = |at: Instant| at.day(ZONE).month();
    let none =
        |month: Month| Activity { month, purchases: 0, amount: Amount(0), spends: 0, awards: 0 };
    let on_events = book.events.iter().flat_map(|event| &event.spends);
    let on_events = on_events.filter(|spend| spend.spent().0 > 0).map(|spend| &spend.made);
    let free = book.free_spends.iter().map(|at| book.entry(*at).spend().unwrap());
    for made in on_events.chain(free) {
        let month = month(made.performed_on);
        months.entry(month).or_insert(none(month)).spends += 1;
    }
    let judged = |event: &&RecordedEvent| !event.judgements.is_empty();
    let stands = |event: &&RecordedEvent| event.state == EventState::Posted;
    for event in book.events.iter().filter(judged).filter(stands) {
        let month = month(event.event.performed_on);
        let known = months.entry(month).or_insert(none(month));
        known.awards += i32::from(event.judgements.iter().any(Judgement::gave_something));
        if event.event.event_type() == EventType::Purchase {
            known.purchases += 1;
            known.amount.0 += event.left().total().0;
        }
        for watch in &book.programme.watched {
            if is_so(watch, event) {
                *watched.entry(watch.clone()).or_default().entry(month).or_default() += 1;
            }
        }
    }
    months.retain(|_, known| !known.is_nothing());
    if months.len() < ACTIVITY_MONTHS {
        let known = book.wallet.activity.iter().filter(|known| !known.is_nothing());
        let known: Vec<_> = known.copied().collect();
        assert_eq!(known, months.into_values().collect::<Vec<_>>(), "R-93: what stands, by month");
    }
    let judged = book.events.iter().flat_map(|event| &event.judgements);
    // What was bought before a version that watches for it is not known.
    if judged.map(|judgement| judgement.programme).all(|by| by == book.programme.version) {
        let kept = watched.into_iter().map(|(watch, months)| {
            let months = months.into_iter().collect();
            Watched { watch, months }
        });
        assert_eq!(
            book.wallet.watched,
            kept.collect::<Vec<_>>(),
            "R-93: what is watched, by month"
        );
        of_days(book);
    }
}

/// Purchases since each day that may be asked for.
fn of_days(book: &Book) {
    let purchases = book.events.iter().filter(|event| {
        !event.judgements.is_empty() && event.event.event_type() == EventType::Purchase
    });
    let days: Vec<_> = purchases.map(|event| (event.event.performed_on.day(ZONE), event)).collect();
    let Some(newest) =
        days.iter().map(|(day, _)| *day).max().filter(|_| book.programme.counts_days)
    else {
        return;
    };
    for first in (0..31).map(|days| newest.minus_days(days)) {
        let stands = |(day, event): &&(Day, &RecordedEvent)| {
            *day >= first && event.state == EventState::Posted
        };
        let stand = i64::try_from(days.iter().filter(stands).count()).unwrap();
        assert_eq!(book.wallet.bought_since(first), stand, "R-93: bought since {first:?}");
    }
}

fn is_so(watch: &Watch, event: &RecordedEvent) -> bool {
    let left = event.left();
    let lies = event.event.unit == Some(unit("shop-1")) || event.event.unit == Some(unit("shop-2"));
    let sku = event
        .event
        .lines()
        .iter()
        .enumerate()
        .any(|(at, line)| line.product == Some(product("SKU-9")) && left.quantity(at) > 0);
    let gave = |offer: &OfferId| {
        event.judgements.iter().any(|judgement| {
            judgement.awards.iter().any(|award| award.offer == *offer)
                || judgement.discounts.iter().any(|discount| discount.offer == *offer)
                || judgement.passes.iter().any(|given| given.offer == *offer)
        })
    };
    match watch {
        Watch::Purchases { goods, area } => (goods.is_none() || sku) && (area.is_none() || lies),
        Watch::Offer(offer) => gave(offer),
    }
}

fn who() -> ParticipantId {
    ParticipantId::parse("c-1").unwrap()
}

fn holds(predicate: &Predicate, wallet: &Wallet, now: Instant) -> bool {
    predicate.holds(&who(), &Participant::default(), wallet, now, ZONE)
}

fn this_month() -> Months {
    Months { count: 1, ago: 0 }
}

fn least(amount: i64) -> Bounds {
    Bounds { at_least: Some(Amount(amount)), at_most: None }
}

fn within(least: Option<i64>, most: Option<i64>) -> Measure {
    Measure::Within(Bounds { at_least: least.map(Amount), at_most: most.map(Amount) })
}

fn bought_at(times: &[&str]) -> Book {
    let mut book = Book::with(vec![fixed("ten", 10)], noon("2026-11-20"));
    for (number, time) in times.iter().enumerate() {
        let which = book.accept(purchase(&format!("R-{number}"), 10_00, at(time)));
        book.judge(which, Mode::Interactive);
    }
    book
}

/// a month begins and ends with the clock of the zone, not of UTC, and of what was done it is
/// the time that the till tells which counts.
#[test]
fn r93_months_are_those_of_the_zone() {
    let book = bought_at(&[
        "2026-09-30T23:59:59+02:00",
        "2026-09-30T22:00:00Z",
        "2026-10-31T22:59:59Z",
        "2026-10-31T23:00:00Z",
    ]);
    let cases = [
        // At, months, of them the last so many ago, purchases.
        ("2026-11-01T00:00:00+01:00", 1, 0, 1),
        ("2026-10-31T23:59:59+01:00", 1, 0, 2),
        ("2026-10-31T22:59:59Z", 1, 1, 1),
        ("2026-11-30T22:59:59Z", 1, 0, 1),
        ("2026-11-30T23:00:00Z", 1, 0, 0),
        ("2026-11-30T23:00:00Z", 1, 1, 1),
        ("2026-11-15T12:00:00Z", 2, 0, 3),
        ("2026-11-15T12:00:00Z", 3, 0, 4),
        ("2026-11-15T12:00:00Z", 2, 1, 3),
        ("2026-11-15T12:00:00Z", 12, 2, 1),
        ("2027-01-01T00:00:00+01:00", 2, 0, 0),
        ("2027-01-01T00:00:00+01:00", 4, 0, 3),
    ];
    for (now, count, ago, purchases) in cases {
        let months = Months { count, ago };
        let asked = |deed, amount| {
            let exactly = within(Some(amount), Some(amount));
            holds(&Predicate::Activity(deed, months, exactly), &book.wallet, at(now))
        };
        let told = format!("{count} months, {ago} before {now}");
        assert!(asked(Deed::Bought, purchases), "{told}");
        assert!(asked(Deed::Sales, purchases * 10_00), "{told}");
        assert!(asked(Deed::Awarded, purchases), "{told}");
        assert!(asked(Deed::Spent, 0), "{told}");
    }
}

/// purchases of the last days, today included, by the clock of the zone, until they are
/// cancelled.
#[test]
fn r93_who_bought_in_the_last_days() {
    let mut book = Book::with(vec![fixed("ten", 10)], noon("2026-11-20"));
    book.programme.counts_days = true;
    let times = ["2026-10-21T12:00:00Z", "2026-11-06T22:59:59Z", "2026-11-06T23:00:00Z"];
    for (number, time) in times.iter().chain(&times[2..]).enumerate() {
        let which = book.accept(purchase(&format!("R-{number}"), 10_00, at(time)));
        book.judge(which, Mode::Interactive);
    }
    let bought = |book: &Book, days, now: &str| {
        let asked = |count| {
            let exactly = Bounds { at_least: Some(Amount(count)), at_most: Some(Amount(count)) };
            holds(&Predicate::BoughtWithin(days, exactly), &book.wallet, at(now))
        };
        (0..5).find(|count| asked(*count)).unwrap()
    };
    let cases = [
        ("2026-11-20T12:00:00Z", 1, 0),
        ("2026-11-20T12:00:00Z", 13, 0),
        ("2026-11-20T12:00:00Z", 14, 2),
        ("2026-11-20T12:00:00Z", 15, 3),
        ("2026-11-20T22:59:59Z", 31, 4),
        ("2026-11-20T23:00:00Z", 31, 3),
        ("2026-11-20T23:00:00Z", 14, 0),
    ];
    for (now, days, count) in cases {
        assert_eq!(bought(&book, days, now), count, "{days} days until {now}");
    }
    book.cancel_event(3).unwrap();
    assert_eq!(bought(&book, 14, cases[0].0), 1, "of two on one day");
    book.cancel_event(2).unwrap();
    assert_eq!((bought(&book, 14, cases[0].0), bought(&book, 15, cases[0].0)), (0, 1));
    of_months(&book);
    // Where no segment asks for days any more, none is kept: later ones begin anew, without a gap.
    book.programme.counts_days = false;
    let which = book.accept(purchase("R-9", 10_00, at("2026-11-19T12:00:00Z")));
    book.judge(which, Mode::Interactive);
    assert_eq!(book.wallet.days, []);
}

/// bought this month, and spent nothing; a spend counts in the month of its own time, until
/// it is cancelled.
#[test]
fn r93_who_bought_and_spent_nothing() {
    let mut book = bought_at(&["2026-11-03T10:00:00Z"]);
    let segment = Predicate::All(vec![
        Predicate::Activity(Deed::Bought, this_month(), within(Some(1), None)),
        Predicate::Activity(Deed::Spent, this_month(), within(None, Some(0))),
    ]);
    assert!(holds(&segment, &book.wallet, book.now));
    book.spend(points(), Some(4), None).unwrap();
    assert!(!holds(&segment, &book.wallet, book.now));
    assert!(!holds(&segment, &book.wallet, at("2026-12-01T00:00:00+01:00")), "bought nothing");
    let sequence = book.free_spends[0];
    book.cancel_spend(sequence).unwrap();
    assert!(holds(&segment, &book.wallet, book.now));
    of_months(&book);
}

/// sales of this month below half of the average of the three before, to the cent.
#[test]
fn r93_sales_that_fell() {
    let wallet = |sales: [i64; 4]| {
        let months = (0..).zip(sales).filter(|(_, amount)| *amount > 0);
        let month = |(at, amount): (i32, i64)| {
            let amount = Amount(amount);
            let month = Month(day("2026-08-01").month().0 + at);
            Activity { month, purchases: 1, amount, spends: 0, awards: 0 }
        };
        Wallet { activity: months.map(month).collect(), ..Wallet::default() }
    };
    let cases = [
        // August to November, below half of the average, above twice it.
        ([100_00, 100_00, 100_00, 49_99], true, false),
        ([100_00, 100_00, 100_00, 50_00], false, false),
        ([0, 0, 300_00, 49_99], true, false),
        ([0, 0, 300_00, 50_00], false, false),
        // An average that is no whole number of cents is not rounded.
        ([0, 0, 1_00, 16], true, false),
        ([0, 0, 1_00, 17], false, false),
        ([0, 0, 1_00, 66], false, false),
        ([0, 0, 1_00, 67], false, true),
        // Who bought nothing cannot buy less; and anything is more.
        ([0, 0, 0, 0], false, false),
        ([0, 0, 0, 1], false, true),
        ([1, 0, 0, 0], true, false),
    ];
    for (sales, fell, rose) in cases {
        let below = Measure::Below { percent: 50, average_of: 3 };
        let above = Measure::Above { percent: 200, average_of: 3 };
        let asked = |measure, date: &str, ago| {
            let months = Months { count: 1, ago };
            let predicate = Predicate::Activity(Deed::Sales, months, measure);
            holds(&predicate, &wallet(sales), noon(date))
        };
        assert_eq!(asked(below, "2026-11-30", 0), fell, "{sales:?}");
        assert_eq!(asked(above, "2026-11-01", 0), rose, "{sales:?}");
        assert_eq!(asked(below, "2026-12-01", 1), fell, "{sales:?} of the month before");
    }
}

/// two months are held against two average ones.
#[test]
fn r93_several_months_are_compared_with_as_many() {
    let month = |at: i32| Activity {
        month: Month(day("2026-06-01").month().0 + at),
        purchases: if at < 4 { 4 } else { 1 },
        amount: Amount(10_00),
        spends: 0,
        awards: 0,
    };
    let wallet = Wallet { activity: (0..6).map(month).collect(), ..Wallet::default() };
    let asked = |percent| {
        let measure = Measure::Below { percent, average_of: 4 };
        let months = Months { count: 2, ago: 0 };
        holds(&Predicate::Activity(Deed::Bought, months, measure), &wallet, noon("2026-11-15"))
    };
    assert!(asked(26) && !asked(25), "2 of 8");
}

/// the newest event is longer ago than that; of whom none is known it is not so.
#[test]
fn r93_a_last_event_longer_ago() {
    let wallet = Wallet { last_event: Some(at("2026-06-01T00:00:00+02:00")), ..Wallet::default() };
    let asked = |days: &str, wallet: &Wallet| {
        holds(&Predicate::LastEventBefore(span(days)), wallet, noon("2026-06-10"))
    };
    assert!(asked("P8D", &wallet) && !asked("P9D", &wallet));
    assert!(!asked("P0D", &Wallet::default()));
}

/// a list names its members one by one.
#[test]
fn r93_who_stands_on_a_list() {
    let list = |names: &[&str]| {
        let participants = names.iter().map(|name| ParticipantId::parse(name).unwrap()).collect();
        let id = ListId::parse("vips").unwrap();
        Predicate::Listed(std::sync::Arc::new(List { id, participants }))
    };
    let now = noon("2026-06-10");
    assert!(holds(&list(&["a-1", "c-1"]), &Wallet::default(), now));
    assert!(!holds(&list(&["C-1", "c-2"]), &Wallet::default(), now));
}

fn shop(book: &mut Book, reference: &str, lines: &[Option<&str>], place: &str) -> usize {
    let goods = |name: &Option<&str>| {
        let mut line = line(2, 1_00, 0);
        line.product = name.map(product);
        line
    };
    let lines = lines.iter().map(goods).collect();
    let event = with_lines(purchase(reference, 0, book.now), lines);
    let which = book.accept(Event { unit: Some(unit(place)), ..event });
    book.judge(which, Mode::Interactive);
    which
}

/// buys coffee, and in the centre; what comes back is not bought, however it comes back.
#[test]
fn r93_what_was_bought_and_where() {
    let mut book = Book::with(vec![fixed("ten", 10)], noon("2026-11-20"));
    watching(&mut book.programme, &["ten", "other"]);
    let count = |book: &Book, watch: &Watch| {
        (0..).find(|count| {
            let asked = Predicate::Watched(watch.clone(), this_month(), least(*count + 1));
            !holds(&asked, &book.wallet, book.now)
        })
    };
    let all = |book: &Book| {
        let offer = Watch::Offer(OfferId::parse("ten").unwrap());
        [coffee(), coffee_in_the_centre(), in_the_centre(), offer]
            .map(|one| count(book, &one).unwrap())
    };
    let first = shop(&mut book, "R-1", &[Some("SKU-9"), None], "shop-1");
    assert_eq!(all(&book), [1, 1, 1, 1]);
    shop(&mut book, "R-2", &[Some("SKU-9")], "shop-3");
    shop(&mut book, "R-3", &[Some("bread"), None], "shop-2");
    assert_eq!(all(&book), [2, 1, 2, 2], "shop-3 lies elsewhere, and awards nothing");
    book.give_back(first, &[(0, 1)]).unwrap();
    assert_eq!(all(&book), [2, 1, 2, 2], "one of two coffees is a coffee");
    book.give_back(first, &[(0, 1)]).unwrap();
    assert_eq!(all(&book), [1, 0, 2, 2]);
    book.give_back(first, &[(1, 2)]).unwrap();
    assert_eq!(all(&book), [1, 0, 1, 1], "nothing is left of it");
    of_months(&book);
    assert_eq!(Wallet::replay(&book.ledger), book.wallet);
}

/// from the version that names it on, and no longer than a segment does.
#[test]
fn r93_what_no_segment_names_is_not_kept() {
    let mut book = Book::with(vec![fixed("ten", 10)], noon("2026-11-20"));
    shop(&mut book, "R-1", &[Some("SKU-9")], "shop-1");
    assert!(book.wallet.watched.is_empty());
    watching(&mut book.programme, &[]);
    book.programme.version += 1;
    let second = shop(&mut book, "R-2", &[Some("SKU-9")], "shop-1");
    let kept =
        |book: &Book| book.wallet.watched.iter().map(|w| w.watch.clone()).collect::<Vec<_>>();
    let mut watched = book.programme.watched.clone();
    watched.sort();
    assert_eq!(kept(&book), watched, "each once, in order");
    assert!(book.wallet.watched.iter().all(|known| known.months.len() == 1));
    book.programme.watched = vec![coffee()];
    shop(&mut book, "R-3", &[None], "shop-3");
    assert_eq!(kept(&book), [coffee()]);
    // What is forgotten is not taken back.
    book.cancel_event(second).unwrap();
    assert!(book.wallet.watched.is_empty());
    assert_eq!(Wallet::replay(&book.ledger), book.wallet);
}

fn enter(wallet: &mut Wallet, effects: Vec<Effect>) {
    effects.iter().for_each(|effect| wallet.carry_out(effect));
}

/// a wallet keeps thirteen months, and so many things: what was so longest ago goes first.
#[test]
fn r93_old_months_fold_away() {
    let mut wallet = Wallet::default();
    let watch = |number: usize| Watch::Offer(OfferId::parse(&format!("o-{number:02}")).unwrap());
    let so = |number, month, by| {
        let lines = Vec::new();
        Effect::Watched { watch: watch(number), month: Month(month), by, lines }
    };
    let spent = |month| {
        Effect::Activity(Activity {
            month: Month(month),
            purchases: 0,
            amount: Amount(0),
            spends: 1,
            awards: 0,
        })
    };
    enter(&mut wallet, (0..20).map(spent).collect());
    enter(&mut wallet, (0..20).map(|month| so(0, month, 1)).collect());
    let months: Vec<i32> = wallet.activity.iter().map(|known| known.month.0).collect();
    assert_eq!(months, (7..20).collect::<Vec<_>>());
    assert_eq!(wallet.watched[0].months, (7..20).map(|at| (Month(at), 1)).collect::<Vec<_>>());
    // What is older does not come back, neither by itself nor where a newer month is taken back.
    enter(&mut wallet, vec![so(0, 3, 1), so(0, 3, -1), so(0, 12, -1), so(0, 4, 1)]);
    let left: Vec<_> = wallet.watched[0].months.iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!((left.len(), left[0].0), (12, Month(7)));

    let more = (1..=MAX_WATCHED).map(|number| so(number, if number == 5 { 18 } else { 30 }, 1));
    enter(&mut wallet, more.collect());
    assert_eq!(wallet.watched.len(), MAX_WATCHED);
    assert!(wallet.watched.iter().all(|known| known.watch != watch(5)), "the stalest");
}
