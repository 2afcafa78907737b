//! Where what is secret could stand: items of the table, messages, files.

use std::io::Read;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::{DeflateDecoder, GzDecoder};
use scenarios::client::Client;
use scenarios::stack::Stack;
use serde_json::{Value, json};

use crate::queues::queue;

/// Most of an identifier that may be kept, and one more: what must not be found.
const PIECE: usize = 7;

/// All runs of seven characters of an identifier: whoever holds one of them holds more than is
/// kept.
pub fn pieces(identifier: &str) -> Vec<String> {
    let all: Vec<char> = identifier.chars().collect();
    all.windows(PIECE).map(|piece| piece.iter().collect()).collect()
}

/// Whether bytes hold any of the pieces.
pub fn holds(bytes: &[u8], pieces: &[String]) -> bool {
    pieces.iter().any(|piece| bytes.windows(piece.len()).any(|at| at == piece.as_bytes()))
}

/// A call of the table service, as the operator.
pub async fn table(stack: &Stack, action: &str, mut body: Value) -> Value {
    body["TableName"] = stack.ready["table"].clone();
    service(stack, "table_endpoint", &format!("DynamoDB_20120810.{action}"), &body).await
}

/// A call of the secrets service for the secret of pass codes, as the operator.
pub async fn pass_secret(stack: &Stack, action: &str, body: Value) -> Value {
    secret(stack, "PassSecret", action, body).await
}

/// A call of the secrets service for a secret, as the operator.
pub async fn secret(stack: &Stack, name: &str, action: &str, mut body: Value) -> Value {
    body["SecretId"] = json!(name);
    service(stack, "secret_endpoint", &format!("secretsmanager.{action}"), &body).await
}

/// A call of a service, as the operator.
pub async fn service(stack: &Stack, endpoint: &str, target: &str, body: &Value) -> Value {
    let text = |name: &str| stack.ready[name].as_str().unwrap();
    let scope = format!("{}/20260101/{}/any/aws4_request", text("access_key_id"), text("region"));
    let signature = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
    let headers = [
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-target", target),
        ("x-amz-date", "20260101T000000Z"),
        ("authorization", signature.as_str()),
    ];
    let client = Client::new(text(endpoint), "").unwrap();
    let body = Some(body.to_string().into_bytes());
    let answer = client.raw("POST", "/", &headers, body).await.unwrap();
    assert_eq!(answer.status, 200, "{target}: {answer:?}");
    answer.body
}

/// An item of the table: its partition, and its attributes with what inflates in them.
pub struct Item {
    pub partition: String,
    pub bytes: Vec<Vec<u8>>,
}

/// Every item of the table.
pub async fn items(stack: &Stack) -> Vec<Item> {
    let (mut items, mut start) = (Vec::new(), Value::Null);
    loop {
        let mut body = json!({ "ConsistentRead": true });
        if !start.is_null() {
            body["ExclusiveStartKey"] = start;
        }
        let page = table(stack, "Scan", body).await;
        items.extend(page["Items"].as_array().unwrap().iter().map(item));
        start = page["LastEvaluatedKey"].clone();
        if start.is_null() {
            return items;
        }
    }
}

fn item(item: &Value) -> Item {
    let mut bytes = Vec::new();
    for (name, value) in item.as_object().unwrap() {
        bytes.push(name.clone().into_bytes());
        let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
        let text = value.as_str().unwrap_or_else(|| panic!("{name} is of type {kind}"));
        if kind == "B" {
            let raw = STANDARD.decode(text).unwrap();
            // A record may begin with its version.
            bytes.extend((0..raw.len().min(4)).map(|from| inflated(&raw[from..])));
            bytes.push(raw);
        } else {
            bytes.push(text.as_bytes().to_vec());
        }
    }
    Item { partition: item["pk"]["S"].as_str().unwrap().to_owned(), bytes }
}

/// As much as inflates.
fn inflated(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let _until_it_is_no_deflate = DeflateDecoder::new(bytes).read_to_end(&mut out);
    out
}

/// Makes a wallet unreadable: its record says a version that no build knows.
pub async fn spoil_wallet(stack: &Stack, participant: &str) {
    let key = json!({ "pk": { "S": format!("P#{participant}") }, "sk": { "S": "S" } });
    let asked = json!({ "Key": key, "ConsistentRead": true });
    let mut item = table(stack, "GetItem", asked).await["Item"].clone();
    let fields = item.as_object_mut().unwrap().values_mut();
    let record = fields.filter_map(|value| value.get_mut("B")).next().unwrap();
    let mut bytes = STANDARD.decode(record.as_str().unwrap()).unwrap();
    bytes[0] = u8::MAX;
    *record = json!(STANDARD.encode(bytes));
    table(stack, "PutItem", json!({ "Item": item })).await;
}

/// The bodies of what lies in a queue.
pub async fn messages(stack: &Stack, name: &str) -> Vec<String> {
    let mut bodies = Vec::new();
    loop {
        let asked = json!({ "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0 });
        let answer = queue(stack, "ReceiveMessage", name, asked).await;
        let received = answer["Messages"].as_array().cloned().unwrap_or_default();
        if received.is_empty() {
            return bodies;
        }
        bodies.extend(received.iter().map(|message| message["Body"].as_str().unwrap().to_owned()));
    }
}

/// Files below a folder that hold any of the pieces.
pub fn files(folder: &Path, pieces: &[String]) -> Vec<String> {
    files_where(folder, &mut |bytes| holds(bytes, pieces))
}

/// What a file of an export holds; nothing of another.
fn unzipped(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let _until_it_is_no_file_of_that_kind = GzDecoder::new(bytes).read_to_end(&mut out);
    out
}

/// Files below a folder of whose bytes this is true, as they are or unzipped.
pub fn files_where(folder: &Path, is: &mut dyn FnMut(&[u8]) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_where(&path, is));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        if is(&unzipped(&bytes)) || is(&bytes) {
            found.push(path.display().to_string());
        }
    }
    found
}
