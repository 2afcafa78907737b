//! Records of ledger entries. Variants are numbered by position: append only.

use domain::amount::Amount;
use domain::conversion::ConversionMade;
use domain::ledger::{
    Act, Entry, EntryKey, HoldMade, PayloadHash, SpendCause, SpendMade, TakenBack,
};
use domain::programme::ReductionMethod;
use domain::refusal::Refusal;
use domain::time::Instant;
use serde::{Deserialize, Serialize};

use super::caller::{CallerKey, caller_key, read_caller_key, uuid_bytes, uuid_key};
use super::coupon::{TakenRecord, read_taken, taken_record};
use super::effect::{EffectRecord, effect_record, read_effect};
use super::names::{Name, Names, Texts, some};
use crate::error::{Error, Result};

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
    Redeem(Name, u64, u32),
    Expiry,
    Block,
    SpendRequest(Name),
    Hold(CallerKey),
    EndHold(CallerKey),
    Lapse,
    Adjust(CallerKey),
    CancelRedemption(u64),
    Unasked(Name, u8),
    Register(CallerKey),
    Merge(CallerKey),
    MergeOf(Name, u64),
    /// Conversion, scheduled time.
    Convert(Name, i64),
    Coupon(CallerKey),
}

#[derive(Serialize, Deserialize)]
enum ActRecord {
    Judged,
    Spent(SpendRecord),
    Refused(u8),
    Reversed(TakenBackRecord),
    Redeemed,
    Expired,
    Blocked(Name),
    Returned(TakenBackRecord),
    /// The spend it is for, and milliseconds until it lapses.
    Held(SpendRecord, i64),
    Released,
    Adjusted(Name),
    Registered,
    MergedInto(Name, Option<Name>),
    MergedFrom(Name),
    Converted(ConversionRecord),
}

/// Balance, points, money, the balance that got it.
#[derive(Serialize, Deserialize)]
struct ConversionRecord(Name, i64, i64, Option<Name>);

/// Entries, reason.
#[derive(Serialize, Deserialize)]
struct TakenBackRecord(Vec<u64>, Option<Name>);

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
    cause: CauseRecord,
}

#[derive(Serialize, Deserialize)]
enum CauseRecord {
    Requested,
    Instant(Name),
    Automatic,
    Coupon(TakenRecord),
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
        EntryKey::Redeem { plan, serial, turn } => {
            KeyRecord::Redeem(names.add(plan.as_str())?, *serial, *turn)
        }
        EntryKey::CancelRedemption(sequence) => KeyRecord::CancelRedemption(*sequence),
        EntryKey::Expiry(_) => KeyRecord::Expiry,
        EntryKey::Block(_) => KeyRecord::Block,
        EntryKey::SpendRequest(event) => KeyRecord::SpendRequest(names.add(event.as_str())?),
        EntryKey::Hold(key) => KeyRecord::Hold(caller_key(names, key)?),
        EntryKey::EndHold(key) => KeyRecord::EndHold(caller_key(names, key)?),
        EntryKey::Lapse(_) => KeyRecord::Lapse,
        EntryKey::Adjust(key) => KeyRecord::Adjust(caller_key(names, key)?),
        EntryKey::Unasked { event, number } => {
            KeyRecord::Unasked(names.add(event.as_str())?, *number)
        }
        EntryKey::Register(key) => KeyRecord::Register(caller_key(names, key)?),
        EntryKey::Merge(key) => KeyRecord::Merge(caller_key(names, key)?),
        EntryKey::MergeOf { duplicate, sequence } => {
            KeyRecord::MergeOf(names.add(duplicate.as_str())?, *sequence)
        }
        EntryKey::Convert { conversion, at } => {
            KeyRecord::Convert(names.add(conversion.as_str())?, at.0)
        }
        EntryKey::Coupon(key) => KeyRecord::Coupon(caller_key(names, key)?),
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
        KeyRecord::Redeem(plan, serial, turn) => {
            EntryKey::Redeem { plan: texts.plan(*plan)?, serial: *serial, turn: *turn }
        }
        KeyRecord::CancelRedemption(of) => EntryKey::CancelRedemption(*of),
        KeyRecord::Expiry => EntryKey::Expiry(sequence),
        KeyRecord::Block => EntryKey::Block(sequence),
        KeyRecord::SpendRequest(event) => EntryKey::SpendRequest(texts.event(*event)?),
        KeyRecord::Hold(key) => EntryKey::Hold(read_caller_key(texts, key)?),
        KeyRecord::EndHold(key) => EntryKey::EndHold(read_caller_key(texts, key)?),
        KeyRecord::Lapse => EntryKey::Lapse(sequence),
        KeyRecord::Adjust(key) => EntryKey::Adjust(read_caller_key(texts, key)?),
        KeyRecord::Unasked(event, number) => {
            EntryKey::Unasked { event: texts.event(*event)?, number: *number }
        }
        KeyRecord::Register(key) => EntryKey::Register(read_caller_key(texts, key)?),
        KeyRecord::Merge(key) => EntryKey::Merge(read_caller_key(texts, key)?),
        KeyRecord::MergeOf(duplicate, sequence) => {
            EntryKey::MergeOf { duplicate: texts.participant(*duplicate)?, sequence: *sequence }
        }
        KeyRecord::Convert(conversion, at) => {
            EntryKey::Convert { conversion: texts.conversion(*conversion)?, at: Instant(*at) }
        }
        KeyRecord::Coupon(key) => EntryKey::Coupon(read_caller_key(texts, key)?),
    })
}

fn act_record(names: &mut Names, act: &Act, at: Instant) -> Result<ActRecord> {
    Ok(match act {
        Act::Judged => ActRecord::Judged,
        Act::Spent(made) => ActRecord::Spent(spend_record(names, made, at)?),
        Act::Refused(refusal) => ActRecord::Refused(refusal_number(*refusal)?),
        Act::Reversed(back) => ActRecord::Reversed(taken_back_record(names, back)?),
        Act::Redeemed => ActRecord::Redeemed,
        Act::Expired => ActRecord::Expired,
        Act::Blocked { reason } => ActRecord::Blocked(names.add(reason)?),
        Act::Returned(back) => ActRecord::Returned(taken_back_record(names, back)?),
        Act::Held(made) => ActRecord::Held(
            spend_record(names, &made.spend, at)?,
            made.lapses_at.0.wrapping_sub(at.0),
        ),
        Act::Released => ActRecord::Released,
        Act::Adjusted { reason } => ActRecord::Adjusted(names.add(reason)?),
        Act::Registered => ActRecord::Registered,
        Act::MergedInto { participant, reason } => {
            let reason = names.add_some(reason.as_deref())?;
            ActRecord::MergedInto(names.add(participant.as_str())?, reason)
        }
        Act::MergedFrom { participant } => ActRecord::MergedFrom(names.add(participant.as_str())?),
        Act::Converted(made) => {
            let into = names.add_some(made.into.as_ref().map(|code| code.as_str()))?;
            let balance = names.add(made.balance.as_str())?;
            ActRecord::Converted(ConversionRecord(balance, made.points.0, made.money.0, into))
        }
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
        ActRecord::Reversed(back) => Act::Reversed(read_taken_back(texts, back)?),
        ActRecord::Redeemed => Act::Redeemed,
        ActRecord::Expired => Act::Expired,
        ActRecord::Blocked(reason) => Act::Blocked { reason: texts.text(*reason)? },
        ActRecord::Returned(back) => Act::Returned(read_taken_back(texts, back)?),
        ActRecord::Held(spend, after) => Act::Held(HoldMade {
            spend: read_spend(texts, spend, at)?,
            lapses_at: Instant(after.wrapping_add(at.0)),
        }),
        ActRecord::Released => Act::Released,
        ActRecord::Adjusted(reason) => Act::Adjusted { reason: texts.text(*reason)? },
        ActRecord::Registered => Act::Registered,
        ActRecord::MergedInto(into, reason) => Act::MergedInto {
            participant: texts.participant(*into)?,
            reason: some(*reason, |name| texts.text(name))?,
        },
        ActRecord::MergedFrom(from) => Act::MergedFrom { participant: texts.participant(*from)? },
        ActRecord::Converted(ConversionRecord(balance, points, money, into)) => {
            Act::Converted(ConversionMade {
                balance: texts.balance(*balance)?,
                points: Amount(*points),
                money: Amount(*money),
                into: some(*into, |name| texts.balance(name))?,
            })
        }
    })
}

fn taken_back_record(names: &mut Names, back: &TakenBack) -> Result<TakenBackRecord> {
    Ok(TakenBackRecord(back.entries.clone(), names.add_some(back.reason.as_deref())?))
}

fn read_taken_back(texts: &Texts<'_>, record: &TakenBackRecord) -> Result<TakenBack> {
    let reason = some(record.1, |name| texts.text(name))?;
    Ok(TakenBack { entries: record.0.clone(), reason })
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
        cause: match &made.cause {
            SpendCause::Requested => CauseRecord::Requested,
            SpendCause::Instant { offer } => CauseRecord::Instant(names.add(offer.as_str())?),
            SpendCause::Automatic => CauseRecord::Automatic,
            SpendCause::Coupon(taken) => CauseRecord::Coupon(taken_record(names, taken)?),
        },
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
        cause: match &record.cause {
            CauseRecord::Requested => SpendCause::Requested,
            CauseRecord::Instant(offer) => SpendCause::Instant { offer: texts.offer(*offer)? },
            CauseRecord::Automatic => SpendCause::Automatic,
            CauseRecord::Coupon(taken) => SpendCause::Coupon(read_taken(texts, taken)?),
        },
    })
}
