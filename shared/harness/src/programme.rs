//! The active programme, compiled once and checked again every few seconds.

use std::sync::Arc;

use domain::programme::Programme;
use domain::time::Instant;
use store::{Error, Store};
use tokio::sync::Mutex;
use wire::programme::parse_programme;

use crate::fault::Fault;

/// How long a version is taken for the active one without asking, in milliseconds.
const FRESH: i64 = 2_000;

/// The programme this process decides by.
#[derive(Debug, Default)]
pub struct Cached {
    known: Mutex<Option<(Arc<Programme>, Instant)>>,
}

impl Cached {
    /// The active programme at this time. Read units: 0.5 every two seconds.
    ///
    /// # Errors
    /// `programme_not_found` before the first one, or a failure.
    pub async fn active(&self, store: &Store, now: Instant) -> Result<Arc<Programme>, Fault> {
        let mut known = self.known.lock().await;
        if let Some((programme, checked)) = known.as_mut() {
            if (checked.0..checked.0 + FRESH).contains(&now.0) {
                return Ok(programme.clone());
            }
            let version = store.active_programme(false).await?;
            if version == programme.version {
                *checked = now;
                return Ok(programme.clone());
            }
        }
        let programme = load(store).await?;
        *known = Some((programme.clone(), now));
        Ok(programme)
    }
}

async fn load(store: &Store) -> Result<Arc<Programme>, Fault> {
    let version = store.active_programme(true).await?;
    let document = store.programme(version).await?;
    let programme = parse_programme(&document, version);
    // It was validated when it was put: a version of this code that accepts less must say so.
    Ok(Arc::new(programme.map_err(|_| Error::Corrupt("the active programme is not valid"))?))
}
