//! What codes and passes add to the cost of a purchase.

use domain::id::PlanId;
use domain::offer::Quota;
use domain::pass::{CodeShown, Generation, PassId};

use crate::cast::{open, person, publish};
use crate::promotions::Promoted;
use crate::wire::Wire;

/// Write and read units, in tenths, of the first purchase of somebody with these offers and code.
async fn price(offers: &[&str], quota: bool, shown: Option<CodeShown>) -> (u64, u64) {
    let (wire, mut promoted) = (Wire::new(0), Promoted::new());
    let store = open(&wire, true);
    publish(&store).await.unwrap();
    promoted.prepare(&store).await.unwrap();
    store.register(&person("p-1"), None, vec![]).await.unwrap();
    let mut kept = promoted.programme.offers.to_vec();
    kept.retain(|offer| offers.contains(&offer.id.as_str()));
    if !quota {
        kept.iter_mut().for_each(|offer| offer.quota = Quota::default());
    }
    promoted.programme.offers = kept.into();
    // The first pass of a plan marks the plan as well.
    let coupon = crate::cast::issue("first");
    let plan = &promoted.coupon;
    store.issue_pass(&promoted.programme, crate::cast::noon(), plan, &coupon).await.unwrap();
    wire.take_calls();
    let event = promoted.event(&person("p-1"), "e-1");
    promoted.post(&store, &event, shown).await.unwrap();
    let calls = wire.take_calls();
    (calls.iter().map(|call| call.written).sum(), calls.iter().map(|call| call.read).sum())
}

#[tokio::test(start_paused = true)]
async fn r83_a_universal_code_costs_nothing_and_a_code_of_its_own_two_writes() {
    let word = || Some(CodeShown::Universal(PlanId::parse("poster").unwrap()));
    let letter = || Promoted::new().letter_shown();
    let all = &["tenfold", "fifty", "tenth"];
    let (plain, read) = price(all, false, None).await;
    assert_eq!(plain, 40, "event and state");
    assert_eq!(price(all, false, word()).await, (plain, read));
    assert_eq!(price(all, true, word()).await.0, plain + 30, "and the quota, which is listed");
    assert_eq!(price(all, false, Some(CodeShown::Unknown)).await, (plain, read), "a forged one");
    assert_eq!(price(all, false, letter()).await, (plain + 20, read + 5), "with the pass");
    let unknown = PassId { serial: 1, ..Promoted::new().sent() };
    let unknown = Some(CodeShown::Pass(unknown, Generation(0)));
    assert_eq!(price(all, false, unknown).await.0, plain + 20, "that it is unknown is checked");
    let coupons = &["tenfold", "fifty", "tenth", "coupons"];
    assert_eq!(price(coupons, false, None).await, (plain + 20, read + 5), "a pass is given");
}
