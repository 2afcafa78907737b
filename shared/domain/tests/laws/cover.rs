//! Lots with overlapping terms against one purchase, held against trying everything (R-48).

use std::sync::Arc;

use domain::amount::Amount;
use domain::apply::{Command, Outcome, apply};
use domain::event::{Line, RecordedEvent, SpendOn};
use domain::ledger::{Effect, EntryKey, LotId, PayloadHash};
use domain::programme::Programme;
use domain::spend::SpendAsked;
use domain::time::Day;
use domain::wallet::Wallet;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::fixture::*;
use crate::terms::on;

const PRODUCTS: [&str; 3] = ["a", "b", "c"];

/// Who pays: for which products (a bit each), and how much, in fractions of a cent.
type Payer = (u8, i64);

/// Everything that some payers may pay for, together.
fn open_to(lines: &[(u8, i64)], payers: u8) -> i64 {
    let of = |product: &u8| payers & (1 << product) != 0;
    lines.iter().filter(|(product, _)| of(product)).map(|(_, total)| total).sum()
}

/// Whether so much can be paid: no group of payers pays more than is open to them.
fn fits(lines: &[(u8, i64)], payers: &[Payer]) -> bool {
    (1_u32..1 << payers.len()).all(|group| {
        let chosen = payers.iter().enumerate().filter(|(at, _)| group & (1 << at) != 0);
        let (may, sum) = chosen.fold((0, 0), |(may, sum), (_, one)| (may | one.0, sum + one.1));
        sum <= open_to(lines, may)
    })
}

/// The most of each lot in their order, tried one minor unit after the other.
fn tried(lines: &[(u8, i64)], before: &[Payer], lots: &[Payer], each: i64) -> Vec<i64> {
    let mut paid = before.to_vec();
    let mut most = Vec::new();
    for (may, amount) in lots {
        let with = |units: i64| {
            let mut paid = paid.clone();
            paid.push((*may, units * each));
            paid
        };
        let units = (0..=*amount).rev().find(|units| fits(lines, &with(*units))).unwrap();
        paid = with(units);
        most.push(units);
    }
    most
}

/// The most of all lots together: what is open to a group, and what the others have.
fn most_of_all(lines: &[(u8, i64)], lots: &[Payer]) -> i64 {
    let cut = |group: u32| {
        let inside = |at: &usize| group & (1 << at) != 0;
        let may =
            lots.iter().enumerate().filter(|(at, _)| inside(at)).fold(0, |may, (_, l)| may | l.0);
        let others = lots.iter().enumerate().filter(|(at, _)| !inside(at)).map(|(_, lot)| lot.1);
        open_to(lines, may) + others.sum::<i64>()
    };
    (0..1 << lots.len()).map(cut).min().unwrap()
}

struct Case {
    programme: Programme,
    wallet: Wallet,
    purchase: RecordedEvent,
}

fn case(worth: &str, lines: &[(u8, i64)], lots: &[Payer]) -> Case {
    let mut programme = programme(vec![]);
    programme.balances[0].worth = rate(worth);
    let mut wallet = Wallet::default();
    for (at, (may, amount)) in lots.iter().enumerate() {
        let named = (0..3).filter(|product| may & (1 << product) != 0).map(|p| PRODUCTS[p]);
        let terms = (*may != 7).then(|| Arc::new(on(&named.collect::<Vec<_>>())));
        let expires = Some(Day(30_000 + i32::try_from(at).unwrap()));
        let lot = LotId { balance: points(), expires, available_from: None, terms };
        let (offer, amount, debt, slot) = (None, Amount(*amount), Amount(0), None);
        wallet.carry_out(&Effect::Award { offer, lot, amount, debt, slot });
    }
    let of = |(product_of, total): &(u8, i64)| Line {
        product: Some(product(PRODUCTS[usize::from(*product_of)])),
        ..line(1, *total, 0)
    };
    let lines = lines.iter().map(of).collect();
    let bought = with_lines(purchase("r", 0, noon("2026-11-21")), lines);
    Case { programme, wallet, purchase: recorded(bought) }
}

impl Case {
    /// What is taken of each lot, by the day on which it expires; nothing where it is refused.
    fn spend(&mut self, amount: Option<i64>, count: usize) -> Vec<i64> {
        let now = noon("2026-11-21");
        let (balance, amount) = (points(), amount.map(Amount));
        let asked =
            SpendAsked { balance, amount, classification: None, unit: None, performed_on: now };
        let (key, payload) = (EntryKey::Spend(key("k")), PayloadHash::default());
        let purchase = Some(&self.purchase);
        let command =
            Command::Spend { key, payload, asked: &asked, purchase, request: None, pass: None };
        let applied = apply(&self.programme, &self.wallet, now, &command);
        let mut taken = vec![0; count];
        let entry = applied.entries.last().unwrap();
        let is_take = |effect: &&Effect| !matches!(effect, Effect::Activity(_));
        for effect in entry.effects.iter().filter(is_take) {
            let Effect::Take { lot, amount } = effect else { panic!("{effect:?}") };
            taken[usize::try_from(lot.expires.unwrap().0 - 30_000).unwrap()] = amount.0;
        }
        if applied.outcome == Outcome::Done {
            self.purchase.spends.extend(SpendOn::of(entry));
            self.wallet = applied.wallet;
        }
        taken
    }
}

/// The first of these that come to so much.
fn first(most: &[i64], amount: i64) -> Vec<i64> {
    let mut open = amount;
    let take = |held: &i64| {
        let taken = open.min(*held);
        open -= taken;
        taken
    };
    most.iter().map(take).collect()
}

fn lines() -> impl Strategy<Value = Vec<(u8, i64)>> {
    vec((0..3_u8, 1..7_i64), 1..5)
}

fn lots() -> impl Strategy<Value = Vec<Payer>> {
    vec((1..8_u8, 1..8_i64), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Neither more than their lines nor less than possible, what expires first going first.
    #[test]
    fn r48_lots_pay_in_their_order_and_together_as_much_as_they_can(
        lines in lines(), lots in lots(),
    ) {
        let most = tried(&lines, &[], &lots, 1);
        prop_assert_eq!(most.iter().sum::<i64>(), most_of_all(&lines, &lots));
        prop_assert_eq!(case("0.01", &lines, &lots).spend(None, lots.len()), most);
    }

    /// Also where a point is worth a part of a cent, or more than one.
    #[test]
    fn r48_r61_what_is_no_whole_number_of_points_stays_open(
        worth in prop::sample::select(vec![("0.005", 2, 1), ("0.02", 1, 2), ("0.015", 2, 3)]),
        lines in lines(), lots in lots(),
    ) {
        let (worth, cent, each) = worth;
        let fractions: Vec<_> = lines.iter().map(|(of, total)| (*of, total * cent)).collect();
        let most = tried(&fractions, &[], &lots, each);
        // What covers no cent is no spend.
        let covers = most.iter().sum::<i64>() * each >= cent;
        let want = if covers { most } else { vec![0; lots.len()] };
        prop_assert_eq!(case(worth, &lines, &lots).spend(None, lots.len()), want);
    }

    /// A later spend finds what the earlier ones left, which pay for other lines where that helps.
    #[test]
    fn r48_later_spends_count_with_what_earlier_ones_used(
        lines in lines(), lots in lots(), amounts in vec(1..9_i64, 1..4),
    ) {
        let mut case = case("0.01", &lines, &lots);
        let total: i64 = lines.iter().map(|(_, total)| total).sum();
        let (mut before, mut left) = (Vec::<Payer>::new(), lots.clone());
        for amount in amounts {
            let most = tried(&lines, &before, &left, 1);
            let open = total - before.iter().map(|(_, paid)| paid).sum::<i64>();
            // More than is open of the purchase is refused.
            let want = first(&most, if amount > open { 0 } else { amount });
            prop_assert_eq!(&case.spend(Some(amount), lots.len()), &want);
            for ((may, held), taken) in left.iter_mut().zip(want) {
                *held -= taken;
                before.push((*may, taken));
            }
            // Those alike are one, so that trying everything stays short.
            before.sort_unstable();
            before.dedup_by(|one, kept| one.0 == kept.0 && { kept.1 += one.1; true });
        }
    }
}
