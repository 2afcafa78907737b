//! The classes of offers: which events they judge, and what those have.

use crate::event::EventType;
use crate::offer::Counts;

/// What kind of events an offer rewards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferClass {
    IncreaseRevenueTransaction,
    IncreaseRevenueProduct,
    UtiliseFreeCapacity,
    RewardLoyaltyAmount,
    RewardLoyaltyNumber,
    RewardLoyaltyQuantity,
    Achievement,
    FinancialAchievement,
    Behaviour,
    Referral,
    FinancialStatement,
}

impl OfferClass {
    /// All of them, with the names of the contract.
    pub const ALL: [(&str, OfferClass); 11] = [
        ("increase_revenue_transaction", OfferClass::IncreaseRevenueTransaction),
        ("increase_revenue_product", OfferClass::IncreaseRevenueProduct),
        ("utilise_free_capacity", OfferClass::UtiliseFreeCapacity),
        ("reward_loyalty_amount", OfferClass::RewardLoyaltyAmount),
        ("reward_loyalty_number", OfferClass::RewardLoyaltyNumber),
        ("reward_loyalty_quantity", OfferClass::RewardLoyaltyQuantity),
        ("achievement", OfferClass::Achievement),
        ("financial_achievement", OfferClass::FinancialAchievement),
        ("behaviour", OfferClass::Behaviour),
        ("referral", OfferClass::Referral),
        ("financial_statement", OfferClass::FinancialStatement),
    ];

    /// The types of events that offers of this class judge.
    pub fn types(self) -> &'static [EventType] {
        match self {
            OfferClass::IncreaseRevenueTransaction
            | OfferClass::IncreaseRevenueProduct
            | OfferClass::UtiliseFreeCapacity
            | OfferClass::RewardLoyaltyAmount
            | OfferClass::RewardLoyaltyNumber
            | OfferClass::RewardLoyaltyQuantity => &[EventType::Purchase],
            OfferClass::Achievement => &[EventType::Achievement],
            OfferClass::FinancialAchievement => &[EventType::FinancialAchievement],
            OfferClass::Behaviour => &[EventType::SocialMedia, EventType::Web],
            OfferClass::Referral => &[EventType::Referral],
            OfferClass::FinancialStatement => &[EventType::FinancialStatement],
        }
    }

    /// Whether its events have product lines.
    pub fn has_lines(self) -> bool {
        self.types() == [EventType::Purchase]
    }

    /// Whether its events have an amount.
    pub fn has_amount(self) -> bool {
        self.has_payment_medium() || self.has_kpis()
    }

    /// Whether its events have a payment medium.
    pub fn has_payment_medium(self) -> bool {
        self.has_lines() || self.types() == [EventType::FinancialAchievement]
    }

    /// Whether its events report values of KPIs.
    pub fn has_kpis(self) -> bool {
        self.types() == [EventType::FinancialStatement]
    }

    /// Whether its events may say what a survey came to.
    pub fn has_score(self) -> bool {
        self.types().iter().any(|of| matches!(of, EventType::Web | EventType::Achievement))
    }

    /// What offers of this class count, where they must.
    pub fn counts(self) -> Option<Counts> {
        match self {
            OfferClass::RewardLoyaltyAmount => Some(Counts::Amount),
            OfferClass::RewardLoyaltyNumber => Some(Counts::Events),
            OfferClass::RewardLoyaltyQuantity => Some(Counts::Pieces),
            OfferClass::IncreaseRevenueTransaction
            | OfferClass::IncreaseRevenueProduct
            | OfferClass::UtiliseFreeCapacity
            | OfferClass::Achievement
            | OfferClass::FinancialAchievement
            | OfferClass::Behaviour
            | OfferClass::Referral
            | OfferClass::FinancialStatement => None,
        }
    }

    /// Whether offers of this class may judge in the call that brings an event.
    pub fn may_be_interactive(self) -> bool {
        match self {
            OfferClass::IncreaseRevenueTransaction
            | OfferClass::IncreaseRevenueProduct
            | OfferClass::UtiliseFreeCapacity
            | OfferClass::Behaviour => true,
            OfferClass::RewardLoyaltyAmount
            | OfferClass::RewardLoyaltyNumber
            | OfferClass::RewardLoyaltyQuantity
            | OfferClass::Achievement
            | OfferClass::FinancialAchievement
            | OfferClass::Referral
            | OfferClass::FinancialStatement => false,
        }
    }
}
