//! Coupons: taken by participants, and used where their partners want to see a code.

use domain::coupon::{CodeTaken, Codes, Coupon, CouponCode, CouponTaken};
use domain::id::{Key, ParticipantId};
use domain::pass::Generation;
use domain::programme::Programme;
use domain::refusal::Refusal;
use domain::time::Instant;
use harness::{Answer, Fault, Request, Room, recalled};
use store::{CouponDone, Done, Noun, Recalling, RequestKey, TakingCoupon, UsingCoupon};
use wire::answer;
use wire::coupon::{parse_coupon, parse_use, sent_coupon};
use wire::fault::BodyFault;

/// `POST /v1/participants/{participant}/coupons`.
pub async fn take(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let participant = request.path("participant", ParticipantId::parse, Noun::Participant)?;
    let (key, body, now) = (request.required_key()?, request.body()?, request.now);
    let programme = room.programme(now).await?;
    let asked = match parse_coupon(&body, &programme) {
        Ok(asked) => asked,
        Err(wrong) => {
            let done = repeated(room, request, (&participant, &key), &body, wrong).await?;
            request.may_act_at(&programme, done.value.made.unit.as_ref())?;
            return taken(room, &programme, &participant, now, &done).await;
        }
    };
    request.may_act_at(&programme, asked.unit.as_ref())?;
    let generation = match asked.coupon.codes {
        Codes::Generated => room.secret()?.keys(now).await?.newest(),
        Codes::None | Codes::Uploaded => Generation::default(),
    };
    let order = TakingCoupon {
        programme: &programme,
        now,
        participant: &participant,
        key: &key,
        payload: asked.payload,
        coupon: asked.coupon,
        amount: asked.amount,
        unit: asked.unit.as_ref(),
        generation,
    };
    let done = room.store.take_coupon(&order).await?;
    taken(room, &programme, &participant, now, &done).await
}

/// What the key led to before, whatever the programme says of the coupon now; else what is
/// wrong with the body.
async fn repeated(
    room: &Room,
    request: &Request,
    (participant, key): (&ParticipantId, &Key),
    body: &[u8],
    wrong: BodyFault,
) -> Result<Done<CouponDone>, Fault> {
    let Some(payload) = sent_coupon(body) else { return Err(wrong.into()) };
    let (now, key) = (request.now, RequestKey::Caller(key));
    let asked = Recalling { now, participant, key, payload };
    recalled(request, room.store.recall_coupon(&asked).await, wrong)
}

async fn taken(
    room: &Room,
    programme: &Programme,
    participant: &ParticipantId,
    now: Instant,
    done: &Done<CouponDone>,
) -> Result<Answer, Fault> {
    let CouponDone { sequence, made, taken } = &done.value;
    // Whoever asks again after the cancel is not told what was given back.
    let at = made.performed_on;
    let cancelled =
        done.repeated && room.store.is_coupon_cancelled(participant, *sequence, at).await?;
    let code = if cancelled { None } else { code(room, taken, now).await? };
    let (who, what) = ((participant, *sequence), (made, taken));
    let wallet = (&done.wallet, now);
    Answer::json(
        201,
        &answer::coupon(programme, who, what, code, wallet, (done.repeated, cancelled)),
    )
}

/// The code of a coupon that was taken: the same for ever.
async fn code(room: &Room, taken: &CouponTaken, now: Instant) -> Result<Option<String>, Fault> {
    let CouponTaken { coupon, number, until, code } = taken;
    Ok(match code {
        CodeTaken::None => None,
        CodeTaken::Uploaded => {
            Some(room.store.pool_code(coupon, *number).await?.as_str().to_owned())
        }
        CodeTaken::Generated(generation) => {
            let key = room.secret()?.coupon_key(coupon, *generation, now).await?;
            Some(key.code(*number, *until))
        }
    })
}

/// `POST /v1/coupon-uses`: once, for a coupon whose code was made here. What is mistyped, forged, of
/// no coupon, or of another partner than the token's merchant is answered alike.
pub async fn use_up(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let (key, now) = (request.timely_key()?, request.now);
    let asked = parse_use(&request.body()?)?;
    let programme = room.programme(now).await?;
    if asked.unit.is_some() {
        request.may_act_at(&programme, asked.unit.as_ref())?;
    }
    let none = || Fault::from(Refusal::CouponNotRedeemable);
    let code = CouponCode::read(&asked.code).ok_or_else(none)?;
    let coupon = coupon_of_code(room, &programme, &code, now).await?;
    let coupon = coupon.filter(|it| request.is_partner(it.partner.as_ref())).ok_or_else(none)?;
    let order = UsingCoupon {
        programme: &programme,
        now,
        coupon: &coupon.id,
        number: code.number,
        until: code.until,
        key: &key,
        payload: asked.payload,
        unit: asked.unit.as_ref(),
        who: &request.who(),
    };
    let (used, repeated) = room.store.use_coupon(&order).await?;
    let place = (used.at, used.unit.as_ref());
    Answer::json(201, &answer::coupon_used(&programme, coupon, place, repeated))
}

/// The coupon whose key made a code; of those whose codes begin alike, one at most did.
async fn coupon_of_code<'a>(
    room: &Room,
    programme: &'a Programme,
    code: &CouponCode,
    now: Instant,
) -> Result<Option<&'a Coupon>, Fault> {
    for coupon in programme.coupons.iter().filter(|coupon| code.names(&coupon.id)) {
        if room.secret()?.made_coupon(&coupon.id, code, now).await? {
            return Ok(Some(coupon));
        }
    }
    Ok(None)
}
