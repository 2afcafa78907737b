//! Asking a stack to verify its ledgers, and its one document for people.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::client::{Client, key};

/// Between two looks at how far it is.
const PAUSE: Duration = Duration::from_millis(500);
/// Looks without an answer that are put up with, one after the other.
const PATIENCE: u32 = 10;

/// Verifies everybody, or one participant, and waits for the document. It is asked for under one
/// key, so an answer that is lost begins nothing twice.
///
/// # Errors
/// The stack does not answer, refuses, or gives the verification up.
pub async fn verify(client: &Client, participant: Option<&str>) -> Result<Value> {
    let body = participant.map_or(json!({}), |id| json!({ "participant_id": id }));
    let started = client.post("/v1/verifications", &key(), &body).await?;
    if started.status != 202 {
        bail!("not started ({}): {}", started.status, started.text("/detail"));
    }
    let id = started.text("/verification_id").to_owned();
    let mut unanswered = 0;
    loop {
        match client.get(&format!("/v1/verifications/{id}")).await {
            Ok(answer) if answer.status == 200 => {
                unanswered = 0;
                match answer.text("/status") {
                    "running" => {}
                    "completed" => return Ok(answer.body),
                    other => bail!("verification {id} has {other}: {}", answer.body),
                }
            }
            Ok(answer) if answer.status < 500 => bail!("{}: {}", answer.status, answer.body),
            Ok(_) | Err(_) => {
                unanswered += 1;
                if unanswered == PATIENCE {
                    bail!("verification {id} goes on, and nobody tells of it");
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether nothing disagrees.
pub fn agrees(document: &Value) -> bool {
    document.get("agrees").and_then(Value::as_bool) == Some(true)
}

/// The document in lines, findings first.
///
/// # Errors
/// It is none.
pub fn lines(document: &Value) -> Result<Vec<String>> {
    let list = |name: &str| document.get(name).and_then(Value::as_array).context("no document");
    let text = |of: &Value, name: &str| {
        of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut lines = Vec::new();
    for finding in list("findings")? {
        let subject = finding.get("subject").and_then(Value::as_object);
        let named = subject.into_iter().flatten().map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{name} {value}")
        });
        let named: Vec<String> = named.collect();
        lines.push(format!("✗ {}: {}", text(finding, "kind"), named.join(", ")));
        lines.push(format!("    {}", text(finding, "detail")));
    }
    let found = document.get("findings_count").and_then(Value::as_u64).unwrap_or(0);
    let told = u64::try_from(list("findings")?.len())?;
    if found > told {
        lines.push(format!("… and {} more", found - told));
    }
    for (moved, what) in [("quotas_moved", "quota"), ("stocks_moved", "stock")] {
        for of in list(moved)? {
            let of = of.as_str().unwrap_or_default();
            lines.push(format!("· the {what} of {of} was in use and is not compared"));
        }
    }
    let counts = document.get("counts").and_then(Value::as_object).context("no counts")?;
    let counts: Vec<String> =
        counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    lines.push(format!("As of {}: {}.", text(document, "as_of"), counts.join(", ")));
    lines.push(match found {
        0 => "Nothing disagrees.".to_owned(),
        1 => "1 finding.".to_owned(),
        more => format!("{more} findings."),
    });
    Ok(lines)
}
