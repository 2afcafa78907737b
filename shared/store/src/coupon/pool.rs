//! The pool of a partner's codes: in numbered pages, each code once for ever (R-76).

use std::collections::HashMap;

use domain::coupon::{PoolCode, Stock};
use domain::id::{CouponId, Key};
use domain::ledger::PayloadHash;
use sha2::{Digest, Sha256};

use crate::Store;
use crate::commit::back_off;
use crate::error::{Error, Result};
use crate::key;
use crate::record::{decode_codes, encode_codes};
use crate::table::{
    Demand, Item, Write, Written, binary, item, number, read_binary, read_number, read_text,
};

/// Codes that are put together: with their page and the stock, as many items as a transaction has.
pub const CODES_OF_PAGE: usize = 96;
/// Tries of a page against rivals.
const MAX_TRIES: u32 = 24;

/// Codes that a partner uploads.
pub struct Uploading<'a> {
    pub coupon: &'a CouponId,
    pub key: &'a Key,
    /// Of the file.
    pub payload: PayloadHash,
    /// The rows that hold a code, with their places in the file.
    pub rows: &'a [(usize, PoolCode)],
}

/// Which upload brought a code, and where it stood: the row that comes again is no duplicate.
type Origin = ([u8; 16], usize);

impl Store {
    /// Adds codes to a pool, and answers for each row whether it brought one that is in no other. An
    /// upload that broke off goes on where it ended, under its key. Write units: 1, 2 for each code,
    /// and 4 or more for each page of them.
    ///
    /// # Errors
    /// `KeyReused`, `Contended`, or a failure.
    pub async fn upload_codes(&self, order: &Uploading<'_>) -> Result<Vec<bool>> {
        let guard = key::coupon_upload(order.coupon, order.key);
        let upload = item(guard, [("h", binary(order.payload.0.to_vec()))]);
        if !self.table.put_once(upload, Demand::Absent).await? {
            return Err(Error::KeyReused);
        }
        let mut brought = Vec::with_capacity(order.rows.len());
        for rows in order.rows.chunks(CODES_OF_PAGE) {
            brought.extend(self.add_page(order, rows).await?);
        }
        Ok(brought)
    }

    async fn add_page(
        &self,
        order: &Uploading<'_>,
        rows: &[(usize, PoolCode)],
    ) -> Result<Vec<bool>> {
        let coupon = order.coupon;
        let upload = upload_mark(order.key);
        let marks: Vec<[u8; 32]> = rows.iter().map(|(_, code)| code.mark(coupon)).collect();
        for attempt in 0..MAX_TRIES {
            let origins = self.origins(coupon, &marks).await?;
            // Of several alike in the file, the first one brings the code.
            let mut firsts: HashMap<&[u8; 32], usize> = HashMap::new();
            for (mark, (row, _)) in marks.iter().zip(rows) {
                firsts.entry(mark).or_insert(*row);
            }
            let known = |mark| origins.get(mark);
            let new = rows.iter().zip(&marks);
            let new = new.filter(|((row, _), mark)| known(*mark).is_none() && firsts[mark] == *row);
            let (codes, parts): (Vec<&PoolCode>, Vec<Write>) =
                new.map(|((row, code), mark)| (code, guard(coupon, mark, (upload, *row)))).unzip();
            let added = codes.is_empty() || self.put_page(coupon, &codes, parts).await?;
            if added {
                let brought = rows.iter().zip(&marks).map(|((row, _), mark)| {
                    known(mark).map_or(firsts[mark] == *row, |origin| *origin == (upload, *row))
                });
                return Ok(brought.collect());
            }
            back_off(attempt).await;
        }
        Err(Error::Contended)
    }

    /// Which upload brought each of the codes that are in the pool.
    async fn origins(
        &self,
        coupon: &CouponId,
        marks: &[[u8; 32]],
    ) -> Result<HashMap<[u8; 32], Origin>> {
        let keys = marks.iter().map(|mark| (key::pool_code(coupon, mark).pk, *mark));
        let by_key: HashMap<String, [u8; 32]> = keys.collect();
        let keys = by_key.values().map(|mark| key::pool_code(coupon, mark)).collect();
        let read = |item: &Item| {
            let mark = by_key.get(read_text(item, "pk")?);
            let mark = mark.ok_or(Error::Corrupt("a code that nobody asked for"))?;
            let upload = read_binary(item, "o")?.try_into();
            let upload = upload.map_err(|_| Error::Corrupt("a code of no upload"))?;
            let row = usize::try_from(read_number(item, "r")?).unwrap_or(usize::MAX);
            Ok((*mark, (upload, row)))
        };
        self.table.get_many(keys, true).await?.iter().map(read).collect()
    }

    /// Puts a page behind the others; answers whether nobody else was faster.
    async fn put_page(
        &self,
        coupon: &CouponId,
        codes: &[&PoolCode],
        mut parts: Vec<Write>,
    ) -> Result<bool> {
        let known = self.stock(coupon, true).await?;
        let first = known.stock.pool;
        let pool = first + u64::try_from(codes.len()).unwrap_or(0);
        parts.push(known.put(coupon, &Stock { pool, ..known.stock.clone() }, None)?);
        let page = item(key::codes_page(coupon, first), [("d", binary(encode_codes(codes)?))]);
        parts.push(Write::Put { item: page, demand: Demand::Absent });
        match self.table.write(parts).await? {
            Written::Done => Ok(true),
            Written::Refused(_) | Written::Conflict => Ok(false),
        }
    }

    /// The code of the pool with this number. Read units: 0.5 up to 4 KB of its page.
    ///
    /// # Errors
    /// A failure: also where there is no such code.
    pub async fn pool_code(&self, coupon: &CouponId, number: u64) -> Result<PoolCode> {
        let (pk, least, most) = key::codes_pages(coupon, number);
        for consistent in [false, true] {
            let pages = self.table.newest(&pk, &least, &most, 1, consistent).await?;
            let Some(page) = pages.first() else { continue };
            let first = key::read_codes_page(read_text(page, "sk")?);
            let first = first.ok_or(Error::Corrupt("a page of codes without a number"))?;
            let at = usize::try_from(number.saturating_sub(first)).unwrap_or(usize::MAX);
            let code = decode_codes(read_binary(page, "d")?)?.into_iter().nth(at);
            if let Some(code) = code {
                return Ok(code);
            }
        }
        Err(Error::Corrupt("a code that is in no page"))
    }
}

/// Makes a code this upload's, for ever.
fn guard(coupon: &CouponId, mark: &[u8; 32], (upload, row): Origin) -> Write {
    let row = u64::try_from(row).unwrap_or(u64::MAX);
    let record = [("o", binary(upload.to_vec())), ("r", number(row))];
    Write::Put { item: item(key::pool_code(coupon, mark), record), demand: Demand::Absent }
}

fn upload_mark(key: &Key) -> [u8; 16] {
    let digest = Sha256::digest(key.as_str().as_bytes());
    std::array::from_fn(|at| digest[at])
}
