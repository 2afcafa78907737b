//! What posting a purchase would do.

use domain::event::Awarded;
use domain::preview::Preview;
use domain::programme::Programme;
use serde::Serialize;

use crate::answer::event::passed_over;
use crate::answer::gift::{discount_answer, gift_view};
use crate::answer::promotion::{GivenView, ShownView, shown_view, would_give};
use crate::answer::{
    AmountAnswer, DiscountAnswer, GiftView, PassedOver, amounts, day_end, day_start,
};

/// `POST /events/preview`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PreviewAnswer {
    /// Sums per balance.
    pub awarded: Vec<AmountAnswer>,
    /// What would be spent without being asked for, instantly or automatically.
    pub spent_instantly: Vec<AmountAnswer>,
    /// What the spend that came with the purchase would take.
    pub spent_on_request: Vec<AmountAnswer>,
    /// What could still be spent against the purchase: each balance on its own.
    pub additional_spendable: Vec<AmountAnswer>,
    pub awards: Vec<PreviewAward>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<DiscountAnswer>,
    /// Passes that it would be given; which they are is not known yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passes: Vec<GivenView>,
    /// What would become of the code that came with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<ShownView>,
    /// Candidates that would award nothing; with `explain=all` every offer of the event's classes.
    pub passed_over: Vec<PassedOver>,
}

/// An award that would be made; it has no transaction yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PreviewAward {
    pub offer: String,
    pub balance: String,
    pub amount: String,
    /// Where it is pieces of a gift.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gift: Option<GiftView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// Shows a preview.
pub fn preview(programme: &Programme, preview: &Preview, explain_all: bool) -> PreviewAnswer {
    let judgements = || preview.event.judgements.iter();
    let awards = judgements().flat_map(|judgement| &judgement.awards);
    let discounts = preview.event.discounts();
    let mut passed: Vec<_> =
        judgements().flat_map(|judgement| judgement.passed_over.iter().cloned()).collect();
    if explain_all {
        passed.extend(preview.excluded.iter().cloned());
    }
    PreviewAnswer {
        awarded: amounts(programme, &preview.event.awarded()),
        spent_instantly: amounts(programme, &preview.spent_instantly()),
        spent_on_request: amounts(programme, &preview.spent_on_request()),
        additional_spendable: amounts(programme, &preview.additional),
        awards: awards.map(|award| preview_award(programme, award)).collect(),
        discounts: discounts.map(|discount| discount_answer(programme, discount)).collect(),
        passes: preview.event.passes().map(would_give).collect(),
        pass: preview.event.pass.as_ref().map(|shown| shown_view(programme, shown)),
        passed_over: passed_over(&passed),
    }
}

fn preview_award(programme: &Programme, award: &Awarded) -> PreviewAward {
    let lot = &award.lot;
    PreviewAward {
        offer: award.offer.to_string(),
        balance: lot.balance.to_string(),
        amount: programme.show(&lot.balance, award.amount),
        gift: gift_view(programme, &lot.balance),
        available_from: lot.available_from.map(|day| day_start(programme, day)),
        expires_at: lot.expires.map(|day| day_end(programme, day)),
    }
}
