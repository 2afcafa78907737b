//! Records of what entries changed. Variants are numbered by position: append only.

use domain::amount::Amount;
use domain::ledger::{Effect, LotId, Slot};
use domain::pass::PassId;
use domain::time::{Day, Instant, Month};
use serde::{Deserialize, Serialize};

use super::activity::{
    ActivityRecord, WatchRecord, activity_record, read_activity, read_watch, watch_record,
};
use super::names::{Name, Names, Texts, some};
use super::promotion::{ActivationRecord, activation_record, read_activation};
use super::tally::{
    PartRecord, TallyAwardRecord, counts_number, part_record, read_counts, read_part,
    read_tally_award, tally_award_record,
};
use crate::error::Result;

/// Balance, last day, and what few lots have.
#[derive(Serialize, Deserialize)]
pub struct LotRecord(Name, Option<i32>, RareRecord);

/// First day and conditions: what a lot does not have takes no byte.
#[derive(Serialize, Deserialize)]
enum RareRecord {
    Neither,
    From(i32),
    Terms(Name),
    Both(i32, Name),
}

#[derive(Serialize, Deserialize)]
pub enum SlotRecord {
    Ever,
    Period(i32),
    On(i32),
    Quota,
}

#[derive(Serialize, Deserialize)]
pub enum EffectRecord {
    Award {
        offer: Option<Name>,
        lot: LotRecord,
        amount: i64,
        debt: i64,
        slot: Option<SlotRecord>,
    },
    Take(LotRecord, i64),
    Return(LotRecord, i64, i64),
    ClawBack(LotRecord, i64),
    Owe(Name, i64),
    Free(Name, SlotRecord),
    Expire(LotRecord, i64),
    Merge(LotRecord, LotRecord),
    Activity(ActivityRecord),
    Seen(i64),
    Block(bool),
    Quota(Name, i32, i32, i64),
    Count(Name, PartRecord, i64),
    Counted(Name, PartRecord, i64, u8, Vec<u16>),
    Tallied(TallyAwardRecord),
    Untallied(u32),
    Gone(LotRecord, i64),
    WriteOff(Name, u64, i64),
    Hold(u64, i64, LotRecord, i64),
    TakeHeld(u64, LotRecord, i64),
    Release(u64, LotRecord, i64, i64),
    Discount(Name, i64, Option<SlotRecord>),
    Nameless(Name, u64),
    Registered,
    Merged(Name),
    Activate(ActivationRecord),
    Deactivate(ActivationRecord),
    /// Offer, plan, serial.
    Issue(Name, Name, u64, Option<SlotRecord>),
    Erase,
    /// Month, by, lines.
    Watched(WatchRecord, i32, i32, Vec<u16>),
    Unwatched(WatchRecord),
    /// Day, by.
    Bought(i32, i32),
}

pub fn lot_record(names: &mut Names, lot: &LotId) -> Result<LotRecord> {
    let balance = names.add(lot.balance.as_str())?;
    let terms = lot.terms.as_ref().map(|terms| names.add_terms(terms)).transpose()?;
    let rare = match (lot.available_from, terms) {
        (None, None) => RareRecord::Neither,
        (Some(day), None) => RareRecord::From(day.0),
        (None, Some(terms)) => RareRecord::Terms(terms),
        (Some(day), Some(terms)) => RareRecord::Both(day.0, terms),
    };
    Ok(LotRecord(balance, lot.expires.map(|day| day.0), rare))
}

pub fn read_lot(texts: &Texts<'_>, record: &LotRecord) -> Result<LotId> {
    let (available_from, terms) = match record.2 {
        RareRecord::Neither => (None, None),
        RareRecord::From(day) => (Some(Day(day)), None),
        RareRecord::Terms(terms) => (None, Some(terms)),
        RareRecord::Both(day, terms) => (Some(Day(day)), Some(terms)),
    };
    Ok(LotId {
        balance: texts.balance(record.0)?,
        expires: record.1.map(Day),
        available_from,
        terms: some(terms, |name| texts.terms(name))?,
    })
}

pub fn slot_record(slot: Slot) -> SlotRecord {
    match slot {
        Slot::Ever => SlotRecord::Ever,
        Slot::Period(number) => SlotRecord::Period(number),
        Slot::On(day) => SlotRecord::On(day.0),
        Slot::Quota => SlotRecord::Quota,
    }
}

pub fn read_slot(record: &SlotRecord) -> Slot {
    match record {
        SlotRecord::Ever => Slot::Ever,
        SlotRecord::Period(number) => Slot::Period(*number),
        SlotRecord::On(day) => Slot::On(Day(*day)),
        SlotRecord::Quota => Slot::Quota,
    }
}

pub fn effect_record(names: &mut Names, effect: &Effect) -> Result<EffectRecord> {
    let mut lot = |lot: &LotId| lot_record(names, lot);
    Ok(match effect {
        Effect::Award { offer, lot: id, amount, debt, slot } => EffectRecord::Award {
            lot: lot(id)?,
            offer: names.add_some(offer.as_ref().map(|offer| offer.as_str()))?,
            amount: amount.0,
            debt: debt.0,
            slot: slot.map(slot_record),
        },
        Effect::Take { lot: id, amount } => EffectRecord::Take(lot(id)?, amount.0),
        Effect::Return { lot: id, amount, debt } => {
            EffectRecord::Return(lot(id)?, amount.0, debt.0)
        }
        Effect::ClawBack { lot: id, amount } => EffectRecord::ClawBack(lot(id)?, amount.0),
        Effect::Owe { balance, amount } => {
            EffectRecord::Owe(names.add(balance.as_str())?, amount.0)
        }
        Effect::Free { offer, slot } => {
            EffectRecord::Free(names.add(offer.as_str())?, slot_record(*slot))
        }
        Effect::Expire { lot: id, amount } => EffectRecord::Expire(lot(id)?, amount.0),
        Effect::Merge { from, into } => EffectRecord::Merge(lot(from)?, lot(into)?),
        Effect::Activity(activity) => EffectRecord::Activity(activity_record(activity)),
        Effect::Seen { performed_on } => EffectRecord::Seen(performed_on.0),
        Effect::Block { blocked } => EffectRecord::Block(*blocked),
        Effect::Erase => EffectRecord::Erase,
        Effect::Count { offer, part, by } => {
            let offer = names.add(offer.as_str())?;
            EffectRecord::Count(offer, part_record(names, part)?, *by)
        }
        Effect::Counted { offer, part, by, counts, lines } => {
            let offer = names.add(offer.as_str())?;
            let counts = counts_number(*counts);
            EffectRecord::Counted(offer, part_record(names, part)?, *by, counts, lines.clone())
        }
        Effect::Tallied(award) => EffectRecord::Tallied(tally_award_record(names, award)?),
        Effect::Untallied { at } => EffectRecord::Untallied(*at),
        Effect::Quota { offer, awards, places, budget } => {
            EffectRecord::Quota(names.add(offer.as_str())?, *awards, *places, budget.0)
        }
        Effect::Gone { lot: id, amount } => EffectRecord::Gone(lot(id)?, amount.0),
        Effect::WriteOff { balance, entry, amount } => {
            EffectRecord::WriteOff(names.add(balance.as_str())?, *entry, amount.0)
        }
        Effect::Hold { hold, lapses_at, lot: id, amount } => {
            EffectRecord::Hold(*hold, lapses_at.0, lot(id)?, amount.0)
        }
        Effect::TakeHeld { hold, lot: id, amount } => {
            EffectRecord::TakeHeld(*hold, lot(id)?, amount.0)
        }
        Effect::Release { hold, lot: id, amount, debt } => {
            EffectRecord::Release(*hold, lot(id)?, amount.0, debt.0)
        }
        Effect::Discount { offer, amount, slot } => {
            EffectRecord::Discount(names.add(offer.as_str())?, amount.0, slot.map(slot_record))
        }
        Effect::Nameless { pass } => {
            EffectRecord::Nameless(names.add(pass.plan.as_str())?, pass.serial)
        }
        Effect::Registered => EffectRecord::Registered,
        Effect::Merged { into } => EffectRecord::Merged(names.add(into.as_str())?),
        Effect::Activate(one) => EffectRecord::Activate(activation_record(names, one)?),
        Effect::Deactivate(one) => EffectRecord::Deactivate(activation_record(names, one)?),
        Effect::Issue { offer, pass, slot } => EffectRecord::Issue(
            names.add(offer.as_str())?,
            names.add(pass.plan.as_str())?,
            pass.serial,
            slot.map(slot_record),
        ),
        Effect::Watched { watch, month, by, lines } => {
            EffectRecord::Watched(watch_record(names, watch)?, month.0, *by, lines.clone())
        }
        Effect::Bought { day, by } => EffectRecord::Bought(day.0, *by),
        Effect::Unwatched { watch } => EffectRecord::Unwatched(watch_record(names, watch)?),
    })
}

pub fn read_effect(texts: &Texts<'_>, record: &EffectRecord) -> Result<Effect> {
    let lot = |record: &LotRecord| read_lot(texts, record);
    Ok(match record {
        EffectRecord::Award { offer, lot: id, amount, debt, slot } => Effect::Award {
            offer: some(*offer, |name| texts.offer(name))?,
            lot: lot(id)?,
            amount: Amount(*amount),
            debt: Amount(*debt),
            slot: slot.as_ref().map(read_slot),
        },
        EffectRecord::Take(id, amount) => Effect::Take { lot: lot(id)?, amount: Amount(*amount) },
        EffectRecord::Return(id, amount, debt) => {
            Effect::Return { lot: lot(id)?, amount: Amount(*amount), debt: Amount(*debt) }
        }
        EffectRecord::ClawBack(id, amount) => {
            Effect::ClawBack { lot: lot(id)?, amount: Amount(*amount) }
        }
        EffectRecord::Owe(code, amount) => {
            Effect::Owe { balance: texts.balance(*code)?, amount: Amount(*amount) }
        }
        EffectRecord::Free(offer, slot) => {
            Effect::Free { offer: texts.offer(*offer)?, slot: read_slot(slot) }
        }
        EffectRecord::Expire(id, amount) => {
            Effect::Expire { lot: lot(id)?, amount: Amount(*amount) }
        }
        EffectRecord::Merge(from, into) => Effect::Merge { from: lot(from)?, into: lot(into)? },
        EffectRecord::Activity(activity) => Effect::Activity(read_activity(activity)),
        EffectRecord::Seen(time) => Effect::Seen { performed_on: Instant(*time) },
        EffectRecord::Block(blocked) => Effect::Block { blocked: *blocked },
        EffectRecord::Erase => Effect::Erase,
        EffectRecord::Count(offer, part, by) => {
            Effect::Count { offer: texts.offer(*offer)?, part: read_part(texts, part)?, by: *by }
        }
        EffectRecord::Counted(offer, part, by, counts, lines) => Effect::Counted {
            offer: texts.offer(*offer)?,
            part: read_part(texts, part)?,
            by: *by,
            counts: read_counts(*counts)?,
            lines: lines.clone(),
        },
        EffectRecord::Tallied(award) => Effect::Tallied(read_tally_award(texts, award)?),
        EffectRecord::Untallied(at) => Effect::Untallied { at: *at },
        EffectRecord::Quota(offer, awards, places, budget) => Effect::Quota {
            offer: texts.offer(*offer)?,
            awards: *awards,
            places: *places,
            budget: Amount(*budget),
        },
        EffectRecord::Gone(id, amount) => Effect::Gone { lot: lot(id)?, amount: Amount(*amount) },
        EffectRecord::WriteOff(code, entry, amount) => Effect::WriteOff {
            balance: texts.balance(*code)?,
            entry: *entry,
            amount: Amount(*amount),
        },
        EffectRecord::Hold(hold, lapses_at, id, amount) => Effect::Hold {
            hold: *hold,
            lapses_at: Instant(*lapses_at),
            lot: lot(id)?,
            amount: Amount(*amount),
        },
        EffectRecord::TakeHeld(hold, id, amount) => {
            Effect::TakeHeld { hold: *hold, lot: lot(id)?, amount: Amount(*amount) }
        }
        EffectRecord::Release(hold, id, amount, debt) => Effect::Release {
            hold: *hold,
            lot: lot(id)?,
            amount: Amount(*amount),
            debt: Amount(*debt),
        },
        EffectRecord::Discount(offer, amount, slot) => Effect::Discount {
            offer: texts.offer(*offer)?,
            amount: Amount(*amount),
            slot: slot.as_ref().map(read_slot),
        },
        EffectRecord::Nameless(plan, serial) => {
            Effect::Nameless { pass: PassId { plan: texts.plan(*plan)?, serial: *serial } }
        }
        EffectRecord::Registered => Effect::Registered,
        EffectRecord::Merged(into) => Effect::Merged { into: texts.participant(*into)? },
        EffectRecord::Activate(one) => Effect::Activate(read_activation(texts, one)?),
        EffectRecord::Deactivate(one) => Effect::Deactivate(read_activation(texts, one)?),
        EffectRecord::Issue(offer, plan, serial, slot) => Effect::Issue {
            offer: texts.offer(*offer)?,
            pass: PassId { plan: texts.plan(*plan)?, serial: *serial },
            slot: slot.as_ref().map(read_slot),
        },
        EffectRecord::Watched(watch, month, by, lines) => Effect::Watched {
            watch: read_watch(texts, watch)?,
            month: Month(*month),
            by: *by,
            lines: lines.clone(),
        },
        EffectRecord::Bought(day, by) => Effect::Bought { day: Day(*day), by: *by },
        EffectRecord::Unwatched(watch) => Effect::Unwatched { watch: read_watch(texts, watch)? },
    })
}
