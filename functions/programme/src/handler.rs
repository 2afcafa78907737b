//! Routes of the programme document and of participants.

use std::sync::Arc;

use domain::id::ParticipantId;
use harness::{Answer, Fault, Invocation, Reply, Request, Room};
use serde_json::json;
use store::Noun;
use wire::answer;
use wire::participant::parse_block;
use wire::programme::parse_programme;

use crate::succession::compare;
use crate::{adjust, coupons, data, erase, import, merge, people, reads, suppress};

/// Routes to what is asked for.
pub async fn handle(room: Arc<Room>, invocation: Invocation) -> Reply {
    let Invocation::Http(request) = invocation else { return Reply::unexpected() };
    let (room, request) = (&*room, &request);
    Reply::Http(match request.route.as_str() {
        "PUT /v1/programme" => put_programme(room, request).await,
        "GET /v1/programme" => get_active(room).await,
        "GET /v1/programme/versions/{version}" => get_version(room, request).await,
        "POST /v1/programme/versions/{version}/activate" => activate(room, request).await,
        "PUT /v1/participants/{participant}" => people::put(room, request).await,
        "GET /v1/participants/{participant}" => people::get(room, request).await,
        "DELETE /v1/participants/{participant}" => erase::delete(room, request).await,
        "GET /v1/participants/{participant}/data" => data::get(room, request).await,
        "POST /v1/participant-lookups" => people::look_up(room, request).await,
        "POST /v1/participant-imports" => import::post(room, request).await,
        "POST /v1/suppressions" => suppress::post(room, request).await,
        "POST /v1/participants/{participant}/block-spending" => block(room, request).await,
        "POST /v1/participants/{participant}/adjustments" => adjust::post(room, request).await,
        "POST /v1/participants/{participant}/merges" => merge::post(room, request).await,
        "POST /v1/adjustments" => adjust::import(room, request).await,
        "GET /v1/participants/{participant}/wallet" => reads::wallet(room, request).await,
        "GET /v1/participants/{participant}/transactions" => {
            reads::transactions(room, request).await
        }
        "GET /v1/participants/{participant}/events" => reads::events(room, request).await,
        "GET /v1/transactions/{code}" => reads::transaction(room, request).await,
        "GET /v1/coupons" => coupons::list(room, request).await,
        "POST /v1/coupons/{coupon}/codes" => coupons::upload(room, request).await,
        _ => return Reply::unexpected(),
    })
}

/// The participant of the path.
pub fn participant(request: &Request) -> Result<ParticipantId, Fault> {
    request.path("participant", ParticipantId::parse, Noun::Participant)
}

async fn put_programme(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let document = request.document()?;
    // The number is given when it is stored; it takes no part in what makes a document valid.
    let programme = parse_programme(&document, 0)?;
    let after = compare(room, &programme).await?;
    if request.query("dry_run", |text| text.parse::<bool>().ok())? == Some(true) {
        return Answer::json(200, &json!({ "valid": true }));
    }
    let version = room.store.put_programme(&document, &after).await?;
    Answer::json(200, &json!({ "version": version }))
}

async fn get_active(room: &Room) -> Result<Answer, Fault> {
    let version = room.store.active_programme(true).await?;
    Ok(Answer::document(200, room.store.programme(version).await?))
}

fn version(request: &Request) -> Result<u64, Fault> {
    request.path("version", str::parse::<u64>, Noun::Programme)
}

async fn get_version(room: &Room, request: &Request) -> Result<Answer, Fault> {
    Ok(Answer::document(200, room.store.programme(version(request)?).await?))
}

async fn activate(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let version = version(request)?;
    // What an older version of this code accepted must be valid still.
    let programme = parse_programme(&room.store.programme(version).await?, version)?;
    let after = compare(room, &programme).await?;
    room.store.activate_programme(version, &after).await?;
    Answer::json(200, &json!({ "version": version }))
}

async fn block(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let id = participant(request)?;
    let asked = parse_block(&request.body()?)?;
    let programme = room.programme(request.now).await?;
    let (now, store) = (request.now, &room.store);
    let done = store.block_spending(&programme, now, &id, asked.blocked, &asked.reason).await?;
    Answer::json(200, &answer::wallet(&programme, &done.wallet, now))
}
