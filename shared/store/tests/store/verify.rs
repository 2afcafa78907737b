//! Verification: nothing is found wherever the store alone has written, and whatever else writes is
//! found and named.

use std::collections::BTreeMap;

use domain::amount::Amount;
use domain::award::Mode;
use domain::coupon::{Codes, Cost, Coupon};
use domain::event::{EventState, Judge};
use domain::id::ParticipantId;
use domain::ledger::{Act, Effect, Entry, EntryKey};
use domain::pass::{Pass, PassId, Redemption};
use domain::programme::Programme;
use domain::time::Instant;
use domain::verify::Disagreement;
use serde_json::{Value, json};
use store::{
    Judging, SharedMark, Store, Verification, VerificationProgress, VerificationShard,
    VerifiedWallet,
};

use crate::cast::{
    cancelling, event_id, later, noon, open, payload, person, points, post, programme, purchase,
    run_id, seed, spend, tenfold, tenth_off, timed_key,
};
use crate::coupons::{Till, codes, coupon, upload};
use crate::fault::Weather;
use crate::history::Place;
use crate::laws::{bytes, event, state};
use crate::operation::{Cast, Operation};
use crate::record::{
    Page, State, StoredEvent, decode_page, decode_participant, decode_pass, encode_event,
    encode_page, encode_participant, encode_pass, encode_state,
};
use crate::wire::Wire;

type Items = BTreeMap<Place, Value>;

/// The shard that was given up before anything is asked.
const GIVEN_UP: u8 = 5;

fn people(wire: &Wire) -> Vec<ParticipantId> {
    let items = wire.items();
    let own = items.keys().filter(|(_, sk)| sk == "S");
    own.map(|(pk, _)| person(pk.strip_prefix("P#").unwrap())).collect()
}

async fn verified(store: &Store, who: &ParticipantId) -> VerifiedWallet {
    store.verify_wallet(who).await.unwrap()
}

/// All wallets and quotas of a table as they are verified long after; findings as
/// `kind participant entry of what`.
async fn findings(wire: &Wire) -> Vec<String> {
    let store = open(wire, true);
    let now = Instant(later(0).0 + 90 * 86_400_000);
    let shared = store.shared_marks().await.unwrap();
    let begun = begun(now, shared);
    let mut progress = VerificationShard::default();
    for who in people(wire) {
        progress.add(&verified(&store, &who).await);
    }
    let shards = vec![(0, progress.clone())];
    let known = VerificationProgress { verification: begun, version: 1, shards };
    let (begun, taken) = (&known.verification, known.shared());
    let end = store.compare_shared(begun, taken, now).await.unwrap();
    assert_eq!((end.quotas_moved.count, end.stocks_moved.count), (0, 0));
    assert_eq!(progress.counts.findings, u64::try_from(progress.findings.len()).unwrap());
    let found = progress.findings.into_iter().chain(end.findings);
    let told = found.map(|found| {
        let pass = found.pass.map(|(plan, serial)| format!("{plan}.{serial}"));
        let entry = found.entry.map(|entry| entry.to_string());
        let of = [found.participant, entry, found.event, pass, found.offer, found.coupon];
        let of: Vec<String> = of.into_iter().flatten().collect();
        format!("{} {}", found.kind, of.join(" "))
    });
    told.collect()
}

fn begun(as_of: Instant, shared: Vec<SharedMark>) -> Verification {
    let payload = payload(1).0;
    Verification { payload, as_of: as_of.0, participant: None, shared, ended: None }
}

/// A verification under way, of which a shard was given up.
pub async fn prepare(store: &Store) -> store::Result<()> {
    let id = &run_id("verification-1");
    store.start_verification(id, &begun(noon(), Vec::new())).await?;
    store.give_up_verification_shard(id, GIVEN_UP, Some(noon())).await
}

pub async fn start(store: &Store) -> store::Result<String> {
    let planned = begun(noon(), store.shared_marks().await?);
    let begun = store.start_verification(&run_id("verification-2"), &planned).await?.0;
    Ok(format!("{begun:?} {:?}", store.open_verifications(None, 9).await?))
}

pub async fn save_shard(store: &Store) -> store::Result<String> {
    let after = Some("c-9".to_owned());
    let progress = VerificationShard { after, ..VerificationShard::default() };
    let id = &run_id("verification-1");
    Ok(store.save_verification_shard(id, 3, &progress, 0).await?.to_string())
}

/// Gives one shard up, and asks for another again.
pub async fn give_up(store: &Store) -> store::Result<String> {
    let id = &run_id("verification-1");
    store.give_up_verification_shard(id, 4, Some(noon())).await?;
    store.give_up_verification_shard(id, GIVEN_UP, None).await?;
    Ok(format!("{:?}", store.verification_progress(id).await?.shards))
}

/// Holds quotas against nothing, and ends.
pub async fn end(store: &Store) -> store::Result<String> {
    let id = &run_id("verification-1");
    let known = store.verification(id).await?;
    let end = store.compare_shared(&known, BTreeMap::new(), later(90)).await?;
    let ended = Verification { ended: Some(end), ..begun(noon(), Vec::new()) };
    store.end_verification(id, &ended, 1).await?;
    assert_eq!(store.open_verifications(None, 9).await?, []);
    Ok(format!("{:?}", store.verification(id).await?))
}

pub async fn look(store: &Store, who: &ParticipantId) -> store::Result<String> {
    Ok(format!("{:?}", store.verify_wallet(who).await?))
}

/// Nothing is found, on this table.
pub async fn agrees(wire: &Wire, after: &str) {
    assert_eq!(findings(wire).await, Vec::<String>::new(), "after {after}");
}

/// after each operation, all wallets, events, passes, aliases and quotas agree.
#[tokio::test(start_paused = true)]
async fn r102_nothing_is_found_after_any_operation() {
    let cast = Cast::new();
    let prepared = Wire::new(0);
    cast.prepare(&open(&prepared, false)).await.unwrap();
    agrees(&prepared, "preparation").await;
    for &operation in Operation::ALL {
        let wire = Wire::new(0);
        wire.load(&prepared.items());
        cast.ask(&open(&wire, false), operation).await.unwrap();
        agrees(&wire, &format!("{operation:?}")).await;
    }
}

/// A participant with pages, spends, cancels, a quota, passes and an alias.
struct World {
    wire: Wire,
    who: ParticipantId,
}

const TENTH: i64 = 500_00;

async fn buy(store: &Store, programme: &Programme, who: &ParticipantId, reference: &str) {
    let event = purchase(who, reference, 30_00, noon());
    post(store, programme, &event, noon(), true).await.unwrap();
}

async fn world() -> World {
    let (wire, cast) = (Wire::new(0), Cast::new());
    let store = open(&wire, false);
    cast.prepare(&store).await.unwrap();
    for operation in [Operation::Redeem, Operation::TakeAlias, Operation::CancelSpendOnPurchase] {
        cast.ask(&store, operation).await.unwrap();
    }
    let programme = programme(vec![tenfold(), tenth_off(TENTH)]);
    let who = person("c-1");
    for number in 0..14 {
        buy(&store, &programme, &who, &format!("t-{number}")).await;
    }
    let event = event_id("t-3");
    store.cancel_event(&cancelling(&programme, noon(), &event, 1)).await.unwrap();
    spend(&store, &programme, &who, &timed_key(noon(), 77), 5, noon()).await.unwrap();
    World { wire, who }
}

impl World {
    fn of(&self, sk: &str) -> Place {
        (format!("P#{}", self.who), sk.to_owned())
    }

    /// Puts another state in the place of the participant's.
    fn with_state(&self, edit: impl FnOnce(&mut State)) {
        let mut items = self.wire.items();
        let item = items.get_mut(&self.of("S")).unwrap();
        let mut state = state(item);
        edit(&mut state);
        write(item, encode_state(&state).unwrap());
        item["q"]["N"] = json!(state.wallet.length.to_string());
        self.put(&items, &self.of("S"));
    }

    fn with_page(&self, first: u64, edit: impl FnOnce(&mut Page)) {
        let place = self.of(&format!("L#{first:012}"));
        let mut items = self.wire.items();
        let item = items.get_mut(&place).unwrap();
        let mut page = decode_page(&bytes(item, "d")).unwrap();
        edit(&mut page);
        write(item, encode_page(&page).unwrap());
        self.put(&items, &place);
    }

    fn with_event(&self, reference: &str, edit: impl FnOnce(&mut StoredEvent)) {
        let place = (format!("E#till:{reference}"), "E".to_owned());
        let mut items = self.wire.items();
        let item = items.get_mut(&place).unwrap();
        let mut stored = event(item);
        edit(&mut stored);
        write(item, encode_event(&stored).unwrap());
        self.put(&items, &place);
    }

    fn with_pass(&self, edit: impl FnOnce(&mut Pass)) -> String {
        let (mut items, id) = (self.wire.items(), self.redeemed());
        let place = (format!("X#{}#{}", id.plan, id.serial), "X".to_owned());
        let item = items.get_mut(&place).unwrap();
        let mut pass = decode_pass(&bytes(item, "d"), id.clone()).unwrap();
        edit(&mut pass);
        write(item, encode_pass(&pass).unwrap());
        self.put(&items, &place);
        format!("{}.{}", id.plan, id.serial)
    }

    /// The pass that the participant redeemed.
    fn redeemed(&self) -> PassId {
        let mut keys = self.entries().into_iter().map(|entry| entry.key);
        let found = keys.find_map(|key| {
            let EntryKey::Redeem { plan, serial, .. } = key else { return None };
            Some(PassId { plan, serial })
        });
        found.unwrap()
    }

    fn entries(&self) -> Vec<Entry> {
        crate::laws::walk(&self.wire, &self.who).entries
    }

    /// Sequence of the judgement of an event.
    fn judged(&self, reference: &str) -> u64 {
        let id = event_id(reference);
        let items = self.wire.items();
        let stored = event(&items[&(format!("E#{id}"), "E".to_owned())]);
        stored.recorded.judgements[0].sequence
    }

    fn put(&self, items: &Items, place: &Place) {
        let one = [(place.clone(), items[place].clone())].into();
        self.wire.load(&one);
    }

    /// Hides an item, under a key that nothing reads.
    fn remove(&self, place: &Place) {
        self.wire.remove(place);
    }
}

fn write(item: &mut Value, bytes: Vec<u8>) {
    item["d"]["B"] = json!(aws_smithy_types::base64::encode(bytes));
}

/// the state is what its entries come to; each part of it is looked at.
#[tokio::test(start_paused = true)]
async fn r102_a_state_that_its_entries_do_not_come_to_is_found() {
    let world = world().await;
    let whole = world.wire.items();
    agrees(&world.wire, "the world").await;
    let edits: [fn(&mut State); 7] = [
        |state| state.wallet.lots[0].amount.0 += 100,
        |state| state.wallet.debts.push((points(), Amount(5))),
        |state| drop(state.wallet.holds.pop()),
        |state| state.wallet.blocked = true,
        |state| state.wallet.activity[0].purchases += 1,
        |state| state.wallet.last_event = None,
        |state| {
            // An award in the journal; the state follows from what was there.
            let awards = state.journal.iter_mut().flat_map(|entry| &mut entry.effects);
            let amount = awards.filter_map(|effect| {
                let Effect::Take { amount, .. } = effect else { return None };
                Some(amount)
            });
            amount.last().unwrap().0 += 1;
        },
    ];
    for (number, edit) in edits.into_iter().enumerate() {
        world.with_state(edit);
        let found = findings(&world.wire).await;
        assert!(found.contains(&"state_differs c-1".to_owned()), "{number}: {found:?}");
        world.wire.load(&whole);
    }
    // A journal that misses an entry, and a state that counts one more.
    world.with_state(|state| drop(state.journal.remove(1)));
    let found = findings(&world.wire).await;
    assert!(found[0].starts_with("entries_missing c-1"), "{found:?}");
    assert_eq!(found[1..], ["quota_differs tenth-off"], "of a hole nothing more is told");
    world.wire.load(&whole);
    world.with_state(|state| state.wallet.length += 1);
    assert!(findings(&world.wire).await[0].starts_with("entries_missing c-1"));
    world.wire.load(&whole);
    let mut items = whole.clone();
    items.get_mut(&world.of("S")).unwrap()["d"]["B"] = json!("AAAA");
    world.put(&items, &world.of("S"));
    assert_eq!(findings(&world.wire).await, ["unreadable c-1", "quota_differs tenth-off"]);
}

/// pages are a chain without a hole, and what is in them stays as it was.
#[tokio::test(start_paused = true)]
async fn r102_a_page_that_was_altered_or_is_gone_is_found() {
    let world = world().await;
    let whole = world.wire.items();
    let pages: Vec<Place> = whole
        .keys()
        .filter(|(pk, sk)| *pk == world.of("").0 && sk.starts_with("L#"))
        .cloned()
        .collect();
    assert!(pages.len() >= 3, "{pages:?}");
    world.with_page(7, |page| page.entries[2].after.clear());
    assert_eq!(findings(&world.wire).await, ["page_hash c-1 13"], "what it says of balances");
    world.wire.load(&whole);
    world.with_page(7, |page| page.entries[1].payload = payload(99));
    assert_eq!(findings(&world.wire).await, ["page_hash c-1 13"], "what was asked");
    world.wire.load(&whole);
    world.with_page(7, |page| {
        let effects = page.entries.iter_mut().flat_map(|entry| &mut entry.effects);
        let lots = effects.filter_map(|effect| {
            let Effect::Award { amount, .. } = effect else { return None };
            Some(amount)
        });
        lots.for_each(|amount| amount.0 += 1);
    });
    let found = findings(&world.wire).await;
    for wanted in ["page_hash c-1 13", "state_differs c-1"] {
        assert!(found.contains(&wanted.to_owned()), "{found:?}");
    }
    assert!(found.iter().any(|found| found.starts_with("event_differs c-1")), "{found:?}");
    world.wire.load(&whole);
    // The newest page is known to the state alone.
    let (last, first) =
        (pages.last().unwrap(), |place: &Place| place.1[2..].parse::<u64>().unwrap());
    world.with_page(first(last), |page| page.entries[0].after.clear());
    let below = first(last) + 6;
    assert_eq!(findings(&world.wire).await, [format!("page_hash c-1 {below}")]);
    world.wire.load(&whole);
    world.remove(&pages[1]);
    let found = findings(&world.wire).await;
    assert_eq!(found[..2], ["page_hash c-1 13", "entries_missing c-1 7"], "{found:?}");
    world.wire.load(&whole);
    let mut items = whole.clone();
    items.get_mut(&pages[1]).unwrap()["d"]["B"] = json!("AAAA");
    world.put(&items, &pages[1]);
    let found = findings(&world.wire).await;
    assert_eq!(found[0], "unreadable c-1 7", "{found:?}");
    world.wire.load(&whole);
    // One that stands where no page can.
    let odd = world.of("L#000000000007x");
    let mut page = whole[&pages[1]].clone();
    page["sk"]["S"] = json!(odd.1);
    world.put(&[(odd.clone(), page)].into(), &odd);
    assert_eq!(findings(&world.wire).await[0], "unreadable c-1");
}

/// a state that was set back to where its newest page begins, and one that is gone.
#[tokio::test(start_paused = true)]
async fn r102_a_state_that_was_set_back_or_is_gone_is_found() {
    let world = world().await;
    let whole = world.wire.items();
    for length in [0, 13] {
        world.with_state(|state| {
            state.journal.clear();
            state.wallet.length = length;
        });
        let found = findings(&world.wire).await;
        assert!(found.iter().any(|found| found.contains(" c-1")), "{length}: {found:?}");
        world.wire.load(&whole);
    }
    world.remove(&world.of("S"));
    let found = verified(&open(&world.wire, true), &world.who).await.findings;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].kind, Disagreement::EntriesMissing);
}

/// a shard has room for what its ledgers took of very many quotas.
#[tokio::test(start_paused = true)]
async fn r102_a_shard_has_room_for_very_many_quotas() {
    let wire = Wire::new(0);
    let (store, id) = (open(&wire, true), run_id("verification-4"));
    store.start_verification(&id, &begun(noon(), Vec::new())).await.unwrap();
    let counts = |count: i64| [("places".to_owned(), count), ("budget".to_owned(), 9)].into();
    let many =
        (1..=20_000).map(|offer| (format!("Q#an-offer-like-any-other-{offer}"), counts(offer)));
    let mut progress = VerificationShard { shared: many.collect(), ..VerificationShard::default() };
    for version in 0..2 {
        assert!(store.save_verification_shard(&id, 2, &progress, version).await.unwrap());
        let (read, stored) = store.verification_shard(&id, 2).await.unwrap();
        assert!((&read.shared, stored) == (&progress.shared, version + 1));
        progress = read;
        progress.shared.insert(format!("Q#another-{version}"), counts(1));
    }
    progress.shared.remove("Q#another-1");
    assert!(!store.save_verification_shard(&id, 2, &progress, 0).await.unwrap());
    let known = store.verification_progress(&id).await.unwrap();
    assert!(known.shared() == progress.shared);
}

/// of one that was not ended after its last shard was done, as nobody could, it is told that
/// it failed; not of one whose last shard is ended later.
#[tokio::test(start_paused = true)]
async fn r102_ending_a_verification_can_be_given_up() {
    let wire = Wire::new(0);
    let (store, id) = (open(&wire, true), run_id("verification-3"));
    store.start_verification(&id, &begun(noon(), Vec::new())).await.unwrap();
    let failed = async || store.verification_progress(&id).await.unwrap().has_failed();
    for shard in 0..store::SHARDS {
        assert!(!failed().await, "{shard}");
        store.give_up_verification_shard(&id, 0, Some(later(1))).await.unwrap();
        assert!(!failed().await, "{shard}");
        let (progress, version) = store.verification_shard(&id, shard).await.unwrap();
        let ended_at = Some(later(2).0);
        let progress = VerificationShard { ended_at, ..progress };
        assert!(store.save_verification_shard(&id, shard, &progress, version).await.unwrap());
    }
    assert!(!failed().await, "somebody ends it");
    store.give_up_verification_shard(&id, 7, Some(later(3))).await.unwrap();
    assert!(failed().await);
    store.give_up_verification_shard(&id, 7, None).await.unwrap();
    assert!(!failed().await, "it is asked for again");
}

/// what an event says of entries, and entries of an event, is the same.
#[tokio::test(start_paused = true)]
async fn r102_an_event_that_tells_something_else_than_its_entries_is_found() {
    let world = world().await;
    let whole = world.wire.items();
    let at = world.judged("t-5");
    type Edit = fn(&mut StoredEvent);
    let edits: [(&str, Edit); 7] = [
        ("event_differs", |event| event.recorded.judgements[0].awards[0].amount.0 += 1),
        ("event_differs", |event| event.recorded.judgements[0].discounts[0].amount.0 += 1),
        ("event_differs", |event| drop(event.recorded.judgements[0].awards.pop())),
        ("not_in_event", |event| event.recorded.judgements.clear()),
        ("not_in_event", |event| event.recorded.judgements[0].sequence += 1_000),
        ("cancel_differs", |event| event.recorded.state = EventState::Cancelled),
        ("event_of_another", |event| event.recorded.event.participant = person("c-4")),
    ];
    for (kind, edit) in edits {
        world.with_event("t-5", edit);
        assert_eq!(findings(&world.wire).await, [format!("{kind} c-1 {at} till:t-5")]);
        world.wire.load(&whole);
    }
    world.remove(&("E#till:t-5".to_owned(), "E".to_owned()));
    assert_eq!(findings(&world.wire).await, [format!("event_missing c-1 {at} till:t-5")]);
    world.wire.load(&whole);
    // A judgement that is an entry of something else.
    world.with_event("t-5", |event| {
        let mut other = event.recorded.judgements[0].clone();
        other.sequence += 1;
        event.recorded.judgements.push(other);
    });
    let next = at + 1;
    assert_eq!(findings(&world.wire).await, [format!("not_in_ledger c-1 {next} till:t-5")]);
    world.wire.load(&whole);
    // The cancelled one as if it were not, and a spend as if it were.
    world.with_event("t-3", |event| event.recorded.state = EventState::Posted);
    assert!(findings(&world.wire).await[0].starts_with("event_differs c-1"));
    world.wire.load(&whole);
    let spent = |cancelled: bool, amount: i64| {
        move |event: &mut StoredEvent| {
            event.recorded.spends[0].cancelled = cancelled;
            event.recorded.spends[0].made.spent.0 += amount;
        }
    };
    world.with_event("e-1", spent(false, 0));
    assert_eq!(findings(&world.wire).await.len(), 1);
    assert!(findings(&world.wire).await[0].starts_with("cancel_differs c-1 5 till:e-1"));
    world.wire.load(&whole);
    world.with_event("e-1", spent(true, 1));
    assert_eq!(findings(&world.wire).await, ["event_differs c-1 5 till:e-1"]);
}

/// passes, aliases and quotas.
#[tokio::test(start_paused = true)]
async fn r102_a_pass_an_alias_or_a_quota_that_was_altered_is_found() {
    let world = world().await;
    let whole = world.wire.items();
    let redeemed = |entry: &&Entry| entry.act == Act::Redeemed;
    let at = world.entries().iter().find(redeemed).unwrap().sequence;
    type Edit = fn(&mut Pass);
    let edits: [(&str, Edit); 5] = [
        ("not_in_pass", |pass| pass.redemptions.clear()),
        ("pass_differs", |pass| pass.redemptions[0].amount.0 += 1),
        ("pass_differs", |pass| pass.redemptions[0].expires = None),
        ("cancel_differs", |pass| pass.redemptions[0].cancelled = true),
        ("not_in_pass", |pass| pass.redemptions[0].participant = person("c-4")),
    ];
    for (kind, edit) in edits {
        let pass = world.with_pass(edit);
        assert_eq!(findings(&world.wire).await, [format!("{kind} c-1 {at} {pass}")]);
        world.wire.load(&whole);
    }
    let pass = world.with_pass(|pass| {
        let again = pass.redemptions[0].clone();
        pass.redemptions.push(Redemption { sequence: again.sequence + 1, ..again });
    });
    let next = at + 1;
    assert_eq!(findings(&world.wire).await, [format!("not_in_ledger c-1 {next} {pass}")]);
    world.wire.load(&whole);

    // A profile that lists an alias twice.
    let mut items = whole.clone();
    let profile = items.get_mut(&world.of("A")).unwrap();
    let mut master = decode_participant(&bytes(profile, "d")).unwrap();
    master.aliases.extend_from_within(..);
    assert!(master.aliases.len() >= 2);
    write(profile, encode_participant(&master).unwrap());
    world.put(&items, &world.of("A"));
    assert_eq!(findings(&world.wire).await, Vec::<String>::new());
    world.wire.load(&whole);

    let guards = whole.keys().filter(|(pk, _)| pk.starts_with("U#alias#"));
    let guard = guards.clone().find(|place| whole[*place]["p"]["S"] == "c-1").unwrap();
    let mut items = whole.clone();
    items.get_mut(guard).unwrap()["p"]["S"] = json!("c-4");
    world.put(&items, guard);
    assert_eq!(findings(&world.wire).await, ["alias_of_another c-1"]);
    world.remove(guard);
    assert_eq!(findings(&world.wire).await, ["alias_missing c-1"]);
    world.wire.load(&whole);

    let quota = ("Q#tenth-off".to_owned(), "Q".to_owned());
    // What cannot be read does not stop the others from being held against the ledgers.
    for name in ["v", "t"] {
        let mut items = whole.clone();
        items.get_mut(&quota).unwrap().as_object_mut().unwrap().remove(name);
        world.put(&items, &quota);
        assert_eq!(findings(&world.wire).await, ["unreadable tenth-off"]);
    }
    for name in ["places", "budget"] {
        let mut items = whole.clone();
        items.get_mut(&quota).unwrap()[name]["N"] = json!("77");
        world.put(&items, &quota);
        assert_eq!(findings(&world.wire).await, ["quota_differs tenth-off"]);
    }
    world.remove(&quota);
    assert_eq!(findings(&world.wire).await, ["quota_differs tenth-off"]);
}

/// a coupon that was taken, one that was cancelled and codes that were uploaded agree;
/// without its stock, a coupon does not.
#[tokio::test(start_paused = true)]
async fn r102_a_stock_that_was_altered_is_found() {
    let world = world().await;
    let (programme, who) = (programme(vec![]), person("c-1"));
    let store = &open(&world.wire, true);
    let till = Till { store, programme: &programme, who: &who, now: later(2) };
    let cost = Cost::Fixed(Amount(1));
    let pool = Coupon { cost, ..coupon("pool", Codes::Uploaded, None) };
    upload(store, &pool, "first", &codes(0, 3)).await.unwrap();
    let first = till.take(&pool, &timed_key(noon(), 91)).await.unwrap().value;
    till.take(&pool, &timed_key(noon(), 92)).await.unwrap();
    till.cancel(first.sequence).await.unwrap();
    assert_eq!(findings(&world.wire).await, Vec::<String>::new());
    let (whole, stock) = (world.wire.items(), ("C#pool".to_owned(), "STOCK".to_owned()));
    world.remove(&stock);
    assert_eq!(findings(&world.wire).await, ["stock_differs pool"]);
    let mut items = whole.clone();
    let other = coupon("other", Codes::Uploaded, None);
    upload(store, &other, "second", &codes(0, 1)).await.unwrap();
    let untaken = world.wire.items()[&("C#other".to_owned(), "STOCK".to_owned())]["d"].clone();
    items.get_mut(&stock).unwrap()["d"] = untaken;
    world.put(&items, &stock);
    assert_eq!(findings(&world.wire).await, ["stock_differs pool"]);
    items.get_mut(&stock).unwrap()["d"]["B"] = json!("AAAA");
    world.put(&items, &stock);
    assert_eq!(findings(&world.wire).await, ["unreadable pool"]);
}

/// a quota that somebody took of meanwhile, or just before, cannot be compared, and is not
/// said to be wrong.
#[tokio::test(start_paused = true)]
async fn r102_a_quota_that_moves_is_told_and_not_found() {
    let wire = Wire::new(0);
    let (store, programme) = (open(&wire, false), programme(vec![tenth_off(TENTH)]));
    buy(&store, &programme, &person("c-1"), "e-1").await;
    let end = async |as_of: Instant, late: bool| {
        let shared = store.shared_marks().await.unwrap();
        assert_eq!(shared.len(), 1);
        if late {
            buy(&store, &programme, &person("c-2"), "e-2").await;
        }
        let begun = begun(as_of, shared);
        let mut shard = VerificationShard::default();
        shard.add(&verified(&store, &person("c-1")).await);
        let taken = if late { shard.shared } else { BTreeMap::new() };
        store.compare_shared(&begun, taken, noon()).await.unwrap()
    };
    let (just, long) = (end(later(1), false).await, end(later(60), false).await);
    assert_eq!(
        (just.quotas, just.quotas_moved.names, just.findings.len()),
        (0, vec!["tenth-off".into()], 0)
    );
    assert_eq!((long.quotas, long.quotas_moved.count, long.findings.len()), (1, 0, 1));
    let late = end(later(60), true).await;
    assert_eq!((late.quotas, late.quotas_moved.count, late.findings.len()), (0, 1, 0));
}

/// nothing is found, however often others write between the reads.
#[tokio::test(start_paused = true)]
async fn r102_nothing_is_found_while_the_wallet_changes() {
    let wire = Wire::new(seed("verify"));
    wire.weather(Weather { faults: 0, stale: 0, delay: 3 });
    let (store, programme) = (open(&wire, true), programme(vec![tenfold(), tenth_off(TENTH)]));
    let who = person("c-1");
    buy(&store, &programme, &who, "e-0").await;
    let busy = async {
        for number in 1..60 {
            let reference = format!("e-{number}");
            let event = purchase(&who, &reference, 30_00, noon());
            post(&store, &programme, &event, noon(), number % 3 > 0).await.unwrap();
            let event = event_id(&reference);
            let (by, mode) = (Judge::Run(run_id("run")), Mode::Run);
            let (programme, now, events) = (&programme, noon(), std::slice::from_ref(&event));
            let order = Judging { programme, now, participant: &who, events, mode, by };
            store.judge(&order).await.unwrap();
            let key = timed_key(noon(), number);
            spend(&store, programme, &who, &key, 5, noon()).await.unwrap();
            store.cancel_event(&cancelling(programme, noon(), &event, 1)).await.unwrap();
        }
    };
    let looking = async {
        let mut looks = 0;
        for _ in 0..200 {
            let found = verified(&store, &who).await.findings;
            assert_eq!(found, []);
            looks += 1;
        }
        looks
    };
    let ((), looks) = tokio::join!(busy, looking);
    assert_eq!(looks, 200);
}
