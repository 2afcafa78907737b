//! Applying a command to a wallet: a total function from what is to the entries that follow.

mod command;
mod merging;

pub use command::Command;

use std::borrow::Cow;

use crate::activity;
use crate::adjust::plan_adjustment;
use crate::amount::{Amount, MAX_MINOR};
use crate::award::{self, Judged, Mode};
use crate::cancel::take_back;
use crate::conversion::plan_conversion;
use crate::coupon::plan_coupon;
use crate::event::{Due, EventState, Judge, Judgement, RecordedEvent, SpendOn};
use crate::hold::{lapses, plan_hold, plan_release, plan_settle};
use crate::id::BalanceCode;
use crate::ledger::{Act, Effect, Entry, EntryKey, LotId, PayloadHash, SpendCause, SpendMade};
use crate::merge::{hand_over, take_over};
use crate::pass::{Activation, PassShown};
use crate::programme::Programme;
use crate::refusal::Refusal;
use crate::spend::{Pot, plan_spend, pots};
use crate::time::Instant;
use crate::wallet::Wallet;

use merging::merges;

/// What follows from a command.
#[derive(Clone, Debug)]
pub struct Applied {
    /// What lapsed and what expired, if anything did, then the command's own entry, and after a
    /// judgement what was spent without being asked for.
    pub entries: Vec<Entry>,
    /// The wallet with the entries entered.
    pub wallet: Wallet,
    pub outcome: Outcome,
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out; the last entry says how.
    Done,
    /// An event was judged; what it then spent without being asked.
    Judged { judgement: Judgement, due: Due, spends: Vec<SpendOn> },
    /// The programme said no; the last entry records it.
    Refused(Refusal),
}

/// Applies a command. `now` must not be earlier than the wallet's time.
pub fn apply(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    command: &Command<'_>,
) -> Applied {
    let mut applied = settle_up(programme, wallet, now, PayloadHash::default());
    let sequence = applied.wallet.length + 1;
    let decided = decide(programme, &applied, now, command, sequence);
    let (key, payload) = command.identity(sequence);
    let (act, mut effects, pots) = match decided {
        Ok(decided) => {
            applied.outcome = decided.outcome;
            (decided.act, decided.effects, decided.pots)
        }
        Err(refusal) => {
            applied.outcome = Outcome::Refused(refusal);
            (Act::Refused(refusal), Vec::new(), Vec::new())
        }
    };
    effects.extend(merges(programme, &applied.wallet, now, &effects));
    enter(programme, now, &mut applied, Draft { key, payload, act, effects });
    if let Command::Judge { event, .. } = command {
        spend_unasked(programme, now, event, &pots, &mut applied);
    }
    applied
}

/// Books what has lapsed and what has expired, and nothing else; the hash says who asked.
pub fn settle_up(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    payload: PayloadHash,
) -> Applied {
    let mut applied = Applied { entries: vec![], wallet: wallet.clone(), outcome: Outcome::Done };
    lapse(programme, now, payload, &mut applied);
    expire(programme, now, payload, &mut applied);
    applied
}

struct Decided {
    act: Act,
    effects: Vec<Effect>,
    outcome: Outcome,
    /// What is spent next without being asked for.
    pots: Vec<Pot>,
}

struct Draft {
    key: EntryKey,
    payload: PayloadHash,
    act: Act,
    effects: Vec<Effect>,
}

fn decide(
    programme: &Programme,
    applied: &Applied,
    now: Instant,
    command: &Command<'_>,
    sequence: u64,
) -> Result<Decided, Refusal> {
    let wallet = &applied.wallet;
    let done =
        |act, effects| Ok(Decided { act, effects, outcome: Outcome::Done, pots: Vec::new() });
    if wallet.merged_into.is_some() && command.is_new() {
        return Err(Refusal::ParticipantMerged);
    }
    match command {
        Command::Judge { event, mode, by, facts } => {
            let seen = event.remaining();
            let mut judged = award::judge(programme, wallet, now, &seen, *mode, facts);
            if let Cow::Owned(_) = seen {
                judged.move_lines(&event.kept_lines());
            }
            let instant = std::mem::take(&mut judged.instant);
            let pots = match mode {
                Mode::Interactive | Mode::Queued => {
                    pots(programme, wallet, now, &event.event, instant, facts.participant)
                }
                Mode::Run => Vec::new(),
            };
            let active = activity::judged(programme, wallet, event, &judged, facts.whose);
            let mut decided = judge(&seen, by, programme.version, judged, sequence);
            decided.effects.extend(active);
            decided.effects.extend(ended(wallet, now));
            decided.effects.extend(activation(wallet, now, event));
            Ok(Decided { pots, ..decided })
        }
        Command::Spend { asked, purchase, request, pass, .. } => {
            wallet.opens_to(*pass)?;
            let plan = plan_spend(programme, wallet, now, asked, *purchase)?;
            let made = SpendMade { request: request.cloned(), ..plan.made };
            done(Act::Spent(made), plan.takes)
        }
        Command::Cancel { back, .. } => {
            let effects = take_back(programme, wallet, now, back, &applied.entries)?;
            let taken_back = back.taken_back();
            let part = back.is_part();
            done(if part { Act::Returned(taken_back) } else { Act::Reversed(taken_back) }, effects)
        }
        Command::Redeem { pass, plan, own, .. } => {
            if wallet.erased {
                return Err(Refusal::ParticipantErased);
            }
            let worth = pass.redeemable(plan, now, programme.zone)?;
            let lot = plan.lot(now, programme.zone).ok_or(Refusal::PassNotRedeemable)?;
            if !lot.is_live(now, programme.zone) {
                return Err(Refusal::AlreadyExpired);
            }
            let mut effects = vec![credit(wallet, &lot, worth)?];
            effects.extend(own.then(|| pass.makes_nameless()).flatten());
            done(Act::Redeemed, effects)
        }
        Command::Block { blocked, reason } => {
            let act = Act::Blocked { reason: (*reason).into() };
            done(act, vec![Effect::Block { blocked: *blocked }])
        }
        Command::Erase => {
            let act = Act::Blocked { reason: "erased".into() };
            done(act, vec![Effect::Block { blocked: true }, Effect::Erase])
        }
        Command::Hold { asked, purchase, time, pass, .. } => {
            wallet.opens_to(*pass)?;
            let plan = plan_hold(programme, wallet, now, asked, *purchase, *time, sequence)?;
            done(Act::Held(plan.made), plan.effects)
        }
        Command::Settle { asked, purchase, .. } => {
            let plan = plan_settle(programme, wallet, now, asked, *purchase)?;
            done(Act::Spent(plan.made), plan.takes)
        }
        Command::Release { hold, .. } => {
            done(Act::Released, plan_release(programme, wallet, now, *hold)?)
        }
        Command::Adjust { adjustment, .. } => {
            let effects = plan_adjustment(programme, wallet, now, adjustment)?;
            done(Act::Adjusted { reason: adjustment.reason.clone() }, effects)
        }
        Command::Register { pass, .. } => {
            if wallet.erased {
                return Err(Refusal::ParticipantErased);
            }
            wallet.opens_to(Some(pass))?;
            done(Act::Registered, vec![Effect::Registered])
        }
        Command::HandOver { asked, .. } => {
            let (participant, reason) = (asked.into.clone(), asked.reason.map(Into::into));
            done(Act::MergedInto { participant, reason }, hand_over(wallet, *asked)?)
        }
        Command::TakeOver { duplicate, from, .. } => {
            let act = Act::MergedFrom { participant: (*duplicate).clone() };
            done(act, take_over(programme, wallet, now, *from)?)
        }
        Command::Convert { conversion, .. } => {
            let (made, effects) = plan_conversion(programme, wallet, now, conversion)?;
            done(Act::Converted(made), effects)
        }
        Command::TakeCoupon { asked, .. } => {
            let plan = plan_coupon(programme, wallet, now, asked)?;
            done(Act::Spent(plan.made), plan.takes)
        }
    }
}

fn judge(
    event: &RecordedEvent,
    by: &Judge,
    programme: u64,
    judged: Judged,
    sequence: u64,
) -> Decided {
    let due = award::due_after(&judged);
    let mut effects = judged.effects;
    if event.judgements.is_empty() && event.state == EventState::Posted {
        effects.push(Effect::Seen { performed_on: event.event.performed_on });
    }
    let judgement = Judgement {
        sequence,
        by: by.clone(),
        programme,
        awards: judged.awards,
        discounts: judged.discounts,
        passes: judged.passes,
        passed_over: judged.passed_over,
    };
    let outcome = Outcome::Judged { judgement, due, spends: Vec::new() };
    Decided { act: Act::Judged, effects, outcome, pots: Vec::new() }
}

/// The activations that are over.
fn ended(wallet: &Wallet, now: Instant) -> impl Iterator<Item = Effect> {
    let ended = wallet.activations.iter().filter(move |known| known.until <= now);
    ended.cloned().map(Effect::Deactivate)
}

/// What stays active of a promotion whose code came with the event.
fn activation(wallet: &Wallet, now: Instant, event: &RecordedEvent) -> Option<Effect> {
    let Some(PassShown::Accepted { plan, until: Some(until), .. }) = &event.pass else {
        return None;
    };
    let (plan, until) = (plan.clone(), *until);
    let is_new = event.judgements.is_empty()
        && event.state == EventState::Posted
        && wallet.activation(&plan, event.event.performed_on, now).is_none();
    // From the purchase on, so that what comes after it, by the till's clock, has them.
    let from = now.min(event.event.performed_on);
    is_new.then_some(Effect::Activate(Activation { plan, from, until }))
}

/// Spends on a purchase what nobody asks for, each as an entry of its own.
fn spend_unasked(
    programme: &Programme,
    now: Instant,
    event: &RecordedEvent,
    pots: &[Pot],
    applied: &mut Applied,
) {
    let unasked = |spend: &&SpendOn| spend.made.cause != SpendCause::Requested;
    let mut purchase = Cow::Borrowed(event);
    if let Outcome::Judged { judgement, .. } = &applied.outcome
        && !judgement.discounts.is_empty()
        && !pots.is_empty()
    {
        // What is discounted is not paid.
        purchase.to_mut().judgements.push(judgement.clone());
    }
    for pot in pots {
        let Some(plan) = pot.plan(programme, &applied.wallet, &purchase) else { continue };
        let number = purchase.spends.iter().filter(unasked).count();
        let number = u8::try_from(number).unwrap_or(u8::MAX);
        let key = EntryKey::Unasked { event: event.event.id.clone(), number };
        let (payload, act) = (event.payload, Act::Spent(plan.made));
        enter(programme, now, applied, Draft { key, payload, act, effects: plan.takes });
        let made = applied.entries.last().and_then(SpendOn::of);
        purchase.to_mut().spends.extend(made);
    }
    if let Outcome::Judged { spends, .. } = &mut applied.outcome {
        spends.extend(purchase.spends.iter().skip(event.spends.len()).cloned());
    }
}

pub(crate) fn credit(wallet: &Wallet, lot: &LotId, amount: Amount) -> Result<Effect, Refusal> {
    if wallet.total(&lot.balance, |_| true).0 + amount.0 > MAX_MINOR {
        return Err(Refusal::BalanceFull);
    }
    let debt = amount.min(wallet.debt(&lot.balance));
    Ok(Effect::Award { offer: None, lot: lot.clone(), amount, debt, slot: None })
}

/// Gives back what lapsed holds set aside, as an entry of its own. Lots that come back beyond
/// the number that a wallet keeps merge at once.
fn lapse(programme: &Programme, now: Instant, payload: PayloadHash, applied: &mut Applied) {
    let mut effects = lapses(&applied.wallet, now, programme.zone);
    if !effects.is_empty() {
        effects.extend(merges(programme, &applied.wallet, now, &effects));
        let key = EntryKey::Lapse(applied.wallet.length + 1);
        enter(programme, now, applied, Draft { key, payload, act: Act::Released, effects });
    }
}

/// Drops what has expired, as an entry of its own.
fn expire(programme: &Programme, now: Instant, payload: PayloadHash, applied: &mut Applied) {
    let dead = applied.wallet.lots.iter().filter(|lot| !lot.id.is_live(now, programme.zone));
    let effects: Vec<Effect> =
        dead.map(|lot| Effect::Expire { lot: lot.id.clone(), amount: lot.amount }).collect();
    if !effects.is_empty() {
        let key = EntryKey::Expiry(applied.wallet.length + 1);
        enter(programme, now, applied, Draft { key, payload, act: Act::Expired, effects });
    }
}

fn enter(programme: &Programme, now: Instant, applied: &mut Applied, draft: Draft) {
    let Draft { key, payload, act, mut effects } = draft;
    if let Act::Spent(made) = &act {
        effects.push(activity::spent(programme, made.performed_on));
    }
    let sequence = applied.wallet.length + 1;
    let mut entry = Entry { sequence, at: now, key, payload, act, effects, after: Vec::new() };
    applied.wallet.enter(&entry);
    let mut touched: Vec<BalanceCode> = Vec::new();
    for (balance, _) in entry.effects.iter().filter_map(Effect::change) {
        if !touched.contains(balance) {
            touched.push(balance.clone());
        }
    }
    let available = |balance: BalanceCode| {
        let amount = applied.wallet.available(&balance, now, programme.zone);
        (balance, amount)
    };
    entry.after = touched.into_iter().map(available).collect();
    applied.entries.push(entry);
}
