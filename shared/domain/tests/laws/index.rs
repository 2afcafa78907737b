//! The index of offers agrees with looking at every offer, and offers that cannot award an event
//! change nothing of its judgement (R-51).

use domain::award::{Facts, Judged, Mode, judge};
use domain::event::{Event, Line, RecordedEvent};
use domain::offer::{Beneficiary, Conditions, Offer, Subject};
use domain::participant::Participant;
use domain::programme::Programme;
use domain::quota::Quotas;
use domain::time::Instant;
use domain::wallet::Wallet;
use proptest::prelude::*;

use crate::arbitrary::{beneficiary, event, ids, market, offers, participant};
use crate::fixture::*;

/// The naive way: every offer that judges this type of events for somebody is looked at.
fn scan<'a>(programme: &'a Programme, event: &Event, whose: Beneficiary) -> Vec<&'a Offer> {
    let subject = Subject::of(programme, event).seen_for(whose);
    let judges = |offer: &&Offer| offer.class.types().contains(&event.event_type());
    let of_type = programme.offers.iter().filter(judges).filter(|o| o.beneficiary == whose);
    of_type.filter(|offer| offer.excludes(&subject).is_none()).collect()
}

/// Judges, and carries out what follows.
fn take(
    programme: &Programme,
    wallet: &mut Wallet,
    quotas: &mut Quotas,
    event: &RecordedEvent,
    participant: &Participant,
    (mode, whose): (Mode, Beneficiary),
) -> Judged {
    let facts = Facts { participant, quotas, whose, ..Facts::none() };
    let judged = judge(programme, wallet, noon("2026-11-24"), event, mode, &facts);
    judged.effects.iter().for_each(|effect| {
        wallet.carry_out(effect);
        quotas.note(effect);
    });
    judged
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn candidates_are_those_of_a_naive_scan_in_its_order(
        offers in offers(),
        events in prop::collection::vec((event(), beneficiary()), 1..5),
    ) {
        let programme = market(offers);
        for (event, whose) in &events {
            let subject = Subject::of(&programme, event).seen_for(*whose);
            let found = programme.offers.candidates(&subject);
            let found: Vec<_> = found.map(|offer| &offer.id).collect();
            let want: Vec<_> = scan(&programme, event, *whose).iter().map(|offer| &offer.id).collect();
            prop_assert_eq!(found, want);
        }
    }

    // A history judged by all offers comes to what it comes to where each event is judged by its
    // naive candidates alone: the others might as well not be there.
    #[test]
    fn offers_that_cannot_award_an_event_change_nothing_of_its_judgement(
        offers in offers(),
        events in prop::collection::vec((event(), any::<bool>(), beneficiary()), 1..5),
        participant in participant(),
    ) {
        let all = market(offers);
        let (mut wallet, mut quotas) = (Wallet::default(), Quotas::default());
        for (event, run, whose) in events {
            let of_event: Vec<Offer> = scan(&all, &event, whose).into_iter().cloned().collect();
            let alone = Programme { offers: of_event.into(), ..all.clone() };
            let event = recorded(event);
            let mode = (if run { Mode::Run } else { Mode::Interactive }, whose);
            let (mut other_wallet, mut other_quotas) = (wallet.clone(), quotas.clone());
            let want = take(&alone, &mut other_wallet, &mut other_quotas, &event, &participant, mode);
            let got = take(&all, &mut wallet, &mut quotas, &event, &participant, mode);
            prop_assert_eq!(got, want);
            prop_assert_eq!((&wallet, &quotas), (&other_wallet, &other_quotas));
        }
    }
}

/// An offer of many places and many goods stands under the fewer of them, and is found all the
/// same.
#[test]
fn long_lists_are_found_as_well() {
    let many = |count: usize, prefix: &str| ids(prefix, count, |id: &str| id.to_owned());
    let at = |units: usize, products: usize| Conditions {
        units: many(units, "u").iter().map(|id| unit(id)).collect::<Vec<_>>().into(),
        products: many(products, "p").iter().map(|id| product(id)).collect::<Vec<_>>().into(),
        ..Conditions::default()
    };
    let sizes = [(1, 3_000), (3_000, 1), (40, 50), (50, 40), (2, 400), (400, 2), (32, 31)];
    for (units, products) in sizes {
        let programme = market(vec![Offer { when: at(units, products), ..fixed("o", 5) }]);
        let cases = [(0, 0, true), (units - 1, products - 1, true), (units, 0, false)];
        for (of_unit, of_product, want) in cases {
            let bought =
                Line { product: Some(product(&format!("p-{of_product}"))), ..line(1, 1, 0) };
            let event = with_lines(purchase("r", 0, noon("2026-11-21")), vec![bought]);
            let event = Event { unit: Some(unit(&format!("u-{of_unit}"))), ..event };
            let subject = Subject::of(&programme, &event);
            let found = programme.offers.candidates(&subject).count();
            assert_eq!(found == 1, want, "{units} units, {products} products: {of_unit}");
        }
    }
}

/// Offers that begin and end with each other, and the instants at which they do.
#[test]
fn r46_offers_that_begin_or_end_together_are_found_from_the_first_to_the_last_instant() {
    let (from, to) = ("2026-11-01T00:00:00+01:00", "2026-12-01T00:00:00+01:00");
    let periods = [(None, None), (Some(from), Some(to)), (Some(to), None), (None, Some(from))];
    let offers = (0..40).map(|number| {
        let (from, to) = periods[number % periods.len()];
        Offer { valid: vec![validity(from, to)], ..fixed(&format!("o-{number}"), 5) }
    });
    let programme = market(offers.collect());
    let cases = [(from, -1, 20), (from, 0, 20), (to, -1, 20), (to, 0, 20), (to, 1, 20)];
    for (mark, off, want) in cases {
        let event = purchase("r", 1_00, Instant(at(mark).0 + off));
        let subject = Subject::of(&programme, &event);
        let found = programme.offers.candidates(&subject).map(|offer| &offer.id);
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), want, "{mark} {off}");
        assert!(
            found.into_iter().eq(scan(&programme, &event, Beneficiary::Participant)
                .iter()
                .map(|offer| &offer.id))
        );
    }
}
