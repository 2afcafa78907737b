//! Quotas: the first participants and the budget of an offer, which all wallets share.

use std::collections::BTreeMap;

use crate::amount::Amount;
use crate::id::OfferId;
use crate::ledger::{Effect, Entry};
use crate::offer::Offer;
use crate::refusal::Reason;

/// What an offer has given all participants together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Participants that have a place.
    pub places: i64,
    /// In the balance.
    pub budget: Amount,
}

/// What the offers that a judgement asks about have given; those that are not here: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quotas(BTreeMap<OfferId, Used>);

impl Quotas {
    /// Takes over what is known of an offer.
    pub fn set(&mut self, offer: OfferId, used: Used) {
        self.0.insert(offer, used);
    }

    /// What an offer has given.
    pub fn used(&self, offer: &OfferId) -> Used {
        self.0.get(offer).copied().unwrap_or_default()
    }

    /// Adds what an effect gives or takes back.
    pub fn note(&mut self, effect: &Effect) {
        if let Effect::Quota { offer, places, budget, .. } = effect {
            let used = self.0.entry(offer.clone()).or_default();
            used.places = used.places.saturating_add(i64::from(*places));
            used.budget.0 = used.budget.0.saturating_add(budget.0);
        }
    }

    /// What entries give or take back, offer by offer.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Vec<(OfferId, Used)> {
        let mut changes = Quotas::default();
        entries
            .into_iter()
            .flat_map(|entry| &entry.effects)
            .for_each(|effect| changes.note(effect));
        changes.into_used()
    }

    /// What each offer has given, without those that came to nothing.
    pub fn into_used(self) -> Vec<(OfferId, Used)> {
        self.0.into_iter().filter(|(_, used)| *used != Used::default()).collect()
    }

    /// Why an offer has no room for an award to a participant.
    pub fn lacks(&self, offer: &Offer, has_place: bool, amount: Amount) -> Option<Reason> {
        let used = self.used(&offer.id);
        let full = |first: u32| used.places >= i64::from(first);
        if !has_place && offer.quota.first.is_some_and(full) {
            return Some(Reason::PlacesTaken);
        }
        let spent = |budget: Amount| used.budget.0.saturating_add(amount.0) > budget.0;
        offer.quota.budget.is_some_and(spent).then_some(Reason::BudgetExhausted)
    }
}
