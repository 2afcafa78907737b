//! The secret of pass codes as this process knows it; a key that was added needs no restart.

use std::sync::Arc;

use domain::coupon::{CouponCode, CouponKey};
use domain::id::{CouponId, PlanId};
use domain::pass::{Generation, PassCode, PassKeys, PlanKey};
use domain::time::Instant;
use tokio::sync::Mutex;

use crate::fault::Fault;

/// How long the newest key that is known is taken for the newest there is, in milliseconds.
const FRESH: i64 = 60_000;

/// The secret, and what was read of it.
pub struct Secret {
    client: aws_sdk_secretsmanager::Client,
    id: String,
    known: Mutex<Option<(Arc<PassKeys>, Instant)>>,
}

impl Secret {
    /// The secret of this name or ARN; it is read when it is needed.
    pub(crate) fn new(client: aws_sdk_secretsmanager::Client, id: String) -> Secret {
        Secret { client, id, known: Mutex::default() }
    }

    /// The keys, the newest of which makes new codes: at most a minute old.
    ///
    /// # Errors
    /// A failure.
    pub async fn keys(&self, now: Instant) -> Result<Arc<PassKeys>, Fault> {
        self.read_unless(now, |_, fresh| fresh).await
    }

    /// The key that makes the codes of a plan's passes of a generation that the table names.
    ///
    /// # Errors
    /// A failure: also where the secret has lost the key.
    pub async fn key_of(
        &self,
        plan: &PlanId,
        generation: Generation,
        now: Instant,
    ) -> Result<PlanKey, Fault> {
        let keys = self.read_unless(now, |keys, _| keys.knows(generation)).await?;
        keys.of(plan, generation).ok_or(Fault::Internal("the secret has lost a key of passes"))
    }

    /// The key that made a code, if one did. A code can name any generation, so one that is not
    /// known has the secret read once a minute, not once a guess.
    ///
    /// # Errors
    /// A failure.
    pub async fn key_that_made(
        &self,
        plan: &PlanId,
        code: &PassCode,
        now: Instant,
    ) -> Result<Option<PlanKey>, Fault> {
        let enough = |keys: &PassKeys, fresh| fresh || keys.knows(code.generation);
        let keys = self.read_unless(now, enough).await?;
        Ok(keys.of(plan, code.generation).filter(|key| key.made(code)))
    }

    /// The key that makes the codes of a coupon, of a generation that the table names.
    ///
    /// # Errors
    /// A failure: also where the secret has lost the key.
    pub async fn coupon_key(
        &self,
        coupon: &CouponId,
        generation: Generation,
        now: Instant,
    ) -> Result<CouponKey, Fault> {
        let keys = self.read_unless(now, |keys, _| keys.knows(generation)).await?;
        let key = CouponKey::of(&keys, coupon, generation);
        key.ok_or(Fault::Internal("the secret has lost a key of coupons"))
    }

    /// Whether one of the keys made a coupon's code.
    ///
    /// # Errors
    /// A failure.
    pub async fn made_coupon(
        &self,
        coupon: &CouponId,
        code: &CouponCode,
        now: Instant,
    ) -> Result<bool, Fault> {
        let enough = |keys: &PassKeys, fresh| fresh || keys.knows(code.generation);
        let keys = self.read_unless(now, enough).await?;
        Ok(CouponKey::of(&keys, coupon, code.generation).is_some_and(|key| key.made(code)))
    }

    /// What is known, where that is `enough`; else what is read. The second argument says whether
    /// it was read within the minute; a read that failed counts, where older keys are known.
    async fn read_unless(
        &self,
        now: Instant,
        enough: impl Fn(&PassKeys, bool) -> bool,
    ) -> Result<Arc<PassKeys>, Fault> {
        let mut known = self.known.lock().await;
        if let Some((keys, read)) = known.as_mut() {
            if enough(keys, now.0.saturating_sub(read.0) < FRESH) {
                return Ok(keys.clone());
            }
            *read = now;
        }
        let value = self.client.get_secret_value().secret_id(&self.id).send().await;
        let value = value.map_err(|_| Fault::Unavailable("secrets"))?;
        let keys = value.secret_string().and_then(PassKeys::parse).map(Arc::new);
        let keys = keys.ok_or(Fault::Internal("the pass secret is no list of keys"))?;
        *known = Some((keys.clone(), now));
        Ok(keys)
    }
}
