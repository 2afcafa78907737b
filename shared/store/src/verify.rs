//! Verifying one participant: the state, its pages, and the events, passes and aliases that are
//! named there, read and held against each other. Nothing is written.

mod items;
mod pages;

use std::collections::HashSet;

use domain::id::ParticipantId;
use domain::ledger::Entry;
use domain::verify::{Check, Disagreement, Finding, Verified};

use crate::Store;
use crate::error::{Error, Noun, Result};
use crate::key;
use crate::ledger::{first_in_journal, read_state};
use crate::participant::read_profile;
use crate::record::{State, decode_page};
use crate::table::{Item, read_binary, read_text};

use pages::Chain;

/// Pages that are held at once.
const PAGES: i32 = 32;

/// What the verification of a participant came to.
#[derive(Clone, Debug, Default)]
pub struct VerifiedWallet {
    pub findings: Vec<Finding>,
    /// What was read and carried out; its findings are among the others.
    pub ledger: Verified,
    pub pages: u64,
    pub aliases: u64,
}

/// How a participant is looked at.
#[derive(Clone, Copy)]
struct Look<'a> {
    id: &'a ParticipantId,
    /// Whether events, passes and guards are read consistently too.
    again: bool,
}

impl Store {
    /// Verifies the wallet of a participant. What does not agree is looked at a second time, from
    /// the state on and consistently: what merely changed between two reads agrees by then. Read
    /// units: 1 for each 4 KB of state, of profile and of pages, 0.5 for each event, pass and alias
    /// up to 4 KB.
    ///
    /// # Errors
    /// A failure; what cannot be read, or is not there, is found.
    pub async fn verify_wallet(&self, id: &ParticipantId) -> Result<VerifiedWallet> {
        let first = self.look(Look { id, again: false }).await?;
        if first.findings.is_empty() {
            return Ok(first);
        }
        let mut second = self.look(Look { id, again: true }).await?;
        let known: HashSet<_> = first.findings.iter().map(Finding::about).collect();
        second.findings.retain(|found| known.contains(&found.about()));
        Ok(second)
    }

    /// Whether there is a wallet to verify, also where it cannot be read. Read units: 1.
    ///
    /// # Errors
    /// A failure.
    pub async fn has_wallet(&self, id: &ParticipantId) -> Result<bool> {
        Ok(self.table.get(key::state(id), true).await?.is_some())
    }

    async fn look(&self, look: Look<'_>) -> Result<VerifiedWallet> {
        match self.look_at(look).await {
            // Nobody deletes a state; the roster, or whoever asked, knew of it.
            Err(Error::NotFound(_)) => {
                let (kind, said) = (Disagreement::EntriesMissing, "The state is not there.");
                Ok(lost(look.id, kind, said))
            }
            looked => Ok(readable(looked)?
                .unwrap_or_else(|| unreadable(look.id, "Something of it cannot be read."))),
        }
    }

    async fn look_at(&self, look: Look<'_>) -> Result<VerifiedWallet> {
        let keys = vec![key::state(look.id), key::profile(look.id)];
        let items = self.table.get_many(keys, true).await?;
        let under = |sk| items.iter().find(|item| read_text(item, "sk").is_ok_and(|of| of == sk));
        let state = under(key::STATE).ok_or(Error::NotFound(Noun::Participant))?;
        let mut verified = match readable(read_state(state))? {
            Some(state) => self.ledger(look, &state).await?,
            None => unreadable(look.id, "The state cannot be read."),
        };
        if let Some(profile) = under(key::PROFILE) {
            match readable(read_profile(profile))? {
                Some(profile) => {
                    verified.aliases = u64::try_from(profile.aliases.len()).unwrap_or(u64::MAX);
                    verified.findings.extend(self.guards(look, &profile.aliases).await?);
                }
                None => {
                    let lost = unreadable(look.id, "The master data cannot be read.");
                    verified.findings.extend(lost.findings);
                }
            }
        }
        Ok(verified)
    }

    async fn ledger(&self, look: Look<'_>, state: &State) -> Result<VerifiedWallet> {
        let (mut chain, mut pages) = (Chain::new(look.id, state), 0);
        let mut check = Check::new(look.id.clone(), state.wallet.length);
        // A journal that is no page yet has none that repeats it.
        let paged = first_in_journal(state) > 1 || state.journal.len() >= self.page_entries;
        let length = state.wallet.length;
        let mut from = paged.then_some(1);
        // The table takes no bounds the wrong way round.
        while let Some(first) = from.filter(|first| *first <= length) {
            let pk = key::participant(look.id);
            let (first, last) = (key::page_sort(first), key::page_sort(length));
            let items = self.table.oldest(&pk, &first, &last, PAGES).await?;
            let mut entries = Vec::new();
            for item in &items {
                entries.extend(follow(&mut chain, item)?);
            }
            self.enter(look, &mut check, &entries).await?;
            pages += u64::try_from(items.len()).unwrap_or(u64::MAX);
            from = items.last().map(place).transpose()?.map(|last| last.saturating_add(1));
        }
        self.enter(look, &mut check, &state.journal).await?;
        let mut ledger = check.end(&state.wallet);
        let mut findings = chain.end(state);
        findings.append(&mut ledger.findings);
        Ok(VerifiedWallet { findings, ledger, pages, aliases: 0 })
    }

    /// Goes on with these entries.
    async fn enter(&self, look: Look<'_>, check: &mut Check, entries: &[Entry]) -> Result<()> {
        let items = self.items_of(look, entries).await?;
        entries.iter().for_each(|entry| check.enter(entry, &items));
        Ok(())
    }
}

/// The sequence under which a page stands.
fn place(page: &Item) -> Result<u64> {
    key::read_page_sort(read_text(page, "sk")?).ok_or(Error::Corrupt("bad page key"))
}

/// The entries of a page that are not those of the journal.
fn follow(chain: &mut Chain<'_>, item: &Item) -> Result<Vec<Entry>> {
    let first = place(item)?;
    let read = read_binary(item, "d").and_then(|encoded| Ok((encoded, decode_page(encoded)?)));
    Ok(match readable(read)? {
        Some((encoded, page)) => chain.follow(first, encoded, page),
        None => {
            chain.lost(first);
            Vec::new()
        }
    })
}

/// None: the record is broken, which is found; a failure to read it is none.
pub(crate) fn readable<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(Error::Corrupt(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn unreadable(id: &ParticipantId, said: &str) -> VerifiedWallet {
    lost(id, Disagreement::Unreadable, said)
}

/// All that there is to say of a participant.
fn lost(id: &ParticipantId, kind: Disagreement, said: &str) -> VerifiedWallet {
    let (participant, detail) = (Some(id.clone()), said.to_owned());
    let findings = vec![Finding { kind, participant, entry: None, other: None, detail }];
    VerifiedWallet { findings, ..VerifiedWallet::default() }
}
