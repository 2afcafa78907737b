//! Records of events: as accepted, with everything that happened to them; deflated.

use domain::amount::Amount;
use domain::event::{
    Awarded, Discounted, Due, Event, EventState, Judge, Judgement, RecordedEvent, SpendOn,
};
use domain::id::{EventId, OfferId, ParticipantId, RunId};
use domain::ledger::PayloadHash;
use domain::refusal::Reason;
use domain::time::Instant;
use serde::{Deserialize, Serialize};

use super::detail::{DetailRecord, detail_record, read_detail};
use super::effect::{LotRecord, lot_record, read_lot};
use super::entry::{SpendRecord, read_spend, spend_record};
use super::names::{Name, Names, Texts, some};
use super::promotion::{
    GivenRecord, ShownRecord, given_record, read_given, read_shown, shown_record,
};
use super::returns::{
    Asked, AskedRecord, ReturnRecord, asked_record, read_asked, read_return, return_record,
};
use super::terms::{read_terms, terms_records};
use super::{deflate, from_bytes_with, inflate, to_bytes_with};
use crate::error::{Error, Result};

/// An event with what only the store needs to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    pub recorded: RecordedEvent,
    /// How often the item was written: its condition.
    pub version: u64,
    /// Cancels that were refused because of a spent award, which stay refused.
    pub denied: Vec<Asked>,
}

#[derive(Serialize, Deserialize)]
struct EventRecord {
    names: Vec<String>,
    id: String,
    participant: String,
    classification: Option<Name>,
    unit: Option<Name>,
    performed_on: i64,
    immediate: bool,
    detail: DetailRecord,
    payload: [u8; 8],
    accepted_at: i64,
    due: DueRecord,
    judgements: Vec<JudgementRecord>,
    spends: Vec<SpendOnRecord>,
    cancelled: bool,
    returns: Vec<ReturnRecord>,
    denied: Vec<AskedRecord>,
    /// Of whom a referral referred.
    referred: Option<JudgementRecord>,
    pass: Option<ShownRecord>,
}

/// Sequence, time, spend, cancelled, returned, and parts by conditions.
#[derive(Serialize, Deserialize)]
struct SpendOnRecord(u64, i64, SpendRecord, bool, i64, Vec<(Option<Name>, i64)>);

#[derive(Serialize, Deserialize)]
enum DueRecord {
    Nothing,
    BatchOnly,
    Everything,
}

#[derive(Serialize, Deserialize)]
struct JudgementRecord {
    sequence: u64,
    run: Option<Name>,
    programme: u64,
    awards: Vec<AwardRecord>,
    passed_over: Vec<(Name, u8)>,
    discounts: Vec<DiscountRecord>,
    passes: Vec<GivenRecord>,
}

#[derive(Serialize, Deserialize)]
struct DiscountRecord {
    offer: Name,
    amount: i64,
    exclusive: bool,
    lines: Vec<(u16, i64)>,
    returned: i64,
}

#[derive(Serialize, Deserialize)]
struct AwardRecord {
    offer: Name,
    lot: LotRecord,
    amount: i64,
    exclusive: bool,
    lines: Vec<u16>,
    counted: bool,
}

/// Encodes an event; its version stands beside it as a plain attribute.
pub fn encode_event(stored: &StoredEvent) -> Result<Vec<u8>> {
    let recorded = &stored.recorded;
    let event = &recorded.event;
    let mut names = Names::default();
    let judgements = recorded.judgements.iter().map(|j| judgement_record(&mut names, j));
    let judgements = judgements.collect::<Result<_>>()?;
    let referred =
        recorded.referred.as_ref().map(|j| judgement_record(&mut names, j)).transpose()?;
    let spends = recorded.spends.iter().map(|spend| spend_on_record(&mut names, spend));
    let spends = spends.collect::<Result<_>>()?;
    let returns = recorded.returns.iter().map(|back| return_record(&mut names, back));
    let returns = returns.collect::<Result<_>>()?;
    let pass = recorded.pass.as_ref().map(|shown| shown_record(&mut names, shown)).transpose()?;
    let terms = terms_records(&mut names)?;
    let record = EventRecord {
        id: event.id.as_str().to_owned(),
        participant: event.participant.as_str().to_owned(),
        classification: names.add_some(event.classification.as_ref().map(|c| c.as_str()))?,
        unit: names.add_some(event.unit.as_ref().map(|unit| unit.as_str()))?,
        performed_on: event.performed_on.0,
        immediate: event.immediate,
        detail: detail_record(&mut names, &event.detail)?,
        payload: recorded.payload.0,
        accepted_at: recorded.accepted_at.0,
        due: match recorded.due {
            Due::Nothing => DueRecord::Nothing,
            Due::BatchOnly => DueRecord::BatchOnly,
            Due::Everything => DueRecord::Everything,
        },
        judgements,
        spends,
        cancelled: recorded.state == EventState::Cancelled,
        returns,
        denied: stored.denied.iter().map(asked_record).collect(),
        referred,
        pass,
        names: names.texts,
    };
    deflate(&to_bytes_with(&record, &terms)?)
}

/// Decodes an event of this version.
pub fn decode_event(bytes: &[u8], version: u64) -> Result<StoredEvent> {
    let (record, terms) = from_bytes_with::<EventRecord, _>(&inflate(bytes)?)?;
    let terms = read_terms(&record.names, &terms)?;
    let texts = Texts { texts: &record.names, terms: &terms };
    let bad = |_| Error::Corrupt("event with a bad id");
    let event = Event {
        id: EventId::parse(&record.id).map_err(bad)?,
        participant: ParticipantId::parse(&record.participant).map_err(bad)?,
        classification: some(record.classification, |name| texts.classification(name))?,
        unit: some(record.unit, |name| texts.unit(name))?,
        performed_on: Instant(record.performed_on),
        immediate: record.immediate,
        detail: read_detail(&texts, &record.detail)?,
    };
    let judgements = record.judgements.iter().map(|judgement| read_judgement(&texts, judgement));
    let spends = record.spends.iter().map(|spend| read_spend_on(&texts, spend));
    let returns = record.returns.iter().map(|back| read_return(&texts, back));
    Ok(StoredEvent {
        recorded: RecordedEvent {
            event,
            payload: PayloadHash(record.payload),
            accepted_at: Instant(record.accepted_at),
            state: if record.cancelled { EventState::Cancelled } else { EventState::Posted },
            due: match record.due {
                DueRecord::Nothing => Due::Nothing,
                DueRecord::BatchOnly => Due::BatchOnly,
                DueRecord::Everything => Due::Everything,
            },
            judgements: judgements.collect::<Result<_>>()?,
            referred: record.referred.as_ref().map(|j| read_judgement(&texts, j)).transpose()?,
            spends: spends.collect::<Result<_>>()?,
            returns: returns.collect::<Result<_>>()?,
            pass: record.pass.as_ref().map(|shown| read_shown(&texts, shown)).transpose()?,
        },
        version,
        denied: record.denied.iter().map(read_asked).collect(),
    })
}

fn spend_on_record(names: &mut Names, spend: &SpendOn) -> Result<SpendOnRecord> {
    let at = spend.made.performed_on;
    let made = spend_record(names, &spend.made, at)?;
    let parts = spend.parts.iter().map(|(terms, amount)| {
        let terms = terms.as_ref().map(|terms| names.add_terms(terms)).transpose()?;
        Ok((terms, amount.0))
    });
    let parts = parts.collect::<Result<_>>()?;
    Ok(SpendOnRecord(spend.sequence, at.0, made, spend.cancelled, spend.returned.0, parts))
}

fn read_spend_on(texts: &Texts<'_>, record: &SpendOnRecord) -> Result<SpendOn> {
    let SpendOnRecord(sequence, at, made, cancelled, returned, parts) = record;
    let parts = parts
        .iter()
        .map(|(terms, amount)| Ok((some(*terms, |name| texts.terms(name))?, Amount(*amount))));
    Ok(SpendOn {
        sequence: *sequence,
        made: read_spend(texts, made, Instant(*at))?,
        cancelled: *cancelled,
        returned: Amount(*returned),
        parts: parts.collect::<Result<_>>()?,
    })
}

fn judgement_record(names: &mut Names, judgement: &Judgement) -> Result<JudgementRecord> {
    let awards = judgement.awards.iter().map(|award| {
        Ok(AwardRecord {
            offer: names.add(award.offer.as_str())?,
            lot: lot_record(names, &award.lot)?,
            amount: award.amount.0,
            exclusive: award.exclusive,
            lines: award.lines.clone(),
            counted: award.counted,
        })
    });
    let awards = awards.collect::<Result<_>>()?;
    let passed_over = judgement.passed_over.iter().map(|(offer, reason)| {
        let at = Reason::ALL.iter().position(|known| known == reason);
        let number = at.and_then(|at| u8::try_from(at).ok());
        Ok((names.add(offer.as_str())?, number.ok_or(Error::Corrupt("reason without a number"))?))
    });
    let passed_over = passed_over.collect::<Result<_>>()?;
    let run = match &judgement.by {
        Judge::Interactive => None,
        Judge::Run(run) => Some(names.add(run.as_str())?),
    };
    let discounts = judgement.discounts.iter().map(|discount| {
        Ok(DiscountRecord {
            offer: names.add(discount.offer.as_str())?,
            amount: discount.amount.0,
            exclusive: discount.exclusive,
            lines: discount.lines.iter().map(|(line, amount)| (*line, amount.0)).collect(),
            returned: discount.returned.0,
        })
    });
    let discounts = discounts.collect::<Result<_>>()?;
    let (sequence, programme) = (judgement.sequence, judgement.programme);
    let passes = judgement.passes.iter().map(|given| given_record(names, given));
    let passes = passes.collect::<Result<_>>()?;
    Ok(JudgementRecord { sequence, run, programme, awards, passed_over, discounts, passes })
}

fn read_judgement(texts: &Texts<'_>, record: &JudgementRecord) -> Result<Judgement> {
    let awards = record.awards.iter().map(|award| {
        Ok(Awarded {
            offer: texts.offer(award.offer)?,
            lot: read_lot(texts, &award.lot)?,
            amount: Amount(award.amount),
            exclusive: award.exclusive,
            lines: award.lines.clone(),
            counted: award.counted,
        })
    });
    let passed_over = record.passed_over.iter().map(|(offer, number)| {
        let reason = Reason::ALL.get(usize::from(*number));
        let offer: OfferId = texts.offer(*offer)?;
        Ok((offer, *reason.ok_or(Error::Corrupt("unknown reason"))?))
    });
    let discounts = record.discounts.iter().map(|discount| {
        Ok(Discounted {
            offer: texts.offer(discount.offer)?,
            amount: Amount(discount.amount),
            exclusive: discount.exclusive,
            lines: discount.lines.iter().map(|(line, amount)| (*line, Amount(*amount))).collect(),
            returned: Amount(discount.returned),
        })
    });
    let passes = record.passes.iter().map(|given| read_given(texts, given));
    let run = some(record.run, |name| texts.text(name))?;
    let run = run.map(|run| RunId::parse(&run)).transpose();
    let run = run.map_err(|_| Error::Corrupt("judgement by a bad run"))?;
    Ok(Judgement {
        sequence: record.sequence,
        by: run.map_or(Judge::Interactive, Judge::Run),
        programme: record.programme,
        awards: awards.collect::<Result<_>>()?,
        discounts: discounts.collect::<Result<_>>()?,
        passes: passes.collect::<Result<_>>()?,
        passed_over: passed_over.collect::<Result<_>>()?,
    })
}
