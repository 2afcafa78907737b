//! What a feed's target knows of alerts.

use std::collections::BTreeMap;

use domain::alert::{Alert, Turn};
use domain::id::{AlertId, ParticipantId};
use domain::time::Instant;

use super::{FeedPlace, read_place};
use crate::Store;
use crate::error::Result;
use crate::key;
use crate::ledger::read_state;

impl Store {
    /// The turns of alerts that a target was not told, which then count as told. Of whoever was
    /// erased or merged meanwhile nothing is told.
    pub(super) async fn turns_after(
        &self,
        next: &mut FeedPlace,
        alerts: &[AlertId],
        id: &ParticipantId,
    ) -> Result<Vec<(AlertId, Turn)>> {
        let mut due = Vec::new();
        for alert in alerts {
            let told = next.alerts.get(alert.as_str()).copied().unwrap_or(0);
            let mut turns = self.turns(id, alert).await?.list;
            turns.retain(|turn| turn.is_told && turn.sequence > told);
            if let Some(last) = turns.last() {
                next.alerts.insert(alert.to_string(), last.sequence);
            }
            due.extend(turns.into_iter().map(|turn| (alert.clone(), turn)));
        }
        if due.is_empty() {
            return Ok(due);
        }
        let state = self.table.get(key::state(id), true).await?;
        let wallet = state.as_ref().map(read_state).transpose()?.map(|state| state.wallet);
        let is_there = wallet.is_some_and(|wallet| wallet.gone().is_none());
        Ok(if is_there { due } else { Vec::new() })
    }

    /// The last turn of an alert that its target was told. Read units: 1.
    pub(crate) async fn alert_told(&self, id: &ParticipantId, alert: &Alert) -> Result<u64> {
        let place = self.table.get(key::feed_place(id, &alert.feed), true).await?;
        let (place, _) = read_place(place.as_ref())?;
        Ok(place.alerts.get(alert.id.as_str()).copied().unwrap_or(0))
    }

    /// The last turn of each of these alerts before a time.
    pub(super) async fn turns_before(
        &self,
        alerts: &[AlertId],
        id: &ParticipantId,
        from: Instant,
    ) -> Result<BTreeMap<String, u64>> {
        let mut last = BTreeMap::new();
        for alert in alerts {
            let turns = self.turns(id, alert).await?.list;
            if let Some(turn) = turns.iter().rev().find(|turn| turn.at < from) {
                last.insert(alert.to_string(), turn.sequence);
            }
        }
        Ok(last)
    }
}
