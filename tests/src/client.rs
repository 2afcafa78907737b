//! A caller of the API, as a till or a bonus backend would be.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::Value;
use tokio::runtime::{Handle, Id};
use uuid::{NoContext, Timestamp, Uuid};

/// Calls the API with one token.
#[derive(Clone, Debug)]
pub struct Client {
    /// One for each runtime, as each test has its own: connections end with theirs.
    http: Arc<Mutex<HashMap<Id, reqwest::Client>>>,
    api: String,
    token: String,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub media_type: String,
    /// A string where it was CSV; null where it was neither that nor JSON.
    pub body: Value,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub key: Option<&'a str>,
    pub body: Option<&'a Value>,
}

impl Client {
    /// A client of the API at this address.
    pub fn new(api: &str, token: &str) -> Result<Client> {
        Ok(Client { http: Arc::default(), api: api.to_owned(), token: token.to_owned() })
    }

    fn http(&self) -> Result<reqwest::Client> {
        let runtime = Handle::current().id();
        let mut known = self.http.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(http) = known.get(&runtime) {
            return Ok(http.clone());
        }
        // Scenarios share a stack, each with a runtime of its own: a kept connection would end with
        // the scenario that opened it.
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(60))
            .pool_max_idle_per_host(0)
            .build()?;
        known.insert(runtime, http.clone());
        Ok(http)
    }

    /// The same caller with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Client {
        Client { token: token.to_owned(), ..self.clone() }
    }

    /// Sends one call.
    ///
    /// # Errors
    /// No answer came.
    pub async fn send(&self, call: &Call<'_>) -> Result<Answer> {
        let body = call.body.map(|body| body.to_string().into_bytes());
        let headers: Vec<(&str, &str)> =
            call.key.iter().map(|key| ("idempotency-key", *key)).collect();
        self.raw(call.method, call.path, &headers, body).await
    }

    /// Sends any bytes with any headers.
    ///
    /// # Errors
    /// No answer came.
    pub async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Result<Answer> {
        let method = Method::from_bytes(method.as_bytes())?;
        let mut request = self.http()?.request(method, format!("{}{path}", self.api));
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.context("no answer")?;
        let status = response.status().as_u16();
        let media_type = response.headers().get("content-type");
        let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
        let bytes = response.bytes().await.context("half an answer")?;
        let body = match media_type.starts_with("text/csv") {
            true => Value::String(String::from_utf8_lossy(&bytes).into_owned()),
            false => serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        };
        Ok(Answer { status, media_type, body })
    }

    /// `GET`.
    ///
    /// # Errors
    /// No answer came.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(&Call { method: "GET", path, key: None, body: None }).await
    }

    /// `POST` under a key.
    ///
    /// # Errors
    /// No answer came.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Result<Answer> {
        self.send(&Call { method: "POST", path, key: Some(key), body: Some(body) }).await
    }

    /// `PUT`.
    ///
    /// # Errors
    /// No answer came.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(&Call { method: "PUT", path, key: None, body: Some(body) }).await
    }

    /// Fetches bytes from an address of its own, such as a link to a file.
    ///
    /// # Errors
    /// No answer came, or not 200.
    pub async fn fetch(&self, url: &str) -> Result<Vec<u8>> {
        let response = self.http()?.get(url).send().await?.error_for_status()?;
        Ok(response.bytes().await?.to_vec())
    }
}

/// A key that carries this time, in milliseconds since 1970.
pub fn key_at(millis: u64) -> String {
    let nanos = u32::try_from(millis % 1_000).unwrap_or(0) * 1_000_000;
    Uuid::new_v7(Timestamp::from_unix(NoContext, millis / 1_000, nanos)).to_string()
}

/// A key that carries the present time.
pub fn key() -> String {
    Uuid::now_v7().to_string()
}

impl Answer {
    /// The value at a JSON pointer, as text; empty where there is none.
    pub fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}

/// The present time, RFC 3339.
pub fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
