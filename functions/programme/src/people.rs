//! Participants: registered and updated, read, and found by an alias.

use domain::id::ParticipantId;
use domain::participant::{ProfileChange, Provenance};
use harness::{Answer, Fault, Request, Room};
use serde_json::json;
use store::{Changed, Changing};
use wire::alias::parse_alias_lookup;
use wire::answer;
use wire::participant::{ParticipantUpdate, parse_participant};

use crate::handler::participant;

/// `PUT /v1/participants/{participant}`.
pub async fn put(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let id = participant(request)?;
    let update = parse_participant(&request.body()?, request.now)?;
    let programme = room.programme(request.now).await?;
    let profile = update.profile.clone().map_or(ProfileChange::Keep, ProfileChange::Replace);
    let changed = change(room, request, &id, profile, &update, None).await?;
    let status = if changed.new { 201 } else { 200 };
    Answer::json(status, &answer::participant(&id, &changed.participant, programme.zone))
}

/// Updates a participant with what was sent; `process` says by what, besides whom.
pub async fn change(
    room: &Room,
    request: &Request,
    id: &ParticipantId,
    profile: ProfileChange,
    update: &ParticipantUpdate,
    process: Option<&str>,
) -> Result<Changed, Fault> {
    let (at, by) = (request.now, request.who().into());
    let provenance = Provenance { at, by, process: process.map(Into::into) };
    let order = Changing {
        id,
        profile,
        consents: update.consents.clone(),
        adds: &room.marks(request.now, &update.aliases).await?,
        removes: &room.marks(request.now, &update.remove_aliases).await?,
        provenance: Some(&provenance),
        enrols: true,
    };
    Ok(room.store.change_participant(&order).await?)
}

/// `GET /v1/participants/{participant}`.
pub async fn get(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let id = participant(request)?;
    let programme = room.programme(request.now).await?;
    let known = room.store.participant(&id).await?;
    Answer::json(200, &answer::participant(&id, &known, programme.zone))
}

/// `POST /v1/participant-lookups`: an alias is personal, so it does not travel in a URL.
pub async fn look_up(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let alias = parse_alias_lookup(&request.body()?)?;
    let id = room.who_has(request.now, &alias).await?;
    Answer::json(200, &json!({ "participant_id": id.as_str() }))
}
