//! Coupons whose codes are made here, as they are used: once, or void.

use domain::coupon::{CodeTaken, CouponTaken};
use domain::id::{CouponId, Key, UnitId};
use domain::ledger::PayloadHash;
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::{Day, Instant};

use crate::Store;
use crate::error::{Error, Result};
use crate::key;
use crate::record::{CouponUse, Fate, decode_fate, encode_fate};
use crate::table::{Demand, Item, Write, binary, item, read_binary};

/// Tries against rivals: whoever loses finds what the other one put.
const MAX_TRIES: u32 = 4;

/// The use of a coupon whose code's tag is right.
#[derive(Clone, Copy, Debug)]
pub struct UsingCoupon<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub coupon: &'a CouponId,
    pub number: u64,
    /// The last day on which it may be used, as its code says.
    pub until: Option<Day>,
    pub key: &'a Key,
    pub payload: PayloadHash,
    pub unit: Option<&'a UnitId>,
    /// The subject of the token.
    pub who: &'a str,
}

impl Store {
    /// Uses a coupon up, once; the flag says whether the same key did before. What refuses it stays
    /// so for ever, so nothing is kept of a refusal. Write units: 1.
    ///
    /// # Errors
    /// `Refused` (`coupon_used`, `coupon_void`, `coupon_expired`), `KeyReused`, or a failure.
    pub async fn use_coupon(&self, order: &UsingCoupon<'_>) -> Result<(CouponUse, bool)> {
        let UsingCoupon { now, coupon, number, until, key, payload, unit, who, .. } = *order;
        for _ in 0..MAX_TRIES {
            match self.fate(coupon, number, true).await? {
                Some(Fate::Used(used)) if used.key != *key => {
                    return Err(Error::Refused(Refusal::CouponUsed));
                }
                Some(Fate::Used(used)) if used.payload != payload => return Err(Error::KeyReused),
                Some(Fate::Used(used)) => return Ok((used, true)),
                Some(Fate::Void) => return Err(Error::Refused(Refusal::CouponVoid)),
                None => {}
            }
            if until.is_some_and(|day| day.has_ended(now, order.programme.zone)) {
                return Err(Error::Refused(Refusal::CouponExpired));
            }
            let (key, unit) = (key.clone(), unit.cloned());
            let used = CouponUse { key, payload, at: now, unit, who: who.into() };
            let item = fate_item(coupon, number, &Fate::Used(used.clone()))?;
            if self.table.put_once(item, Demand::Absent).await? {
                return Ok((used, false));
            }
        }
        Err(Error::Contended)
    }

    /// What became of a coupon that somebody took; none: nothing yet, or its code was not made
    /// here. Read units: 1 where it was.
    ///
    /// # Errors
    /// A failure.
    pub async fn coupon_fate(&self, taken: &CouponTaken) -> Result<Option<Fate>> {
        match taken.code {
            CodeTaken::Generated(_) => self.fate(&taken.coupon, taken.number, true).await,
            CodeTaken::None | CodeTaken::Uploaded => Ok(None),
        }
    }

    /// What became of a coupon whose code was made here; none: nothing yet.
    pub(crate) async fn fate(
        &self,
        coupon: &CouponId,
        number: u64,
        fresh: bool,
    ) -> Result<Option<Fate>> {
        let item = self.table.get(key::coupon_fate(coupon, number), fresh).await?;
        item.as_ref().map(read_fate).transpose()
    }
}

fn read_fate(item: &Item) -> Result<Fate> {
    decode_fate(read_binary(item, "d")?)
}

fn fate_item(coupon: &CouponId, number: u64, fate: &Fate) -> Result<Item> {
    Ok(item(key::coupon_fate(coupon, number), [("d", binary(encode_fate(fate)?))]))
}

/// Makes a coupon void that nobody has used.
pub(crate) fn void_coupon(coupon: &CouponId, number: u64) -> Result<Write> {
    let item = fate_item(coupon, number, &Fate::Void)?;
    Ok(Write::Put { item, demand: Demand::Absent })
}
