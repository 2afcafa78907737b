//! Dynamics 365 Dataverse: a batch with a token of the organisation's issuer.

use domain::feed::{Feed, TargetUrl};
use domain::time::Instant;
use harness::{Call, Fault, Room};
use wire::feed::FeedMessage;
use wire::feed::dataverse::{all_done, batch};

/// Tells an organisation; it is told when all of the batch is done. `of` is the issuer, and what
/// it knows this client by.
pub async fn tell(
    room: &Room,
    now: Instant,
    feed: &Feed,
    of: (&TargetUrl, &str),
    messages: &[FeedMessage],
) -> Result<(), Fault> {
    let (outbound, secrets) = room.feeds()?;
    let secret = secrets.text(&feed.secret, now).await?;
    let scope = format!("{}/.default", feed.url.origin());
    let token = outbound.token(feed, of.0, of.1, &secret, &scope).await?;
    let batch = batch(&feed.url, messages).map_err(|_| Fault::Internal("a message"))?;
    let headers = vec![
        ("authorization", format!("Bearer {token}")),
        ("content-type", batch.content_type),
        ("accept", "application/json".to_owned()),
        ("odata-version", "4.0".to_owned()),
        ("odata-maxversion", "4.0".to_owned()),
    ];
    let path = Some(batch.path.as_str());
    let posted =
        outbound.post(Call { feed, url: &feed.url, path, headers, body: batch.body }).await;
    if posted.is_err() {
        // The token may be why.
        outbound.forget_token(&token).await;
    }
    match all_done(&posted?) {
        true => Ok(()),
        false => {
            Err(Fault::Target { feed: feed.id.clone(), reason: "a refused upsert".to_owned() })
        }
    }
}
