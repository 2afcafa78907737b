//! Gifts: things that are awarded and handed over, counted in pieces (R-41).

use domain::amount::Amount;
use domain::award::Mode;
use domain::event::{Detail, Event};
use domain::offer::{
    AwardForm, Beneficiary, Conditions, EvaluationMethod, Expiry, Offer, OfferClass, Quota, Scope,
};
use domain::refusal::Refusal;
use domain::spend::{AmountRange, SpendRule};

use crate::bookkeeping::{Book, told};
use crate::fixture::*;

/// So many coffees.
fn cups(pieces: i64) -> Offer {
    offer("cups", cup(), AwardForm::Fixed(Amount(pieces)))
}

fn holding(pieces: i64) -> Book {
    let mut book = Book::with(vec![cups(pieces)], noon("2026-11-21"));
    book.buy("start", 1_00);
    book
}

#[test]
fn r41_a_gift_is_awarded_in_pieces_and_expires_like_any_award() {
    let mut book = Book::with(
        vec![Offer { expires: Expiry::After(span("P3D")), ..cups(2) }],
        noon("2026-11-21"),
    );
    book.buy("r", 1_00);
    assert_eq!(book.lots(), ["2 coffee until 2026-11-24 from -"]);
    book.spend(cup(), Some(1), None).unwrap();
    assert_eq!(book.available(&cup()), 1);
    book.now = noon("2026-11-25");
    assert_eq!(book.available(&cup()), 0);
    assert_eq!(book.spend(cup(), Some(1), None).err(), Some(Refusal::NotCovered));
}

#[test]
fn r41_each_line_may_bring_one_and_a_budget_is_in_pieces() {
    let quota = Quota { first: None, budget: Some(Amount(3)) };
    let offer = Offer { scope: Scope::Line, quota, ..cups(1) };
    let mut book = Book::with(vec![offer], noon("2026-11-21"));
    let basket = |reference, count| {
        with_lines(purchase(reference, 0, noon("2026-11-21")), vec![line(2, 1_00, 0); count])
    };
    for (reference, count, want) in
        [("a", 2, "cups 2"), ("b", 2, "cups budget_exhausted"), ("c", 1, "cups 1")]
    {
        let which = book.accept(basket(reference, count));
        assert_eq!(told(&book.judge(which, Mode::Interactive)), [want], "{reference}");
    }
}

/// Every class may award one: here for what somebody did, by its score.
#[test]
fn r54_a_gift_for_taking_part_in_a_survey() {
    let when = Conditions { score: (Some(9), None), ..Conditions::default() };
    let offer = Offer { class: OfferClass::Behaviour, when, ..cups(1) };
    let mut book = Book::with(vec![offer], noon("2026-11-21"));
    for (score, want) in [(8, "cups score_out_of_range"), (9, "cups 1"), (10, "cups 1")] {
        let url = "https://shop.example/survey".into();
        let detail = Detail::Web { url, score: Some(score) };
        let which = book.accept(Event { detail, ..purchase(&format!("s-{score}"), 0, book.now) });
        assert_eq!(told(&book.judge(which, Mode::Interactive)), [want], "{score}");
    }
    assert_eq!(book.available(&cup()), 2);
}

#[test]
fn r54_a_gift_for_what_is_bought_often() {
    use domain::offer::{Accumulation, Counts, Within};
    let accumulates =
        Some(Accumulation { counts: Counts::Pieces, at_least: 5, within: Within::Validity });
    let (class, method) = (OfferClass::RewardLoyaltyQuantity, EvaluationMethod::Batch);
    let beneficiary = Beneficiary::Participant;
    let mut book = Book::with(
        vec![Offer { class, method, beneficiary, accumulates, ..cups(1) }],
        noon("2026-11-21"),
    );
    let mut cups = Vec::new();
    for (number, pieces) in [2, 2, 2, 9, 1].into_iter().enumerate() {
        let event = purchase(&format!("r-{number}"), 0, book.now);
        let which = book.accept(with_lines(event, vec![line(pieces, 1_00, 0)]));
        book.judge(which, Mode::Run);
        cups.push(book.available(&cup()));
    }
    assert_eq!(cups, [0, 0, 1, 3, 3], "one for each five, and what is left over counts on");
}

#[test]
fn r41_a_gift_pays_no_purchase() {
    let mut book = holding(3);
    let which = book.buy("r", 10_00);
    for amount in [None, Some(1)] {
        let got = book.spend(cup(), amount, Some(which));
        assert_eq!(got.err(), Some(Refusal::GiftIsNoMoney), "{amount:?}");
    }
    // Nor does it where it was held without one.
    let asked = domain::spend::SpendAsked {
        balance: cup(),
        amount: Some(Amount(2)),
        classification: None,
        unit: None,
        performed_on: book.now,
    };
    let hold = book.hold(&asked, None, "PT15M").unwrap();
    assert_eq!(book.settle(hold, None, Some(which)).err(), Some(Refusal::GiftIsNoMoney));
    assert_eq!(book.settle(hold, Some(1), None).unwrap().1.spent, Amount(1));
    assert_eq!(book.available(&cup()), 5, "of six");
}

#[test]
fn r63_rules_for_money_do_not_bind_gifts_which_are_handed_over_whole_or_not_at_all() {
    let mut book = holding(3);
    let range = AmountRange { min: Some(Amount(100)), ..AmountRange::default() };
    for (requires_purchase, specific_amount) in [(true, None), (false, None), (true, Some(range))] {
        let definition = &mut book.programme.definition.spend;
        definition.requires_purchase = requires_purchase;
        let classifications = Vec::new();
        let rule = SpendRule { classifications, specific_amount, reject_if_not_covered: false };
        definition.rules = vec![rule];
        assert_eq!(book.spend(cup(), Some(4), None).err(), Some(Refusal::NotCovered), "not three");
        book.spend(cup(), Some(1), None).unwrap();
    }
    assert_eq!(book.available(&cup()), 0);
    book.block(true);
    assert_eq!(book.spend(cup(), Some(1), None).err(), Some(Refusal::SpendingBlocked), "R-67");
}

/// R-72, R-73: a gift is whole or gone: half of two pieces is one, and half of one is none. What
/// was handed over already is owed, in pieces.
#[test]
fn r72_a_gift_that_was_handed_over_is_owed_when_its_purchase_comes_back() {
    let mut book = Book::with(vec![cups(1)], noon("2026-11-21"));
    let event = with_lines(purchase("r", 0, book.now), vec![line(2, 5_00, 0)]);
    let which = book.accept(event);
    book.judge(which, Mode::Interactive);
    book.spend(cup(), Some(1), None).unwrap();
    book.give_back(which, &[(0, 1)]).unwrap();
    assert_eq!((book.available(&cup()), book.debt(&cup())), (0, 1));
    book.buy("next", 1_00);
    assert_eq!((book.available(&cup()), book.debt(&cup())), (0, 0), "the next one pays for it");
}

/// What a segment asks of a gift is asked of its pieces, and what is best by what it is worth.
#[test]
fn r45_a_gift_without_a_worth_is_worth_less_than_any_other_award() {
    let best = |offer: Offer| Offer { on_top: false, ..offer };
    let mut book = Book::with(vec![best(cups(9)), best(fixed("point", 1))], noon("2026-11-21"));
    let which = book.buy("r", 1_00);
    assert_eq!(told(&book.events[which].judgements[0]), ["cups 9", "point not_best"]);
    book.programme.balances[2].worth = rate("0");
    let which = book.buy("s", 1_00);
    assert_eq!(told(&book.events[which].judgements[0]), ["point 1", "cups not_best"]);
}
