//! Gifts and discounts as answers show them.

use domain::amount::Amount;
use domain::event::{Discounted, EventState, RecordedEvent};
use domain::id::BalanceCode;
use domain::programme::Programme;
use serde::Serialize;

use crate::answer::transaction_code;

/// What a balance that counts things is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GiftView {
    pub name: String,
}

/// What an offer took off a purchase; amounts in currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiscountAnswer {
    pub offer: String,
    pub amount: String,
    /// What each line costs less; left out: it is off the whole purchase.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<DiscountedLineView>,
    /// Absent in a preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// What was taken back of it with returned goods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<String>,
}

/// What one line costs less.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiscountedLineView {
    pub index: u16,
    pub amount: String,
}

/// The gift that a balance counts, where it counts one.
pub(crate) fn gift_view(programme: &Programme, code: &BalanceCode) -> Option<GiftView> {
    let name = programme.balance(code)?.gift.as_deref()?;
    Some(GiftView { name: name.into() })
}

/// The discounts of an event with what became of them.
pub(crate) fn discounts(programme: &Programme, recorded: &RecordedEvent) -> Vec<DiscountAnswer> {
    let posted = recorded.state == EventState::Posted;
    let show = |amount: Amount| amount.show(programme.currency.decimals);
    let of_judgement = recorded.judgements.iter().flat_map(|judgement| {
        let code = transaction_code(&recorded.event.participant, judgement.sequence);
        judgement.discounts.iter().map(move |discount| {
            let back = Some(discount.returned).filter(|back| posted && !back.is_zero());
            DiscountAnswer {
                transaction: Some(code.clone()),
                returned: back.map(show),
                ..discount_answer(programme, discount)
            }
        })
    });
    of_judgement.collect()
}

/// A discount that would be given, or was.
pub(crate) fn discount_answer(programme: &Programme, discount: &Discounted) -> DiscountAnswer {
    let show = |amount: Amount| amount.show(programme.currency.decimals);
    let line = |(index, amount): &(u16, Amount)| DiscountedLineView {
        index: *index,
        amount: show(*amount),
    };
    DiscountAnswer {
        offer: discount.offer.to_string(),
        amount: show(discount.amount),
        lines: discount.lines.iter().map(line).collect(),
        transaction: None,
        returned: None,
    }
}
