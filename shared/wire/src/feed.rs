//! What feeds are told: one canonical message for every kind of target.

pub mod dataverse;
mod hint;

pub use hint::{FeedHint, FeedHintMessage, Replay, parse_replay};

use domain::alert::Turn;
use domain::feed::Feed;
use domain::id::{AlertId, ParticipantId};
use domain::ledger::Entry;
use domain::participant::{Channel, Consent, Participant};
use domain::pass::{Mark, Origin, Pass, PassPlan, Told};
use domain::programme::Programme;
use domain::time::{Instant, show_instant};
use serde::Serialize;

use crate::answer::{
    ConsentView, PassView, ProfileView, TransactionAnswer, participant as participant_answer,
    pass_id, pass_view, transaction, transaction_code,
};

/// One thing that happened. The same thing has the same id for ever, so that who is told twice can
/// tell. It may be personal or hold the code of a pass, so it has no `Debug`.
#[derive(Clone, Serialize)]
pub struct FeedMessage {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant_id: Option<String>,
    /// Of a movement its place in the ledger, of an alert the turn; else the version of what it tells.
    pub sequence: u64,
    /// When it happened, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    #[serde(flatten)]
    pub what: What,
}

/// What a message tells.
#[derive(Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Transaction(Box<TransactionAnswer>),
    Profile(Box<ProfileView>),
    Consent(ConsentView),
    Pass(Box<IssuedView>),
    Alert(Box<AlertView>),
}

/// Somebody came into the segment of an alert, or left it.
#[derive(Clone, Serialize)]
pub struct AlertView {
    pub alert: String,
    pub segment: String,
    pub joined: bool,
    /// The time by which it was judged.
    pub as_of: String,
    /// The months that the segment looks at, oldest first, where it looks at sales.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sales: Vec<MonthView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// What a participant purchased in a month.
#[derive(Clone, Serialize)]
pub struct MonthView {
    /// `2026-11`.
    pub month: String,
    /// In currency.
    pub amount: String,
}

/// A pass for its recipient, with what redeems it.
#[derive(Clone, Serialize)]
pub struct IssuedView {
    #[serde(flatten)]
    pub pass: PassView,
    pub code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

/// The body of a webhook.
#[derive(Serialize)]
struct Webhook<'a> {
    feed: &'a str,
    messages: &'a [FeedMessage],
}

/// A ledger entry.
pub fn movement(programme: &Programme, id: &ParticipantId, entry: &Entry) -> FeedMessage {
    FeedMessage {
        id: format!("movement:{}", transaction_code(id, entry.sequence)),
        kind: "movement",
        participant_id: Some(id.to_string()),
        sequence: entry.sequence,
        at: Some(show_instant(entry.at, programme.zone)),
        what: What::Transaction(Box::new(transaction(programme, id, entry))),
    }
}

/// Master data as they are in this version.
pub fn participant(
    programme: &Programme,
    id: &ParticipantId,
    version: u64,
    known: &Participant,
) -> FeedMessage {
    let shown = participant_answer(id, known, programme.zone);
    FeedMessage {
        id: format!("participant:{id}:{version}"),
        kind: "participant",
        participant_id: Some(id.to_string()),
        sequence: version,
        at: None,
        what: What::Profile(Box::new(shown.profile)),
    }
}

/// The newest consent of a channel, which this version of the master data brought or kept.
pub fn consent(
    programme: &Programme,
    id: &ParticipantId,
    version: u64,
    channel: &Channel,
    consent: &Consent,
) -> FeedMessage {
    let at = show_instant(consent.at, programme.zone);
    let owned = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
    FeedMessage {
        id: format!("consent:{id}:{channel}:{version}"),
        kind: "consent",
        participant_id: Some(id.to_string()),
        sequence: version,
        at: Some(at.clone()),
        what: What::Consent(ConsentView {
            channel: channel.to_string(),
            granted: consent.granted,
            at,
            source: owned(&consent.source),
            process: owned(&consent.process),
        }),
    }
}

/// Somebody came into the segment of an alert, or left it.
pub fn alert(
    programme: &Programme,
    id: &ParticipantId,
    alert: &AlertId,
    turn: &Turn,
) -> FeedMessage {
    let as_of = show_instant(turn.at, programme.zone);
    let months = turn.sales.iter().map(|(month, amount)| MonthView {
        month: month.to_string(),
        amount: amount.show(programme.currency.decimals),
    });
    let sales: Vec<MonthView> = months.collect();
    FeedMessage {
        id: format!("alert:{alert}:{id}:{}", turn.sequence),
        kind: if turn.joined { "segment_joined" } else { "segment_left" },
        participant_id: Some(id.to_string()),
        sequence: turn.sequence,
        at: Some(as_of.clone()),
        what: What::Alert(Box::new(AlertView {
            alert: alert.to_string(),
            segment: turn.segment.to_string(),
            joined: turn.joined,
            as_of,
            currency: (!sales.is_empty()).then(|| programme.currency.code.to_string()),
            sales,
        })),
    }
}

/// Whether a pass is an electronic one that somebody is to be sent.
pub fn is_for_somebody(pass: &Pass) -> bool {
    match &pass.origin {
        Origin::Issued(issued) => {
            let is_sent = issued.recipient.is_some() || issued.channel.is_some();
            is_sent && pass.mark != Some(Mark::Void)
        }
        Origin::Printed { .. } => false,
    }
}

/// An electronic pass; none where nobody said whom it is for, or where it is void.
pub fn pass_issued(
    programme: &Programme,
    plan: &PassPlan,
    pass: &Pass,
    told: Told,
    now: Instant,
) -> Option<FeedMessage> {
    let Origin::Issued(issued) = &pass.origin else { return None };
    if !is_for_somebody(pass) {
        return None;
    }
    Some(FeedMessage {
        id: format!("pass_issued:{}", pass_id(&pass.id)),
        kind: "pass_issued",
        participant_id: None,
        sequence: 1,
        at: Some(show_instant(issued.at, programme.zone)),
        what: What::Pass(Box::new(IssuedView {
            pass: pass_view(programme, plan, pass, now),
            code: told.code,
            pin: plan.pin.then_some(told.pin),
            recipient: issued.recipient.as_deref().map(str::to_owned),
            channel: issued.channel.as_deref().map(str::to_owned),
        })),
    })
}

/// The body that a webhook is sent.
///
/// # Errors
/// A message that does not serialize.
pub fn webhook(feed: &Feed, messages: &[FeedMessage]) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Webhook { feed: feed.id.as_str(), messages })
}
