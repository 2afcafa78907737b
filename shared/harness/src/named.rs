//! The secret of feeds: texts by name, so that the programme's document says which and never what.

use std::collections::HashMap;
use std::sync::Arc;

use domain::time::Instant;
use tokio::sync::Mutex;

use crate::fault::Fault;

/// How long what was read is taken for what there is, in milliseconds.
const FRESH: i64 = 60_000;

type Texts = Arc<HashMap<String, String>>;

/// A secret that is an object of texts, and what was read of it.
pub struct NamedSecrets {
    client: aws_sdk_secretsmanager::Client,
    id: String,
    known: Mutex<Option<(Texts, Instant)>>,
}

impl NamedSecrets {
    /// The secret of this name or ARN; it is read when it is needed.
    pub(crate) fn new(client: aws_sdk_secretsmanager::Client, id: String) -> NamedSecrets {
        NamedSecrets { client, id, known: Mutex::default() }
    }

    /// The text of this name; at most a minute old.
    ///
    /// # Errors
    /// A failure: also where there is none of this name.
    pub async fn text(&self, name: &str, now: Instant) -> Result<String, Fault> {
        let texts = self.texts(now).await?;
        let text = texts.get(name).cloned();
        text.ok_or(Fault::Internal("the secret of feeds has no text of a feed's name"))
    }

    /// Lets whoever asks next read the secret.
    pub(crate) async fn stale(&self) {
        *self.known.lock().await = None;
    }

    async fn texts(&self, now: Instant) -> Result<Texts, Fault> {
        let mut known = self.known.lock().await;
        if let Some((texts, read)) = known.as_ref()
            && (read.0..read.0.saturating_add(FRESH)).contains(&now.0)
        {
            return Ok(texts.clone());
        }
        let value = self.client.get_secret_value().secret_id(&self.id).send().await;
        let value = value.map_err(|_| Fault::Unavailable("secrets"))?;
        let texts = value.secret_string().and_then(|text| serde_json::from_str(text).ok());
        let texts: Texts = texts.map(Arc::new).ok_or(Fault::Internal("the secret of feeds"))?;
        *known = Some((texts.clone(), now));
        Ok(texts)
    }
}
