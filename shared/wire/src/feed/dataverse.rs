//! Messages for Dynamics 365 Dataverse: one OData batch with one changeset of upserts.

use std::fmt::Write;

use domain::feed::TargetUrl;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{FeedMessage, What};
use crate::answer::TransactionRow;
use crate::csv::hex;

/// Where the OData service is, below the address of the organisation.
const SERVICE: &str = "/api/data/v9.2";

/// A batch: where it goes, its media type, and its bytes.
pub struct Batch {
    pub path: String,
    pub content_type: String,
    pub body: Vec<u8>,
}

/// One upsert by its alternate key.
struct Upsert {
    table: &'static str,
    key: String,
    columns: Map<String, Value>,
}

/// Everything in one changeset: all or nothing is written. An upsert of what is there already
/// writes the same again.
///
/// # Errors
/// A message that does not serialize.
pub fn batch(organisation: &TargetUrl, messages: &[FeedMessage]) -> serde_json::Result<Batch> {
    let service = format!("{}{SERVICE}", organisation.origin());
    let mut parts = String::new();
    let mut number = 0;
    let mut upserts = Vec::new();
    for message in messages {
        upserts.extend(upserts_of(message)?);
    }
    let seed: Vec<&str> = messages.iter().map(|message| message.id.as_str()).collect();
    let mark = hex(&Sha256::digest(seed.join("\n").as_bytes())[..12]);
    let changeset = format!("changeset_{mark}");
    for Upsert { table, key, columns } in upserts {
        number += 1;
        let (key, body) = (escaped(&key), Value::Object(columns));
        // Writing to a text cannot fail.
        let _ = write!(
            parts,
            "--{changeset}\r\nContent-Type: application/http\r\n\
             Content-Transfer-Encoding: binary\r\nContent-ID: {number}\r\n\r\n\
             PATCH {service}/{table}(accrue_key='{key}') HTTP/1.1\r\n\
             Content-Type: application/json; type=entry\r\n\r\n{body}\r\n"
        );
    }
    let body = format!(
        "--batch_{mark}\r\nContent-Type: multipart/mixed; boundary={changeset}\r\n\r\n\
         {parts}--{changeset}--\r\n\r\n--batch_{mark}--\r\n"
    );
    Ok(Batch {
        path: format!("{SERVICE}/$batch"),
        content_type: format!("multipart/mixed; boundary=batch_{mark}"),
        body: body.into_bytes(),
    })
}

/// Whether every answer within the answer to a batch says that it was done.
pub fn all_done(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let statuses: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("HTTP/1.1 ")).collect();
    !statuses.is_empty() && statuses.iter().all(|status| status.starts_with('2'))
}

fn upserts_of(message: &FeedMessage) -> serde_json::Result<Vec<Upsert>> {
    let participant = message.participant_id.as_deref().unwrap_or_default();
    let base = |key: String, more: Value| {
        let mut columns = Map::new();
        columns.insert("accrue_participant".to_owned(), json!(participant));
        columns.insert("accrue_sequence".to_owned(), json!(message.sequence));
        columns.insert("accrue_at".to_owned(), json!(message.at));
        columns.extend(more.as_object().cloned().unwrap_or_default());
        (key, columns)
    };
    let upsert = |table, (key, columns)| Upsert { table, key, columns };
    Ok(match &message.what {
        What::Transaction(entry) if entry.rows.is_empty() => {
            let more = json!({ "accrue_code": entry.code, "accrue_kind": "block",
                "accrue_cause": entry.cause, "accrue_reason": entry.reason });
            vec![upsert("accrue_movements", base(format!("{}:0", entry.code), more))]
        }
        What::Transaction(entry) => {
            let row = |(at, row): (usize, &TransactionRow)| {
                let more = json!({ "accrue_code": row.code, "accrue_kind": row.kind,
                    "accrue_balance": row.balance, "accrue_amount": row.amount,
                    "accrue_available_after": row.available_after, "accrue_cause": row.cause,
                    "accrue_offer": row.offer, "accrue_reason": row.reason });
                upsert("accrue_movements", base(format!("{}:{at}", entry.code), more))
            };
            entry.rows.iter().enumerate().map(row).collect()
        }
        What::Profile(profile) => {
            let more = json!({
                "accrue_first_name": profile.first_name, "accrue_last_name": profile.last_name,
                "accrue_email": profile.email, "accrue_phone": profile.phone,
                "accrue_locale": profile.locale, "accrue_birthday": profile.birthday,
                "accrue_area": profile.area,
                "accrue_tags": serde_json::to_string(&profile.tags)?,
                "accrue_flags": serde_json::to_string(&profile.flags)?,
            });
            vec![upsert("accrue_participants", base(participant.to_owned(), more))]
        }
        What::Consent(consent) => {
            let more = json!({ "accrue_channel": consent.channel,
                "accrue_granted": consent.granted, "accrue_source": consent.source,
                "accrue_process": consent.process });
            let key = format!("{participant}:{}", consent.channel);
            vec![upsert("accrue_consents", base(key, more))]
        }
        What::Pass(issued) => {
            let more = json!({ "accrue_code": issued.code, "accrue_pin": issued.pin,
                "accrue_recipient": issued.recipient, "accrue_channel": issued.channel,
                "accrue_balance": issued.pass.balance, "accrue_value": issued.pass.value,
                "accrue_redeemable_until": issued.pass.redeemable_until });
            vec![upsert("accrue_passes", base(issued.pass.pass_id.clone(), more))]
        }
        What::Alert(alert) => {
            let more = json!({ "accrue_alert": alert.alert, "accrue_segment": alert.segment,
                "accrue_joined": alert.joined, "accrue_currency": alert.currency,
                "accrue_sales": serde_json::to_string(&alert.sales)? });
            let key = format!("{participant}:{}", alert.alert);
            vec![upsert("accrue_alerts", base(key, more))]
        }
    })
}

/// A key as it stands in an address, within single quotes.
fn escaped(key: &str) -> String {
    let mut escaped = String::new();
    for byte in key.bytes() {
        match byte {
            b'\'' => escaped.push_str("%27%27"),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                escaped.push(char::from(byte));
            }
            _ => {
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}
