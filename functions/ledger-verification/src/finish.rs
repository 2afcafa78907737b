//! Ending a verification once all shards are done: quotas and stocks are held against all ledgers, and what
//! does not agree is logged once, as a number.

use domain::id::RunId;
use domain::time::Instant;
use harness::{Fault, Room};
use store::{Verification, VerificationEnd};
use tracing::{error, info};

use crate::answer::found;

/// Ends a verification unless a shard is left.
pub async fn finish(room: &Room, now: Instant, id: &RunId) -> Result<(), Fault> {
    let mut known = room.store.verification_progress(id).await?;
    if !known.is_done() || known.verification.ended.is_some() {
        return Ok(());
    }
    let end = match known.verification.participant {
        // What one ledger took says nothing of what all did.
        Some(_) => VerificationEnd { at: now.0, ..VerificationEnd::default() },
        None => room.store.compare_shared(&known.verification, known.shared(), now).await?,
    };
    let (ended, shared) = (Some(end), Vec::new());
    known.verification = Verification { ended, shared, ..known.verification };
    let (ended, version) = (&known.verification, known.version);
    if room.store.end_verification(id, ended, version).await? {
        let (verification, findings) = (id.as_str(), found(&known));
        if findings > 0 {
            error!(verification, findings, "ledgers do not agree with what they are about");
        } else {
            info!(verification, findings, "all ledgers agree");
        }
    }
    Ok(())
}
