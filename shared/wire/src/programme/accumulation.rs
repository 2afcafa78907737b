//! Offers that count events and award what was counted.

use domain::offer::{Accumulation, AwardForm, Counts, Offer, OfferClass, Scope, Within};

use crate::fault::code;
use crate::programme::offer::Context;
use crate::programme::terms::period;
use crate::read::{Node, Object};

/// What is counted, how much of it, and within which time: `{"at_least": "100.00", "within":
/// {"calendar": "month"}}`. The class says what is counted; an achievement counts where all of its
/// classifications are asked for.
pub(super) fn accumulation(fields: &Object<'_>, context: &Context<'_>) -> Option<Accumulation> {
    let node = fields.optional("accumulate");
    let when = fields.optional("when").filter(|when| when.value.is_object());
    let all = when.and_then(|when| when.peek("all_classifications"));
    let each = all.as_ref().and_then(|all| all.flag()).unwrap_or(false);
    let class = context.class?;
    if let Some(all) = all.filter(|_| class != OfferClass::Achievement) {
        let message = "is for offers of class achievement: other events have one classification";
        all.fault(code::NOT_ALLOWED, message);
    }
    let each = each && class == OfferClass::Achievement;
    let counts = class.counts().or(each.then_some(Counts::EachClassification));
    // Statements count what they report where they are asked to, and else stand by themselves.
    let reported = (class.has_kpis() && node.is_some()).then_some(Counts::Amount);
    let counts = counts.or(reported);
    match (counts, node) {
        (None, None) => None,
        (None, Some(node)) => {
            let class = context.class_name();
            let message = format!("offers of class {class} award each event by itself");
            node.fault(code::NOT_ALLOWED, message);
            None
        }
        (Some(Counts::EachClassification), None) => {
            let counts = Counts::EachClassification;
            Some(Accumulation { counts, at_least: 1, within: Within::Validity })
        }
        (Some(_), None) => {
            let message = "is required: what must be reached, and within which time";
            fields.missing("accumulate", message);
            None
        }
        (Some(counts), Some(node)) => read(&node, counts, context),
    }
}

fn read(node: &Node<'_>, counts: Counts, context: &Context<'_>) -> Option<Accumulation> {
    let fields = node.object(&["at_least", "within"])?;
    let whole = |node: Node<'_>| node.integer(1..=1_000_000_000).map(i64::from);
    let at_least = match counts {
        Counts::Amount => fields
            .required("at_least")
            .and_then(|node| node.positive(context.known.currency))
            .map(|amount| amount.0),
        Counts::Events | Counts::Pieces => fields.required("at_least").and_then(whole),
        Counts::EachClassification => {
            if let Some(node) = fields.optional("at_least") {
                node.fault(code::NOT_ALLOWED, "is one of each classification");
            }
            Some(1)
        }
    };
    let within = fields
        .optional("within")
        .map_or(Some(Within::Validity), |node| period(&node, Within::Calendar, Within::Rolling));
    Some(Accumulation { counts, at_least: at_least?, within: within? })
}

/// What does not go with counting.
pub(super) fn check_accumulation(fields: &Object<'_>, offer: &Offer) {
    let Some(accumulation) = offer.accumulates else { return };
    if !offer.on_top {
        let message = "must be true: what was counted over many events does not compete for the \
                       best award of one";
        fields.missing("on_top", message);
    }
    if offer.scope == Scope::Line {
        fields.at("scope").fault(code::NOT_ALLOWED, "whole events are counted");
    }
    let fixed = matches!(offer.award.form, AwardForm::Fixed(_));
    if accumulation.counts != Counts::Amount && !fixed {
        let message = "must be a fixed amount: what is counted is no amount of money";
        fields.at("award").fault(code::NOT_ALLOWED, message);
    }
    let each = accumulation.counts == Counts::EachClassification;
    if each && offer.when.classifications.values().len() < 2 {
        let message = "must name the classifications, at least two, of which each is asked for";
        fields.at("when").fault(code::REQUIRED, message);
    }
}
