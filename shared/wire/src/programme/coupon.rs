//! Coupons of the programme document.

use std::collections::HashSet;

use domain::coupon::{Codes, Cost, Coupon};
use domain::id::{CouponId, MerchantId};
use domain::programme::Balance;
use domain::time::{Day, Duration};

use crate::fault::code;
use crate::programme::names::{Known, id};
use crate::programme::spending::period;
use crate::programme::window;
use crate::read::{Node, Object};

const MAX_COUPONS: usize = 500;
const MAX_PERIODS: usize = 100;
const MAX_STOCK: u32 = 1_000_000_000;
const MAX_LABEL: usize = 200;

const COUPON_FIELDS: &[&str] = &[
    "id",
    "name",
    "partner",
    "balance",
    "cost",
    "amount",
    "stock",
    "codes",
    "donated",
    "cause",
    "valid",
    "redeemable",
];
const CODES: [(&str, Option<Codes>); 3] = [
    ("none", Some(Codes::None)),
    ("uploaded", Some(Codes::Uploaded)),
    ("generated", Some(Codes::Generated)),
];

/// The coupons. Left out, one has no code (`codes`), is provided by the programme (`partner`), which
/// pays for it (`donated`), in any number (`stock`), is always offered (`valid`), and may be used for
/// ever (`redeemable`).
pub(super) fn coupons(document: &Object<'_>, known: &Known) -> Vec<Coupon> {
    let mut seen = HashSet::new();
    document.list("coupons", MAX_COUPONS, |node| {
        let fields = node.object(COUPON_FIELDS)?;
        let id = id(&fields, "id", CouponId::parse, &mut seen);
        coupon(&fields, known, id)
    })
}

fn coupon(fields: &Object<'_>, known: &Known, id: Option<CouponId>) -> Option<Coupon> {
    let name = fields.required("name").and_then(|name| name.label(MAX_LABEL));
    let partner = read_optional(fields, "partner", |node| merchant(node, known));
    let balance = fields.required("balance").and_then(|balance| known.money(&balance));
    let cause = read_optional(fields, "cause", |node| node.label(MAX_LABEL));
    let cost = cost(fields, balance);
    let codes = fields.optional("codes").map_or(Some(Codes::None), |codes| codes.choice(&CODES));
    let stock = read_optional(fields, "stock", |node| node.integer(1..=MAX_STOCK));
    let donated = fields.optional("donated").map_or(Some(false), |donated| donated.flag());
    let redeemable = read_optional(fields, "redeemable", redeemable);
    let valid = fields.list("valid", MAX_PERIODS, period);
    if codes == Some(Codes::Uploaded)
        && let Some(stock) = fields.optional("stock")
    {
        let message = "must be left out: there are as many as codes are uploaded";
        stock.fault(code::EXCLUSIVE, message);
    }
    if donated == Some(true) && fields.optional("partner").is_none() {
        fields.missing("partner", "is required: a coupon is donated by somebody");
    }
    if fields.optional("cause").is_some() {
        check_cause(fields, codes);
    }
    let (lasts, until) = redeemable?.unwrap_or_default();
    Some(Coupon {
        id: id?,
        name: name?,
        partner: partner?,
        balance: balance?.code.clone(),
        cost: cost?,
        stock: stock?.map(u64::from),
        codes: codes?,
        donated: donated?,
        cause: cause?,
        valid,
        lasts,
        until,
    })
}

/// Reads what may be left out; none where it is at fault.
fn read_optional<'a, T>(
    fields: &Object<'a>,
    name: &'static str,
    read: impl FnOnce(&Node<'a>) -> Option<T>,
) -> Option<Option<T>> {
    match fields.optional(name) {
        Some(node) => read(&node).map(Some),
        None => Some(None),
    }
}

fn merchant(node: &Node<'_>, known: &Known) -> Option<MerchantId> {
    let partner = node.parsed(MerchantId::parse)?;
    if !known.merchants.merchants.contains_key(&partner) {
        let message = format!("the programme has no merchant \"{partner}\"");
        node.fault(code::UNKNOWN_REFERENCE, message);
    }
    Some(partner)
}

/// `cost`, or of a cause the `amount` that the giver chooses.
fn cost(fields: &Object<'_>, balance: Option<&Balance>) -> Option<Cost> {
    match (fields.optional("cost"), fields.optional("amount")) {
        (Some(cost), None) => cost.positive(balance?.decimals).map(Cost::Fixed),
        (None, Some(amount)) => {
            if fields.optional("cause").is_none() {
                let message = "is chosen by the giver of a cause: a coupon must have a cost";
                amount.fault(code::NOT_ALLOWED, message);
            }
            chosen(&amount, balance)
        }
        (None, None) => {
            fields.missing("cost", "is required; of a cause, the giver may choose its amount");
            None
        }
        (Some(_), Some(amount)) => {
            amount.fault(code::EXCLUSIVE, "must be left out where there is a cost");
            None
        }
    }
}

fn chosen(node: &Node<'_>, balance: Option<&Balance>) -> Option<Cost> {
    let fields = node.object(&["min", "max"])?;
    let read = |name| fields.required(name).and_then(|node| node.positive(balance?.decimals));
    let (min, max) = (read("min"), read("max"));
    let (min, max) = (min?, max?);
    if min > max {
        fields.at("max").fault(code::RANGE, "must not be less than min");
    }
    Some(Cost::Chosen { min, max })
}

/// What a cause cannot have: whoever gives to it gets nothing.
fn check_cause(fields: &Object<'_>, codes: Option<Codes>) {
    let message = "must be left out: whoever gives to a cause gets nothing";
    if codes.is_some_and(|codes| codes != Codes::None) {
        fields.at("codes").fault(code::NOT_ALLOWED, message);
    }
    for name in ["redeemable", "donated"] {
        if let Some(node) = fields.optional(name) {
            node.fault(code::NOT_ALLOWED, message);
        }
    }
}

/// `{"for": "P90D"}` from the day on which it is taken, and `{"until": "2027-12-31"}`.
fn redeemable(node: &Node<'_>) -> Option<(Option<Duration>, Option<Day>)> {
    const FIELDS: &[&str] = &["for", "until"];
    let fields = node.object(FIELDS)?;
    if window::is_empty(&fields, FIELDS) {
        node.fault(code::REQUIRED, "says nothing: it must have for, until or both");
    }
    let lasts = read_optional(&fields, "for", Node::duration);
    let until = read_optional(&fields, "until", |node| node.date().map(Day::of));
    Some((lasts?, until?))
}
