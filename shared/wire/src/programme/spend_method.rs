//! How what an offer awards is spent.

use domain::offer::{Award, EvaluationMethod, OfferClass};
use domain::terms::Automatic;

use crate::fault::code;
use crate::programme::offer::Context;
use crate::read::{Node, Object};

/// The bounds of automatic spending.
const BOUNDS: [&str; 3] = ["minimum_balance", "minimum", "maximum"];

/// How what is awarded is spent; neither: on request.
#[derive(Clone, Copy)]
pub(super) struct SpendMethod {
    /// At once, on the purchase that it is awarded for.
    pub instant: bool,
    /// On later purchases, within these bounds.
    pub automatic: Option<Automatic>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    OnRequest,
    Instant,
    Automatic,
}

const NAMES: [(&str, Option<Name>); 3] = [
    ("on_request", Some(Name::OnRequest)),
    ("instant", Some(Name::Instant)),
    ("automatic", Some(Name::Automatic)),
];

/// The method of the field `spend` of an offer; left out: on request.
pub(super) fn spend_method(
    offer: &Object<'_>,
    spend: &Object<'_>,
    context: &Context<'_>,
    award: Option<&Award>,
    method: EvaluationMethod,
) -> SpendMethod {
    let node = spend.optional("method");
    let name = match &node {
        Some(node) => node.choice(&NAMES),
        None => Some(Name::OnRequest),
    };
    if let (Some(node), Some(Name::Instant | Name::Automatic)) = (&node, name) {
        check_worth(node, context, award);
    }
    match (&node, name) {
        (Some(node), Some(Name::Instant)) => check_instant(offer, node, context, method),
        (Some(node), Some(Name::Automatic)) => {
            check_merchants(node, context);
            return SpendMethod { instant: false, automatic: Some(bounds(spend, context, award)) };
        }
        (_, _) => {}
    }
    // Of a method that cannot be read nobody knows what it may have.
    for bound in BOUNDS.into_iter().filter(|_| name.is_some()) {
        if let Some(bound) = spend.optional(bound) {
            bound.fault(code::NOT_ALLOWED, "is for what is spent automatically");
        }
    }
    SpendMethod { instant: name == Some(Name::Instant), automatic: None }
}

/// Amounts in the balance of the award.
fn bounds(spend: &Object<'_>, context: &Context<'_>, award: Option<&Award>) -> Automatic {
    let balance = award.and_then(|award| award.balance.as_ref());
    let decimals = balance.and_then(|balance| context.known.decimals(balance));
    let amount =
        |name| spend.optional(name).zip(decimals).and_then(|(node, unit)| node.positive(unit));
    let [minimum_balance, minimum, maximum] = BOUNDS.map(amount);
    if let (Some(least), Some(most)) = (minimum, maximum)
        && least > most
    {
        let message = "is more than the maximum: nothing would ever be spent";
        spend.at("minimum").fault(code::RANGE, message);
    }
    Automatic { minimum_balance, minimum, maximum }
}

/// Gifts, and what is worth nothing, pay no purchase.
fn check_worth(node: &Node<'_>, context: &Context<'_>, award: Option<&Award>) {
    let Some(code) = award.and_then(|award| award.balance.as_ref()) else { return };
    let Some(balance) = context.known.balances.iter().find(|known| known.code == *code) else {
        return;
    };
    if balance.is_gift() {
        let message = format!("\"{code}\" is a gift: it is handed over, and pays no purchase");
        node.fault(code::NOT_ALLOWED, message);
    } else if balance.worth.is_zero() {
        let message = format!("the balance \"{code}\" is worth nothing: it pays no purchase");
        node.fault(code::NOT_ALLOWED, message);
    }
}

fn check_merchants(node: &Node<'_>, context: &Context<'_>) {
    let mut merchants = context.known.merchants.merchants.values();
    if !merchants.any(|merchant| merchant.automatic_spend) {
        let message = "no merchant of the programme allows it: let automatic_spend of one be true";
        node.fault(code::NOT_ALLOWED, message);
    }
}

/// Only what a purchase is awarded in the call that brings it, and can be spent then, is spent
/// instantly.
fn check_instant(
    offer: &Object<'_>,
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
        if let Some(later) = offer.optional(name) {
            let message = "must be left out where spend is instant: what is awarded is spent at \
                           once";
            later.fault(code::NOT_ALLOWED, message);
        }
    }
}
