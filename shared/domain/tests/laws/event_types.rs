//! Events of every type: what offers and runs see of them, and what they leave in a wallet.

use std::collections::{HashMap, HashSet};

use domain::amount::Amount;
use domain::award::Mode;
use domain::event::{
    Detail, Due, Event, EventType, FinancialAchievement, KpiValue, SpendRequest, Statement,
};
use domain::id::{KpiId, ParticipantId};
use domain::ledger::{Act, Effect};
use domain::payment_medium::PaymentMedium;
use domain::time::Month;

use crate::bookkeeping::Book;
use crate::fixture::*;

pub fn kpi(name: &str) -> KpiId {
    KpiId::parse(name).unwrap()
}

pub fn values(values: &[(&str, &str, i64)]) -> Statement {
    let value = |(name, of, value): &(&str, &str, i64)| KpiValue {
        kpi: kpi(name),
        product: product(of),
        value: Amount(*value),
    };
    let period = Month::parse("2026-10").unwrap();
    Statement { period, values: values.iter().map(value).collect() }
}

fn visa() -> PaymentMedium {
    PaymentMedium { brand: Some("Visa".into()), ..PaymentMedium::default() }
}

/// One event of each type, in the order of [`EventType::ALL`].
fn one_of_each() -> Vec<Event> {
    let topped_up = FinancialAchievement {
        product: Some(product("card")),
        amount: Amount(10_000),
        payment_medium: Some(visa()),
    };
    let network = "network".into();
    let request = SpendRequest { balance: points(), amount: Some(Amount(1)), purchase: None };
    let details = [
        purchase("p", 10_00, noon("2026-11-21")).detail,
        Detail::Referral { referred: ParticipantId::parse("c-2").unwrap() },
        Detail::SocialMedia { network, profile: "anna".into(), action: "follow".into() },
        Detail::Web { url: "https://example.org/survey".into(), score: Some(9) },
        Detail::Achievement { score: None },
        Detail::FinancialAchievement(topped_up),
        Detail::FinancialStatement(values(&[("deposits", "savings", 5_00)])),
        Detail::SpendRequest(request),
    ];
    let event = |(at, detail)| {
        let event = purchase(&format!("r-{at}"), 0, noon("2026-11-21"));
        Event { detail, ..event }
    };
    (0..).zip(details).map(event).collect()
}

#[test]
fn r1_there_are_eight_types_and_each_has_its_own_amounts() {
    let seen: Vec<_> = one_of_each()
        .iter()
        .map(|event| {
            let amounts = (event.purchased().0, event.amount().map(|amount| amount.0));
            (event.event_type(), amounts, event.payment_medium().is_some())
        })
        .collect();
    let want = [
        (EventType::Purchase, (10_00, Some(10_00)), false),
        (EventType::Referral, (0, None), false),
        (EventType::SocialMedia, (0, None), false),
        (EventType::Web, (0, None), false),
        (EventType::Achievement, (0, None), false),
        (EventType::FinancialAchievement, (0, Some(10_000)), true),
        (EventType::FinancialStatement, (0, None), false),
        (EventType::SpendRequest, (0, None), false),
    ];
    assert_eq!(seen, want);
    assert_eq!(want.map(|(kind, ..)| kind), EventType::ALL);
}

/// R-16: an entry of the ledger, though no offer rewards it. R-8: only purchases are activity.
#[test]
fn r16_an_event_that_no_offer_rewards_is_judged_and_seen_but_no_purchase() {
    for event in one_of_each() {
        let kind = event.event_type();
        let mut book = Book::with(vec![fixed("p", 5)], noon("2026-11-21"));
        let which = book.accept(event);
        book.judge(which, Mode::Run);
        let entry = book.ledger.last().unwrap();
        assert_eq!(entry.act, Act::Judged, "{kind:?}");
        let bought = kind == EventType::Purchase;
        let awarded = entry.effects.iter().any(|effect| matches!(effect, Effect::Award { .. }));
        assert_eq!(awarded, bought, "{kind:?}: R-34");
        assert_eq!(book.wallet.activity.len(), usize::from(bought), "{kind:?}");
        assert_eq!(book.wallet.last_event, Some(noon("2026-11-21")), "{kind:?}");
        assert_eq!(book.events[which].due, Due::Nothing);
        book.cancel_event(which).unwrap();
        assert!(book.wallet.lots.is_empty() && book.wallet.activity.is_empty(), "{kind:?}");
    }
}

#[test]
fn r8_net_and_vat_of_a_purchase_are_sums_of_its_lines() {
    let bought = with_lines(
        purchase("r", 0, noon("2026-11-21")),
        vec![line(2, 4_20, 80), line(1, 10, 0), line(3, 0, 7)],
    );
    let Detail::Purchase(purchase) = &bought.detail else { panic!("{bought:?}") };
    assert_eq!(purchase.net_and_vat(), (Amount(8_50), Amount(87)));
    assert_eq!(bought.purchased(), Amount(9_37));
}

#[test]
fn r13_a_kpi_counts_the_products_that_it_lists_and_one_that_lists_none_counts_all() {
    let mut programme = programme(vec![]);
    programme.kpis = HashMap::from([
        (kpi("deposits"), HashSet::from([product("savings"), product("giro")])),
        (kpi("turnover"), HashSet::new()),
    ]);
    let statement = values(&[
        ("deposits", "savings", 5_00),
        ("deposits", "giro", 2_50),
        ("deposits", "loans", 10_000),
        ("turnover", "loans", 7_00),
        ("turnover", "savings", 1),
        ("dropped", "savings", 9_00),
    ]);
    for (of, want) in [("deposits", 7_50), ("turnover", 7_01), ("dropped", 0), ("other", 0)] {
        assert_eq!(statement.reported(&programme, &kpi(of)), Amount(want), "{of}");
    }
    assert_eq!(statement.total(), Ok(Amount(12_351)));
}
