//! Goods that come back: what is left of purchases, awards and spends, in any order (R-56, R-73).

use domain::amount::Amount;
use domain::award::Mode;
use domain::event::{Awarded, Due, EventState, Line, RecordedEvent};
use domain::ledger::{Act, Effect};
use domain::offer::{Expiry, Offer};
use domain::programme::DebtPolicy;
use domain::refusal::Refusal;
use proptest::prelude::*;

use crate::bookkeeping::Book;
use crate::fixture::*;
use crate::laws::{net, substance};

/// A purchase of these lines, performed now and judged at once.
fn buy(book: &mut Book, reference: &str, lines: Vec<Line>) -> usize {
    let which = book.accept(with_lines(purchase(reference, 0, book.now), lines));
    book.judge(which, Mode::Interactive);
    which
}

/// Three cups at 4.20 with 0.80 of VAT, and a cake at 3.33.
fn basket() -> Vec<Line> {
    vec![line(3, 4_20, 80), line(1, 3_33, 0)]
}

/// A tenth of the purchase, in cents of a balance with two decimals.
fn tenth() -> Offer {
    percent("tenth", eur(), "10")
}

fn written_off(book: &Book) -> i64 {
    book.wallet.written_off.iter().map(|known| known.amount.0).sum()
}

fn sums(event: &RecordedEvent) -> (i64, i64, i64) {
    let sum = |sums: Vec<(_, Amount)>| sums.iter().map(|(_, amount)| amount.0).sum::<i64>();
    (event.left().total().0, sum(event.awarded()), sum(event.spent()))
}

#[test]
fn r73_what_is_left_of_a_line_keeps_its_share_of_vat_rounded_down() {
    // Pieces, price of one, VAT of the line, pieces that come back -> what is left.
    let cases = [
        (3, 4_20, 80, 1, 8_40 + 53),
        (3, 4_20, 80, 2, 4_20 + 26),
        (3, 4_20, 80, 3, 0),
        (1, 9_99, 1_90, 1, 0),
        (7, 0, 10, 1, 8),
        (7, 0, 10, 6, 1),
        (1_000_000, 1, 999_999, 1, 999_999 + 999_998),
    ];
    for (pieces, net, vat, back, want) in cases {
        let mut book = Book::with(vec![], noon("2026-11-21"));
        let which = buy(&mut book, "r", vec![line(pieces, net, vat)]);
        book.give_back(which, &[(0, back)]).unwrap();
        assert_eq!(book.events[which].left().total().0, want, "{pieces} {net} {vat} {back}");
    }
}

#[test]
fn r73_awards_shrink_with_what_is_left_and_the_last_piece_cancels() {
    let mut book = Book::with(vec![tenth()], noon("2026-11-21"));
    let which = buy(&mut book, "r", basket());
    assert_eq!(sums(&book.events[which]), (16_73, 1_67, 0));
    let steps = [((1, 1), 13_40, 1_33), ((0, 2), 4_46, 44)];
    for (back, left, awarded) in steps {
        book.give_back(which, &[back]).unwrap();
        assert_eq!(sums(&book.events[which]), (left, awarded, 0));
        assert_eq!(book.available(&eur()), awarded);
        assert_eq!(
            (book.events[which].state, book.wallet.activity[0].purchases),
            (EventState::Posted, 1)
        );
        assert_eq!(book.wallet.activity[0].amount.0, left);
    }
    assert!(matches!(book.ledger.last().unwrap().act, Act::Returned(_)));
    for more in [(0, 2), (1, 1)] {
        assert_eq!(book.give_back(which, &[more]), Err(Refusal::ReturnedAlready));
    }
    book.give_back(which, &[(0, 1)]).unwrap();
    assert_eq!(sums(&book.events[which]), (0, 0, 0));
    assert_eq!(book.events[which].state, EventState::Cancelled);
    assert!(matches!(book.ledger.last().unwrap().act, Act::Reversed(_)));
    assert!(book.wallet.lots.is_empty() && book.wallet.activity.is_empty());
    assert_eq!(book.give_back(which, &[(0, 1)]), Err(Refusal::ReturnedAlready));
    assert_eq!(book.cancel_event(which), Err(Refusal::AlreadyCancelled));
}

#[test]
fn r73_a_limit_is_freed_only_when_all_came_back() {
    let once = Offer { limit: domain::offer::Limit::Once, ..fixed("welcome", 50) };
    let mut book = Book::with(vec![once], noon("2026-11-21"));
    let which = buy(&mut book, "r", basket());
    book.give_back(which, &[(0, 3)]).unwrap();
    assert_eq!((book.available(&points()), book.wallet.counters.len()), (9, 1));
    book.cancel_event(which).unwrap();
    assert_eq!((book.available(&points()), book.wallet.counters.len()), (0, 0));
}

#[test]
fn r73_an_award_of_some_lines_shrinks_with_these_lines_alone() {
    let mut book = Book::with(vec![tenth()], noon("2026-11-21"));
    let which = buy(&mut book, "r", basket());
    book.events[which].judgements[0].awards[0].lines = vec![1];
    let event = |book: &Book| sums(&book.events[which]);
    book.give_back(which, &[(0, 2)]).unwrap();
    assert_eq!(event(&book).1, 1_67, "its line is still there");
    book.give_back(which, &[(1, 1)]).unwrap();
    assert_eq!((event(&book).1, book.available(&eur())), (0, 0));
    book.cancel_event(which).unwrap();
    assert_eq!(net(&book.wallet, &eur()), 0);
}

#[test]
fn r73_what_was_awarded_for_nothing_that_was_paid_stands_while_any_of_it_is_left() {
    let mut book = Book::with(vec![fixed("o", 50)], noon("2026-11-21"));
    let which = buy(&mut book, "r", vec![line(2, 0, 0)]);
    book.give_back(which, &[(0, 1)]).unwrap();
    assert_eq!(book.available(&points()), 50);
    book.give_back(which, &[(0, 1)]).unwrap();
    assert_eq!(book.available(&points()), 0);
}

#[test]
fn r56_r73_goods_that_come_back_before_the_run_are_not_awarded() {
    let mut book = Book::with(vec![tenth(), fixed("o", 5)], noon("2026-11-21"));
    let which = book.accept(with_lines(purchase("r", 0, book.now), basket()));
    book.give_back(which, &[(0, 3)]).unwrap();
    assert_eq!(book.ledger[0].effects, [], "there was nothing to take back");
    assert_eq!(book.events[which].due, Due::Everything);
    let judgement = book.judge(which, Mode::Run);
    assert_eq!(judgement.awards[0].amount.0, 33, "a tenth of the cake");
    assert_eq!(book.wallet.activity[0].amount.0, 3_33);
    book.give_back(which, &[(1, 1)]).unwrap();
    assert_eq!((book.available(&eur()), book.wallet.activity.len()), (0, 0));

    let late = book.accept(with_lines(purchase("late", 0, book.now), basket()));
    book.give_back(late, &[(0, 3), (1, 1)]).unwrap();
    assert_eq!(
        (book.events[late].state, book.events[late].due),
        (EventState::Cancelled, Due::Nothing)
    );
    assert!(book.judge(late, Mode::Run).awards.is_empty());
}

#[test]
fn r73_the_lines_of_an_award_are_those_of_the_purchase_though_others_came_back_before() {
    let mut book = Book::with(vec![], noon("2026-11-21"));
    let lines = vec![line(1, 1_00, 0), line(1, 2_00, 0), line(2, 4_00, 0), line(1, 8_00, 0)];
    let which = book.accept(with_lines(purchase("r", 0, book.now), lines));
    book.give_back(which, &[(0, 1), (2, 1)]).unwrap();
    let seen = book.events[which].remaining().into_owned();
    let totals = seen.event.lines().iter().map(|line| line.total().unwrap().0);
    assert_eq!(totals.collect::<Vec<_>>(), [2_00, 4_00, 8_00]);
    assert_eq!(book.events[which].kept_lines(), [1, 2, 3]);
    assert_eq!((seen.event.purchased(), seen.left().total()), (Amount(14_00), Amount(14_00)));
    // Judged after the return, an award of the third line shrinks from what was left of it then.
    book.judge(which, Mode::Run);
    let award = Awarded {
        offer: offer_id("o"),
        lot: fixed("o", 1).lot(&points(), book.now.day(ZONE)),
        amount: Amount(40),
        exclusive: false,
        counted: false,
        lines: vec![2, 3],
    };
    let sequence = book.events[which].judgements[0].sequence;
    assert_eq!(book.events[which].still_awarded(sequence, &award).0, 40);
    book.give_back(which, &[(2, 1)]).unwrap();
    assert_eq!(book.events[which].still_awarded(sequence, &award).0, 26);
}

/// 100 points that expire soon, 100 later, and a purchase of 4 pieces for 2.00 paid with 150.
fn paid() -> (Book, usize, u64) {
    let soon = Offer { expires: Expiry::After(span("P5D")), ..fixed("soon", 100) };
    let late = Offer { expires: Expiry::After(span("P9D")), ..fixed("late", 100) };
    let mut book = Book::with(vec![soon, late], noon("2026-11-21"));
    book.buy("a", 1_00);
    book.programme.offers = vec![].into();
    let which = buy(&mut book, "b", vec![line(4, 50, 0)]);
    let (spend, _) = book.spend(points(), Some(150), Some(which)).unwrap();
    (book, which, spend)
}

#[test]
fn r73_a_spend_shrinks_in_proportion_and_what_expires_last_comes_back_first() {
    let (mut book, which, spend) = paid();
    book.give_back(which, &[(0, 1)]).unwrap();
    // 112 points still pay 1.12 of 1.50.
    assert_eq!(sums(&book.events[which]), (1_50, 0, 112));
    assert_eq!(book.events[which].covered(), Amount(1_12));
    assert_eq!(book.lots(), ["88 points until 2026-11-30 from -"]);
    book.give_back(which, &[(0, 2)]).unwrap();
    assert_eq!(sums(&book.events[which]), (50, 0, 37));
    assert_eq!(
        book.lots(),
        ["63 points until 2026-11-26 from -", "100 points until 2026-11-30 from -"]
    );
    let (mut spend_first, mut event_first) = (book.clone(), book);
    spend_first.cancel_spend(spend).unwrap();
    assert_eq!(sums(&spend_first.events[which]), (50, 0, 0), "what was left of it came back");
    spend_first.cancel_event(which).unwrap();
    event_first.cancel_event(which).unwrap();
    assert_eq!(substance(&spend_first.wallet), substance(&event_first.wallet));
    assert_eq!(spend_first.available(&points()), 200);
}

#[test]
fn r62_r73_no_more_can_be_spent_than_what_is_left() {
    let (mut book, which, _) = paid();
    book.give_back(which, &[(0, 1)]).unwrap();
    let more = book.spend(points(), Some(39), Some(which));
    assert_eq!(more.unwrap_err(), Refusal::AmountOutOfRange, "38 cents are open");
    let (_, made) = book.spend(points(), None, Some(which)).unwrap();
    assert_eq!((made.requested.0, made.spent.0, made.remainder.0), (38, 38, 0));
    // Spends of before and after shrink alike, and pay no more than what is left.
    book.give_back(which, &[(0, 1)]).unwrap();
    assert_eq!((sums(&book.events[which]), book.events[which].covered().0), ((1_00, 0, 100), 100));
}

#[test]
fn r73_a_point_that_pays_no_whole_share_comes_back() {
    let mut book = Book::with(vec![fixed("o", 1)], noon("2026-11-21"));
    book.buy("a", 1_00);
    book.programme.balances[0].worth = rate("1");
    let which = buy(&mut book, "b", vec![line(3, 1_00, 0)]);
    book.spend(points(), Some(1), Some(which)).unwrap();
    book.give_back(which, &[(0, 1)]).unwrap();
    assert_eq!((sums(&book.events[which]), book.events[which].covered().0), ((2_00, 0, 0), 0));
}

/// Buys, spends (some of it on the purchase), and returns these pieces.
fn story(
    policy: DebtPolicy,
    pieces: &[u32],
    spent: (i64, i64),
    returns: &[Vec<(u16, u32)>],
) -> Book {
    let soon = |offer: Offer| Offer { expires: Expiry::After(span("P5D")), ..offer };
    let mut programme = programme(vec![percent("o", points(), "250"), soon(fixed("p", 35))]);
    programme.definition.debt_policy = policy;
    let mut book = Book::new(programme, noon("2026-11-21"));
    book.buy("before", 40_00);
    let lines =
        pieces.iter().zip([3_33, 1_25, 7_07]).map(|(count, net)| line(*count, net, net / 5));
    let which = buy(&mut book, "r", lines.collect());
    let _ = book.spend(points(), Some(spent.0), Some(which));
    let _ = book.spend(points(), Some(spent.0 / 2), Some(which));
    let _ = book.spend(points(), Some(spent.1), None);
    for lines in returns {
        book.give_back(which, lines).unwrap();
    }
    book
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    // R-73: several returns come to what one of them all comes to, in any order.
    #[test]
    fn several_returns_come_to_what_their_union_comes_to(
        pieces in proptest::collection::vec(1..5_u32, 1..4),
        share in proptest::collection::vec(0..5_u32, 3),
        order in any::<prop::sample::Index>(),
        spent in (1..60_i64, 1..250_i64),
        policy in prop_oneof![Just(DebtPolicy::Carry), Just(DebtPolicy::WriteOff)],
    ) {
        let union: Vec<(u16, u32)> = (0..).zip(pieces.iter().zip(&share))
            .map(|(line, (count, share))| (line, (*count).min(*share)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let mut single: Vec<Vec<(u16, u32)>> = union.iter()
            .flat_map(|(line, count)| (0..*count).map(move |_| vec![(*line, 1)]))
            .collect();
        if !single.is_empty() {
            let start = order.index(single.len());
            single.rotate_left(start);
        }
        let at_once: Vec<_> = Some(union).into_iter().filter(|union| !union.is_empty()).collect();
        let (one, many) =
            (story(policy, &pieces, spent, &at_once), story(policy, &pieces, spent, &single));
        let told = |book: &Book| {
            let event = &book.events[1];
            let covered: Vec<_> = event.spends.iter().map(|spend| spend.covered()).collect();
            (sums(event), covered, event.state)
        };
        prop_assert_eq!(told(&one), told(&many));
        let left = |book: &Book| {
            let written_off = written_off(book);
            (net(&book.wallet, &points()), book.debt(&points()), written_off)
        };
        prop_assert_eq!(left(&one), left(&many));
        prop_assert_eq!(&one.wallet.activity, &many.wallet.activity);
        // The rest at once, or the whole from the start: the same.
        let (mut one, mut whole) = (many, story(policy, &pieces, spent, &[]));
        if one.events[1].state == EventState::Posted {
            one.cancel_event(1).unwrap();
        }
        whole.cancel_event(1).unwrap();
        prop_assert_eq!(left(&one), left(&whole));
        prop_assert_eq!(&one.wallet.counters, &whole.wallet.counters);
        prop_assert_eq!(&one.wallet.activity, &whole.wallet.activity);
    }

    // R-73: spends of any time never pay more than what is left.
    #[test]
    fn spends_between_returns_never_pay_more_than_what_is_left(
        spends in proptest::collection::vec((1..9_i64, 0..3_u32), 1..8),
    ) {
        let mut book = Book::with(vec![fixed("o", 1_000)], noon("2026-11-21"));
        book.buy("a", 1_00);
        let which = buy(&mut book, "r", vec![line(9, 2, 5)]);
        for (amount, pieces) in spends {
            let _ = book.spend(points(), Some(amount), Some(which));
            if pieces > 0 {
                // The laws of `laws::of_events` are held after each.
                let _ = book.give_back(which, &[(0, pieces)]);
            }
        }
    }
}

#[test]
fn r72_r73_refusing_changes_nothing_and_what_is_covered_later_may_come_back() {
    let mut book = Book::with(vec![fixed("o", 100)], noon("2026-11-21"));
    book.programme.definition.debt_policy = DebtPolicy::Refuse;
    let which = buy(&mut book, "r", vec![line(2, 1_00, 0)]);
    let (spend, _) = book.spend(points(), Some(70), None).unwrap();
    let before = (substance(&book.wallet), book.events[which].clone());
    assert_eq!(book.give_back(which, &[(0, 1)]), Err(Refusal::AwardSpent));
    assert_eq!((substance(&book.wallet), book.events[which].clone()), before);
    book.cancel_spend(spend).unwrap();
    book.give_back(which, &[(0, 1)]).unwrap();
    assert_eq!(book.available(&points()), 50);
}

#[test]
fn r72_what_was_written_off_is_made_up_by_spends_that_come_back_and_not_by_awards() {
    let mut book = Book::with(vec![fixed("o", 100)], noon("2026-11-21"));
    book.programme.definition.debt_policy = DebtPolicy::WriteOff;
    let which = book.buy("a", 1_00);
    let (spend, _) = book.spend(points(), Some(60), None).unwrap();
    let mut spend_first = book.clone();
    book.cancel_event(which).unwrap();
    assert_eq!((book.available(&points()), written_off(&book)), (0, 60));
    let mut later = book.clone();
    later.buy("b", 1_00);
    let (own, _) = later.spend(points(), Some(30), None).unwrap();
    later.cancel_spend(own).unwrap();
    assert_eq!(later.available(&points()), 100, "a new award is not touched, nor a new spend");
    book.cancel_spend(spend).unwrap();
    spend_first.cancel_spend(spend).unwrap();
    spend_first.cancel_event(which).unwrap();
    assert_eq!(substance(&book.wallet), substance(&spend_first.wallet));
    assert!(book.wallet.lots.is_empty() && book.wallet.written_off.is_empty());
}

/// 100 and 50 points in one lot that expires, 100 in one that does not; so many are spent.
fn expiring(spent: i64) -> Book {
    let soon = |amount| Offer { expires: Expiry::After(span("P9D")), ..fixed("soon", amount) };
    let mut book = Book::with(vec![], noon("2026-11-21"));
    for (reference, offer) in [("a", soon(100)), ("b", soon(50)), ("c", fixed("ever", 100))] {
        book.programme.offers = vec![offer].into();
        book.buy(reference, 1_00);
    }
    book.spend(points(), Some(spent), None).unwrap();
    book.now = noon("2026-12-05");
    book
}

#[test]
fn r72_what_was_spent_of_an_award_before_its_lot_expired_is_taken_back() {
    // Spent of the 150 that expired -> available once the first award is cancelled, and then the
    // second: each unspent point expired, and none of them counts for both.
    for (spent, after_first, after_both) in
        [(1, 100, 99), (60, 90, 40), (110, 40, -10), (150, 0, -50)]
    {
        let mut book = expiring(spent);
        book.give_back(0, &[]).unwrap();
        let left = |book: &Book| book.available(&points()) - book.debt(&points());
        assert_eq!(left(&book), after_first, "{spent}");
        book.now = noon("2026-12-06");
        book.cancel_event(1).unwrap();
        assert_eq!(left(&book), after_both, "{spent}");
        let mut early = expiring(spent);
        early.now = noon("2026-11-21");
        early.cancel_event(0).unwrap();
        early.cancel_event(1).unwrap();
        early.now = noon("2026-12-06");
        assert_eq!(left(&early), after_both, "{spent}: before or after it expired, it is the same");
    }
}

#[test]
fn r72_what_expired_is_gone_for_one_cancelled_award_only() {
    let mut book = expiring(60);
    book.cancel_event(0).unwrap();
    let cancel = &book.ledger.last().unwrap().effects;
    let gone = cancel.iter().filter_map(|effect| {
        if let Effect::Gone { amount, .. } = effect { Some(amount.0) } else { None }
    });
    assert_eq!(gone.sum::<i64>(), 90);
    // In parts it is the same.
    let mut parts = expiring(60);
    parts.events[0].event = with_lines(parts.events[0].event.clone(), vec![line(2, 50, 0)]);
    parts.give_back(0, &[(0, 1)]).unwrap();
    assert_eq!(parts.available(&points()), 100);
    parts.give_back(0, &[(0, 1)]).unwrap();
    assert_eq!(parts.available(&points()), book.available(&points()));
}

#[test]
fn r72_a_spend_and_its_award_that_both_end_after_the_expiry_take_nothing_else() {
    let mut book = Book::with(
        vec![Offer { expires: Expiry::After(span("P9D")), ..fixed("soon", 100) }],
        noon("2026-11-21"),
    );
    let which = buy(&mut book, "r", vec![line(2, 1_00, 0)]);
    book.spend(points(), Some(100), Some(which)).unwrap();
    book.programme.offers = vec![fixed("ever", 10)].into();
    book.buy("other", 1_00);
    book.now = noon("2026-12-05");
    book.give_back(which, &[(0, 1)]).unwrap();
    assert_eq!((book.available(&points()), book.debt(&points())), (10, 0));
    book.cancel_event(which).unwrap();
    assert_eq!((book.available(&points()), book.debt(&points())), (10, 0));
}
