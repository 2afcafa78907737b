//! Offers of the programme document.

use std::collections::HashSet;

use domain::event::EventType;
use domain::id::{OfferId, ProductId, UnitId};
use domain::offer::{
    Award, AwardForm, Conditions, EvaluationMethod, Expiry, Offer, OfferClass, Validity,
};
use domain::programme::Balance;
use domain::time::{Day, Duration};

use crate::fault::code;
use crate::programme::names::{Known, MAX_NAMES, id, optional_list};
use crate::programme::terms::{expiry, limit};
use crate::read::{Node, Object};

const MAX_OFFERS: usize = 5_000;
const MAX_PERIODS: usize = 100;

const FIELDS: &[&str] = &[
    "id",
    "class",
    "method",
    "valid",
    "award",
    "scope",
    "when",
    "limit",
    "first",
    "budget",
    "on_top",
    "expires",
    "available_after",
    "spend",
];

/// The classes of R-34; those without a value are not evaluated yet.
const CLASSES: [(&str, Option<OfferClass>); 11] = [
    ("increase_revenue_transaction", Some(OfferClass::IncreaseRevenueTransaction)),
    ("increase_revenue_product", None),
    ("utilise_free_capacity", None),
    ("reward_loyalty_amount", None),
    ("reward_loyalty_number", None),
    ("reward_loyalty_quantity", None),
    ("referral", None),
    ("achievement", None),
    ("financial_achievement", None),
    ("financial_statement", None),
    ("behaviour", None),
];

/// Offers in the order of the document: of equals the first one applies.
pub(super) fn offers(document: &Object<'_>, known: &Known) -> Vec<Offer> {
    let mut seen = HashSet::new();
    let offer = |fields: &Object<'_>| offer(fields, known, &mut seen);
    optional_list(document, "offers", MAX_OFFERS, offer, FIELDS)
}

fn offer(fields: &Object<'_>, known: &Known, seen: &mut HashSet<OfferId>) -> Option<Offer> {
    let methods = [
        ("batch", Some(EvaluationMethod::Batch)),
        ("batch_and_interactive", Some(EvaluationMethod::BatchAndInteractive)),
    ];
    let id = id(fields, "id", OfferId::parse, seen);
    let class = fields.required("class").and_then(|class| class.choice(&CLASSES));
    let method = fields.optional("method").and_then(|method| method.choice(&methods));
    let valid = fields.list("valid", MAX_PERIODS, validity);
    let award = fields.required("award").and_then(|award| read_award(&award, known));
    if let Some(scope) = fields.optional("scope") {
        scope.choice(&[("transaction", Some(())), ("line", None)]);
    }
    let when = fields.optional("when").and_then(|when| conditions(&when, known));
    let on_top = fields.optional("on_top").and_then(|on_top| on_top.flag());
    let (limit, expires) = (limit(fields), expiry(fields));
    let after = fields.optional("available_after");
    let available_after = after.as_ref().and_then(|after| after.duration());
    if let (Some(node), Some(after), Expiry::After(expires)) = (&after, available_after, expires)
        && longer(after, expires)
    {
        node.fault(code::RANGE, "is later than what is awarded expires");
    }
    spend_method(fields);
    Some(Offer {
        id: id?,
        class: class?,
        method: method.unwrap_or(EvaluationMethod::BatchAndInteractive),
        valid,
        award: award?,
        when: when.unwrap_or_default(),
        limit,
        on_top: on_top.unwrap_or(false),
        expires,
        available_after,
    })
}

fn longer(one: Duration, other: Duration) -> bool {
    Day(0).plus(one) > Day(0).plus(other)
}

fn spend_method(fields: &Object<'_>) {
    let methods = [("on_request", Some(())), ("instant", None), ("automatic", None)];
    let spend = fields.optional("spend").and_then(|spend| spend.object(&["method"]));
    if let Some(method) = spend.and_then(|spend| spend.optional("method")) {
        method.choice(&methods);
    }
}

fn validity(node: &Node<'_>) -> Option<Validity> {
    let fields = node.object(&["from", "to"])?;
    let from = fields.optional("from").and_then(|from| from.instant());
    let to = fields.optional("to").and_then(|to| to.instant());
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        node.fault(code::RANGE, "ends before it begins");
    }
    Some(Validity { from, to })
}

/// Exactly one award form.
fn read_award(node: &Node<'_>, known: &Known) -> Option<Award> {
    let fields =
        node.object(&["balance", "amount", "percentage", "percentage_of_awarded_lines", "table"])?;
    let balance = fields.required("balance").and_then(|balance| known.balance(&balance));
    for name in ["percentage_of_awarded_lines", "table"] {
        fields.unsupported(name, "this form of award is not supported yet");
    }
    let forms = ["amount", "percentage", "percentage_of_awarded_lines", "table"];
    let given = forms.iter().filter(|form| fields.optional(form).is_some()).count();
    if given != 1 {
        node.fault(code::EXCLUSIVE, "must have exactly one of amount, percentage");
    }
    let form = form(&fields, balance);
    Some(Award { balance: balance?.code.clone(), form: form? })
}

fn form(fields: &Object<'_>, balance: Option<&Balance>) -> Option<AwardForm> {
    if let Some(percentage) = fields.optional("percentage") {
        let rate = percentage.rate()?;
        if rate.is_zero() {
            percentage.fault(code::RANGE, "must be more than 0");
        }
        return Some(AwardForm::Percentage(rate));
    }
    let amount = fields.optional("amount")?;
    amount.positive(balance?.decimals).map(AwardForm::Fixed)
}

/// What an event must be like. Units and products that no list names are accepted.
fn conditions(node: &Node<'_>, known: &Known) -> Option<Conditions> {
    let fields =
        node.object(&["amount", "units", "classifications", "products", "categories", "brands"])?;
    let (mut from, mut to) = (None, None);
    if let Some(amount) = fields.optional("amount")
        && let Some(range) = amount.object(&["from", "to"])
    {
        from = range.optional("from").and_then(|from| from.amount(known.currency));
        to = range.optional("to").and_then(|to| to.amount(known.currency));
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            amount.fault(code::RANGE, "has a from above its to");
        }
    }
    let products = |name| fields.list(name, MAX_NAMES, |node| node.parsed(ProductId::parse));
    Some(Conditions {
        from,
        to,
        units: fields.list("units", MAX_NAMES, |node| node.parsed(UnitId::parse)),
        classifications: fields.list("classifications", MAX_NAMES, |node| {
            known.classification(node, EventType::Purchase)
        }),
        products: products("products"),
        categories: products("categories"),
        brands: products("brands"),
    })
}
