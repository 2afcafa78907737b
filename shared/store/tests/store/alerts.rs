//! Alerts: a turn is noted once, a target is told of it once it is, and what it was not told
//! is found again.

use domain::alert::{Alert, Seen};
use domain::amount::Amount;
use domain::feed::FeedType;
use domain::id::{AlertId, FeedId, ParticipantId, SegmentId};
use domain::time::{Instant, Month};
use store::{AlertCounts, Change, Result, Store, Watching};

use crate::cast::{later, noon, open, person, programme};
use crate::feeds::feed;
use crate::races::{Race, at_once};
use crate::wire::Wire;

/// The shard of `c-1`.
const SHARD: u8 = 6;

/// Told to the feed of the tests.
pub fn alert() -> Alert {
    Alert {
        id: AlertId::parse("sales-drop").unwrap(),
        segment: SegmentId::parse("sales-halved").unwrap(),
        feed: FeedId::parse("crm").unwrap(),
        tells_first: false,
    }
}

fn seen(at: Instant, is_member: bool) -> Seen {
    let sales = vec![(Month(24_000), Amount(100_00)), (Month(24_001), Amount(20_00))];
    Seen { at, is_member, is_there: true, sales }
}

async fn watch(store: &Store, who: &ParticipantId, at: Instant, is_in: bool) -> AlertCounts {
    let alert = &alert();
    store.watch(Watching { alert, is_first: false }, who, &seen(at, is_in)).await.unwrap()
}

/// Somebody is in the segment, and no target was told of it yet.
pub async fn prepare(store: &Store, who: &ParticipantId) -> Result<()> {
    let alert = &alert();
    store.watch(Watching { alert, is_first: false }, who, &seen(noon(), true)).await.map(drop)
}

/// Looks again: whether a member, or not.
pub async fn look(store: &Store, who: &ParticipantId, is_member: bool) -> Result<String> {
    let alert = &alert();
    let watching = Watching { alert, is_first: false };
    let counts = store.watch(watching, who, &seen(later(1), is_member)).await?;
    Ok(format!("{counts:?} {:?}", store.turns(who, &alert.id).await?))
}

pub async fn begin(store: &Store) -> Result<String> {
    store.begin_alert(SHARD, &alert().id).await?;
    Ok(format!("{:?}", store.begun_alerts(SHARD, &[alert()]).await?))
}

pub async fn read_open(store: &Store, who: &ParticipantId) -> Result<String> {
    let open = store.open_alerts(SHARD, None, who).await?;
    Ok(format!("{open:?} {:?}", store.all_turns(who).await?))
}

/// What a target that is told of alerts alone does not know: `+` and `-` with the turn.
async fn due(store: &Store, who: &ParticipantId) -> Vec<String> {
    let feed = feed(&[FeedType::Alert]);
    let due = store.due(&feed, &[alert().id], who).await.unwrap();
    assert!(due.entries.is_empty() && due.participant.is_none() && due.consents.is_empty());
    let sign = |joined| if joined { '+' } else { '-' };
    let shown = due.turns.iter().map(|(_, turn)| format!("{}{}", sign(turn.joined), turn.sequence));
    shown.collect()
}

async fn tell(store: &Store, who: &ParticipantId) -> Vec<String> {
    let shown = due(store, who).await;
    let feed = feed(&[FeedType::Alert]);
    let told = store.due(&feed, &[alert().id], who).await.unwrap();
    if !told.is_empty() {
        assert!(store.told(&feed.id, who, &told).await.unwrap());
    }
    shown
}

async fn open_places(store: &Store, after: Option<&str>, until: &str) -> Vec<String> {
    let mut open = store.open_alerts(SHARD, after, &person(until)).await.unwrap();
    open.sort();
    open.into_iter().map(|(who, alert)| format!("{who} {alert}")).collect()
}

#[tokio::test(start_paused = true)]
async fn r97_a_turn_is_due_until_the_target_was_told_and_found_again_until_then() {
    let (store, who) = (open(&Wire::new(0), true), person("c-1"));
    store.register(&who, None, vec![]).await.unwrap();
    let counts =
        |joined, left, reminded| AlertCounts { joined, left, reminded, ..AlertCounts::default() };
    assert_eq!(watch(&store, &who, later(1), true).await, counts(1, 0, 0));
    assert_eq!(watch(&store, &who, later(1), true).await, counts(1, 0, 0), "gone over again");
    assert_eq!(due(&store, &who).await, ["+1"]);
    assert_eq!(open_places(&store, None, "c-1").await, ["c-1 sales-drop"]);
    // The hint was lost: the next run finds it.
    assert_eq!(watch(&store, &who, later(2), true).await, counts(0, 0, 1));
    assert_eq!(tell(&store, &who).await, ["+1"]);
    assert!(due(&store, &who).await.is_empty());
    assert_eq!(watch(&store, &who, later(3), true).await, counts(0, 0, 0));
    // Whoever left stays open until that was told as well.
    assert_eq!(watch(&store, &who, later(4), false).await, counts(0, 1, 0));
    assert_eq!(open_places(&store, None, "c-1").await, ["c-1 sales-drop"]);
    assert_eq!(tell(&store, &who).await, ["-2"]);
    assert_eq!(watch(&store, &who, later(5), false).await, counts(0, 0, 0));
    assert!(open_places(&store, None, "c-1").await.is_empty());
    assert_eq!(watch(&store, &who, later(6), true).await, counts(1, 0, 0));
    assert_eq!(watch(&store, &who, later(7), false).await, counts(0, 1, 0));
    assert_eq!(tell(&store, &who).await, ["+3", "-4"], "in order");
    // From a time on it is told again.
    let feed = feed(&[FeedType::Alert]);
    for (from, want) in [(later(4), &["-2", "+3", "-4"][..]), (later(7), &["-4"]), (later(8), &[])]
    {
        store.replay(&feed.id, &[alert().id], &who, from).await.unwrap();
        assert_eq!(tell(&store, &who).await, want);
    }
}

#[tokio::test(start_paused = true)]
async fn r97_nothing_is_told_of_whoever_was_erased_since() {
    let (store, who) = (open(&Wire::new(0), true), person("c-1"));
    store.register(&who, None, vec![]).await.unwrap();
    watch(&store, &who, later(1), true).await;
    assert_eq!(due(&store, &who).await, ["+1"]);
    store.erase(&programme(vec![]), later(2), &who).await.unwrap();
    assert!(due(&store, &who).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn r97_many_runs_at_once_note_a_turn_once() {
    let race = Race::new("alerts", 90_00).await;
    let answers = at_once(8, |number| {
        let race = race.clone();
        async move {
            let at = later(i64::try_from(number).unwrap());
            watch(&open(&race.wire, true), &race.who, at, true).await.joined
        }
    });
    assert_eq!(answers.await.into_iter().sum::<u64>(), 1);
    let turns = open(&race.wire, false).turns(&race.who, &alert().id).await.unwrap().list;
    assert_eq!(turns.len(), 1, "{turns:?}");
}

#[tokio::test(start_paused = true)]
async fn r97_an_alert_has_gone_over_a_shard_once_that_is_noted() {
    let store = open(&Wire::new(0), false);
    let other = Alert { id: AlertId::parse("other").unwrap(), ..alert() };
    let both = [alert(), other.clone()];
    assert!(store.begun_alerts(1, &both).await.unwrap().is_empty());
    store.begin_alert(1, &other.id).await.unwrap();
    store.begin_alert(1, &other.id).await.unwrap();
    assert_eq!(store.begun_alerts(1, &both).await.unwrap(), [other.id]);
    assert!(store.begun_alerts(2, &both).await.unwrap().is_empty());
    assert!(store.begun_alerts(1, &[]).await.unwrap().is_empty());
}

/// The order is that of the roster, also where one id begins with another.
#[tokio::test(start_paused = true)]
async fn r97_who_is_open_is_found_between_two_participants() {
    let store = open(&Wire::new(0), false);
    let mut people: Vec<ParticipantId> = (0..200)
        .flat_map(|n| [format!("c-{n}"), format!("c-{n}-b")])
        .map(|id| person(&id))
        .collect();
    people.sort();
    for who in &people {
        watch(&store, who, noon(), true).await;
    }
    let mut found = 0;
    for (at, until) in people.iter().enumerate().skip(1) {
        let after = people[at - 1].as_str();
        for shard in 0..store::SHARDS {
            let between = store.open_alerts(shard, Some(after), until).await.unwrap();
            assert!(between.iter().all(|(who, _)| who == until), "{after} {until}: {between:?}");
            found += between.len();
        }
    }
    assert_eq!(found, people.len() - 1);
}

/// However many alerts have left the programme over the years.
#[tokio::test(start_paused = true)]
async fn r97_r92_whoever_is_open_is_found_behind_hundreds_of_former_alerts() {
    let (store, who) = (open(&Wire::new(0), false), person("c-1"));
    watch(&store, &who, noon(), true).await;
    for number in 0..600 {
        let id = AlertId::parse(&format!("z-former-{number}")).unwrap();
        let former = Alert { id, ..alert() };
        let watching = Watching { alert: &former, is_first: false };
        store.watch(watching, &who, &seen(noon(), true)).await.unwrap();
    }
    let found = store.open_alerts(SHARD, None, &who).await.unwrap();
    assert!(found.contains(&(who.clone(), alert().id)));
    assert_eq!(found.len(), 601);
    let known = store.all_turns(&who).await.unwrap();
    assert_eq!((known.len(), &known[0].0, known[0].1.list.len()), (601, &alert().id, 1));
}

#[test]
fn r97_a_turn_is_a_change_that_feeds_know() {
    let key = [("pk", "P#c-1"), ("sk", "I#sales-drop")];
    let key = key.map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(Change::of(&key.into()), Some(Change::Alert(person("c-1"), alert().id)));
}
