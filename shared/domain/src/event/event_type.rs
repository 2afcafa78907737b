//! The types of customer events.

/// The event types of R-1, in the order of the requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    Purchase,
    Referral,
    SocialMedia,
    Web,
    Achievement,
    FinancialAchievement,
    FinancialStatement,
    SpendRequest,
}

impl EventType {
    /// All of them.
    pub const ALL: [EventType; 8] = [
        EventType::Purchase,
        EventType::Referral,
        EventType::SocialMedia,
        EventType::Web,
        EventType::Achievement,
        EventType::FinancialAchievement,
        EventType::FinancialStatement,
        EventType::SpendRequest,
    ];

    /// The name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            EventType::Purchase => "purchase",
            EventType::Referral => "referral",
            EventType::SocialMedia => "social_media",
            EventType::Web => "web",
            EventType::Achievement => "achievement",
            EventType::FinancialAchievement => "financial_achievement",
            EventType::FinancialStatement => "financial_statement",
            EventType::SpendRequest => "spend_request",
        }
    }

    /// Whether an event of this type may be processed immediately.
    pub fn may_be_immediate(self) -> bool {
        match self {
            EventType::Purchase
            | EventType::SocialMedia
            | EventType::Web
            | EventType::FinancialStatement
            | EventType::SpendRequest => true,
            EventType::Referral | EventType::Achievement | EventType::FinancialAchievement => false,
        }
    }
}
