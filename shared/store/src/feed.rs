//! Feeds: how far each target knows each participant, and what it does not know yet.
//!
//! The place of a target at a participant moves only after the target was told, so a message is
//! told at least once, and none before those of lower sequences were.

mod alerts;

use std::collections::{BTreeMap, HashMap};

use domain::alert::Turn;
use domain::feed::{Feed, FeedType};
use domain::id::{AlertId, FeedId, ParticipantId};
use domain::ledger::Entry;
use domain::participant::{Channel, Consent, Participant};
use domain::pass::PassId;
use domain::time::Instant;
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::commit::back_off;
use crate::error::{Error, Result};
use crate::key;
use crate::ledger::Ledger;
use crate::participant::read_profile;
use crate::record::{from_bytes, to_bytes};
use crate::table::{Demand, Item, binary, item, number, read_binary, read_number};

/// Most entries that a target is told at once.
const ENTRIES: u64 = 50;
/// Entries read at once on the way to an earlier time.
const BACKWARDS: usize = 60;
/// Participants whose places are moved in one step of a replay.
const ROSTER_PAGE: i32 = 100;
/// Tries of a replay against deliveries under way.
const MAX_TRIES: u32 = 8;

/// What a change of the table was about, as far as feeds are told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Participant(ParticipantId),
    Pass(PassId),
    /// Somebody came into the segment of an alert, or left it.
    Alert(ParticipantId, AlertId),
}

/// What a target knows of a participant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct FeedPlace {
    /// The last entry it was told.
    sequence: u64,
    /// The version of the master data it was told.
    profile: u64,
    /// Time and outcome of the consent of each channel it was told.
    consents: BTreeMap<Channel, (Instant, bool)>,
    /// The last turn of each alert it was told.
    alerts: BTreeMap<String, u64>,
}

/// Entry, version of the profile; channel, time, outcome; alert, turn.
#[derive(Serialize, Deserialize)]
struct PlaceRecord(u64, u64, Vec<(Channel, i64, bool)>, Vec<(String, u64)>);

/// What a target is to be told of a participant.
#[derive(Clone, Debug)]
pub struct Due {
    /// Master data with their version, if they changed.
    pub participant: Option<(u64, Participant)>,
    /// Consents that changed, with the version of the master data that brought them.
    pub consents: Vec<(u64, Channel, Consent)>,
    /// The next entries, oldest first.
    pub entries: Vec<Entry>,
    /// Whether there are entries after these.
    pub more: bool,
    /// The next turns of alerts, oldest first.
    pub turns: Vec<(AlertId, Turn)>,
    /// Where the target is once it was told.
    next: FeedPlace,
    /// How often its place was moved so far.
    pub moved: u64,
}

impl Due {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.participant.is_none()
            && self.consents.is_empty()
            && self.entries.is_empty()
            && self.turns.is_empty()
    }
}

impl Change {
    /// What stands under the texts of a changed item's key; none: nothing that feeds are told of.
    pub fn of(key: &HashMap<String, String>) -> Option<Change> {
        let (pk, sk) = (key.get("pk")?, key.get("sk")?);
        match sk.as_str() {
            key::STATE | key::PROFILE => key::read_participant(pk).map(Change::Participant),
            key::PASS => key::read_pass(pk).map(Change::Pass),
            sk => {
                let alert = AlertId::parse(sk.strip_prefix(key::ALERTS)?).ok()?;
                Some(Change::Alert(key::read_participant(pk)?, alert))
            }
        }
    }
}

/// Reads the place of a target; one that was told nothing begins at the beginning.
fn read_place(item: Option<&Item>) -> Result<(FeedPlace, u64)> {
    let Some(item) = item else { return Ok((FeedPlace::default(), 0)) };
    let PlaceRecord(sequence, profile, consents, alerts) = from_bytes(read_binary(item, "d")?)?;
    let consents = consents.into_iter().map(|(channel, at, granted)| {
        let told = (Instant(at), granted);
        (channel, told)
    });
    let (consents, alerts) = (consents.collect(), alerts.into_iter().collect());
    Ok((FeedPlace { sequence, profile, consents, alerts }, read_number(item, "v")?))
}

/// Shows the place of a target.
pub(crate) fn show_place(item: &Item) -> Result<String> {
    Ok(format!("{:#?}", read_place(Some(item))?.0))
}

impl Store {
    /// What a target is to be told of a participant, of these alerts among others. Read units: 0.5
    /// each for the place, for ledger and master data 1 each up to 4 KB, for older entries 1 per
    /// 4 KB, and 1 for each alert.
    ///
    /// # Errors
    /// A failure.
    pub async fn due(&self, feed: &Feed, alerts: &[AlertId], id: &ParticipantId) -> Result<Due> {
        let place = self.table.get(key::feed_place(id, &feed.id), true).await?;
        let (mut next, moved) = read_place(place.as_ref())?;
        let (mut participant, mut consents) = (None, Vec::new());
        if feed.wants(FeedType::Participant) || feed.wants(FeedType::Consent) {
            let profile = self.table.get(key::profile(id), true).await?;
            if let Some(profile) = profile {
                let (version, known) = (read_number(&profile, "v")?, read_profile(&profile)?);
                consents = next.take_consents(feed, version, &known);
                if feed.wants(FeedType::Participant) && version != next.profile {
                    next.profile = version;
                    participant = Some((version, known));
                }
            }
        }
        let (mut entries, mut more) = (Vec::new(), false);
        if feed.wants(FeedType::Movement) {
            let ledger = self.read_ledger(id, true).await?;
            (entries, more) = self.entries_after(id, &ledger, next.sequence).await?;
            next.sequence = entries.last().map_or(next.sequence, |last| last.sequence);
        }
        let turns = self.turns_after(&mut next, alerts, id).await?;
        Ok(Due { participant, consents, entries, more, turns, next, moved })
    }

    /// The entries after a sequence, oldest first, and whether there are more.
    async fn entries_after(
        &self,
        id: &ParticipantId,
        ledger: &Ledger,
        after: u64,
    ) -> Result<(Vec<Entry>, bool)> {
        let length = ledger.state.as_ref().map_or(0, |state| state.wallet.length);
        let last = length.min(after.saturating_add(ENTRIES));
        let count = usize::try_from(last.saturating_sub(after)).unwrap_or(0);
        if count == 0 {
            return Ok((Vec::new(), false));
        }
        let mut entries = self.entries_below(id, ledger, last + 1, count).await?;
        entries.retain(|entry| entry.sequence > after);
        entries.reverse();
        Ok((entries, last < length))
    }

    /// Notes that a target was told what was due. False: somebody else moved its place meanwhile,
    /// and it is to be told again. Write units: 1.
    ///
    /// # Errors
    /// A failure.
    pub async fn told(&self, feed: &FeedId, id: &ParticipantId, due: &Due) -> Result<bool> {
        self.move_place(feed, id, &due.next, due.moved).await
    }

    async fn move_place(
        &self,
        feed: &FeedId,
        id: &ParticipantId,
        to: &FeedPlace,
        moved: u64,
    ) -> Result<bool> {
        let consents = to.consents.iter().map(|(channel, (at, granted))| {
            let channel = channel.clone();
            (channel, at.0, *granted)
        });
        let alerts = to.alerts.clone().into_iter().collect();
        let record = PlaceRecord(to.sequence, to.profile, consents.collect(), alerts);
        let attributes = [("v", number(moved + 1)), ("d", binary(to_bytes(&record)?))];
        let demand = if moved == 0 { Demand::Absent } else { Demand::Number("v", moved) };
        self.table.put_once(item(key::feed_place(id, feed), attributes), demand).await
    }

    /// Moves the place of a target so that it is told again what happened to a participant from
    /// this time on, by these alerts too, and master data and consents as they are. Write units: 1; none where it is
    /// there already.
    ///
    /// # Errors
    /// `NotFound` (participant), `Contended`, or a failure.
    pub async fn replay(
        &self,
        feed: &FeedId,
        alerts: &[AlertId],
        id: &ParticipantId,
        from: Instant,
    ) -> Result<()> {
        let ledger = self.read_ledger(id, true).await?;
        ledger.known()?;
        let sequence = self.last_before(id, &ledger, from).await?;
        let alerts = self.turns_before(alerts, id, from).await?;
        let to = FeedPlace { sequence, alerts, ..FeedPlace::default() };
        for attempt in 0..MAX_TRIES {
            let place = self.table.get(key::feed_place(id, feed), true).await?;
            let (at, moved) = read_place(place.as_ref())?;
            if at == to || self.move_place(feed, id, &to, moved).await? {
                return Ok(());
            }
            back_off(attempt).await;
        }
        Err(Error::Contended)
    }

    /// The last entry before a time; 0 where there is none.
    async fn last_before(&self, id: &ParticipantId, ledger: &Ledger, from: Instant) -> Result<u64> {
        let mut below = u64::MAX;
        loop {
            let entries = self.entries_below(id, ledger, below, BACKWARDS).await?;
            if let Some(found) = entries.iter().find(|entry| entry.at < from) {
                return Ok(found.sequence);
            }
            match entries.last() {
                Some(oldest) if oldest.sequence > 1 => below = oldest.sequence,
                Some(_) | None => return Ok(0),
            }
        }
    }

    /// Participants of a shard of the roster after this one, in the order of their ids; none at
    /// its end. Read units: about 1 for a hundred.
    ///
    /// # Errors
    /// A failure.
    pub async fn roster_page(&self, shard: u8, after: Option<&str>) -> Result<Vec<ParticipantId>> {
        let page = self.table.index(&key::roster(shard), after, ROSTER_PAGE).await?;
        let parse = |id: &String| ParticipantId::parse(id);
        let ids = page.iter().map(parse).collect::<std::result::Result<_, _>>();
        ids.map_err(|_| Error::Corrupt("bad roster key"))
    }
}

impl FeedPlace {
    /// The consents that differ from what was told, which then count as told.
    fn take_consents(
        &mut self,
        feed: &Feed,
        version: u64,
        known: &Participant,
    ) -> Vec<(u64, Channel, Consent)> {
        if !feed.wants(FeedType::Consent) {
            return Vec::new();
        }
        let now = |consent: &Consent| (consent.at, consent.granted);
        let changed = known.consents.iter().filter(|(channel, consent)| {
            self.consents.get(*channel).is_none_or(|told| *told != now(consent))
        });
        let changed: Vec<_> =
            changed.map(|(channel, one)| (version, channel.clone(), one.clone())).collect();
        self.consents =
            known.consents.iter().map(|(channel, one)| (channel.clone(), now(one))).collect();
        changed
    }
}
