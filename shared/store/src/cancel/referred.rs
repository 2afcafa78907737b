//! The cancel of a referral: both wallets give back what it awarded, or neither.

use domain::apply::Applied;
use domain::time::Instant;

use crate::Store;
use crate::cancel::{EventCancel, refused};
use crate::commit::Proposal;
use crate::error::Result;
use crate::record::State;
use crate::table::Write;

impl EventCancel<'_> {
    /// Whether the referred participant's wallet is older than the event says.
    pub(super) fn lacks_judgement(&self) -> bool {
        let judgement = self.event.recorded.referred.as_ref();
        self.referred.iter().zip(judgement).any(|(wallet, judgement)| !wallet.has(judgement))
    }

    /// What a referral awarded its referred participant goes with what it awarded the referrer.
    pub(super) async fn take_back_referred(
        &self,
        store: &Store,
        now: Instant,
        own: &Applied,
    ) -> Result<Option<Applied>> {
        let judgement = self.event.recorded.referred.as_ref();
        match self.referred.as_ref().zip(judgement).filter(|_| refused(own).is_none()) {
            Some((wallet, of)) => {
                wallet.take_back(store, self.order, now, self.key(), of).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// Both wallets change, or only that which refused: its entry says so.
    pub(super) fn proposal(
        &self,
        state: &State,
        own: Applied,
        theirs: Option<Applied>,
        sides: Vec<Write>,
    ) -> Proposal {
        let only_theirs = theirs.as_ref().and_then(refused).is_some();
        let second = self.referred.as_ref().zip(theirs).map(|(wallet, it)| wallet.change(it));
        let mut proposal = Proposal { second, ..Proposal::of(own, sides) };
        if only_theirs {
            proposal.entries.clear();
            proposal.wallet = state.wallet.clone();
        }
        proposal
    }
}
