//! Preview: what posting a purchase would do, by the same functions that post it.

use crate::amount::{Amount, most_worth};
use crate::apply::{Command, Outcome, apply};
use crate::award::{Facts, Mode, exclusions};
use crate::checkout::checkout;
use crate::event::{Judge, RecordedEvent, SpendOn, sums};
use crate::id::{BalanceCode, OfferId};
use crate::ledger::{Entry, EntryKey, SpendCause};
use crate::programme::Programme;
use crate::refusal::{Reason, Refusal};
use crate::spend::{SpendAsked, plan_spend, usable};
use crate::time::Instant;
use crate::wallet::Wallet;

/// What would happen.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The event with its judgement and what would be spent on it.
    pub event: RecordedEvent,
    /// What could still be spent against the purchase from what the wallet holds before it.
    pub additional: Vec<(BalanceCode, Amount)>,
    /// Every offer of the event's classes that is no candidate.
    pub excluded: Vec<(OfferId, Reason)>,
}

impl Preview {
    /// What the spend that came with it would take.
    pub fn spent_on_request(&self) -> Vec<(BalanceCode, Amount)> {
        self.spent(|cause| *cause == SpendCause::Requested)
    }

    /// Sums of what would be spent without being asked for.
    pub fn spent_instantly(&self) -> Vec<(BalanceCode, Amount)> {
        self.spent(|cause| *cause != SpendCause::Requested)
    }

    fn spent(&self, counts: impl Fn(&SpendCause) -> bool) -> Vec<(BalanceCode, Amount)> {
        let made = self.event.spends.iter().map(|spend| &spend.made);
        let made = made.filter(|made| counts(&made.cause));
        sums(made.map(|made| (&made.balance, made.spent)))
    }
}

/// Previews an event: an immediate one as its post would answer, another as a run would judge it
/// now. The spend comes first, as in posting: a purchase is not paid with its own award, and what
/// is discounted is not paid at all.
pub fn preview(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    mut event: RecordedEvent,
    spend: Option<&SpendAsked>,
    facts: Facts<'_>,
) -> Result<Preview, Refusal> {
    if wallet.merged_into.is_some() {
        return Err(Refusal::ParticipantMerged);
    }
    let mut wallet = wallet.at(now, programme.zone).into_owned();
    let mode = if event.event.immediate { Mode::Interactive } else { Mode::Run };
    let judged_with_spend = mode == Mode::Interactive && spend.is_some();
    let checkout = judged_with_spend.then(|| checkout(programme, &wallet, now, &event, &facts));
    if let Some(asked) = spend {
        let key = EntryKey::SpendWithPurchase(event.event.id.clone());
        let payload = event.payload;
        let purchase = Some(checkout.as_ref().map_or(&event, |checkout| &checkout.purchase));
        let command = Command::Spend { key, payload, asked, purchase, request: None, pass: None };
        let applied = apply(programme, &wallet, now, &command);
        if let Outcome::Refused(refusal) = applied.outcome {
            return Err(refusal);
        }
        event.spends.extend(applied.entries.last().and_then(SpendOn::of));
        wallet = applied.wallet;
    }
    let before_spend = checkout.as_ref().map(|checkout| &checkout.before);
    let facts = Facts { before_spend, ..facts };
    let judge = Command::Judge { event: &event, mode, by: Judge::Interactive, facts };
    let applied = apply(programme, &wallet, now, &judge);
    let excluded = exclusions(programme, &event.event);
    if let Outcome::Judged { judgement, due, spends } = applied.outcome {
        event.judgements.push(judgement);
        event.due = due;
        event.spends.extend(spends);
    }
    // What is spent of the awards is not in the wallet before them.
    let is_automatic =
        |entry: &&Entry| entry.spend().is_some_and(|made| made.cause == SpendCause::Automatic);
    let takes = applied.entries.iter().filter(is_automatic).flat_map(|entry| &entry.effects);
    takes.for_each(|effect| wallet.carry_out(effect));
    let additional = spendable(programme, &wallet, now, &event);
    Ok(Preview { event, additional, excluded })
}

/// The most that a spend without classification would take of each balance now.
fn spendable(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    purchase: &RecordedEvent,
) -> Vec<(BalanceCode, Amount)> {
    let open = purchase.open();
    let rule = programme.definition.spend.rule(None).and_then(|rule| rule.specific_amount);
    let currency = programme.currency.decimals;
    let usable = programme.balances.iter().filter_map(|balance| {
        let most = most_worth(open, balance.worth, balance.decimals, currency).ok()?;
        let allowed = rule.and_then(|range| range.max).unwrap_or(most);
        let asked = |amount| SpendAsked {
            balance: balance.code.clone(),
            amount,
            classification: None,
            unit: purchase.event.unit.clone(),
            performed_on: now,
        };
        let held = usable(programme, wallet, now, &asked(None), Some(purchase));
        // Where the rule allows no amount, all that is open is asked for.
        let amounts = [Some(most.min(allowed).min(held)), None];
        let plan = |amount| plan_spend(programme, wallet, now, &asked(amount), Some(purchase));
        let plan = amounts.into_iter().find_map(|amount| plan(amount).ok())?;
        Some((balance.code.clone(), plan.made.spent))
    });
    usable.collect()
}
