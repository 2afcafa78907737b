//! One HTTP server: a listener on this machine, a handler, and an end.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A whole answer.
pub type Answer = Response<Full<Bytes>>;

const MAX_HEADER_BYTES: usize = 64 * 1024;
const HEADER_TIME: Duration = Duration::from_secs(30);
const MAX_DISCARDED: usize = 64 * 1024 * 1024;
const BODY_TIME: Duration = Duration::from_secs(30);
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// Serves until `stop` says so; requests under way get some seconds to finish.
pub async fn serve<H, F, B>(listener: TcpListener, mut stop: watch::Receiver<bool>, handle: H)
where
    H: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let handle = Arc::new(handle);
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file handles, mostly: others must finish first.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        // Answers are small; without this they wait for the peer's delayed acknowledgements.
        let _ = stream.set_nodelay(true);
        let handle = Arc::clone(&handle);
        let service = service_fn(move |request| {
            let answer = handle(request);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME)
            .max_buf_size(MAX_HEADER_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        // A client that goes away is its own business.
        tokio::spawn(async move { drop(connection.await) });
    }
    drop(listener);
    let _ = tokio::time::timeout(DRAIN_TIME, graceful.shutdown()).await;
}

/// Why a body could not be had.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NoBody {
    TooLarge,
    TooSlow,
    Broken,
}

/// The whole body, if it is no longer than `limit` and comes in time.
pub async fn whole(body: Incoming, limit: usize) -> Result<Bytes, NoBody> {
    match tokio::time::timeout(BODY_TIME, collected(body, limit)).await {
        Ok(collected) => collected,
        Err(_) => Err(NoBody::TooSlow),
    }
}

async fn collected(mut body: Incoming, limit: usize) -> Result<Bytes, NoBody> {
    let mut whole =
        Vec::with_capacity(usize::try_from(body.size_hint().lower()).unwrap_or(0).min(limit));
    let mut length = 0usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| NoBody::Broken)?.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= limit {
            whole.extend_from_slice(&data);
        } else if length > MAX_DISCARDED {
            break;
        }
        // What is too long is read on for a while: who still sends would not see the answer.
    }
    if length > limit { Err(NoBody::TooLarge) } else { Ok(whole.into()) }
}

/// An answer of any kind.
pub fn answer(status: StatusCode, content_type: &str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    if let Ok(value) = header::HeaderValue::from_str(content_type) {
        answer.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    answer
}

/// An answer in JSON.
pub fn json(status: StatusCode, body: &Value) -> Answer {
    answer(status, "application/json", body.to_string())
}

/// An error as the JSON protocols of AWS write it.
pub fn aws_error(status: StatusCode, kind: &str, message: &str) -> Answer {
    let body = serde_json::json!({
        "__type": format!("com.amazon.coral.service#{kind}"),
        "Message": message,
        "message": message,
    });
    answer(status, "application/x-amz-json-1.0", body.to_string())
}
