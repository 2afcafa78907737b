//! What a function works with, built once per process.

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use domain::programme::Programme;
use domain::time::Instant;
use lambda_runtime::Error;
use serde::Serialize;
use store::Store;

use crate::alias::AliasSecret;
use crate::fault::Fault;
use crate::named::NamedSecrets;
use crate::outbound::Outbound;
use crate::programme::Cached;
use crate::queue::{InOrder, Message};
use crate::secret::Secret;

/// The roots that the service endpoints' certificates lead to: decoding a system's whole store
/// would take most of a start.
const ROOTS: &str = include_str!("roots.pem");

/// Messages that the queue takes in a call.
const MESSAGES: usize = 10;

/// Seconds until a message that was put off comes again for the first time.
const FIRST_DELAY: i32 = 10;
/// How often that time doubles: to 21 minutes.
const MOST_DOUBLED: u32 = 7;

/// How long a link to an export's file is valid.
const LINK: Duration = Duration::from_secs(900);

/// Which settings and clients a function needs besides the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    Table,
    /// The secrets of pass codes and of aliases.
    Spends,
    /// The secret of aliases.
    Aliases,
    /// The queue of evaluations, to send to, and the secret of aliases.
    Evaluations,
    /// Likewise, and the secret of pass codes.
    Events,
    /// The queue of evaluations, how often a message comes, and the bucket.
    Runs,
    /// The queue of exports, how often a message comes, and the bucket.
    Exports,
    /// The queue of verifications, and how often a message comes.
    Verifications,
    /// The secret of pass codes.
    Passes,
    /// The queue and the secret of feeds, the secret of pass codes, and the way out.
    Feeds,
}

/// A function's room.
pub struct Room {
    pub store: Store,
    programme: Cached,
    queue: Option<(aws_sdk_sqs::Client, String)>,
    /// How often a message comes before it is given up.
    tries: u32,
    bucket: Option<(aws_sdk_s3::Client, String)>,
    secret: Option<Secret>,
    feeds: Option<(Outbound, NamedSecrets)>,
    aliases: Option<AliasSecret>,
}

fn message_body(message: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(message).map_err(|_| Fault::Internal("message does not serialize"))
}

fn setting(name: &str) -> Result<String, Error> {
    std::env::var(name).map_err(|_| format!("the setting {name} is missing").into())
}

fn secret(config: &SdkConfig) -> Result<Secret, Error> {
    let client = aws_sdk_secretsmanager::Client::new(config);
    Ok(Secret::new(client, setting("PASS_SECRET_ID")?))
}

fn bucket(config: &SdkConfig) -> Result<(aws_sdk_s3::Client, String), Error> {
    let s3 = aws_sdk_s3::config::Builder::from(config).force_path_style(true).build();
    Ok((aws_sdk_s3::Client::from_conf(s3), setting("EXPORT_BUCKET")?))
}

async fn sdk_config() -> Result<SdkConfig, Error> {
    let roots = TrustStore::empty().with_pem_certificate(ROOTS.as_bytes());
    let tls = TlsContext::builder().with_trust_store(roots).build()?;
    let client = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(10))
        .build();
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(client)
        .retry_config(RetryConfig::standard().with_max_attempts(4))
        .timeout_config(timeouts);
    Ok(config.load().await)
}

fn alias_secret(config: &SdkConfig) -> Result<AliasSecret, Error> {
    let client = aws_sdk_secretsmanager::Client::new(config);
    Ok(AliasSecret::new(client, setting("ALIAS_SECRET_ID")?))
}

impl Room {
    /// Reads the settings and builds the clients.
    pub(crate) async fn open(needs: Needs) -> Result<Room, Error> {
        let config = sdk_config().await?;
        let mut room = Room {
            store: store::open(&config, setting("TABLE_NAME")?),
            programme: Cached::default(),
            queue: None,
            tries: u32::MAX,
            bucket: None,
            secret: None,
            feeds: None,
            aliases: None,
        };
        let sqs = || aws_sdk_sqs::Client::new(&config);
        match needs {
            Needs::Table => {}
            Needs::Spends => {
                room.secret = Some(secret(&config)?);
                room.aliases = Some(alias_secret(&config)?);
            }
            Needs::Aliases => room.aliases = Some(alias_secret(&config)?),
            Needs::Evaluations => {
                room.queue = Some((sqs(), setting("EVALUATION_QUEUE_URL")?));
                room.aliases = Some(alias_secret(&config)?);
            }
            Needs::Events => {
                room.queue = Some((sqs(), setting("EVALUATION_QUEUE_URL")?));
                room.secret = Some(secret(&config)?);
                room.aliases = Some(alias_secret(&config)?);
            }
            Needs::Runs => {
                room.queue = Some((sqs(), setting("EVALUATION_QUEUE_URL")?));
                room.tries = setting("EVALUATION_TRIES")?.parse()?;
                room.bucket = Some(bucket(&config)?);
            }
            Needs::Exports => {
                room.queue = Some((sqs(), setting("EXPORT_QUEUE_URL")?));
                room.tries = setting("EXPORT_TRIES")?.parse()?;
                room.bucket = Some(bucket(&config)?);
            }
            Needs::Verifications => {
                room.queue = Some((sqs(), setting("VERIFICATION_QUEUE_URL")?));
                room.tries = setting("VERIFICATION_TRIES")?.parse()?;
            }
            Needs::Passes => room.secret = Some(secret(&config)?),
            Needs::Feeds => {
                room.queue = Some((sqs(), setting("FEED_QUEUE_URL")?));
                room.secret = Some(secret(&config)?);
                let client = aws_sdk_secretsmanager::Client::new(&config);
                let named = NamedSecrets::new(client, setting("FEED_SECRET_ID")?);
                room.feeds = Some((Outbound::open()?, named));
            }
        }
        Ok(room)
    }

    /// The active programme.
    ///
    /// # Errors
    /// `programme_not_found` before the first one, or a failure.
    pub async fn programme(&self, now: Instant) -> Result<Arc<Programme>, Fault> {
        self.programme.active(&self.store, now).await
    }

    /// A version of the programme, active or not any more.
    ///
    /// # Errors
    /// A failure.
    pub async fn programme_at(&self, version: u64) -> Result<Arc<Programme>, Fault> {
        self.programme.at(&self.store, version).await
    }

    /// Lets the active programme and the secrets of feeds be read anew, for work that failed by
    /// what was known of them.
    pub async fn read_anew(&self) {
        self.programme.stale().await;
        if let Some((_, secrets)) = &self.feeds {
            secrets.stale().await;
        }
    }

    /// Whether a message that is not done with now is given up.
    pub fn is_last_try(&self, message: &Message) -> bool {
        message.tries >= self.tries
    }

    /// Sends a message to the function's queue.
    ///
    /// # Errors
    /// A failure.
    pub async fn send(&self, message: &impl Serialize) -> Result<(), Fault> {
        let (client, url) = self.queue.as_ref().ok_or(Fault::Internal("no queue"))?;
        let body = message_body(message)?;
        let sent = client.send_message().queue_url(url).message_body(body).send().await;
        sent.map(|_| ()).map_err(|_| Fault::Unavailable("queue"))
    }

    /// Sends messages to the function's queue, ten in a call; all that can be sent are.
    ///
    /// # Errors
    /// A failure: some were not sent.
    pub async fn send_all(&self, messages: &[impl Serialize]) -> Result<(), Fault> {
        let (client, url) = self.queue.as_ref().ok_or(Fault::Internal("no queue"))?;
        let mut outcome = Ok(());
        for messages in messages.chunks(MESSAGES) {
            let entries = messages.iter().enumerate().map(|(at, message)| {
                let entry = SendMessageBatchRequestEntry::builder().id(at.to_string());
                let entry = entry.message_body(message_body(message)?).build();
                entry.map_err(|_| Fault::Internal("incomplete message"))
            });
            let entries = entries.collect::<Result<Vec<_>, Fault>>()?;
            let call = client.send_message_batch().queue_url(url).set_entries(Some(entries));
            if !call.send().await.is_ok_and(|sent| sent.failed.is_empty()) {
                outcome = Err(Fault::Unavailable("queue"));
            }
        }
        outcome
    }

    /// Sends messages to the function's queue, which keeps an order: ten in a call.
    ///
    /// # Errors
    /// A failure: some were not sent.
    pub async fn send_in_order(&self, messages: &[InOrder<impl Serialize>]) -> Result<(), Fault> {
        let (client, url) = self.queue.as_ref().ok_or(Fault::Internal("no queue"))?;
        for messages in messages.chunks(MESSAGES) {
            let entries = messages.iter().enumerate().map(|(at, message)| {
                let entry = SendMessageBatchRequestEntry::builder().id(at.to_string());
                let entry = entry.message_group_id(&message.group);
                let entry = entry.message_deduplication_id(&message.once);
                let entry = entry.message_body(message_body(&message.message)?).build();
                entry.map_err(|_| Fault::Internal("incomplete message"))
            });
            let entries = entries.collect::<Result<Vec<_>, Fault>>()?;
            let call = client.send_message_batch().queue_url(url).set_entries(Some(entries));
            if !call.send().await.is_ok_and(|sent| sent.failed.is_empty()) {
                return Err(Fault::Unavailable("queue"));
            }
        }
        Ok(())
    }

    /// Lets a message that failed come again later, after a time that doubles with each try. Where
    /// that cannot be said, it comes when the queue says.
    pub async fn put_off(&self, message: &Message) {
        let Some((client, url)) = self.queue.as_ref() else { return };
        let doubled = message.tries.saturating_sub(1).min(MOST_DOUBLED);
        let call = client.change_message_visibility().queue_url(url);
        let call = call.receipt_handle(&message.receipt);
        let _later = call.visibility_timeout(FIRST_DELAY << doubled).send().await;
    }

    /// The way out, and the secrets of feeds.
    ///
    /// # Errors
    /// The function has none.
    pub fn feeds(&self) -> Result<&(Outbound, NamedSecrets), Fault> {
        self.feeds.as_ref().ok_or(Fault::Internal("no feeds"))
    }

    /// Writes a file of an export.
    ///
    /// # Errors
    /// A failure.
    pub async fn put_file(
        &self,
        name: &str,
        media_type: &str,
        bytes: Vec<u8>,
    ) -> Result<(), Fault> {
        let (client, bucket) = self.bucket.as_ref().ok_or(Fault::Internal("no bucket"))?;
        let put = client.put_object().bucket(bucket).key(name).content_type(media_type);
        let put = put.body(bytes.into()).send().await;
        put.map(|_| ()).map_err(|_| Fault::Unavailable("bucket"))
    }

    /// A file of an export.
    ///
    /// # Errors
    /// A failure.
    pub async fn get_file(&self, name: &str) -> Result<Vec<u8>, Fault> {
        let (client, bucket) = self.bucket.as_ref().ok_or(Fault::Internal("no bucket"))?;
        let got = client.get_object().bucket(bucket).key(name).send().await;
        let body = got.map_err(|_| Fault::Unavailable("bucket"))?.body;
        let bytes = body.collect().await.map_err(|_| Fault::Unavailable("bucket"))?;
        Ok(bytes.into_bytes().to_vec())
    }

    /// A link to a file of an export, valid for 15 minutes.
    ///
    /// # Errors
    /// A failure.
    pub async fn link(&self, name: &str) -> Result<String, Fault> {
        let (client, bucket) = self.bucket.as_ref().ok_or(Fault::Internal("no bucket"))?;
        let expiry = PresigningConfig::expires_in(LINK);
        let expiry = expiry.map_err(|_| Fault::Internal("link that never expires"))?;
        let link = client.get_object().bucket(bucket).key(name).presigned(expiry).await;
        link.map(|link| link.uri().to_owned()).map_err(|_| Fault::Unavailable("bucket"))
    }

    /// The secret of pass codes.
    ///
    /// # Errors
    /// The function has none.
    pub fn secret(&self) -> Result<&Secret, Fault> {
        self.secret.as_ref().ok_or(Fault::Internal("no secret"))
    }

    /// The secret of aliases.
    ///
    /// # Errors
    /// The function has none.
    pub fn aliases(&self) -> Result<&AliasSecret, Fault> {
        self.aliases.as_ref().ok_or(Fault::Internal("no secret of aliases"))
    }
}
