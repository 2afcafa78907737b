//! Erasure: at once for whoever asks, and gone through to the end from the queue.

use domain::refusal::Refusal;
use domain::time::show_instant;
use harness::{Answer, Fault, Request, Room};
use serde_json::json;
use wire::message::EvaluationMessage;

use crate::handler::participant;

/// `DELETE /v1/participants/{participant}`: 202 until nothing personal is left, then 200. Asked
/// again, it asks again for what is left. A merged duplicate is erased with who stays.
pub async fn delete(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let id = participant(request)?;
    let programme = room.programme(request.now).await?;
    // What was known of a duplicate is known of who stays: that is who is erased.
    if room.store.wallet(&id).await?.merged_into.is_some() {
        return Err(Refusal::ParticipantMerged.into());
    }
    let erased = room.store.erase(&programme, request.now, &id).await?;
    let runs = erased.below.is_some();
    if runs {
        room.send(&EvaluationMessage::Erase { participant: id.to_string() }).await?;
    }
    let (code, status) = if runs { (202, "running") } else { (200, "completed") };
    let erased_at = show_instant(erased.at, programme.zone);
    let answer = json!({ "id": id.as_str(), "erased_at": erased_at, "status": status });
    Answer::json(code, &answer)
}
