//! What only one type of event has.

use crate::amount::{Amount, AmountError};
use crate::event::{EventType, Purchase};
use crate::id::{BalanceCode, EventId, KpiId, ParticipantId, ProductId};
use crate::payment_medium::PaymentMedium;
use crate::programme::Programme;
use crate::time::Month;

/// Most values of a financial statement.
pub const MAX_VALUES: usize = 500;

/// What only one type of event has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    Purchase(Purchase),
    /// The event's participant referred this one.
    Referral {
        referred: ParticipantId,
    },
    /// What was done on a social network.
    SocialMedia {
        network: Box<str>,
        profile: Box<str>,
        action: Box<str>,
    },
    /// What was done on a website.
    Web {
        url: Box<str>,
        /// What a survey came to, from 0 to 10.
        score: Option<u8>,
    },
    /// What its classification says.
    Achievement {
        /// What a survey came to, from 0 to 10.
        score: Option<u8>,
    },
    FinancialAchievement(FinancialAchievement),
    FinancialStatement(Statement),
    SpendRequest(SpendRequest),
}

/// An amount that was reached, such as a top-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinancialAchievement {
    pub product: Option<ProductId>,
    /// In currency.
    pub amount: Amount,
    pub payment_medium: Option<PaymentMedium>,
}

/// What was reported for a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub period: Month,
    /// 1 to [`MAX_VALUES`]; no two of one KPI and product.
    pub values: Vec<KpiValue>,
}

/// One line of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KpiValue {
    pub kpi: KpiId,
    pub product: ProductId,
    /// In currency.
    pub value: Amount,
}

/// What a spend that came as an event asked for; where, when and of which classification stands
/// with the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendRequest {
    pub balance: BalanceCode,
    /// In the balance; none: what is open of the purchase.
    pub amount: Option<Amount>,
    /// The purchase it pays.
    pub purchase: Option<EventId>,
}

impl Detail {
    /// The type of the event.
    pub fn event_type(&self) -> EventType {
        match self {
            Detail::Purchase(_) => EventType::Purchase,
            Detail::Referral { .. } => EventType::Referral,
            Detail::SocialMedia { .. } => EventType::SocialMedia,
            Detail::Web { .. } => EventType::Web,
            Detail::Achievement { .. } => EventType::Achievement,
            Detail::FinancialAchievement(_) => EventType::FinancialAchievement,
            Detail::FinancialStatement(_) => EventType::FinancialStatement,
            Detail::SpendRequest(_) => EventType::SpendRequest,
        }
    }
}

impl Statement {
    /// What was reported for a KPI: the values of the products that it lists, added up.
    pub fn reported(&self, programme: &Programme, kpi: &KpiId) -> Amount {
        Amount(self.counted(programme, kpi).map(|value| value.value.0).sum())
    }

    /// Whether it has a line that the KPI counts.
    pub fn reports(&self, programme: &Programme, kpi: &KpiId) -> bool {
        self.counted(programme, kpi).next().is_some()
    }

    fn counted<'a>(
        &'a self,
        programme: &'a Programme,
        kpi: &'a KpiId,
    ) -> impl Iterator<Item = &'a KpiValue> {
        let counts = |value: &&KpiValue| value.kpi == *kpi && programme.counts(kpi, &value.product);
        self.values.iter().filter(move |value| counts(value))
    }

    /// The sum of all values. Parsing refuses a statement whose sum is too large.
    pub fn total(&self) -> Result<Amount, AmountError> {
        self.values.iter().try_fold(Amount::ZERO, |sum, value| sum.plus(value.value))
    }
}
