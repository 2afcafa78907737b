//! The two lists that an export goes along, both in the order of ids: the participants of a roster
//! shard, and what the export before told of them.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};

use domain::export::Told;
use domain::id::{ParticipantId, RunId};
use flate2::read::GzDecoder;
use harness::{Fault, Room};
use store::{MAX_MEMBERS, Member, ToldPart};
use wire::csv::parse_told;

/// Ids of the roster that are read in one go: a multiple of the participants read at once.
const ROSTER_PAGE: i32 = 500;

/// Participants of a shard after an id. At most a page of ids and [`MAX_MEMBERS`] of them are held.
pub struct Members<'a> {
    room: &'a Room,
    shard: u8,
    after: Option<String>,
    ids: VecDeque<ParticipantId>,
    ahead: VecDeque<Member>,
    ended: bool,
}

impl<'a> Members<'a> {
    /// Begins behind a participant.
    pub fn after(room: &'a Room, shard: u8, after: Option<String>) -> Members<'a> {
        let (ids, ahead) = (VecDeque::new(), VecDeque::new());
        Members { room, shard, after, ids, ahead, ended: false }
    }

    /// The next one, which stays.
    pub async fn peek(&mut self) -> Result<Option<&Member>, Fault> {
        while self.ahead.is_empty() && !self.ended {
            if self.ids.is_empty() {
                let after = self.after.as_deref();
                let page = self.room.store.roster_of(self.shard, after, ROSTER_PAGE).await?;
                self.ended = page.is_empty();
                self.after = page.last().map(ToString::to_string).or(self.after.take());
                self.ids = page.into();
            }
            let some = self.ids.len().min(MAX_MEMBERS);
            let ids: Vec<ParticipantId> = self.ids.drain(..some).collect();
            self.ahead = self.room.store.members(&ids).await?.into();
        }
        Ok(self.ahead.front())
    }

    /// Takes the next one.
    pub fn take(&mut self) -> Option<Member> {
        self.ahead.pop_front()
    }
}

/// What an export told of a shard, after an id. One of its files is held at a time.
pub struct Before<'a> {
    room: &'a Room,
    after: Option<String>,
    parts: VecDeque<ToldPart>,
    ahead: VecDeque<Told>,
}

impl<'a> Before<'a> {
    /// Nothing: a full export compares with nothing.
    pub fn nothing(room: &'a Room) -> Before<'a> {
        Before { room, after: None, parts: VecDeque::new(), ahead: VecDeque::new() }
    }

    /// Begins behind a participant in what an export told.
    pub async fn after(
        room: &'a Room,
        export: &RunId,
        shard: u8,
        after: Option<String>,
    ) -> Result<Before<'a>, Fault> {
        let (told, _) = room.store.export_shard(export, shard).await?;
        let left = |part: &ToldPart| after.as_ref().is_none_or(|after| part.until > *after);
        let parts = told.told.into_iter().filter(left).collect();
        Ok(Before { room, after, parts, ahead: VecDeque::new() })
    }

    /// The next one, which stays.
    pub async fn peek(&mut self) -> Result<Option<&Told>, Fault> {
        while self.ahead.is_empty() {
            let Some(part) = self.parts.pop_front() else { return Ok(None) };
            self.ahead = read(&self.room.get_file(&part.name).await?, self.after.as_deref())?;
        }
        Ok(self.ahead.front())
    }

    /// Takes the next one.
    pub fn take(&mut self) -> Option<Told> {
        self.ahead.pop_front()
    }
}

fn read(bytes: &[u8], after: Option<&str>) -> Result<VecDeque<Told>, Fault> {
    let broken = || Fault::Internal("what an export told cannot be read");
    let mut all = VecDeque::new();
    for line in BufReader::new(GzDecoder::new(bytes)).lines() {
        let told = parse_told(&line.map_err(|_| broken())?).ok_or_else(broken)?;
        if after.is_none_or(|after| told.participant.as_str() > after) {
            all.push_back(told);
        }
    }
    Ok(all)
}
