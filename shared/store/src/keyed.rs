//! Requests that are known by a caller's key within one participant's ledger: spends, coupons,
//! holds and their ends, adjustments. One key, one entry, for ever.

use domain::id::{EventId, Key, ParticipantId};
use domain::ledger::{Act, Entry, EntryKey, PayloadHash};
use domain::time::Instant;

use crate::Store;
use crate::commit::{Done, Step};
use crate::error::{Error, Result};
use crate::key::{self, ItemKey};
use crate::ledger::{Ledger, Reach, SKEW_MINUTES};
use crate::table::{Demand, Write, item, number, read_number};

/// What a key stands for: the same key of another kind is another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Spend,
    Hold,
    EndHold,
    Adjust,
    Register,
    Merge,
    Coupon,
}

/// What makes a request one and the same, for ever.
#[derive(Clone, Copy, Debug)]
pub enum RequestKey<'a> {
    /// The caller's `Idempotency-Key`.
    Caller(&'a Key),
    /// The reference of the event that a spend comes as.
    Reference(&'a EventId),
}

impl RequestKey<'_> {
    fn time(self) -> Option<i64> {
        match self {
            RequestKey::Caller(key) => key.time(),
            RequestKey::Reference(_) => None,
        }
    }
}

/// A caller's key, and what is known of it.
pub(crate) struct Keyed<'a> {
    pub kind: Kind,
    pub participant: &'a ParticipantId,
    pub key: RequestKey<'a>,
    pub payload: PayloadHash,
    /// Time of the invocation.
    pub now: Instant,
    /// Sequence of the entry that a key without a time led to.
    guarded: Option<u64>,
}

impl Kind {
    /// The word in keys of the table.
    fn name(self) -> &'static str {
        match self {
            Kind::Spend => "spend",
            Kind::Hold => "hold",
            Kind::EndHold => "end-hold",
            Kind::Adjust => "adjust",
            Kind::Register => "register",
            Kind::Merge => "merge",
            Kind::Coupon => "coupon",
        }
    }

    fn entry_key(self, key: Key) -> EntryKey {
        match self {
            Kind::Spend => EntryKey::Spend(key),
            Kind::Hold => EntryKey::Hold(key),
            Kind::EndHold => EntryKey::EndHold(key),
            Kind::Adjust => EntryKey::Adjust(key),
            Kind::Register => EntryKey::Register(key),
            Kind::Merge => EntryKey::Merge(key),
            Kind::Coupon => EntryKey::Coupon(key),
        }
    }
}

impl<'a> Keyed<'a> {
    /// A key of which nothing is known yet.
    pub fn new(
        kind: Kind,
        participant: &'a ParticipantId,
        key: RequestKey<'a>,
        payload: PayloadHash,
        now: Instant,
    ) -> Keyed<'a> {
        Keyed { kind, participant, key, payload, now, guarded: None }
    }

    /// Reads the guard of a key that carries no time.
    pub async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        if self.key.time().is_none() {
            let guard = store.table.get(self.guard_key(), fresh).await?;
            self.guarded = guard.map(|guard| read_number(&guard, "q")).transpose()?;
        }
        Ok(())
    }

    /// How far back the ledger must be searched for it.
    pub fn reach(&self) -> Reach {
        self.key.time().map_or(Reach::Journal, |time| Reach::Since(Instant(time)))
    }

    /// The key of the entry that it leads to.
    pub fn entry_key(&self) -> EntryKey {
        match self.key {
            RequestKey::Caller(key) => self.kind.entry_key(key.clone()),
            RequestKey::Reference(event) => EntryKey::SpendRequest(event.clone()),
        }
    }

    /// Where a key without a time is guarded.
    fn guard_key(&self) -> ItemKey {
        match self.key {
            RequestKey::Caller(key) => key::guard(self.kind.name(), self.participant, key),
            RequestKey::Reference(event) => key::reference_guard(self.participant, event),
        }
    }

    /// Searches the ledger: what was answered under the key before, or why nothing is decided;
    /// none where the key is new. `read` makes the answer of an entry that is no refusal.
    pub async fn search<A>(
        &self,
        store: &Store,
        ledger: &Ledger,
        read: impl FnOnce(&Entry) -> Result<A>,
    ) -> Result<Option<Step<A>>> {
        let state = match ledger.known() {
            Ok(state) => state,
            Err(unknown) => return Ok(Some(Step::Answer(Err(unknown)))),
        };
        if self.guarded.is_some_and(|sequence| sequence > state.wallet.length) {
            return Ok(Some(Step::Again));
        }
        let found = match self.guarded {
            Some(sequence) => Some(store.find_entry(self.participant, ledger, sequence).await?),
            None => ledger.search(&self.entry_key()).cloned(),
        };
        if let Some(entry) = found {
            let done = self.repeat(&entry, read);
            let wallet = || state.wallet.clone();
            let done = done.map(|value| Done { value, wallet: wallet(), repeated: true });
            return Ok(Some(Step::Known(done)));
        }
        let latest = self.now.max(state.wallet.time).plus_minutes(SKEW_MINUTES);
        let ahead = self.key.time().is_some_and(|time| time > latest.0);
        Ok(ahead.then_some(Step::Answer(Err(Error::KeyInFuture))))
    }

    fn repeat<A>(&self, entry: &Entry, read: impl FnOnce(&Entry) -> Result<A>) -> Result<A> {
        if entry.payload != self.payload {
            return Err(Error::KeyReused);
        }
        if let Act::Refused(refusal) = &entry.act {
            return Err(Error::Refused(*refusal));
        }
        read(entry)
    }

    /// What is written with the entry, so that a key without a time is found again.
    pub fn guard(&self, sequence: u64) -> Option<Write> {
        let item = item(self.guard_key(), [("q", number(sequence))]);
        self.key.time().is_none().then_some(Write::Put { item, demand: Demand::Absent })
    }
}
