//! Customer events.

use crate::amount::{Amount, AmountError};
use crate::id::{Classification, EventId, ParticipantId, ProductId, UnitId};
use crate::offer::Beneficiary;
use crate::payment_medium::PaymentMedium;
use crate::spend::SpendAsked;
use crate::time::Instant;

mod detail;
mod erasure;
mod event_type;
mod recorded;

pub use detail::{Detail, FinancialAchievement, KpiValue, MAX_VALUES, SpendRequest, Statement};
pub use event_type::EventType;
pub use recorded::{
    Awarded, Discounted, Due, EventState, Judge, Judgement, RecordedEvent, SpendOn, sums,
};

/// Most lines of a purchase.
pub const MAX_LINES: usize = 500;

/// An event as it was accepted; it is never modified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    pub participant: ParticipantId,
    pub classification: Option<Classification>,
    /// Where it was performed.
    pub unit: Option<UnitId>,
    pub performed_on: Instant,
    /// Whether offers that may be interactive judge it in the call that brings it.
    pub immediate: bool,
    pub detail: Detail,
}

/// What was bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    pub receipt_number: Option<Box<str>>,
    pub related_transaction: Option<Box<str>>,
    pub payment_medium: Option<PaymentMedium>,
    /// 1 to [`MAX_LINES`].
    pub lines: Vec<Line>,
}

/// One line of a purchase; amounts in currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub product: Option<ProductId>,
    pub category: Option<ProductId>,
    pub brand: Option<ProductId>,
    /// At least 1.
    pub quantity: u32,
    /// Of one piece.
    pub net: Amount,
    /// Of the line.
    pub vat: Amount,
}

impl Line {
    /// Quantity × net + VAT.
    pub fn total(&self) -> Result<Amount, AmountError> {
        self.net.times(self.quantity)?.plus(self.vat)
    }
}

impl Purchase {
    /// The sum of the lines.
    pub fn total(&self) -> Result<Amount, AmountError> {
        self.lines.iter().try_fold(Amount::ZERO, |sum, line| sum.plus(line.total()?))
    }

    /// The net and the VAT of the lines. Parsing refuses a purchase whose total is too large.
    pub fn net_and_vat(&self) -> (Amount, Amount) {
        let vat = Amount(self.lines.iter().map(|line| line.vat.0).sum());
        (self.total().unwrap_or(vat).less(vat), vat)
    }
}

impl Event {
    /// Its type.
    pub fn event_type(&self) -> EventType {
        self.detail.event_type()
    }

    /// The lines of a purchase; none of other events.
    pub fn lines(&self) -> &[Line] {
        match &self.detail {
            Detail::Purchase(purchase) => &purchase.lines,
            Detail::Referral { .. }
            | Detail::SocialMedia { .. }
            | Detail::Web { .. }
            | Detail::Achievement { .. }
            | Detail::FinancialAchievement(_)
            | Detail::FinancialStatement(_)
            | Detail::SpendRequest(_) => &[],
        }
    }

    /// What was purchased, in currency; nothing by what is no purchase. Parsing refuses a purchase
    /// whose total is too large.
    pub fn purchased(&self) -> Amount {
        match &self.detail {
            Detail::Purchase(purchase) => purchase.total().unwrap_or(Amount::ZERO),
            Detail::Referral { .. }
            | Detail::SocialMedia { .. }
            | Detail::Web { .. }
            | Detail::Achievement { .. }
            | Detail::FinancialAchievement(_)
            | Detail::FinancialStatement(_)
            | Detail::SpendRequest(_) => Amount::ZERO,
        }
    }

    /// What a condition on the amount looks at, in currency: the total of a purchase, the amount
    /// of a financial achievement; other events have none.
    pub fn amount(&self) -> Option<Amount> {
        match &self.detail {
            Detail::Purchase(_) => Some(self.purchased()),
            Detail::FinancialAchievement(achieved) => Some(achieved.amount),
            Detail::Referral { .. }
            | Detail::SocialMedia { .. }
            | Detail::Web { .. }
            | Detail::Achievement { .. }
            | Detail::FinancialStatement(_)
            | Detail::SpendRequest(_) => None,
        }
    }

    /// What a survey came to, from 0 to 10, where the event says so.
    pub fn score(&self) -> Option<u8> {
        match &self.detail {
            Detail::Web { score, .. } | Detail::Achievement { score } => *score,
            Detail::Purchase(_)
            | Detail::Referral { .. }
            | Detail::SocialMedia { .. }
            | Detail::FinancialAchievement(_)
            | Detail::FinancialStatement(_)
            | Detail::SpendRequest(_) => None,
        }
    }

    /// Whom its participant referred, where it is a referral.
    pub fn referred(&self) -> Option<&ParticipantId> {
        if let Detail::Referral { referred } = &self.detail { Some(referred) } else { None }
    }

    /// Whose wallet it is judged in: of a referral there are two.
    pub fn whose(&self, whose: Beneficiary) -> &ParticipantId {
        match whose {
            Beneficiary::Participant => &self.participant,
            Beneficiary::Referred => self.referred().unwrap_or(&self.participant),
        }
    }

    /// What is to be spent, where it is a spend request.
    pub fn asked(&self) -> Option<SpendAsked> {
        let Detail::SpendRequest(request) = &self.detail else { return None };
        Some(SpendAsked {
            balance: request.balance.clone(),
            amount: request.amount,
            classification: self.classification.clone(),
            unit: self.unit.clone(),
            performed_on: self.performed_on,
        })
    }

    /// How it was paid, where it is a purchase or a financial achievement that says so.
    pub fn payment_medium(&self) -> Option<&PaymentMedium> {
        match &self.detail {
            Detail::Purchase(purchase) => purchase.payment_medium.as_ref(),
            Detail::FinancialAchievement(achieved) => achieved.payment_medium.as_ref(),
            Detail::Referral { .. }
            | Detail::SocialMedia { .. }
            | Detail::Web { .. }
            | Detail::Achievement { .. }
            | Detail::FinancialStatement(_)
            | Detail::SpendRequest(_) => None,
        }
    }
}
