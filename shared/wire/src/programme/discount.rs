//! Offers that take something off a purchase.

use domain::offer::{Award, AwardForm, EvaluationMethod, Offer, OfferClass};

use crate::fault::code;
use crate::programme::offer::Context;
use crate::read::Object;

/// The award of a discount: `{"discount": {"percentage": "10"}}` or `{"amount": "2.00"}` in it.
pub(super) fn read_discount(fields: &Object<'_>, context: &Context<'_>) -> Option<Award> {
    if let Some(balance) = fields.optional("balance") {
        let message = "a discount is off the purchase, and in no balance: leave it out";
        balance.fault(code::NOT_ALLOWED, message);
    }
    let node = fields.optional("discount")?;
    if !context.class_has(OfferClass::has_lines) {
        let class = context.class_name();
        let message = format!("events of class {class} are no purchases, that cost something");
        node.fault(code::NOT_ALLOWED, message);
    } else if !context.class_has(OfferClass::may_be_interactive) {
        let class = context.class_name();
        let message = format!(
            "offers of class {class} are judged by a run, when the purchase has been paid: award \
             an amount"
        );
        node.fault(code::NOT_ALLOWED, message);
    }
    let fields = node.object(&["percentage", "amount"])?;
    let form = match (fields.optional("percentage"), fields.optional("amount")) {
        (Some(percentage), None) => {
            let rate = percentage.rate()?;
            if rate.is_zero() || rate.exceeds(100) {
                percentage.fault(code::RANGE, "must be more than 0 and at most 100");
            }
            AwardForm::Percentage(rate)
        }
        (None, Some(amount)) => AwardForm::Fixed(amount.positive(context.known.currency)?),
        (None, None) | (Some(_), Some(_)) => {
            node.fault(code::EXCLUSIVE, "must have either percentage or amount");
            return None;
        }
    };
    Some(Award { balance: None, pass: None, form })
}

/// What does not go with a discount: it is given while the purchase is paid, and kept in no wallet.
pub(super) fn check_discount(fields: &Object<'_>, offer: &Offer) {
    if !offer.award.is_discount() {
        return;
    }
    if offer.method == EvaluationMethod::Batch && offer.class.may_be_interactive() {
        let message = "must be batch_and_interactive: a run comes when the purchase has been paid, \
                       and a discount is given while it is";
        fields.at("method").fault(code::NOT_ALLOWED, message);
    }
    for name in ["expires", "available_after", "available_from", "spend"] {
        if let Some(node) = fields.optional(name) {
            let message = "does not go with a discount, which is off the purchase at once and in \
                           no wallet";
            node.fault(code::NOT_ALLOWED, message);
        }
    }
}
