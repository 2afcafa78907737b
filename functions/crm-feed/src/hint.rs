//! Hints: who is due at which target. They carry ids alone; what is told is read when it is told.

use std::collections::BTreeMap;

use harness::{Changes, Fault, InOrder, Room};
use sha2::{Digest, Sha256};
use store::{Change, Error, Noun};
use wire::csv::hex;
use wire::feed::{FeedHint, FeedHintMessage};

/// Sends a hint for each target and each participant or pass that changed.
pub async fn pass_on(room: &Room, changes: &Changes) -> Result<(), Fault> {
    let programme = match room.programme(changes.now).await {
        Ok(programme) => programme,
        // Without a programme there is no feed.
        Err(Fault::Store(Error::NotFound(Noun::Programme))) => return Ok(()),
        Err(fault) => return Err(fault),
    };
    let mut hints: BTreeMap<String, (FeedHint, String)> = BTreeMap::new();
    for changed in &changes.changes {
        for feed in &programme.feeds {
            let id = feed.id.clone();
            let hint = match &changed.what {
                Change::Participant(participant) if feed.wants_participants() => {
                    FeedHint::Participant { feed: id, participant: participant.clone() }
                }
                Change::Pass(pass) if feed.wants(domain::feed::FeedType::PassIssued) => {
                    FeedHint::Pass { feed: id, pass: pass.clone() }
                }
                Change::Alert(participant, alert) if programme.alerts_of(&id).contains(alert) => {
                    FeedHint::Participant { feed: id, participant: participant.clone() }
                }
                Change::Participant(_) | Change::Pass(_) | Change::Alert(..) => continue,
            };
            // The last change stands for those before it.
            hints.insert(group(&hint), (hint, changed.id.clone()));
        }
    }
    let hints: Vec<_> = hints.values().map(|(hint, change)| in_order(hint, change)).collect();
    room.send_in_order(&hints).await
}

/// A hint for the queue. `occasion` tells it from other hints for the same.
pub fn in_order(hint: &FeedHint, occasion: &str) -> InOrder<FeedHintMessage> {
    let group = group(hint);
    let once = digest(&[&group, occasion]);
    InOrder { group, once, message: hint.into() }
}

/// Of what a hint is about there is one delivery at a time, also where a call brings
/// several hints of it.
pub fn group(hint: &FeedHint) -> String {
    match hint {
        FeedHint::Participant { feed, participant } => {
            digest(&["participant", feed.as_str(), participant.as_str()])
        }
        FeedHint::Pass { feed, pass } => {
            digest(&["pass", feed.as_str(), pass.plan.as_str(), &pass.serial.to_string()])
        }
        FeedHint::Replay { feed, run, shard, .. } => {
            digest(&["replay", feed.as_str(), run, &shard.to_string()])
        }
    }
}

/// A name of these texts, of characters that a queue takes.
pub fn digest(texts: &[&str]) -> String {
    hex(&Sha256::digest(texts.join("\n").as_bytes())[..20])
}
