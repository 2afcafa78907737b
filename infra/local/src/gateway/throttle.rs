//! How many calls of a route are let in: a bucket of tokens that fills with time, as the
//! service's does.

use std::sync::{Mutex, PoisonError};

use crate::template::RouteSettings;

/// Parts of a token; a rate of one a second fills one part in a millisecond.
const PARTS: i64 = 1_000;

/// The bucket of one route.
#[derive(Debug)]
pub struct Throttle {
    /// Tokens a second.
    rate: i64,
    /// Parts of tokens that the bucket holds.
    most: i64,
    level: Mutex<Level>,
}

#[derive(Debug)]
struct Level {
    parts: i64,
    /// When they were so many, in milliseconds; none before the first call.
    at: Option<i64>,
}

impl Throttle {
    /// A full bucket.
    pub fn new(settings: &RouteSettings) -> Self {
        let most = i64::from(settings.throttling_burst_limit) * PARTS;
        let level = Mutex::new(Level { parts: most, at: None });
        Self { rate: settings.throttling_rate_limit.into(), most, level }
    }

    /// Takes a token at this time in milliseconds; false where there is none.
    pub fn lets_in(&self, now: i64) -> bool {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_sub(level.at.unwrap_or(now)).max(0);
        let filled = level.parts.saturating_add(passed.saturating_mul(self.rate));
        level.parts = filled.min(self.most);
        level.at = Some(now);
        let let_in = level.parts >= PARTS;
        if let_in {
            level.parts -= PARTS;
        }
        let_in
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_lets_in_its_burst_and_then_its_rate() {
        let settings = RouteSettings { throttling_burst_limit: 3, throttling_rate_limit: 2 };
        let throttle = Throttle::new(&settings);
        let let_in = |now: i64, calls: usize| {
            (0..calls).map(|_| throttle.lets_in(now)).filter(|let_in| *let_in).count()
        };
        assert_eq!(let_in(1_000, 10), 3, "the burst");
        assert_eq!(let_in(1_499, 10), 0, "half a second is needed for one");
        assert_eq!(let_in(1_500, 10), 1);
        assert_eq!(let_in(900, 10), 0, "a clock that was set back fills nothing");
        assert_eq!(let_in(2_400, 10), 3, "and what passes from then on counts");
        assert_eq!(let_in(1_000_000, 10), 3, "never more than the burst");
    }
}
