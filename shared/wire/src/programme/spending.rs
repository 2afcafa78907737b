//! How what is awarded may be spent: the terms that travel with it.

use std::sync::Arc;

use domain::id::{MerchantId, ProductId, UnitId};
use domain::offer::{Award, EvaluationMethod, OneOf};
use domain::terms::{MAX_TERM_IDS, Period, Terms};

use crate::fault::code;
use crate::programme::conditions::{check_units, merchant};
use crate::programme::offer::Context;
use crate::programme::spend_method::{SpendMethod, spend_method};
use crate::programme::window;
use crate::read::{Node, Object};

const MAX_PERIODS: usize = 12;
/// Above what is allowed of all lists together: that is told in a sentence of its own.
const MAX_NAMES: usize = 1_000;

const ONLY: &[&str] = &["valid", "times", "products", "categories", "brands", "units", "merchants"];

const FIELDS: &[&str] = &["method", "minimum_balance", "minimum", "maximum", "only"];

/// How what an offer awards is spent.
#[derive(Default)]
pub(super) struct Spending {
    /// At once, on the purchase that it is awarded for.
    pub instant: bool,
    pub terms: Option<Arc<Terms>>,
}

/// `{"method": "on_request", "only": {…}}`; absent, or without `only`: there are no conditions.
pub(super) fn spending(
    offer: &Object<'_>,
    context: &Context<'_>,
    award: Option<&Award>,
    method: EvaluationMethod,
) -> Spending {
    let fields = offer.optional("spend").and_then(|spend| spend.object(FIELDS));
    let Some(fields) = fields else { return Spending::default() };
    let SpendMethod { instant, automatic } = spend_method(offer, &fields, context, award, method);
    let only = fields.optional("only").and_then(|node| only(&node, context));
    check_gift(&fields, context, award, only.as_ref());
    let terms = match (only, automatic) {
        (None, None) => None,
        (only, automatic) => Some(Arc::new(Terms { automatic, ..only.unwrap_or_default() })),
    };
    Spending { instant, terms }
}

/// A gift is never spent on a purchase, so it could never be handed over under goods.
fn check_gift(
    spend: &Object<'_>,
    context: &Context<'_>,
    award: Option<&Award>,
    only: Option<&Terms>,
) {
    let Some(code) = award.and_then(|award| award.balance.as_ref()) else { return };
    let mut balances = context.known.balances.iter();
    let is_gift = balances.any(|balance| balance.code == *code && balance.is_gift());
    if is_gift && only.is_some_and(Terms::asks_lines) {
        let message = format!(
            "\"{code}\" is a gift, which is handed over without a purchase: leave out products, \
             categories and brands"
        );
        spend.at("only").fault(code::NOT_ALLOWED, message);
    }
}

fn only(node: &Node<'_>, context: &Context<'_>) -> Option<Terms> {
    let fields = node.object(ONLY)?;
    let products = |name| -> OneOf<ProductId> {
        fields.list(name, MAX_NAMES, |node| node.parsed(ProductId::parse)).into()
    };
    let units = fields.list("units", MAX_NAMES, |node| node.parsed(UnitId::parse));
    let merchants: Vec<MerchantId> =
        fields.list("merchants", MAX_NAMES, |node| merchant(node, context));
    check_units(&fields, &units, &merchants, context);
    let terms = Terms {
        periods: fields.list("valid", MAX_PERIODS, period),
        times: fields.optional("times").and_then(|times| window::times(&times)),
        products: products("products"),
        categories: products("categories"),
        brands: products("brands"),
        units: units.into(),
        merchants: merchants.into(),
        automatic: None,
    };
    if window::is_empty(&fields, ONLY) {
        let message = "says nothing: it must have valid, times, products, categories, brands, \
                       units or merchants; leave it out where what is awarded may be spent on \
                       anything";
        node.fault(code::REQUIRED, message);
    }
    let ids = terms.ids();
    if ids > MAX_TERM_IDS {
        let message = format!(
            "names {ids} products, categories, brands, units and merchants: at most \
             {MAX_TERM_IDS} in all, because every wallet with such an award carries them; name \
             categories instead of products, or merchants instead of units"
        );
        node.fault(code::LENGTH, message);
    }
    Some(terms)
}

/// A time in which it may be spent: `{"from": …, "to": …}`, either end open.
pub(super) fn period(node: &Node<'_>) -> Option<Period> {
    let fields = node.object(&["from", "to"])?;
    let (from, to) = window::ends(node, &fields);
    if window::is_empty(&fields, &["from", "to"]) {
        node.fault(code::REQUIRED, "says nothing: it must have from, to or both");
    }
    Some(Period { from, to })
}
