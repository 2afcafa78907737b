//! Records of activity, and of what segments watch.

use domain::activity::{Activity, Goods, Watch, Watched};
use domain::amount::Amount;
use domain::id::{AreaId, ProductId};
use domain::time::{Day, Month};
use serde::{Deserialize, Serialize};

use super::names::{Name, Names, Texts, some};
use crate::error::Result;

/// Month, purchases, amount, spends, awards.
#[derive(Serialize, Deserialize)]
pub struct ActivityRecord(i32, i32, i64, i32, i32);

/// The goods or the offer, then the area.
#[derive(Serialize, Deserialize)]
pub enum WatchRecord {
    Area(Option<Name>),
    Product(Name, Option<Name>),
    Category(Name, Option<Name>),
    Offer(Name),
}

/// What is watched, and its months: each but the first by the distance from the one before.
#[derive(Serialize, Deserialize)]
pub struct WatchedRecord(WatchRecord, Vec<(i32, i32)>);

pub fn activity_record(one: &Activity) -> ActivityRecord {
    ActivityRecord(one.month.0, one.purchases, one.amount.0, one.spends, one.awards)
}

pub fn read_activity(record: &ActivityRecord) -> Activity {
    let ActivityRecord(month, purchases, amount, spends, awards) = *record;
    Activity { month: Month(month), purchases, amount: Amount(amount), spends, awards }
}

/// The months of a wallet: each but the first by the distance from the one before.
pub fn months_record(months: &[Activity]) -> Vec<ActivityRecord> {
    let mut before = 0;
    let near = |one: &Activity| {
        let distance = Month(one.month.0.wrapping_sub(before));
        before = one.month.0;
        activity_record(&Activity { month: distance, ..*one })
    };
    months.iter().map(near).collect()
}

pub fn read_months(records: &[ActivityRecord]) -> Vec<Activity> {
    let mut before = 0_i32;
    let far = |record: &ActivityRecord| {
        before = before.wrapping_add(record.0);
        Activity { month: Month(before), ..read_activity(record) }
    };
    records.iter().map(far).collect()
}

pub fn watch_record(names: &mut Names, watch: &Watch) -> Result<WatchRecord> {
    let (goods, area) = match watch {
        Watch::Offer(offer) => return Ok(WatchRecord::Offer(names.add(offer.as_str())?)),
        Watch::Purchases { goods, area } => (goods, area),
    };
    let area = names.add_some(area.as_ref().map(AreaId::as_str))?;
    Ok(match goods {
        None => WatchRecord::Area(area),
        Some(Goods::Product(id)) => WatchRecord::Product(names.add(id.as_str())?, area),
        Some(Goods::Category(id)) => WatchRecord::Category(names.add(id.as_str())?, area),
    })
}

pub fn read_watch(texts: &Texts<'_>, record: &WatchRecord) -> Result<Watch> {
    let product = |name| texts.parse(name, ProductId::parse);
    let (goods, area) = match record {
        WatchRecord::Offer(offer) => return Ok(Watch::Offer(texts.offer(*offer)?)),
        WatchRecord::Area(area) => (None, *area),
        WatchRecord::Product(id, area) => (Some(Goods::Product(product(*id)?)), *area),
        WatchRecord::Category(id, area) => (Some(Goods::Category(product(*id)?)), *area),
    };
    let area = some(area, |name| texts.parse(name, AreaId::parse))?;
    Ok(Watch::Purchases { goods, area })
}

pub fn watched_record(names: &mut Names, one: &Watched) -> Result<WatchedRecord> {
    let months = near(one.months.iter().map(|(month, count)| (month.0, *count)));
    Ok(WatchedRecord(watch_record(names, &one.watch)?, months))
}

pub fn read_watched(texts: &Texts<'_>, record: &WatchedRecord) -> Result<Watched> {
    let months = far(&record.1).map(|(month, count)| (Month(month), count)).collect();
    Ok(Watched { watch: read_watch(texts, &record.0)?, months })
}

/// Purchases by day: each but the first by the distance from the one before.
pub fn days_record(days: &[(Day, i32)]) -> Vec<(i32, i32)> {
    near(days.iter().map(|(day, count)| (day.0, *count)))
}

pub fn read_days(record: &[(i32, i32)]) -> Vec<(Day, i32)> {
    far(record).map(|(day, count)| (Day(day), count)).collect()
}

fn near(times: impl Iterator<Item = (i32, i32)>) -> Vec<(i32, i32)> {
    let mut before = 0;
    let near = |(time, count): (i32, i32)| {
        let distance = time.wrapping_sub(before);
        before = time;
        (distance, count)
    };
    times.map(near).collect()
}

fn far(record: &[(i32, i32)]) -> impl Iterator<Item = (i32, i32)> + '_ {
    let mut before = 0_i32;
    record.iter().map(move |(distance, count)| {
        before = before.wrapping_add(*distance);
        (before, *count)
    })
}
