//! The journal, its pages, and what is found in them.

use domain::amount::Amount;
use domain::id::{Key, ParticipantId};
use domain::ledger::EntryKey;
use domain::programme::Programme;
use store::{Error, Store};

use crate::cast::{
    later, noon, open, person, post, programme, purchase, spend, tenfold, timed_key,
};
use crate::fault::Fault;
use crate::laws::{bytes, walk};
use crate::record::encode_page;
use crate::wire::Wire;

/// Somebody with 10,000 points and a ledger of one entry.
pub struct Rich {
    pub wire: Wire,
    pub programme: Programme,
    pub who: ParticipantId,
    pub store: Store,
}

impl Rich {
    pub async fn new() -> Rich {
        let (wire, programme, who) = (Wire::new(0), programme(vec![tenfold()]), person("c-1"));
        let store = open(&wire, true);
        store.register(&who, None, vec![]).await.unwrap();
        let event = purchase(&who, "e-1", 1_000_00, noon());
        post(&store, &programme, &event, noon(), true).await.unwrap();
        wire.take_calls();
        Rich { wire, programme, who, store }
    }

    /// Spends points at a minute, under a key of that minute.
    pub async fn spend(&self, store: &Store, minute: i64, amount: i64) -> store::Result<u64> {
        let (key, now) = (self.key(minute), later(minute));
        let done = spend(store, &self.programme, &self.who, &key, amount, now).await?;
        Ok(done.value.sequence)
    }

    pub fn key(&self, minute: i64) -> Key {
        timed_key(later(minute), u64::try_from(minute).unwrap())
    }

    pub fn points(&self) -> i64 {
        let wallet = walk(&self.wire, &self.who).wallet;
        wallet.lots.iter().map(|lot| lot.amount.0).sum()
    }
}

/// Rule 6: a lost race goes back to the join, not just to the journal.
#[tokio::test(start_paused = true)]
async fn a_spend_whose_reply_was_lost_is_found_though_rivals_filled_a_page_meanwhile() {
    let rich = Rich::new().await;
    let rivals = open(&rich.wire, true);
    // Query, then the commit: it is carried out, the SDK waits and sends it again.
    rich.wire.fault_at(1, Fault::LostReply);
    let first = rich.spend(&rich.store, 1, 100);
    let meanwhile = async {
        while rich.wire.awaits_fault() {
            tokio::task::yield_now().await;
        }
        for minute in 2..=14 {
            rich.spend(&rivals, minute, 1).await.unwrap();
        }
    };
    let (first, ()) = tokio::join!(first, meanwhile);
    assert_eq!(first.unwrap(), 2);
    assert_eq!(rich.points(), 10_000 - 100 - 13);
    let walked = walk(&rich.wire, &rich.who);
    assert!(walked.journal < 7 && walked.pages.len() == 2, "the first spend lies in a page");
}

/// Rule 3: a key is searched as far back as its own time.
#[tokio::test(start_paused = true)]
async fn a_week_later_every_spend_is_answered_as_it_was() {
    let rich = Rich::new().await;
    let mut answers = Vec::new();
    for minute in 1..=60 {
        answers.push(rich.spend(&rich.store, minute, 10).await.unwrap());
    }
    let items = rich.wire.items();
    for (minute, first) in (1..).zip(answers) {
        let (key, now) = (rich.key(minute), later(7 * 24 * 60));
        let again = spend(&rich.store, &rich.programme, &rich.who, &key, 10, now).await.unwrap();
        assert_eq!((again.value.sequence, again.repeated), (first, true), "minute {minute}");
    }
    assert_eq!(rich.wire.items(), items, "nothing was written");
}

/// Rule 5: a page of a commit that crashed is not put again.
#[tokio::test(start_paused = true)]
async fn a_page_that_a_crashed_commit_left_behind_is_taken_as_it_is() {
    let rich = Rich::new().await;
    let careless = open(&rich.wire, false);
    for minute in 1..=5 {
        rich.spend(&rich.store, minute, 1).await.unwrap();
    }
    rich.wire.take_calls();
    // Query, page, commit: the page is put, the commit never arrives.
    rich.wire.fault_at(2, Fault::Before);
    assert!(matches!(rich.spend(&careless, 6, 1).await, Err(Error::Unavailable(_))));
    assert_eq!(rich.spend(&rich.store, 7, 1).await.unwrap(), 7);
    assert_eq!(rich.spend(&rich.store, 6, 1).await.unwrap(), 8);
    assert_eq!(rich.points(), 10_000 - 7);
}

/// Rule 5: what is stored is never overwritten, nor built upon, where it is not what it should be.
#[tokio::test(start_paused = true)]
async fn a_stored_page_that_differs_stops_everything_and_nothing_is_touched() {
    let rich = Rich::new().await;
    for minute in 1..=5 {
        rich.spend(&rich.store, minute, 1).await.unwrap();
    }
    let mut page = walk(&rich.wire, &rich.who);
    page.entries[3].effects.clear();
    let forged = crate::record::Page { before: [0; 16], entries: page.entries[..6].to_vec() };
    put_page(&rich, 1, &encode_page(&forged).unwrap());
    let items = rich.wire.items();
    let answer = rich.spend(&rich.store, 6, 1).await;
    assert!(matches!(answer, Err(Error::Corrupt(_))), "{answer:?}");
    assert_eq!(rich.wire.items(), items);
}

/// Rule 5: a page whose chain is not that of the ledger is not taken for the ledger's.
#[tokio::test(start_paused = true)]
async fn a_stored_page_of_another_chain_stops_everything() {
    let rich = Rich::new().await;
    for minute in 1..=5 {
        rich.spend(&rich.store, minute, 1).await.unwrap();
    }
    let entries = walk(&rich.wire, &rich.who).entries;
    let forged = crate::record::Page { before: [9; 16], entries };
    put_page(&rich, 1, &encode_page(&forged).unwrap());
    let answer = rich.spend(&rich.store, 6, 1).await;
    assert!(matches!(answer, Err(Error::Corrupt(_))), "{answer:?}");
}

fn put_page(rich: &Rich, first: u64, encoded: &[u8]) {
    let (pk, sk) = (format!("P#{}", rich.who), format!("L#{first:012}"));
    let record = aws_smithy_types::base64::encode(encoded);
    let item = serde_json::json!({ "pk": { "S": pk }, "sk": { "S": sk }, "d": { "B": record } });
    rich.wire.load(&[((pk, sk), item)].into());
}

/// Rule 2: a hole is never walked over.
#[tokio::test(start_paused = true)]
async fn a_ledger_with_a_missing_page_is_not_taken_for_a_short_one() {
    let rich = Rich::new().await;
    for minute in 1..=20 {
        rich.spend(&rich.store, minute, 1).await.unwrap();
    }
    let mut items = rich.wire.items();
    items.retain(|(_, sk), _| sk != "L#000000000007");
    let holed = Wire::new(0);
    holed.load(&items);
    let store = open(&holed, true);
    let answer = rich.spend(&store, 1, 1).await;
    assert!(matches!(answer, Err(Error::Corrupt(_))), "{answer:?}");
    assert_eq!(holed.items(), items);
}

/// Rule 5: an item of a version that this code does not know is refused, not guessed at.
#[tokio::test(start_paused = true)]
async fn a_record_of_an_unknown_version_is_refused_and_nothing_is_touched() {
    let rich = Rich::new().await;
    let (pk, sk) = (format!("P#{}", rich.who), "S".to_owned());
    let mut items = rich.wire.items();
    let item = items.get_mut(&(pk, sk)).unwrap();
    let mut record = bytes(item, "d");
    record[0] += 1;
    item["d"]["B"] = aws_smithy_types::base64::encode(record).into();
    let wire = Wire::new(0);
    wire.load(&items);
    let store = open(&wire, true);
    for answer in [rich.spend(&store, 1, 1).await, store.wallet(&rich.who).await.map(|w| w.length)]
    {
        assert!(matches!(answer, Err(Error::Corrupt(_))), "{answer:?}");
    }
    let event = purchase(&rich.who, "e-2", 1_00, noon());
    assert!(post(&store, &rich.programme, &event, noon(), true).await.is_err());
    assert_eq!(wire.items(), items);
}

/// Rule 5: another version of this code may write pages of another size, before and after.
#[tokio::test(start_paused = true)]
async fn pages_of_another_size_continue_those_that_are_there() {
    for sizes in [[6, 3, 6], [3, 6, 3], [6, 1, 9], [2, 7, 1]] {
        let rich = Rich::new().await;
        let mut minute = 0;
        for size in sizes {
            let store = open(&rich.wire, true).with_page_entries(size);
            for _ in 0..17 {
                minute += 1;
                rich.spend(&store, minute, 1).await.unwrap();
            }
        }
        assert_eq!(rich.points(), 10_000 - 51, "{sizes:?}");
        for known in 1..=51 {
            let now = later(10_000);
            let again =
                spend(&rich.store, &rich.programme, &rich.who, &rich.key(known), 1, now).await;
            assert!(again.unwrap().repeated, "{sizes:?}: minute {known}");
        }
    }
}

/// Rule 5: nor does a page of another size stop it that a commit left behind which crashed.
#[tokio::test(start_paused = true)]
async fn a_page_of_another_size_that_a_crashed_commit_left_behind_is_continued() {
    for (crashing, next) in [(3, 6), (6, 3), (1, 6), (5, 2)] {
        let rich = Rich::new().await;
        let large = open(&rich.wire, true).with_page_entries(100);
        for minute in 1..=6 {
            rich.spend(&large, minute, 1).await.unwrap();
        }
        rich.wire.take_calls();
        // Query, one page, then the next page or the commit, which does not arrive.
        rich.wire.fault_at(2, Fault::Before);
        let careless = open(&rich.wire, false).with_page_entries(crashing);
        assert!(matches!(rich.spend(&careless, 7, 1).await, Err(Error::Unavailable(_))));
        let store = open(&rich.wire, true).with_page_entries(next);
        assert_eq!(rich.spend(&store, 8, 1).await.unwrap(), 8, "{crashing}, then {next}");
        let pages = walk(&rich.wire, &rich.who).pages;
        assert_eq!(pages[0].entries.len(), crashing);
    }
}

/// Rule 5: a rival of another version put a longer page than this commit's journal is.
#[tokio::test(start_paused = true)]
async fn a_longer_page_than_the_journal_that_was_read_is_no_corruption() {
    let rich = Rich::new().await;
    let small = open(&rich.wire, true).with_page_entries(3);
    rich.spend(&rich.store, 1, 1).await.unwrap();
    rich.spend(&rich.store, 2, 1).await.unwrap();
    // A conflict first, so that the second try reads consistently.
    let page = |operation: &str, body: &serde_json::Value| {
        operation == "PutItem" && body["Item"]["sk"]["S"] == "L#000000000001"
    };
    rich.wire.take_calls();
    rich.wire.fault_at(1, Fault::Conflict);
    let (first, gate) = (rich.wire.gate(page), rich.wire.gate(page));
    let slow = rich.spend(&small, 3, 100);
    let rivals = async {
        first.reached().await;
        first.open();
        gate.reached().await;
        for minute in 4..=9 {
            rich.spend(&rich.store, minute, 1).await.unwrap();
        }
        gate.open();
    };
    let (slow, ()) = tokio::join!(slow, rivals);
    assert_eq!(slow.unwrap(), 10);
    assert_eq!(rich.points(), 10_000 - 108);
}

/// Rule 2: entries are found by order, whatever the sizes of the pages below them.
#[tokio::test(start_paused = true)]
async fn every_entry_is_found_by_its_number() {
    let rich = Rich::new().await;
    for minute in 1..=40 {
        let size = [6, 2, 5][usize::try_from(minute).unwrap() / 14];
        let store = open(&rich.wire, true).with_page_entries(size);
        rich.spend(&store, minute, minute).await.unwrap();
    }
    for sequence in 2..=41 {
        let code = domain::id::TransactionCode { participant: rich.who.clone(), sequence };
        let entry = rich.store.transaction(&code).await.unwrap();
        let minute = i64::try_from(sequence).unwrap() - 1;
        assert_eq!(entry.key, EntryKey::Spend(rich.key(minute)));
        assert_eq!(entry.spend().unwrap().spent, Amount(minute));
    }
    let newest = rich.store.transactions(&rich.who, Some(30), 11).await.unwrap();
    let numbers: Vec<u64> = newest.iter().map(|entry| entry.sequence).collect();
    assert_eq!(numbers, (19..30).rev().collect::<Vec<u64>>());
}
