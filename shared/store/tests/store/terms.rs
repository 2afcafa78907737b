//! Lots under terms, kept and read again: a spend rests on what earlier ones used.

use std::sync::Arc;

use domain::amount::Amount;
use domain::event::{Detail, Event, Line};
use domain::id::{EventId, ParticipantId, ProductId};
use domain::offer::{AwardForm, Offer};
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::spend::SpendAsked;
use domain::terms::Terms;
use store::{Error, RequestKey, Spending, Store};

use crate::cast::{
    asked, cancelling, event_id, later, noon, offer, open, payload, person, post, programme,
    purchase, seed, timed_key,
};
use crate::fault::Weather;
use crate::laws::walk;
use crate::races::{at_once, insist};
use crate::wire::Wire;

/// 200 points for SKU-9 alone, and 100 for anything.
fn rules() -> Programme {
    let sku = vec![ProductId::parse("SKU-9").unwrap()];
    let terms = Some(Arc::new(Terms { products: sku.into(), ..Terms::default() }));
    let voucher = Offer { terms, ..offer("voucher", "points", AwardForm::Fixed(Amount(200))) };
    programme(vec![voucher, offer("free", "points", AwardForm::Fixed(Amount(100)))])
}

/// 1.50 of SKU-9 and 5.00 of tea, judged by nobody yet.
fn basket(who: &ParticipantId) -> Event {
    let mut basket = purchase(who, "e-2", 1_50, noon());
    let Detail::Purchase(bought) = &mut basket.detail else { panic!("{basket:?}") };
    let tea = Some(ProductId::parse("tea").unwrap());
    bought.lines.push(Line { product: tea, net: Amount(5_00), ..bought.lines[0].clone() });
    basket
}

/// Points spent, or why not; the number is the key's.
async fn spent(
    store: &Store,
    rules: &Programme,
    who: &ParticipantId,
    number: u64,
    asked: &SpendAsked,
    on: Option<&EventId>,
) -> Result<i64, Refusal> {
    let (now, key) = (later(60), timed_key(noon(), number));
    let order = Spending {
        programme: rules,
        now,
        participant: who,
        key: RequestKey::Caller(&key),
        payload: payload(1),
        asked,
        purchase: on,
        request: None,
        bearer: None,
    };
    match insist(|| store.spend(&order)).await {
        Ok(done) => Ok(done.value.made.spent.0),
        Err(Error::Refused(refusal)) => Err(refusal),
        Err(other) => panic!("{other:?}"),
    }
}

/// However many spend at once, the lines that a voucher is for are paid once; and what came back
/// is spent under its terms again.
#[tokio::test(start_paused = true)]
async fn r48_r69_of_many_spends_at_once_a_voucher_pays_its_lines_once() {
    let wire = Wire::new(seed("terms"));
    let (rules, who, on) = (rules(), person("c-1"), event_id("e-2"));
    let store = open(&wire, true);
    store.register(&who, None, vec![]).await.unwrap();
    post(&store, &rules, &purchase(&who, "e-1", 1_00, noon()), noon(), true).await.unwrap();
    post(&store, &rules, &basket(&who), noon(), false).await.unwrap();
    let free = spent(&store, &rules, &who, 1, &asked(400, noon()), None).await;
    assert_eq!(free, Ok(100), "without a purchase, what is free of terms");

    wire.weather(Weather { faults: 0, stale: 100, delay: 3 });
    let all = at_once(16, |number| {
        let (store, rules, who, on) = (open(&wire, true), rules.clone(), who.clone(), on.clone());
        async move {
            let number = u64::try_from(number).unwrap() + 2;
            spent(&store, &rules, &who, number, &asked(20, noon()), Some(&on)).await
        }
    })
    .await;
    let sum: i64 = all.iter().flatten().sum();
    assert_eq!(sum, 150, "{all:?}");
    assert!(all.iter().all(|one| matches!(one, Ok(20 | 10) | Err(Refusal::NotCovered))), "{all:?}");
    wire.weather(Weather { faults: 0, stale: 0, delay: 0 });
    let left = walk(&wire, &who).wallet;
    assert_eq!(left.lots.iter().map(|lot| lot.amount.0).sum::<i64>(), 50);
    let kept = store.event(&on).await.unwrap();
    let parts = kept.spends.iter().flat_map(|spend| &spend.parts);
    assert_eq!(parts.map(|(_, amount)| amount.0).sum::<i64>(), 150);

    store.cancel_event(&cancelling(&rules, later(90), &on, 7)).await.unwrap();
    let back = walk(&wire, &who).wallet;
    assert_eq!(back.lots.len(), 1, "one lot, under the terms that it had");
    assert_eq!(back.lots[0].amount, Amount(200));
    assert!(back.lots[0].id.terms.is_some());
}
