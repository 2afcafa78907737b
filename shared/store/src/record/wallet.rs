//! Records of the wallet state and of ledger pages.

use domain::amount::Amount;
use domain::hold::Hold;
use domain::ledger::Entry;
use domain::pass::PassId;
use domain::time::Instant;
use domain::wallet::{Counter, Lot, Wallet, WrittenOff};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::activity::{
    ActivityRecord, WatchedRecord, days_record, months_record, read_days, read_months,
    read_watched, watched_record,
};
use super::effect::{LotRecord, SlotRecord, lot_record, read_lot, read_slot, slot_record};
use super::entry::{EntryRecord, entry_record, read_entry};
use super::names::{FrontCoded, Name, Names, Texts, some};
use super::promotion::{ActivationRecord, activation_record, read_activation};
use super::tally::{
    TallyAwardRecord, TallyRecord, read_tally, read_tally_award, tally_award_record, tally_record,
};
use super::terms::{read_terms, terms_records};
use super::{from_bytes_with, to_bytes_with};
use crate::error::{Error, Result};

/// First bytes of the SHA-256 of a page, which the next page and the state carry.
pub type PageHash = [u8; 16];

/// A wallet with the newest entries of its ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub wallet: Wallet,
    /// The newest entries, without a hole up to the wallet's length.
    pub journal: Vec<Entry>,
    /// Hash of the newest page; zeros while there is none.
    pub page: PageHash,
}

/// Consecutive entries; immutable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Hash of the page before.
    pub before: PageHash,
    /// Never empty.
    pub entries: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct StateRecord {
    names: Vec<FrontCoded>,
    lots: Vec<(LotRecord, i64)>,
    debts: Vec<(Name, i64)>,
    /// Spending is blocked: 1. The participant was erased: 2.
    blocked: u8,
    counters: Vec<(Name, SlotRecord, u32)>,
    tallies: Vec<TallyRecord>,
    tally_awards: Vec<TallyAwardRecord>,
    activity: Vec<ActivityRecord>,
    last_event: Option<i64>,
    journal: Vec<EntryRecord>,
    page: PageHash,
    written_off: Vec<(Name, u64, i64)>,
    holds: Vec<HoldRecord>,
    /// Plan and serial.
    nameless: Option<(Name, u64)>,
    merged_into: Option<Name>,
    activations: Vec<ActivationRecord>,
    watched: Vec<WatchedRecord>,
    days: Vec<(i32, i32)>,
}

/// Sequence, time of lapse, and what is held from which lot.
#[derive(Serialize, Deserialize)]
struct HoldRecord(u64, i64, Vec<(LotRecord, i64)>);

#[derive(Serialize, Deserialize)]
struct PageRecord {
    names: Vec<FrontCoded>,
    before: PageHash,
    first: u64,
    entries: Vec<EntryRecord>,
}

impl Page {
    /// Sequence of the first entry.
    pub fn first(&self) -> u64 {
        self.entries.first().map_or(0, |entry| entry.sequence)
    }

    /// Sequence of the last entry.
    pub fn last(&self) -> u64 {
        self.entries.last().map_or(0, |entry| entry.sequence)
    }

    /// Time of the last entry.
    pub fn ends(&self) -> Instant {
        self.entries.last().map_or(Instant::default(), |entry| entry.at)
    }
}

/// The hash of an encoded page.
pub fn page_hash(encoded: &[u8]) -> PageHash {
    let digest = Sha256::digest(encoded);
    std::array::from_fn(|at| digest[at])
}

/// Encodes the state; length and time stand beside it as plain attributes.
pub fn encode_state(state: &State) -> Result<Vec<u8>> {
    let wallet = &state.wallet;
    let mut names = Names::default();
    let lots = wallet.lots.iter().map(|lot| Ok((lot_record(&mut names, &lot.id)?, lot.amount.0)));
    let lots = lots.collect::<Result<_>>()?;
    let debts = wallet.debts.iter().map(|(code, owed)| Ok((names.add(code.as_str())?, owed.0)));
    let debts = debts.collect::<Result<_>>()?;
    let counters = wallet.counters.iter().map(|counter| {
        let offer = names.add(counter.offer.as_str())?;
        Ok((offer, slot_record(counter.slot), counter.count))
    });
    let counters = counters.collect::<Result<_>>()?;
    let tallies = wallet.tallies.iter().map(|tally| tally_record(&mut names, tally));
    let tallies = tallies.collect::<Result<_>>()?;
    let tally_awards = wallet.tally_awards.iter().map(|one| tally_award_record(&mut names, one));
    let tally_awards = tally_awards.collect::<Result<_>>()?;
    let watched = wallet.watched.iter().map(|one| watched_record(&mut names, one));
    let watched = watched.collect::<Result<_>>()?;
    let journal = state.journal.iter().map(|entry| entry_record(&mut names, entry));
    let journal = journal.collect::<Result<_>>()?;
    let written_off = wallet
        .written_off
        .iter()
        .map(|known| Ok((names.add(known.balance.as_str())?, known.entry, known.amount.0)));
    let written_off = written_off.collect::<Result<_>>()?;
    let holds = wallet.holds.iter().map(|hold| hold_record(&mut names, hold));
    let holds = holds.collect::<Result<_>>()?;
    let nameless = wallet.nameless.as_ref();
    let nameless = nameless.map(|pass| Ok((names.add(pass.plan.as_str())?, pass.serial)));
    let nameless = nameless.transpose()?;
    let activations = wallet.activations.iter().map(|one| activation_record(&mut names, one));
    let activations = activations.collect::<Result<_>>()?;
    let terms = terms_records(&mut names)?;
    let record = StateRecord {
        lots,
        debts,
        blocked: u8::from(wallet.blocked) | (u8::from(wallet.erased) << 1),
        counters,
        tallies,
        tally_awards,
        activity: months_record(&wallet.activity),
        last_event: wallet.last_event.map(|at| at.0),
        journal,
        page: state.page,
        written_off,
        holds,
        nameless,
        merged_into: names.add_some(wallet.merged_into.as_ref().map(|id| id.as_str()))?,
        activations,
        watched,
        days: days_record(&wallet.days),
        names: names.front_coded(),
    };
    to_bytes_with(&record, &terms)
}

fn hold_record(names: &mut Names, hold: &Hold) -> Result<HoldRecord> {
    let takes = hold.takes.iter().map(|(lot, amount)| Ok((lot_record(names, lot)?, amount.0)));
    Ok(HoldRecord(hold.sequence, hold.lapses_at.0, takes.collect::<Result<_>>()?))
}

fn read_hold(texts: &Texts<'_>, record: &HoldRecord) -> Result<Hold> {
    let HoldRecord(sequence, lapses_at, takes) = record;
    let takes = takes.iter().map(|(lot, amount)| Ok((read_lot(texts, lot)?, Amount(*amount))));
    let takes = takes.collect::<Result<_>>()?;
    Ok(Hold { sequence: *sequence, lapses_at: Instant(*lapses_at), takes })
}

/// Decodes a state of this length and time.
pub fn decode_state(bytes: &[u8], length: u64, time: Instant) -> Result<State> {
    let (record, terms) = from_bytes_with::<StateRecord, _>(bytes)?;
    let names = FrontCoded::read(&record.names)?;
    let terms = read_terms(&names, &terms)?;
    let texts = Texts { texts: &names, terms: &terms };
    let lots = record
        .lots
        .iter()
        .map(|(id, amount)| Ok(Lot { id: read_lot(&texts, id)?, amount: Amount(*amount) }));
    let debts = record.debts.iter().map(|(code, owed)| Ok((texts.balance(*code)?, Amount(*owed))));
    let counters = record.counters.iter().map(|(offer, slot, count)| {
        Ok(Counter { offer: texts.offer(*offer)?, slot: read_slot(slot), count: *count })
    });
    let tallies = record.tallies.iter().map(|tally| read_tally(&texts, tally));
    let tally_awards = record.tally_awards.iter().map(|award| read_tally_award(&texts, award));
    let watched = record.watched.iter().map(|one| read_watched(&texts, one));
    let written_off = record.written_off.iter().map(|(code, entry, amount)| {
        let (balance, amount) = (texts.balance(*code)?, Amount(*amount));
        Ok(WrittenOff { balance, entry: *entry, amount })
    });
    let nameless =
        record.nameless.map(|(plan, serial)| Ok(PassId { plan: texts.plan(plan)?, serial }));
    let activations = record.activations.iter().map(|one| read_activation(&texts, one));
    let wallet = Wallet {
        length,
        time,
        lots: lots.collect::<Result<_>>()?,
        debts: debts.collect::<Result<_>>()?,
        written_off: written_off.collect::<Result<_>>()?,
        blocked: record.blocked & 1 != 0,
        erased: record.blocked & 2 != 0,
        counters: counters.collect::<Result<_>>()?,
        tallies: tallies.collect::<Result<_>>()?,
        tally_awards: tally_awards.collect::<Result<_>>()?,
        activity: read_months(&record.activity),
        last_event: record.last_event.map(Instant),
        activations: activations.collect::<Result<_>>()?,
        watched: watched.collect::<Result<_>>()?,
        days: read_days(&record.days),
        holds: record.holds.iter().map(|hold| read_hold(&texts, hold)).collect::<Result<_>>()?,
        nameless: nameless.transpose()?,
        merged_into: some(record.merged_into, |name| texts.participant(name))?,
    };
    let held = u64::try_from(record.journal.len()).map_err(|_| Error::Corrupt("long journal"))?;
    let before =
        length.checked_sub(held).ok_or(Error::Corrupt("journal longer than the ledger"))?;
    let first = before.checked_add(1).ok_or(Error::Corrupt("ledger too long"))?;
    let journal = read_entries(&texts, &record.journal, first)?;
    Ok(State { wallet, journal, page: record.page })
}

/// Encodes a page; the same entries always give the same bytes.
pub fn encode_page(page: &Page) -> Result<Vec<u8>> {
    let mut names = Names::default();
    let entries = page.entries.iter().map(|entry| entry_record(&mut names, entry));
    let entries = entries.collect::<Result<_>>()?;
    let terms = terms_records(&mut names)?;
    let (before, first) = (page.before, page.first());
    to_bytes_with(&PageRecord { names: names.front_coded(), before, first, entries }, &terms)
}

/// Decodes a page.
pub fn decode_page(bytes: &[u8]) -> Result<Page> {
    let (record, terms) = from_bytes_with::<PageRecord, _>(bytes)?;
    let names = FrontCoded::read(&record.names)?;
    let terms = read_terms(&names, &terms)?;
    let texts = Texts { texts: &names, terms: &terms };
    let entries = read_entries(&texts, &record.entries, record.first)?;
    if entries.is_empty() {
        return Err(Error::Corrupt("empty page"));
    }
    Ok(Page { before: record.before, entries })
}

fn read_entries(texts: &Texts<'_>, records: &[EntryRecord], first: u64) -> Result<Vec<Entry>> {
    let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
    // Past the last entry there must be a number for the next one.
    let end = first.checked_add(count).ok_or(Error::Corrupt("ledger too long"))?;
    (first..end)
        .zip(records)
        .map(|(sequence, record)| read_entry(texts, record, sequence))
        .collect()
}
