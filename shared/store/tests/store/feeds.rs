//! Feeds: what a target does not know yet, in order, whatever it was told before.

use domain::feed::{Feed, FeedType, Target, TargetUrl};
use domain::id::{FeedId, ParticipantId};
use domain::participant::{Consent, Profile};
use domain::time::Instant;
use store::{Change, Due, Error, Noun, Result, Store};

use crate::alerts::alert;
use crate::cast::{later, noon, open, person};
use crate::pages::Rich;
use crate::wire::Wire;

/// A target that is told of all this.
pub fn feed(types: &[FeedType]) -> Feed {
    Feed {
        id: FeedId::parse("crm").unwrap(),
        url: TargetUrl::parse("https://crm.example").unwrap(),
        secret: "default".into(),
        types: types.to_vec(),
        target: Target::Webhook,
    }
}

/// Tells a target everything, as deliveries do.
pub async fn tell(store: &Store, who: &ParticipantId) -> Result<String> {
    let feed = feed(&FeedType::ALL);
    for _ in 0..100 {
        let due = store.due(&feed, &[alert().id], who).await?;
        if due.is_empty() {
            return Ok("told".to_owned());
        }
        store.told(&feed.id, who, &due).await?;
    }
    panic!("a feed without an end")
}

/// Lets it be told again.
pub async fn replay(store: &Store, who: &ParticipantId) -> Result<String> {
    store.replay(&feed(&FeedType::ALL).id, &[alert().id], who, later(1)).await?;
    Ok("moved".to_owned())
}

fn sequences(due: &Due) -> Vec<u64> {
    due.entries.iter().map(|entry| entry.sequence).collect()
}

async fn all(store: &Store, feed: &Feed, who: &ParticipantId) -> Vec<u64> {
    let mut told = Vec::new();
    for _ in 0..100 {
        let due = store.due(feed, &[], who).await.unwrap();
        if due.is_empty() {
            return told;
        }
        told.extend(sequences(&due));
        assert!(store.told(&feed.id, who, &due).await.unwrap());
    }
    panic!("a feed without an end")
}

#[tokio::test(start_paused = true)]
async fn r96_every_entry_is_due_once_and_in_order_over_journal_and_pages() {
    let rich = Rich::new().await;
    let feed = feed(&[FeedType::Movement]);
    assert_eq!(all(&rich.store, &feed, &rich.who).await, [1]);
    for minute in 1..=127 {
        rich.spend(&rich.store, minute, 1).await.unwrap();
    }
    assert_eq!(all(&rich.store, &feed, &rich.who).await, (2..=128).collect::<Vec<u64>>());
    assert!(all(&rich.store, &feed, &rich.who).await.is_empty());
    // From a minute on; from before all time; from the future: nothing.
    for (from, first) in [(later(100), 101), (Instant(0), 1), (later(9_999), 129)] {
        rich.store.replay(&feed.id, &[], &rich.who, from).await.unwrap();
        let want: Vec<u64> = (first..=128).collect();
        assert_eq!(all(&rich.store, &feed, &rich.who).await, want);
    }
    // A delivery that was under way when the place was moved does not count.
    rich.store.replay(&feed.id, &[], &rich.who, later(100)).await.unwrap();
    let slow = rich.store.due(&feed, &[], &rich.who).await.unwrap();
    rich.store.replay(&feed.id, &[], &rich.who, later(50)).await.unwrap();
    assert!(!rich.store.told(&feed.id, &rich.who, &slow).await.unwrap());
    assert_eq!(all(&rich.store, &feed, &rich.who).await.first(), Some(&51));
    let nobody = rich.store.replay(&feed.id, &[], &person("nobody"), noon()).await;
    assert!(matches!(nobody, Err(Error::NotFound(Noun::Participant))), "{nobody:?}");
}

#[tokio::test(start_paused = true)]
async fn r96_master_data_and_consents_are_due_when_they_differ_from_what_was_told() {
    let (wire, who) = (Wire::new(0), person("c-1"));
    let store = open(&wire, true);
    let profile = |name: &str| Profile { first_name: Some(name.into()), ..Profile::default() };
    let consent = |granted, minute| {
        let at = later(minute);
        ("email".into(), Consent { granted, at, source: None, process: None })
    };
    let every = feed(&FeedType::ALL);
    let consents_alone = Feed { id: FeedId::parse("mail").unwrap(), ..feed(&[FeedType::Consent]) };
    for (name, sent, changes) in [
        ("Anna", vec![consent(true, 5)], 1),
        ("Bert", vec![], 0),
        ("Cleo", vec![consent(false, 3)], 0),
        ("Cleo", vec![consent(false, 6)], 1),
    ] {
        store.register(&who, Some(profile(name)), sent).await.unwrap();
        let due = store.due(&every, &[], &who).await.unwrap();
        let (version, known) = due.participant.clone().unwrap();
        assert_eq!(known.profile.first_name.as_deref(), Some(name));
        assert_eq!(due.consents.len(), changes, "{name}");
        assert!(due.consents.iter().all(|(of, _, _)| *of == version));
        assert!(store.told(&every.id, &who, &due).await.unwrap());
        assert!(store.due(&every, &[], &who).await.unwrap().is_empty());
        let due = store.due(&consents_alone, &[], &who).await.unwrap();
        assert!(due.participant.is_none() && due.entries.is_empty());
        assert_eq!(due.consents.len(), changes, "{name}");
        if !due.is_empty() {
            assert!(store.told(&consents_alone.id, &who, &due).await.unwrap());
        }
    }
}

#[test]
fn r96_only_wallets_profiles_and_passes_are_changes_that_feeds_know() {
    let change = |pk: &str, sk: &str| {
        let key = [("pk", pk), ("sk", sk)].map(|(name, text)| (name.to_owned(), text.to_owned()));
        Change::of(&key.into())
    };
    for sk in ["S", "A"] {
        assert_eq!(change("P#c-1", sk), Some(Change::Participant(person("c-1"))));
    }
    assert!(matches!(change("X#gift#7", "X"), Some(Change::Pass(pass)) if pass.serial == 7));
    for (pk, sk) in [
        ("P#c-1", "L#000000000001"),
        ("P#c-1", "F#crm"),
        ("X#gift", "PLAN"),
        ("E#till:1", "E"),
        ("Q#offer", "Q"),
    ] {
        assert_eq!(change(pk, sk), None, "{pk} {sk}");
    }
}
