//! Merging: what a duplicate's wallet holds moves to another, once.

use crate::activity::Watch;
use crate::amount::{Amount, MAX_MINOR};
use crate::id::{BalanceCode, ParticipantId};
use crate::ledger::{Effect, Entry};
use crate::pass::Pass;
use crate::programme::Programme;
use crate::refusal::Refusal;
use crate::time::{Instant, Month};
use crate::wallet::Wallet;

/// A wallet that hands over all it has.
#[derive(Clone, Copy, Debug)]
pub struct HandOver<'a> {
    /// Who gets it.
    pub into: &'a ParticipantId,
    /// The pass that was proven, where the wallet is nameless.
    pub pass: Option<&'a Pass>,
    /// Why, for those who look at the ledger.
    pub reason: Option<&'a str>,
    /// Why the other wallet does not take it.
    pub refused: Option<Refusal>,
}

/// Whoever was erased is nobody's duplicate, and has none.
fn is_there(wallet: &Wallet) -> Result<(), Refusal> {
    if wallet.erased { Err(Refusal::ParticipantErased) } else { Ok(()) }
}

/// What leaves the duplicate: every lot as it is, debts, the months of its activity. What holds set
/// aside stays until they end, and what comes back later waits for the next merge.
///
/// # Errors
/// `participant_erased`; `pass_required` or `not_nameless` where the pass does not fit, or its state;
/// what the other wallet said.
pub(crate) fn hand_over(wallet: &Wallet, asked: HandOver<'_>) -> Result<Vec<Effect>, Refusal> {
    is_there(wallet)?;
    wallet.opens_to(asked.pass)?;
    if let Some(refused) = asked.refused {
        return Err(refused);
    }
    let lots = wallet.lots.iter().map(|lot| (lot.id.clone(), lot.amount));
    let takes = lots.map(|(lot, amount)| Effect::Take { lot, amount });
    let debts = wallet.debts.iter().map(|(balance, owed)| (balance.clone(), Amount(-owed.0)));
    let debts = debts.map(|(balance, amount)| Effect::Owe { balance, amount });
    let months = wallet.activity.iter().filter(|known| !known.is_nothing());
    let months = months.map(|known| Effect::Activity(known.back()));
    let watched = wallet.watched.iter().flat_map(|known| {
        let months = known.months.iter().filter(|(_, count)| *count > 0);
        months.map(|(month, count)| seen(&known.watch, *month, -count))
    });
    let days = wallet.days.iter().filter(|(_, count)| *count > 0);
    let days = days.map(|(day, count)| Effect::Bought { day: *day, by: -count });
    let done = months.chain(watched).chain(days);
    let mut effects: Vec<Effect> = takes.chain(debts).chain(done).collect();
    effects.extend(wallet.nameless.as_ref().map(|_| Effect::Registered));
    effects.push(Effect::Merged { into: asked.into.clone() });
    Ok(effects)
}

/// What arrives: lots with their own days and terms, which pay debt first; what was owed is paid by
/// what is there, and the rest of it is owed on. A block of spending comes along.
///
/// # Errors
/// `participant_erased`, `pass_required` for a nameless wallet, `balance_full`.
pub(crate) fn take_over(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    (entry, duplicate): (&Entry, &Wallet),
) -> Result<Vec<Effect>, Refusal> {
    is_there(wallet)?;
    wallet.opens_to(None)?;
    let mut taking = Taking { programme, wallet: wallet.clone(), now, effects: Vec::new() };
    for effect in &entry.effects {
        if let Effect::Take { lot, amount } = effect {
            if taking.wallet.total(&lot.balance, |_| true).0 + amount.0 > MAX_MINOR {
                return Err(Refusal::BalanceFull);
            }
            let debt = taking.wallet.debt(&lot.balance).min(*amount);
            taking.note(Effect::Return { lot: lot.clone(), amount: *amount, debt });
        } else if let Effect::Activity(activity) = effect {
            taking.note(Effect::Activity(activity.back()));
        } else if let Effect::Watched { watch, month, by, .. } = effect {
            taking.note(seen(watch, *month, -by));
        } else if let Effect::Bought { day, by } = effect {
            taking.note(Effect::Bought { day: *day, by: -by });
        }
    }
    for effect in &entry.effects {
        if let Effect::Owe { balance, amount } = effect {
            taking.owe(balance, Amount(-amount.0));
        }
    }
    let seen = duplicate.last_event.filter(|seen| Some(*seen) > wallet.last_event);
    taking.effects.extend(seen.map(|performed_on| Effect::Seen { performed_on }));
    if duplicate.blocked && !wallet.blocked {
        taking.effects.push(Effect::Block { blocked: true });
    }
    Ok(taking.effects)
}

fn seen(watch: &Watch, month: Month, by: i32) -> Effect {
    Effect::Watched { watch: watch.clone(), month, by, lines: Vec::new() }
}

struct Taking<'a> {
    programme: &'a Programme,
    wallet: Wallet,
    now: Instant,
    effects: Vec<Effect>,
}

impl Taking<'_> {
    fn note(&mut self, effect: Effect) {
        self.wallet.carry_out(&effect);
        self.effects.push(effect);
    }

    fn owe(&mut self, balance: &BalanceCode, debt: Amount) {
        let lots = self.wallet.spendable(balance, self.now, self.programme.zone);
        let lots: Vec<_> = lots.map(|lot| (lot.id.clone(), lot.amount)).collect();
        let mut open = debt;
        for (lot, held) in lots {
            let amount = held.min(open);
            if !amount.is_zero() {
                open = open.less(amount);
                self.note(Effect::ClawBack { lot, amount });
            }
        }
        if !open.is_zero() {
            self.note(Effect::Owe { balance: balance.clone(), amount: open });
        }
    }
}
