//! Holds, adjustments and bookings as the tests ask for them.

use domain::adjust::Adjustment;
use domain::amount::Amount;
use domain::hold::HoldTime;
use domain::id::{EventId, Key, ParticipantId, TransactionCode};
use domain::ledger::PayloadHash;
use domain::programme::Programme;
use domain::time::{Day, Instant};
use store::{
    Adjusted, Adjusting, Done, Expiring, ExpiryCounts, HoldDone, HoldReleased, Holding, Releasing,
    Result, Settling, SpendDone, Store,
};

use crate::cast::{asked, noon, payload, points, run_id};

/// Who asks whom, when, under which key.
pub struct Ask<'a> {
    pub store: &'a Store,
    pub programme: &'a Programme,
    pub who: &'a ParticipantId,
    pub now: Instant,
    pub key: &'a Key,
    pub payload: PayloadHash,
}

impl<'a> Ask<'a> {
    pub fn new(
        store: &'a Store,
        programme: &'a Programme,
        who: &'a ParticipantId,
        now: Instant,
        key: &'a Key,
    ) -> Ask<'a> {
        Ask { store, programme, who, now, key, payload: payload(9) }
    }

    pub async fn hold(
        &self,
        amount: i64,
        time: &str,
        on: Option<&EventId>,
    ) -> Result<Done<HoldDone>> {
        let Ask { store, programme, who: participant, now, key, payload } = *self;
        let (asked, time) = (&asked(amount, noon()), HoldTime::parse(time).unwrap());
        let purchase = on;
        let order = Holding {
            programme,
            now,
            participant,
            key,
            payload,
            asked,
            purchase,
            time,
            bearer: None,
        };
        store.hold(&order).await
    }

    fn code(&self, hold: u64) -> TransactionCode {
        TransactionCode { participant: self.who.clone(), sequence: hold }
    }

    pub async fn settle(
        &self,
        hold: u64,
        amount: Option<i64>,
        on: Option<&EventId>,
    ) -> Result<Done<SpendDone>> {
        let Ask { store, programme, now, key, payload, .. } = *self;
        let (hold, amount, purchase) = (&self.code(hold), amount.map(Amount), on);
        let order = Settling { programme, now, hold, key, payload, amount, purchase };
        store.settle(&order).await
    }

    pub async fn release(&self, hold: u64) -> Result<Done<HoldReleased>> {
        let Ask { store, programme, now, key, payload, .. } = *self;
        let hold = &self.code(hold);
        store.release(&Releasing { programme, now, hold, key, payload }).await
    }

    /// Adjusts points; a credit expires on this day.
    pub async fn adjust(&self, amount: i64, expires: Option<Day>) -> Result<Done<Adjusted>> {
        let Ask { store, programme, who: participant, now, key, payload } = *self;
        let (balance, amount, reason) = (points(), Amount(amount), "moved here".into());
        let adjustment = &Adjustment { balance, amount, reason, expires };
        let order = Adjusting { programme, now, participant, key, payload, adjustment };
        store.adjust(&order).await
    }
}

/// Books what is over in one wallet, for a run that began this many minutes ago.
pub async fn book(
    store: &Store,
    programme: &Programme,
    who: &ParticipantId,
    now: Instant,
    run: &str,
) -> Result<Done<ExpiryCounts>> {
    let started_at = now.plus_minutes(-10);
    let order = Expiring { programme, now, run: &run_id(run), started_at };
    store.book_expiry(&order, who).await
}
