//! What becomes of passes (R-80 to R-86).

use domain::amount::Amount;
use domain::id::{Key, ParticipantId};
use domain::ledger::PayloadHash;
use domain::pass::{
    Generation, Loaded, MAX_CHANGES, MAX_TRIES, Origin, Pass, PassFormat, PassId, PassPlan,
    PassState, PassUpdate, PassValue, PassWindow, PlanStart, Printed, Redemption, StateAsked,
};
use domain::refusal::Refusal;
use domain::time::Instant;

use crate::fixture::{ZONE, at, day, gift, span};

/// A card that is worth 10 to 50 once it is loaded, and can be redeemed for a month from then on,
/// in the summer of 2026.
fn card() -> PassPlan {
    PassPlan {
        format: PassFormat::Printed,
        value: PassValue::Range { min: Amount(10), max: Amount(50) },
        window: PassWindow {
            from: Some(day("2026-06-01")),
            until: Some(day("2026-08-31")),
            lasts: Some(span("P1M")),
        },
        when_loaded: true,
        uses: 2,
        ..gift()
    }
}

fn printed(plan: &PassPlan) -> Pass {
    let origin = Origin::Printed { at: at("2026-05-01T12:00:00Z") };
    Pass::untouched(PassId { plan: plan.id.clone(), serial: 7 }, Generation(0), origin)
}

fn loading(now: Instant) -> Loaded {
    Loaded { key: Key::parse("load").unwrap(), payload: PayloadHash::default(), at: now }
}

fn loaded(plan: &PassPlan, now: &str) -> Pass {
    let mut pass = printed(plan);
    pass.load(plan, loading(at(now)), Some(Amount(20)), "till", ZONE).unwrap();
    pass
}

fn redeemed(pass: &mut Pass, cancelled: bool) {
    pass.redemptions.push(Redemption {
        key: Key::parse("r").unwrap(),
        payload: PayloadHash::default(),
        participant: ParticipantId::parse("c-1").unwrap(),
        sequence: 1,
        amount: Amount(20),
        expires: None,
        cancelled,
    });
}

fn asked(state: StateAsked) -> PassUpdate {
    PassUpdate { state: Some(state), ..PassUpdate::default() }
}

/// R-81: the states of a card, from the print to its end.
#[test]
fn r81_a_card_is_created_loaded_redeemed_and_over() {
    let plan = card();
    let redeem = |pass: &Pass, now: &str| pass.redeemable(&plan, at(now), ZONE);
    let fresh = printed(&plan);
    assert_eq!(fresh.state(&plan, at("2026-05-02T12:00:00Z"), ZONE), PassState::Created);
    assert_eq!(redeem(&fresh, "2026-06-02T12:00:00Z"), Err(Refusal::PassNotLoaded));
    assert_eq!(redeem(&fresh, "2026-09-02T12:00:00Z"), Err(Refusal::PassExpired));

    let mut pass = loaded(&plan, "2026-05-15T12:00:00Z");
    assert_eq!(redeem(&pass, "2026-05-31T21:59:59Z"), Err(Refusal::PassNotYetValid));
    assert_eq!(redeem(&pass, "2026-05-31T22:00:00Z"), Ok(Amount(20)), "June begins in Berlin");
    assert_eq!(redeem(&pass, "2026-06-15T21:59:59Z"), Ok(Amount(20)), "a month after the sale");
    assert_eq!(redeem(&pass, "2026-06-15T22:00:00Z"), Err(Refusal::PassExpired));

    let late = loaded(&plan, "2026-08-20T12:00:00Z");
    assert_eq!(redeem(&late, "2026-08-31T21:59:59Z"), Ok(Amount(20)));
    assert_eq!(redeem(&late, "2026-08-31T22:00:00Z"), Err(Refusal::PassExpired), "summer ends");

    let now = "2026-06-10T12:00:00Z";
    redeemed(&mut pass, false);
    assert_eq!(redeem(&pass, now), Ok(Amount(20)), "it has two uses");
    redeemed(&mut pass, true);
    assert_eq!(redeem(&pass, now), Ok(Amount(20)), "what was taken back is no use");
    redeemed(&mut pass, false);
    assert_eq!(redeem(&pass, now), Err(Refusal::PassUsed));
}

/// R-80: what is worth its value at once starts with its issue or print, and needs no loading.
#[test]
fn r80_a_pass_that_is_worth_its_value_at_once_starts_at_once() {
    let plan = PassPlan { when_loaded: false, value: PassValue::Fixed(Amount(20)), ..card() };
    let mut pass = printed(&plan);
    assert_eq!(pass.redeemable(&plan, at("2026-06-01T21:59:59Z"), ZONE), Ok(Amount(20)));
    assert_eq!(
        pass.redeemable(&plan, at("2026-06-01T22:00:00Z"), ZONE),
        Err(Refusal::PassExpired),
        "a month after the first of May"
    );
    let twice = pass.load(&plan, loading(at("2026-05-02T12:00:00Z")), None, "till", ZONE);
    assert_eq!(twice, Err(Refusal::PassLoaded));
}

/// R-81: a card is loaded once, with a value that the plan allows.
#[test]
fn r81_a_card_is_loaded_once_with_a_value_of_its_plan() {
    let plan = card();
    let now = at("2026-06-02T12:00:00Z");
    let load = |pass: &mut Pass, value: Option<i64>| {
        pass.load(&plan, loading(now), value.map(Amount), "till", ZONE)
    };
    for (value, expected) in [
        (None, Err(Refusal::PassValueMissing)),
        (Some(9), Err(Refusal::AmountOutOfRange)),
        (Some(51), Err(Refusal::AmountOutOfRange)),
        (Some(10), Ok(())),
        (Some(50), Ok(())),
    ] {
        let mut pass = printed(&plan);
        let before = pass.clone();
        assert_eq!(load(&mut pass, value), expected, "{value:?}");
        assert_eq!(pass == before, expected.is_err(), "what is refused changes nothing");
    }
    let mut pass = loaded(&plan, "2026-06-01T12:00:00Z");
    assert_eq!(load(&mut pass, Some(30)), Err(Refusal::PassLoaded));
    let mut void = printed(&plan);
    void.update(&plan, &asked(StateAsked::Void), now, "ben").unwrap();
    assert_eq!(load(&mut void, Some(30)), Err(Refusal::PassVoid));
    let mut over = printed(&plan);
    let late = loading(at("2026-09-01T12:00:00Z"));
    assert_eq!(over.load(&plan, late, Some(Amount(30)), "till", ZONE), Err(Refusal::PassExpired));
}

/// R-86: state, expiry, value and PIN of a single pass, with who changed them.
#[test]
fn r86_an_operator_changes_a_single_pass_and_is_remembered() {
    let plan = card();
    let now = at("2026-06-02T12:00:00Z");
    let mut pass = loaded(&plan, "2026-06-01T12:00:00Z");
    let redeem = |pass: &Pass| pass.redeemable(&plan, now, ZONE);
    let change = |pass: &mut Pass, update: PassUpdate| pass.update(&plan, &update, now, "ben");

    change(&mut pass, asked(StateAsked::Locked)).unwrap();
    assert_eq!(redeem(&pass), Err(Refusal::PassLocked));
    change(&mut pass, asked(StateAsked::Void)).unwrap();
    assert_eq!(redeem(&pass), Err(Refusal::PassVoid));
    pass.tries = MAX_TRIES;
    change(&mut pass, asked(StateAsked::Usable)).unwrap();
    assert_eq!((pass.tries, redeem(&pass)), (0, Ok(Amount(20))), "unlocked");

    let value = |value| PassUpdate { value: Some(Amount(value)), ..PassUpdate::default() };
    assert_eq!(change(&mut pass, value(51)), Err(Refusal::AmountOutOfRange));
    change(&mut pass, value(50)).unwrap();
    assert_eq!(redeem(&pass), Ok(Amount(50)));
    let until = PassUpdate { until: Some(day("2026-06-01")), ..PassUpdate::default() };
    change(&mut pass, until).unwrap();
    assert_eq!(redeem(&pass), Err(Refusal::PassExpired));
    let until = PassUpdate { until: Some(day("2027-06-01")), ..PassUpdate::default() };
    change(&mut pass, until).unwrap();
    assert_eq!(redeem(&pass), Ok(Amount(50)), "also beyond what the plan says");
    redeemed(&mut pass, true);
    assert_eq!(change(&mut pass, value(20)), Err(Refusal::PassUsed));

    assert_eq!(pass.changes.len(), 7);
    assert!(pass.changes[1..].iter().all(|change| &*change.who == "ben" && change.at == now));
    change(&mut pass, asked(StateAsked::Usable)).unwrap();
    assert_eq!(pass.changes.len(), 7, "it is usable already");
    for _ in 0..MAX_CHANGES {
        change(&mut pass, asked(StateAsked::Locked)).unwrap();
        change(&mut pass, asked(StateAsked::Usable)).unwrap();
    }
    assert_eq!(pass.changes.len(), MAX_CHANGES);
}

/// R-84: after the last try the pass locks, whatever its state.
#[test]
fn r84_a_pass_without_tries_is_locked() {
    let plan = card();
    let now = at("2026-06-02T12:00:00Z");
    let mut pass = loaded(&plan, "2026-06-01T12:00:00Z");
    pass.tries = MAX_TRIES - 1;
    assert_eq!(pass.state(&plan, now, ZONE), PassState::Loaded);
    pass.tries = MAX_TRIES;
    assert_eq!(pass.state(&plan, now, ZONE), PassState::Locked);
}

/// R-81: exactly so many passes of a plan were printed.
#[test]
fn r81_a_plan_has_the_passes_that_were_printed_and_no_others() {
    let (plan, now) = (card(), at("2026-05-01T12:00:00Z"));
    let generation = Generation(3);
    let (key, payload) = (Key::parse("print").unwrap(), PayloadHash::default());
    let printed = Some(Printed { key, payload, count: 1_000, at: now, generation });
    let start = PlanStart { programme: 1, printed };
    assert_eq!(plan.printed(999, &start).map(|pass| pass.generation), Some(generation));
    assert_eq!(plan.printed(1_000, &start), None);
    assert_eq!(plan.printed(0, &PlanStart { programme: 1, printed: None }), None);
}
