//! Conditions that look at who bought, how it was paid, when, and how many pieces; and awards that
//! wait for their day (R-42, R-46, R-47), each through a judgement.

use domain::amount::Amount;
use domain::anniversary::Anniversary;
use domain::award::{Mode, asks, exclusions};
use domain::event::{Detail, Event};
use domain::export::ExportPlan;
use domain::id::SegmentId;
use domain::offer::{Beneficiary, Conditions, Offer};
use domain::participant::{Participant, Profile};
use domain::payment_medium::PaymentMedium;
use domain::segment::{Predicate, Segment};
use domain::window::{Around, Hours, Occasion, Times, Validity};

use crate::bookkeeping::Book;
use crate::fixture::*;

/// What the offer says of the event of a participant: `awarded`, or the reason.
fn verdict(offer: &Offer, participant: &Participant, event: &Event) -> String {
    let mut book = Book::with(vec![offer.clone()], noon("2026-11-21"));
    let segment = |id, members| Segment {
        id: SegmentId::parse(id).unwrap(),
        members,
        export: ExportPlan::default(),
    };
    let gold = Predicate::Tag("gold".into());
    let poor = Predicate::Not(Box::new(Predicate::Tag("gold".into())));
    book.programme.segments = vec![segment("gold", gold), segment("poor", poor)];
    book.participant = participant.clone();
    let which = book.accept(event.clone());
    let judgement = book.judge(which, Mode::Interactive);
    match (judgement.awards.len(), judgement.passed_over.as_slice()) {
        (1, []) => "awarded".into(),
        (0, [(_, reason)]) => reason.code().into(),
        (0, []) => exclusions(&book.programme, event)[0].1.code().into(),
        (..) => panic!("one offer says one thing: {judgement:?}"),
    }
}

fn when(when: Conditions) -> Offer {
    Offer { when, ..fixed("o", 5) }
}

fn tagged(tags: &[&str]) -> Participant {
    let tags = tags.iter().map(|tag| (*tag).into()).collect();
    Participant { profile: Profile { tags, ..Profile::default() }, ..Participant::default() }
}

fn bought() -> Event {
    purchase("r", 10_00, noon("2026-11-21"))
}

#[test]
fn r42_payment_brands_and_types() {
    let names = |names: &[&str]| names.iter().map(|n| Box::from(*n)).collect::<Vec<_>>().into();
    let asks = |brands: &[&str], types: &[&str]| {
        let (payment_brands, payment_types) = (names(brands), names(types));
        when(Conditions { payment_brands, payment_types, ..Conditions::default() })
    };
    let (no, yes) = ("payment_medium_not_included", "awarded");
    let cases = [
        (asks(&[], &[]), None, yes),
        (asks(&["Visa"], &[]), None, no),
        (asks(&["Visa"], &[]), Some((None, None)), no),
        (asks(&["Visa"], &[]), Some((Some("Visa"), None)), yes),
        (asks(&["Visa"], &[]), Some((Some("visa"), None)), no),
        (asks(&["Visa", "Amex"], &[]), Some((Some("Amex"), Some("credit"))), yes),
        (asks(&[], &["credit"]), Some((Some("Visa"), None)), no),
        (asks(&[], &["credit"]), Some((None, Some("credit"))), yes),
        (asks(&["Visa"], &["credit"]), Some((Some("Visa"), Some("debit"))), no),
        (asks(&["Visa"], &["credit"]), Some((Some("Amex"), Some("credit"))), no),
        (asks(&["Visa"], &["credit"]), Some((Some("Visa"), Some("credit"))), yes),
    ];
    for (offer, paid, want) in cases {
        let mut event = bought();
        let Detail::Purchase(purchase) = &mut event.detail else { panic!("a purchase") };
        purchase.payment_medium = paid.map(|(brand, kind)| PaymentMedium {
            brand: brand.map(Into::into),
            kind: kind.map(Into::into),
            ..PaymentMedium::default()
        });
        let got = verdict(&offer, &Participant::default(), &event);
        assert_eq!(got, want, "{:?} {paid:?}", offer.when);
    }
}

#[test]
fn r42_tags_and_segments() {
    let tags = |tags: &[&str]| tags.iter().map(|tag| Box::from(*tag)).collect::<Vec<_>>().into();
    let segments = |ids: &[&str]| {
        ids.iter().map(|id| SegmentId::parse(id).unwrap()).collect::<Vec<_>>().into()
    };
    let asks = |with: &[&str], of: &[&str]| {
        when(Conditions { tags: tags(with), segments: segments(of), ..Conditions::default() })
    };
    let (no, yes) = ("not_in_segment", "awarded");
    let cases: [(Offer, &[&str], &str); 13] = [
        (asks(&[], &[]), &[], yes),
        (asks(&["gold"], &[]), &[], no),
        (asks(&["gold"], &[]), &["golden", "Gold"], no),
        (asks(&["gold"], &[]), &["silver", "gold"], yes),
        (asks(&["gold", "silver"], &[]), &["silver"], yes),
        (asks(&[], &["gold"]), &["silver"], no),
        (asks(&[], &["gold"]), &["gold"], yes),
        (asks(&[], &["poor"]), &["gold"], no),
        (asks(&[], &["poor"]), &[], yes),
        // Of segments any will do, of segments and tags both.
        (asks(&[], &["gold", "poor"]), &["gold"], yes),
        (asks(&["silver"], &["gold"]), &["gold"], no),
        (asks(&["silver"], &["gold"]), &["gold", "silver"], yes),
        // One that the programme no longer has has no members.
        (asks(&[], &["gone"]), &["gone"], no),
    ];
    for (offer, tags, want) in cases {
        assert_eq!(verdict(&offer, &tagged(tags), &bought()), want, "{:?} {tags:?}", offer.when);
        let asked = asks_profile(&offer);
        assert_eq!(asked, !(offer.when.tags.is_any() && offer.when.segments.is_any()));
    }
}

fn asks_profile(offer: &Offer) -> bool {
    asks(&programme(vec![offer.clone()]), &bought(), Beneficiary::default()).profile
}

#[test]
fn r42_both_ends_of_a_quantity_range_are_inclusive_and_only_lines_that_match_count() {
    let pieces = |from, to| Conditions { quantity: (from, to), ..Conditions::default() };
    let coffee =
        |from, to| Conditions { categories: vec![product("coffee")].into(), ..pieces(from, to) };
    let (out, yes) = ("quantity_out_of_range", "awarded");
    // Pieces of coffee, and of others.
    let cases = [
        (pieces(Some(2), Some(4)), 1, 0, out),
        (pieces(Some(2), Some(4)), 1, 1, yes),
        (pieces(Some(2), Some(4)), 2, 2, yes),
        (pieces(Some(2), Some(4)), 2, 3, out),
        (pieces(Some(5), None), 2, 2, out),
        (pieces(Some(5), None), 2, 3, yes),
        (pieces(None, Some(3)), 1, 2, yes),
        (pieces(None, Some(3)), 2, 2, out),
        (coffee(Some(2), Some(4)), 1, 3, out),
        (coffee(Some(2), Some(4)), 2, 9, yes),
        (coffee(Some(2), Some(4)), 4, 9, yes),
        (coffee(Some(2), Some(4)), 5, 9, out),
        (coffee(Some(2), None), 0, 9, "no_matching_line"),
    ];
    for (asked, coffees, others, want) in cases {
        let line = |pieces: u32, category: Option<&str>| domain::event::Line {
            category: category.map(product),
            ..line(pieces, 1_00, 0)
        };
        let mut lines = vec![line(coffees, Some("coffee")), line(others, None)];
        lines.retain(|line| line.quantity > 0);
        let got = verdict(&when(asked.clone()), &tagged(&[]), &with_lines(bought(), lines));
        assert_eq!(got, want, "{asked:?} {coffees} {others}");
    }
}

#[test]
fn r46_a_birthday_a_name_day_and_hours_through_a_judgement() {
    let born = Profile { birthday: "1990-11-21".parse().ok(), ..Profile::default() };
    let named = Profile { name_day: Anniversary::parse("11-21"), ..Profile::default() };
    let around = |what| Validity {
        around: Some(Around { what, before: 1, after: 2 }),
        times: Some(Times { hours: vec![Hours { from: 600, to: 720 }], ..Times::default() }),
        ..Validity::default()
    };
    let birthday = || around(Occasion::Birthday);
    let (no, yes) = ("not_valid", "awarded");
    let nobody = Profile::default();
    let december = || validity(Some("2026-12-01T00:00:00+01:00"), None);
    let cases = [
        (vec![birthday()], &born, "2026-11-19T10:00:00+01:00", no),
        (vec![birthday()], &born, "2026-11-20T09:59:59.999+01:00", no),
        (vec![birthday()], &born, "2026-11-20T10:00:00+01:00", yes),
        (vec![birthday()], &born, "2026-11-23T11:59:59.999+01:00", yes),
        (vec![birthday()], &born, "2026-11-23T12:00:00+01:00", no),
        (vec![birthday()], &born, "2026-11-24T10:00:00+01:00", no),
        (vec![birthday()], &nobody, "2026-11-21T10:00:00+01:00", no),
        (vec![birthday()], &named, "2026-11-21T10:00:00+01:00", no),
        (vec![around(Occasion::NameDay)], &named, "2026-11-21T10:00:00+01:00", yes),
        (vec![around(Occasion::NameDay)], &born, "2026-11-21T10:00:00+01:00", no),
        // Any of several periods will do; one that asks nobody holds for everybody.
        (vec![birthday(), december()], &born, "2026-12-24T20:00:00+01:00", yes),
        (vec![birthday(), december()], &nobody, "2026-12-24T20:00:00+01:00", yes),
        (vec![birthday(), december()], &nobody, "2026-11-21T10:00:00+01:00", no),
    ];
    for (valid, profile, performed_on, want) in cases {
        let offer = Offer { valid: valid.clone(), ..fixed("o", 5) };
        let participant = Participant { profile: profile.clone(), ..Participant::default() };
        let event = purchase("r", 1_00, at(performed_on));
        let told = format!("{} periods at {performed_on}", valid.len());
        assert_eq!(verdict(&offer, &participant, &event), want, "{told}");
    }
    assert!(Offer { valid: vec![birthday()], ..fixed("o", 5) }.asks_profile());
    assert!(!Offer { valid: vec![december()], ..fixed("o", 5) }.asks_profile());
}

#[test]
fn r47_an_award_is_available_from_its_day_on_or_at_once_where_that_has_passed() {
    let today = "2026-11-21";
    // The day, what is available today, and until when the rest is pending.
    let cases = [
        (None, None, 5, None),
        (Some("2026-11-20"), None, 5, None),
        (Some(today), None, 5, None),
        (Some("2026-11-22"), None, 0, Some("2026-11-22")),
        (Some("2027-01-01"), None, 0, Some("2027-01-01")),
        (None, Some("P2D"), 0, Some("2026-11-23")),
        (None, Some("P0D"), 5, None),
    ];
    for (from, after, now, later) in cases {
        let offer = Offer {
            available_from: from.map(day),
            available_after: after.map(span),
            ..fixed("o", 5)
        };
        let mut book = Book::with(vec![offer, fixed("always", 1)], noon(today));
        book.buy("r", 1_00);
        let told = format!("{from:?} {after:?}");
        assert_eq!(book.available(&points()), now + 1, "{told}");
        // What is available at once is one lot with what always was.
        assert_eq!(book.wallet.lots.len(), 1 + usize::from(later.is_some()), "{told}");
        let Some(later) = later.map(day) else { continue };
        book.now = domain::time::Instant(later.start(ZONE).0 - 1);
        assert_eq!((book.available(&points()), book.pending(&points())), (1, 5), "{told}");
        book.now = later.start(ZONE);
        assert_eq!((book.available(&points()), book.pending(&points())), (6, 0), "{told}");
    }
}

#[test]
fn r42_amounts_of_the_transaction_look_at_all_of_it_whichever_lines_match() {
    let coffee = |from| Conditions {
        from: Some(Amount(from)),
        categories: vec![product("coffee")].into(),
        ..Conditions::default()
    };
    let mut cheap = line(1, 2_00, 0);
    cheap.category = Some(product("coffee"));
    let event = with_lines(bought(), vec![cheap, line(1, 8_00, 0)]);
    for (from, want) in [(10_00, "awarded"), (10_01, "amount_out_of_range"), (2_00, "awarded")] {
        assert_eq!(verdict(&when(coffee(from)), &tagged(&[]), &event), want, "{from}");
    }
}
