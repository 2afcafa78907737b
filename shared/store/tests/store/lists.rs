//! Lists that are read page by page, and documents in parts: nothing is missed, nothing twice.

use domain::amount::Amount;
use domain::award::Mode;
use domain::event::{EventState, Judge};
use domain::id::EventId;
use domain::ledger::{Act, Entry, EntryKey, PayloadHash};
use domain::refusal::Refusal;
use serde_json::json;
use store::{Error, EventsCursor, EventsFilter, Judging, Noun, Succession};

use crate::cast::{
    cash, event_id, later, noon, open, person, post, programme, purchase, run_id, spend, tenfold,
    timed_key,
};
use crate::fault::Fault;
use crate::pages::Rich;
use crate::record::{Page, State, encode_page, encode_state, page_hash};
use crate::wire::Wire;

/// Nothing is left out.
const ALL: EventsFilter = EventsFilter { of_type: None, in_state: None, from: None, to: None };

impl Rich {
    /// Every event of the participant, read in pages of this many.
    async fn listed(&self, limit: usize) -> Vec<EventId> {
        self.paged(&ALL, limit, &[]).await
    }

    /// Every event that a filter takes, read in pages of this many. After each page a run judges a
    /// few of these batches.
    async fn paged(
        &self,
        filter: &EventsFilter,
        limit: usize,
        mut judged: &[&[EventId]],
    ) -> Vec<EventId> {
        let (mut listed, mut after) = (Vec::new(), None);
        for _ in 0..100 {
            let page = self.store.events(&self.who, filter, after, limit).await.unwrap();
            assert!(page.events.len() <= limit, "{} of {limit}", page.events.len());
            listed.extend(page.events.into_iter().map(|recorded| recorded.event.id));
            let Some(cursor) = page.cursor else { return listed };
            // As the caller sends it.
            after = Some(EventsCursor::parse(&cursor.to_string()).unwrap());
            let (now, rest) = judged.split_at(judged.len().min(2));
            judged = rest;
            for events in now {
                self.run_judges(events).await;
            }
        }
        panic!("a list without an end");
    }

    async fn run_judges(&self, events: &[EventId]) {
        let (programme, now, participant) = (&self.programme, later(9), &self.who);
        let by = Judge::Run(run_id("run-1"));
        let order = Judging { programme, now, participant, events, mode: Mode::Run, by };
        self.store.judge(&order).await.unwrap();
    }
}

/// pending or judged, waiting for a run or not, accepted at one instant or after another.
#[tokio::test(start_paused = true)]
async fn every_event_is_listed_once_whatever_the_length_of_a_page() {
    let mut rich = Rich::new().await;
    rich.programme = programme(vec![tenfold(), cash()]);
    let mut want = vec![event_id("e-1")];
    for number in 0..14 {
        // Some of one minute, some pending, some judged at once; those still await a run.
        let (reference, now) = (format!("n-{number:02}"), later(number / 4));
        let event = purchase(&rich.who, &reference, 10_00, noon());
        post(&rich.store, &rich.programme, &event, now, number % 3 == 0).await.unwrap();
        want.push(event.id);
    }
    let (programme, now, participant) = (&rich.programme, later(9), &rich.who);
    let (events, by) = (&want[3..6], Judge::Run(run_id("run-1")));
    let order = Judging { programme, now, participant, events, mode: Mode::Run, by };
    rich.store.judge(&order).await.unwrap();
    want.sort();
    for limit in 1..=16 {
        let mut listed = rich.listed(limit).await;
        listed.sort();
        assert_eq!(listed, want, "pages of {limit}");
    }
}

/// a bulk of one instant is more than a page, and more than is read of the index at once; and
/// a run that judges it between two pages moves nothing.
#[tokio::test(start_paused = true)]
async fn a_bulk_of_one_instant_is_listed_once_though_a_run_judges_it_meanwhile() {
    const BULK: usize = 2_500;
    let rich = Rich::new().await;
    let mut bulk = Vec::new();
    for number in 0..BULK {
        let event = purchase(&rich.who, &format!("n-{number:04}"), 10_00, noon());
        post(&rich.store, &rich.programme, &event, later(1), false).await.unwrap();
        bulk.push(event.id);
    }
    let newest_first = || bulk.iter().rev().cloned().chain([event_id("e-1")]);
    let gone = EventsFilter { in_state: Some(EventState::Cancelled), ..ALL };
    assert!(rich.paged(&gone, 200, &[]).await.is_empty(), "pages that a filter leaves empty");

    // Some are judged after each page, wherever they stand.
    let batches: Vec<&[EventId]> = bulk.chunks(10).step_by(9).collect();
    assert_eq!(rich.paged(&ALL, 190, &batches).await, newest_first().collect::<Vec<EventId>>());
    let mut listed = rich.listed(200).await;
    assert_ne!(
        listed,
        newest_first().collect::<Vec<EventId>>(),
        "who begins anew sees them judged"
    );
    listed.sort();
    let mut want: Vec<EventId> = newest_first().collect();
    want.sort();
    assert_eq!(listed, want);
}

/// years of spends do not hide the events before them.
#[tokio::test(start_paused = true)]
async fn an_event_is_listed_though_thousands_of_spends_followed_it() {
    let rich = Rich::new().await;
    let mut entries = vec![crate::laws::walk(&rich.wire, &rich.who).entries.remove(0)];
    let refused = |sequence: u64| Entry {
        sequence,
        at: noon(),
        key: EntryKey::Spend(timed_key(noon(), sequence)),
        payload: PayloadHash::default(),
        act: Act::Refused(Refusal::NotCovered),
        effects: vec![],
        after: vec![],
    };
    entries.extend((2..=2_500).map(refused));
    let pk = format!("P#{}", rich.who);
    let (mut items, mut before) = (rich.wire.items(), [0; 16]);
    let binary = |bytes: Vec<u8>| json!({ "B": aws_smithy_types::base64::encode(bytes) });
    for entries in entries.chunks(100) {
        let encoded = encode_page(&Page { before, entries: entries.to_vec() }).unwrap();
        before = page_hash(&encoded);
        let sk = format!("L#{:012}", entries[0].sequence);
        let item = json!({ "pk": { "S": pk }, "sk": { "S": sk }, "d": binary(encoded) });
        items.insert((pk.clone(), sk), item);
    }
    let state = items.get_mut(&(pk, "S".to_owned())).unwrap();
    let mut wallet = crate::laws::state(state).wallet;
    wallet.length = 2_500;
    state["q"]["N"] = "2500".into();
    state["d"] = binary(encode_state(&State { wallet, journal: vec![], page: before }).unwrap());
    let wire = Wire::new(0);
    wire.load(&items);
    let rich = Rich { store: open(&wire, true), wire, ..rich };
    assert_eq!(rich.listed(5).await, [event_id("e-1")]);
}

/// a document in parts whose PUT was cut off is no version, and does not stop the next.
#[tokio::test(start_paused = true)]
async fn a_document_that_was_cut_off_is_never_seen_and_the_next_one_is_whole() {
    let wire = Wire::new(0);
    let (store, careless) = (open(&wire, true), open(&wire, false));
    let mut rng = fastrand::Rng::with_seed(1);
    // It does not deflate: three parts.
    let document: Vec<u8> = (0..720_000).map(|_| rng.u8(..)).collect();
    assert_eq!(store.put_programme(b"one", &Succession::default()).await.unwrap(), 1);
    wire.take_calls();
    // Pointer, active document, first part; the second does not arrive.
    wire.fault_at(3, Fault::Before);
    assert!(matches!(
        careless.put_programme(&document, &Succession::default()).await,
        Err(Error::Unavailable(_))
    ));
    assert!(matches!(store.programme(2).await, Err(Error::NotFound(Noun::Programme))));
    assert!(matches!(
        store.activate_programme(2, &Succession::default()).await,
        Err(Error::NotFound(Noun::Programme))
    ));
    assert_eq!(store.put_programme(b"two", &Succession::default()).await.unwrap(), 3);
    assert_eq!(store.active_programme(true).await.unwrap(), 3);
    assert_eq!(store.put_programme(&document, &Succession::default()).await.unwrap(), 4);
    assert_eq!(store.programme(4).await.unwrap(), document);
    assert_eq!(
        store.put_programme(&document, &Succession::default()).await.unwrap(),
        4,
        "it is active already"
    );
    store.activate_programme(3, &Succession::default()).await.unwrap();
    assert_eq!(store.programme(store.active_programme(true).await.unwrap()).await.unwrap(), b"two");
}

/// the ledger is listed once, in pages of any length.
#[tokio::test(start_paused = true)]
async fn every_entry_is_listed_once_whatever_the_length_of_a_page() {
    let rich = Rich::new().await;
    for minute in 1..=25 {
        let (key, now) = (rich.key(minute), later(minute));
        spend(&rich.store, &rich.programme, &rich.who, &key, minute, now).await.unwrap();
    }
    for limit in [1, 5, 6, 7, 26, 40] {
        let (mut listed, mut below) = (Vec::new(), None);
        loop {
            let page = rich.store.transactions(&rich.who, below, limit).await.unwrap();
            below = page.last().map(|entry| entry.sequence);
            let ended = page.len() < limit;
            listed.extend(page.iter().map(|entry| entry.sequence));
            if ended {
                break;
            }
        }
        assert_eq!(listed, (1..=26).rev().collect::<Vec<u64>>(), "pages of {limit}");
    }
    let nobody = rich.store.transactions(&person("c-9"), None, 5).await;
    assert!(matches!(nobody, Err(Error::NotFound(Noun::Participant))));
    assert_eq!(Amount(rich.points()), Amount(10_000 - 325));
}
