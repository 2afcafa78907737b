//! What only a purchase has: its lines; and the payment medium, which a financial achievement has
//! too.

use domain::amount::Amount;
use domain::event::{Line, MAX_LINES, Purchase};
use domain::id::ProductId;
use domain::payment_medium::{MediumFault, PaymentMedium, PaymentMediumRules};
use domain::programme::Programme;

use crate::fault::code;
use crate::read::{Node, Object};

/// Most characters of an identifier; the longest that is in use, an IBAN, has 34.
const MAX_IDENTIFIER: usize = 64;

/// What was bought.
pub(super) fn purchase(fields: &Object<'_>, programme: &Programme) -> Option<Purchase> {
    let label = |name| fields.optional(name).and_then(|text| text.label(200));
    let (receipt_number, related_transaction) =
        (label("receipt_number"), label("related_transaction"));
    let payment_medium = payment_medium(fields, &programme.definition.payment_medium);
    let lines = fields.required("lines").and_then(|node| lines(&node, programme));
    Some(Purchase { receipt_number, related_transaction, payment_medium, lines: lines? })
}

/// The lines of a purchase. A line or a sum that is too large to be an amount is a violation.
fn lines(node: &Node<'_>, programme: &Programme) -> Option<Vec<Line>> {
    let lines = node.list(MAX_LINES, |line| read_line(line, programme));
    if node.value.as_array().is_some_and(Vec::is_empty) {
        node.fault(code::LENGTH, "must have at least one line");
    }
    let purchase =
        Purchase { receipt_number: None, related_transaction: None, payment_medium: None, lines };
    if purchase.total().is_err() {
        node.fault(code::RANGE, "come to a total that is too large");
    }
    Some(purchase.lines)
}

fn read_line(node: &Node<'_>, programme: &Programme) -> Option<Line> {
    let currency = programme.currency.decimals;
    let fields = node.object(&["product", "category", "brand", "quantity", "net", "vat"])?;
    let named = |name| fields.optional(name).and_then(|field| field.parsed(ProductId::parse));
    let (product, category, brand) = (named("product"), named("category"), named("brand"));
    let quantity = match fields.optional("quantity") {
        Some(quantity) => quantity.integer(1..=1_000_000),
        None => Some(1),
    };
    let net = fields.required("net").and_then(|net| net.amount(currency));
    let vat = match fields.optional("vat") {
        Some(vat) => vat.amount(currency),
        None => Some(Amount::ZERO),
    };
    let line = Line { product, category, brand, quantity: quantity?, net: net?, vat: vat? };
    if line.total().is_err() {
        node.fault(code::RANGE, "comes to a total that is too large");
        return None;
    }
    Some(line)
}

/// The payment medium as it may be stored: brand and type filled in by the programme's rules, the
/// identifier adjusted. No message repeats an identifier.
pub(super) fn payment_medium(
    fields: &Object<'_>,
    rules: &PaymentMediumRules,
) -> Option<PaymentMedium> {
    let fields = fields.optional("payment_medium")?.object(&["brand", "type", "identifier"])?;
    let label = |name, most| match fields.optional(name) {
        Some(field) => field.label(most).map(Some),
        None => Some(None),
    };
    let (brand, kind) = (label("brand", 100), label("type", 100));
    let identifier = label("identifier", MAX_IDENTIFIER);
    let (brand, kind, identifier) = (brand?, kind?, identifier?);
    let given = PaymentMedium { brand, kind, identifier, ..PaymentMedium::default() };
    match rules.apply(given) {
        Ok(adjusted) => Some(adjusted),
        Err(fault) => {
            let (name, code, message) = match fault {
                MediumFault::UnknownBrand => {
                    ("brand", code::UNKNOWN_VALUE, "is no payment brand of the programme")
                }
                MediumFault::UnknownKind => {
                    ("type", code::UNKNOWN_VALUE, "is no payment type of the programme")
                }
                MediumFault::Identifier => {
                    ("identifier", code::PATTERN, "must have letters and digits only")
                }
            };
            fields.at(name).fault(code, message);
            None
        }
    }
}
