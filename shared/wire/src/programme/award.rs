//! What an offer awards.

use domain::offer::{Award, AwardForm, Band, OfferClass};
use domain::programme::Balance;

use crate::fault::code;
use crate::programme::discount::read_discount;
use crate::programme::gift::read_gift;
use crate::programme::offer::Context;
use crate::programme::promotion::read_pass;
use crate::read::{Node, Object};

const MAX_BANDS: usize = 100;

const FORMS: [&str; 7] = [
    "amount",
    "percentage",
    "percentage_of_awarded_lines",
    "table",
    "gift",
    "discount",
    "pass_plan",
];
/// Those that name no balance.
const OTHERS: [&str; 3] = ["gift", "discount", "pass_plan"];

/// Exactly one award form.
pub(super) fn read_award(node: &Node<'_>, context: &Context<'_>) -> Option<Award> {
    let fields = node.object(&[
        "balance",
        "amount",
        "percentage",
        "percentage_of_awarded_lines",
        "table",
        "gift",
        "pieces",
        "discount",
        "pass_plan",
    ])?;
    let of_balance = OTHERS.into_iter().all(|form| node.peek(form).is_none());
    let balance = if of_balance { fields.required("balance") } else { None };
    let balance = balance.and_then(|balance| context.known.money(&balance));
    let given: Vec<&str> =
        FORMS.into_iter().filter(|form| fields.optional(form).is_some()).collect();
    let [form] = given.as_slice() else {
        node.fault(code::EXCLUSIVE, format!("must have exactly one of {}", FORMS.join(", ")));
        return None;
    };
    if let Some(pieces) = fields.optional("pieces").filter(|_| *form != "gift") {
        pieces.fault(code::NOT_ALLOWED, "is for gifts: name one as \"gift\"");
    }
    match *form {
        "gift" => return read_gift(&fields, context.known),
        "discount" => return read_discount(&fields, context),
        "pass_plan" => return read_pass(&fields, context),
        _ => {}
    }
    let class = context.class_name();
    if *form == "percentage_of_awarded_lines" && !context.class_has(OfferClass::has_lines) {
        let message = format!("events of class {class} have no lines");
        fields.at("percentage_of_awarded_lines").fault(code::NOT_ALLOWED, message);
    } else if *form != "amount" && !context.class_has(OfferClass::has_amount) {
        let message = format!("events of class {class} have no amount: award a fixed amount");
        node.fault(code::NOT_ALLOWED, message);
    }
    let form = read_form(&fields, balance, context);
    Some(Award { balance: Some(balance?.code.clone()), pass: None, form: form? })
}

fn read_form(
    fields: &Object<'_>,
    balance: Option<&Balance>,
    context: &Context<'_>,
) -> Option<AwardForm> {
    let rate = |node: Node<'_>| {
        let rate = node.rate()?;
        if rate.is_zero() {
            node.fault(code::RANGE, "must be more than 0");
        }
        Some(rate)
    };
    if let Some(percentage) = fields.optional("percentage") {
        return rate(percentage).map(AwardForm::Percentage);
    }
    if let Some(percentage) = fields.optional("percentage_of_awarded_lines") {
        return rate(percentage).map(AwardForm::PercentageOfAwardedLines);
    }
    if let Some(table) = fields.optional("table") {
        return read_table(&table, context).map(AwardForm::Table);
    }
    let amount = fields.optional("amount")?;
    amount.positive(balance?.decimals).map(AwardForm::Fixed)
}

/// A coefficient table: bands in ascending order, of which the last that begins at or below an
/// amount applies to all of it.
fn read_table(node: &Node<'_>, context: &Context<'_>) -> Option<Box<[Band]>> {
    let listed = node.value.as_array().map(Vec::len);
    let bands = node.list(MAX_BANDS, |band| {
        let fields = band.object(&["from", "percentage"])?;
        let from = fields.required("from").and_then(|from| from.amount(context.known.currency));
        let percentage = fields.required("percentage").and_then(|rate| rate.rate());
        Some(Band { from: from?, percentage: percentage? })
    });
    if listed == Some(0) {
        node.fault(code::LENGTH, "must have at least one band");
    }
    if listed != Some(bands.len()) {
        return None;
    }
    if !bands.is_sorted_by(|one, next| one.from < next.from) {
        node.fault(code::RANGE, "must have bands in ascending order of from, each once");
    }
    if bands.iter().all(|band| band.percentage.is_zero()) && !bands.is_empty() {
        node.fault(code::RANGE, "awards nothing in any band");
    }
    Some(bands.into())
}
