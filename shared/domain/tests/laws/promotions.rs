//! Promotions: codes that come with purchases, and passes that purchases are given.

use domain::award::{Facts, Mode};
use domain::event::Judgement;
use domain::export::ExportPlan;
use domain::id::{PlanId, SegmentId};
use domain::offer::{Award, AwardForm, Conditions, Limit, Offer, Quota};
use domain::pass::{
    Pass, PassFormat, PassPlan, PassShown, PassType, PassValue, PassWindow, Promotion, Redemption,
    Shown, purchase_key, show_code,
};
use domain::refusal::Refusal;
use domain::segment::{Predicate, Segment};
use domain::wallet::MAX_ACTIVATIONS;
use domain::{amount::Amount, ledger::PayloadHash};

use crate::bookkeeping::{Book, told};
use crate::fixture::*;

fn plan(id: &str, universal: Option<&str>, active_for: Option<&str>) -> PassPlan {
    PassPlan {
        id: PlanId::parse(id).unwrap(),
        pass_type: PassType::Promotion,
        format: PassFormat::Electronic,
        balance: None,
        value: PassValue::Nothing,
        window: PassWindow::default(),
        promotion: Some(Promotion {
            universal: universal.map(Into::into),
            active_for: active_for.map(span),
            segment: regulars().id,
        }),
        ..gift()
    }
}

fn regulars() -> Segment {
    Segment {
        id: SegmentId::parse("regulars").unwrap(),
        members: Predicate::Tag("regular".into()),
        export: ExportPlan::default(),
    }
}

/// An offer that asks for the code of a plan.
fn with_code(offer: Offer, plan: &PassPlan) -> Offer {
    let when = Conditions { pass_plan: Some(plan.id.clone()), ..offer.when.clone() };
    Offer { when, ..offer }
}

fn for_regulars(offer: Offer) -> Offer {
    let when = Conditions { segments: vec![regulars().id].into(), ..offer.when.clone() };
    Offer { when, ..offer }
}

fn giving(id: &str, plan: &PassPlan) -> Offer {
    let award =
        Award { balance: None, pass: Some(plan.id.clone()), form: AwardForm::Fixed(Amount(1)) };
    Offer { award, ..fixed(id, 1) }
}

fn book(plans: &[&PassPlan], offers: Vec<Offer>) -> Book {
    let mut book = Book::with(offers, noon("2026-11-21"));
    book.programme.pass_plans = plans.iter().map(|plan| (*plan).clone()).collect();
    book.programme.segments = vec![regulars()];
    book
}

/// Purchases for 10 EUR with a code, as the store does; a pass is used.
fn shows(
    book: &mut Book,
    plan: &PassPlan,
    pass: Option<&mut Pass>,
) -> (usize, PassShown, Judgement) {
    let reference = format!("r-{}", book.events.len());
    let which = book.accept(purchase(&reference, 10_00, book.now));
    let (participant, quotas) = (book.participant.clone(), book.quotas.clone());
    let facts = Facts { participant: &participant, quotas: &quotas, ..Facts::none() };
    let shown = Shown { plan, pass: pass.as_deref() };
    let (programme, event) = (&book.programme, &book.events[which]);
    let became = show_code(programme, &book.wallet, book.now, event, shown, &facts);
    book.events[which].pass = Some(became.clone());
    let judgement = book.judge(which, Mode::Interactive);
    if let (Some((_, turn)), Some(pass)) = (became.used(), pass) {
        assert_eq!(usize::try_from(turn).unwrap(), pass.redemptions.len());
        pass.redemptions.push(Redemption {
            key: purchase_key(&book.events[which].event.id, None),
            payload: PayloadHash::default(),
            participant: book.events[which].event.participant.clone(),
            sequence: judgement.sequence,
            amount: Amount::ZERO,
            expires: None,
            cancelled: false,
        });
    }
    (which, became, judgement)
}

fn refusal(shown: &PassShown) -> Option<Refusal> {
    if let PassShown::Refused { refusal, .. } = shown { Some(*refusal) } else { None }
}

fn is_accepted(shown: &PassShown) -> bool {
    matches!(shown, PassShown::Accepted { .. })
}

fn issued(plan: &PassPlan) -> Pass {
    Pass {
        id: domain::pass::PassId { plan: plan.id.clone(), serial: 7 },
        ..pass(7, noon("2026-11-21"))
    }
}

#[test]
fn r83_without_a_code_the_offer_is_passed_over_and_with_it_the_purchase_itself_counts() {
    let summer = plan("summer", Some("SUMMER26"), None);
    let mut book = book(&[&summer], vec![with_code(fixed("extra", 50), &summer)]);
    book.buy("plain", 10_00);
    assert_eq!(told(&book.events[0].judgements[0]), ["extra pass_required"]);
    let (_, shown, judgement) = shows(&mut book, &summer, None);
    assert!(is_accepted(&shown) && shown.used().is_none(), "{shown:?}");
    assert_eq!(told(&judgement), ["extra 50"]);
    book.buy("later", 10_00);
    assert_eq!(book.available(&points()), 50, "for that purchase alone");
}

#[test]
fn r83_a_code_may_make_an_offer_active_for_a_time_that_ends_by_the_clock() {
    let summer = plan("summer", Some("SUMMER26"), Some("P30D"));
    let mut book = book(&[&summer], vec![with_code(fixed("extra", 50), &summer)]);
    let (_, shown, _) = shows(&mut book, &summer, None);
    let PassShown::Accepted { until: Some(until), .. } = shown else { panic!("{shown:?}") };
    assert_eq!(until, at("2026-12-22T00:00:00+01:00"));
    book.now = at("2026-12-21T23:59:59+01:00");
    book.buy("last", 10_00);
    assert_eq!((book.available(&points()), book.wallet.activations.len()), (100, 1));
    book.now = until;
    let which = book.buy("late", 10_00);
    assert_eq!(told(&book.events[which].judgements[0]), ["extra pass_required"]);
    assert!(book.wallet.activations.is_empty(), "it went with the next entry");
}

#[test]
fn r83_a_cancelled_purchase_takes_its_activation_back() {
    let summer = plan("summer", Some("SUMMER26"), Some("P30D"));
    let mut book = book(&[&summer], vec![with_code(fixed("extra", 50), &summer)]);
    let (first, _, _) = shows(&mut book, &summer, None);
    // It is active already: nothing is activated anew, and cancelling this one ends nothing.
    let (second, shown, _) = shows(&mut book, &summer, None);
    assert!(is_accepted(&shown), "{shown:?}");
    book.cancel_event(second).unwrap();
    assert_eq!((book.available(&points()), book.wallet.activations.len()), (50, 1));
    book.cancel_event(first).unwrap();
    assert_eq!((book.available(&points()), book.wallet.activations.len()), (0, 0));
    let which = book.buy("after", 10_00);
    assert_eq!(told(&book.events[which].judgements[0]), ["extra pass_required"]);
}

#[test]
fn r83_who_is_outside_the_segment_gets_nothing_and_uses_nothing_up() {
    for active_for in [None, Some("P30D")] {
        let letter = plan("letter", None, active_for);
        let off = discount("off", AwardForm::Percentage(rate("10")));
        let offers = vec![for_regulars(with_code(off, &letter))];
        let mut book = book(&[&letter], offers);
        let mut pass = issued(&letter);
        let (_, shown, judgement) = shows(&mut book, &letter, Some(&mut pass));
        assert_eq!(refusal(&shown), Some(Refusal::PassGivesNothing));
        assert_eq!(told(&judgement), ["off not_in_segment"]);
        assert!(pass.redemptions.is_empty() && book.wallet.activations.is_empty());
        book.participant.profile.tags = ["regular".into()].into();
        let (_, shown, judgement) = shows(&mut book, &letter, Some(&mut pass));
        assert!(is_accepted(&shown), "{shown:?}");
        assert_eq!(told(&judgement), ["off off 100"]);
        assert_eq!(pass.redemptions.len(), 1);
    }
}

#[test]
fn r83_a_code_that_would_give_nothing_here_is_not_used_up() {
    let shoes = |offer: Offer| {
        let categories = vec![product("shoes")].into();
        Offer { when: Conditions { categories, ..offer.when.clone() }, ..offer }
    };
    let off = || discount("off", AwardForm::Percentage(rate("10")));
    let letter = plan("letter", None, None);
    let mut book_of_shoes = book(&[&letter], vec![shoes(with_code(off(), &letter))]);
    let mut pass = issued(&letter);
    let (_, shown, _) = shows(&mut book_of_shoes, &letter, Some(&mut pass));
    assert_eq!(refusal(&shown), Some(Refusal::PassGivesNothing), "no shoes are bought");
    assert!(pass.redemptions.is_empty());

    // Where it stays active, shoes may be bought later.
    let letter = plan("letter", None, Some("P7D"));
    let mut book_of_shoes = book(&[&letter], vec![shoes(with_code(off(), &letter))]);
    let (_, shown, _) = shows(&mut book_of_shoes, &letter, Some(&mut pass));
    assert!(is_accepted(&shown), "{shown:?}");
    assert_eq!((pass.redemptions.len(), book_of_shoes.wallet.activations.len()), (1, 1));
}

#[test]
fn r83_a_pass_is_used_as_often_as_its_plan_says() {
    let twice = PassPlan { uses: 2, ..plan("letter", None, None) };
    let mut book = book(&[&twice], vec![with_code(fixed("extra", 50), &twice)]);
    let mut pass = issued(&twice);
    let mut refusals = Vec::new();
    for _ in 0..3 {
        refusals.push(refusal(&shows(&mut book, &twice, Some(&mut pass)).1));
    }
    assert_eq!(refusals, [None, None, Some(Refusal::PassUsed)]);
    assert_eq!(book.available(&points()), 100);
}

#[test]
fn r44_limits_and_places_of_the_offer_bound_a_universal_code() {
    let summer = plan("summer", Some("SUMMER26"), None);
    let once = Offer { limit: Limit::Once, ..with_code(fixed("extra", 50), &summer) };
    let mut book_of_one = book(&[&summer], vec![once.clone()]);
    assert!(is_accepted(&shows(&mut book_of_one, &summer, None).1));
    let (_, again, judgement) = shows(&mut book_of_one, &summer, None);
    assert_eq!(
        (refusal(&again), told(&judgement)),
        (Some(Refusal::PassUsed), vec!["extra pass_required".to_owned()])
    );

    let quota = Quota { first: Some(1), budget: None };
    let mut full = book(&[&summer], vec![Offer { quota, ..once.clone() }]);
    let used = domain::quota::Used { places: 1, budget: Amount(0) };
    full.quotas.set(once.id.clone(), used);
    full.others.set(once.id.clone(), used);
    assert_eq!(refusal(&shows(&mut full, &summer, None).1), Some(Refusal::PassUsed));
}

#[test]
fn r83_a_code_serves_within_the_days_of_its_plan() {
    let window =
        PassWindow { from: Some(day("2026-11-22")), until: Some(day("2026-11-23")), lasts: None };
    let summer = PassPlan { window, ..plan("summer", Some("SUMMER26"), None) };
    let mut book = book(&[&summer], vec![with_code(fixed("extra", 50), &summer)]);
    let mut told = Vec::new();
    for date in ["2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"] {
        book.now = noon(date);
        told.push(refusal(&shows(&mut book, &summer, None).1));
    }
    assert_eq!(told, [Some(Refusal::PassNotYetValid), None, None, Some(Refusal::PassExpired)]);
}

#[test]
fn r83_a_purchase_is_given_a_pass_within_the_limits_of_its_offer() {
    let next = plan("next", None, None);
    let quota = Quota { first: None, budget: Some(Amount(2)) };
    let offer = Offer { quota, ..giving("again", &next) };
    let mut book = book(&[&next], vec![offer, with_code(fixed("extra", 50), &next)]);
    let given: Vec<usize> = (0..3).map(|n| book.buy(&format!("b-{n}"), 10_00)).collect();
    let of = |book: &Book, n: usize| book.events[given[n]].passes().cloned().collect::<Vec<_>>();
    let (one, two) = (of(&book, 0), of(&book, 1));
    assert_eq!((one.len(), two.len(), of(&book, 2).len()), (1, 1, 0));
    assert!(one[0].pass.plan == next.id && one[0].pass.serial != two[0].pass.serial);
    assert!(
        told(&book.events[given[2]].judgements[0]).contains(&"again budget_exhausted".to_owned())
    );
    // What is cancelled may be given to another.
    book.cancel_event(given[0]).unwrap();
    let which = book.buy("b-3", 10_00);
    assert_eq!(book.events[which].passes().count(), 1);
    // Whoever comes later has no answer to tell a code in.
    let which = book.accept(purchase("late", 10_00, book.now));
    let judgement = book.judge(which, Mode::Run);
    assert!(
        told(&judgement).contains(&"again too_late_for_pass".to_owned())
            || told(&judgement).contains(&"again budget_exhausted".to_owned())
    );
    assert_eq!(judgement.passes.len(), 0);
}

#[test]
fn r83_a_wallet_keeps_a_bounded_number_of_activations() {
    let plans: Vec<PassPlan> = (0..=MAX_ACTIVATIONS)
        .map(|n| plan(&format!("plan-{n}"), Some("WORD"), Some(if n == 5 { "P1D" } else { "P9D" })))
        .collect();
    let offers = plans.iter().map(|plan| with_code(fixed(&format!("o-{}", plan.id), 1), plan));
    let mut book = book(&plans.iter().collect::<Vec<_>>(), offers.collect());
    for plan in &plans {
        assert!(is_accepted(&shows(&mut book, plan, None).1));
    }
    assert_eq!(book.wallet.activations.len(), MAX_ACTIVATIONS);
    assert!(book.wallet.activations.iter().all(|known| known.plan != plans[5].id));
}

#[test]
fn r82_a_promotion_credits_nothing_by_itself() {
    let letter = plan("letter", None, None);
    let mut book = book(&[&letter], vec![]);
    let pass = issued(&letter);
    let payload = PayloadHash::default();
    let command =
        domain::apply::Command::Redeem { pass: &pass, plan: &letter, payload, own: false };
    let outcome = book.commit(&command);
    assert_eq!(outcome, domain::apply::Outcome::Refused(Refusal::PassNotRedeemable));
}
