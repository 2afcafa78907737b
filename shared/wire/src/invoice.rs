//! Invoices as an ERP posts them: those of a listed type are purchases.

use domain::event::EventType;

use crate::event::{EventContext, PostedEvent, as_stored, payload_hash, read_event, referenced};
use crate::fault::BodyFault;
use crate::read::{Object, json, read};

const FIELDS: &[&str] = &[
    "invoice_type",
    "participant_id",
    "alias",
    "unit",
    "performed_on",
    "classification",
    "external_system",
    "external_reference",
    "receipt_number",
    "related_transaction",
    "payment_medium",
    "lines",
];

/// Parses the body of `POST /invoices`: the purchase that it is, judged at once; none where the
/// definition does not list its type, whatever else stands in it.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`] with everything that is wrong.
pub fn parse_invoice(
    bytes: &[u8],
    context: &EventContext<'_>,
) -> Result<Option<PostedEvent>, BodyFault> {
    let body = json(bytes)?;
    read(&body, |node| {
        if let Some(named) = node.peek("invoice_type") {
            let listed = &context.programme.definition.invoice_types;
            if !listed.contains(&named.label(100)?) {
                return Some(None);
            }
        }
        let fields = node.object(FIELDS)?;
        fields.required("invoice_type");
        let id = number(&fields);
        let event = read_event(&fields, EventType::Purchase, id, true, context)?;
        let payload = payload_hash(&as_stored(&body, event.payment_medium()));
        Some(Some(PostedEvent { event, payload, spend: None, code: None }))
    })
}

/// An invoice is known by its number: no key stands in for it.
fn number(fields: &Object<'_>) -> Option<domain::id::EventId> {
    let system = fields.required("external_system");
    let reference = fields.required("external_reference");
    referenced(&system?, &reference?)
}
