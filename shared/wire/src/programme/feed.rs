//! Feeds of the programme document: who is told what happens, where and how.

use std::collections::HashSet;

use domain::feed::{Feed, FeedType, Target, TargetUrl};
use domain::id::{FeedId, PlanId};

use crate::fault::code;
use crate::programme::names::{id, optional_list};
use crate::read::{Node, Object};

const MAX_FEEDS: usize = 20;
/// Most characters of what an issuer of tokens knows a client by.
const MAX_CLIENT: usize = 200;
const FIELDS: &[&str] = &["id", "kind", "url", "secret", "types", "token_url", "client_id"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Webhook,
    Dataverse,
}

const KINDS: [(&str, Option<Kind>); 2] =
    [("webhook", Some(Kind::Webhook)), ("dataverse", Some(Kind::Dataverse))];

/// Feeds; without `types` one is told of everything.
pub(super) fn feeds(document: &Object<'_>) -> Vec<Feed> {
    let mut seen = HashSet::new();
    let feed = |fields: &Object<'_>| {
        let id = id(fields, "id", FeedId::parse, &mut seen);
        let kind = fields.required("kind").and_then(|kind| kind.choice(&KINDS));
        let url = fields.required("url");
        let address = url.as_ref().and_then(|url| url.parsed(TargetUrl::parse));
        let secret = fields.required("secret").and_then(|secret| secret.parsed(secret_name));
        let types = types(fields);
        let target = match kind? {
            Kind::Webhook => {
                for name in ["token_url", "client_id"] {
                    if let Some(node) = fields.optional(name) {
                        node.fault(code::NOT_ALLOWED, "is only for a feed of the kind dataverse");
                    }
                }
                Some(Target::Webhook)
            }
            Kind::Dataverse => {
                if let (Some(url), Some(address)) = (&url, &address)
                    && address.as_str().trim_end_matches('/') != address.origin()
                {
                    url.fault(code::PATTERN, "must have no path: https://org.crm.dynamics.com");
                }
                dataverse(fields)
            }
        };
        Some(Feed { id: id?, url: address?, secret: secret?, types, target: target? })
    };
    optional_list(document, "feeds", MAX_FEEDS, feed, FIELDS)
}

fn dataverse(fields: &Object<'_>) -> Option<Target> {
    let token_url = fields.required("token_url").and_then(|url| url.parsed(TargetUrl::parse));
    let client_id = fields.required("client_id").and_then(|client| client.label(MAX_CLIENT));
    Some(Target::Dataverse { token_url: token_url?, client_id: client_id? })
}

/// The name of a text of the secret; it looks like an id, so that nobody writes the text itself.
fn secret_name(text: &str) -> Result<Box<str>, &'static str> {
    let named = PlanId::parse(text).map(|name| Box::from(name.as_str()));
    named.map_err(|_| "must be the name of a secret, not the secret itself")
}

fn types(fields: &Object<'_>) -> Vec<FeedType> {
    let Some(node) = fields.optional("types") else { return FeedType::ALL.to_vec() };
    let known = FeedType::ALL.map(|told| (told.name(), Some(told)));
    let mut seen = Vec::new();
    let types = node.list(FeedType::ALL.len(), |node: &Node<'_>| {
        let told = node.choice(&known)?;
        if seen.contains(&told) {
            node.fault(code::DUPLICATE, format!("\"{}\" occurs before", told.name()));
        }
        seen.push(told);
        Some(told)
    });
    if node.value.as_array().is_some_and(Vec::is_empty) {
        node.fault(code::LENGTH, "must name at least one; left out, it is all");
    }
    types
}
