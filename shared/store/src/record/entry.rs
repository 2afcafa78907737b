//! Records of ledger entries. Variants are numbered by position: append only.

use domain::amount::Amount;
use domain::ledger::{Act, Effect, Entry, EntryKey, HoldMade, LotId, PayloadHash, Slot, SpendMade};
use domain::programme::ReductionMethod;
use domain::refusal::Refusal;
use domain::time::{Day, Instant, Month};
use serde::{Deserialize, Serialize};

use super::caller::{CallerKey, caller_key, read_caller_key, uuid_bytes, uuid_key};
use super::names::{Name, Names, Texts, some};
use super::tally::{
    PartRecord, TallyAwardRecord, counts_number, part_record, read_counts, read_part,
    read_tally_award, tally_award_record,
};
use crate::error::{Error, Result};

/// Balance, last day, first day.
#[derive(Serialize, Deserialize)]
pub struct LotRecord(Name, Option<i32>, Option<i32>);

#[derive(Serialize, Deserialize)]
pub enum SlotRecord {
    Ever,
    Period(i32),
    On(i32),
    Quota,
}

#[derive(Serialize, Deserialize)]
pub struct EntryRecord {
    at: i64,
    key: KeyRecord,
    payload: [u8; 8],
    act: ActRecord,
    effects: Vec<EffectRecord>,
    after: Vec<(Name, i64)>,
}

#[derive(Serialize, Deserialize)]
enum KeyRecord {
    Event(Name, u8),
    SpendUuid([u8; 16]),
    SpendText(Name),
    SpendWithPurchase(Name),
    CancelEvent(Name, u16),
    CancelSpend(u64),
    Redeem(Name, u64),
    Expiry,
    Block,
    SpendRequest(Name),
    Hold(CallerKey),
    EndHold(CallerKey),
    Lapse,
    Adjust(CallerKey),
}

#[derive(Serialize, Deserialize)]
enum ActRecord {
    Judged,
    Spent(SpendRecord),
    Refused(u8),
    Reversed(Vec<u64>),
    Redeemed,
    Expired,
    Blocked(Name),
    Returned(Vec<u64>),
    /// The spend it is for, and milliseconds until it lapses.
    Held(SpendRecord, i64),
    Released,
    Adjusted(Name),
}

#[derive(Serialize, Deserialize)]
pub struct SpendRecord {
    balance: Name,
    requested: i64,
    spent: i64,
    covered: Option<i64>,
    remainder: i64,
    purchase: Option<Name>,
    back_end: bool,
    unit: Option<Name>,
    performed_on: i64,
    classification: Option<Name>,
    request: Option<Name>,
}

#[derive(Serialize, Deserialize)]
enum EffectRecord {
    Award { offer: Option<Name>, lot: LotRecord, amount: i64, debt: i64, slot: Option<SlotRecord> },
    Take(LotRecord, i64),
    Return(LotRecord, i64, i64),
    ClawBack(LotRecord, i64),
    Owe(Name, i64),
    Free(Name, SlotRecord),
    Expire(LotRecord, i64),
    Merge(LotRecord, LotRecord),
    Activity(i32, i32, i64),
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
}

pub fn lot_record(names: &mut Names, lot: &LotId) -> Result<LotRecord> {
    let day = |day: Option<Day>| day.map(|day| day.0);
    Ok(LotRecord(names.add(lot.balance.as_str())?, day(lot.expires), day(lot.available_from)))
}

pub fn read_lot(texts: &Texts<'_>, record: &LotRecord) -> Result<LotId> {
    Ok(LotId {
        balance: texts.balance(record.0)?,
        expires: record.1.map(Day),
        available_from: record.2.map(Day),
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

pub fn entry_record(names: &mut Names, entry: &Entry) -> Result<EntryRecord> {
    let effects = entry.effects.iter().map(|effect| effect_record(names, effect));
    let effects = effects.collect::<Result<_>>()?;
    let after = entry.after.iter().map(|(code, left)| Ok((names.add(code.as_str())?, left.0)));
    let after = after.collect::<Result<_>>()?;
    Ok(EntryRecord {
        at: entry.at.0,
        key: key_record(names, &entry.key)?,
        payload: entry.payload.0,
        act: act_record(names, &entry.act, entry.at)?,
        effects,
        after,
    })
}

pub fn read_entry(texts: &Texts<'_>, record: &EntryRecord, sequence: u64) -> Result<Entry> {
    let at = Instant(record.at);
    let effects = record.effects.iter().map(|effect| read_effect(texts, effect));
    let after = record.after.iter().map(|(code, left)| Ok((texts.balance(*code)?, Amount(*left))));
    Ok(Entry {
        sequence,
        at,
        key: read_key(texts, &record.key, sequence)?,
        payload: PayloadHash(record.payload),
        act: read_act(texts, &record.act, at)?,
        effects: effects.collect::<Result<_>>()?,
        after: after.collect::<Result<_>>()?,
    })
}

fn key_record(names: &mut Names, key: &EntryKey) -> Result<KeyRecord> {
    Ok(match key {
        EntryKey::Event { event, turn } => KeyRecord::Event(names.add(event.as_str())?, *turn),
        EntryKey::Spend(key) => match uuid_bytes(key) {
            Some(bytes) => KeyRecord::SpendUuid(bytes),
            None => KeyRecord::SpendText(names.add(key.as_str())?),
        },
        EntryKey::SpendWithPurchase(event) => {
            KeyRecord::SpendWithPurchase(names.add(event.as_str())?)
        }
        EntryKey::CancelEvent { event, turn } => {
            KeyRecord::CancelEvent(names.add(event.as_str())?, *turn)
        }
        EntryKey::CancelSpend(sequence) => KeyRecord::CancelSpend(*sequence),
        EntryKey::Redeem { plan, serial } => KeyRecord::Redeem(names.add(plan.as_str())?, *serial),
        EntryKey::Expiry(_) => KeyRecord::Expiry,
        EntryKey::Block(_) => KeyRecord::Block,
        EntryKey::SpendRequest(event) => KeyRecord::SpendRequest(names.add(event.as_str())?),
        EntryKey::Hold(key) => KeyRecord::Hold(caller_key(names, key)?),
        EntryKey::EndHold(key) => KeyRecord::EndHold(caller_key(names, key)?),
        EntryKey::Lapse(_) => KeyRecord::Lapse,
        EntryKey::Adjust(key) => KeyRecord::Adjust(caller_key(names, key)?),
    })
}

fn read_key(texts: &Texts<'_>, record: &KeyRecord, sequence: u64) -> Result<EntryKey> {
    Ok(match record {
        KeyRecord::Event(event, turn) => {
            EntryKey::Event { event: texts.event(*event)?, turn: *turn }
        }
        KeyRecord::SpendUuid(bytes) => EntryKey::Spend(uuid_key(*bytes)?),
        KeyRecord::SpendText(key) => EntryKey::Spend(texts.key(*key)?),
        KeyRecord::SpendWithPurchase(event) => EntryKey::SpendWithPurchase(texts.event(*event)?),
        KeyRecord::CancelEvent(event, turn) => {
            EntryKey::CancelEvent { event: texts.event(*event)?, turn: *turn }
        }
        KeyRecord::CancelSpend(of) => EntryKey::CancelSpend(*of),
        KeyRecord::Redeem(plan, serial) => {
            EntryKey::Redeem { plan: texts.plan(*plan)?, serial: *serial }
        }
        KeyRecord::Expiry => EntryKey::Expiry(sequence),
        KeyRecord::Block => EntryKey::Block(sequence),
        KeyRecord::SpendRequest(event) => EntryKey::SpendRequest(texts.event(*event)?),
        KeyRecord::Hold(key) => EntryKey::Hold(read_caller_key(texts, key)?),
        KeyRecord::EndHold(key) => EntryKey::EndHold(read_caller_key(texts, key)?),
        KeyRecord::Lapse => EntryKey::Lapse(sequence),
        KeyRecord::Adjust(key) => EntryKey::Adjust(read_caller_key(texts, key)?),
    })
}

fn act_record(names: &mut Names, act: &Act, at: Instant) -> Result<ActRecord> {
    Ok(match act {
        Act::Judged => ActRecord::Judged,
        Act::Spent(made) => ActRecord::Spent(spend_record(names, made, at)?),
        Act::Refused(refusal) => ActRecord::Refused(refusal_number(*refusal)?),
        Act::Reversed(sequences) => ActRecord::Reversed(sequences.clone()),
        Act::Redeemed => ActRecord::Redeemed,
        Act::Expired => ActRecord::Expired,
        Act::Blocked { reason } => ActRecord::Blocked(names.add(reason)?),
        Act::Returned(sequences) => ActRecord::Returned(sequences.clone()),
        Act::Held(made) => ActRecord::Held(
            spend_record(names, &made.spend, at)?,
            made.lapses_at.0.wrapping_sub(at.0),
        ),
        Act::Released => ActRecord::Released,
        Act::Adjusted { reason } => ActRecord::Adjusted(names.add(reason)?),
    })
}

fn read_act(texts: &Texts<'_>, record: &ActRecord, at: Instant) -> Result<Act> {
    Ok(match record {
        ActRecord::Judged => Act::Judged,
        ActRecord::Spent(made) => Act::Spent(read_spend(texts, made, at)?),
        ActRecord::Refused(number) => {
            let refusal = Refusal::ALL.get(usize::from(*number));
            Act::Refused(*refusal.ok_or(Error::Corrupt("unknown refusal"))?)
        }
        ActRecord::Reversed(sequences) => Act::Reversed(sequences.clone()),
        ActRecord::Redeemed => Act::Redeemed,
        ActRecord::Expired => Act::Expired,
        ActRecord::Blocked(reason) => Act::Blocked { reason: texts.text(*reason)? },
        ActRecord::Returned(sequences) => Act::Returned(sequences.clone()),
        ActRecord::Held(spend, after) => Act::Held(HoldMade {
            spend: read_spend(texts, spend, at)?,
            lapses_at: Instant(after.wrapping_add(at.0)),
        }),
        ActRecord::Released => Act::Released,
        ActRecord::Adjusted(reason) => Act::Adjusted { reason: texts.text(*reason)? },
    })
}

fn refusal_number(refusal: Refusal) -> Result<u8> {
    let at = Refusal::ALL.iter().position(|known| *known == refusal);
    at.and_then(|at| u8::try_from(at).ok()).ok_or(Error::Corrupt("refusal without a number"))
}

/// `at` is the entry's time: most spends are performed about then, and a difference is short.
pub fn spend_record(names: &mut Names, made: &SpendMade, at: Instant) -> Result<SpendRecord> {
    Ok(SpendRecord {
        balance: names.add(made.balance.as_str())?,
        requested: made.requested.0,
        spent: made.spent.0,
        covered: made.covered.map(|covered| covered.0),
        remainder: made.remainder.0,
        purchase: names.add_some(made.purchase.as_ref().map(|id| id.as_str()))?,
        back_end: made.method == ReductionMethod::BackEnd,
        unit: names.add_some(made.unit.as_ref().map(|id| id.as_str()))?,
        performed_on: made.performed_on.0.wrapping_sub(at.0),
        classification: names.add_some(made.classification.as_ref().map(|id| id.as_str()))?,
        request: names.add_some(made.request.as_ref().map(|id| id.as_str()))?,
    })
}

pub fn read_spend(texts: &Texts<'_>, record: &SpendRecord, at: Instant) -> Result<SpendMade> {
    let method = if record.back_end { ReductionMethod::BackEnd } else { ReductionMethod::FrontEnd };
    Ok(SpendMade {
        balance: texts.balance(record.balance)?,
        requested: Amount(record.requested),
        spent: Amount(record.spent),
        covered: record.covered.map(Amount),
        remainder: Amount(record.remainder),
        purchase: some(record.purchase, |name| texts.event(name))?,
        method,
        unit: some(record.unit, |name| texts.unit(name))?,
        performed_on: Instant(record.performed_on.wrapping_add(at.0)),
        classification: some(record.classification, |name| texts.classification(name))?,
        request: some(record.request, |name| texts.event(name))?,
    })
}

fn effect_record(names: &mut Names, effect: &Effect) -> Result<EffectRecord> {
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
        Effect::Activity { month, purchases, amount } => {
            EffectRecord::Activity(month.0, *purchases, amount.0)
        }
        Effect::Seen { performed_on } => EffectRecord::Seen(performed_on.0),
        Effect::Block { blocked } => EffectRecord::Block(*blocked),
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
    })
}

fn read_effect(texts: &Texts<'_>, record: &EffectRecord) -> Result<Effect> {
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
        EffectRecord::Activity(month, purchases, amount) => Effect::Activity {
            month: Month(*month),
            purchases: *purchases,
            amount: Amount(*amount),
        },
        EffectRecord::Seen(time) => Effect::Seen { performed_on: Instant(*time) },
        EffectRecord::Block(blocked) => Effect::Block { blocked: *blocked },
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
    })
}
