//! What judgements rest on besides wallet and event: the profile, and the quotas of offers.

use domain::amount::Amount;
use domain::award::{Facts, asks};
use domain::event::Event;
use domain::id::{OfferId, ParticipantId};
use domain::ledger::Entry;
use domain::offer::Beneficiary;
use domain::participant::Participant;
use domain::pass::{CodeShown, Issuing};
use domain::programme::Programme;
use domain::quota::{Quotas, Used};
use domain::spend::asks_consent;
use domain::time::Instant;
use domain::wallet::Wallet;

use crate::Store;
use crate::error::Result;
use crate::key;
use crate::participant::read_profile;
use crate::table::{Item, Sum, Write, number, text};

/// What was read for the offers that may award some events.
#[derive(Clone, Debug, Default)]
pub struct Known {
    participant: Participant,
    /// Whether the participant was read.
    profile: bool,
    whose: Beneficiary,
    pub quotas: Quotas,
}

impl Known {
    /// As the domain asks for it.
    pub fn facts(&self) -> Facts<'_> {
        let Known { participant, quotas, whose, .. } = self;
        let issuing = Issuing::default();
        Facts { participant, quotas, whose: *whose, before_spend: None, issuing }
    }

    /// Takes into account what these entries give, so that the next judgement of the same commit
    /// does not give it again.
    pub fn note(&mut self, entries: &[Entry]) {
        let effects = entries.iter().flat_map(|entry| &entry.effects);
        effects.for_each(|effect| self.quotas.note(effect));
    }
}

impl Store {
    /// What judging these events asks for: nothing is read that no candidate needs. Read units: 1
    /// for the profile, 1 for each offer with a quota. Consistent, so that a pass-over rests on
    /// what there is; an award is checked again when it is committed.
    ///
    /// # Errors
    /// A failure.
    pub async fn facts(
        &self,
        programme: &Programme,
        participant: &ParticipantId,
        events: impl Iterator<Item = &Event>,
    ) -> Result<Known> {
        self.facts_for(programme, participant, Beneficiary::Participant, events).await
    }

    /// Likewise, for either of a referral's two participants.
    pub(crate) async fn facts_for(
        &self,
        programme: &Programme,
        participant: &ParticipantId,
        whose: Beneficiary,
        events: impl Iterator<Item = &Event>,
    ) -> Result<Known> {
        let (mut profile, mut offers) = (false, Vec::<OfferId>::new());
        for asked in events.map(|event| asks(programme, event, whose)) {
            profile |= asked.profile;
            offers.extend(asked.quotas);
        }
        offers.sort();
        offers.dedup();
        let mut known = Known { whose, ..Known::default() };
        if profile {
            self.know_participant(&mut known, participant).await?;
        }
        for offer in offers {
            let item = self.table.get(key::quota(&offer), true).await?;
            if let Some(item) = item {
                known.quotas.set(offer, read_quota(&item));
            }
        }
        Ok(known)
    }

    /// What judging an event on this wallet asks for besides: the consent to automatic spending,
    /// where it decides about a lot. Read units: 1, unless the profile was read before.
    ///
    /// # Errors
    /// A failure.
    pub async fn know_consent(
        &self,
        known: &mut Known,
        programme: &Programme,
        wallet: &Wallet,
        now: Instant,
        event: &Event,
    ) -> Result<()> {
        if !known.profile && asks_consent(programme, wallet, now, event) {
            self.know_participant(known, &event.participant).await?;
        }
        Ok(())
    }

    /// What the offers ask for besides that a code makes active. Read units: 1, where they ask for
    /// the profile and nothing else did.
    pub async fn know_for_code(
        &self,
        known: &mut Known,
        programme: &Programme,
        participant: &ParticipantId,
        code: Option<&CodeShown>,
    ) -> Result<()> {
        if !known.profile && code.is_some_and(|code| code.asks_profile(programme)) {
            self.know_participant(known, participant).await?;
        }
        Ok(())
    }

    /// Takes what is known of another in the place of what was read. Read units: 1, where it was.
    pub async fn know_other(&self, known: &mut Known, id: &ParticipantId) -> Result<()> {
        if known.profile { self.know_participant(known, id).await } else { Ok(()) }
    }

    async fn know_participant(&self, known: &mut Known, id: &ParticipantId) -> Result<()> {
        let item = self.table.get(key::profile(id), true).await?;
        known.participant = item.as_ref().map(read_profile).transpose()?.unwrap_or_default();
        known.profile = true;
        Ok(())
    }
}

/// What a quota item says.
pub(crate) fn read_quota(item: &Item) -> Used {
    let sum = |name: &str| {
        let value = item.get(name).and_then(|value| value.as_n().ok());
        value.and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    Used { places: sum("places"), budget: Amount(sum("budget")) }
}

/// The writes that take from, or give back to, the quotas that entries used; a quota that others
/// have used up meanwhile refuses the whole transaction.
pub fn quota_writes<'a>(
    programme: &Programme,
    entries: impl IntoIterator<Item = &'a Entry>,
) -> Vec<Write> {
    let entries: Vec<&Entry> = entries.into_iter().collect();
    let at = entries.iter().map(|entry| entry.at).max().unwrap_or_default();
    let changes = Quotas::of(entries).into_iter();
    let write = |(offer, change): (OfferId, Used)| {
        let quota = programme.offer(&offer).map(|offer| offer.quota).unwrap_or_default();
        let limit = |by: i64, most: Option<i64>| if by > 0 { most } else { None };
        let (places, budget) = (change.places, change.budget.0);
        let most = limit(places, quota.first.map(i64::from));
        let mut sums = vec![Sum { name: "places", by: places, most }];
        let most = limit(budget, quota.budget.map(|budget| budget.0));
        sums.push(Sum { name: "budget", by: budget, most });
        // Whoever compares it with the ledgers sees whether, and when, others took of it.
        sums.push(Sum { name: "v", by: 1, most: None });
        let time = number(u64::try_from(at.0).unwrap_or(0));
        let listed = [("ix_pk", text(key::SHARED)), ("ix_sk", text(&key::quota(&offer).pk))];
        let sets = [("t", time)].into_iter().chain(listed).collect();
        Write::Add { key: key::quota(&offer), sums, sets }
    };
    changes.map(write).collect()
}
