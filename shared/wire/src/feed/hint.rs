//! What travels through the queue of feeds: who is due, never what is told.

use domain::id::{FeedId, ParticipantId};
use domain::pass::PassId;
use domain::time::Instant;
use serde::{Deserialize, Serialize};

use crate::answer::pass_id;
use crate::fault::BodyFault;
use crate::read::{json, read};

/// Asks that a target be told what it does not know yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FeedHintMessage {
    Participant {
        feed: String,
        participant: String,
    },
    Pass {
        feed: String,
        pass: String,
    },
    /// That one shard of all participants be told again from a time on, in milliseconds since
    /// 1970; after the last one that is done. Each replay has a name of its own.
    Replay {
        feed: String,
        run: String,
        shard: u8,
        from: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
}

/// A hint with its ids parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedHint {
    Participant { feed: FeedId, participant: ParticipantId },
    Pass { feed: FeedId, pass: PassId },
    Replay { feed: FeedId, run: String, shard: u8, from: Instant, after: Option<String> },
}

/// A replay that an operator asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// From which time on everything is told again.
    pub from: Instant,
    /// Whose; none: everybody's.
    pub participant: Option<ParticipantId>,
}

impl FeedHintMessage {
    /// Parses a message body; the error says what is expected and repeats no content.
    ///
    /// # Errors
    /// A sentence.
    pub fn parse(body: &[u8]) -> Result<FeedHint, String> {
        let message = serde_json::from_slice(body).map_err(|error| {
            format!("not a message of this queue, line {} column {}", error.line(), error.column())
        })?;
        let feed_id = |feed: &str| FeedId::parse(feed).map_err(|error| format!("feed {error}"));
        Ok(match message {
            FeedHintMessage::Participant { feed, participant } => {
                let participant = ParticipantId::parse(&participant)
                    .map_err(|error| format!("participant {error}"))?;
                FeedHint::Participant { feed: feed_id(&feed)?, participant }
            }
            FeedHintMessage::Pass { feed, pass } => {
                let pass = PassId::parse(&pass).ok_or("pass names none")?;
                FeedHint::Pass { feed: feed_id(&feed)?, pass }
            }
            FeedHintMessage::Replay { feed, run, shard, from, after } => {
                let from = Instant(from);
                FeedHint::Replay { feed: feed_id(&feed)?, run, shard, from, after }
            }
        })
    }
}

impl From<&FeedHint> for FeedHintMessage {
    fn from(hint: &FeedHint) -> FeedHintMessage {
        match hint {
            FeedHint::Participant { feed, participant } => FeedHintMessage::Participant {
                feed: feed.to_string(),
                participant: participant.to_string(),
            },
            FeedHint::Pass { feed, pass } => {
                FeedHintMessage::Pass { feed: feed.to_string(), pass: pass_id(pass) }
            }
            FeedHint::Replay { feed, run, shard, from, after } => FeedHintMessage::Replay {
                feed: feed.to_string(),
                run: run.clone(),
                shard: *shard,
                from: from.0,
                after: after.clone(),
            },
        }
    }
}

/// Parses `{from, participant_id}`.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`] with everything that is wrong.
pub fn parse_replay(bytes: &[u8]) -> Result<Replay, BodyFault> {
    read(&json(bytes)?, |node| {
        let body = node.object(&["from", "participant_id"])?;
        let from = body.required("from").and_then(|from| from.instant());
        let participant = match body.optional("participant_id") {
            Some(participant) => Some(participant.parsed(ParticipantId::parse)?),
            None => None,
        };
        Some(Replay { from: from?, participant })
    })
}
