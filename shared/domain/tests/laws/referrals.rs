//! Referrals: the referrer is awarded only after the referred participant was, and a cancel takes
//! back both.

use domain::amount::Amount;
use domain::apply::{Command, Outcome};
use domain::award::{Facts, Mode, asks};
use domain::cancel::TakeBack;
use domain::event::{Detail, Event, Judge, Judgement, RecordedEvent};
use domain::id::ParticipantId;
use domain::ledger::{EntryKey, PayloadHash};
use domain::offer::{Beneficiary, Conditions, EvaluationMethod, Limit, Offer, OfferClass, Quota};
use domain::participant::{Participant, Profile};
use domain::programme::DebtPolicy;
use domain::quota::Quotas;
use domain::refusal::{Reason, Refusal};
use domain::returns::Return;
use proptest::prelude::*;

use crate::bookkeeping::{Book, told};
use crate::fixture::*;
use crate::laws::{net, substance};

fn referral_offer(id: &str, amount: i64, beneficiary: Beneficiary) -> Offer {
    let (class, method) = (OfferClass::Referral, EvaluationMethod::Batch);
    Offer { class, method, beneficiary, ..fixed(id, amount) }
}

fn welcome() -> Offer {
    Offer { limit: Limit::Once, ..referral_offer("welcome", 50, Beneficiary::Referred) }
}

fn thanks() -> Offer {
    referral_offer("thanks", 100, Beneficiary::Participant)
}

fn referral(reference: &str) -> Event {
    let detail = Detail::Referral { referred: ParticipantId::parse("c-2").unwrap() };
    Event { detail, ..purchase(reference, 0, noon("2026-11-21")) }
}

/// Both ledgers, and the referrals between them.
struct Pair {
    referrer: Book,
    referred: Book,
    events: Vec<RecordedEvent>,
}

impl Pair {
    fn with(offers: Vec<Offer>) -> Pair {
        let book = Book::with(offers, noon("2026-11-21"));
        Pair { referrer: book.clone(), referred: book, events: vec![] }
    }

    /// Judges a new referral as a run does: whom it refers first.
    fn judge(&mut self) -> (Judgement, Judgement) {
        let mut event = recorded(referral(&format!("f-{}", self.events.len())));
        let theirs = judged(&mut self.referred, &event, Beneficiary::Referred);
        event.referred = Some(theirs.clone());
        let own = judged(&mut self.referrer, &event, Beneficiary::Participant);
        event.judgements.push(own.clone());
        self.referrer.events.push(event.clone());
        let judgements = vec![theirs.clone()];
        self.referred.events.push(RecordedEvent { judgements, referred: None, ..event.clone() });
        self.events.push(event);
        (theirs, own)
    }

    fn cancel(&mut self, which: usize) -> Result<(), Refusal> {
        let before = self.events[which].clone();
        let (sequence, key) = (self.referrer.wallet.length + 1, PayloadHash::default());
        let back = Return { sequence, key, payload: key, lines: vec![], reason: None };
        let after = before.with_return(&self.referred.programme, back)?;
        let theirs = before.referred.as_ref().unwrap().sequence;
        take_back(&mut self.referred, &before, theirs, None)?;
        let own = before.judgements[0].sequence;
        take_back(&mut self.referrer, &before, own, Some((&before, &after)))?;
        self.referrer.events[which].state = after.state;
        self.referred.events[which].state = after.state;
        self.events[which] = after;
        Ok(())
    }
}

fn judged(book: &mut Book, event: &RecordedEvent, whose: Beneficiary) -> Judgement {
    let (participant, quotas) = (book.participant.clone(), book.quotas.clone());
    let facts = Facts { participant: &participant, quotas: &quotas, whose, ..Facts::none() };
    let command = Command::Judge { event, mode: Mode::Run, by: Judge::Interactive, facts };
    let Outcome::Judged { judgement, .. } = book.commit(&command) else { panic!("refused") };
    judgement
}

fn take_back(
    book: &mut Book,
    event: &RecordedEvent,
    sequence: u64,
    change: Option<(&RecordedEvent, &RecordedEvent)>,
) -> Result<(), Refusal> {
    let (entries, later) = ([book.entry(sequence).clone()], book.ledger.clone());
    let back = TakeBack { entries: &entries, event: change, later: &later, reason: None };
    let turn = u16::try_from(book.ledger.len()).unwrap();
    let key = EntryKey::CancelEvent { event: event.event.id.clone(), turn };
    match book.commit(&Command::Cancel { key, payload: PayloadHash::default(), back }) {
        Outcome::Refused(refusal) => Err(refusal),
        Outcome::Done | Outcome::Judged { .. } => Ok(()),
    }
}

#[test]
fn r9_the_referrer_is_awarded_only_after_the_referred_participant_was() {
    let mut pair = Pair::with(vec![thanks(), welcome()]);
    let (theirs, own) = pair.judge();
    assert_eq!((told(&theirs), told(&own)), (vec!["welcome 50".into()], vec!["thanks 100".into()]));
    // Once is once: the second referral of the same participant awards neither.
    let (theirs, own) = pair.judge();
    assert_eq!(told(&theirs), ["welcome limit_reached"]);
    assert_eq!(told(&own), ["thanks referred_not_awarded"]);
    assert_eq!(pair.referred.available(&points()), 50);
    assert_eq!(pair.referrer.available(&points()), 100);
    assert_eq!(pair.events[0].awarded(), [(points(), Amount(150))]);
    assert!(pair.events[1].awarded().is_empty());
}

/// they are batch only, so what comes of a referral is not foretold.
#[test]
fn r31_a_referral_waits_for_a_run() {
    let mut book = Book::with(vec![thanks(), welcome()], noon("2026-11-21"));
    let which = book.accept(referral("f-1"));
    let judgement = book.judge(which, Mode::Interactive);
    assert_eq!(judgement.passed_over, [(offer_id("thanks"), Reason::AwaitsRun)]);
}

#[test]
fn r34_offers_of_other_classes_do_not_match_a_referral_and_these_match_nothing_else() {
    let mut pair = Pair::with(vec![fixed("p", 5), thanks(), welcome()]);
    let (theirs, own) = pair.judge();
    assert_eq!((told(&theirs), told(&own)), (vec!["welcome 50".into()], vec!["thanks 100".into()]));
    let book = &mut pair.referrer;
    let which = book.accept(purchase("p-1", 10_00, book.now));
    assert_eq!(told(&book.judge(which, Mode::Run)), ["p 5"]);
}

/// each offer asks about the participant whom it awards.
#[test]
fn r42_tags_and_quotas_are_those_of_the_beneficiary() {
    let tagged = Conditions { tags: vec!["new".into()].into(), ..Conditions::default() };
    let quota = Quota { first: Some(1), budget: None };
    let programme =
        programme(vec![Offer { quota, ..thanks() }, Offer { when: tagged, ..welcome() }]);
    let event = referral("f-1");
    let theirs = asks(&programme, &event, Beneficiary::Referred);
    let own = asks(&programme, &event, Beneficiary::Participant);
    assert_eq!((theirs.profile, own.profile), (true, false));
    assert_eq!((theirs.quotas, own.quotas), (vec![], vec![offer_id("thanks")]));

    let mut pair = Pair::with(programme.offers.to_vec());
    let new = Profile { tags: vec!["new".into()], ..Profile::default() };
    pair.referrer.participant = Participant { profile: new.clone(), ..Participant::default() };
    let (theirs, own) = pair.judge();
    assert_eq!(told(&theirs), ["welcome not_in_segment"]);
    assert_eq!(told(&own), ["thanks referred_not_awarded"]);
    pair.referred.participant.profile = new;
    assert_eq!(told(&pair.judge().1), ["thanks 100"]);
    assert_ne!(pair.referrer.quotas, Quotas::default(), "the first place is taken");
}

#[test]
fn r72_a_cancel_takes_back_both_and_frees_the_limit() {
    let mut pair = Pair::with(vec![thanks(), welcome()]);
    pair.judge();
    pair.cancel(0).unwrap();
    assert_eq!(
        substance(&pair.referrer.wallet),
        substance(&Book::with(vec![], noon("2026-11-21")).wallet)
    );
    assert_eq!(
        substance(&pair.referred.wallet),
        substance(&Book::with(vec![], noon("2026-11-21")).wallet)
    );
    assert!(pair.events[0].awarded().is_empty());
    assert_eq!(pair.cancel(0), Err(Refusal::AlreadyCancelled));
    assert_eq!(told(&pair.judge().0), ["welcome 50"], "R-44: the place is free again");
}

#[test]
fn r72_what_either_has_spent_is_owed_refused_or_forgiven() {
    for (policy, want) in [
        (DebtPolicy::Carry, Ok(20)),
        (DebtPolicy::WriteOff, Ok(0)),
        (DebtPolicy::Refuse, Err(Refusal::AwardSpent)),
    ] {
        let mut pair = Pair::with(vec![thanks(), welcome()]);
        pair.referrer.programme.definition.debt_policy = policy;
        pair.referred.programme.definition.debt_policy = policy;
        pair.judge();
        pair.referred.spend(points(), Some(20), None).unwrap();
        let owed = pair.cancel(0).map(|()| pair.referred.debt(&points()));
        assert_eq!(owed, want, "{policy:?}");
        let left = if want.is_ok() { 0 } else { 100 };
        assert_eq!(pair.referrer.available(&points()), left, "{policy:?}: both or neither");
    }
}

#[derive(Clone, Debug)]
enum Move {
    Refer,
    Cancel(usize),
    Spend { referrer: bool, amount: i64 },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        Just(Move::Refer),
        any::<usize>().prop_map(Move::Cancel),
        (any::<bool>(), 1..80_i64).prop_map(|(referrer, amount)| Move::Spend { referrer, amount }),
    ];
    prop::collection::vec(one, 1..25)
}

proptest! {
    /// whatever is spent and cancelled, no referrer is awarded for somebody who was not;
    /// once all is cancelled, both wallets owe just what they spent. Each commit is held against
    /// the laws of its ledger.
    #[test]
    fn r9_r72_both_or_none_and_a_cancel_undoes_both(moves in moves()) {
        let mut pair = Pair::with(vec![thanks(), welcome()]);
        let mut spent = [0, 0];
        for one in moves {
            match one {
                Move::Refer => drop(pair.judge()),
                Move::Cancel(which) if !pair.events.is_empty() => {
                    let _ = pair.cancel(which % pair.events.len());
                }
                Move::Cancel(_) => {}
                Move::Spend { referrer, amount } => {
                    let book = if referrer { &mut pair.referrer } else { &mut pair.referred };
                    if let Ok((_, made)) = book.spend(points(), Some(amount), None) {
                        spent[usize::from(referrer)] += made.spent.0;
                    }
                }
            }
            for event in &pair.events {
                let theirs = event.referred.as_ref().unwrap();
                prop_assert_eq!(theirs.awards.is_empty(), event.judgements[0].awards.is_empty());
            }
        }
        for which in 0..pair.events.len() {
            let _ = pair.cancel(which);
        }
        prop_assert_eq!(net(&pair.referred.wallet, &points()), -spent[0]);
        prop_assert_eq!(net(&pair.referrer.wallet, &points()), -spent[1]);
        prop_assert!(pair.referred.wallet.counters.is_empty());
    }
}
