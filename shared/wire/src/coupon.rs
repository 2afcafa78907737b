//! Bodies about coupons: taken, used, and their partners' codes.

use domain::amount::Amount;
use domain::coupon::{Cost, Coupon, PoolCode};
use domain::id::{CouponId, UnitId};
use domain::ledger::PayloadHash;
use domain::programme::Programme;
use serde_json::{Value, json};

use crate::event::payload_hash;
use crate::fault::{BodyFault, Violation, code};
use crate::read::{self, Object, read};

/// Most rows of a file of codes.
const MAX_ROWS: usize = 1_000;
/// Most characters of a code as it is typed.
const MAX_TYPED: usize = 200;

/// A coupon that a participant asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponRequest<'p> {
    pub coupon: &'p Coupon,
    /// What is given, where the giver chooses.
    pub amount: Option<Amount>,
    pub unit: Option<UnitId>,
    pub payload: PayloadHash,
}

/// A coupon that somebody uses. The code is a secret, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct UseRequest {
    pub code: Box<str>,
    pub unit: Option<UnitId>,
    /// Of the body without the code: a stored hash of it would let a reader of the table try codes.
    pub payload: PayloadHash,
}

/// A file of codes: of each row its code, or what is wrong with it. A secret, so it has no `Debug`.
pub struct CodesFile {
    pub rows: Vec<Result<PoolCode, &'static str>>,
    pub payload: PayloadHash,
}

/// Parses `{coupon, amount?, unit?}`.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`] with everything that is wrong.
pub fn parse_coupon<'p>(
    bytes: &[u8],
    programme: &'p Programme,
) -> Result<CouponRequest<'p>, BodyFault> {
    let value = read::json(bytes)?;
    read(&value, |node| {
        let body = node.object(&["coupon", "amount", "unit"])?;
        let unit = body.optional("unit").map(|unit| unit.parsed(UnitId::parse));
        let coupon = known_coupon(&body, programme);
        let amount = coupon.map(|coupon| amount(&body, coupon, programme));
        let unit = unit.map_or(Some(None), |unit| unit.map(Some));
        let (coupon, amount, unit) = (coupon?, amount??, unit?);
        Some(CouponRequest { coupon, amount, unit, payload: payload_hash(&value) })
    })
}

/// The payload of what somebody sent for a coupon, whatever the programme says of it now.
pub fn sent_coupon(bytes: &[u8]) -> Option<PayloadHash> {
    read::json(bytes).ok().map(|value| payload_hash(&value))
}

fn known_coupon<'p>(body: &Object<'_>, programme: &'p Programme) -> Option<&'p Coupon> {
    let node = body.required("coupon")?;
    let coupon = programme.coupon(&node.parsed(CouponId::parse)?);
    if coupon.is_none() {
        node.fault(code::UNKNOWN_REFERENCE, "is no coupon of the programme");
    }
    coupon
}

/// What the giver chooses; none where the coupon has a price.
fn amount(body: &Object<'_>, coupon: &Coupon, programme: &Programme) -> Option<Option<Amount>> {
    match (coupon.cost, body.optional("amount")) {
        (Cost::Fixed(_), None) => Some(None),
        (Cost::Fixed(_), Some(amount)) => {
            amount.fault(code::NOT_ALLOWED, "must be left out: the coupon has its cost");
            None
        }
        (Cost::Chosen { .. }, Some(amount)) => {
            amount.positive(programme.decimals(&coupon.balance)).map(Some)
        }
        (Cost::Chosen { .. }, None) => {
            body.missing("amount", "is required: the giver chooses what is given");
            None
        }
    }
}

/// Parses `{code, unit?}`.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`] with everything that is wrong; never what was
/// sent as a code.
pub fn parse_use(bytes: &[u8]) -> Result<UseRequest, BodyFault> {
    read(&read::json(bytes)?, |node| {
        let body = node.object(&["code", "unit"])?;
        let code = body.required("code").and_then(|code| {
            let typed = code.text()?;
            if !(1..=MAX_TYPED).contains(&typed.len()) {
                code.fault(code::LENGTH, "must have 1 to 200 characters");
            }
            Some(Box::from(typed))
        });
        let unit = body.optional("unit").map(|unit| unit.parsed(UnitId::parse));
        let unit = unit.map_or(Some(None), |unit| unit.map(Some));
        let payload = payload_hash(&json!({ "unit": unit.as_ref()?.as_ref().map(UnitId::as_str) }));
        Some(UseRequest { code: code?, unit: unit?, payload })
    })
}

/// Parses a file in UTF-8 with the header `code` and 1 to 1,000 rows; a row that is no code stops no
/// other.
///
/// # Errors
/// [`BodyFault::Invalid`] where header or length are at fault.
pub fn parse_codes(bytes: &[u8]) -> Result<CodesFile, BodyFault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(bytes);
    let mut records = reader.records();
    let header = records.next().and_then(Result::ok);
    if header.is_none_or(|header| header.len() != 1 || &header[0] != "code") {
        return Err(invalid("/columns", code::REQUIRED, "must be the one column code"));
    }
    let rows = records.map(|record| match record {
        Ok(record) if record.len() == 1 => PoolCode::parse(&record[0]),
        Ok(_) => Err("has more than one cell"),
        Err(_) => Err("is no row of CSV in UTF-8"),
    });
    let rows: Vec<_> = rows.take(MAX_ROWS + 1).collect();
    if !(1..=MAX_ROWS).contains(&rows.len()) {
        let message = format!("must have 1 to {MAX_ROWS} rows below its header");
        return Err(invalid("", code::LENGTH, &message));
    }
    let sent = rows.iter().map(|row| row.as_ref().ok().map(PoolCode::as_str));
    let payload = payload_hash(&sent.map(Value::from).collect());
    Ok(CodesFile { rows, payload })
}

fn invalid(pointer: &str, code: &'static str, message: &str) -> BodyFault {
    let (pointer, message) = (pointer.to_owned(), message.to_owned());
    BodyFault::Invalid(vec![Violation { pointer, code, message }])
}
