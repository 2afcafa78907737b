//! Alerts of the programme document: of whom which target is told.

use std::collections::HashSet;

use domain::alert::{Alert, MAX_ALERTS};
use domain::feed::{Feed, FeedType};
use domain::id::{AlertId, FeedId};
use domain::run::{RunDefinition, RunKind};

use crate::fault::code;
use crate::programme::conversion::read_segment;
use crate::programme::names::{Known, id, optional_list};
use crate::read::{Node, Object};

const FIRST_RUNS: [(&str, Option<bool>); 2] = [("note", Some(false)), ("tell", Some(true))];

/// Alerts. Left out, `first_run` is `note`: who is in the segment from the start is taken note of.
pub(super) fn alerts(
    document: &Object<'_>,
    known: &Known,
    feeds: &[Feed],
    runs: &[RunDefinition],
) -> Vec<Alert> {
    let mut seen = HashSet::new();
    let alert = |fields: &Object<'_>| {
        let id = id(fields, "id", AlertId::parse, &mut seen);
        let segment = fields.required("segment").and_then(|segment| read_segment(&segment, known));
        let feed = fields.required("feed").and_then(|feed| read_feed(&feed, document, feeds));
        let first = fields.optional("first_run").map(|first| first.choice(&FIRST_RUNS));
        let tells_first = first.unwrap_or(Some(false));
        Some(Alert { id: id?, segment: segment?, feed: feed?, tells_first: tells_first? })
    };
    let fields = &["id", "segment", "feed", "first_run"];
    let alerts = optional_list(document, "alerts", MAX_ALERTS, alert, fields);
    if !alerts.is_empty()
        && !runs.iter().any(|run| run.does == RunKind::Alerts)
        && let Some(node) = document.optional("alerts")
    {
        let message = "need one of the runs to look for whom they tell of: \"does\": \"alerts\"";
        node.fault(code::REQUIRED, message);
    }
    alerts
}

/// A feed of the programme whose target is told of alerts.
fn read_feed(node: &Node<'_>, document: &Object<'_>, feeds: &[Feed]) -> Option<FeedId> {
    let id = node.parsed(FeedId::parse)?;
    match feeds.iter().find(|feed| feed.id == id) {
        Some(feed) if !feed.wants(FeedType::Alert) => {
            let message = format!("the feed \"{id}\" leaves \"alert\" out of its types");
            node.fault(code::NOT_ALLOWED, message);
        }
        Some(_) => {}
        // One that is partly at fault is there as well.
        None if is_named(document, &id) => {}
        None => {
            node.fault(code::UNKNOWN_REFERENCE, format!("the programme has no feed \"{id}\""));
        }
    }
    Some(id)
}

fn is_named(document: &Object<'_>, id: &FeedId) -> bool {
    let feeds = document.optional("feeds").and_then(|feeds| feeds.value.as_array());
    feeds.is_some_and(|feeds| feeds.iter().any(|feed| feed["id"] == id.as_str()))
}
