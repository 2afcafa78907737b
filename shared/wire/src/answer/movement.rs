//! What an entry moved, and which holds it ended.

use domain::amount::Amount;
use domain::id::{BalanceCode, OfferId, ParticipantId};
use domain::ledger::{Effect, Entry};

use crate::answer::transaction_code;

/// What an entry did to one balance, of one kind and by one offer.
pub struct Movement<'a> {
    pub kind: &'static str,
    pub balance: &'a BalanceCode,
    pub offer: Option<&'a OfferId>,
    pub amount: Amount,
}

/// What the effects moved, added up per kind, balance and offer, in order of first mention. What is
/// spent of a hold comes back first, so that all rows together are what a wallet has.
pub fn movements<'a>(kind: &'static str, effects: &'a [Effect]) -> Vec<Movement<'a>> {
    let mut movements: Vec<Movement<'_>> = Vec::new();
    let mut add = |kind, balance: &'a BalanceCode, offer: Option<&'a OfferId>, amount: Amount| {
        let same = |known: &&mut Movement<'_>| {
            (known.kind, known.balance, known.offer) == (kind, balance, offer)
        };
        match movements.iter_mut().find(same) {
            Some(known) => known.amount.0 += amount.0,
            None => movements.push(Movement { kind, balance, offer, amount }),
        }
    };
    for effect in effects {
        if let Effect::TakeHeld { lot, amount, .. } = effect {
            add("release", &lot.balance, None, *amount);
            add(kind, &lot.balance, None, Amount(-amount.0));
            continue;
        }
        let Some((balance, amount)) = effect.change() else { continue };
        let offer = if let Effect::Award { offer, .. } = effect { offer.as_ref() } else { None };
        let kind = if let Effect::Release { .. } = effect { "release" } else { kind };
        add(kind, balance, offer, amount);
    }
    movements
}

/// The holds that an entry ended, each once.
pub fn ends(participant: &ParticipantId, entry: &Entry) -> Vec<String> {
    let mut holds = Vec::new();
    for effect in &entry.effects {
        if let Effect::TakeHeld { hold, .. } | Effect::Release { hold, .. } = effect
            && !holds.contains(hold)
        {
            holds.push(*hold);
        }
    }
    holds.into_iter().map(|hold| transaction_code(participant, hold)).collect()
}
