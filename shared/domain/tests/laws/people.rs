//! Who a participant is: consents in any order, aliases, and what is left after an erasure.

use domain::alias::{Alias, AliasKeys, AliasKind, MAX_ALIASES, Marks};
use domain::event::{Detail, Event, FinancialAchievement, Purchase};
use domain::ledger::Effect;
use domain::participant::{
    Channel, Consent, ERASURE, Erased, Participant, Profile, ProfileChange, Provenance,
};
use domain::payment_medium::{Keep, PaymentMedium};
use domain::refusal::Refusal;
use domain::time::Instant;
use domain::wallet::Wallet;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::bookkeeping::Book;
use crate::fixture::*;

fn consent() -> impl Strategy<Value = (Channel, Consent)> {
    let text = || proptest::option::of(prop::sample::select(vec!["bounce", "form", "web"]));
    (prop::sample::select(vec!["email", "sms"]), any::<bool>(), 0..4_i64, text(), text()).prop_map(
        |(channel, granted, at, source, process)| {
            let (source, process) = (source.map(Into::into), process.map(Into::into));
            (channel.into(), Consent { granted, at: Instant(at), source, process })
        },
    )
}

fn heard<'a>(consents: impl IntoIterator<Item = &'a (Channel, Consent)>) -> Participant {
    let mut participant = Participant::default();
    consents.into_iter().for_each(|consent| participant.hear(vec![consent.clone()]));
    participant
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// whatever the order, however often, together or alone.
    #[test]
    fn r90_consents_end_the_same_in_whatever_order_they_arrive(
        (sent, shuffled) in vec(consent(), 0..12)
            .prop_flat_map(|sent| (Just(sent.clone()), Just(sent).prop_shuffle())),
    ) {
        let known = heard(&sent);
        prop_assert_eq!(&heard(&shuffled), &known);
        prop_assert_eq!(&heard(sent.iter().chain(&shuffled)), &known);
        let mut together = Participant::default();
        together.hear(shuffled);
        prop_assert_eq!(&together, &known);
        for (channel, consent) in &known.consents {
            let of_it = || sent.iter().filter(|(of, _)| of == channel).map(|(_, consent)| consent);
            let newest = of_it().map(|sent| sent.at).max().unwrap();
            let out = of_it().any(|sent| sent.at == newest && !sent.granted);
            prop_assert_eq!((consent.at, consent.granted), (newest, !out), "suppression wins");
        }
    }
}

#[test]
fn r90_only_a_newer_opt_in_undoes_a_bounce_or_a_complaint() {
    for process in ["bounce", "complaint", "unsubscribe"] {
        let told = |granted, at, process: &str| {
            let process = Some(process.into());
            ("email".into(), Consent { granted, at: Instant(at), source: None, process })
        };
        for (at, want) in [(4, false), (5, false), (6, true)] {
            let both = [told(false, 5, process), told(true, at, "double opt-in")];
            for order in [[0, 1], [1, 0]] {
                let known = heard(order.map(|place| &both[place]));
                assert_eq!(known.consents_to(&"email".into()), want, "{process} {at} {order:?}");
            }
        }
    }
}

fn provenance(at: i64) -> Provenance {
    Provenance { at: Instant(at), by: "crm".into(), process: Some("import 7".into()) }
}

#[test]
fn r90_a_profile_is_filled_or_replaced_and_says_when_it_was_changed() {
    let mut known = Participant::default();
    let anna = Profile { first_name: Some("Anna".into()), ..Profile::default() };
    known.change(ProfileChange::Fill(anna.clone()), Some(&provenance(1)));
    let mut more = Profile { area: Some("north".into()), ..Profile::default() };
    more.flags.insert("staff".into(), true);
    known.change(ProfileChange::Fill(more.clone()), Some(&provenance(2)));
    assert_eq!(known.profile.first_name.as_deref(), Some("Anna"));
    assert_eq!((known.profile.area.as_deref(), known.profile.flags.len()), (Some("north"), 1));
    known.change(ProfileChange::Fill(more), Some(&provenance(3)));
    known.change(ProfileChange::Keep, Some(&provenance(4)));
    assert_eq!(known.changed, Some(provenance(2)), "what makes no difference is no change");
    known.change(ProfileChange::Replace(anna.clone()), Some(&provenance(5)));
    assert_eq!((known.profile, known.changed), (anna, Some(provenance(5))));
}

fn marks(number: usize) -> Marks {
    let keys = AliasKeys::parse("a key of at least thirty-two letters").unwrap();
    keys.marks(&Alias::parse(AliasKind::Card, &format!("{number:06}")).unwrap())
}

#[test]
fn r91_a_participant_has_each_alias_once_and_no_more_than_there_may_be() {
    let mut known = Participant::default();
    for number in 0..MAX_ALIASES {
        assert_eq!(known.add_alias(&marks(number)), Ok(true));
        assert_eq!(known.add_alias(&marks(number)), Ok(false));
    }
    assert_eq!(known.add_alias(&marks(99)), Err(Refusal::TooManyAliases));
    assert_eq!(known.add_alias(&marks(3)), Ok(false), "it has it");
    assert_eq!(known.remove_alias(&marks(3)), [marks(3).current]);
    assert!(known.remove_alias(&marks(3)).is_empty());
    assert_eq!(known.add_alias(&marks(99)), Ok(true));
}

#[test]
fn r92_nothing_personal_is_left_of_a_participant_but_that_no_channel_may_be_used() {
    let mut known = heard(&[(
        "email".into(),
        Consent {
            granted: true,
            at: Instant(9),
            source: Some("anna's phone".into()),
            process: None,
        },
    )]);
    known.change(
        ProfileChange::Replace(Profile { email: Some("a@b.example".into()), ..Profile::default() }),
        Some(&provenance(1)),
    );
    known.add_alias(&marks(1)).unwrap();
    assert_eq!(known.erase(Instant(7), 12), [marks(1).current]);
    let opt_out =
        Consent { granted: false, at: Instant(7), source: None, process: Some(ERASURE.into()) };
    let want = Participant {
        consents: [("email".into(), opt_out)].into(),
        erased: Some(Erased { at: Instant(7), below: Some(13) }),
        ..Participant::default()
    };
    assert_eq!(known, want);
}

#[test]
fn r92_an_erased_wallet_keeps_its_sums_and_is_rebuilt_by_its_ledger() {
    let mut book = Book::with(vec![fixed("good", 100)], noon("2026-11-21"));
    book.buy("start", 5_00);
    let before = book.available(&points());
    book.erase();
    assert_eq!(book.available(&points()), before);
    assert!(book.wallet.erased && book.wallet.blocked);
    let newest = book.entry(book.wallet.length).clone();
    assert_eq!(newest.effects, [Effect::Block { blocked: true }, Effect::Erase]);
    assert_eq!(book.spend(points(), Some(1), None).err(), Some(Refusal::SpendingBlocked));
    let entries: Vec<_> = (1..=book.wallet.length).map(|at| book.entry(at).clone()).collect();
    assert_eq!(Wallet::replay(&entries), book.wallet);
}

#[test]
fn r92_of_an_event_what_is_personal_goes_once_and_what_counts_stays() {
    let medium = || {
        Some(PaymentMedium {
            brand: Some("Visa".into()),
            kind: None,
            identifier: Some("1234".into()),
            kept: Keep::Last(4),
        })
    };
    let purchase = |payment_medium| Purchase {
        receipt_number: Some("R-1".into()),
        related_transaction: None,
        payment_medium,
        lines: Vec::new(),
    };
    let social = |profile: &str| Detail::SocialMedia {
        network: "net".into(),
        profile: profile.into(),
        action: "follow".into(),
    };
    let web = |url: &str| Detail::Web { url: url.into(), score: Some(9) };
    let reached = |payment_medium| {
        let (product, amount) = (None, domain::amount::Amount(5));
        Detail::FinancialAchievement(FinancialAchievement { product, amount, payment_medium })
    };
    let blank = || medium().map(|medium| PaymentMedium { identifier: None, ..medium });
    let cases = [
        (social("@anna"), social("")),
        (web("https://a.example/anna?x=1"), web("https://a.example")),
        (Detail::Purchase(purchase(medium())), Detail::Purchase(purchase(blank()))),
        (reached(medium()), reached(blank())),
    ];
    let mut book = Book::with(vec![], noon("2026-11-21"));
    book.buy("start", 5_00);
    let event: Event = book.events[0].event.clone();
    for (detail, want) in cases {
        let mut event = Event { detail, ..event.clone() };
        assert!(event.erase());
        assert_eq!(event.detail, want);
        assert!(!event.erase(), "there is nothing left: {event:?}");
    }
    for detail in [Detail::Achievement { score: None }, Detail::Purchase(purchase(None))] {
        let mut event = Event { detail, ..event.clone() };
        assert!(!event.erase());
    }
}
