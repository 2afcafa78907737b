//! Aliases as they are sent: in place of a participant's id, and to be looked up.
//!
//! What is sent is personal: no message repeats it, and it goes no further than to its lookup.

use domain::alias::{Alias, AliasKind};
use domain::event::EventType;
use domain::id::{Key, ParticipantId};
use serde_json::Value;

use crate::event::sent_id;
use crate::fault::{BodyFault, code};
use crate::read::{Node, Object, json, read};

/// Reads `{kind, value}`.
pub(crate) fn read_alias(node: &Node<'_>) -> Option<Alias> {
    let fields = node.object(&["kind", "value"])?;
    let kinds = AliasKind::ALL.map(|kind| (kind.name(), Some(kind)));
    let kind = fields.required("kind").and_then(|kind| kind.choice(&kinds));
    let value = fields.required("value");
    let kind = kind?;
    value?.parsed(|text| Alias::parse(kind, text))
}

/// Notes where both an alias and an id are given.
pub(crate) fn not_both(fields: &Object<'_>) {
    let given = |name| fields.optional(name).is_some();
    if given("alias") && given("participant_id") {
        fields.at("alias").fault(code::EXCLUSIVE, "stands in place of a participant_id: send one");
    }
}

/// The alias that a body names its participant by: none where there is none, it is not what it
/// must be, or an id is given as well, which is told when the body is parsed.
pub fn sent_alias(body: &Value) -> Option<Alias> {
    if body.get("participant_id").is_some_and(|id| !id.is_null()) {
        return None;
    }
    read(body, |node| read_alias(&node.peek("alias")?)).ok()
}

/// Puts the id of whom its alias names in the alias's place: from here on a body is the same as if
/// it had come with the id.
pub fn name_participant(body: &mut Value, participant: &ParticipantId) {
    if let Some(fields) = body.as_object_mut() {
        fields.remove("alias");
        fields.insert("participant_id".to_owned(), Value::from(participant.as_str()));
    }
}

/// The names under which an event is repeated: its reference, or the key of the call; of a spend
/// request the key and the reference.
pub fn event_names(body: &Value, key: Option<&Key>) -> Vec<String> {
    let own = body.get("type").and_then(Value::as_str) == Some(EventType::SpendRequest.name());
    let key_name = key.filter(|_| own).map(|key| format!("spend\n{key}"));
    let event = sent_id(body, key).map(|id| format!("event\n{id}"));
    key_name.into_iter().chain(event).collect()
}

/// Likewise of a spend that does not come as an event.
pub fn spend_names(body: &Value, key: &Key) -> Vec<String> {
    let event = sent_id(body, None).map(|id| format!("event\n{id}"));
    std::iter::once(format!("spend\n{key}")).chain(event).collect()
}

/// Likewise of a hold.
pub fn hold_names(key: &Key) -> Vec<String> {
    vec![format!("hold\n{key}")]
}

/// Parses the body of `POST /participant-lookups`.
///
/// # Errors
/// [`BodyFault::Malformed`], or [`BodyFault::Invalid`] with everything that is wrong.
pub fn parse_alias_lookup(bytes: &[u8]) -> Result<Alias, BodyFault> {
    read(&json(bytes)?, |node| read_alias(&node.object(&["alias"])?.required("alias")?))
}
