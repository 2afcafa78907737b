//! Calls to systems of others: to public addresses or this machine, without redirects, and no
//! longer than a bound.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::http::Request;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use domain::feed::{Feed, TargetUrl, is_public};
use lambda_runtime::Error;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::fault::Fault;

/// How long a call may take, from the name's resolution to the answer's last byte.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most bytes of an answer that are looked at.
const MAX_ANSWER: usize = 2 * 1024 * 1024;
/// How long before its end a token counts as over.
const TOKEN_MARGIN: u64 = 60;

/// What is escaped in a form.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The way out.
#[derive(Debug)]
pub struct Outbound {
    connector: Connector,
    /// The port of this machine on which the function takes its work: nobody's target.
    own: Option<u16>,
    tokens: Mutex<HashMap<TokenKey, (String, Instant)>>,
}

/// What a token was asked with: the issuer's address, the client, the scope, and a digest of the
/// secret. A secret that was changed asks anew.
type TokenKey = (String, String, String, [u8; 32]);

/// A call.
pub struct Call<'a> {
    pub feed: &'a Feed,
    pub url: &'a TargetUrl,
    /// In place of the address's own, below its origin.
    pub path: Option<&'a str>,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// Resolves names to public addresses, and this machine's name to itself: a name of a private
/// network is none that a programme may speak to, whatever its document says.
#[derive(Clone, Debug)]
struct PublicOnly;

impl ResolveDns for PublicOnly {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            let found = tokio::net::lookup_host((name, 0)).await.map_err(ResolveDnsError::new)?;
            let is_local = name.eq_ignore_ascii_case("localhost");
            let may = |ip: &IpAddr| if is_local { ip.is_loopback() } else { is_public(*ip) };
            let found: Vec<IpAddr> = found.map(|at: SocketAddr| at.ip()).filter(may).collect();
            if found.is_empty() {
                return Err(ResolveDnsError::new("no public address"));
            }
            Ok(found)
        })
    }
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    expires_in: u64,
}

impl Outbound {
    /// The way out, which trusts what the system trusts.
    pub(crate) fn open() -> Result<Outbound, Error> {
        let tls = TlsContext::builder().with_trust_store(TrustStore::default()).build()?;
        let connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(tls)
            .build_with_resolver(PublicOnly);
        let own = std::env::var("AWS_LAMBDA_RUNTIME_API").ok();
        let own = own.and_then(|at| at.rsplit(':').next()?.parse().ok());
        Ok(Outbound { connector, own, tokens: Mutex::default() })
    }

    /// Posts a body; the answer's, where it says that all is well.
    ///
    /// # Errors
    /// `Target`: there was no such answer.
    pub async fn post(&self, call: Call<'_>) -> Result<Vec<u8>, Fault> {
        let feed = call.feed.id.clone();
        let failed = |reason: String| Fault::Target { feed: feed.clone(), reason };
        let answered = tokio::time::timeout(PATIENCE, self.answer(call)).await;
        let (status, body) =
            answered.map_err(|_| failed("no answer in time".to_owned()))?.map_err(&failed)?;
        match status {
            200..=299 => Ok(body),
            _ => Err(failed(format!("status {status}"))),
        }
    }

    async fn answer(&self, call: Call<'_>) -> Result<(u16, Vec<u8>), String> {
        let (_, port) = call.url.place();
        if call.url.is_loopback() && self.own == Some(port) {
            return Err("the function's own port".to_owned());
        }
        let mut request = Request::new(SdkBody::from(call.body));
        let address = match call.path {
            Some(path) => format!("{}{path}", call.url.origin()),
            None => call.url.as_str().to_owned(),
        };
        request.set_uri(address).map_err(|_| "not an address".to_owned())?;
        request.set_method("POST").map_err(|_| "not a method".to_owned())?;
        for (name, value) in call.headers {
            let taken = request.headers_mut().try_insert(name, value);
            taken.map_err(|_| "not a header".to_owned())?;
        }
        // What failed may name what is nobody's business; that it failed is enough.
        let answer = self.connector.call(request).await;
        let answer = answer.map_err(|_| "not reached".to_owned())?;
        let status = answer.status().as_u16();
        let mut body = ByteStream::new(answer.into_body());
        let mut bytes = Vec::new();
        while let Some(chunk) = body.next().await {
            bytes.extend_from_slice(&chunk.map_err(|_| "an answer that breaks off".to_owned())?);
            if bytes.len() > MAX_ANSWER {
                return Err("an answer without an end".to_owned());
            }
        }
        Ok((status, bytes))
    }

    /// A token for a client, by its secret; kept until a minute before it ends.
    ///
    /// # Errors
    /// `Target`: the issuer gave none.
    pub async fn token(
        &self,
        feed: &Feed,
        url: &TargetUrl,
        client: &str,
        secret: &str,
        scope: &str,
    ) -> Result<String, Fault> {
        let digest = Sha256::digest(secret.as_bytes()).into();
        let key = (url.as_str().to_owned(), client.to_owned(), scope.to_owned(), digest);
        if let Some((token, ends)) = self.tokens.lock().await.get(&key)
            && *ends > Instant::now()
        {
            return Ok(token.clone());
        }
        // Nothing is locked while the issuer is asked: one that does not answer holds up no other.
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_secret", secret),
            ("scope", scope),
        ];
        let form: Vec<String> =
            form.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let headers = vec![
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("accept", "application/json".to_owned()),
        ];
        let body = form.join("&").into_bytes();
        let answer = self.post(Call { feed, url, path: None, headers, body }).await?;
        let token: Token = serde_json::from_slice(&answer)
            .map_err(|_| Fault::Target { feed: feed.id.clone(), reason: "no token".to_owned() })?;
        let lasts = Duration::from_secs(token.expires_in.saturating_sub(TOKEN_MARGIN));
        let now = Instant::now();
        let ends = now.checked_add(lasts).unwrap_or(now);
        let mut tokens = self.tokens.lock().await;
        tokens.retain(|_, (_, ends)| *ends > now);
        tokens.insert(key, (token.access_token.clone(), ends));
        Ok(token.access_token)
    }

    /// Forgets a token: it was not taken. Others stay, also the one that came after it.
    pub async fn forget_token(&self, token: &str) {
        self.tokens.lock().await.retain(|_, (known, _)| known != token);
    }
}

fn escaped(value: &str) -> String {
    utf8_percent_encode(value, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::feed::{FeedType, Target};
    use domain::id::FeedId;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A feed, and the address of a listener.
    fn of(listener: &TcpListener) -> (Feed, TargetUrl) {
        let port = listener.local_addr().unwrap().port();
        let url = TargetUrl::parse(&format!("http://127.0.0.1:{port}/token")).unwrap();
        let target = Target::Dataverse { token_url: url.clone(), client_id: "client".into() };
        let id = FeedId::parse("crm").unwrap();
        let types = vec![FeedType::Movement];
        (Feed { id, url: url.clone(), secret: "default".into(), types, target }, url)
    }

    async fn listen() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").await.unwrap()
    }

    /// An issuer whose tokens are numbers, from 0.
    async fn issue(listener: TcpListener) {
        for number in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.windows(6).any(|at| at == b"scope=") {
                stream.read_buf(&mut request).await.unwrap();
            }
            let body = format!("{{\"access_token\":\"{number}\",\"expires_in\":3600}}");
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length";
            let answer = format!("{head}: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn an_issuer_that_does_not_answer_holds_up_no_other() {
        let (dead, live) = (listen().await, listen().await);
        let ((dead_feed, dead_url), (feed, url)) = (of(&dead), of(&live));
        let outbound = Arc::new(Outbound::open().unwrap());
        let waits = outbound.clone();
        let waiting =
            tokio::spawn(async move { waits.token(&dead_feed, &dead_url, "a", "b", "c").await });
        let _asked = dead.accept().await.unwrap();
        let issuer = tokio::spawn(issue(live));
        assert_eq!(outbound.token(&feed, &url, "a", "b", "c").await.unwrap(), "0");
        assert!(!waiting.is_finished());
        waiting.abort();
        issuer.abort();
    }

    #[tokio::test]
    async fn a_token_is_kept_per_client_scope_and_secret_and_forgotten_alone() {
        let live = listen().await;
        let (feed, url) = of(&live);
        let outbound = Outbound::open().unwrap();
        let issuer = tokio::spawn(issue(live));
        let asked = [
            (("client", "secret", "scope"), "0"),
            (("client", "secret", "scope"), "0"),
            (("client", "changed", "scope"), "1"),
            (("client", "secret", "other"), "2"),
            (("other", "secret", "scope"), "3"),
        ];
        for ((client, secret, scope), want) in asked {
            let token = outbound.token(&feed, &url, client, secret, scope).await.unwrap();
            assert_eq!(token, want);
        }
        outbound.forget_token("1").await;
        let changed = outbound.token(&feed, &url, "client", "changed", "scope").await.unwrap();
        let kept = outbound.token(&feed, &url, "client", "secret", "scope").await.unwrap();
        assert_eq!((changed.as_str(), kept.as_str()), ("4", "0"));
        issuer.abort();
    }
}
