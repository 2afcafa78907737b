//! Conversions: points turn into money by a coefficient table, once for each time.

use crate::amount::{Amount, AmountError, Decimals, Rate, worth_of_parts};
use crate::apply::credit;
use crate::id::{BalanceCode, ConversionId, SegmentId};
use crate::ledger::{Effect, LotId};
use crate::programme::Programme;
use crate::refusal::Refusal;
use crate::schedule::Schedule;
use crate::spend::{first, sum};
use crate::time::Instant;
use crate::wallet::Wallet;

/// Most digits of a payout reference that stand together: fewer than card numbers have.
const MOST_DIGITS: usize = 12;

/// What a conversion says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversion {
    pub id: ConversionId,
    /// What is converted.
    pub balance: BalanceCode,
    /// The balance that gets the money; none: it is paid out, outside of the programme.
    pub into: Option<BalanceCode>,
    /// In ascending order; below the first one nothing is converted.
    pub table: Box<[Coefficient]>,
    pub bands: Bands,
    /// Fewer points than these stay.
    pub minimum: Amount,
    /// None: only started by hand.
    pub schedule: Option<Schedule>,
    /// None: everybody's points are converted.
    pub segment: Option<SegmentId>,
}

/// A band of the coefficient table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coefficient {
    /// In points, inclusive.
    pub from: Amount,
    /// Money (major unit) for each point (major unit).
    pub rate: Rate,
}

/// What the rate of a band applies to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bands {
    /// All points, if the band is the last that begins at or below them.
    #[default]
    Whole,
    /// The points within the band.
    Marginal,
}

/// A conversion as it was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversionMade {
    pub balance: BalanceCode,
    /// What was taken, in the balance.
    pub points: Amount,
    /// What it came to: in `into`, or in currency.
    pub money: Amount,
    /// The balance that got it; none: it is paid out.
    pub into: Option<BalanceCode>,
}

impl Conversion {
    /// What points come to: rounded once, at the end, towards nothing.
    ///
    /// # Errors
    /// `TooLarge`.
    pub fn money(
        &self,
        points: Amount,
        balance: Decimals,
        money: Decimals,
    ) -> Result<Amount, AmountError> {
        worth_of_parts(&self.parts(points), balance, money)
    }

    /// The points by the rate that applies to them.
    fn parts(&self, points: Amount) -> Vec<(Amount, Rate)> {
        let reached = self.table.partition_point(|band| band.from <= points);
        let reached = &self.table[..reached];
        match self.bands {
            Bands::Whole => reached.last().map(|band| (points, band.rate)).into_iter().collect(),
            Bands::Marginal => {
                let ends = reached.iter().skip(1).map(|band| band.from).chain([points]);
                let within = reached.iter().zip(ends);
                within.map(|(band, end)| (end.less(band.from), band.rate)).collect()
            }
        }
    }

    /// The decimals of the money.
    pub fn decimals(&self, programme: &Programme) -> Decimals {
        self.into.as_ref().map_or(programme.currency.decimals, |code| programme.decimals(code))
    }
}

/// What a conversion does to a wallet: all points that can be spent on anything go, what expires
/// first before the rest; points with conditions of their own stay, as do those that are
/// pending or held.
///
/// # Errors
/// `participant_merged`, `pass_required` for a nameless wallet, `spending_blocked`; `not_covered`
/// where there are fewer points than the minimum, or they come to nothing; `balance_full`.
pub fn plan_conversion(
    programme: &Programme,
    wallet: &Wallet,
    now: Instant,
    conversion: &Conversion,
) -> Result<(ConversionMade, Vec<Effect>), Refusal> {
    if wallet.merged_into.is_some() {
        return Err(Refusal::ParticipantMerged);
    }
    wallet.opens_to(None)?;
    if wallet.blocked {
        return Err(Refusal::SpendingBlocked);
    }
    let Conversion { balance, into, .. } = conversion;
    let free = wallet.spendable(balance, now, programme.zone).filter(|lot| lot.id.terms.is_none());
    let funds: Vec<_> = free.map(|lot| (lot.id.clone(), lot.amount)).collect();
    let points = sum(&funds);
    if points < conversion.minimum {
        return Err(Refusal::NotCovered);
    }
    let decimals = conversion.decimals(programme);
    let money = conversion.money(points, programme.decimals(balance), decimals);
    let money = money.map_err(|_| Refusal::BalanceFull)?;
    if money.is_zero() {
        return Err(Refusal::NotCovered);
    }
    let takes = first(funds, points).map(|(lot, amount)| Effect::Take { lot, amount });
    let mut effects: Vec<Effect> = takes.collect();
    if let Some(into) = into {
        let lot = LotId { balance: into.clone(), expires: None, available_from: None, terms: None };
        effects.push(credit(wallet, &lot, money)?);
    }
    let (balance, into) = (balance.clone(), into.clone());
    Ok((ConversionMade { balance, points, money, into }, effects))
}

/// Whether a text may stand for the account that money is paid to: a token of whoever pays, of 1 to
/// 64 characters, the first a letter or a digit, without digits that could be the number of a card, in one piece or in groups.
pub fn is_payout_reference(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b':');
    let pieces = text.split(|c: char| !c.is_ascii_digit());
    let in_one = pieces.map(str::len).max().unwrap_or(0);
    let in_groups = match text.bytes().any(|b| b.is_ascii_alphabetic()) {
        true => 0,
        false => text.bytes().filter(u8::is_ascii_digit).count(),
    };
    (1..=64).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(fits)
        && in_one.max(in_groups) <= MOST_DIGITS
}
