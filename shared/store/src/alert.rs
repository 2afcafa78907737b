//! Alerts: who came into a segment or left it, noted once, so that feeds tell it.
//!
//! The table is the truth: a turn that is noted changes an item, of which the table's stream tells
//! feeds as of all others. Whoever is in, or was told of last without the target knowing it, stands
//! in the index, so that the next run looks again, and has told again what was lost on the way.

use domain::alert::{Alert, Seen, Step, Turn, Turns};
use domain::amount::Amount;
use domain::id::{AlertId, ParticipantId, SegmentId};
use domain::time::{Instant, Month};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::commit::back_off;
use crate::error::{Error, Result};
use crate::key;
use crate::record::{from_bytes, to_bytes};
use crate::table::{Demand, Item, binary, item, number, read_binary, read_number, read_text, text};

/// Most participants between whom [`Store::open_alerts`] looks: what the index answers at once.
pub const MAX_WATCHED_TOGETHER: usize = 100;
/// Open alerts of a page of the index.
const OPEN_OF_PAGE: i32 = 500;
/// Tries to note a turn against rivals. Each lost race means that another run noted one.
const MAX_TRIES: u32 = 8;

/// What a run looks for.
#[derive(Clone, Copy, Debug)]
pub struct Watching<'a> {
    pub alert: &'a Alert,
    /// Whether the alert has not gone over everybody of the shard yet.
    pub is_first: bool,
}

/// What a run of alerts came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertCounts {
    /// Wallets that it looked at.
    pub wallets: u64,
    pub joined: u64,
    pub left: u64,
    /// Turns that the target should have known, and is told again.
    pub reminded: u64,
    /// Wallets that could not be read or written; the next run tries them again.
    pub failed: u64,
}

impl AlertCounts {
    /// Adds up.
    pub fn add(&mut self, other: &AlertCounts) {
        self.wallets += other.wallets;
        self.joined += other.joined;
        self.left += other.left;
        self.reminded += other.reminded;
        self.failed += other.failed;
    }

    /// Counts what was noted of one participant; what this run noted before counts as well.
    fn of(turns: &Turns, seen: &Seen) -> AlertCounts {
        let now = turns.list.last().filter(|last| last.at == seen.at);
        AlertCounts {
            joined: u64::from(now.is_some_and(|turn| turn.joined)),
            left: u64::from(now.is_some_and(|turn| !turn.joined)),
            reminded: u64::from(turns.reminded == Some(seen.at)),
            ..AlertCounts::default()
        }
    }
}

/// Sequence; joined, told; time; segment; sales by month.
#[derive(Serialize, Deserialize)]
struct TurnRecord(u64, bool, bool, i64, String, Vec<(i32, i64)>);

/// The turns; when the target was reminded.
#[derive(Serialize, Deserialize)]
struct TurnsRecord(Vec<TurnRecord>, Option<i64>);

fn record(turn: &Turn) -> TurnRecord {
    let Turn { sequence, joined, is_told, at, segment, sales } = turn;
    let sales = sales.iter().map(|(month, amount)| (month.0, amount.0)).collect();
    TurnRecord(*sequence, *joined, *is_told, at.0, segment.to_string(), sales)
}

fn turn(record: TurnRecord) -> Result<Turn> {
    let TurnRecord(sequence, joined, is_told, at, segment, sales) = record;
    let segment = SegmentId::parse(&segment).map_err(|_| Error::Corrupt("bad segment"))?;
    let sales = sales.into_iter().map(|(month, amount)| (Month(month), Amount(amount))).collect();
    Ok(Turn { sequence, joined, is_told, at: Instant(at), segment, sales })
}

/// Reads what an alert knows, and its version; nothing is known where there is no item.
fn read_turns(item: Option<&Item>) -> Result<(Turns, u64)> {
    let Some(item) = item else { return Ok((Turns::default(), 0)) };
    let TurnsRecord(records, reminded) = from_bytes(read_binary(item, "d")?)?;
    let list = records.into_iter().map(turn).collect::<Result<_>>()?;
    Ok((Turns { list, reminded: reminded.map(Instant) }, read_number(item, "v")?))
}

/// Shows what an alert knows.
pub(crate) fn show_turns(item: &Item) -> Result<String> {
    Ok(format!("{:#?}", read_turns(Some(item))?.0))
}

impl Store {
    /// Notes what follows from how a participant is found; what it was, that is counted. Read
    /// units: 1 each for what is known and for the target's place; write units: 2 where something
    /// follows, with the index.
    ///
    /// # Errors
    /// `Contended`, or a failure.
    pub async fn watch(
        &self,
        order: Watching<'_>,
        id: &ParticipantId,
        seen: &Seen,
    ) -> Result<AlertCounts> {
        let Watching { alert, is_first } = order;
        for attempt in 0..MAX_TRIES {
            let known = self.table.get(key::alert(id, &alert.id), true).await?;
            let (mut turns, version) = read_turns(known.as_ref())?;
            let told = self.alert_told(id, alert).await?;
            let step = turns.step(alert, seen, told, is_first);
            let was_open = known.as_ref().is_some_and(|item| read_text(item, "ix_pk").is_ok());
            let is_open = match &step {
                Step::Forget if was_open => false,
                Step::Nothing | Step::Forget => return Ok(AlertCounts::of(&turns, seen)),
                Step::Turned(turn) => {
                    turns.add(turn.clone());
                    turns.is_open()
                }
                Step::Remind => {
                    turns.reminded = Some(seen.at);
                    true
                }
            };
            let item = alert_item(id, &alert.id, &turns, version + 1, is_open)?;
            let demand = if version == 0 { Demand::Absent } else { Demand::Number("v", version) };
            if self.table.put_once(item, demand).await? {
                return Ok(AlertCounts::of(&turns, seen));
            }
            back_off(attempt).await;
        }
        Err(Error::Contended)
    }

    /// What an alert knows of a participant. Read units: 1.
    ///
    /// # Errors
    /// A failure.
    pub async fn turns(&self, id: &ParticipantId, alert: &AlertId) -> Result<Turns> {
        let item = self.table.get(key::alert(id, alert), true).await?;
        Ok(read_turns(item.as_ref())?.0)
    }

    /// What all alerts know of a participant, those too that have left the programme. Read
    /// units: 1 for 4 KB of it.
    ///
    /// # Errors
    /// A failure.
    pub async fn all_turns(&self, id: &ParticipantId) -> Result<Vec<(AlertId, Turns)>> {
        let (pk, first, last) = key::all_alerts(id);
        let items = self.table.between(&pk, &first, &last).await?;
        let read = |item: &Item| {
            let alert = key::read_alert_sort(read_text(item, "sk")?);
            Ok((alert.ok_or(Error::Corrupt("bad alert key"))?, read_turns(Some(item))?.0))
        };
        items.iter().map(read).collect()
    }

    /// Whom alerts have to look at again, with the alert, among the participants of a shard after
    /// one and up to another, of [`MAX_WATCHED_TOGETHER`]. Alerts that have left the programme may be
    /// among them. Read units: about 1 for fifty of them.
    ///
    /// # Errors
    /// A failure, also where they are twenty-five thousand.
    pub async fn open_alerts(
        &self,
        shard: u8,
        after: Option<&str>,
        until: &ParticipantId,
    ) -> Result<Vec<(ParticipantId, AlertId)>> {
        let (least, most) = key::alert_range(after, until);
        let partition = key::alerts(shard);
        let places = self.table.index_between(&partition, &least, &most, OPEN_OF_PAGE).await?;
        let read = |place: &String| key::read_alert(place).ok_or(Error::Corrupt("bad alert key"));
        places.iter().map(read).collect()
    }

    /// Which of these alerts have gone over everybody of a shard. Read units: 1 each.
    ///
    /// # Errors
    /// A failure.
    pub async fn begun_alerts(&self, shard: u8, alerts: &[Alert]) -> Result<Vec<AlertId>> {
        if alerts.is_empty() {
            return Ok(Vec::new());
        }
        let of = |alert: &Alert| key::alert_begun(&alert.id, shard);
        let items = self.table.get_many(alerts.iter().map(of).collect(), true).await?;
        let has = |alert: &&Alert| {
            let key = of(alert);
            items.iter().any(|item| read_text(item, "pk").is_ok_and(|pk| pk == key.pk))
        };
        Ok(alerts.iter().filter(has).map(|alert| alert.id.clone()).collect())
    }

    /// Notes that an alert has gone over everybody of a shard. Write units: 1.
    ///
    /// # Errors
    /// A failure.
    pub async fn begin_alert(&self, shard: u8, alert: &AlertId) -> Result<()> {
        // Whoever noted it before said the same.
        self.table.put_once(item(key::alert_begun(alert, shard), []), Demand::Absent).await?;
        Ok(())
    }
}

/// An item of an alert: in the index while it is open.
fn alert_item(
    id: &ParticipantId,
    alert: &AlertId,
    turns: &Turns,
    version: u64,
    is_open: bool,
) -> Result<Item> {
    let records = turns.list.iter().map(record).collect();
    let record = TurnsRecord(records, turns.reminded.map(|at| at.0));
    let attributes = [("v", number(version)), ("d", binary(to_bytes(&record)?))];
    let mut item = item(key::alert(id, alert), attributes);
    if is_open {
        item.insert("ix_pk".to_owned(), text(&key::alerts(key::shard_of(id))));
        item.insert("ix_sk".to_owned(), text(&key::alert_sort(id, alert)));
    }
    Ok(item)
}
