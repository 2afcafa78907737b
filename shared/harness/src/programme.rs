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
            if (checked.0..checked.0.saturating_add(FRESH)).contains(&now.0) {
                return Ok(programme.clone());
            }
            let version = store.active_programme(false).await?;
            if version == programme.version {
                *checked = now;
                return Ok(programme.clone());
            }
        }
        let programme = load(store, store.active_programme(true).await?).await?;
        *known = Some((programme.clone(), now));
        Ok(programme)
    }

    /// Lets whoever asks next look whether the known version is still the active one.
    pub(crate) async fn stale(&self) {
        if let Some((_, checked)) = self.known.lock().await.as_mut() {
            *checked = Instant(i64::MIN);
        }
    }

    /// A version that is or was active. Nothing is read where it is the one this process knows.
    ///
    /// # Errors
    /// A failure.
    pub async fn at(&self, store: &Store, version: u64) -> Result<Arc<Programme>, Fault> {
        let mut known = self.known.lock().await;
        if let Some((programme, _)) = known.as_ref()
            && programme.version == version
        {
            return Ok(programme.clone());
        }
        let programme = load(store, version).await?;
        // Not known to be active: whoever asks for the active one looks.
        *known = Some((programme.clone(), Instant(i64::MIN)));
        Ok(programme)
    }
}

async fn load(store: &Store, version: u64) -> Result<Arc<Programme>, Fault> {
    let document = store.programme(version).await?;
    let programme = parse_programme(&document, version);
    // It was validated when it was put: a version of this code that accepts less must say so.
    Ok(Arc::new(programme.map_err(|_| Error::Corrupt("the active programme is not valid"))?))
}
