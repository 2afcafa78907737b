//! What an event earns under an offer; rounded by the one rule of [`crate::amount`].

use crate::amount::{Amount, AmountError, Rate, percentage_of};
use crate::offer::matching::{Shelf, Subject, sum_of};
use crate::offer::{AwardForm, Band, Offer, Scope};
use crate::programme::Programme;

/// What is earned, and by what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Earned {
    pub amount: Amount,
    /// The lines that it was computed from; empty: the whole transaction.
    pub lines: Vec<u16>,
    /// Of a discount by line: what each of them costs less.
    pub each: Vec<Amount>,
}

impl Earned {
    fn of_whole(amount: Amount) -> Earned {
        Earned { amount, ..Earned::default() }
    }
}

impl Offer {
    /// What the event earns; nothing where no line meets the conditions of a scope by line.
    ///
    /// # Errors
    /// `TooLarge` where a balance cannot hold it.
    pub fn earned(
        &self,
        programme: &Programme,
        subject: &Subject<'_>,
    ) -> Result<Earned, AmountError> {
        match self.scope {
            Scope::Transaction => self.earned_by_transaction(programme, subject),
            Scope::Line => self.earned_by_lines(programme, subject),
        }
    }

    fn earned_by_transaction(
        &self,
        programme: &Programme,
        subject: &Subject<'_>,
    ) -> Result<Earned, AmountError> {
        let whole = || self.amount(subject).unwrap_or(Amount::ZERO);
        let wanted = || wanted(self, subject).collect();
        Ok(match &self.award.form {
            // Off the purchase, and so no more than it costs.
            AwardForm::Fixed(amount) if self.award.is_discount() => {
                Earned::of_whole((*amount).min(whole()))
            }
            AwardForm::Fixed(amount) => {
                Earned { amount: *amount, lines: wanted(), ..Earned::default() }
            }
            AwardForm::Percentage(rate) => {
                Earned::of_whole(self.percent(programme, *rate, whole())?)
            }
            AwardForm::Table(bands) => {
                Earned::of_whole(self.percent(programme, rate_at(bands, whole()), whole())?)
            }
            AwardForm::PercentageOfAwardedLines(rate) => {
                let lines = subject.lines.iter().filter(|line| self.when.wants(line));
                let amount = self.percent(programme, *rate, sum_of(lines)?)?;
                Earned { amount, lines: wanted(), ..Earned::default() }
            }
        })
    }

    /// Each line by itself: rounded by itself, and held against amount and quantity by itself.
    fn earned_by_lines(
        &self,
        programme: &Programme,
        subject: &Subject<'_>,
    ) -> Result<Earned, AmountError> {
        let mut earned = Earned::default();
        for (at, line) in (0_u16..).zip(&subject.lines) {
            if !self.wants_by_itself(line) {
                continue;
            }
            let amount = match &self.award.form {
                AwardForm::Fixed(amount) if self.award.is_discount() => (*amount).min(line.total),
                AwardForm::Fixed(amount) => *amount,
                AwardForm::Percentage(rate) | AwardForm::PercentageOfAwardedLines(rate) => {
                    self.percent(programme, *rate, line.total)?
                }
                AwardForm::Table(bands) => {
                    self.percent(programme, rate_at(bands, line.total), line.total)?
                }
            };
            earned.amount = earned.amount.plus(amount)?;
            earned.lines.push(at);
            if self.award.is_discount() {
                earned.each.push(amount);
            }
        }
        Ok(earned)
    }

    fn wants_by_itself(&self, line: &Shelf<'_>) -> bool {
        self.when.wants(line)
            && self.when.holds_amount(line.total)
            && self.when.holds_quantity(u64::from(line.line.quantity))
    }

    /// What each award is for a sum that was counted.
    ///
    /// # Errors
    /// `TooLarge` where a balance cannot hold it.
    pub fn earned_by_sum(&self, programme: &Programme, sum: Amount) -> Result<Amount, AmountError> {
        match &self.award.form {
            AwardForm::Fixed(amount) => Ok(*amount),
            AwardForm::Percentage(rate) | AwardForm::PercentageOfAwardedLines(rate) => {
                self.percent(programme, *rate, sum)
            }
            AwardForm::Table(bands) => self.percent(programme, rate_at(bands, sum), sum),
        }
    }

    fn percent(
        &self,
        programme: &Programme,
        rate: Rate,
        amount: Amount,
    ) -> Result<Amount, AmountError> {
        let to = self.award.decimals(programme);
        percentage_of(rate, amount, programme.currency.decimals, to)
    }
}

impl Offer {
    /// Where it asks for certain lines, those; none: the whole transaction.
    pub fn wanted_lines(&self, subject: &Subject<'_>) -> Vec<u16> {
        wanted(self, subject).collect()
    }
}

/// Where an offer asks for certain lines, those.
fn wanted<'a>(offer: &'a Offer, subject: &'a Subject<'_>) -> impl Iterator<Item = u16> + 'a {
    let asks = offer.when.asks_lines();
    let wants = move |line: &Shelf<'_>| asks && offer.when.wants(line);
    (0_u16..).zip(&subject.lines).filter(move |(_, line)| wants(line)).map(|(at, _)| at)
}

fn rate_at(bands: &[Band], amount: Amount) -> Rate {
    let above = bands.partition_point(|band| band.from <= amount);
    above.checked_sub(1).and_then(|at| bands.get(at)).map_or(Rate::ZERO, |band| band.percentage)
}
