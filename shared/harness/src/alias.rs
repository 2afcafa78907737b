//! Aliases at the edge: looked up by their keyed hashes before a body goes on.

use std::borrow::Cow;
use std::sync::Arc;

use domain::alias::{Alias, AliasKeys, Marks};
use domain::id::ParticipantId;
use domain::time::Instant;
use serde_json::Value;
use tokio::sync::Mutex;
use wire::alias::{name_participant, sent_alias};
use wire::event::parse_json;

use crate::fault::Fault;
use crate::http::Request;
use crate::room::Room;

/// How long what was read of the secret holds, in milliseconds. A key waits longer than that
/// behind `next:` before it makes aliases.
const FRESH: i64 = 60_000;

/// The secret of aliases as this process knows it.
pub struct AliasSecret {
    client: aws_sdk_secretsmanager::Client,
    id: String,
    known: Mutex<Option<(Arc<AliasKeys>, Instant)>>,
}

impl AliasSecret {
    /// The secret of this name or ARN; it is read when it is needed.
    pub(crate) fn new(client: aws_sdk_secretsmanager::Client, id: String) -> AliasSecret {
        AliasSecret { client, id, known: Mutex::default() }
    }

    /// The keys: at most a minute old. Where they cannot be read, nothing goes on: another process
    /// may know one more.
    ///
    /// # Errors
    /// A failure.
    pub async fn keys(&self, now: Instant) -> Result<Arc<AliasKeys>, Fault> {
        let mut known = self.known.lock().await;
        if let Some((keys, read)) = known.as_ref()
            && now.0.saturating_sub(read.0) < FRESH
        {
            return Ok(keys.clone());
        }
        let value = self.client.get_secret_value().secret_id(&self.id).send().await;
        let value = value.map_err(|_| Fault::Unavailable("secrets"))?;
        let keys = value.secret_string().and_then(AliasKeys::parse).map(Arc::new);
        let keys = keys.ok_or(Fault::Internal("the secret of aliases is no list of keys"))?;
        *known = Some((keys.clone(), now));
        Ok(keys)
    }
}

impl Room {
    /// Aliases under all keys.
    ///
    /// # Errors
    /// A failure.
    pub async fn marks(&self, now: Instant, aliases: &[Alias]) -> Result<Vec<Marks>, Fault> {
        if aliases.is_empty() {
            return Ok(Vec::new());
        }
        let keys = self.aliases()?.keys(now).await?;
        Ok(aliases.iter().map(|alias| keys.marks(alias)).collect())
    }

    /// Who has an alias.
    ///
    /// # Errors
    /// `participant_not_found`, or a failure.
    pub async fn who_has(&self, now: Instant, alias: &Alias) -> Result<ParticipantId, Fault> {
        let keys = self.aliases()?.keys(now).await?;
        Ok(self.store.who_has(&keys.marks(alias)).await?)
    }

    /// A body with the id of whom it means in the place of its alias, if it has one. Under each of
    /// its names it means whom it meant first, for ever.
    ///
    /// # Errors
    /// `participant_not_found`, or a failure.
    pub async fn named<'a>(
        &self,
        now: Instant,
        body: &'a Value,
        names: &[String],
    ) -> Result<Cow<'a, Value>, Fault> {
        let Some(alias) = sent_alias(body) else { return Ok(Cow::Borrowed(body)) };
        let keys = self.aliases()?.keys(now).await?;
        let requests: Vec<_> = names.iter().map(|name| keys.request(&alias, name)).collect();
        let meant = self.store.who_was_meant(&keys.marks(&alias), &requests).await?;
        let mut body = body.clone();
        name_participant(&mut body, &meant);
        Ok(Cow::Owned(body))
    }

    /// The request with such a body; the names are made of the body.
    ///
    /// # Errors
    /// As of [`Room::named`].
    pub async fn named_request<'a>(
        &self,
        request: &'a Request,
        names: impl FnOnce(&Value) -> Vec<String>,
    ) -> Result<Cow<'a, Request>, Fault> {
        // What is no JSON is told by whoever parses it.
        let Ok(body) = parse_json(&request.body()?) else { return Ok(Cow::Borrowed(request)) };
        let known = self.named(request.now, &body, &names(&body)).await?;
        Ok(match known {
            Cow::Borrowed(_) => Cow::Borrowed(request),
            Cow::Owned(body) => Cow::Owned(request.with_body(body.to_string().into_bytes())),
        })
    }
}
