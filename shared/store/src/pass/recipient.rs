//! The recipient of a pass goes when the participant who redeemed it is erased.

use domain::pass::{Origin, PassId, PassPlan};

use super::MAX_TRIES;
use crate::Store;
use crate::commit::back_off;
use crate::error::{Error, Result};
use crate::table::Written;

impl Store {
    /// Removes the recipient of a pass, if it has one.
    pub(crate) async fn erase_recipient(&self, plan: &PassPlan, id: &PassId) -> Result<()> {
        for attempt in 0..MAX_TRIES {
            let Some(known) = self.find_pass(plan, id, true).await? else { return Ok(()) };
            let mut pass = known.pass.clone();
            let Origin::Issued(issued) = &mut pass.origin else { return Ok(()) };
            if issued.recipient.take().is_none() {
                return Ok(());
            }
            if let Written::Done = self.table.write(vec![known.put(&pass)?]).await? {
                return Ok(());
            }
            back_off(attempt).await;
        }
        Err(Error::Contended)
    }
}
