//! What exports tell: a delta applied to its base is the full export of its moment,
//! and whoever opted out is in no file that adds.

use std::collections::BTreeMap;

use domain::export::{Doubt, ExportPlan, Op, Standing, Told};
use domain::id::ParticipantId;
use domain::participant::{Consent, Participant, Profile};
use domain::time::Instant;
use proptest::prelude::*;

/// What a moment knows of one participant: consent and its time, address, name, membership.
type Known = Option<(Option<(bool, i64)>, bool, u8, bool)>;

const PEOPLE: usize = 6;

fn known() -> impl Strategy<Value = Known> {
    let consent = prop::option::weighted(0.8, (any::<bool>(), 0..4_i64));
    prop::option::weighted(0.9, (consent, prop::bool::weighted(0.8), 0..3_u8, any::<bool>()))
}

fn participant(consent: Option<(bool, i64)>, reachable: bool, name: u8) -> Participant {
    let mut participant = Participant::default();
    let profile = Profile {
        email: reachable.then(|| "a@example.org".into()),
        first_name: Some(name.to_string().into()),
        ..Profile::default()
    };
    let consent = consent.map(|(granted, at)| {
        ("email".into(), Consent { granted, at: Instant(at), source: None, process: None })
    });
    participant.update(profile, consent.into_iter().collect());
    participant
}

/// What an export would tell of somebody at a moment. What it shows of them stands for the digest.
fn told(number: usize, known: Known) -> Option<Told> {
    let (consent, reachable, name, is_member) = known?;
    let standing = Standing::of(&participant(consent, reachable, name), is_member);
    let suppressed = match standing {
        Standing::Addressed => false,
        Standing::Suppressed => true,
        Standing::NoConsent | Standing::NoAddress | Standing::Stranger => return None,
    };
    let participant = ParticipantId::parse(&format!("c-{number}")).unwrap();
    let consent_at = consent.map_or(0, |(_, at)| at);
    let shown = if suppressed { u64::from(reachable) } else { u64::from(name) };
    let digest = shown * 100 + u64::try_from(consent_at).unwrap();
    Some(Told { participant, suppressed, digest, consent_at })
}

/// What a platform holds that took what it was told: whom it may write to, and with which row.
type Platform = BTreeMap<usize, (bool, u64)>;

fn take(platform: &mut Platform, number: usize, op: Op, now: Option<&Told>) {
    match (op, now) {
        (Op::Add | Op::Change, Some(now)) => {
            assert!(!now.suppressed, "suppression wins");
            platform.insert(number, (true, now.digest));
        }
        (Op::Suppress, Some(now)) => {
            assert!(now.suppressed);
            platform.insert(number, (false, now.digest));
        }
        (Op::Remove, None) => assert!(platform.remove(&number).is_some(), "nobody to remove"),
        (op, now) => panic!("{op:?} of {now:?}"),
    }
}

fn full(moment: &[Option<Told>]) -> Platform {
    let mut platform = Platform::new();
    for (number, now) in moment.iter().enumerate() {
        if let Some(op) = Op::between(None, now.as_ref()) {
            take(&mut platform, number, op, now.as_ref());
        }
    }
    platform
}

proptest! {
    #[test]
    fn r94_deltas_applied_to_their_base_are_the_full_export_of_the_same_moment(
        history in prop::collection::vec(prop::array::uniform6(known()), 1..8),
    ) {
        let mut base: Vec<Option<Told>> = vec![None; PEOPLE];
        let mut platform = Platform::new();
        for moment in history {
            let moment: Vec<Option<Told>> =
                moment.into_iter().enumerate().map(|(number, known)| told(number, known)).collect();
            for (number, (before, now)) in base.iter().zip(&moment).enumerate() {
                let op = Op::between(before.as_ref(), now.as_ref());
                prop_assert!(op.is_some() || before == now, "a difference nobody is told of");
                if let Some(op) = op {
                    // A change is of somebody whom the platform may write to already.
                    let may = platform.get(&number).is_some_and(|(may, _)| *may);
                    prop_assert!(op != Op::Change || may);
                    take(&mut platform, number, op, now.as_ref());
                }
            }
            prop_assert_eq!(&platform, &full(&moment));
            base = moment;
        }
    }

    #[test]
    fn r94_whoever_opted_out_is_suppressed_member_or_not(
        known in known(), is_member in any::<bool>(),
    ) {
        let Some((consent, reachable, name, _)) = known else { return Ok(()) };
        let standing = Standing::of(&participant(consent, reachable, name), is_member);
        let opted_out = consent.is_some_and(|(granted, _)| !granted);
        prop_assert_eq!(standing == Standing::Suppressed, opted_out);
        if standing == Standing::Addressed {
            prop_assert!(is_member && reachable && consent.is_some_and(|(granted, _)| granted));
        }
    }
}

#[test]
fn r94_an_opt_in_is_told_anew_only_where_it_is_new() {
    let of = |consent, name| told(1, Some((Some(consent), true, name, true)));
    let op = |before: &Option<Told>, now: &Option<Told>| Op::between(before.as_ref(), now.as_ref());
    let base = of((true, 1), 0);
    assert_eq!(op(&base, &base), None);
    assert_eq!(op(&base, &of((true, 1), 1)), Some(Op::Change));
    assert_eq!(op(&base, &of((true, 2), 0)), Some(Op::Add), "opted in anew");
    assert_eq!(op(&base, &of((false, 2), 0)), Some(Op::Suppress));
    assert_eq!(op(&of((false, 2), 0), &of((true, 3), 0)), Some(Op::Add));
    assert_eq!(op(&of((false, 2), 0), &None), Some(Op::Remove));
}

#[test]
fn r95_a_full_export_is_doubted_when_it_is_empty_or_sharply_smaller() {
    let plan = |at_least_percent| ExportPlan { at_least_percent, scheduled: None };
    let cases = [
        (50, 0, None, Some(Doubt::Empty)),
        (0, 0, Some(9), Some(Doubt::Empty)),
        (50, 1, None, None),
        (50, 49, Some(100), Some(Doubt::Shrunk)),
        (50, 50, Some(100), None),
        (100, 99, Some(100), Some(Doubt::Shrunk)),
        (0, 1, Some(u64::MAX), None),
        (100, u64::MAX, Some(u64::MAX), None),
    ];
    for (percent, addressed, before, want) in cases {
        assert_eq!(
            plan(percent).doubt(addressed, before),
            want,
            "{percent} {addressed} {before:?}"
        );
    }
}
