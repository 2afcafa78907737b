//! Nameless wallets: of whoever holds a gift pass, until somebody registers.

use std::collections::HashSet;

use domain::amount::Amount;
use domain::apply::{Command, Outcome};
use domain::hold::HoldTime;
use domain::id::{Key, ParticipantId, PlanId};
use domain::ledger::{Effect, EntryKey, PayloadHash};
use domain::pass::{Generation, Mark, Origin, Pass, PassId, Redemption};
use domain::refusal::Refusal;
use domain::spend::SpendAsked;
use domain::wallet::Wallet;

use crate::bookkeeping::Book;
use crate::fixture::*;

fn pass(serial: u64) -> Pass {
    let origin = Origin::Printed { at: noon("2026-11-01") };
    Pass::untouched(PassId { plan: gift().id, serial }, Generation(0), origin)
}

/// Another one for each entry.
fn key(book: &Book) -> Key {
    Key::parse(&format!("key-{}", book.wallet.length)).unwrap()
}

/// Its own wallet, into which the pass was redeemed.
fn redeemed(pass: &Pass) -> Book {
    let mut book = Book::with(vec![fixed("p", 100)], noon("2026-11-21"));
    assert_eq!(redeem(&mut book, pass, true), Outcome::Done);
    book
}

fn redeem(book: &mut Book, pass: &Pass, own: bool) -> Outcome {
    let (plan, payload) = (gift(), PayloadHash([3; 8]));
    book.commit(&Command::Redeem { pass, plan: &plan, payload, own })
}

fn asked(book: &Book) -> SpendAsked {
    let (balance, performed_on) = (gift().balance.unwrap(), book.now);
    SpendAsked { balance, amount: Some(Amount(1)), classification: None, unit: None, performed_on }
}

fn spend(book: &mut Book, pass: Option<&Pass>) -> Outcome {
    let (key, payload) = (EntryKey::Spend(key(book)), PayloadHash([1; 8]));
    let asked = &asked(book);
    book.commit(&Command::Spend { key, payload, asked, purchase: None, request: None, pass })
}

fn hold(book: &mut Book, pass: Option<&Pass>) -> Outcome {
    let (key, payload, time) = (&key(book), PayloadHash([1; 8]), HoldTime::default());
    let asked = &asked(book);
    book.commit(&Command::Hold { key, payload, asked, purchase: None, time, pass })
}

fn register(book: &mut Book, pass: &Pass) -> Outcome {
    let (key, payload) = (&key(book), PayloadHash([1; 8]));
    book.commit(&Command::Register { key, payload, pass })
}

/// the same for ever, an identifier, and no two passes share one.
#[test]
fn r82_each_pass_has_a_participant_of_its_own() {
    let plans = ["gift", "gift-1", "Gift"].map(|plan| PlanId::parse(plan).unwrap());
    let passes = plans
        .iter()
        .flat_map(|plan| (0..1_000).map(|serial| PassId { plan: plan.clone(), serial }));
    let ids: HashSet<ParticipantId> = passes.map(|pass| pass.nameless()).collect();
    assert_eq!(ids.len(), 3_000);
    for id in &ids {
        assert_eq!(ParticipantId::parse(id.as_str()).as_ref(), Ok(id));
        assert_eq!((id.as_str().len(), &id.as_str()[..5]), (31, "pass-"));
    }
    let first = PassId { plan: plans[0].clone(), serial: 0 };
    assert_eq!(first.nameless().as_str(), "pass-xmaw4zxhk9ngrrvzn48ntq1xkg");
}

/// spends and holds ask for the pass, and for this one, while it is neither locked nor
/// void; a refusal changes nothing.
#[test]
fn r84_a_nameless_wallet_opens_to_its_pass_alone() {
    let own = pass(7);
    let marked = |mark| Pass { mark: Some(mark), ..own.clone() };
    let cases = [
        (None, Some(Refusal::PassRequired)),
        (Some(pass(8)), Some(Refusal::PassRequired)),
        (Some(marked(Mark::Void)), Some(Refusal::PassVoid)),
        (Some(marked(Mark::Locked)), Some(Refusal::PassLocked)),
        (Some(own.clone()), None),
    ];
    for (shown, refusal) in cases {
        for ask in [spend, hold] {
            let mut book = redeemed(&own);
            let before = book.wallet.clone();
            let outcome = ask(&mut book, shown.as_ref());
            match refusal {
                Some(refusal) => {
                    assert_eq!(outcome, Outcome::Refused(refusal));
                    assert_eq!(book.wallet.lots, before.lots);
                }
                None => assert_eq!(outcome, Outcome::Done),
            }
            assert_eq!(book.wallet.nameless, Some(own.id.clone()));
        }
    }
}

/// who has not proven the pass is not told that spending is blocked.
#[test]
fn r84_the_pass_is_asked_for_before_all_others() {
    let mut book = redeemed(&pass(7));
    book.block(true);
    assert_eq!(spend(&mut book, None), Outcome::Refused(Refusal::PassRequired));
    assert_eq!(spend(&mut book, Some(&pass(7))), Outcome::Refused(Refusal::SpendingBlocked));
}

/// the balance stays; the pass opens nothing any more, and a later redemption of it credits
/// whoever registered.
#[test]
fn r82_who_registers_keeps_the_balance() {
    let mut own = pass(7);
    let mut book = redeemed(&own);
    let before = book.wallet.lots.clone();
    assert_eq!(register(&mut book, &pass(8)), Outcome::Refused(Refusal::PassRequired));
    assert_eq!(register(&mut book, &own), Outcome::Done);
    assert_eq!((&book.wallet.lots, &book.wallet.nameless), (&before, &None));
    assert_eq!(register(&mut book, &own), Outcome::Refused(Refusal::NotNameless));
    assert_eq!(spend(&mut book, Some(&own)), Outcome::Refused(Refusal::NotNameless));
    assert_eq!(spend(&mut book, None), Outcome::Done);

    own.redemptions.push(Redemption {
        key: key(&book),
        payload: PayloadHash::default(),
        participant: own.id.nameless(),
        sequence: 1,
        amount: Amount(20),
        expires: None,
        cancelled: true,
    });
    assert_eq!(redeem(&mut book, &own, true), Outcome::Done);
    assert_eq!(book.wallet.nameless, None);
}

/// a redemption for somebody who is there makes no wallet nameless, and a replay rebuilds what
/// is.
#[test]
fn r82_only_its_own_wallet_is_nameless_and_a_replay_says_so() {
    let mut book = Book::with(vec![fixed("p", 100)], noon("2026-11-21"));
    assert_eq!(redeem(&mut book, &pass(7), false), Outcome::Done);
    assert_eq!(book.wallet.nameless, None);
    assert_eq!(spend(&mut book, Some(&pass(7))), Outcome::Refused(Refusal::NotNameless));

    let mut book = redeemed(&pass(7));
    assert_eq!(Wallet::replay(&book.ledger), book.wallet);
    let named = |effect: &Effect| matches!(effect, Effect::Nameless { .. });
    assert!(book.ledger[0].effects.iter().any(named));
    assert_eq!(register(&mut book, &pass(7)), Outcome::Done);
    assert_eq!(Wallet::replay(&book.ledger), book.wallet);
}
