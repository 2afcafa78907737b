//! The programme's no, and why an offer awarded nothing: values with stable codes.

use thiserror::Error;

/// An answer that says no. It is remembered under its key and is no failure.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
pub enum Refusal {
    #[error("nothing usable covers this amount")]
    NotCovered,
    #[error("spending is blocked for this participant")]
    SpendingBlocked,
    #[error("the purchase is too long ago, or is later than the spend")]
    OutsideSpendWindow,
    #[error("the amount is outside what the programme allows here")]
    AmountOutOfRange,
    #[error("this classification covers the purchase total and takes no amount")]
    AmountNotAllowed,
    #[error("the programme only allows spends against a purchase")]
    PurchaseRequired,
    #[error("the purchase is cancelled")]
    PurchaseCancelled,
    #[error("this was cancelled before, under another key")]
    AlreadyCancelled,
    #[error("what was awarded is spent, and the programme does not carry debt")]
    AwardSpent,
    #[error("the balance cannot hold more")]
    BalanceFull,
    #[error("the pass cannot be redeemed, or not any more")]
    PassNotRedeemable,
    #[error("the event was cancelled before it arrived")]
    EventCancelled,
    #[error("not as many are left of the purchase's lines: they were returned before")]
    ReturnedAlready,
    #[error("there is a statement of this participant, classification and period already")]
    StatementExists,
    #[error("the hold was settled or released before, or has lapsed")]
    HoldNotOpen,
    #[error("the participant has as many open holds as a wallet takes")]
    TooManyHolds,
    #[error("what is credited would have expired already")]
    AlreadyExpired,
    #[error("the pass is locked")]
    PassLocked,
    #[error("the pass was redeemed as often as it can be")]
    PassUsed,
    #[error("the pass has expired")]
    PassExpired,
    #[error("the pass is void")]
    PassVoid,
    #[error("the pass is worth nothing before it is loaded")]
    PassNotLoaded,
    #[error("the pass cannot be redeemed yet")]
    PassNotYetValid,
    #[error("the pass is loaded already")]
    PassLoaded,
    #[error("what the pass is worth must be chosen")]
    PassValueMissing,
    #[error("the plan's passes were printed before, under another key")]
    PlanActivated,
    #[error("a gift is handed over: no purchase is paid with it")]
    GiftIsNoMoney,
    #[error("the wallet is nameless: it takes the code of its pass, and its PIN")]
    PassRequired,
    #[error("the pass has no nameless wallet: it was not redeemed into one, or that is registered")]
    NotNameless,
    #[error("the participant was merged into another")]
    ParticipantMerged,
    #[error("the pass is for other purchases, or for other participants")]
    PassGivesNothing,
    #[error("the participant was erased")]
    ParticipantErased,
    #[error("the alias belongs to another participant")]
    AliasTaken,
    #[error("the participant has as many aliases as there may be")]
    TooManyAliases,
    #[error("the coupon is not offered now")]
    CouponNotOffered,
    #[error("no coupon of this kind is left")]
    CouponSoldOut,
    #[error("the coupon cannot be used")]
    CouponNotRedeemable,
    #[error("the coupon has expired")]
    CouponExpired,
    #[error("the coupon was used before")]
    CouponUsed,
    #[error("the coupon was cancelled")]
    CouponVoid,
}

impl Refusal {
    /// Every refusal, in the order of their stored numbers: append only.
    pub const ALL: [Refusal; 40] = [
        Refusal::NotCovered,
        Refusal::SpendingBlocked,
        Refusal::OutsideSpendWindow,
        Refusal::AmountOutOfRange,
        Refusal::AmountNotAllowed,
        Refusal::PurchaseRequired,
        Refusal::PurchaseCancelled,
        Refusal::AlreadyCancelled,
        Refusal::AwardSpent,
        Refusal::BalanceFull,
        Refusal::PassNotRedeemable,
        Refusal::EventCancelled,
        Refusal::ReturnedAlready,
        Refusal::StatementExists,
        Refusal::HoldNotOpen,
        Refusal::TooManyHolds,
        Refusal::AlreadyExpired,
        Refusal::PassLocked,
        Refusal::PassUsed,
        Refusal::PassExpired,
        Refusal::PassVoid,
        Refusal::PassNotLoaded,
        Refusal::PassNotYetValid,
        Refusal::PassLoaded,
        Refusal::PassValueMissing,
        Refusal::PlanActivated,
        Refusal::GiftIsNoMoney,
        Refusal::PassRequired,
        Refusal::NotNameless,
        Refusal::ParticipantMerged,
        Refusal::PassGivesNothing,
        Refusal::ParticipantErased,
        Refusal::AliasTaken,
        Refusal::TooManyAliases,
        Refusal::CouponNotOffered,
        Refusal::CouponSoldOut,
        Refusal::CouponNotRedeemable,
        Refusal::CouponExpired,
        Refusal::CouponUsed,
        Refusal::CouponVoid,
    ];

    /// The stable code of the contract.
    pub fn code(self) -> &'static str {
        match self {
            Refusal::NotCovered => "not_covered",
            Refusal::SpendingBlocked => "spending_blocked",
            Refusal::OutsideSpendWindow => "outside_spend_window",
            Refusal::AmountOutOfRange => "amount_out_of_range",
            Refusal::AmountNotAllowed => "amount_not_allowed",
            Refusal::PurchaseRequired => "purchase_required",
            Refusal::PurchaseCancelled => "purchase_cancelled",
            Refusal::AlreadyCancelled => "already_cancelled",
            Refusal::AwardSpent => "award_spent",
            Refusal::BalanceFull => "balance_full",
            Refusal::PassNotRedeemable => "pass_not_redeemable",
            Refusal::EventCancelled => "event_cancelled",
            Refusal::ReturnedAlready => "returned_already",
            Refusal::StatementExists => "statement_exists",
            Refusal::HoldNotOpen => "hold_not_open",
            Refusal::TooManyHolds => "too_many_holds",
            Refusal::AlreadyExpired => "already_expired",
            Refusal::PassLocked => "pass_locked",
            Refusal::PassUsed => "pass_used",
            Refusal::PassExpired => "pass_expired",
            Refusal::PassVoid => "pass_void",
            Refusal::PassNotLoaded => "pass_not_loaded",
            Refusal::PassNotYetValid => "pass_not_yet_valid",
            Refusal::PassLoaded => "pass_loaded",
            Refusal::PassValueMissing => "pass_value_missing",
            Refusal::PlanActivated => "plan_activated",
            Refusal::GiftIsNoMoney => "gift_is_no_money",
            Refusal::PassRequired => "pass_required",
            Refusal::NotNameless => "not_nameless",
            Refusal::ParticipantMerged => "participant_merged",
            Refusal::PassGivesNothing => "pass_gives_nothing",
            Refusal::ParticipantErased => "participant_erased",
            Refusal::AliasTaken => "alias_taken",
            Refusal::TooManyAliases => "too_many_aliases",
            Refusal::CouponNotOffered => "coupon_not_offered",
            Refusal::CouponSoldOut => "coupon_sold_out",
            Refusal::CouponNotRedeemable => "coupon_not_redeemable",
            Refusal::CouponExpired => "coupon_expired",
            Refusal::CouponUsed => "coupon_used",
            Refusal::CouponVoid => "coupon_void",
        }
    }
}

/// Why an offer was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The event is outside the offer's validity.
    NotValid,
    /// The event's unit is not among the offer's.
    UnitNotIncluded,
    /// The unit's merchant does not award.
    UnitDoesNotAward,
    /// The event's classification is not among the offer's.
    ClassificationNotIncluded,
    /// The purchase total is outside the offer's amount range.
    AmountOutOfRange,
    /// No line has a product, category and brand of the offer.
    NoMatchingLine,
    /// The offer is judged by a run.
    AwaitsRun,
    /// The participant was awarded as often as the offer allows.
    LimitReached,
    /// Another offer awards more and only the best of them applies.
    NotBest,
    /// The award rounds to nothing.
    AwardsNothing,
    /// The balance cannot hold more.
    BalanceFull,
    /// The pieces of what matches are too few or too many.
    QuantityOutOfRange,
    /// The payment medium's brand or type is not among the offer's.
    PaymentMediumNotIncluded,
    /// The participant is in none of the offer's segments, or has none of its tags.
    NotInSegment,
    /// As many participants as the offer is for were awarded before.
    PlacesTaken,
    /// The award is more than what is left of the offer's budget.
    BudgetExhausted,
    /// The event counts towards an award that is not reached yet.
    Counted,
    /// The referral awarded the referred participant nothing, so it does not award the referrer.
    ReferredNotAwarded,
    /// The event has no survey score, or one outside the offer's range.
    ScoreOutOfRange,
    /// A discount is given in the call that brings the purchase, and this comes later.
    TooLateForDiscount,
    /// Nothing makes the offer active for the participant: a code of its promotion must be shown.
    PassRequired,
    /// A pass is given in the call that brings the purchase, and this comes later.
    TooLateForPass,
}

impl Reason {
    /// Every reason, in the order of their stored numbers: append only.
    pub const ALL: [Reason; 22] = [
        Reason::NotValid,
        Reason::UnitNotIncluded,
        Reason::UnitDoesNotAward,
        Reason::ClassificationNotIncluded,
        Reason::AmountOutOfRange,
        Reason::NoMatchingLine,
        Reason::AwaitsRun,
        Reason::LimitReached,
        Reason::NotBest,
        Reason::AwardsNothing,
        Reason::BalanceFull,
        Reason::QuantityOutOfRange,
        Reason::PaymentMediumNotIncluded,
        Reason::NotInSegment,
        Reason::PlacesTaken,
        Reason::BudgetExhausted,
        Reason::Counted,
        Reason::ReferredNotAwarded,
        Reason::ScoreOutOfRange,
        Reason::TooLateForDiscount,
        Reason::PassRequired,
        Reason::TooLateForPass,
    ];

    /// The stable code of the contract.
    pub fn code(self) -> &'static str {
        match self {
            Reason::NotValid => "not_valid",
            Reason::UnitNotIncluded => "unit_not_included",
            Reason::UnitDoesNotAward => "unit_does_not_award",
            Reason::ClassificationNotIncluded => "classification_not_included",
            Reason::AmountOutOfRange => "amount_out_of_range",
            Reason::NoMatchingLine => "no_matching_line",
            Reason::AwaitsRun => "awaits_run",
            Reason::LimitReached => "limit_reached",
            Reason::NotBest => "not_best",
            Reason::AwardsNothing => "awards_nothing",
            Reason::BalanceFull => "balance_full",
            Reason::QuantityOutOfRange => "quantity_out_of_range",
            Reason::PaymentMediumNotIncluded => "payment_medium_not_included",
            Reason::NotInSegment => "not_in_segment",
            Reason::PlacesTaken => "places_taken",
            Reason::BudgetExhausted => "budget_exhausted",
            Reason::Counted => "counted",
            Reason::ReferredNotAwarded => "referred_not_awarded",
            Reason::ScoreOutOfRange => "score_out_of_range",
            Reason::TooLateForDiscount => "too_late_for_discount",
            Reason::PassRequired => "pass_required",
            Reason::TooLateForPass => "too_late_for_pass",
        }
    }
}
