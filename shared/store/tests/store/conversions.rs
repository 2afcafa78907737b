//! Points that turn into money: once for each scheduled time, whoever is how fast.

use domain::amount::{Amount, Rate};
use domain::conversion::{Bands, Coefficient, Conversion};
use domain::id::{ConversionId, ParticipantId};
use domain::ledger::Act;
use domain::participant::Profile;
use domain::programme::Programme;
use domain::time::Instant;
use store::{Converting, Prospect, Result, Store};

use crate::cast::{later, noon, open, person, points, programme, timed_key};
use crate::laws::walk;
use crate::money::Ask;
use crate::races::{Race, at_once};
use crate::wire::Wire;

/// A cent for each point, paid out.
pub fn cashback(minimum: i64) -> Conversion {
    let rate = Rate::parse("0.01").unwrap();
    Conversion {
        id: ConversionId::parse("cashback").unwrap(),
        balance: points(),
        into: None,
        table: [Coefficient { from: Amount(0), rate }].into(),
        bands: Bands::Whole,
        minimum: Amount(minimum),
        schedule: None,
        segment: None,
    }
}

/// Converts now, at a scheduled time; the answer as text.
pub async fn convert(
    store: &Store,
    programme: &Programme,
    who: &ParticipantId,
    (now, at): (Instant, Instant),
    minimum: i64,
) -> Result<String> {
    let conversion = &cashback(minimum);
    let order = Converting { programme, now, conversion, at };
    let done = store.convert(&order, who, true).await?;
    Ok(format!("{:?} {:?}", done.value, done.wallet.lots))
}

/// whoever races, and whatever came to the wallet since.
#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn r75_a_scheduled_time_converts_once_however_many_try() {
    let race = Race::new("conversions", 90_00).await;
    let before = race.points();
    let mut answers = at_once(8, |number| {
        let race = race.clone();
        async move {
            let store = open(&race.wire, true);
            let conversion = &cashback(1);
            let now = later(i64::try_from(number).unwrap());
            let order = Converting { programme: &race.programme, now, conversion, at: noon() };
            store.convert(&order, &race.who, true).await.unwrap().value.unwrap()
        }
    })
    .await;
    answers.dedup();
    assert_eq!(answers.len(), 1, "all are answered alike: {answers:?}");
    assert_eq!((answers[0].made.points, race.points()), (Amount(before), 0));
    let entries = walk(&race.wire, &race.who).entries;
    let made = entries.iter().filter(|entry| matches!(entry.act, Act::Converted(_)));
    assert_eq!(made.count(), 1);
}

/// what comes later waits for the next time, and what was paid is found wherever it is.
#[tokio::test(start_paused = true)]
async fn r75_what_was_paid_is_told_from_the_ledger_however_much_came_since() {
    let wire = Wire::new(0);
    let (store, programme, conversion) = (open(&wire, true), programme(vec![]), &cashback(10));
    let reference = |known: bool| known.then(|| "tok_77".into());
    for (name, amount, known) in [("c-1", 50, true), ("c-2", 9, true), ("c-3", 50, false)] {
        let (who, profile) =
            (person(name), Profile { payout_reference: reference(known), ..Profile::default() });
        store.register(&who, Some(profile), vec![]).await.unwrap();
        let key = timed_key(noon(), 1);
        Ask::new(&store, &programme, &who, noon(), &key).adjust(amount, None).await.unwrap();
    }
    let people = [person("c-1"), person("c-2"), person("c-3")];
    let order = Converting { programme: &programme, now: later(30), conversion, at: later(30) };
    let members = store.members(&people).await.unwrap();
    let prospects: Vec<Prospect> = members.iter().map(|it| order.prospect(it)).collect();
    assert!(matches!(&prospects[0], Prospect::Due(made) if made.money == Amount(50)));
    assert_eq!(prospects[1..], [Prospect::Nothing, Prospect::NoReference]);
    assert!(members.iter().all(|member| !order.may_be_done(member)));
    store.convert(&order, &people[0], true).await.unwrap();
    for number in 0..14 {
        let key = timed_key(later(31), 10 + number);
        Ask::new(&store, &programme, &people[0], later(31), &key).adjust(20, None).await.unwrap();
    }
    let again = Converting { now: later(40), ..order };
    let repeated = store.convert(&again, &people[0], true).await.unwrap();
    assert!(repeated.repeated, "{repeated:?}");
    let payouts = store.payouts(&again, store.members(&people).await.unwrap()).await.unwrap();
    let [payout] = payouts.as_slice() else { panic!("{} payouts", payouts.len()) };
    assert_eq!((&payout.participant, payout.reference.as_deref()), (&people[0], Some("tok_77")));
    assert_eq!(Some(&payout.converted), repeated.value.as_ref());
    let next = Converting { at: later(40), ..again };
    let more = store.convert(&next, &people[0], true).await.unwrap().value.unwrap();
    assert_eq!(more.made.points, Amount(14 * 20));
}

/// 1.17 write units where something is converted, none where nothing is.
#[tokio::test(start_paused = true)]
async fn r75_a_conversion_costs_one_write_and_a_sixth() {
    let wire = Wire::new(0);
    let (store, programme, who) = (open(&wire, true), programme(vec![]), person("c-1"));
    store.register(&who, None, vec![]).await.unwrap();
    let mut written = 0;
    for number in 0..60 {
        let now = later(i64::try_from(number).unwrap());
        let key = timed_key(now, number);
        Ask::new(&store, &programme, &who, now, &key).adjust(50, None).await.unwrap();
        wire.take_calls();
        convert(&store, &programme, &who, (now, now), 1).await.unwrap();
        written += wire.take_calls().iter().map(|call| call.written).sum::<u64>();
        convert(&store, &programme, &who, (now, Instant(now.0 + 1)), 1).await.unwrap();
        assert_eq!(wire.take_calls().iter().map(|call| call.written).sum::<u64>(), 0);
    }
    println!("{written} tenths of a write unit for 60 conversions");
    assert!(written <= 60 * 12, "{written}");
}
