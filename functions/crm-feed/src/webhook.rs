//! Webhooks: signed JSON, with the time at which it was signed.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::feed::{Feed, signature};
use domain::time::Instant;
use harness::{Call, Fault, Room};
use wire::csv::hex;
use wire::feed::{FeedMessage, webhook};

/// Tells a webhook; it is told when it answers so.
pub async fn tell(
    room: &Room,
    now: Instant,
    feed: &Feed,
    messages: &[FeedMessage],
) -> Result<(), Fault> {
    let (outbound, secrets) = room.feeds()?;
    let secret = secrets.text(&feed.secret, now).await?;
    let body = webhook(feed, messages).map_err(|_| Fault::Internal("a message"))?;
    // Of this try, not of the invocation: whoever receives it compares it with a clock.
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |at| at.as_secs());
    let signed = signature(&secret, seconds, &body).ok_or(Fault::Internal("a key"))?;
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("accrue-timestamp", seconds.to_string()),
        ("accrue-signature", format!("v1={}", hex(&signed))),
    ];
    outbound.post(Call { feed, url: &feed.url, path: None, headers, body }).await.map(drop)
}
