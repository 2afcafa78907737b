//! Records of what accumulating offers counted, and of the awards that consumed it.

use domain::amount::Amount;
use domain::offer::Counts;
use domain::tally::{Part, Tally, TallyAward};
use serde::{Deserialize, Serialize};

use super::effect::{LotRecord, SlotRecord, lot_record, read_lot, read_slot, slot_record};
use super::names::{Name, Names, Texts, some};
use crate::error::{Error, Result};

/// Slot, classification.
#[derive(Serialize, Deserialize)]
pub struct PartRecord(SlotRecord, Option<Name>);

#[derive(Serialize, Deserialize)]
pub struct TallyRecord(Name, PartRecord, i64);

#[derive(Serialize, Deserialize)]
pub struct TallyAwardRecord {
    offer: Name,
    lot: LotRecord,
    each: i64,
    times: u32,
    per: i64,
    consumed: Vec<(PartRecord, i64)>,
    slot: Option<SlotRecord>,
    place: bool,
    budget: i64,
}

const COUNTS: [Counts; 4] =
    [Counts::Amount, Counts::Events, Counts::Pieces, Counts::EachClassification];

pub fn counts_number(counts: Counts) -> u8 {
    match counts {
        Counts::Amount => 0,
        Counts::Events => 1,
        Counts::Pieces => 2,
        Counts::EachClassification => 3,
    }
}

pub fn read_counts(number: u8) -> Result<Counts> {
    let counts = COUNTS.get(usize::from(number)).copied();
    counts.ok_or(Error::Corrupt("unknown kind of count"))
}

pub fn part_record(names: &mut Names, part: &Part) -> Result<PartRecord> {
    let classification = part.classification.as_ref().map(|name| name.as_str());
    Ok(PartRecord(slot_record(part.slot), names.add_some(classification)?))
}

pub fn read_part(texts: &Texts<'_>, record: &PartRecord) -> Result<Part> {
    let classification = some(record.1, |name| texts.classification(name))?;
    Ok(Part { slot: read_slot(&record.0), classification })
}

pub fn tally_record(names: &mut Names, tally: &Tally) -> Result<TallyRecord> {
    let offer = names.add(tally.offer.as_str())?;
    Ok(TallyRecord(offer, part_record(names, &tally.part)?, tally.sum))
}

pub fn read_tally(texts: &Texts<'_>, record: &TallyRecord) -> Result<Tally> {
    let TallyRecord(offer, part, sum) = record;
    Ok(Tally { offer: texts.offer(*offer)?, part: read_part(texts, part)?, sum: *sum })
}

pub fn tally_award_record(names: &mut Names, award: &TallyAward) -> Result<TallyAwardRecord> {
    let mut consumed = Vec::new();
    for (part, by) in &award.consumed {
        consumed.push((part_record(names, part)?, *by));
    }
    Ok(TallyAwardRecord {
        offer: names.add(award.offer.as_str())?,
        lot: lot_record(names, &award.lot)?,
        each: award.each.0,
        times: award.times,
        per: award.per,
        consumed,
        slot: award.slot.map(slot_record),
        place: award.place,
        budget: award.budget.0,
    })
}

pub fn read_tally_award(texts: &Texts<'_>, record: &TallyAwardRecord) -> Result<TallyAward> {
    let consumed = record.consumed.iter().map(|(part, by)| Ok((read_part(texts, part)?, *by)));
    Ok(TallyAward {
        offer: texts.offer(record.offer)?,
        lot: read_lot(texts, &record.lot)?,
        each: Amount(record.each),
        times: record.times,
        per: record.per,
        consumed: consumed.collect::<Result<_>>()?,
        slot: record.slot.as_ref().map(read_slot),
        place: record.place,
        budget: Amount(record.budget),
    })
}
