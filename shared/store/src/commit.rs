//! The commit loop: the only code that writes a wallet state.
//!
//! Read, join, search, decide, put pages, commit. A lost race hands back the rival's state and
//! goes back to the join, because an earlier attempt of our own may already lie in a page.

use std::pin::Pin;
use std::time::Duration;

use domain::apply::Applied;
use domain::id::ParticipantId;
use domain::ledger::Entry;
use domain::time::Instant;
use domain::wallet::Wallet;
use tracing::error;

use crate::Store;
use crate::error::{Error, Result};
use crate::key::{self, ItemKey};
use crate::ledger::{Ledger, Reach};
use crate::record::{self, Page, PageHash, State, encode_page, encode_state, page_hash};
use crate::table::{Demand, Item, Unmet, Write, Written, binary, item, number, read_binary, text};

/// Tries of one operation. Each lost race means that a rival got on.
const MAX_TRIES: u32 = 16;

/// Something that touches a wallet. The loop asks it anew after each lost race.
pub(crate) trait Operation {
    /// What it answers.
    type Answer;

    /// Reads what the decision rests on besides the wallet.
    async fn load(&mut self, store: &Store, fresh: bool) -> Result<()>;

    /// How far back its key must be searched; asked after loading.
    fn reach(&self) -> Reach;

    /// Searches, then decides. Total over what was read: it changes nothing.
    async fn decide(&mut self, store: &Store, ledger: &Ledger) -> Result<Step<Self::Answer>>;
}

/// What a decision comes to.
pub(crate) enum Step<A> {
    /// The ledger or a guarding item answers: nothing newer can change it.
    Known(Result<Done<A>>),
    /// An answer without a commit: it must rest on a consistent read.
    Answer(Result<Done<A>>),
    /// The wallet that was read is older than another item says: read anew.
    Again,
    /// An answer that holds once this is committed.
    Commit(Proposal, Result<A>),
}

/// An answer with the wallet as it is afterwards.
#[derive(Clone, Debug)]
pub struct Done<A> {
    pub value: A,
    pub wallet: Wallet,
    /// Whether an earlier request was answered so.
    pub repeated: bool,
}

/// What is to be committed together.
pub(crate) struct Proposal {
    pub entries: Vec<Entry>,
    pub wallet: Wallet,
    /// Whether this participant is new.
    pub enrols: bool,
    /// Another wallet that changes as well: of a referral, the referred participant's.
    pub second: Option<Box<WalletChange>>,
    /// Other items that change, or that the decision rests on.
    pub sides: Vec<Write>,
}

impl Proposal {
    /// What one applied command commits.
    pub fn of(applied: Applied, sides: Vec<Write>) -> Proposal {
        let (entries, wallet) = (applied.entries, applied.wallet);
        Proposal { entries, wallet, enrols: false, second: None, sides }
    }

    /// The entries of all wallets that change.
    pub fn all_entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().chain(self.second.iter().flat_map(|second| &second.entries))
    }
}

/// What becomes of one wallet.
pub(crate) struct WalletChange {
    pub participant: ParticipantId,
    /// What was read; none: there is no such participant yet.
    pub read: Option<State>,
    /// Whether what was read was the newest there was.
    pub fresh: bool,
    pub entries: Vec<Entry>,
    pub wallet: Wallet,
}

enum Attempt {
    Committed,
    /// Somebody was faster; the rival's state if the table handed it back.
    Lost(Option<Item>),
}

impl Store {
    /// Carries out one operation exactly once, whatever fails on the way. On the heap: the state of
    /// the loop is large, and every caller would carry it.
    pub(crate) fn commit<O: Operation>(
        &self,
        id: &ParticipantId,
        operation: &mut O,
    ) -> Pin<Box<impl Future<Output = Result<Done<O::Answer>>>>> {
        Box::pin(self.carry_out(id, operation))
    }

    async fn carry_out<O: Operation>(
        &self,
        id: &ParticipantId,
        operation: &mut O,
    ) -> Result<Done<O::Answer>> {
        let (mut rival, mut fresh) = (None, false);
        for attempt in 0..MAX_TRIES {
            let mut ledger = match rival.take() {
                Some(item) => Ledger::of_rival(&item)?,
                None => self.read_ledger(id, fresh).await?,
            };
            operation.load(self, fresh).await?;
            fresh = true;
            self.join(id, &mut ledger, operation.reach()).await?;
            match operation.decide(self, &ledger).await? {
                Step::Known(answer) => return answer,
                Step::Answer(answer) if ledger.fresh => return answer,
                Step::Answer(_) | Step::Again => continue,
                Step::Commit(proposal, answer) => {
                    let wallet = proposal.wallet.clone();
                    match self.attempt(id, &ledger, proposal).await? {
                        Attempt::Committed => {
                            return answer.map(|value| Done { value, wallet, repeated: false });
                        }
                        Attempt::Lost(item) => rival = item,
                    }
                }
            }
            back_off(attempt).await;
        }
        Err(Error::Contended)
    }

    async fn attempt(
        &self,
        id: &ParticipantId,
        ledger: &Ledger,
        proposal: Proposal,
    ) -> Result<Attempt> {
        let Proposal { entries, wallet, enrols, second, sides } = proposal;
        let writes_state = !entries.is_empty() || enrols;
        let own = writes_state.then(|| {
            let (participant, read) = (id.clone(), ledger.state.clone());
            WalletChange { participant, read, fresh: ledger.fresh, entries, wallet }
        });
        let mut parts = Vec::new();
        for change in own.into_iter().chain(second.map(|second| *second)) {
            let Some(put) = self.put_state(change).await? else { return Ok(Attempt::Lost(None)) };
            parts.push(put);
        }
        parts.extend(sides);
        match self.table.write(parts).await? {
            Written::Done => Ok(Attempt::Committed),
            Written::Conflict => Ok(Attempt::Lost(None)),
            Written::Refused(unmet) => Ok(Attempt::Lost(rival_state(unmet, writes_state))),
        }
    }

    /// Puts the pages that come before a state; then how the state itself is written. None: what
    /// was read is stale.
    async fn put_state(&self, change: WalletChange) -> Result<Option<Write>> {
        let WalletChange { participant, read, fresh, entries, wallet } = change;
        let demand = match &read {
            Some(read) => Demand::Number("q", read.wallet.length),
            None => Demand::Absent,
        };
        let before = read.unwrap_or_default();
        let Some((mut journal, page)) = self.put_pages(&participant, fresh, before).await? else {
            return Ok(None);
        };
        journal.extend(entries);
        let item = state_item(&participant, &State { wallet, journal, page })?;
        Ok(Some(Write::Put { item, demand }))
    }

    /// Moves the oldest committed entries to pages while the journal holds a page of them. None:
    /// what was read is stale.
    async fn put_pages(
        &self,
        id: &ParticipantId,
        fresh: bool,
        state: State,
    ) -> Result<Option<(Vec<Entry>, PageHash)>> {
        let (mut journal, mut before) = (state.journal, state.page);
        while journal.len() >= self.page_entries {
            let page = Page { before, entries: journal[..self.page_entries].to_vec() };
            let encoded = encode_page(&page)?;
            let item = page_item(key::page(id, page.first()), encoded.clone());
            match self.table.write(vec![Write::Put { item, demand: Demand::Absent }]).await? {
                Written::Done => {
                    before = page_hash(&encoded);
                    journal.drain(..page.entries.len());
                }
                Written::Conflict => return Ok(None),
                Written::Refused(unmet) => match continues(&page, &journal, unmet, fresh)? {
                    Some((count, hash)) => {
                        before = hash;
                        journal.drain(..count);
                    }
                    None => return Ok(None),
                },
            }
        }
        Ok(Some((journal, before)))
    }
}

/// How many entries of the journal a stored page holds already: as many as a page has, or another
/// number where another version of this code wrote it. None: what was read is stale.
fn continues(
    wanted: &Page,
    journal: &[Entry],
    unmet: Vec<Unmet>,
    fresh: bool,
) -> Result<Option<(usize, PageHash)>> {
    let stored = unmet.into_iter().next().and_then(|unmet| unmet.item);
    let stored = stored.ok_or(Error::Corrupt("a page came and went"))?;
    let encoded = read_binary(&stored, "d")?;
    let page = record::decode_page(encoded)?;
    let common = page.entries.len().min(journal.len());
    let same = page.before == wanted.before && page.entries[..common] == journal[..common];
    if same && common == page.entries.len() {
        return Ok(Some((common, page_hash(encoded))));
    }
    // A longer page that begins like the journal was put after the journal was read.
    if same || !fresh {
        return Ok(None);
    }
    error!(first = page.first(), "a stored page differs from the journal");
    Err(Error::Corrupt("a stored page differs from the journal"))
}

/// The rival's state, where the state was what refused the write.
fn rival_state(unmet: Vec<Unmet>, writes_state: bool) -> Option<Item> {
    let first = unmet.into_iter().next().filter(|first| writes_state && first.failed)?;
    first.item
}

/// The state item. It carries the roster's index keys, which never change.
pub(crate) fn state_item(id: &ParticipantId, state: &State) -> Result<Item> {
    let time = u64::try_from(state.wallet.time.0).unwrap_or(0);
    let record = encode_state(state)?;
    Ok(item(
        key::state(id),
        [
            ("q", number(state.wallet.length)),
            ("t", number(time)),
            ("d", binary(record)),
            ("ix_pk", text(&key::roster(key::shard_of(id)))),
            ("ix_sk", text(id.as_str())),
        ],
    ))
}

fn page_item(key: ItemKey, encoded: Vec<u8>) -> Item {
    item(key, [("d", binary(encoded))])
}

/// The time of a decision: never before the wallet's, nor before the acceptance of what is judged.
pub(crate) fn decision_time(
    invoked: Instant,
    wallet: &Wallet,
    accepted: impl IntoIterator<Item = Instant>,
) -> Instant {
    accepted.into_iter().fold(invoked.max(wallet.time), Instant::max)
}

/// Waits a random time that grows with the number of lost races.
pub(crate) async fn back_off(attempt: u32) {
    let most = 5_u64 << attempt.min(6);
    tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=most))).await;
}
