//! What must hold of every wallet, whatever happened on the way: the invariants of the ledger.

use std::collections::{BTreeMap, HashSet};

use domain::event::{Detail, Due, EventState, EventType, RecordedEvent, Statement};
use domain::id::ParticipantId;
use domain::ledger::{Act, Effect, Entry, EntryKey};
use domain::time::Instant;
use domain::wallet::Wallet;
use serde_json::Value;

use crate::record::{Page, State, StoredEvent, decode_event, decode_page, decode_state, page_hash};
use crate::wire::Wire;

/// A wallet with its whole ledger.
pub struct Walked {
    pub wallet: Wallet,
    pub entries: Vec<Entry>,
    pub pages: Vec<Page>,
    pub journal: usize,
}

impl Walked {
    /// Entries under a key.
    pub fn under(&self, key: &EntryKey) -> Vec<&Entry> {
        self.entries.iter().filter(|entry| entry.key == *key).collect()
    }
}

pub fn number(item: &Value, name: &str) -> u64 {
    item[name]["N"].as_str().unwrap().parse().unwrap()
}

/// The bytes of a binary attribute.
pub fn bytes(item: &Value, name: &str) -> Vec<u8> {
    let text = item[name]["B"].as_str().unwrap();
    aws_smithy_types::base64::decode(text).unwrap()
}

/// Reads a state item.
pub fn state(item: &Value) -> State {
    let time = i64::try_from(number(item, "t")).unwrap();
    decode_state(&bytes(item, "d"), number(item, "q"), Instant(time)).unwrap()
}

/// Reads an event item.
pub fn event(item: &Value) -> StoredEvent {
    decode_event(&bytes(item, "d"), number(item, "v")).unwrap()
}

/// Reads a participant's whole ledger, and holds it against every law.
pub fn walk(wire: &Wire, who: &ParticipantId) -> Walked {
    let items = wire.items();
    let pk = format!("P#{who}");
    let item = &items[&(pk.clone(), "S".to_owned())];
    let State { wallet, journal, page } = state(item);
    let first = journal.first().map_or(wallet.length + 1, |entry| entry.sequence);
    let (mut entries, mut before, mut newest) = (Vec::new(), [0; 16], [0; 16]);
    let mut pages = Vec::new();
    for ((_, sk), item) in items.iter().filter(|((of, sk), _)| *of == pk && sk.starts_with("L#")) {
        let encoded = bytes(item, "d");
        let page = decode_page(&encoded).unwrap();
        assert_eq!(*sk, format!("L#{:012}", page.first()), "a page is where it begins");
        assert_eq!(page.before, before, "{sk} carries the hash of the page before");
        before = page_hash(&encoded);
        if page.first() >= first {
            // Put by a commit that lost its race: it may only repeat the journal.
            let at = usize::try_from(page.first() - first).unwrap();
            assert!(journal[at..].starts_with(&page.entries), "{sk} repeats the journal");
            continue;
        }
        newest = before;
        entries.extend(page.entries.clone());
        pages.push(page);
    }
    assert_eq!(page, newest, "the state carries the hash of its newest page");
    entries.extend(journal.iter().cloned());
    let walked = Walked { wallet, entries, pages, journal: journal.len() };
    check_ledger(&walked);
    check_events(&items, who, &walked);
    walked
}

fn check_ledger(walked: &Walked) {
    let Walked { wallet, entries, .. } = walked;
    let sequences: Vec<u64> = entries.iter().map(|entry| entry.sequence).collect();
    let whole: Vec<u64> = (1..=wallet.length).collect();
    assert_eq!(sequences, whole, "entries 1 to q without a hole");
    assert!(entries.is_sorted_by_key(|entry| entry.at), "time never goes back");
    let keys: HashSet<&EntryKey> = entries.iter().map(|entry| &entry.key).collect();
    assert_eq!(keys.len(), entries.len(), "every key once");
    assert_eq!(Wallet::replay(entries), *wallet, "replaying the ledger gives the wallet");
    assert!(wallet.lots.iter().all(|lot| lot.amount.0 > 0), "no lot is overdrawn");
    let mut held: BTreeMap<u64, i64> = BTreeMap::new();
    for effect in entries.iter().flat_map(|entry| &entry.effects) {
        if let Effect::Hold { hold, amount, .. } = effect {
            *held.entry(*hold).or_default() += amount.0;
        }
        if let Effect::TakeHeld { hold, amount, .. } | Effect::Release { hold, amount, .. } = effect
        {
            *held.get_mut(hold).expect("R-78: what ends was held") -= amount.0;
        }
    }
    held.retain(|_, amount| *amount != 0);
    let open = wallet.holds.iter().map(|hold| (hold.sequence, hold.amount().0));
    assert_eq!(held, open.collect(), "R-78: holds are what was set aside and is not ended");
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for (balance, amount) in entries.iter().flat_map(|e| &e.effects).filter_map(Effect::change) {
        *sums.entry(balance.as_str()).or_default() += amount.0;
    }
    for lot in &wallet.lots {
        *sums.entry(lot.id.balance.as_str()).or_default() -= lot.amount.0;
    }
    for (balance, owed) in &wallet.debts {
        *sums.entry(balance.as_str()).or_default() += owed.0;
    }
    assert!(sums.values().all(|sum| *sum == 0), "entries add up to lots less debt: {sums:?}");
}

type Items = BTreeMap<(String, String), Value>;

/// Events and ledger tell the same story, and the index lists exactly what is due.
fn check_events(items: &Items, who: &ParticipantId, walked: &Walked) {
    let of_who = |stored: &StoredEvent| {
        let event = &stored.recorded.event;
        event.participant == *who || event.referred() == Some(who)
    };
    // A bar stands in the place of an event that was cancelled before it arrived.
    let there = |item: &Value| item["x"].is_null();
    let events = items.iter().filter(|((pk, _), item)| pk.starts_with("E#") && there(item));
    let events = events.map(|(_, item)| (item, event(item))).filter(|(_, stored)| of_who(stored));
    let events: Vec<(&Value, StoredEvent)> = events.collect();
    let entry = |sequence: u64| &walked.entries[usize::try_from(sequence).unwrap() - 1];
    for (item, stored) in &events {
        let recorded = &stored.recorded;
        let id = &recorded.event.id;
        if recorded.event.participant != *who {
            check_referred(recorded, walked);
            continue;
        }
        let listed = !item["ix_pk"].is_null();
        assert_eq!(listed, recorded.due != Due::Nothing, "{id} is listed while it is due");
        for (turn, judgement) in (0..).zip(&recorded.judgements) {
            let key = EntryKey::Event { event: id.clone(), turn };
            assert_eq!(entry(judgement.sequence).key, key);
        }
        for spend in &recorded.spends {
            assert_eq!(entry(spend.sequence).spend(), Some(&spend.made));
        }
        let request = recorded.event.event_type() == EventType::SpendRequest;
        for back in &recorded.returns {
            let entry = entry(back.sequence);
            if request {
                assert_eq!(entry.key, EntryKey::CancelSpend(recorded.spends[0].sequence));
            } else {
                assert!(matches!(&entry.key, EntryKey::CancelEvent { event, .. } if event == id));
            }
            assert!(matches!(entry.act, Act::Reversed(_) | Act::Returned(_)), "{entry:?}");
        }
        if let Detail::FinancialStatement(statement) = &recorded.event.detail {
            check_period(items, stored, statement);
        }
        let paid = recorded.covered().0 + recorded.discounted().0;
        assert!(request || paid <= recorded.left().total().0, "R-73: paid is what is left");
        check_discounts(recorded, walked);
    }
    for entry in &walked.entries {
        if let EntryKey::Unasked { event, .. } = &entry.key {
            let known = events.iter().find(|(_, stored)| stored.recorded.event.id == *event);
            let spends = &known.expect("its purchase is stored").1.recorded.spends;
            assert!(spends.iter().any(|spend| spend.sequence == entry.sequence), "R-49: noted");
        }
        let EntryKey::Event { event, turn } = &entry.key else { continue };
        let known = events.iter().find(|(_, stored)| stored.recorded.event.id == *event);
        let recorded = &known.expect("a judged event is stored").1.recorded;
        let judgement = match recorded.event.participant == *who {
            true => &recorded.judgements[usize::from(*turn)],
            false => recorded.referred.as_ref().expect("R-9: judged for whom it refers"),
        };
        assert_eq!(judgement.sequence, entry.sequence);
    }
}

/// a discount is an effect of the judgement that gave it.
fn check_discounts(recorded: &RecordedEvent, walked: &Walked) {
    for judgement in &recorded.judgements {
        let entry = &walked.entries[usize::try_from(judgement.sequence).unwrap() - 1];
        let effects = entry.effects.iter().filter_map(|effect| {
            let Effect::Discount { offer, amount, .. } = effect else { return None };
            Some((offer, *amount))
        });
        let given = judgement.discounts.iter().map(|discount| (&discount.offer, discount.amount));
        assert!(effects.eq(given), "{}", recorded.event.id);
    }
}

/// what a referral came to for whom it refers, in that one's ledger.
fn check_referred(recorded: &RecordedEvent, walked: &Walked) {
    let id = &recorded.event.id;
    let under = |key: EntryKey| walked.under(&key).first().map(|entry| entry.sequence);
    let judged = under(EntryKey::Event { event: id.clone(), turn: 0 });
    assert_eq!(recorded.referred.as_ref().map(|j| j.sequence), judged, "{id}");
    assert_eq!(recorded.referred.is_some(), !recorded.judgements.is_empty(), "{id}: both or none");
    let cancelled = |entry: &&Entry| {
        let of_event = matches!(&entry.key, EntryKey::CancelEvent { event, .. } if event == id);
        of_event && matches!(entry.act, Act::Reversed(_))
    };
    let cancels = walked.entries.iter().filter(cancelled).count();
    let wanted = recorded.state == EventState::Cancelled && judged.is_some();
    assert_eq!(cancels, usize::from(wanted), "{id}: taken back once, with the referrer's");
}

/// a statement holds its period exactly while it is posted.
fn check_period(items: &Items, stored: &StoredEvent, statement: &Statement) {
    let event = &stored.recorded.event;
    let name = event.classification.as_ref().map(|name| name.as_str()).unwrap_or_default();
    let guard = format!("U#statement#{}#{}#{name}", event.participant, statement.period);
    let holder = items[&(guard, "U".to_owned())]["e"]["S"].as_str();
    let holds = holder == Some(event.id.as_str());
    assert_eq!(holds, stored.recorded.state == EventState::Posted, "{}", event.id);
}
