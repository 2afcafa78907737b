//! Coupons: taken from a stock that all wallets share, paid for in the same transaction.

mod pool;
mod used;

pub use pool::{CODES_OF_PAGE, Uploading};
pub use used::UsingCoupon;
pub(crate) use used::void_coupon;

use domain::amount::Amount;
use domain::apply::{Command, Outcome, apply};
use domain::coupon::{Coupon, CouponAsked, CouponTaken, Stock};
use domain::id::{CouponId, Key, ParticipantId, UnitId};
use domain::ledger::{Act, Entry, EntryKey, PayloadHash, SpendMade};
use domain::pass::Generation;
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::Instant;

use crate::Store;
use crate::commit::{Done, Operation, Proposal, Step, decision_time};
use crate::error::{Error, Result};
use crate::key;
use crate::keyed::{Keyed, Kind, RequestKey};
use crate::ledger::{Ledger, Reach};
use crate::record::{decode_codes, decode_fate, decode_stock, encode_stock};
use crate::table::{
    Demand, Item, Write, binary, item, number, read_binary, read_number, read_text, text,
};

/// A coupon that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct TakingCoupon<'a> {
    pub programme: &'a Programme,
    /// Time of the invocation.
    pub now: Instant,
    pub participant: &'a ParticipantId,
    pub key: &'a Key,
    pub payload: PayloadHash,
    pub coupon: &'a Coupon,
    /// What is given, where the giver chooses.
    pub amount: Option<Amount>,
    pub unit: Option<&'a UnitId>,
    /// Of the key that makes new codes.
    pub generation: Generation,
}

/// A coupon that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponDone {
    /// The ledger entry.
    pub sequence: u64,
    pub made: SpendMade,
    pub taken: CouponTaken,
}

/// A coupon's stock with the number of times it was written; 0: never.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownStock {
    pub stock: Stock,
    version: u64,
    /// When a wallet last took of it or gave back.
    at: Instant,
}

struct Take<'a> {
    order: &'a TakingCoupon<'a>,
    keyed: Keyed<'a>,
    known: KnownStock,
}

impl Store {
    /// Takes a coupon and pays for it: of so many exactly so many are taken, whoever asks at
    /// once. Write units: 4.17; 6.17 with a key that carries no time; where it is refused 1.17, and
    /// 4.17 where it is sold out. A refusal is an entry too.
    ///
    /// # Errors
    /// `Refused`, `NotFound` (participant), `KeyReused`, `KeyInFuture`, or a failure.
    pub async fn take_coupon(&self, order: &TakingCoupon<'_>) -> Result<Done<CouponDone>> {
        let TakingCoupon { participant, key, payload, now, .. } = *order;
        let key = RequestKey::Caller(key);
        let keyed = Keyed::new(Kind::Coupon, participant, key, payload, now);
        self.commit(participant, &mut Take { order, keyed, known: KnownStock::default() }).await
    }

    /// Whether a coupon that was taken at this time was cancelled since. Read units: as those of a
    /// repeat under a key of that time.
    ///
    /// # Errors
    /// A failure.
    pub async fn is_coupon_cancelled(
        &self,
        participant: &ParticipantId,
        sequence: u64,
        at: Instant,
    ) -> Result<bool> {
        let mut ledger = self.read_ledger(participant, true).await?;
        self.join(participant, &mut ledger, Reach::Since(at)).await?;
        let cancel = ledger.search(&EntryKey::CancelSpend(sequence));
        Ok(cancel.is_some_and(|entry| matches!(entry.act, Act::Reversed(_))))
    }

    /// What there is of some coupons, one after the other. Read units: 1 for each.
    ///
    /// # Errors
    /// A failure.
    pub async fn stocks(&self, coupons: &[CouponId]) -> Result<Vec<Stock>> {
        let mut stocks = vec![Stock::default(); coupons.len()];
        for (coupons, stocks) in coupons.chunks(100).zip(stocks.chunks_mut(100)) {
            let keys: Vec<_> = coupons.iter().map(key::coupon).collect();
            for item in self.table.get_many(keys, true).await? {
                let pk = read_text(&item, "pk")?;
                let at = coupons.iter().position(|coupon| key::coupon(coupon).pk == pk);
                let at = at.ok_or(Error::Corrupt("a stock that nobody asked for"))?;
                stocks[at] = decode_stock(read_binary(&item, "d")?)?;
            }
        }
        Ok(stocks)
    }

    pub(crate) async fn stock(&self, coupon: &CouponId, fresh: bool) -> Result<KnownStock> {
        let Some(item) = self.table.get(key::coupon(coupon), fresh).await? else {
            return Ok(KnownStock::default());
        };
        let stock = decode_stock(read_binary(&item, "d")?)?;
        let at = i64::try_from(read_number(&item, "t")?).unwrap_or(i64::MAX);
        Ok(KnownStock { stock, version: read_number(&item, "v")?, at: Instant(at) })
    }
}

impl KnownStock {
    /// Demands that the stock is as it was read.
    fn check(&self, coupon: &CouponId) -> Write {
        Write::Check { key: key::coupon(coupon), demand: self.demand() }
    }

    /// Puts the stock as it is now in the place of what was read. With the time at which a wallet
    /// took of it or gave back, if one did; whoever compares it with the ledgers asks for that.
    pub fn put(&self, coupon: &CouponId, stock: &Stock, at: Option<Instant>) -> Result<Write> {
        let key = key::coupon(coupon);
        let at = u64::try_from(at.map_or(self.at, |at| at.max(self.at)).0).unwrap_or(0);
        let (place, record) = (text(&key.pk), binary(encode_stock(stock)?));
        let known = [("v", number(self.version + 1)), ("t", number(at)), ("d", record)];
        let mut item = item(key, known);
        item.insert("ix_pk".to_owned(), text(key::SHARED));
        item.insert("ix_sk".to_owned(), place);
        Ok(Write::Put { item, demand: self.demand() })
    }

    fn demand(&self) -> Demand {
        if self.version == 0 { Demand::Absent } else { Demand::Number("v", self.version) }
    }
}

impl Operation for Take<'_> {
    type Answer = CouponDone;

    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()> {
        self.keyed.load(store, fresh).await?;
        self.known = store.stock(&self.order.coupon.id, fresh).await?;
        Ok(())
    }

    fn reach(&self) -> Reach {
        self.keyed.reach()
    }

    async fn decide(&mut self, store: &Store, ledger: &Ledger) -> Result<Step<CouponDone>> {
        if let Some(step) = self.keyed.search(store, ledger, read_coupon).await? {
            return Ok(step);
        }
        let TakingCoupon { programme, key, payload, coupon, amount, unit, .. } = *self.order;
        let (stock, generation) = (&self.known.stock, self.order.generation);
        let wallet = &ledger.known()?.wallet;
        let now = decision_time(self.order.now, wallet, None);
        let asked = CouponAsked { coupon, amount, unit, stock, generation };
        let command = Command::TakeCoupon { key, payload, asked };
        let applied = apply(programme, wallet, now, &command);
        let entry = applied.entries.last().ok_or(Error::Corrupt("a coupon without its entry"))?;
        let mut sides: Vec<Write> = self.keyed.guard(entry.sequence).into_iter().collect();
        let answer = match &applied.outcome {
            Outcome::Refused(refusal) => {
                let sold_out = *refusal == Refusal::CouponSoldOut;
                sides.extend(sold_out.then(|| self.known.check(&coupon.id)));
                Err(Error::Refused(*refusal))
            }
            Outcome::Done | Outcome::Judged { .. } => {
                let done = read_coupon(entry)?;
                sides.push(self.known.put(
                    &coupon.id,
                    &stock.clone().after(&done.made),
                    Some(now),
                )?);
                Ok(done)
            }
        };
        Ok(Step::Commit(Proposal::of(applied, sides), answer))
    }
}

/// The answer of a coupon's entry.
pub(crate) fn read_coupon(entry: &Entry) -> Result<CouponDone> {
    let none = || Error::Corrupt("a coupon's entry is none");
    let made = entry.spend().cloned().ok_or_else(none)?;
    let taken = entry.coupon().cloned().ok_or_else(none)?;
    Ok(CouponDone { sequence: entry.sequence, made, taken })
}

/// Reads an item of a coupon by itself, to show it; of codes only how many.
pub(crate) fn show_coupon_item(item: &Item) -> Result<String> {
    let record = read_binary(item, "d")?;
    Ok(match read_text(item, "sk")? {
        key::STOCK => format!("{:#?}", decode_stock(record)?),
        key::FATE => format!("{:#?}", decode_fate(record)?),
        _ => format!("{} codes", decode_codes(record)?.len()),
    })
}
