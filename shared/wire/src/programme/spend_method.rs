//! How what an offer awards is spent.

use domain::offer::{EvaluationMethod, OfferClass};

use crate::fault::code;
use crate::programme::offer::Context;
use crate::read::{Node, Object};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    OnRequest,
    Instant,
}

/// Whether it is spent at once on the purchase that it is awarded for; left out: on request.
pub(super) fn spends_instantly(
    fields: &Object<'_>,
    context: &Context<'_>,
    method: EvaluationMethod,
) -> bool {
    let methods = [
        ("on_request", Some(Method::OnRequest)),
        ("instant", Some(Method::Instant)),
        ("automatic", None),
    ];
    let spend = fields.optional("spend").and_then(|spend| spend.object(&["method"]));
    let node = spend.and_then(|spend| spend.optional("method"));
    let instant = node.as_ref().and_then(|node| node.choice(&methods)) == Some(Method::Instant);
    if let (Some(node), true) = (node, instant) {
        check_instant(fields, &node, context, method);
    }
    instant
}

/// Only what a purchase is awarded in the call that brings it, and can be spent then, is spent
/// instantly.
fn check_instant(
    fields: &Object<'_>,
    node: &Node<'_>,
    context: &Context<'_>,
    method: EvaluationMethod,
) {
    let pays = |class: OfferClass| class.has_lines() && class.may_be_interactive();
    if !context.class_has(pays) {
        let classes = OfferClass::ALL.iter().filter(|(_, class)| pays(*class));
        let classes: Vec<&str> = classes.map(|(name, _)| *name).collect();
        let message = format!(
            "an offer of class {} awards no purchase in the call that brings it; instant is for \
             offers of class {}",
            context.class_name(),
            classes.join(", ")
        );
        node.fault(code::NOT_ALLOWED, message);
    } else if method == EvaluationMethod::Batch {
        let message = "the offer is judged by a run, when the purchase is paid: let its method be \
                       batch_and_interactive";
        node.fault(code::NOT_ALLOWED, message);
    }
    for name in ["available_after", "available_from"] {
        if let Some(later) = fields.optional(name) {
            let message = "must be left out where spend is instant: what is awarded is spent at \
                           once";
            later.fault(code::NOT_ALLOWED, message);
        }
    }
}
