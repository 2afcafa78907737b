//! Who is a member of a segment: tables of cases, and the laws of all, any and not.

use std::collections::BTreeMap;

use domain::amount::Amount;
use domain::anniversary::Anniversary;
use domain::id::ParticipantId;
use domain::ledger::LotId;
use domain::participant::{Consent, Participant, Profile, ProfileField};
use domain::segment::{Bounds, Predicate};
use domain::time::Instant;
use domain::wallet::{Lot, Wallet};
use domain::window::Occasion;
use proptest::prelude::*;

use crate::fixture::{ZONE, at, day, eur, noon, points, span};

/// Born on 1990-06-10, of the north, staff, German-speaking, opted in to email and out of sms.
fn anna() -> Participant {
    let flags = BTreeMap::from([("staff".into(), true), ("pensioner".into(), false)]);
    let consent = |granted| Consent { granted, at: Instant(0), source: None, process: None };
    Participant {
        profile: Profile {
            email: Some("anna@example.org".into()),
            locale: Some("de-AT".into()),
            birthday: Some("1990-06-10".parse().unwrap()),
            name_day: Anniversary::new(7, 26),
            area: Some("north".into()),
            tags: vec!["vip".into(), "commuter".into()],
            flags,
            ..Profile::default()
        },
        consents: BTreeMap::from([("email".into(), consent(true)), ("sms".into(), consent(false))]),
        ..Participant::default()
    }
}

fn lot(amount: i64, available_from: Option<&str>, expires: Option<&str>) -> Lot {
    let [available_from, expires] = [available_from, expires].map(|date| date.map(day));
    Lot {
        id: LotId { balance: points(), expires, available_from, terms: None },
        amount: Amount(amount),
    }
}

/// On 2026-06-10: 100 points available, 40 of them until 30 June; 25 pending from 1 July that
/// expire on 10 July; 7 that expired. The last event was on 1 June.
fn purse() -> Wallet {
    Wallet {
        lots: vec![
            lot(7, None, Some("2026-06-09")),
            lot(40, None, Some("2026-06-30")),
            lot(25, Some("2026-07-01"), Some("2026-07-10")),
            lot(60, None, None),
        ],
        last_event: Some(at("2026-06-01T00:00:00+02:00")),
        ..Wallet::default()
    }
}

fn bounds(least: Option<i64>, most: Option<i64>) -> Bounds {
    Bounds { at_least: least.map(Amount), at_most: most.map(Amount) }
}

fn who() -> ParticipantId {
    ParticipantId::parse("anna").unwrap()
}

fn holds(predicate: &Predicate, of: &Participant, wallet: &Wallet) -> bool {
    predicate.holds(&who(), of, wallet, noon("2026-06-10"), ZONE)
}

fn check(cases: &[(Predicate, bool)]) {
    for (predicate, want) in cases {
        assert_eq!(holds(predicate, &anna(), &purse()), *want, "{predicate:?}");
    }
}

#[test]
fn r93_balances_are_what_the_wallet_shows_both_ends_inclusive() {
    use Predicate::{Available, Expiring, Pending};
    let expiring = |within, least| Expiring {
        balance: points(),
        within: span(within),
        bounds: bounds(Some(least), None),
    };
    check(&[
        (Available(points(), bounds(Some(100), None)), true),
        (Available(points(), bounds(Some(101), None)), false),
        (Available(points(), bounds(None, Some(100))), true),
        (Available(points(), bounds(None, Some(99))), false),
        (Available(points(), bounds(Some(100), Some(100))), true),
        (Available(eur(), bounds(Some(1), None)), false),
        (Available(eur(), bounds(None, Some(0))), true),
        (Pending(points(), bounds(Some(25), Some(25))), true),
        (Pending(points(), bounds(Some(26), None)), false),
        // What has expired already is gone; what expires on the last day counts.
        (expiring("P0D", 1), false),
        (expiring("P19D", 1), false),
        (expiring("P20D", 40), true),
        (expiring("P20D", 41), false),
        (expiring("P29D", 41), false),
        (expiring("P1M", 65), true),
        (expiring("P10Y", 66), false),
    ]);
}

#[test]
fn r93_profile_and_consents() {
    use Predicate::{Area, Blocked, Consent, Flag, Known, LastEventWithin, Locale, Tag};
    let list = |names: &[&str]| names.iter().map(|name| Box::from(*name)).collect::<Vec<_>>();
    check(&[
        (Consent("email".into()), true),
        (Consent("sms".into()), false),
        (Consent("push".into()), false),
        (Tag("vip".into()), true),
        (Tag("VIP".into()), false),
        (Flag("staff".into(), true), true),
        (Flag("staff".into(), false), false),
        (Flag("pensioner".into(), false), true),
        // A flag that was never set is false.
        (Flag("student".into(), false), true),
        (Flag("student".into(), true), false),
        (Area(list(&["south", "north"])), true),
        (Area(list(&["south"])), false),
        (Locale(list(&["de"])), true),
        (Locale(list(&["DE-at"])), true),
        (Locale(list(&["de_AT"])), true),
        (Locale(list(&["de-CH", "fr"])), false),
        (Locale(list(&["d"])), false),
        (Locale(list(&["de-AT-1996"])), false),
        (Known(ProfileField::Birthday), true),
        (Known(ProfileField::Phone), false),
        (Blocked(false), true),
        (Blocked(true), false),
        (LastEventWithin(span("P8D")), false),
        (LastEventWithin(span("P9D")), true),
        (LastEventWithin(span("P1M")), true),
    ]);
    let nobody = (Participant::default(), Wallet::default());
    let unknown = [
        Consent("email".into()),
        Tag("vip".into()),
        Area(list(&["north"])),
        Locale(list(&["de"])),
        LastEventWithin(span("P100Y")),
        Predicate::Age { from: Some(0), to: None },
        Predicate::Within(Occasion::Birthday, 180),
        Predicate::Within(Occasion::NameDay, 180),
    ];
    for predicate in unknown.into_iter().chain(ProfileField::ALL.map(Known)) {
        assert!(!holds(&predicate, &nobody.0, &nobody.1), "{predicate:?}");
        let not = Predicate::Not(Box::new(predicate));
        assert!(holds(&not, &nobody.0, &nobody.1), "{not:?}");
    }
}

#[test]
fn r93_age_in_whole_years_of_the_zone() {
    let cases = [
        // Born, at, age.
        ("1990-06-10", "2026-06-09T23:59:59+02:00", Some(35)),
        ("1990-06-10", "2026-06-09T22:00:00Z", Some(36)),
        ("1990-12-31", "2026-12-31T00:00:00+01:00", Some(36)),
        ("1991-01-01", "2026-12-31T23:59:59+01:00", Some(35)),
        ("2008-02-29", "2026-02-27T12:00:00+01:00", Some(17)),
        ("2008-02-29", "2026-02-28T00:00:00+01:00", Some(18)),
        ("2008-02-29", "2028-02-28T12:00:00+01:00", Some(19)),
        ("2008-02-29", "2028-02-29T12:00:00+01:00", Some(20)),
        ("2026-06-10", "2026-06-10T12:00:00+02:00", Some(0)),
        ("2026-06-10", "2026-06-09T12:00:00+02:00", None),
    ];
    for (born, now, want) in cases {
        let mut anna = anna();
        anna.profile.birthday = Some(born.parse().unwrap());
        assert_eq!(anna.profile.age(at(now).day(ZONE)), want, "{born} at {now}");
        let between = |from, to| {
            let age = Predicate::Age { from, to };
            age.holds(&who(), &anna, &Wallet::default(), at(now), ZONE)
        };
        assert_eq!(between(want, want), want.is_some(), "{born} at {now}");
        if let Some(age) = want {
            assert!(between(Some(age), None) && between(None, Some(age)), "{born} at {now}");
            assert!(!between(Some(age + 1), None), "{born} at {now}");
            let younger = age.checked_sub(1).is_some_and(|age| between(None, Some(age)));
            assert!(!younger, "{born} at {now}");
        }
    }
}

#[test]
fn r93_a_birthday_is_near_when_it_is_today_or_to_come() {
    let cases = [
        ("06-10", 0, true),
        ("06-11", 0, false),
        ("06-11", 1, true),
        ("06-17", 7, true),
        ("06-18", 7, false),
        ("06-09", 7, false),
        ("12-07", 180, true),
        ("12-08", 180, false),
    ];
    for (name_day, days, want) in cases {
        let mut anna = anna();
        anna.profile.name_day = Anniversary::parse(name_day);
        let near = Predicate::Within(Occasion::NameDay, days);
        assert_eq!(holds(&near, &anna, &purse()), want, "{name_day} within {days}");
    }
    assert!(holds(&Predicate::Within(Occasion::Birthday, 0), &anna(), &purse()));
}

#[test]
fn month_days_are_read_exactly_or_not_at_all() {
    let cases = [
        ("02-29", true),
        ("12-31", true),
        ("01-01", true),
        ("02-30", false),
        ("00-10", false),
        ("13-01", false),
        ("6-10", false),
        ("06-1", false),
        ("+6-10", false),
        ("06/10", false),
        ("", false),
    ];
    for (text, want) in cases {
        let read = Anniversary::parse(text);
        assert_eq!(read.map(|day| day.to_string()).as_deref(), want.then_some(text), "{text}");
    }
}

/// Any predicate over a few names, at most four groups deep.
fn predicate() -> impl Strategy<Value = Predicate> {
    let tag = prop::sample::select(vec!["vip", "commuter", "other"]);
    let amount = prop::option::of(0..120_i64);
    let leaf = prop_oneof![
        tag.clone().prop_map(|tag| Predicate::Tag(tag.into())),
        (tag.clone(), any::<bool>()).prop_map(|(flag, is)| Predicate::Flag(flag.into(), is)),
        (amount.clone(), amount)
            .prop_map(|(least, most)| Predicate::Available(points(), bounds(least, most))),
        any::<bool>().prop_map(Predicate::Blocked),
        prop::sample::select(vec!["email", "sms"]).prop_map(|to| Predicate::Consent(to.into())),
        (0..60_u32).prop_map(|from| Predicate::Age { from: Some(from), to: None }),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            list.clone().prop_map(Predicate::All),
            list.prop_map(Predicate::Any),
            inner.prop_map(|inner| Predicate::Not(Box::new(inner))),
        ]
    })
}

fn not(predicate: Predicate) -> Predicate {
    Predicate::Not(Box::new(predicate))
}

proptest! {
    #[test]
    fn r93_all_any_and_not_are_those_of_logic(
        list in prop::collection::vec(predicate(), 0..5),
        born in prop::option::of(0..20_000_i32),
        blocked in any::<bool>(),
    ) {
        let mut anna = anna();
        anna.profile.birthday = born.map(|day| domain::time::Day(day).date());
        let wallet = Wallet { blocked, ..purse() };
        let says = |predicate: &Predicate| holds(predicate, &anna, &wallet);
        let (all, any) = (Predicate::All(list.clone()), Predicate::Any(list.clone()));
        let nots: Vec<Predicate> = list.iter().cloned().map(not).collect();
        prop_assert_eq!(says(&all), list.iter().all(says));
        prop_assert_eq!(says(&any), list.iter().any(says));
        // De Morgan.
        prop_assert_eq!(says(&not(all.clone())), says(&Predicate::Any(nots.clone())));
        prop_assert_eq!(says(&not(any.clone())), says(&Predicate::All(nots)));
        prop_assert_eq!(says(&not(not(any.clone()))), says(&any));
        // Of none, all is everybody and any is nobody; the order does not matter.
        prop_assert!(says(&Predicate::All(vec![])) && !says(&Predicate::Any(vec![])));
        let backwards: Vec<Predicate> = list.iter().rev().cloned().collect();
        prop_assert_eq!(says(&Predicate::All(backwards.clone())), says(&all));
        prop_assert_eq!(says(&Predicate::Any(backwards)), says(&any));
    }

    #[test]
    fn r93_a_predicate_that_does_not_ask_the_profile_says_the_same_without_it(
        predicate in predicate(), blocked in any::<bool>(),
    ) {
        let wallet = Wallet { blocked, ..purse() };
        let without = holds(&predicate, &Participant::default(), &wallet);
        prop_assert!(predicate.asks_profile() || holds(&predicate, &anna(), &wallet) == without);
    }
}
