//! All that is held of one participant, for whoever has a right to know it.
//!
//! Each page has who it is and the wallet as they are now, and goes on with ledger and events, the
//! newest first, where the page before it ended; the last one has no cursor.

use domain::activity::{Goods, Watch};
use domain::id::ParticipantId;
use domain::ledger::{Entry, EntryKey};
use domain::pass::{Origin, PassId};
use domain::programme::Programme;
use domain::wallet::Wallet;
use harness::{Answer, Fault, Request, Room};
use serde_json::{Value, json};
use store::{CouponFate, Error, EventsCursor, EventsFilter, Noun};
use wire::answer::{self, CouponHeld};
use wire::feed::{self, FeedMessage};

use crate::handler::participant;

/// Ledger entries of a page.
const ENTRIES: usize = 100;
/// Events of a page: each may have 500 lines.
const EVENTS: usize = 25;
/// In a cursor: that a list is at its end.
const END: &str = "-";

/// Where a page goes on: none of either, where there is no more.
struct Cursor {
    /// Ledger entries below this sequence.
    below: Option<u64>,
    /// From the newest event on: none within.
    events: Option<Option<EventsCursor>>,
}

impl Cursor {
    fn parse(text: &str) -> Option<Cursor> {
        let (below, events) = text.split_once('_')?;
        let below = if below == END { None } else { Some(below.parse().ok()?) };
        let events = if events == END { None } else { Some(Some(EventsCursor::parse(events)?)) };
        Some(Cursor { below, events })
    }

    fn show(&self) -> Option<String> {
        let below = self.below.map(|below| below.to_string());
        let events = self
            .events
            .as_ref()
            .map(|events| events.as_ref().map(ToString::to_string).unwrap_or_default());
        let more = below.is_some() || events.is_some();
        let text = |part: Option<String>| part.unwrap_or_else(|| END.to_owned());
        more.then(|| format!("{}_{}", text(below), text(events)))
    }
}

/// `GET /v1/participants/{participant}/data`.
pub async fn get(room: &Room, request: &Request) -> Result<Answer, Fault> {
    let id = participant(request)?;
    let first = Cursor { below: Some(u64::MAX), events: Some(None) };
    let from = request.query("cursor", Cursor::parse)?.unwrap_or(first);
    let programme = room.programme(request.now).await?;
    let known = room.store.participant(&id).await?;
    let wallet = room.store.wallet(&id).await?;
    let entries = match from.below {
        Some(below) => room.store.transactions(&id, Some(below), ENTRIES).await?,
        None => Vec::new(),
    };
    let last = entries.last().map(|entry| entry.sequence).filter(|sequence| *sequence > 1);
    let below = last.filter(|_| entries.len() == ENTRIES);
    let (events, after) = match from.events {
        Some(after) => {
            let page = room.store.events(&id, &EventsFilter::default(), after, EVENTS).await?;
            (page.events, page.cursor.map(Some))
        }
        None => (Vec::new(), None),
    };
    let mut passes = Vec::new();
    let redeemed = entries.iter().filter_map(|entry| {
        let EntryKey::Redeem { plan, serial, .. } = &entry.key else { return None };
        Some(PassId { plan: plan.clone(), serial: *serial })
    });
    let used = events.iter().filter_map(|event| event.pass.as_ref()?.used());
    for id in redeemed.chain(used.map(|(pass, _)| pass)) {
        passes.extend(pass(room, request, &programme, &id).await?);
    }
    let shown = entries.iter().map(|entry| answer::transaction(&programme, &id, entry));
    let events = events.iter().map(|event| answer::event_only(&programme, event));
    Answer::json(
        200,
        &json!({
            "participant": answer::participant(&id, &known, programme.zone),
            "wallet": answer::wallet(&programme, &wallet, request.now),
            "activity": activity(&programme, &wallet),
            "alerts": alerts(room, &programme, &id).await?,
            "transactions": shown.collect::<Vec<_>>(),
            "events": events.collect::<Vec<_>>(),
            "passes": passes,
            "coupons": coupons(room, &programme, &id, &entries).await?,
            "cursor": Cursor { below, events: after }.show(),
        }),
    )
}

/// The times that the participant came into the segments of alerts, or left them, also of alerts
/// that have left the programme.
async fn alerts(
    room: &Room,
    programme: &Programme,
    id: &ParticipantId,
) -> Result<Vec<FeedMessage>, Fault> {
    let mut turns = Vec::new();
    for (alert, known) in room.store.all_turns(id).await? {
        turns.extend(known.list.iter().map(|turn| feed::alert(programme, id, &alert, turn)));
    }
    Ok(turns)
}

/// What is held of the coupons that these entries took, beside the ledger.
async fn coupons(
    room: &Room,
    programme: &Programme,
    id: &ParticipantId,
    entries: &[Entry],
) -> Result<Vec<CouponHeld>, Fault> {
    let mut held = Vec::new();
    for entry in entries {
        let Some(taken) = entry.coupon() else { continue };
        let (used, void) = match room.store.coupon_fate(taken).await? {
            Some(CouponFate::Used(used)) => (Some(used), false),
            Some(CouponFate::Void) => (None, true),
            None => (None, false),
        };
        let used = used.as_ref().map(|used| (used.at, used.unit.as_ref()));
        held.push(answer::coupon_held(programme, (id, entry.sequence), taken, used, void));
    }
    Ok(held)
}

/// What the wallet knows of its months, and what segments watch.
fn activity(programme: &Programme, wallet: &Wallet) -> Value {
    let months = wallet.activity.iter().map(|known| {
        json!({
            "month": known.month.to_string(),
            "purchases": known.purchases,
            "amount": known.amount.show(programme.currency.decimals),
            "spends": known.spends,
            "awards": known.awards,
        })
    });
    let watched = wallet.watched.iter().map(|known| {
        let months = known.months.iter().map(|(month, count)| json!([month.to_string(), count]));
        let (goods, area, offer) = match &known.watch {
            Watch::Purchases { goods, area } => (goods.as_ref(), area.as_ref(), None),
            Watch::Offer(offer) => (None, None, Some(offer)),
        };
        let goods = goods.map(|(Goods::Product(id) | Goods::Category(id))| id.to_string());
        json!({
            "goods": goods,
            "area": area.map(ToString::to_string),
            "offer": offer.map(ToString::to_string),
            "months": months.collect::<Vec<_>>(),
        })
    });
    let days = wallet.days.iter().filter(|(_, count)| *count > 0);
    let days = days.map(|(day, count)| json!([day.date().to_string(), count]));
    json!({
        "months": months.collect::<Vec<_>>(),
        "watched": watched.collect::<Vec<_>>(),
        "days": days.collect::<Vec<_>>(),
    })
}

/// A pass that was redeemed or shown, with whom it was for.
async fn pass(
    room: &Room,
    request: &Request,
    programme: &Programme,
    id: &PassId,
) -> Result<Option<Value>, Fault> {
    let Some(plan) = programme.pass_plan(&id.plan) else { return Ok(None) };
    let pass = match room.store.pass(plan, id).await {
        Err(Error::NotFound(Noun::Pass)) => return Ok(None),
        known => known?,
    };
    let recipient =
        if let Origin::Issued(issued) = &pass.origin { issued.recipient.as_deref() } else { None };
    let shown = answer::pass_view(programme, plan, &pass, request.now);
    Ok(Some(json!({ "pass": shown, "recipient": recipient })))
}
