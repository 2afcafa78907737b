//! Alerts: whoever comes into a segment is told of once, and again only after having left.

use domain::activity::Activity;
use domain::alert::{Alert, MAX_TURNS, Seen, Step, Turn, Turns};
use domain::amount::Amount;
use domain::id::{AlertId, FeedId, ParticipantId, SegmentId};
use domain::segment::{Deed, Measure, Months, Predicate};
use domain::time::{Instant, Month};
use domain::wallet::Wallet;
use proptest::prelude::*;

use crate::fixture::{ZONE, noon};

fn alert(tells_first: bool) -> Alert {
    Alert {
        id: AlertId::parse("sales-drop").unwrap(),
        segment: SegmentId::parse("sales-halved").unwrap(),
        feed: FeedId::parse("crm").unwrap(),
        tells_first,
    }
}

fn seen(at: i64, is_member: bool, is_there: bool) -> Seen {
    Seen { at: Instant(at), is_member, is_there, sales: vec![] }
}

/// What follows on each of some days, each told at once: `+` joined, `-` left, in brackets where it
/// is only noted, `.` nothing, `x` forgotten.
fn days(tells_first: bool, first_days: usize, found: &str) -> String {
    let (mut turns, mut told) = (Turns::default(), 0);
    let day = |(day, found): (usize, char)| {
        let at = i64::try_from(day).unwrap() + 1;
        let seen = seen(at, found == 'm', found != 'e');
        match turns.step(&alert(tells_first), &seen, told, day < first_days) {
            Step::Nothing => ".".to_owned(),
            Step::Remind => panic!("all was told"),
            Step::Forget => "x".to_owned(),
            Step::Turned(turn) => {
                let sign = if turn.joined { "+" } else { "-" };
                let shown = if turn.is_told { sign.to_owned() } else { format!("({sign})") };
                told = if turn.is_told { turn.sequence } else { told };
                turns.add(turn);
                shown
            }
        }
    };
    found.chars().enumerate().map(day).collect()
}

/// `m` is a member, `o` is none, `e` was erased or merged.
#[test]
fn r97_who_joins_is_told_of_once_and_again_after_having_left() {
    for (tells_first, first_days, found, want) in [
        (false, 0, "ommmoomm", "x+..-x+."),
        // Who is in from the start is noted, and so is that they leave; anew, they are told of.
        (false, 2, "mmmom", "(+)..(-)+"),
        (false, 2, "ommmo", "x(+)..(-)"),
        (true, 2, "mmmom", "+..-+"),
        // Nothing is told of whoever is erased.
        (false, 0, "ommee", "x+.(-)x"),
        (false, 0, "e", "x"),
    ] {
        assert_eq!(days(tells_first, first_days, found), want, "{found}");
    }
}

#[test]
fn r97_what_the_target_does_not_know_it_is_reminded_of_by_each_later_run() {
    let mut turns = Turns::default();
    let Step::Turned(turn) = turns.step(&alert(false), &seen(5, true, true), 0, false) else {
        panic!("somebody joins")
    };
    turns.add(turn);
    for at in [4, 5] {
        assert_eq!(turns.step(&alert(false), &seen(at, false, true), 0, false), Step::Nothing);
    }
    assert_eq!(turns.step(&alert(false), &seen(6, true, true), 0, false), Step::Remind);
    turns.reminded = Some(Instant(6));
    assert_eq!(turns.step(&alert(false), &seen(6, true, true), 0, false), Step::Nothing);
    assert_eq!(turns.step(&alert(false), &seen(7, true, true), 0, false), Step::Remind);
    assert_eq!(turns.step(&alert(false), &seen(7, true, true), 1, false), Step::Nothing);
    assert!(turns.is_open());
    let Step::Turned(turn) = turns.step(&alert(false), &seen(8, false, true), 1, false) else {
        panic!("somebody leaves")
    };
    turns.add(turn);
    assert!(turns.is_open(), "it is still to be told");
    assert_eq!(turns.step(&alert(false), &seen(9, false, true), 1, false), Step::Remind);
    assert_eq!(turns.step(&alert(false), &seen(9, false, true), 2, false), Step::Forget);
    assert_eq!(turns.step(&alert(false), &seen(9, false, false), 1, false), Step::Forget);
}

/// The month in question and those it is compared with, whatever stands around the predicate.
#[test]
fn r97_an_alert_shows_the_sales_that_its_segment_looks_at() {
    let of = |month: i32, cents| Activity {
        amount: Amount(cents),
        ..Activity::none(Month(noon("2026-06-10").day(ZONE).month().0 + month))
    };
    let wallet = Wallet {
        activity: vec![of(-5, 9_00), of(-4, 100_00), of(-2, 80_00), of(-1, 20_00), of(0, 7_00)],
        ..Wallet::default()
    };
    let sales = |measure, months| Predicate::Activity(Deed::Sales, months, measure);
    let halved = Measure::Below { percent: 50, average_of: 3 };
    let last = Months { count: 1, ago: 1 };
    let months = [("2026-02", 100_00), ("2026-03", 0), ("2026-04", 80_00), ("2026-05", 20_00)];
    let level = Measure::Within(domain::segment::Bounds::default());
    for (members, want) in [
        (sales(halved, last), &months[..]),
        (
            Predicate::Not(Box::new(Predicate::All(vec![
                Predicate::Blocked(true),
                sales(halved, last),
            ]))),
            &months[..],
        ),
        (sales(level, last), &months[3..]),
        (sales(level, Months { count: 2, ago: 2 }), &months[1..3]),
        (Predicate::Activity(Deed::Spent, last, level), &[]),
        (Predicate::Blocked(true), &[]),
    ] {
        let seen = alert(false).sees(&members, &wallet, true, noon("2026-06-10"), ZONE);
        let want: Vec<(Month, Amount)> = want
            .iter()
            .map(|(month, cents)| (Month::parse(month).unwrap(), Amount(*cents)))
            .collect();
        assert_eq!(seen.sales, want, "{members:?}");
        assert!(seen.is_there);
    }
    let other = ParticipantId::parse("other").unwrap();
    for gone in [
        Wallet { erased: true, ..Wallet::default() },
        Wallet { merged_into: Some(other), ..Wallet::default() },
    ] {
        let seen =
            alert(false).sees(&Predicate::Blocked(false), &gone, true, noon("2026-06-10"), ZONE);
        assert!(!seen.is_there);
    }
}

proptest! {
    /// Whatever somebody is found as, and however often each day is gone over: told turns join and
    /// leave by turns, are numbered without a gap where all is told, and end as it was found last.
    #[test]
    fn r97_what_is_told_follows_what_was_found(
        found in prop::collection::vec((any::<bool>(), 1_usize..3), 0..30),
        tells_first in any::<bool>(),
    ) {
        let (mut turns, mut all) = (Turns::default(), Vec::<Turn>::new());
        let (mut at, mut is_in) = (0, false);
        for (is_member, times) in found {
            (at, is_in) = (at + 1, is_member);
            for _ in 0..times {
                let told = all.len() as u64;
                if let Step::Turned(turn) = turns.step(&alert(tells_first), &seen(at, is_member, true), told, false) {
                    prop_assert!(turn.is_told);
                    turns.add(turn.clone());
                    all.push(turn);
                }
            }
            prop_assert!(turns.list.len() <= MAX_TURNS);
        }
        for (number, turn) in (1_u64..).zip(&all) {
            prop_assert_eq!((turn.sequence, turn.joined), (number, number % 2 == 1));
        }
        prop_assert_eq!(all.last().is_some_and(|last| last.joined), is_in);
        let kept = all.len().saturating_sub(MAX_TURNS);
        prop_assert_eq!(&turns.list, &all[kept..].to_vec());
    }
}
