//! Holds: funds set aside for a checkout, until they are spent, given back, or lapse.

use std::borrow::Cow;

use chrono_tz::Tz;
use thiserror::Error;

use crate::amount::Amount;
use crate::event::RecordedEvent;
use crate::id::BalanceCode;
use crate::ledger::{Effect, HoldMade, LotId, SpendMade};
use crate::programme::Programme;
use crate::refusal::Refusal;
use crate::spend::{SpendAsked, SpendPlan, plan_spend, weigh_spend};
use crate::time::Instant;
use crate::wallet::Wallet;

/// Most holds of a wallet that are open at once.
pub const MAX_HOLDS: usize = 20;

const DAY: u32 = 24 * 60;

/// Funds that are set aside: they are in no lot while the hold stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The ledger entry that made it.
    pub sequence: u64,
    /// From this time on it is over, whether or not the ledger says so already.
    pub lapses_at: Instant,
    /// What was taken from which lot, in the order in which it is spent; never nothing.
    pub takes: Vec<(LotId, Amount)>,
}

/// How long a hold stands: whole minutes, from 1 to those of 7 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldTime(u32);

/// Why a text is not the time of a hold.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("must be a duration of 1 minute to 7 days, such as PT15M, PT2H or P1D")]
pub struct HoldTimeError;

/// How an open hold is to be spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettleAsked {
    /// The ledger entry that made the hold.
    pub hold: u64,
    /// The spend that the funds were held for.
    pub held_for: SpendMade,
    /// Of what is held; none: all of it.
    pub amount: Option<Amount>,
}

/// A hold that can be made.
pub struct HoldPlan {
    pub made: HoldMade,
    pub effects: Vec<Effect>,
}

impl Default for HoldTime {
    /// A quarter of an hour.
    fn default() -> HoldTime {
        HoldTime(15)
    }
}

impl HoldTime {
    /// Parses ISO 8601 days, hours and minutes: `P1D`, `PT2H`, `P1DT30M`.
    ///
    /// # Errors
    /// The text is none, or is not within a minute and seven days.
    pub fn parse(text: &str) -> Result<HoldTime, HoldTimeError> {
        let rest = text.strip_prefix('P').ok_or(HoldTimeError)?;
        let (days, hours) = match rest.split_once('T') {
            Some((days, hours)) if !hours.is_empty() => (days, hours),
            Some(_) => return Err(HoldTimeError),
            None => (rest, ""),
        };
        let (days, nothing) = counted(days, 'D')?;
        let (hours, minutes) = counted(hours, 'H')?;
        let (minutes, more) = counted(minutes, 'M')?;
        if !nothing.is_empty() || !more.is_empty() {
            return Err(HoldTimeError);
        }
        let sum = days.saturating_mul(DAY).saturating_add(hours.saturating_mul(60));
        let sum = sum.saturating_add(minutes);
        if (1..=7 * DAY).contains(&sum) { Ok(HoldTime(sum)) } else { Err(HoldTimeError) }
    }

    /// When a hold that is made now lapses.
    pub fn after(self, now: Instant) -> Instant {
        now.plus_minutes(i64::from(self.0))
    }
}

/// Reads `<number><unit>` where the text begins with it, and what follows.
fn counted(text: &str, unit: char) -> Result<(u32, &str), HoldTimeError> {
    let Some((digits, rest)) = text.split_once(unit) else { return Ok((0, text)) };
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let count = digits.parse().ok().filter(|_| plain);
    count.map(|count| (count, rest)).ok_or(HoldTimeError)
}

impl Hold {
    /// What it sets aside.
    pub fn amount(&self) -> Amount {
        Amount(self.takes.iter().map(|(_, amount)| amount.0).sum())
    }

    /// Of which balance.
    pub fn balance(&self) -> Option<&BalanceCode> {
        self.takes.first().map(|(lot, _)| &lot.balance)
    }

    /// Whether it stands at this time.
    pub fn is_open(&self, now: Instant) -> bool {
        now < self.lapses_at
    }
}

impl Wallet {
    /// The wallet as it is at this time: what lapsed holds had set aside is back in its lots,
    /// whether or not the ledger says so already.
    pub fn at(&self, now: Instant, zone: Tz) -> Cow<'_, Wallet> {
        let lapses = lapses(self, now, zone);
        if lapses.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut wallet = self.clone();
        lapses.iter().for_each(|effect| wallet.carry_out(effect));
        Cow::Owned(wallet)
    }

    /// What is set aside of a balance at this time.
    pub fn set_aside(&self, balance: &BalanceCode, now: Instant) -> Amount {
        let of_balance = |hold: &&Hold| hold.balance() == Some(balance) && hold.is_open(now);
        Amount(self.holds.iter().filter(of_balance).map(|hold| hold.amount().0).sum())
    }

    /// Whether a hold has lapsed or a lot has expired that the ledger does not say yet.
    pub fn has_something_over(&self, now: Instant, zone: Tz) -> bool {
        self.holds.iter().any(|hold| !hold.is_open(now))
            || self.lots.iter().any(|lot| !lot.id.is_live(now, zone))
    }

    /// A hold that stands at this time, by the entry that made it.
    pub fn open_hold(&self, sequence: u64, now: Instant) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.sequence == sequence && hold.is_open(now))
    }

    pub(crate) fn hold(&mut self, sequence: u64, lapses_at: Instant, lot: &LotId, amount: Amount) {
        let take = (lot.clone(), amount);
        match self.holds.iter_mut().find(|hold| hold.sequence == sequence) {
            Some(hold) => hold.takes.push(take),
            None => self.holds.push(Hold { sequence, lapses_at, takes: vec![take] }),
        }
    }

    pub(crate) fn let_go(&mut self, sequence: u64, lot: &LotId, amount: Amount) {
        let hold = self.holds.iter_mut().find(|hold| hold.sequence == sequence);
        if let Some(hold) = hold {
            for (_, held) in hold.takes.iter_mut().filter(|(of, _)| of == lot) {
                held.0 -= amount.0;
            }
            hold.takes.retain(|(_, held)| !held.is_zero());
        }
        self.holds.retain(|hold| !hold.takes.is_empty());
    }
}

/// Decides a hold by the rules of a spend, all or nothing. `sequence` is that of its entry.
///
/// # Errors
/// Those of a spend, and `too_many_holds`.
pub fn plan_hold(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    asked: &SpendAsked,
    purchase: Option<&RecordedEvent>,
    time: HoldTime,
    sequence: u64,
) -> Result<HoldPlan, Refusal> {
    let SpendPlan { made, takes } = plan_spend(programme, wallet, now, asked, purchase)?;
    if made.spent < made.requested {
        return Err(Refusal::NotCovered);
    }
    if wallet.holds.len() >= MAX_HOLDS {
        return Err(Refusal::TooManyHolds);
    }
    let lapses_at = time.after(now);
    let held = takes.into_iter().map(|take| match take {
        Effect::Take { lot, amount } => Effect::Hold { hold: sequence, lapses_at, lot, amount },
        other => other,
    });
    let effects = held.collect();
    Ok(HoldPlan { made: HoldMade { spend: made, lapses_at }, effects })
}

/// Spends from an open hold and gives back the rest. What is held is spent even where the last day
/// of its lot has passed meanwhile.
///
/// # Errors
/// `hold_not_open`, `amount_out_of_range` beyond what is held, and those of a spend.
pub fn plan_settle(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    asked: &SettleAsked,
    purchase: Option<&RecordedEvent>,
) -> Result<SpendPlan, Refusal> {
    let hold = wallet.open_hold(asked.hold, now).ok_or(Refusal::HoldNotOpen)?;
    let (held, for_spend) = (hold.amount(), &asked.held_for);
    if asked.amount.is_some_and(|amount| amount > held) {
        return Err(Refusal::AmountOutOfRange);
    }
    let classification = for_spend.classification.clone();
    let rule = programme.definition.spend.rule(classification.as_ref());
    // A rule without an amount asks for what is open of the purchase.
    let takes_amount = rule.is_none_or(|rule| rule.specific_amount.is_some());
    let on_the_same = purchase.map(|purchase| &purchase.event.id) == for_spend.purchase.as_ref();
    let spend = SpendAsked {
        balance: for_spend.balance.clone(),
        amount: asked.amount.or(takes_amount.then_some(held)),
        classification,
        unit: for_spend.unit.clone(),
        // Against a purchase that the hold did not name, it is spent now.
        performed_on: if on_the_same { for_spend.performed_on } else { now },
    };
    let made = weigh_spend(programme, wallet.blocked, held, &spend, purchase)?;
    let (mut open, mut takes, mut rest) = (made.spent, Vec::new(), Vec::new());
    for (lot, amount) in &hold.takes {
        let taken = open.min(*amount);
        open = open.less(taken);
        if !taken.is_zero() {
            let lot = lot.clone();
            takes.push(Effect::TakeHeld { hold: asked.hold, lot, amount: taken });
        }
        rest.push((asked.hold, lot.clone(), amount.less(taken)));
    }
    let mut wallet = wallet.clone();
    takes.iter().for_each(|effect| wallet.carry_out(effect));
    takes.extend(give_back(&wallet, now, programme.zone, rest));
    Ok(SpendPlan { made, takes })
}

/// Gives back all that an open hold set aside.
///
/// # Errors
/// `hold_not_open`.
pub fn plan_release(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    hold: u64,
) -> Result<Vec<Effect>, Refusal> {
    let hold = wallet.open_hold(hold, now).ok_or(Refusal::HoldNotOpen)?;
    Ok(give_back(wallet, now, programme.zone, all_of(hold)))
}

/// What comes back because its hold lapsed.
pub fn lapses(wallet: &Wallet, now: Instant, zone: Tz) -> Vec<Effect> {
    let lapsed = wallet.holds.iter().filter(|hold| !hold.is_open(now));
    let back: Vec<_> = lapsed.flat_map(all_of).collect();
    if back.is_empty() { Vec::new() } else { give_back(wallet, now, zone, back) }
}

fn all_of(hold: &Hold) -> Vec<(u64, LotId, Amount)> {
    hold.takes.iter().map(|(lot, amount)| (hold.sequence, lot.clone(), *amount)).collect()
}

/// What comes back pays debt first, like an award; a lot that comes back only to expire pays none.
fn give_back(
    wallet: &Wallet,
    now: Instant,
    zone: Tz,
    back: Vec<(u64, LotId, Amount)>,
) -> Vec<Effect> {
    let mut wallet = wallet.clone();
    let mut effects = Vec::new();
    for (hold, lot, amount) in back.into_iter().filter(|(_, _, amount)| !amount.is_zero()) {
        let owed = wallet.debt(&lot.balance);
        let debt = if lot.is_live(now, zone) { owed.min(amount) } else { Amount::ZERO };
        let effect = Effect::Release { hold, lot, amount, debt };
        wallet.carry_out(&effect);
        effects.push(effect);
    }
    effects
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r78_a_hold_stands_for_a_minute_to_seven_days() {
        let after =
            |text: &str| HoldTime::parse(text).map(|time| time.after(Instant(0)).0 / 60_000);
        for (text, minutes) in [
            ("PT1M", 1),
            ("PT15M", 15),
            ("PT2H", 120),
            ("PT90M", 90),
            ("P1D", 1_440),
            ("P1DT1H1M", 1_501),
            ("P7D", 10_080),
            ("PT168H", 10_080),
        ] {
            assert_eq!(after(text), Ok(minutes), "{text}");
        }
        for bad in [
            "",
            "P",
            "PT",
            "15M",
            "PT0M",
            "P0D",
            "P8D",
            "P7DT1M",
            "PT1S",
            "P1M",
            "P1Y",
            "P1W",
            "PTM",
            "PT1M1H",
            "P1DT",
            "PT-1M",
            "PT+1M",
            "PT1.5H",
            "P1H",
            "PT99999999999M",
            "pt15m",
            "PT5M ",
        ] {
            assert_eq!(after(bad), Err(HoldTimeError), "{bad}");
        }
    }
}
