//! The catalogue of coupons, and the pools of their partners' codes.

use domain::coupon::{Codes, Coupon, PoolCode};
use domain::id::CouponId;
use domain::programme::Programme;
use harness::{Answer, Fault, Request, Room, violation};
use serde_json::{Value, json};
use store::{Noun, Uploading};
use wire::answer;
use wire::coupon::{CodesFile, parse_codes};
use wire::fault::code;

/// `GET /v1/coupons`: with what is left and what was given; a merchant's token sees its own.
pub async fn list(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let programme = room.programme(request.now).await?;
    let coupons = programme.coupons.iter();
    let coupons: Vec<&Coupon> =
        coupons.filter(|coupon| request.is_partner(coupon.partner.as_ref())).collect();
    let ids: Vec<CouponId> = coupons.iter().map(|coupon| coupon.id.clone()).collect();
    let stocks = room.store.stocks(&ids).await?;
    let coupons: Vec<_> = coupons.into_iter().zip(stocks).collect();
    Answer::json(200, &answer::catalogue(&programme, &coupons, request.now))
}

/// `POST /v1/coupons/{coupon}/codes`: a file of codes for a pool. No answer repeats one.
pub async fn upload(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let key = request.timely_key()?;
    let programme = room.programme(request.now).await?;
    let coupon = coupon(request, &programme)?;
    let CodesFile { rows, payload } = parse_codes(&request.body()?)?;
    let malformed: Vec<Option<&str>> = rows.iter().map(|row| row.as_ref().err().copied()).collect();
    let rows: Vec<(usize, PoolCode)> = rows
        .iter()
        .enumerate()
        .filter_map(|(index, row)| Some((index, row.as_ref().ok()?.clone())))
        .collect();
    let order = Uploading { coupon: &coupon.id, key: &key, payload, rows: &rows };
    let mut brought = room.store.upload_codes(&order).await?.into_iter();
    let outcome = |(index, malformed): (usize, Option<&str>)| -> Value {
        match malformed {
            Some(message) => json!({ "index": index, "outcome": "malformed", "message": message }),
            None if brought.next() == Some(true) => {
                json!({ "index": index, "outcome": "accepted" })
            }
            None => json!({ "index": index, "outcome": "duplicate" }),
        }
    };
    let outcomes: Vec<Value> = malformed.into_iter().enumerate().map(outcome).collect();
    let count = |of: &str| outcomes.iter().filter(|outcome| outcome["outcome"] == of).count();
    let (accepted, duplicate, malformed) =
        (count("accepted"), count("duplicate"), count("malformed"));
    let answer = json!({
        "accepted": accepted, "duplicate": duplicate, "malformed": malformed, "outcomes": outcomes,
    });
    Answer::json(200, &answer)
}

fn coupon<'a>(request: &Request, programme: &'a Programme) -> Result<&'a Coupon, Fault> {
    let id = request.path("coupon", CouponId::parse, Noun::Coupon)?;
    let coupon = programme.coupon(&id).filter(|it| request.is_partner(it.partner.as_ref()));
    let coupon = coupon.ok_or(Fault::not_found(Noun::Coupon))?;
    if coupon.codes == Codes::Uploaded {
        return Ok(coupon);
    }
    let message = format!("the codes of the coupon \"{id}\" are not uploaded");
    Err(violation("", code::NOT_ALLOWED, &message))
}
