//! The tables: an embedded engine, behind a proxy that checks, counts and sums capacity.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use dynoxide::Database;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::engine;
use super::needs::Asked;
use crate::callers::{Caller, Callers};
use crate::capacity;
use crate::serve::{Answer, answer, aws_error, whole};
use crate::template::Table;

const MAX_BODY: usize = 16 * 1024 * 1024;
/// The engine looks whether a call is signed, not by whom.
const OWN: &str = "AWS4-HMAC-SHA256 Credential=local/20260101/local/dynamodb/aws4_request, \
                   SignedHeaders=host;x-amz-date, Signature=0";

/// The way to the engine.
pub struct Tables {
    engine: String,
    client: Client<HttpConnector, Full<Bytes>>,
    callers: Arc<Callers>,
    /// Told after every write.
    pub written: watch::Sender<()>,
}

/// Opens the engine (`file`, or memory, with drafts in `folder`), makes the tables that are missing, and serves it on a
/// thread of its own: its calls block, and one thread is all that SQLite can use.
pub fn open(
    file: Option<&Path>,
    folder: &Path,
    tables: &[Table],
    callers: Arc<Callers>,
    stop: watch::Receiver<bool>,
) -> Result<(Tables, std::thread::JoinHandle<()>)> {
    let database = engine::open(file, folder)?;
    for table in tables {
        make(&database, table).with_context(|| format!("table {}", table.table_name))?;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let engine = format!("http://{}/", listener.local_addr()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = std::thread::Builder::new().name("tables".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let mut stop = stop;
            let stopped = async move { drop(stop.wait_for(|stop| *stop).await) };
            if let Ok(listener) = TcpListener::from_std(listener)
                && let Err(error) =
                    dynoxide::server::serve_with_shutdown(listener, database, stopped).await
            {
                eprintln!("local: tables: {error}");
            }
        });
    })?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let (written, _) = watch::channel(());
    Ok((Tables { engine, client, callers, written }, thread))
}

fn make(database: &Database, table: &Table) -> Result<()> {
    let asked = serde_json::from_value(json!({"TableName": table.table_name}))?;
    if let Ok(found) = database.describe_table(asked) {
        return same(table, &serde_json::to_value(&found)?["Table"]);
    }
    let mut create = serde_json::to_value(table)?;
    create["BillingMode"] = Value::from("PAY_PER_REQUEST");
    let created = database.create_table(serde_json::from_value(create)?);
    created.map(drop).map_err(|error| anyhow!("{error}"))
}

/// A kept table whose keys differ would fail in stranger ways later.
fn same(table: &Table, found: &Value) -> Result<()> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Found {
        index_name: String,
        key_schema: Value,
        projection: crate::template::Projection,
    }
    let indexes = found.get("GlobalSecondaryIndexes").cloned().unwrap_or_else(|| json!([]));
    let indexes: Vec<Found> = serde_json::from_value(indexes)?;
    let keys = |keys: &Value| keys.as_array().cloned().unwrap_or_default();
    let equal = keys(&found["KeySchema"]) == keys(&serde_json::to_value(&table.key_schema)?)
        && indexes.len() == table.global_secondary_indexes.len()
        && table.global_secondary_indexes.iter().all(|wanted| {
            indexes.iter().any(|index| {
                index.index_name == wanted.index_name
                    && serde_json::to_value(&wanted.key_schema).is_ok_and(|k| k == index.key_schema)
                    && index.projection == wanted.projection
            })
        });
    let tells = |of: &Value| of["StreamViewType"].as_str().map(str::to_owned);
    let stream = table.stream_specification.as_ref().map(|stream| &stream.stream_view_type);
    if !equal || tells(&found["StreamSpecification"]).as_ref() != stream {
        bail!(
            "what is kept has other keys, indexes or streams than the template; use another --data"
        );
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answered {
    #[serde(default)]
    consumed_capacity: Value,
    #[serde(default, rename = "__type")]
    kind: String,
}

impl Tables {
    /// Answers one call.
    pub async fn handle(&self, request: Request<Incoming>) -> Answer {
        let (parts, body) = request.into_parts();
        let body = match whole(body, MAX_BODY).await {
            Ok(body) => body,
            Err(_) => {
                return aws_error(StatusCode::BAD_REQUEST, "SerializationException", "no body");
            }
        };
        let Some(caller) = self.callers.signer(&parts.headers) else {
            let message = "The security token included in the request is invalid.";
            return aws_error(StatusCode::BAD_REQUEST, "UnrecognizedClientException", message);
        };
        let action = super::action(&parts.headers).to_owned();
        let body = match permitted(caller, &action, body) {
            Ok(body) => body,
            Err(denied) => return *denied,
        };
        let mut forward = Request::new(Full::new(body));
        *forward.method_mut() = parts.method;
        *forward.uri_mut() = self.engine.parse().unwrap_or_default();
        for name in ["authorization", "content-type", "x-amz-date", "x-amz-target"] {
            if let Some(value) = parts.headers.get(name) {
                forward.headers_mut().insert(name, value.clone());
            }
        }
        match self.forward(forward).await {
            Ok((status, headers, body)) => {
                count(caller, &action, status, &body);
                if status.is_success() && is_write(&action) {
                    self.written.send_replace(());
                }
                let mut answer = answer(status, "", body);
                *answer.headers_mut() = headers;
                answer
            }
            Err(error) => {
                let message = format!("{error:#}");
                aws_error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", &message)
            }
        }
    }

    /// One call about streams, of the stack's own.
    pub async fn stream(&self, action: &str, body: &Value) -> Result<Value> {
        let request = Request::post(&self.engine)
            .header("authorization", OWN)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-date", "20260101T000000Z")
            .header("x-amz-target", format!("DynamoDBStreams_20120810.{action}"))
            .body(Full::new(body.to_string().into()))?;
        let (status, _, answered) = self.forward(request).await?;
        if !status.is_success() {
            bail!("{action}: {}", String::from_utf8_lossy(&answered));
        }
        Ok(serde_json::from_slice(&answered)?)
    }

    async fn forward(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, hyper::HeaderMap, Bytes)> {
        let (parts, body) = self.client.request(request).await?.into_parts();
        let mut headers = parts.headers;
        headers.remove(hyper::header::CONTENT_LENGTH);
        headers.remove(hyper::header::DATE);
        Ok((parts.status, headers, body.collect().await?.to_bytes()))
    }
}

fn is_write(action: &str) -> bool {
    matches!(
        action,
        "BatchWriteItem" | "DeleteItem" | "PutItem" | "TransactWriteItems" | "UpdateItem"
    )
}

/// The body to send on, if the caller may: one that asks for the capacity it consumes.
fn permitted(caller: &Caller, action: &str, body: Bytes) -> Result<Bytes, Box<Answer>> {
    let Ok(asked) = serde_json::from_slice::<Asked<'_>>(&body) else {
        // Not what any client sends; for the operator, the engine words the refusal.
        let refused = aws_error(StatusCode::BAD_REQUEST, "SerializationException", "not JSON");
        let known = caller.may(action, &[("dynamodb:(unreadable)", String::new())]);
        return known.map(|()| body).map_err(|_| Box::new(refused));
    };
    if let Err(message) = caller.may(action, &asked.needs(action)) {
        let refused = aws_error(StatusCode::BAD_REQUEST, "AccessDeniedException", &message);
        return Err(Box::new(refused));
    }
    let metered = matches!(
        action,
        "BatchGetItem"
            | "BatchWriteItem"
            | "DeleteItem"
            | "GetItem"
            | "PutItem"
            | "Query"
            | "Scan"
            | "TransactGetItems"
            | "TransactWriteItems"
            | "UpdateItem"
    );
    match asked.return_consumed_capacity.as_deref() {
        Some("TOTAL" | "INDEXES") => Ok(body),
        _ if !metered => Ok(body),
        None => Ok(spliced(&body)),
        Some(_) => {
            let mut all: Value = serde_json::from_slice(&body).unwrap_or_default();
            all["ReturnConsumedCapacity"] = Value::from("TOTAL");
            Ok(all.to_string().into())
        }
    }
}

/// `body`, an object, with one more entry in front: cheaper than writing it anew.
fn spliced(body: &Bytes) -> Bytes {
    const ENTRY: &[u8] = br#"{"ReturnConsumedCapacity":"TOTAL","#;
    let Some(open) = body.iter().position(|byte| *byte == b'{') else { return body.clone() };
    let rest = &body[open + 1..];
    if rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'}') {
        return body.clone();
    }
    let mut all = Vec::with_capacity(ENTRY.len() + rest.len());
    all.extend_from_slice(ENTRY);
    all.extend_from_slice(rest);
    all.into()
}

fn count(caller: &Caller, action: &str, status: StatusCode, body: &Bytes) {
    let Ok(answered) = serde_json::from_slice::<Answered>(body) else { return };
    if status.is_success() {
        let (written, read) = capacity::consumed(action, &answered.consumed_capacity);
        caller.consumed(written, read);
    } else if matches!(
        answered.kind.rsplit('#').next(),
        Some("ConditionalCheckFailedException" | "TransactionCanceledException")
    ) {
        caller.failed_condition();
    }
}
