//! What travels through queues and schedules. A message is a hint: it names what is stored, and
//! carries nothing that is not.

use domain::id::{EventId, ParticipantId, RunId};
use domain::time::{Instant, parse_instant};
use serde::{Deserialize, Serialize};

/// Asks for a part of an evaluation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum EvaluationMessage {
    /// One shard of the pending events, in a run.
    Shard { run: String, shard: u8 },
    /// These events of one participant, right after they were stored.
    Events { participant: String, events: Vec<String> },
    /// What is personal in the events and passes of an erased participant.
    Erase { participant: String },
}

/// An evaluation message with its ids parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evaluation {
    Shard { run: RunId, shard: u8 },
    Events { participant: ParticipantId, events: Vec<EventId> },
    Erase { participant: ParticipantId },
}

/// Asks for one shard of a segment export that is recorded under this id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportMessage {
    pub export: String,
    pub shard: u8,
}

/// Asks for one shard of a verification that is recorded under this id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerificationMessage {
    pub verification: String,
    pub shard: u8,
}

/// A schedule fired. Its time only names the run: wallets never take it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleTick {
    /// Which schedule: `schedule`, or what it begins where a function has several.
    pub source: String,
    /// RFC 3339.
    pub scheduled_time: String,
}

/// A tick with its time parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    pub source: String,
    pub scheduled: Instant,
}

impl EvaluationMessage {
    /// Parses a message body; the error says what is expected and repeats no content.
    pub fn parse(body: &[u8]) -> Result<Evaluation, String> {
        match from_json(body)? {
            EvaluationMessage::Shard { run, shard } => {
                let run = RunId::parse(&run).map_err(|error| format!("run {error}"))?;
                Ok(Evaluation::Shard { run, shard })
            }
            EvaluationMessage::Events { participant, events } => {
                let participant = who(&participant)?;
                let events: Result<Vec<EventId>, _> =
                    events.iter().map(|event| EventId::parse(event)).collect();
                let events = events.map_err(|error| format!("events: one {error}"))?;
                if events.is_empty() {
                    return Err("events must name at least one".into());
                }
                Ok(Evaluation::Events { participant, events })
            }
            EvaluationMessage::Erase { participant } => {
                Ok(Evaluation::Erase { participant: who(&participant)? })
            }
        }
    }
}

impl ExportMessage {
    /// Parses a message body into the export's id and the shard.
    pub fn parse(body: &[u8]) -> Result<(RunId, u8), String> {
        let message: ExportMessage = from_json(body)?;
        let run = RunId::parse(&message.export).map_err(|error| format!("export {error}"))?;
        Ok((run, message.shard))
    }
}

impl VerificationMessage {
    /// Parses a message body into the verification's id and the shard.
    pub fn parse(body: &[u8]) -> Result<(RunId, u8), String> {
        let message: VerificationMessage = from_json(body)?;
        let id = RunId::parse(&message.verification);
        Ok((id.map_err(|error| format!("verification {error}"))?, message.shard))
    }
}

impl ScheduleTick {
    /// Parses a schedule's input.
    pub fn parse(body: &[u8]) -> Result<Tick, String> {
        let tick: ScheduleTick = from_json(body)?;
        let scheduled =
            parse_instant(&tick.scheduled_time).ok_or("scheduled_time is not an RFC 3339 time")?;
        Ok(Tick { source: tick.source, scheduled })
    }
}

fn who(id: &str) -> Result<ParticipantId, String> {
    ParticipantId::parse(id).map_err(|error| format!("participant {error}"))
}

fn from_json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| {
        // Only where, not what: a queue may hold anything.
        format!("not a message of this queue, line {} column {}", error.line(), error.column())
    })
}
