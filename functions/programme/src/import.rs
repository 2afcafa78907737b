//! Files of participants, row by row: each as if it were sent alone, so that a file may be sent
//! again at any time, whole or in part.

use std::collections::BTreeMap;

use domain::id::Key;
use domain::participant::ProfileChange;
use domain::programme::Programme;
use futures_util::{StreamExt, stream};
use harness::{Answer, Fault, Request, Room};
use serde_json::{Value, json};
use wire::fault::BodyFault;
use wire::import::{ImportRow, parse_import, parse_import_row, sent_opening};

use crate::adjust::{self, refused};
use crate::people;

/// Participants whose rows are taken in at the same time.
const AT_ONCE: usize = 16;

type Row = (usize, Result<Value, BodyFault>);

/// `POST /v1/participant-imports`: rows of one participant are taken in their order.
pub async fn post(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.required_key()?;
    let rows = parse_import(&request.body()?)?;
    let programme = room.programme(request.now).await?;
    request.may_act_at(&programme, None)?;
    let mut of_one: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for (index, row) in rows.into_iter().enumerate() {
        let named = |row: &Value| row["participant_id"].as_str().unwrap_or_default().to_owned();
        of_one.entry(row.as_ref().map(named).unwrap_or_default()).or_default().push((index, row));
    }
    let (programme, key) = (&*programme, &key);
    let done = stream::iter(of_one.into_values())
        .map(|rows| take_in(room, request, programme, key, rows))
        .buffer_unordered(AT_ONCE);
    let mut outcomes: Vec<(usize, Value)> =
        done.collect::<Vec<_>>().await.into_iter().flatten().collect();
    outcomes.sort_by_key(|(index, _)| *index);
    let taken = outcomes.iter().filter(|(_, outcome)| is_good(outcome)).count();
    let refused = outcomes.len() - taken;
    let outcomes: Vec<Value> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    Answer::json(200, &json!({ "taken": taken, "refused": refused, "outcomes": outcomes }))
}

async fn take_in(
    room: &Room,
    request: &Request,
    programme: &Programme,
    key: &Key,
    rows: Vec<Row>,
) -> Vec<(usize, Value)> {
    let mut outcomes = Vec::new();
    for (index, row) in rows {
        let outcome = match row {
            Ok(row) => take_in_row(room, request, programme, key, index, &row).await,
            Err(wrong) => Err(wrong.into()),
        };
        outcomes.push((index, outcome.unwrap_or_else(|fault| refused(index, fault))));
    }
    outcomes
}

/// First who it is, then the points: whoever sends the row again goes on where it ended.
async fn take_in_row(
    room: &Room,
    request: &Request,
    programme: &Programme,
    key: &Key,
    index: usize,
    row: &Value,
) -> Result<Value, Fault> {
    let ImportRow { participant, update, opening } = parse_import_row(row, programme, request.now)?;
    let booked = match (&opening, sent_opening(row)) {
        // Perhaps the points were booked before the programme changed.
        (Some(Err(wrong)), Some(sent)) => {
            Some(adjust::sent_before(room, request, index, sent, wrong.clone()).await)
        }
        (Some(_) | None, _) => None,
    };
    if let Some(refused) = booked.as_ref().filter(|booked| !is_good(booked)) {
        return Ok(refused.clone());
    }
    let profile = update.profile.clone().map_or(ProfileChange::Keep, ProfileChange::Fill);
    let process = format!("import {key}");
    let changed =
        people::change(room, request, &participant, profile, &update, Some(&process)).await?;
    let booked = match opening {
        Some(Ok(opening)) => {
            let rows = vec![(index, opening)];
            adjust::book(room, request.now, programme, rows).await.pop().map(|(_, booked)| booked)
        }
        Some(Err(_)) | None => booked,
    };
    let mut outcome = booked.unwrap_or_else(
        || json!({ "index": index, "status": if changed.new { 201 } else { 200 } }),
    );
    outcome["changed"] = json!(changed.changed);
    Ok(outcome)
}

fn is_good(outcome: &Value) -> bool {
    outcome["status"].as_u64().is_some_and(|status| status < 300)
}
