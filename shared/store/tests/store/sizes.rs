//! How large a wallet is, and what that makes a spend cost.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::activity::{
    ACTIVITY_DAYS, ACTIVITY_MONTHS, Activity, Goods, MAX_WATCHED, Watch, Watched,
};
use domain::amount::Amount;
use domain::apply::{Command, apply};
use domain::award::{Facts, Mode};
use domain::event::{Judge, RecordedEvent};
use domain::id::{BalanceCode, OfferId, PlanId, ProductId, UnitId};
use domain::ledger::{EntryKey, LotId, Slot};
use domain::offer::{AwardForm, Expiry, Limit, Offer};
use domain::pass::Activation;
use domain::programme::Programme;
use domain::spend::SpendAsked;
use domain::terms::Terms;
use domain::time::{Calendar, Day, Duration, Instant, Month};
use domain::wallet::{Counter, Lot, MAX_ACTIVATIONS, Wallet};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::cast::{
    later, noon, offer, open, payload, percent, person, post, programme, purchase, spend, timed_key,
};
use crate::laws::bytes;
use crate::record::{State, encode_state};
use crate::wire::Wire;

/// As people are named: by an opaque id.
const WHO: &str = "01932f6c-7a4e-7c1b-9d2f-5b8e6a3c4d71";

/// Points that expire at the end of the quarter after next, and a welcome gift.
fn rules() -> Programme {
    let quarter = Expiry::EndOf(Calendar::Quarter, Duration::parse("P6M").unwrap());
    let gift = offer("birthday-gift", "eur", AwardForm::Fixed(Amount(5_00)));
    let per_year = Limit::OncePerCalendar(Calendar::Year);
    programme(vec![
        Offer { expires: quarter, ..percent("one-percent", "points", "100") },
        Offer { limit: per_year, ..gift },
    ])
}

/// A wallet of two balances in use for more than a year, with so many lots.
fn wallet(programme: &Programme, lots: i32) -> Wallet {
    let balance = |code: &str| BalanceCode::parse(code).unwrap();
    let today = noon().day(programme.zone);
    let lot = |number: i32| {
        // Two thirds points, each lot of another day, as offers with a duration make them.
        let code = if number % 3 == 0 { "eur" } else { "points" };
        let expires = Some(Day(today.0 + 10 + number));
        let id = LotId { balance: balance(code), expires, available_from: None, terms: None };
        Lot { id, amount: Amount(1_250 + i64::from(number)) }
    };
    let counter = |number: i32| Counter {
        offer: OfferId::parse(["birthday-gift", "double-saturday"][usize::from(number > 3)])
            .unwrap(),
        slot: Slot::Period(2_026 - number),
        count: 1,
    };
    let month = |back: i32| Activity {
        month: Month(today.month().0 - back),
        purchases: 4,
        amount: Amount(187_43),
        spends: 2,
        awards: 3,
    };
    Wallet {
        lots: (0..lots).map(lot).collect(),
        counters: (0..8).map(counter).collect(),
        activity: (0..13).rev().map(month).collect(),
        last_event: Some(noon()),
        time: noon(),
        ..Wallet::default()
    }
}

/// N + 1 entries on top of a wallet: purchases that were awarded, and spends.
fn in_use(programme: &Programme, lots: i32) -> State {
    let mut state = State { wallet: wallet(programme, lots), journal: vec![], page: [7; 16] };
    // Nothing is known of what led there: the ledger begins here.
    for number in 0..=i64::try_from(store::PAGE_ENTRIES).unwrap() {
        let now = later(number * 60);
        let reference = format!("2026-11-21/shop-1/{number:05}");
        let event = purchase(&person(WHO), &reference, 48_73, now);
        let recorded = RecordedEvent::accepted(event, payload(1), now);
        let asked = asked(150, now);
        let command = match number % 2 {
            0 => Command::Judge {
                event: &recorded,
                mode: Mode::Interactive,
                by: Judge::Interactive,
                facts: Facts::none(),
            },
            _ => Command::Spend {
                key: EntryKey::Spend(timed_key(now, 0x1234_5678_9abc)),
                payload: payload(2),
                asked: &asked,
                purchase: None,
                request: None,
                pass: None,
            },
        };
        let applied = apply(programme, &state.wallet, now, &command);
        state.wallet = applied.wallet;
        state.journal.extend(applied.entries);
    }
    state
}

fn asked(amount: i64, now: Instant) -> SpendAsked {
    let unit = Some(UnitId::parse("shop-1").unwrap());
    SpendAsked { unit, ..crate::cast::asked(amount, now) }
}

fn item(state: &State) -> Value {
    let record = aws_smithy_types::base64::encode(encode_state(state).unwrap());
    json!({
        "pk": { "S": format!("P#{WHO}") },
        "sk": { "S": "S" },
        "q": { "N": state.wallet.length.to_string() },
        "t": { "N": state.wallet.time.0.to_string() },
        "d": { "B": record },
        "ix_pk": { "S": format!("ROSTER#{}", Sha256::digest(WHO)[0] % store::SHARDS) },
        "ix_sk": { "S": WHO },
    })
}

/// Names and values, as the table counts them: a number takes a byte for two digits, and one.
fn size(item: &Value) -> usize {
    let attributes = item.as_object().unwrap();
    let value = |name: &str, value: &Value| {
        let text = |kind: &str| value[kind].as_str();
        match (text("S"), text("N")) {
            (Some(text), _) => text.len(),
            (None, Some(digits)) => digits.trim_end_matches('0').len().div_ceil(2) + 1,
            (None, None) => bytes(item, name).len(),
        }
    };
    attributes.iter().map(|(name, held)| name.len() + value(name, held)).sum()
}

/// The wallet that the budget is made for fits into one write unit.
#[test]
fn the_reference_wallet_is_at_most_a_kilobyte() {
    let rules = rules();
    let state = in_use(&rules, 5);
    let wallet = &state.wallet;
    let balances: BTreeMap<&str, usize> =
        wallet.lots.iter().fold(BTreeMap::new(), |mut sum, lot| {
            *sum.entry(lot.id.balance.as_str()).or_default() += 1;
            sum
        });
    println!(
        "lots {balances:?}, counters {}, months {}",
        wallet.counters.len(),
        wallet.activity.len()
    );
    assert_eq!((wallet.lots.len(), balances.len(), wallet.counters.len()), (6, 2, 8));
    assert_eq!((wallet.activity.len(), state.journal.len()), (13, store::PAGE_ENTRIES + 1));
    let size = size(&item(&state));
    println!("reference wallet: {size} bytes");
    assert!(size <= 1_024, "{size} bytes");
}

/// Conditions stand once in an item, however many lots and entries carry them.
#[test]
fn r48_conditions_stand_once_in_an_item() {
    let rules = rules();
    let plain = in_use(&rules, 5);
    let mut one = plain.clone();
    let coffee = vec![ProductId::parse("coffee-1").unwrap()];
    let terms = Arc::new(Terms { products: coffee.into(), ..Terms::default() });
    one.wallet.lots[0].id.terms = Some(Arc::clone(&terms));
    let mut all = plain.clone();
    for lot in &mut all.wallet.lots {
        // As they are read back: equal, and not the same.
        lot.id.terms = Some(Arc::new(Terms::clone(&terms)));
    }
    let [plain, one, all] = [plain, one, all].map(|state| size(&item(&state)));
    assert!((15..=22).contains(&(one - plain)), "{plain} {one}");
    assert_eq!(all - one, 5, "a byte for each other lot");
}

/// An activation takes the name of its plan and two times.
#[test]
fn r83_an_activation_takes_few_bytes() {
    let rules = rules();
    let plain = in_use(&rules, 5);
    let mut active = plain.clone();
    let of_plan = |number: usize| Activation {
        plan: PlanId::parse(&format!("summer-{number}")).unwrap(),
        from: noon(),
        until: later(30 * 24 * 60),
    };
    active.wallet.activations = (0..MAX_ACTIVATIONS).map(of_plan).collect();
    let [plain, active] = [plain, active].map(|state| size(&item(&state)));
    let each = (active - plain) / MAX_ACTIVATIONS;
    assert!((10..=25).contains(&each), "{plain} {active}");
}

/// Purchases by day, where a segment asks for days, take two bytes for each day that has one.
#[test]
fn r93_purchases_by_day_take_few_bytes() {
    let rules = rules();
    let plain = in_use(&rules, 5);
    let mut daily = plain.clone();
    let today = daily.wallet.time.day(rules.zone);
    let days = (0..31).rev().map(|ago| (today.minus_days(ago), 1));
    daily.wallet.days = days.collect();
    assert_eq!(daily.wallet.days.len(), ACTIVITY_DAYS);
    let [plain, daily] = [plain, daily].map(|state| size(&item(&state)));
    assert!(daily - plain <= 2 * ACTIVITY_DAYS + 2, "{plain} {daily}");
}

/// What segments watch takes its name, and two bytes for each month in which it was so.
#[test]
fn r93_what_is_watched_takes_few_bytes() {
    let rules = rules();
    let plain = in_use(&rules, 5);
    let with = |things: usize, months: usize| {
        let mut state = plain.clone();
        let this = state.wallet.time.day(rules.zone).month();
        let of_thing = |number: usize| {
            let category = ProductId::parse(&format!("category-{number:02}")).unwrap();
            let goods = Some(Goods::Category(category));
            let months = (0..i32::try_from(months).unwrap()).rev();
            let months = months.map(|back| (Month(this.0 - back), 2)).collect();
            Watched { watch: Watch::Purchases { goods, area: None }, months }
        };
        state.wallet.watched = (0..things).map(of_thing).collect();
        size(&item(&state))
    };
    let (plain, quiet) = (with(0, 0), with(MAX_WATCHED, 1));
    let (busy, year) = (with(MAX_WATCHED, ACTIVITY_MONTHS), with(4, ACTIVITY_MONTHS));
    println!("watched: {plain} bytes, 4 of a year {year}, 32 of a month {quiet}, of a year {busy}");
    assert!((quiet - plain) / MAX_WATCHED <= 11, "{plain} {quiet}");
    assert_eq!((busy - quiet) / MAX_WATCHED, 2 * (ACTIVITY_MONTHS - 1), "{quiet} {busy}");
    assert!(year <= 1_024, "a wallet in use with four things watched is a kilobyte: {year}");
}

/// What a spend costs grows with the lots that are kept, by the kilobyte.
#[tokio::test(start_paused = true)]
async fn a_spend_from_many_lots_costs_what_their_bytes_cost() {
    let rules = rules();
    println!("{:>6}{:>8}{:>10}", "lots", "bytes", "written");
    let mut prices = Vec::new();
    for lots in [6, 60, 360] {
        let wire = Wire::new(0);
        let mut state = in_use(&rules, lots - 1);
        // The ledger begins here: what was before is not looked at.
        (state.journal, state.page, state.wallet.length) = (vec![], [0; 16], 0);
        let place = (format!("P#{WHO}"), "S".to_owned());
        wire.load(&[(place.clone(), item(&state))].into());
        let (store, who) = (open(&wire, true), person(WHO));
        let (mut written, mut bytes, times) = (0, 0, 60);
        for number in 1..=times {
            let now = later(600 + number);
            let bought = purchase(&who, &format!("2026-11-21/shop-1/{number:05}"), 48_73, now);
            post(&store, &rules, &bought, now, true).await.unwrap();
            wire.take_calls();
            let key = timed_key(now, u64::try_from(number).unwrap());
            spend(&store, &rules, &who, &key, 20, now).await.unwrap();
            written += wire.take_calls().last().unwrap().written;
            bytes += size(&wire.items()[&place]);
        }
        let times = u64::try_from(times).unwrap();
        // Every sixth commit puts a page of one unit.
        let price = written * 10 / times + 17;
        let bytes = bytes / usize::try_from(times).unwrap();
        println!("{lots:>6}{bytes:>8}{:>7}.{:02}", price / 100, price % 100);
        prices.push(price);
    }
    assert!(prices[0] == 117 && prices[1] <= 217 && prices[2] <= 517, "{prices:?}");
}
