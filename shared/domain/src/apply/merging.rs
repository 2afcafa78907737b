//! What keeps a wallet small: lots that merge, and terms that are dropped.

use std::sync::Arc;

use crate::ledger::{Effect, LotId};
use crate::programme::Programme;
use crate::terms::Terms;
use crate::time::Instant;
use crate::wallet::{MAX_LOTS, MAX_TERMS, Wallet};

/// Keeps the numbers of lots and of different terms bounded, in the participant's favour: while
/// there are too many lots, the two that are nearest in expiry become the later one; while there
/// are too many terms, a lot loses its own. What a cancel gave back to a lot that had expired goes
/// first: it must not live on in another.
pub(super) fn merges(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    effects: &[Effect],
) -> Vec<Effect> {
    let mut merges = Vec::new();
    let lots = wallet.lots.iter().map(|lot| &lot.id).chain(effects.iter().filter_map(filled));
    if wallet.lots.len() + effects.len() <= MAX_LOTS && distinct(lots) <= MAX_TERMS {
        return merges;
    }
    let mut wallet = wallet.clone();
    effects.iter().for_each(|effect| wallet.carry_out(effect));
    loop {
        let too_many = wallet.lots.len() > MAX_LOTS;
        if !too_many && distinct(wallet.lots.iter().map(|lot| &lot.id)) <= MAX_TERMS {
            return merges;
        }
        let dead = wallet.lots.iter().find(|lot| !lot.id.is_live(now, programme.zone));
        let expiry = dead.map(|lot| Effect::Expire { lot: lot.id.clone(), amount: lot.amount });
        let merge = || {
            let pair = if too_many { nearest(&wallet) } else { None };
            let (from, into) = pair.or_else(|| freed(&wallet))?;
            Some(Effect::Merge { from, into })
        };
        let Some(merge) = expiry.or_else(merge) else { return merges };
        wallet.carry_out(&merge);
        merges.push(merge);
    }
}

/// The lot that an effect adds to.
fn filled(effect: &Effect) -> Option<&LotId> {
    if let Effect::Award { lot, .. } | Effect::Return { lot, .. } | Effect::Release { lot, .. } =
        effect
    {
        Some(lot)
    } else {
        None
    }
}

/// How many different terms lots have.
fn distinct<'a>(lots: impl Iterator<Item = &'a LotId>) -> usize {
    let mut known: Vec<&Arc<Terms>> = Vec::new();
    for terms in lots.filter_map(|lot| lot.terms.as_ref()) {
        if !known.contains(&terms) {
            known.push(terms);
        }
    }
    known.len()
}

/// A lot and what it is without its terms: of those whose terms the fewest lots have, the one that
/// expires first.
fn freed(wallet: &Wallet) -> Option<(LotId, LotId)> {
    let bound = || wallet.lots.iter().map(|lot| &lot.id).filter(|lot| lot.terms.is_some());
    let alike = |lot: &&LotId| bound().filter(|other| other.terms == lot.terms).count();
    let lot = bound().min_by_key(alike)?;
    Some((lot.clone(), LotId { terms: None, ..lot.clone() }))
}

/// The two lots of one balance that are nearest in expiry; the later one can be spent wherever the
/// first can.
fn nearest(wallet: &Wallet) -> Option<(LotId, LotId)> {
    let mut best = None;
    for (at, lot) in wallet.lots.iter().enumerate() {
        let takes = |next: &LotId| {
            next.balance == lot.id.balance && (next.terms.is_none() || next.terms == lot.id.terms)
        };
        let later = wallet.lots[at + 1..].iter().find(|next| takes(&next.id));
        let Some(later) = later else { continue };
        let day = |id: &LotId| id.expires.map_or(i64::MAX / 2, |day| i64::from(day.0));
        let held_back = later.id.available_from > lot.id.available_from;
        let distance = (held_back, day(&later.id) - day(&lot.id));
        if best.as_ref().is_none_or(|(known, _, _)| distance < *known) {
            best = Some((distance, lot.id.clone(), later.id.clone()));
        }
    }
    best.map(|(_, from, into)| (from, into))
}
